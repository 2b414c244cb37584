"""Clocks, and how a piece of work is timed."""

import math
import os
import resource
import subprocess
import time
from collections.abc import Callable, Sequence

from benchmarks.rows import Measure

LEAST = 0.1  # seconds that one measurement of short work goes on repeating it


def processor() -> float:
    """Processor seconds of this process and of its children that have ended.

    They hardly depend on what else the machine does, which the time on the wall does.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(
    work: Callable[[], object],
    *,
    per: float = 1.0,
    clock: Callable[[], float] = processor,
    least: float = LEAST,
    warm: bool = True,
) -> Measure:
    """Make ready to time `work`.

    Parameters
    ----------
    work : callable
    per : float
        Units of work in one call; the figure is for one unit.
    clock : callable
    least : float
        Seconds; each measurement is the quickest of as many calls as take so long.
    warm : bool
        Whether it is done once at first, uncounted.
    """
    if warm:
        work()

    def measure() -> float:
        quickest, spent = math.inf, 0.0
        while spent < least:
            start = clock()
            work()
            taken = clock() - start
            quickest, spent = min(quickest, taken), spent + taken
        return quickest / per

    return measure


def command(arguments: Sequence[str], **environment: str) -> Callable[[], None]:
    """Make a function that runs a command to its end; `environment` is put upon our own.

    Raises
    ------
    RuntimeError
        By that function, with what the command wrote last, if it fails.
    """

    def run() -> None:
        done = subprocess.run(
            list(arguments), env=os.environ | environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stderr[-2000:]}")

    return run
