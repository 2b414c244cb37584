"""What was said is what the prior says."""

import sys

import numpy as np
import pytest
from scipy import special

from kyphobayes import elicit
from kyphobayes.errors import InputError, PriorError

PLACED = [("Normal", {}), ("StudentT", {"nu": 4}), ("Cauchy", {}), ("Logistic", {}), ("Laplace", {})]
SCALED = [
    ("HalfNormal", {}),
    ("HalfStudentT", {"nu": 4}),
    ("HalfCauchy", {}),
    ("HalfLogistic", {}),
    ("Exponential", {}),
    ("Lomax", {"alpha": 6}),
    ("Rayleigh", {}),
    ("Weibull", {"alpha": 1.5}),
]


@pytest.mark.parametrize(("family", "shape"), PLACED)
def test_a_rate_lies_where_it_was_said_to_lie(family, shape):
    prior = elicit.elicit_rate(0.01, 0.2, 0.9, family=family, **shape)
    assert prior.family == family
    rates = special.expit(prior.quantile([0.05, 0.95]))
    np.testing.assert_allclose(rates, [0.01, 0.2], rtol=1e-12)
    assert prior.why == "90 % sure that the rate is between 1 and 20 %."


def test_a_rate_by_hand():
    """Log odds -4.5951 and -1.3863: centre -2.9907, and their distance is 3.92 sigma."""
    parameters = dict(elicit.elicit_rate(0.01, 0.2).parameters)
    assert parameters == pytest.approx({"mu": -2.9907071, "sigma": 0.8185929}, rel=1e-7)


def test_an_effect_keeps_its_scale():
    prior = elicit.elicit_effect(-20, 60, 0.5)
    np.testing.assert_allclose(prior.quantile([0.25, 0.75]), [-20, 60], rtol=1e-12)


@pytest.mark.parametrize(("family", "shape"), SCALED)
def test_two_centres_differ_as_was_said(family, shape):
    prior = elicit.elicit_tau(3, 0.9, 0.8, family=family, **shape)
    bound = prior.quantile(0.8)
    # A share 0.9 of the differences Normal(0, sqrt(2) bound) lies within log 3.
    inside = 1 - 2 * special.ndtr(-np.log(3) / (np.sqrt(2) * bound))
    assert inside == pytest.approx(0.9, rel=1e-12)
    assert "80 % sure" in prior.why and "3-fold" in prior.why


def test_the_median_ratio_of_two_centres():
    """Spiegelhalter et al. (2004): exp(1.09 tau) is the median of the larger over the smaller odds."""
    tau = float(elicit.elicit_tau(np.exp(1.09), 0.5, 0.5).quantile(0.5))
    assert tau == pytest.approx(1.09 / 1.09, rel=0.15)
    assert np.sqrt(2) * special.ndtri(0.75) * tau == pytest.approx(1.09, rel=1e-12)


@pytest.mark.parametrize(
    ("ask", "error", "hint"),
    [
        (lambda: elicit.elicit_rate(0, 0.2), InputError, "low: expected a rate strictly between 0 and 1"),
        (lambda: elicit.elicit_rate(1, 20), InputError, "5 % is 0.05"),
        (lambda: elicit.elicit_rate(0.2, 0.1), InputError, "expected low below high"),
        (lambda: elicit.elicit_rate(0.1, 0.2, 95), InputError, "mass: expected a probability"),
        (lambda: elicit.elicit_rate(0.1, 0.2, family="Gamma"), InputError, "one of Normal, StudentT"),
        (lambda: elicit.elicit_rate(0.1, 0.2, family="StudentT"), PriorError, "also needs nu"),
        (lambda: elicit.elicit_effect(1, np.inf), InputError, "expected low below high"),
        (lambda: elicit.elicit_tau(1), InputError, "factor: expected a ratio above 1"),
        (lambda: elicit.elicit_tau(3, 0), InputError, "mass: expected a probability"),
        (lambda: elicit.elicit_tau(3, 0.9, 1), InputError, "sure: expected a probability"),
        (lambda: elicit.elicit_tau(3, family="Normal"), InputError, "one of HalfNormal"),
        (lambda: elicit.elicit_tau(3, family="Lomax", shape=2), PriorError, "Lomax has no parameter shape"),
    ],
)
def test_what_cannot_be_said(ask, error, hint):
    with pytest.raises(error, match=hint):
        ask()


def test_without_preliz_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "preliz", None)
    with pytest.raises(InputError, match=r"install kyphobayes\[elicit\]"):
        elicit.maximum_entropy("Gamma", 1, 5)


def test_maximum_entropy():
    pytest.importorskip("preliz")
    prior = elicit.maximum_entropy("Gamma", 1, 5, 0.9)
    assert prior.cdf(5) - prior.cdf(1) == pytest.approx(0.9, abs=1e-3)
    with pytest.raises(InputError, match="not a family of PreliZ"):
        elicit.maximum_entropy("Gammma", 1, 5)
