"""A user's own table of studies: read from CSV, effects computed, nothing dropped."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.csv_files import read_text
from kyphobayes.effects import MEASURES, effect_size
from kyphobayes.errors import EvidenceError, InputError

ADDED = ("y", "v")


def effect_table(path: Path, measure: str, **options: Any) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Add effects y and their sampling variances v to a table of studies.

    Parameters
    ----------
    path : Path
        CSV file with the columns of the measure; others are kept as they are.
    measure : str
        Code of a measure in `kyphobayes.effects`.
    **options
        Of `effect_size`.

    Returns
    -------
    table : DataFrame
        The file's text columns, y and v as numbers; the index is the line of each row.
    notes : tuple of str
        What was done to the data before.

    Raises
    ------
    EvidenceError
        If the file cannot be read or has no rows, or a cell is not a number.
    InputError
        As `effect_size` does; the message names the line of the first study.
    """
    if measure not in MEASURES:
        raise InputError(f"--measure: expected one of {', '.join(MEASURES)}, found {measure!r}")
    table = read_text(path, str(path))
    if table.empty:
        raise EvidenceError(f"{path}: expected one row per study below the header, found none")
    needed = MEASURES[measure].columns
    if missing := [column for column in needed if column not in table]:
        raise EvidenceError(
            f"{path}, line 1: {measure} needs the columns {', '.join(needed)}; "
            f"{', '.join(missing)} not found among {', '.join(table.columns)}"
        )
    if twice := table.columns[table.columns.duplicated()].tolist():
        raise EvidenceError(f"{path}, line 1: expected every column once, found {twice[0]} twice")
    if measure != "GEN" and (taken := [name for name in ADDED if name in table]):
        raise EvidenceError(
            f"{path}, line 1: {' and '.join(taken)} would be overwritten; give the column another name"
        )
    columns = {name: _numbers(table[name], path) for name in needed}
    try:
        sizes = effect_size(measure, columns, **options)
    except InputError as problem:
        raise InputError(f"{path}: {problem} (study 0 is on line {table.index[0]})") from None
    notes = tuple(f"{note} (study 0 is on line {table.index[0]})" for note in sizes.notes)
    return table.assign(y=sizes.y, v=sizes.v), notes


def _numbers(cells: pd.Series, path: Path) -> np.ndarray:
    """The cells of a column as finite numbers."""
    values = pd.to_numeric(cells.str.strip(), errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(values)
    if wrong.any():
        at = int(np.argmax(wrong))
        found = cells.iloc[at][:60] or "nothing"
        raise EvidenceError(
            f"{path}, line {cells.index[at]}, column {cells.name}: expected a number, found {found!r}; "
            "complete it or take the row out"
        )
    return values
