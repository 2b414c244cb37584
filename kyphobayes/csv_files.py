"""Reading a CSV file as it is written: text, with the line on which each row begins."""

import csv
import io
from pathlib import Path

import pandas as pd

from kyphobayes.errors import EvidenceError

MOST_BYTES = 20_000_000
MOST_ROWS, MOST_COLUMNS = 10_000, 500  # studies, patients or printed numbers, and what is known of each
_OTHERS = {";": "semicolons", "\t": "tabs"}  # that spreadsheets put between columns


def read_text(path: Path, name: str) -> pd.DataFrame:
    """Read a CSV file as text.

    Parameters
    ----------
    path : Path
    name : str
        What messages call it.

    Returns
    -------
    DataFrame
        Of str; the index, `line`, says on which line of the file each row begins.

    Raises
    ------
    EvidenceError
        If it cannot be read, is empty, has rows of another length than the header, or is larger than any
        table of studies.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig") if len(data) <= MOST_BYTES else ""
    except FileNotFoundError:
        raise EvidenceError(f"{name}: no such file") from None
    except (OSError, ValueError) as problem:  # ValueError: not UTF-8, or a NUL in the path
        raise EvidenceError(f"{name}: cannot be read as UTF-8 text: {problem}") from None
    if len(data) > MOST_BYTES:
        raise EvidenceError(f"{name}: expected a table of at most {MOST_BYTES / 1e6:g} MB, found more")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise EvidenceError(f"{name}, line {line}: holds a NUL character; expected plain text")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines, rows, line = [], [], 1
    try:
        for row in reader:
            lines.append(line)
            rows.append(row)
            if len(row) > MOST_COLUMNS:
                raise EvidenceError(
                    f"{name}, line {line}: expected at most {MOST_COLUMNS} cells, found {len(row):,}"
                )
            if len(rows) > MOST_ROWS + 1:
                raise EvidenceError(
                    f"{name}: expected at most {MOST_ROWS:,} rows, found more; split the table"
                )
            line = reader.line_num + 1
    except csv.Error as problem:
        raise EvidenceError(f"{name}, line {line}: not a well-formed CSV file: {problem}") from None
    if not rows:
        raise EvidenceError(f"{name}: empty; expected a header and one row per study")
    header = rows[0]
    if len(header) == 1 and (other := next((x for x in _OTHERS if x in header[0]), None)):
        raise EvidenceError(
            f"{name}, line 1: expected columns separated by commas, found {_OTHERS[other]}; save it as "
            f"comma-separated values, with decimal points"
        )
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            raise EvidenceError(
                f"{name}, line {line}: expected {len(header)} cells as in the header, found {len(row)}"
            )
    return pd.DataFrame(rows[1:], index=pd.Index(lines[1:], name="line"), columns=header, dtype=str)
