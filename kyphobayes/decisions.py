"""What answers say about claims that decisions hang on, in one form for every question."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.evidence.thresholds import Threshold
from kyphobayes.names import PROB

NEXT = 20  # cases whose number is foretold
COLUMNS = ("claim", "source", "p_mean", "p_centre", "p_patient", "of", "expected", "low", "high")
_ENDS = ((1 - PROB) / 2, (1 + PROB) / 2)


def decision(
    threshold: Threshold | str,
    *,
    mean: float = np.nan,
    centre: float = np.nan,
    patient: float = np.nan,
    next_cases: ArrayLike | None = None,
    of: str = "patients",
    source: str = "",
    note: str = "",
) -> dict[str, Any]:
    """One row of a table of decisions.

    Parameters
    ----------
    threshold : Threshold or str
        Whose claim it is; or the claim in words, with its `source`.
    mean, centre, patient : float
        Probability that the claim holds for the mean of a typical centre, for that of a centre not yet
        seen, and for a patient not yet seen; NaN where the data cannot say.
    next_cases : array_like, shape (s,), optional
        Draws of the probability that the claim is true of (or, for a claim on a rate, that the event
        happens to) one case of a centre not yet seen; the number in the next 20 follows.
    of : str
        What the cases are.
    source, note : str
        The note is appended to the claim, such as a time or a timepoint.

    Raises
    ------
    InputError
        If a probability does not lie between 0 and 1.
    """
    claim, cited = (
        (threshold.claim, threshold.cited) if isinstance(threshold, Threshold) else (threshold, source)
    )
    for name, value in (("mean", mean), ("centre", centre), ("patient", patient)):
        if not (np.isnan(value) or 0 <= value <= 1):
            raise InputError(f"{name}: expected a probability, found {value:g}")
    expected, low, high = (np.nan,) * 3 if next_cases is None else number_in_next(next_cases)
    words = f"{claim}, {note}" if note else claim
    return dict(
        zip(COLUMNS, (words, cited, mean, centre, patient, of, expected, low, high), strict=True)
    )  # fmt: skip


def number_in_next(probability: ArrayLike, n: int = NEXT) -> tuple[float, int, int]:
    """Expected number of the next n cases, and its 95 % predictive interval.

    Parameters
    ----------
    probability : array_like, shape (s,)
        Draws of the probability of one case; the number is a mixture of binomials over them.
    n : int

    Returns
    -------
    mean, low, high
    """
    p = np.clip(np.asarray(probability, dtype=float).ravel(), 0.0, 1.0)
    cumulative = np.array([np.mean(stats.binom.cdf(k, n, p)) for k in range(n + 1)])
    low, high = (int(np.searchsorted(cumulative, end - 1e-12)) for end in _ENDS)
    return float(n * p.mean()), low, high


def decisions(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Table of decisions, one row each, with the columns of `COLUMNS`."""
    return pd.DataFrame([dict(row) for row in rows], columns=list(COLUMNS))
