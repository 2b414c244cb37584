"""One effect for all, or one for each: against sums over a fine grid, and limits of the posterior."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import ImproperPosterior, InputError

TABLES, N = np.array([[2, 0, 5, 3], [3, 0, 4, 3], [1, 1, 5, 3], [0, 0, 7, 3]]), [20, 32, 46, 19]
SURFACES = {
    "normal": lambda: exact.normal([-0.5, 0.2, -1.2], [0.3, 0.4, 0.5]),
    "binomial": lambda: exact.binomial([0, 5, 4, 12], [32, 35, 19, 264]),
    "zero": lambda: exact.binomial([0, 0], [32, 35]),
    "poisson": lambda: exact.poisson([3, 0, 6], [10, 5, 2.4]),
    "latent": lambda: exact.mixture(TABLES, N, [1, 2, 3, 1]),
}
THETA = np.linspace(-40, 40, 400_001)


def likelihoods(name):
    """Likelihood of each table's each study on the grid: (t, k, grid), and the tables' weights."""
    if name == "normal":
        pairs = zip([-0.5, 0.2, -1.2], [0.3, 0.4, 0.5], strict=True)
        return np.array([[stats.norm.pdf(y, THETA, s) for y, s in pairs]]), [1.0]
    if name == "poisson":
        pairs = zip([3, 0, 6], [10, 5, 2.4], strict=True)
        return np.array([[stats.poisson.pmf(a, n * np.exp(THETA)) for a, n in pairs]]), [1.0]
    tables, n, weights = {
        "binomial": ([[0, 5, 4, 12]], [32, 35, 19, 264], [1.0]),
        "zero": ([[0, 0]], [32, 35], [1.0]),
        "latent": (TABLES, N, np.array([1, 2, 3, 1]) / 7),
    }[name]
    rows = [
        [stats.binom.pmf(a, m, special.expit(THETA)) for a, m in zip(row, n, strict=True)] for row in tables
    ]
    return np.array(rows), weights


@pytest.mark.parametrize("name", SURFACES)
def test_against_a_sum(name):
    prior, step = stats.norm.pdf(THETA, -1, 1.5), THETA[1] - THETA[0]
    pieces, weights = likelihoods(name)
    one = SURFACES[name]().common_effect("Normal(mu=-1, sigma=1.5)")
    mass = np.einsum("t,tg->g", weights, pieces.prod(axis=1)) * prior * step
    assert one.log_marginal_likelihood == pytest.approx(np.log(mass.sum()), abs=1e-8)
    mean = mass @ THETA / mass.sum()
    sd = np.sqrt(mass @ (THETA - mean) ** 2 / mass.sum())
    row = one.summary().loc["theta_new"]
    assert row["mean"] == pytest.approx(mean, abs=1e-7 * sd)
    assert row["sd"] == pytest.approx(sd, rel=1e-7)
    assert one.error < 1e-8

    free = SURFACES[name]().no_pooling("Normal(mu=-1, sigma=1.5)")
    single = np.einsum("tkg,g->tk", pieces, prior * step)
    assert free.log_marginal_likelihood == pytest.approx(np.log(weights @ single.prod(axis=1)), abs=1e-8)
    share = weights * single.prod(axis=1) / (weights @ single.prod(axis=1))
    means = np.einsum("t,tk->k", share, np.einsum("tkg,g->tk", pieces, prior * step * THETA) / single)
    np.testing.assert_allclose(free.summary()["mean"], means, atol=1e-7)
    squares = np.einsum("t,tk->k", share, np.einsum("tkg,g->tk", pieces, prior * step * THETA**2) / single)
    np.testing.assert_allclose(free.summary()["sd"], np.sqrt(squares - means**2), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "mu"),
    [
        (name, mu)
        for name in SURFACES
        for mu in ("Normal(mu=-1, sigma=1.5)", "Cauchy(alpha=0, beta=1)", "Uniform(-3, -1)")
        if (name, mu[0])
        != ("zero", "C")  # the tail of mu is as the square of its inverse: too far for a grid
    ],
)
def test_the_posterior_tends_to_a_common_effect(name, mu):
    surface = SURFACES[name]()
    one, near = surface.common_effect(mu), surface.posterior(mu, "Uniform(lower=0, upper=1e-6)")
    assert one.log_marginal_likelihood == pytest.approx(near.log_marginal_likelihood, abs=1e-7)
    q = [0.001, 0.5, 0.999]
    np.testing.assert_allclose(near.cdf("mu", one.mu.quantile(q)), q, atol=1e-7)


def test_a_common_effect_without_a_study_and_what_the_others_say_of_it():
    y, se = np.array([-0.5, 0.2, -1.2]), np.array([0.3, 0.4, 0.5])
    one = exact.normal(y, se).common_effect("Normal(mu=-1, sigma=1.5)")
    others = one.without("2")
    fresh = exact.normal(y[[0, 2]], se[[0, 2]]).common_effect("Normal(mu=-1, sigma=1.5)")
    assert others.log_marginal_likelihood == pytest.approx(fresh.log_marginal_likelihood, abs=1e-9)
    predicted = stats.norm.logpdf(y[1], fresh.mu.mean, np.hypot(fresh.mu.sd, se[1]))
    assert one.loo().loc["2", "elpd"] == pytest.approx(predicted, abs=1e-7)
    assert one.theta_new is one.mu


def test_a_heavy_tail_is_followed():
    """No events in 32 and a Cauchy prior: far below, the likelihood is 1 and the prior's tail stays."""
    one = exact.binomial([0], [32]).common_effect("Cauchy(alpha=0, beta=1)")
    q = np.array([1e-6, 1e-4])
    below = stats.cauchy.cdf(one.mu.quantile(q)) / np.exp(one.log_marginal_likelihood)
    np.testing.assert_allclose(below, q, rtol=1e-6, atol=1e-10)  # what is left out


@pytest.mark.parametrize("scale", [1e-8, 1, 1e8])
@pytest.mark.parametrize("prior", [(0, 1), (50, 0.01), (0, 1e5)])
def test_normal_studies_have_a_closed_form(scale, prior):
    y, se = np.array([-0.5, 0.2, -1.2]) * scale, np.array([0.3, 0.4, 1e-4]) * scale
    centre, sigma = prior[0] * scale, prior[1] * scale
    found = exact.normal(y, se).common_effect(f"Normal(mu={centre!r}, sigma={sigma!r})")
    precision = (se**-2).sum() + sigma**-2
    mean = ((y / se**2).sum() + centre / sigma**2) / precision
    assert found.mu.mean == pytest.approx(mean, abs=1e-7 * precision**-0.5)
    assert found.mu.sd == pytest.approx(precision**-0.5, rel=1e-7)
    assert 2e-10 < found.error < 1e-8  # a share, whatever the unit
    # Residuals from the posterior mean, and the determinant of diag(se^2) + sigma^2.
    misfit = ((y - mean) ** 2 / se**2).sum() + (mean - centre) ** 2 / sigma**2
    determinant = 2 * np.log(se).sum() + 2 * np.log(sigma) + np.log(precision)
    expected = -0.5 * (3 * np.log(2 * np.pi) + determinant + misfit)
    assert found.log_marginal_likelihood == pytest.approx(expected, rel=1e-7, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SURFACES["zero"]().common_effect("Flat()"), ImproperPosterior, "no events"),
        (lambda: SURFACES["binomial"]().no_pooling("Flat()"), ImproperPosterior, "no events"),
        (lambda: SURFACES["binomial"]().common_effect("Normal(0, 1)", rtol=1), InputError, "rtol"),
    ],
)
def test_what_has_no_posterior_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
