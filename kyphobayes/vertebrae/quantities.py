"""The answers of a population of vertebrae and patients, each with its draws."""

from typing import Any

import numpy as np
from scipy import stats

from kyphobayes.evidence import VertebraAngles
from kyphobayes.names import PROB
from kyphobayes.vertebrae.population import Array, Population, Simulated
from kyphobayes.vertebrae.relief import correlation, correlations, gain_at_equal_pain, relief

NEW, RANK, THESE = (
    "correlation, new patients",
    "rank correlation, new patients",
    "correlation, these patients",
)


def quantities(
    found: Population, simulated: Simulated, patient_change: Array, evidence: VertebraAngles, degrees: float
) -> dict[str, Array]:
    """Draws of every quantity, by its name.

    Parameters
    ----------
    found : Population
        s draws.
    simulated : Simulated
        New patients of these draws, with the vertebrae of the evidence.
    patient_change : ndarray, shape (s, n)
        True mean change of the patients at hand.
    evidence : VertebraAngles
    degrees : float
        Change of an angle that counts.

    Returns
    -------
    dict of str to ndarray
        Of s draws, but for the changes of new vertebrae, of which there are more. Changes are in degrees, a
        fall being a correction; correlations are those of relief with correction.
    """
    d, mix, start = degrees, evidence.mix, evidence.mean_before
    detectable = smallest_detectable(found.tau_reading)
    pearson, spearman = correlations(simulated, evidence)
    fall = evidence.scores[:, 0] - evidence.scores[:, 1]
    draws = {"mean change": found.change}
    draws |= {
        f"mean change, {name}": found.change + s
        for name, s in zip(evidence.regions, found.shift.T, strict=True)
    }
    return draws | {
        "change of a new patient's vertebra": simulated.change.ravel(),
        "its two readings": (simulated.after - simulated.before).ravel(),
        f"P(falls by {d:g} or more)": found.chance_below(-d, mix),
        f"P(rises by {d:g} or more)": 1 - found.chance_below(d, mix),
        "P(falls by more than two readings may differ)": found.chance_below(-detectable, mix),
        f"P(its readings fall by {d:g} or more)": found.chance_below(-d, mix, error=True),
        f"points of relief per {d:g} degrees of correction": relief(found, -d, start)
        - relief(found, 0.0, start),
        f"points per {d:g} degrees, at equal pain before": gain_at_equal_pain(found, d),
        NEW: pearson,
        RANK: spearman,
        THESE: correlation(-patient_change, np.broadcast_to(fall, patient_change.shape)),
    }


def smallest_detectable(tau_reading: Array) -> Array:
    """Degrees by which two readings of one angle differ by error alone in no more than 5 % of cases."""
    return float(stats.norm.ppf((1 + PROB) / 2)) * np.sqrt(2) * tau_reading


def observed(evidence: VertebraAngles, degrees: float) -> dict[str, float]:
    """The same in the printed readings.

    Slopes are those of least squares over patients with a change; at equal pain before, the score before is
    in the regression too.
    """
    d, change = degrees, evidence.after - evidence.before
    seen = np.isfinite(change)
    fall = evidence.scores[:, 0] - evidence.scores[:, 1]
    corrected = -patient_means(change, evidence.averaging)
    there = np.isfinite(corrected)
    x, y, first = corrected[there], fall[there], evidence.scores[there, 0]
    alone, adjusted = (
        np.linalg.lstsq(np.column_stack([np.ones(len(x)), x, *more]), outcome, rcond=None)[0][1]
        for more, outcome in (([], y), ([first], -evidence.scores[there, 1]))
    )
    found: dict[str, Any] = {"mean change": change[seen].mean()}
    for place, name in enumerate(evidence.regions):
        own = seen & (evidence.region == place)
        found[f"mean change, {name}"] = change[own].mean() if own.any() else np.nan
    found |= {
        f"P(its readings fall by {d:g} or more)": np.mean(change[seen] <= -d),
        f"points of relief per {d:g} degrees of correction": d * alone,
        f"points per {d:g} degrees, at equal pain before": d * adjusted,
        NEW: correlation(x, y),
        RANK: correlation(stats.rankdata(x), stats.rankdata(y)),
    }
    return {name: float(value) for name, value in found.items()}


def patient_means(values: Array, averaging: Array) -> Array:
    """Mean of the values at hand of each patient's vertebrae, shape (..., n); NaN where there is none.

    `values` has shape (..., v), with NaN for a value that is not at hand; `averaging`, shape (n, v), is above
    0 where a vertebra is a patient's.
    """
    own = (averaging > 0).astype(float).T
    there = np.isfinite(values)
    with np.errstate(invalid="ignore"):  # a patient without any value has no mean: NaN
        return (np.where(there, values, 0.0) @ own) / (there @ own)
