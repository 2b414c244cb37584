"""Contraction and Box's p: against scipy's moments, closed forms and plain simulation."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.exact.conflict import _tails, prior_sd
from kyphobayes.priors import Prior

Y, SE = np.array([0.1, 0.5, -2.0]), np.array([0.2, 0.3, 0.1])
W = SE**-2
POOLED = W @ Y / W.sum()

PRIORS = {
    "Normal(mu=1e6, sigma=1e-3)": 1e-3,
    "HalfNormal(sigma=1e-8)": stats.halfnorm.std() * 1e-8,
    "StudentT(nu=3, mu=1, sigma=2)": stats.t.std(3) * 2,
    "StudentT(nu=2, mu=1, sigma=2)": np.inf,
    "Cauchy(alpha=0, beta=1)": np.inf,
    "HalfCauchy(beta=1)": np.inf,
    "Gamma(alpha=0.5, beta=1)": np.sqrt(0.5),
    "Gamma(alpha=1000, beta=1000)": 1000**-0.5,
    "InverseGamma(alpha=2.5, beta=1)": stats.invgamma.std(2.5),
    "InverseGamma(alpha=2, beta=1)": np.inf,
    "LogNormal(mu=0, sigma=3)": stats.lognorm.std(3),
    "Uniform(lower=2, upper=5)": 3 / np.sqrt(12),
    "Weibull(alpha=0.5, beta=1)": np.sqrt(20),
    "Laplace(mu=0.1, b=0.05)": 0.05 * np.sqrt(2),
    "Flat()": np.inf,
}


@pytest.mark.parametrize("text", PRIORS)
def test_sd_of_a_prior(text):
    assert prior_sd(Prior.parse(text)) == pytest.approx(PRIORS[text], rel=1e-8)


def test_contraction():
    post = exact.normal(Y, SE).posterior("Normal(mu=0, sigma=2)", "HalfCauchy(beta=1)")
    found = post.contraction()
    assert found.loc["mu", "contraction"] == pytest.approx(1 - (post.mu.sd / 2) ** 2, rel=1e-9)
    assert np.isinf(found.loc["tau", "prior_sd"]) and found.loc["tau", "contraction"] == 1
    alone = exact.normal(Y[:1], SE[:1]).posterior("Normal(mu=0, sigma=2)", "HalfCauchy(beta=1)")
    assert np.isinf(alone.tau.sd) and np.isnan(alone.contraction().loc["tau", "contraction"])


@pytest.mark.parametrize("centre", [-1.4, 0, 30])
def test_box_p_of_a_normal_mean(centre):
    """tau all but known: T ~ Normal(centre, 1 / sum w + tau^2 sum w^2 / (sum w)^2 + sigma^2)."""
    priors = f"Normal(mu={centre}, sigma=0.5)", "Uniform(lower=0.3, upper=0.3000000001)"
    found = exact.normal(Y, SE).posterior(*priors).conflict(draws=10).loc["mu"]
    sd = np.sqrt(1 / W.sum() + 0.09 * (W @ W) / W.sum() ** 2 + 0.25)
    assert found["observed"] == pytest.approx(POOLED)
    assert found["p"] == pytest.approx(2 * special.ndtr(-abs(POOLED - centre) / sd), abs=1e-9)
    assert found["mc_error"] == 0


@pytest.mark.parametrize(
    "mu", ["StudentT(nu=4, mu=3, sigma=0.5)", "Uniform(lower=-1e4, upper=1e4)", "Laplace(0, 1)"]
)
def test_other_priors_are_integrated(mu):
    tau = stats.halfcauchy()
    found = exact.normal(Y, SE).posterior(mu, "HalfCauchy(beta=1)").conflict(draws=10)
    law = {"S": stats.t(4, 3, 0.5), "U": stats.uniform(-1e4, 2e4), "L": stats.laplace(0, 1)}[mu[0]]
    # P(mu + error <= T) is the mean of the prior's distribution function at T - error.
    q = (np.arange(2000) + 0.5) / 2000
    sd = np.sqrt(1 / W.sum() + tau.ppf(q) ** 2 * (W @ W) / W.sum() ** 2)
    below = law.cdf(POOLED - sd[:, None] * special.ndtri(q)).mean()
    assert found.loc["mu", "p"] == pytest.approx(2 * min(below, 1 - below), abs=3e-4)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_counts_against_plain_simulation(kind):
    events, size = np.array([0, 5, 4, 12]), np.array([32, 35, 19, 264])
    post = getattr(exact, kind)(events, size).posterior("Normal(mu=-2, sigma=1)", "HalfNormal(sigma=1)")
    found = post.conflict(draws=40_000)
    rng = np.random.default_rng(5)
    draws = 40_000
    theta = rng.normal(-2, 1, draws)[:, None] + np.abs(rng.normal(size=draws))[:, None] * rng.normal(
        size=(draws, 4)
    )
    new = (
        rng.binomial(size, special.expit(theta)) if kind == "binomial" else rng.poisson(size * np.exp(theta))
    )

    def statistics(y):
        rate = y.sum() / size.sum()
        variance = size * rate * ((1 - rate) if kind == "binomial" else 1)
        return y.sum(), ((y - size * rate) ** 2 / np.where(variance > 0, variance, 1)).sum()

    replicated = np.array([statistics(y) for y in new])
    for row, seen in enumerate(statistics(events)):
        low = (replicated[:, row] < seen).mean() + (replicated[:, row] == seen).mean() / 2
        assert found["observed"].iloc[row] == pytest.approx(seen)
        assert found["p"].iloc[row] == pytest.approx(2 * min(low, 1 - low), abs=0.02)
        assert 0 < found["mc_error"].iloc[row] < 0.006


def test_a_contradicted_prior_is_found_and_a_fair_one_is_not():
    surface = exact.binomial([0, 5, 4, 12], [32, 35, 19, 264])
    assert surface.posterior("Normal(2, 0.3)", "HalfNormal(0.1)").conflict().loc["mu", "p"] < 1e-3
    assert surface.posterior("Normal(-2.7, 1)", "HalfNormal(0.001)").conflict().loc["tau", "p"] < 0.05
    assert surface.posterior("Normal(-2.7, 1)", "HalfNormal(1)").conflict()["p"].min() > 0.2


@pytest.mark.parametrize("draws", [1, 7])
def test_every_draw_lies_on_one_side_or_the_other(monkeypatch, draws):
    monkeypatch.setattr(
        "kyphobayes.exact.conflict._CHUNK", 6
    )  # outcomes: two draws of three studies at a time
    studies = exact.binomial([1, 5, 3], [20, 30, 25]).studies
    priors = Prior.parse("Normal(mu=-2, sigma=1)"), Prior.parse("HalfNormal(sigma=1)")
    below, above = _tails(studies, *priors, np.array([9.0, 2.0]), draws, 0)
    np.testing.assert_allclose(below + above, 1, rtol=1e-15)


def test_known_studies_alone_play_a_part():
    mixed = exact.mixture([[2, 3, 4], [3, 2, 4]], [20, 32, 19]).posterior("Normal(-2, 1)", "HalfNormal(1)")
    found = mixed.conflict(draws=5000)
    assert found.index.tolist() == ["mu"] and found.loc["mu", "observed"] == 4
    alone = exact.binomial([4], [19]).posterior("Normal(-2, 1)", "HalfNormal(1)").conflict(draws=5000)
    assert found.loc["mu", "p"] == alone.loc["mu", "p"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: exact.normal(Y, SE).posterior("Flat()", "HalfNormal(1)").conflict(),
            "expected proper priors",
        ),
        (lambda: exact.normal(Y, SE).posterior("Normal(0, 1)", "HalfNormal(1)").conflict(draws=0), "draws"),
        (
            lambda: exact.mixture([[1], [2]], [5]).posterior("Normal(0, 1)", "HalfNormal(1)").conflict(),
            "latent",
        ),
    ],
)
def test_what_predicts_nothing_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
