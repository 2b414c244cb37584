"""Confidence intervals: in order, around their estimate, and in accord with the p value beside them."""

import math
import re
from dataclasses import dataclass
from typing import Final

from scipy import special, stats

from kyphobayes.audit.rounding import Rounded, plain, rounded
from kyphobayes.audit.tested import INCONSISTENT, SUSPECT, Tested, answer
from kyphobayes.errors import InputError

SCALES: Final = ("raw", "log", "logit")
RATIOS: Final = ("RR", "OR", "HR", "IRR", "ROM")
PROPORTIONS: Final = ("PR", "PLO", "PLN", "PAS", "PFT")
_P = re.compile(r"(?:[pP]\s*)?([<>=≤≥]?)\s*(\S+)")
_SLACK = 1e-9


@dataclass(frozen=True)
class PrintedP:
    """A printed p value: its sign ("=", "<", ">") and its number."""

    sign: str
    number: Rounded

    @property
    def text(self) -> str:
        """As printed, with its sign."""
        return f"p {self.sign} {self.number.text}"

    def allows(self, low: float, high: float) -> bool:
        """Whether some p between two values prints like this."""
        if self.sign == "<":
            return low < float(self.number.value)
        if self.sign == ">":
            return high > float(self.number.value)
        return low <= float(self.number.high) + _SLACK and high >= float(self.number.low) - _SLACK


def read_p(text: str, rounding: str = "either") -> PrintedP:
    """Read a printed p value, such as "< .001", "= 0.03" or "0.5".

    Raises
    ------
    InputError
    """
    match = _P.fullmatch(str(text).strip())
    if match is None:
        raise InputError(f'p: expected such as "0.03" or "< .001", found {text!r}')
    sign = {"": "=", "≤": "<", "≥": ">"}.get(match[1], match[1])
    number = rounded(match[2], rounding, "p")
    if not 0 <= number.value <= 1:
        raise InputError(f"p: expected a probability, found {text!r}")
    return PrintedP(sign, number)


def centred(
    estimate: str | int,
    low: str | int,
    high: str | int,
    *,
    scale: str | None = None,
    rounding: str = "either",
) -> Tested:
    """Ask whether an interval is printed in order and lies around its estimate.

    Parameters
    ----------
    estimate, low, high : str or int
        As printed; an interval whose first limit is the higher one is suspect, not inconsistent.
    scale : {"raw", "log", "logit"}, optional
        On which estimate +/- z SE was formed; by default any of the three will do that fits.
    rounding : str
        Of `kyphobayes.audit.rounding.ROUNDINGS`.

    Returns
    -------
    Tested

    Raises
    ------
    InputError
    """
    if scale is not None and scale not in SCALES:
        raise InputError(f"scale: expected one of {', '.join(SCALES)}, found {scale!r}")
    middle = rounded(estimate, rounding, "estimate")
    ends = [rounded(low, rounding, "ci_low"), rounded(high, rounding, "ci_high")]
    backwards = ends[0].value > ends[1].value
    ends.sort(key=lambda end: end.value)
    words = [f"{ends[1].text} is printed before {ends[0].text}"] if backwards else []
    if not (ends[0].low <= middle.high and middle.low <= ends[1].high):
        words.append(f"{middle.text} lies outside {ends[0].text} to {ends[1].text}")
        return Tested("CI around the estimate", INCONSISTENT, "; ".join(words))
    tried = [scale] if scale else [name for name in SCALES if _defined(name, [middle, *ends])]
    shown = []
    for name in tried:
        if not _defined(name, [middle, *ends]):
            raise InputError(
                f"scale: the {name} scale does not hold {', '.join(x.text for x in [middle, *ends])}"
            )
        at, least, most = _middle(name, ends)
        shown.append(f"{_how(name, ends)} = {plain(at)}")
        if least <= float(middle.high) + _SLACK and float(middle.low) <= most + _SLACK:
            words.append(f"{shown[-1]}, printed {middle.text}")
            held = answer("CI around the estimate", True, "; ".join(words))
            return Tested(held.test, SUSPECT, held.arithmetic) if backwards else held
    words.append(f"{'; '.join(shown)}; printed {middle.text}")
    return Tested("CI around the estimate", INCONSISTENT, "; ".join(words))


def _defined(scale: str, numbers: list[Rounded]) -> bool:
    least, most = min(x.value for x in numbers), max(x.value for x in numbers)
    return scale == "raw" or (least > 0 and (scale == "log" or most < 1))


def _to(scale: str, x: float) -> float:
    if scale == "log":
        return math.log(max(x, 1e-300))
    return float(special.logit(min(max(x, 1e-15), 1 - 1e-15))) if scale == "logit" else x


def _back(scale: str, x: float) -> float:
    return math.exp(x) if scale == "log" else float(special.expit(x)) if scale == "logit" else x


def _middle(scale: str, ends: list[Rounded]) -> tuple[float, float, float]:
    """Middle of an interval on a scale: as printed, and the least and greatest that rounding allows."""
    return (
        _back(scale, sum(_to(scale, float(end.value)) for end in ends) / 2),
        _back(scale, sum(_to(scale, float(end.low)) for end in ends) / 2),
        _back(scale, sum(_to(scale, float(end.high)) for end in ends) / 2),
    )


