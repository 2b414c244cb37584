"""Tests of funnel plots: against their authors' own formulas, by hand, and what they print."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist import begg, egger, regress, selection_model, trim_and_fill

effects = st.integers(-500, 500).map(lambda i: i / 100)
variances = st.integers(1, 4000).map(lambda i: i / 1000)
studies = st.lists(
    st.tuples(effects, variances), min_size=4, max_size=9, unique_by=(lambda one: one[0], lambda one: one[1])
)
Y, V = [0.1, 0.3, 0.2, 0.9, 0.7, 1.4], [0.01, 0.02, 0.05, 0.1, 0.2, 0.4]


@given(studies)
def test_the_linear_model_is_eggers_own(these):
    """Egger et al. regress y / se on 1 / se: their intercept is our slope, their slope our limit."""
    y, v = np.array(these).T
    own = stats.linregress(1 / np.sqrt(v), y / np.sqrt(v))
    found = egger(y, v, model="lm")
    assert found.slope == pytest.approx(own.intercept, rel=1e-6, abs=1e-9)
    assert found.se == pytest.approx(own.intercept_stderr, rel=1e-6, abs=1e-9)
    assert found.limit_b == pytest.approx(own.slope, rel=1e-6, abs=1e-9)
    assert found.limit_se == pytest.approx(own.stderr, rel=1e-6, abs=1e-9)
    assert found.df == len(y) - 2


@pytest.mark.parametrize(
    ("predictor", "x"),
    [
        ("se", np.sqrt(V)),
        ("variance", V),
        ("n", [60, 50, 40, 30, 20, 10]),
        ("sqrt_n", np.sqrt([60, 50, 40, 30, 20, 10])),
        ("inverse_n", 1 / np.array([60, 50, 40, 30, 20, 10])),
        ("sqrt_inverse_n", 1 / np.sqrt([60, 50, 40, 30, 20, 10])),
    ],
)
def test_the_predictor(predictor, x):
    found = egger(Y, V, predictor=predictor, n=[60, 50, 40, 30, 20, 10], method="DL", test="t", level=0.9)
    fit = regress(Y, V, x, method="DL", test="t", level=0.9)
    assert (found.slope, found.p_value, found.ci_low) == (fit.beta[1], fit.p_value[1], fit.ci_low[1])
    if predictor in ("n", "sqrt_n"):
        assert math.isnan(found.limit_b)
        assert math.isnan(found.limit_low)
    else:
        at_zero = fit.predict(0)
        np.testing.assert_allclose(
            [found.limit_b, found.limit_low, found.limit_high],
            np.concatenate([at_zero.mu, at_zero.ci_low, at_zero.ci_high]),
        )


def test_ranks_by_hand():
    """Effects rise with the variance: tau = 1, and 2 of the 4! orders are as extreme."""
    found = begg([0.0, 1.0, 3.0, 9.0], [1, 2, 3, 4])
    assert (found.tau, found.p_value, found.exact) == (1, pytest.approx(2 / 24), True)
    assert begg([9.0, 3.0, 1.0, 0.0], [1, 2, 3, 4]).tau == -1


def test_ranks_with_ties_by_hand():
    """Two equal variances of four: S = 5, tau-b = 5 / sqrt(6 * 5), Var(S) = (4 * 3 * 13 - 2 * 9) / 18."""
    found = begg([0.0, 1.0, 3.0, 9.0], [1, 1, 3, 4])
    assert found.tau == pytest.approx(5 / math.sqrt(30))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(5 / math.sqrt((4 * 3 * 13 - 2 * 9) / 18)))
    assert not found.exact


def test_ranks_beside_a_huge_study():
    """The mean is that of the huge study, whose own distance is that of the others' mean from it.

    The others' weights 1/3, 1/2, 1 give them 1.58 / 1.35 = 1.17 standard errors, so the distances are
    -1.17 (huge), -0.5 / sqrt(3), 0.5 / sqrt(2), 1.5: three pairs agree with the variances, three do not.
    """
    assert begg([0.5, 0.0, 1.0, 2.0], [1e-30, 3, 2, 1]).tau == 0


@given(studies, st.randoms(use_true_random=False), st.sampled_from([1e-8, 1.0, 1e8]))
@settings(max_examples=50)
def test_order_and_units_do_not_matter(these, random, c):
    y, v = np.array(these).T
    order = random.sample(range(len(y)), len(y))
    one, other = begg(y, v), begg(c * y[order], c**2 * v[order])
    assert (one.tau, one.p_value) == pytest.approx((other.tau, other.p_value))
    one, other = egger(y, v), egger(c * y[order], c**2 * v[order])
    assert (one.statistic, one.p_value) == pytest.approx((other.statistic, other.p_value), rel=1e-5, abs=1e-7)


@given(studies)
def test_mirrored_effects_have_the_mirrored_result(these):
    y, v = np.array(these).T
    assert begg(-y, v).tau == pytest.approx(-begg(y, v).tau)
    assert egger(-y, v).slope == pytest.approx(-egger(y, v).slope)


RESULTS = {
    "egger": (egger, "Egger (rma, se): z = "),
    "begg": (begg, "Begg: tau = "),
    "trim_and_fill": (trim_and_fill, "Trim and fill (L0): k0 = "),
    "selection_model": (selection_model, "Selection model: mu = "),
}


@pytest.mark.parametrize("name", RESULTS)
def test_few_studies_are_printed_without_a_claim(name):
    function, start = RESULTS[name]
    few, enough = function([*Y, -0.2], [*V, 0.3]), function(Y + Y[:4], V + V[:4])
    assert str(few).startswith(start)
    assert str(few).endswith("k = 7; k < 10: no claim") or name == "trim_and_fill"
    assert str(few).endswith("; k < 10: no claim")
    assert (few.claim, few.k) == ("k < 10: no claim", 7)
    assert (enough.claim, enough.k) == ("", 10)
    assert "claim" not in str(enough)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: egger(Y, V, model="ols"), "model must be one of rma, lm, not 'ols'"),
        (lambda: egger(Y, V, predictor="sei"), "predictor must be one of se, variance, n"),
        (lambda: egger(Y, V, predictor="n"), "predictor 'n' needs the sample sizes n"),
        (lambda: egger(Y, V, predictor="n", n=[1]), "n must hold one number per study, 6"),
        (
            lambda: egger(Y, V, predictor="n", n=[1, 2, 3, 0, 5, 6]),
            "study 3: n must be a finite positive number, found 0.0",
        ),
        (lambda: egger(Y[:2], V[:2]), "there are 2 studies; a regression test needs at least 3"),
        (lambda: egger(Y, [1] * 6), "column 'se' of X is constant"),
        (lambda: begg(Y[:2], V[:2]), "there are 2 studies; a rank test needs at least 3"),
        (lambda: begg(Y, [0.1] * 6), "all variances are 0.1: ranks need two different ones"),
        (lambda: begg([0.3] * 6, V), "all effects are 0.3"),
        (lambda: begg([1, 2, np.nan], [1, 2, 3]), "study 2: y must be a finite number"),
    ],
)
def test_refusals_say_what_and_where(call, message):
    with pytest.raises(InputError, match=message):
        call()
