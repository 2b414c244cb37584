"""How often intervals cover: figures of one method in one cell."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.names import PROB

Array = NDArray[np.float64]


def assessed(low: Array, high: Array, truth: Array | float) -> dict[str, float]:
    """Coverage and misses of the intervals of many replications, and their widths.

    Parameters
    ----------
    low, high : ndarray, shape (replications,)
        Ends as log odds; NaN where the method gives nothing, infinite where an interval is open.
    truth : ndarray, shape (replications,), or float
        What they should cover, as log odds.

    Returns
    -------
    dict
        `nothing`, share of replications without an interval; of the others `coverage` with its 95 % Monte
        Carlo interval `coverage_low` to `coverage_high` (Wilson's), `below` and `above`, shares in which the
        truth lies below or above the interval, `width` in log odds and `width_points` in percentage points
        of the rate, both medians. All but `nothing` are NaN where no replication has an interval.
    """
    given = ~np.isnan(low)
    low, high = low[given], high[given]
    truth = np.broadcast_to(truth, given.shape)[given]
    figures = {"nothing": float(1 - given.mean())}
    if not given.any():
        names = ("coverage", "coverage_low", "coverage_high", "below", "above", "width", "width_points")
        return figures | dict.fromkeys(names, np.nan)
    below, above = float((truth < low).mean()), float((truth > high).mean())
    coverage = float(((low <= truth) & (truth <= high)).mean())
    ends = wilson(coverage, int(given.sum()))
    return figures | {
        "coverage": coverage,
        "coverage_low": ends[0],
        "coverage_high": ends[1],
        "below": below,
        "above": above,
        "width": float(np.median(high - low)),
        "width_points": float(100 * np.median(special.expit(high) - special.expit(low))),
    }


def content(low: Array, high: Array, mu: float, tau: float) -> dict[str, float]:
    """Mean probability that intervals hold the effect of one more centre, with its 95 % Monte Carlo interval.

    Its expectation is that of the coverage of drawn effects, without the noise of these draws.

    Returns
    -------
    dict
        `content`, `content_low`, `content_high`; NaN where no replication has an interval.
    """
    given = ~np.isnan(low)
    names = ("content", "content_low", "content_high")
    if not given.any():
        return dict.fromkeys(names, np.nan)
    held = inside(low[given], high[given], mu, tau)
    mean = float(held.mean())
    reach = special.ndtri((1 + PROB) / 2) * float(held.std()) / len(held) ** 0.5
    return dict(zip(names, (mean, max(mean - reach, 0.0), min(mean + reach, 1.0)), strict=True))


def inside(low: Array, high: Array, mu: float, tau: float) -> Array:
    """Probability of each interval under Normal(mu, tau); at tau = 0 whether it holds mu."""
    if tau == 0:
        return ((low <= mu) & (mu <= high)).astype(float)
    return special.ndtr((high - mu) / tau) - special.ndtr((low - mu) / tau)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's (1927) 95 % interval of a share of so many."""
    z2 = float(special.ndtri((1 + PROB) / 2)) ** 2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    reach = (z2 * (share * (1 - share) + z2 / (4 * count)) / count) ** 0.5 / (1 + z2 / count)
    return middle - reach, middle + reach
