"""The groups of rows, one module each, in the order of the table."""

import importlib

from benchmarks.rows import Row

MODULES = ("start", "exact_engine", "frequentist", "sampling", "report_runs", "scale")


def all_rows() -> list[Row]:
    """Every row, new: what rows of a group share is made once for each call of this function."""
    return [row for name in MODULES for row in importlib.import_module(f"benchmarks.{name}").rows()]
