"""XLSX workbooks: stored values, merged cells filled, percentages as they are shown; nothing is run."""

import datetime
import io
from pathlib import Path
from typing import Any

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.sheet import MOST_COLUMNS, MOST_ROWS, Grid, listed
from kyphobayes.own_data.text_files import read_bytes
from kyphobayes.own_data.workbook_parts import check_parts
from kyphobayes.toml_files import nearest

_MERGED = 5_000  # merged ranges; more is no table


def read_workbook(path: Path, name: str, sheet: str | None) -> Grid:
    """Read one sheet of a workbook.

    Parameters
    ----------
    path : Path
    name : str
        What messages call the file.
    sheet : str, optional
        Name or number, from 1, of the sheet; needed where several hold cells.

    Raises
    ------
    EvidenceError
        If it cannot be read, the sheet is not there or not the only one, a formula has no stored value, or it
        is too large to be a table of studies.
    """
    data = read_bytes(path, name)
    check_parts(data, name)
    stored, written = (_opened(data, name, data_only=data_only) for data_only in (True, False))
    chosen = _chosen(stored, name, sheet)
    others = [title for title in _filled(stored) if title != chosen]
    called = f"{name}, sheet {chosen}" if len(stored.sheetnames) > 1 else name
    values, formulas = stored[chosen], written[chosen]
    if values.max_column > MOST_COLUMNS:
        raise EvidenceError(f"{called}: expected at most {MOST_COLUMNS} columns, found {values.max_column}")
    rows = _rows(values, formulas)
    filled, notes = _fill_merged(values, rows)
    if filled == 0 or not any(any(row) for row in rows):
        raise EvidenceError(f"{called}: empty; expected a header and one row per study")
    if others:
        notes.append(f"sheet {chosen} read, {listed(others)} not")
    if hidden := [
        row
        for row, d in values.row_dimensions.items()
        if d.hidden and row <= len(rows) and any(rows[row - 1])
    ]:
        notes.append(f"hidden in the workbook, but read: row {listed([str(row) for row in sorted(hidden)])}")
    return Grid(called, tuple(tuple(row) for row in rows), tuple(notes))


def is_workbook(data: bytes) -> bool:
    """Whether bytes begin as those of a zip archive, which an XLSX file is."""
    return data[:4] == b"PK\x03\x04"


def _opened(data: bytes, name: str, *, data_only: bool) -> Any:
    import openpyxl

    try:
        # Only the first rows are wanted of a sheet that is too long: a streamed look comes first.
        if data_only:
            stream = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            for each in stream.worksheets:
                _check_rows(each, name)
            stream.close()
        return openpyxl.load_workbook(io.BytesIO(data), data_only=data_only, keep_vba=False, keep_links=False)
    except EvidenceError:
        raise
    except Exception as problem:  # the library lets pass whatever its parts raise on a damaged file
        detail = " ".join(str(problem).split())[:120]
        raise EvidenceError(
            f"{name}: cannot be read as an XLSX workbook: {detail or type(problem).__name__}; save "
            "it anew as "
            f".xlsx or .csv"
        ) from None


def _check_rows(sheet: Any, name: str) -> None:
    filled = 0
    for row in sheet.iter_rows(values_only=True):
        filled += any(value is not None for value in row)
        if filled > MOST_ROWS + 1:
            raise EvidenceError(
                f"{name}, sheet {sheet.title}: expected one row per study and at most {MOST_ROWS} of them, "
                f"found more; a table of patients has to be summed up first"
            )


def _filled(book: Any) -> list[str]:
    """Names of the visible sheets that hold a table: two rows with two cells at least."""
    return [
        each.title
        for each in book.worksheets
        if each.sheet_state == "visible"
        and sum(sum(value is not None for value in row) > 1 for row in each.values) > 1
    ]


def _chosen(book: Any, name: str, sheet: str | None) -> str:
    titles = [each.title for each in book.worksheets]
    if sheet is not None:
        if sheet in titles:
            return sheet
        if sheet.isascii() and sheet.isdigit() and 1 <= int(sheet) <= len(titles):
            return titles[int(sheet) - 1]
        raise EvidenceError(f"{name}: no sheet {sheet!r}; {nearest(sheet, titles)}")
    filled = _filled(book)
    if not filled:
        raise EvidenceError(f"{name}: expected a sheet with a header and one row per study, found none")
    if len(filled) > 1:
        raise EvidenceError(
            f"{name}: expected one sheet with cells, found {listed(filled)}; say which is the table with "
            f"--sheet {filled[0]!r}"
        )
    return filled[0]


def _rows(values: Any, formulas: Any) -> list[list[str]]:
    """All cells as text; a formula without a stored value is shown, and refused where it is needed."""
    return [
        [str(source.value) if cell.value is None and source.data_type == "f" else _text(cell)
         for cell, source in zip(row, raw, strict=False)]
        for row, raw in zip(values.iter_rows(), formulas.iter_rows(), strict=False)
    ]  # fmt: skip


def _text(cell: Any) -> str:
    """What a cell shows: numbers in full, percentages as such, days as 2024-03-12."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        if "%" in str(cell.number_format):
            return f"{value * 100:.12g} %"
        return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()[:10]
    return str(value).strip()


def _fill_merged(sheet: Any, rows: list[list[str]]) -> tuple[int, list[str]]:
    """Give every cell of a merged range its value, for which it was merged."""
    places = []
    for area in sorted(sheet.merged_cells.ranges, key=lambda a: (a.min_row, a.min_col))[:_MERGED]:
        if area.max_row > len(rows) or area.max_col > len(rows[0]):
            continue
        value = rows[area.min_row - 1][area.min_col - 1]
        if not value:
            continue
        for row in range(area.min_row - 1, area.max_row):
            for column in range(area.min_col - 1, area.max_col):
                rows[row][column] = value
        places.append(area.coord)
    notes = [f"merged cells filled with their value: {listed(places)}"] if places else []
    return len(rows), notes
