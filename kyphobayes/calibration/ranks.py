"""Where the truth lies in its posterior, and whether it lies there as often as it should."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.95)
BINS = 20
RANKED = 99  # draws, so that ranks fall into a hundred places


def far_apart(count: int) -> NDArray[np.intp]:
    """Places of `RANKED` draws of so many, chain after chain, that lie far apart."""
    return np.linspace(0, count - 1, RANKED).round().astype(int)


def position(draws: Array, truth: float, rng: np.random.Generator) -> float:
    """Probability integral transform of the truth by draws: uniform if they come from its posterior.

    The rank of the truth among `RANKED` draws that lie far apart in the chains, and a uniform step within
    its place (ties included), so that it is continuous (Talts et al. 2018, with the randomisation of Modrák
    et al. 2023).

    Parameters
    ----------
    draws : ndarray, shape (s,)
        Chain after chain.
    truth : float
    rng : Generator
    """
    some = draws[far_apart(len(draws))]
    below, equal = np.count_nonzero(some < truth), np.count_nonzero(some == truth)
    return float((below + rng.random() * (equal + 1)) / (len(some) + 1))


def uniformity(positions: Array) -> Mapping[str, float]:
    """Tests of uniformity, and the coverage of central intervals.

    Parameters
    ----------
    positions : ndarray, shape (n,)
        From 0 to 1.

    Returns
    -------
    dict
        chi2_p (of counts in `BINS` equal bins), ks_p (Kolmogorov-Smirnov); coverage_50, coverage_80 and
        coverage_95, each with expected_50_low, expected_50_high and so on: between these the coverage of a
        calibrated engine lies in 95 of 100 runs.
    """
    n = len(positions)
    counts = np.histogram(positions, BINS, (0, 1))[0]
    found = {
        "chi2_p": float(stats.chisquare(counts).pvalue),
        "ks_p": float(stats.kstest(positions, "uniform").pvalue),
    }
    for level in LEVELS:
        name = f"{100 * level:.0f}"
        found[f"coverage_{name}"] = float(np.mean(np.abs(positions - 0.5) <= level / 2))
        for end, chance in (("low", 0.025), ("high", 0.975)):
            found[f"expected_{name}_{end}"] = float(stats.binom.ppf(chance, n, level)) / n
    return found
