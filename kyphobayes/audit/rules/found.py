"""What a rule is given, and what it finds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.tables import read_table
from kyphobayes.project import Project

Row = Mapping[str, Any]
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Found:
    """What a rule found.

    Attributes
    ----------
    value : float, optional
        To be held against the printed number; percent where that is in percent.
    holds : bool, optional
        Where the rule itself says whether it agrees.
    arithmetic : str
    shown : str
        The recomputed value in words, where `value` is none.
    missing : str
        What it would take, where nothing can be recomputed.
    reading : str
        Under which the rule's answer holds, where it depends on one.
    """

    value: float | None = None
    holds: bool | None = None
    arithmetic: str = ""
    shown: str = ""
    missing: str = ""
    reading: str = ""


@dataclass(frozen=True)
class Case:
    """What a rule is given: the row of the figure, all rows of its paper, and the tables.

    Attributes
    ----------
    where : str
        File and entry, for messages.
    """

    project: Project
    where: str
    row: Row
    figures: Mapping[str, Row]
    references: Mapping[str, str]
    settings: Mapping[str, Any]
    read: dict[str, pd.DataFrame] = field(default_factory=dict)

    def table(self, path: str) -> pd.DataFrame:
        """A table of ``data/``, read once."""
        if path not in self.read:
            self.read[path] = read_table(self.project, path)
        return self.read[path]

    def get(self, key: str, default: Any = None) -> Any:
        """A setting of the rule; required where there is no default."""
        if key not in self.settings and default is None:
            raise EvidenceError(f"{self.where}: the rule needs {key!r}")
        return self.settings.get(key, default)

    def rows(self, prefix: str = "") -> pd.DataFrame:
        """Rows of the rule's table that its conditions leave."""
        path = self.get("table")
        table = self.table(path)
        for column, wanted in self.settings.get(f"{prefix}where", {}).items():
            if column not in table:
                raise EvidenceError(f"{self.where}: data/{path} has no column {column!r}")
            table = table[_matches(table[column], wanted, self.where)]
        return table

    def column(self, table: pd.DataFrame, name: str) -> pd.Series:
        """A column as numbers; of text, the number that it begins with."""
        values = self.cells(table, name)
        if values.dtype == float:
            return values
        found = values.map(lambda cell: match[0] if (match := _NUMBER.match(str(cell))) else "nan")
        return found.astype(float)

    def cells(self, table: pd.DataFrame, name: str) -> pd.Series:
        """A column as it is."""
        if name not in table:
            raise EvidenceError(f"{self.where}: data/{self.get('table')} has no column {name!r}")
        return table[name]

    def studies(self) -> list[str]:
        """Studies that the rule names, or else the row of the figure."""
        named = self.settings.get("studies")
        if named is not None:
            return list(named)
        return [study for study in str(self.row["studies"]).split(";") if study]

    def label(self, study: str) -> str:
        """Name of a study for people."""
        table = self.table("studies.csv")
        found = table.loc[table["study_id"] == study, "label"]
        return str(found.iloc[0]) if len(found) else study


Rule = Callable[[Case], Found]


def _matches(column: pd.Series, wanted: Any, where: str) -> pd.Series:
    """Which cells are a value, one of several, or {contains}, {starts}, {least}, {most}, {filled}."""
    if isinstance(wanted, dict):
        kind, value = next(iter(wanted.items()), ("", ""))
        if kind == "contains":
            return column.str.contains(str(value), case=False, regex=False)
        if kind == "starts":
            return column.str.startswith(str(value))
        if kind in ("least", "most") and column.dtype == float:
            return column >= value if kind == "least" else column <= value
        if kind == "filled":
            return (column.notna() if column.dtype == float else column != "") == bool(value)
        raise EvidenceError(f"{where}: unknown condition {wanted!r} on {column.name}")
    return column.isin(wanted if isinstance(wanted, list) else [wanted])
