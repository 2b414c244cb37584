"""Samples of tables against all of them, in one piece and in pieces that no move connects."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.reconstruct import Constraints, Effort, Printed, find_tables
from kyphobayes.reconstruct.moves import Moves
from kyphobayes.reconstruct.problem import Problem
from kyphobayes.reconstruct.values import Printer

from .conftest import asked, printed, value

SAMPLED = Effort(work=0, runs=6, particles=500)

pytestmark = pytest.mark.statistical


def distance(first, second):
    """Total variation between two marginals."""
    return sum(abs(first.get(x, 0) - second.get(x, 0)) for x in {*first, *second}) / 2


def total_and(quantity, digits=0, **method):
    """Four studies with a total, and one more figure about them all."""
    studies, n, truth = tuple("abcd"), (30, 40, 25, 60), (2, 9, 0, 4)
    empty = asked(studies, **method)
    number = value(empty, quantity, truth, n)
    figures = [printed("events", studies, 15, 0), printed(quantity, studies, number, digits)]
    return asked(studies, figures, **method), dict(zip(studies, n, strict=True))


def overlapping():
    """Totals of overlapping pairs: tables are joined by steps of three studies at once only."""
    figures = [printed("events", "ab", 12, 0), printed("events", "bc", 9, 0)]
    return asked("abc", figures), dict.fromkeys("abc", 20)


def two_islands():
    """A pooled share that few or nearly all events give, far apart: Q is the same at p and 1 - p."""
    figures = [printed("p_heterogeneity", "ab", 0.001, 3), printed("events", "ab", 20, 0)]
    return asked("ab", figures, measure="PAS"), dict.fromkeys("ab", 20)


@pytest.mark.parametrize(
    "case",
    [
        total_and("I2"),
        total_and("pooled", 1),
        total_and("pooled", 1, pooling="PM", measure="PLO"),
        total_and("p_heterogeneity", 2, measure="PAS"),
        total_and("studies_without_events"),
        total_and("highest_rate"),
        overlapping(),
        two_islands(),
    ],
)
def test_marginals_of_a_sample_are_those_of_all_tables(case):
    constraints, n = case
    every, some = find_tables(constraints, n), find_tables(constraints, n, effort=SAMPLED)
    assert every.sample is None and some.sample is not None
    assert set(map(tuple, some.events.tolist())) <= set(map(tuple, every.events.tolist()))
    assert some.sample.number == pytest.approx(len(every), rel=5 * some.sample.error + 1e-9)
    assert some.sample.effective > 100
    for study in constraints.studies:
        exact = every.marginal(study)
        # Three times the distance that so many independent tables would be expected to have, at most.
        expected = sum(np.sqrt(p * (1 - p) / some.sample.effective) for p in exact.values()) / 2
        assert distance(some.marginal(study), exact) < 3 * expected + 1e-9


def pieces(tables):
    """How many sets of tables there are between which no move leads: one changes three counts at most."""
    label = np.arange(len(tables))
    for i, j in zip(*np.triu_indices(len(tables), 1), strict=True):
        change = tables[i] - tables[j]
        change = np.abs(change[change != 0])
        if len(change) <= 2 or (len(change) == 3 and len(set(change)) == 1):
            label[label == label[j]] = label[i]
    return len(set(label.tolist()))


def test_tables_that_no_move_connects_are_all_found():
    """The fractures of Bouza 2009 without the total: eleven tables in several pieces."""
    path = Path(__file__).resolve().parents[3] / "data" / "constraints" / "new_fracture.toml"
    constraints = Constraints.read(path)
    constraints = replace(constraints, printed=constraints.printed[1:])
    n = {"lieberman2003": 63, "kose2006": 18, "pflugmacher2007_mm": 26, "pflugmacher2008_met": 65}
    every = find_tables(constraints, n)
    assert len(every) == 11 and pieces(every.events) > 3
    some = find_tables(constraints, n, effort=SAMPLED)
    assert some.sample is not None
    np.testing.assert_array_equal(some.events, every.events)
    error = np.sqrt((1 / 11) * (10 / 11) / some.sample.effective)
    assert np.abs(some.weights - 1 / 11).max() < 4 * error


@pytest.mark.parametrize("kind", range(6))
def test_every_kind_of_move_is_as_likely_as_its_way_back(kind):
    """Among all tables of three small studies, a move from s to t is as frequent as one from t to s."""
    constraints = asked("abc")
    problem = Problem(Printer(constraints, np.array([2, 3, 2])), ())
    moves = Moves(problem, [0, 1, 2], np.random.default_rng(0))
    moves.kinds = [moves.kinds[kind]]
    moves.rates = np.ones(1)
    every = np.stack(np.meshgrid(range(3), range(4), range(3), indexing="ij"), -1).reshape(-1, 3)
    place = {tuple(row): i for i, row in enumerate(every.tolist())}
    counts = np.zeros((36, 36))
    tables = np.repeat(every, 8000, axis=0)
    proposed, inside = moves.propose(tables)
    start = np.repeat(np.arange(36), 8000)
    end = np.array([place[tuple(row)] for row in proposed[inside].tolist()])
    np.add.at(counts, (start[inside], end), 1)
    both = counts + counts.T
    z = (counts - counts.T)[both > 0] / np.sqrt(both[both > 0])
    assert len(z) and np.abs(z).max() < 5
    assert (counts > 0).any(axis=1).sum() > 20


def test_the_same_seed_gives_the_same_sample():
    constraints, n = total_and("I2")
    first, again = (
        find_tables(constraints, n, effort=Effort(work=0, runs=2, particles=200, seed=3)) for _ in "ab"
    )
    np.testing.assert_array_equal(first.events, again.events)
    np.testing.assert_array_equal(first.weights, again.weights)


def test_fifteen_studies_with_hundreds_of_patients_end_in_a_sample():
    rng = np.random.default_rng(1)
    studies = [f"s{i}" for i in range(15)]
    n = rng.integers(100, 400, 15)
    truth = rng.binomial(n, rng.beta(2, 20, 15))
    empty = asked(studies)
    figures = [
        printed("events", studies, int(truth.sum()), 0),
        printed("pooled", studies, value(empty, "pooled", truth.tolist(), n.tolist()), 0),
        printed("I2", studies, value(empty, "I2", truth.tolist(), n.tolist()), 0),
    ]
    constraints = asked(studies, figures)
    effort = Effort(work=1e4, runs=2, particles=100)
    found = find_tables(constraints, dict(zip(studies, n.tolist(), strict=True)), effort=effort)
    assert found.sample is not None and found.sample.number > 1e12
    assert (found.events.sum(axis=1) == truth.sum()).all()
    for table in found.events[:5].tolist():
        for figure in figures:
            assert figure.low <= value(empty, figure.quantity, table, n.tolist()) <= figure.high


def test_figures_that_no_search_can_decide_are_said_to_be_undecided():
    """No whole numbers give this pooled share to nine digits, and there is no end of tables to try."""
    studies = [f"s{i}" for i in range(12)]
    figure = Printed("pooled", tuple(studies), 0.123456789, 0.123456789 + 1e-13, "12.3456789 %", "p")
    effort = Effort(work=1e4, runs=1, particles=50)
    with pytest.raises(EvidenceError, match="neither a table that agrees nor a contradiction was found"):
        find_tables(asked(studies, [figure]), dict.fromkeys(studies, 300), effort=effort)
