"""Priors that contradict the data: the posterior lies where the likelihood is a hundred times e deep."""

import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.priors import Prior

RNG = np.random.default_rng(5)
N = RNG.integers(10, 60, 150)
EVENTS = RNG.binomial(N, 0.05 + 0.1 * RNG.uniform(size=N.size))
MANY = 600  # studies, more than are kept one by one


@pytest.mark.parametrize("tau", [1e-17, 1e-9, 1e-3])
@pytest.mark.parametrize("mu", [-40.0, -4.0, 0.0, 3.0])
def test_without_spread_every_study_has_the_typical_effect(mu, tau):
    surfaces = (
        exact.binomial([0, 3, 9], [30, 40, 9]),
        exact.poisson([0, 3], [12.0, 3.0]),
        exact.two_arms([0, 3], [20, 30], [4, 5], [22, 31]),
    )
    for surface in surfaces:
        own = surface.studies.log_lik([mu])[:, 0]
        found = surface.studies.log_integrated(np.array([mu]), np.array([tau]))[:, 0, 0]
        # To first order the integral adds (slope^2 + curvature) tau^2 / 2.
        assert found == pytest.approx(own, rel=1e-8, abs=1e5 * tau**2 + 1e-9)


@pytest.mark.parametrize(
    "priors",
    [("Normal(mu=-4, sigma=0.02)", "HalfNormal(sigma=0.05)"), ("Normal(mu=1, sigma=0.1)", "HalfNormal()")],
)
def test_a_posterior_far_below_the_likelihoods_maximum(priors):
    surface = exact.binomial(EVENTS, N)
    post = surface.posterior(*priors)
    summary = post.summary()
    assert surface.top - surface.log_likelihood(summary.loc["mu", "mean"], summary.loc["tau", "mean"]) > 50
    mu, tau = (
        np.linspace(*(summary.loc[name, "mean"] + summary.loc[name, "sd"] * np.array([-9.0, 9.0])), 91)
        for name in ("mu", "tau")
    )
    log_density = surface.log_likelihood(mu, tau)
    log_density += Prior.parse(priors[0]).log_density(mu)[:, None] + Prior.parse(priors[1]).log_density(tau)
    density = np.exp(log_density - log_density.max())
    assert density[[0, -1]].max() < 1e-12 and density[:, [0, -1]].max() < 1e-9
    for name, grid, marginal in (("mu", mu, density.sum(axis=1)), ("tau", tau, density.sum(axis=0))):
        mean = marginal @ grid / marginal.sum()
        assert summary.loc[name, "mean"] == pytest.approx(mean, abs=1e-6 * summary.loc[name, "sd"])


def test_very_many_studies_begin_near_their_mean_and_grow_where_a_prior_asks():
    events, n = np.resize(EVENTS, MANY), np.resize(N, MANY)
    surface = exact.binomial(events, n)
    few = exact.binomial(EVENTS, N)
    where = np.array([-3.0, -2.0]), np.array([0.2, 0.9])
    assert surface.log_likelihood(*where) == pytest.approx(4 * few.log_likelihood(*where), rel=1e-12)
    near = float(surface.posterior("Normal(mu=-2, sigma=2)", "HalfNormal()").quantile("mu", 0.5))
    edges = surface.mu.edges[[0, -1]]
    assert edges[0] < near < edges[1] < few.mu.edges[-1]
    surface.posterior("Normal(mu=4, sigma=0.3)", "HalfNormal()")
    assert surface.mu.edges[-1] > edges[1]


@pytest.mark.parametrize(
    "surface", [exact.binomial([0, 3, 9], [30, 40, 9]), exact.poisson([0, 7], [12.0, 3.0])]
)
def test_however_far_a_likelihood_is_finite_and_no_more_than_its_peak(surface):
    far = 10.0 ** np.arange(0, 14)
    mu, tau = np.concatenate([-far, far]), 10.0 ** np.arange(-8, 14)
    found = surface.studies.log_integrated(mu, tau)
    peak = surface.studies.log_lik(np.linspace(-60, 60, 4001)).max(axis=1)
    assert np.isfinite(found).all()
    assert (found <= peak[:, None, None] + 1e-6).all()
    # Without events all that is asked is whether theta is low: half of it, if its spread has no end.
    assert found[0, 0, -1] == pytest.approx(np.log(0.5), abs=1e-9)
