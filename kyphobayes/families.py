"""The families of priors: PyMC's names and parameters, and their densities in plain numpy.

Density and quantile function are written here, not taken from PyMC or scipy.stats, because the
exact engine must start without either. One contract test holds every family to both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Support = tuple[float, float]

REAL: Support = (-np.inf, np.inf)
POSITIVE: Support = (0.0, np.inf)
_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Family:
    """One family of priors.

    Attributes
    ----------
    defaults : mapping
        Parameter names in order, with PyMC's default or None where one must be given.
    log_density, quantile : callable
        Of the value (or probability) and the parameters by name. `quantile` is None if improper.
    positive : tuple of str
        Parameters that must be greater than zero.
    support : callable
        Of the parameters by name.
    """

    defaults: Mapping[str, float | None]
    log_density: Callable[..., Array]
    quantile: Callable[..., Array] | None
    positive: tuple[str, ...] = ()
    support: Callable[..., Support] = field(default=lambda **_: REAL)


def _on_positive(**_: float) -> Support:
    return POSITIVE


def _between(lower: float, upper: float) -> Support:
    return (lower, upper)


def _normal(x: Array, mu: float, sigma: float) -> Array:
    return -0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * _LOG_2PI


def _student(x: Array, nu: float, mu: float, sigma: float) -> Array:
    constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return constant - np.log(sigma) - (nu + 1) / 2 * np.log1p(((x - mu) / sigma) ** 2 / nu)


def _cauchy(x: Array, alpha: float, beta: float) -> Array:
    return -np.log(np.pi * beta) - np.log1p(((x - alpha) / beta) ** 2)


def _logistic(x: Array, mu: float, s: float) -> Array:
    z = (x - mu) / s
    return -z - np.log(s) - 2 * np.logaddexp(0.0, -z)


def _laplace(x: Array, mu: float, b: float) -> Array:
    return -np.abs(x - mu) / b - np.log(2 * b)


def _gamma(x: Array, alpha: float, beta: float) -> Array:
    return alpha * np.log(beta) - special.gammaln(alpha) + special.xlogy(alpha - 1, x) - beta * x


def _inverse_gamma(x: Array, alpha: float, beta: float) -> Array:
    with np.errstate(divide="ignore"):
        return alpha * np.log(beta) - special.gammaln(alpha) - (alpha + 1) * np.log(x) - beta / x


def _log_normal(x: Array, mu: float, sigma: float) -> Array:
    with np.errstate(divide="ignore"):
        log_x = np.log(x)
    return np.where(x > 0, _normal(log_x, mu, sigma) - np.where(x > 0, log_x, 0.0), -np.inf)


def _weibull(x: Array, alpha: float, beta: float) -> Array:
    return np.log(alpha / beta) + special.xlogy(alpha - 1, x / beta) - (x / beta) ** alpha


def _halves(q: Array) -> Array:
    """Probability of a symmetric density whose positive half has probability `q`."""
    return (1 + q) / 2


def _student_quantile(q: Array, nu: float, mu: float, sigma: float) -> Array:
    return mu + sigma * special.stdtrit(nu, q)


FAMILIES: Mapping[str, Family] = {
    "Normal": Family(
        {"mu": 0.0, "sigma": 1.0},
        _normal,
        lambda q, mu, sigma: mu + sigma * special.ndtri(q),
        ("sigma",),
    ),
    "StudentT": Family({"nu": None, "mu": 0.0, "sigma": 1.0}, _student, _student_quantile, ("nu", "sigma")),
    "Cauchy": Family(
        {"alpha": 0.0, "beta": 1.0},
        _cauchy,
        lambda q, alpha, beta: alpha + beta * np.tan(np.pi * (q - 0.5)),
        ("beta",),
    ),
    "Logistic": Family({"mu": 0.0, "s": 1.0}, _logistic, lambda q, mu, s: mu + s * special.logit(q), ("s",)),
    "Laplace": Family(
        {"mu": 0.0, "b": 1.0},
        _laplace,
        lambda q, mu, b: mu - b * np.sign(q - 0.5) * np.log1p(-2 * np.abs(q - 0.5)),
        ("b",),
    ),
    "Uniform": Family(
        {"lower": 0.0, "upper": 1.0},
        lambda x, lower, upper: np.full_like(x, -np.log(upper - lower)),
        lambda q, lower, upper: lower + (upper - lower) * q,
        (),
        _between,
    ),
    "Flat": Family({}, lambda x: np.zeros_like(x), None),
    "HalfFlat": Family({}, lambda x: np.zeros_like(x), None, (), _on_positive),
    "HalfNormal": Family(
        {"sigma": 1.0},
        lambda x, sigma: _normal(x, 0.0, sigma) + np.log(2),
        lambda q, sigma: sigma * special.ndtri(_halves(q)),
        ("sigma",),
        _on_positive,
    ),
    "HalfStudentT": Family(
        {"nu": 1.0, "sigma": 1.0},
        lambda x, nu, sigma: _student(x, nu, 0.0, sigma) + np.log(2),
        lambda q, nu, sigma: _student_quantile(_halves(q), nu, 0.0, sigma),
        ("nu", "sigma"),
        _on_positive,
    ),
    "HalfCauchy": Family(
        {"beta": 1.0},
        lambda x, beta: _cauchy(x, 0.0, beta) + np.log(2),
        lambda q, beta: beta * np.tan(np.pi * q / 2),
        ("beta",),
        _on_positive,
    ),
    "Exponential": Family(
        {"lam": 1.0},
        lambda x, lam: np.log(lam) - lam * x,
        lambda q, lam: -np.log1p(-q) / lam,
        ("lam",),
        _on_positive,
    ),
    "Gamma": Family(
        {"alpha": None, "beta": None},
        _gamma,
        lambda q, alpha, beta: special.gammaincinv(alpha, q) / beta,
        ("alpha", "beta"),
        _on_positive,
    ),
    "InverseGamma": Family(
        {"alpha": None, "beta": 1.0},
        _inverse_gamma,
        lambda q, alpha, beta: beta / special.gammainccinv(alpha, q),
        ("alpha", "beta"),
        _on_positive,
    ),
    "LogNormal": Family(
        {"mu": 0.0, "sigma": 1.0},
        _log_normal,
        lambda q, mu, sigma: np.exp(mu + sigma * special.ndtri(q)),
        ("sigma",),
        _on_positive,
    ),
    "Weibull": Family(
        {"alpha": None, "beta": None},
        _weibull,
        lambda q, alpha, beta: beta * (-np.log1p(-q)) ** (1 / alpha),
        ("alpha", "beta"),
        _on_positive,
    ),
}
