"""What a model sees of the evidence: arrays with names, and the rows they came from.

A view knows nothing of files or priors. The annotation on a model's `evidence` argument says which
view it needs.
"""

import hashlib
import json
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes import html
from kyphobayes.errors import EvidenceError
from kyphobayes.names import GEN, LATENT, MEASURE_LABELS, PLO, REPORTED, STUDY, TABLE
from kyphobayes.natural_scale import NaturalScale, natural_scale
from kyphobayes.reconstruct import CountTables
from kyphobayes.toml_files import nearest

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """Evidence of k studies.

    Attributes
    ----------
    labels : tuple of str, length k
        Names for people; also the coordinate of the dimension ``study``.
    rows : DataFrame
        One row per study with its source and locator.
    excluded : DataFrame
        Rows of the outcome's table that are not in, each with its reason.
    """

    labels: tuple[str, ...]
    rows: pd.DataFrame = field(repr=False)
    excluded: pd.DataFrame = field(repr=False)

    PER_STUDY: ClassVar[tuple[str, ...]] = ()  # arrays with one value for each study

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.labels)

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model."""
        return {STUDY: list(self.labels)}

    @property
    def measure(self) -> str:
        """Scale of the study effects, by metafor's code."""
        raise NotImplementedError

    @property
    def scale(self) -> NaturalScale:
        """Scale on which people read the effects."""
        return natural_scale(self.measure)

    def only(self, keep: NDArray[np.bool_]) -> Self:
        """The same evidence of some of the studies; possible tables keep their weights.

        Parameters
        ----------
        keep : ndarray of bool, shape (k,)
        """
        if not self.PER_STUDY:
            raise NotImplementedError
        labels = tuple(label for label, kept in zip(self.labels, keep, strict=True) if kept)
        rows = self.rows[keep].reset_index(drop=True)
        arrays = {name: getattr(self, name) for name in self.PER_STUDY}
        parts = {name: values[..., keep] for name, values in arrays.items() if values is not None}
        return replace(self, labels=labels, rows=rows, **parts)

    def _values(self) -> dict[str, object]:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """Table of the studies, and of what is left out with the reasons."""
        each = {item.name: getattr(self, item.name) for item in fields(self)}
        columns = {
            name: values
            for name, values in each.items()
            if isinstance(values, np.ndarray) and values.shape == (self.k,) and name != "weights"
        }
        rows = [[label, *(values[i] for values in columns.values())] for i, label in enumerate(self.labels)]
        parts = [html.table(["study", *columns], rows, caption=self._caption)]
        if {"label", "reason"} <= set(self.excluded):
            left_out = self.excluded[["label", "reason"]].to_numpy().tolist()
            parts += [html.table(["left out", "because"], left_out)] if left_out else []
        return html.block(*parts)

    @property
    def _caption(self) -> str:
        unit = getattr(self, "unit", "")
        return f"{type(self).__name__} of {self.k} {'study' if self.k == 1 else 'studies'}" + (
            f", in {unit}" if unit else ""
        )

    @property
    def digest(self) -> str:
        """Fingerprint of everything that a fit depends on."""
        content = {"view": type(self).__name__, "labels": self.labels, **self._values()}
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).hexdigest()


class Tabulated(View):
    """What all views of counts share: counts that are not printed are averaged over possible tables.

    Attributes
    ----------
    events : ndarray, shape (k,)
        NaN where the count is latent.
    tables : ndarray, shape (t, k)
        Every count table that agrees with what is printed; one row if nothing is latent.
    weights : ndarray, shape (t,)
    """

    events: Array
    tables: Array
    weights: Array

    @cached_property
    def reported(self) -> NDArray[np.intp]:
        """Positions of the studies whose counts are printed."""
        return np.flatnonzero(~np.isnan(self.events))

    @cached_property
    def latent(self) -> NDArray[np.intp]:
        """Positions of the studies whose counts are not."""
        return np.flatnonzero(np.isnan(self.events))

    @property
    def _caption(self) -> str:
        told = super()._caption
        return f"{told}; a dash: one of {len(self.tables)} tables of counts" if len(self.latent) else told

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model."""
        named = np.array(self.labels, dtype=object)
        return {
            STUDY: list(self.labels),
            REPORTED: list(named[self.reported]),
            LATENT: list(named[self.latent]),
            TABLE: list(range(1, len(self.tables) + 1)),
        }


@dataclass(frozen=True, eq=False)
class Counts(Tabulated):
    """Events out of n in k studies; counts that are not printed are averaged over `tables`.

    Attributes
    ----------
    events : ndarray, shape (k,)
        NaN where the count is latent.
    n : ndarray, shape (k,)
    tables : ndarray, shape (t, k)
        Every count table that agrees with what is printed; one row if nothing is latent.
    weights : ndarray, shape (t,)
    unit : str
        What n counts, such as levels or patients.
    latent_source : CountTables or None
        How the latent counts were reconstructed.
    """

    events: Array
    n: Array
    tables: Array
    weights: Array
    unit: str = ""
    PER_STUDY: ClassVar = ("events", "n", "tables")
    latent_source: CountTables | None = field(default=None, repr=False)

    @property
    def measure(self) -> str:
        """Log odds of a proportion."""
        return PLO

    def _values(self) -> dict[str, object]:
        return {"n": self.n, "tables": self.tables, "weights": self.weights, "events": self.events}


@dataclass(frozen=True, eq=False)
class Contrasts(View):
    """Estimates with standard errors of k studies.

    Attributes
    ----------
    y, se : ndarray, shape (k,)
        On the scale of the measure: logarithms for ratios.
    unit : str
        Of the estimates, such as points; empty where they have none.
    code : str
        What the estimates are, by metafor's code: SMD, MD, OR, HR, ...; GEN where it is not said.
    """

    y: Array
    se: Array
    unit: str = ""
    code: str = GEN
    PER_STUDY: ClassVar = ("y", "se")

    @property
    def measure(self) -> str:
        """Scale of the estimates."""
        return self.code

    @property
    def scale(self) -> NaturalScale:
        """Ratios where the estimates are their logarithms, else the estimates' own unit."""
        return natural_scale(self.measure, unit=self.unit)

    def _values(self) -> dict[str, object]:
        said = {} if self.code == GEN else {"measure": self.code}
        return {"y": self.y, "se": self.se, **said}


