"""The coverage study: every method in every cell, each cell a job."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from scipy import special

from kyphobayes.coverage.assessed import assessed, content
from kyphobayes.coverage.intervals import Intervals
from kyphobayes.coverage.maximum import Maxima, maxima
from kyphobayes.coverage.posterior_intervals import Posteriors
from kyphobayes.coverage.shared_grid import place
from kyphobayes.coverage.simulated import Cell, Simulated, simulate
from kyphobayes.coverage.two_stage import METHODS, two_stage
from kyphobayes.effects.recover import back_transform_mean
from kyphobayes.jobs import Job, Say
from kyphobayes.kept_tables import digest_of, kept_tables
from kyphobayes.names import MU, PLO, TAU
from kyphobayes.priors import Priors

TYPICAL, NEXT, AVERAGE = "typical", "next", "average"  # quantities
EXACT, TWO_STAGE, ONE_STAGE = "exact", "two-stage", "one-stage"  # kinds of methods
GLMM: Final = "binomial–normal (GLMM), ML"
_BLOCK = 16  # tables at a time


def coverage_study(
    cells: Sequence[Cell],
    replications: int = 2000,
    *,
    seed: int = 0,
    folder: Path | None = None,
    executor: Executor | None = None,
    say: Say = lambda _: None,
    finished: Callable[[int, int], None] = lambda _, __: None,
) -> pd.DataFrame:
    """Coverage of every interval method in every cell.

    Parameters
    ----------
    cells : sequence of Cell
    replications : int
        Simulated tables in each cell.
    seed : int
    folder : Path, optional
        Where finished cells are kept and found again.
    executor : Executor, optional
        By `kyphobayes.jobs.workers`; the digits do not depend on it.
    say, finished : callable
        As in `kyphobayes.kept_tables.kept_tables`.

    Returns
    -------
    DataFrame
        One row for each cell, method and quantity; see `cover`.

    Raises
    ------
    InputError, WorkerDied
    """
    jobs = [
        Job(cell.name, cover, {"cell": cell, "replications": replications, "seed": seed}) for cell in cells
    ]
    decide = {"study": "coverage", "replications": replications, "seed": seed}
    digests = [digest_of({**decide, "cell": asdict(cell)}) for cell in cells]
    return pd.concat(kept_tables(jobs, digests, folder, executor, say, finished), ignore_index=True)


def cover(cell: Cell, replications: int, seed: int, say: Say = lambda _: None) -> pd.DataFrame:
    """Simulate one cell and see what each method's intervals cover.

    Parameters
    ----------
    cell : Cell
    replications, seed : int
    say : callable

    Returns
    -------
    DataFrame
        Columns cell, k, n (mean size of a study), tau, rate (of the typical centre), replications, kind
        ("exact", "two-stage" or "one-stage"), method, mu_prior, tau_prior (texts, empty but for exact
        posteriors), quantity, and those of `assessed` and `content`.
        The quantity is "typical" (mu), "next" (the effect in one more centre) or, for methods that do not
        work on log odds, "average" (the mean of all centres' rates, which is nearer to what they estimate).
    """
    say(f"{cell.name}: {replications} tables of {cell.k} studies")
    simulated = simulate(cell, replications, seed)
    common = {
        "cell": cell.name,
        "k": cell.k,
        "n": cell.n,
        "tau": cell.tau,
        "rate": cell.rate,
        "replications": replications,
    }
    return pd.DataFrame([common | row for row in _rows(cell, simulated)])


def _rows(cell: Cell, simulated: Simulated) -> Iterator[dict[str, object]]:
    """The figures of every method, one row for each quantity that it says something about."""
    exact, best = _by_likelihood(cell, simulated)
    for pair, found in zip(cell.pairs, exact, strict=True):
        about = {"kind": EXACT, "method": pair.name, "mu_prior": pair.mu, "tau_prior": pair.tau}
        yield about | _of_mu(simulated, found, TYPICAL, cell.mu)
        yield about | _of_next(cell, simulated, found)
    about = {"kind": TWO_STAGE, "mu_prior": "", "tau_prior": ""}
    for method in METHODS:
        found = two_stage(method, simulated.events, simulated.sizes)
        yield about | {"method": method.name} | _of_mu(simulated, found, TYPICAL, cell.mu)
        if method.measure != PLO:
            mean = float(special.logit(back_transform_mean(PLO, cell.mu, cell.tau**2)))
            yield about | {"method": method.name} | _of_mu(simulated, found, AVERAGE, mean)
        yield about | {"method": method.prediction} | _of_next(cell, simulated, found)
    about |= {"kind": ONE_STAGE}
    for label, df in (("Wald", np.inf), ("t(k − 1)", cell.k - 1.0)):
        found = best.wald(df)
        plug_in = "normal" if df == np.inf else label
        yield about | {"method": f"{GLMM}, {label}"} | _of_mu(simulated, found, TYPICAL, cell.mu)
        yield about | {"method": f"{GLMM}, {plug_in}"} | _of_next(cell, simulated, found)
    name = f"{GLMM}, profile likelihood"
    yield about | {"method": name} | _of_mu(simulated, best.profile(), TYPICAL, cell.mu)


def _of_mu(simulated: Simulated, found: Intervals, quantity: str, truth: float) -> dict[str, object]:
    low, high = found.low[simulated.which], found.high[simulated.which]
    return {"quantity": quantity, **assessed(low, high, truth)}


def _of_next(cell: Cell, simulated: Simulated, found: Intervals) -> dict[str, object]:
    low, high = found.new_low[simulated.which], found.new_high[simulated.which]
    held = content(low, high, cell.mu, cell.tau)
    return {"quantity": NEXT, **assessed(low, high, simulated.theta_new), **held}


def _by_likelihood(cell: Cell, simulated: Simulated) -> tuple[list[Intervals], Maxima]:
    """Posteriors under each pair of priors, and maxima, of every distinct table of a simulation."""
    events, sizes = simulated.events, simulated.sizes
    priors = [Priors.of(pair.name, mu=pair.mu, tau=pair.tau) for pair in cell.pairs]
    pairs = [(each[MU], each[TAU]) for each in priors]
    grid = place(events, sizes, pairs)
    posteriors = Posteriors.of(grid, pairs)
    exact, highest = [], []
    for start in range(0, len(events), _BLOCK):
        part = slice(start, start + _BLOCK)
        values = grid.log_likelihood(part)
        exact.append(posteriors.intervals(values, events[part], sizes[part]))
        highest.append(maxima(grid, values, events[part], sizes[part]))
    return [_joined(each) for each in zip(*exact, strict=True)], _joined(highest)


def _joined[Parts: (Intervals, Maxima)](parts: Sequence[Parts]) -> Parts:
    """Arrays of several blocks, one after the other."""
    columns = (np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0]))
    return type(parts[0])(*columns)
