"""The exact search against every table there is, for every kind of figure and method."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyphobayes.errors import EvidenceError
from kyphobayes.reconstruct import Contradiction, Effort, find_tables, reconstruct
from kyphobayes.reconstruct.constraints import CORRECTED, COUNT_MEASURES
from kyphobayes.reconstruct.printed import POOLED, QUANTITIES
from kyphobayes.reconstruct.problem import Problem
from kyphobayes.reconstruct.quick import quick_values
from kyphobayes.reconstruct.search import Exhausted, Search
from kyphobayes.reconstruct.values import Printer

from .conftest import asked, brute, printed, value

EVERY_POOLING = ("CE", "DL", "HE", "HS", "SJ", "ML", "REML", "PM")


@st.composite
def methods(draw, studies):
    rule = draw(st.sampled_from(CORRECTED))
    return asked(
        studies,
        measure=draw(st.sampled_from(COUNT_MEASURES)),
        pooling=draw(st.sampled_from(EVERY_POOLING)),
        zero_cells=0.0 if rule == "none" else draw(st.sampled_from([0.1, 0.5])),
        corrected=rule,
        i2_from=draw(st.sampled_from(["tau2", "Q"])),
    )


@st.composite
def cases(draw, most_n=5, quantities=QUANTITIES):
    """A table of two or three small studies, and what a paper might print about it."""
    k = draw(st.integers(2, 3))
    studies = tuple("abc"[:k])
    n = draw(st.lists(st.integers(1, most_n), min_size=k, max_size=k))
    truth = [draw(st.integers(0, size)) for size in n]
    method = draw(methods(studies))
    figures = []
    for _ in range(draw(st.integers(1, 3))):
        mine = sorted(draw(st.sets(st.sampled_from(range(k)), min_size=1)))
        quantity = draw(st.sampled_from(quantities))
        number = value(method, quantity, [truth[c] for c in mine], [n[c] for c in mine])
        if not np.isfinite(number):
            continue
        counted = quantity in ("events", "studies_without_events")
        digits = 0 if counted else draw(st.integers(0, 3))
        figures.append(printed(quantity, [studies[c] for c in mine], number, digits))
    return replace(method, printed=tuple(figures)), n, tuple(truth)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_each_kind_of_figure_by_brute_force(quantity):
    """Every quantity under every measure, and under every rule for zero cells."""
    n, truth, studies = (3, 2, 4), (1, 0, 3), ("a", "b", "c")
    ways = [("PR", rule) for rule in CORRECTED] + [(measure, "only0") for measure in COUNT_MEASURES]
    for measure, rule in dict.fromkeys(ways if quantity in POOLED else ways[:1]):
        method = asked(studies, measure=measure, corrected=rule)
        figure = printed(quantity, studies, value(method, quantity, truth, n), 0)
        found = reconstruct(replace(method, printed=(figure,)), dict(zip(studies, n, strict=True)))
        tables = set(map(tuple, found.events.tolist()))
        sure, perhaps = brute(method, n, [figure])
        assert len(tables) == len(found) and truth in tables
        assert sure <= tables <= perhaps


@settings(max_examples=60)
@given(cases())
def test_the_search_finds_what_brute_force_finds(case):
    constraints, n, truth = case
    found = reconstruct(constraints, dict(zip(constraints.studies, n, strict=True)))
    tables = set(map(tuple, found.events.tolist()))
    assert truth in tables and len(tables) == len(found) and found.weights.sum() == pytest.approx(1)
    sure, perhaps = brute(constraints, n, constraints.printed)
    assert sure <= tables <= perhaps


@given(cases(quantities=("events", "rate", "highest_rate", "studies_without_events", "I2")), st.data())
def test_inequalities_and_known_counts(case, data):
    constraints, n, truth = case
    figures = []
    for figure in constraints.printed:
        side = data.draw(st.sampled_from(["low", "high"]))
        figures.append(replace(figure, **{side: -np.inf if side == "low" else np.inf}))
    constraints = replace(constraints, printed=tuple(figures))
    known = {s: e for s, e in zip(constraints.studies, truth, strict=True) if data.draw(st.booleans())}
    found = reconstruct(constraints, dict(zip(constraints.studies, n, strict=True)), known)
    tables = set(map(tuple, found.events.tolist()))

    def fits(table):
        return all(table[constraints.studies.index(s)] == e for s, e in known.items())

    sure, perhaps = (set(filter(fits, found)) for found in brute(constraints, n, figures))
    assert truth in tables and sure <= tables <= perhaps


def test_an_open_end_does_not_print_like_that():
    """1 of 8 is 12.5 %: it prints as 13 where halves go up, as 12 or 13 where nothing is said."""
    for change, counts in (({}, [1]), ({"high_open": True}, []), ({"low_open": True}, [1])):
        figure = replace(printed("rate", ("a",), 0.12, 0), **change)
        constraints = asked(("a",), [figure])
        if counts:
            assert reconstruct(constraints, {"a": 8}).events.ravel().tolist() == counts
        else:
            with pytest.raises(Contradiction):
                reconstruct(constraints, {"a": 8})


@pytest.mark.parametrize("test", ["z", "t", "hksj", "mhksj"])
def test_limits_follow_the_test_and_the_level(test):
    n, truth, studies = (20, 30, 25), (2, 9, 4), ("a", "b", "c")
    method = asked(studies, test=test)
    figures = [
        printed(q, studies, value(method, q, truth, n, 0.9), 1, level=0.9) for q in ("ci_low", "ci_high")
    ]
    total = printed("events", studies, 15, 0)
    found = reconstruct(replace(method, printed=(total, *figures)), dict(zip(studies, n, strict=True)))
    assert list(truth) in found.events.tolist() and len(found) < 60
    for table in found.events.tolist():
        for figure in figures:
            got = value(method, figure.quantity, table, n, 0.9)
            assert figure.low - 1e-9 <= got <= figure.high + 1e-9


@given(cases(quantities=("pooled", "I2", "Q", "tau2")), st.sampled_from(["CE", "DL"]))
def test_a_quick_look_sees_what_a_full_one_sees(case, pooling):
    constraints, n, _ = case
    constraints = replace(constraints, pooling=pooling)
    printer = Printer(constraints, np.array(n))
    rows = np.stack(np.meshgrid(*(np.arange(size + 1) for size in n), indexing="ij"), -1).reshape(-1, len(n))
    for figure in constraints.printed:
        part = rows[:, list(printer.columns(figure.studies))]
        quick, full = quick_values(printer, [figure], part)[0], printer.values([figure], part)[0]
        if quick is not None:
            np.testing.assert_allclose(quick, full, rtol=1e-9, atol=1e-9)


def test_a_subgroup_may_be_pooled_in_another_way():
    studies, n = ("a", "b", "c"), (20, 30, 25)
    common = value(asked(studies, pooling="CE"), "pooled", (1, 9, 4), n)
    random = value(asked(studies), "pooled", (1, 9, 4), n)
    assert abs(common - random) > 0.01
    figures = [printed("pooled", studies, common, 2, pooling="CE"), printed("pooled", studies, random, 2)]
    found = reconstruct(asked(studies, figures), dict(zip(studies, n, strict=True)))
    assert [1, 9, 4] in found.events.tolist()


def test_tables_of_unconnected_groups_are_multiplied():
    figures = [printed("events", ("a", "b"), 3, 0), printed("events", ("c", "d"), 2, 0)]
    found = reconstruct(asked("abcde", figures), dict.fromkeys("abcde", 4))
    assert len(found) == 4 * 3 * 5
    assert found.trail == ((figures[0], 4), (figures[1], 12))


def test_a_product_too_long_to_list_is_counted_and_drawn_from():
    """Two totals of 100 over three studies each: 5151 squared tables, and uniform draws of them."""
    figures = [printed("events", "abc", 100, 0), printed("events", "def", 100, 0)]
    constraints, n = asked("abcdef", figures), dict.fromkeys("abcdef", 100)
    with pytest.raises(EvidenceError, match="too many tables to list them all; print a total"):
        reconstruct(constraints, n)
    found = find_tables(constraints, n)
    assert found.sample is not None
    assert (found.sample.number, found.sample.error) == (5151**2, 0)
    assert (found.events[:, :3].sum(axis=1) == 100).all()
    mean = found.weights @ found.events
    np.testing.assert_allclose(mean, 100 / 3, atol=5 * 24 / np.sqrt(20_000))


def test_a_search_stops_when_its_work_is_done():
    constraints = asked("abcd", [printed("I2", "abcd", 50, 0)])
    printer = Printer(constraints, np.full(4, 200))
    problem = Problem(printer, constraints.printed)
    search = Search(problem, problem.components(range(4))[0])
    assert search.estimate() > 1e6
    with pytest.raises(Exhausted):
        search.all(1e5, 10**6)
    assert search.work < 1e6


def test_the_work_of_a_search_is_known_beforehand():
    constraints = asked("abcde", [printed("events", "abcde", 12, 0), printed("I2", "abcde", 30, 0)])
    printer = Printer(constraints, np.full(5, 25))
    problem = Problem(printer, constraints.printed)
    search = Search(problem, problem.components(range(5))[0])
    expected = search.estimate()
    assert len(search.all(1e7, 10**6))
    assert expected == pytest.approx(search.work, rel=0.1)


def test_little_effort_leads_to_a_sample():
    found = find_tables(
        asked("abc", [printed("events", "abc", 6, 0)]),
        dict.fromkeys("abc", 6),
        effort=Effort(work=0, runs=4, particles=200),
    )
    assert found.sample is not None and found.sample.error > 0
    assert found.sample.number == pytest.approx(28, rel=0.2)
