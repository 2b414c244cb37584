r"""What a cell says: a number, a fraction such as 5/35, a number with another in brackets, or an interval.

A cell is read in two steps. `parse` takes it apart by its form, without deciding what a comma means; `number`
reads each part once the column's decimal mark is known.
"""

import re
from dataclasses import dataclass

POINT, COMMA = ".", ","
MISSING = frozenset(
    (
        *("", "na", "n/a", "n.a.", "nan", "nr", "n.r.", "nd", "n.d.", "none", "null", "missing", "unknown"),
        *("#n/a", "-", "–", "—", ".", "..", "...", "?", "k. a.", "k.a."),
        *("not reported", "not stated", "not available"),
    )
)
MARKS = "*†‡§¶#ªº¹²³⁰⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠ"
_MINUS = dict.fromkeys(map(ord, "−‒–—﹣－"), "-")
_BLANKS = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u2002\u2003"), " ")
_DIGITS = r"(?:[0-9]{1,3}(?:[ '’][0-9]{3})+(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)*[.,]?|[.,][0-9]+)"
_NUMBER = rf"[-+]?{_DIGITS}(?:[eE][-+]?[0-9]{{1,3}})?"
_PLAIN = re.compile(_NUMBER)
_SIGNED = re.compile(rf"({_NUMBER}) ?(%)?")
_FRACTION = re.compile(rf"({_DIGITS}) ?(?:/|of|out of) ?({_DIGITS})(?: ?[(\[]=? ?({_DIGITS}) ?%[)\]])?")
_BRACKET = re.compile(
    rf"({_NUMBER}) ?(%)? ?(?:"
    rf"[(\[] ?(?:(SD|SE|s\.d\.|s\.e\.)[ =:]*)?({_NUMBER}) ?(%)? ?[)\]]"
    rf"|(?:±|\+/-|\+-) ?({_NUMBER}))",
    re.IGNORECASE,
)
# Between two limits a comma stands with a blank, or beside two decimal points: else it is a decimal comma.
_POINTED = r"[-+]?[0-9]*\.[0-9]+"
_INTERVAL = re.compile(
    rf"({_NUMBER}) ?[(\[{{] ?(?:(?:[0-9]{{2}}(?:\.[0-9])? ?% ?-?)?(?:CI|CrI|KI)[:, =]*)?"
    rf"(?:({_NUMBER}) ?(?:to|bis|;|, |-|\.\.|:) ?({_NUMBER})|({_POINTED}),({_POINTED})) ?[)\]}}]",
    re.IGNORECASE,
)
_MONTHS = "jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"
_DAY = re.compile(
    rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|[0-9]{{1,2}}[-. ]{{1,2}}(?:{_MONTHS})[a-zä]*\.?(?:[- ][0-9]{{2,4}})?",
    re.IGNORECASE,
)
_BOUND = re.compile(r"(?:[<>≤≥~≈]|ca\.?|about|approx\.?|up to) ?[0-9]", re.IGNORECASE)


@dataclass(frozen=True)
class Parts:
    """A cell taken apart; numbers are still text.

    Attributes
    ----------
    value : str
        The number, or the numerator of a fraction.
    of : str
        Denominator of a fraction.
    share : str
        Percentage in brackets behind a number or fraction.
    bracket : str
        A number in brackets, or behind ±, that is no percentage.
    label : str
        "sd" or "se" where the cell says which the number in brackets is.
    low, high : str
        Of an interval in brackets.
    percent : bool
        Whether a percent sign follows the number.
    marked : bool
        Whether footnote marks were taken off.
    """

    value: str
    of: str = ""
    share: str = ""
    bracket: str = ""
    label: str = ""
    low: str = ""
    high: str = ""
    percent: bool = False
    marked: bool = False

    @property
    def numbers(self) -> tuple[str, ...]:
        """All numbers, as text."""
        found = (self.value, self.of, self.share, self.bracket, self.low, self.high)
        return tuple(text for text in found if text)


def is_missing(cell: str) -> bool:
    """Whether a cell says that nothing is known: empty, NA, NR, a dash."""
    return cell.strip(" \u00a0\u2007\u2009\u202f").casefold() in MISSING


def is_number(cell: str) -> bool:
    """Whether a cell has the form of a number, a fraction or an estimate with brackets."""
    return parse(cell) is not None


