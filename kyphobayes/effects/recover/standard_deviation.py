"""Standard deviations from standard errors, confidence intervals and test statistics.

Formulas: Cochrane Handbook for Systematic Reviews of Interventions, version 6, section 6.5.2.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.effects.validate import level_of, refuse, together
from kyphobayes.errors import InputError

Array = NDArray[np.float64]


def sd_from_se(se: ArrayLike, n: ArrayLike) -> Array:
    """Standard deviation of the patients from the standard error of their mean.

    Parameters
    ----------
    se : array_like
        Standard error of the mean, in the unit of the outcome.
    n : array_like
        Patients behind the mean.

    Returns
    -------
    ndarray
        se sqrt(n), in the unit of the outcome.

    Raises
    ------
    InputError
        If se is not positive or n is not above 1.
    """
    se, n = together(se=se, n=n)
    refuse(~((se > 0) & (n > 1)), "se > 0 and n > 1", "mend the row", se=se, n=n)
    return se * np.sqrt(n)


def sd_from_ci(
    low: ArrayLike,
    high: ArrayLike,
    n: ArrayLike,
    level: float = 0.95,
    *,
    quantile: Literal["t", "normal"] = "t",
) -> Array:
    """Standard deviation of the patients from the confidence interval of the mean of one group.

    Parameters
    ----------
    low, high : array_like
        Limits of the interval, in the unit of the outcome.
    n : array_like
        Patients behind the mean.
    level : float
        Of the interval.
    quantile : {"t", "normal"}
        What the paper multiplied the standard error by: the quantile of t with n - 1 degrees of
        freedom, as statistics programs do for a mean, or of the normal distribution (1.96).

    Returns
    -------
    ndarray
        sqrt(n) (high - low) / (2 quantile), in the unit of the outcome.

    Raises
    ------
    InputError
        If low is not below high, n is not above 1, or an argument is unknown.
    """
    low, high, n = together(low=low, high=high, n=n)
    refuse(~(low < high), "low < high", "mend the interval", low=low, high=high)
    refuse(~(n > 1), "n > 1", "mend the row", n=n)
    upper = (1 + level_of(level)) / 2
    if quantile not in ("t", "normal"):
        raise InputError(f"quantile must be 't' or 'normal', not {quantile!r}")
    reach = special.stdtrit(n - 1, upper) if quantile == "t" else special.ndtri(upper)
    return np.sqrt(n) * (high - low) / (2 * reach)


def sd_from_t(t: ArrayLike, difference: ArrayLike, n_1: ArrayLike, n_2: ArrayLike | None = None) -> Array:
    """Standard deviation from a t statistic and the difference it tests.

    Parameters
    ----------
    t : array_like
        The statistic; its sign does not matter.
    difference : array_like
        The difference that was tested: of two groups' means, or the mean change of one group.
    n_1 : array_like
        Patients in the first group, or in the one group.
    n_2 : array_like, optional
        Patients in the second group. Leave it out for a paired test.

    Returns
    -------
    ndarray
        With n_2 the pooled SD of the two groups, |difference / t| / sqrt(1 / n_1 + 1 / n_2), if the
        test took their variances to be equal (Student, not Welch). Without n_2 the SD of the
        change, |difference / t| sqrt(n_1). In the unit of the outcome.

    Raises
    ------
    InputError
        If t or the difference is 0, or there are too few patients.
    """
    columns = {"t": t, "difference": difference, "n_1": n_1} | ({} if n_2 is None else {"n_2": n_2})
    t, difference, *sizes = together(**columns)
    refuse(
        (t == 0) | (difference == 0),
        "t and a difference that are not 0",
        "a test that finds nothing says nothing about the SD; use another figure",
        t=t,
        difference=difference,
    )
    _degrees_of_freedom(*sizes)
    return np.abs(difference / t) / np.sqrt(sum((1 / n for n in sizes), np.zeros_like(t)))


def sd_from_F(
    F: ArrayLike,
    difference: ArrayLike,
    n_1: ArrayLike,
    n_2: ArrayLike | None = None,
) -> Array:
    """Standard deviation from an F statistic with 1 numerator degree of freedom: t = sqrt(F).

    Parameters and errors are those of `sd_from_t`. An F over three or more groups or times does not
    give the SD of one difference.
    """
    F, difference = together(F=F, difference=difference)
    refuse(~(F > 0), "F > 0", "mend the row", F=F)
    return sd_from_t(np.sqrt(F), difference, n_1, n_2)


def sd_from_p(p: ArrayLike, difference: ArrayLike, n_1: ArrayLike, n_2: ArrayLike | None = None) -> Array:
    """Standard deviation from the two-sided p-value of a t test.

    Parameters
    ----------
    p : array_like
        Two-sided, as exactly as it is printed. From "p < 0.001" take 0.001: the SD is then the
        largest that agrees with the paper.
    difference, n_1, n_2
        As in `sd_from_t`: with n_2 two groups (n_1 + n_2 - 2 degrees of freedom), without it a
        paired test (n_1 - 1).

    Returns
    -------
    ndarray
        As `sd_from_t`.

    Raises
    ------
    InputError
        If p is not between 0 and 1, or as `sd_from_t`.
    """
    columns = {"p": p, "difference": difference, "n_1": n_1} | ({} if n_2 is None else {"n_2": n_2})
    p, difference, *sizes = together(**columns)
    refuse(~((p > 0) & (p < 1)), "p strictly between 0 and 1", "give the limit for 'p <'", p=p)
    t = -special.stdtrit(_degrees_of_freedom(*sizes), p / 2)
    return sd_from_t(t, difference, *sizes)


def _degrees_of_freedom(n_1: Array, n_2: Array | None = None) -> Array:
    """Of a paired test, or of one of two groups; InputError where there are none."""
    if n_2 is None:
        refuse(~(n_1 > 1), "n_1 > 1 for a paired test", "mend the row", n_1=n_1)
        return n_1 - 1
    refuse(
        ~((n_1 >= 1) & (n_2 >= 1) & (n_1 + n_2 > 2)),
        "n_1 and n_2 of at least 1, and of more than 2 together",
        "mend the row",
        n_1=n_1,
        n_2=n_2,
    )
    return n_1 + n_2 - 2
