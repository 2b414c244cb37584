"""Tables as CSV that a spreadsheet will not run."""

import pandas as pd

_RUNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes text that begins so for a formula


def guarded(cell: object) -> object:
    """Put a quote before text that a spreadsheet would run; numbers stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_RUNS) else cell


def to_csv(frame: pd.DataFrame) -> str:
    """Write a table as CSV with seven significant digits."""
    safe = frame.map(guarded).rename(columns=lambda name: guarded(str(name)))
    return safe.to_csv(index=False, float_format="%.7g", lineterminator="\n")
