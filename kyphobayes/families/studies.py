r"""Priors for tau that the standard errors of the studies define, as the R package bayesmeta has them.

With :math:`v_i = \sigma_i^2 + \tau^2` and :math:`s_0^2 = k / \sum \sigma_i^{-2}`, the harmonic mean:

=================  =======================================================  ========
OverallJeffreys    :math:`\sqrt{\sum 1/v_i \, \sum (\tau/v_i)^2}`           improper
Jeffreys           :math:`\sqrt{\sum (\tau/v_i)^2}`                         improper
BergerDeely        :math:`\prod (\tau/v_i)^{1/k}`                           improper
Conventional       :math:`\prod (\tau/v_i^{3/2})^{1/k}`, times a constant   proper
DuMouchel          :math:`s_0 / (s_0 + \tau)^2`                             proper
UniformShrinkage   :math:`2 s_0^2 \tau / (s_0^2 + \tau^2)^2`                proper
UniformI2          the same with Higgins and Thompson's typical variance    proper
=================  =======================================================  ========

The improper ones have the constant that is written here, and none else.

Sources: Röver (2020), Journal of Statistical Software 93(6), section 2.3, and the manual of bayesmeta
3.4. Jeffreys: Tibshirani (1989), Biometrika 76:604-608; Bodnar et al. (2016), Statistics in Medicine
35:2687-2706. BergerDeely and Conventional: Berger and Deely (1988), JASA 83:364-373. DuMouchel and
UniformShrinkage: Spiegelhalter, Abrams and Myles (2004), section 5.7.3. UniformI2: uniform in
:math:`I^2` of Higgins and Thompson (2002), Statistics in Medicine 21:1539-1558, equation 9.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from kyphobayes.families.family import Array, Family, above_zero, never
from kyphobayes.families.invert import invert

Errors = tuple[float, ...]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_DOWN, _UP = 35.0, 45.0  # reach of log tau below the smallest and above the largest standard error


def _log_tau(x: Array) -> Array:
    with np.errstate(divide="ignore"):  # a prior may be asked for its density at tau = 0, which is 0
        return np.log(x)


def _log_variances(x: Array, se: Errors) -> Array:
    """Log of v_i, with the studies along a new last axis."""
    return 2 * np.log(np.hypot(x[..., None], np.asarray(se)))


def _jeffreys(x: Array, se: Errors) -> Array:
    return _log_tau(x) + 0.5 * special.logsumexp(-2 * _log_variances(x, se), axis=-1)


def _overall_jeffreys(x: Array, se: Errors) -> Array:
    return _jeffreys(x, se) + 0.5 * special.logsumexp(-_log_variances(x, se), axis=-1)


def _berger_deely(x: Array, se: Errors) -> Array:
    return _log_tau(x) - _log_variances(x, se).mean(axis=-1)


def harmonic_mean(se: Errors | Array) -> float:
    """Root of the harmonic mean of the squared standard errors: s_0."""
    least = float(np.min(se))
    return least * float(np.mean((least / np.asarray(se)) ** 2) ** -0.5)


def typical_error(se: Errors | Array) -> float:
    """Root of Higgins and Thompson's typical within-study variance; it needs two studies."""
    least, k = float(np.min(se)), len(se)
    precision = (least / np.asarray(se)) ** 2
    total = precision.sum()
    # total^2 - sum(precision^2), without the cancellation that one huge study would cause.
    others = np.append(0.0, np.cumsum(precision)[:-1])
    pairs = 2 * (precision * others).sum()
    return least * float(np.sqrt((k - 1) * total / pairs))


def _shrinkage(scale: Callable[[Errors], float]) -> Family:
    """Uniform prior of the share s^2 / (s^2 + tau^2)."""

    def log_density(x: Array, se: Errors) -> Array:
        s = scale(se)
        return _log_tau(x) + np.log(2) + 2 * np.log(s) - 4 * np.log(np.hypot(x, s))

    return Family(
        {},
        log_density,
        cdf=lambda x, se: 1 / (1 + (scale(se) / x) ** 2),
        survival=lambda x, se: 1 / (1 + (x / scale(se)) ** 2),
        quantile=lambda q, se: scale(se) * np.sqrt(q / (1 - q)),
        upper_quantile=lambda q, se: scale(se) * np.sqrt((1 - q) / q),
        support=above_zero,
        from_studies=True,
    )


