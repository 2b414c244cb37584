"""A sample of the tables that agree, where there are too many to list: generalised splitting.

Particles start at tables that only the domains restrict, uniformly, and so wherever the answer may lie.
Level by level they must come nearer to the printed figures: those that are near enough are kept and
copied, and each then moves at random among the tables that are as near (a Markov chain whose moves are
symmetric, so that it leaves the uniform distribution on them as it is). At the last level every figure
is met. The product of the shares kept, times the number of tables at the start, estimates how many tables
agree (Botev and Kroese 2012, Stat. Comput. 22, 1-16; Au and Beck 2001, Prob. Eng. Mech. 16, 263-277).
Regions that no move connects at the last level were connected at the levels before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.reconstruct.moves import Moves
from kyphobayes.reconstruct.printed import COUNTED, Printed
from kyphobayes.reconstruct.problem import Problem, is_pooled
from kyphobayes.reconstruct.quick import quick_values
from kyphobayes.reconstruct.search import cost_of
from kyphobayes.reconstruct.values import agrees

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_KEPT: Final = 0.4  # share of the particles kept from level to level
_LEVELS: Final = 400  # no more, then it is given up
_STUCK: Final = 3  # levels without progress, then it is given up
_SNAPSHOTS: Final = 4  # of all particles, at the last level


@dataclass(frozen=True, eq=False)
class Run:
    """Particles of one run at the last level.

    Attributes
    ----------
    tables : ndarray of int, shape (draws, k)
        Columns outside the component hold their first count.
    log_number : float
        Log of the estimated number of tables.
    """

    tables: Counts
    log_number: float


def split(problem: Problem, columns: Sequence[int], seed: int, particles: int) -> Run | None:
    """Run particles through the levels; None if none of them met every figure.

    Where pooling is slow, fewer particles move less often.

    Parameters
    ----------
    problem : Problem
    columns : sequence of int
        A component of it.
    seed : int
    particles : int
    """
    slow = max((cost_of(problem.printer.pooling(f)) for f in problem.tests if is_pooled(f)), default=1.0)
    thrift = max(1.0, slow) ** -0.5
    run = _Run(problem, columns, np.random.default_rng(seed), max(100, int(thrift * particles)))
    run.moves.slow_down(thrift)
    if not (run.descend(run.cheap) and run.descend(run.all)):
        return None
    snapshots = []
    for _ in range(_SNAPSHOTS):
        run.move(run.all, 0.0)
        snapshots.append(run.tables.copy())
    tables = np.concatenate(snapshots)
    for figure in run.all:  # in full, whatever was quick before
        tables = tables[problem.keep(figure, tables)]
    return Run(tables, run.log_number) if len(tables) else None


class _Run:
    """Particles and where they are."""

    def __init__(self, problem: Problem, columns: Sequence[int], rng: np.random.Generator, particles: int):
        self.problem, self.rng = problem, rng
        mine = set(columns)
        self.all = [f for f in problem.tests if mine & set(problem.open(f))]
        self.cheap = [f for f in self.all if not is_pooled(f)]
        self.tables = np.tile([int(d[0]) for d in problem.domains], (particles, 1))
        for c in columns:
            self.tables[:, c] = rng.choice(problem.domains[c], particles)
        self.moves = Moves(problem, columns, rng)
        self.log_number = float(sum(np.log(len(problem.domains[c])) for c in columns))
        self.units = {f: self._unit(f) for f in self.all}

    def descend(self, figures: Sequence[Printed]) -> bool:
        """Bring the particles down to where all these figures are met; False if they do not get there."""
        distance = self.distance(figures, self.tables, np.inf)
        near, stuck = np.inf, 0
        for _ in range(_LEVELS):
            if (distance == 0).all():
                return True
            wanted = float(np.quantile(distance, _KEPT, method="lower"))
            if (distance == 0).mean() >= _KEPT / 2:
                wanted = 0.0
            if wanted >= near:  # many at one distance: keep what is nearer, however few
                nearer = distance[distance < near]
                wanted = float(nearer.max()) if len(nearer) else near
            stuck = stuck + 1 if wanted >= near else 0
            if stuck > _STUCK:
                return False
            survivors = np.flatnonzero(distance <= wanted)
            self.log_number += float(np.log(len(survivors) / len(distance)))
            copies = len(distance) // len(survivors), len(distance) % len(survivors)
            more = self.rng.permutation(survivors)[: copies[1]]
            self.tables = self.tables[np.concatenate([np.repeat(survivors, copies[0]), more])]
            near = wanted
            distance = self.move(figures, near)
        return False

    def move(self, figures: Sequence[Printed], near: float) -> Array:
        """Move every particle at random among tables at most `near` away, and return how far each is."""
        distance = self.distance(figures, self.tables, np.inf)
        moved = np.zeros(len(self.tables))
        for _ in range(self.moves.most):
            proposed, inside = self.moves.propose(self.tables)
            rows = np.flatnonzero(inside)
            there = self.distance(figures, proposed[rows], near)
            rows, there = rows[there <= near], there[there <= near]
            self.tables[rows], distance[rows] = proposed[rows], there
            moved[rows] += 1
            self.moves.learn(len(rows) / len(self.tables))
            if moved.mean() >= self.moves.enough:
                break
        return distance

    def distance(self, figures: Sequence[Printed], tables: Counts, near: float) -> Array:
        """How far tables are from the worst of some figures; infinite once it is beyond `near`."""
        worst = np.zeros(len(tables))
        groups: dict[tuple[bool, tuple[str, ...]], list[Printed]] = {}
        for figure in figures:
            groups.setdefault((is_pooled(figure), figure.studies), []).append(figure)
        for key in sorted(groups, key=lambda key: key[0]):
            rows = np.flatnonzero(worst <= near) if near < np.inf else np.arange(len(tables))
            part = tables[np.ix_(rows, self.problem.columns(groups[key][0]))]
            for figure, value in zip(groups[key], self._values(groups[key], part), strict=True):
                away = _away(figure, value) / self.units[figure]
                worst[rows] = np.maximum(worst[rows], away)
            if near < np.inf:
                worst[worst > near] = np.inf
        return worst

    def _values(self, figures: Sequence[Printed], part: Counts) -> list[Array]:
        """Values of figures about a group, quickly where they can be had so."""
        printer = self.problem.printer
        quick = quick_values(printer, figures, part)
        slow = [f for f, value in zip(figures, quick, strict=True) if value is None]
        full = iter(printer.values(slow, part) if slow else ())
        return [next(full) if value is None else value for value in quick]

    def _unit(self, figure: Printed) -> float:
        """A distance that is usual among the particles at the start, so that no figure outweighs others."""
        if figure.quantity in COUNTED:
            return 1.0
        part = self.tables[:, list(self.problem.columns(figure))]
        away = _away(figure, self.problem.printer.values([figure], part)[0])
        away = away[(away > 0) & np.isfinite(away)]
        return float(np.median(away)) if len(away) else 1.0


def _away(figure: Printed, value: Array) -> Array:
    """Distance of values from those that print as the figure: 0 if they do, infinite if there is none."""
    low, high = figure.inner
    away = np.maximum(np.maximum(low - value, value - high), 1e-300)
    return np.where(agrees(figure, value), 0.0, np.where(np.isnan(value), np.inf, away))
