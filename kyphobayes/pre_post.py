"""One group before and after: on which scale the change is told, and what each choice does to it.

Points are the scale of the outcome and need no correlation for their mean. A standardised change divides
by a standard deviation, of which there are several, and its variance needs the correlation r of a
patient's two values, which papers do not print and reviewers assume.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from kyphobayes.effects import effect_size, share_of_g
from kyphobayes.errors import InputError
from kyphobayes.evidence.tables import describe, read_table
from kyphobayes.names import PROB
from kyphobayes.project import Project

PATIENTS = "patients/ribeirao_preto_patients.csv"
PRINTED = "published/bouza2009.csv"
SCALES = {
    "MC": "mean change, points",
    "SMCC": "standardised by the SD of the change (SMCC)",
    "SMCR": "standardised by the SD before (SMCR)",
    "SMCRH": "standardised by the SD before, unequal SDs (SMCRH)",
    "SMD": "Hedges’ g as if the two times were two groups (SMD)",
}
ASSUMED = (0.5, 0.7)  # correlations that reviewers assume


@dataclass(frozen=True)
class Paired:
    """A series measured twice; r is the correlation of the two values."""

    n: float
    mean_pre: float
    mean_post: float
    sd_pre: float
    sd_post: float
    r: float

    @classmethod
    def from_patients(cls, pre: ArrayLike, post: ArrayLike) -> "Paired":
        """From the values of every patient, shape (n,) each; at least three patients, not all alike.

        Raises
        ------
        InputError
            If a value is missing or the correlation is not defined.
        """
        before, after = np.asarray(pre, dtype=float), np.asarray(post, dtype=float)
        if before.shape != after.shape or before.ndim != 1 or before.size < 3:
            raise InputError(
                "pre and post: expected one value each for three patients or more, found shapes "
                f"{before.shape} and {after.shape}"
            )
        if not (np.isfinite(before).all() and np.isfinite(after).all()):
            at = int(np.argmin(np.isfinite(before) & np.isfinite(after)))
            raise InputError(
                f"patient {at}: expected a value before and after, found {before[at]}, {after[at]}"
            )
        if np.ptp(before) == 0 or np.ptp(after) == 0:
            raise InputError(
                "pre and post: all patients have the same value, so that no correlation is defined"
            )
        return cls(
            float(before.size), float(before.mean()), float(after.mean()),
            float(before.std(ddof=1)), float(after.std(ddof=1)), float(np.corrcoef(before, after)[0, 1]),
        )  # fmt: skip


def read_patients(project: Project) -> Paired | None:
    """Pain of the patients of the project before and after; None where it has no table of patients.

    Raises
    ------
    EvidenceError, InputError
    """
    if PATIENTS not in describe(project):
        return None
    table = read_table(project, PATIENTS)
    return Paired.from_patients(table["vas_pre"], table["vas_post"])


def read_printed(project: Project) -> list[float]:
    """Pooled standardised changes of pain that Bouza 2009 prints; none in a project without them."""
    if PRINTED not in describe(project):
        return []
    table = read_table(project, PRINTED)
    pain = table[(table["outcome"] == "pain") & (table["quantity"] == "pooled_effect")]
    return [float(g) for g in pain.loc[pain["measure"] == "SMD", "estimate"]]


def scales(series: Paired, r: Sequence[float] | None = None) -> pd.DataFrame:
    """The change on every scale.

    Parameters
    ----------
    series : Paired
    r : sequence of float, optional
        Correlations to take in turn; the series' own by default.

    Returns
    -------
    DataFrame
        One row per r and scale: r, scale, effect (before minus after), ci_low, ci_high (Wald), v, and
        share: how much of v is g^2 / (2 n) and nothing else (NaN for points).
    """
    taken = np.atleast_1d(np.asarray(series.r if r is None else r, dtype=float))
    quantile = stats.norm.ppf((1 + PROB) / 2)
    frames = []
    for measure in SCALES:
        sizes = effect_size(measure, _columns(series, measure, taken))
        half = quantile * np.sqrt(sizes.v)
        total = series.n * (2 if measure == "SMD" else 1)
        share = np.full(taken.size, np.nan) if measure == "MC" else _share(measure, sizes.y, total, sizes.v)
        frames.append(
            pd.DataFrame(
                {"r": taken, "scale": measure, "effect": sizes.y, "ci_low": sizes.y - half,
                 "ci_high": sizes.y + half, "v": sizes.v, "share": share}
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def share_at(g: float, r: float) -> float:
    """The share of SMCR's variance that is g^2 / (2 n), whatever n: (g^2 / 2) / (2 (1 - r) + g^2 / 2)."""
    return (g**2 / 2) / (2 * (1 - r) + g**2 / 2)


def _columns(series: Paired, measure: str, r: np.ndarray) -> dict[str, ArrayLike]:
    s = series
    if measure == "SMD":
        both = {"mean_1": s.mean_pre, "sd_1": s.sd_pre, "n_1": s.n}
        both |= {"mean_2": s.mean_post, "sd_2": s.sd_post, "n_2": s.n}
        return {name: np.full(r.size, value) for name, value in both.items()}
    return {
        "mean_pre": s.mean_pre, "mean_post": s.mean_post, "sd_pre": s.sd_pre, "sd_post": s.sd_post,
        "n": s.n, "r": r,
    }  # fmt: skip


def _share(measure: str, g: np.ndarray, n: float, v: np.ndarray) -> np.ndarray:
    """SMCRH's variance is Bonett's, in which g^2 / (2 n) has another factor: no share is given."""
    return np.full(g.shape, np.nan) if measure == "SMCRH" else share_of_g(g, n, v)
