"""Densities, both tails and their quantiles, for every family of priors, from 1e-300 of its mass on."""

import math
from collections.abc import Callable
from typing import NamedTuple

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from kyphobayes.families import FAMILIES, NUMBER_FAMILIES
from kyphobayes.families.family import Law
from kyphobayes.priors import Prior

mp.dps = 50
Q = (1e-300, 1e-100, 1e-30, 1e-12, 1e-6, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-9)
CLOSE = 1e-10
TINY = mpf("1e-300")
HALF = mpf(1) / 2


class Truth(NamedTuple):
    """Log density, and probability below and above."""

    log_density: Callable[[mpf], mpf]
    below: Callable[[mpf], mpf]
    above: Callable[[mpf], mpf]


def symmetric(log_density, tail, centre, scale) -> Truth:
    """From a standard density and the tail of it above z, z of either sign."""
    z = lambda x: (x - centre) / scale  # noqa: E731 -- a formula, and no more
    return Truth(lambda x: log_density(z(x)) - mpmath.log(scale), lambda x: tail(-z(x)), lambda x: tail(z(x)))


def halved(whole: Truth, below) -> Truth:
    return Truth(lambda x: mpmath.log(2) + whole.log_density(x), below, lambda x: 2 * whole.above(x))


def of_log(whole: Truth) -> Truth:
    return Truth(
        lambda x: whole.log_density(mpmath.log(x)) - mpmath.log(x),
        lambda x: whole.below(mpmath.log(x)),
        lambda x: whole.above(mpmath.log(x)),
    )


def hazard(cumulative, log_density) -> Truth:
    """From the cumulative hazard."""
    return Truth(log_density, lambda x: -mpmath.expm1(-cumulative(x)), lambda x: mpmath.exp(-cumulative(x)))


def normal(mu, sigma) -> Truth:
    tail = lambda z: mpmath.erfc(z / mpmath.sqrt(2)) / 2  # noqa: E731 -- a formula, and no more
    return symmetric(lambda z: -z * z / 2 - mpmath.log(2 * mp.pi) / 2, tail, mu, sigma)


def student(nu, mu, sigma) -> Truth:
    def log_density(z):
        constant = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2) - mpmath.log(nu * mp.pi) / 2
        return constant - (nu + 1) / 2 * mpmath.log1p(z * z / nu)

    def tail(z):
        far = mpmath.betainc(nu / 2, HALF, 0, nu / (nu + z * z), regularized=True) / 2
        return far if z > 0 else 1 - far

    return symmetric(log_density, tail, mu, sigma)


def cauchy(alpha, beta) -> Truth:
    return symmetric(
        lambda z: -mpmath.log(mp.pi) - mpmath.log1p(z * z), lambda z: mpmath.atan2(1, z) / mp.pi, alpha, beta
    )


def logistic(mu, s) -> Truth:
    return symmetric(
        lambda z: -z - 2 * mpmath.log1p(mpmath.exp(-z)), lambda z: 1 / (1 + mpmath.exp(z)), mu, s
    )


def laplace(mu, b) -> Truth:
    tail = lambda z: mpmath.exp(-z) / 2 if z > 0 else 1 - mpmath.exp(z) / 2  # noqa: E731 -- a formula, and no more
    return symmetric(lambda z: -abs(z) - mpmath.log(2), tail, mu, b)


def uniform(lower, upper) -> Truth:
    width = upper - lower
    return Truth(lambda x: -mpmath.log(width), lambda x: (x - lower) / width, lambda x: (upper - x) / width)


def half_student(nu, sigma) -> Truth:
    def below(x):
        square = (x / sigma) ** 2
        return mpmath.betainc(HALF, nu / 2, 0, square / (nu + square), regularized=True)

    return halved(student(nu, mpf(0), sigma), below)


def exponential(lam) -> Truth:
    return hazard(lambda x: lam * x, lambda x: mpmath.log(lam) - lam * x)


def gamma_tails(alpha):
    """Regularised incomplete gamma functions, lower and upper: a series, and an integral far out."""

    def lower(y):
        if y >= alpha + 1:
            return 1 - upper(y)
        term = total = 1 / alpha
        n = 1
        while term > total * mpf(10) ** -40:
            term *= y / (alpha + n)
            total, n = total + term, n + 1
        return total * mpmath.exp(alpha * mpmath.log(y) - y - mpmath.loggamma(alpha))

    def upper(y):
        if y < alpha + 1:
            return 1 - lower(y)
        tail = mpmath.quad(
            lambda t: mpmath.exp((alpha - 1) * mpmath.log1p(t / y) - t), [0, 1, 10, 50, 200, 1000]
        )
        return tail * mpmath.exp((alpha - 1) * mpmath.log(y) - y - mpmath.loggamma(alpha))

    return lower, upper


