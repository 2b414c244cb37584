"""Intervals for tau2: values by hand and from the paper, theorems, sets with gaps, empty sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist import pool, tau2_interval
from kyphobayes.frequentist.heterogeneity import INTERVALS

every_method = pytest.mark.parametrize("method", INTERVALS)
effects = st.integers(-500, 500).map(lambda i: i / 100)
variances = st.integers(1, 4000).map(lambda i: i / 1000)
studies = st.lists(st.tuples(effects, variances), min_size=2, max_size=8)

# Pre-eclampsia in nine trials of diuretics: events and sizes (Collins, Yusuf and Peto 1985).
EVENTS_1 = np.array([14, 21, 14, 6, 12, 138, 15, 6, 65])
N_1 = np.array([131, 385, 57, 38, 1011, 1370, 506, 108, 153])
EVENTS_2 = np.array([14, 17, 24, 18, 35, 175, 20, 2, 40])
N_2 = np.array([136, 134, 48, 40, 760, 1336, 524, 103, 102])
# Viechtbauer (2007), Stat. Med. 26, table II.
TABLE_II = {
    ("qprofile", "REML"): (0.072, 2.203),
    ("biggerstaff_tweedie", "REML"): (0.048, 2.355),
    ("profile_likelihood", "ML"): (0.027, 1.131),
    ("profile_likelihood", "REML"): (0.043, 1.475),
}


@pytest.mark.parametrize(("method", "likelihood"), TABLE_II)
def test_published_values(method, likelihood):
    y = np.log(EVENTS_1 * (N_2 - EVENTS_2) / ((N_1 - EVENTS_1) * EVENTS_2))
    v = 1 / EVENTS_1 + 1 / (N_1 - EVENTS_1) + 1 / EVENTS_2 + 1 / (N_2 - EVENTS_2)
    found = tau2_interval(y, v, method=method, likelihood=likelihood)
    assert tuple(found) == pytest.approx(TABLE_II[method, likelihood], abs=5e-4)


@pytest.mark.parametrize("method", ["qprofile", "biggerstaff_tweedie"])
@given(st.lists(effects, min_size=2, max_size=6), variances)
def test_equal_variances_have_a_closed_form(method, y, v):
    """Q (1 + tau2 / v) is chi-squared, so both ends are v (Q / quantile - 1), or 0."""
    q = np.sum((y - np.mean(y)) ** 2) / v
    ends = v * (q / stats.chi2.isf([0.025, 0.975], len(y) - 1) - 1)
    found = tau2_interval(y, [v] * len(y), method=method)
    np.testing.assert_allclose(tuple(found), np.maximum(0, ends), rtol=1e-9, atol=1e-9)


@given(studies.filter(lambda rows: len(rows) == 2))
def test_two_studies_have_one_chi_squared(rows):
    """Of two studies Q is a single scaled chi-squared, a gamma: the approximation is exact."""
    y, v = zip(*rows, strict=True)
    exact, gamma = tau2_interval(y, v), tau2_interval(y, v, method="biggerstaff_tweedie")
    assert tuple(gamma) == pytest.approx(tuple(exact), rel=1e-7, abs=1e-9)


def deviance(y, v, tau2, likelihood):
    """Minus twice the log density of y, or of its contrasts, written with dense matrices."""
    y, design = np.array(y), np.ones((len(y), 1))
    inverse = np.diag(1 / (np.array(v) + tau2))
    information = design.T @ inverse @ design
    p = inverse - inverse @ design @ np.linalg.inv(information) @ design.T @ inverse
    restricted = np.log(information[0, 0]) if likelihood == "REML" else 0.0
    return y @ p @ y - np.log(np.diag(inverse)).sum() + restricted


@pytest.mark.parametrize("likelihood", ["REML", "ML"])
@given(rows=studies)
def test_the_deviance_at_the_ends_of_a_profile_is_its_quantile(likelihood, rows):
    y, v = zip(*rows, strict=True)
    least = deviance(y, v, pool(y, v, method=likelihood).tau2, likelihood)
    low, high = tau2_interval(y, v, method="profile_likelihood", likelihood=likelihood)
    quantile = stats.chi2.ppf(0.95, 1)
    assert deviance(y, v, high, likelihood) - least == pytest.approx(quantile, rel=1e-7)
    at_low = deviance(y, v, low, likelihood) - least
    assert at_low == pytest.approx(quantile, rel=1e-7) if low > 0 else at_low <= quantile + 1e-7


def test_a_profile_with_two_maxima_is_covered_from_end_to_end():
    """At level 0.56 the set falls into two parts, one around each maximum; the higher is at 0.018."""
    y, v = [-0.19, 0.17, 0.14, -0.01], [0.016, 0.0006, 0.0002, 0.1239]
    grid = np.linspace(0, 0.1, 4001)
    values = np.array([deviance(y, v, tau2, "REML") for tau2 in grid])
    inside = np.flatnonzero(values <= values.min() + stats.chi2.ppf(0.56, 1))
    assert (np.diff(inside) > 1).sum() == 1
    low, high = tau2_interval(y, v, method="profile_likelihood", level=0.56)
    assert low == 0
    assert high == pytest.approx(grid[inside[-1]], abs=grid[1])


@every_method
@given(studies, st.sampled_from([1e-8, -3.0, 1e8]), st.randoms(use_true_random=False))
def test_units_and_order_do_not_matter(method, rows, c, random):
    y, v = np.array(rows).T
    shuffled = np.array(random.sample(rows, len(rows))).T
    one = tau2_interval(y, v, method=method)
    other = tau2_interval(c * shuffled[0], c**2 * shuffled[1], method=method)
    np.testing.assert_allclose(np.array(other) / c**2, np.array(one), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(other.i2, one.i2, rtol=1e-6, atol=1e-6)


@every_method
@given(studies)
def test_ends_are_in_order_and_a_wider_level_is_wider(method, rows):
    y, v = zip(*rows, strict=True)
    narrow, wide = (tau2_interval(y, v, method=method, level=level) for level in (0.8, 0.95))
    assert 0 <= wide.low <= narrow.low + 1e-9
    assert narrow.low <= narrow.high <= wide.high + 1e-9
    assert 0 <= wide.i2.low <= wide.i2.high <= 100
    assert 1 <= wide.h2.low <= wide.h2.high


@given(studies)
def test_a_profile_likelihood_holds_its_estimate(rows):
    y, v = zip(*rows, strict=True)
    low, high = tau2_interval(y, v, method="profile_likelihood", level=0.01)
    assert low - 1e-9 <= pool(y, v, method="REML").tau2 <= high + 1e-9


def test_i2_and_h2_are_by_the_typical_variance():
    """Equal variances 1/4 are their own typical variance."""
    found = tau2_interval([-2.0, 0.0, 3.0], [0.25] * 3)
    assert found.h2 == pytest.approx([1 + end / 0.25 for end in found])
    assert found.i2 == pytest.approx([100 * end / (end + 0.25) for end in found])


@pytest.mark.parametrize("method", ["qprofile", "biggerstaff_tweedie"])
@pytest.mark.parametrize("y", [[0.3, 0.3, 0.3], [0.30, 0.31, 0.29]], ids=["equal", "nearly equal"])
def test_no_tau2_explains_effects_that_agree_too_well(method, y):
    found = tau2_interval(y, [0.1, 0.2, 0.3], method=method)
    assert (tuple(found), found.i2, found.h2) == ((0, 0), (0, 0), (1, 1))


def test_a_profile_likelihood_of_equal_effects_has_an_upper_end():
    low, high = tau2_interval([0.3, 0.3, 0.3], [0.1, 0.1, 0.1], method="profile_likelihood")
    # REML of three equal effects: 2 log(1 + tau2 / v) = 3.84.
    assert (low, high) == pytest.approx((0, 0.1 * np.expm1(stats.chi2.ppf(0.95, 1) / 2)), rel=1e-9)


@every_method
def test_a_huge_study_and_one_far_away(method):
    low, high = tau2_interval([0.0, 1.0, 1e6], [1e-14, 1.0, 2.0], method=method)
    assert 1e10 < low < high < 1e16


def test_the_gamma_of_a_shape_that_falls_is_followed_to_its_last_crossing():
    """Here the distribution function at q rises again with tau2, as its shape falls to 1/2."""
    y = [-1.43e-05, 4.54e-04, -2.56e-04, 1.29e-03, -3.38e-04, 6.57e-04, -8.29e-04]
    v = [5.62e-07, 1946.0, 1.42e-04, 1.89e-05, 4.27e-06, 5.53e-04, 7.07e-06]
    w = 1 / np.array(v)
    p = np.diag(w) - np.outer(w, w) / w.sum()
    high = tau2_interval(y, v, method="biggerstaff_tweedie", level=0.999).high

    def probability(tau2):
        s = np.diag(np.array(v) + tau2)
        mean, variance = np.trace(p @ s), 2 * np.trace(p @ s @ p @ s)
        return stats.gamma.cdf(y @ p @ np.array(y), mean**2 / variance, scale=variance / mean)

    assert probability(high) == pytest.approx(0.0005, rel=1e-6)
    assert all(probability(high * factor) < 0.0005 for factor in np.geomspace(1.001, 1e6, 50))


@pytest.mark.parametrize(
    ("y", "v", "arguments", "message"),
    [
        ([1], [1], {}, "there is 1 study; an interval for tau2 needs at least 2: add studies"),
        ([1, 2], [1, 0], {}, "study 1: v must be a finite positive variance, found 0.0"),
        ([1, np.nan], [1, 1], {}, "study 1: y must be a finite number, found nan"),
        ([1, 2], [1, 1, 1], {}, r"found shapes \(2,\) and \(3,\)"),
        ([1, 2], [1, 1], {"method": "QP"}, "method must be one of qprofile, profile_likelihood"),
        ([1, 2], [1, 1], {"likelihood": "reml"}, "likelihood must be one of ML, REML, not 'reml'"),
        ([1, 2], [1, 1], {"level": 95}, "level must lie between 0 and 1, not 95"),
    ],
)
def test_refusals_say_what_and_where(y, v, arguments, message):
    with pytest.raises(InputError, match=message):
        tau2_interval(y, v, **arguments)
