"""Killing a process, its workers or all of them, at a moment that is drawn; and what must hold afterwards."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kyphobayes.files import UNFINISHED
from tests.faults.victims import begin

# A fresh process of what a server has imported once: it starts as a new run would, without the seconds.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.victims", "kyphobayes.report", "kyphobayes.questions", "pymc"])
GROUP, LEADER, WORKER = "the whole group", "the process that began it", "one worker"
_LONGEST = 600.0  # seconds that anything may take


@dataclass(frozen=True)
class Moment:
    """So many seconds after the start, or when so many files have been seen in the making."""

    seconds: float | None = None
    files: int | None = None

    @classmethod
    def drawn(cls, rng: np.random.Generator, longest: float, files: int) -> "Moment":
        """Half of them anywhere in a run, half of them while a file is being written."""
        if rng.random() < 0.5:
            return cls(seconds=float(rng.uniform(0, longest)))
        return cls(files=int(rng.integers(1, files + 1)))


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes
    ----------
    killed : bool
        Whether the signal found it alive.
    code : int
    seconds : float
    said : str
    left : int
        Unfinished files that it left.
    """

    killed: bool
    code: int
    seconds: float
    said: str
    left: int


def run(
    target: Callable[..., None],
    arguments: tuple[Any, ...],
    out: Path,
    moment: Moment | None = None,
    whom: str = GROUP,
    rng: np.random.Generator | None = None,
) -> Ended:
    """Run a victim that writes into a folder, and kill it at a moment where one is given."""
    words = out.parent / f"{out.name}-said.txt"
    words.unlink(missing_ok=True)
    ready, told = CONTEXT.Pipe(duplex=False)
    process: Any = CONTEXT.Process(target=begin, args=(target, arguments, words, told))
    process.start()
    told.close()
    ready.recv()  # the group exists
    begun = time.monotonic()
    killed = moment is not None and _reached(process, out, moment, begun) and _kill(process, whom, rng)
    process.join(_LONGEST)
    assert process.exitcode is not None, f"does not end: {words.read_text('utf-8')}"
    seconds = time.monotonic() - begun
    _wait_for(lambda: not _group(process.pid), f"processes of a run stay after the death of {whom}")
    return Ended(killed, process.exitcode, seconds, words.read_text("utf-8"), len(unfinished(out)))


def _reached(process: Any, out: Path, moment: Moment, begun: float) -> bool:
    """Wait for the moment; False if the run ends before."""
    seen: set[str] = set()
    while process.is_alive():
        if moment.seconds is not None and time.monotonic() - begun >= moment.seconds:
            return True
        if moment.files is not None:
            seen |= {path.name for path in unfinished(out)}
            if len(seen) >= moment.files:
                return True
        time.sleep(2e-4)
    return False


def _kill(process: Any, whom: str, rng: np.random.Generator | None) -> bool:
    """Send SIGKILL; False if there was nobody left to kill."""
    try:
        if whom == GROUP:
            os.killpg(process.pid, signal.SIGKILL)
        elif whom == LEADER:
            os.kill(process.pid, signal.SIGKILL)
        else:
            workers = [pid for pid, line in _group(process.pid).items() if "spawn_main" in line]
            if not workers:
                return False
            os.kill(int((rng or np.random.default_rng(0)).choice(workers)), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _group(leader: int) -> dict[int, str]:
    """Command lines of the living processes of a group, by their numbers."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, group = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[:3]
                if int(group) == leader and state != "Z":
                    found[int(folder.name)] = (folder / "cmdline").read_text("utf-8")
            except (OSError, ValueError):  # it has ended meanwhile
                continue
    return found


def _wait_for(condition: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.02)


# -- what must hold afterwards ------------------------------------------------------------------------------


def unfinished(out: Path) -> list[Path]:
    """Files that are being written, or were when their writer was killed."""
    found = []
    for folder, _, names in os.walk(out):
        found += [Path(folder, name) for name in names if name.endswith(UNFINISHED)]
    return found


def finished(out: Path) -> dict[str, bytes]:
    """Content of every file under its final name."""
    paths = sorted(path for path in out.rglob("*") if path.is_file() and not path.name.endswith(UNFINISHED))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


def places(out: Path, pattern: str = "fits/*.nc") -> dict[str, tuple[int, int]]:
    """Inode and time of change of files that are not to be made again."""
    found = {path.name: path.stat() for path in out.glob(pattern)}
    return {name: (state.st_ino, state.st_mtime_ns) for name, state in found.items()}


def different(out: Path, *wanted: dict[str, bytes]) -> list[str]:
    """Files that are not, to the bit, those of any undisturbed run."""
    return [
        name for name, content in finished(out).items() if content not in [one.get(name) for one in wanted]
    ]
