"""Standard errors from confidence intervals and p-values of an effect; Wald's arithmetic undone."""

from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.effects.validate import level_of, refuse, together
from kyphobayes.errors import InputError

Array = NDArray[np.float64]


def se_from_ci(
    low: ArrayLike,
    high: ArrayLike,
    estimate: ArrayLike | None = None,
    level: float = 0.95,
    *,
    log: bool = False,
    df: ArrayLike | None = None,
    asymmetric: bool = False,
    decimals: int | None = None,
    tolerance: float = 1e-6,
) -> Array:
    """Standard error of an effect from its confidence interval.

    Parameters
    ----------
    low, high : array_like
        Limits as printed: of a ratio, for log = True.
    estimate : array_like, optional
        The effect as printed. If it is given, it must lie in the middle of the interval.
    level : float
        Of the interval.
    log : bool
        Whether the interval is symmetric on the log scale, as those of odds, risk, rate and hazard
        ratios are. The standard error is then that of the log; its effect is log(estimate).
    df : array_like, optional
        Degrees of freedom, if the interval is one of t. By default it is one of the normal.
    asymmetric : bool
        Take an interval that is not symmetric about its estimate all the same.
    decimals : int, optional
        To how many decimals the three numbers are printed. By default the most that any of the
        three shows: each may then be off by half a unit of the last one.
    tolerance : float
        How far the estimate may lie from the middle beyond what that rounding explains, as a share
        of half the width.

    Returns
    -------
    ndarray
        (high - low) / (2 quantile), of the logs for log = True.

    Raises
    ------
    InputError
        If low is not below high, a ratio is not positive, an argument is impossible, or the
        interval is not symmetric about the estimate: then it was not computed on this scale, and
        its width does not give a standard error.
    """
    columns = {"low": low, "high": high} | ({} if estimate is None else {"estimate": estimate})
    low, high, *middle = together(**columns)
    refuse(~(low < high), "low < high", "mend the interval", low=low, high=high)
    for name, values in zip(columns, (low, high, *middle), strict=True):
        if log:
            refuse(~(values > 0), f"{name} > 0 of a ratio", "leave log out or mend the row", **{name: values})
    if not tolerance >= 0:
        raise InputError(f"tolerance must be at least 0, not {tolerance!r}")
    if middle and not asymmetric:
        _refuse_asymmetric(low, high, middle[0], log, decimals, tolerance)
    reach = _quantile((1 - level_of(level)) / 2, df)
    return (np.log(high) - np.log(low) if log else high - low) / (2 * reach)


def se_from_p(estimate: ArrayLike, p: ArrayLike, *, log: bool = False, df: ArrayLike | None = None) -> Array:
    """Standard error of an effect from its two-sided p-value.

    Parameters
    ----------
    estimate : array_like
        The effect as printed: a ratio, for log = True.
    p : array_like
        Two-sided p-value of no effect (0, or a ratio of 1). From "p < 0.001" take 0.001: the
        standard error is then the largest that agrees with the paper.
    log : bool
        Whether the test was of the log, as those of ratios are; the standard error is then that of
        the log.
    df : array_like, optional
        Degrees of freedom, if the test was one of t. By default it was one of the normal.

    Returns
    -------
    ndarray
        |estimate| / quantile(1 - p / 2).

    Raises
    ------
    InputError
        If p is not strictly between 0 and 1, a ratio is not positive, or the effect is exactly
        none: its p-value does not depend on its standard error.
    """
    estimate, p = together(estimate=estimate, p=p)
    refuse(~((p > 0) & (p < 1)), "p strictly between 0 and 1", "give the limit for 'p <'", p=p)
    if log:
        refuse(~(estimate > 0), "a ratio above 0", "leave log out or mend the row", estimate=estimate)
    effect = np.log(estimate) if log else estimate
    refuse(effect == 0, "an effect", "use the confidence interval", estimate=estimate)
    return np.abs(effect) / _quantile(p / 2, df)


def _quantile(tail: Array | float, df: ArrayLike | None) -> Array:
    """What is exceeded with probability `tail` by t with df degrees of freedom, or by the normal."""
    if df is None:
        return np.asarray(-special.ndtri(tail))
    tail, freedom = together(tail=tail, df=df)
    refuse(~(freedom > 0), "df > 0", "leave df out for a normal", df=freedom)
    return -special.stdtrit(freedom, tail)


def _refuse_asymmetric(
    low: Array, high: Array, estimate: Array, log: bool, decimals: int | None, tolerance: float
) -> None:
    """Refuse an estimate that rounding alone cannot have moved from the middle of its interval."""
    half_unit = 0.5 * 10.0 ** -_decimals(low, high, estimate, decimals)
    values = np.stack([low, high, estimate])
    if log:
        with np.errstate(divide="ignore"):  # a ratio that rounds to 0.00 may be any small number
            lowest, highest = np.log(np.maximum(values - half_unit, 0.0)), np.log(values + half_unit)
        half_width = (np.log(high) - np.log(low)) / 2
    else:
        lowest, highest = values - half_unit, values + half_unit
        half_width = (high - low) / 2
    slack = tolerance * half_width
    too_low = highest[2] + slack < (lowest[0] + lowest[1]) / 2
    too_high = lowest[2] - slack > (highest[0] + highest[1]) / 2
    scale = "the log scale" if log else "this scale; try log=True for a ratio"
    refuse(
        too_low | too_high,
        f"an estimate in the middle of its interval on {scale}",
        "say asymmetric=True to take it all the same",
        low=low,
        estimate=estimate,
        high=high,
    )


def _decimals(low: Array, high: Array, estimate: Array, decimals: int | None) -> Array:
    """How many decimals are printed: the most that one of a study's three numbers shows."""
    if decimals is not None:
        return np.full(low.shape, float(decimals))
    return np.vectorize(lambda *row: float(max(map(_shown, row))), otypes=[float])(low, high, estimate)


def _shown(number: float) -> int:
    exponent = Decimal(repr(float(number))).normalize().as_tuple().exponent
    return max(0, -int(exponent))
