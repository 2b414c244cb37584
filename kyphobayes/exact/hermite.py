"""Adaptive Gauss-Hermite quadrature over a study's effect, in units z = (theta - mu) / tau."""

from collections.abc import Callable

import numpy as np

from kyphobayes.exact.panels import Array

RULE = np.polynomial.hermite_e.hermegauss(24)
_TINY = 1e-3  # tau below which the mode is so near mu that their difference would be all rounding


def standardised(mode: Array, slope: Array, curvature: Array, mu: Array, tau: Array) -> tuple[Array, Array]:
    """Mode and width in z of a study's effect, from its mode, and slope and curvature of its log likelihood.

    At the mode z is tau times the slope.
    """
    bend = tau**2 * curvature
    return np.where((bend < 1) & (tau < _TINY), tau * slope, (mode - mu) / tau), 1 / np.sqrt(1 + bend)


def log_integral(log_density: Callable[[Array], Array], centre: Array, width: Array) -> Array:
    """Log of the mean of exp(log_density + z^2 / 2) over z ~ Normal(0, 1); Liu and Pierce (1994), eq. 4."""
    top, total = log_density(centre), np.zeros(centre.shape)
    for node, weight in zip(*RULE, strict=True):
        log_f = log_density(centre + width * node) - top + 0.5 * node**2
        total += weight * np.exp(np.minimum(log_f, 700.0))
    return top + np.log(np.maximum(total * width / np.sqrt(2 * np.pi), 1e-300))