def counts(
    events: object,
    n: object,
    labels: object = None,
    *,
    tables: object = None,
    weights: object = None,
    unit: str = "",
) -> Counts:
    """Make a view of counts that are at hand, without tables on disk.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        NaN in `events` for a count that is not known; then `tables` are needed.
    labels : sequence of str, optional
    tables : array_like, shape (t, k), optional
        The counts that are possible.
    weights : array_like, shape (t,), optional
        Default: uniform.
    unit : str
        What n counts.

    Raises
    ------
    EvidenceError
        If shapes do not fit, or numbers are not counts, or a table contradicts a known count.
    """
    size = np.atleast_1d(np.asarray(n, dtype=float))
    given = np.atleast_1d(np.asarray(events, dtype=float))
    rows = np.atleast_2d(given if tables is None else np.asarray(tables, dtype=float))
    weight = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=float)
    names = _labels(labels, len(size))
    if given.shape != size.shape or rows.shape[1:] != size.shape or weight.shape != (len(rows),):
        raise EvidenceError(
            f"expected events and n of one length, and tables with as many columns; "
            f"found {given.shape}, {size.shape}, {rows.shape}"
        )
    whole = np.isfinite(size) & (size == np.floor(size)) & (size >= 1)
    _refuse("n", size, ~whole, "a whole number of 1 or more")
    for table in rows:
        latent = (
            "a count in every table"
            if np.isnan(table).any()
            else f"whole numbers from 0 to n ({size.tolist()})"
        )
        _refuse("events", table, ~((table >= 0) & (table <= size) & (table == np.floor(table))), latent)
        _refuse("tables", table, ~np.isnan(given) & (table != given), "what events says")
    _refuse("weights", weight, ~(np.isfinite(weight) & (weight > 0)), "a number greater than 0")
    blank = pd.DataFrame(index=range(len(size)))
    return Counts(names, blank, blank.iloc[:0], given, size, rows, weight / weight.sum(), unit)


def contrasts(
    y: object, se: object, labels: object = None, *, unit: str = "", measure: str = GEN
) -> Contrasts:
    """Make a view of estimates that are at hand, without tables on disk.

    Parameters
    ----------
    y, se : array_like, shape (k,)
        Estimates and standard errors in one unit; of a ratio, of its logarithm.
    labels : sequence of str, optional
    unit : str
    measure : str
        What the estimates are, by metafor's code.

    Raises
    ------
    EvidenceError
        If shapes do not fit, a number is not finite, a standard error is not positive, or the measure is
        none that estimates have.
    """
    estimates, errors = (np.atleast_1d(np.asarray(a, dtype=float)) for a in (y, se))
    if estimates.shape != errors.shape:
        raise EvidenceError(f"expected y and se of one length, found {estimates.shape} and {errors.shape}")
    names = _labels(labels, len(estimates))
    _refuse("y", estimates, ~np.isfinite(estimates), "a finite number")
    _refuse("se", errors, ~(np.isfinite(errors) & (errors > 0)), "a finite number greater than 0")
    if measure not in MEASURE_LABELS:
        raise EvidenceError(f"measure: found {measure!r}; {nearest(measure, MEASURE_LABELS)}")
    blank = pd.DataFrame(index=range(len(estimates)))
    return Contrasts(names, blank, blank.iloc[:0], estimates, errors, unit, measure)


def _refuse(name: str, values: Array, wrong: NDArray[np.bool_], expected: str) -> None:
    if wrong.any():
        place = int(np.argmax(wrong))
        raise EvidenceError(f"{name}[{place}]: expected {expected}, found {values[place]:g}")


def _labels(labels: object, k: int) -> tuple[str, ...]:
    # `object` in the signature: names of any kind in a row
    names = tuple(f"study {i + 1}" for i in range(k)) if labels is None else tuple(str(x) for x in labels)  # pyright: ignore
    if k == 0:
        raise EvidenceError("expected at least one study, found none")
    if len(names) != k or len(set(names)) != k:
        raise EvidenceError(f"expected {k} different study names, found {list(names)}")
    return names


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return [None if np.isnan(x) else x for x in value.ravel().tolist()] + [list(value.shape)]
    raise TypeError(f"cannot fingerprint {type(value).__name__}")
