"""Normal studies against a one-dimensional rule over tau: ordinary and hostile evidence and priors."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes import exact
from kyphobayes.errors import ImproperPosterior, InputError

Y = np.array([-0.5, 0.2, -1.2, 0.3, 0.1, -0.4, -0.9])
SE = np.array([0.3, 0.4, 0.5, 0.2, 0.6, 0.3, 0.25])
Q = np.array([1e-4, 0.025, 0.5, 0.975, 1 - 1e-4])
SPREAD = stats.norm(0, 1).ppf((np.arange(200) + 0.5) / 200)

# What tau's texts mean to scipy, and the scale on which the reference looks for its mass.
TAU = {
    "HalfNormal(sigma=1)": (stats.halfnorm(), 1),
    "HalfNormal(sigma=0.1)": (stats.halfnorm(scale=0.1), 0.1),
    "HalfNormal(sigma=5)": (stats.halfnorm(scale=5), 5),
    "HalfNormal(sigma=10000)": (stats.halfnorm(scale=1e4), 1),
    "HalfNormal(sigma=1e-4)": (stats.halfnorm(scale=1e-4), 1e-4),
    "HalfNormal(sigma=1e6)": (stats.halfnorm(scale=1e6), 1e6),
    "HalfNormal(sigma=1e-6)": (stats.halfnorm(scale=1e-6), 1e-6),
    "HalfCauchy(beta=10000)": (stats.halfcauchy(scale=1e4), 1),
    "HalfCauchy(beta=0.001)": (stats.halfcauchy(scale=1e-3), 1e-2),
    "Uniform(lower=0.5, upper=0.6)": (stats.uniform(0.5, 0.1), 1),
    "Uniform(lower=0, upper=100)": (stats.uniform(0, 100), 1),
    "Uniform(lower=50, upper=60)": (stats.uniform(50, 10), 1),
    "Uniform(lower=0, upper=1e-8)": (stats.uniform(0, 1e-8), 1),
    "Gamma(alpha=0.5, beta=1)": (stats.gamma(0.5), 1),
    "Gamma(alpha=2, beta=1e-4)": (stats.gamma(2, scale=1e4), 1),
    "Gamma(alpha=1000, beta=1000)": (stats.gamma(1000, scale=1e-3), 1),
    "InverseGamma(alpha=1, beta=1)": (stats.invgamma(1), 1),
    "InverseGamma(alpha=0.5, beta=0.01)": (stats.invgamma(0.5, scale=0.01), 0.1),
    "LogNormal(mu=0, sigma=3)": (stats.lognorm(3), 1),
    "LogNormal(mu=-10, sigma=0.1)": (stats.lognorm(0.1, scale=np.exp(-10)), np.exp(-10)),
    "LogNormal(mu=5, sigma=0.01)": (stats.lognorm(0.01, scale=np.exp(5)), np.exp(5)),
    "Exponential(lam=1000)": (stats.expon(scale=1e-3), 1e-3),
    "Weibull(alpha=0.5, beta=1)": (stats.weibull_min(0.5), 1),
}
CASES = {
    "one study": ([0.3], [0.2], (0, 1), "HalfNormal(sigma=1)"),
    "one study, flat mu": ([0.3], [0.2], None, "HalfNormal(sigma=1)"),
    "two far apart": ([0.3, 5], [0.2, 0.1], (0, 10), "HalfNormal(sigma=1)"),
    "two, flat mu": ([1, 1.2], [0.1, 0.1], None, "HalfNormal(sigma=1)"),
    "identical": ([0.3] * 10, [0.2] * 10, (0, 1), "HalfNormal(sigma=1)"),
    "se ratio of 1000": ([0, 1, 2, 0.4], [1e-3, 1, 1, 0.5], (0, 10), "HalfNormal(sigma=1)"),
    "big units": (Y * 1e6, SE * 1e6, (0, 1e6), "HalfNormal(sigma=1e6)"),
    "tiny units": (Y * 1e-6, SE * 1e-6, (0, 1e-6), "HalfNormal(sigma=1e-6)"),
    "far from zero": (Y + 1e6, SE, (1e6, 1), "HalfNormal(sigma=1)"),
    "far from the priors": ([20, 21, 19], [0.1, 0.2, 0.1], (0, 1), "HalfNormal(sigma=0.1)"),
    "vague priors": (Y, SE, (0, 1e4), "HalfNormal(sigma=10000)"),
    "vague, heavy-tailed": (Y, SE, (0, 1e4), "HalfCauchy(beta=10000)"),
    "narrow mu far away": (Y, SE, (5, 0.01), "HalfNormal(sigma=1)"),
    "narrow mu": (Y, SE, (-0.3, 1e-4), "HalfNormal(sigma=1)"),
    "narrow mu very far away": (Y, SE, (100, 1e-3), "HalfNormal(sigma=1)"),
    "narrow tau": (Y, SE, (0, 1), "HalfNormal(sigma=1e-4)"),
} | {text: (Y, SE, (0, 1), text) for text in list(TAU)[7:]}


def text_of(mu):
    return "Flat()" if mu is None else f"Normal(mu={mu[0]}, sigma={mu[1]})"


def both(normal_reference, case):
    y, se, mu, tau = CASES[case]
    prior, scale = TAU[tau]
    post = exact.normal(y, se).posterior(text_of(mu), tau)
    return post, normal_reference(y, se, mu, prior, scale=scale)


@pytest.mark.parametrize("case", CASES)
def test_mu_and_tau(normal_reference, case):
    post, reference = both(normal_reference, case)
    assert post.error < 1e-8
    assert post.log_marginal_likelihood == pytest.approx(reference.log_marginal_likelihood, abs=1e-7)
    for name in ("mu", "tau"):
        mean, sd = reference.moments(name)
        density = getattr(post, name)
        assert density.mean == pytest.approx(mean, abs=3e-6 * sd)
        assert density.sd == pytest.approx(sd, rel=1e-6)
    np.testing.assert_allclose(reference.cdf("mu", post.quantile("mu", Q)), Q, atol=1e-7)


# 13 odds ratios of the BCG vaccine: standard errors from 0.07 to 0.6, panels of very different widths.
BCG = (
    [-0.94, -1.67, -1.39, -1.46, -0.22, -0.96, -1.63, 0.01, -0.47, -1.40, -0.34, 0.45, -0.02],
    [0.60, 0.46, 0.66, 0.14, 0.23, 0.10, 0.48, 0.06, 0.24, 0.27, 0.11, 0.73, 0.27],
)
EFFECTS = {
    "ordinary": (Y, SE, (0, 1), "HalfNormal(sigma=1)"),
    "two, flat mu": CASES["two, flat mu"],
    "narrow mu far away": CASES["narrow mu far away"],
    "Uniform(lower=0.5, upper=0.6)": (Y, SE, (0, 1), "Uniform(lower=0.5, upper=0.6)"),
    "LogNormal(mu=5, sigma=0.01)": (Y, SE, (0, 1), "LogNormal(mu=5, sigma=0.01)"),
    "bcg": (*BCG, (0, 4), "HalfNormal(sigma=1)"),
    "far from the priors": CASES["far from the priors"],
}


@pytest.mark.parametrize("case", EFFECTS)
def test_effects_of_studies_new_and_old(normal_reference, case):
    y, se, mu, tau = EFFECTS[case]
    prior, scale = TAU[tau]
    post = exact.normal(y, se).posterior(text_of(mu), tau)
    reference = normal_reference(y, se, mu, prior, scale=scale)
    shrinkage = post.shrinkage()
    for name in ("theta_new", *shrinkage.index[:3]):
        mean, sd = reference.moments(name)
        row = post.summary().loc[name] if name == "theta_new" else shrinkage.loc[name]
        assert row["mean"] == pytest.approx(mean, abs=1e-7 * sd)
        assert row["sd"] == pytest.approx(sd, rel=1e-7)
        np.testing.assert_allclose(reference.cdf(name, post.quantile(name, Q)), Q, atol=1e-7)


def test_two_hundred_studies(normal_reference):
    y, se = SPREAD, np.tile([0.05, 0.1, 0.2, 0.5], 50)
    post = exact.normal(y, se).posterior("Normal(mu=0, sigma=10)", "HalfCauchy(beta=1)")
    reference = normal_reference(y, se, (0, 10), stats.halfcauchy())
    assert post.log_marginal_likelihood == pytest.approx(reference.log_marginal_likelihood, abs=1e-7)
    assert post.tau.mean == pytest.approx(reference.moments("tau")[0], rel=1e-8)


@pytest.mark.parametrize("tau", ["HalfCauchy(beta=0.5)", "Flat()"])
def test_quantiles_follow_a_heavy_tail(normal_reference, tau):
    """Tail probabilities of mu out to 1 in 100,000 are right though its variance is infinite."""
    y, se = [-0.3, 0.4, 0.1, 0.2], [0.2, 0.3, 0.1, 0.4]
    if tau != "Flat()":
        y, se = y[:2], se[:2]
    post = exact.normal(y, se).posterior("Flat()", tau)
    reference = normal_reference(y, se, None, None if tau == "Flat()" else stats.halfcauchy(scale=0.5))
    q = np.array([1e-5, 1e-3, 0.5, 1 - 1e-3, 1 - 1e-5])
    np.testing.assert_allclose(reference.cdf("mu", post.quantile("mu", q)), q, atol=1e-9)


@pytest.mark.parametrize(
    ("k", "mu", "tau"),
    [
        (2, "Flat()", "Flat()"),
        (1, "Normal(mu=0, sigma=1)", "Flat()"),
        (1, "Flat()", "Flat()"),
    ],
)
def test_an_improper_posterior_is_refused(k, mu, tau):
    with pytest.raises(ImproperPosterior, match="not proper"):
        exact.normal(Y[:k], SE[:k]).posterior(mu, tau)


@pytest.mark.parametrize("bounds", [(-0.2, 0.1), (-0.45, -0.4499), (3, 4)])
def test_a_uniform_prior_cuts_the_posterior_of_mu(bounds):
    """At its bounds the density jumps to zero; between them it is that of a flat prior, scaled up."""
    low, high = bounds
    surface, tau = exact.normal(Y, SE), "HalfNormal(sigma=1)"
    free = surface.posterior("Normal(mu=0, sigma=1000)", tau)
    cut = surface.posterior(f"Uniform(lower={low}, upper={high})", tau)
    x = np.linspace(low, high, 9)[1:-1]
    if bounds != (3, 4):  # there the free density is too small to divide by
        inside = (free.cdf("mu", x) - free.cdf("mu", low)) / (free.cdf("mu", high) - free.cdf("mu", low))
        np.testing.assert_allclose(cut.cdf("mu", x), inside, atol=1e-6)
    np.testing.assert_allclose(cut.cdf("mu", [low, high]), [0, 1], atol=1e-12)
    assert low < cut.mu.mean < high


def test_a_kink_in_the_prior_is_resolved():
    """A Laplace prior is the mean of two exponential tails: compare with a sum over 200,001 values of mu."""
    tau = 0.3
    post = exact.normal(Y, SE).posterior(
        "Laplace(mu=0.1, b=0.05)", f"Uniform(lower={tau}, upper={tau + 1e-9})"
    )
    mu = np.linspace(-3, 3, 200_001) + 0.1
    log_density = -np.abs(mu - 0.1) / 0.05
    for y, se in zip(Y, SE, strict=True):
        log_density += stats.norm.logpdf(y, mu, np.hypot(se, tau))
    mass = np.exp(log_density - log_density.max())
    mass /= mass.sum()
    assert post.mu.mean == pytest.approx(mass @ mu, abs=1e-7)
    assert post.mu.sd == pytest.approx(np.sqrt(mass @ (mu - mass @ mu) ** 2), rel=1e-6)


@pytest.mark.parametrize("rtol", [1e-2, 1e-4, 1e-6, 1e-12])
def test_rtol_is_kept(rtol):
    surface = exact.normal(Y, SE)
    priors = "Normal(mu=-1, sigma=1)", "HalfCauchy(beta=0.3)"
    best = surface.posterior(*priors, rtol=1e-13)
    found = surface.posterior(*priors, rtol=rtol)
    assert found.error <= rtol + surface.error  # rtol bounds what quadrature adds to interpolation
    x, t = best.quantile("mu", Q), best.quantile("tau", Q)
    assert np.abs(found.cdf("mu", x) - best.cdf("mu", x)).max() <= max(rtol, 1e-12)
    assert np.abs(found.cdf("tau", t) - best.cdf("tau", t)).max() <= max(rtol, 1e-12)
    assert found.log_marginal_likelihood == pytest.approx(best.log_marginal_likelihood, abs=max(rtol, 1e-12))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s, p: p.summary(kind="other"), "kind: expected 'eti' or 'hdi', found 'other'"),
        (lambda s, p: p.summary(prob=1.0), "prob: expected a number between 0 and 1, found 1"),
        (lambda s, p: p.summary(prob=0.0), "prob: expected a number between 0 and 1, found 0"),
        (lambda s, p: p.marginal("theta"), "theta: expected one of mu, tau, theta_new or a study's label"),
        (lambda s, p: s.log_likelihood([0.0], [0.0]), "tau: expected values greater than 0"),
        (lambda s, p: s.posterior("Normal(0, 1)", "HalfNormal(1)", rtol=1.0), "rtol: expected a number from"),
    ],
)
def test_questions_without_an_answer_are_refused(ask, message):
    surface = exact.normal([0.1, -0.3, 0.6], [0.2, 0.3, 0.25])
    with pytest.raises(InputError, match=message):
        ask(surface, surface.posterior("StudentT(nu=4)", "HalfNormal(sigma=1)"))
