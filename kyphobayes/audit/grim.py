"""GRIM: whether whole numbers can have this mean."""

import math
from fractions import Fraction

from kyphobayes.audit.rounding import Rounded, decimals, rounded
from kyphobayes.audit.tested import Tested, answer
from kyphobayes.errors import InputError

LARGEST = 10**7  # people in a sample


def grim(
    mean: str | int,
    n: int,
    *,
    items: int = 1,
    low: int | None = None,
    high: int | None = None,
    rounding: str = "either",
) -> Tested:
    """Ask whether n whole numbers can have a printed mean.

    Parameters
    ----------
    mean : str or int
        As printed, with all its digits.
    n : int
        People.
    items : int
        Whole-numbered items that each person's score is the mean of.
    low, high : int, optional
        Ends of the scale.
    rounding : str
        Of `kyphobayes.audit.rounding.ROUNDINGS`.

    Returns
    -------
    Tested

    Raises
    ------
    InputError
        If an argument cannot be used.

    References
    ----------
    Brown, N. J. L. and Heathers, J. A. J. (2017). The GRIM test. Soc. Psychol. Personal. Sci. 8, 363-369.
    """
    figure = rounded(mean, rounding, "mean")
    sums = totals(figure, n, items=items, low=low, high=high)
    whole = n * items
    product = figure.value * whole
    units = f"{n}" if items == 1 else f"{n} × {items} items"
    start = f"{figure.text} × {units} = {decimals(product, 4).rstrip('0').rstrip('.')}"
    if len(sums):
        return answer("GRIM", True, f"{start}; {_shown(sums[0], whole, figure)} prints as {figure.text}")
    below = math.floor(product)
    if low is not None and below < low * whole:
        return answer("GRIM", False, f"mean {figure.text} lies below the scale, which begins at {low}")
    if high is not None and below > high * whole:
        return answer("GRIM", False, f"mean {figure.text} lies above the scale, which ends at {high}")
    nearest = f"{_shown(below, whole, figure)} and {_shown(below + 1, whole, figure)}"
    return answer("GRIM", False, f"{start}; {nearest}; neither prints as {figure.text}")


def totals(
    mean: Rounded, n: int, *, items: int = 1, low: int | None = None, high: int | None = None
) -> range:
    """Every total of n × items whole numbers whose mean prints as given; they follow one another.

    Raises
    ------
    InputError
        If n or items is not a whole number from 1 on, or the scale is empty.
    """
    whole = whole_number(n, "n") * whole_number(items, "items")
    check_scale(low, high)
    first, last = math.ceil(mean.low * whole), math.floor(mean.high * whole)
    if first == mean.low * whole and not mean.low_closed:
        first += 1
    if last == mean.high * whole and not mean.high_closed:
        last -= 1
    if low is not None:
        first = max(first, low * whole)
    if high is not None:
        last = min(last, high * whole)
    return range(first, last + 1)


def whole_number(value: int, what: str, least: int = 1) -> int:
    """A whole number of at least `least`.

    Raises
    ------
    InputError
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST:
        raise InputError(f"{what}: expected a whole number from {least} to {LARGEST}, found {value!r}")
    return value


def check_scale(low: int | None, high: int | None) -> None:
    """Refuse a scale whose ends are not whole numbers or not in order.

    Raises
    ------
    InputError
    """
    for name, end in (("low", low), ("high", high)):
        if end is not None and (isinstance(end, bool) or not isinstance(end, int) or abs(end) > LARGEST):
            raise InputError(f"{name}: expected a whole number as end of the scale, found {end!r}")
    if low is not None and high is not None and low >= high:
        raise InputError(f"low and high: expected low < high, found {low} and {high}")


def _shown(total: int, whole: int, figure: Rounded) -> str:
    return f"{total}/{whole} = {decimals(Fraction(total, whole), figure.digits + 1)}"
