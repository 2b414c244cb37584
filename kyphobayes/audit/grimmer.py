"""GRIMMER: whether whole numbers can have this mean and this standard deviation."""

import math
from dataclasses import dataclass
from fractions import Fraction

from kyphobayes.audit.grim import grim, totals, whole_number
from kyphobayes.audit.rounding import Rounded, decimals, rounded
from kyphobayes.audit.tested import Tested, answer
from kyphobayes.audit.whole_samples import attainable, squares_between
from kyphobayes.errors import InputError

_MOST = 2000  # sums of squares looked at for one total, a bound on the work


class TooCoarse(InputError):
    """So few digits for so many people that nothing can be told."""


@dataclass(frozen=True)
class Moments:
    """Sum and sum of squares of n whole numbers (each a person's total over the items)."""

    total: int
    squares: int


def grimmer(
    mean: str | int,
    sd: str | int,
    n: int,
    *,
    items: int = 1,
    low: int | None = None,
    high: int | None = None,
    ddof: int = 1,
    rounding: str = "either",
) -> Tested:
    """Ask whether n whole numbers can have a printed mean and standard deviation.

    Parameters
    ----------
    mean, sd : str or int
        As printed, with all their digits.
    n : int
        People, at least 2.
    items : int
        Whole-numbered items that each person's score is the mean of.
    low, high : int, optional
        Ends of the scale; with both, the answer is exact as long as the search stays short.
    ddof : {0, 1}
        Whether squares were divided by n or by n - 1.
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
    Anaya, J. (2016). The GRIMMER test. PeerJ Preprints 4:e2400v1. Allard, A. (2018), Analytic-GRIMMER:
    the sum of squares must be whole and, since x and x squared are both odd or both even, as odd as the
    total.
    """
    whole_number(n, "n", 2)
    first = grim(mean, n, items=items, low=low, high=high, rounding=rounding)
    if not first.passed:
        return answer("GRIMMER", False, f"the mean fails already: {first.arithmetic}")
    m, s = rounded(mean, rounding, "mean"), rounded(sd, rounding, "sd")
    try:
        found = moments(m, s, n, items=items, low=low, high=high, ddof=ddof)
    except TooCoarse as problem:
        return answer("GRIMMER", True, str(problem))
    divisor = n - ddof
    if found:
        shown = _root(found[0], n, items, divisor, s)
        return answer("GRIMMER", True, f"total {found[0].total}, squares {found[0].squares}: SD {shown}")
    return answer("GRIMMER", False, _why_not(m, s, n, items, low, high, divisor))


def moments(
    mean: Rounded,
    sd: Rounded,
    n: int,
    *,
    items: int = 1,
    low: int | None = None,
    high: int | None = None,
    ddof: int = 1,
) -> list[Moments]:
    """Every sum and sum of squares that n whole numbers can have with a printed mean and SD.

    Raises
    ------
    TooCoarse
        If the digits are so few that there are too many.
    InputError
        As `grimmer`.
    """
    whole_number(n, "n", 2)
    if ddof not in (0, 1):
        raise InputError(f"ddof: expected 0 or 1, found {ddof!r}")
    if sd.value < 0:
        raise InputError(f"sd: expected a number of at least 0, found {sd.text}")
    found: list[Moments] = []
    scale = (None if low is None else low * items, None if high is None else high * items)
    candidates = totals(mean, n, items=items, low=low, high=high)
    if len(candidates) > _MOST:
        raise TooCoarse(
            f"mean: {mean.text} with n = {n} fits {len(candidates)} totals; more digits are needed"
        )
    for total in candidates:
        for squares in _squares(total, sd, n, items, ddof, scale):
            if attainable(total, squares, n, *scale):
                found.append(Moments(total, squares))
    return found


def _squares(
    total: int, sd: Rounded, n: int, items: int, ddof: int, scale: tuple[int | None, int | None]
) -> range:
    """Sums of squares as odd as the total whose SD prints as given."""
    factor = (n - ddof) * items**2
    centre = Fraction(total**2, n)
    least = max(sd.low, Fraction(0)) ** 2 * factor + centre
    most = sd.high**2 * factor + centre
    first, last = math.ceil(least), math.floor(most)
    if sd.low > 0 and first == least and not sd.low_closed:
        first += 1
    if last == most and not sd.high_closed:
        last -= 1
    bounds = squares_between(total, n, *scale)
    first, last = max(first, bounds[0]), last if bounds[1] is None else min(last, bounds[1])
    first += (first - total) % 2
    number = (last - first) // 2 + 1
    if number > _MOST:
        raise TooCoarse(f"sd: {sd.text} with n = {n} fits {number} sums of squares; more digits are needed")
    return range(first, last + 1, 2)


def _why_not(
    m: Rounded, s: Rounded, n: int, items: int, low: int | None, high: int | None, divisor: int
) -> str:
    """Name the attainable SDs next to the printed one."""
    scale = (None if low is None else low * items, None if high is None else high * items)
    near: list[tuple[float, str]] = []
    for total in list(totals(m, n, items=items, low=low, high=high))[:20]:
        centre = Fraction(total**2, n)
        middle = math.floor(max(s.value, Fraction(0)) ** 2 * divisor * items**2 + centre)
        for squares in range(middle - 3, middle + 5):
            if (squares - total) % 2 == 0 and attainable(total, squares, n, *scale):
                found = Moments(total, squares)
                root = math.sqrt((squares - centre) / (divisor * items**2))
                shown = f"total {total}, squares {squares}: SD {_root(found, n, items, divisor, s)}"
                near.append((abs(root - float(s.value)), shown))
    if not near:
        return f"no whole numbers with mean {m.text} have an SD near {s.text}"
    shown = " and ".join(text for _, text in sorted(near)[:2])
    return f"the SDs next to it are {shown}; {s.text} is not among them"


def _root(found: Moments, n: int, items: int, divisor: int, s: Rounded) -> str:
    variance = (found.squares - Fraction(found.total**2, n)) / (divisor * items**2)
    return decimals(math.sqrt(variance), s.digits + 1)
