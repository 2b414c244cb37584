"""Pooling: theorems, hand-computed values, edge cases, and that `pool` is a row of `pool_many`."""

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyphobayes.errors import InputError
from kyphobayes.frequentist import METHODS, TESTS, Pooled, pool, pool_many

NUMBERS = [field.name for field in fields(Pooled) if field.name not in ("method", "test", "weights")]
SHIFTED = ("mu", "ci_low", "ci_high", "pi_low", "pi_high", "se")  # in units of y
SQUARED = ("tau2", "se_tau2")  # in units of v
UNITLESS = ("i2", "h2", "q", "q_df", "q_p", "statistic", "df", "p_value", "k")

effects = st.integers(-500, 500).map(lambda i: i / 100)
variances = st.integers(1, 4000).map(lambda i: i / 1000)
studies = st.lists(st.tuples(effects, variances), min_size=2, max_size=8)
every_method = pytest.mark.parametrize("method", METHODS)
every_test = pytest.mark.parametrize("test", TESTS)


def assert_same(one, other, rtol, atol=1e-9):
    for name in NUMBERS:
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=rtol, atol=atol, err_msg=name
        )


@every_method
@given(studies, st.randoms(use_true_random=False))
def test_order_does_not_matter(method, rows, random):
    shuffled = random.sample(rows, len(rows))
    assert_same(
        pool(*zip(*rows, strict=True), method=method), pool(*zip(*shuffled, strict=True), method=method), 1e-6
    )


@every_method
@given(studies, st.sampled_from([1e-6, -0.5, 3.0, 1e5]))
def test_units_do_not_matter(method, rows, c):
    y, v = np.array(rows).T
    one, other = pool(y, v, method=method), pool(c * y, c**2 * v, method=method)
    for name in ("mu", "se", *SQUARED, "i2", "h2", "q", "q_p", "k"):
        factor = {"mu": c, "se": abs(c)}.get(name, c**2 if name in SQUARED else 1.0)
        tolerance = 1e-9 * abs(factor) * (1 if name not in SQUARED else 10)
        np.testing.assert_allclose(
            getattr(other, name), factor * getattr(one, name), rtol=1e-6, atol=tolerance, err_msg=name
        )


@every_method
@given(studies, st.sampled_from([-7.0, 0.25, 100.0]))
def test_a_shift_of_all_effects_shifts_mu_alone(method, rows, shift):
    y, v = np.array(rows).T
    one, other = pool(y, v, method=method), pool(y + shift, v, method=method)
    assert other.mu == pytest.approx(one.mu + shift, abs=1e-9)
    assert (other.tau2, other.q) == pytest.approx((one.tau2, one.q), rel=1e-6, abs=1e-9)


@every_method
@every_test
@given(studies)
@settings(max_examples=25)
def test_every_result_is_in_order(method, test, rows):
    result = pool(*zip(*rows, strict=True), method=method, test=test)
    undefined = {"se_tau2", "pi_low", "pi_high"} if method == "CE" else set()
    assert {name for name in NUMBERS if math.isnan(getattr(result, name))} == undefined
    assert result.tau2 >= 0
    assert 0 <= result.i2 <= 100
    assert 0 <= result.p_value <= 1
    assert result.ci_low <= result.mu <= result.ci_high
    assert method == "CE" or (result.pi_low <= result.ci_low and result.ci_high <= result.pi_high)
    assert result.weights.sum() == pytest.approx(1)
    assert result.weights @ [y for y, _ in rows] == pytest.approx(result.mu, abs=1e-9)


@every_method
@every_test
def test_pool_is_a_row_of_pool_many(method, test):
    rng = np.random.default_rng(7)
    y, v = rng.normal(size=(40, 6)), rng.gamma(1.0, size=(40, 6))
    y[rng.random((40, 6)) < 0.3] = np.nan
    y[:, :2] = 1.0, 0.0
    many = pool_many(y, v, method=method, test=test)
    assert (many.method, many.test) == (method, test)
    for row in range(40):
        there = ~np.isnan(y[row])
        alone = pool(y[row, there], v[row, there], method=method, test=test)
        for name in NUMBERS:
            np.testing.assert_allclose(
                getattr(many, name)[row], getattr(alone, name), rtol=1e-12, err_msg=name
            )
        np.testing.assert_allclose(many.weights[row, there], alone.weights, rtol=1e-12)
        assert (many.weights[row, ~there] == 0).all()


