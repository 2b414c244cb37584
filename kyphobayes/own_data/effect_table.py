"""A user's table with effects added: the same reader as `fit`, and nothing dropped."""

from pathlib import Path
from typing import Any

import pandas as pd

from kyphobayes.effects import MEASURES
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.own_data.columns import read_columns
from kyphobayes.own_data.composites import with_composites
from kyphobayes.own_data.effects import sizes_by_rows
from kyphobayes.own_data.kinds import ROLES
from kyphobayes.own_data.sheet import Sheet, listed
from kyphobayes.own_data.sources import read_sheet
from kyphobayes.own_data.vocabulary import plain, roles_of

ADDED = ("y", "v")


def effect_table(path: Path, measure: str, **options: Any) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Add effects y and their sampling variances v to a table of studies.

    Parameters
    ----------
    path : Path
        CSV, TSV or XLSX file with the columns of the measure, under these or metafor's names; others are kept
        as they are.
    measure : str
        Code of a measure in `kyphobayes.effects`.
    **options
        Of `effect_size`.

    Returns
    -------
    table : DataFrame
        The file's columns as text, y and v as numbers; the index is the row of the file.
    notes : tuple of str
        How cells were read, and what was done to the data before.

    Raises
    ------
    EvidenceError
        If the file cannot be read or has no rows, or a cell is not a number.
    InputError
        As `effect_size` does; the message names the row.
    """
    if measure not in MEASURES:
        raise InputError(f"--measure: expected one of {', '.join(MEASURES)}, found {measure!r}")
    sheet = read_sheet(path)
    needed = {
        name: name if name.startswith(("mean_p", "sd_p")) else name.replace("_", "")
        for name in MEASURES[measure].columns
    }
    places = {role: _place(sheet, name, role) for name, role in needed.items()}
    found = {role: place for role, place in places.items() if place is not None}
    rows = list(range(len(sheet.rows)))
    columns, notes = with_composites(sheet, read_columns(sheet, found, rows), rows)
    if missing := [name for name, role in needed.items() if role not in columns]:
        raise EvidenceError(
            f"{sheet.name}: {measure} needs the columns {', '.join(needed)}; {', '.join(missing)} not found "
            f"among {', '.join(sheet.columns)}"
        )
    if measure != "GEN" and (taken := [name for name in ADDED if name in sheet.columns]):
        raise EvidenceError(
            f"{sheet.name}: {' and '.join(taken)} would be overwritten; give the column another name"
        )
    for name, role in needed.items():
        if (unknown := pd.isna(columns[role].values)).any():
            at = int(unknown.argmax())
            raise sheet.refuse(
                at, columns[role].place, f"a number ({name})", "complete it or take the row out"
            )
    data = {name: columns[role].values for name, role in needed.items()}
    sizes, more = sizes_by_rows(sheet, measure, data, rows, **options)
    index = pd.Index([int(place.removeprefix("row ")) for place in sheet.places], name="row")
    table = pd.DataFrame(sheet.rows, columns=list(sheet.columns), index=index, dtype=str)
    told = (*sheet.notes, *(note for column in columns.values() for note in column.notes), *notes, *more)
    return table.assign(y=sizes.y, v=sizes.v), tuple(dict.fromkeys(told))


def _place(sheet: Sheet, name: str, role: str) -> int | None:
    """The one column of a role: by its own name first, then by those that are recognised."""
    assert role in ROLES
    exact = [place for place, head in enumerate(sheet.columns) if plain(head) == plain(name)]
    found = exact or [
        place for place, head in enumerate(sheet.columns) if role in roles_of(head, sheet.columns)
    ]
    if len(found) > 1:
        where = listed([sheet.column(place) for place in found])
        raise EvidenceError(f"{sheet.name}: expected one column {name}, found {where}; rename the others")
    return found[0] if found else None
