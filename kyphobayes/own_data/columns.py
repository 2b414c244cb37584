"""A column of cells as numbers: one decimal mark for the column, everything that was done to it told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.rates import TIMES
from kyphobayes.own_data.cells import (
    COMMA,
    POINT,
    Parts,
    advice,
    is_day,
    is_missing,
    mark_of,
    number,
    parse,
)
from kyphobayes.own_data.kinds import CORRELATION, POSITIVE, ROLES, SHARE, WHOLE
from kyphobayes.own_data.sheet import Sheet, listed, shown

Array = NDArray[np.float64]
_COUNTS = 1.0, 1e12  # more than there ever were people
_NUMBERS = 1e-30, 1e30  # whose squares are numbers, too
_WHAT = {
    WHOLE: "a whole number of 0 or more",
    POSITIVE: "a number greater than 0",
    CORRELATION: "a correlation from -1 to 1",
    SHARE: "a percentage from 0 to 100",
}


@dataclass(frozen=True)
class Column:
    """The numbers of one role.

    Attributes
    ----------
    role : str
    place : int
        Of the column in the sheet.
    values : ndarray, shape (k,)
        NaN where the cell says that nothing is known.
    texts : tuple of str
        The numbers as written, for how many decimals they have.
    seconds : dict of str to ndarray, shape (k,)
        What stands beside them in the same cell: "of", "share", "bracket", "low", "high"; NaN where nothing.
    labels : frozenset of str
        What the cells call their numbers in brackets: "sd", "se".
    percent : bool
        Whether a percent sign stands in any cell.
    mark : str
        The decimal mark.
    notes : tuple of str
    """

    role: str
    place: int
    values: Array
    texts: tuple[str, ...] = field(repr=False)
    seconds: dict[str, Array] = field(repr=False)
    labels: frozenset[str]
    percent: bool
    mark: str
    notes: tuple[str, ...]


def read_columns(
    sheet: Sheet, places: dict[str, int], rows: Sequence[int], decimal: str = ""
) -> dict[str, Column]:
    """Read the columns of a table's roles.

    Parameters
    ----------
    sheet : Sheet
    places : dict of str to int
        Role to column.
    rows : sequence of int
        Rows of the sheet that are studies.
    decimal : {"", ".", ","}
        The decimal mark, where the user said it.

    Raises
    ------
    EvidenceError
        Naming the cell that is no number or not of the column's kind, or that can be read in two ways.
    """
    parsed = {role: _parsed(sheet, role, place, rows) for role, place in places.items()}
    marks = _marks(sheet, places, parsed, rows, decimal)
    return {role: _column(sheet, role, places[role], rows, parsed[role], marks[role]) for role in places}


def _parsed(sheet: Sheet, role: str, place: int, rows: Sequence[int]) -> list[Parts | None]:
    """Cells taken apart; None where they say that nothing is known."""
    found: list[Parts | None] = []
    for row in rows:
        cell = sheet.rows[row][place]
        parts = None if is_missing(cell) else parse(cell)
        if parts is None and not is_missing(cell):
            expected = "a fraction or a number" if is_day(cell) and role.startswith("events") else "a number"
            raise sheet.refuse(row, place, expected, advice(cell) or "mend the cell or take the row out")
        found.append(parts)
    return found


def _marks(
    sheet: Sheet,
    places: dict[str, int],
    parsed: dict[str, list[Parts | None]],
    rows: Sequence[int],
    decimal: str,
) -> dict[str, str]:
    """Decimal mark of each column: its own evidence first, then that of the other columns and the file."""
    if decimal:
        return dict.fromkeys(places, decimal)
    shows = {role: _evidence(sheet, places[role], parsed[role], rows) for role in places}
    everywhere = {mark for mark in shows.values() if mark}
    marks = {}
    for role, own in shows.items():
        if own:
            marks[role] = own
            continue
        unsure = [
            (row, text)
            for row, parts in zip(rows, parsed[role], strict=True)
            if parts is not None
            for text in parts.numbers
            if mark_of(text) == "" and (POINT in text or COMMA in text)
        ]
        if not unsure:
            marks[role] = POINT
        elif len(everywhere) == 1:
            marks[role] = next(iter(everywhere))
        else:
            marks[role] = _unsure(sheet, role, places[role], unsure)
    return marks


def _unsure(sheet: Sheet, role: str, place: int, unsure: list[tuple[int, str]]) -> str:
    """The mark where "1,234" and "1.234" are all there is to judge by."""
    row, text = unsure[0]
    between = {COMMA if COMMA in each else POINT for _, each in unsure}
    if len(between) == 1:
        mark = between.pop()
        if ROLES[role] == WHOLE:  # a count has no decimals
            return POINT if mark == COMMA else COMMA
        if mark == POINT:
            return POINT
        if sheet.european:
            return COMMA
    as_point, as_comma = number(text, POINT), number(text, COMMA)
    raise sheet.refuse(
        row, place, "a number that can be read in one way",
        f"it is {_plainly(as_point)} or {_plainly(as_comma)}: say which with --decimal point or "
        "--decimal comma",
    )  # fmt: skip


def _plainly(value: float | None) -> str:
    return "no number" if value is None else f"{value:.10g}"


def _evidence(sheet: Sheet, place: int, parsed: list[Parts | None], rows: Sequence[int]) -> str:
    """The mark that a column shows; empty where it shows none.

    Raises
    ------
    EvidenceError
        If two cells show different ones.
    """
    seen: dict[str, tuple[int, str]] = {}
    for row, parts in zip(rows, parsed, strict=True):
        for text in () if parts is None else parts.numbers:
            if mark := mark_of(text):
                seen.setdefault(mark, (row, text))
    if len(seen) == 2:
        (one, a), (other, b) = seen[POINT], seen[COMMA]
        raise EvidenceError(
            f"{sheet.name}, {sheet.column(place)}: expected one decimal mark, found a point in "
            f"{sheet.places[one]} "
            f"({shown(a)}) and a comma in {sheet.places[other]} ({shown(b)}); write all alike"
        )
    return next(iter(seen), "")


def _column(
    sheet: Sheet, role: str, place: int, rows: Sequence[int], parsed: list[Parts | None], mark: str
) -> Column:
    k = len(rows)
    values = np.full(k, np.nan)
    seconds = {name: np.full(k, np.nan) for name in ("of", "share", "bracket", "low", "high")}
    texts, thousands, marked, percent = [], [], [], False
    for i, (row, parts) in enumerate(zip(rows, parsed, strict=True)):
        texts.append("" if parts is None else parts.value)
        if parts is None:
            continue
        for name in ("value", *seconds):
            text = getattr(parts, name)
            if not text:
                continue
            value = number(text, mark)
            if value is None or not np.isfinite(value):
                word = "point" if mark == POINT else "comma"
                raise sheet.refuse(row, place, f"a finite number with a decimal {word}", "mend the cell")
            if name == "value":
                values[i] = value
            else:
                seconds[name][i] = value
            other = COMMA if mark == POINT else POINT
            if other in text or any(blank in text for blank in " '’"):
                thousands.append((sheet.places[row], text, value))
        if parts.marked:
            marked.append(sheet.places[row])
        percent |= parts.percent
    labels = frozenset(parts.label for parts in parsed if parts is not None and parts.label)
    column = Column(
        role, place, values, tuple(texts), seconds, labels, percent, mark,
        _told(sheet, role, place, parsed, mark, thousands, marked),
    )  # fmt: skip
    check(sheet, column, rows)
    return column


def _told(
    sheet: Sheet,
    role: str,
    place: int,
    parsed: list[Parts | None],
    mark: str,
    thousands: list[tuple[str, str, float]],
    marked: list[str],
) -> tuple[str, ...]:
    notes = []
    name = sheet.column(place)
    signs = [parts.percent for parts in parsed if parts is not None]
    if any(signs) and ROLES[role] != SHARE:
        if not all(signs):
            raise EvidenceError(
                f"{sheet.name}, {name}: expected percent signs in all cells or in none; write all alike"
            )
        notes.append(f"percent signs left off in {name}: its numbers are percentages")
    if mark == COMMA and any(COMMA in text for parts in parsed if parts for text in parts.numbers):
        notes.append(f"decimal commas read in {name}")
    if thousands:
        where, text, value = thousands[0]
        notes.append(f"separators of thousands read in {name} ({where}: {shown(text)} is {value:.10g})")
    if marked:
        notes.append(f"footnote marks left off in {name}, {listed(marked)}")
    return tuple(notes)


def check(sheet: Sheet, column: Column, rows: Sequence[int]) -> None:
    """Refuse what the role cannot be: half an event, a negative standard error, a percentage for a count.

    Raises
    ------
    EvidenceError
    """
    kind, values = ROLES[column.role], column.values
    known = np.isfinite(values)
    wrong = np.zeros(len(values), dtype=bool)
    if kind == WHOLE:
        if column.percent:
            i = next(i for i, row in enumerate(rows) if "%" in sheet.rows[row][column.place])
            raise sheet.refuse(
                rows[i], column.place, "a number of events or patients",
                "a percentage: name this column with --percent, and counts are found where n allows only one",
            )  # fmt: skip
        wrong = known & ((values < 0) | (values != np.floor(values)))
    elif kind == POSITIVE:
        wrong = known & ~(values > 0)
    elif kind == CORRELATION:
        wrong = known & ~(np.abs(values) <= 1)
    elif kind == SHARE:
        wrong = known & ~((values >= 0) & (values <= 100))
    if wrong.any():
        raise sheet.refuse(rows[int(np.argmax(wrong))], column.place, _WHAT[kind], "mend the cell")
    least, most = _COUNTS if kind == WHOLE else TIMES if column.role.startswith("time") else _NUMBERS
    size = np.abs(values)
    if (odd := known & (size > 0) & ((size < least) | (size > most))).any():
        raise sheet.refuse(
            rows[int(np.argmax(odd))],
            column.place,
            f"0, or a size from {least:g} to {most:g}",
            "take another unit",
        )
