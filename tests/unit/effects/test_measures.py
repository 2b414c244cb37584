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
TWO_ARMS = {"events_1": [4], "n_1": [10], "events_2": [2], "n_2": [12]}
A_QUARTER_AND_A_HALF = {"events_1": [3], "n_1": [12], "events_2": [6], "n_2": [12]}
TWO_RATES = {"events_1": [4], "time_1": [8], "events_2": [2], "time_2": [16]}
# Two patients in each group: 2 degrees of freedom, where J = Gamma(1) / Gamma(1/2) = 1 / sqrt(pi).
TWO_AND_TWO = {"mean_1": [3], "sd_1": [1], "n_1": [2], "mean_2": [1], "sd_2": [1], "n_2": [2]}
TWO_MEANS = {"mean_1": [2], "sd_1": [1], "n_1": [4], "mean_2": [1], "sd_2": [2], "n_2": [5]}
# Three patients: 2 degrees of freedom again; the variance of the change is 4 + 1 - 2 = 3.
THREE_PATIENTS = {"mean_pre": [3], "mean_post": [1], "sd_pre": [2], "sd_post": [1], "n": [3], "r": [0.5]}
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
    ("OR", TWO_ARMS, math.log(10 / 3), 1 / 4 + 1 / 6 + 1 / 2 + 1 / 10),
    ("RR", TWO_ARMS, math.log(2.4), 1 / 4 - 1 / 10 + 1 / 2 - 1 / 12),
    ("RD", TWO_ARMS, 2 / 5 - 1 / 6, 0.24 / 10 + 5 / 36 / 12),
    ("AS", A_QUARTER_AND_A_HALF, math.pi / 6 - math.pi / 4, 1 / 24),
    # O - E = 4 - 60 / 22, V = 10 x 12 x 6 x 16 / (22^2 x 21)
    ("PETO", TWO_ARMS, (4 - 60 / 22) / (11520 / 10164), 10164 / 11520),
    ("IRR", TWO_RATES, math.log(4), 3 / 4),
    ("IRD", TWO_RATES, 3 / 8, 9 / 128),
    ("IRSD", TWO_RATES, math.sqrt(1 / 8), 3 / 64),
    ("MD", TWO_MEANS, 1, 1 / 4 + 4 / 5),
    ("SMD", TWO_AND_TWO, 2 / math.sqrt(math.pi), 1 + 1 / (2 * math.pi)),
    ("SMDH", TWO_AND_TWO, 2 / math.sqrt(math.pi), (1 / math.pi + 2) / math.pi),
    ("ROM", TWO_MEANS, math.log(2), 1 / 16 + 4 / 5),
    ("MC", THREE_PATIENTS, 2, 1),
    ("SMCC", THREE_PATIENTS, 2 / math.sqrt(3 * math.pi), 1 / 3 + 2 / (9 * math.pi)),
    ("SMCR", THREE_PATIENTS, 1 / math.sqrt(math.pi), 1 / 3 + 1 / (6 * math.pi)),
    ("SMCRH", THREE_PATIENTS, 1 / math.sqrt(math.pi), (3 / 8 + 1 / (4 * math.pi)) / math.pi),
    ("ROMC", THREE_PATIENTS, math.log(3), 7 / 27),
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


OTHER_VARIANCES = [
    ("PR", THREE_OF_TWELVE, "UB", 3 / 16 / 11),
    ("RD", TWO_ARMS, "UB", 0.24 / 9 + 5 / 36 / 11),
    ("MD", TWO_MEANS, "HO", 19 / 7 * (1 / 4 + 1 / 5)),
    ("ROM", TWO_MEANS, "HO", 19 / 7 * (1 / 16 + 1 / 5)),
    ("SMD", TWO_AND_TWO, "UB", 1 + 4 / math.pi),  # the second term is (1 - 0 / (2 J^2)) g^2
    ("SMD", TWO_AND_TWO, "LS2", 1.5 / math.pi),
    ("SMD", TWO_AND_TWO, "AV", 1 + 1 / (2 * math.pi)),  # one study is its own average
    ("SMDH", TWO_AND_TWO, "BONETT", 1 / math.pi + 2),
    ("SMCC", THREE_PATIENTS, "LS2", (1 / 3 + 4 / 18) / math.pi),
    ("SMCR", THREE_PATIENTS, "LS2", (1 / 3 + 1 / 6) / math.pi),
    ("SMCRH", THREE_PATIENTS, "BONETT", 3 / 8 + 1 / (4 * math.pi)),
]


