"""One printed figure: what it is about, and the values that print as it."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from kyphobayes.errors import EvidenceError
from kyphobayes.frequentist import METHODS
from kyphobayes.toml_files import check_keys, texts, typed

# What a paper may print about a group of studies; the value of each is defined in `values`.
QUANTITIES: Final = (
    "events",
    "pooled",
    "I2",
    "rate",
    "lowest_rate",
    "highest_rate",
    "ci_low",
    "ci_high",
    "tau2",
    "Q",
    "p_heterogeneity",
    "studies_without_events",
)
SHARES: Final = ("pooled", "rate", "lowest_rate", "highest_rate", "ci_low", "ci_high")
COUNTED: Final = ("events", "studies_without_events")
POOLED: Final = ("pooled", "ci_low", "ci_high", "I2", "tau2", "Q", "p_heterogeneity")  # need the method
RELATIONS: Final = ("is", "at least", "at most", "above", "below")
ROUNDINGS: Final = ("nearest", "half up", "truncated", "approximate")

KNOWN: Final = "known count"  # locator of a count that is known
SLACK: Final = 1e-9  # numerical slack at the ends of an interval, as a share of the end
_LARGEST, _DIGITS = Decimal(10) ** 12, 15


@dataclass(frozen=True)
class Printed:
    """One printed figure about a group of studies.

    Attributes
    ----------
    quantity : str
        One of `QUANTITIES`.
    studies : tuple of str
    low, high : float
        The values that print like this: low <= value <= high. Shares, not percent, where the figure is
        a rate; percent for "I2"; infinite where an inequality has no end.
    words, locator, why : str
        What the paper says, where, and (for a figure left out) why it cannot be used.
    low_open, high_open : bool
        Whether the end itself does not print like this.
    value : str
        The digits as printed.
    pooling : str
        How this figure was pooled, where not as the file's method says.
    level : float
        Of a confidence interval.
    """

    quantity: str
    studies: tuple[str, ...]
    low: float
    high: float
    words: str
    locator: str
    why: str = ""
    low_open: bool = False
    high_open: bool = False
    value: str = ""
    pooling: str = ""
    level: float = 0.95

    @property
    def inner(self) -> tuple[float, float]:
        """Ends with which numbers are compared: moved by the slack, inwards where the end is open."""
        low, high = (SLACK * abs(end) + 1e-12 if abs(end) < float("inf") else 0.0 for end in self.ends)
        return (
            self.low + (low if self.low_open else -low),
            self.high + (-high if self.high_open else high),
        )

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends."""
        return self.low, self.high

    @property
    def quoted(self) -> str:
        """The paper's words and where they are, as messages quote them."""
        return f"{self.words!r} ({self.locator})"

    def shown(self, value: float) -> str:
        """A value of this quantity in the paper's unit, with two digits more than it prints."""
        percent = self.quantity in SHARES
        if self.quantity in COUNTED:
            return f"{value:.0f}"
        text = f"{100 * value if percent else value:.4g}"
        return f"{text} %" if percent or self.quantity == "I2" else text


def known_count(study: str, events: float) -> Printed:
    """Return a count that is known, as a figure like any other."""
    text = f"{events:g}"
    words = f"{study}: {text}"
    return Printed("events", (study,), events - 0.5, events + 0.5, words, KNOWN, value=text)


