"""Standard deviations that a bounded scale does not allow, and standard errors printed as deviations."""

import math
from dataclasses import dataclass
from fractions import Fraction

from kyphobayes.audit.grim import check_scale, totals, whole_number
from kyphobayes.audit.rounding import Rounded, decimals, rounded
from kyphobayes.audit.tested import Tested, answer
from kyphobayes.audit.whole_samples import squares_between
from kyphobayes.errors import InputError

_MOST_TOTALS = 100_000
_MOST_N = 100_000


@dataclass(frozen=True)
class Spread:
    """Least and greatest standard deviation; `exact` where they are those of whole numbers."""

    least: float
    greatest: float
    exact: bool


def possible_sd(
    mean: str | int,
    n: int,
    low: str | int,
    high: str | int,
    *,
    items: int = 0,
    attained: bool = False,
    ddof: int = 1,
    rounding: str = "either",
) -> Spread:
    """Least and greatest standard deviation of n values between two ends, given their mean.

    Parameters
    ----------
    mean : str or int
        As printed.
    n : int
        People, at least 2.
    low, high : str or int
        Ends of the scale, or the least and the greatest value observed.
    items : int
        Whole-numbered items that each score is the mean of; 0 where values need not be whole.
    attained : bool
        Whether somebody has each end: a range, not a scale.
    ddof : {0, 1}
    rounding : str
        Of `kyphobayes.audit.rounding.ROUNDINGS`.

    Returns
    -------
    Spread

    Raises
    ------
    InputError
        If an argument cannot be used, or no such values have the mean.

    Notes
    -----
    Greatest when all but one lie at the ends, least when all are as alike as they can be. Values that need
    not be whole have at most sqrt(n / (n - 1) (mean - low) (high - mean)) (Bhatia and Davis 2000).
    """
    divisor = whole_number(n, "n", 2) - ddof
    if ddof not in (0, 1):
        raise InputError(f"ddof: expected 0 or 1, found {ddof!r}")
    if n > _MOST_N:
        raise InputError(f"n: expected a number up to {_MOST_N}, found {n}")
    figure = rounded(mean, rounding, "mean")
    ends = [rounded(end, rounding, name) for end, name in ((low, "low"), (high, "high"))]
    first, last = (end.value for end in ends)
    if not first < last:
        raise InputError(f"low and high: expected low < high, found {low} and {high}")
    loose = attained and not items
    if figure.high < (ends[0].low if loose else first) or figure.low > (ends[1].high if loose else last):
        raise InputError(f"mean: {figure.text} lies outside {low} to {high}")
    if items:
        squares = _whole_squares(figure, n, first, last, items, attained)
        scale: int = divisor * items**2
    else:
        if attained:  # observed ends were rounded too; those of a scale are exact
            first, last = ends[0].low, ends[1].high
        squares, scale = _real_squares(figure, n, first, last), divisor
        if squares is not None and attained:
            squares = _least_with_range(figure, n, ends[0].high, ends[1].low), squares[1]
    if squares is None:
        raise InputError(f"mean: {figure.text} is not the mean of {n} values from {low} to {high}")
    return Spread(*(math.sqrt(max(float(s / scale), 0.0)) for s in squares), exact=bool(items))


def _whole_squares(
    mean: Rounded, n: int, first: Fraction, last: Fraction, items: int, attained: bool
) -> tuple[Fraction, Fraction] | None:
    """Least and greatest sum of squared deviations of whole numbers."""
    ends = first * items, last * items
    if any(end.denominator != 1 for end in ends):
        raise InputError(
            f"low and high: expected ends that whole-numbered items can have, found {first}, {last}"
        )
    low, high = (int(end) for end in ends)
    check_scale(low, high)
    found = [
        deviations
        for total in totals(mean, n, items=items)[:_MOST_TOTALS]
        if (deviations := _deviations(total, n, low, high, attained)) is not None
    ]
    return (min(f[0] for f in found), max(f[1] for f in found)) if found else None


def _deviations(total: int, n: int, low: int, high: int, attained: bool) -> tuple[Fraction, Fraction] | None:
    rest, fixed, people = total, 0, n
    if attained:
        rest, fixed, people = total - low - high, low**2 + high**2, n - 2
    if not people * low <= rest <= people * high:
        return None
    least, most = squares_between(rest, people, low, high) if people else (0, 0)
    assert most is not None
    centre = Fraction(total**2, n)
    return fixed + least - centre, fixed + most - centre


def _real_squares(mean: Rounded, n: int, first: Fraction, last: Fraction) -> tuple[Fraction, Fraction] | None:
    """Least and greatest sum of squared deviations of any numbers between two ends."""
    start, stop = max(mean.low, first), min(mean.high, last)
    if start > stop:
        return None
    at = min(max((first + last) / 2, start), stop)
    return Fraction(0), n * (at - first) * (last - at)


