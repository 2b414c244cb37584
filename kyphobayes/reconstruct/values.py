"""What a paper would print about a table of counts, under an assumed method, for many tables at once.

A study's effect and variance depend on its count only (and, where one zero cell has all studies
corrected, on whether there is one): they are looked up, not computed again for every table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects import effect_size
from kyphobayes.effects.recover import back_transform
from kyphobayes.frequentist import pool_many
from kyphobayes.reconstruct.constraints import Constraints
from kyphobayes.reconstruct.printed import POOLED, Printed

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_NEVER_CORRECTED: Final = ("PAS", "PFT")  # defined at zero


@dataclass(frozen=True, eq=False)
class Scale:
    """Effect and variance of every count that a study may have.

    Attributes
    ----------
    y, v : ndarray, shape (2, sum(n + 1))
        Of the counts 0..n of the first study, then of the next. First row: no other study makes this
        one be corrected; second row: another one does. NaN where there is no variance: such a study
        is left out of the pool, as it has to be.
    start : ndarray of int, shape (k,)
        Where each study's counts begin.
    """

    y: Array
    v: Array
    start: Counts
    n: Counts
    measure: str
    together: bool

    @classmethod
    def of(cls, constraints: Constraints, n: Counts) -> Self:
        """Effects under the file's measure and rule for zero cells."""
        columns = [_study(constraints, int(size)) for size in n]
        y, v = (np.concatenate([c[i] for c in columns], axis=1) for i in (0, 1))
        start = np.concatenate([[0], np.cumsum(n + 1)[:-1]]).astype(np.int64)
        together = (
            constraints.corrected == "if0all"
            and constraints.zero_cells > 0
            and constraints.measure not in _NEVER_CORRECTED
        )
        return cls(y, v, start, n, constraints.measure, together)

    def effects(self, events: Counts, columns: Sequence[int]) -> tuple[Array, Array]:
        """Effects and variances of tables of shape (t, len(columns))."""
        columns = list(columns)
        at = events + self.start[columns]
        if not self.together:
            return self.y[0, at], self.v[0, at]
        empty = ((events == 0) | (events == self.n[columns])).any(axis=1)
        which = np.where(empty, 1, 0)[:, None]
        return self.y[which, at], self.v[which, at]


def _study(constraints: Constraints, n: int) -> tuple[Array, Array]:
    """Effects and variances of 0..n events in one study, each of shape (2, n + 1)."""
    measure, add, rule = constraints.measure, constraints.zero_cells, constraints.corrected
    events = np.arange(n + 1)

    def computed(these: Counts, **correction: object) -> tuple[Array, Array]:
        # the correction holds the options of the audit's rule by name
        sizes = effect_size(measure, {"events": these, "n": n}, **correction)  # pyright: ignore[reportArgumentType]
        return sizes.y, sizes.v

    if measure in _NEVER_CORRECTED:
        y, v = computed(events)
        return np.stack([y, y]), np.stack([v, v])
    y, v = np.full((2, 2, n + 1), np.nan)
    if n > 1:
        y[:, 1:-1], v[:, 1:-1] = computed(events[1:-1], to="none")
    if add > 0 and rule in ("all", "if0all"):
        y[1], v[1] = computed(events, add=add, to="all")
    if add > 0 and rule == "all":
        y[0], v[0] = y[1], v[1]
    if add > 0 and rule == "only0":
        y[:, [0, -1]], v[:, [0, -1]] = computed(events[[0, -1]], add=add, to="all")
    return y, v


