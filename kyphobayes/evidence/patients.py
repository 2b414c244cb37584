"""Pain of patients over time: the table of patients as a view for models."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.views import Array, View
from kyphobayes.project import Project

TOP = 10  # highest score
TIMES = ("pre", "post", "late")
COVARIATES = ("age", "sex", "myeloma", "levels")
REASONS = ("seen", "death", "unexplained")  # of a late score: printed, or why it is not
PATIENTS = "patients/ribeirao_preto_patients.csv"
_PRINTED = {"": "seen", "Death": "death", "P*": "unexplained"}


@dataclass(frozen=True, eq=False)
class PatientPain(View):
    """Whole scores from 0 to 10 of n patients, before, after and late.

    Attributes
    ----------
    scores : ndarray, shape (n, 3)
        By `TIMES`; NaN where none is printed.
    covariates : ndarray, shape (n, 4)
        By `COVARIATES`, each with mean 0. Age and levels are in standard deviations; a man is one above
        a woman, and myeloma (plasmacytoma included) one above any other tumour.
    reason : ndarray of int, shape (n,)
        Position in `REASONS` of why the late score is not printed, 0 where it is.
    follow_up : ndarray, shape (n,)
        Months.
    """

    scores: Array
    covariates: Array
    reason: NDArray[np.intp]
    follow_up: Array = field(repr=False)

    @property
    def measure(self) -> str:
        """Points of the visual analogue scale."""
        return "VAS"

    @cached_property
    def seen(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Patient and time of every printed score."""
        patient, time = np.nonzero(np.isfinite(self.scores))
        return patient, time

    @property
    def patterns(self) -> NDArray[np.intp]:
        """Number of patients by `REASONS`."""
        return np.bincount(self.reason, minlength=len(REASONS))

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model."""
        patient, time = self.seen
        readings = [f"{self.labels[i]} {TIMES[t]}" for i, t in zip(patient, time, strict=True)]
        return {
            "patient": list(self.labels),
            "time": list(TIMES),
            "covariate": list(COVARIATES),
            "pair": ["pre, post", "pre, late", "post, late"],
            "reason": list(REASONS),
            "reading": readings,
        }

    def without_late(self, patients: NDArray[np.bool_]) -> "PatientPain":
        """Copy in which late scores of some patients, shape (n,), count as missing for no known reason."""
        scores, reason = self.scores.copy(), self.reason.copy()
        lost = patients & (reason == 0)
        scores[lost, TIMES.index("late")] = np.nan
        reason[lost] = REASONS.index("unexplained")
        return PatientPain(
            self.labels, self.rows, self.excluded, scores, self.covariates, reason, self.follow_up
        )

    def _values(self) -> dict[str, object]:
        return {"scores": self.scores, "covariates": self.covariates, "reason": self.reason.astype(float)}


def read_patient_pain(project: Project) -> PatientPain:
    """Read the table of patients.

    Raises
    ------
    EvidenceError
        If a table breaks its schema, a late score and a reason for its absence are both printed or both
        missing, or there are fewer than three patients.
    """
    return patient_pain(read_table(project, PATIENTS))


def patient_pain(table: pd.DataFrame) -> PatientPain:
    """Make the view from a table with the columns of ``data/patients/ribeirao_preto_patients.csv``.

    Raises
    ------
    EvidenceError
    """
    if len(table) < 3:
        raise EvidenceError(f"data/{PATIENTS}: expected three patients or more, found {len(table)}")
    reason = table["vas_late_missing"].map(_PRINTED)
    both = (reason != "seen") == table["vas_late"].notna()
    if both.any():
        row = table[both].iloc[0]
        raise EvidenceError(
            f"data/{PATIENTS}, line {row['line']}: expected either vas_late or the reason why it is missing, "
            f"found {row['vas_late']:g} and {row['vas_late_missing']!r}"
        )
    scores = table[[f"vas_{time}" for time in TIMES]].to_numpy(dtype=float)
    if np.isnan(scores[:, :2]).any():
        row = table[np.isnan(scores[:, :2]).any(axis=1)].iloc[0]
        raise EvidenceError(
            f"data/{PATIENTS}, line {row['line']}: expected vas_pre and vas_post, found one empty"
        )
    covariates = np.column_stack(
        [
            _standardised(table["age"]),
            _centred(table["sex"] == "M"),
            _centred(table["diagnosis_group"].isin(["myeloma", "plasmacytoma"])),
            _standardised(table["n_levels"]),
        ]
    )
    return PatientPain(
        labels=tuple(f"{number:.0f}" for number in table["patient"]),
        rows=table,
        excluded=table.iloc[:0],
        scores=scores,
        covariates=covariates,
        reason=np.array([REASONS.index(name) for name in reason], dtype=np.intp),
        follow_up=table["follow_up_months"].to_numpy(dtype=float),
    )


def _centred(column: pd.Series) -> Array:
    values = column.to_numpy(dtype=float)
    return values - values.mean()


def _standardised(column: pd.Series) -> Array:
    values = _centred(column)
    spread = values.std(ddof=1)
    return values / spread if spread > 0 else values  # all alike: it has nothing to say
