"""How much each printed figure narrows the counts, and what another assumed method would give."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.frequentist import METHODS
from kyphobayes.reconstruct.constraints import COUNT_MEASURES, Constraints
from kyphobayes.reconstruct.printed import Printed
from kyphobayes.reconstruct.problem import Problem
from kyphobayes.reconstruct.rates import Answer
from kyphobayes.reconstruct.search import Exhausted
from kyphobayes.reconstruct.solve import SMALL, TINY, Effort, Part, Say, problem_parts, product, silent
from kyphobayes.reconstruct.tables import CountTables, joined
from kyphobayes.reconstruct.values import Printer

Array = NDArray[np.float64]

SAME: Final = ("EB",)  # poolings that solve the same equation as another (PM)
UNCORRECTED: Final = ("PAS", "PFT")  # measures that are defined at zero
_USUAL: Final = 0.5  # added, where the file's method adds nothing


@dataclass(frozen=True, eq=False)
class Narrowing:
    """What each figure does to the tables and to the counts.

    Attributes
    ----------
    figures : DataFrame
        One row per printed figure, in the order of the trail: words, locator, quantity, value,
        only_first (tables left after it and those before it, of the studies they are about),
        only_first_counted (False: an estimate), without and without_error (tables that agree with all
        figures but this one, and its relative standard error: 0 if counted), bits (log2 of how many
        times fewer there are with it; infinite where the number is unknown).
    counts : DataFrame
        One row per printed figure and latent study: figure (place in the trail, from 1), study, then of
        the marginal with all figures and of that without this one: values (how many counts are
        possible), lowest, highest, bits (entropy); the latter end in `_without`, NaN where unknown.
    """

    figures: pd.DataFrame
    counts: pd.DataFrame


def narrowing(found: CountTables, *, effort: Effort = SMALL, say: Say = silent) -> Narrowing:
    """Take out every figure in turn.

    Parameters
    ----------
    found : CountTables
    effort : Effort
        For each figure; beyond it, numbers and marginals are estimated from a sample.
    say : callable
        Called with a text as each figure begins.
    """
    printer = Printer(found.constraints, found.n.astype(np.int64))
    places = [found.studies.index(study) for study in found.latent]
    now = {c: _shape(found.marginal(found.studies[c])) for c in places}
    figures, counts = [], []
    for i, (figure, left) in enumerate(found.trail, 1):
        say(f"without figure {i} of {len(found.trail)}")
        others = [f for f, _ in found.trail if f is not figure]
        problem = Problem(printer, (*found.known, *others))
        try:
            parts = problem_parts(problem, range(len(printer.n)), effort)
        except Exhausted:
            parts = None  # it is feasible, as it is with the figure; only no table was found
        number = product(parts) if parts is not None else None
        without = np.nan if number is None else number.tables
        if number is not None and number.error:
            without = max(without, found.number)  # a sample may miss some that are known
        figures.append(
            {
                "words": figure.words, "locator": figure.locator, "quantity": figure.quantity,
                "value": figure.value, "only_first": left, "only_first_counted": i - 1 not in found.estimated,
                "without": without,
                "without_error": np.inf if number is None else number.error,
            }
        )  # fmt: skip
        figures[-1]["bits"] = _log2(without, found.number)
        before = None if parts is None else part_marginals(problem, parts)
        for c in places:
            shape = (np.nan,) * 4 if before is None else _shape(before[c])
            counts.append((i, found.studies[c], *now[c], *shape))
    names = ("values", "lowest", "highest", "bits")
    columns = ["figure", "study", *names, *(f"{name}_without" for name in names)]
    return Narrowing(pd.DataFrame(figures), pd.DataFrame(counts, columns=columns))


def _log2(without: float, number: float) -> float:
    return float(np.log2(without / number)) if np.isfinite(without) else float("inf")


def part_marginals(problem: Problem, parts: list[Part]) -> dict[int, dict[int, float]]:
    """Weight of each count of every study."""
    marginals = {c: {int(domain[0]): 1.0} for c, domain in enumerate(problem.domains)}
    for part in parts:
        for c in part.columns:
            values, place = np.unique(part.tables[:, c], return_inverse=True)
            weights = np.bincount(place, weights=part.weights)
            marginals[c] = dict(zip(values.tolist(), weights.tolist(), strict=True))
    return marginals


def _shape(marginal: dict[int, float]) -> tuple[float, float, float, float]:
    """How many counts, the lowest, the highest, and the entropy in bits."""
    weights = np.array(list(marginal.values()))
    entropy = -float((weights * np.log2(weights)).sum()) if len(weights) > 1 else 0.0
    return len(marginal), min(marginal), max(marginal), entropy


def other_methods(
    found: CountTables, *, effort: Effort = TINY, answer: Answer | None = None, say: Say = silent
) -> pd.DataFrame:
    """Answers under every measure, pooling and rule for zero cells.

    Parameters
    ----------
    found : CountTables
    effort : Effort
        For each method; beyond it tables are sampled.
    answer : callable, optional
        What the tables of a method lead to, such as `rates` makes it; its keys become columns.
    say : callable
        Called with a text as each measure begins.

    Returns
    -------
    DataFrame
        One row per method: measure, pooling, zero_cells, corrected, assumed (whether it is the file's),
        tables (0 if none agrees), error (relative standard error of that number; 0 if counted, infinite
        if nothing is known), pooled_low and pooled_high (pooled share of all studies over the tables),
        and for each latent study `<study> low`, `<study> mean` and `<study> high` of its count.

    Notes
    -----
    A figure with a pooling of its own keeps it. EB is PM by another name and left out; PAS and PFT are
    defined at zero, so that there is one rule for them.
    """
    given = found.constraints
    asked = list(_methods(given))
    n = found.n.astype(np.int64)
    rows = []
    for i, method in enumerate(asked):
        if i < 2 or method.measure != asked[i - 1].measure:
            say(f"methods on {method.measure}")
        row: dict[str, Any] = {
            "measure": method.measure, "pooling": method.pooling, "zero_cells": method.zero_cells,
            "corrected": method.corrected, "assumed": method == given,
        }  # fmt: skip
        rows.append(row | _answer(method, n, found, effort, answer))
    return pd.DataFrame(rows)


def _methods(given: Constraints) -> Iterator[Constraints]:
    """The file's constraints under each method, its own first."""
    yield given
    add = given.zero_cells or _USUAL
    for measure in COUNT_MEASURES:
        rules = ((add, "only0"), (add, "all"), (add, "if0all"), (0.0, "none"))
        if measure in UNCORRECTED:
            rules = rules[:1]
        for pooling in METHODS:
            for zero_cells, corrected in rules:
                method = replace(
                    given, measure=measure, pooling=pooling, zero_cells=zero_cells, corrected=corrected
                )
                if pooling not in SAME and _rule(method) != _rule(given):
                    yield method


def _rule(method: Constraints) -> tuple[str, str, float, str]:
    """A method; two that cannot differ are equal."""
    if method.measure in UNCORRECTED or method.zero_cells == 0 or method.corrected == "none":
        return method.measure, method.pooling, 0.0, "none"
    return method.measure, method.pooling, method.zero_cells, method.corrected


def _answer(
    method: Constraints, n: NDArray[np.int64], found: CountTables, effort: Effort, further: Answer | None
) -> dict[str, Any]:
    printer = Printer(method, n)
    problem = Problem(printer, (*found.known, *method.printed))
    try:
        parts = problem_parts(problem, range(len(n)), effort)
    except Exhausted:
        return {"tables": np.nan, "error": np.inf}
    number = product(parts)
    answer: dict[str, Any] = {"tables": number.tables, "error": number.error}
    if parts is None:
        return answer
    tables, weights, _ = joined(problem, parts, effort)
    overall = Printed("pooled", method.studies, -np.inf, np.inf, "", "")
    pooled = printer.values([overall], tables)[0]
    pooled = pooled[np.isfinite(pooled)]
    if len(pooled):
        answer |= {"pooled_low": float(pooled.min()), "pooled_high": float(pooled.max())}
    for study in found.latent:
        column = tables[:, found.studies.index(study)]
        answer |= {
            f"{study} low": int(column.min()),
            f"{study} mean": float(weights @ column),
            f"{study} high": int(column.max()),
        }
    return answer | further(tables, weights) if further else answer
