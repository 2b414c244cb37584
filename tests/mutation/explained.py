"""Mutants that survive and may: `survivors.csv`."""

import csv
from pathlib import Path

SURVIVORS = Path(__file__).with_name("survivors.csv")
COLUMNS = ("module", "line", "change", "reason")


def rows() -> list[dict[str, str]]:
    """The table: module file, text of the line, ``before → after``, and why no test need see it."""
    with SURVIVORS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read() -> set[tuple[str, str, str]]:
    """Module, line and change of every explained survivor."""
    return {(row["module"], row["line"], row["change"]) for row in rows()}
