r"""A Student-t as a mixture of normals: the density of their scales, and a posterior spread over it.

With :math:`\theta \sim N(\mu, \sigma)`, :math:`\sigma = \tau e^{v}` and
:math:`e^{-2v} \sim \mathrm{Gamma}(\nu/2, \nu/2)`, theta is Student-t about mu with scale tau. What holds for
normal effects given (mu, tau) therefore holds for Student-t effects given (mu, sigma).
"""

import numpy as np
from scipy import special

from kyphobayes.exact.panels import Array, Panels

_DROP = 36.0  # log of the density of v below its maximum where it ends
_OCTAVES = 30  # halvings of the first panel in tau towards zero


def log_scale_density(v: Array, nu: float) -> Array:
    """Log density of v, where e^(-2v) ~ Gamma(nu/2, rate nu/2)."""
    half = nu / 2
    constant = np.log(2) + half * np.log(half) - special.gammaln(half)
    return constant - nu * v - half * np.exp(np.minimum(-2 * v, 700.0))


def scale_range(nu: float) -> tuple[float, float, float]:
    """Where v has its density, and a step that resolves it."""
    grid = np.linspace(-4.0, 1.0 + 2 * _DROP / nu, 4001)
    inside = grid[log_scale_density(grid, nu) > log_scale_density(np.zeros(1), nu)[0] - _DROP]
    return float(inside[0]), float(inside[-1]), float(min(0.1, 0.6 / np.sqrt(2 * nu)))


def over_scales(tau: Panels, nu: float, *functions: Array) -> tuple[Panels, list[Array]]:
    """Spread functions of (mu, tau, ...) over sigma: panels in sigma, and the functions at their nodes.

    Each function is a density in tau (second axis), and becomes one in sigma,
    f(sigma) = integral of f(tau) w(log(sigma / tau)) / sigma over tau.
    """
    low, high, _ = scale_range(nu)
    # In octaves: what changes on the scale of w's own width is resolved by 16 nodes.
    octave = min(1.0, 3.0 / np.sqrt(2 * nu))
    first = tau.edges[tau.edges > 0][0] if tau.edges[0] == 0 else tau.edges[0]
    start = first * 2.0**-_OCTAVES if tau.edges[0] == 0 else first
    count = int(np.ceil(np.log2(tau.edges[-1] / start) / octave))
    inner = start * (tau.edges[-1] / start) ** (np.arange(count + 1) / count)
    fine = Panels(np.concatenate([tau.edges, inner[(inner > tau.edges[0]) & (inner < tau.edges[-1])]]))
    begin = (first * 2.0 ** -(_OCTAVES / 3) if tau.edges[0] == 0 else first) * np.exp(low)
    end = tau.edges[-1] * np.exp(high)
    count = int(np.ceil(np.log2(end / begin) / octave))
    sigma = Panels(np.append(0.0, begin * (end / begin) ** (np.arange(count + 1) / count)))
    shares = log_scale_density(np.log(sigma.nodes / fine.nodes[:, None]), nu) - np.log(sigma.nodes)
    matrix = tau.interpolation(fine.nodes).T @ (fine.weights[:, None] * np.exp(np.maximum(shares, -745.0)))
    return sigma, [np.moveaxis(np.tensordot(f, matrix, axes=(1, 0)), -1, 1) for f in functions]
