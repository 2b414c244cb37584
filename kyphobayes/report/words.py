"""Numbers as people read them: rounded to what they are worth, never with false precision.

Before a percent sign stands a space that does not break.
"""

import math
from typing import Any

from kyphobayes.names import PLO
from kyphobayes.natural_scale import NaturalScale

NONE = "–"  # stands where there is no value
PERCENT = "\u00a0%"
_SMALL = (
    "No",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
)
_FEW = 20.0  # percent below which one decimal is shown


def percent(share: float, unit: bool = True) -> str:
    r"""Write a share as a percentage.

    Parameters
    ----------
    share : float
        Between 0 and 1; NaN gives a dash.
    unit : bool
        Whether to add the sign.

    Examples
    --------
    >>> percent(0.0588), percent(0.5463), percent(0.0004), percent(1)
    ('5.9\xa0%', '55\xa0%', 'under 0.1\xa0%', '100\xa0%')
    """
    if not math.isfinite(share):
        return NONE
    return _number(100 * share, _FEW) + (PERCENT if unit else "")


def threshold(share: float) -> str:
    """Write the share that a decision is about as it was given: ``10 %``."""
    return f"{100 * share:.6g}{PERCENT}"


def probability(share: float) -> str:
    r"""Write a probability in whole percent, near 0 and 1 with one decimal.

    Examples
    --------
    >>> probability(0.8978), probability(0.9964), probability(0.99999)
    ('90\xa0%', '99.6\xa0%', 'over 99.9\xa0%')
    """
    if not math.isfinite(share):
        return NONE
    return _number(100 * share, 0.95) + PERCENT


def percents(low: float, high: float, unit: bool = True) -> str:
    """Write an interval of shares, such as ``2.0 to 13.4 %``; one value where the ends read alike."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NONE
    first, last = percent(low, unit=False), percent(high, unit=False)
    return (first if first == last else f"{first} to {last}") + (PERCENT if unit else "")


def probabilities(low: float, high: float) -> str:
    """Write a range of probabilities, such as ``37 to 90 %``."""
    first, last = probability(low).removesuffix(PERCENT), probability(high)
    return last if first + PERCENT == last else f"{first} to {last}"


def decimal(value: float, digits: int = 2) -> str:
    """Write a number with fixed decimals and a true minus sign; a dash where there is none."""
    if not math.isfinite(value):
        return NONE
    return f"{value:.{digits}f}".replace("-", "−")


def decimals(low: float, high: float, digits: int = 2) -> str:
    """Write an interval with fixed decimals, such as ``−1.20 to 0.35``; a dash where an end is missing."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NONE
    return f"{decimal(low, digits)} to {decimal(high, digits)}"


def significant(value: float) -> str:
    """Write a number of unknown size: whole from 100 on, with three decimals, or with two digits if tiny.

    Examples
    --------
    >>> significant(1237.4), significant(1.0021), significant(0.00196), significant(0.0)
    ('1237', '1.002', '0.002', '0')
    """
    if not math.isfinite(value):
        return NONE
    if value == 0 or abs(value) >= 100:
        return whole(value)
    return (f"{value:.3f}" if abs(value) >= 0.001 else f"{value:.1g}").replace("-", "−")


def value(number: float, scale: NaturalScale, unit: bool = True) -> str:
    r"""Write an estimate on the scale that people read.

    Parameters
    ----------
    number : float
        Shares between 0 and 1; NaN gives a dash.
    scale : NaturalScale
    unit : bool
        Whether to add the scale's unit.

    Examples
    --------
    >>> from kyphobayes.natural_scale import natural_scale
    >>> value(0.0588, natural_scale("PLO")), value(-5.21, natural_scale("MD", unit="points"))
    ('5.9\xa0%', '−5.21\xa0points')
    """
    if scale.measure == PLO:
        return percent(number, unit)
    return _plain(number) + (_unit(scale) if unit and math.isfinite(number) else "")


def values(low: float, high: float, scale: NaturalScale, unit: bool = True) -> str:
    """Write an interval of estimates, such as ``2.0 to 13.4 %`` or ``0.62 to 6.80``."""
    if scale.measure == PLO:
        return percents(low, high, unit)
    if math.isnan(low) or math.isnan(high):
        return NONE
    first, last = _plain(low), _plain(high)
    return (first if first == last else f"{first} to {last}") + (_unit(scale) if unit else "")


