"""DEBIT: whether zeros and ones can have this mean and this standard deviation."""

import math
from fractions import Fraction

from kyphobayes.audit.grim import totals, whole_number
from kyphobayes.audit.rounding import decimals, rounded
from kyphobayes.audit.tested import Tested, answer
from kyphobayes.errors import InputError


def debit(mean: str | int, sd: str | int, n: int, *, ddof: int = 1, rounding: str = "either") -> Tested:
    """Ask whether n zeros and ones can have a printed mean and standard deviation.

    Parameters
    ----------
    mean, sd : str or int
        As printed; the mean is the share of ones.
    n : int
        People, at least 2.
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
        If an argument cannot be used, or the mean is no share.

    References
    ----------
    Heathers, J. A. J. and Brown, N. J. L. (2019). DEBIT: a simple consistency test for binary data.
    SD = sqrt(x (n - x) / (n (n - 1))) for x ones among n.
    """
    share, spread = rounded(mean, rounding, "mean"), rounded(sd, rounding, "sd")
    divisor = whole_number(n, "n", 2) - ddof
    if ddof not in (0, 1):
        raise InputError(f"ddof: expected 0 or 1, found {ddof!r}")
    if not 0 <= share.value <= 1:
        raise InputError(f"mean: expected a share between 0 and 1, found {share.text}")
    counts = totals(share, n, low=0, high=1)
    if not len(counts):
        return answer("DEBIT", False, f"no count of {n} has a share that prints as {share.text}")

    def variance(x: int) -> Fraction:
        return Fraction(x * (n - x), n * divisor)

    def shown(x: int) -> str:
        return f"{x} of {n}: SD {decimals(math.sqrt(variance(x)), spread.digits + 1)}"

    # x (n - x) rises to the middle and falls: few counts share two digits, and a sample of them shows it.
    for x in counts:
        if spread.holds_root(variance(x)):
            return answer("DEBIT", True, f"{shown(x)} prints as {spread.text}")
    nearest = min(counts, key=lambda x: abs(math.sqrt(variance(x)) - float(spread.value)))
    return answer("DEBIT", False, f"{shown(nearest)}, printed {spread.text}")
