r"""Many posteriors of one surface at once: what differs is a vector over mu and a vector over tau.

With L the likelihood at the nodes, a the prior for mu and b that for tau, a posterior is
:math:`a_i L_{ij} b_j`: its marginals are matrix products with all priors side by side. The priors share one
grid, placed for a sample of them; whoever it does not resolve says so by its `error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kyphobayes.exact.density import newton
from kyphobayes.exact.panels import Array, Panels, antiderivative, lagrange
from kyphobayes.exact.precision import DEEP, TRUSTED
from kyphobayes.priors import Prior, log_densities

if TYPE_CHECKING:
    from kyphobayes.exact.surface import Surface

Pairs = Sequence[tuple[Prior, Prior]]
SAMPLE = 64  # pairs for which the grid is placed
_ROUNDS = 40
_GROWTHS = 12
_MOST_NODES = 200_000
_RESOLVED = 1e-9  # error that no panel of the grid may exceed for a pair of the sample
_BEYOND = 1e-9  # mass beyond an edge for which the surface grows
_EMPTY = 1e-14
_SURELY_SEEN = 0.98  # of a prior's mass at the nodes; where it is less, it is compared with what there is
_MISSED = 1e-6


@dataclass(frozen=True, eq=False)
class Grid:
    """Panels in mu and tau, and the likelihood at their nodes relative to exp(`top`): shape (m, t).

    `errors`, of the same shape, are the relative errors of the likelihood by its interpolation.
    """

    mu: Panels
    tau: Panels
    likelihood: Array
    errors: Array
    top: float

    @classmethod
    def of(cls, surface: Surface, mu: Panels, tau: Panels) -> Grid:
        """Interpolate the surface."""
        log_likelihood = surface.interpolate(mu.nodes, tau.nodes)
        top = float(log_likelihood.max())
        return cls(mu, tau, np.exp(log_likelihood - top), surface.errors_at(mu.nodes, tau.nodes), top)


@dataclass(frozen=True, eq=False)
class Batch:
    """Posteriors of `c` pairs of priors on one grid.

    Attributes
    ----------
    grid : Grid
    a, b : ndarray, shapes (m, c) and (t, c)
        Prior densities at the nodes, each relative to its largest.
    mu, tau : ndarray, shapes (m, c) and (t, c)
        Marginal posterior densities.
    total : ndarray, shape (c,)
        Integral of likelihood times priors in these units.
    log_marginal_likelihood : ndarray, shape (c,)
    error : ndarray, shape (c,)
        Estimated relative error of probabilities; infinite where the nodes miss a prior.
    """

    grid: Grid
    a: Array
    b: Array
    mu: Array
    tau: Array
    total: Array
    log_marginal_likelihood: Array
    error: Array

    def take(self, columns: NDArray[np.intp]) -> Batch:
        """Some of the pairs."""
        parts = (self.a, self.b, self.mu, self.tau, self.total, self.log_marginal_likelihood, self.error)
        return Batch(self.grid, *(part[..., columns] for part in parts))

    def outside(self) -> dict[str, Array]:
        """Mass beyond each edge, were the density to fall off no faster than over the reach so far."""
        mu, tau = self.grid.mu, self.grid.tau
        return {
            "low": self.mu[0] * np.ptp(mu.edges),
            "high": self.mu[-1] * np.ptp(mu.edges),
            "tau": self.tau[-1] * tau.edges[-1],
        }


def place(surface: Surface, pairs: Pairs) -> Grid:
    """A grid on which a sample of the pairs is resolved, as far as a grid of that size can."""
    sample = [pairs[i] for i in some(len(pairs))]
    mu, tau = surface.mu, surface.tau
    growths = _GROWTHS
    for _ in range(_ROUNDS):
        grid = Grid.of(surface, mu, tau)
        batch = solve(grid, sample)
        good = np.isfinite(batch.error)
        if not good.any():
            break
        sides = {side for side, mass in batch.outside().items() if (mass[good] > _BEYOND).any()}
        if sides and growths:
            growths -= 1
            surface.grow(sides)
            mu, tau = (
                Panels(np.union1d(old.edges, new.edges))
                for old, new in ((mu, surface.mu), (tau, surface.tau))
            )
            continue
        rough_mu, rough_tau = _rough(mu, batch.mu[:, good]), _rough(tau, batch.tau[:, good])
        finer = (
            _without_empty(mu, batch.mu[:, good], rough_mu),
            _without_empty(tau, batch.tau[:, good], rough_tau),
        )
        more = len(finer[0].nodes) * len(finer[1].nodes)
        if not (rough_mu.any() or rough_tau.any()) or more > _MOST_NODES:
            break
        mu, tau = finer
    return grid


def some(count: int) -> NDArray[np.intp]:
    """Indices of a sample: at random, as pairs may repeat at any stride, but always the same."""
    return np.sort(np.random.default_rng(0).permutation(count)[:SAMPLE])


def _rough(panels: Panels, density: Array) -> NDArray[np.bool_]:
    return (panels.tails(density) > _RESOLVED).any(axis=1)


def _without_empty(panels: Panels, density: Array, rough: NDArray[np.bool_]) -> Panels:
    """Halve the rough panels and leave out those at the ends that hold nothing."""
    full = np.flatnonzero((panels.integrals(density) > _EMPTY).any(axis=1))
    first, last = full[0], full[-1] + 1
    return Panels(panels.edges[first : last + 1]).split(rough[first:last])


def solve(grid: Grid, pairs: Pairs) -> Batch:
    """Marginal posteriors of mu and tau under each pair."""
    a, top_a, missed_a = _prior_values(grid.mu, [mu for mu, _ in pairs])
    b, top_b, missed_b = _prior_values(grid.tau, [tau for _, tau in pairs])
    mu = a * (grid.likelihood @ (grid.tau.weights[:, None] * b))
    tau = b * (grid.likelihood.T @ (grid.mu.weights[:, None] * a))
    total = grid.mu.weights @ mu
    bad = missed_a | missed_b | ~(total > 0)
    total = np.where(bad, 1.0, total)
    mu, tau = mu / total, tau / total
    errors = grid.mu.tails(mu).sum(axis=0) + grid.tau.tails(tau).sum(axis=0)
    # A prior that puts the posterior where the likelihood is low needs it more precisely than it is there.
    there = grid.likelihood[mu.argmax(axis=0), tau.argmax(axis=0)]
    deep = np.flatnonzero(there < np.exp(-TRUSTED))
    off = (grid.likelihood * grid.errors) @ (grid.tau.weights[:, None] * b[:, deep])
    errors[deep] += grid.mu.weights @ (a[:, deep] * off) / total[deep]
    errors[there < np.exp(-DEEP)] = np.inf
    log_marginal = grid.top + top_a + top_b + np.log(total)
    return Batch(grid, a, b, mu, tau, total, log_marginal, np.where(bad, np.inf, errors))


def _prior_values(panels: Panels, priors: Sequence[Prior]) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Densities at the nodes relative to their largest, its logarithm, and which priors the nodes miss.

    A prior so narrow that nodes miss it shows another mass at the nodes than lies between the edges.
    """
    log_density = log_densities(priors, panels.nodes).T
    top = log_density.max(axis=0)
    nowhere = ~np.isfinite(top)
    top = np.where(nowhere, 0.0, top)
    values = np.exp(log_density - top)
    seen = (panels.weights @ values) * np.exp(top)
    missed = nowhere.copy()
    ends = panels.edges[[0, -1]]
    for i in map(int, np.flatnonzero(~nowhere & ((seen > 1 + _MISSED) | (seen < _SURELY_SEEN)))):
        between = np.diff(priors[i].cdf(ends))[0] if priors[i].proper else seen[i]
        missed[i] = abs(between - seen[i]) > _MISSED
    return values, top, missed


