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
from numpy.typing import NDArray
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.density import Density
from kyphobayes.exact.kernels import NORMAL, Kernel
from kyphobayes.exact.panels import ORDER, Array, Panels, lagrange, resolve
from kyphobayes.exact.precision import DEEP

if TYPE_CHECKING:
    from kyphobayes.exact.surface import Surface

_TINY = 1 / 6  # of the narrowest panel in mu: below it the joint density is smooth beside the kernel
_WIDE = 4.0  # kernel standard deviations beyond which a panel's own nodes do not resolve the kernel
_REACH = 9.0  # kernel standard deviations that count
_NEGLIGIBLE = 1e-13  # mass that is left out
_TOLERANCE = 1e-9
_HERMITE_RULES = {order: np.polynomial.hermite_e.hermegauss(order) for order in (8, 16, 32)}
_LEGENDRE_RULE = np.polynomial.legendre.leggauss(40)


def smooth(mu: Panels, tau: Panels, joint: Array, columns: Array, theta: Array) -> Array:
    """Integrate N(theta; mu, tau) over functions of (mu, tau).

    Parameters
    ----------
    mu, tau : Panels
    joint : ndarray, shape (m, t)
        Posterior density at the nodes: says where there is anything to integrate.
    columns : ndarray, shape (m, t, c)
        The functions.
    theta : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n, c)
    """
    out = np.zeros((len(theta), columns.shape[2]))
    mass = mu.integrals(joint) * tau.weights  # of each panel in mu at each node of tau
    for column, t in enumerate(tau.nodes):
        alive = np.flatnonzero(mass[:, column] > _NEGLIGIBLE)
        if not len(alive):
            continue
        first, last = alive[0], alive[-1] + 1
        near, values = Panels(mu.edges[first : last + 1]), columns[first * ORDER : last * ORDER, column]
        seen = _within(theta, near.edges[0], near.edges[-1], t)
        smoother = _tiny_kernel if t < _TINY * near.widths.min() else _wide_kernel
        out[seen] += tau.weights[column] * smoother(near, t, theta[seen], values)
    return out


def _within(theta: Array, low: float, high: float, t: float) -> NDArray[np.intp]:
    return np.flatnonzero((theta >= low - _REACH * t) & (theta <= high + _REACH * t))


def _wide_kernel(mu: Panels, t: float, theta: Array, values: Array) -> Array:
    """Smooth `values` by Normal(0, t).

    Panels that resolve the kernel are summed at their nodes; on a wider one the part within the
    kernel's reach is integrated by a rule of its own, with the panel's polynomial.
    """
    wide = mu.widths > _WIDE * t
    own = mu.weights * ~np.repeat(wide, ORDER) / (t * np.sqrt(2 * np.pi))
    out = np.exp(-0.5 * ((theta[:, None] - mu.nodes) / t) ** 2) @ (own[:, None] * values)
    nodes, weights = _LEGENDRE_RULE
    for panel in np.flatnonzero(wide):
        low, high = mu.edges[panel : panel + 2]
        seen = _within(theta, low, high, t)
        centre = theta[seen, None]
        left, right = np.maximum(low, centre - _REACH * t), np.minimum(high, centre + _REACH * t)
        places = (left + right) / 2 + (right - left) / 2 * nodes
        kernel = np.exp(-0.5 * ((centre - places) / t) ** 2) * weights * (right - left) / 2
        inner = np.clip(2 * (places - low) / (high - low) - 1, -1.0, 1.0)
        polynomial = mu.by_panel(values)[panel] / (t * np.sqrt(2 * np.pi))
        out[seen] += np.einsum("tg,tgo->to", kernel, lagrange(inner)) @ polynomial
    return out


def _tiny_kernel(mu: Panels, t: float, theta: Array, values: Array) -> Array:
    """Smooth `values` by a Normal(0, t) much narrower than they change: Gauss-Hermite around each theta."""
    ratio = t / mu.widths.min()
    steps, weights = _HERMITE_RULES[8 if ratio < 0.005 else 16 if ratio < 0.04 else 32]
    places = theta[:, None] - t * steps
    inside = (places >= mu.edges[0]) & (places <= mu.edges[-1])
    panel, place = mu.locate(places)
    local = lagrange(place) * (inside * weights / np.sqrt(2 * np.pi))[..., None]
    cell = np.arange(len(theta))[:, None, None] * len(mu.nodes) + panel[..., None] * ORDER + np.arange(ORDER)
    matrix = np.bincount(cell.ravel(), local.ravel(), minlength=len(theta) * len(mu.nodes))
    return matrix.reshape(len(theta), len(mu.nodes)) @ values


