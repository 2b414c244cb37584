"""Priors as variables of a PyMC model.

PyMC's own distributions are used wherever it has them. For the rest the log density is written as
a graph, and draws come from a table of quantiles: a Python function would work too, but Numba could
not compile it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
from pymc.distributions import transforms
from pytensor import tensor
from scipy import special

from kyphobayes.families import Array
from kyphobayes.families.studies import harmonic_mean, typical_error

if TYPE_CHECKING:
    from kyphobayes.priors.prior import Prior

pt: Any = tensor  # which declares its elementwise functions without a result
_REACH = 36.0  # of the table, as log odds of the probability: 1e-16 is left out at either end
_ROWS = 6001


def declare(prior: Prior, name: str, **kwargs: Any) -> Any:
    """Make a prior a variable `name` of the PyMC model in context."""
    own = _own(prior)
    if own is not None:
        family, parameters = own
        return getattr(pm, family)(name, **_as_float64(parameters), **kwargs)
    settings: dict[str, Any] = {
        "logp": lambda value: _log_density(prior, value),
        "default_transform": _transform(prior),
        # Not `initval`: PyMC cannot rewrite a model that has any.
        "support_point": lambda variable, size, *_: pt.full_like(variable, _start(prior)),
    }
    if prior.proper:
        settings["dist"] = lambda size: _from_table(prior, size)
    return pm.CustomDist(name, **(settings | kwargs))


def _own(prior: Prior) -> tuple[str, dict[str, Any]] | None:
    """PyMC's name and parameters for a prior, or None where it has no such distribution."""
    values = dict(prior.parameters)
    if prior.family == "PC":
        return "Exponential", {"lam": -np.log(values["alpha"]) / values["U"]}
    if prior.family == "Rayleigh":
        return "Weibull", {"alpha": 2.0, "beta": np.sqrt(2) * values["sigma"]}
    plain = all(isinstance(value, float) for value in values.values())
    return (prior.family, values) if plain and hasattr(pm, prior.family) else None


def _as_float64(parameters: dict[str, float]) -> dict[str, Any]:
    # PyTensor would keep a plain Python float in single precision.
    return {name: np.float64(value) for name, value in parameters.items()}


def _log_density(prior: Prior, x: Any) -> Any:
    """Log density of a prior as a graph."""
    low, high = prior.support
    somewhere = _start(prior)  # an outsider must not make a NaN, not even in a branch that is not taken
    inside = pt.ge(x, low) & pt.le(x, high)
    return pt.switch(inside, _inside(prior, pt.switch(inside, x, somewhere)), -np.inf)


def _inside(prior: Prior, x: Any) -> Any:
    own = _own(prior)
    if own is not None:
        return pm.logp(getattr(pm, own[0]).dist(**_as_float64(own[1])), x)
    values = dict(prior.parameters)
    if "se" in values:
        return _from_studies(prior, x)
    if prior.family == "Truncated":
        constant = prior.log_density(_start(prior)) - values["dist"].log_density(_start(prior))
        return _inside(values["dist"], x) + constant
    if prior.family == "Tau2":
        return _inside(values["dist"], x**2) + pt.log(2 * x)
    if prior.family == "Mixture":
        weights = np.array(values["weights"]) / np.sum(values["weights"])
        terms = [
            np.log(weight) + _log_density(component, x)
            for weight, component in zip(weights, values["components"], strict=True)
        ]
        return pt.logsumexp(pt.stack(terms), axis=0)
    return _ours(prior.family, _as_float64(values), x)


def _ours(family: str, values: dict[str, Any], x: Any) -> Any:
    if family == "FlatSqrt":
        return -0.5 * pt.log(x)
    if family == "HalfLogistic":
        return np.log(2.0) + pm.logp(pm.Logistic.dist(mu=np.float64(0.0), **values), x)
    if family == "LogStudentT":
        return pm.logp(pm.StudentT.dist(**values), pt.log(x)) - pt.log(x)
    assert family == "Lomax"
    alpha, beta = values["alpha"], values["beta"]
    return np.log(alpha / beta) - (alpha + 1) * pt.log1p(x / beta)


def _from_studies(prior: Prior, tau: Any) -> Any:
    """Log density of a prior that the standard errors define; its constant is taken from ours."""
    se = np.array(dict(prior.parameters)["se"])
    # Powers of variances leave the range of doubles in an odd unit, so all is relative to `unit`.
    unit = np.exp(np.log(se).mean())
    constant = prior.log_density(unit) - _shape(prior.family, np.ones(()), se / unit, np)
    return _shape(prior.family, tau / unit, se / unit, pt) + float(constant)


def _shape(family: str, t: Any, se: Array, functions: Any) -> Any:
    """Log density up to a constant, by the functions of NumPy or PyTensor."""
    log = functions.log
    if family == "DuMouchel":
        return -2 * log(harmonic_mean(se) + t)
    if family in ("UniformShrinkage", "UniformI2"):
        scale = harmonic_mean(se) if family == "UniformShrinkage" else typical_error(se)
        return log(t) - 2 * log(scale**2 + t**2)
    v = se**2 + t[..., None] ** 2
    if family in ("BergerDeely", "Conventional"):
        return log(t) - (1.5 if family == "Conventional" else 1.0) * log(v).mean(axis=-1)
    found = log(t) + 0.5 * log((v**-2.0).sum(axis=-1))
    return found + 0.5 * log((1 / v).sum(axis=-1)) if family == "OverallJeffreys" else found


def _transform(prior: Prior) -> Any:
    low, high = prior.support
    if np.isfinite(low) and np.isfinite(high):
        return transforms.Interval(low, high)
    if low == 0:
        return transforms.log
    if np.isfinite(low) or np.isfinite(high):
        return transforms.Interval(low if np.isfinite(low) else None, high if np.isfinite(high) else None)
    return None


def _start(prior: Prior) -> float:
    """Where it is safe to begin: the median, or the studies' own scale."""
    if prior.proper:
        return float(prior.quantile(0.5))
    errors = dict(prior.parameters).get("se", (1.0,))
    return float(np.exp(np.log(errors).mean()))


def _from_table(prior: Prior, size: Any) -> Any:
    """Draws by inverting the distribution function, from a table that is even in the log odds."""
    log_odds = np.linspace(-_REACH, _REACH, _ROWS)
    lower = log_odds <= 0
    low, high = prior.support
    values = np.where(
        lower,
        prior.law.quantile(special.expit(np.minimum(log_odds, 0))),
        prior.law.upper_quantile(special.expit(-np.maximum(log_odds, 0))),
    )
    positive = low == 0 and high == np.inf  # quantiles of a heavy tail are even in their logarithm
    values = np.log(np.clip(values, 1e-300, 1e300)) if positive else np.clip(values, -1e300, 1e300)
    place = (pm.Logistic.dist(mu=np.float64(0.0), s=np.float64(1.0), size=size) + _REACH) * (
        (_ROWS - 1) / (2 * _REACH)
    )
    place = pt.clip(place, 0.0, _ROWS - 1.001)
    row = pt.cast(pt.floor(place), "int64")
    table = pt.constant(values)
    found = table[row] + (place - row) * (table[row + 1] - table[row])
    return pt.exp(found) if positive else found
