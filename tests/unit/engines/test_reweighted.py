"""Other priors by importance sampling from the draws of a fit."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from kyphobayes.engines.reweighted import log_prior_ratio, resampled, reweighted_rows
from kyphobayes.priors import Priors


def test_reweighting_gives_the_other_density():
    x = stats.norm.ppf((np.arange(6000) + 0.5) / 6000)
    rows, k = reweighted_rows(stats.norm.logpdf(x, 0.8, 0.9) - stats.norm.logpdf(x), 2000, 0)
    assert k < 0.5 and x[rows].mean() == pytest.approx(0.8, abs=0.03)
    assert x[rows].std() == pytest.approx(0.9, abs=0.03)


def test_weights_that_are_not_to_be_trusted_say_so():
    x = np.random.default_rng(1).normal(size=4000)
    assert reweighted_rows(stats.norm.logpdf(x, 4, 0.5) - stats.norm.logpdf(x), 500, 0)[1] > 0.7


def test_the_same_posterior_needs_no_weights():
    rows, k = reweighted_rows(np.zeros(500), 100, 0)
    assert len(set(rows)) == 100 and k == -np.inf


def test_a_density_that_is_0_at_every_draw_cannot_be_reached():
    assert reweighted_rows(np.full(500, -np.inf), 100, 0)[1] == np.inf


def draws(**values):
    return xr.Dataset({n: (("chain", "draw", *"abc"[: v.ndim - 2]), v) for n, v in values.items()})


def test_the_ratio_is_that_of_the_densities():
    rng = np.random.default_rng(2)
    posterior = draws(mu=rng.normal(size=(2, 50)), tau=np.abs(rng.normal(size=(2, 50, 3))))
    main = Priors.of("main", mu="Normal(0, 1)", tau="HalfNormal(1)")
    other = Priors.of("other", mu="Normal(1, 2)", tau="HalfNormal(2)")
    mu, tau = posterior["mu"].values.ravel(), posterior["tau"].values.reshape(100, 3)
    expected = stats.norm.logpdf(mu, 1, 2) - stats.norm.logpdf(mu)
    expected += (stats.halfnorm.logpdf(tau, scale=2) - stats.halfnorm.logpdf(tau)).sum(axis=1)
    np.testing.assert_allclose(log_prior_ratio(posterior, main, other, ["mu", "tau"]), expected, rtol=1e-12)


def test_resampled_draws_are_whole_rows():
    values = np.arange(40.0).reshape(2, 20)
    taken = resampled(draws(mu=values, tau=np.stack([values, -values], axis=-1)), np.array([3, 3, 25]))
    assert taken["mu"].values.tolist() == [[3.0, 3.0, 25.0]]
    assert taken["tau"].values.tolist() == [[[3.0, -3.0], [3.0, -3.0], [25.0, -25.0]]]
