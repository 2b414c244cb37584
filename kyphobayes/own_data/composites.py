"""Cells that say two things: n of 5/35, the SD of 3.4 (1.2), the limits of 1.20 [0.8; 1.7]."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kyphobayes.own_data.columns import Column, check
from kyphobayes.own_data.kinds import SECOND
from kyphobayes.own_data.sheet import Sheet
from kyphobayes.own_data.vocabulary import plain

Array = NDArray[np.float64]
Columns = dict[str, Column]
_POINT = 1.0  # percentage point by which a percentage in brackets may miss its count and n
_USED = {
    "events": {"of", "share"},
    "mean": {"bracket"},
    "y": {"low", "high", "bracket"},
}  # by the role's stem
_FORM = {
    "of": "a fraction is read as events / n only",
    "share": "a percentage in brackets is read behind a count only",
    "bracket": "say in the head or in a column of its own what the number in brackets is",
    "low": "an interval is read behind an estimate only",
    "high": "an interval is read behind an estimate only",
}


def with_composites(sheet: Sheet, read: Columns, rows: Sequence[int]) -> tuple[Columns, list[str]]:
    """Add the columns that stand in the cells of others.

    Parameters
    ----------
    sheet : Sheet
    read : dict of str to Column
    rows : sequence of int

    Returns
    -------
    dict of str to Column
    list of str
        What was read so.

    Raises
    ------
    EvidenceError
        If a cell says something that its role has no use for, or that another column contradicts.
    """
    columns, notes = dict(read), []
    for role, column in read.items():
        column = _shares_by_head(sheet, column)
        _refuse_unused(sheet, column, rows)
        for second, values, words in _said(sheet, column, rows, columns):
            columns[second] = _added(sheet, columns.get(second), second, column, values, rows)
            notes.append(f"{sheet.column(column.place)} read as {words}")
        if role.startswith("events"):
            _check_shares(sheet, column, columns.get(SECOND[role][0]), rows)
    return columns, list(dict.fromkeys(notes))


def _stem(role: str) -> str:
    return "events" if role.startswith("events") else "mean" if role.startswith("mean") else role


def _shares_by_head(sheet: Sheet, column: Column) -> Column:
    """A column "n (%)" has percentages in its brackets, without signs."""
    if _stem(column.role) != "events" or "%" not in sheet.columns[column.place]:
        return column
    seconds = dict(column.seconds)
    seconds["share"] = np.where(np.isfinite(seconds["bracket"]), seconds["bracket"], seconds["share"])
    seconds["bracket"] = np.full_like(seconds["share"], np.nan)
    return replace(column, seconds=seconds)


def _refuse_unused(sheet: Sheet, column: Column, rows: Sequence[int]) -> None:
    used = _USED.get(_stem(column.role), set())
    for name, values in column.seconds.items():
        if name not in used and np.isfinite(values).any():
            row = rows[int(np.argmax(np.isfinite(values)))]
            raise sheet.refuse(row, column.place, "one number", _FORM[name])


def _said(
    sheet: Sheet, column: Column, rows: Sequence[int], columns: Columns
) -> list[tuple[str, Array, str]]:
    """Role, values and words of what stands beside a column's numbers."""
    stem, of, bracket = _stem(column.role), column.seconds["of"], column.seconds["bracket"]
    if stem == "events" and np.isfinite(of).any():
        second = SECOND[column.role][0]
        return [(second, of, f"events / {second}")]
    if stem == "y" and np.isfinite(column.seconds["low"]).any():
        words = "estimate [confidence interval]"
        return [(f"ci_{end}", column.seconds[end], words) for end in ("low", "high")]
    if stem in ("y", "mean") and np.isfinite(bracket).any():
        row = rows[int(np.argmax(np.isfinite(bracket)))]
        head = sheet.columns[column.place]
        says_se = "se" in column.labels or plain(head).endswith(("se", "sem", "standarderror"))
        if stem == "mean":
            if says_se:
                advice = "turn standard errors into standard deviations (times the root of n)"
                raise sheet.refuse(row, column.place, "a mean with its standard deviation", advice)
            return [(SECOND[column.role][0], bracket, "mean (standard deviation)")]
        if says_se and "sd" not in column.labels:
            return [("se", bracket, "estimate (standard error)")]
        if not {"se", "v", "ci_low"} & set(columns):
            advice = "write 0.5 (SE 0.2), or call the column 'estimate (SE)', if these are standard errors"
            raise sheet.refuse(row, column.place, "an estimate", advice)
    return []


def _added(
    sheet: Sheet, given: Column | None, role: str, column: Column, values: Array, rows: Sequence[int]
) -> Column:
    """The column of a second role: the values in the cells, held against a column of its own."""
    if given is not None:
        apart = np.isfinite(given.values) & np.isfinite(values) & (given.values != values)
        if apart.any():
            i = int(np.argmax(apart))
            expected = f"what {sheet.column(given.place)} says ({given.values[i]:g})"
            raise sheet.refuse(rows[i], column.place, expected, "the two contradict each other: mend one")
        return replace(given, values=np.where(np.isfinite(given.values), given.values, values))
    empty = {name: np.full_like(values, np.nan) for name in column.seconds}
    added = replace(
        column, role=role, values=values, texts=("",) * len(values), seconds=empty, percent=False, notes=()
    )
    check(sheet, added, rows)
    return added


def _check_shares(sheet: Sheet, column: Column, n: Column | None, rows: Sequence[int]) -> None:
    """Hold a percentage in brackets behind a count against count and n."""
    share = column.seconds["share"]
    if n is None or not np.isfinite(share).any():
        return
    # where n is 0 there is no share, and none to hold to
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 100 * column.values / n.values
    wrong = np.isfinite(share) & np.isfinite(found) & (np.abs(found - share) > _POINT)
    if wrong.any():
        i = int(np.argmax(wrong))
        expected = f"{found[i]:.0f} % for {column.values[i]:g} of {n.values[i]:g}"
        raise sheet.refuse(rows[i], column.place, expected, "one of the three is wrong: mend it")
