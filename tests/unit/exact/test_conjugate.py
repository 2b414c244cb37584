"""Normal studies under a normal or flat prior for mu: the same as the grid, and moments that do not exist."""

import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.errors import ImproperPosterior
from kyphobayes.exact.conjugate import ConjugatePosterior
from kyphobayes.exact.posterior import Posterior

Y, SE = [-0.3, 0.2, 0.5, 0.1, 1.2, -0.1, 0.4], [0.2, 0.3, 0.25, 0.4, 0.5, 0.15, 0.3]
PRIORS = [
    ("Normal(mu=0, sigma=4)", "HalfNormal(sigma=0.5)"),
    ("Flat()", "HalfNormal(sigma=0.5)"),
    ("Normal(mu=1, sigma=0.1)", "HalfCauchy(beta=0.5)"),
    ("Flat()", "Flat()"),
    ("Normal(mu=0, sigma=4)", "Uniform(lower=0.2, upper=0.6)"),
    ("Normal(mu=0, sigma=4)", "InverseGamma(alpha=1, beta=0.15)"),
]


@pytest.mark.parametrize(("mu", "tau"), PRIORS)
def test_the_same_as_on_a_grid(mu, tau):
    surface = exact.normal(Y, SE)
    post = surface.posterior(mu, tau)
    grid = Posterior(surface, post.priors, rtol=1e-9)
    assert isinstance(post, ConjugatePosterior) and post.error < 1e-8
    np.testing.assert_allclose(post.summary(), grid.summary(), rtol=2e-7, atol=2e-8)
    np.testing.assert_allclose(post.shrinkage(), grid.shrinkage(), rtol=2e-7, atol=2e-8)
    assert post.log_marginal_likelihood == pytest.approx(grid.log_marginal_likelihood, abs=1e-8)
    for name in ("mu", "tau", "theta_new", "3"):
        x = grid.quantile(name, [0.01, 0.4, 0.99])
        np.testing.assert_allclose(post.cdf(name, x), [0.01, 0.4, 0.99], atol=1e-7)
        np.testing.assert_allclose(post.pdf(name, x), grid.pdf(name, x), rtol=1e-6)
        np.testing.assert_allclose(post.hdi(name), grid.hdi(name), atol=1e-6)


def test_other_priors_for_mu_take_the_grid():
    assert type(exact.normal(Y, SE).posterior("StudentT(nu=4)", "HalfNormal()")) is Posterior


def test_a_grid_is_there_for_whoever_needs_one():
    post = exact.normal(Y, SE).posterior(*PRIORS[0])
    mass = np.outer(post.mu_panels.weights, post.tau_panels.weights) * post.joint
    assert mass.sum() == pytest.approx(1, abs=1e-8)
    assert post.mu_panels.nodes @ mass.sum(axis=1) == pytest.approx(post.mu.mean, abs=1e-8)
    assert post.tau_panels.nodes @ mass.sum(axis=0) == pytest.approx(post.tau.mean, abs=1e-7)


def test_expectations_are_integrals():
    post = exact.normal(Y, SE).posterior(*PRIORS[0])
    assert post.theta_new.expectation(lambda x: x) == pytest.approx(post.theta_new.mean, abs=1e-9)
    assert post.tau.expectation(np.square) == pytest.approx(post.tau.sd**2 + post.tau.mean**2, rel=1e-10)


def test_draws_have_its_moments():
    post = exact.normal(Y, SE).posterior(*PRIORS[0])
    drawn = post.draw(40_000, np.random.default_rng(0))
    for name in ("mu", "tau", "theta_new"):
        density = getattr(post, name)
        assert drawn[name].mean() == pytest.approx(density.mean, abs=5 * density.sd / 200)
        assert (drawn[name] < density.quantile(0.3)).mean() == pytest.approx(0.3, abs=0.012)


@pytest.mark.parametrize(
    ("k", "mu", "tau", "infinite"),
    [
        # Towards infinity the posterior of tau falls as tau^-(k-1) (mu flat) or tau^-k, times the prior.
        (2, "Flat()", "HalfCauchy(beta=1)", {"sd"}),  # tau^-3
        (3, "Flat()", "Flat()", {"mean", "sd"}),  # tau^-2
        (3, "Flat()", "HalfCauchy(beta=1)", set()),  # tau^-4
        (2, "Normal()", "Flat()", {"mean", "sd"}),  # tau^-2
        (4, "Flat()", "Flat()", {"sd"}),  # tau^-3
        (7, "Flat()", "Flat()", set()),
    ],
)
def test_moments_that_do_not_exist_are_infinite(k, mu, tau, infinite):
    summary = exact.normal(Y[:k], SE[:k]).posterior(mu, tau).summary()
    assert {name for name in ("mean", "sd") if np.isinf(summary.loc["tau", name])} == infinite
    assert np.isfinite(summary[["median", "low", "high"]]).all(axis=None)
    assert np.isinf(summary.loc["theta_new", "sd"]) == ("sd" in infinite)


@pytest.mark.parametrize(("k", "mu"), [(2, "Flat()"), (1, "Normal()"), (1, "Flat()")])
def test_an_improper_posterior_is_refused(k, mu):
    with pytest.raises(ImproperPosterior, match="proper prior"):
        exact.normal(Y[:k], SE[:k]).posterior(mu, "Flat()")
