"""Draws follow their whole distribution given what was drawn before them, not its mean alone."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.exact.kernels import NORMAL, ContaminatedKernel, StudentKernel

SIZE = 3000
THETA = np.linspace(-25, 45, 140_001)


def normal(y=0.5):
    return exact.normal([y, 0.2], [1.0, 0.4])


def outlying(share, ratio):
    """Log density of normal steps of which a share is so many times wider."""
    return lambda x: np.logaddexp(
        np.log1p(-share) + stats.norm.logpdf(x), np.log(share / ratio) + stats.norm.logpdf(x / ratio)
    )


# Studies, and the log density of (theta - mu) / tau.
CASES = {
    "normal": (normal(), stats.norm.logpdf),
    "binomial": (exact.binomial([3, 1], [20, 9]), stats.norm.logpdf),
    "no events": (exact.binomial([0, 1], [30, 9]), stats.norm.logpdf),
    "large": (exact.binomial([200_000, 1], [1_000_000, 9]), stats.norm.logpdf),
    "Poisson": (exact.poisson([4, 0], [10.0, 2.0]), stats.norm.logpdf),
    "two arms": (
        exact.two_arms([4, 2], [20, 10], [1, 2], [15, 12], baseline="Normal(0, 3)"),
        stats.norm.logpdf,
    ),
    "Student": (exact.student_effects(normal(), 3.0), lambda x: stats.t.logpdf(x, 3)),
    "Student, far": (exact.student_effects(normal(30.0), 30.0), lambda x: stats.t.logpdf(x, 30)),
    "outlying": (exact.outlying_effects(normal(), 0.2, 5.0), outlying(0.2, 5.0)),
    "outlying, far": (exact.outlying_effects(normal(6.0), 0.1, 8.0), outlying(0.1, 8.0)),
}


def follows(drawn, theta, mass):
    """Whether draws have the distribution of these masses."""
    cumulative = np.cumsum(mass) / mass.sum()
    return stats.kstest(drawn, lambda x: np.interp(x, theta, cumulative)).pvalue > 1e-3


@pytest.mark.parametrize("tau", [0.05, 0.6])
@pytest.mark.parametrize("name", CASES)
def test_a_studys_effect(name, tau):
    (surface, kernel), mu = CASES[name], -0.7
    index = np.tile([1, 0], (SIZE, 1))  # the second study first
    drawn = surface.studies.draw(index, np.full(SIZE, mu), np.full(SIZE, tau), np.random.default_rng(4))
    for column, study in enumerate((1, 0)):

        def log_mass(theta, study=study):
            return surface.studies.log_lik(theta)[study] + kernel((theta - mu) / tau)

        coarse = log_mass(THETA)
        near = THETA[coarse > coarse.max() - 40]
        fine = np.linspace(near[0] - 1e-3, near[-1] + 1e-3, 200_001)
        assert follows(drawn[:, column], fine, np.exp(log_mass(fine) - coarse.max()))


@pytest.mark.parametrize(
    ("kernel", "law"),
    [
        (NORMAL, stats.norm.cdf),
        (StudentKernel(2.0), lambda x: stats.t.cdf(x, 2)),
        (ContaminatedKernel(0.3, 4.0), lambda x: 0.7 * stats.norm.cdf(x) + 0.3 * stats.norm.cdf(x / 4)),
    ],
    ids=["normal", "Student", "outlying"],
)
def test_the_step_to_a_new_study(kernel, law):
    assert stats.kstest(kernel.steps(20_000, np.random.default_rng(0)), law).pvalue > 1e-3


def test_mu_given_tau():
    surface = exact.binomial([0, 5, 4], [32, 35, 19])
    post = surface.posterior("Normal(mu=-2, sigma=1.5)", "HalfNormal(sigma=1)")
    for tau in (0.01, 0.4, 1.5):
        drawn = post.draw_mu(np.full(SIZE, tau), np.random.default_rng(1))
        mu = np.linspace(-12, 8, 4001)
        log_mass = surface.log_likelihood(mu, [tau])[:, 0] + stats.norm.logpdf(mu, -2, 1.5)
        assert follows(drawn, mu, np.exp(log_mass - log_mass.max()))


def test_a_table_given_mu_and_tau():
    surface = exact.mixture([[0, 5, 2], [1, 4, 2], [0, 4, 3]], [32, 35, 30], [1, 2, 3])
    for mu, tau in ((-2.0, 0.3), (-4.0, 1.2)):
        drawn = surface.draw_table(np.full(SIZE, mu), np.full(SIZE, tau), np.random.default_rng(2))
        pieces = surface.studies.log_integrated(np.array([mu]), np.array([tau]))[:, 0, 0]
        shares = np.array([1, 2, 3]) * np.exp(pieces[surface.tables].sum(axis=1))
        expected = SIZE * shares / shares.sum()
        assert stats.chisquare(np.bincount(drawn, minlength=3), expected).pvalue > 1e-3


def test_a_posterior_draws_all_at_once():
    surface = exact.mixture([[0, 5, 2], [1, 4, 2], [0, 4, 3]], [32, 35, 30], [1, 2, 3])
    post = surface.posterior("Normal(mu=-2, sigma=1.5)", "HalfNormal(sigma=1)")
    drawn = post.draw(SIZE, np.random.default_rng(5))
    for name in ("mu", "tau", "theta_new"):
        assert stats.kstest(drawn[name], lambda x, name=name: post.cdf(name, x)).pvalue > 1e-3
    for study, label in enumerate(surface.labels):
        assert stats.kstest(drawn["theta"][:, study], lambda x, label=label: post.cdf(label, x)).pvalue > 1e-3
    expected = SIZE * post.table_probabilities()
    assert stats.chisquare(np.bincount(drawn["table"], minlength=3), expected).pvalue > 1e-3


def test_a_single_draw_has_the_dimensions_of_many():
    post = exact.binomial([0, 5], [32, 35]).posterior("Normal(mu=-2, sigma=1.5)", "HalfNormal(sigma=1)")
    one = post.to_datatree(draws=1, chains=1)["posterior"]
    assert one["theta"].dims == ("chain", "draw", "study") and one["theta"].shape == (1, 1, 2)
    assert one["mu"].dims == ("chain", "draw")
    for wrong in (dict(draws=0), dict(chains=0)):
        with pytest.raises(InputError, match="at least 1"):
            post.to_datatree(**wrong)