# -- the conventional prior, whose constant and probabilities are integrals ---------------------------


def _by_log(log_x: Array, se: Errors) -> Array:
    """Density of log tau, up to its constant."""
    logs = 1.5 * _log_variances(np.exp(log_x), se).mean(axis=-1)
    return np.exp(2 * log_x - logs)


def _within(low: Array, high: Array, se: Errors) -> Array:
    """Integral of the density of log tau between two places at most a panel apart."""
    half = (high - low)[..., None] / 2
    places = (low + high)[..., None] / 2 + half * _NODES
    return (_by_log(places, se) * _WEIGHTS * half).sum(axis=-1)


@lru_cache(maxsize=64)
def _cumulative(se: Errors) -> tuple[Array, Array]:
    """Edges of panels in log tau, and the integral up to each."""
    # The density of log tau is analytic within pi/2 of the real line, so unit panels are resolved.
    edges = np.arange(np.log(min(se)) - _DOWN, np.log(max(se)) + _UP)
    return edges, np.append(0.0, np.cumsum(_within(edges[:-1], edges[1:], se)))


def _conventional(x: Array, se: Errors) -> Array:
    constant = _cumulative(se)[1][-1]
    return _log_tau(x) - 1.5 * _log_variances(x, se).mean(axis=-1) - np.log(constant)


def _panel(x: Array, edges: Array) -> tuple[Array, Any]:
    log_x = np.clip(_log_tau(x), edges[0], edges[-1])
    return log_x, np.clip(np.searchsorted(edges, log_x, side="right") - 1, 0, len(edges) - 2)


def _conventional_below(x: Array, se: Errors) -> Array:
    edges, total = _cumulative(se)
    log_x, panel = _panel(x, edges)
    return (total[panel] + _within(edges[panel], log_x, se)) / total[-1]


def _conventional_above(x: Array, se: Errors) -> Array:
    edges, total = _cumulative(se)
    log_x, panel = _panel(x, edges)
    upwards = np.cumsum(np.diff(total)[::-1])[::-1]  # summed from the far end: tails keep their digits
    return (np.append(upwards, 0.0)[panel + 1] + _within(log_x, edges[panel + 1], se)) / total[-1]


def _conventional_place(q: Array, se: Errors) -> Array:
    edges, total = _cumulative(se)
    panel = np.clip(np.searchsorted(total / total[-1], q, side="right") - 1, 0, len(edges) - 2)
    low, high = np.exp(edges[panel]), np.exp(edges[panel + 1])
    found = invert(lambda x: _conventional_below(x, se), lambda x: np.exp(_conventional(x, se)), q, low, high)
    return np.where(q <= 0, 0.0, np.where(q >= 1, np.inf, found))


def _conventional_far_place(q: Array, se: Errors) -> Array:
    edges, _ = _cumulative(se)
    far = np.full(q.shape, np.exp(edges[-1]))
    found = invert(
        lambda x: -_conventional_above(x, se), lambda x: np.exp(_conventional(x, se)), -q, 0 * far, far
    )
    return np.where(q <= 0, np.inf, np.where(q >= 1, 0.0, found))


def _improper(log_density: Callable[..., Array]) -> Family:
    return Family({}, log_density, support=above_zero, proper=never, from_studies=True)


STUDY_FAMILIES: Mapping[str, Family] = {
    "Jeffreys": _improper(_jeffreys),
    "OverallJeffreys": _improper(_overall_jeffreys),
    "BergerDeely": _improper(_berger_deely),
    "Conventional": Family(
        {},
        _conventional,
        cdf=_conventional_below,
        survival=_conventional_above,
        quantile=_conventional_place,
        upper_quantile=_conventional_far_place,
        support=above_zero,
        from_studies=True,
    ),
    "DuMouchel": Family(
        {},
        lambda x, se: np.log(harmonic_mean(se)) - 2 * np.log(harmonic_mean(se) + x),
        cdf=lambda x, se: 1 / (1 + harmonic_mean(se) / x),
        survival=lambda x, se: harmonic_mean(se) / (harmonic_mean(se) + x),
        quantile=lambda q, se: harmonic_mean(se) * q / (1 - q),
        upper_quantile=lambda q, se: harmonic_mean(se) * (1 - q) / q,
        support=above_zero,
        from_studies=True,
    ),
    "UniformShrinkage": _shrinkage(harmonic_mean),
    "UniformI2": _shrinkage(typical_error),
}
