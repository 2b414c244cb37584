"""Kyphotic angles of treated vertebrae and the pain of their patients: both tables as one view for models."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.views import Array, View
from kyphobayes.project import Project

VERTEBRAE = "patients/ribeirao_preto_vertebrae.csv"
PATIENTS = "patients/ribeirao_preto_patients.csv"
REGIONS = ("thoracic", "lumbar", "sacral")
TOP = 10  # highest score
_TIMES = ("pre", "post")
_MARKS = ("", "NA", "unavailable", "not printed per vertebra")  # why an angle is not in its column
_NO_ANGLE, _SHARED = "NA", "not printed per vertebra"


@dataclass(frozen=True, eq=False)
class VertebraAngles(View):
    """Angles of v vertebrae before and after treatment, and the pain of their n patients.

    `labels` names the vertebrae, such as ``18 L1`` of patient 18. A positive angle is kyphosis.

    Attributes
    ----------
    patients : tuple of str, length n
    regions : tuple of str
        Those of `REGIONS` that have a vertebra.
    patient, region : ndarray of int, shape (v,)
        Position in `patients` and `regions`.
    before, after : ndarray, shape (v,)
        Degrees; NaN where none is known of the vertebra.
    shared : ndarray of bool, shape (v,)
        Whether one printed pair of angles is that of this vertebra or of another of the same patient and
        region. One of them has it here, the others have none: a model that knows only patient and region
        says the same whichever it is.
    scores : ndarray, shape (n, 2)
        Pain from 0 to 10 before treatment and at once after it.
    notes : tuple of str, length v
        What is known of each vertebra, in words.
    """

    patients: tuple[str, ...]
    regions: tuple[str, ...]
    patient: NDArray[np.intp]
    region: NDArray[np.intp]
    before: Array
    after: Array
    shared: NDArray[np.bool_]
    scores: Array
    notes: tuple[str, ...] = field(repr=False)

    @property
    def measure(self) -> str:
        """Degrees."""
        return "degrees"

    @cached_property
    def read_before(self) -> NDArray[np.intp]:
        """Positions of the vertebrae whose angle before is known."""
        return np.flatnonzero(np.isfinite(self.before))

    @cached_property
    def pairs(self) -> NDArray[np.intp]:
        """Positions of the vertebrae whose angles before and after are known."""
        return np.flatnonzero(np.isfinite(self.before) & np.isfinite(self.after))

    @cached_property
    def read_after(self) -> NDArray[np.intp]:
        """Positions of the vertebrae whose angle after is known."""
        return np.flatnonzero(np.isfinite(self.after))

    @cached_property
    def paired(self) -> NDArray[np.bool_]:
        """Whether the angle before is known too, for each of `read_after`."""
        return np.isfinite(self.before[self.read_after])

    @cached_property
    def partner(self) -> NDArray[np.intp]:
        """Place in `read_before` of each of `read_after`; some place where its angle before is not known."""
        return np.where(self.paired, np.searchsorted(self.read_before, self.read_after), 0)

    @cached_property
    def averaging(self) -> Array:
        """What makes means of patients of values of vertebrae, shape (n, v)."""
        own = self.patient == np.arange(len(self.patients))[:, None]
        return own / own.sum(axis=1, keepdims=True)

    @property
    def mean_before(self) -> float:
        """Mean score before treatment."""
        return float(self.scores[:, 0].mean())

    @property
    def mix(self) -> Array:
        """Share of the vertebrae in each region."""
        return np.bincount(self.region, minlength=len(self.regions)) / self.k

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model."""
        named = np.array(self.labels, dtype=object)
        return {
            "vertebra": list(self.labels),
            "patient": list(self.patients),
            "region": list(self.regions),
            "time": ["before", "after"],
            "read_before": list(named[self.read_before]),
            "read_after": list(named[self.read_after]),
        }

    def with_pair_for_each(self) -> "VertebraAngles":
        """Copy in which a shared pair of angles is that of every vertebra it may belong to."""
        before, after = self.before.copy(), self.after.copy()
        for patient in np.unique(self.patient[self.shared]):
            own = np.flatnonzero(self.shared & (self.patient == patient))
            before[own], after[own] = self.before[own[0]], self.after[own[0]]
        return replace(self, before=before, after=after)

    def without(self, patient: str) -> "VertebraAngles":
        """Copy without one patient, who moves to `excluded`."""
        gone = self.patients.index(patient)
        stay = self.patient != gone
        left_out = self.rows[~stay].assign(reason="left out to see what it changes")
        return replace(
            self,
            labels=tuple(np.array(self.labels, dtype=object)[stay]),
            rows=self.rows[stay].reset_index(drop=True),
            excluded=pd.concat([self.excluded, left_out], ignore_index=True),
            patients=tuple(name for name in self.patients if name != patient),
            patient=self.patient[stay] - (self.patient[stay] > gone),
            region=self.region[stay],
            before=self.before[stay],
            after=self.after[stay],
            shared=self.shared[stay],
            scores=np.delete(self.scores, gone, axis=0),
            notes=tuple(np.array(self.notes, dtype=object)[stay]),
        )

    def _values(self) -> dict[str, object]:
        numbers = {name: getattr(self, name).astype(float) for name in ("patient", "region", "shared")}
        angles = {"before": self.before, "after": self.after, "scores": self.scores}
        return {"patients": self.patients, "regions": self.regions, **numbers, **angles}


