"""Likelihoods of one study's counts given its effect: values, slopes and bends, at any size."""

import mpmath
import numpy as np
import pytest
from scipy import special, stats

from kyphobayes.frequentist.conditional import Binomial, Pair, Poisson, find_bend, log_choose, stirling_error
from kyphobayes.frequentist.hypergeometric import Hypergeometric
from kyphobayes.frequentist.inference import factor, i2_h2, ratio, two_sided_p, two_sided_quantile
from kyphobayes.frequentist.links import LINKS

THETA = np.array([-3.0, -0.5, 0.0, 0.7, 2.0])
PROBABILITY = {
    "logit": lambda x: 1 / (1 + mpmath.exp(-x)),
    "probit": mpmath.ncdf,
    "cloglog": lambda x: -mpmath.expm1(-mpmath.exp(x)),
}
COMPLEMENT = {
    "logit": lambda x: 1 / (1 + mpmath.exp(x)),
    "probit": lambda x: mpmath.ncdf(-x),
    "cloglog": lambda x: mpmath.exp(-mpmath.exp(x)),
}


def floats(*values):
    return [np.array(value, dtype=float) for value in values]


@pytest.mark.parametrize("theta", [-40.0, -8.0, -1.0, -1e-9, 0.0, 0.4, 1.0, 3.0, 5.0])
@pytest.mark.parametrize("name", LINKS)
def test_links_and_their_derivatives(name, theta):
    for found, law in zip(LINKS[name](np.array([theta])), (PROBABILITY[name], COMPLEMENT[name]), strict=True):
        with mpmath.workdps(150):
            # the function is used within the same round
            expected = [float(mpmath.diff(lambda x: mpmath.log(law(x)), theta, n)) for n in range(3)]  # noqa: B023
        np.testing.assert_allclose([float(part[0]) for part in found], expected, rtol=1e-11, atol=1e-17)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", LINKS)
def test_links_far_out_are_numbers(name, sign):
    parts = np.array(LINKS[name](np.array([sign * 250.0])))
    assert np.isfinite(parts).all() and (parts[:, 0] <= 0).all() and (parts[:, 2] <= 0).all()


# --- counts ----------------------------------------------------------------------------------------------

EVENTS, N = floats([0, 3, 20, 1], [7, 20, 20, 2])
TIME = np.array([0.5, 20.0, 3.0, 1.0])
ARM = dict(link=LINKS["logit"])
STUDIES = {
    "binomial": Binomial(EVENTS, N, LINKS["logit"]),
    "binomial, probit": Binomial(EVENTS, N, LINKS["probit"]),
    "Poisson": Poisson(EVENTS, TIME),
    "pair": Pair(
        Binomial(EVENTS, N, **ARM),
        Binomial(*floats([2, 0, 20, 1], [9, 30, 25, 1]), **ARM),
        np.array([-1.0, -2, 1, 0]),
    ),
    "hypergeometric": Hypergeometric(EVENTS, N, *floats([2, 1, 20, 2], [9, 30, 25, 3])),
}


def values(name):
    shares = {"binomial": 1 / (1 + np.exp(-THETA)), "binomial, probit": stats.norm.cdf(THETA)}
    if name in shares:
        return stats.binom.logpmf(EVENTS[:, None], N[:, None], shares[name])
    if name == "Poisson":
        return stats.poisson.logpmf(EVENTS[:, None], TIME[:, None] * np.exp(THETA))
    if name == "pair":
        pair, out = STUDIES[name], 0.0
        for arm, side in ((pair.arm_1, 0.5), (pair.arm_2, -0.5)):
            p = 1 / (1 + np.exp(-pair.baseline[:, None] - side * THETA))
            out = out + stats.binom.logpmf(arm.events[:, None], arm.n[:, None], p)
        return out
    h = STUDIES[name]
    total = h.events_1 + h.events_2
    return stats.nchypergeom_fisher.logpmf(
        *(x[:, None] for x in (h.events_1, h.n_1 + h.n_2, h.n_1, total)), np.exp(THETA)
    )


