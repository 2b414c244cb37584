"""Priors in the words of Stan (brms) and of bayesmeta; None where a package has no words for one."""

from collections.abc import Callable
from typing import Any

from kyphobayes.priors import Prior

Given = dict[str, Any]
Say = Callable[[Given], str]

# A half prior is its whole family here: brms bounds a standard deviation below at 0 by itself.
_STAN: dict[str, Say] = {
    "Normal": lambda p: f"normal({_n(p['mu'])}, {_n(p['sigma'])})",
    "StudentT": lambda p: f"student_t({_n(p['nu'])}, {_n(p['mu'])}, {_n(p['sigma'])})",
    "Cauchy": lambda p: f"cauchy({_n(p['alpha'])}, {_n(p['beta'])})",
    "Logistic": lambda p: f"logistic({_n(p['mu'])}, {_n(p['s'])})",
    "Laplace": lambda p: f"double_exponential({_n(p['mu'])}, {_n(p['b'])})",
    "HalfNormal": lambda p: f"normal(0, {_n(p['sigma'])})",
    "HalfStudentT": lambda p: f"student_t({_n(p['nu'])}, 0, {_n(p['sigma'])})",
    "HalfCauchy": lambda p: f"cauchy(0, {_n(p['beta'])})",
    "HalfLogistic": lambda p: f"logistic(0, {_n(p['s'])})",
    "Exponential": lambda p: f"exponential({_n(p['lam'])})",
    "Gamma": lambda p: f"gamma({_n(p['alpha'])}, {_n(p['beta'])})",
    "InverseGamma": lambda p: f"inv_gamma({_n(p['alpha'])}, {_n(p['beta'])})",
    "LogNormal": lambda p: f"lognormal({_n(p['mu'])}, {_n(p['sigma'])})",
    "Weibull": lambda p: f"weibull({_n(p['alpha'])}, {_n(p['beta'])})",
    "Rayleigh": lambda p: f"rayleigh({_n(p['sigma'])})",
}

# Densities of tau in R; those that begin with dhalf and dlomax are bayesmeta's own.
_DENSITY: dict[str, Say] = {
    "HalfNormal": lambda p: f"dhalfnormal(t, scale = {_n(p['sigma'])})",
    "HalfStudentT": lambda p: f"dhalft(t, df = {_n(p['nu'])}, scale = {_n(p['sigma'])})",
    "HalfCauchy": lambda p: f"dhalfcauchy(t, scale = {_n(p['beta'])})",
    "HalfLogistic": lambda p: f"dhalflogistic(t, scale = {_n(p['s'])})",
    "Exponential": lambda p: f"dexp(t, rate = {_n(p['lam'])})",
    "Gamma": lambda p: f"dgamma(t, shape = {_n(p['alpha'])}, rate = {_n(p['beta'])})",
    "InverseGamma": lambda p: f"dgamma(1 / t, shape = {_n(p['alpha'])}, rate = {_n(p['beta'])}) / t^2",
    "LogNormal": lambda p: f"dlnorm(t, meanlog = {_n(p['mu'])}, sdlog = {_n(p['sigma'])})",
    "Lomax": lambda p: f"dlomax(t, shape = {_n(p['alpha'])}, scale = {_n(p['beta'])})",
    "Rayleigh": lambda p: f"drayleigh(t, scale = {_n(p['sigma'])})",
    "Uniform": lambda p: f"dunif(t, min = {_n(p['lower'])}, max = {_n(p['upper'])})",
    "Weibull": lambda p: f"dweibull(t, shape = {_n(p['alpha'])}, scale = {_n(p['beta'])})",
}

# Priors that the studies' standard errors define have names in bayesmeta.
_NAMED = {
    "HalfFlat": "uniform",
    "FlatSqrt": "sqrt",
    "Jeffreys": "Jeffreys",
    "OverallJeffreys": "overallJeffreys",
    "BergerDeely": "BergerDeely",
    "Conventional": "conventional",
    "DuMouchel": "DuMouchel",
    "UniformShrinkage": "shrinkage",
    "UniformI2": "I2",
}


def in_stan(prior: Prior) -> str | None:
    """Write a prior as Stan and brms call it; empty for a flat one, None where they do not have it."""
    if prior.family in ("Flat", "HalfFlat"):
        return ""
    plain = _root(prior)
    if plain is None or plain.family not in _STAN:
        return None
    return _STAN[plain.family](dict(plain.parameters))


def in_bayesmeta(prior: Prior) -> str | None:
    """Write a prior for tau as bayesmeta's `tau.prior`; None where it cannot be said in a line."""
    if prior.family in _NAMED:
        return f'"{_NAMED[prior.family]}"'
    plain = _root(prior)
    if plain is None or plain.family not in _DENSITY:
        return None
    return f"function(t) {_DENSITY[plain.family](dict(plain.parameters))}"


def _root(prior: Prior) -> Prior | None:
    """The prior itself; of a log-normal tau squared, the log-normal tau that it is."""
    if prior.family != "Tau2":
        return prior
    inner = dict(prior.parameters)["dist"]
    if inner.family != "LogNormal":
        return None
    given = dict(inner.parameters)
    return Prior("LogNormal", (("mu", given["mu"] / 2), ("sigma", given["sigma"] / 2)))


def _n(value: float) -> str:
    return f"{value:.12g}"