def parse(cell: str) -> Parts | None:
    """Take a cell apart by its form; None if it is none that a number has."""
    if len(cell) > 80:
        return None
    text = cell.translate(_BLANKS).translate(_MINUS).strip().lstrip("'").strip()
    bare = text.rstrip(MARKS).rstrip()
    marked = bare != text and bare[-1:].isalnum() | (bare[-1:] in ")]%.,")
    text = bare if marked else text
    if found := _SIGNED.fullmatch(text):
        return Parts(found[1].strip(), percent=bool(found[2]), marked=marked)
    if found := _FRACTION.fullmatch(text):
        return Parts(found[1], of=found[2], share=found[3] or "", marked=marked)
    if found := _INTERVAL.fullmatch(text):
        low, high = (found[2], found[3]) if found[2] else (found[4], found[5])
        return Parts(found[1], low=low, high=high, marked=marked)
    if found := _BRACKET.fullmatch(text):
        value, first, label, inside, second, behind = found.groups()
        if second:
            return Parts(value, share=inside, percent=bool(first), marked=marked)
        label = (label or "").replace(".", "").casefold()
        return Parts(value, bracket=inside or behind, label=label, percent=bool(first), marked=marked)
    return None


def advice(cell: str) -> str:
    """What to do about a cell that is no number, where its form says why."""
    text = cell.translate(_BLANKS).translate(_MINUS).strip()
    if _DAY.fullmatch(text):
        return "a spreadsheet made a day of it: format the column as text and enter it again"
    if _BOUND.match(text):
        return "a bound is no number: enter what the study found"
    if text.startswith("="):
        return "a formula whose value is not stored: open the workbook in a spreadsheet program and save it"
    if text.startswith("#"):
        return "the spreadsheet could not compute it"
    if re.fullmatch(r"[-+]?inf(inity)?|∞", text, re.IGNORECASE):
        return "an infinite value says nothing: leave the study out or mend the row"
    return ""


def is_day(cell: str) -> bool:
    """Whether a cell holds a day, as spreadsheets make of fractions."""
    return bool(_DAY.fullmatch(cell.strip()))


def mark_of(text: str) -> str:
    """The decimal mark that a number shows by its form; empty where both readings are possible.

    "1,5" and "0,123" have a decimal comma, "1,234.5" and "1,234,567" a decimal point; "1,234" may be
    one thousand or one and a bit, and "12" says nothing.
    """
    text = re.split(r"[eE]", text.strip().lstrip("+-"))[0]
    points, commas = text.count(POINT), text.count(COMMA)
    if points and commas:
        return POINT if text.rfind(POINT) > text.rfind(COMMA) else COMMA
    if points + commas == 0:
        return ""
    mark, other = (POINT, COMMA) if points else (COMMA, POINT)
    if points + commas > 1:
        return other  # several of one kind separate thousands
    before, after = text.split(mark)
    if len(after) != 3 or before in ("", "0") or len(before) > 3 or " " in before or before.startswith("0"):
        return mark
    return ""


def number(text: str, mark: str) -> float | None:
    """The value of a number under a decimal mark; None where its separators do not fit.

    Blanks, apostrophes and the other mark separate thousands.
    """
    other = COMMA if mark == POINT else POINT
    # the pattern matches every text, so that there is a match
    whole, exponent, power = re.fullmatch(r"([^eE]*)([eE]?)(.*)", text.strip().translate(_MINUS)).groups()  # pyright: ignore
    sign = -1.0 if whole.startswith("-") else 1.0
    digits, _, decimals = whole.lstrip("+-").partition(mark)
    for separator in (other, " ", "'", "’"):
        if separator in digits:
            if not re.fullmatch(rf"[0-9]{{1,3}}(?:{re.escape(separator)}[0-9]{{3}})+", digits):
                return None
            digits = digits.replace(separator, "")
    if not re.fullmatch(r"[0-9]*", digits) or not re.fullmatch(r"[0-9]*", decimals) or not digits + decimals:
        return None
    return sign * float(f"{digits or '0'}.{decimals or '0'}{exponent}{power}")


def decimals_of(text: str, mark: str) -> int:
    """Number of decimals that are printed."""
    return len(text.partition(mark)[2])
