"""How well two workers share independent jobs: seconds on the wall, as a user waits.

The peer is half the time of one worker, so that the ratio is the efficiency, 1 at best. The starts of the
command and of each worker are counted.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from benchmarks.rows import Measure, NoPeer, Pair, Row
from benchmarks.timing import command
from kyphobayes.jobs import available

COMMAND = "from kyphobayes.cli import main; main()"
CALIBRATE = "calibrate binomial_normal --engine exact --k 7 --priors default --n 400"
COVERAGE = "coverage --k 3 --n 20"


def rows() -> list[Row]:
    """Calibration and the study of coverage, with one and with two workers."""
    return [_row(CALIBRATE), _row(COVERAGE)]


def _row(line: str) -> Row:
    work = f"two workers: kyphobayes {line}"
    return Row(work, "one, halved", lambda: _pair(line.split()), repeats=(2, 4), slow=True)


def _pair(arguments: Sequence[str]) -> Pair:
    if available() < 2:
        raise NoPeer("one processor here")
    known = subprocess.run(
        [sys.executable, "-c", COMMAND, arguments[0], "--help"], capture_output=True, check=False
    )
    if known.returncode:
        raise NoPeer(f"this version has no kyphobayes {arguments[0]}")
    two, one = _waited(arguments, 2), _waited(arguments, 1)
    return Pair(two, lambda: one() / 2)


def _waited(arguments: Sequence[str], workers: int) -> Measure:
    def measure() -> float:
        with tempfile.TemporaryDirectory(
            prefix="kyphobayes-bench-"
        ) as folder:  # nothing is found there again
            run = command(
                [sys.executable, "-c", COMMAND, *arguments, "--workers", str(workers), "--out", folder],
                OPENBLAS_NUM_THREADS="1",
            )
            start = time.perf_counter()
            run()
            return time.perf_counter() - start

    return measure