def read_printed(where: str, row: Any, studies: tuple[str, ...]) -> Printed:
    """Read one entry of ``[[printed]]`` or ``[[left_out]]``.

    Raises
    ------
    EvidenceError
        Naming the entry and what it should say.
    """
    required = ["quantity", "value", "words", "locator"]
    optional = ["unit", "studies", "why", "relation", "rounding", "within", "pooling", "level"]
    check_keys(where, row, required, optional)
    quantity = _one_of(where, row, "quantity", QUANTITIES)
    value = typed(where, row, "value", str).strip().replace("\N{MINUS SIGN}", "-")
    unit = typed(where, row, "unit", str, "")
    units = ("percent", "proportion") if quantity in SHARES else ("percent",) if quantity == "I2" else ("",)
    if unit not in units:
        expected = " or ".join(repr(word) for word in units)
        raise EvidenceError(f"{where}: expected unit {expected} for {quantity}, found {unit!r}")
    concerned = texts(where, row, "studies") or studies
    if unknown := [study for study in concerned if study not in studies]:
        raise EvidenceError(f"{where}: {unknown[0]!r} is not one of the file's studies {list(studies)}")
    if len(set(concerned)) < len(concerned):
        raise EvidenceError(f"{where}: expected studies to name each study once, found {list(concerned)}")
    number, last = _number(where, quantity, value)
    low, high, low_open, high_open = _interval(where, row, number, last)
    scale = 100 if unit == "percent" and quantity in SHARES else 1
    pooling = _one_of(where, row, "pooling", METHODS, "")
    level = typed(where, row, "level", float, 95.0)
    for key, meant in (("pooling", POOLED), ("level", ("ci_low", "ci_high"))):
        if key in row and quantity not in meant:
            raise EvidenceError(f"{where}: {key} has no meaning for {quantity}; take it out")
    if not 0 < level < 100:
        raise EvidenceError(f"{where}: expected level between 0 and 100 percent, found {level:g}")
    words, locator, why = (typed(where, row, key, str, "") for key in ("words", "locator", "why"))
    return Printed(
        quantity, concerned, float(low / scale), float(high / scale), words, locator, why,
        low_open, high_open, value, pooling, level / 100,
    )  # fmt: skip


def _one_of(where: str, row: Any, key: str, known: tuple[str, ...], default: str | None = None) -> str:
    word = typed(where, row, key, str, default)
    if key in row and word not in known:
        raise EvidenceError(f"{where}: expected {key} to be one of {', '.join(known)}, found {word!r}")
    return word


def _number(where: str, quantity: str, value: str) -> tuple[Decimal, Decimal]:
    """The printed number, and one unit of its last digit."""
    if quantity == "events" and value == "none":
        value = "0"
    try:
        number = Decimal(value)
        exponent = number.as_tuple().exponent
    except InvalidOperation:
        number, exponent = Decimal(0), None
    signed = quantity == "ci_low"  # a raw proportion's lower limit may be below 0
    if not (
        isinstance(exponent, int)
        and (number >= 0 or signed)
        and abs(number) <= _LARGEST
        and exponent >= -_DIGITS
    ):
        raise EvidenceError(f"{where}: expected value to be a number as printed, in quotes, found {value!r}")
    if quantity in COUNTED and exponent < 0:
        what = "events" if quantity == "events" else "studies"
        raise EvidenceError(f"{where}: expected a whole number of {what}, found {value!r}")
    return number, Decimal(1).scaleb(min(exponent, 0))


def _interval(where: str, row: Any, number: Decimal, last: Decimal) -> tuple[Decimal, Decimal, bool, bool]:
    """Interval of values that print as the number: its two ends, and whether each is open."""
    rounding = _one_of(where, row, "rounding", ROUNDINGS, "nearest")
    relation = _one_of(where, row, "relation", RELATIONS, "is")
    if "within" in row and rounding != "approximate":
        raise EvidenceError(f'{where}: within belongs to rounding = "approximate"; take it out or say so')
    if relation in ("above", "below") and "rounding" in row:
        raise EvidenceError(
            f"{where}: {relation!r} compares with the number itself; take rounding out, or say "
            f"{'at least' if relation == 'above' else 'at most'!r}"
        )
    away = last / 2
    if rounding == "approximate":
        within = typed(where, row, "within", float, float(last))
        if not 0 <= within < float("inf"):
            raise EvidenceError(f"{where}: expected within to be 0 or more, found {within:g}")
        away = Decimal(repr(within))
    low, high = (number, number + last) if rounding == "truncated" else (number - away, number + away)
    high_open = rounding in ("truncated", "half up")
    if relation == "above":
        return number, Decimal("inf"), True, False
    if relation == "below":
        return Decimal("-inf"), number, False, True
    if relation == "at least":
        return low, Decimal("inf"), False, False
    if relation == "at most":
        return Decimal("-inf"), high, False, high_open
    return low, high, False, high_open
