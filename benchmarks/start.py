"""How long it takes until something is there: a fresh Python, from its start to its end."""

import sys

from benchmarks.rows import Measure, Pair, Row, installed
from benchmarks.timing import command, timed

COMMAND = "from kyphobayes.cli import main; main(['--help'])"
REPEATS = (7, 31)


def rows() -> list[Row]:
    """The command line's help, and the import of the exact engine."""
    started, imported = "start: kyphobayes --help", "start: import kyphobayes.exact"
    engine = "from kyphobayes import exact"
    return [
        Row(started, "python -c pass", lambda: Pair(_fresh(COMMAND), _fresh("pass")), repeats=REPEATS),
        Row(started, "import pymc", lambda: _beside_pymc(COMMAND), repeats=REPEATS),
        Row(imported, "import pymc", lambda: _beside_pymc(engine), target=0.6, repeats=REPEATS),
    ]


def _beside_pymc(code: str) -> Pair:
    return Pair(_fresh(code), _fresh("import pymc"), installed("pymc"))


def _fresh(code: str) -> Measure:
    return timed(command([sys.executable, "-c", code]))
