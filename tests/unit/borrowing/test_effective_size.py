"""Effective sample sizes: where they have a formula, and what all of them must obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from kyphobayes.borrowing import elir, log_odds_unit_sd, moment, moment_rate, morita, robust, unit_sd
from kyphobayes.errors import InputError
from kyphobayes.priors import Prior


def log_odds_of_beta(a, b):
    """Density of the log odds of a beta variable: worth a + b observations."""
    x = np.linspace(-30, 30, 6001)
    return x, np.exp(a * x - (a + b) * np.logaddexp(0, x) - special.betaln(a, b))


@given(st.floats(-5, 5), st.floats(0.01, 10), st.floats(0.1, 10))
def test_a_normal_prior_is_worth_the_ratio_of_variances(mu, sigma, unit):
    prior = Prior("Normal", (("mu", mu), ("sigma", sigma)))
    for measure in (elir, moment, morita):
        # moment sees a normal without its outermost millionths: 5e-5 of the variance
        assert measure(prior, unit) == pytest.approx((unit / sigma) ** 2, rel=1e-4)


@pytest.mark.parametrize(("a", "b"), [(3, 11), (20, 20), (2.5, 60)])
def test_a_beta_prior_is_worth_a_plus_b(a, b):
    """Neuenschwander et al. (2020): ELIR is predictively consistent, and here the ratio is constant."""
    density = log_odds_of_beta(a, b)
    assert elir(density, log_odds_unit_sd) == pytest.approx(a + b, rel=1e-5)
    assert morita(density, log_odds_unit_sd) == pytest.approx(a + b, rel=1e-5)
    assert moment_rate(density) == pytest.approx(a + b, rel=1e-5)


def test_elir_of_a_mixture_by_quadrature():
    prior = Prior.parse("Mixture(0.7*Normal(mu=0, sigma=0.4) + 0.3*Normal(mu=1, sigma=2))")
    x = np.linspace(-18, 20, 400_001)
    a = 0.7 * np.exp(-0.5 * (x / 0.4) ** 2) / 0.4
    b = 0.3 * np.exp(-0.5 * ((x - 1) / 2) ** 2) / 2
    p = (a + b) / np.sqrt(2 * np.pi)
    score = (-x / 0.16 * a - (x - 1) / 4 * b) / (a + b)
    assert elir(prior, 2.0) == pytest.approx(4 * np.trapezoid(score**2 * p, x), rel=1e-4)


def test_robustness_costs_what_it_may_cost():
    prior = Prior.parse("Normal(mu=-1, sigma=0.3)")
    half = robust(prior, 0.5, sigma=2)
    assert moment(half, 2.0) < elir(half, 2.0) < elir(prior, 2.0)
    assert morita(half, 2.0) == pytest.approx(morita(prior, 2.0), rel=0.15)  # it sees the peak only


def test_a_mixture_of_equals_is_worth_what_each_is():
    prior = Prior.parse("Mixture(0.5*Normal(mu=0, sigma=1) + 0.5*Normal(mu=0, sigma=1))")
    assert elir(prior, 3.0) == pytest.approx(9, rel=1e-4)


def test_the_unit_of_studies_by_hand():
    """Two studies of 10 and 30 with variances 1/2 and 1/3: 40 / 5."""
    assert unit_sd([10, 30], np.sqrt([1 / 2, 1 / 3])) == pytest.approx(np.sqrt(8), rel=1e-14)
    assert log_odds_unit_sd(np.log(1 / 3)) == pytest.approx(1 / np.sqrt(0.25 * 0.75), rel=1e-14)


@pytest.mark.parametrize(
    ("density", "hint"),
    [
        (Prior.parse("Flat()"), "improper"),
        ((np.arange(5.0), np.ones(5)), "above 0 at 20 places or more, found 5"),
        ((np.arange(50.0), np.ones(49)), r"one length, found shapes \(50,\) and \(49,\)"),
        ((np.zeros(50), np.ones(50)), "finite and increasing"),
        ((np.arange(50.0), -np.ones(50)), "not negative"),
        ((np.arange(50.0),), "a pair"),
    ],
)
def test_what_is_no_density_is_refused(density, hint):
    with pytest.raises(InputError, match=hint):
        elir(density, 1.0)


@pytest.mark.parametrize("unit", [0.0, -1.0, float("nan"), lambda theta: theta])
def test_a_unit_is_positive(unit):
    with pytest.raises(InputError, match="unit_sd: expected a number greater than 0"):
        elir(Prior.parse("Normal()"), unit)


def test_studies_have_sizes():
    with pytest.raises(InputError, match="n and se of one length"):
        unit_sd([1, 2], [0.1])
