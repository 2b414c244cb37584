"""A mutant against tests, and which tests reach which line.

Every trial is a fork of this process, in which numpy, scipy and pytest are loaded and kyphobayes is not: what
is mutated is only the module as the fork imports it. No file changes.
"""

import hashlib
import importlib.abc
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType

import coverage
import pytest

from tests.mutation.mutants import Mutant, mutated

# Once for all forks. mpmath comes last: pickle looks for scipy's functions in one module after the other, and
# one of mpmath's warns when it is looked at.
for library in ("hypothesis", "pandas", "scipy.integrate", "scipy.optimize", "scipy.stats", "mpmath"):
    import_module(library)

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "mutation"  # which tests reach what; made anew when code or tests change
PYTEST = (
    *("-q", "--no-header", "-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of what is loaded here
    *("--disable-plugin-autoload", "-p", "no:cacheprovider"),
)
MEMORY = 6 << 30  # bytes of address space for a fork
_FAILED = 70  # what a fork leaves with that did not come to its end
KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"


@dataclass(frozen=True)
class Reach:
    """Tests that run a package's code.

    Attributes
    ----------
    seconds : dict of str to float
        By test: processor time.
    tests : dict
        By module file relative to the root, then by line: tests that run it.
    """

    seconds: dict[str, float]
    tests: dict[str, dict[int, list[str]]]

    def of(self, file: str, line: int, budget: float) -> list[str]:
        """Tests of a line, those of the file named for the module first, then the fastest, up to a time.

        What is run when a module is imported belongs to no test: any may see it.
        """
        found = self.tests.get(file, {}).get(line) or list(self.seconds)
        named = f"test_{Path(file).stem}"
        chosen, total = [], 0.0
        for test in sorted(found, key=lambda test: (named not in test, self.seconds[test])):
            total += self.seconds[test]
            if total <= budget or not chosen:
                chosen.append(test)
        return chosen


def tried(module: str, mutant: Mutant, tests: Sequence[str], seconds: float) -> str:
    """Whether tests kill a mutant: `KILLED`, `SURVIVED` or, if it takes too much processor time, `TIMED_OUT`.

    Parameters
    ----------
    module : str
        Its dotted name.
    mutant : Mutant
    tests : sequence of str
        Node ids of pytest.
    seconds : float
        Of processor time for the whole fork.
    """
    source = file_of(module).read_text("utf-8")
    code = compile(mutated(source, mutant), str(file_of(module)), "exec")

    def run() -> int:
        sys.meta_path.insert(0, _Instead(module, code))
        return int(pytest.main([*PYTEST, "-x", *tests]))

    status = _forked(run, seconds)
    if os.WIFSIGNALED(status):
        return TIMED_OUT if os.WTERMSIG(status) == signal.SIGXCPU else KILLED
    left = os.waitstatus_to_exitcode(status)
    if left in (_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.INTERNAL_ERROR):
        sys.exit(f"{module}:{mutant.line}: pytest itself failed for {mutant.change}, with status {left}")
    return SURVIVED if left == pytest.ExitCode.OK else KILLED


def sound(tests: Sequence[str]) -> bool:
    """Whether tests pass without a mutant: those that do not would kill every one."""
    return _forked(lambda: int(pytest.main([*PYTEST, "-x", *tests])), 3600) == 0


def file_of(module: str) -> Path:
    """File of a module of the package."""
    return ROOT / Path(*module.split(".")).with_suffix(".py")


def reach(package: str, folders: Sequence[str]) -> Reach:
    """Which tests of some folders run which lines of a package of ours; kept until code or tests change."""
    kept = KEPT / f"{package}.json"
    stamp = _stamp(package, folders)
    if not kept.exists() or json.loads(kept.read_text("utf-8"))["stamp"] != stamp:
        KEPT.mkdir(parents=True, exist_ok=True)
        failed = _forked(lambda: _watch(package, folders, kept, stamp), 3600, quiet=False)
        if failed:
            print(f"some tests fail without a mutant, and play no part (wait status {failed})", flush=True)
    content = json.loads(kept.read_text("utf-8"))
    tests = {
        file: {int(line): names for line, names in lines.items()} for file, lines in content["tests"].items()
    }
    return Reach(content["seconds"], tests)


class _Instead(importlib.abc.MetaPathFinder):
    """Finds one module, and gives other code for it."""

    def __init__(self, module: str, code: CodeType):
        self._module, self._code = module, code

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != self._module:
            return None
        return spec_from_loader(name, _Loader(name, str(file_of(name)), self._code))


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType):
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Watch:
    """Plugin of pytest: tells coverage whose lines follow, takes the time, and notes who fails."""

    def __init__(self, measured: coverage.Coverage):
        self._measured, self.seconds, self.failed = measured, {}, set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        self._measured.switch_context(item.nodeid)
        began = time.process_time()
        done = yield
        self.seconds[item.nodeid] = round(time.process_time() - began, 4)
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


def _watch(package: str, folders: Sequence[str], kept: Path, stamp: str) -> int:
    measured = coverage.Coverage(
        data_file=None, config_file=False, source_pkgs=[f"kyphobayes.{package}"], messages=False
    )
    watch = _Watch(measured)
    measured.start()
    pytest.main([*PYTEST, *folders], plugins=[watch])
    measured.stop()
    data, tests = measured.get_data(), {}
    for file in data.measured_files():
        tests[Path(file).relative_to(ROOT).as_posix()] = {
            line: sorted(set(names) - {""} - watch.failed)
            for line, names in data.contexts_by_lineno(file).items()
        }
    seconds = {test: took for test, took in watch.seconds.items() if test not in watch.failed}
    kept.write_text(json.dumps(dict(stamp=stamp, seconds=seconds, tests=tests)), "utf-8")
    return len(watch.failed)


def _stamp(package: str, folders: Sequence[str]) -> str:
    content = hashlib.sha256()
    for path in (ROOT / "kyphobayes" / package, *(ROOT / folder for folder in folders)):
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            content.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return content.hexdigest()


def _forked(run: Callable[[], int], seconds: float, *, quiet: bool = True) -> int:
    """Wait status of a fork that does something, within processor time and memory."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = _FAILED
    try:
        os.chdir(ROOT)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 60))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        if quiet:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        left = run()
    except BaseException:  # the fork must end here, whatever happens
        traceback.print_exc()
    finally:
        os._exit(left)
