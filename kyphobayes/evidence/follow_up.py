"""How long patients were followed and what happened meanwhile, as a view for models."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.patients import PATIENTS
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.views import Array, View
from kyphobayes.names import IRLN
from kyphobayes.project import Project

MONTHS = 12.0  # of a year
READINGS = {
    "rounded": (-0.5, 0.5),
    "completed": (0.0, 1.0),
}  # of a month m: the true time lies from m + to m +
_FRACTURE = "fracture"  # as complications name it


@dataclass(frozen=True, eq=False)
class FollowUp(View):
    """Follow-up of n patients in whole months: whether they died at its end, and had a new fracture by then.

    A printed m stands for a time in an interval, by `reading`: from m - 0.5 to m + 0.5 (but at least 0) if
    months are rounded, from m to m + 1 if they are completed.

    Attributes
    ----------
    months : ndarray, shape (n,)
        As printed.
    died, fractured : ndarray of bool, shape (n,)
    reading : {"rounded", "completed"}
    """

    months: Array
    died: NDArray[np.bool_]
    fractured: NDArray[np.bool_]
    reading: str = "rounded"

    @property
    def measure(self) -> str:
        """Log of an incidence rate."""
        return IRLN

    @cached_property
    def interval(self) -> tuple[Array, Array]:
        """Ends of the interval in which follow-up ended, in years, each of shape (n,)."""
        low, high = self._in_months
        return low / MONTHS, high / MONTHS

    @cached_property
    def _in_months(self) -> tuple[Array, Array]:
        low, high = READINGS[self.reading]
        return np.maximum(self.months + low, 0.0), self.months + high

    @cached_property
    def years(self) -> Array:
        """Time at risk, shape (n,): the middle of the interval.

        A time that is uniform over an interval of width w has the survival probability of its middle up
        to a factor of 1 + (rate w)^2 / 24, which no rate here tells from 1.
        """
        low, high = self.interval
        return (low + high) / 2

    @cached_property
    def life_table(self) -> pd.DataFrame:
        """Intervals of follow-up, patients who entered each, and deaths in it.

        Returns
        -------
        DataFrame
            Columns start and width (years), at_risk, deaths. A patient who was seen for the last time in
            an interval, alive, was at risk in its first half: that half is a row of its own.
        """
        low, high = self._in_months  # exact in binary, halves too
        edges = np.unique(np.concatenate([[0.0], low, high]))
        lasting: dict[tuple[float, float], list[int]] = {}
        for a, b, dead in zip(low, high, self.died, strict=True):
            rows = [(start, end - start, 0) for start, end in pairwise(edges[edges <= a])]
            rows.append((a, b - a, 1) if dead else (a, (b - a) / 2, 0))
            for start, width, deaths in rows:
                row = lasting.setdefault((start, width), [0, 0])
                row[0] += 1
                row[1] += deaths
        rows = [(start / MONTHS, width / MONTHS, *row) for (start, width), row in sorted(lasting.items())]
        return pd.DataFrame(rows, columns=["start", "width", "at_risk", "deaths"])

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model."""
        rows = self.life_table[["start", "width"]].to_numpy() * MONTHS
        names = [f"{start:.4g} to {start + width:.4g} months" for start, width in rows]
        return {"patient": list(self.labels), "interval": names}

    def read_as(self, reading: str) -> "FollowUp":
        """Copy in which the printed months mean something else.

        Raises
        ------
        EvidenceError
            If the reading is not one of `READINGS`.
        """
        if reading not in READINGS:
            raise EvidenceError(f"reading: expected one of {', '.join(READINGS)}, found {reading!r}")
        return replace(self, reading=reading)

    def _values(self) -> dict[str, object]:
        flags = {name: getattr(self, name).astype(float) for name in ("died", "fractured")}
        return {"months": self.months, "reading": self.reading, **flags}


def read_follow_up(project: Project, reading: str = "rounded") -> FollowUp:
    """Read the table of patients.

    Raises
    ------
    EvidenceError
        If the table breaks its schema or a follow-up is not a whole number of months.
    """
    return follow_up(read_table(project, PATIENTS), reading)


def follow_up(table: pd.DataFrame, reading: str = "rounded") -> FollowUp:
    """Make the view from a table with the columns of ``data/patients/ribeirao_preto_patients.csv``.

    Raises
    ------
    EvidenceError
    """
    if table.empty:
        raise EvidenceError(f"data/{PATIENTS}: expected at least one patient, found none")
    months = table["follow_up_months"].to_numpy(dtype=float)
    wrong = ~(np.isfinite(months) & (months >= 0) & (months == np.floor(months)))
    if wrong.any():
        row = table[wrong].iloc[0]
        raise EvidenceError(
            f"data/{PATIENTS}, line {row['line']}, column follow_up_months: expected a whole number of 0 or "
            f"more, found {row['follow_up_months']}"
        )
    told = table["complications_printed"].fillna("").str.lower()
    return FollowUp(
        labels=tuple(f"{number:.0f}" for number in table["patient"]),
        rows=table,
        excluded=table.iloc[:0],
        months=months,
        died=(table["death"] == "yes").to_numpy(dtype=bool),
        fractured=told.str.contains(_FRACTURE, regex=False).to_numpy(dtype=bool),
    ).read_as(reading)
