"""Text files with cells between commas, semicolons or tabs, in the encodings that spreadsheets write."""

import codecs
import csv
import io
import os
import re
from pathlib import Path

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.sheet import MOST_COLUMNS, MOST_ROWS, Grid

MOST_BYTES = 20_000_000
_MOST_LINES = 10 * MOST_ROWS  # empty ones among them
_BETWEEN = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}  # the last where all fit as well
_ALIKE = 0.9  # share of the rows that have as many cells as the header where the separator is the right one
_PROBED, _PROBED_LETTERS = 200, 1_000_000  # rows by which it is judged, and characters at most
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_SEPARATOR_LINE = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE)  # which a spreadsheet writes for itself


def read_text_file(path: Path, name: str) -> Grid:
    """Read a text file whose separator and encoding nobody has said.

    Parameters
    ----------
    path : Path
    name : str
        What messages call it.

    Raises
    ------
    EvidenceError
        If it cannot be read, is no text, holds nothing, or is too large to be a table of studies.
    """
    data = read_bytes(path, name)
    text, notes = _decoded(data, name)
    return _grid(text, name, notes)


def read_bytes(path: Path, name: str) -> bytes:
    """The content of a file that may be a table of studies.

    Raises
    ------
    EvidenceError
        If there is no such file, it cannot be read, or it is larger than any such table.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)  # of a device there is no end
            size = max(len(data), os.fstat(file.fileno()).st_size)
    except FileNotFoundError:
        raise EvidenceError(f"{name}: no such file; give the path of a .csv, .tsv or .xlsx file") from None
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise EvidenceError(f"{name}: cannot be read: {problem}") from None
    if size > MOST_BYTES:
        raise EvidenceError(
            f"{name}: expected a table with one row per study, found {size / 1e6:,.0f} MB; save the table "
            f"alone (at most {MOST_BYTES / 1e6:.0f} MB)"
        )
    return data


def _decoded(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """The text, and what is to be said about its encoding."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _with(data, encoding, name), ()
    # UTF-16 without a mark: every second byte of Latin text is NUL.
    start = data[:400]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(start) > 3 and start[offset::2].count(0) > 0.6 * len(start[offset::2]):
            return _with(data, encoding, name), ("read as UTF-16",)
    try:
        return _plain(data.decode("utf-8"), name), ()
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    note = "not UTF-8: letters read as Windows-1252 (Latin-1), as older spreadsheets write them"
    return _plain(text, name), (note,)


def _with(data: bytes, encoding: str, name: str) -> str:
    try:
        return _plain(data.decode(encoding), name)
    except UnicodeDecodeError as problem:
        raise EvidenceError(f"{name}: cannot be read as {encoding} text: {problem.reason}") from None


def _plain(text: str, name: str) -> str:
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise EvidenceError(
            f"{name}, line {line}: expected plain text, found the control character "
            f"{found.group()!r}; save the table as .csv or .xlsx"
        )
    return text


def _grid(text: str, name: str, notes: tuple[str, ...]) -> Grid:
    skipped = 0
    first, _, rest = text.partition("\n")
    if said := _SEPARATOR_LINE.fullmatch(first):
        separator, text, skipped = said.group(1), rest, 1
    else:
        separator = _separator(text)
    rows: list[list[str]] = [[] for _ in range(skipped)]
    filled = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False):
            if len(row) > MOST_COLUMNS:
                raise EvidenceError(f"{name}: expected at most {MOST_COLUMNS} columns, found {len(row)}")
            rows.append([_unwrapped(cell) for cell in row])
            filled += any(cell.strip() for cell in row)
            if filled > MOST_ROWS + 1 or len(rows) > _MOST_LINES:
                raise EvidenceError(
                    f"{name}: expected one row per study and at most {MOST_ROWS} of them, found more; "
                    f"a table of patients has to be summed up first"
                )
    except csv.Error as problem:
        raise EvidenceError(
            f"{name}, row {len(rows) + 1}: not a table of cells between "
            f"{_BETWEEN.get(separator, separator)}: "
            f"{problem}"
        ) from None
    if not filled:
        raise EvidenceError(f"{name}: empty; expected a header and one row per study")
    width = max(len(row) for row in rows)
    if separator != ",":
        notes = (*notes, f"columns read between {_BETWEEN.get(separator, repr(separator))}")
    padded = tuple(tuple(row) + ("",) * (width - len(row)) for row in rows)
    return Grid(name, padded, notes, european=separator == ";", separator=separator)


def _separator(text: str) -> str:
    """What stands between the cells: the first that gives the header and the other rows as many cells."""
    lines = "\n".join(text[:_PROBED_LETTERS].splitlines()[:_PROBED])
    best, most = ",", 1
    for candidate in _BETWEEN:
        try:
            parsed = csv.reader(io.StringIO(lines, newline=""), delimiter=candidate)
            widths = [len(row) for row in parsed if any(cell.strip() for cell in row)]
        except csv.Error:
            continue
        usual = max(set(widths), key=widths.count, default=1)
        if usual > 1 and candidate != "," and sum(w >= usual for w in widths) >= _ALIKE * len(widths):
            return candidate
        if usual > most:
            best, most = candidate, usual
    return best


def _unwrapped(cell: str) -> str:
    """A cell without the ="..." that keeps a spreadsheet from making a date of it."""
    cell = cell.strip()
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') and len(cell) > 2 else cell
