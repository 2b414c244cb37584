"""Random-effects models of counts: the integrals, their derivatives, limits, latent tables, refusals."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist import glmm_or, glmm_proportion, glmm_rate
from kyphobayes.frequentist.conditional import Binomial, Pair, Poisson, log_choose
from kyphobayes.frequentist.hypergeometric import Hypergeometric
from kyphobayes.frequentist.links import LINKS, logit
from kyphobayes.frequentist.mixed import Mixture, Profile, terms

EVENTS, N = np.array([0.0, 3.0, 10.0, 7.0]), np.array([10.0, 20.0, 10.0, 1000.0])
EVENTS_2, N_2 = np.array([2.0, 0.0, 4.0, 30.0]), np.array([9.0, 15.0, 10.0, 900.0])
STUDIES = {
    **{link: Binomial(EVENTS, N, LINKS[link]) for link in LINKS},
    "rate": Poisson(EVENTS, np.array([10.0, 2.5, 400.0, 7.0])),
    "hypergeometric": Hypergeometric(
        EVENTS, N, np.array([2.0, 0.0, 4.0, 30.0]), np.array([9.0, 15, 10, 900])
    ),
    "pair": Pair(
        Binomial(EVENTS, N, logit),
        Binomial(EVENTS_2, N_2, logit),
        np.array([-1.0, -2.0, 0.5, -3.0]),
    ),
}
POINTS = [(-1.5, 0.4), (0.3, 2.0), (-3.0, 8.0)]


def quad(studies, i, mu, tau):
    """The integral of study i by adaptive quadrature over theta, on pieces around its peaks."""

    def integrand(theta):
        value = studies.derivatives(np.full((len(studies.highest), 1), theta))[0][i, 0]
        return np.exp(value) * stats.norm.pdf(theta, mu, tau)

    edges = np.unique(np.concatenate([mu + tau * np.linspace(-9, 9, 25), np.linspace(-9, 9, 25)]))
    inside = edges[np.abs(edges - mu) <= 9 * tau]
    return sum(integrate.quad(integrand, a, b, epsabs=0, epsrel=1e-11)[0] for a, b in pairwise(inside))


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize(("mu", "tau"), POINTS)
def test_integrals(name, mu, tau):
    found = terms(STUDIES[name], mu, tau).value
    for i in range(len(EVENTS)):
        assert np.exp(found[i]) == pytest.approx(quad(STUDIES[name], i, mu, tau), rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize(("mu", "tau"), [*POINTS[:2], (-1.0, 1e-3)])
def test_derivatives(name, mu, tau):
    step = 1e-4 * tau
    here = terms(STUDIES[name], mu, tau)
    sides = [
        (terms(STUDIES[name], mu + step, tau), terms(STUDIES[name], mu - step, tau)),
        (terms(STUDIES[name], mu, tau + step), terms(STUDIES[name], mu, tau - step)),
    ]
    for axis, (up, down) in enumerate(sides):
        slope = (up.value - down.value) / (2 * step)
        bend = (up.gradient - down.gradient) / (2 * step)
        scale = 1 + np.abs(here.hessian).max()
        np.testing.assert_allclose(here.gradient[:, axis], slope, atol=1e-6 * scale)
        np.testing.assert_allclose(here.hessian[:, axis], bend, atol=1e-5 * scale)


def test_derivatives_with_baselines_at_their_maximum():
    step = 1e-5
    evaluate = Profile(STUDIES["pair"])
    here = evaluate(-0.4, 0.7)
    for axis, (a, b) in enumerate([(step, 0.0), (0.0, step)]):
        up, down = evaluate(-0.4 + a, 0.7 + b), evaluate(-0.4 - a, 0.7 - b)
        assert here.gradient[axis] == pytest.approx((up.value - down.value) / (2 * step), abs=1e-6)
        np.testing.assert_allclose(here.hessian[axis], (up.gradient - down.gradient) / (2 * step), atol=1e-5)


def test_without_heterogeneity_it_is_the_common_proportion():
    found = glmm_proportion([5, 10, 20], [50, 100, 200])
    assert found.tau2 == 0
    assert np.isnan(found.se_tau2)
    assert special.expit(found.mu) == pytest.approx(35 / 350, rel=1e-12)
    assert found.se == pytest.approx(np.sqrt(1 / 35 + 1 / 315), rel=1e-12)
    assert found.q == pytest.approx(0, abs=1e-12)


def test_without_heterogeneity_it_is_the_common_rate():
    found = glmm_rate([5, 10, 20], [50, 100, 200])
    assert (found.tau2, found.mu) == (0, pytest.approx(np.log(0.1), rel=1e-12))
    assert found.se == pytest.approx(1 / np.sqrt(35), rel=1e-12)


@pytest.mark.parametrize("fit", [glmm_proportion, glmm_rate])
def test_one_study_is_its_own_estimate(fit):
    found = fit([3], [20])
    assert (found.tau2, found.k, found.q_p) == (0, 1, 1)
    with pytest.raises(InputError, match="1 study; test 't'"):
        fit([3], [20], test="t")


def test_huge_studies_give_the_normal_model():
    """With a million trials each, the likelihood of a log odds is normal: ML of the two-stage model."""
    from kyphobayes.frequentist import pool

    x, n = np.array([2e5, 2.4e5, 1.7e5, 2.2e5, 2.0e5]), np.full(5, 1e6)
    y, v = np.log(x / (n - x)), 1 / x + 1 / (n - x)
    two_stage, found = pool(y, v, method="ML", test="z"), glmm_proportion(x, n)
    assert found.mu == pytest.approx(two_stage.mu, abs=1e-4 * two_stage.se)
    assert found.tau2 == pytest.approx(two_stage.tau2, rel=1e-4)


def test_t_intervals_are_wider():
    z, t = (glmm_proportion([1, 5, 9, 2], [20, 20, 20, 20], test=test) for test in "zt")
    ratio = stats.t.ppf(0.975, 3) / stats.norm.ppf(0.975)
    assert (t.ci_high - t.mu) / (z.ci_high - z.mu) == pytest.approx(ratio)
    assert (t.pi_high - t.mu) / (z.pi_high - z.mu) == pytest.approx(ratio)


def test_a_study_of_both_arms_without_events_says_nothing():
    with_, without = (
        [glmm_or([1, 4, 9, 0][:k], [20, 20, 30, 50][:k], [2, 9, 12, 0][:k], [20, 20, 30, 50][:k], model=m)
         for m in ("CM.EL", "UM.FS")]
        for k in (4, 3)
    )  # fmt: skip
    for one, other in zip(with_, without, strict=True):
        assert (one.mu, one.tau2, one.k) == (other.mu, other.tau2, 3)


def test_swapping_arms_changes_the_sign():
    x1, n1, x2, n2 = [1, 4, 9, 0], [20, 25, 30, 50], [2, 12, 5, 6], [21, 20, 33, 50]
    for model in ("CM.EL", "UM.FS"):
        one, other = glmm_or(x1, n1, x2, n2, model=model), glmm_or(x2, n2, x1, n1, model=model)
        assert one.mu == pytest.approx(-other.mu, rel=1e-9)
        assert one.tau2 == pytest.approx(other.tau2, rel=1e-8)


class TestLatentCounts:
    TABLES = ((0, 5, 9), (1, 4, 9), (2, 3, 9))
    N = (40, 40, 40)

    def test_one_table_twice_is_that_table(self):
        once, twice = glmm_proportion([1, 4, 9], self.N), glmm_proportion([[1, 4, 9]] * 2, self.N)
        for field in ("mu", "se", "tau2", "se_tau2", "log_likelihood"):
            assert getattr(twice, field) == pytest.approx(getattr(once, field), rel=1e-10)
        assert np.isnan(twice.q)
        assert np.isnan(twice.q_p)

    def test_no_point_of_a_grid_is_higher(self):
        found = glmm_proportion(self.TABLES, self.N, weights=[1, 2, 1])
        single = [Mixture(Binomial(np.array(t, float), np.array(self.N, float), logit)) for t in self.TABLES]
        weights = np.array([0.25, 0.5, 0.25])

        def height(mu, tau):
            return special.logsumexp([one(mu, tau).value for one in single], b=weights)

        grid = [(mu, tau) for mu in np.linspace(-5, 0, 21) for tau in np.linspace(0, 4, 17)]
        assert found.log_likelihood == pytest.approx(height(found.mu, np.sqrt(found.tau2)), rel=1e-12)
        assert found.log_likelihood > max(height(mu, tau) for mu, tau in grid)

    def test_a_heavy_weight_is_its_table(self):
        found = glmm_proportion(self.TABLES, self.N, weights=[1e-30, 1, 1e-30])
        assert found.mu == pytest.approx(glmm_proportion(self.TABLES[1], self.N).mu, rel=1e-10)


class TestHugeStudies:
    @pytest.mark.parametrize("theta", [-60.0, -3.0, 0.0, 0.5, 12.0, 150.0])
    @pytest.mark.parametrize(
        ("x1", "n1", "x2", "n2"), [(4000, 9000, 300, 7000), (7, 90, 2, 30), (0, 5, 3, 4)]
    )
    def test_all_terms_of_the_hypergeometric_sum_give_the_same(self, x1, n1, x2, n2, theta):
        x = np.arange(max(0, x1 + x2 - n2), min(n1, x1 + x2) + 1.0)
        terms = log_choose(np.full_like(x, n1), x) + log_choose(np.full_like(x, n2), x1 + x2 - x) + x * theta
        share = np.exp(terms - special.logsumexp(terms))
        mean = share @ x
        studies = Hypergeometric(*(np.array([float(count)]) for count in (x1, n1, x2, n2)))
        value, first, second = (float(one[0, 0]) for one in studies.derivatives(np.array([[theta]])))
        assert value == pytest.approx(terms[x == x1][0] - special.logsumexp(terms), rel=1e-12, abs=1e-9)
        assert first == pytest.approx(x1 - mean, rel=1e-10, abs=1e-9)
        assert second == pytest.approx(-(share @ (x - mean) ** 2), rel=1e-9, abs=1e-9)

    @pytest.mark.parametrize("n", [1, 20, 1000, 10**6])
    def test_binomial_coefficients_do_not_cancel(self, n):
        x = np.unique([0, 1, n // 3, n // 2, n])
        expected = [float(mpmath.log(mpmath.binomial(n, int(count)))) for count in x]
        np.testing.assert_allclose(
            log_choose(np.full(len(x), float(n)), x.astype(float)), expected, atol=1e-12, rtol=1e-15
        )

    @pytest.mark.parametrize("link", LINKS)
    def test_a_wall_far_from_the_mode(self, link):
        """No events among a million, or events only: f is 1, then 0; the integral is a normal tail."""
        studies = Binomial(np.array([0.0, 1e6]), np.full(2, 1e6), LINKS[link])
        for mu, tau in [(-15.0, 10.0), (15.0, 10.0), (8.0, 5.0)]:
            wall = (studies.bend - mu) / tau
            found = terms(studies, mu, tau).value
            nearer, farther = (
                special.log_ndtr(np.array([1.0, -1.0]) * wall + side * 3 / tau) for side in (-1.0, 1.0)
            )
            assert (nearer < found).all()
            assert (found < farther).all()
            i = int(np.argmax(found))
            assert np.exp(found[i]) == pytest.approx(quad(studies, i, mu, tau), rel=1e-8)

    @pytest.mark.parametrize("tau", [0.5, 2.0, 8.0])
    def test_curvature_is_that_of_the_normal_model(self, tau):
        """A million trials fix theta: what is left is the normal density, of which everything is known."""
        studies = Binomial(np.array([4e5]), np.array([1e6]), logit)
        y, v = special.logit(0.4), 1 / 2.4e5
        found, variance = terms(studies, -1.0, tau), tau**2 + v
        assert found.gradient[0, 0] == pytest.approx((y + 1) / variance, rel=1e-5)
        assert found.hessian[0, 0, 0] == pytest.approx(-1 / variance, rel=1e-5)

    @pytest.mark.parametrize(
        ("x", "n"),
        [([0, 0, 3, 10**6 // 2], [20, 10**6, 10**6, 10**6]), ([1, 0, 0, 0, 0], [10**6, 9, 9, 9, 9])],
    )
    @pytest.mark.parametrize("fit", [glmm_proportion, glmm_rate])
    def test_no_warning_and_a_stationary_point(self, fit, x, n):
        found = fit(x, n)
        x, n = np.array(x, float), np.array(n, float)
        studies = Poisson(x, n) if fit is glmm_rate else Binomial(x, n, logit)
        here = Mixture(studies)(found.mu, np.sqrt(found.tau2))
        assert abs(here.gradient[0]) * found.se < 1e-7
        if found.tau2 > 0:
            assert abs(here.gradient[1]) * found.se_tau2 / (2 * np.sqrt(found.tau2)) < 1e-7


class TestLimitAtInfinity:
    def test_it_is_what_the_likelihood_comes_near(self):
        studies = Mixture(Binomial(np.array([0.0, 0.0, 0.0, 5.0]), np.full(4, 5.0), logit))
        assert studies.beyond == pytest.approx(3 * np.log(0.75) + np.log(0.25))
        assert studies(1e6 * stats.norm.ppf(0.25), 1e6).value == pytest.approx(studies.beyond, abs=1e-4)

    def test_one_study_with_both_makes_it_nothing(self):
        assert Mixture(Binomial(np.array([0.0, 5.0, 1.0]), np.full(3, 5.0), logit)).beyond == -np.inf
        assert Mixture(Poisson(np.array([0.0, 5.0]), np.full(2, 5.0))).beyond == -np.inf

    def test_a_table_without_events_may_be_the_likeliest(self):
        tables = [[0, 0, 0], [0, 1, 6]]
        with pytest.raises(InputError, match="no maximum: it rises"):
            glmm_proportion(tables, [40, 40, 40], weights=[0.5, 0.5])
        assert glmm_proportion(tables, [40, 40, 40], weights=[1e-9, 1]).tau2 > 0

    def test_the_higher_of_two_maxima_in_mu(self):
        """Two tables far from each other: the heavier one decides."""
        n, near, far = [60, 60, 60], [30, 30, 30], [0, 2, 9]
        found = glmm_proportion([near, far], n, weights=[0.999, 0.001])
        assert found.mu == pytest.approx(0, abs=0.01)
        assert glmm_proportion([near, far], n, weights=[1e-9, 1]).mu < -2


counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(max_examples=25, deadline=None)
@given(st.lists(counts, min_size=1, max_size=6), st.randoms())
def test_order_does_not_matter_and_a_complement_changes_the_sign(studies, random):
    x, n = (np.array(column) for column in zip(*studies, strict=True))
    try:
        one = glmm_proportion(x, n)
    except InputError:
        with pytest.raises(InputError):
            glmm_proportion(n - x, n)
        return
    order = random.sample(range(len(x)), len(x))
    shuffled, complement = glmm_proportion(x[order], n[order]), glmm_proportion(n - x, n)
    for other, sign in ((shuffled, 1), (complement, -1)):
        assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-9)
        assert other.mu == pytest.approx(sign * one.mu, abs=1e-4 * one.se)
    assert one.log_likelihood >= one.log_likelihood_common
    assert one.tau2 >= 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: glmm_proportion([0, 0], [10, 10]), "no study has an event: the likelihood has no maximum"),
        (lambda: glmm_proportion([10, 7], [10, 7]), "every trial is an event"),
        (lambda: glmm_proportion([0, 50, 0, 50], [50, 50, 50, 50]), "no maximum: it rises while mu or tau"),
        (lambda: glmm_proportion([1, 11], [10, 10]), "study 1: expected 0 <= events <= n, found events = 11"),
        (lambda: glmm_proportion([1, 2.5], [10, 10]), "study 1: events must be a whole number, found 2.5"),
        (lambda: glmm_proportion([1, np.nan], [10, 10]), "study 1: events must be a finite number"),
        (lambda: glmm_proportion([1, 2], [10, 10, 10]), "one number per study"),
        (lambda: glmm_proportion([1, 2], [10, 10], link="log"), "link must be one of logit, probit"),
        (lambda: glmm_proportion([1, 2], [10, 10], test="hksj"), "test must be z or t"),
        (lambda: glmm_proportion([1, 2], [10, 10], level=95), "level must lie between 0 and 1"),
        (lambda: glmm_proportion([[1, 2]] * 2, [9, 9], weights=[1, 0]), "expected 2 positive numbers"),
        (lambda: glmm_rate([1, 2], [10, 0]), "study 1: expected events >= 0 and time > 0"),
        (lambda: glmm_rate([0, 0], [10, 1]), "no study has an event"),
        (lambda: glmm_or([1, 2], [9, 9], [1], [9]), "found 2 in arm 1 and 1 in arm 2"),
        (lambda: glmm_or([0, 0], [9, 9], [0, 0], [9, 9]), "tells no odds ratio"),
        (lambda: glmm_or([0, 0], [9, 9], [1, 3], [9, 9]), "the fewest possible in every study"),
        (lambda: glmm_or([1], [9], [2], [9], model="UM.RS"), "model must be one of CM.EL, UM.FS"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message):
        call()
