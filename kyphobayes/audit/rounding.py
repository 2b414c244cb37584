"""Printed numbers: their digits, and all the values that print like them."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from kyphobayes.errors import InputError

ROUNDINGS: Final = ("either", "half_up", "half_even", "truncated", "any")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
_LONGEST = 40  # digits of a number that anyone prints


@dataclass(frozen=True)
class Rounded:
    """A printed number and the values that print like it.

    Attributes
    ----------
    text : str
        As printed.
    value : Fraction
    digits : int
        Decimal places.
    low, high : Fraction
        Ends of the interval of values that print like this.
    low_closed, high_closed : bool
        Whether each end itself prints like this.
    """

    text: str
    value: Fraction
    digits: int
    low: Fraction
    high: Fraction
    low_closed: bool
    high_closed: bool

    def holds(self, value: Fraction | int) -> bool:
        """Whether a value prints like this."""
        above = value >= self.low if self.low_closed else value > self.low
        below = value <= self.high if self.high_closed else value < self.high
        return above and below

    def holds_root(self, square: Fraction | int) -> bool:
        """Whether the root of a number >= 0 prints like this; exact, since the squares are compared."""
        if self.high < 0:
            return False
        above = self.low < 0 or (square >= self.low**2 if self.low_closed else square > self.low**2)
        below = square <= self.high**2 if self.high_closed else square < self.high**2
        return above and below

    def near(self, value: float) -> bool:
        """Whether a number of floating point prints like this, ties and its last bits allowed for."""
        slack = 1e-9 * max(1.0, abs(value))
        return float(self.low) - slack <= value <= float(self.high) + slack


def rounded(number: str | int | Decimal, rounding: str = "either", what: str = "number") -> Rounded:
    """Read a printed number with its digits.

    Parameters
    ----------
    number : str, int or Decimal
        As printed: "3.50" has two decimals. A float is refused, because it has lost its zeros.
    rounding : {"either", "half_up", "half_even", "truncated", "any"}
        How it was rounded: ties to either side (the default, which accuses nobody of a tie), away from
        zero, to the even digit; cut off; or any of these.
    what : str
        What messages call it.

    Returns
    -------
    Rounded

    Raises
    ------
    InputError
        If it is not a number as printed, or the rounding is unknown.
    """
    if rounding not in ROUNDINGS:
        raise InputError(f"rounding: expected one of {', '.join(ROUNDINGS)}, found {rounding!r}")
    if isinstance(number, bool) or not isinstance(number, str | int | Decimal):
        raise InputError(
            f'{what}: expected the digits as printed, such as "3.50", found {number!r}; '
            "a float has lost its last zeros"
        )
    text = str(number).strip()
    plain = text.replace("−", "-")
    if not _NUMBER.fullmatch(plain) or len(plain) > _LONGEST:
        raise InputError(f"{what}: expected a number with a decimal point, found {text[:_LONGEST]!r}")
    decimal = Decimal(plain)
    exponent = decimal.as_tuple().exponent
    assert isinstance(exponent, int)
    value, unit = Fraction(decimal), Fraction(10) ** min(exponent, 0)
    sign = -1 if value < 0 else 1
    low, high, low_closed, high_closed = _ends(abs(value), unit, rounding)
    if value == 0 and rounding != "half_even":  # both signs print as 0
        low, low_closed = -high, high_closed
    elif value == 0:
        low = -high
    if sign < 0:
        low, high, low_closed, high_closed = -high, -low, high_closed, low_closed
    return Rounded(text, value, max(-exponent, 0), low, high, low_closed, high_closed)


def _ends(size: Fraction, unit: Fraction, rounding: str) -> tuple[Fraction, Fraction, bool, bool]:
    """Interval of sizes that print as `size`."""
    half = unit / 2
    if rounding == "truncated":
        return size, size + unit, True, False
    if rounding == "any":
        return size - half, size + unit, True, False
    if rounding == "half_up":
        return size - half, size + half, True, False
    even = rounding == "either" or (size / unit) % 2 == 0
    return size - half, size + half, even, even


def decimals(value: Fraction | float, digits: int) -> str:
    """Write a value with some decimals, as arithmetic in words needs it."""
    return f"{float(value):.{digits}f}".replace("-", "−")


def plain(value: Fraction | float) -> str:
    """Write a number without needless zeros, up to six significant digits."""
    return f"{float(value):.6g}".replace("-", "−")