def test_rows_do_not_depend_on_their_chunk():
    rng = np.random.default_rng(3)
    y, v = rng.normal(size=(5000, 7)), rng.gamma(1.0, size=(5000, 7))
    whole, part = pool_many(y, v), pool_many(y[4321:4330], v[4321:4330])
    np.testing.assert_allclose(whole.tau2[4321:4330], part.tau2, rtol=1e-13)
    assert whole.weights.shape == (5000, 7)


def test_shapes_broadcast():
    v = np.array([0.1, 0.2, 0.3])
    y = np.array([[0.0, 1.0, 2.0], [np.nan, 1.0, 2.0]])
    assert pool_many(y, v).k.tolist() == [3, 2]
    np.testing.assert_allclose(pool_many(y, v).mu[1], pool([1, 2], v[1:]).mu, rtol=1e-14)


def test_common_effect_by_hand():
    """Weights 4 and 1: mu = 0.2, se^2 = 1/5, Q = 4 (0.2)^2 + (0.8)^2 = 0.8."""
    result = pool([0, 1], [0.25, 1], method="CE", test="z")
    assert result.mu == pytest.approx(0.2)
    assert result.se == pytest.approx(math.sqrt(0.2))
    assert (result.q, result.q_df, result.i2, result.h2) == pytest.approx((0.8, 1, 0, 0.8))
    assert result.ci_high == pytest.approx(0.2 + 1.959963984540054 * math.sqrt(0.2))
    assert result.statistic == pytest.approx(0.2 / math.sqrt(0.2))
    np.testing.assert_allclose(result.weights, [0.8, 0.2])
    assert math.isinf(result.df)
    assert math.isnan(result.pi_low)


def test_i2_of_a_common_effect_is_that_of_q():
    """Effects 0, 0, 3 with variance 1/4: Q = 4 (1 + 1 + 4) = 24 on 2 df."""
    result = pool([0, 0, 3], [0.25] * 3, method="CE")
    assert (result.q, result.h2, result.i2) == pytest.approx((24, 12, 100 * 11 / 12))


@pytest.mark.parametrize(("test", "se"), [("z", 1.0), ("t", 1.0), ("hksj", math.sqrt(1 / 3)), ("mhksj", 1.0)])
def test_tests_differ_in_standard_error_and_quantile(test, se):
    """Effects -1, 1, 0, variance 3: tau2 = 0, sum(w) = 1, and sum(w r^2) / 2 = 1/3."""
    result = pool([-1, 1, 0], [3, 3, 3], test=test)
    assert result.tau2 == 0
    assert result.se == pytest.approx(se)
    assert result.df == (math.inf if test == "z" else 2)
    quantile = 1.959963984540054 if test == "z" else 4.302652729911275
    assert result.ci_high == pytest.approx(quantile * se)
    assert result.pi_high == pytest.approx(quantile * se)


def test_mhksj_is_hksj_where_effects_spread():
    wide = [-3.0, 0.0, 4.0], [0.1, 0.2, 0.3]
    assert pool(*wide, method="CE", test="mhksj").se == pool(*wide, method="CE", test="hksj").se


def test_i2_of_dersimonian_laird_is_that_of_q():
    result = pool([-3.0, 0.0, 4.0], [0.1, 0.2, 0.3], method="DL")
    assert result.i2 == pytest.approx(100 * (result.q - 2) / result.q)
    assert result.h2 == pytest.approx(result.q / 2)


@every_method
def test_one_study(method):
    result = pool([0.4], [0.04], method=method, test="z")
    assert (result.mu, result.se, result.tau2) == pytest.approx((0.4, 0.2, 0.0))
    assert (result.q, result.q_df, result.q_p, result.i2, result.h2, result.k) == (0, 0, 1, 0, 1, 1)
    assert math.isnan(result.se_tau2)
    assert math.isnan(result.pi_low)
    assert result.weights.tolist() == [1.0]


