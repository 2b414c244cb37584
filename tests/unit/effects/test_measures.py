"""Effect sizes: each formula on numbers worked by hand, corrections, shapes, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.effects import MEASURES, effect_size
from kyphobayes.errors import InputError

THREE_OF_TWELVE = {"events": [3], "n": [12]}
FOUR_IN_EIGHT = {"events": [4], "time": [8]}
BY_HAND = [
    ("PR", THREE_OF_TWELVE, 1 / 4, 1 / 64),
    ("PLO", THREE_OF_TWELVE, -math.log(3), 4 / 9),
    ("PLN", THREE_OF_TWELVE, -math.log(4), 1 / 4),
    ("PAS", THREE_OF_TWELVE, math.pi / 6, 1 / 48),
    ("PFT", THREE_OF_TWELVE, (math.asin(math.sqrt(3 / 13)) + math.asin(math.sqrt(4 / 13))) / 2, 1 / 50),
    ("IR", FOUR_IN_EIGHT, 1 / 2, 1 / 16),
    ("IRLN", FOUR_IN_EIGHT, -math.log(2), 1 / 4),
    ("IRS", FOUR_IN_EIGHT, math.sqrt(1 / 2), 1 / 32),
    ("GEN", {"y": [-0.3], "v": [0.04]}, -0.3, 0.04),
]


@pytest.mark.parametrize(("measure", "data", "y", "v"), BY_HAND, ids=[case[0] for case in BY_HAND])
def test_formula(measure, data, y, v):
    effects = effect_size(measure, data)
    assert effects.measure == measure
    assert effects.notes == ()
    np.testing.assert_allclose(effects.y, [y], rtol=1e-14)
    np.testing.assert_allclose(effects.v, [v], rtol=1e-14)


def test_every_measure_is_worked_by_hand():
    assert {case[0] for case in BY_HAND} == set(MEASURES)


def test_only_studies_with_a_zero_cell_are_corrected():
    effects = effect_size("PLO", {"events": [0, 3, 22], "n": [32, 12, 22]})
    np.testing.assert_allclose(effects.y, np.log([0.5 / 32.5, 1 / 3, 22.5 / 0.5]))
    assert effects.notes == ("0.5 added to events and to non-events of studies 0, 2 (to = only0)",)


@pytest.mark.parametrize(("to", "corrected"), [("only0", [1, 0]), ("if0all", [1, 1]), ("all", [1, 1])])
def test_which_studies_are_corrected(to, corrected):
    effects = effect_size("PR", {"events": [40, 5], "n": [40, 35]}, to=to, add=0.1)
    added = 0.1 * np.array(corrected)
    np.testing.assert_allclose(effects.y, (np.array([40, 5]) + added) / (np.array([40, 35]) + 2 * added))


def test_a_zero_cell_left_alone_has_no_variance():
    with pytest.raises(InputError, match=r"PR of study 0: .* v = 0"):
        effect_size("PR", {"events": [40, 5], "n": [40, 35]}, to="none")


def test_a_table_without_zero_cells_is_left_alone_when_another_has_one():
    tables = {"events": [[0, 3], [1, 2]], "n": [10, 10]}
    effects = effect_size("PR", tables, to="if0all")
    np.testing.assert_allclose(effects.y, [[0.5 / 11, 3.5 / 11], [0.1, 0.2]])
    assert effects.notes == (
        "0.5 added to events and to non-events of 2 of the 4 studies in all tables (to = if0all)",
    )


@pytest.mark.parametrize("measure", ["PAS", "PFT"])
def test_scales_that_are_defined_at_zero_are_never_corrected(measure):
    plain = effect_size(measure, {"events": [0, 10], "n": [10, 10]}, add=0)
    assert effect_size(measure, {"events": [0, 10], "n": [10, 10]}, to="all").y.tolist() == plain.y.tolist()


def test_rates_keep_their_time():
    effects = effect_size("IR", {"events": [0, 4], "time": [10, 8]})
    np.testing.assert_allclose(effects.y, [0.05, 0.5])
    np.testing.assert_allclose(effects.v, [0.005, 0.0625])
    assert effects.notes == ("0.5 added to events of study 0 (to = only0)",)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), min_size=6, max_size=6))
@pytest.mark.parametrize("measure", ["PR", "PLO", "PLN", "PAS", "PFT"])
def test_a_batch_of_tables_equals_its_tables(measure, cells):
    events = np.array([min(e, n) for e, n in cells]).reshape(2, 3)
    n = np.array([n for _, n in cells]).reshape(2, 3)
    together = effect_size(measure, {"events": events, "n": n})
    for row in range(2):
        alone = effect_size(measure, {"events": events[row], "n": n[row]})
        assert together.y[row].tolist() == alone.y.tolist()
        assert together.v[row].tolist() == alone.v.tolist()


@given(st.integers(1, 200), st.data())
def test_complement_mirrors_the_log_odds_and_the_proportion(n, data):
    events = data.draw(st.integers(0, n))
    for measure, mirror in (("PLO", lambda y: -y), ("PR", lambda y: 1 - y)):
        one = effect_size(measure, {"events": [events], "n": [n]})
        other = effect_size(measure, {"events": [n - events], "n": [n]})
        np.testing.assert_allclose(mirror(one.y), other.y, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(one.v, other.v, rtol=1e-12)


@pytest.mark.parametrize(
    ("measure", "data", "message"),
    [
        ("OOPS", {}, "measure must be one of PR, PLO"),
        ("PLO", {"events": [1]}, "needs the columns events, n; n not found among events"),
        (
            "PLO",
            {"events": [1, 9], "n": [5, 5]},
            "study 1: expected 0 <= events <= n .* found events = 9, n = 5",
        ),
        ("PLO", {"events": [0], "n": [0]}, "study 0: .* n = 0"),
        ("PLO", {"events": [1, np.nan], "n": [5, 5]}, "column events, study 1: expected a finite number"),
        ("PLO", {"events": ["P*"], "n": [5]}, "column events must hold numbers only"),
        ("PLO", {"events": [1, 2, 3], "n": [5, 5]}, r"events \(3,\), n \(2,\)"),
        ("IRLN", {"events": [2], "time": [0]}, "study 0: expected events >= 0 and time > 0"),
        ("GEN", {"y": [1, 1], "v": [1, 0]}, "GEN of study 1: .* found y = 1, v = 0"),
    ],
)
def test_refusals_say_what_and_where(measure, data, message):
    with pytest.raises(InputError, match=message):
        effect_size(measure, data)


@pytest.mark.parametrize(("arguments", "message"), [({"add": -1}, "add must"), ({"to": "some"}, "to must")])
def test_corrections_are_checked(arguments, message):
    with pytest.raises(InputError, match=message):
        effect_size("PLO", THREE_OF_TWELVE, **arguments)
