"""Leaving one study out, and predictive p-values, against direct sums of the references."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import ImproperPosterior, InputError

Y = np.array([-0.5, 0.2, -1.2, 0.3, 0.1, -0.4, -0.9])
SE = np.array([0.3, 0.4, 0.5, 0.2, 0.6, 0.3, 0.25])
COUNTS = {
    "binomial": ([0, 5, 4, 12], [32, 35, 19, 264]),
    "poisson": ([3, 0, 6], [10.0, 5.0, 2.4]),
}
TABLES, N = np.array([[2, 0, 5, 3], [3, 0, 4, 3], [1, 1, 5, 3], [0, 0, 7, 3]]), [20, 32, 46, 19]
PRIORS = "Normal(mu=-1, sigma=1.5)", "HalfNormal(sigma=0.7)"


def counts(count_reference, kind, events, size, h=0.08):
    mu, tau = stats.norm(-1, 1.5), stats.halfnorm(scale=0.7)
    return count_reference(
        kind, events, size, mu, tau, mu_range=(-18, 16), tau_max=6, steps=0.12, nodes=56, h=h
    )


def p_given(kind, count, size, theta):
    """Probability of more than `count`, ties counted half: a sum over the counts up to it."""
    if kind == "binomial":
        log_p, log_q = special.log_expit(theta), special.log_expit(-theta)
        terms = [np.exp(c * log_p + (size - c) * log_q) * special.comb(size, c) for c in range(count + 1)]
    else:
        rate = size * np.exp(theta)
        terms = [stats.poisson.pmf(c, rate) for c in range(count + 1)]
    return 1 - sum(terms[:-1]) - terms[-1] / 2


def mean_over_effects(reference, function, weight=np.ones_like):
    """Mean of `function(theta)` under theta ~ N(mu, tau), (mu, tau) from the joint of a reference."""
    z = np.arange(-9.5, 9.5, 0.1)
    normal = stats.norm.pdf(z)
    total = 0.0
    for column, tau in enumerate(reference.tau):
        share = reference.joint[:, column] * reference.tau_weights[column] * reference.step
        seen = share > 1e-14 * reference.step
        theta = reference.mu[seen, None] + tau * z
        w = weight(theta) * normal
        total += share[seen] @ ((w * function(theta)).sum(axis=1) / w.sum(axis=1))
    return total


@pytest.mark.parametrize("mu", [(0, 1), None, (3, 0.2)])
def test_normal_studies(normal_reference, mu):
    prior = "Flat()" if mu is None else f"Normal(mu={mu[0]}, sigma={mu[1]})"
    post = exact.normal(Y, SE).posterior(prior, "HalfCauchy(beta=0.5)")
    tau = stats.halfcauchy(scale=0.5)
    whole = normal_reference(Y, SE, mu, tau)
    found, mixed, left_out = post.loo(), post.predictive_p("mixed"), post.predictive_p("loo")
    elpd = []
    for i in range(len(Y)):
        rest = normal_reference(np.delete(Y, i), np.delete(SE, i), mu, tau)
        elpd.append(whole.log_marginal_likelihood - rest.log_marginal_likelihood)
        for p, reference in ((mixed, whole), (left_out, rest)):
            mean, variance = reference._normals["theta_new"]
            expected = reference.mass @ special.ndtr((mean - Y[i]) / np.sqrt(variance + SE[i] ** 2))
            assert p[str(i + 1)] == pytest.approx(expected, abs=2e-8)
        mean, variance = whole._normals[str(i + 1)]
        expected = whole.mass @ special.ndtr((mean - Y[i]) / np.sqrt(variance + SE[i] ** 2))
        assert post.predictive_p("posterior")[str(i + 1)] == pytest.approx(expected, abs=2e-8)
    np.testing.assert_allclose(found["elpd"], [*elpd, sum(elpd)], atol=1e-7)
    assert found.loc["total", "se"] == pytest.approx(np.sqrt(7) * np.std(elpd), rel=1e-6)


@pytest.mark.parametrize("kind", COUNTS)
def test_counts(count_reference, kind):
    events, size = COUNTS[kind]
    post = getattr(exact, kind)(events, size).posterior(*PRIORS)
    whole = counts(count_reference, kind, events, size)
    found, own, mixed, left_out = post.loo(), *map(post.predictive_p, ("posterior", "mixed", "loo"))
    for i, (a, n) in enumerate(zip(events, size, strict=True)):
        rest = counts(count_reference, kind, np.delete(events, i), np.delete(size, i))
        expected = whole.log_marginal_likelihood - rest.log_marginal_likelihood
        assert found["elpd"].iloc[i] == pytest.approx(expected, abs=1e-8)
        p = lambda theta, a=a, n=n: p_given(kind, a, n, theta)  # noqa: E731  # one formula, handed on at once
        assert mixed.iloc[i] == pytest.approx(mean_over_effects(whole, p), abs=1e-7)
        assert left_out.iloc[i] == pytest.approx(mean_over_effects(rest, p), abs=1e-7)
        growth = np.exp if kind == "poisson" else lambda theta: np.logaddexp(0, theta)
        # one formula, handed on at once
        weight = lambda theta, a=a, n=n, g=growth: np.exp(a * theta - n * g(theta))  # noqa: E731
        assert own.iloc[i] == pytest.approx(mean_over_effects(whole, p, weight), abs=1e-6)


def test_predictive_densities_of_every_count_sum_to_one():
    others = exact.binomial([5, 4], [35, 19]).posterior(*PRIORS)
    total = 0.0
    for count in range(5):
        post = exact.binomial([count, 5, 4], [4, 35, 19]).posterior(*PRIORS)
        total += np.exp(post.loo()["elpd"].iloc[0])
        assert post.without("1").log_marginal_likelihood == pytest.approx(
            others.log_marginal_likelihood, abs=1e-12
        )
    assert total == pytest.approx(1, abs=1e-8)


def test_latent_counts_are_one_observation():
    labels = ["a", "b", "c", "d"]
    post = exact.mixture(TABLES, N, [1, 2, 3, 1], labels=labels).posterior(*PRIORS)
    found = post.loo()
    assert found.index.tolist() == ["d", "a + b + c", "total"]
    alone = exact.binomial([3], [19]).posterior(*PRIORS).log_marginal_likelihood
    assert found.loc["a + b + c", "elpd"] == pytest.approx(post.log_marginal_likelihood - alone, abs=1e-8)
    rest = [exact.binomial(table[:3], N[:3]).posterior(*PRIORS) for table in TABLES]
    shares = np.array([1, 2, 3, 1]) / 7
    evidence = special.logsumexp([p.log_marginal_likelihood for p in rest], b=shares)
    assert found.loc["d", "elpd"] == pytest.approx(post.log_marginal_likelihood - evidence, abs=1e-8)
    assert post.predictive_p().index.tolist() == ["d"]
    assert post.without("a").surface.labels == ["b", "c", "d"]
    assert len(post.without("a", "b", "c").surface.tables) == 1


def test_a_single_study_is_predicted_by_the_priors():
    post = exact.binomial([3], [20]).posterior(*PRIORS)
    found = post.loo()
    assert found.loc["total", "elpd"] == post.log_marginal_likelihood
    assert np.isnan(found["se"]).all()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: p.without("x"), InputError, "expected a study's label, found 'x'"),
        (lambda p: p.without("1", "2"), InputError, "at least one study to stay"),
        (lambda p: p.predictive_p("prior"), InputError, "kind: expected one of posterior, mixed, loo"),
        (lambda p: p.without("1").predictive_p("loo"), InputError, "at least 2 studies"),
        (lambda p: exact.mixture([[1], [2]], [5]).posterior(*PRIORS).predictive_p(), InputError, "latent"),
        (lambda p: exact.normal(Y[:3], SE[:3]).posterior("Flat()", "Flat()").loo(), ImproperPosterior,
         "without 1: .*not proper"),
        (lambda p: exact.normal([1], [1]).posterior("Flat()", "HalfNormal(1)").loo(), ImproperPosterior,
         "without its only observation"),
    ],
)  # fmt: skip
def test_what_cannot_be_left_out_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make(exact.normal(Y[:2], SE[:2]).posterior(*PRIORS))


@pytest.mark.parametrize(
    ("events", "n"), [([0, 0, 0], [10, 20, 30]), ([10, 20], [10, 20]), ([2 * 10**5, 3], [10**6, 10])]
)
def test_events_and_non_events_have_mirrored_p_values(events, n):
    priors = "Normal(0, 1.5)", "HalfNormal(1)"
    post, mirrored = (exact.binomial(a, n).posterior(*priors) for a in (events, np.subtract(n, events)))
    for kind in ("posterior", "mixed", "loo"):
        np.testing.assert_allclose(post.predictive_p(kind) + mirrored.predictive_p(kind), 1, atol=1e-7)
