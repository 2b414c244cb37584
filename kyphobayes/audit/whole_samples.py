"""Samples of whole numbers: which sums of squares n of them can have beside their sum."""

from collections.abc import Iterable
from functools import lru_cache

_LARGEST_SEARCH = 400_000  # steps of the exact search


def squares_between(
    total: int, n: int, low: int | None = None, high: int | None = None
) -> tuple[int, int | None]:
    """Least and greatest sum of squares of n whole numbers with a total.

    Parameters
    ----------
    total, n : int
    low, high : int, optional
        Ends of the scale; without both there is no greatest.

    Returns
    -------
    tuple of int, int or None
        Least when all are as alike as can be, greatest when all but one lie at the ends.
    """
    each, rest = divmod(total, n)
    least = (n - rest) * each**2 + rest * (each + 1) ** 2
    if low is None or high is None:
        return least, None
    at_high, between = divmod(total - n * low, high - low)
    if at_high >= n:
        return least, n * high**2
    return least, at_high * high**2 + (low + between) ** 2 + (n - at_high - 1) * low**2


def attainable(total: int, squares: int, n: int, low: int | None = None, high: int | None = None) -> bool:
    """Whether n whole numbers can have a sum and a sum of squares.

    Parameters
    ----------
    total, squares, n : int
    low, high : int, optional
        Ends of the scale.

    Returns
    -------
    bool
        Exact where both ends are given and the search is short; else it says no only where both cannot
        be odd or even together, or the squares lie outside their bounds.
    """
    least, most = squares_between(total, n, low, high)
    if (total - squares) % 2 or squares < least or (most is not None and squares > most):
        return False
    if low is None or high is None:
        return True
    # From the nearer end of the scale, where sums are smallest: x -> x - low or high - x.
    up, down = total - n * low, n * high - total
    start, sign, sum_ = (low, 1, up) if up <= down else (high, -1, down)
    squares_ = squares - 2 * sign * start * sum_ - n * start**2
    span = high - low
    if n * (sum_ + 1) * min(span, sum_ + 1) > _LARGEST_SEARCH:
        return True
    return bool(_reachable(n, sum_, span)[sum_] >> squares_ & 1) if squares_ >= 0 else False


@lru_cache(maxsize=64)
def _reachable(n: int, total: int, span: int) -> tuple[int, ...]:
    """By sum from 0 to total: the sums of squares of n numbers in 0..span, as the bits of an integer."""
    sums = [1] + [0] * total
    for _ in range(n):
        sums = [
            _union(sums[s - x] << (x * x) for x in range(min(span, s) + 1) if sums[s - x])
            for s in range(total + 1)
        ]
    return tuple(sums)


def _union(sets: Iterable[int]) -> int:
    found = 0
    for bits in sets:
        found |= bits
    return found