def predictive(mu: Panels, tau: Panels, joint: Array, kernel: Kernel = NORMAL) -> Density:
    """Density of the effect in a new study; `joint` has shape (mu nodes, tau nodes)."""
    tau, (joint,) = kernel.spread(tau, joint)

    def density(theta: Array) -> Array:
        return smooth(mu, tau, joint, joint[..., None], theta)[:, 0]

    panels, values = resolve(density, Panels(_reach(mu, tau, joint)), _TOLERANCE)
    return Density(panels, values)


def _reach(mu: Panels, tau: Panels, joint: Array) -> Array:
    """Edges that hold all but a negligible part of the predictive mass, wider as they go out."""
    spread = np.sqrt((mu.weights @ joint * tau.weights) @ tau.nodes**2)
    doublings = int(np.ceil(np.log2(9 * tau.edges[-1] / spread + 1)))
    steps = spread * 2.0 ** np.arange(doublings + 1)
    return np.concatenate([mu.edges[0] - steps, mu.edges, mu.edges[-1] + steps])


def study_densities(surface: Surface, mu: Panels, tau: Panels, joint: Array) -> dict[str, Density]:
    """Posterior density of each study's own effect, by label.

    Raises
    ------
    InputError
        If a study lies so far from the priors and the others that its density is no number.
    """
    pieces = pieces_at(surface, mu, tau, joint)
    with np.errstate(divide="ignore"):  # where the joint density is 0 so is all that follows from it
        log_joint = np.log(joint)
    shares = table_shares(surface, pieces)
    owner = np.full(len(pieces), -1)
    without, offsets = np.zeros((*joint.shape, len(pieces))), np.zeros(len(pieces))
    for study in range(surface.k):
        for piece in np.unique(surface.tables[:, study]):
            owner[piece] = study
            share = shares[surface.tables[:, study] == piece].sum(axis=0)
            log_without = log_joint - pieces[piece]
            offsets[piece] = log_without.max()
            without[..., piece] = share * np.exp(log_without - offsets[piece])
    members = owner[:, None] == np.arange(surface.k)
    tau, (joint, without) = surface.studies.kernel.spread(tau, joint, without)

    def densities(theta: Array) -> Array:
        smoothed = np.maximum(
            smooth(mu, tau, joint, without, theta), 0.0
        )  # far out rounding may leave -1e-18
        with np.errstate(divide="ignore"):  # too far out for a number: the density there is 0
            smoothed = np.log(smoothed)
        return np.exp(smoothed + (surface.studies.log_lik(theta) + offsets[:, None]).T) @ members

    edges = _reach(mu, tau, joint)
    centres, scales = surface.studies.centres, surface.studies.scales
    # A study that knows its effect much better than the panels are wide would be overlooked.
    sharp = scales < mu.widths.min()
    around = centres[sharp, None] + scales[sharp, None] * np.array([-6.0, -2.0, 2.0, 6.0])
    panels, values = resolve(densities, Panels(np.append(edges, around)), _TOLERANCE)
    if not (values.max(axis=0) > 0).all():
        lost = surface.labels[int(np.argmin(values.max(axis=0)))]
        raise InputError(
            f"study {lost} lies too far from the priors and the other studies to compute its own effect; "
            f"use wider priors for mu and tau"
        )
    return {label: Density(panels, values[:, study]) for study, label in enumerate(surface.labels)}


def table_probabilities(surface: Surface, mu: Panels, tau: Panels, joint: Array) -> Array:
    """Posterior probability of each count table, shape (t,)."""
    shares = table_shares(surface, pieces_at(surface, mu, tau, joint))
    return np.einsum("tij,ij,i,j->t", shares, joint, mu.weights, tau.weights)


def pieces_at(surface: Surface, mu: Panels, tau: Panels, joint: Array) -> Array:
    """Log likelihood of each of the surface's studies at a posterior's nodes: (pieces, mu nodes, tau nodes).

    They are interpolated, or computed afresh where priors keep the posterior where panels do not resolve it.
    """
    row, column = np.unravel_index(np.argmax(joint), joint.shape)
    if surface.interpolate(mu.nodes[[row]], tau.nodes[[column]])[0, 0] > surface.top - DEEP:
        return interpolated(surface, surface.pieces(), mu, tau)
    return surface.studies.log_integrated(mu.nodes, tau.nodes)


def interpolated(surface: Surface, values: Array, mu: Panels, tau: Panels) -> Array:
    """Smooth functions known at a surface's nodes, at those of a posterior: (..., mu nodes, tau nodes)."""
    rows, columns = surface.mu.interpolation(mu.nodes), surface.tau.interpolation(tau.nodes)
    return rows @ values @ columns.T


def table_shares(surface: Surface, pieces: Array) -> Array:
    """Probability of each table given (mu, tau): (t, mu nodes, tau nodes)."""
    if len(surface.tables) == 1:
        return np.ones((1, *pieces.shape[1:]))
    log_weights = np.stack([pieces[row].sum(axis=0) for row in surface.tables])
    return special.softmax(log_weights + surface.log_weights[:, None, None], axis=0)