def gamma(alpha, beta) -> Truth:
    lower, upper = gamma_tails(alpha)
    constant = alpha * mpmath.log(beta) - mpmath.loggamma(alpha)
    log_density = lambda x: constant + (alpha - 1) * mpmath.log(x) - beta * x  # noqa: E731 -- a formula, and no more
    return Truth(log_density, lambda x: lower(beta * x), lambda x: upper(beta * x))


def inverse_gamma(alpha, beta) -> Truth:
    lower, upper = gamma_tails(alpha)
    constant = alpha * mpmath.log(beta) - mpmath.loggamma(alpha)
    log_density = lambda x: constant - (alpha + 1) * mpmath.log(x) - beta / x  # noqa: E731 -- a formula, and no more
    return Truth(log_density, lambda x: upper(beta / x), lambda x: lower(beta / x))


def weibull(alpha, beta) -> Truth:
    power = lambda x: (x / beta) ** alpha  # noqa: E731 -- a formula, and no more
    return hazard(power, lambda x: mpmath.log(alpha / beta) + (alpha - 1) * mpmath.log(x / beta) - power(x))


def lomax(alpha, beta) -> Truth:
    return hazard(
        lambda x: alpha * mpmath.log1p(x / beta),
        lambda x: mpmath.log(alpha / beta) - (alpha + 1) * mpmath.log1p(x / beta),
    )


def rayleigh(sigma) -> Truth:
    power = lambda x: (x / sigma) ** 2 / 2  # noqa: E731 -- a formula, and no more
    return hazard(power, lambda x: mpmath.log(x) - 2 * mpmath.log(sigma) - power(x))


TRUTH = {
    "Normal": normal,
    "StudentT": student,
    "Cauchy": cauchy,
    "Logistic": logistic,
    "Laplace": laplace,
    "Uniform": uniform,
    "HalfNormal": lambda sigma: halved(
        normal(mpf(0), sigma), lambda x: mpmath.erf(x / sigma / mpmath.sqrt(2))
    ),
    "HalfStudentT": half_student,
    "HalfCauchy": lambda beta: halved(cauchy(mpf(0), beta), lambda x: 2 / mp.pi * mpmath.atan(x / beta)),
    "HalfLogistic": lambda s: halved(logistic(mpf(0), s), lambda x: mpmath.tanh(x / (2 * s))),
    "Exponential": exponential,
    "PC": lambda U, alpha: exponential(-mpmath.log(alpha) / U),
    "Gamma": gamma,
    "InverseGamma": inverse_gamma,
    "LogNormal": lambda mu, sigma: of_log(normal(mu, sigma)),
    "LogStudentT": lambda nu, mu, sigma: of_log(student(nu, mu, sigma)),
    "Weibull": weibull,
    "Lomax": lomax,
    "Rayleigh": rayleigh,
}
PRIORS = [
    "Normal(0, 1)", "Normal(3, 1e-8)", "Normal(-2, 1e8)",
    "StudentT(0.01, 0, 1)", "StudentT(0.5, 0, 1)", "StudentT(3, 1, 2)", "StudentT(1e6, 0, 1)",
    "StudentT(1e10, 0, 1)",
    "Cauchy(0, 1)", "Cauchy(5, 1e-6)", "Logistic(0, 1)", "Laplace(0, 2)", "Uniform(1e3, 1e8)",
    "HalfNormal(1)", "HalfNormal(1e-8)", "HalfNormal(1e-200)",
    "HalfStudentT(0.5, 1)", "HalfStudentT(3, 1)", "HalfStudentT(1e6, 1)", "HalfStudentT(1e10, 1)",
    "HalfCauchy(1)", "HalfCauchy(1e6)", "HalfLogistic(1)", "Exponential(1)", "Exponential(1e8)",
    "PC(1, 0.05)", "PC(1, 1e-12)",
    "Gamma(2, 1)", "Gamma(1e-3, 1e-3)", "Gamma(500, 10)",
    "InverseGamma(2, 1)", "InverseGamma(1e-3, 1e-3)", "InverseGamma(500, 10)",
    "LogNormal(0, 1)", "LogNormal(-2, 5)", "LogStudentT(5, -2, 1)",
    "Weibull(0.5, 1)", "Weibull(5, 2)", "Lomax(1, 1)", "Lomax(0.1, 10)", "Lomax(1e6, 1e6)", "Rayleigh(1)",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIORS)
