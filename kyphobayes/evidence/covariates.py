"""Counts of studies that differ in design or in patients: what a meta-regression sees."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.views import Array, Counts
from kyphobayes.toml_files import nearest

GROUP = "group"  # dimension of what has a value at each of the two levels
COVARIATES = ("design", "population", "detection")  # columns that describe a study
FIRST, SECOND = 0.5, -0.5  # so that mu lies midway, and beta is the whole way from the second to the first


@dataclass(frozen=True, eq=False, kw_only=True)
class CovariateCounts(Counts):
    """Events out of n in k studies, and where each stands between two levels of a covariate.

    Attributes
    ----------
    x : ndarray, shape (k,)
        1/2 at the first level, -1/2 at the second; between them for a study with patients of both.
    covariate : str
    levels : (str, str)
        The first is what the second is compared with.
    """

    x: Array
    covariate: str
    levels: tuple[str, str]
    PER_STUDY: ClassVar = (*Counts.PER_STUDY, "x")

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model."""
        return super().coords | {GROUP: list(self.levels)}

    def _values(self) -> dict[str, object]:
        return super()._values() | {"x": self.x, "covariate": self.covariate, "levels": self.levels}


def with_covariate(
    evidence: Counts, x: object, *, covariate: str = "group", levels: tuple[str, str] = ("first", "second")
) -> CovariateCounts:
    """Add where each study stands to counts that are at hand.

    Parameters
    ----------
    evidence : Counts
    x : array_like, shape (k,)
        From -1/2, the second level, to 1/2, the first.
    covariate : str
    levels : (str, str)

    Raises
    ------
    EvidenceError
        If there is not one number for each study, one lies outside, or all are equal.
    """
    values = np.atleast_1d(np.asarray(x, dtype=float))
    if values.shape != evidence.n.shape:
        raise EvidenceError(f"x: expected {evidence.k} numbers, one for each study, found {values.size}")
    wrong = ~((values >= SECOND) & (values <= FIRST))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise EvidenceError(f"x[{place}]: expected a number from -1/2 to 1/2, found {values[place]:g}")
    if np.ptp(values) == 0:
        raise EvidenceError(
            f"{covariate}: expected studies that differ in it, found all {evidence.k} alike; there is "
            f"nothing to compare"
        )
    known = {each.name: getattr(evidence, each.name) for each in fields(Counts)}
    return CovariateCounts(**known, x=values, covariate=covariate, levels=levels)


def by_level(
    evidence: Counts, covariate: str, levels: tuple[str, str], shares: Mapping[str, float] | None = None
) -> CovariateCounts:
    """Keep the studies that are at one of two levels of a covariate, and say why the others are out.

    Parameters
    ----------
    evidence : Counts
        With the rows it came from.
    covariate : str
        One of `COVARIATES`.
    levels : (str, str)
    shares : mapping of str to float, optional
        By study_id: share of the first level in a study with patients of both.

    Returns
    -------
    CovariateCounts
        Tables that differ only in studies that are out become one, with the sum of their weights.

    Raises
    ------
    EvidenceError
        If there is no such column, a level that no study is at, or a share that no study has.
    """
    shares = dict(shares or {})
    if covariate not in COVARIATES:
        raise EvidenceError(f"covariate: no column {covariate!r}; {nearest(covariate, COVARIATES)}")
    values, ids = list(evidence.rows[covariate]), list(evidence.rows["study_id"])
    for level in levels:
        if level not in values:
            known = sorted({value for value in values if value})
            raise EvidenceError(
                f"{covariate}: none of {evidence.k} studies is {level!r}; {nearest(level, known)}"
            )
    for study, share in shares.items():
        if study not in ids or values[ids.index(study)] in levels:
            raise EvidenceError(f"shares: {study!r} is not a study between the levels; {nearest(study, ids)}")
        if not 0 < share < 1:
            raise EvidenceError(f"shares: expected a share of {study} between 0 and 1, found {share:g}")
    coded = {levels[0]: FIRST, levels[1]: SECOND}
    x = np.array([
        coded.get(value, SECOND + shares[study] if study in shares else np.nan)
        for value, study in zip(values, ids, strict=True)
    ])  # fmt: skip
    keep = np.isfinite(x)
    out = evidence.rows[~keep].assign(reason=[_reason(covariate, v, levels) for v in np.array(values)[~keep]])
    some = evidence.only(keep)
    tables, index = np.unique(some.tables, axis=0, return_inverse=True)
    weights = np.bincount(index.ravel(), evidence.weights)
    excluded = pd.concat([evidence.excluded, out], ignore_index=True)
    fewer = replace(some, excluded=excluded, tables=tables, weights=weights / weights.sum())
    return with_covariate(fewer, x[keep], covariate=covariate, levels=levels)


def _reason(covariate: str, value: str, levels: tuple[str, str]) -> str:
    if not value:
        return f"{covariate} is not stated"
    return f"{covariate} is {value}, neither {levels[0]} nor {levels[1]}"
