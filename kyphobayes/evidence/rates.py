"""What a model of rates sees: events in a time at risk, in each study."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.views import Array, Counts, Tabulated
from kyphobayes.names import IRLN
from kyphobayes.natural_scale import NaturalScale, natural_scale
from kyphobayes.project import Project

FOLLOW_UP = "outcomes/follow_up.csv"
MONTHS = 12.0  # of a year
TIMES = 1e-9, 1e12  # at risk: in no sensible unit has a study less or more


@dataclass(frozen=True, eq=False)
class Rates(Tabulated):
    """Events in an exposure in k studies; counts that are not printed are averaged over `tables`.

    Attributes
    ----------
    events : ndarray, shape (k,)
        NaN where the count is latent.
    exposure : ndarray, shape (k,)
        Time at risk, in `unit`.
    tables : ndarray, shape (t, k)
        Every count table that agrees with what is printed; one row if nothing is latent.
    weights : ndarray, shape (t,)
    unit : str
        Of time.
    per : float
        Time that rates are shown per: 100 for a rate per 100 patient-years.
    patients, follow_up : ndarray, shape (k,), or None
        Number of patients and their mean follow-up in months, where the exposure is made of these.
    """

    events: Array
    exposure: Array
    tables: Array
    weights: Array
    unit: str = "patient-years"
    per: float = 1.0
    patients: Array | None = field(default=None, repr=False)
    follow_up: Array | None = field(default=None, repr=False)
    PER_STUDY: ClassVar = ("events", "exposure", "tables", "patients", "follow_up")

    @property
    def measure(self) -> str:
        """Log of an incidence rate."""
        return IRLN

    @property
    def scale(self) -> NaturalScale:
        """Events per `per` units of time."""
        return natural_scale(self.measure, unit=self.unit, per=self.per)

    def _values(self) -> dict[str, object]:
        names = ("events", "exposure", "tables", "weights")
        return {name: getattr(self, name) for name in names}


def rates(
    events: ArrayLike,
    exposure: ArrayLike,
    labels: object = None,
    *,
    tables: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    unit: str = "patient-years",
    per: float = 1.0,
) -> Rates:
    """Make a view of rates that are at hand.

    Parameters
    ----------
    events : array_like of int, shape (k,)
        NaN for a count that is not known; then `tables` are needed.
    exposure : array_like, shape (k,)
        Time at risk.
    labels : sequence of str, optional
    tables : array_like of int, shape (t, k), optional
        The counts that are possible.
    weights : array_like, shape (t,), optional
        Default: uniform.
    unit : str
        Of the exposure.
    per : float
        Time that rates are shown per.

    Raises
    ------
    EvidenceError
        If shapes do not fit, numbers are not counts, an exposure is not positive, or a table contradicts
        a known count.
    """
    given, time = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (events, exposure))
    rows = np.atleast_2d(given if tables is None else np.asarray(tables, dtype=float))
    weight = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=float)
    k = len(time)
    if k == 0 or given.shape != (k,) or rows.shape[1:] != (k,) or weight.shape != (len(rows),):
        raise EvidenceError(
            f"expected events and exposure of one length, tables with as many columns, and a weight for each "
            f"table; found {given.shape}, {time.shape}, {rows.shape} and {weight.shape}"
        )
    # `object` in the signature: names of any kind in a row
    names = [f"study {i + 1}" for i in range(k)] if labels is None else [str(x) for x in labels]  # pyright: ignore
    if len(names) != k or len(set(names)) != k:
        raise EvidenceError(f"expected {k} different study names, found {names}")
    if not (np.isfinite(time) & (time > 0)).all():
        raise EvidenceError(f"exposure: expected times greater than 0, found {time.tolist()}")
    if not ((time >= TIMES[0]) & (time <= TIMES[1])).all():
        raise EvidenceError(
            f"exposure: expected times from {TIMES[0]:g} to {TIMES[1]:g}, found {time.tolist()}; "
            f"take another unit"
        )
    if not ((rows >= 0) & (rows == np.floor(rows))).all():
        raise EvidenceError(f"events: expected a whole number of 0 or more everywhere, found {rows.tolist()}")
    if (~np.isnan(given) & (rows != given)).any():
        raise EvidenceError("tables: expected what events says of the studies whose counts are known")
    if not (np.isfinite(weight) & (weight > 0)).all():
        raise EvidenceError(f"weights: expected numbers greater than 0, found {weight.tolist()}")
    if not (np.isfinite(per) and per > 0):
        raise EvidenceError(f"per: expected a time greater than 0, found {per:g}")
    blank = pd.DataFrame(index=range(k))
    return Rates(tuple(names), blank, blank.iloc[:0], given, time, rows, weight / weight.sum(), unit, per)


def rates_of(counts: Counts, project: Project) -> Rates:
    """View of counts per patient-year: patients times the mean follow-up that their study prints.

    Parameters
    ----------
    counts : Counts
        By `counts_for`.
    project : Project
        With ``data/outcomes/follow_up.csv``.

    Returns
    -------
    Rates
        A study without a printed mean goes to `excluded`, with that reason.

    Raises
    ------
    EvidenceError
        If a mean is not positive, a study has several, or no study has one.
    """
    table = read_table(project, FOLLOW_UP)
    table = table[(table["timepoint"] == "last") & (table["unit"] == "months") & table["mean"].notna()]
    rows = counts.rows.reset_index(drop=True)
    keys = ["study_id", "arm"]
    if (twice := table.duplicated(keys)).any():
        row = table[twice].iloc[0]
        raise EvidenceError(
            f"data/{FOLLOW_UP}, line {row['line']}: {row['study_id']} has a second mean follow-up for "
            f"{row['arm']}; expected one"
        )
    if (table["mean"] <= 0).any():
        row = table[table["mean"] <= 0].iloc[0]
        raise EvidenceError(
            f"data/{FOLLOW_UP}, line {row['line']}, column mean: expected more than 0 months, found "
            f"{row['mean']:g}"
        )
    found = table[[*keys, "mean", "source", "locator"]].rename(
        columns={"mean": "follow_up", "source": "follow_up_source", "locator": "follow_up_locator"}
    )
    merged = rows.merge(found, on=keys, how="left", validate="one_to_one")
    inside = merged["follow_up"].notna().to_numpy()
    if not inside.any():
        raise EvidenceError(f"data/{FOLLOW_UP}: no mean follow-up in months for {', '.join(counts.labels)}")
    months = merged["follow_up"].to_numpy(dtype=float)[inside]
    n = counts.n[inside]
    without = rows[~inside].assign(reason=f"no mean follow-up in months in data/{FOLLOW_UP}")
    return Rates(
        labels=tuple(np.array(counts.labels, dtype=object)[inside]),
        rows=merged[inside].reset_index(drop=True),
        excluded=pd.concat([counts.excluded, without], ignore_index=True)
        if len(without)
        else counts.excluded,
        events=counts.events[inside],
        exposure=n * months / MONTHS,
        tables=counts.tables[:, inside],
        weights=counts.weights,
        patients=n,
        follow_up=months,
    )
