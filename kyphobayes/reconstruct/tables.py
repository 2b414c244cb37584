"""All count tables that agree with everything a paper prints, by exact search.

The search walks through the printed figures, those about the fewest unknown studies first. Each adds
the studies it concerns to the partial tables and keeps only those that reproduce it under the paper's
method, so that most tables are never formed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects import effect_size
from kyphobayes.errors import EvidenceError
from kyphobayes.frequentist import pool_many
from kyphobayes.reconstruct.constraints import Constraints, Printed

Array = NDArray[np.float64]
_MOST = 2_000_000  # partial tables held at once
_SLACK = 1e-9  # numerical slack at the ends of a rounding interval


@dataclass(frozen=True)
class CountTables:
    """The tables that remain.

    Attributes
    ----------
    studies : tuple of str
    n : ndarray, shape (k,)
    events : ndarray of int, shape (t, k)
    weights : ndarray, shape (t,)
        They sum to one.
    trail : tuple of (Printed, int)
        Each printed figure, in the order used, and the number of (partial) tables left after it.
    left_out : tuple of (Printed, int)
        Each printed figure that was left out, and the number of tables that agree with it too.
    constraints : Constraints
    """

    studies: tuple[str, ...]
    n: Array
    events: NDArray[np.int64]
    weights: Array
    trail: tuple[tuple[Printed, int], ...]
    left_out: tuple[tuple[Printed, int], ...]
    constraints: Constraints

    def __len__(self) -> int:
        return len(self.events)

    def marginal(self, study: str) -> dict[int, float]:
        """Weight of each count that a study has in any table."""
        column = self.events[:, self.studies.index(study)]
        return {int(value): float(self.weights[column == value].sum()) for value in np.unique(column)}


def reconstruct(
    constraints: Constraints, n: Mapping[str, float], known: Mapping[str, float] | None = None
) -> CountTables:
    """Enumerate the tables of counts that agree with all printed figures.

    Parameters
    ----------
    constraints : Constraints
    n : mapping of study to its denominator
    known : mapping of study to its printed count, optional

    Raises
    ------
    EvidenceError
        If no table agrees (the message names the figure at which the last ones fell), or if the
        figures leave too many to enumerate.
    """
    known = dict(known or {})
    if missing := [study for study in constraints.studies if study not in n]:
        raise EvidenceError(f"{constraints.title}: no denominator for {', '.join(missing)}")
    search = _Search(constraints, np.array([float(n[s]) for s in constraints.studies]), known)
    trail = []
    for printed in search.order():
        search.add(printed)
        trail.append((printed, len(search.events)))
    search.complete()
    events = search.events.astype(np.int64)
    weights = np.ones(len(events))
    for table, weight in constraints.weights:
        match = (events == table).all(axis=1)
        if not match.any():
            raise EvidenceError(f"{constraints.title}: the weighted table {list(table)} is not feasible")
        weights[match] = weight
    left_out = tuple((printed, int(search.agrees(printed).sum())) for printed in constraints.left_out)
    return CountTables(
        constraints.studies, search.n, events, weights / weights.sum(), tuple(trail), left_out, constraints
    )


class _Search:
    """Partial tables: columns of studies not yet placed hold NaN."""

    def __init__(self, constraints: Constraints, n: Array, known: Mapping[str, float]):
        self.constraints, self.n = constraints, n
        start = [float(known.get(study, np.nan)) for study in constraints.studies]
        self.events = np.array([start])
        totals = [p for p in constraints.printed if p.quantity == "events"]
        self.totals = [(self._columns(p.studies), int(np.ceil(p.low))) for p in totals]

    def _columns(self, studies: Sequence[str]) -> list[int]:
        return [self.constraints.studies.index(study) for study in studies]

    def _open(self, printed: Printed) -> list[int]:
        return [c for c in self._columns(printed.studies) if np.isnan(self.events[0, c])]

    def order(self) -> list[Printed]:
        """Figures about few unknown studies first; totals before the rest, as they cost nothing."""
        return sorted(self.constraints.printed, key=lambda p: (len(self._open(p)), p.quantity != "events"))

    def add(self, printed: Printed) -> None:
        """Place the studies that `printed` concerns and keep the tables that reproduce it."""
        for column in self._open(printed):
            self._place(column)
        if len(self.events):
            self.events = self.events[self.agrees(printed)]
        if len(self.events) == 0:
            raise EvidenceError(
                f"{self.constraints.title}: no table of counts agrees with {printed.words!r} "
                f"({printed.locator}) together with the figures before it, under "
                f"{self.constraints.pooling} on {self.constraints.measure}; check the digits and the method"
            )

    def complete(self) -> None:
        """Place studies that no figure concerns."""
        for column in np.flatnonzero(np.isnan(self.events[0])):
            self._place(int(column))

    def _place(self, column: int) -> None:
        """Give a study every count that its n and the printed totals still allow."""
        if len(self.events) == 0:
            return
        most = np.full(len(self.events), self.n[column])
        least = np.zeros(len(self.events))
        for columns, total in self.totals:
            if column in columns:
                spent = np.nansum(self.events[:, columns], axis=1)
                most = np.minimum(most, total - spent)
                others = [c for c in columns if c != column and np.isnan(self.events[0, c])]
                least = np.maximum(least, total - spent - self.n[others].sum())
        counts = np.maximum(most - least + 1, 0).astype(np.int64)
        if counts.sum() > _MOST:
            raise EvidenceError(
                f"{self.constraints.title}: more than {_MOST:,} partial tables; print a total or a subgroup "
                f"figure that narrows {self.constraints.studies[column]}"
            )
        rows = np.repeat(np.arange(len(self.events)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        self.events = self.events[rows]
        self.events[:, column] = least[rows] + np.arange(len(rows)) - first

    def agrees(self, printed: Printed) -> NDArray[np.bool_]:
        """Which tables reproduce a printed figure."""
        columns = self._columns(printed.studies)
        events, n = self.events[:, columns], self.n[columns]
        if printed.quantity == "events":
            value = events.sum(axis=1)
        else:
            sizes = effect_size(
                self.constraints.measure, {"events": events, "n": n}, add=self.constraints.zero_cells
            )
            pooled = pool_many(sizes.y, sizes.v, method=self.constraints.pooling, test="z")
            value = pooled.mu if printed.quantity == "pooled" else pooled.i2
        return (value >= printed.low - _SLACK) & (value <= printed.high + _SLACK)
