"""Counts against brute force: zero cells, all events, one study, tiny and huge denominators."""

import time

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.exact.likelihoods import BinomialStudies, PoissonStudies

Q = np.array([1e-4, 0.025, 0.5, 0.975, 1 - 1e-4])

STUDIES_OF = {"binomial": BinomialStudies, "poisson": PoissonStudies}


CASES = {
    "one study, all events": ("binomial", [20], [20], (0, 1.5), 1),
    "one study, none": ("binomial", [0], [20], (0, 1.5), 1),
    "n of 1": ("binomial", [0, 1, 0, 0, 1, 1], [1] * 6, (0, 1.5), 1),
    "all events": ("binomial", [20, 35, 18], [20, 35, 18], (0, 1.5), 0.5),
    "none and all": ("binomial", [0, 35, 0, 18], [20, 35, 18, 18], (0, 2), 2),
    "tau far above a study's scale": ("binomial", [0, 50, 3, 47, 25], [50] * 5, (0, 3), 3),
    "rates": ("poisson", [3, 0, 6], [100, 50, 240], (-3, 1), 0.5),
}


@pytest.mark.parametrize("case", CASES)
def test_posterior(count_reference, case):
    kind, events, size, (centre, sd), scale = CASES[case]
    post = getattr(exact, kind)(events, size).posterior(
        f"Normal(mu={centre}, sigma={sd})", f"HalfNormal(sigma={scale})"
    )
    half = 11 * sd + 8 * scale
    reference = count_reference(
        kind, events, size, stats.norm(centre, sd), stats.halfnorm(scale=scale),
        mu_range=(centre - half, centre + half), tau_max=8 * scale, steps=0.12, nodes=64, h=0.05,
    )  # fmt: skip
    assert post.log_marginal_likelihood == pytest.approx(reference.log_marginal_likelihood, abs=1e-8)
    for name in ("mu", "tau", "theta_new"):
        mean, sd = reference.moments(name)
        density = getattr(post, name)
        assert density.mean == pytest.approx(mean, abs=1e-7 * sd)
        assert density.sd == pytest.approx(sd, rel=1e-7)
        np.testing.assert_allclose(reference.cdf(name, density.quantile(Q)), Q, atol=2e-7)
    np.testing.assert_allclose(post.shrinkage()["mean"], reference.effects, atol=1e-6)


def brute(kind, a, n, mu, tau):
    """Log of one study's integrated likelihood by 200,001 equal steps where its integrand is."""
    growth = (lambda theta: np.logaddexp(0, theta)) if kind == "binomial" else np.exp
    ends = np.linspace(min(mu, -30) - 12 * tau, max(mu, 30) + 12 * tau, 200_001)
    for _ in range(3):
        with np.errstate(over="ignore"):  # far out the growth overflows, and the likelihood is 0
            log_f = a * ends - n * growth(ends) - 0.5 * ((ends - mu) / tau) ** 2
        near = np.flatnonzero(log_f > log_f.max() - 80)
        ends = np.linspace(ends[max(near[0] - 1, 0)], ends[min(near[-1] + 1, len(ends) - 1)], 200_001)
    log_f = a * ends - n * growth(ends) - 0.5 * ((ends - mu) / tau) ** 2
    total = special.logsumexp(log_f) + np.log(np.ptp(ends) / (len(ends) - 1) / tau) - 0.5 * np.log(2 * np.pi)
    if kind == "binomial":
        return total - np.log(n + 1) - special.betaln(a + 1, n - a + 1)
    return total + a * np.log(n) - special.gammaln(a + 1)


STUDIES = {
    "binomial": [(0, 1), (1, 1), (0, 50), (50, 50), (3, 10), (0, 10**6), (2 * 10**5, 10**6)],
    "poisson": [(0, 1e-3), (2, 1e-3), (0, 1e9), (5, 1e9), (4, 1.0)],
}


