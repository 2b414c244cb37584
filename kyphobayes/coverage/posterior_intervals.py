r"""Exact central intervals of mu and of the next centre, of thousands of tables under several priors.

With L the likelihood of a table at the nodes of a `SharedGrid`, a the prior for mu and b that for tau,
the posterior is :math:`a_i L_{ij} b_j`, as in `kyphobayes.exact.batch`; its distribution function of
theta_new is a product with :math:`\Phi((x - \mu_i) / \tau_j)`, which no table and no prior changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.coverage.intervals import Intervals
from kyphobayes.coverage.shared_grid import SharedGrid, is_proper
from kyphobayes.coverage.simulated import Array, Counts
from kyphobayes.errors import ImproperPosterior
from kyphobayes.exact import binomial
from kyphobayes.exact.batch import quantiles
from kyphobayes.exact.batch_predictive import mend_steps
from kyphobayes.exact.panels import Panels
from kyphobayes.names import MU, PROB, THETA_NEW
from kyphobayes.priors import Prior, log_densities

RTOL = 2e-4  # error of probabilities above which a table is solved by itself
TAILS = np.array([(1 - PROB) / 2, (1 + PROB) / 2])
_FAR, _STEP = 9.0, 0.15  # places of theta_new: sinh of -9 to 9 about the middle, in equal steps
_NEVER, _ALWAYS = 1e-12, 1 - 1e-7  # probabilities between which theta_new's function is interpolated
_HALVINGS = 40
_COARSE = 5  # every so many places are looked at first
_NOTHING = 1e-7  # share of a posterior that no node may be left out for

Pairs = Sequence[tuple[Prior, Prior]]


def _alone(events: Counts, sizes: Counts, pair: tuple[Prior, Prior]) -> Array:
    """The four ends of one table by the engine's own posterior."""
    try:
        posterior = binomial(events, sizes).posterior(*pair, rtol=RTOL)
    except ImproperPosterior:
        return np.full(4, np.nan)
    return np.concatenate([posterior.quantile(name, TAILS) for name in (MU, THETA_NEW)])