@pytest.mark.parametrize(("measure", "data", "vtype", "v"), OTHER_VARIANCES)
def test_other_variances(measure, data, vtype, v):
    effects = effect_size(measure, data, vtype=vtype)
    np.testing.assert_allclose(effects.v, [v], rtol=1e-14)
    assert effects.y.tolist() == effect_size(measure, data).y.tolist()


def test_every_other_variance_is_worked_by_hand():
    named = {(case[0], case[2]) for case in OTHER_VARIANCES}
    assert named == {(name, vtype) for name, recipe in MEASURES.items() for vtype in recipe.vtypes[1:]}


# Without Hedges' J: Cohen's d, its large-sample variance, and J^-2 of what estimates the variance of g.
@pytest.mark.parametrize(
    ("measure", "data", "vtype", "correct", "y", "v"),
    [
        ("SMD", TWO_AND_TWO, "LS", False, 2, 1.5),
        ("SMD", TWO_AND_TWO, "LS2", False, 2, 1.5),
        ("SMD", TWO_AND_TWO, "UB", False, 2, math.pi + 4),
        ("SMDH", TWO_AND_TWO, "LS", False, 2, 3),
        ("SMCC", THREE_PATIENTS, "LS", False, 2 / math.sqrt(3), 1 / 3 + 2 / 9),
        ("SMCR", THREE_PATIENTS, "LS2", False, 1, 1 / 3 + 1 / 6),
        ("SMCRH", THREE_PATIENTS, "LS", False, 1, (3 / 4 + 1 / 2) / 2),
        ("ROM", TWO_MEANS, "LS", True, math.log(2) + (1 / 16 - 4 / 5) / 2, 1 / 16 + 4 / 5),
        ("ROMC", THREE_PATIENTS, "LS", True, math.log(3) + (4 / 9 - 1) / 6, 7 / 27),
    ],
)
def test_bias_corrections_are_a_choice(measure, data, vtype, correct, y, v):
    effects = effect_size(measure, data, vtype=vtype, correct=correct)
    np.testing.assert_allclose(effects.y, [y], rtol=1e-14)
    np.testing.assert_allclose(effects.v, [v], rtol=1e-14)


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


def test_a_notebook_shows_each_study_counted_from_one_and_of_many_tables_their_shape():
    shown = effect_size("PLO", {"events": [0, 3], "n": [9, 12]})._repr_html_()
    assert [f">{place}<" in shown for place in range(4)] == [False, True, True, False]
    assert f"{2 / 3:.4g}" in shown  # se of 3 of 12
    assert "0.5 added" in shown
    tables = effect_size("PLO", {"events": [[1, 3], [1, 2]], "n": [10, 10]})._repr_html_()
    assert "PLO of 2 × 2 studies" in tables and "<table" not in tables


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
        ("GEN", {"y": [1, 1], "v": [1, 0]}, "GEN of study 1: .* found y = 1, v = 0; mend the row or"),
        ("PLO", {"events": [[1, 2], [1, 9]], "n": [5, 5]}, r"study \(1, 1\): expected 0 <= events <= n"),
    ],
)
def test_refusals_say_what_and_where(measure, data, message):
    with pytest.raises(InputError, match=message):
        effect_size(measure, data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"add": -1}, "add must"),
        ({"to": "some"}, "to must"),
        ({"vtype": "UB"}, "vtype must be one of LS for PLO, not 'UB'"),
        ({"correct": True}, "PLO has no bias correction"),
    ],
)
def test_options_are_checked(arguments, message):
    with pytest.raises(InputError, match=message):
        effect_size("PLO", THREE_OF_TWELVE, **arguments)
