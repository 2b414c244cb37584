"""From the columns of each kind of data to what is pooled: counts, or effects with standard errors."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects import EffectSizes, effect_size
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.names import GEN, PLO
from kyphobayes.own_data.columns import Column
from kyphobayes.own_data.estimates import estimates
from kyphobayes.own_data.kinds import KINDS
from kyphobayes.own_data.shares import events_from_shares
from kyphobayes.own_data.sheet import Sheet, listed
from kyphobayes.toml_files import nearest

Array = NDArray[np.float64]
_ARMS = ("1", "2")
_PAIRED = "{}: arm 1 against arm 2, pooled as estimates whose errors are normal"


@dataclass(frozen=True)
class Effects:
    """What is pooled.

    Attributes
    ----------
    measure : str
    events : ndarray, shape (k,), or None
        Of counts and rates; NaN where several agree with a printed percentage.
    tables : ndarray, shape (t, k), or None
        Their combinations.
    y, se : ndarray, shape (k,), or None
        Of all others.
    sizes : ndarray, shape (k,), or None
        Patients of each study, both arms together; None where one is not known.
    notes : tuple of str
    """

    measure: str
    events: Array | None = None
    tables: Array | None = None
    y: Array | None = None
    se: Array | None = None
    sizes: Array | None = None
    notes: tuple[str, ...] = ()


def effects_of(
    sheet: Sheet,
    kind: str,
    read: dict[str, Column],
    rows: list[int],
    *,
    measure: str,
    scale: str,
    correlation: float | None,
    ci_level: float,
) -> Effects:
    """Compute what is pooled; every study's numbers are checked against each other first.

    Raises
    ------
    EvidenceError
        If the measure is none of this kind's, events exceed n, or a correlation is needed and not known.
    """
    measures = KINDS[kind].measures
    if measure and measure not in measures:
        raise EvidenceError(
            f"{sheet.name}: measure {measure!r} is not one of {kind}; expected "
            f"{listed(measures, 'or', most=20)}; "
            f"{nearest(measure, measures)}"
        )
    values = {role: column.values for role, column in read.items()}
    if kind == "counts":
        return _counts(sheet, read, values, rows)
    if kind == "rates":
        return Effects(measures[0], events=values["events"])
    if kind == "estimates":
        found = estimates(sheet, read, rows, measure=measure, scale=scale, ci_level=ci_level)
        return Effects(
            found.measure, y=found.y, se=found.se, sizes=_known(values.get("n")), notes=found.notes
        )
    if kind == "means":
        _at_least(sheet, read["n"], rows, 2)
        return Effects(
            GEN, y=values["mean"], se=values["sd"] / np.sqrt(values["n"]), sizes=values["n"],
            notes=("standard errors are SD / sqrt(n)",),
        )  # fmt: skip
    chosen = measure or measures[0]
    if kind == "means before and after":
        return _before_after(sheet, chosen, values, rows, correlation)
    return _two_arms(sheet, kind, chosen, read, values, rows)


def _known(sizes: Array | None) -> Array | None:
    return sizes if sizes is not None and np.isfinite(sizes).all() and (sizes > 0).all() else None


def _at_least(sheet: Sheet, column: Column, rows: list[int], least: int) -> None:
    if (column.values < least).any():
        raise sheet.refuse(
            rows[int(np.argmax(column.values < least))], column.place, f"{least} or more", "mend the cell"
        )


def _counts(sheet: Sheet, read: dict[str, Column], values: dict[str, Array], rows: list[int]) -> Effects:
    n = values["n"]
    _at_least(sheet, read["n"], rows, 1)
    if "events" in read:
        events = values["events"]
        _within(sheet, read["events"], events, n, rows)
    else:
        found = events_from_shares(sheet, read["percent"], read["n"], rows)
        return Effects(PLO, events=found.events, tables=found.tables, sizes=n, notes=found.notes)
    return Effects(PLO, events=events, sizes=n)


def _within(sheet: Sheet, events: Column, counted: Array, n: Array, rows: list[int]) -> None:
    if (counted > n).any():
        i = int(np.argmax(counted > n))
        raise sheet.refuse(rows[i], events.place, f"at most n = {n[i]:g} events", "mend one of the two")


def _two_arms(
    sheet: Sheet, kind: str, measure: str, read: dict[str, Column], values: dict[str, Array], rows: list[int]
) -> Effects:
    if "rest1" in values and "n1" not in values:
        for arm in _ARMS:
            values[f"n{arm}"] = values[f"events{arm}"] + values[f"rest{arm}"]
    for arm in _ARMS:
        if f"n{arm}" in read:
            _at_least(sheet, read[f"n{arm}"], rows, 1)
        if kind == "counts of two arms":
            _within(sheet, read[f"events{arm}"], values[f"events{arm}"], values[f"n{arm}"], rows)
    data = {f"{role[:-1]}_{role[-1]}": column for role, column in values.items() if role[-1:] in _ARMS}
    y, se, notes = _effect(sheet, measure, data, rows)
    sizes = values["n1"] + values["n2"] if "n1" in values else None
    return Effects(measure, y=y, se=se, sizes=sizes, notes=(_PAIRED.format(measure), *notes))


def _before_after(
    sheet: Sheet, measure: str, values: dict[str, Array], rows: list[int], correlation: float | None
) -> Effects:
    r = values.get("r", np.full(len(rows), np.nan))
    unknown = ~np.isfinite(r)
    notes: tuple[str, ...] = (f"{measure}: before minus after",)
    if unknown.any():
        if correlation is None:
            where = listed([sheet.places[row] for row, one in zip(rows, unknown, strict=True) if one], most=5)
            raise EvidenceError(
                f"{sheet.name}, {where}: expected the correlation between before and after, found "
                "none; name its "
                f"column with --r, or assume one for all with --correlation 0.5 and try others"
            )
        if not -1 < correlation < 1:
            raise EvidenceError(f"correlation: expected a number between -1 and 1, found {correlation:g}")
        assumed = f"{int(unknown.sum())} of {len(rows)} studies"
        notes += (f"a correlation of {correlation:g} between before and after is assumed for {assumed}",)
    data = {role: values[role] for role in ("mean_pre", "sd_pre", "mean_post", "sd_post", "n")}
    y, se, more = _effect(sheet, measure, {**data, "r": np.where(unknown, correlation or 0.0, r)}, rows)
    return Effects(measure, y=y, se=se, sizes=values["n"], notes=(*notes, *more))


def _effect(
    sheet: Sheet, measure: str, data: dict[str, Array], rows: list[int]
) -> tuple[Array, Array, tuple[str, ...]]:
    sizes, notes = sizes_by_rows(sheet, measure, data, rows)
    return sizes.y, np.sqrt(sizes.v), notes


def sizes_by_rows(
    sheet: Sheet, measure: str, data: dict[str, Array], rows: list[int], **options: Any
) -> tuple[EffectSizes, tuple[str, ...]]:
    """Effect sizes of complete studies; errors and notes call the studies by their rows.

    Parameters
    ----------
    sheet : Sheet
    measure : str
    data : dict of str to ndarray, shape (k,)
        By the names of `effect_size`.
    rows : list of int
        Of the sheet.
    **options
        Of `effect_size`.

    Raises
    ------
    InputError
    """
    try:
        sizes = effect_size(measure, data, **options)
    except InputError:
        for i, row in enumerate(rows):  # find the study that is to blame
            try:
                effect_size(measure, {name: values[i : i + 1] for name, values in data.items()}, **options)
            except InputError as problem:
                text = str(problem).replace("study 0", "this study")
                raise EvidenceError(f"{sheet.name}, {sheet.places[row]}: {text}") from None
        raise
    return sizes, tuple(_by_rows(note, sheet, rows) for note in sizes.notes)


def _by_rows(note: str, sheet: Sheet, rows: list[int]) -> str:
    """A note about "study 3" or "studies 0, 4" with rows of the table in place of numbers from 0."""

    def places(found: re.Match[str]) -> str:
        return listed([sheet.places[rows[int(number)]] for number in found[1].split(", ")], most=8)

    return re.sub(r"stud(?:y|ies) ([0-9]+(?:, [0-9]+)*)", places, note)
