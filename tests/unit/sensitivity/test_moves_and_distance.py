"""Distances of densities against closed forms, and moves of priors against their quantiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes import exact
from kyphobayes.errors import PriorError
from kyphobayes.priors import Prior
from kyphobayes.sensitivity import hellinger, scaled, shifted
from kyphobayes.sensitivity.distance import cjs, distances

WITH_SCALE = [
    "Normal(mu=1, sigma=2)",
    "StudentT(nu=4, mu=-1, sigma=0.5)",
    "Cauchy(alpha=1, beta=2)",
    "Logistic(mu=1, s=2)",
    "Laplace(mu=0.5, b=1)",
    "Uniform(lower=-1, upper=2)",
]
ABOVE_ZERO = [
    "HalfLogistic(s=0.7)",
    "Lomax(alpha=2, beta=0.5)",
    "PC(U=1, alpha=0.05)",
    "Rayleigh(sigma=0.4)",
    "LogStudentT(nu=5, mu=-3, sigma=1.2)",
    "Tau2(LogNormal(mu=-2, sigma=1.5))",
    "HalfNormal(sigma=0.5)",
    "HalfStudentT(nu=3, sigma=0.5)",
    "HalfCauchy(beta=2)",
    "Exponential(lam=2)",
    "Gamma(alpha=2, beta=3)",
    "InverseGamma(alpha=2, beta=0.3)",
    "LogNormal(mu=-1, sigma=0.8)",
    "Weibull(alpha=1.5, beta=2)",
    "Uniform(lower=0, upper=3)",
]
Q = np.array([0.01, 0.3, 0.5, 0.9])


def normal_distance(m, s, n, t):
    """Hellinger distance of Normal(m, s) and Normal(n, t), in closed form."""
    affinity = np.sqrt(2 * s * t / (s**2 + t**2)) * np.exp(-0.25 * (m - n) ** 2 / (s**2 + t**2))
    return np.sqrt(1 - affinity)


@given(st.floats(-3, 3), st.floats(0.1, 5), st.floats(-3, 3), st.floats(0.1, 5))
def test_hellinger_of_normals_is_the_closed_form(m, s, n, t):
    one = Prior("Normal", (("mu", m), ("sigma", s)))
    other = Prior("Normal", (("mu", n), ("sigma", t)))
    found = hellinger(one, other)
    # One minus an affinity near 1 has no more digits than this.
    assert found**2 == pytest.approx(normal_distance(m, s, n, t) ** 2, abs=2e-7)
    assert 0 <= found <= 1
    assert found == pytest.approx(hellinger(other, one), abs=1e-9)


def test_hellinger_of_half_cauchys_is_a_quadrature():
    from scipy import integrate, stats

    affinity = integrate.quad(
        lambda x: np.sqrt(stats.halfcauchy.pdf(x, 0, 1) * stats.halfcauchy.pdf(x, 0, 3)), 0, np.inf
    )[0]
    found = hellinger(Prior.parse("HalfCauchy(beta=1)"), Prior.parse("HalfCauchy(beta=3)"))
    assert found == pytest.approx(np.sqrt(1 - affinity), abs=1e-5)


@pytest.mark.parametrize("kind", ["counts", "normal"])
def test_distances_of_posteriors_are_those_of_their_densities(kind, leaks, effects):
    surface = leaks if kind == "counts" else effects
    pairs = [
        ("Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)"),
        ("Normal(mu=-1.2, sigma=0.5)", "HalfCauchy(beta=2)"),
        ("Normal(mu=-2, sigma=0.01)", "HalfNormal(sigma=0.01)"),
    ]
    posts = [surface.posterior(mu, tau) for mu, tau in pairs]
    found = distances(posts, posts[0])
    assert found[0] == pytest.approx(0, abs=1e-4)
    assert found[2, 0] > 0.9
    for row, post in enumerate(posts):
        expected = [hellinger(getattr(post, n), getattr(posts[0], n)) for n in ("mu", "tau", "theta_new")]
        assert found[row] == pytest.approx(expected, abs=1e-4)


def test_cumulative_distance_by_hand():
    # P is 0 then 1, Q is 1 throughout, on two halves of a range: by hand from the definition.
    p, q, w = np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([0.5, 0.5])
    by_parts = (0.5 * 1 - 0) / (0.5 + 1)  # Q log2(2Q / (P + Q)) = 1 on the first half, nothing on the second
    assert cjs(p, q, w) == pytest.approx(np.sqrt(by_parts))
    assert cjs(q, q, w) == 0 and cjs(p * 0, q * 0, w) == 0


@pytest.mark.parametrize("text", WITH_SCALE)
def test_shift_and_scale_move_every_quantile(text):
    prior = Prior.parse(text)
    assert shifted(prior, 0.7).quantile(Q) == pytest.approx(prior.quantile(Q) + 0.7)
    middle = prior.quantile(0.5)
    assert scaled(prior, 3.0).quantile(Q) == pytest.approx(middle + 3 * (prior.quantile(Q) - middle))


@pytest.mark.parametrize("text", ABOVE_ZERO)
def test_scale_of_a_prior_above_zero_multiplies_every_quantile(text):
    prior = Prior.parse(text)
    assert scaled(prior, 0.2).quantile(Q) == pytest.approx(0.2 * prior.quantile(Q))
    assert scaled(scaled(prior, 0.2), 5.0).quantile(Q) == pytest.approx(prior.quantile(Q))


def test_what_cannot_be_moved_says_so():
    with pytest.raises(PriorError, match=r"HalfNormal\(sigma=1\) has no location to move; expected one of"):
        shifted(Prior.parse("HalfNormal(sigma=1)"), 1.0)
    with pytest.raises(PriorError, match=r"Flat\(\) has no scale to move"):
        scaled(Prior.parse("Flat()"), 2.0)
    with pytest.raises(PriorError, match="expected a factor greater than 0, found -1"):
        scaled(Prior.parse("HalfNormal(sigma=1)"), -1.0)


def test_a_surface_is_all_that_is_needed():
    post = exact.normal([0.2], [0.1]).posterior("Normal(mu=0, sigma=1)", "HalfNormal(sigma=1e-7)")
    # A single estimate with tau near 0 is conjugate: the posterior of mu is normal.
    variance = 1 / (1 + 100)
    expected = Prior("Normal", (("mu", 0.2 * 100 * variance), ("sigma", np.sqrt(variance))))
    assert hellinger(post.mu, expected) < 1e-4
