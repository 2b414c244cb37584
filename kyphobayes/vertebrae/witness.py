"""Plain frequentist estimates of a mean change in vertebrae of patients, and of a correlation."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kyphobayes.names import PROB
from kyphobayes.vertebrae.population import Array


def clustered_mean(values: Array, cluster: NDArray[np.intp]) -> tuple[float, tuple[float, float], float]:
    """Mean of values that are alike within clusters, with a cluster-robust t interval.

    Parameters
    ----------
    values : ndarray, shape (m,)
    cluster : ndarray of int, shape (m,)
        Of g clusters.

    Returns
    -------
    mean : float
    interval : (float, float)
        95 %, by the sandwich variance with the correction g / (g - 1) and g - 1 degrees of freedom (Liang
        and Zeger 1986) for a mean, the correction being that of a sample variance of g sums.
    p : float
        Of the hypothesis that the mean is 0.
    """
    mean = float(values.mean())
    groups = np.unique(cluster)
    sums = np.array([(values[cluster == group] - mean).sum() for group in groups])
    g = len(groups)
    error = float(np.sqrt(g / (g - 1) * (sums**2).sum()) / len(values))
    law = stats.t(g - 1)
    reach = float(law.ppf((1 + PROB) / 2)) * error
    return mean, (mean - reach, mean + reach), float(2 * law.sf(abs(mean) / error))


def fisher_interval(r: float, n: int) -> tuple[float, float]:
    """95 % interval of a correlation of n pairs by Fisher's z."""
    reach = stats.norm.ppf((1 + PROB) / 2) / np.sqrt(n - 3)
    low, high = np.tanh(np.arctanh(r) + np.array([-reach, reach]))
    return float(low), float(high)