def moments(panels: Panels, density: Array) -> tuple[Array, Array]:
    """Mean and variance of each column."""
    mass = panels.weights[:, None] * density
    mean = panels.nodes @ mass
    return mean, panels.nodes**2 @ mass - mean**2


def below(panels: Panels, density: Array, x: float) -> Array:
    """Probability of a value up to x under each column."""
    panel, spot = panels.locate(np.array(x))
    masses = panels.integrals(density)
    part = antiderivative(spot) @ panels.by_panel(density)[panel] * panels.widths[panel] / 2
    return np.clip(masses[:panel].sum(axis=0) + part, 0.0, 1.0) * float(x > panels.edges[0])


def quantiles(panels: Panels, density: Array, q: Array) -> Array:
    """Quantiles of each column, shape (quantiles, c): Newton's method within their panels."""
    cumulative = np.cumsum(panels.integrals(density), axis=0)
    cumulative /= cumulative[-1]
    column = np.tile(np.arange(density.shape[1]), len(q))
    target = np.repeat(q, density.shape[1])
    panel = np.minimum((cumulative[:, column] < target).sum(axis=0), len(panels) - 1)
    start = np.where(panel > 0, cumulative[panel - 1, column], 0.0)
    values = panels.by_panel(density)[panel, :, column]
    half = panels.widths[panel] / 2

    def mass(spot: Array) -> tuple[Array, Array]:
        done = start + half * (antiderivative(spot) * values).sum(axis=1)
        return done - target, half * (lagrange(spot) * values).sum(axis=1)

    spot = newton(mass, target.shape)
    return (panels.edges[panel] + half * (spot + 1)).reshape(len(q), -1)