@pytest.mark.parametrize("name", STUDIES)
def test_log_likelihoods_are_those_of_scipy(name):
    value, _, _ = STUDIES[name].derivatives(np.broadcast_to(THETA, (4, 5)))
    np.testing.assert_allclose(value, values(name), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", STUDIES)
def test_slopes_and_bends_are_those_of_the_values(name):
    theta, h = np.broadcast_to(THETA, (4, 5)), 1e-4
    here, low, high = (STUDIES[name].derivatives(theta + shift) for shift in (0.0, -h, h))
    np.testing.assert_allclose(here[1], (high[0] - low[0]) / (2 * h), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(here[2], (high[1] - low[1]) / (2 * h), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", STUDIES)
def test_the_highest_value_is_reached_at_the_bend_or_far_out(name):
    studies = STUDIES[name]
    grid = np.broadcast_to(np.linspace(-60, 60, 24001), (4, 24001))
    supremum = studies.derivatives(grid)[0].max(axis=1)
    never, always = studies.certain
    one_sided = never ^ always
    if name != "pair":  # given the baselines the shares of both arms are not free
        np.testing.assert_allclose(studies.highest, supremum, atol=1e-4)
    else:
        saturated = [
            stats.binom.logpmf(arm.events, arm.n, arm.events / arm.n)
            for arm in (studies.arm_1, studies.arm_2)
        ]
        np.testing.assert_allclose(studies.highest, sum(saturated), rtol=1e-12, atol=1e-14)
    at, slope, _ = (part[:, 0] for part in studies.derivatives(studies.bend[:, None]))
    assert np.abs(slope[~one_sided]).max() < 1e-2
    if name != "Poisson":  # whose bend is where one event is expected
        np.testing.assert_allclose(at[one_sided], supremum[one_sided] - 1, atol=1e-3)


def test_who_is_certain():
    assert [side.tolist() for side in STUDIES["binomial"].certain] == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert [side.tolist() for side in STUDIES["Poisson"].certain] == [[1, 0, 0, 0], [0, 0, 0, 0]]
    arms = [
        Binomial(*floats(*counts), **ARM) for counts in (([0, 5, 0, 2], [5] * 4), ([4, 0, 0, 4], [4] * 4))
    ]
    pair = Pair(*arms, np.zeros(4))
    assert [side.tolist() for side in pair.certain] == [[1, 0, 0, 0], [0, 1, 0, 0]]
    two = Hypergeometric(*floats([2, 5, 3], [5, 5, 5], [4, 2, 2], [4, 4, 9]))
    assert [side.tolist() for side in two.certain] == [[1, 0, 0], [0, 1, 0]]


def test_the_slope_in_the_baseline():
    pair, theta, h = STUDIES["pair"], np.broadcast_to(THETA, (4, 5)), 1e-4
    low, high = (Pair(pair.arm_1, pair.arm_2, pair.baseline + shift) for shift in (-h, h))
    first, second, mixed = pair.baseline_derivatives(theta)
    below, above = low.derivatives(theta), high.derivatives(theta)
    np.testing.assert_allclose(first, (above[0] - below[0]) / (2 * h), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(mixed, (above[1] - below[1]) / (2 * h), rtol=1e-6, atol=1e-7)
    slopes = [side.baseline_derivatives(theta)[0] for side in (low, high)]
    np.testing.assert_allclose(second, (slopes[1] - slopes[0]) / (2 * h), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "counts", [(40, 1e6, 60, 2e6), (5e5, 1e6, 9e5, 2e6), (3, 1e9, 1, 1e9), (90, 100, 80, 100)]
)
def test_large_tables_lose_no_digits(counts):
    x1, n1, x2, n2 = counts
    table = Hypergeometric(*(np.array([x], dtype=float) for x in counts))
    theta = float(table.bend[0]) + 0.1
    value, slope, bend = (float(part[0, 0]) for part in table.derivatives(np.array([[theta]])))
    low, high = max(0, x1 + x2 - n2), min(n1, x1 + x2)
    x = np.arange(max(low, x1 - 20_000), min(high, x1 + 20_000) + 1)
    terms = log_choose(np.full(x.shape, n1), x) + log_choose(np.full(x.shape, n2), x1 + x2 - x) + x * theta
    log_share = terms - special.logsumexp(terms)
    share = np.exp(log_share)
    assert value == pytest.approx(log_share[x == x1][0], abs=1e-6)
    mean = share @ x
    assert slope == pytest.approx(x1 - mean, abs=1e-7 * max(1, mean))
    assert bend == pytest.approx(-(share @ (x - mean) ** 2), rel=1e-8)


def test_a_small_table_beside_a_large_one_changes_neither():
    columns = floats([5e4, 2], [1e5, 5], [7e4, 1], [2e5, 6])
    both, theta = Hypergeometric(*columns), np.array([[1.3], [1.3]])
    for study in range(2):
        alone = Hypergeometric(*(column[study : study + 1] for column in columns)).derivatives(theta[:1])
        for together, one in zip(both.derivatives(theta), alone, strict=True):
            assert together[study, 0] == pytest.approx(one[0, 0], rel=1e-10)


def test_beyond_all_tables_the_likelihood_is_a_straight_line():
    table = Hypergeometric(*floats([3], [7], [2], [9]))
    at, further = (float(table.derivatives(np.array([[x]]))[0][0, 0]) for x in (100.0, 130.0))
    assert further - at == pytest.approx((3 - 5) * 30, rel=1e-9)  # arm 1 would have all 5 events
    at, further = (float(table.derivatives(np.array([[x]]))[0][0, 0]) for x in (-100.0, -130.0))
    assert further - at == pytest.approx(-3 * 30, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "x"), [(0, 0), (1, 1), (15, 4), (16, 8), (17, 0), (1e4, 17), (1e9, 5e8), (1e12, 3)]
)
def test_binomial_coefficients(n, x):
    with mpmath.workdps(50):
        expected = float(mpmath.log(mpmath.binomial(int(n), int(x))))
    found = float(log_choose(np.array([max(n, 1.0)]), np.array([float(x)]))[0])
    assert found == pytest.approx(expected if n else 0.0, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("n", [1.0, 2.0, 15.0, 15.999, 16.0, 40.0, 1e6, 1e15])
def test_what_stirling_lacks(n):
    with mpmath.workdps(60):
        exact = (
            mpmath.loggamma(n + 1)
            - (n + mpmath.mpf(1) / 2) * mpmath.log(n)
            + n
            - mpmath.log(2 * mpmath.pi) / 2
        )
    assert float(stirling_error(np.array([n]))[0]) == pytest.approx(float(exact), rel=1e-12, abs=1e-14)


def test_a_bend_is_found_by_halving():
    found = find_bend(STUDIES["binomial"], 4)
    assert found[1] == pytest.approx(np.log(3 / 17), abs=2e-4)
    assert found[3] == pytest.approx(0, abs=2e-4)
    assert found[0] == pytest.approx(np.log(np.expm1(1 / 7)), abs=2e-4)  # 7 log(1 - p) = -1
    assert found[2] == pytest.approx(-np.log(np.expm1(1 / 20)), abs=2e-4)


# --- from estimates to tests -----------------------------------------------------------------------------


def test_a_ratio_with_a_unit_of_zero_is_its_limit():
    assert ratio([1, -1, 0, 3], [0, 0, 0, 2]).tolist() == [np.inf, -np.inf, 0, 1.5]


def test_quantiles_and_tails_by_t_and_by_the_normal():
    df = np.array([[3.0, np.inf], [np.inf, 10.0]])
    expected = [[stats.t.ppf(0.95, 3), stats.norm.ppf(0.95)], [stats.norm.ppf(0.95), stats.t.ppf(0.95, 10)]]
    np.testing.assert_allclose(two_sided_quantile(df, 0.9), expected, rtol=1e-12)
    tails = [[2 * stats.t.sf(2, 3), 2 * stats.norm.sf(2)], [2 * stats.norm.sf(2), 2 * stats.t.sf(2, 10)]]
    np.testing.assert_allclose(two_sided_p(df, [[2, -2], [2, 2]]), tails, rtol=1e-12)


def test_factors_of_the_tests_and_shares_of_heterogeneity():
    squares = [0.5, 1.0, 2.0]
    assert factor("z", squares).tolist() == factor("t", squares).tolist() == [1, 1, 1]
    assert factor("hksj", squares).tolist() == squares and factor("mhksj", squares).tolist() == [1, 1, 2]
    i2, h2 = i2_h2([0.5, 1, 4], [9, 9, 9], common_effect=True)
    assert (i2.tolist(), h2.tolist()) == ([0, 0, 75], [0.5, 1, 4])
    i2, h2 = i2_h2([9, 9], [0, 3], common_effect=False)
    assert (i2.tolist(), h2.tolist()) == ([0, 75], [1, 4])
