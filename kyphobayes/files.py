"""Writing files: whole under their name, or not at all."""

import os
import tempfile
from pathlib import Path

from kyphobayes.errors import InputError


def make_folder(folder: Path) -> None:
    """Make a folder that can be written to.

    Raises
    ------
    InputError
        If it cannot; better at the start than after the work is done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise _unwritable(folder, problem) from None


def write(path: Path, content: str | bytes) -> None:
    """Write a file under its name only when it is complete; text as UTF-8.

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
        raise _unwritable(path, problem) from None


def _unwritable(path: Path, problem: OSError) -> InputError:
    return InputError(f"cannot write {path}: {problem.strerror or problem}; choose another --out")
