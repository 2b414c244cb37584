"""Kill runs at moments that are drawn, and see that nothing is torn, nothing done twice, no bit different.

    python -m tests.faults.kills --n 100            saves, reports, alone and with two workers, calibrations
    python -m tests.faults.kills --n 10 --mode whole     reports on the whole plan, minutes each

Kills are SIGKILL: of the whole process group, of the process that began it, or of one of its workers. After
each one every file under its final name must be, to the bit, one of an undisturbed run. Then the next run
begins in the same folder: what was finished must stay the same file (inode and time). When a run ends by
itself, its folder must be to the bit that of the undisturbed run, with nothing left over, and it must leave
with the same code. Then comes the next folder.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tests.faults import victims
from tests.faults.killing import (
    GROUP,
    LEADER,
    WORKER,
    Ended,
    Moment,
    different,
    finished,
    places,
    run,
    unfinished,
)

_SAID_OF_A_DEAD_WORKER = "error: a worker process ended before its work was done"
_RUNS = 4  # killed at most so often, a run is left alone


@dataclass(frozen=True)
class Mode:
    """What is killed.

    Attributes
    ----------
    share : float
        Of all kills.
    target : callable
        Takes the folder that it writes into.
    arguments : tuple
        Beside the folder.
    last : callable, optional
        Ends what `target` does without end.
    whom : tuple of str
    kept : str
        Pattern of the files that are never to be made again.
    """

    share: int
    target: Callable[..., None]
    arguments: tuple[Any, ...] = ()
    last: tuple[Any, ...] | None = None
    whom: tuple[str, ...] = (GROUP,)
    kept: str = "fits/*.nc"


@dataclass
class Seen:
    """What was seen of one mode."""

    kills: Counter[str] = field(default_factory=Counter)
    writing: int = 0
    files: int = 0
    kept: int = 0
    folders: int = 0
    wrong: list[str] = field(default_factory=list)


def modes(work: Path) -> dict[str, Mode]:
    """All of them by name; makes the small project in a folder."""
    project = victims.small_review(work / "review")
    anyone = (GROUP, LEADER, WORKER)
    return {
        "saves": Mode(40, victims.saves, last=(3,), kept="none"),
        "report": Mode(25, victims.report, (project,)),
        "report, two workers": Mode(15, victims.report, (project, 2), whom=anyone),
        "calibrate": Mode(20, victims.calibrate, (2,), whom=anyone, kept="parts/*.csv"),
        "whole": Mode(0, victims.whole_report, (2,), whom=anyone),
    }


def try_mode(
    mode: Mode, number: int, rng: np.random.Generator, work: Path, say: Callable[[str], None]
) -> Seen:
    """Kill so many runs of a mode.

    Returns
    -------
    Seen
        `wrong` is empty if all that must hold did.
    """
    seen, last = Seen(), mode.arguments if mode.last is None else mode.last
    plain = work / "undisturbed"
    ended = run(mode.target, (plain, *last), plain)
    if ended.code not in (0, 1):  # 1: a check failed, which is a result too
        seen.wrong.append(f"the undisturbed run ended with {ended.code}: {ended.said}")
        return seen
    wanted, longest, code = finished(plain), ended.seconds, ended.code
    endless = mode.last is not None
    allowed, writes = ((wanted, _other(work)), 10 * len(wanted)) if endless else ((wanted,), len(wanted))
    while seen.kills.total() < number and not seen.wrong:
        out = work / f"run{seen.folders}"
        for _ in range(min(int(rng.integers(1, _RUNS + 1)), number - seen.kills.total())):
            before = places(out, mode.kept)
            whom = str(rng.choice(mode.whom))
            moment = Moment.drawn(rng, longest, writes)
            ended = run(mode.target, (out, *mode.arguments), out, moment, whom, rng)
            seen.wrong += _wrong_after(ended, whom, out, allowed, before, mode.kept)
            seen.files += len(finished(out))
            if ended.killed:
                seen.kills[whom] += 1
                seen.writing += ended.left > 0
            done = f"{seen.kills.total()}/{number}"
            say(f"{done} {whom} {moment}: {len(finished(out))} files finished, {ended.left} unfinished")
        before = places(out, mode.kept)
        ended = run(mode.target, (out, *last), out)
        seen.wrong += _wrong_after(ended, "", out, (wanted,), before, mode.kept)
        if ended.code != code:
            seen.wrong.append(f"the run that was left alone ended with {ended.code}: {ended.said}")
        if lacking := sorted(set(wanted) - set(finished(out))):
            seen.wrong.append(f"not there at the end: {', '.join(lacking)}")
        if left := unfinished(out):
            seen.wrong.append(f"left over at the end: {', '.join(path.name for path in left)}")
        seen.kept += len(before)
        seen.folders += 1
    return seen


def _other(work: Path) -> dict[str, bytes]:
    """Files of the other version that saves alternate with."""
    folder = work / "other"
    victims.one_version(folder, 0)
    return finished(folder)


def _wrong_after(
    ended: Ended,
    whom: str,
    out: Path,
    allowed: tuple[dict[str, bytes], ...],
    before: dict[str, tuple[int, int]],
    kept: str,
) -> list[str]:
    """What must hold after every run, and did not."""
    wrong = [f"{name} is not a file of an undisturbed run" for name in different(out, *allowed)]
    now = places(out, kept)
    wrong += [
        f"{name} was finished and is made again" for name, place in before.items() if now.get(name) != place
    ]
    if "Traceback" in ended.said:
        wrong.append(f"a traceback: {ended.said}")
    if ended.killed and whom == WORKER and ended.code not in (0, 2):  # 0: it had no more to do
        wrong.append(f"one worker died: expected exit code 2, found {ended.code}: {ended.said}")
    if ended.killed and whom == WORKER and ended.code == 2 and _SAID_OF_A_DEAD_WORKER not in ended.said:
        wrong.append(f"one worker died, and it was not said: {ended.said}")
    return wrong


def _told(seen: Seen) -> str:
    kills = ", ".join(f"{number} of {whom}" for whom, number in sorted(seen.kills.items()))
    return (
        f"{seen.kills.total()} kills ({kills}), {seen.writing} of them while a file was being written; "
        f"{seen.files} files compared after them, {seen.kept} finished ones kept, {seen.folders} folders the "
        f"same to the bit at the end; {len(seen.wrong)} wrong"
    )


def main() -> int:
    """Kill, print what was seen, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100, help="kills altogether (default 100)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mode", action="append", help="only this one; may be given again")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="kills-") as folder:
        work = Path(folder)
        found = modes(work)
        names = chosen.mode or [name for name, mode in found.items() if mode.share]
        shares = np.array([found[name].share or 1 for name in names], dtype=float)
        numbers = np.diff(np.round(np.cumsum([0, *shares]) / shares.sum() * chosen.n)).astype(int)
        wrong: list[str] = []
        total = 0
        for name, number in zip(names, numbers.tolist(), strict=True):
            begun = time.monotonic()
            rng = np.random.default_rng([chosen.seed, list(found).index(name)])
            place = work / name.replace(", ", "-").replace(" ", "-")
            place.mkdir()
            seen = try_mode(found[name], number, rng, place, lambda text: print(text, file=sys.stderr))
            print(f"{name}: {_told(seen)}; {time.monotonic() - begun:.0f} s", flush=True)
            wrong += [f"{name}: {text}" for text in seen.wrong]
            total += seen.kills.total()
        print(
            f"{total} kills, seed {chosen.seed}: " + ("nothing wrong" if not wrong else f"{len(wrong)} wrong")
        )
        for text in wrong:
            print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