@dataclass(frozen=True, eq=False)
class Posteriors:
    """What the posteriors of all tables of a grid have in common.

    Attributes
    ----------
    grid : SharedGrid
    pairs : sequence of (mu, tau)
        Priors.
    a, b : ndarray, shapes (mu nodes, pairs) and (tau nodes, pairs)
        Prior densities at the nodes, each relative to its largest.
    weights : ndarray of float32, shape (pairs, mu nodes, tau nodes)
        Priors times quadrature weights.
    steps, places : ndarray, shape (places,)
        Places of theta_new, middle + scale sinh(step), and the equal steps.
    middle, scale : float
    below : ndarray of float32, shape (mu nodes, tau nodes, places)
        Probability of theta_new up to each place, given (mu, tau).
    """

    grid: SharedGrid
    pairs: Pairs
    a: Array
    b: Array
    weights: NDArray[np.float32]
    steps: Array
    places: Array
    middle: float
    scale: float
    below: NDArray[np.float32]

    @classmethod
    def of(cls, grid: SharedGrid, pairs: Pairs) -> Posteriors:
        """Compute them once for all tables."""
        a, b = (_relative(priors, panels.nodes) for priors, panels in
                zip(zip(*pairs, strict=True), (grid.mu, grid.tau), strict=True))  # fmt: skip
        weighted = (grid.mu.weights[:, None] * a).T[:, :, None] * (grid.tau.weights[:, None] * b).T[:, None]
        steps = np.arange(-_FAR, _FAR + _STEP / 2, _STEP)
        middle, scale = _finest(grid)
        places = middle + scale * np.sinh(steps)
        below = special.ndtr((places[:, None, None] - grid.mu.nodes[:, None]) / grid.tau.nodes)
        mend_steps(below, places, grid.mu, grid.tau.nodes)
        return cls(
            grid,
            pairs,
            a,
            b,
            weighted.astype(np.float32),
            steps,
            places,
            middle,
            scale,
            np.ascontiguousarray(np.moveaxis(below, 0, 2), dtype=np.float32),
        )

    def intervals(self, values: Array, events: Counts, sizes: Counts) -> list[Intervals]:
        """Central 95 % intervals of some tables under each pair of priors.

        Parameters
        ----------
        values : ndarray, shape (tables, mu nodes, tau nodes)
            Log likelihoods of the tables.
        events, sizes : ndarray of int, shape (tables, k)

        Returns
        -------
        list of Intervals
            One for each pair; NaN where there is no proper posterior.
        """
        ends, error = self._solve(values)
        there = is_proper(events, sizes, self.pairs)
        ends[~there] = np.nan
        for table, pair in np.argwhere(there & ~(error < RTOL)):
            ends[table, pair] = _alone(events[table], sizes[table], self.pairs[pair])
        return [Intervals(*ends[:, pair].T) for pair in range(len(self.pairs))]

    def _solve(self, log_likelihood: Array) -> tuple[Array, Array]:
        """Ends of the intervals, shape (tables, pairs, 4), and their errors, shape (tables, pairs)."""
        top = log_likelihood.max(axis=(1, 2), keepdims=True)
        likelihood = np.exp(log_likelihood - top)
        mu, tau, error = self._marginals(likelihood)
        full = _stretch(self.grid.mu, mu), _stretch(self.grid.tau, tau)
        count, pairs = error.shape
        mu_ends = quantiles(self.grid.mu, mu, TAILS).T.reshape(count, pairs, 2)
        new_ends = self._new(likelihood.astype(np.float32), full).reshape(count, pairs, 2)
        error[np.isnan(new_ends).any(axis=2)] = np.inf
        return np.concatenate([mu_ends, new_ends], axis=2), error

    def _marginals(self, likelihood: Array) -> tuple[Array, Array, Array]:
        """Densities of mu and tau, a column for each table and pair, and errors, shape (tables, pairs)."""
        mu_panels, tau_panels = self.grid.mu, self.grid.tau
        mu = self.a * (likelihood @ (tau_panels.weights[:, None] * self.b))  # (tables, mu nodes, pairs)
        tau = self.b * (likelihood.transpose(0, 2, 1) @ (mu_panels.weights[:, None] * self.a))
        total = mu_panels.weights @ mu
        mu, tau = (
            np.moveaxis(density / total[:, None], 0, 1).reshape(density.shape[1], -1) for density in (mu, tau)
        )
        error = mu_panels.tails(mu).sum(axis=0) + tau_panels.tails(tau).sum(axis=0)
        error += (mu[0] + mu[-1]) * np.ptp(mu_panels.edges) + tau[-1] * tau_panels.edges[-1]
        return mu, tau, error.reshape(total.shape)

    def _new(self, likelihood: NDArray[np.float32], full: tuple[slice, slice]) -> Array:
        """Ends of theta_new's interval, shape (tables times pairs, 2); `full` are the nodes that hold mass.

        Few places tell where the ends lie, then the places around them are computed.
        """
        weights = np.ascontiguousarray(self.weights[:, *full])
        joint = [(weights * one).reshape(len(weights), -1) for one in likelihood[:, *full]]
        total = np.concatenate([each.sum(axis=1, dtype=float) for each in joint])
        below = self.below[full]

        def at(places: NDArray[np.intp]) -> Array:
            columns = np.ascontiguousarray(below[:, :, places].reshape(-1, len(places)))
            return np.concatenate([each @ columns for each in joint]).astype(float) / total[:, None]

        coarse = np.arange(0, len(self.places), _COARSE)
        roughly = at(coarse)
        found = []
        for tail in TAILS:
            before = (roughly < tail).sum(axis=1) - 1
            first, last = max(int(before.min()), 0), min(int(before.max()) + 1, len(coarse) - 1)
            some = np.arange(max(first * _COARSE - 1, 0), min(last * _COARSE + 3, len(self.places)))
            found.append(self._reaches(some, at(some), tail))
        return np.column_stack(found)

    def _reaches(self, places: NDArray[np.intp], below: Array, tail: float) -> Array:
        """Where distribution functions, in rows over the places, reach a probability; NaN where they do not.

        On the scale of normal quantiles they are nearly straight: a cubic through the four places around
        the crossing, halved.
        """
        before = (below < tail).sum(axis=1) - 1
        inside = (before >= 1) & (before < below.shape[1] - 2)
        before = np.clip(before, 1, below.shape[1] - 3)
        around = before[:, None] + np.arange(-1, 3)
        values = special.ndtri(np.clip(np.take_along_axis(below, around, axis=1), _NEVER, _ALWAYS))
        values -= special.ndtri(tail)
        low, high = np.zeros(len(below)), np.ones(len(below))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            short = (_cubic(middle) * values).sum(axis=1) < 0
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        step = self.steps[places[before]] + low * _STEP
        return np.where(inside, self.middle + self.scale * np.sinh(step), np.nan)


def _stretch(panels: Panels, density: Array) -> slice:
    """Nodes between the first and the last that hold a share of some posterior."""
    full = np.flatnonzero((panels.weights[:, None] * density > _NOTHING).any(axis=1))
    return slice(int(full[0]), int(full[-1]) + 1)


def _relative(priors: Sequence[Prior], nodes: Array) -> Array:
    """Densities relative to their largest: shape (nodes, priors)."""
    log_density = log_densities(priors, nodes).T
    return np.exp(log_density - log_density.max(axis=0))


def _finest(grid: SharedGrid) -> tuple[float, float]:
    """Where the finest panels in mu lie, which is where the data are, and the scale that they resolve."""
    width = grid.mu.widths.min()
    first, last = np.flatnonzero(grid.mu.widths == width)[[0, -1]]
    return float((grid.mu.edges[first] + grid.mu.edges[last + 1]) / 2), min(2 * float(width), 1.0)


def _cubic(x: Array) -> Array:
    """Lagrange's weights of values at -1, 0, 1 and 2: shape (len(x), 4)."""
    return np.stack(
        [
            -x * (x - 1) * (x - 2) / 6,
            (x + 1) * (x - 1) * (x - 2) / 2,
            -(x + 1) * x * (x - 2) / 2,
            (x + 1) * x * (x - 1) / 6,
        ],
        axis=-1,
    )
