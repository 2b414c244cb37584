r"""From the posterior of (mu, tau) to the effects of studies, new and old.

The predictive density of a new study's effect is

.. math:: q(\theta) = \int\!\!\int p(\mu, \tau \mid y)\, N(\theta; \mu, \tau)\, d\mu\, d\tau ,

and the effect of a study at hand has the density proportional to its own likelihood times the same
integral with its own contribution taken out of the posterior. Where tau is small beside the panels
in mu the kernel is narrower than the grid, and the integral over mu is done by Gauss-Hermite nodes
around theta instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import ORDER, Array, Panels, lagrange, resolve

if TYPE_CHECKING:
    from kyphobayes.exact.surface import Surface

_RESOLVED = 0.25  # a kernel of this many panel widths or more is seen by the panel's own nodes
_TOLERANCE = 1e-10
_HERMITE_RULES = {order: np.polynomial.hermite_e.hermegauss(order) for order in (8, 16, 32)}


def smooth(mu: Panels, tau: Panels, joint: Array, theta: Array) -> Array:
    """Integrate N(theta; mu, tau) over `joint`, shape (mu nodes, tau nodes, c): shape (len(theta), c)."""
    out = np.zeros((len(theta), joint.shape[2]))
    for column, (t, weight) in enumerate(zip(tau.nodes, tau.weights, strict=True)):
        if t >= _RESOLVED * mu.widths.max():
            kernel = np.exp(-0.5 * ((theta[:, None] - mu.nodes) / t) ** 2) * mu.weights
            kernel /= t * np.sqrt(2 * np.pi)
        else:
            kernel = _narrow_kernel(mu, t, theta)
        out += weight * (kernel @ joint[:, column])
    return out


def _narrow_kernel(mu: Panels, t: float, theta: Array) -> Array:
    """Weights on the values at the nodes of `mu` that smooth them by Normal(0, t) at each theta."""
    order = 8 if t < 0.02 * mu.widths.min() else 16 if t < 0.1 * mu.widths.min() else 32
    steps, weights = _HERMITE_RULES[order]
    places = theta[:, None] - t * steps
    inside = (places >= mu.edges[0]) & (places <= mu.edges[-1])
    panel, place = mu.locate(places)
    local = lagrange(place) * (inside * weights / np.sqrt(2 * np.pi))[..., None]
    cell = np.arange(len(theta))[:, None, None] * len(mu.nodes) + panel[..., None] * ORDER + np.arange(ORDER)
    matrix = np.bincount(cell.ravel(), local.ravel(), minlength=len(theta) * len(mu.nodes))
    return matrix.reshape(len(theta), len(mu.nodes))


def predictive(mu: Panels, tau: Panels, joint: Array) -> Density:
    """Density of the effect in a new study; `joint` has shape (mu nodes, tau nodes)."""

    def density(theta: Array) -> Array:
        return smooth(mu, tau, joint[..., None], theta)[:, 0]

    panels, values = resolve(density, Panels(_reach(mu, tau, joint)), _TOLERANCE)
    return Density(panels, values)


def _reach(mu: Panels, tau: Panels, joint: Array) -> Array:
    """Edges that hold all but a negligible part of the predictive mass, wider as they go out."""
    spread = np.sqrt((mu.weights @ joint * tau.weights) @ tau.nodes**2)
    doublings = int(np.ceil(np.log2(9 * tau.edges[-1] / spread + 1)))
    steps = spread * 2.0 ** np.arange(doublings + 1)
    return np.concatenate([mu.edges[0] - steps, mu.edges, mu.edges[-1] + steps])


def study_densities(surface: Surface, mu: Panels, tau: Panels, joint: Array) -> dict[str, Density]:
    """Posterior density of each study's own effect, by label."""
    pieces = _pieces(surface, mu, tau)
    with np.errstate(divide="ignore"):
        log_joint = np.log(joint)
    shares = _table_shares(surface, pieces)
    owner = np.full(len(pieces), -1)
    without = np.zeros((*joint.shape, len(pieces)))
    for study in range(surface.k):
        for piece in np.unique(surface.tables[:, study]):
            owner[piece] = study
            share = shares[surface.tables[:, study] == piece].sum(axis=0)
            without[..., piece] = share * np.exp(log_joint - pieces[piece])
    members = owner[:, None] == np.arange(surface.k)

    def densities(theta: Array) -> Array:
        smoothed = smooth(mu, tau, without, theta)
        return (smoothed * np.exp(surface.studies.log_lik(theta)).T) @ members

    centres, scales = surface.studies.centres, surface.studies.scales
    edges = np.concatenate([_reach(mu, tau, joint), centres, centres - 3 * scales, centres + 3 * scales])
    panels, values = resolve(densities, Panels(edges), _TOLERANCE)
    return {label: Density(panels, values[:, study]) for study, label in enumerate(surface.labels)}


def table_probabilities(surface: Surface, mu: Panels, tau: Panels, joint: Array) -> Array:
    """Posterior probability of each count table, shape (t,)."""
    shares = _table_shares(surface, _pieces(surface, mu, tau))
    return np.einsum("tij,ij,i,j->t", shares, joint, mu.weights, tau.weights)


def _pieces(surface: Surface, mu: Panels, tau: Panels) -> Array:
    """Log integrated likelihoods at the nodes of the posterior: (pieces, mu nodes, tau nodes)."""
    rows, columns = surface.mu.interpolation(mu.nodes), surface.tau.interpolation(tau.nodes)
    return rows @ surface.pieces() @ columns.T


def _table_shares(surface: Surface, pieces: Array) -> Array:
    """Probability of each table given (mu, tau): (t, mu nodes, tau nodes)."""
    if len(surface.tables) == 1:
        return np.ones((1, *pieces.shape[1:]))
    log_weights = np.stack([pieces[row].sum(axis=0) for row in surface.tables])
    return special.softmax(log_weights + surface.log_weights[:, None, None], axis=0)
