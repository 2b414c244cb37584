"""Tables that jobs return, kept one file each: what is finished is never done again.

The process that hands out the jobs writes, so that workers on other machines need no common folder. A
file's first line holds the digest of what the table depends on and one of its content; a file that does
not say both rightly is as good as none.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from kyphobayes.files import make_folder, write
from kyphobayes.jobs import Job, Say, run_all
from kyphobayes.versions import versions

_SHOWN = 16  # hexadecimal digits of a digest in a file's name


def digest_of(content: Mapping[str, Any]) -> str:
    """Fingerprint of what a table depends on, to which the versions of all packages are added.

    Parameters
    ----------
    content : mapping of str to JSON
        Everything that decides the table: settings, seed, digests of evidence, priors and model files.
    """
    text = json.dumps({**content, "versions": versions()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def kept_tables(
    jobs: Sequence[Job],
    digests: Sequence[str],
    folder: Path | None,
    executor: Executor | None = None,
    say: Say = lambda _: None,
    finished: Callable[[int, int], None] = lambda _, __: None,
) -> list[pd.DataFrame]:
    """Find each job's table in a folder, or run the job and keep its table at once.

    Parameters
    ----------
    jobs : sequence of Job
        Each returns a DataFrame of numbers and texts under a plain index from 0. Its name becomes the first
        part of a file's name.
    digests : sequence of str
        Of each job, by `digest_of`.
    folder : Path, optional
        Without it nothing is kept.
    executor : Executor, optional
        By `kyphobayes.jobs.workers`.
    say : callable
    finished : callable
        Is given how many jobs are finished, and of how many, at the start and after each.

    Returns
    -------
    list of DataFrame
        In the order of the jobs. Numbers survive a file to the last bit, so that it makes no difference which
        were found.

    Raises
    ------
    InputError
        If the folder cannot be written.
    WorkerDied
        What was finished is kept.
    """
    if folder is not None:
        make_folder(folder)
    paths = [
        None if folder is None else folder / f"{job.name}-{digest[:_SHOWN]}.csv"
        for job, digest in zip(jobs, digests, strict=True)
    ]
    found = [
        None if path is None else read_kept(path, digest) for path, digest in zip(paths, digests, strict=True)
    ]
    left = [at for at, table in enumerate(found) if table is None]
    count = len(jobs) - len(left)
    finished(count, len(jobs))

    def keep(place: int, table: pd.DataFrame) -> None:
        nonlocal count
        at = left[place]
        text = _as_text(table)
        if (path := paths[at]) is not None:
            write(path, f"# {digests[at]} {_of(text)}\n{text}")
        found[at] = _from_text(text)  # as one that is found would be
        count += 1
        finished(count, len(jobs))

    run_all([jobs[at] for at in left], executor, say, keep)
    return [table for table in found if table is not None]


def read_kept(path: Path, digest: str) -> pd.DataFrame | None:
    """Table in a file; None if there is no file, or it is damaged, or depends on something else."""
    try:
        head, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return _from_text(text) if head == f"# {digest} {_of(text)}" else None


def _as_text(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n")  # shortest digits that give the number again


def _from_text(text: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(text), keep_default_na=False, na_values=[""])


def _of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
