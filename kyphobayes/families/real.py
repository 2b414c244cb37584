"""Families on the real line: for mu, and the whole of which a Half… family is the half."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from kyphobayes.families.family import Array, Family, Support, never

LOG_2PI = float(np.log(2 * np.pi))


def normal(x: Array, mu: Any, sigma: Any) -> Array:
    """Log density of Normal(mu, sigma)."""
    z = (x - mu) / sigma
    return -0.5 * z**2 - (np.log(sigma) + 0.5 * LOG_2PI)


def student(x: Array, nu: Any, mu: Any, sigma: Any) -> Array:
    """Log density of StudentT(nu, mu, sigma)."""
    constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    z = (x - mu) / sigma
    return (constant - np.log(sigma)) - (nu + 1) / 2 * np.log1p(z**2 / nu)


def cauchy(x: Array, alpha: Any, beta: Any) -> Array:
    """Log density of Cauchy(alpha, beta)."""
    z = (x - alpha) / beta
    return -np.log(np.pi * beta) - np.log1p(z**2)


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


def student_place(q: Array, nu: Any) -> Array:
    """Quantile of the standard Student-t."""
    tail = np.minimum(q, 1 - q)
    lower = np.where(tail > 0, special.stdtrit(nu, np.where(tail > 0, tail, 0.5)), -np.inf)
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
        cdf=lambda x, nu, mu, sigma: special.stdtr(nu, (x - mu) / sigma),
        survival=lambda x, nu, mu, sigma: special.stdtr(nu, (mu - x) / sigma),
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