class Printer:
    """Values of printed figures for tables of counts; pooled values are computed once per group.

    Parameters
    ----------
    constraints : Constraints
    n : ndarray of int, shape (k,)
    """

    def __init__(self, constraints: Constraints, n: Counts):
        self.constraints, self.n = constraints, n
        self.scale = Scale.of(constraints, n)

    def columns(self, studies: Sequence[str]) -> tuple[int, ...]:
        """Places of studies in the file's list."""
        return tuple(self.constraints.studies.index(study) for study in studies)

    def pooling(self, figure: Printed) -> str:
        """How a figure was pooled."""
        return figure.pooling or self.constraints.pooling

    def values(self, figures: Sequence[Printed], events: Counts) -> list[Array]:
        """The values of figures about one group of studies, in its order.

        Parameters
        ----------
        figures : sequence of Printed
            About the same studies, named in the same order.
        events : ndarray of int, shape (t, s)

        Returns
        -------
        list of ndarray, shape (t,)
            NaN where a table does not determine the figure: no study has a variance.
        """
        columns = self.columns(figures[0].studies)
        n = self.n[list(columns)]
        pooled: dict[tuple[str, float], _Group] = {}
        found = []
        for figure in figures:
            if figure.quantity in POOLED:
                key = (self.pooling(figure), figure.level)
                if key not in pooled:
                    pooled[key] = _Group(self, events, columns, *key)
                found.append(pooled[key].value(figure))
            else:
                found.append(_plain(figure.quantity, events, n))
        return found


def _plain(quantity: str, events: Counts, n: Counts) -> Array:
    """Values that need no pooling."""
    if quantity == "events":
        return events.sum(axis=1).astype(float)
    if quantity == "rate":
        return events.sum(axis=1) / n.sum()
    if quantity == "studies_without_events":
        return (events == 0).sum(axis=1).astype(float)
    rates = events / n
    return rates.min(axis=1) if quantity == "lowest_rate" else rates.max(axis=1)


class _Group:
    """Tables of a group of studies, pooled."""

    def __init__(self, printer: Printer, events: Counts, columns: Sequence[int], pooling: str, level: float):
        asked = printer.constraints
        y, v = printer.scale.effects(events, columns)
        n = np.where(np.isnan(v), np.nan, printer.n[list(columns)].astype(float))
        present = np.isfinite(v).sum(axis=1)
        self.rows = np.flatnonzero(present >= (1 if asked.test == "z" else 2))
        self.length, self.measure, self.i2_from = len(events), asked.measure, asked.i2_from
        if self.rows.size:
            y, v, n = y[self.rows], v[self.rows], n[self.rows]
            self.pooled = pool_many(y, v, method=pooling, test=asked.test, level=level)
            self.harmonic = present[self.rows] / np.nansum(1 / n, axis=1)

    def value(self, figure: Printed) -> Array:
        """One printed value of every table."""
        values = np.full(self.length, np.nan)
        if self.rows.size:
            values[self.rows] = self._value(figure)
        return values

    def _value(self, figure: Printed) -> Array:
        p = self.pooled
        match figure.quantity:
            case "pooled":
                return self._share(p.mu)
            case "ci_low" | "ci_high":
                limit = self._share(p.ci_low if figure.quantity == "ci_low" else p.ci_high)
                # Limits beyond 0 and 1 are printed as 0 and 1, unless the paper prints a negative one.
                return limit if figure.high < 0 else np.clip(limit, 0.0, 1.0)
            case "I2":
                if self.i2_from == "tau2":
                    return p.i2
                share = np.maximum(0.0, 1 - p.q_df / np.maximum(p.q, 1e-300))
                return np.where(p.q_df > 0, 100 * share, 0.0)
            case "tau2":
                return p.tau2
            case "Q":
                return p.q
        return p.q_p

    def _share(self, y: Array) -> Array:
        """Back to shares; of Freeman-Tukey with the harmonic mean of n, as papers do (Miller 1978)."""
        if self.measure == "PFT":
            return back_transform("PFT", y, n=self.harmonic)
        if self.measure == "PLN":
            y = np.minimum(y, 1.0)  # a limit beyond a share of 1 is cut off later
        return back_transform(self.measure, y)


def agrees(figure: Printed, value: Array) -> NDArray[np.bool_]:
    """Which values print as the figure; NaN does not."""
    low, high = figure.inner
    return (value >= low) & (value <= high)
