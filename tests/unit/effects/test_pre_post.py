"""One group before and after: the sign, the sweep over r, the share of g, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.effects import effect_size, share_of_g
from kyphobayes.errors import InputError

VAS = {"mean_pre": [8.73], "mean_post": [1.73], "sd_pre": [1.12], "sd_post": [1.39], "n": [22], "r": [-0.2]}
STANDARDISED = ["SMCC", "SMCR", "SMCRH"]
ALL = ["MC", *STANDARDISED, "ROMC"]


@pytest.mark.parametrize("measure", ALL)
def test_a_fall_is_positive(measure):
    assert effect_size(measure, VAS).y > 0


@pytest.mark.parametrize("measure", ALL)
def test_a_sweep_over_r_is_one_call(measure):
    data = {name: [values[0], 2 * values[0]] for name, values in VAS.items() if name != "r"}
    r = np.array([-0.5, 0, 0.5, 0.7])
    together = effect_size(measure, {**data, "r": r[:, None]})
    assert together.y.shape == together.v.shape == (4, 2)
    for row, value in enumerate(r):
        alone = effect_size(measure, {**data, "r": value})
        assert together.y[row].tolist() == alone.y.tolist()
        assert together.v[row].tolist() == alone.v.tolist()


def test_what_r_changes():
    """The effect of SMCC and the variance of all others: the less, the better the times agree."""
    r = np.linspace(-0.9, 0.9, 7)
    for measure in ALL:
        effects = effect_size(measure, {**VAS, "r": r[:, None]})
        if measure == "SMCC":
            assert (np.diff(effects.y[:, 0]) > 0).all()
        else:
            assert np.ptp(effects.y) == 0
            assert (np.diff(effects.v[:, 0]) < 0).all()


def test_standardising_by_the_first_sd_does_not_ask_for_the_second():
    without = {name: values for name, values in VAS.items() if name != "sd_post"}
    assert effect_size("SMCR", without).y.tolist() == effect_size("SMCR", VAS).y.tolist()


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(-1, 1), st.integers(2, 200))
def test_the_change_is_the_difference_of_two_dependent_means(sd_pre, sd_post, r, n):
    """At r = 0 it is that of two groups; between, the variance lies within (a - b)^2 and (a + b)^2."""
    data = {"mean_pre": 8, "mean_post": 2, "sd_pre": sd_pre, "sd_post": sd_post, "n": n}
    groups = {"mean_1": 8, "sd_1": sd_pre, "n_1": n, "mean_2": 2, "sd_2": sd_post, "n_2": n}
    independent = effect_size("MC", {**data, "r": 0})
    np.testing.assert_allclose(independent.v, effect_size("MD", groups).v, rtol=1e-12)
    lowest, highest = (sd_pre - sd_post) ** 2 / n, (sd_pre + sd_post) ** 2 / n
    if lowest > 0 and abs(r) < 1:
        v = effect_size("MC", {**data, "r": r}).v
        assert lowest * (1 - 1e-12) <= v <= highest * (1 + 1e-12)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
@pytest.mark.parametrize("measure", ALL)
def test_only_the_raw_change_has_a_unit(measure, unit):
    scaled = {name: np.multiply(values, 1 if name in "nr" else unit) for name, values in VAS.items()}
    one, other = effect_size(measure, VAS), effect_size(measure, scaled)
    c = unit if measure == "MC" else 1
    np.testing.assert_allclose(other.y, c * one.y, rtol=1e-12)
    np.testing.assert_allclose(other.v, c**2 * one.v, rtol=1e-12)


@pytest.mark.parametrize(
    ("measure", "changed", "message"),
    [
        ("MC", {"r": [1.2]}, "study 0: expected a correlation r between -1 and 1, found r = 1.2; mend it"),
        ("SMCR", {"r": [-1.01]}, "study 0: expected a correlation r"),
        ("MC", {"n": [1]}, "study 0: expected sd_pre > 0, sd_post > 0 and n > 1, .* n = 1"),
        ("SMCC", {"n": [2]}, "study 0: expected n > 2, for a standardised change, found n = 2; choose MC"),
        ("SMCR", {"sd_pre": [0]}, "study 0: expected sd_pre > 0"),
        ("ROMC", {"mean_post": [0]}, "study 0: expected positive means, .* mean_post = 0; choose a change"),
        ("MC", {"r": [1], "sd_post": [1.12]}, "MC of study 0: .* v = 0; mend the row"),
        ("SMCC", {"r": [1], "sd_post": [1.12]}, "SMCC of study 0: .* y = inf"),
        ("MC", {"r": [np.nan]}, "column r, study 0: expected a finite number"),
    ],
)
def test_refusals(measure, changed, message):
    with pytest.raises(InputError, match=message):
        effect_size(measure, {**VAS, **changed})


# --- the share of g --------------------------------------------------------------------------------------


def test_the_share_of_g_by_hand():
    # g = 5 in 20 patients: g^2 / (2 n) = 25 / 40; with v = 0.625 + 0.1 the share is 0.625 / 0.725.
    np.testing.assert_allclose(share_of_g([5, 0], [20, 20], [0.725, 0.1]), [0.625 / 0.725, 0], rtol=1e-15)
    assert share_of_g(1, 1, 0.625) == 0.8  # one patient is enough for this arithmetic


@pytest.mark.parametrize("measure", ["SMCC", "SMCR"])
def test_the_share_of_g_grows_with_g_only(measure):
    shift = {**VAS, "mean_post": np.linspace(8.7, 0.1, 9), "n": 22}
    effects = effect_size(measure, shift)
    share = share_of_g(effects.y, 22, effects.v)
    assert (np.diff(share) > 0).all()
    assert 0 < share[0] < 1e-3 < 0.8 < share[-1] < 1
    # The number of patients cancels but for Hedges' J.
    many = effect_size(measure, {**shift, "n": 2200})
    np.testing.assert_allclose(share_of_g(many.y, 2200, many.v), share, atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 20, 0.1), "expected v of at least"),
        (([1, 5], 20, [0.7, 0.1]), "study 1: expected v of at least"),
        ((5, 0, 1), "n > 0 and v > 0"),
        ((5, 20, -1), "n > 0 and v > 0"),
        ((np.inf, 20, 1), "g: expected a finite number"),
    ],
)
def test_a_share_of_another_variance_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        share_of_g(*arguments)
