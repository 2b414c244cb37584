"""Plain answers to the same counts: shares with exact and with cluster-robust intervals, and zeros."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.leaks.clusters import Array
from kyphobayes.names import PROB


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval; `design_effect` is its variance over that of independent levels."""

    estimate: float
    low: float
    high: float
    design_effect: float = 1.0


def exact_share(events: float, n: float) -> Share:
    """Share of independent levels with its exact interval (Clopper and Pearson 1934)."""
    interval = stats.binomtest(int(events), int(n)).proportion_ci(PROB, method="exact")
    return Share(events / n, float(interval.low), float(interval.high))


def clustered_share(events: Array, n: Array) -> Share:
    """Share with an interval that holds if levels of one patient are alike.

    Parameters
    ----------
    events, n : ndarray, shape (p,)
        Of each patient.

    Raises
    ------
    InputError
        If there are fewer than two patients, or none or all of their levels leaked.

    Notes
    -----
    The ratio estimator of a sample of clusters with its linearised variance (Cochran 1977, *Sampling
    Techniques*, section 3.12), from an infinite population; the interval is made on the log odds scale
    with the t distribution of p - 1 degrees of freedom.
    """
    patients, share = len(n), float(events.sum() / n.sum())
    if patients < 2 or not 0 < share < 1:
        raise InputError(f"expected two patients or more, with and without leaks; found {share:g} of levels")
    variance = patients / (patients - 1) * float(((events - share * n) ** 2).sum()) / n.sum() ** 2
    half = stats.t.ppf((1 + PROB) / 2, patients - 1) * np.sqrt(variance) / (share * (1 - share))
    odds = share / (1 - share) * np.exp([-half, half])
    low, high = odds / (1 + odds)
    return Share(share, float(low), float(high), float(variance / (share * (1 - share) / n.sum())))


def none_seen(n: int) -> dict[str, float]:
    """Upper limits of a share of which none of n was seen.

    Returns
    -------
    dict
        expected and median, by a uniform prior; below_uniform and below_jeffreys, which the share
        lies below with 95 % probability under Beta(1, 1) and Beta(1/2, 1/2); below_exact, the one-sided
        95 % confidence limit, close to 3 / n (Hanley and Lippman-Hand 1983, JAMA 249:1743).
    """
    uniform, jeffreys = stats.beta(1.0, n + 1.0), stats.beta(0.5, n + 0.5)
    return {
        "expected": float(uniform.mean()),
        "median": float(uniform.median()),
        "below_uniform": float(uniform.ppf(PROB)),
        "below_jeffreys": float(jeffreys.ppf(PROB)),
        "below_exact": float(1 - (1 - PROB) ** (1 / n)),
    }
