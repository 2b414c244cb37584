"""Several possible tables of normal studies: as the general mixture, in closed form and on the grid."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.exact.likelihoods import NormalStudies
from kyphobayes.exact.normal_tables import NormalTables, TablesPosterior
from kyphobayes.exact.posterior import Posterior

Y = np.array([[0.1, 0.5, -0.2], [0.3, 0.1, 0.4], [-0.1, 0.2, 0.6]])
V = np.array([[0.04, 0.09, 0.05], [0.02, 0.10, 0.06], [0.05, 0.05, 0.05]])
LOG_W = np.log([1.0, 2.0, 0.5])
PRIORS = [
    ("Flat()", "HalfNormal(sigma=0.5)"),
    ("Normal(mu=0.2, sigma=0.4)", "HalfCauchy(beta=0.3)"),
    ("Normal(mu=0, sigma=4)", "Uniform(lower=0.05, upper=0.6)"),
]


@pytest.fixture(scope="module")
def surface():
    return NormalTables(Y, V, LOG_W)


def test_likelihood_is_the_weighted_sum_of_products(surface):
    mu, tau = 0.3, 0.25
    each = stats.norm.pdf(Y, mu, np.sqrt(V + tau**2)).prod(axis=1)
    expected = np.log((np.exp(LOG_W) / np.exp(LOG_W).sum()) @ each)
    assert surface.log_likelihood([mu], [tau])[0, 0] == pytest.approx(expected, abs=1e-12)


def test_one_table_is_an_ordinary_surface():
    one = NormalTables(Y[:1], V[:1]).posterior("Flat()", "HalfNormal(sigma=0.5)")
    plain = exact.normal(Y[0], np.sqrt(V[0])).posterior("Flat()", "HalfNormal(sigma=0.5)")
    np.testing.assert_allclose(one.summary(), plain.summary(), rtol=1e-7)
    assert one.log_marginal_likelihood == pytest.approx(plain.log_marginal_likelihood, abs=1e-9)


@pytest.mark.parametrize(("mu", "tau"), PRIORS)
def test_closed_form_and_grid_agree(surface, mu, tau):
    post = surface.posterior(mu, tau)
    grid = Posterior(surface, post.priors, rtol=1e-9)
    assert isinstance(post, TablesPosterior) and post.error < 1e-7
    np.testing.assert_allclose(post.summary().loc["mu"], grid.summary().loc["mu"], rtol=1e-6, atol=1e-7)
    q = grid.quantile("theta_new", [0.025, 0.5, 0.975])
    np.testing.assert_allclose(post.cdf("theta_new", q), [0.025, 0.5, 0.975], atol=1e-7)
    assert post.log_marginal_likelihood == pytest.approx(grid.log_marginal_likelihood, abs=1e-7)


def test_grid_agrees_with_the_general_mixture(surface):
    studies = NormalStudies(Y.ravel(), np.sqrt(V.ravel()))
    general = exact.Surface(studies, np.arange(9).reshape(3, 3), np.exp(LOG_W))
    priors = ("StudentT(nu=4, mu=0, sigma=1)", "HalfNormal(sigma=0.5)")
    ours, theirs = surface.posterior(*priors), general.posterior(*priors)
    np.testing.assert_allclose(ours.summary(), theirs.summary(), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ours.table_probabilities(), theirs.table_probabilities(), atol=1e-7)
    np.testing.assert_allclose(ours.shrinkage(), theirs.shrinkage(), rtol=1e-5, atol=1e-6)


def test_study_effects_in_closed_form_are_those_of_the_grid(surface):
    post = surface.posterior("Flat()", "HalfNormal(sigma=0.5)")
    grid = Posterior(surface, post.priors, rtol=1e-9)
    np.testing.assert_allclose(post.shrinkage(), grid.shrinkage(), rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="kind"):
        post.shrinkage(kind="other")


def test_draws_follow_the_posterior(surface):
    post = surface.posterior("Flat()", "HalfNormal(sigma=0.5)")
    drawn = post.draw(20_000, np.random.default_rng(1))
    for name in ("mu", "theta_new", "tau"):
        assert stats.kstest(drawn[name], lambda x, n=name: post.cdf(n, x)).pvalue > 1e-3
    shares = np.bincount(drawn["table"], minlength=3) / 20_000
    np.testing.assert_allclose(shares, post.table_probabilities(), atol=5 * np.sqrt(0.25 / 20_000))


def test_mu_is_drawn_from_the_last_table_too():
    apart = NormalTables([[0.0, 0.1], [3.0, 3.1], [6.0, 6.1]], np.full((3, 2), 0.01), np.log([1.0, 2.0, 3.0]))
    mu = apart.posterior("Flat()", "HalfNormal(sigma=0.5)").draw_mu(
        np.full(6000, 0.2), np.random.default_rng(2)
    )
    shares = np.bincount(np.searchsorted([1.5, 4.5], mu), minlength=3) / 6000
    np.testing.assert_allclose(shares, np.array([1, 2, 3]) / 6, atol=5 * np.sqrt(0.25 / 6000))


def test_sweep_gives_the_same_answers(surface):
    pairs = [("Flat()", "HalfNormal(sigma=0.5)"), ("Normal(mu=0, sigma=1)", "HalfNormal(sigma=0.2)")] * 6
    swept = surface.sweep(pairs, below=0.0)
    for i in (0, 1):
        post = surface.posterior(*pairs[i])
        assert float(swept["mean"].sel(quantity="mu")[i]) == pytest.approx(post.mu.mean, abs=1e-6)


def test_tables_with_no_weight_are_left_out():
    assert len(NormalTables(Y, V, [0.0, -2000.0, -1.0]).tables) == 2


@pytest.mark.parametrize(
    ("y", "v", "log_weights", "said"),
    [
        (Y, V[:2], None, "one shape"),
        (Y, V, [0.0], "3 finite numbers"),
        (Y, V, [0.0, np.nan, 0.0], "3 finite numbers"),
        (Y, -V, None, "greater than 0"),
        (Y * np.nan, V, None, "finite"),
    ],
)
def test_refuses(y, v, log_weights, said):
    with pytest.raises(InputError, match=said):
        NormalTables(y, v, log_weights)


def test_too_many_tables_do_not_tell_study_effects():
    rng = np.random.default_rng(0)
    many = NormalTables(rng.normal(size=(2000, 4)), rng.uniform(0.1, 1, size=(2000, 4)))
    with pytest.raises(InputError, match="too many to tell"):
        many.posterior("Flat()", "HalfNormal(sigma=1)").shrinkage()


def test_tau_must_be_positive(surface):
    with pytest.raises(InputError, match="tau"):
        surface.log_likelihood([0.0], [0.0])


def test_log_mass_sums_to_the_likelihood(surface):
    mean, variance, log_mass = surface.given_tau(np.array([0.0, 0.3]))
    at = special.logsumexp(log_mass + stats.norm.logpdf(0.1, mean, np.sqrt(variance)), axis=0)
    assert at[1] == pytest.approx(surface.log_likelihood([0.1], [0.3])[0, 0], abs=1e-12)
