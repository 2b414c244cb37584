"""Independent jobs, one after the other or on any `concurrent.futures.Executor`.

A job is a value: a function of a module, and its arguments. What it returns depends on these and on nothing
else, so that it does not matter which worker does it.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from kyphobayes.errors import KyphobayesError

Say = Callable[[str], None]

_END = None  # what the listener stops at
_heard: Any = None  # in a worker process: the queue to the one who listens


@dataclass(frozen=True)
class Job:
    """A call to be made.

    Attributes
    ----------
    name : str
    function : callable
        Of a module, so that another process can find it; takes `say` beside its arguments.
    arguments : dict
    """

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)


class WorkerDied(KyphobayesError):
    """A worker process ended before its job did."""


def available() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(jobs: Sequence[Job], executor: Executor | None = None, say: Say = lambda _: None) -> list[Any]:
    """Run jobs and return what each returned, in their order.

    Parameters
    ----------
    jobs : sequence of Job
    executor : Executor, optional
        A process pool by `processes`, a thread pool, a Dask cluster's ``client.get_executor()``; without
        one the jobs run here, one after the other.
    say : callable
        Is told what happens, by jobs that run here; `processes` carries the words of others.

    Raises
    ------
    WorkerDied
        If a process was killed, for want of memory as a rule. What a job raises is raised here as soon as
        it is known, and jobs not begun are dropped.
    """
    places = [f"[{place}/{len(jobs)}] " for place in range(1, len(jobs) + 1)]
    if executor is None:
        return [_call(job, place, say) for job, place in zip(jobs, places, strict=True)]
    # The last first: a plan grows at its end, where the longer jobs are, and one of them begun last would
    # leave the other workers idle.
    pairs = list(zip(jobs, places, strict=True))
    futures: list[Future] = [executor.submit(_work, *pair) for pair in reversed(pairs)][::-1]
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
        for future in futures:
            if future.done() and (problem := future.exception()) is not None:
                raise problem
        return [future.result() for future in futures]
    except BrokenProcessPool as problem:
        raise WorkerDied(
            "a worker process ended before its work was done, perhaps for want of memory; finished fits "
            "are kept: run again with --workers 1"
        ) from problem
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def processes(workers: int, say: Say = lambda _: None) -> Iterator[Executor | None]:
    """Pool of worker processes whose jobs' words reach `say`; None, for no pool, where one would do.

    Interrupted, it ends its workers at once: files are written whole or not at all.
    """
    if workers <= 1:
        yield None
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy threads of numba and BLAS mid-step
    queue = context.SimpleQueue()
    listener = Thread(target=_listen, args=(queue, say), daemon=True)
    listener.start()
    pool = ProcessPoolExecutor(workers, context, _begin, (queue,))
    try:
        yield pool
    except BaseException:
        # Killed while it spoke, a worker would keep the queue's lock: nobody waits for the listener then.
        for worker in multiprocessing.active_children():
            worker.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    queue.put(_END)
    listener.join()


def _begin(queue: Any) -> None:
    """Make a fresh worker: words go to the queue, and Ctrl-C is for the process that started it."""
    global _heard
    _heard = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(job: Job, place: str) -> Any:
    return _call(job, place, _tell)


def _call(job: Job, place: str, say: Say) -> Any:
    return job.function(**job.arguments, say=lambda text: say(place + text))


def _tell(text: str) -> None:
    if _heard is not None:
        _heard.put(text)


def _listen(queue: Any, say: Say) -> None:
    while (text := queue.get()) is not _END:
        say(text)
