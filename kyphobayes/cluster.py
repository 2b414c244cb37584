"""Workers of a running Dask cluster, held to what would make their results those of this machine."""

import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import kyphobayes
from kyphobayes.errors import InputError
from kyphobayes.versions import versions

KILLED = "KilledWorker"  # what distributed, which need not be installed, calls a job that no worker survived
_TOPIC = "kyphobayes"  # of what jobs say
_PATIENCE = 10  # seconds for a scheduler to answer
Say = Callable[[str], None]


@contextmanager
def cluster(address: str, say: Say = lambda _: None, shared: Sequence[Path] = ()) -> Iterator[Executor]:
    """Workers of a running Dask scheduler.

    Every worker must hold the packages of this process, at the same versions, and run one thread: samplers
    and HDF5 are not made to share a process, and other versions need not give the same digits. A job whose
    worker dies is given to another one, up to the scheduler's ``allowed-failures``.

    Raises
    ------
    InputError
        If the extra ``dask`` is not installed, nothing answers at the address, there is no worker, or one is
        not as above.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        raise InputError("--dask needs the package distributed: pip install 'kyphobayes[dask]'") from None
    try:
        # A client that finds nobody would try again for long, and complain when it is thrown away.
        socket.create_connection(get_address_host_port(address), timeout=_PATIENCE).close()
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as problem:
        detail = " ".join(str(problem).split()) or type(problem).__name__
        raise InputError(
            f"--dask: expected the address of a running scheduler, such as tcp://host:8786, found "
            f"{address!r}, which does not answer: {detail}"
        ) from None
    try:
        _require_alike(client)
        _require_shared(client, shared)
        client.subscribe_topic(_TOPIC, lambda event: say(event[1]))
        yield client.get_executor(pure=False)
    finally:
        client.close()


def _require_alike(client: Any) -> None:
    """Raise unless every worker of a cluster would do what this process does."""
    threads: dict[str, int] = client.nthreads()
    if not threads:
        raise InputError(
            "--dask: the scheduler has no worker; start one with: dask worker ADDRESS --nthreads 1"
        )
    try:
        found: dict[str, dict[str, str]] = client.run(versions)
    except Exception as problem:  # whatever a worker raises that cannot import the package
        raise InputError(
            f"--dask: a worker cannot load kyphobayes {kyphobayes.__version__}: {problem}"
        ) from None
    here = versions()
    for worker, there in found.items():
        if threads[worker] != 1:
            raise InputError(
                f"--dask: expected workers of one thread, found {threads[worker]} in {worker}; start it with "
                f"--nthreads 1, and more of them with --nworkers"
            )
        if other := [f"{name} {there.get(name)}" for name in here if there.get(name) != here[name]]:
            wanted = ", ".join(f"{name} {here[name]}" for name in here if there.get(name) != here[name])
            raise InputError(f"--dask: expected {wanted} in {worker}, found {', '.join(other)}")


def _require_shared(client: Any, paths: Sequence[Path]) -> None:
    """Raise unless every worker of a cluster sees these files, and what is put into these folders."""
    for path in paths:
        with ExitStack() as stack:
            token = path
            if path.is_dir():
                made = stack.enter_context(tempfile.NamedTemporaryFile(dir=path, prefix=".seen-"))
                token = Path(made.name)
            for worker, seen in client.run(os.path.isfile, str(token)).items():
                if not seen:
                    raise InputError(
                        f"--dask: expected worker {worker} to share {path}, found that it does not; use a "
                        f"folder that all machines have under one name"
                    )


def tell_client(text: str) -> None:
    """Carry what a job says from a cluster's worker to whoever hired it; elsewhere it is not heard."""
    if "distributed" in sys.modules:  # in a worker it always is
        from distributed import get_worker

        with suppress(ValueError):  # no worker
            get_worker().log_event(_TOPIC, text)
