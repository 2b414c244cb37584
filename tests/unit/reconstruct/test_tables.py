"""Counts that a paper does not print: known answers, brute force, and the truth among what is found.

The paper's method is written here a second time, in a few lines of numpy, and shares nothing with the
package.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kyphobayes.errors import EvidenceError
from kyphobayes.reconstruct import Constraints, Printed, reconstruct

FOLDER = Path(__file__).resolve().parents[3] / "data" / "constraints"
LEAK_N = {
    "lieberman2003": 264, "fourney2003": 32, "lane2004": 46, "vrionis2005": 128, "kose2006": 22,
    "pflugmacher2007_mm": 59, "pflugmacher2008_met": 99,
}  # fmt: skip
LEAK_KNOWN = {"fourney2003": 0, "kose2006": 0}
PROSPECTIVE = ["lieberman2003", "lane2004", "pflugmacher2007_mm", "pflugmacher2008_met"]
RETROSPECTIVE = ["fourney2003", "vrionis2005", "kose2006"]
FRACTURE_N = {"lieberman2003": 63, "kose2006": 18, "pflugmacher2007_mm": 26, "pflugmacher2008_met": 65}


def dersimonian_laird(events, n):
    """Pooled proportion and I² in percent of each row of counts; 0.5 is added where a cell is empty."""
    events, n = np.broadcast_arrays(np.asarray(events, dtype=float), np.asarray(n, dtype=float))
    empty = (events == 0) | (events == n)
    p = np.where(empty, (events + 0.5) / (n + 1), events / n)
    v = p * (1 - p) / np.where(empty, n + 1, n)
    w = 1 / v
    common = (w * p).sum(axis=-1) / w.sum(axis=-1)
    q = (w * (p - common[..., None]) ** 2).sum(axis=-1)
    df = events.shape[-1] - 1
    tau2 = np.maximum(0, (q - df) / (w.sum(axis=-1) - (w**2).sum(axis=-1) / w.sum(axis=-1)))
    w = 1 / (v + tau2[..., None])
    return (w * p).sum(axis=-1) / w.sum(axis=-1), 100 * np.maximum(0, (q - df) / np.maximum(q, 1e-300))


def test_the_second_implementation_on_numbers_worked_by_hand():
    """Two studies, 1/10 and 4/10: v = .009 and .024, w = 111.1 and 41.67, pooled .1818, Q = 2.727."""
    pooled, i2 = dersimonian_laird([[1, 4], [1, 1]], [10, 10])
    tau2 = (30 / 11 - 1) / (1 / 0.009 + 1 / 0.024 - (1 / 0.009**2 + 1 / 0.024**2) / (1 / 0.009 + 1 / 0.024))
    weights = 1 / (np.array([0.009, 0.024]) + tau2)
    assert pooled[0] == pytest.approx((weights @ [0.1, 0.4]) / weights.sum(), rel=1e-12)
    assert i2[0] == pytest.approx(100 * (1 - 11 / 30), rel=1e-12)
    assert (pooled[1], i2[1]) == (pytest.approx(0.1), 0)


def columns(studies):
    return [list(LEAK_N).index(study) for study in studies]


@pytest.fixture(scope="module")
def leakage():
    return reconstruct(Constraints.read(FOLDER / "cement_leakage.toml"), LEAK_N, LEAK_KNOWN)


@pytest.fixture(scope="module")
def fractures():
    return reconstruct(Constraints.read(FOLDER / "new_fracture.toml"), FRACTURE_N)


# --- Bouza 2009: leaks ----------------------------------------------------------------------------


def test_leakage_leaves_twenty_tables_and_no_leak_in_vrionis(leakage):
    assert len(leakage) == 20
    assert leakage.marginal("vrionis2005") == {0: pytest.approx(1)}
    assert leakage.marginal("fourney2003") == leakage.marginal("kose2006") == {0: pytest.approx(1)}
    assert leakage.studies == tuple(LEAK_N)
    np.testing.assert_allclose(leakage.weights, 1 / 20, rtol=1e-12)


def test_each_leakage_table_reproduces_every_printed_figure(leakage):
    n = np.array(list(LEAK_N.values()))
    assert n.sum() == 650
    for row in leakage.events:
        assert row.sum() == 41
        pooled, i2 = dersimonian_laird(row, n)
        assert round(float(pooled) * 100) == 6
        assert round(float(i2)) == 84
        pooled, i2 = dersimonian_laird(row[columns(RETROSPECTIVE)], n[columns(RETROSPECTIVE)])
        assert round(float(pooled) * 100, 2) == 0.51
        assert round(float(i2)) == 0
        pooled, _ = dersimonian_laird(row[columns(PROSPECTIVE)], n[columns(PROSPECTIVE)])
        assert round(float(pooled) * 100, 1) == 11.2


def test_leakage_by_brute_force_over_every_split(leakage):
    """All 148,995 ways to give 41 leaks to the five series whose counts are not printed."""
    hidden = [c for c, study in enumerate(LEAK_N) if study not in LEAK_KNOWN]
    bars = np.array(list(itertools.combinations(range(45), 4)))
    gaps = np.diff(np.column_stack([np.full(len(bars), -1), bars, np.full(len(bars), 45)]), axis=1) - 1
    assert len(gaps) == 148_995 and (gaps.sum(axis=1) == 41).all()
    n = np.array(list(LEAK_N.values()))
    events = np.zeros((len(gaps), 7))
    events[:, hidden] = gaps
    events = events[(events <= n).all(axis=1)]
    pooled, i2 = dersimonian_laird(events, n)
    early = dersimonian_laird(events[:, columns(RETROSPECTIVE)], n[columns(RETROSPECTIVE)])
    late = dersimonian_laird(events[:, columns(PROSPECTIVE)], n[columns(PROSPECTIVE)])
    agree = (
        (np.abs(pooled - 0.06) < 0.005)
        & (np.abs(i2 - 84) < 0.5)
        & (np.abs(early[0] - 0.0051) < 0.00005)
        & (early[1] < 0.5)
        & (np.abs(late[0] - 0.112) < 0.0005)
    )
    assert sorted(events[agree].astype(int).tolist()) == sorted(leakage.events.tolist())


def test_retrospective_figure_alone_fixes_vrionis():
    """0.51 % forces 0 of 128: one leak already gives more."""
    n = np.array([32, 128, 22])
    pooled, _ = dersimonian_laird([[0, leaks, 0] for leaks in range(41)], n)
    assert np.flatnonzero(np.abs(pooled - 0.0051) < 0.00005).tolist() == [0]


def test_trail_says_how_many_tables_each_figure_leaves(leakage):
    assert sorted(len(p.studies) for p, _ in leakage.trail) == [3, 3, 4, 7, 7, 7]
    assert leakage.trail[-1][1] == 20
    assert all(left >= 20 or len(p.studies) < 7 for p, left in leakage.trail)
    assert {p.words for p, _ in leakage.trail} == {p.words for p in leakage.constraints.printed}


def test_marginals_are_those_of_the_tables(leakage):
    for column, study in enumerate(leakage.studies):
        marginal = leakage.marginal(study)
        assert sum(marginal.values()) == pytest.approx(1)
        for value, weight in marginal.items():
            assert weight == pytest.approx((leakage.events[:, column] == value).sum() / 20)


# --- Bouza 2009: new fractures --------------------------------------------------------------------


def test_fractures_leave_four_tables(fractures):
    assert sorted(fractures.events.tolist()) == [[5, 3, 1, 12], [9, 0, 2, 10], [10, 0, 2, 9], [11, 0, 3, 7]]


def test_fractures_by_brute_force_over_every_split(fractures):
    n = np.array(list(FRACTURE_N.values()))
    assert n.sum() == 172
    splits = [(a, b, c, 21 - a - b - c) for a in range(22) for b in range(22 - a) for c in range(22 - a - b)]
    events = np.array([s for s in splits if s[1] <= 18])
    pooled, i2 = dersimonian_laird(events, n)
    agree = (np.abs(pooled - 0.10) < 0.005) & (np.abs(i2 - 54) < 0.5)
    assert sorted(events[agree].tolist()) == sorted(fractures.events.tolist())


def test_figures_left_out_agree_with_no_table(fractures):
    assert [(p.low, p.high) for p, _ in fractures.left_out] == [
        (pytest.approx(0.1235), pytest.approx(0.1245)),
        (pytest.approx(0.0785), pytest.approx(0.0795)),
    ]
    assert [count for _, count in fractures.left_out] == [0, 0]
    assert all(p.why for p, _ in fractures.left_out)
    myeloma, _ = dersimonian_laird(fractures.events[:, :3], list(FRACTURE_N.values())[:3])
    assert not ((myeloma >= 0.1235) & (myeloma < 0.1245)).any()
    assert not any(0.0785 <= events / 65 < 0.0795 for events in range(66))


# --- any table: print it, and find it again -------------------------------------------------------


def printed(quantity, studies, value, digits):
    """A figure as a paper prints it, and the interval of values that print so."""
    text = f"{value:.{digits}f}"
    half = 0.5 * 10.0**-digits
    scale = 100 if quantity == "pooled" else 1
    return Printed(
        quantity, studies, (float(text) - half) / scale, (float(text) + half) / scale, text, "somewhere"
    )


def constraints(studies, figures, **changed):
    given = dict(
        title="A paper", source="s", outcome="o", arm="a", unit="u", studies=studies, measure="PR",
        pooling="DL", zero_cells=0.5, why="", printed=tuple(figures), left_out=(),
    )  # fmt: skip
    return Constraints(**(given | changed))


@st.composite
def simulated(draw):
    """A table of three or four small studies, and what a paper might print about it."""
    k = draw(st.integers(2, 4))
    n = draw(st.lists(st.integers(4, 14), min_size=k, max_size=k))
    events = [draw(st.integers(0, size)) for size in n]
    studies = tuple("abcd"[:k])
    assume(k > 2 or len(set(events)) > 1)
    pooled, i2 = dersimonian_laird(events, n)
    figures = [
        printed("events", studies, sum(events), 0),
        printed("pooled", studies, 100 * float(pooled), draw(st.integers(0, 2))),
        printed("I2", studies, float(i2), draw(st.integers(0, 1))),
    ]
    if k > 2 and draw(st.booleans()):
        some, _ = dersimonian_laird(events[:2], n[:2])
        figures.append(printed("pooled", studies[:2], 100 * float(some), 1))
        figures.append(printed("events", studies[2:], sum(events[2:]), 0))
    for value, figure in ((100 * float(pooled), figures[1]), (float(i2), figures[2])):
        half = (figure.high - figure.low) / 2 * (100 if figure.quantity == "pooled" else 1)
        assume(abs(abs(value - float(figure.words)) - half) > 1e-6)  # a tie prints as either neighbour
    known = {s: e for s, e in zip(studies, events, strict=True) if draw(st.integers(0, 3)) == 0}
    return studies, n, events, draw(st.permutations(figures)), known


@given(simulated())
def test_the_truth_is_among_the_tables_and_so_is_nothing_else(case):
    studies, n, truth, figures, known = case
    found = reconstruct(constraints(studies, figures), dict(zip(studies, n, strict=True)), known)
    tables = found.events.tolist()
    assert truth in tables
    assert len(set(map(tuple, tables))) == len(tables)
    # And by brute force: the same set, but for figures that lie on the edge of their rounding.
    every = np.array(list(itertools.product(*(range(size + 1) for size in n))))
    sure, possible = np.ones(len(every), bool), np.ones(len(every), bool)
    for study, count in known.items():
        same = every[:, studies.index(study)] == count
        sure, possible = sure & same, possible & same
    for figure in figures:
        these = [studies.index(s) for s in figure.studies]
        if figure.quantity == "events":
            value = every[:, these].sum(axis=1)
        else:
            value = dersimonian_laird(every[:, these], np.array(n)[these])[figure.quantity == "I2"]
        sure &= (value > figure.low + 1e-7) & (value < figure.high - 1e-7)
        possible &= (value > figure.low - 1e-7) & (value < figure.high + 1e-7)
    assert set(map(tuple, every[sure].tolist())) <= set(map(tuple, tables))
    assert set(map(tuple, tables)) <= set(map(tuple, every[possible].tolist()))


def test_a_study_that_no_figure_concerns_may_have_any_count():
    found = reconstruct(constraints(("a", "b"), [printed("events", ("a",), 3, 0)]), {"a": 5, "b": 2})
    assert found.events.tolist() == [[3, 0], [3, 1], [3, 2]]


def test_method_of_the_paper_matters():
    """The same figures under a common effect leave other tables."""
    studies, n = ("a", "b", "c"), {"a": 20, "b": 30, "c": 25}
    pooled, _ = dersimonian_laird([1, 9, 4], [20, 30, 25])
    figures = [printed("events", studies, 14, 0), printed("pooled", studies, 100 * float(pooled), 2)]
    random = reconstruct(constraints(studies, figures), n).events.tolist()
    assert [1, 9, 4] in random
    try:
        common = reconstruct(constraints(studies, figures, pooling="CE"), n).events.tolist()
    except EvidenceError:
        common = []
    assert [1, 9, 4] not in common


# --- weights --------------------------------------------------------------------------------------


def test_weights_of_the_file_are_honoured():
    studies = ("a", "b")
    given_weights = (((1, 2), 3.0), ((3, 0), 0.5))
    asked = constraints(studies, [printed("events", studies, 3, 0)], weights=given_weights)
    found = reconstruct(asked, {"a": 3, "b": 3})
    by_table = dict(zip(map(tuple, found.events.tolist()), found.weights.tolist(), strict=True))
    total = 1 + 3 + 1 + 0.5  # a table without a weight has 1
    assert by_table == {
        (0, 3): pytest.approx(1 / total),
        (1, 2): pytest.approx(3 / total),
        (2, 1): pytest.approx(1 / total),
        (3, 0): pytest.approx(0.5 / total),
    }
    assert found.marginal("b") == {k[1]: v for k, v in by_table.items()}


def test_weights_in_a_file(tmp_path):
    path = tmp_path / "x.toml"
    text = (FOLDER / "new_fracture.toml").read_text(encoding="utf-8")
    path.write_text(text + "\n[[weight]]\nevents = [5, 3, 1, 12]\nweight = 7\n", encoding="utf-8")
    found = reconstruct(Constraints.read(path), FRACTURE_N)
    weights = dict(zip(map(tuple, found.events.tolist()), found.weights.tolist(), strict=True))
    assert weights[(5, 3, 1, 12)] == pytest.approx(0.7)
    assert sum(weights.values()) == pytest.approx(1)
    assert len({round(w, 12) for w in weights.values()}) == 2


def test_a_weighted_table_must_be_feasible():
    asked = constraints(("a", "b"), [printed("events", ("a", "b"), 3, 0)], weights=(((1, 1), 2.0),))
    with pytest.raises(EvidenceError, match=r"\[1, 1\] is not feasible"):
        reconstruct(asked, {"a": 3, "b": 3})


# --- figures that cannot be used ------------------------------------------------------------------


def test_contradictory_figures_name_the_one_that_fell():
    figures = [printed("events", ("a", "b"), 3, 0), printed("events", ("a",), 4, 0)]
    with pytest.raises(EvidenceError, match=r"A paper: no table of counts agrees with '\d' \(somewhere\)"):
        reconstruct(constraints(("a", "b"), figures), {"a": 5, "b": 5})


@pytest.mark.parametrize("known", [{"a": 9}, {"a": 9, "b": 9}, {"a": 9, "b": 9, "c": 9}])
def test_printed_counts_above_the_printed_total(known):
    studies = ("a", "b", "c", "d", "e")
    figures = [printed("events", studies, 5, 0), printed("pooled", studies, 10, 0)]
    with pytest.raises(EvidenceError, match="no table of counts agrees"):
        reconstruct(constraints(studies, figures), dict.fromkeys(studies, 20), known)


def test_a_total_above_all_denominators():
    studies = ("a", "b", "c")
    with pytest.raises(EvidenceError, match="no table of counts agrees"):
        reconstruct(constraints(studies, [printed("events", studies, 50, 0)]), dict.fromkeys(studies, 9))


def test_figures_that_leave_too_much_say_what_would_narrow_it():
    studies = tuple("abcdef")
    with pytest.raises(
        EvidenceError, match="too many tables to list them all; print a total or a subgroup figure"
    ):
        reconstruct(constraints(studies, [printed("pooled", studies, 10, 0)]), dict.fromkeys(studies, 60))


def test_every_study_needs_a_denominator():
    with pytest.raises(EvidenceError, match="no denominator for b"):
        reconstruct(constraints(("a", "b"), [printed("events", ("a", "b"), 3, 0)]), {"a": 3})