def read_vertebra_angles(project: Project) -> VertebraAngles:
    """Read the tables of vertebrae and patients.

    Raises
    ------
    EvidenceError
        As `vertebra_angles`, or if a table breaks its schema.
    """
    return vertebra_angles(read_table(project, VERTEBRAE), read_table(project, PATIENTS))


def vertebra_angles(vertebrae: pd.DataFrame, patients: pd.DataFrame) -> VertebraAngles:
    """Make the view from tables with the columns of the two files.

    Parameters
    ----------
    vertebrae : DataFrame
        As ``data/patients/ribeirao_preto_vertebrae.csv``. Vertebrae whose angle is marked NA, not
        applicable, are in `excluded`.
    patients : DataFrame
        As ``data/patients/ribeirao_preto_patients.csv``, with a vertebra for every patient.

    Raises
    ------
    EvidenceError
        If an angle and a reason for its absence are both given or both missing, a pair that is printed for
        several vertebrae is not one pair of one patient and region, an angle is not applicable at one time
        only, a patient has no vertebra with an angle or no score, or a vertebra has no patient.
    """
    for row in vertebrae.to_dict("records"):
        _refuse_broken(row)
    none = vertebrae["kyphosis_pre_missing"] == _NO_ANGLE
    rows = vertebrae[~none].reset_index(drop=True)
    why = "no angle: printed as NA, not applicable"
    before, after, shared = (
        rows[f"kyphosis_{time}"].to_numpy(dtype=float).copy() for time in (*_TIMES, "pre")
    )
    shared = (rows["kyphosis_pre_missing"] == _SHARED).to_numpy()
    for _, own in rows[shared].groupby("patient"):
        before[own.index[0]], after[own.index[0]] = _shared_pair(own)
    names = tuple(f"{number:.0f}" for number in patients["patient"])
    owners = [f"{number:.0f}" for number in rows["patient"]]
    for name, owner in zip(names, patients.to_dict("records"), strict=True):
        if name not in owners:
            raise EvidenceError(
                f"data/{VERTEBRAE}: expected a vertebra with an angle of patient {name} "
                f"(data/{PATIENTS}, line {owner['line']}), found none"
            )
    for owner, line in zip(owners, rows["line"], strict=True):
        if owner not in names:
            raise EvidenceError(
                f"data/{VERTEBRAE}, line {line}, column patient: expected a patient of data/{PATIENTS}, "
                f"found {owner}"
            )
    regions = tuple(name for name in REGIONS if (rows["region"] == name).any())
    return VertebraAngles(
        labels=tuple(f"{owner} {level}" for owner, level in zip(owners, rows["vertebra"], strict=True)),
        rows=rows,
        excluded=vertebrae[none].assign(reason=why).reset_index(drop=True),
        patients=names,
        regions=regions,
        patient=np.array([names.index(owner) for owner in owners], dtype=np.intp),
        region=np.array([regions.index(name) for name in rows["region"]], dtype=np.intp),
        before=before,
        after=after,
        shared=shared,
        scores=_scores(patients),
        notes=tuple(
            _note(row, b, a) for row, b, a in zip(rows.to_dict("records"), before, after, strict=True)
        ),
    )