def test_equal_effects_have_an_hksj_interval_of_no_width():
    result = pool([0.3, 0.3, 0.3], [0.1, 0.2, 0.7])
    assert (result.mu, result.se, result.ci_low, result.ci_high) == (0.3, 0.0, 0.3, 0.3)
    assert (result.statistic, result.p_value) == (math.inf, 0.0)
    at_null = pool([0, 0, 0], [0.1, 0.2, 0.7])
    assert (at_null.statistic, at_null.p_value) == (0.0, 1.0)
    assert pool([0.3, 0.3, 0.3], [0.1, 0.2, 0.7], test="mhksj").se > 0.2


@every_method
def test_a_huge_study_among_small_ones(method):
    """Where tau2 is 0 the huge study decides alone; Q is the others' distance from it."""
    result = pool([1.0, 1.5, 0.5], [1e-16, 1.0, 1.0], method=method, test="z")
    assert result.q == pytest.approx(0.5, rel=1e-12)
    assert result.mu == pytest.approx(1.0, abs=0.2 if method == "SJ" else 1e-9)


@pytest.mark.parametrize("unit", [1e-140, 1e-20, 1e20, 1e140])
def test_extreme_units(unit):
    y, v = np.array([0.1, 0.9, 0.4]), np.array([0.01, 0.02, 0.03])
    assert pool(y * unit, v * unit**2).mu / unit == pytest.approx(pool(y, v).mu, rel=1e-12)


@pytest.mark.parametrize(
    ("y", "v", "arguments", "message"),
    [
        ([1, 2], [1, 0], {}, "study 1: v must be a finite positive variance, found 0.0"),
        ([1, 2], [-1, 1], {}, "study 0: v must be a finite positive variance"),
        ([1, np.inf], [1, 1], {}, "study 1: y must be a finite number, found inf"),
        ([1, np.nan], [1, 1], {}, "study 1: y must be a finite number, found nan"),
        ([1, 2], [np.nan, 1], {}, "study 0: v must be a finite number, found nan"),
        ([1, 2], [1, np.inf], {}, "study 1: v must be a finite positive variance, found inf"),
        ([1, 2], [1, 1, 1], {}, r"found shapes \(2,\) and \(3,\)"),
        ([], [], {}, "one number per study"),
        (["a"], [1], {}, "y must hold numbers only"),
        ([1], [1], {}, "there is 1 study; test 'hksj' needs at least 2: choose test='z'"),
        ([1, 2], [1, 1], {"method": "FE"}, "method must be one of CE, DL"),
        ([1, 2], [1, 1], {"test": "knha"}, "test must be one of z, t, hksj, mhksj"),
        ([1, 2], [1, 1], {"level": 95}, "level must lie between 0 and 1, not 95"),
        ([1, 1e200], [1, 1], {}, "check their units"),
    ],
)
def test_refusals_say_what_and_where(y, v, arguments, message):
    with pytest.raises(InputError, match=message):
        pool(y, v, **arguments)


@pytest.mark.parametrize(
    ("y", "v", "message"),
    [
        ([[1, 2], [1, np.inf]], 1.0, "meta-analysis 1, study 1: y must be a finite number, found inf"),
        (
            [[1, 2], [1, 2]],
            [[1, 1], [0, 1]],
            "meta-analysis 1, study 0: v must be a finite positive variance",
        ),
        ([[1, 2], [1, np.nan]], 1.0, "meta-analysis 1 has 1 study; test 'hksj' needs at least 2"),
        ([[1, 2], [np.nan, np.nan]], 1.0, r"meta-analysis 1 has 0 studies; .* leave it out"),
        ([[1, 2], [0, 1e200]], 1.0, "meta-analysis 1: effects or variances"),
        ([1, 2], [1, 1], r"must have shape \(meta-analyses, studies\), found \(2,\)"),
        ([[1, 2]], [[1, 2, 3]], r"shapes that fit together, found \(1, 2\) and \(1, 3\)"),
    ],
)
def test_refusals_of_many_say_which_meta_analysis(y, v, message):
    with pytest.raises(InputError, match=message):
        pool_many(y, v)
