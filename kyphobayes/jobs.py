"""Independent jobs, one after the other or on any `concurrent.futures.Executor`.

A job is a value: a function of a module, and its arguments. What it returns depends on these and on nothing
else, so that it does not matter which worker does it.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from kyphobayes.cluster import KILLED, cluster, tell_client
from kyphobayes.errors import KyphobayesError

Done = Callable[[int, Any], None]
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


def run_all(
    jobs: Sequence[Job],
    executor: Executor | None = None,
    say: Say = lambda _: None,
    done: Done = lambda _, __: None,
) -> list[Any]:
    """Run jobs and return what each returned, in their order.

    Parameters
    ----------
    jobs : sequence of Job
    executor : Executor, optional
        By `workers`: a process pool or a Dask cluster; any other executor will do; without one the jobs run
        here, one after the other.
    say : callable
        Is told what happens, by jobs that run here; `workers` carries the words of others.
    done : callable
        Is given place (from 0) and result of each job as soon as there is one, here and in no certain order:
        what it keeps is safe, whatever becomes of the others.

    Raises
    ------
    WorkerDied
        If a process was killed, for want of memory as a rule. What a job raises is raised here as soon as
        it is known, and jobs not begun are dropped.
    """
    places = [f"[{place}/{len(jobs)}] " for place in range(1, len(jobs) + 1)]
    results: list[Any] = [None] * len(jobs)
    if executor is None:
        for at, (job, place) in enumerate(zip(jobs, places, strict=True)):
            results[at] = _call(job, place, say)
            done(at, results[at])
        return results
    # The last first: a plan grows at its end, where the longer jobs are, and one of them begun last would
    # leave the other workers idle.
    ordered = reversed(list(enumerate(zip(jobs, places, strict=True))))
    futures: dict[Future, int] = {executor.submit(_work, job, place): at for at, (job, place) in ordered}
    try:
        for future in as_completed(futures):
            at = futures[future]
            results[at] = future.result()
            done(at, results[at])
        return results
    except Exception as problem:
        if isinstance(problem, BrokenProcessPool) or type(problem).__name__ == KILLED:
            raise WorkerDied(
                "a worker process ended before its work was done, perhaps for want of memory; what is "
                "finished is kept: run again with fewer --workers"
            ) from problem
        raise
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def workers(
    count: int = 1, dask: str | None = None, say: Say = lambda _: None, shared: Sequence[Path] = ()
) -> Iterator[Executor | None]:
    """Executor of a cluster's workers where one is named, else of so many processes here.

    Parameters
    ----------
    count : int
        Processes on this machine; one needs no executor, which is None then.
    dask : str, optional
        Address of a running scheduler, such as ``tcp://host:8786``.
    say : callable
        Is told what jobs say, wherever they run.
    shared : sequence of Path
        Files that jobs read and folders that they write to: the workers of a cluster must find them under the
        same names.

    Raises
    ------
    InputError
        If the cluster cannot be reached, or would not give the results of this machine. See `cluster`.
    """
    with processes(count, say) if dask is None else cluster(dask, say, shared) as executor:
        yield executor


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
    Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: Any) -> None:
    """End this worker with the process that started it, which says nothing when it is killed."""
    parent.join()
    os._exit(1)


def _work(job: Job, place: str) -> Any:
    return _call(job, place, _tell)


def _call(job: Job, place: str, say: Say) -> Any:
    return job.function(**job.arguments, say=lambda text: say(place + text))


def _tell(text: str) -> None:
    if _heard is not None:
        _heard.put(text)
    else:
        tell_client(text)


def _listen(queue: Any, say: Say) -> None:
    while (text := queue.get()) is not _END:
        say(text)
