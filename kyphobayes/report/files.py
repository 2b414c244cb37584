"""Writing files whole or not at all, and tables that a spreadsheet will not run."""

import os
import tempfile
from pathlib import Path

import pandas as pd

from kyphobayes.errors import InputError

_RUNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes text that begins so for a formula


def write(path: Path, content: str | bytes) -> None:
    """Write a file under its name only when it is complete.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).chmod(0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise InputError(
            f"cannot write {path}: {problem.strerror or problem}; choose another --out"
        ) from None


def guarded(cell: object) -> object:
    """Put a quote before text that a spreadsheet would run; numbers stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_RUNS) else cell


def to_csv(frame: pd.DataFrame) -> str:
    """Write a table as CSV with seven significant digits."""
    safe = frame.map(guarded).rename(columns=lambda name: guarded(str(name)))
    return safe.to_csv(index=False, float_format="%.7g", lineterminator="\n")