def estimated(row: Any, scale: NaturalScale, unit: bool = True) -> str:
    """Write median and interval of a row with median, low and high: ``5.9 % (2.0 to 13.4 %)``."""
    interval = values(row["low"], row["high"], scale, unit and scale.measure == PLO)
    return f"{value(row['median'], scale, unit)} ({interval})"


def limit(number: float, scale: NaturalScale, unit: bool = True) -> str:
    """Write the limit that a decision is about as it was given: ``10 %``, ``0.5 points``, ``1``."""
    if scale.measure == PLO:
        return threshold(number)
    return f"{number:.6g}".replace("-", "−") + (_unit(scale) if unit else "")


def model_unit(scale: NaturalScale) -> str:
    """What tau is measured in: ``log odds``, ``log rate``, ``log odds ratio``, the effect's own unit."""
    if scale.measure == PLO:
        return "log odds"
    if scale.null is None or scale.logarithmic:
        return f"log {scale.name}"
    return scale.unit or f"scale of the {scale.name}"


def heading(scale: NaturalScale) -> str:
    """Name with its unit in brackets, for axes and columns: ``rate (%)``, ``odds ratio``."""
    return f"{scale.name} ({scale.unit})" if scale.unit else scale.name


def _unit(scale: NaturalScale) -> str:
    return f"\u00a0{scale.unit}" if scale.unit else ""


def _plain(number: float) -> str:
    """Three digits, or two where it is small; a bound that is infinite says so."""
    if math.isnan(number):
        return NONE
    if math.isinf(number):
        return "infinity" if number > 0 else "−infinity"
    size = abs(number)
    if size >= 100:
        return whole(number)
    if size >= 0.095 or size == 0:
        digits = 1 if size >= 10 else 2
        return decimal(number, digits)
    return f"{number:.2g}".replace("-", "−")


def whole(value: float) -> str:
    """Write a whole number, with thin spaces between thousands from 10 000 on."""
    if not math.isfinite(value):
        return NONE
    text = f"{value:.0f}" if abs(value) < 10_000 else f"{value:,.0f}".replace(",", "\u2009")
    return text.replace("-", "−")


def span(values: "list[float] | tuple[float, ...]", joint: str = "–") -> str:
    """Write the range of whole numbers, such as ``9–12``, or the one number they all are."""
    low, high = min(values), max(values)
    return whole(low) if low == high else f"{whole(low)}{joint}{whole(high)}"


def about(mean: float) -> str:
    """Write an expected number of cases: whole from 1 on, else one decimal."""
    if mean >= 0.95:
        return whole(mean)
    return "fewer than 0.1" if mean < 0.05 else f"{mean:.1f}"


def singular(phrase: str) -> str:
    """Turn a plural phrase into the singular by its first word: ``patients in pain``, ``patient in pain``."""
    head, _, rest = phrase.partition(" ")
    if head.endswith("ies") and len(head) > 4:
        head = head[:-3] + "y"
    elif head.endswith("s") and not head.endswith("ss"):
        head = head[:-1]
    return f"{head} {rest}".strip()


def spelled(number: int) -> str:
    """Write a number that begins a sentence: small ones as words."""
    return _SMALL[number] if 0 <= number < len(_SMALL) else whole(number)


def counted(number: str, phrase: str) -> str:
    """Write a number with its noun: ``1 leak``, ``2 leaks``."""
    return f"{number} {singular(phrase) if number == '1' else phrase}"


def listed(words: "list[str] | tuple[str, ...]") -> str:
    """Join words as ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _number(value: float, few: float) -> str:
    """One decimal below `few` and close to 100, else whole; the ends say that they are rounded."""
    if value <= 0:
        return "0"
    if value < 0.05:
        return "under 0.1"
    if value >= 100:
        return "100"
    if value > 99.95:
        return "over 99.9"
    if value >= 99 or value < few:
        return f"{value:.1f}"
    return f"{value:.0f}"