@pytest.mark.parametrize(
    ("kind", "a", "n"), [(k, a, n) for k, studies in STUDIES.items() for a, n in studies]
)
def test_integrated_likelihood(kind, a, n):
    study = STUDIES_OF[kind]([a], [n])
    centre, scale = float(study.centres[0]), float(study.scales[0])
    mu = centre + np.array([-20.0, -3.0, -0.1, 0.0, 0.5, 2.0, 5.0])
    tau = np.array([0.01 * scale, 0.3 * scale, 1.0, 8.0])
    found = study.log_integrated(mu, tau)[0]
    expected = np.array([[brute(kind, a, n, m, t) for t in tau] for m in mu])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(
    ("kind", "a", "n", "mu", "tau"),
    [
        ("binomial", 200_000, 10**6, 6.329657602774002, 0.0036312305045236135),
        ("binomial", 0, 10**6, 8.75, 0.0036106407876409946),
        ("poisson", 0, 1e6, 120.9, 0.5),
        ("poisson", 10**6, 1.0, 4.98, 0.02),
    ],
)
def test_far_from_the_data_newton_does_not_run_in_circles(kind, a, n, mu, tau):
    found = STUDIES_OF[kind]([a], [n]).log_integrated([mu], [tau])[0, 0, 0]
    assert found == pytest.approx(brute(kind, a, n, mu, tau), rel=1e-6)


def test_a_batch_gives_what_single_values_give():
    studies = PoissonStudies([3, 4], [10, 20])
    mu, tau = np.linspace(20, 90, 40), np.geomspace(1e-3, 6, 12)
    together = studies.log_integrated(mu, tau)[0]
    assert np.isfinite(together).all()
    alone = [[studies.log_integrated([m], [t])[0, 0, 0] for t in tau[::4]] for m in mu[::13]]
    np.testing.assert_allclose(together[::13, ::4], alone, rtol=1e-7)


def pieces(edges, order=24):
    """Gauss-Legendre nodes and weights on each piece between sorted edges."""
    x, w = np.polynomial.legendre.leggauss(order)
    edges = np.unique(edges)
    half, centre = np.diff(edges)[:, None] / 2, (edges[:-1] + edges[1:])[:, None] / 2
    return (centre + half * x).ravel(), (half * w).ravel()


@pytest.mark.parametrize(
    ("kind", "events", "size", "mu"),
    [
        ("binomial", [200_000, 3], [10**6, 10], "Normal(0, 1.5)"),
        ("binomial", [0, 3], [10**6, 10], "Normal(0, 1.5)"),
        ("binomial", [200_000, 210_000, 150_000], [10**6] * 3, "Normal(0, 1.5)"),
        ("binomial", [1, 5, 3], [50] * 3, "Normal(0, 10000)"),
        ("poisson", [0, 1, 2], [1e-3] * 3, "Normal(0, 5)"),
        ("poisson", [5, 10, 0], [1e9, 2e9, 1e9], "Normal(-18, 5)"),
        ("poisson", [3, 4], [10, 20], "Normal(0, 10)"),
        ("poisson", [0, 0], [1, 1e6], "Normal(0, 3)"),
    ],
)
def test_extreme_counts(kind, events, size, mu):
    """The marginal likelihood is the direct sum over pieces of mu and tau, with no interpolation."""
    start = time.process_time()
    surface = getattr(exact, kind)(events, size)
    post = surface.posterior(mu, "HalfNormal(sigma=1)")
    assert time.process_time() - start < 5
    summary = post.summary()
    assert np.isfinite(summary.to_numpy()).all()
    assert (summary["sd"] > 0).all()
    low, high = post.mu.quantile([1e-12, 1 - 1e-12])
    top = post.tau.quantile(1 - 1e-12)
    # Pieces around the studies' own places, and down to the smallest tau that any could tell from 0.
    own = np.concatenate([surface.studies.centres + c * surface.studies.scales for c in (-20, -5, 0, 5, 20)])
    m, mu_weights = pieces([low, high, *own[(own > low) & (own < high)], *np.linspace(low, high, 9)])
    t, tau_weights = pieces([0.0, *(top * 2.0 ** -np.arange(14.0))])
    log_joint = surface.log_likelihood(m, t) + post.priors["mu"].log_density(m)[:, None]
    log_joint += post.priors["tau"].log_density(t)
    total = special.logsumexp(log_joint, b=np.outer(mu_weights, tau_weights))
    assert post.log_marginal_likelihood == pytest.approx(total, abs=1e-6)
