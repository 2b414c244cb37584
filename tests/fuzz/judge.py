"""What is asked of every input: one sentence or an answer, in time and memory, in its folder, nothing run.

An audit hook sees what the interpreter is about to do (PEP 578): every file that is opened for writing, every
process, every connection. Files in the sandbox beside `out` are compared before and after.
"""

import os
import re
import resource
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kyphobayes.errors import KyphobayesError
from tests.fuzz.cases import Case

SECONDS = 5.0  # of the processor, for one input: a hang, whatever else the machine does
PATIENCE = 120  # seconds by the clock, for what waits and does not compute
MEMORY = 1_000_000_000  # bytes
LONGEST = 2_000  # characters of a sentence
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_CHANGES = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "shutil.copyfile", "shutil.move", "shutil.rmtree",
}  # fmt: skip
_RUNS = {
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "subprocess.Popen",
    "socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.Request",
}  # fmt: skip
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class Broken(AssertionError):
    """An input ended as none may."""


class Hang(BaseException):
    """An input takes too long; nothing that catches every `Exception` may catch it."""


class _Watch:
    """Writes down what an input does to the world; the interpreter keeps an audit hook for good."""

    def __init__(self) -> None:
        self.seen: list[str] | None = None
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple) -> None:
        if self.seen is None or threading.current_thread() is not threading.main_thread():
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES and not isinstance(path, int):
                self.seen.append(os.path.abspath(os.fsdecode(path)))
        elif event in _CHANGES:
            changed = arguments[1:] if event == "shutil.copyfile" else arguments
            self.seen += [os.path.abspath(os.fsdecode(p)) for p in changed if isinstance(p, str | bytes)]
        elif event in _RUNS or (event == "import" and "canary" in str(arguments[0])):
            self.seen.append(f"{event} {arguments!r}"[:200])


_watch: _Watch | None = None


def judge(case: Case, run: Callable[[Case, Path], None], sandbox: Path, seconds: float = SECONDS) -> None:
    """Run one input.

    Parameters
    ----------
    case : Case
    run : callable
        Of a target: reads the case's files in the folder ``sandbox/in``, may write below ``sandbox/out``, and
        checks its answer. A `KyphobayesError` is an answer, too.
    sandbox : Path
    seconds : float
        Of the processor that it may take.

    Raises
    ------
    Broken
        With the case as JSON, as the corpus keeps it.
    """
    before = _tree(sandbox)
    case.put(sandbox)
    began, most = time.process_time(), peak()
    try:
        with _watched(sandbox), _in_time(seconds), warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                run(case, sandbox)
            except KyphobayesError as problem:
                check_sentence(str(problem))
    except (Exception, Hang) as problem:
        raise Broken(f"{type(problem).__name__}: {str(problem)[:600]}\n{case.to_json()[:3000]}") from problem
    finally:
        case.take_away(sandbox)
        _empty(sandbox / "out")
    if (spent := time.process_time() - began) > seconds:
        raise Broken(f"{spent:.1f} s\n{case.to_json()[:3000]}")
    if (grown := peak() - most) > MEMORY:
        raise Broken(f"{grown / 1e9:.2f} GB more\n{case.to_json()[:3000]}")
    if (after := _tree(sandbox)) != before:
        raise Broken(f"files beside --out: {sorted(before ^ after)[:5]}\n{case.to_json()[:3000]}")


def check_sentence(text: str) -> None:
    """Hold a message to what a person can read: one line that says something, no control characters."""
    assert text.strip() and "\n" not in text, f"no sentence: {text!r}"
    assert len(text) <= LONGEST, f"{len(text)} characters: {text[:200]!r}"
    assert not _OBEYED.search(text), f"control characters: {text!r}"
    assert "Traceback" not in text


def check_printed(text: str) -> None:
    """Hold what is printed to what a terminal may get: no control characters that come from data."""
    found = _OBEYED.search(text)
    assert not found, f"printed: {text[max(0, found.start() - 40) : found.start() + 40]!r}"
    assert "Traceback" not in text


def _empty(folder: Path) -> None:
    if any(folder.iterdir()):
        shutil.rmtree(folder)
        folder.mkdir()


def _tree(sandbox: Path) -> set[str]:
    """Files and folders of the sandbox that are not its output."""
    found = set()
    for folder, inside, files in os.walk(sandbox):
        if Path(folder) == sandbox:
            inside[:] = [name for name in inside if name not in ("out", "project")]
        found |= {os.path.join(folder, name) for name in (*inside, *files)}
    return found


@contextmanager
def _watched(sandbox: Path) -> Iterator[None]:
    """See to it that nothing is run, and nothing written but below ``out`` and into caches."""
    global _watch
    _watch = _watch or _Watch()
    _watch.seen = []
    try:
        yield
    finally:
        seen, _watch.seen = _watch.seen, None
    allowed, caches = (f"{sandbox}/out", sys.prefix, os.devnull), ("__pycache__", "/.cache/", "/matplotlib")
    bad = [each for each in seen if not each.startswith(allowed) and not any(c in each for c in caches)]
    assert not bad, f"done beside --out: {bad[:3]}"


@contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    """Raise where an input hangs; without alarms (another thread, another system) it is only timed."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, _: object) -> None:
        raise Hang(f"stopped by {signal.Signals(number).name}")

    alarms = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, PATIENCE))
    kept = [signal.signal(number, stop) for number, _, _ in alarms]
    for _, timer, limit in alarms:
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(alarms, kept, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def peak() -> int:
    """Greatest memory of this process so far, bytes: what an input adds to it, it has taken at least."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
