"""The count tables that agree with everything a paper prints: all of them, or a sample of too many."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes import html
from kyphobayes.errors import EvidenceError
from kyphobayes.reconstruct.conflicts import Contradiction, find_conflicts
from kyphobayes.reconstruct.constraints import LARGEST_N, Constraints
from kyphobayes.reconstruct.printed import Printed, known_count
from kyphobayes.reconstruct.problem import Problem
from kyphobayes.reconstruct.search import Exhausted
from kyphobayes.reconstruct.solve import Effort, Part, Say, number_of, problem_parts, product, silent
from kyphobayes.reconstruct.values import Printer

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_DRAWS = 20_000  # tables of a sample made of the parts of several components


@dataclass(frozen=True)
class Sample:
    """That tables were sampled and not listed, and how good the sample is.

    Attributes
    ----------
    number : float
        Estimated number of tables that agree.
    error : float
        Its relative standard error; 0 if they were counted.
    effective : float
        Number of independent tables with which the mean of the least well known count would be as
        precise, from the spread of independent runs.
    seed : int
    """

    number: float
    error: float
    effective: float
    seed: int


@dataclass(frozen=True)
class CountTables:
    """The tables that remain.

    Attributes
    ----------
    studies : tuple of str
    n : ndarray, shape (k,)
    events : ndarray of int, shape (t, k)
    weights : ndarray, shape (t,)
        They sum to one.
    trail : tuple of (Printed, int)
        Each printed figure, in the order used, and the number of tables left after it: of the studies
        that the figures so far are about, which all printed totals bound from the start.
    left_out : tuple of (Printed, int)
        Each printed figure that was left out, and the number of tables that agree with it too.
    constraints : Constraints
    sample : Sample or None
        None if these are all the tables that agree.
    estimated : frozenset of int
        Places in the trail whose number is an estimate.
    known : tuple of Printed
        The counts that were known.
    """

    studies: tuple[str, ...]
    n: Array
    events: NDArray[np.int64]
    weights: Array
    trail: tuple[tuple[Printed, int], ...]
    left_out: tuple[tuple[Printed, int], ...]
    constraints: Constraints
    sample: Sample | None = None
    estimated: frozenset[int] = frozenset()
    known: tuple[Printed, ...] = ()

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        sampled = "" if self.sample is None else f", a sample of about {self.number:.3g}"
        return f"CountTables({len(self)} tables of {len(self.studies)} studies{sampled})"

    def _repr_html_(self) -> str:
        rows = []
        for column, (study, n) in enumerate(zip(self.studies, self.n, strict=True)):
            events = self.events[:, column]
            rows.append([study, float(n), int(events.min()), float(self.weights @ events), int(events.max())])
        trail = [[figure.words, number] for figure, number in self.trail]
        return html.block(
            html.line(repr(self), strong=True),
            html.table(["study", "n", "least", "mean", "most"], rows, caption="Counts that agree"),
            html.table(["printed figure", "tables left"], trail),
        )

    @property
    def number(self) -> float:
        """How many tables agree: those listed, or an estimate."""
        return self.sample.number if self.sample else float(len(self))

    @property
    def latent(self) -> tuple[str, ...]:
        """Studies whose count was not known."""
        known = {figure.studies[0] for figure in self.known}
        return tuple(study for study in self.studies if study not in known)

    def marginal(self, study: str) -> dict[int, float]:
        """Weight of each count that a study has in any table."""
        column = self.events[:, self.studies.index(study)]
        values, place = np.unique(column, return_inverse=True)
        weights = np.bincount(place, weights=self.weights)
        return {int(value): float(weight) for value, weight in zip(values, weights, strict=True)}

    def marginals(self) -> pd.DataFrame:
        """Weight of each count of each study: columns study, n, events, weight."""
        rows = [
            {"study": study, "n": int(n), "events": events, "weight": weight}
            for study, n in zip(self.studies, self.n, strict=True)
            for events, weight in self.marginal(study).items()
        ]
        return pd.DataFrame(rows, columns=["study", "n", "events", "weight"])

    def to_frame(self) -> pd.DataFrame:
        """All tables: a column for each study and the weight."""
        return pd.DataFrame(self.events, columns=list(self.studies)).assign(weight=self.weights)


def reconstruct(
    constraints: Constraints, n: Mapping[str, float] | None = None, known: Mapping[str, float] | None = None
) -> CountTables:
    """Enumerate the tables of counts that agree with all printed figures.

    Parameters
    ----------
    constraints : Constraints
    n : mapping of study to its denominator, optional
        Not needed where the file has them.
    known : mapping of study to its printed count, optional

    Raises
    ------
    Contradiction
        If no table agrees: it names the smallest set of figures that cannot hold together.
    EvidenceError
        If a denominator is missing, or if the figures leave too many tables to list.
    """
    return _find(constraints, n, known, Effort(), silent, sample=False)


def find_tables(
    constraints: Constraints,
    n: Mapping[str, float] | None = None,
    known: Mapping[str, float] | None = None,
    *,
    effort: Effort | None = None,
    say: Say = silent,
) -> CountTables:
    """Enumerate the tables as `reconstruct` does, or sample them where there are too many.

    Parameters
    ----------
    constraints, n, known
        As for `reconstruct`.
    effort : Effort, optional
        How much work may be done before tables are sampled, and how many are listed.
    say : callable, optional
        Called with a text when something begins that takes time.

    Raises
    ------
    Contradiction
        As `reconstruct` does.
    EvidenceError
        If a denominator is missing, or if neither a table nor a contradiction was found.
    """
    return _find(constraints, n, known, effort or Effort(), say, sample=True)


def printer_of(
    constraints: Constraints, n: Mapping[str, float] | None, known: Mapping[str, float] | None
) -> tuple[Printer, tuple[Printed, ...]]:
    """What computes printed values, and the known counts as figures.

    Raises
    ------
    EvidenceError
        If a study has no denominator, or a number is not a whole one within its limits.
    """
    title, studies = constraints.title, constraints.studies
    if n is None:
        n = dict(zip(studies, constraints.n, strict=False))
    if known is None:
        known = {s: e for s, e in zip(studies, constraints.known, strict=False) if e is not None}
    if missing := [study for study in studies if study not in n]:
        raise EvidenceError(f"{title}: no denominator for {', '.join(missing)}")
    for study in studies:
        if not (1 <= n[study] <= LARGEST_N and float(n[study]).is_integer()):
            raise EvidenceError(
                f"{title}: expected n of {study} to be a whole number from 1 to {LARGEST_N:,}, "
                f"found {n[study]:g}"
            )
    for study, events in known.items():
        if study in studies and not (0 <= events <= n[study] and float(events).is_integer()):
            raise EvidenceError(
                f"{title}: expected events of {study} to be a whole number from 0 to n = {n[study]:g}, "
                f"found {events:g}"
            )
    sizes = np.array([int(n[study]) for study in studies], dtype=np.int64)
    figures = tuple(known_count(study, known[study]) for study in studies if study in known)
    return Printer(constraints, sizes), figures


def in_order(constraints: Constraints, known: tuple[Printed, ...]) -> list[Printed]:
    """Figures about few unknown studies first; totals before the rest, as they cost nothing."""
    given = {figure.studies[0] for figure in known}
    return sorted(constraints.printed, key=lambda f: (len(set(f.studies) - given), f.quantity != "events"))


def _find(
    constraints: Constraints,
    n: Mapping[str, float] | None,
    known: Mapping[str, float] | None,
    effort: Effort,
    say: Say,
    *,
    sample: bool,
) -> CountTables:
    printer, given = printer_of(constraints, n, known)
    figures = (*given, *constraints.printed)
    problem = Problem(printer, figures)
    every = range(len(printer.n))
    say("searching for tables")
    try:
        parts = problem_parts(problem, every, effort, say, sample=sample)
    except Exhausted:
        if sample and (conflicts := find_conflicts(printer, figures)):
            raise Contradiction(constraints, conflicts) from None
        raise EvidenceError(_too_many(problem, sample)) from None
    if parts is None:
        raise Contradiction(constraints, find_conflicts(printer, figures))
    number = product(parts)
    if number.tables > effort.tables and not sample:
        raise EvidenceError(_too_many(problem, sample))
    events, weights, how = joined(problem, parts, effort)
    order = np.lexsort(events.T[::-1])
    events, weights = events[order], weights[order]
    if constraints.weights and how is not None:
        raise EvidenceError(
            f"{constraints.title}: [[weight]] needs a list of all tables, and there are too many"
        )
    weights = _weighted(constraints, events, weights)
    say("counting what each figure leaves")
    trail, estimated = _trail(printer, in_order(constraints, given), given)
    left_out = tuple((figure, int(problem.keep(figure, events).sum())) for figure in constraints.left_out)
    return CountTables(
        constraints.studies, printer.n.astype(float), events, weights, trail, left_out, constraints,
        how, estimated, given,
    )  # fmt: skip


def _trail(
    printer: Printer, order: list[Printed], given: tuple[Printed, ...]
) -> tuple[tuple[tuple[Printed, int], ...], frozenset[int]]:
    """How many tables are left after each figure, and where that is an estimate."""
    trail, estimated = [], set()
    for i, figure in enumerate(order, 1):
        named = {study for f in (*given, *order[:i]) for study in f.studies}
        bounds = [part for f in order[i:] if (part := _bound(printer, f, named)) is not None]
        left = number_of(printer, (*given, *order[:i], *bounds), all_studies=False)
        trail.append((figure, int(left.tables if left.exact else float(f"{left.tables:.1e}"))))
        if not left.exact:
            estimated.add(i - 1)
    return tuple(trail), frozenset(estimated)


def _bound(printer: Printer, figure: Printed, named: set[str]) -> Printed | None:
    """What a total leaves to those of its studies that are named, whatever the others have."""
    mine = tuple(study for study in figure.studies if study in named)
    if figure.quantity not in ("events", "rate") or not mine:
        return None
    size = [int(printer.n[list(printer.columns(studies))].sum()) for studies in (figure.studies, mine)]
    scale = size[0] if figure.quantity == "rate" else 1
    low, high = (scale * end for end in figure.inner)
    return Printed("events", mine, low - (size[0] - size[1]), high, figure.words, figure.locator)


def joined(problem: Problem, parts: list[Part], effort: Effort) -> tuple[Counts, Array, Sample | None]:
    """Tables made of one of each component: all, or independent draws of each."""
    number = product(parts)
    base = np.array([int(domain[0]) for domain in problem.domains])
    exact = all(np.isinf(part.effective) for part in parts)
    if exact and number.tables <= effort.tables:
        tables = base[None]
        for part in parts:
            mine, others = (
                np.tile(np.arange(len(part.tables)), len(tables)),
                np.repeat(tables, len(part.tables), 0),
            )
            others[:, part.columns] = part.tables[mine][:, part.columns]
            tables = others
        return tables, np.full(len(tables), 1 / len(tables)), None
    effective = min([part.effective for part in parts])
    if len(parts) == 1 and not exact:
        part = parts[0]
        return part.tables, part.weights, Sample(part.number, part.error, part.effective, effort.seed)
    rng = np.random.default_rng(effort.seed)
    drawn = np.tile(base, (_DRAWS, 1))
    for part in parts:
        rows = rng.choice(len(part.tables), _DRAWS, p=part.weights)
        drawn[:, part.columns] = part.tables[rows][:, part.columns]
    tables, counts = np.unique(drawn, axis=0, return_counts=True)
    how = Sample(number.tables, number.error, min(effective, float(_DRAWS)), effort.seed)
    return tables, counts / _DRAWS, how


def _weighted(constraints: Constraints, events: Counts, weights: Array) -> Array:
    """The file's weights of tables."""
    if not constraints.weights:
        return weights
    weights = np.ones(len(events))
    for table, weight in constraints.weights:
        match = (events == table).all(axis=1)
        if not match.any():
            raise EvidenceError(f"{constraints.title}: the weighted table {list(table)} is not feasible")
        weights[match] = weight
    return weights / weights.sum()


def _too_many(problem: Problem, sampled: bool) -> str:
    """What would help where the figures leave too much."""
    constraints = problem.printer.constraints
    widest = max(range(len(problem.domains)), key=lambda c: len(problem.domains[c]))
    advice = f"print a total or a subgroup figure that narrows {constraints.studies[widest]}"
    if sampled:
        return (
            f"{constraints.title}: neither a table that agrees nor a contradiction was found within the "
            f"work allowed; check the digits and the method, or {advice}"
        )
    return (
        f"{constraints.title}: too many tables to list them all; {advice}, or sample them with "
        "`kyphobayes reconstruct`"
    )
