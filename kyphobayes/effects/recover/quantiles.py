"""Means and standard deviations from medians, quartiles and ranges, for data that are near normal."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.effects.validate import refuse, together

Array = NDArray[np.float64]

FEWEST = 5  # patients: below, the methods have no support


@dataclass(frozen=True, eq=False)
class MeanSD:
    """An estimated mean and standard deviation, and whether the normal they assume is in doubt.

    Attributes
    ----------
    mean, sd : ndarray
        In the unit of the outcome. They are less precise than a printed mean and SD are.
    skewness, critical : ndarray
        Statistic of the test for skewness by Shi et al. (2023), and its critical value at the 5 %
        level.
    skewed : ndarray of bool
        Whether the statistic exceeds the critical value: mean and sd should then not be used.
    """

    mean: Array
    sd: Array
    skewness: Array
    critical: Array
    skewed: NDArray[np.bool_]


def mean_sd_from_median_iqr(q1: ArrayLike, median: ArrayLike, q3: ArrayLike, n: ArrayLike) -> MeanSD:
    """Mean and SD from the quartiles and the median.

    Parameters
    ----------
    q1, median, q3 : array_like
        In the unit of the outcome.
    n : array_like
        Patients, at least 5.

    Returns
    -------
    MeanSD

    Raises
    ------
    InputError
        If the numbers are not in order, the quartiles are equal, or n is below 5.

    References
    ----------
    Mean: Luo, Wan, Liu and Tong (2018), eq. 11. Stat. Methods Med. Res. 27, 1785-1805. SD: Wan,
    Wang, Liu and Tong (2014), eq. 16. BMC Med. Res. Methodol. 14, 135. Skewness: Shi et al. (2023).
    Stat. Methods Med. Res. 32, 1338-1360.
    """
    q1, median, q3, n = together(q1=q1, median=median, q3=q3, n=n)
    _check(n, q1=q1, median=median, q3=q3)
    weight = 0.7 + 0.39 / n
    return _answer(
        weight * (q1 / 2 + q3 / 2) + (1 - weight) * median,
        (q3 - q1) / (2 * _quartile_score(n)),
        _asymmetry(q1, median, q3),
        2.65 / np.sqrt(n) - 6 / n**2,
    )


def mean_sd_from_range(low: ArrayLike, median: ArrayLike, high: ArrayLike, n: ArrayLike) -> MeanSD:
    """Mean and SD from the lowest value, the median and the highest value.

    Parameters
    ----------
    low, median, high : array_like
        In the unit of the outcome.
    n : array_like
        Patients, at least 5.

    Returns
    -------
    MeanSD

    Raises
    ------
    InputError
        If the numbers are not in order, low equals high, or n is below 5.

    References
    ----------
    Mean: Luo, Wan, Liu and Tong (2018), eq. 7. SD: Wan, Wang, Liu and Tong (2014), eq. 9. Skewness:
    Shi et al. (2023). All as in `mean_sd_from_median_iqr`.
    """
    low, median, high, n = together(low=low, median=median, high=high, n=n)
    _check(n, low=low, median=median, high=high)
    weight = 4 / (4 + n**0.75)
    return _answer(
        weight * (low / 2 + high / 2) + (1 - weight) * median,
        (high - low) / (2 * _extreme_score(n)),
        _asymmetry(low, median, high),
        1.01 / np.log(n + 9) + 2.43 / (n + 1),
    )


def mean_sd_from_five_number(
    low: ArrayLike, q1: ArrayLike, median: ArrayLike, q3: ArrayLike, high: ArrayLike, n: ArrayLike
) -> MeanSD:
    """Mean and SD from the lowest value, the quartiles, the median and the highest value.

    Parameters
    ----------
    low, q1, median, q3, high : array_like
        In the unit of the outcome.
    n : array_like
        Patients, at least 5.

    Returns
    -------
    MeanSD

    Raises
    ------
    InputError
        If the numbers are not in order, the quartiles are equal, or n is below 5.

    References
    ----------
    Mean: Luo, Wan, Liu and Tong (2018), eq. 15. SD: Shi et al. (2020), eq. 10. Res. Synth. Methods
    11, 641-654. Skewness: Shi et al. (2023). The others as in `mean_sd_from_median_iqr`.
    """
    low, q1, median, q3, high, n = together(low=low, q1=q1, median=median, q3=q3, high=high, n=n)
    _check(n, low=low, q1=q1, median=median, q3=q3, high=high)
    refuse(~(q1 < q3), "q1 < q3", "use mean_sd_from_range", q1=q1, q3=q3)
    of_range, of_quartiles = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    mean = (
        of_range * (low / 2 + high / 2)
        + of_quartiles * (q1 / 2 + q3 / 2)
        + (1 - of_range - of_quartiles) * median
    )
    by_range = (high - low) / ((2 + 0.14 * n**0.6) * _extreme_score(n))
    by_quartiles = (q3 - q1) / ((2 + 2 / (0.07 * n**0.6)) * _quartile_score(n))
    of_extremes = 2.65 * np.log(0.6 * n) / np.sqrt(n) * _asymmetry(low, median, high)
    return _answer(
        mean,
        by_range + by_quartiles,
        np.maximum(of_extremes, _asymmetry(q1, median, q3)),
        3 / np.sqrt(n) - 40 / n**3,
    )


def _answer(mean: Array, sd: Array, skewness: Array, critical: Array) -> MeanSD:
    return MeanSD(mean, sd, skewness, critical, skewness > critical)


def _extreme_score(n: Array) -> Array:
    """Blom's approximation to the expected largest of n standard normal values."""
    return special.ndtri((n - 0.375) / (n + 0.25))


def _quartile_score(n: Array) -> Array:
    """Blom's approximation to the expected upper quartile of n standard normal values."""
    return special.ndtri((0.75 * n - 0.125) / (n + 0.25))


def _asymmetry(low: Array, median: Array, high: Array) -> Array:
    """How far the median lies from the middle, as a share of half the width."""
    return np.abs((high - median) - (median - low)) / (high - low)


def _check(n: Array, **ordered: Array) -> None:
    """Raise InputError unless the numbers ascend, the outer ones differ, and n is large enough."""
    values = list(ordered.values())
    ascending = np.all([a <= b for a, b in itertools.pairwise(values)], axis=0)
    refuse(
        ~(ascending & (values[0] < values[-1])),
        f"{' <= '.join(ordered)}, not all equal",
        "mend the row",
        **ordered,
    )
    refuse(~(n >= FEWEST), f"n of at least {FEWEST}", "leave the study out", n=n)
