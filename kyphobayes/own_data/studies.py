"""Which rows are studies, what each is called, and why a row is none: sums, notes, rows without numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.cells import is_missing
from kyphobayes.own_data.recognise import Recognised
from kyphobayes.own_data.sheet import Sheet, listed, shown

_SUM = re.compile(
    r"(?:sub-?|grand )?totals?(?: events| effects?)?|pooled(?: estimate| effect)?|overall(?: effect)?|summary"
    r"|sum|all studies|all|mean of studies|gesamt|summe|insgesamt|meta-?analysis"
    r"|(?:random|fixed|common)[- ]effects?(?: model)?|heterogeneity|test for .*|prediction interval",
    re.IGNORECASE,
)
_CONFIDENCE = re.compile(r"\s*\(?(?:n ?= ?[0-9]+|k ?= ?[0-9]+|[0-9]{2} ?% ?C[rI]+)\)?:?\s*$", re.IGNORECASE)
_NOTE = re.compile(
    r"[*†‡§¶#]|(?:note|source|abbreviations?|legend|footnote|quelle|anmerkung)\b", re.IGNORECASE
)
_LONG = 60  # characters of a cell that no study's name has


@dataclass(frozen=True)
class LeftOut:
    """A row that is not analysed."""

    label: str
    place: str
    reason: str


def study_rows(sheet: Sheet, found: Recognised) -> tuple[list[int], list[LeftOut]]:
    """Tell rows of studies from sums over them and from notes below the table.

    Raises
    ------
    EvidenceError
        If no row is left.
    """
    columns = set(found.columns.values())
    numbered = [any(not is_missing(row[place]) for place in columns) for row in sheet.rows]
    last = max((i for i, has in enumerate(numbered) if has), default=-1)
    rows, left_out = [], []
    for i, row in enumerate(sheet.rows):
        first = _name(sheet, i, found)
        text = first or next((cell for cell in row if cell), "")
        if _SUM.fullmatch(_CONFIDENCE.sub("", text.strip(" :"))):
            left_out.append(LeftOut(text, sheet.places[i], "a sum over studies, not a study"))
        elif i > last and (len(text) > _LONG or _NOTE.match(text)):
            left_out.append(LeftOut(shown(text, quoted=False), sheet.places[i], "a note below the table"))
        else:
            rows.append(i)
    if not rows:
        raise EvidenceError(
            f"{sheet.name}: expected one row per study, found none beside {len(left_out)} left out"
        )
    return rows, left_out


def labels(sheet: Sheet, found: Recognised, rows: Sequence[int]) -> tuple[str, ...]:
    """A different name for each study: its columns joined, with the year where it is not in the name.

    Raises
    ------
    EvidenceError
        If a study has no name, or two have the same.
    """
    if not found.study:
        return tuple(f"study {i + 1}" for i in range(len(rows)))
    names: dict[str, int] = {}
    for row in rows:
        name = _name(sheet, row, found)
        if not name:
            raise sheet.refuse(row, found.study[0], "the study's name", "enter it or take the row out")
        if found.year is not None:
            year = sheet.rows[row][found.year]
            if not is_missing(year) and year not in name:
                name = f"{name} {year}"
        if name in names:
            raise EvidenceError(
                f"{sheet.name}, {sheet.places[names[name]]} and {sheet.places[row]}: expected every "
                "study once, "
                f"found {shown(name)} twice; if they are different, name them so or join columns "
                f"(--study author+year); if they are one, keep one row"
            )
        names[name] = row
    return tuple(names)


def complete(
    sheet: Sheet,
    found: Recognised,
    rows: Sequence[int],
    missing: Mapping[int, str],
    drop: bool,
) -> list[LeftOut]:
    """Rows that lack a number, to be left out; refused unless the user said that they may be.

    Parameters
    ----------
    missing : mapping of int to str
        Row to what it lacks.
    drop : bool

    Raises
    ------
    EvidenceError
    """
    if missing and not drop:
        lacking = [
            f"{sheet.places[row]} ({shown(_name(sheet, row, found) or 'no name', quoted=False)}): no {what}"
            for row, what in missing.items()
        ]
        raise EvidenceError(
            f"{sheet.name}, {listed(lacking, most=5)}; expected numbers in every row: complete "
            "them, or leave these "
            f"studies out with --drop-missing (drop_missing=True)"
        )
    if len(missing) == len(rows):
        raise EvidenceError(f"{sheet.name}: every row lacks a number; no study is left")
    return [
        LeftOut(_name(sheet, row, found) or sheet.places[row], sheet.places[row], f"no {what}")
        for row, what in missing.items()
    ]


def _name(sheet: Sheet, row: int, found: Recognised) -> str:
    cells = [sheet.rows[row][place].strip() for place in found.study]
    return " ".join(cell for cell in cells if not is_missing(cell))
