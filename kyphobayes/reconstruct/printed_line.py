"""A printed line of a meta-analysis: its numbers with their rounding, and what was assumed to read it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from scipy import special, stats

from kyphobayes.errors import InputError

Number = str | float | int
Interval = tuple[float, float]

RATIOS = ("OR", "RR", "HR", "IRR", "ROM", "DOR")  # printed as ratios, analysed as logarithms
HIGHEST_I2 = 99.95  # percent; at 100 the variances within studies would be 0


@dataclass(frozen=True)
class PrintedLine:
    """One line, on the scale on which it was pooled.

    Attributes
    ----------
    k : int
        Number of studies.
    estimate : tuple of float
        Least and greatest value that print like this.
    low, high : tuple of float
        The same of the lower and the upper end of the interval.
    i2 : tuple of float or None
        The same of I-squared, as a share; None where it is not printed.
    quantile : float
        Half the width of the interval in standard errors.
    centred : bool
        Whether an estimate in the middle of the interval agrees with all printed digits.
    scale : {"identity", "log", "logit"}
        From the printed scale to that of the analysis.
    assumptions : tuple of str
        What was assumed to read it, in sentences.
    """

    k: int
    estimate: Interval
    low: Interval
    high: Interval
    i2: Interval | None
    quantile: float
    centred: bool
    scale: str
    assumptions: tuple[str, ...]

    @property
    def se(self) -> float:
        """Standard error from the middle of the printed ends."""
        width = sum(self.high) / 2 - sum(self.low) / 2
        return width / 2 / self.quantile


def read_line(
    k: int,
    estimate: Number,
    ci: Sequence[Number],
    i2: Number | None,
    *,
    measure: str | None = None,
    level: float = 0.95,
    test: str = "z",
) -> PrintedLine:
    """Read a line as it is printed.

    Parameters
    ----------
    k : int
        Number of studies, 2 or more.
    estimate : str or number
        Text keeps its digits: "0.30" is 0.295 to 0.305. A number has those that Python shows.
    ci : two of the same
        In either order.
    i2 : the same, or None
        In percent, with or without the sign.
    measure : str, optional
        Ratios (OR, RR, HR, IRR, ROM, DOR) are logged, PLO (printed as shares or percent) is taken to log
        odds; others are read as they are.
    level : float
        Of the interval.
    test : {"z", "t", "hksj"}
        Whether the interval is normal or Student-t with k - 1 degrees of freedom.

    Raises
    ------
    InputError
        If a number cannot be read, does not exist on its scale, or the interval has no width.
    """
    if isinstance(k, bool) or k != int(k) or k < 2:
        raise InputError(
            f"k: expected a whole number of studies, 2 or more, found {k}; one study has no spread"
        )
    if not 0 < level < 1:
        raise InputError(f"level: expected a number between 0 and 1, found {level:g}")
    ends = list(ci)
    if len(ends) != 2:
        raise InputError(f"ci: expected the two ends of the interval, found {len(ends)}")
    said: list[str] = []
    scale = "log" if measure in RATIOS else "logit" if measure == "PLO" else "identity"
    middle = _rounded("estimate", estimate, scale)
    first, last = (_rounded("ci", end, scale) for end in ends)
    if first == last:
        raise InputError(f"ci: expected an interval with some width, found {ends[0]} to {ends[1]}")
    if sum(first) > sum(last):
        first, last = last, first
        said.append(
            f"The ends of the interval are printed as {ends[0]} and {ends[1]}; they were put in order."
        )
    if scale != "identity":
        said.append(f"The numbers of a {measure} were taken to the {scale} scale, on which they are pooled.")
    quantile = float(stats.norm.ppf((1 + level) / 2) if test == "z" else stats.t.ppf((1 + level) / 2, k - 1))
    if middle[1] < first[0] or middle[0] > last[1]:
        raise InputError(
            f"estimate: expected a value inside the interval {ends[0]} to {ends[1]}, found {estimate}"
        )
    span = (first[0] + last[0]) / 2, (first[1] + last[1]) / 2
    slack = 1e-9 * max(map(abs, span))
    centred = max(span[0], middle[0]) <= min(span[1], middle[1]) + slack
    if not centred:
        said.append(
            f"The estimate {estimate} is not in the middle of {ends[0]} to {ends[1]} to the printed digits; "
            f"it was "
            "kept, and the standard error was taken from the width of the interval."
        )
    return PrintedLine(int(k), middle, first, last, _i2(i2, said), quantile, centred, scale, tuple(said))


def _i2(value: Number | None, said: list[str]) -> Interval | None:
    if value is None:
        said.append("No I² is printed: all values of it were held possible.")
        return None
    number, half = _decimal("i2", value)
    if not 0 <= number <= 100:
        raise InputError(f"i2: expected a percentage from 0 to 100, found {value}")
    if 0 < number < 1:
        said.append(f"I² was read as {number:g} %, not as a share.")
    low, high = max(0.0, number - half), min(number + half, HIGHEST_I2)
    if number + half > HIGHEST_I2:
        said.append(f"An I² of {number:g} % was read as at most {HIGHEST_I2} %.")
        low = min(low, HIGHEST_I2 - half)
    return (0.0 if number == 0 else low) / 100, high / 100


def _rounded(name: str, value: Number, scale: str) -> Interval:
    number, half = _decimal(name, value)
    if scale == "identity":
        return number - half, number + half
    unit = 100.0 if scale == "logit" and str(value).strip().endswith("%") else 1.0
    transform: Callable[[float], float] = math.log if scale == "log" else special.logit
    top = math.inf if scale == "log" else 1.0
    if not 0 < number / unit < top:
        kind = (
            "a ratio above 0" if scale == "log" else "a share between 0 and 1, or a percentage with its sign"
        )
        raise InputError(f"{name}: expected {kind}, found {value}")
    low, high = (number - half) / unit, (number + half) / unit
    # A ratio printed as 0.00 to 0.01 could be any small one: half the least digit is the least taken.
    low = max(low, number / unit / 2)
    high = high if high < top else (number / unit + top) / 2
    return float(transform(low)), float(transform(high))


def _decimal(name: str, value: Number) -> tuple[float, float]:
    """A printed number and half a unit of its last digit."""
    text = str(value).strip().removesuffix("%").replace("\u2212", "-").replace(" ", "")
    try:
        number = Decimal(text)
        exponent = number.as_tuple().exponent
    except InvalidOperation:
        exponent = None
    if not isinstance(exponent, int) or isinstance(value, bool):
        raise InputError(f"{name}: expected a number as it is printed, found {value!r}")
    # 1e3 prints no digit below the thousands; a whole number is taken to be exact to the unit.
    half = Decimal(1).scaleb(min(exponent, 0)) / 2
    return float(number), float(half)
