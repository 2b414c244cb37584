"""Two groups: zero cells and what is said about them, symmetries, units, and what is refused."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.effects import effect_size
from kyphobayes.effects.means import hedges_j
from kyphobayes.errors import InputError

# --- zero cells ------------------------------------------------------------------------------------------

ZEROS = {
    "events_1": [0, 3, 0, 10],
    "n_1": [10, 12, 15, 10],
    "events_2": [2, 4, 0, 12],
    "n_2": [11, 9, 14, 12],
}


@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "PETO"])
def test_notes_say_what_was_added_and_where_only_the_constant_speaks(measure):
    assert effect_size(measure, ZEROS).notes == (
        "0.5 added to all four cells of studies 0, 2, 3 (to = only0)",
        "studies 2, 3: no events in either group, or nothing but events in both; "
        f"what is computed for {measure} comes from the added 0.5",
    )


def test_the_constant_is_added_to_all_four_cells():
    effects = effect_size("OR", ZEROS)
    np.testing.assert_allclose(effects.y[0], np.log(0.5 * 9.5 / (10.5 * 2.5)), rtol=1e-14)
    np.testing.assert_allclose(effects.v[2], 1 / 0.5 + 1 / 15.5 + 1 / 0.5 + 1 / 14.5, rtol=1e-14)
    np.testing.assert_allclose(effects.y[1], np.log(3 * 5 / (9 * 4)), rtol=1e-14)  # left as it is


def test_the_arcsine_difference_needs_no_constant():
    effects = effect_size("AS", ZEROS)
    assert effects.notes == ()
    assert effects.y[2:].tolist() == [0, 0]


def test_rates_without_events_keep_their_time():
    quiet = {"events_1": [0, 3, 0], "time_1": [10, 20, 30], "events_2": [2, 4, 0], "time_2": [11, 25, 31]}
    effects = effect_size("IRR", quiet)
    np.testing.assert_allclose(effects.y[2], np.log((0.5 / 30) / (0.5 / 31)), rtol=1e-14)
    assert effects.notes == (
        "0.5 added to the events of both groups of studies 0, 2 (to = only0)",
        "study 2: no events in either group; what is computed for IRR comes from the added 0.5",
    )
    assert effect_size("IRSD", quiet).notes == ()


def test_many_tables_are_counted_not_listed():
    tables = {**ZEROS, "events_1": np.array([ZEROS["events_1"], [1, 1, 1, 1]])}
    assert effect_size("OR", tables).notes == (
        "0.5 added to all four cells of 5 of the 8 studies in all tables (to = only0)",
        "2 of the 8 studies in all tables: no events in either group, or nothing but events in both; "
        "what is computed for OR comes from the added 0.5",
    )


@pytest.mark.parametrize("measure", ["OR", "RR", "PETO", "IRR"])
def test_zeros_left_alone_are_refused(measure):
    names = ("time_1", "time_2") if measure == "IRR" else ("n_1", "n_2")
    data = {"events_1": [3, 0], "events_2": [2, 0], names[0]: [9, 9], names[1]: [9, 9]}
    with pytest.raises(InputError, match=f"{measure} of study 1: .*let zero cells be corrected"):
        effect_size(measure, data, to="none")


# --- symmetries ------------------------------------------------------------------------------------------

MEASURES_OF_COUNTS = ["OR", "RR", "RD", "AS", "PETO"]
MEASURES_OF_MEANS = ["MD", "SMD", "SMDH", "ROM"]


def swapped(data):
    other = {"1": "2", "2": "1"}
    return {name[:-1] + other[name[-1]]: values for name, values in data.items()}


@pytest.mark.parametrize("measure", MEASURES_OF_COUNTS)
@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_swapping_the_groups_changes_the_sign_of_counts(measure, n_1, n_2, data):
    table = {
        "events_1": data.draw(st.integers(0, n_1)),
        "n_1": n_1,
        "events_2": data.draw(st.integers(0, n_2)),
        "n_2": n_2,
    }
    one, other = effect_size(measure, table), effect_size(measure, swapped(table))
    np.testing.assert_allclose(one.y, -other.y, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(one.v, other.v, rtol=1e-12)


def groups(draw):
    sizes, means = st.integers(2, 500), st.floats(0.1, 100)
    return {
        name + group: [draw(strategy)]
        for group in "12"
        for name, strategy in (("mean_", means), ("sd_", means), ("n_", sizes))
    }


@pytest.mark.parametrize("measure", MEASURES_OF_MEANS)
@given(st.data())
def test_swapping_the_groups_changes_the_sign_of_means(measure, data):
    table = groups(data.draw)
    one, other = effect_size(measure, table), effect_size(measure, swapped(table))
    np.testing.assert_allclose(one.y, -other.y, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(one.v, other.v, rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
@pytest.mark.parametrize("measure", MEASURES_OF_MEANS)
@given(st.data())
def test_only_the_raw_difference_has_a_unit(measure, unit, data):
    table = groups(data.draw)
    scaled = {name: np.multiply(values, 1 if name[0] == "n" else unit) for name, values in table.items()}
    one, other = effect_size(measure, table), effect_size(measure, scaled)
    c = unit if measure == "MD" else 1
    np.testing.assert_allclose(other.y, c * one.y, rtol=1e-10, atol=1e-12 * c)
    np.testing.assert_allclose(other.v, c**2 * one.v, rtol=1e-10)


def test_the_averaged_variance_weights_by_patients():
    table = {
        "mean_1": [2, 1],
        "sd_1": [1, 1],
        "n_1": [10, 30],
        "mean_2": [0, 0],
        "sd_2": [1, 1],
        "n_2": [10, 30],
    }
    g = effect_size("SMD", table).y
    average = (20 * g[0] + 60 * g[1]) / 80
    found = effect_size("SMD", table, vtype="AV").v
    np.testing.assert_allclose(found, [1 / 5 + average**2 / 40, 1 / 15 + average**2 / 120], rtol=1e-14)


@pytest.mark.parametrize("df", [1.001, 1.5, 2, 3, 17, 40.9, 41, 41.1, 60, 500, 19_000, 20_001, 439_998, 1e9])
def test_hedges_j_is_exact(df):
    """The log of Gamma, which metafor takes, loses four digits at df = 439,998."""
    with mpmath.workdps(50):
        half = mpmath.mpf(df) / 2
        exact = mpmath.gamma(half) / mpmath.gamma(half - 0.5) / mpmath.sqrt(half)
        assert abs(hedges_j(np.array(float(df))) / exact - 1) < 1e-14


# --- what is refused -------------------------------------------------------------------------------------

MEANS = {"mean_1": [2, 2], "sd_1": [1, 1], "n_1": [4, 4], "mean_2": [1, 1], "sd_2": [2, 2], "n_2": [5, 5]}


@pytest.mark.parametrize(
    ("measure", "changed", "message"),
    [
        ("SMD", {"sd_2": [2, 0]}, "study 1: expected sd_2 > 0 and n_2 > 1, found sd_2 = 0, n_2 = 5; mend"),
        ("MD", {"sd_1": [-1, 1]}, "study 0: expected sd_1 > 0"),
        ("SMD", {"n_1": [4, 1]}, "study 1: expected sd_1 > 0 and n_1 > 1, found sd_1 = 1, n_1 = 1"),
        ("ROM", {"mean_2": [1, 0]}, "study 1: expected positive means.* mean_2 = 0; choose a difference"),
        ("ROM", {"mean_1": [-2, 2]}, "study 0: expected positive means"),
        ("SMD", {"n_2": [5, np.nan]}, "column n_2, study 1: expected a finite number, found nan"),
        ("MD", {"sd_1": [1e200, 1]}, "MD of study 0: .* v = inf; mend the row or leave the study out"),
    ],
)
def test_means_refused(measure, changed, message):
    with pytest.raises(InputError, match=message):
        effect_size(measure, {**MEANS, **changed})


@pytest.mark.parametrize(
    ("measure", "changed", "message"),
    [
        (
            "OR",
            {"events_2": [2, 40, 0, 12]},
            "study 1: expected 0 <= events_2 <= n_2.* events_2 = 40",
        ),
        ("RD", {"events_1": [-1, 3, 0, 10]}, "study 0: expected 0 <= events_1 <= n_1"),
        ("RR", {"n_1": [0, 12, 15, 10]}, "study 0: .* n_1 = 0; mend the counts"),
    ],
)
def test_counts_refused(measure, changed, message):
    with pytest.raises(InputError, match=message):
        effect_size(measure, {**ZEROS, **changed})


@pytest.mark.parametrize("changed", [{"time_2": [0]}, {"events_2": [-1]}])
def test_rates_refused(changed):
    data = {"events_1": [1], "time_1": [9], "events_2": [2], "time_2": [8]}
    with pytest.raises(InputError, match="study 0: expected events_2 >= 0 and time_2 > 0"):
        effect_size("IRR", {**data, **changed})