def _how(scale: str, ends: list[Rounded]) -> str:
    low, high = ends[0].text, ends[1].text
    if scale == "raw":
        return f"({low} + {high})/2"
    return f"√({low} × {high})" if scale == "log" else f"middle of {low} and {high} on the logit scale"


def p_from_interval(
    estimate: str | int,
    low: str | int,
    high: str | int,
    *,
    ratio: bool = False,
    level: float = 0.95,
    df: float | None = None,
    rounding: str = "either",
) -> tuple[float, float, float]:
    """The p value that an estimate and its interval imply: as printed, and its least and greatest.

    Parameters
    ----------
    estimate, low, high : str or int
        As printed.
    ratio : bool
        Whether no effect is 1 and the interval was formed on the log scale.
    level : float
        Of the interval.
    df : float, optional
        Of a t distribution; a normal one by default.
    rounding : str

    Returns
    -------
    tuple of float
        With SE = (high - low) / (2 z); least and greatest over all that prints like this.

    Raises
    ------
    InputError
        If the interval has no width, or a ratio is not positive.

    References
    ----------
    Altman, D. G. and Bland, J. M. (2011). How to obtain the P value from a confidence interval.
    BMJ 343, d2304.
    """
    if not 0 < level < 1:
        raise InputError(f"level: expected a number between 0 and 1, found {level!r}")
    middle = rounded(estimate, rounding, "estimate")
    ends = sorted((rounded(x, rounding, "interval") for x in (low, high)), key=lambda end: end.value)
    if ratio and min(middle.low, ends[0].low) <= 0:
        raise InputError(f"interval: expected ratios greater than 0, found {ends[0].text} and {middle.text}")
    if ends[0].value == ends[1].value:
        raise InputError(f"interval: expected two limits, found {ends[0].text} twice")
    scale = "log" if ratio else "raw"
    law = stats.norm if df is None else stats.t(df)
    quantile = float(law.ppf((1 + level) / 2))

    def p(size: float, width: float) -> float:
        return float(2 * law.sf(2 * quantile * size / width)) if width > 0 else 0.0

    at = _to(scale, float(middle.value))
    reach = sorted((_to(scale, float(middle.low)), _to(scale, float(middle.high))))
    least = 0.0 if reach[0] <= 0 <= reach[1] else min(abs(end) for end in reach)
    most = max(abs(end) for end in reach)
    wide = _to(scale, float(ends[1].high)) - _to(scale, float(ends[0].low))
    narrow = _to(scale, float(ends[1].low)) - _to(scale, float(ends[0].high))
    exact = _to(scale, float(ends[1].value)) - _to(scale, float(ends[0].value))
    return p(abs(at), exact), p(most, narrow), p(least, wide)


def p_against_interval(
    estimate: str | int, low: str | int, high: str | int, p: str, *, ratio: bool = False,
    level: float = 0.95, df: float | None = None, rounding: str = "either",
) -> Tested:  # fmt: skip
    """Ask whether a printed p value is the one that the interval beside it implies.

    Parameters are those of `p_from_interval`, and the printed p value such as "< .001".

    Returns
    -------
    Tested

    Raises
    ------
    InputError
    """
    printed = read_p(p, rounding)
    at, least, most = p_from_interval(estimate, low, high, ratio=ratio, level=level, df=df, rounding=rounding)
    words = f"the interval implies p = {_shown(at)}"
    if _shown(least) != _shown(most):
        words += f" ({_shown(least)} to {_shown(most)} with all that rounding allows)"
    return answer("p against CI", printed.allows(least, most), f"{words}, printed {printed.text}")


def p_against_error(
    estimate: str | int, se: str | int, p: str, *, df: float | None = None, rounding: str = "either"
) -> Tested:
    """Ask whether a printed p value is the one of an estimate and its standard error.

    Parameters
    ----------
    estimate, se : str or int
        As printed; for a mean change, its SD / sqrt(n). No effect is 0.
    p : str
    df : float, optional
        n - 1 for a paired t test; a normal distribution by default.
    rounding : str

    Returns
    -------
    Tested

    Raises
    ------
    InputError
    """
    printed, y, error = (
        read_p(p, rounding),
        rounded(estimate, rounding, "estimate"),
        rounded(se, rounding, "se"),
    )
    if error.value <= 0:
        raise InputError(f"se: expected a number greater than 0, found {error.text}")
    law = stats.norm if df is None else stats.t(df)

    def two_sided(size: float, by: float) -> float:
        return float(2 * law.sf(size / by)) if by > 0 else 0.0

    ends = sorted(abs(float(end)) for end in (y.low, y.high))
    least = 0.0 if y.low <= 0 <= y.high else ends[0]
    at = two_sided(abs(float(y.value)), float(error.value))
    low, high = two_sided(ends[1], float(error.low)), two_sided(least, float(error.high))
    name = "z" if df is None else f"t with {df:g} df"
    words = (
        f"{name} = {y.text}/{error.text} = {plain(round(float(y.value / error.value), 3))}, p = {_shown(at)}"
    )
    return answer("p against SE", printed.allows(low, high), f"{words}, printed {printed.text}")


def _shown(p: float) -> str:
    return f"{p:.3g}" if p >= 1e-4 else f"{p:.0e}" if p > 1e-99 else "under 1e-99"
