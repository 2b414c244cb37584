"""Student-t effects: against sums over the effects themselves, and the limits of many degrees of freedom."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.exact.likelihoods import BinomialStudies, NormalStudies
from kyphobayes.exact.student import StudentEffects, StudentPosterior

Y, SE = np.array([-0.5, 0.2, -1.2, 0.3, 4.0]), np.array([0.3, 0.4, 0.5, 0.2, 0.3])
EVENTS, N = [1, 5, 12], [32, 35, 264]
PRIORS = "Normal(mu=0, sigma=2)", "Uniform(lower=0.2, upper=2)"


def log_likelihoods(kind, theta):
    if kind == "normal":
        return np.stack([stats.norm.logpdf(y, theta, s) for y, s in zip(Y, SE, strict=True)])
    rows = zip([0, *EVENTS[1:]] if kind == "zero" else EVENTS, N, strict=True)
    return np.stack([a * theta - n * np.logaddexp(0, theta) + np.log(special.comb(n, a)) for a, n in rows])


@pytest.mark.parametrize("nu", [1, 4, 30, 300])
@pytest.mark.parametrize("kind", ["normal", "binomial", "zero"])
def test_integrated_likelihood(kind, nu):
    base = {
        "normal": NormalStudies(Y, SE),
        "binomial": BinomialStudies(EVENTS, N),
        "zero": BinomialStudies([0, *EVENTS[1:]], N),
    }[kind]
    mu, tau = np.array([-4.0, 0.7, 40.0]), np.array([1e-3, 0.05, 0.5, 3.0])
    found = StudentEffects(base, nu).log_integrated(mu, tau)
    x = np.linspace(-42, 42, 60_001)  # theta = mu + tau sinh x
    for j, m in enumerate(mu):
        for l, t in enumerate(tau):  # noqa: E741  # the indices j, l, i of mu, tau and studies
            f = (
                log_likelihoods(kind, m + t * np.sinh(x))
                + stats.t.logpdf(np.sinh(x), nu)
                + np.log(np.cosh(x))
            )
            expected = special.logsumexp(f, axis=1) + np.log(x[1] - x[0])
            np.testing.assert_allclose(
                found[:, j, l], expected, rtol=1e-11 if kind == "normal" else 1e-8, atol=1e-9
            )


class Reference:
    """Posterior on a grid of mu, theta (equal steps) and tau (Gauss-Legendre)."""

    def __init__(self, kind, nu):
        x, w = np.polynomial.legendre.leggauss(24)
        self.tau, tau_weights = 0.2 + 0.9 * (x + 1), 0.9 * w
        self.mu = np.linspace(-13, 13, 521)
        self.theta = np.linspace(-30, 30, 1201)
        step = self.theta[1] - self.theta[0]
        likelihood = np.exp(log_likelihoods(kind, self.theta)).T * step
        joint = stats.norm.pdf(self.mu, 0, 2)[:, None] / 1.8 * tau_weights * (self.mu[1] - self.mu[0])
        kernels, integrated = [], np.empty((len(self.mu), len(self.tau), likelihood.shape[1]))
        for column, t in enumerate(self.tau):
            kernel = stats.t.pdf((self.theta - self.mu[:, None]) / t, nu) / t
            integrated[:, column] = kernel @ likelihood
            kernels.append(kernel)
        joint = joint * integrated.prod(axis=2)
        self.log_marginal_likelihood = np.log(joint.sum())
        self.joint = joint / joint.sum()
        effect = np.zeros(likelihood.shape)
        for column, kernel in enumerate(kernels):
            effect += kernel.T @ (self.joint[:, column, None] / integrated[:, column])
        effect *= likelihood
        self.effects = self.theta @ effect
        self.effect_sds = np.sqrt(self.theta**2 @ effect - self.effects**2)

    def new(self, x, nu):
        z = (np.asarray(x)[:, None, None] - self.mu[:, None]) / self.tau
        return np.einsum("qij,ij->q", stats.t.cdf(z, nu), self.joint)


@pytest.mark.parametrize(("kind", "nu"), [("normal", 4), ("binomial", 4), ("normal", 40), ("normal", 1)])
def test_posterior(kind, nu):
    plain = exact.normal(Y, SE) if kind == "normal" else exact.binomial(EVENTS, N)
    post = exact.student_effects(plain, nu).posterior(*PRIORS)
    reference = Reference(kind, nu)
    assert post.log_marginal_likelihood == pytest.approx(reference.log_marginal_likelihood, abs=1e-7)
    share = reference.joint.sum(axis=1)
    mean = share @ reference.mu
    sd = np.sqrt(share @ (reference.mu - mean) ** 2)
    assert post.mu.mean == pytest.approx(mean, abs=1e-6 * sd)
    assert post.mu.sd == pytest.approx(sd, rel=1e-6)
    assert post.tau.mean == pytest.approx(reference.joint.sum(axis=0) @ reference.tau, abs=1e-6)
    q = np.array([0.01, 0.3, 0.5, 0.975])
    np.testing.assert_allclose(reference.new(post.quantile("theta_new", q), nu), q, atol=1e-6)
    shrunk = post.shrinkage()
    np.testing.assert_allclose(shrunk["mean"], reference.effects, atol=1e-6)
    np.testing.assert_allclose(shrunk["sd"], reference.effect_sds, rtol=1e-6)


def test_draws_have_its_moments():
    post = exact.student_effects(exact.normal(Y, SE), 4).posterior(*PRIORS)
    drawn = post.draw(8000, np.random.default_rng(0))
    shrunk = post.shrinkage()
    np.testing.assert_allclose(
        drawn["theta"].mean(axis=0), shrunk["mean"], atol=5 * shrunk["sd"].max() / 8000**0.5
    )
    for q in (0.025, 0.5, 0.975):
        below = (drawn["theta_new"] < post.quantile("theta_new", q)).mean()
        assert below == pytest.approx(q, abs=5 * np.sqrt(q * (1 - q) / 8000))


def test_an_outlier_counts_for_less():
    surface = exact.normal(Y, SE)
    plain = surface.posterior("Normal(mu=0, sigma=2)", "HalfNormal(sigma=0.3)")
    heavy = exact.student_effects(surface, 2).posterior("Normal(mu=0, sigma=2)", "HalfNormal(sigma=0.3)")
    assert abs(heavy.mu.mean) < abs(plain.mu.mean) / 2
    assert heavy.log_marginal_likelihood > plain.log_marginal_likelihood


def test_many_degrees_of_freedom_are_normal():
    surface = exact.binomial(EVENTS, N)
    plain = surface.posterior("Normal(0, 2)", "HalfNormal(1)")
    gap = [
        exact.student_effects(surface, nu).posterior("Normal(0, 2)", "HalfNormal(1)").log_marginal_likelihood
        - plain.log_marginal_likelihood
        for nu in (250, 500, 1000)
    ]
    assert abs(gap[2]) < 1e-3
    assert gap[0] / gap[1] == pytest.approx(2, rel=0.02)  # the first term of an expansion in 1 / nu
    assert gap[1] / gap[2] == pytest.approx(2, rel=0.01)


def test_without_a_study_it_is_the_surface_of_the_others():
    surface = exact.student_effects(exact.normal(Y, SE), 4)
    surface.posterior(*PRIORS)  # what is known of the others stays known
    fewer = surface.without("2").posterior(*PRIORS)
    keep = [0, *range(2, len(Y))]
    fresh = exact.student_effects(exact.normal(np.array(Y)[keep], np.array(SE)[keep]), 4).posterior(*PRIORS)
    assert fewer.log_marginal_likelihood == pytest.approx(fresh.log_marginal_likelihood, abs=1e-8)
    np.testing.assert_allclose(fewer.summary(), fresh.summary(), rtol=1e-6, atol=1e-7)


def test_degrees_of_freedom_on_a_grid():
    surface, nu = exact.normal(Y, SE), [2, 4, np.inf]
    mixed = StudentPosterior(surface, nu, *PRIORS, weights=[1, 1, 2])
    each = [exact.student_effects(surface, 2), exact.student_effects(surface, 4), surface]
    evidence = np.array([s.posterior(*PRIORS).log_marginal_likelihood for s in each])
    shares = np.array([0.25, 0.25, 0.5]) * np.exp(evidence)
    assert mixed.log_marginal_likelihood == pytest.approx(np.log(shares.sum()))
    np.testing.assert_allclose(mixed.probabilities, shares / shares.sum())
    assert StudentPosterior(surface, nu, *PRIORS).weights.tolist() == [1 / 3, 1 / 3, 1 / 3]
    means = [post.mu.mean for post in mixed.posteriors]
    assert mixed.density("mu").mean == pytest.approx(mixed.probabilities @ means, abs=1e-8)
    np.testing.assert_allclose(mixed.cdf("mu", mixed.summary().loc["mu", "median"]), 0.5, atol=1e-9)
    for name in ("tau", "theta_new", "5"):
        x = mixed.density(name).quantile([0.1, 0.6])
        at = mixed.probabilities @ [post.cdf(name, x) for post in mixed.posteriors]
        np.testing.assert_allclose(at, [0.1, 0.6], atol=1e-7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s: exact.student_effects(s, 0), "nu: expected a number from 1 to 1000, found 0"),
        (lambda s: exact.student_effects(s, np.nan), "nu: expected a number"),
        (lambda s: StudentPosterior(s, [4], *PRIORS, weights=[1, 2]), "weights: expected a positive number"),
        (lambda s: StudentPosterior(s, [], *PRIORS), "weights"),
        (
            lambda s: StudentPosterior(s, [4, 5], *PRIORS, weights=[1, np.inf]),
            "weights: expected finite numbers",
        ),
    ],
)
def test_wrong_degrees_of_freedom_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make(exact.normal(Y, SE))
