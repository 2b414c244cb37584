"""Mixtures fitted to predictive densities, and made robust."""

import numpy as np
import pytest

from kyphobayes.borrowing import map_prior, robust
from kyphobayes.errors import InputError, PriorError
from kyphobayes.priors import Prior


def test_a_normal_is_found_again():
    found = map_prior(Prior.parse("Normal(mu=-1.5, sigma=0.4)"), 1)
    ((weight,), (component,)) = (value for _, value in found.prior.parameters)
    assert weight == pytest.approx(1)
    # What is left out beyond the outermost millionths narrows it by 3e-5.
    assert dict(component.parameters) == pytest.approx({"mu": -1.5, "sigma": 0.4}, rel=1e-4)
    assert found.divergence < 1e-5


def test_a_heavy_tail_takes_more_components_and_each_helps():
    density = Prior.parse("StudentT(nu=4, mu=1, sigma=0.5)")
    divergences = [map_prior(density, k).divergence for k in (1, 2, 3)]
    assert divergences == sorted(divergences, reverse=True)
    assert divergences[2] < 2e-3 < divergences[0]
    found = map_prior(density, 3).prior
    q = [0.025, 0.25, 0.5, 0.75, 0.975]
    np.testing.assert_allclose(found.quantile(q), density.quantile(q), atol=0.03)


def test_an_asymmetric_density_is_followed():
    density = Prior.parse("Mixture(0.7*Normal(mu=-2, sigma=0.3) + 0.3*Normal(mu=0, sigma=1))")
    found = map_prior(density, 2)
    weights, components = (value for _, value in found.prior.parameters)
    assert weights == pytest.approx((0.7, 0.3), abs=2e-3)
    assert [dict(c.parameters)["mu"] for c in components] == pytest.approx([-2, 0], abs=0.01)
    assert found.divergence < 1e-5


def test_moments_are_those_of_the_density():
    """The EM algorithm keeps mean and variance at every step."""
    x = np.linspace(-6, 10, 3001)
    pdf = np.exp(-0.5 * x**2) + 0.3 * np.exp(-0.5 * (x - 3) ** 2)
    pdf /= np.trapezoid(pdf, x)
    mean = np.trapezoid(x * pdf, x)
    variance = np.trapezoid((x - mean) ** 2 * pdf, x)
    weights, components = (value for _, value in map_prior((x, pdf), 3).prior.parameters)
    mu = np.array([dict(c.parameters)["mu"] for c in components])
    sigma = np.array([dict(c.parameters)["sigma"] for c in components])
    assert weights @ mu == pytest.approx(mean, abs=1e-5)
    assert np.array(weights) @ (sigma**2 + (mu - mean) ** 2) == pytest.approx(variance, rel=1e-5)


def test_the_same_density_gives_the_same_prior():
    density = Prior.parse("StudentT(nu=3, mu=0, sigma=1)")
    assert map_prior(density, 2) == map_prior(density, 2)
    assert Prior.parse(str(map_prior(density, 2).prior)) == map_prior(density, 2).prior


@pytest.mark.parametrize("components", [0, 11])
def test_the_number_of_components_is_small(components):
    with pytest.raises(InputError, match="components: expected a number from 1 to 10"):
        map_prior(Prior.parse("Normal()"), components)


def test_a_robust_prior_keeps_the_rest_in_proportion():
    prior = Prior.parse("Mixture(0.75*Normal(mu=-1, sigma=0.3) + 0.25*Normal(mu=-1, sigma=1))")
    expected = (
        "Mixture(0.6*Normal(mu=-1, sigma=0.3) + 0.2*Normal(mu=-1, sigma=1) + 0.2*Normal(mu=0, sigma=2))"
    )
    assert str(robust(prior, 0.2, sigma=2, mu=0)).replace("0.6000000000000001", "0.6") == expected
    plain = robust(Prior.parse("Normal(mu=-1, sigma=0.3)"), 0.5, sigma=2)
    assert str(plain) == "Mixture(0.5*Normal(mu=-1, sigma=0.3) + 0.5*Normal(mu=-1, sigma=2))"


@pytest.mark.parametrize(
    ("text", "weight", "sigma", "error", "hint"),
    [
        ("Normal()", 0.0, 1, InputError, "weight: expected a number between 0 and 1"),
        ("Normal()", 1.0, 1, InputError, "weight: expected a number between 0 and 1"),
        ("Normal()", 0.2, 0, PriorError, "sigma must be greater than 0"),
        ("Flat()", 0.2, 1, PriorError, "improper"),
    ],
)
def test_what_cannot_be_made_robust(text, weight, sigma, error, hint):
    with pytest.raises(error, match=hint):
        robust(Prior.parse(text), weight, sigma=sigma)
