"""Testing a table of printed numbers row by row, every cell with the digits it was printed in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kyphobayes.audit.intervals import read_p
from kyphobayes.audit.lint_tests import COLUMNS, LABELS, NUMBERS, WHOLE, Cells, needs, refuse, tests_of
from kyphobayes.audit.rounding import ROUNDINGS, rounded
from kyphobayes.audit.tested import INCONSISTENT, SUSPECT, Tested
from kyphobayes.csv_files import read_text
from kyphobayes.errors import EvidenceError, InputError

ALIASES = {"range_low": "min", "range_high": "max", "study_id": "study", "figure_id": "study", "p_value": "p"}
_ENDS = re.compile(r"(?:^|\s)(\d+)\s*[-–]\s*(\d+)$")
HEADS = ("line", "study", "test", "verdict", "arithmetic")


@dataclass(frozen=True)
class Linted:
    """Answers of all tests.

    Attributes
    ----------
    rows : tuple of (int, str, Tested)
        Line of the file, name of the row, and what one test answered.
    untested : tuple of int
        Lines that allow no test.
    """

    rows: tuple[tuple[int, str, Tested], ...]
    untested: tuple[int, ...]

    def of(self, verdict: str) -> list[tuple[int, str, Tested]]:
        """Answers with a verdict."""
        return [row for row in self.rows if row[2].verdict == verdict]

    @property
    def passed(self) -> bool:
        """Whether nothing is inconsistent."""
        return not self.of(INCONSISTENT)

    def to_frame(self) -> pd.DataFrame:
        """One row per test: line, study, test, verdict, arithmetic; inconsistent ones first."""
        order = {INCONSISTENT: 0, SUSPECT: 1}
        rows = sorted(self.rows, key=lambda row: order.get(row[2].verdict, 2))
        cells = [(line, name, t.test, t.verdict, t.arithmetic) for line, name, t in rows]
        return pd.DataFrame(cells, columns=pd.Index(HEADS))


def lint(path: Path, *, rounding: str = "either") -> Linted:
    """Test every row of a CSV file of printed numbers.

    Parameters
    ----------
    path : Path
        With the columns of `COLUMNS`; others are kept out of it. Cells are read as text, so that 3.50
        has two decimals.
    rounding : str
        Of `kyphobayes.audit.rounding.ROUNDINGS`.

    Returns
    -------
    Linted

    Raises
    ------
    EvidenceError
        If the file cannot be read, has no column that allows a test, or a cell is not a number.
    """
    table = read_text(path, str(path))
    return lint_table(table, str(path), rounding=rounding)


def lint_table(table: pd.DataFrame, name: str, *, rounding: str = "either") -> Linted:
    """Test every row of a table of text; the index is the line of each row.

    Raises
    ------
    EvidenceError, InputError
        As `lint`.
    """
    if rounding not in ROUNDINGS:
        raise InputError(f"rounding: expected one of {', '.join(ROUNDINGS)}, found {rounding!r}")
    columns = [ALIASES.get(str(column).strip(), str(column).strip()) for column in table.columns]
    if twice := [column for column in columns if column in COLUMNS and columns.count(column) > 1]:
        raise EvidenceError(f"{name}, line 1: expected every column once, found {twice[0]} twice")
    if not needs([*columns, *(["low", "high"] if "scale" in columns else [])]):
        raise EvidenceError(f"{name}, line 1: {_no_columns(columns)}")
    if table.empty:
        raise EvidenceError(f"{name}: expected rows below the header, found none")
    rows: list[tuple[int, str, Tested]] = []
    untested = []
    for line, values in zip(table.index, table.to_numpy(dtype=object).tolist(), strict=True):
        row = _with_scale(dict(zip(columns, values, strict=True)))
        cells = _cells(row, f"{name}, line {line}")
        label = " ".join(row[key].strip() for key in LABELS if row.get(key, "").strip())
        try:
            found = list(tests_of(cells, rounding))
        except InputError as problem:
            raise EvidenceError(f"{name}, line {line}: {problem}") from None
        rows += [(int(line), label, tested) for tested in found]
        if not found:
            untested.append(int(line))
    return Linted(tuple(rows), tuple(untested))


def _with_scale(row: dict[str, str]) -> dict[str, str]:
    """Take the ends of a scale from its name, such as VAS 0-10, where no columns tell them."""
    ends = _ENDS.search(row.get("scale", "").strip())
    if ends is None or row.get("low", "").strip() or row.get("high", "").strip():
        return row
    return {**row, "low": ends[1], "high": ends[2]}


def _no_columns(columns: Iterable[str]) -> str:
    found = ", ".join(columns)
    return (
        f"expected columns that allow a test, such as n, mean and items, or n and percent, among "
        f"{', '.join(COLUMNS)}; found {found[:200]}"
    )


def _cells(row: dict[str, str], where: str) -> Cells:
    """The filled cells of known columns, tidied: no spaces, no percent sign, a plain minus."""
    cells = {}
    for name, cell in row.items():
        text = cell.strip().replace("−", "-")
        if name not in COLUMNS or not text or (name == "p" and not row.get("estimate", "").strip()):
            continue
        if name == "percent":
            text = text.removesuffix("%").strip()
        if name in NUMBERS and "," in text:
            raise EvidenceError(
                f"{where}, column {name}: expected a decimal point and no commas, found {cell!r}"
            )
        cells[name] = text
    try:
        refuse(cells)
    except InputError as problem:
        raise EvidenceError(f"{where}, {problem}") from None
    for name in WHOLE:
        if name in cells:  # 20.0 and 2e1 are 20
            cells[name] = str(int(rounded(cells[name]).value))
    if "p" in cells:
        try:
            read_p(cells["p"])
        except InputError as problem:
            raise EvidenceError(f"{where}, column {problem}") from None
    return cells
