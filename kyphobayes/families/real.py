"""Families on the real line: for mu, and the whole of which a Half… family is the half."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from kyphobayes.families.family import Array, Family, Support, never

LOG_2PI = float(np.log(2 * np.pi))
_SQUARE = 1e100  # beyond it 1 + z^2 is z^2
_TAIL = -40.0  # log of nu / (nu + t^2) below which the tail of a Student-t is a power


def normal(x: Array, mu: Any, sigma: Any) -> Array:
    """Log density of Normal(mu, sigma)."""
    z = (x - mu) / sigma
    return -0.5 * z**2 - (np.log(sigma) + 0.5 * LOG_2PI)


def student(x: Array, nu: Any, mu: Any, sigma: Any) -> Array:
    """Log density of StudentT(nu, mu, sigma)."""
    z = (x - mu) / sigma
    return (student_top(nu) - np.log(sigma)) - (nu + 1) / 2 * _log1p_square(z / np.sqrt(nu))


def student_top(nu: Any) -> Any:
    """Log density of the standard Student-t at 0."""
    # The ratio of two large Gammas loses its digits in their logs; Stirling's series keeps them.
    a = np.asarray(nu, dtype=float) / 2
    far = np.maximum(a, 20.0)
    series = -1 / (8 * far) + 1 / (192 * far**3) - 1 / (640 * far**5) + 17 / (14336 * far**7)
    near = np.minimum(a, 20.0)
    ratio = special.gammaln(near + 0.5) - special.gammaln(near) - 0.5 * np.log(near)
    return np.where(a > 20, series, ratio) - 0.5 * LOG_2PI


def _log1p_square(z: Array) -> Array:
    """log(1 + z^2), also where the square is no number any more."""
    size = np.abs(z)
    far = 2 * np.log(np.maximum(size, 1.0))
    return np.where(size < _SQUARE, np.log1p(np.minimum(size, _SQUARE) ** 2), far)


def cauchy(x: Array, alpha: Any, beta: Any) -> Array:
    """Log density of Cauchy(alpha, beta)."""
    return -np.log(np.pi * beta) - _log1p_square((x - alpha) / beta)


def logistic(x: Array, mu: Any, s: Any) -> Array:
    """Log density of Logistic(mu, s)."""
    z = np.abs((x - mu) / s)  # it is symmetric, and exp(-z) cannot overflow
    return -z - np.log(s) - 2 * np.log1p(np.exp(-z))


def _laplace(x: Array, mu: Any, b: Any) -> Array:
    return -np.abs(x - mu) / b - np.log(2 * b)


def _laplace_below(z: Array) -> Array:
    half = 0.5 * np.exp(-np.abs(z))
    return np.where(z < 0, half, 1 - half)


def _laplace_place(q: Array) -> Array:
    return np.where(q < 0.5, np.log(2 * q), -np.log(2 * (1 - q)))


def student_below(z: Array, nu: Any) -> Array:
    """Probability that a standard Student-t is at most z."""
    # The tail is the incomplete beta function of x = nu / (nu + z^2): its first term, where x is tiny.
    log_x = np.log(nu) - 2 * np.log(np.maximum(np.abs(z), 1e-300))
    power = np.exp(nu / 2 * log_x - np.log(nu) - special.betaln(nu / 2, 0.5))
    far = log_x < _TAIL
    return np.where(far, np.where(z < 0, power, 1 - power), special.stdtr(nu, np.where(far, 0.0, z)))


def student_place(q: Array, nu: Any) -> Array:
    """Quantile of the standard Student-t: the inverse of `student_below`."""
    tail = np.minimum(q, 1 - q)
    some = np.where(tail > 0, tail, 0.5)
    log_x = 2 / nu * (np.log(some) + np.log(nu) + special.betaln(nu / 2, 0.5))
    power = -np.sqrt(nu) * np.exp(-log_x / 2)
    lower = np.where(log_x < _TAIL, power, special.stdtrit(nu, np.where(log_x < _TAIL, 0.5, some)))
    lower = np.where(tail > 0, lower, -np.inf)
    return np.where(q < 0.5, lower, -lower)


def _cauchy_above(z: Array) -> Array:
    return np.arctan2(1.0, z) / np.pi


def _cauchy_place(q: Array) -> Array:
    near = np.tan(np.pi * (np.clip(q, 0.25, 0.75) - 0.5))
    far = 1 / np.tan(np.pi * np.minimum(q, 1 - q))
    return np.where(np.abs(q - 0.5) < 0.25, near, np.where(q < 0.5, -far, far))


def _between(lower: Any, upper: Any) -> Support:
    return (lower, upper)


REAL_FAMILIES: Mapping[str, Family] = {
    "Normal": Family(
        {"mu": 0.0, "sigma": 1.0},
        normal,
        cdf=lambda x, mu, sigma: special.ndtr((x - mu) / sigma),
        survival=lambda x, mu, sigma: special.ndtr((mu - x) / sigma),
        quantile=lambda q, mu, sigma: mu + sigma * special.ndtri(q),
        upper_quantile=lambda q, mu, sigma: mu - sigma * special.ndtri(q),
        positive=("sigma",),
    ),
    "StudentT": Family(
        {"nu": None, "mu": 0.0, "sigma": 1.0},
        student,
        cdf=lambda x, nu, mu, sigma: student_below((x - mu) / sigma, nu),
        survival=lambda x, nu, mu, sigma: student_below((mu - x) / sigma, nu),
        quantile=lambda q, nu, mu, sigma: mu + sigma * student_place(q, nu),
        upper_quantile=lambda q, nu, mu, sigma: mu - sigma * student_place(q, nu),
        positive=("nu", "sigma"),
    ),
    "Cauchy": Family(
        {"alpha": 0.0, "beta": 1.0},
        cauchy,
        cdf=lambda x, alpha, beta: _cauchy_above((alpha - x) / beta),
        survival=lambda x, alpha, beta: _cauchy_above((x - alpha) / beta),
        quantile=lambda q, alpha, beta: alpha + beta * _cauchy_place(q),
        upper_quantile=lambda q, alpha, beta: alpha - beta * _cauchy_place(q),
        positive=("beta",),
    ),
    "Logistic": Family(
        {"mu": 0.0, "s": 1.0},
        logistic,
        cdf=lambda x, mu, s: special.expit((x - mu) / s),
        survival=lambda x, mu, s: special.expit((mu - x) / s),
        quantile=lambda q, mu, s: mu + s * special.logit(q),
        upper_quantile=lambda q, mu, s: mu - s * special.logit(q),
        positive=("s",),
    ),
    "Laplace": Family(
        {"mu": 0.0, "b": 1.0},
        _laplace,
        cdf=lambda x, mu, b: _laplace_below((x - mu) / b),
        survival=lambda x, mu, b: _laplace_below((mu - x) / b),
        quantile=lambda q, mu, b: mu + b * _laplace_place(q),
        upper_quantile=lambda q, mu, b: mu - b * _laplace_place(q),
        positive=("b",),
    ),
    "Uniform": Family(
        {"lower": 0.0, "upper": 1.0},
        lambda x, lower, upper: np.zeros_like(x) - np.log(upper - lower),
        cdf=lambda x, lower, upper: (x - lower) / (upper - lower),
        survival=lambda x, lower, upper: (upper - x) / (upper - lower),
        quantile=lambda q, lower, upper: lower + (upper - lower) * q,
        upper_quantile=lambda q, lower, upper: upper - (upper - lower) * q,
        ordered=("lower", "upper"),
        support=_between,
    ),
    "Flat": Family({}, lambda x: np.zeros_like(x), proper=never),
}
