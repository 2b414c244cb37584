"""Exact search: every way to fill some columns of a table so that all figures about them agree.

Studies are placed one after another, those of the figures about the fewest studies first, and within a
figure the study with the longest list of counts last, because a total then leaves it one count. A table
with some studies placed is dropped as soon as a sum cannot be reached or kept any more, too many or too
few studies are without events, or Cochran's Q, which only grows, is larger than a printed one allows; and
figures are tested as soon as their last study is placed. The search goes depth first in blocks, so that
memory is bounded whatever the number of tables; work is counted, so that time is bounded too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.reconstruct.printed import Printed
from kyphobayes.reconstruct.problem import Problem, Sum, is_pooled
from kyphobayes.reconstruct.quick import plausible
from kyphobayes.reconstruct.values import agrees

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

BLOCK: Final = 2**16  # tables held at once
_SMALL_BLOCK: Final = 2**13  # where one table is enough
_PROBE: Final = 3000  # partial tables per level of an estimate
# Time per table, in units of one that is pooled in full by a closed formula (about 2 microseconds).
_PLACED: Final = 0.1
_COSTS: Final = {"CE": 0.2, "DL": 0.2, "ML": 8.0, "REML": 12.0, "PM": 4.0, "EB": 4.0, "PMM": 4.0}


def cost_of(pooling: str) -> float:
    """How long it takes to pool a table."""
    return _COSTS.get(pooling, 1.0)


class Exhausted(Exception):
    """The search would take more work, or hold more tables, than it was given."""


@dataclass(frozen=True)
class _Level:
    """One study to place, and what can be said once it is.

    Attributes
    ----------
    column : int
    sums : tuple of (low, high, columns placed before)
        What the count and those before it may add up to, later studies at their most and least.
    zeros : tuple of (least, most, columns)
        Studies without events among the columns placed so far, later ones likewise.
    q : tuple of (most, columns)
    tests : tuple of tuple of Printed
        Figures that are complete now, by group of studies; cheap ones first.
    cost : float
    """

    column: int
    sums: tuple[tuple[float, float, list[int]], ...]
    zeros: tuple[tuple[float, float, list[int]], ...]
    q: tuple[tuple[float, list[int]], ...]
    tests: tuple[tuple[Printed, ...], ...]
    cost: float


class Search:
    """Search for the counts of one component of a problem.

    Parameters
    ----------
    problem : Problem
        Which is not impossible.
    columns : sequence of int
        A component of it.

    Attributes
    ----------
    start : ndarray of int, shape (1, k)
        The first count of every study.
    work : float
        Done in the last search, in tables pooled in full.
    """

    def __init__(self, problem: Problem, columns: Sequence[int]):
        self.problem, self.columns = problem, list(columns)
        self.work = 0.0
        self.levels = self._levels()
        self.start = np.array([[int(d[0]) for d in problem.domains]])

    def blocks(self, most_work: float = np.inf, rng: np.random.Generator | None = None) -> Iterator[Counts]:
        """Full tables that agree, block by block; columns outside the component hold their first count.

        Parameters
        ----------
        most_work : float
            In tables pooled in full by a closed formula, about 2 microseconds each.
        rng : Generator, optional
            Take blocks and counts in random order, which finds a first table sooner.

        Raises
        ------
        Exhausted
            When the work is done and the search is not.
        """
        self.work, self._most, self._rng = 0.0, most_work, rng
        self._block = BLOCK if rng is None else _SMALL_BLOCK
        yield from self._below(0, self.start)

    def all(self, most_work: float, most_tables: int) -> Counts:
        """Every table, shape (t, k).

        Raises
        ------
        Exhausted
            If that is more work, or more tables, than allowed.
        """
        found, length = [self.start[:0]], 0
        for block in self.blocks(most_work):
            found.append(block)
            if (length := length + len(block)) > most_tables:
                raise Exhausted
        return np.concatenate(found)

    def first(self, most_work: float, seed: int = 0) -> Counts | None:
        """One table, or None if there is none."""
        return next(self.blocks(most_work, np.random.default_rng(seed)), None)

    def estimate(self, seed: int = 0) -> float:
        """Work of a full search, estimated from random partial tables (Knuth 1975, Math. Comp. 29).

        Of the partial tables of each level some are followed, each for all that it stands for.
        """
        rng = np.random.default_rng(seed)
        rows, factor, work = self.start, 1.0, 0.0
        for level in self.levels:
            first, counts = self._choices(level, rows)
            total = int(counts.sum())
            work += factor * total * level.cost
            if total == 0:
                break
            taken = np.arange(total) if total <= _PROBE else np.sort(rng.choice(total, _PROBE, replace=False))
            factor *= total / len(taken)
            rows = self._tested(level, self._placed(level, rows, first, counts, taken))
            if len(rows) == 0:
                break
        return work

    def _below(self, depth: int, rows: Counts) -> Iterator[Counts]:
        if depth == len(self.levels):
            yield rows
            return
        level = self.levels[depth]
        first, counts = self._choices(level, rows)
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        starts = list(range(0, total, self._block))
        if self._rng is not None:
            self._rng.shuffle(starts)
        for start in starts:
            taken = np.arange(start, min(start + self._block, total))
            self.work += len(taken) * level.cost
            if self.work > self._most:
                raise Exhausted
            placed = self._tested(level, self._placed(level, rows, first, counts, taken))
            if len(placed):
                yield from self._below(depth + 1, placed)

    def _choices(self, level: _Level, rows: Counts) -> tuple[Counts, Counts]:
        """For each partial table the place of the first count that sums allow, and how many there are."""
        domain = self.problem.domains[level.column]
        least, most = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
        for low, high, before in level.sums:
            spent = rows[:, before].sum(axis=1)
            least, most = np.maximum(least, low - spent), np.minimum(most, high - spent)
        first = np.searchsorted(domain, least, side="left")
        counts = np.maximum(np.searchsorted(domain, most, side="right") - first, 0)
        return first, counts

    def _placed(self, level: _Level, rows: Counts, first: Counts, counts: Counts, taken: Counts) -> Counts:
        """Partial tables with one more study; `taken` numbers the choices of all of them in one row."""
        ends = np.cumsum(counts)
        row = np.searchsorted(ends, taken, side="right")
        placed = rows[row]
        placed[:, level.column] = self.problem.domains[level.column][
            first[row] + taken - (ends - counts)[row]
        ]
        return placed

    def _tested(self, level: _Level, rows: Counts) -> Counts:
        """Those that nothing speaks against."""
        for least, most, columns in level.zeros:
            empty = (rows[:, columns] == 0).sum(axis=1)
            rows = rows[(empty >= least) & (empty <= most)]
        for most, columns in level.q:
            rows = rows[_q(self.problem, rows, columns) <= most]
        for group in level.tests:
            if len(rows) == 0:
                break
            columns = list(self.problem.columns(group[0]))
            if is_pooled(group[0]):
                rows = rows[plausible(self.problem.printer, group, rows[:, columns])]
            keep = np.ones(len(rows), dtype=bool)
            values = self.problem.printer.values(group, rows[:, columns])
            for figure, value in zip(group, values, strict=True):
                keep &= agrees(figure, value)
            rows = rows[keep]
        return rows

    def _levels(self) -> list[_Level]:
        """The order of the studies, and what is known after each."""
        problem, mine = self.problem, set(self.columns)
        figures = [f for f in problem.tests if mine & set(problem.open(f))]
        order: list[int] = []
        left = list(figures)
        while left:
            left.sort(key=lambda f: (len(set(problem.open(f)) - set(order)), is_pooled(f)))
            new = [c for c in problem.open(left.pop(0)) if c not in order]
            order += sorted(new, key=lambda c: len(problem.domains[c]))
        order += [c for c in self.columns if c not in order]
        return [self._level(figures, order[:i], order[i], order[i + 1 :]) for i in range(len(order))]

    def _level(self, figures: Sequence[Printed], before: list[int], column: int, later: list[int]) -> _Level:
        problem = self.problem
        sums, zeros, q, done = [], [], [], []
        for s in problem.sums:
            if column in s.columns:
                sums.append(self._bounds(s, column, later))
        for figure in figures:
            columns = problem.columns(figure)
            if column not in columns:
                continue
            waiting = [c for c in columns if c in later]
            placed = [c for c in columns if c not in later]
            if figure.quantity == "studies_without_events":
                may = sum(problem.domains[c][0] == 0 for c in waiting)
                must = sum(problem.domains[c][-1] == 0 for c in waiting)
                low, high = figure.inner
                zeros.append((low - may, high - must, placed))
            elif not waiting:
                done.append(figure)
            elif is_pooled(figure) and len(placed) > 1 and np.isfinite(most := problem.most_q(figure)):
                q.append((most, placed))
        tests = _grouped([f for f in done if f.quantity not in ("events", "rate")])
        poolings = {(problem.columns(f), problem.printer.pooling(f)) for f in done if is_pooled(f)}
        cost = _PLACED * (1 + len(q)) + sum(cost_of(pooling) for _, pooling in poolings)
        return _Level(column, tuple(sums), tuple(zeros), tuple(q), tests, cost)

    def _bounds(self, s: Sum, column: int, later: list[int]) -> tuple[float, float, list[int]]:
        domains = [self.problem.domains[c] for c in s.columns if c in later]
        low = s.low - sum(int(d[-1]) for d in domains)
        high = s.high - sum(int(d[0]) for d in domains)
        return low, high, [c for c in s.columns if c != column and c not in later]


def _grouped(figures: Sequence[Printed]) -> tuple[tuple[Printed, ...], ...]:
    """Figures about the same studies together, so that these are pooled once; cheap figures first."""
    groups: dict[tuple[bool, tuple[str, ...]], list[Printed]] = {}
    for figure in figures:
        groups.setdefault((is_pooled(figure), figure.studies), []).append(figure)
    return tuple(tuple(groups[key]) for key in sorted(groups, key=lambda key: (key[0], len(key[1]))))


def _q(problem: Problem, rows: Counts, columns: list[int]) -> Array:
    """Cochran's Q of some studies; one without a variance counts for nothing."""
    y, v = problem.printer.scale.effects(rows[:, columns], columns)
    w = np.where(np.isnan(v), 0.0, 1 / v)
    y = np.where(w > 0, y, 0.0)
    total = w.sum(axis=1, keepdims=True)
    mean = (w * y).sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
    return (w * (y - mean) ** 2).sum(axis=1)
