"""Fuzzing by hand: `python -m tests.fuzz --minutes 30`, see `tests.fuzz`."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.answers import warm
from tests.fuzz.cases import Case, kept
from tests.fuzz.judge import Broken, judge
from tests.fuzz.sandbox import make_sandbox
from tests.fuzz.targets import TARGETS, Target

_ROUND = 500  # inputs of a target before the next has its turn


def main() -> int:
    """Fuzz until the time is over; gives how many targets broke."""
    asked = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Fuzz the readers of foreign text."
    )
    asked.add_argument("--minutes", type=float, default=30.0)
    asked.add_argument("--only", action="append", choices=TARGETS, help="a target; may be repeated")
    asked.add_argument("--seed", type=int, default=None, help="to repeat a run")
    told = asked.parse_args()
    warm()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = make_sandbox(Path(folder))
        start = random.SystemRandom().randrange(2**32) if told.seed is None else told.seed
        print(f"--seed {start}")
        return rounds([TARGETS[name] for name in told.only or TARGETS], sandbox, told.minutes, start)


def rounds(targets: list[Target], sandbox: Path, minutes: float, start: int) -> int:
    """Take the targets in turn; one that broke is left out from then on, since it would break so again."""
    end, broken, turn = time.monotonic() + 60 * minutes, 0, 0
    ran = dict.fromkeys((target.name for target in targets), 0)
    while targets and time.monotonic() < end:
        target = targets[turn % len(targets)]
        found = one_round(target, sandbox, start + turn, end, ran)
        if found is None:
            turn += 1
            continue
        broken += 1
        targets.remove(target)
        print(f"{target.name}: {found}", file=sys.stderr)
    print(", ".join(f"{name} {number:,}" for name, number in ran.items()), f"; {sum(ran.values()):,} inputs")
    return broken


def one_round(target: Target, sandbox: Path, number: int, end: float, ran: dict[str, int]) -> str | None:
    """Some hundred inputs of one target; the smallest that breaks goes into the corpus."""
    last: list[Case] = []

    @seed(number)
    @settings(
        max_examples=min(_ROUND, 5 + 10 * target.examples), database=None, deadline=None,
        report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(target.inputs)
    def each(case: Case) -> None:
        if time.monotonic() > end and not last:
            return
        ran[target.name] += 1
        try:
            judge(case, target.run, sandbox, target.seconds)
        except Broken:
            last[:] = [case]
            raise

    try:
        each()
    except Broken as problem:
        return kept(last[0], str(problem).partition("\n")[0])
    return None


if __name__ == "__main__":
    sys.exit(main())
