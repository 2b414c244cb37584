"""Percentages that no whole number gives."""

import math
from fractions import Fraction

from kyphobayes.audit.grim import totals, whole_number
from kyphobayes.audit.rounding import Rounded, decimals, rounded
from kyphobayes.audit.tested import Tested, answer
from kyphobayes.errors import InputError


def percentage(percent: str | int, n: int, *, events: int | None = None, rounding: str = "either") -> Tested:
    """Ask whether a whole number of n, or a given one, is a printed percentage.

    Parameters
    ----------
    percent : str or int
        As printed, without the sign.
    n : int
    events : int, optional
        The printed count, if there is one.
    rounding : str
        Of `kyphobayes.audit.rounding.ROUNDINGS`.

    Returns
    -------
    Tested

    Raises
    ------
    InputError
        If an argument cannot be used.
    """
    figure = _share(percent, rounding)
    if events is not None:
        if whole_number(events, "events", 0) > whole_number(n, "n"):
            return answer("percentage", False, f"{events} events are more than n = {n}")
        value = Fraction(100 * events, n)
        shown = f"{events}/{n} = {decimals(value, figure.digits + 2)} %, printed {figure.text} %"
        return answer("percentage", figure.holds(value), shown)
    counts = possible_events(percent, n, rounding=rounding)
    if len(counts):
        shown = decimals(Fraction(100 * counts[0], n), figure.digits + 2)
        return answer("percentage", True, f"{counts[0]}/{n} = {shown} %, printed {figure.text} %")
    below = math.floor(figure.value * n / 100)
    near = " and ".join(
        f"{x}/{n} = {decimals(Fraction(100 * x, n), figure.digits + 2)} %" for x in (below, below + 1)
    )
    return answer("percentage", False, f"{near}; no whole number of {n} is {figure.text} %")


def possible_events(percent: str | int, n: int, *, rounding: str = "either") -> range:
    """Every count of n that is a printed percentage.

    Raises
    ------
    InputError
    """
    figure = _share(percent, rounding)
    hundredth = Rounded(
        figure.text, figure.value / 100, figure.digits + 2, figure.low / 100, figure.high / 100,
        figure.low_closed, figure.high_closed,
    )  # fmt: skip
    return totals(hundredth, n, low=0, high=1)


def possible_n(
    percent: str | int, most: int, *, events: int | None = None, rounding: str = "either"
) -> list[int]:
    """Every n up to `most` of which a whole number, or a given one, is a printed percentage.

    Parameters
    ----------
    percent : str or int
    most : int
    events : int, optional
    rounding : str

    Returns
    -------
    list of int

    Raises
    ------
    InputError
    """
    whole_number(most, "most")
    if most > 100_000:
        raise InputError(f"most: expected a number up to 100000, found {most}")
    figure = _share(percent, rounding)
    if events is None:
        return [n for n in range(1, most + 1) if len(possible_events(percent, n, rounding=rounding))]
    least = max(whole_number(events, "events", 0), 1)
    return [n for n in range(least, most + 1) if figure.holds(Fraction(100 * events, n))]


def _share(percent: str | int, rounding: str) -> Rounded:
    figure = rounded(percent, rounding, "percent")
    if not 0 <= figure.value <= 100:
        raise InputError(f"percent: expected a number from 0 to 100, found {figure.text}")
    return figure
