"""Which tests the cells of one row allow."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kyphobayes.audit.debit import debit
from kyphobayes.audit.grim import grim
from kyphobayes.audit.grimmer import grimmer
from kyphobayes.audit.intervals import PROPORTIONS, RATIOS, centred, p_against_error, p_against_interval
from kyphobayes.audit.percentages import percentage
from kyphobayes.audit.rounding import rounded
from kyphobayes.audit.spread import sd_on_scale, se_or_sd
from kyphobayes.audit.tested import Tested, answer
from kyphobayes.errors import InputError

Cells = Mapping[str, str]  # the filled cells of a row, by column
COLUMNS: Final = {
    "study": "name of the row; so are arm, timepoint and outcome",
    "n": "people",
    "mean": "mean, as printed",
    "sd": "standard deviation, as printed",
    "se": "standard error, as printed",
    "low": "lower end of the scale",
    "high": "upper end of the scale",
    "min": "least value observed",
    "max": "greatest value observed",
    "items": "items of which a score is the mean, each a whole number; 1 for a plain whole-numbered scale",
    "events": "count",
    "percent": "percentage of n, as printed",
    "estimate": "effect, as printed",
    "ci_low": "first limit of its 95 % confidence interval",
    "ci_high": "second limit",
    "p": "p value of the estimate against no effect, such as < .001",
    "measure": f"effect measure; {', '.join(RATIOS)} are ratios, with an interval on the log scale",
}
LABELS: Final = ("study", "arm", "timepoint", "outcome")
NUMBERS: Final = tuple(name for name in COLUMNS if name not in (*LABELS, "p", "measure"))
WHOLE: Final = ("n", "items", "events")


def tests_of(cells: Cells, rounding: str) -> Iterator[Tested]:
    """Every test that the filled cells of a row allow.

    Raises
    ------
    InputError
        If a cell cannot be used.
    """
    for needed, test in _TESTS:
        if all(name in cells for name in needed):
            found = test(cells, rounding)
            if found is not None:
                yield found


def needs(columns: list[str]) -> bool:
    """Whether columns allow any test at all."""
    return any(all(name in columns for name in needed) for needed, _ in _TESTS)


def _n(cells: Cells) -> int:
    return int(cells["n"])


def _scale(cells: Cells) -> dict[str, int | None]:
    """Ends of a whole-numbered scale; none where they are not whole."""
    ends = {name: rounded(cells[name], what=name).value for name in ("low", "high") if name in cells}
    whole = {name: int(end) for name, end in ends.items() if end.denominator == 1}
    return {name: whole.get(name) for name in ("low", "high")}


def _items(cells: Cells) -> int:
    return int(cells.get("items", 0))


def _grim(cells: Cells, rounding: str) -> Tested:
    return grim(cells["mean"], _n(cells), items=_items(cells), rounding=rounding, **_scale(cells))


def _grimmer(cells: Cells, rounding: str) -> Tested | None:
    if _n(cells) < 2:
        return None
    scale, items = _scale(cells), _items(cells)
    return grimmer(
        cells["mean"], cells["sd"], _n(cells), items=items, low=scale["low"], high=scale["high"],
        rounding=rounding,
    )  # fmt: skip


def _debit(cells: Cells, rounding: str) -> Tested | None:
    binary = _scale(cells) == {"low": 0, "high": 1} and _items(cells) == 1
    return (
        debit(cells["mean"], cells["sd"], _n(cells), rounding=rounding) if binary and _n(cells) > 1 else None
    )


def _mean_inside(first: str, last: str, what: str) -> Callable[[Cells, str], Tested]:
    def test(cells: Cells, rounding: str) -> Tested:
        mean = rounded(cells["mean"], rounding, "mean")
        low, high = (rounded(cells[name], rounding, name) for name in (first, last))
        inside = low.low <= mean.high and mean.low <= high.high
        return answer(f"mean in the {what}", inside, f"{mean.text} in {low.text} to {high.text}")

    return test


def _sd_inside(first: str, last: str, attained: bool) -> Callable[[Cells, str], Tested | None]:
    def test(cells: Cells, rounding: str) -> Tested | None:
        if _n(cells) < 2 or rounded(cells[first]).value >= rounded(cells[last]).value:
            return None
        return sd_on_scale(
            cells["mean"], cells["sd"], _n(cells), cells[first], cells[last],
            items=_whole_items(cells, first, last), attained=attained, rounding=rounding,
        )  # fmt: skip

    return test


def _whole_items(cells: Cells, first: str, last: str) -> int:
    """Items, where the mean is one of whole numbers; 0 where GRIM says already that it is none."""
    items = _items(cells)
    if not items or any((rounded(cells[x]).value * items).denominator != 1 for x in (first, last)):
        return 0
    return items if grim(cells["mean"], _n(cells), items=items).passed else 0


def _range_and_sd(cells: Cells, rounding: str) -> Tested | None:
    if _n(cells) < 2 or rounded(cells["min"]).value >= rounded(cells["max"]).value:
        return None
    return se_or_sd(cells["sd"], _n(cells), smallest=cells["min"], greatest=cells["max"], rounding=rounding)


def _sd_and_se(cells: Cells, rounding: str) -> Tested | None:
    return se_or_sd(cells["sd"], _n(cells), se=cells["se"], rounding=rounding) if _n(cells) > 1 else None


def _percentage(cells: Cells, rounding: str) -> Tested:
    events = int(cells["events"]) if "events" in cells else None
    return percentage(cells["percent"], _n(cells), events=events, rounding=rounding)


def _events(cells: Cells, rounding: str) -> Tested:
    events, n = int(cells["events"]), _n(cells)
    return answer("events and n", events <= n, f"{events} of {n}")


def _ratio(cells: Cells) -> bool:
    return cells.get("measure", "").upper() in RATIOS


def _interval(name: str) -> Callable[[Cells, str], Tested | None]:
    def test(cells: Cells, rounding: str) -> Tested | None:
        if name == "mean" and "estimate" in cells:
            return None
        # For a proportion, and where no measure is told, the interval may lie around it on any scale.
        measure = cells.get("measure", "").upper()
        told = (measure and measure not in PROPORTIONS) or name == "mean"
        scale = "log" if measure in RATIOS else "raw" if told else None
        return centred(cells[name], cells["ci_low"], cells["ci_high"], scale=scale, rounding=rounding)

    return test


def _p_and_interval(cells: Cells, rounding: str) -> Tested | None:
    if rounded(cells["ci_low"]).value == rounded(cells["ci_high"]).value:
        return None
    given = cells["estimate"], cells["ci_low"], cells["ci_high"], cells["p"]
    found = p_against_interval(*given, ratio=_ratio(cells), rounding=rounding)
    if found.passed or "n" not in cells or _n(cells) < 2:
        return found
    other = p_against_interval(*given, ratio=_ratio(cells), df=_n(cells) - 1, rounding=rounding)
    return other if other.passed else found


def _p_and_error(cells: Cells, rounding: str) -> Tested:
    given = cells["estimate"], cells["se"], cells["p"]
    found = p_against_error(*given, rounding=rounding)
    if found.passed or "n" not in cells or _n(cells) < 2:
        return found
    other = p_against_error(*given, df=_n(cells) - 1, rounding=rounding)
    return other if other.passed else found


_TESTS: Final[tuple[tuple[tuple[str, ...], Callable[[Cells, str], Tested | None]], ...]] = (
    (("n", "mean", "items"), _grim),
    (("n", "mean", "sd", "items"), _grimmer),
    (("n", "mean", "sd", "low", "high", "items"), _debit),
    (("mean", "low", "high"), _mean_inside("low", "high", "scale")),
    (("mean", "min", "max"), _mean_inside("min", "max", "range")),
    (("n", "mean", "sd", "low", "high"), _sd_inside("low", "high", attained=False)),
    (("n", "mean", "sd", "min", "max"), _sd_inside("min", "max", attained=True)),
    (("n", "sd", "min", "max"), _range_and_sd),
    (("n", "sd", "se"), _sd_and_se),
    (("n", "events"), _events),
    (("n", "percent"), _percentage),
    (("estimate", "ci_low", "ci_high"), _interval("estimate")),
    (("mean", "ci_low", "ci_high"), _interval("mean")),
    (("estimate", "ci_low", "ci_high", "p"), _p_and_interval),
    (("estimate", "se", "p"), _p_and_error),
)


def refuse(cells: Cells) -> None:
    """Refuse what no test can use: numbers that are none, counts that are not whole.

    Raises
    ------
    InputError
        Naming the column.
    """
    for name, cell in cells.items():
        if name not in NUMBERS:
            continue
        value = rounded(cell, what=f"column {name}").value
        if name in WHOLE and (value.denominator != 1 or value < (0 if name == "events" else 1)):
            least = "0" if name == "events" else "1"
            raise InputError(f"column {name}: expected a whole number from {least} on, found {cell!r}")
        if name in ("sd", "se") and value < 0:
            raise InputError(f"column {name}: expected a number of at least 0, found {cell!r}")
    for first, last in (("low", "high"), ("min", "max")):
        if first in cells and last in cells and rounded(cells[first]).value > rounded(cells[last]).value:
            found = f"{cells[first]} and {cells[last]}"
            raise InputError(f"columns {first} and {last}: expected {first} <= {last}, found {found}")