def _least_with_range(mean: Rounded, n: int, first: Fraction, last: Fraction) -> Fraction:
    """Least sum of squared deviations of numbers of which one lies at each end, the others being alike."""
    if first >= last:
        return Fraction(0)
    if n == 2:
        return (last - first) ** 2 / 2
    # It is lowest where the mean is in the middle of the range, and grows away from it.
    at = min(max((first + last) / 2, mean.low), mean.high)
    others = (n * at - first - last) / (n - 2)
    return (first - at) ** 2 + (last - at) ** 2 + (n - 2) * (others - at) ** 2


def sd_on_scale(
    mean: str | int,
    sd: str | int,
    n: int,
    low: str | int,
    high: str | int,
    *,
    items: int = 0,
    attained: bool = False,
    ddof: int = 1,
    rounding: str = "either",
) -> Tested:
    """Ask whether n values between two ends can have a printed mean and standard deviation.

    Parameters are those of `possible_sd`, and the printed SD.

    Returns
    -------
    Tested
        Where a range was observed and the SD is too small for it, the words say whether an SD of the
        printed number times sqrt(n) would do: then it is likely to be a standard error.

    Raises
    ------
    InputError
    """
    spread = rounded(sd, rounding, "sd")
    name = "SD and range" if attained else "SD on the scale"
    try:
        can = possible_sd(mean, n, low, high, items=items, attained=attained, ddof=ddof, rounding=rounding)
    except InputError as problem:
        if "mean:" not in str(problem) or "expected" in str(problem):
            raise
        return answer(name, False, str(problem).removeprefix("mean: "))
    digits = spread.digits + 1
    ends = f"{decimals(can.least, digits)} to {decimals(can.greatest, digits)}"
    shown = f"values from {low} to {high} with mean {mean} have an SD from {ends}; printed {spread.text}"
    slack = 1e-12 * (1 + can.greatest)
    if can.least - slack <= float(spread.high) and float(spread.low) <= can.greatest + slack:
        return answer(name, True, shown)
    larger = float(spread.value) * math.sqrt(n)
    if float(spread.value) < can.least <= larger <= can.greatest:
        shown += (
            f"; as a standard error it would be an SD of {spread.text} × √{n} = {decimals(larger, digits)}"
        )
    return answer(name, False, shown)


def se_or_sd(
    sd: str | int,
    n: int,
    *,
    se: str | int | None = None,
    smallest: str | int | None = None,
    greatest: str | int | None = None,
    rounding: str = "either",
) -> Tested:
    """Ask whether a printed standard deviation is one, or rather a standard error.

    Parameters
    ----------
    sd : str or int
        As printed.
    n : int
        People, at least 2.
    se : str or int, optional
        Printed standard error, which must be SD / sqrt(n).
    smallest, greatest : str or int, optional
        Range observed.
    rounding : str
        Of `kyphobayes.audit.rounding.ROUNDINGS`.

    Returns
    -------
    Tested

    Raises
    ------
    InputError
        If neither se nor a range is given, or an argument cannot be used.

    Notes
    -----
    n values with range R have an SD of at least R / sqrt(2 (n - 1)), all but two in the middle, and of at
    most R sqrt(n / (n - 1)) / 2, half of them at either end. A standard error of theirs is therefore at
    most R / (2 sqrt(n - 1)): what can be a standard error beside a range is too small to be an SD.
    """
    spread, root = rounded(sd, rounding, "sd"), math.sqrt(whole_number(n, "n", 2))
    if se is not None:
        error = rounded(se, rounding, "se")
        least, most = float(spread.low) / root, float(spread.high) / root
        value = decimals(float(spread.value) / root, error.digits + 1)
        slack = 1e-12 * (1 + most)
        holds = least <= float(error.high) + slack and float(error.low) <= most + slack
        return answer("SD and SE", holds, f"{spread.text}/√{n} = {value}, printed SE {error.text}")
    if smallest is None or greatest is None:
        raise InputError("se_or_sd: expected se, or smallest and greatest; found neither")
    first, last = rounded(smallest, rounding, "smallest"), rounded(greatest, rounding, "greatest")
    width = float(last.value - first.value)
    if width <= 0:
        raise InputError(f"smallest and greatest: expected a range, found {first.text} to {last.text}")
    low = float(last.low - first.high) / math.sqrt(2 * (n - 1))
    needed = f"an SD of at least {width:g}/√(2·{n - 1}) = {width / math.sqrt(2 * (n - 1)):.3g}"
    allowed = f" ({low:.3g} with all that rounding allows)"
    shown = f"a range of {width:g} needs {needed}{allowed}, printed {spread.text}"
    if float(spread.high) >= low - 1e-12:
        return answer("SD or SE", True, shown)
    largest = width / (2 * math.sqrt(n - 1))
    if float(spread.value) <= largest:
        shown += f"; it can be a standard error, which is at most {width:g}/(2·√{n - 1}) = {largest:.3g}"
    return answer("SD or SE", False, shown)
