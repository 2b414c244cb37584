"""Figures that cannot hold together: the smallest such sets, with the arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.reconstruct.constraints import Constraints
from kyphobayes.reconstruct.printed import KNOWN, Printed
from kyphobayes.reconstruct.problem import Problem, is_pooled
from kyphobayes.reconstruct.search import Exhausted, Search
from kyphobayes.reconstruct.splitting import split
from kyphobayes.reconstruct.values import Printer

Counts = NDArray[np.int64]

_WORK: Final = 2e6  # for one set of figures, in tables pooled in full
_ALL_WORK: Final = 1e7  # for all sets
_LISTED: Final = 300_000  # tables listed for the arithmetic
_CONFLICTS: Final = 3  # named at most


@dataclass(frozen=True)
class Nearest:
    """How near a figure comes to what is printed while the others of a conflict hold.

    Attributes
    ----------
    figure : Printed
    below, above : tuple of (table, value) or None
        The nearest tables on either side, over the studies that the conflict is about.
    number : int
        Tables that agree with the others.
    complete : bool
        Whether these were all of them; else they are a sample.
    """

    figure: Printed
    below: tuple[tuple[int, ...], float] | None
    above: tuple[tuple[int, ...], float] | None
    number: int
    complete: bool


@dataclass(frozen=True)
class Conflict:
    """Figures of which each can be met with the others, but not all together.

    Attributes
    ----------
    figures : tuple of Printed
    smallest : bool
        Whether no smaller set of the file's figures is contradictory; else only none within this one.
    nearest : tuple of Nearest
    studies : tuple of str
        That the tables of `nearest` are about.
    n : tuple of int
    """

    figures: tuple[Printed, ...]
    smallest: bool
    nearest: tuple[Nearest, ...]
    studies: tuple[str, ...]
    n: tuple[int, ...]

    def sentences(self) -> list[str]:
        """The arithmetic, a sentence for each figure."""
        return [self._sentence(i, near) for i, near in enumerate(self.nearest, 1)]

    @property
    def named(self) -> str:
        """The figures, numbered if there are several."""
        if len(self.figures) == 1:
            return self.figures[0].quoted
        return " and ".join(f"{figure.quoted} [{i}]" for i, figure in enumerate(self.figures, 1))

    def _sentence(self, number: int, near: Nearest) -> str:
        others = len(self.figures) - 1
        start = f"with the other{'s' if others > 1 else ''}, [{number}] comes" if others else "it comes"
        ends = [
            f"{near.figure.shown(found[1])} ({self._table(found[0])})"
            for found in (near.below, near.above)
            if found is not None
        ]
        if not ends:
            return f"{start} to nothing, as no table determines it"
        return f"{start} no nearer than {' and '.join(ends)}"

    def _table(self, table: tuple[int, ...]) -> str:
        cells = zip(self.studies, table, self.n, strict=True)
        return ", ".join(f"{study} {events}/{n}" for study, events, n in cells)


class Contradiction(EvidenceError):
    """The figures of a constraints file cannot all be true under its method.

    Attributes
    ----------
    conflicts : tuple of Conflict
        No figure is in two of them.
    """

    def __init__(self, constraints: Constraints, conflicts: Sequence[Conflict]):
        self.conflicts = tuple(conflicts)
        super().__init__(_message(constraints, self.conflicts))


def _message(constraints: Constraints, conflicts: Sequence[Conflict]) -> str:
    method = f"under {constraints.pooling} on {constraints.measure}"
    if not conflicts:
        words = "; ".join(figure.quoted for figure in constraints.printed)
        return (
            f"{constraints.title}: no table of counts agrees with {words} {method}; "
            "check the digits and the method"
        )
    texts = []
    for conflict in conflicts:
        together = " together" if len(conflict.figures) > 1 else ""
        pooled = f" {method}" if any(is_pooled(f) for f in conflict.figures) else ""
        proof = "; ".join(conflict.sentences())
        texts.append(f"no table of counts agrees with {conflict.named}{together}{pooled}: {proof}")
    return f"{constraints.title}: {'. Apart from that, '.join(texts)}; check the digits and the method"


def find_conflicts(printer: Printer, figures: Sequence[Printed]) -> tuple[Conflict, ...]:
    """Find sets of contradictory figures, each as small as can be, with no printed figure in two of them.

    Parameters
    ----------
    printer : Printer
    figures : sequence of Printed
        Known counts among them.

    Returns
    -------
    tuple of Conflict
        Empty if within the work allowed no contradiction can be proved.

    Notes
    -----
    Figures are taken out one after another, and left out for good where the rest still contradicts
    itself; what remains is minimal. Then all smaller sets are tried, smallest first, while work is left.
    A set counts as contradictory only if an exhaustive search proved it.
    """
    prover = _Prover(printer)
    found: list[Conflict] = []
    left = list(figures)
    while len(found) < _CONFLICTS and left and prover.contradictory(left):
        minimal = _minimal(prover, left)
        smaller, tried = _smaller(prover, left, len(minimal))
        smallest = smaller or minimal
        found.append(_explained(printer, smallest, tried))
        # A known count may take part in several contradictions.
        used = [f for f in smallest if f.locator != KNOWN] or smallest
        left = [f for f in left if f not in used]
    return tuple(found)


class _Prover:
    """Proves that sets of figures are contradictory, while work is left; remembers what it has seen."""

    def __init__(self, printer: Printer):
        self.printer, self.left = printer, _ALL_WORK
        self.good: list[frozenset[Printed]] = []
        self.bad: list[frozenset[Printed]] = []

    def contradictory(self, figures: Sequence[Printed]) -> bool:
        """Whether it is proved that no table agrees with all of these."""
        these = frozenset(figures)
        if any(these <= good for good in self.good):
            return False
        if any(bad <= these for bad in self.bad):
            return True
        found = self._table(figures)
        if found is not None:
            (self.good if found else self.bad).append(these)
        return found is False

    def _table(self, figures: Sequence[Printed]) -> bool | None:
        """True if a table agrees, False if none does, None if the search did not end."""
        problem = Problem(self.printer, figures)
        if problem.impossible:
            return False
        answer: bool | None = True
        for component in problem.components(problem.named()):
            search = Search(problem, component)
            try:
                none = search.first(min(_WORK, self.left)) is None
            except Exhausted:
                answer, none = None, False
            self.left -= search.work
            if none:
                return False
        return answer


def _minimal(prover: _Prover, figures: Sequence[Printed]) -> list[Printed]:
    """A contradictory subset of which no part is contradictory.

    What needs the method goes first, all at once if it can, because the rest is searched in no time.
    """
    left = list(figures)
    if prover.contradictory(plain := [f for f in left if not is_pooled(f)]):
        left = plain
    for figure in sorted(left, key=lambda f: (not is_pooled(f), -len(f.studies))):
        rest = [f for f in left if f is not figure]
        if prover.contradictory(rest):
            left = rest
    return left


def _smaller(prover: _Prover, figures: Sequence[Printed], size: int) -> tuple[list[Printed], bool]:
    """The smallest contradictory subset of fewer figures (empty if none), and whether all were tried."""
    for fewer in range(1, size):
        for subset in combinations(figures, fewer):
            if prover.contradictory(subset):
                return list(subset), True
            if prover.left <= 0:
                return [], False
    return [], True


def _explained(printer: Printer, figures: Sequence[Printed], smallest: bool) -> Conflict:
    """The nearest tables, figure by figure."""
    columns = sorted({c for figure in figures for c in printer.columns(figure.studies)})
    nearest = tuple(_nearest(printer, figures, figure, columns) for figure in figures)
    studies = tuple(printer.constraints.studies[c] for c in columns)
    return Conflict(tuple(figures), smallest, nearest, studies, tuple(int(printer.n[c]) for c in columns))


def _nearest(
    printer: Printer, figures: Sequence[Printed], figure: Printed, columns: Sequence[int]
) -> Nearest:
    problem = Problem(printer, [f for f in figures if f is not figure])
    tables, complete = _some(problem, columns)
    value = problem.printer.values([figure], tables[:, list(printer.columns(figure.studies))])[0]
    low, high = figure.inner
    ends: list[tuple[tuple[int, ...], float] | None] = []
    for rows, best in ((value < low, np.nanargmax), (value > high, np.nanargmin)):
        place = np.flatnonzero(rows)
        at = int(place[best(value[place])]) if len(place) else None
        ends.append(None if at is None else (tuple(int(tables[at, c]) for c in columns), float(value[at])))
    return Nearest(figure, ends[0], ends[1], len(tables), complete)


def _some(problem: Problem, columns: Sequence[int]) -> tuple[Counts, bool]:
    """Tables over the columns that agree with a problem's figures: all, or as many as are listed."""
    tables, complete = np.array([[int(d[0]) for d in problem.domains]]), True
    rng = np.random.default_rng(0)
    for component in problem.components(columns):
        part, whole = _listed(problem, component)
        complete &= whole
        if len(tables) * len(part) <= _LISTED:
            mine, others = np.tile(np.arange(len(part)), len(tables)), np.repeat(tables, len(part), axis=0)
        else:
            complete = False
            mine = rng.integers(0, len(part), _LISTED)
            others = tables[rng.integers(0, len(tables), _LISTED)]
        others[:, component] = part[mine][:, component]
        tables = others
    return tables, complete


def _listed(problem: Problem, component: list[int]) -> tuple[Counts, bool]:
    search = Search(problem, component)
    found, length = [search.start[:0]], 0
    try:
        for block in search.blocks(_WORK):
            found.append(block)
            if (length := length + len(block)) > _LISTED:
                raise Exhausted
    except Exhausted:
        if not length and (run := split(problem, component, 0, 400)) is not None:
            found.append(run.tables)
        return np.concatenate(found), False
    return np.concatenate(found), True
