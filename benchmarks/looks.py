"""One look at a row: in a process of its own, so that it finds the same whatever was measured before it.

An allocator that has given large arrays back hands out the next ones quicker: in one process for all, a row
measured alone and the same row after others would differ by more than a regression.
"""

import multiprocessing
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from benchmarks.groups import all_rows
from benchmarks.paired import Measured, measure
from benchmarks.record import Kept, undecided
from benchmarks.rows import NoPeer, Row

QUICK = (2, 4)  # repeats at most, in place of a row's own


@dataclass(frozen=True)
class Found:
    """What a look at a row found.

    Attributes
    ----------
    measured : Measured, optional
        None where the row was skipped or failed; `why` says so.
    peer_version, why : str
    failed : bool
    """

    measured: Measured | None = None
    peer_version: str = ""
    why: str = ""
    failed: bool = False


Asked = Sequence[tuple[Row, Kept | None]]  # rows and the last record of each
Look = Callable[[Asked, bool], list[Found]]


def here(asked: Asked, quick: bool) -> list[Found]:
    """Look at rows in this process."""
    return [_found(row, before, quick) for row, before in asked]


def in_a_process_of_their_own(asked: Asked, quick: bool) -> list[Found]:
    """Look at rows of `groups` in one fresh process, which ends with them."""
    given = [(row.name, before) for row, before in asked]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        try:
            return pool.submit(_named, given, quick).result()
        except BrokenProcessPool as problem:
            return [Found(why=str(problem), failed=True)] * len(given)


def _named(given: Sequence[tuple[str, Kept | None]], quick: bool) -> list[Found]:
    """Look at rows by their names, because functions that prepare them do not travel."""
    rows = {row.name: row for row in all_rows()}
    return here([(rows[name], before) for name, before in given], quick)


def _found(row: Row, before: Kept | None, quick: bool) -> Found:
    least, most = (min(pair) for pair in zip(row.repeats, QUICK, strict=True)) if quick else row.repeats
    try:
        pair = row.prepare()
        measured = measure(pair, least, most, lambda so_far: undecided(so_far, before, pair.version))
    except NoPeer as problem:
        return Found(why=str(problem))
    except Exception as problem:  # a peer's own trouble must not take the other rows along
        traceback.print_exc()
        return Found(why=f"{type(problem).__name__}: {problem}", failed=True)
    return Found(measured, pair.version)
