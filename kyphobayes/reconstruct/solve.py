"""All tables that agree with some figures, or their number, or a sample of them: whichever can be had.

Components of a problem are searched apart and multiplied: the number of tables is the product of their
numbers, and a table is one of each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.reconstruct.printed import Printed
from kyphobayes.reconstruct.problem import Problem
from kyphobayes.reconstruct.search import Exhausted, Search
from kyphobayes.reconstruct.splitting import Run, split
from kyphobayes.reconstruct.values import Printer

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Say = Callable[[str], None]

MOST_TABLES: Final = 1_000_000
MOST_WORK: Final = 2e7  # tables pooled in full, about 2 microseconds each: under a minute
RUNS: Final = 8  # of the sampler; their spread says how much it is worth
PARTICLES: Final = 1000


def silent(text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Effort:
    """How much work may be done before a number is estimated, or tables are sampled.

    Attributes
    ----------
    work : float
        In tables pooled in full by a closed formula, about 2 microseconds each.
    tables : int
        Listed at most.
    runs, particles : int
        Of the sampler.
    seed : int
    """

    work: float = MOST_WORK
    tables: int = MOST_TABLES
    runs: int = RUNS
    particles: int = PARTICLES
    seed: int = 0


SMALL: Final = Effort(work=3e6, runs=4, particles=400)
TINY: Final = Effort(work=1e6, runs=2, particles=150)  # for a hundred methods


@dataclass(frozen=True, eq=False)
class Part:
    """Tables of one component.

    Attributes
    ----------
    columns : list of int
    tables : ndarray of int, shape (t, k)
        Other columns hold whatever the problem's first counts are.
    weights : ndarray, shape (t,)
        Sum to one.
    number : float
        Of tables that agree: of those listed, or an estimate.
    error : float
        Relative standard error of the number; 0 if it is exact.
    effective : float
        Number of independent tables that the sample is worth; infinite if all are listed.
    """

    columns: list[int]
    tables: Counts
    weights: Array
    number: float
    error: float = 0.0
    effective: float = float("inf")


@dataclass(frozen=True)
class Number:
    """A number of tables.

    Attributes
    ----------
    tables : float
    error : float
        Relative standard error; 0 if the number is exact, infinite if only zero could be found.
    """

    tables: float
    error: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether the tables were counted."""
        return self.error == 0

    @property
    def shown(self) -> str:
        """The number for people, an estimate to two digits."""
        if self.exact:
            return f"{self.tables:,.0f}"
        if not np.isfinite(self.error):
            return "unknown"
        return (
            f"about {float(f'{self.tables:.1e}'):,.0f}" if self.tables < 1e7 else f"about {self.tables:.1e}"
        )


def problem_parts(
    problem: Problem, columns: Sequence[int], effort: Effort, say: Say = silent, *, sample: bool = True
) -> list[Part] | None:
    """Tables of every component that these columns have; None if no table agrees.

    Raises
    ------
    Exhausted
        If a component has too many tables and they are not to be sampled, or if a sample is asked for
        and none is found: then it is not known whether any table agrees.
    """
    if problem.impossible:
        return None
    found, later = [], []
    for component in problem.components(columns):
        search = Search(problem, component)
        try:
            if search.estimate(effort.seed) > 3 * effort.work:
                raise Exhausted
            tables = search.all(effort.work, effort.tables)
        except Exhausted:
            if not sample:
                raise
            later.append(component)
            continue
        if len(tables) == 0:
            return None
        weights = np.full(len(tables), 1 / len(tables))
        found.append(Part(component, tables, weights, float(len(tables))))
    # What can be searched to its end may show that there is nothing to be sampled.
    return found + [_sampled(problem, component, effort, say) for component in later]


def number_of(
    printer: Printer, figures: Sequence[Printed], effort: Effort = SMALL, *, all_studies: bool
) -> Number:
    """How many tables agree with figures, over all studies or over those that the figures name."""
    problem = Problem(printer, figures)
    columns = list(range(len(printer.n))) if all_studies else problem.named()
    try:
        parts = problem_parts(problem, columns, effort)
    except Exhausted:
        return Number(0.0, np.inf)
    return product(parts)


def product(parts: list[Part] | None) -> Number:
    """Number of tables made of those of components."""
    if parts is None:
        return Number(0.0)
    error = float(np.sqrt(sum(part.error**2 for part in parts)))
    return Number(float(np.prod([part.number for part in parts])), error)


def _sampled(problem: Problem, component: list[int], effort: Effort, say: Say) -> Part:
    """A weighted sample, from several runs that know nothing of each other."""
    runs: list[Run] = []
    for i in range(effort.runs):
        say(f"sampling tables, run {i + 1} of {effort.runs}")
        run = split(problem, component, effort.seed * 1000 + i, effort.particles)
        if run is not None:
            runs.append(run)
        elif not runs and i >= 2:
            break
    if not runs:
        raise Exhausted
    missed = effort.runs - len(runs)
    logs = np.array([run.log_number for run in runs] + [-np.inf] * missed)
    top = logs.max()
    sizes = np.exp(logs - top)  # a run that found more tables stands for more
    share = sizes / sizes.sum()
    error = float(sizes.std(ddof=1) / sizes.mean() / np.sqrt(len(sizes)))
    tables = np.concatenate([run.tables for run in runs])
    weights = np.concatenate(
        [np.full(len(run.tables), s / len(run.tables)) for run, s in zip(runs, share, strict=False)]
    )
    unique, place = np.unique(tables, axis=0, return_inverse=True)
    summed = np.bincount(place.ravel(), weights=weights)
    effective = min(_effective(runs, share[: len(runs)], component), float(len(tables)))
    number = float(np.exp(min(top, 700.0)) * sizes.mean())
    return Part(component, unique, summed, max(number, float(len(unique))), max(error, 1e-12), effective)


def _effective(runs: list[Run], share: Array, component: list[int]) -> float:
    """Independent tables with which the means would be as precise: the least over the component.

    The variance of a weighted mean over runs is taken from their spread.
    """
    least = np.inf
    for c in component:
        values = [run.tables[:, c].astype(float) for run in runs]
        means = np.array([v.mean() for v in values])
        mean = float((share * means).sum())
        within = float((share * np.array([((v - mean) ** 2).mean() for v in values])).sum())
        if within == 0:
            continue
        r = len(runs)
        between = float((share**2 * (means - mean) ** 2).sum()) * r / max(r - 1, 1)
        least = min(least, within / between if between > 0 else np.inf) if r > 1 else 1.0
    return least
