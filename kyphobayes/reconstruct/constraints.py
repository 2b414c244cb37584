"""What a paper prints about counts that it does not print: the constraints file and its rounding."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Self

from kyphobayes.errors import EvidenceError
from kyphobayes.frequentist import METHODS
from kyphobayes.toml_files import check_keys, read_toml, texts, typed

QUANTITIES = ("events", "pooled", "I2")
COUNT_MEASURES = ("PR", "PLO", "PLN", "PAS", "PFT")


@dataclass(frozen=True)
class Printed:
    """One printed figure about a group of studies.

    Attributes
    ----------
    quantity : {"events", "pooled", "I2"}
        Total of the counts, pooled estimate, or I-squared.
    studies : tuple of str
    low, high : float
        The values that print like this: low <= value <= high (ties round either way). Shares, not
        percent, for "pooled"; percent for "I2".
    words, locator, why : str
        What the paper says, where, and (for a figure left out) why it cannot be used.
    """

    quantity: str
    studies: tuple[str, ...]
    low: float
    high: float
    words: str
    locator: str
    why: str = ""


@dataclass(frozen=True)
class Constraints:
    """A constraints file: the studies, the paper's assumed method, and the printed figures."""

    title: str
    source: str
    outcome: str
    arm: str
    unit: str
    studies: tuple[str, ...]
    measure: str
    pooling: str
    zero_cells: float
    why: str
    printed: tuple[Printed, ...]
    left_out: tuple[Printed, ...]
    weights: tuple[tuple[tuple[int, ...], float], ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read ``data/constraints/<name>.toml``.

        Raises
        ------
        EvidenceError
            Naming the file and the entry that does not say what it must.
        """
        entry, name = read_toml(path), path.name
        required = ["title", "source", "outcome", "arm", "unit", "studies", "method", "printed"]
        check_keys(name, entry, required, ["weights", "left_out", "weight"])
        method = typed(name, entry, "method", dict)
        check_keys(f"{name} [method]", method, ["measure", "pooling", "zero_cells", "why"], [])
        if (rule := entry.get("weights", "uniform")) != "uniform":
            raise EvidenceError(
                f'{name}: expected weights = "uniform" (others as [[weight]]), found {rule!r}'
            )
        studies = texts(name, entry, "studies")
        if len(set(studies)) < max(len(studies), 1):
            raise EvidenceError(f"{name}: expected studies to name each study once, found {list(studies)}")

        def figures(key: str) -> tuple[Printed, ...]:
            rows = typed(name, entry, key, list, [])
            return tuple(_printed(f"{name} [[{key}]] {i}", row, studies) for i, row in enumerate(rows, 1))

        for key, known in (("measure", COUNT_MEASURES), ("pooling", METHODS)):
            if typed(f"{name} [method]", method, key, str) not in known:
                raise EvidenceError(
                    f"{name} [method]: expected {key} to be one of {', '.join(known)}, found {method[key]!r}"
                )
        zero_cells = typed(f"{name} [method]", method, "zero_cells", float)
        if not 0 <= zero_cells <= 1:
            raise EvidenceError(f"{name} [method]: expected zero_cells from 0 to 1, found {zero_cells:g}")
        return cls(
            *(typed(name, entry, key, str) for key in ("title", "source", "outcome", "arm", "unit")),
            studies=studies,
            measure=typed(f"{name} [method]", method, "measure", str),
            pooling=typed(f"{name} [method]", method, "pooling", str),
            zero_cells=zero_cells,
            why=typed(f"{name} [method]", method, "why", str),
            printed=figures("printed"),
            left_out=figures("left_out"),
            weights=tuple(
                _weight(f"{name} [[weight]] {i}", row, len(studies))
                for i, row in enumerate(typed(name, entry, "weight", list, []), 1)
            ),
        )


def _weight(where: str, row: Any, k: int) -> tuple[tuple[int, ...], float]:
    check_keys(where, row, ["events", "weight"], [])
    events, weight = row["events"], typed(where, row, "weight", float)
    if not isinstance(events, list) or len(events) != k or any(type(e) is not int for e in events):
        raise EvidenceError(f"{where}: expected events to be {k} whole numbers, found {events!r}")
    if not 0 < weight < float("inf"):
        raise EvidenceError(f"{where}: expected a weight greater than 0, found {weight:g}")
    return tuple(events), weight


def _printed(where: str, row: Any, studies: tuple[str, ...]) -> Printed:
    required = ["quantity", "value", "words", "locator"]
    check_keys(where, row, required, ["unit", "studies", "why"])
    quantity, value = (typed(where, row, key, str) for key in ("quantity", "value"))
    if quantity not in QUANTITIES:
        raise EvidenceError(
            f"{where}: expected quantity to be one of {', '.join(QUANTITIES)}, found {quantity!r}"
        )
    unit = typed(where, row, "unit", str, "")
    if unit != (expected := "" if quantity == "events" else "percent"):
        raise EvidenceError(f"{where}: expected unit {expected!r} for {quantity}, found {unit!r}")
    concerned = texts(where, row, "studies") or studies
    if unknown := [study for study in concerned if study not in studies]:
        raise EvidenceError(f"{where}: {unknown[0]!r} is not one of the file's studies {list(studies)}")
    low, high = _rounding(where, value, whole=quantity == "events")
    scale = 100.0 if quantity == "pooled" else 1.0
    words, locator, why = (typed(where, row, key, str, "") for key in ("words", "locator", "why"))
    return Printed(quantity, concerned, low / scale, high / scale, words, locator, why)


def _rounding(where: str, value: str, *, whole: bool) -> tuple[float, float]:
    """Interval of values that print as `value`: half a unit of its last digit to either side."""
    try:
        number = Decimal(value)
        exponent = number.as_tuple().exponent
    except InvalidOperation:
        exponent = None
    if not isinstance(exponent, int) or number < 0:
        raise EvidenceError(f"{where}: expected value to be a number as printed, in quotes, found {value!r}")
    if whole and exponent < 0:
        raise EvidenceError(f"{where}: expected a whole number of events, found {value!r}")
    half = Decimal(1).scaleb(min(exponent, 0)) / 2
    return float(number - half), float(number + half)
