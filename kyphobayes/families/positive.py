"""Families on the positive half line: for standard deviations.

Lomax, HalfLogistic, Rayleigh, LogStudentT and PC are not PyMC's. Lomax has a shape and a scale, named
as PyMC names those of its Weibull; HalfLogistic and Rayleigh keep the letters of Logistic and HalfNormal.

``PC(U, alpha)`` is the penalised-complexity prior of a standard deviation, Simpson et al. (2017),
Statistical Science 32:1-28, section 3.3: the exponential with P(x > U) = alpha.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from kyphobayes.families.family import Array, Family, above_zero, never
from kyphobayes.families.real import (
    cauchy,
    logistic,
    normal,
    student,
    student_below,
    student_place,
    student_top,
)

_LOG_2 = float(np.log(2))
_SQRT_2 = float(np.sqrt(2))
_FLAT = 1e-9  # of sqrt(nu), up to which the density of a Student-t is that at 0


def _times_log(a: Any, x: Array) -> Array:
    """A log(x), where 0 log(0) is 0."""
    return a * np.log(x) if np.all(x > 0) else special.xlogy(a, x)


def _gamma(x: Array, alpha: Any, beta: Any) -> Array:
    return (alpha * np.log(beta) - special.gammaln(alpha)) + _times_log(alpha - 1, x) - beta * x


def _inverse_gamma(x: Array, alpha: Any, beta: Any) -> Array:
    safe = np.where(x > 0, x, 1.0)
    found = (alpha * np.log(beta) - special.gammaln(alpha)) - (alpha + 1) * np.log(safe) - beta / safe
    return np.where(x > 0, found, -np.inf)


def _of_log(log_density: Any) -> Any:
    """Log density of exp(z), where z has the density given; zero at 0."""

    def found(x: Array, **parameters: Any) -> Array:
        log_x = np.log(np.where(x > 0, x, 1.0))
        return np.where(x > 0, log_density(log_x, **parameters) - log_x, -np.inf)

    return found


def _log_student(x: Array, nu: Any, mu: Any, sigma: Any) -> Array:
    # Towards 0 the density of z falls as a power only, so that of exp(z) grows without bound.
    log_x = np.log(np.where(x > 0, x, 1.0))
    return np.where(x > 0, student(log_x, nu, mu, sigma) - log_x, np.inf)


def _weibull(x: Array, alpha: Any, beta: Any) -> Array:
    scaled = x / beta
    powered = np.exp(_times_log(alpha, scaled)) if np.all(x > 0) else scaled**alpha
    return np.log(alpha / beta) + _times_log(alpha - 1, scaled) - powered


def _lomax(x: Array, alpha: Any, beta: Any) -> Array:
    return np.log(alpha / beta) - (alpha + 1) * np.log1p(x / beta)


def _rayleigh(x: Array, sigma: Any) -> Array:
    return _times_log(1.0, x) - 2 * np.log(sigma) - 0.5 * (x / sigma) ** 2


def _half_cauchy_place(q: Array) -> Array:
    near, far = np.minimum(q, 0.5), np.minimum(1 - q, 0.5)
    return np.where(q < 0.5, np.tan(np.pi * near / 2), 1 / np.tan(np.pi * far / 2))


def _half_student_below(x: Array, nu: Any, sigma: Any) -> Array:
    z = x / sigma
    z2 = np.minimum(z, np.sqrt(nu)) ** 2
    # Near the middle of the whole distribution its functions have no digits; those of the beta have.
    near = special.betainc(0.5, nu / 2, z2 / (nu + z2))
    near = np.where(z < _FLAT * np.sqrt(nu), 2 * z * np.exp(student_top(nu)), near)
    return np.where(z < np.sqrt(nu), near, 1 - 2 * student_below(-z, nu))


def _half_student_above(x: Array, nu: Any, sigma: Any) -> Array:
    below = _half_student_below(x, nu, sigma)
    return np.where(below < 0.5, 1 - below, 2 * student_below(-x / sigma, nu))


def _half_student_place(q: Array, nu: Any, sigma: Any) -> Array:
    share = special.betaincinv(0.5, nu / 2, np.minimum(q, 0.5))
    near = np.sqrt(nu * share / (1 - share))
    near = np.where(share < _FLAT**2, q / (2 * np.exp(student_top(nu))), near)
    return sigma * np.where(q < 0.5, near, -student_place((1 - np.maximum(q, 0.5)) / 2, nu))


def _half_student_far_place(q: Array, nu: Any, sigma: Any) -> Array:
    return np.where(q > 0.5, _half_student_place(1 - q, nu, sigma), -sigma * student_place(q / 2, nu))


def _rate(U: Any, alpha: Any) -> Any:
    return -np.log(alpha) / U


_EXPONENTIAL = Family(
    {"lam": 1.0},
    lambda x, lam: np.log(lam) - lam * x,
    cdf=lambda x, lam: -np.expm1(-lam * x),
    survival=lambda x, lam: np.exp(-lam * x),
    quantile=lambda q, lam: -np.log1p(-q) / lam,
    upper_quantile=lambda q, lam: -np.log(q) / lam,
    positive=("lam",),
    support=above_zero,
)

POSITIVE_FAMILIES: Mapping[str, Family] = {
    "HalfFlat": Family({}, lambda x: np.zeros_like(x), support=above_zero, proper=never),
    "FlatSqrt": Family({}, lambda x: -_times_log(0.5, x), support=above_zero, proper=never),
    "HalfNormal": Family(
        {"sigma": 1.0},
        lambda x, sigma: normal(x, 0.0, sigma) + _LOG_2,
        cdf=lambda x, sigma: special.erf(x / (_SQRT_2 * sigma)),
        survival=lambda x, sigma: special.erfc(x / (_SQRT_2 * sigma)),
        quantile=lambda q, sigma: _SQRT_2 * sigma * special.erfinv(q),
        upper_quantile=lambda q, sigma: -sigma * special.ndtri(q / 2),
        positive=("sigma",),
        support=above_zero,
    ),
    "HalfStudentT": Family(
        {"nu": 1.0, "sigma": 1.0},
        lambda x, nu, sigma: student(x, nu, 0.0, sigma) + _LOG_2,
        cdf=_half_student_below,
        survival=_half_student_above,
        quantile=_half_student_place,
        upper_quantile=_half_student_far_place,
        positive=("nu", "sigma"),
        support=above_zero,
    ),
    "HalfCauchy": Family(
        {"beta": 1.0},
        lambda x, beta: cauchy(x, 0.0, beta) + _LOG_2,
        cdf=lambda x, beta: 2 / np.pi * np.arctan(x / beta),
        survival=lambda x, beta: 2 / np.pi * np.arctan2(beta, x),
        quantile=lambda q, beta: beta * _half_cauchy_place(q),
        upper_quantile=lambda q, beta: beta / _half_cauchy_place(q),
        positive=("beta",),
        support=above_zero,
    ),
    "HalfLogistic": Family(
        {"s": 1.0},
        lambda x, s: logistic(x, 0.0, s) + _LOG_2,
        cdf=lambda x, s: np.tanh(x / (2 * s)),
        survival=lambda x, s: 2 * special.expit(-x / s),
        quantile=lambda q, s: 2 * s * np.arctanh(q),
        upper_quantile=lambda q, s: -s * special.logit(q / 2),
        positive=("s",),
        support=above_zero,
    ),
    "Exponential": _EXPONENTIAL,
    "PC": Family(
        {"U": None, "alpha": None},
        lambda x, U, alpha: _EXPONENTIAL.log_density(x, _rate(U, alpha)),
        cdf=lambda x, U, alpha: -np.expm1(-_rate(U, alpha) * x),
        survival=lambda x, U, alpha: np.exp(-_rate(U, alpha) * x),
        quantile=lambda q, U, alpha: -np.log1p(-q) / _rate(U, alpha),
        upper_quantile=lambda q, U, alpha: -np.log(q) / _rate(U, alpha),
        positive=("U",),
        unit=("alpha",),
        support=above_zero,
    ),
    "Gamma": Family(
        {"alpha": None, "beta": None},
        _gamma,
        cdf=lambda x, alpha, beta: special.gammainc(alpha, beta * x),
        survival=lambda x, alpha, beta: special.gammaincc(alpha, beta * x),
        quantile=lambda q, alpha, beta: special.gammaincinv(alpha, q) / beta,
        upper_quantile=lambda q, alpha, beta: special.gammainccinv(alpha, q) / beta,
        positive=("alpha", "beta"),
        support=above_zero,
    ),
    "InverseGamma": Family(
        {"alpha": None, "beta": 1.0},
        _inverse_gamma,
        cdf=lambda x, alpha, beta: special.gammaincc(alpha, beta / x),
        survival=lambda x, alpha, beta: special.gammainc(alpha, beta / x),
        quantile=lambda q, alpha, beta: beta / special.gammainccinv(alpha, q),
        upper_quantile=lambda q, alpha, beta: beta / special.gammaincinv(alpha, q),
        positive=("alpha", "beta"),
        support=above_zero,
    ),
    "LogNormal": Family(
        {"mu": 0.0, "sigma": 1.0},
        _of_log(normal),
        cdf=lambda x, mu, sigma: special.ndtr((np.log(x) - mu) / sigma),
        survival=lambda x, mu, sigma: special.ndtr((mu - np.log(x)) / sigma),
        quantile=lambda q, mu, sigma: np.exp(mu + sigma * special.ndtri(q)),
        upper_quantile=lambda q, mu, sigma: np.exp(mu - sigma * special.ndtri(q)),
        positive=("sigma",),
        support=above_zero,
    ),
    "LogStudentT": Family(
        {"nu": None, "mu": 0.0, "sigma": 1.0},
        _log_student,
        cdf=lambda x, nu, mu, sigma: student_below((np.log(x) - mu) / sigma, nu),
        survival=lambda x, nu, mu, sigma: student_below((mu - np.log(x)) / sigma, nu),
        quantile=lambda q, nu, mu, sigma: np.exp(mu + sigma * student_place(q, nu)),
        upper_quantile=lambda q, nu, mu, sigma: np.exp(mu - sigma * student_place(q, nu)),
        positive=("nu", "sigma"),
        support=above_zero,
    ),
    "Weibull": Family(
        {"alpha": None, "beta": None},
        _weibull,
        cdf=lambda x, alpha, beta: -np.expm1(-((x / beta) ** alpha)),
        survival=lambda x, alpha, beta: np.exp(-((x / beta) ** alpha)),
        quantile=lambda q, alpha, beta: beta * (-np.log1p(-q)) ** (1 / alpha),
        upper_quantile=lambda q, alpha, beta: beta * (-np.log(q)) ** (1 / alpha),
        positive=("alpha", "beta"),
        support=above_zero,
    ),
    "Lomax": Family(
        {"alpha": 1.0, "beta": 1.0},
        _lomax,
        cdf=lambda x, alpha, beta: -np.expm1(-alpha * np.log1p(x / beta)),
        survival=lambda x, alpha, beta: np.exp(-alpha * np.log1p(x / beta)),
        quantile=lambda q, alpha, beta: beta * np.expm1(-np.log1p(-q) / alpha),
        upper_quantile=lambda q, alpha, beta: beta * np.expm1(-np.log(q) / alpha),
        positive=("alpha", "beta"),
        support=above_zero,
    ),
    "Rayleigh": Family(
        {"sigma": 1.0},
        _rayleigh,
        cdf=lambda x, sigma: -np.expm1(-0.5 * (x / sigma) ** 2),
        survival=lambda x, sigma: np.exp(-0.5 * (x / sigma) ** 2),
        quantile=lambda q, sigma: sigma * np.sqrt(-2 * np.log1p(-q)),
        upper_quantile=lambda q, sigma: sigma * np.sqrt(-2 * np.log(q)),
        positive=("sigma",),
        support=above_zero,
    ),
}