def test_both_tails_and_their_quantiles(text):
    prior = Prior.parse(text)
    truth = TRUTH[prior.family](*(mpf(value) for _, value in prior.parameters))
    for upper in (False, True):
        for q in Q:
            check(prior.law, truth, q, upper)


def check(law: Law, truth: Truth, q: float, upper: bool) -> None:
    x = float(law.upper_quantile(q) if upper else law.quantile(q))
    if not np.isfinite(x) or x == 0:  # beyond all numbers, or the middle of a symmetric law
        edge = mpf(math.copysign(1.7e308, x)) if x else mpf(5e-324)
        tail = truth.above(edge) if upper else truth.below(edge)
        assert x == 0 or (tail >= q if (x > 0) == upper else tail <= q)
        return
    at = mpf(x)
    below, above, log_density = truth.below(at), truth.above(at), truth.log_density(at)
    assert abs(float(law.log_density(x)) - log_density) <= CLOSE * max(1, abs(log_density)), (x, q)
    for found, true in ((law.cdf(x), below), (law.survival(x), above)):
        assert true < TINY or abs(float(found) - true) <= CLOSE * true, (x, q)
    tail = above if upper else below
    moved = mpf(1e-15) * abs(at) * mpmath.exp(log_density)  # the tail, by a rounding of x alone
    assert abs(tail - mpf(q)) <= CLOSE * mpf(q) + moved, (x, q, upper)


def test_every_family_with_numbers_is_here():
    improper = {"Flat", "HalfFlat", "FlatSqrt"}
    assert {Prior.parse(text).family for text in PRIORS} == set(TRUTH) == set(NUMBER_FAMILIES) - improper


@pytest.mark.parametrize("family", ["DuMouchel", "UniformShrinkage", "UniformI2", "Conventional"])
@pytest.mark.parametrize("se", [(1e-3, 1e3), (1e-60, 2e-60), (1e60, 2e60)])
def test_priors_of_the_studies_at_extreme_errors(family, se):
    """Round trips through both tails, and a density that is the slope of the distribution function."""
    law = Law(FAMILIES[family], {"se": se})
    for q in (1e-12, 1e-6, 0.3, 0.5, 0.9):
        assert float(law.cdf(law.quantile(q))) == pytest.approx(q, rel=1e-9)
        assert float(law.survival(law.upper_quantile(q))) == pytest.approx(q, rel=1e-9)
    x = float(law.quantile(0.4))
    slope = (law.cdf(x * (1 + 1e-4)) - law.cdf(x * (1 - 1e-4))) / (2e-4 * x)
    assert float(slope) == pytest.approx(float(np.exp(law.log_density(x))), rel=1e-6)


def test_harmonic_and_typical_errors_do_not_cancel():
    """Typical variance of Higgins and Thompson (2002), eq. 9, beside one huge study."""
    se = (1e-3, 1e3, 2e3)
    w = [1 / mpf(e) ** 2 for e in se]
    typical = mpmath.sqrt(2 * sum(w) / (sum(w) ** 2 - sum(x * x for x in w)))
    harmonic = mpmath.sqrt(3 / sum(w))
    for name, scale in (("UniformI2", typical), ("UniformShrinkage", harmonic)):
        found = float(Law(FAMILIES[name], {"se": se}).quantile(0.5))
        assert abs(found / scale - 1) < 1e-12, name


@pytest.mark.parametrize("lower", [5.0, 20.0, 37.0])
def test_truncation_far_out(lower):
    """A normal beyond 37 standard deviations: 5.7e-300 of it, and yet a prior."""
    prior = Prior.parse(f"Truncated(Normal(0, 1), lower={lower})")
    whole = normal(mpf(0), mpf(1))
    inside = whole.above(mpf(lower))
    for x in (lower + 1e-3, lower + 0.2):
        true = whole.log_density(mpf(x)) - mpmath.log(inside)
        assert abs(float(prior.log_density(x)) - true) < 1e-10 * max(1, abs(true))
        below = 1 - whole.above(mpf(x)) / inside
        assert abs(float(prior.cdf(x)) - below) < 1e-11
        assert float(prior.quantile(float(below))) == pytest.approx(x, rel=1e-11)
