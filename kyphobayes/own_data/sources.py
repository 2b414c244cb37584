"""Where a user's table comes from: a file of text, a workbook, or a DataFrame that is at hand."""

import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.header import with_header
from kyphobayes.own_data.sheet import MOST_COLUMNS, MOST_ROWS, Sheet, shown
from kyphobayes.own_data.text_files import read_bytes, read_text_file
from kyphobayes.own_data.workbooks import is_workbook, read_workbook

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab")
WORKBOOK_ENDINGS = (".xlsx", ".xlsm")
_OTHERS = {
    ".xls": "an old Excel workbook",
    ".ods": "an OpenDocument sheet",
    ".rds": "an R object",
    ".rdata": "an R workspace",
    ".sav": "an SPSS file",
    ".dta": "a Stata file",
    ".rm5": "a RevMan file",
    ".pdf": "a PDF",
    ".docx": "a Word document",
    ".json": "JSON",
    ".parquet": "a Parquet file",
}


def names_a_file(text: str) -> bool:
    """Whether a word on the command line is a path to a table, and no name of an analysis."""
    return (
        Path(text).suffix.casefold() in {*TEXT_ENDINGS, *WORKBOOK_ENDINGS, *_OTHERS} or Path(text).is_file()
    )


def read_sheet(source: object, *, sheet: str | int | None = None) -> Sheet:
    """Read a user's table as text.

    Parameters
    ----------
    source : path, DataFrame, or mapping of column name to values
    sheet : str or int, optional
        Name or number, from 1, of a workbook's sheet.

    Raises
    ------
    EvidenceError
        If it cannot be read, or is no table of studies.
    """
    if isinstance(source, str | Path):
        return _of_file(Path(source), None if sheet is None else str(sheet))
    if isinstance(source, Mapping):
        try:
            source = pd.DataFrame(dict(source))
        except ValueError as problem:
            raise EvidenceError(f"the table: expected columns of one length: {problem}") from None
    if isinstance(source, pd.DataFrame):
        return _of_frame(source)
    raise EvidenceError(
        f"the table: expected the path of a .csv or .xlsx file, a DataFrame or a mapping of columns, found "
        f"{type(source).__name__}"
    )


def _of_file(path: Path, sheet: str | None) -> Sheet:
    name, ending = str(path), path.suffix.casefold()
    if ending in _OTHERS:
        raise EvidenceError(
            f"{name}: expected a .csv, .tsv or .xlsx file, found {_OTHERS[ending]}; save it as one of these"
        )
    data = b"" if ending in WORKBOOK_ENDINGS or not path.is_file() else read_bytes(path, name)[:8]
    if ending in WORKBOOK_ENDINGS or is_workbook(data):
        return with_header(read_workbook(path, name, sheet))
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise EvidenceError(f"{name}: expected text, found an old Excel workbook; save it as .xlsx or .csv")
    if sheet is not None:
        raise EvidenceError(f"{name}: --sheet is for workbooks, and this is a text file; leave it out")
    return with_header(read_text_file(path, name))


def _of_frame(frame: pd.DataFrame) -> Sheet:
    name = "the DataFrame"
    if frame.empty:
        raise EvidenceError(f"{name}: expected one row per study, found shape {frame.shape}")
    if len(frame) > MOST_ROWS or frame.shape[1] > MOST_COLUMNS:
        raise EvidenceError(
            f"{name}: expected one row per study, at most {MOST_ROWS} by {MOST_COLUMNS}, found {frame.shape}"
        )
    labelled = frame.index.nlevels > 1 or not pd.api.types.is_numeric_dtype(frame.index.dtype)
    table = frame.reset_index() if labelled or frame.index.name is not None else frame
    heads = tuple(
        " ".join(str(part) for part in (head if isinstance(head, tuple) else (head,)) if str(part))
        for head in table.columns
    )
    heads = tuple(
        "study" if labelled and head == "index" and frame.index.name is None else head for head in heads
    )
    rows = [tuple(_text(value) for value in row) for row in table.itertuples(index=False, name=None)]
    kept = [i for i, row in enumerate(rows) if any(row)]
    if not kept:
        raise EvidenceError(f"{name}: expected one row per study, found only empty ones")
    places = tuple(
        f"row {i + 1}" if labelled else f"row {shown(str(frame.index[i]), quoted=False)}" for i in kept
    )
    return Sheet(name, heads, tuple(rows[i] for i in kept), places, letters=False)


def _text(value: Any) -> str:
    """A value of a DataFrame as a cell would show it."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).upper()
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if math.isnan(number):
            return ""
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()[:10]
    return str(value).strip()
