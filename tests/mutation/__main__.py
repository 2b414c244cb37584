"""Mutation testing by hand: python -m tests.mutation --module frequentist/tau2 --n 20 --seed 0

Draws mutants of modules of `exact`, `frequentist` and `effects`, runs the tests that reach the mutated line,
and shows who survives. Needs POSIX, for it forks, and hours for all modules; --tests names tests, instead of
measuring first who reaches what.

`survivors.csv` has the mutants that were read and may live, with the reason. `counts.csv` is of a run with
seed 0, 8 mutants of each module of `effects` and 10 of others, read to its end: killed by the tests that are
named for the module, killed by others or by tests written since, and explained. What it does not list has
not been sampled.
"""

import argparse
import csv
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: a fork must not copy threads

from tests.mutation import explained, trial
from tests.mutation.mutants import mutants, sample

TESTS = {
    "effects": ("tests/unit/effects", "tests/reference"),
    "exact": ("tests/unit/exact", "tests/reference"),
    "frequentist": ("tests/unit/frequentist", "tests/reference"),
}
SLOWER = 10  # times the processor time of the tests as they are, before a mutant is given up
START = 20  # seconds for a fork to load the package and collect tests


def modules(wanted: str) -> list[str]:
    """``exact``, or ``exact/surface``: the dotted names that are meant."""
    package = trial.ROOT / "kyphobayes"
    path = package / wanted
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    if not all(file.exists() for file in files) or wanted.split("/")[0] not in TESTS:
        sys.exit(
            f"--module: expected one of {', '.join(TESTS)} or a module such as exact/surface, found {wanted}"
        )
    return [
        ".".join(file.relative_to(trial.ROOT).with_suffix("").parts)
        for file in files
        if file.stem != "__init__"
    ]


def main() -> None:
    """Try mutants and print the survivors."""
    asked = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n\n")[2])
    asked.add_argument("--module", nargs="+", default=list(TESTS), help="such as exact, or exact/surface")
    asked.add_argument("--n", type=int, default=10, help="mutants a module")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--budget", type=float, default=10, help="seconds of tests a mutant")
    asked.add_argument("--tests", nargs="+", help="only these; else it is measured who reaches which line")
    asked.add_argument("--lines", type=int, nargs="+", help="all mutants of these lines, and no others")
    asked.add_argument("--counts", type=Path, help="write the counts of this run to a CSV")
    given = asked.parse_args()
    if given.tests and not trial.sound(given.tests):
        sys.exit("--tests: some of them fail without a mutant; name others")
    rows, known = [], explained.read()
    for module in [name for wanted in given.module for name in modules(wanted)]:
        rows.append(one_module(module, given, known))
        if given.counts:
            write(given.counts, rows)
    total = {name: sum(row[name] for row in rows) for name in ("mutants", "killed", "timed_out", "survived")}
    print(", ".join(f"{name} {number}" for name, number in total.items()))


def one_module(module: str, given: argparse.Namespace, known: set[tuple[str, str, str]]) -> dict:
    """Try the mutants of one module."""
    package = module.split(".")[1]
    reach = None if given.tests else trial.reach(package, TESTS[package])
    file = trial.file_of(module).relative_to(trial.ROOT).as_posix()
    source = trial.file_of(module).read_text("utf-8")
    if given.lines:
        drawn = [mutant for mutant in mutants(source) if mutant.line in given.lines]
    else:
        drawn = sample(source, given.n, f"{given.seed}:{file}")
    count = dict(module=file, mutants=len(drawn), killed=0, timed_out=0, survived=0, explained=0)
    began = time.monotonic()
    for mutant in drawn:
        tests = given.tests if reach is None else reach.of(file, mutant.line, given.budget)
        usual = given.budget if reach is None else sum(reach.seconds[test] for test in tests)
        seconds = START + SLOWER * usual
        found = trial.tried(module, mutant, tests, seconds) if tests else trial.SURVIVED
        count[found.replace(" ", "_")] += 1
        if found == trial.SURVIVED:
            fine = (file, mutant.text, mutant.change) in known
            count["explained"] += fine
            of = f"survived {len(tests)} tests" if tests else "no test runs this line"
            said = "explained" if fine else of
            print(f"{file}:{mutant.line}: {mutant.text}\n    {mutant.change}    ({said})", flush=True)
    print(
        f"{file}: {count['survived']} of {count['mutants']} live, {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return count


def write(path: Path, rows: list[dict]) -> None:
    """Counts by module."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
