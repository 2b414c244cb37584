"""Random moves from table to table. Each is as likely as its way back; most keep totals."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.reconstruct.problem import Problem

Counts = NDArray[np.int64]

_FLOOR: Final = 0.03  # of the chance of a kind of move that is never accepted


class Moves:
    """Moves of the counts of a component.

    Kinds: a few events go from one study to another; two studies divide theirs anew; two swap theirs; one
    gets a few more or less; one gets any count it may have; three change by the same number, each up or
    down, which keeps totals of overlapping groups. Kinds that are accepted are proposed more often: the
    shares are fixed within a sweep over all particles, so that every proposal stays symmetric.

    Parameters
    ----------
    problem : Problem
    columns : sequence of int
    rng : Generator
    """

    def __init__(self, problem: Problem, columns: Sequence[int], rng: np.random.Generator):
        self.rng, self.columns = rng, np.array(columns)
        self.domains = problem.domains
        self.allowed = [np.zeros(int(size) + 1, dtype=bool) for size in problem.printer.n]
        for c in columns:
            self.allowed[c][problem.domains[c]] = True
        self.top = problem.printer.n
        one, two = [self._step, self._redraw], [self._transfer, self._divide, self._swap]
        self.kinds = [*one, *(two if len(columns) > 1 else []), *([self._three] if len(columns) > 2 else [])]
        self.rates = np.full(len(self.kinds), 0.3)
        self.last = 0
        self.most = 30 + 8 * len(columns)  # sweeps per level
        self.enough = 1.0 * len(columns)  # moves that a particle makes per level

    def slow_down(self, share: float) -> None:
        """Move less often."""
        self.most, self.enough = max(10, int(share * self.most)), share * self.enough

    def propose(self, tables: Counts) -> tuple[Counts, NDArray[np.bool_]]:
        """Move every table once, all in the same manner; and say which are within the domains."""
        chances = _FLOOR + self.rates
        self.last = int(self.rng.choice(len(self.kinds), p=chances / chances.sum()))
        proposed = tables.copy()
        changed = self.kinds[self.last](proposed)
        rows = np.arange(len(tables))
        inside = np.ones(len(tables), dtype=bool)
        for columns in changed:
            value = proposed[rows, columns]
            within = (value >= 0) & (value <= self.top[columns])
            for c in np.unique(columns[within]):
                here = within & (columns == c)
                within[here] = self.allowed[c][value[here]]
            inside &= within
        return proposed, inside & (proposed != tables).any(axis=1)

    def learn(self, accepted: float) -> None:
        """Remember how often the last kind of move was accepted."""
        self.rates[self.last] += 0.2 * (accepted - self.rates[self.last])

    def _places(self, rows: int, number: int) -> list[Counts]:
        """Different columns for every table."""
        order = self.rng.random((rows, len(self.columns))).argsort(axis=1)[:, :number]
        return [self.columns[order[:, i]] for i in range(number)]

    def _few(self, rows: int) -> Counts:
        """1 with chance one half, then geometrically: mostly small, at times large."""
        return self.rng.geometric(0.5, rows) * self.rng.integers(1, 4, rows)

    def _sign(self, rows: int) -> Counts:
        return self.rng.choice(np.array([-1, 1]), rows)

    def _step(self, tables: Counts) -> list[Counts]:
        rows = np.arange(len(tables))
        (a,) = self._places(len(tables), 1)
        tables[rows, a] += self._few(len(tables)) * self._sign(len(tables))
        return [a]

    def _redraw(self, tables: Counts) -> list[Counts]:
        rows = np.arange(len(tables))
        (a,) = self._places(len(tables), 1)
        for c in np.unique(a):
            here = rows[a == c]
            tables[here, c] = self.rng.choice(self.domains[c], len(here))
        return [a]

    def _transfer(self, tables: Counts) -> list[Counts]:
        rows = np.arange(len(tables))
        a, b = self._places(len(tables), 2)
        events = self._few(len(tables))
        tables[rows, a] -= events
        tables[rows, b] += events
        return [a, b]

    def _divide(self, tables: Counts) -> list[Counts]:
        """Any division of the same sum that leaves neither below 0 nor above its n."""
        rows = np.arange(len(tables))
        a, b = self._places(len(tables), 2)
        both = tables[rows, a] + tables[rows, b]
        least, most = np.maximum(0, both - self.top[b]), np.minimum(self.top[a], both)
        tables[rows, a] = self.rng.integers(least, most + 1)
        tables[rows, b] = both - tables[rows, a]
        return [a, b]

    def _swap(self, tables: Counts) -> list[Counts]:
        rows = np.arange(len(tables))
        a, b = self._places(len(tables), 2)
        tables[rows, a], tables[rows, b] = tables[rows, b], tables[rows, a]
        return [a, b]

    def _three(self, tables: Counts) -> list[Counts]:
        rows = np.arange(len(tables))
        places = self._places(len(tables), 3)
        events = self._few(len(tables))
        for column in places:
            tables[rows, column] += events * self._sign(len(tables))
        return places