def _refuse_broken(row: dict) -> None:
    """Refuse an angle that is neither given nor explained, or both."""
    for time in _TIMES:
        angle, mark = row[f"kyphosis_{time}"], row[f"kyphosis_{time}_missing"]
        where = f"data/{VERTEBRAE}, line {row['line']}, column kyphosis_{time}"
        if mark not in _MARKS:
            raise EvidenceError(f"{where}_missing: expected one of {', '.join(_MARKS[1:])}, found {mark!r}")
        if (mark == "") == bool(np.isnan(angle)):
            raise EvidenceError(
                f"{where}: expected either an angle or the reason why it is missing, found {angle:g} "
                f"and {mark!r}"
            )
    first, second = (row[f"kyphosis_{time}_missing"] for time in _TIMES)
    if first != second and {first, second} & {_NO_ANGLE, _SHARED}:
        raise EvidenceError(
            f"data/{VERTEBRAE}, line {row['line']}: expected {_NO_ANGLE!r} or {_SHARED!r} at both times, "
            f"found {first!r} and {second!r}"
        )


def _shared_pair(own: pd.DataFrame) -> tuple[float, float]:
    """The pair of angles printed for several vertebrae of a patient."""
    where = f"data/{VERTEBRAE}, lines {', '.join(str(line) for line in own['line'])}"
    columns = [f"kyphosis_{time}_printed" for time in _TIMES]
    told = ["region", *columns]
    if len(own[told].drop_duplicates()) > 1:
        raise EvidenceError(
            f"{where}: expected one region and one pair of angles for vertebrae of one patient "
            f"that share it, found {own[told].to_numpy().tolist()}"
        )
    pair = pd.to_numeric(own[columns].iloc[0], errors="coerce")
    if pair.isna().any():
        raise EvidenceError(f"{where}: expected two numbers, found {own[columns].iloc[0].tolist()}")
    return float(pair.iloc[0]), float(pair.iloc[1])


def _scores(patients: pd.DataFrame) -> Array:
    scores = patients[["vas_pre", "vas_post"]].to_numpy(dtype=float)
    wrong = ~((scores >= 0) & (scores <= TOP) & (scores == np.floor(scores)))
    if wrong.any():
        i, time = np.argwhere(wrong)[0]
        raise EvidenceError(
            f"data/{PATIENTS}, line {patients.iloc[i]['line']}, column vas_{_TIMES[time]}: expected a whole "
            f"score from 0 to {TOP}, found {scores[i, time]:g}"
        )
    return scores


def _note(row: dict, before: float, after: float) -> str:
    if row["kyphosis_pre_missing"] == _SHARED:
        pair = f"{row['kyphosis_pre_printed']} to {row['kyphosis_post_printed']}"
        given = "taken as this one's" if np.isfinite(before) else "taken as the other's: this one is missing"
        return (
            f"one pair of angles, {pair}, is printed for two vertebrae, whose (or whether both have it) is "
            f"not; {given}, which changes no likelihood, because only patient and region are known of them"
        )
    absent = [
        f"{words} is printed as {row[f'kyphosis_{time}_missing']}"
        for time, words, angle in (("pre", "before", before), ("post", "after", after))
        if np.isnan(angle)
    ]
    return " and ".join(absent) or "angle before and after"
