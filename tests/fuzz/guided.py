"""Fuzzing by coverage: `python -m tests.fuzz.guided prior --minutes 10`, with atheris where it is installed.

Atheris chooses bytes by the code of the package that they reach; hypothesis makes an input of them, as in
`test_fuzz`.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Fuzz one target until the time is over."""
    try:
        import atheris
    except ImportError:
        print("atheris is not installed: fuzzing guided by coverage is skipped", file=sys.stderr)
        return 0
    with atheris.instrument_imports(include=["kyphobayes"], enable_loader_override=False):
        from tests.fuzz.answers import warm
        from tests.fuzz.targets import TARGETS

        warm()
    from hypothesis import HealthCheck, given, settings

    from tests.fuzz.cases import Case, kept
    from tests.fuzz.judge import Broken, judge
    from tests.fuzz.sandbox import make_sandbox

    asked = argparse.ArgumentParser(prog="python -m tests.fuzz.guided")
    asked.add_argument("target", choices=TARGETS)
    asked.add_argument("--minutes", type=float, default=10.0)
    told = asked.parse_args()
    target = TARGETS[told.target]
    folder = Path(tempfile.mkdtemp())
    sandbox = make_sandbox(folder)

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(target.inputs)
    def each(case: Case) -> None:
        try:
            judge(case, target.run, sandbox, target.seconds)
        except Broken as problem:
            print(kept(case, str(problem).partition("\n")[0]), file=sys.stderr)
            raise

    os.chdir(folder)  # where the fuzzer leaves the bytes of what broke
    limits = [f"-max_total_time={60 * told.minutes:.0f}", "-max_len=4096", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits], each.hypothesis.fuzz_one_input)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
