"""`make report`, cold and warm: processor seconds of all its processes together.

Cold means an empty folder and an empty cache of compiled code; warm, the same command again in that folder.
"""

import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

from benchmarks.rows import Pair, Row
from benchmarks.timing import command, processor, timed
from benchmarks.yardstick import yardstick
from kyphobayes.jobs import available

COMMAND = "from kyphobayes.cli import main; main()"
WORKERS = min(2, available())


@dataclass(frozen=True)
class Runs:
    """Processor seconds of a cold and a warm run, and of the yardstick, before, between and after them."""

    cold: float
    warm: float
    unit: float


def rows() -> list[Row]:
    """Cold and warm beside each other and beside a fixed piece of work; the rows share the runs."""
    runs = cache(_runs)
    once = (1, 1)

    def row(work: str, peer: str, ours: str, theirs: str) -> Row:
        def prepare() -> Pair:
            found = runs()
            return Pair(lambda: getattr(found, ours), lambda: getattr(found, theirs))

        return Row(work, peer, prepare, repeats=once, slow=True, process="report")

    return [
        row("make report: warm", "cold", "warm", "cold"),
        row("make report: cold", "yardstick", "cold", "unit"),
        row("make report: warm", "yardstick", "warm", "unit"),
    ]


def _runs() -> Runs:
    unit = timed(yardstick)
    units = [unit()]
    with tempfile.TemporaryDirectory(prefix="kyphobayes-bench-") as name:
        folder = Path(name)
        arguments = ["report", "--out", str(folder / "out"), "--workers", str(WORKERS)]
        run = command(
            [sys.executable, "-c", COMMAND, *arguments],
            PYTENSOR_FLAGS=f"base_compiledir={folder / 'compiled'}",
            NUMBA_CACHE_DIR=str(folder / "compiled"),
            OPENBLAS_NUM_THREADS="1",
        )
        taken = []
        for _ in range(2):
            start = processor()
            run()
            taken.append(processor() - start)
            units.append(unit())
    cold, warm = taken
    return Runs(cold, warm, median(units))
