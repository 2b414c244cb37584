"""Outlying studies: against sums over the effects themselves, and averages over share and ratio."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.exact.likelihoods import BinomialStudies, NormalStudies
from kyphobayes.exact.outliers import OutlyingEffects, OutlyingPosterior, outlying
from kyphobayes.exact.student import StudentPosterior

Y, SE = np.array([-0.5, 0.2, -1.2, 0.3, 4.0]), np.array([0.3, 0.4, 0.5, 0.2, 0.3])
EVENTS, N = [1, 5, 12], [32, 35, 264]
PRIORS = "Normal(mu=0, sigma=2)", "Uniform(lower=0.2, upper=1.2)"
SHARE, RATIO = 0.15, 4.0


def log_likelihoods(kind, theta):
    if kind == "normal":
        return np.stack([stats.norm.logpdf(y, theta, s) for y, s in zip(Y, SE, strict=True)])
    rows = zip(EVENTS, N, strict=True)
    return np.stack([a * theta - n * np.logaddexp(0, theta) + np.log(special.comb(n, a)) for a, n in rows])


def log_kernel(z):
    usual, wide = stats.norm.logpdf(z), stats.norm.logpdf(z, scale=RATIO)
    return np.logaddexp(np.log1p(-SHARE) + usual, np.log(SHARE) + wide)


@pytest.mark.parametrize("kind", ["normal", "binomial"])
def test_integrated_likelihood(kind):
    base = NormalStudies(Y, SE) if kind == "normal" else BinomialStudies(EVENTS, N)
    mu, tau = np.array([-4.0, 0.7, 9.0]), np.array([1e-3, 0.05, 0.5, 3.0])
    found = OutlyingEffects(base, SHARE, RATIO).log_integrated(mu, tau)
    x = np.linspace(-8, 8, 60_001)  # theta = mu + tau sinh x
    for j, m in enumerate(mu):
        for column, t in enumerate(tau):
            f = log_likelihoods(kind, m + t * np.sinh(x)) + log_kernel(np.sinh(x)) + np.log(np.cosh(x))
            expected = special.logsumexp(f, axis=1) + np.log(x[1] - x[0])
            np.testing.assert_allclose(found[:, j, column], expected, rtol=1e-9, atol=1e-9)


class Reference:
    """Posterior on a grid of mu, theta (equal steps) and tau (Gauss-Legendre)."""

    def __init__(self, kind):
        x, w = np.polynomial.legendre.leggauss(24)
        self.tau, tau_weights = 0.7 + 0.5 * x, 0.5 * w
        self.mu = np.linspace(-10, 10, 401)
        theta = np.linspace(-24, 24, 1921)
        likelihood = np.exp(log_likelihoods(kind, theta)).T * (theta[1] - theta[0])
        prior = stats.norm.pdf(self.mu, 0, 2)[:, None] * tau_weights * (self.mu[1] - self.mu[0])
        shape = (len(self.mu), len(self.tau), likelihood.shape[1])
        integrated, wide = np.empty(shape), np.empty(shape)
        kernels = [np.exp(log_kernel((theta - self.mu[:, None]) / t)) / t for t in self.tau]
        for column, (own, t) in enumerate(zip(kernels, self.tau, strict=True)):
            far = SHARE * stats.norm.pdf(theta, self.mu[:, None], RATIO * t)
            integrated[:, column], wide[:, column] = own @ likelihood, far @ likelihood
        joint = prior * integrated.prod(axis=2)
        self.log_marginal_likelihood = np.log(joint.sum())
        self.joint = joint / joint.sum()
        self.outlying = np.einsum("ij,ijk->k", self.joint, wide / integrated)
        effect = likelihood * sum(
            own.T @ (self.joint[:, column, None] / integrated[:, column])
            for column, own in enumerate(kernels)
        )
        self.effects = theta @ effect
        self.effect_sds = np.sqrt(theta**2 @ effect - self.effects**2)

    def new(self, x):
        z = (np.asarray(x)[:, None, None] - self.mu[:, None]) / self.tau
        cdf = (1 - SHARE) * stats.norm.cdf(z) + SHARE * stats.norm.cdf(z / RATIO)
        return np.einsum("qij,ij->q", cdf, self.joint)


@pytest.fixture(scope="module", params=["normal", "binomial"])
def solved(request):
    plain = exact.normal(Y, SE) if request.param == "normal" else exact.binomial(EVENTS, N)
    return exact.outlying_effects(plain, SHARE, RATIO).posterior(*PRIORS), Reference(request.param)


def test_posterior_of_mu_and_tau(solved):
    post, reference = solved
    assert post.log_marginal_likelihood == pytest.approx(reference.log_marginal_likelihood, abs=1e-7)
    share = reference.joint.sum(axis=1)
    mean = share @ reference.mu
    assert post.mu.mean == pytest.approx(mean, abs=1e-6)
    assert post.mu.sd == pytest.approx(np.sqrt(share @ (reference.mu - mean) ** 2), rel=1e-6)
    assert post.tau.mean == pytest.approx(reference.joint.sum(axis=0) @ reference.tau, abs=1e-6)


def test_new_study_and_studies_at_hand(solved):
    post, reference = solved
    q = np.array([0.005, 0.3, 0.5, 0.99])
    np.testing.assert_allclose(reference.new(post.quantile("theta_new", q)), q, atol=1e-7)
    shrunk = post.shrinkage()
    np.testing.assert_allclose(shrunk["mean"], reference.effects, atol=1e-6)
    np.testing.assert_allclose(shrunk["sd"], reference.effect_sds, rtol=1e-6)


def test_probability_of_being_outlying(solved):
    post, reference = solved
    np.testing.assert_allclose(outlying(post), reference.outlying, atol=1e-7)


def test_the_study_far_away_is_the_outlying_one():
    surface = exact.normal(Y, SE, labels="abcde")
    found = outlying(
        exact.outlying_effects(surface, 0.1, 5).posterior("Normal(mu=0, sigma=2)", "HalfNormal(sigma=0.5)")
    )
    assert found.idxmax() == "e" and found["e"] > 0.9 and (found.drop("e") < 0.1).all()


def test_draws_have_its_moments(solved):
    post, _ = solved
    size = 2000
    drawn = post.draw(size, np.random.default_rng(0))
    shrunk = post.shrinkage()
    z = (drawn["theta"].mean(axis=0) - shrunk["mean"]) / (shrunk["sd"] / size**0.5)
    assert np.abs(z).max() < 4
    np.testing.assert_allclose(drawn["theta"].std(axis=0), shrunk["sd"], rtol=0.15)
    for q in (0.01, 0.5, 0.99):
        below = (drawn["theta_new"] < post.quantile("theta_new", q)).mean()
        assert below == pytest.approx(q, abs=4.5 * np.sqrt(q * (1 - q) / size))


def test_latent_counts_are_a_mean_over_tables():
    tables, n, weights = np.array([[0, 3, 9], [1, 2, 9], [3, 0, 9]]), [15, 60, 20], np.array([1.0, 1.0, 2.0])
    made = exact.outlying_effects(exact.mixture(tables, n, weights), SHARE, RATIO).posterior(*PRIORS)
    each = [exact.outlying_effects(exact.binomial(row, n), SHARE, RATIO).posterior(*PRIORS) for row in tables]
    logs = np.array([post.log_marginal_likelihood for post in each]) + np.log(weights / weights.sum())
    assert made.log_marginal_likelihood == pytest.approx(special.logsumexp(logs), abs=1e-9)
    expected = special.softmax(logs) @ np.stack([outlying(post) for post in each])
    np.testing.assert_allclose(outlying(made), expected, atol=1e-7)


def test_a_share_and_a_ratio_near_their_limits_are_normal():
    surface = exact.binomial(EVENTS, N)
    plain = surface.posterior(*PRIORS).log_marginal_likelihood
    for share, ratio in ((1e-7, 3.0), (0.3, 1 + 1e-7)):
        near = exact.outlying_effects(surface, share, ratio).posterior(*PRIORS)
        assert near.log_marginal_likelihood == pytest.approx(plain, abs=1e-5)
        assert near.quantile("theta_new", 0.9) == pytest.approx(
            surface.posterior(*PRIORS).quantile("theta_new", 0.9), abs=1e-5
        )


GRID = [(0.0, 1.0), (0.1, 2.0), (0.2, 5.0)]


def test_share_and_ratio_on_a_grid():
    surface = exact.normal(Y, SE, labels="abcde")
    mixed = OutlyingPosterior(surface, GRID, *PRIORS, weights=[2, 1, 1])
    each = [surface, *(exact.outlying_effects(surface, *point) for point in GRID[1:])]
    posts = [s.posterior(*PRIORS) for s in each]
    shares = np.array([0.5, 0.25, 0.25]) * np.exp([p.log_marginal_likelihood for p in posts])
    assert mixed.log_marginal_likelihood == pytest.approx(np.log(shares.sum()))
    np.testing.assert_allclose(mixed.probabilities, shares / shares.sum())
    x = mixed.quantile("theta_new", [0.1, 0.6])
    at = mixed.probabilities @ [post.cdf("theta_new", x) for post in posts]
    np.testing.assert_allclose(at, [0.1, 0.6], atol=1e-7)
    np.testing.assert_allclose(
        outlying(mixed), mixed.probabilities[1:] @ np.stack([outlying(post) for post in posts[1:]])
    )


def test_leaving_out_a_study_of_an_average_is_a_ratio_of_marginal_likelihoods():
    surface = exact.normal(Y, SE, labels="abcde")
    mixed = OutlyingPosterior(surface, GRID, *PRIORS)
    fresh = OutlyingPosterior(exact.normal(Y[1:], SE[1:], labels="bcde"), GRID, *PRIORS)
    expected = mixed.log_marginal_likelihood - fresh.log_marginal_likelihood
    table = mixed.loo()
    assert table.loc["a", "elpd"] == pytest.approx(expected, abs=1e-8)
    assert mixed.without("a").quantile("tau", 0.5) == pytest.approx(fresh.quantile("tau", 0.5), abs=1e-8)
    assert table.loc["total", "elpd"] == pytest.approx(table["elpd"][:-1].sum())


@pytest.mark.parametrize("averaged", [OutlyingPosterior, StudentPosterior])
def test_other_priors_use_the_same_surfaces(averaged):
    surface = exact.normal(Y, SE)
    grid = GRID if averaged is OutlyingPosterior else [3, np.inf]
    moved = averaged(surface, grid, *PRIORS).under("Normal(mu=-2, sigma=1)", "HalfNormal(sigma=1)")
    fresh = averaged(surface, grid, "Normal(mu=-2, sigma=1)", "HalfNormal(sigma=1)")
    assert moved.log_marginal_likelihood == pytest.approx(fresh.log_marginal_likelihood, abs=1e-8)
    np.testing.assert_allclose(moved.probabilities, fresh.probabilities, atol=1e-8)


def test_a_surface_that_knows_its_studies_passes_them_on():
    surface = exact.outlying_effects(exact.binomial(EVENTS, N, labels="abc"), SHARE, RATIO)
    cold = surface.without("b").posterior(*PRIORS)
    surface.posterior(*PRIORS)
    warm = surface.without("b").posterior(*PRIORS)
    assert warm.log_marginal_likelihood == pytest.approx(cold.log_marginal_likelihood, abs=1e-9)
    np.testing.assert_allclose(
        warm.quantile("tau", [0.025, 0.975]), cold.quantile("tau", [0.025, 0.975]), atol=1e-7
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s: exact.outlying_effects(s, 0, 3), "share: expected a number above 0 and up to 0.5"),
        (lambda s: exact.outlying_effects(s, 0.6, 3), "share: .* found 0.6"),
        (lambda s: exact.outlying_effects(s, 0.1, 1), "ratio: expected a number above 1"),
        (lambda s: OutlyingPosterior(s, GRID, *PRIORS, weights=[1]), "weights: expected a positive number"),
        (lambda s: OutlyingPosterior(s, [], *PRIORS), "weights"),
        (lambda s: outlying(s.posterior(*PRIORS)), "outlying_effects, found one of other effects"),
    ],
)
def test_wrong_shares_and_ratios_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make(exact.normal(Y, SE))
