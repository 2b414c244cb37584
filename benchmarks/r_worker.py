"""R's packages as peers: one R process that times what it is asked to, in turns with us."""

import atexit
import json
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.rows import Measure, NoPeer

SCRIPT = Path(__file__).with_name("worker.R")
_MARK = "answer "


def version(package: str) -> str:
    """Version of an R package.

    Raises
    ------
    NoPeer
        If R or the package is not installed.
    """
    found = _ask({"version": package})["version"]
    if found is None:
        raise NoPeer(f"R has no {package}")
    return found


def timed(work: str, given: Mapping[str, Any]) -> Measure:
    """Make ready to time one of the works of worker.R."""
    question = {"work": work, "given": dict(given)}
    return lambda: float(_ask(question)["seconds"])


def drawn(given: Mapping[str, Any], seed: int) -> tuple[float, float]:
    """Draw with brms: seconds, and effective draws; the first call compiles the model, uncounted."""
    answer = _ask({"work": "brms", "given": {**given, "seed": seed}})
    return float(answer["seconds"]), float(answer["effective"])


def _ask(question: Mapping[str, Any]) -> dict[str, Any]:
    process = _process()
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    for line in process.stdout:  # R's packages have things of their own to say
        if line.startswith(_MARK):
            answer = json.loads(line.removeprefix(_MARK))
            if "problem" in answer:
                raise RuntimeError(f"R: {answer['problem']}")
            return answer
    raise NoPeer("R ended without an answer: has it jsonlite?")


@cache
def _process() -> subprocess.Popen[str]:
    rscript = shutil.which("Rscript")
    if rscript is None:
        raise NoPeer("no R here")
    process = subprocess.Popen(
        [rscript, "--vanilla", str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(process.kill)
    return process
