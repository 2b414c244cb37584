"""The Henmi-Copas interval: its moments against dense matrices, its tail against another integral."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist import henmi_copas, pool
from kyphobayes.frequentist.henmi_copas import _pivot
from kyphobayes.frequentist.studies import Studies

rows = st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 300)), min_size=2, max_size=7)


def pivot_of(y, v, tau2):
    return _pivot(Studies.standardised(np.array([y], dtype=float), np.array([v], dtype=float)), tau2)


@pytest.mark.parametrize("tau2", [0.0, 0.4, 30.0])
@pytest.mark.parametrize("x", [0.0, 1.3, -4.0])
def test_moments_of_q_given_the_mean(tau2, x):
    """From the joint normal distribution of y, with variances whose smallest is 1."""
    v = np.array([1.0, 1.5, 4.0, 30.0])
    w, s = 1 / v, np.diag(v + tau2)
    residual = np.eye(4) - np.outer(np.ones(4), w) / w.sum()
    r = w / np.sqrt(w.sum())  # R = r' y
    slope = residual @ s @ r / np.sqrt(r @ s @ r)  # of the residuals on x = R / sd(R)
    conditional = residual @ s @ residual.T - np.outer(slope, slope)
    diag = np.diag(w)
    mean = np.trace(diag @ conditional) + x**2 * slope @ diag @ slope
    variance = 2 * np.trace(diag @ conditional @ diag @ conditional)
    variance += 4 * x**2 * slope @ diag @ conditional @ diag @ slope

    pivot = pivot_of([0, 1, 2, 3], v, tau2)
    assert pivot.sd == pytest.approx(np.sqrt(r @ s @ r))
    assert pivot.mean + (x**2 - 1) * pivot.excess == pytest.approx(mean)
    found = pivot.variance + 4 * (x**2 - 1) * pivot.cross + (2 - 4 * x**2) * pivot.excess**2
    assert found == pytest.approx(variance)


@pytest.mark.parametrize("tau2", [0.0, 0.7, 50.0])
@pytest.mark.parametrize("u", [0.5, 1.96, 4.0])
def test_tail_of_equal_variances_is_an_integral_over_q(tau2, u):
    """Then Q is a scaled chi-squared, independent of R: P(U > u) = E[Phi(-u se(Q) / sd)]."""
    k, spread = 5, 1 + tau2

    def given_q(q):
        tau2_hat = max(0.0, (q - (k - 1)) / (k - 1))
        return (
            stats.norm.sf(u * np.sqrt((1 + tau2_hat) / spread)) * stats.chi2.pdf(q / spread, k - 1) / spread
        )

    pieces = [0, k - 1, 5 * spread, 50 * spread, 400 * spread]
    area = sum(integrate.quad(given_q, *ends, epsabs=1e-14)[0] for ends in pairwise(pieces))
    assert pivot_of(np.arange(k), np.ones(k), tau2).tail(u) == pytest.approx(area, rel=1e-9)


def test_two_studies_by_hand():
    """Weights 4 and 1: mu = 0.2; Q = 0.8 is below 1, so tau2 = 0 and se^2 = 1/5."""
    found = henmi_copas([0, 1], [0.25, 1])
    assert (found.mu, found.se, found.tau2, found.k) == pytest.approx((0.2, np.sqrt(0.2), 0, 2))


@given(rows, st.sampled_from([1e-8, -2.0, 1e8]), st.randoms(use_true_random=False))
def test_units_and_order_do_not_matter(rows, c, random):
    y, v = np.array(rows).T / 100
    shuffled = np.array(random.sample(rows, len(rows))).T / 100
    one, other = henmi_copas(y, v), henmi_copas(c * shuffled[0], c**2 * shuffled[1])
    ends = sorted([other.ci_low / c, other.ci_high / c])
    np.testing.assert_allclose(ends, [one.ci_low, one.ci_high], rtol=1e-6, atol=1e-8)


@given(rows)
def test_mu_is_that_of_a_common_effect_and_lies_in_its_interval(rows):
    y, v = np.array(rows).T / 100
    found = henmi_copas(y, v)
    assert found.mu == pytest.approx(pool(y, v, method="CE", test="z").mu, abs=1e-12)
    assert found.tau2 == pytest.approx(pool(y, v, method="DL").tau2, abs=1e-12)
    assert found.ci_low < found.mu < found.ci_high


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95, 0.9999])
def test_the_quantile_has_the_tail_of_the_level(level):
    y, v = [0.1, 0.2, 1.5], [0.02, 0.3, 0.04]
    found = henmi_copas(y, v, level=level)
    pivot = pivot_of(y, v, found.tau2 / 0.02)
    assert pivot.tail((found.ci_high - found.mu) / found.se) == pytest.approx((1 - level) / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("y", "v"),
    [([0.3, 0.3, 0.3], [0.1, 0.2, 0.3]), ([1.0, 1.5, 0.5], [1e-16, 1, 1]), ([0.0, 9.0], [1e-8, 2.0])],
    ids=["equal", "a huge study", "a huge study far from the other"],
)
def test_edges(y, v):
    found = henmi_copas(y, v)
    assert found.ci_low < found.mu < found.ci_high


@pytest.mark.parametrize(
    ("y", "v", "level", "message"),
    [
        ([1], [1], 0.95, "there is 1 study; the Henmi-Copas interval needs at least 2"),
        ([1, 2], [1, 0], 0.95, "study 1: v must be a finite positive variance"),
        ([1, 2], [1, 1], 1.0, "level must lie between 0 and 1"),
    ],
)
def test_refusals_say_what_and_where(y, v, level, message):
    with pytest.raises(InputError, match=message):
        henmi_copas(y, v, level=level)
