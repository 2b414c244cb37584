"""`make bench`: work done by us and by peers in the same run, held to the ratios of the last record.

Exit code 1 if a ratio has fallen by more than 25 %, and that was found twice in the run.
"""

import argparse
import itertools
import os
import re
import sys
from collections.abc import Callable, Sequence

# The exact engine's matrices are small: a second BLAS thread only gets in the first one's way, here as in the
# command line. It must be said before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks import record
from benchmarks.groups import all_rows
from benchmarks.looks import Look, in_a_process_of_their_own
from benchmarks.record import Kept, Outcome
from benchmarks.rows import Row
from benchmarks.shown import show
from kyphobayes import __version__

TITLE = (
    "kyphobayes bench: processor seconds (on the wall where two processes share work), children included; "
    "ratio = theirs / ours, ± half its 95 % interval"
)
Say = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print one table, and return the exit code."""
    asked = _asked(arguments)
    rows = _chosen(all_rows(), asked.only, asked.quick)
    if asked.list:
        print("\n".join(row.name for row in rows))
        return 0
    if not rows:
        _say(f"--only {asked.only!r} names none of the rows; --list shows them")
        return 2
    kept = record.read()
    outcomes = run(rows, kept, asked.quick, _say)
    show(outcomes, TITLE)
    if asked.record:
        record.save(record.renewed(kept, outcomes, __version__))
        _say(f"written: {record.RATIOS}")
        return int(any(outcome.failed for outcome in outcomes))
    sentence = record.failure(outcomes)
    if sentence:
        _say(f"bench failed: {sentence}")
    return int(bool(sentence))


def run(
    rows: Sequence[Row],
    kept: Sequence[Kept],
    quick: bool,
    say: Say,
    look: Look = in_a_process_of_their_own,
) -> list[Outcome]:
    """Measure rows; those that seem slower are measured again when all are done, from the start."""
    before = {row.name: record.last(kept, row) for row in rows}

    def outcomes(some: Sequence[Row], word: str) -> dict[str, Outcome]:
        found: dict[str, Outcome] = {}
        for _, shared in itertools.groupby(some, key=lambda row: row.process or row.name):
            together = list(shared)
            for place, row in enumerate(together, start=len(found) + 1):
                say(f"[{word}{place}/{len(some)}] {row.name} ...")
            looked = look([(row, before[row.name]) for row in together], quick)
            for row, one in zip(together, looked, strict=True):
                found[row.name] = Outcome(
                    row, one.measured, before[row.name], one.peer_version, one.why, one.failed
                )
        return found

    first = outcomes(rows, "")
    second = outcomes([outcome.row for outcome in first.values() if outcome.slower], "again, ")
    # The better of two looks: what disturbs the machine for a while does not come twice.
    better = {name: outcome for name, outcome in second.items() if outcome.measured and not outcome.slower}
    return list((first | better).values())


def _chosen(rows: Sequence[Row], only: str | None, quick: bool) -> list[Row]:
    pattern = re.compile(only or "", re.IGNORECASE)
    return [row for row in rows if pattern.search(row.name) and not (quick and row.slow)]


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", type=_pattern, help="rows whose name has this in it")
    parser.add_argument("--quick", action="store_true", help="few repeats, and no row that takes minutes")
    parser.add_argument("--record", action="store_true", help="write the ratios to benchmarks/ratios.csv")
    parser.add_argument("--list", action="store_true", help="name the rows and measure nothing")
    asked = parser.parse_args(arguments)
    if asked.record and asked.quick:
        parser.error("--record needs all repeats: leave --quick out")
    return asked


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as problem:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {problem}") from None
    return text


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
