"""Writing files: whole under their name, or not at all, whatever ends the process that writes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from kyphobayes.errors import InputError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

UNFINISHED = ".unfinished"  # how the names of files end that are being written; they begin with a dot


def make_folder(folder: Path) -> None:
    """Make a folder that can be written to.

    Raises
    ------
    InputError
        If it cannot; better at the start than after the work is done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder.absolute())
        with tempfile.TemporaryFile(dir=folder, prefix=".", suffix=UNFINISHED):
            pass
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise _unwritable(folder, problem) from None


def write(path: Path, content: str | bytes) -> None:
    """Write a file under its name only when it is complete; text as UTF-8.

    A process that is killed leaves at most a hidden file, which the next one that writes into the folder
    takes away.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent.absolute())
        with _in_use(path.parent):
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=UNFINISHED)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    # File systems put a new name on the disk before its content: without this a power cut
                    # leaves an empty file under the final name. On a network a full disk is told only now.
                    # The folder itself is not synchronised: a name that is lost is a file to be made again.
                    os.fsync(file.fileno())
                Path(temporary).chmod(0o644)
                os.replace(temporary, path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise _unwritable(path, problem) from None


@cache  # once for each folder: a folder of many parts would be read again for each of them
def _sweep(folder: Path) -> None:
    """Take away what killed processes left in a folder, unless somebody is writing into it now."""
    with suppress(OSError), _in_use(folder, alone=True):
        for left in folder.glob(f".*{UNFINISHED}"):
            left.unlink(missing_ok=True)


@contextmanager
def _in_use(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold a folder's lock, which ends with the process: together with others who write, or alone to sweep.

    Raises
    ------
    OSError
        If `alone`, and others hold it, or there are no locks here: then nobody sweeps.
    """
    if fcntl is None:
        if alone:
            raise OSError("no locks")
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if alone:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _unwritable(path: Path, problem: OSError | ValueError) -> InputError:
    return InputError(
        f"cannot write {path}: {getattr(problem, 'strerror', None) or problem}; choose another --out"
    )
