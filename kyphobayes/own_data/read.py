"""From a user's table to what models see: a view, and everything that was done on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import View, contrasts, counts, rates
from kyphobayes.own_data.columns import Column, read_columns
from kyphobayes.own_data.composites import with_composites
from kyphobayes.own_data.effects import Effects, effects_of
from kyphobayes.own_data.recognise import Recognised, recognise
from kyphobayes.own_data.sheet import Sheet, listed
from kyphobayes.own_data.sources import read_sheet
from kyphobayes.own_data.studies import LeftOut, complete, labels, study_rows
from kyphobayes.own_data.words import counted_unit, event_word, time_unit

Array = NDArray[np.float64]
DECIMALS = {"": "", "point": ".", "comma": ",", ".": ".", ",": ","}


@dataclass(frozen=True, eq=False)
class OwnData:
    """A user's table as evidence.

    Attributes
    ----------
    evidence : View
        Counts, Rates or Contrasts; `rows` name file and row of each study, `excluded` the rows left out.
    kind : str
        Of `KINDS`.
    name : str
        Of the table: the file without folder and ending.
    event : str
        What is counted, in the plural; "events" where no column says.
    sizes : ndarray, shape (k,), or None
        Patients of each study, where the table has them: they set the scale of priors.
    by : str
        Name of the grouping column; empty without one.
    groups : tuple of str
        Group of each study, where `by` is given.
    sentence : str
        What was recognised: "read as counts: events = xi, n = ni, study = author + year".
    notes : tuple of str
        Every conversion that changed what a cell says.
    """

    evidence: View
    kind: str
    name: str
    event: str
    sizes: Array | None
    by: str
    groups: tuple[str, ...]
    sentence: str
    notes: tuple[str, ...] = field(default=())


def read_own_data(
    source: object,
    columns: Mapping[str, str] | None = None,
    *,
    measure: str = "",
    scale: str = "",
    unit: str = "",
    time: str = "",
    per: float | None = None,
    correlation: float | None = None,
    ci_level: float = 0.95,
    decimal: str = "",
    sheet: str | int | None = None,
    drop_missing: bool = False,
) -> OwnData:
    """Read a table of studies that is not of this project.

    Parameters
    ----------
    source : path, DataFrame, or mapping of column name to values
        A CSV, TSV or XLSX file, whose separator, encoding and header are found out.
    columns : mapping of str to str, optional
        Names of columns by what they hold: {"events": "leaks", "n": "levels"}. What is not said is
        recognised by metafor's, RevMan's and plain names.
    measure : str
        metafor's code of an effect: OR, RR or RD of two arms, MD or SMD of means, HR of estimates, ...
    scale : {"", "log", "natural"}
        Of estimates that are ratios, where it cannot be told.
    unit : str
        What n counts, or the unit of a difference.
    time : str
        Unit of the time at risk: "patient-years".
    per : float, optional
        Time that rates are shown per; 100 by default.
    correlation : float, optional
        Between before and after, for studies that do not print one.
    ci_level : float
        Of confidence intervals in the table.
    decimal : {"", "point", "comma"}
        Where the cells do not tell.
    sheet : str or int, optional
        Of a workbook.
    drop_missing : bool
        Whether studies without a number may be left out; they are listed as such.

    Returns
    -------
    OwnData

    Raises
    ------
    EvidenceError
        Naming file, row, column, what was expected and found, and what to do.
    """
    if decimal not in DECIMALS:
        raise EvidenceError(f"decimal: expected point or comma, found {decimal!r}")
    table = read_sheet(source, sheet=sheet)
    said = {role: str(name) for role, name in (columns or {}).items() if name is not None}
    found = recognise(table, said)
    rows, left_out = study_rows(table, found)
    read = read_columns(table, found.columns, rows, DECIMALS[decimal])
    read, seconds = with_composites(table, read, rows)
    needed = _needed(found, read)
    missing = _missing(read, needed, rows)
    left_out += complete(table, found, rows, missing, drop_missing)
    kept = [i for i, row in enumerate(rows) if row not in missing]
    rows = [rows[i] for i in kept]
    read = {role: _only(column, kept) for role, column in read.items()}
    names = labels(table, found, rows)
    effects = effects_of(
        table, found.kind.name, read, rows,
        measure=measure, scale=scale, correlation=correlation, ci_level=ci_level,
    )  # fmt: skip
    view = _view(table, found, read, effects, names, unit, time, per)
    notes = [
        *table.notes,
        *(note for column in read.values() for note in column.notes),
        *seconds,
        *effects.notes,
    ]
    return OwnData(
        evidence=replace(view, rows=_rows(table, rows, names), excluded=_excluded(table, left_out)),
        kind=found.kind.name,
        name=Path(source).stem if isinstance(source, str | Path) else "table",
        event=event_word(table, found),
        sizes=effects.sizes,
        by="" if found.by is None else table.columns[found.by],
        groups=_groups(table, found, rows),
        sentence=found.sentence,
        notes=tuple(dict.fromkeys(notes)),
    )


def _only(column: Column, kept: Sequence[int]) -> Column:
    places = list(kept)
    return replace(
        column,
        values=column.values[places],
        texts=tuple(column.texts[i] for i in places),
        seconds={name: values[places] for name, values in column.seconds.items()},
    )


def _needed(found: Recognised, read: Mapping[str, Any]) -> tuple[str, ...]:
    """Roles of the first way to give this kind that is complete."""
    for roles in found.kind.columns:
        if all(role in read for role in roles) and not (set(found.columns) - set(found.kind.more)) - set(
            roles
        ):
            return roles
    for roles in found.kind.columns:
        if all(role in read for role in roles):
            return roles
    raise EvidenceError(
        f"columns for {found.kind.name} are not complete; expected {listed(found.kind.columns[0])}"
    )


def _missing(read: Mapping[str, Column], needed: tuple[str, ...], rows: list[int]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for role in needed:
        for i in np.flatnonzero(~np.isfinite(read[role].values)):
            found.setdefault(rows[int(i)], []).append(role.replace("_", " "))
    return {row: listed(roles) for row, roles in sorted(found.items())}


def _view(
    sheet: Sheet,
    found: Recognised,
    read: Mapping[str, Column],
    effects: Effects,
    names: tuple[str, ...],
    unit: str,
    time: str,
    per: float | None,
) -> View:
    kind = found.kind.name
    if kind == "counts":
        named = unit or counted_unit(sheet, found)
        return counts(effects.events, effects.sizes, names, tables=effects.tables, unit=named)
    if kind == "rates":
        assert effects.events is not None
        measured = time or time_unit(sheet.columns[found.columns["time"]])
        return rates(
            effects.events, read["time"].values, names, unit=measured, per=100.0 if per is None else per
        )
    return contrasts(effects.y, effects.se, names, unit=unit, measure=effects.measure)


def _groups(sheet: Sheet, found: Recognised, rows: list[int]) -> tuple[str, ...]:
    if found.by is None:
        return ()
    for row in rows:
        if not sheet.rows[row][found.by].strip():
            raise sheet.refuse(row, found.by, "the study's group", "enter it or take the row out")
    groups = tuple(" ".join(sheet.rows[row][found.by].split()) for row in rows)
    if len(set(groups)) < 2:
        raise EvidenceError(
            f"{sheet.name}, {sheet.column(found.by)}: expected two groups or more, found {groups[0]!r} alone"
        )
    return groups


def _rows(sheet: Sheet, rows: list[int], names: tuple[str, ...]) -> pd.DataFrame:
    """One row per study with where it was read, beside the table's own cells."""
    own = pd.DataFrame([sheet.rows[row] for row in rows])
    heads = [head or f"column {place + 1}" for place, head in enumerate(sheet.columns)]
    unique = [head if heads.count(head) == 1 else f"{head} ({place + 1})" for place, head in enumerate(heads)]
    own.columns = [f"own {head}" for head in unique]
    named = pd.DataFrame({
        "study_id": names, "label": names, "arm": "", "status": "reported", "source": sheet.name,
        "locator": [f"{Path(sheet.name).name}, {sheet.places[row]}" for row in rows],
    })  # fmt: skip
    return pd.concat([named, own], axis=1)


def _excluded(sheet: Sheet, left_out: list[LeftOut]) -> pd.DataFrame:
    rows = [
        {"study_id": each.label, "label": each.label, "arm": "", "reason": f"{each.reason} ({each.place})",
         "source": sheet.name, "locator": each.place}
        for each in left_out
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["study_id", "label", "arm", "reason", "source", "locator"])
