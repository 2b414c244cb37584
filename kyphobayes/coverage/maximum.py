"""Maximum likelihood of the binomial-normal model, and its intervals, of thousands of tables.

`frequentist.glmm_proportion` takes tens of milliseconds for each table. Here the likelihood is known at the
nodes of a `SharedGrid`, whose panels interpolate it to many digits: Newton's method on the interpolant ends
at the same maximum, which the tests hold against `glmm_proportion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from kyphobayes.coverage.intervals import Intervals
from kyphobayes.coverage.shared_grid import SharedGrid
from kyphobayes.coverage.simulated import Array, Counts
from kyphobayes.errors import InputError
from kyphobayes.exact.panels import ORDER, differentiation, lagrange
from kyphobayes.frequentist import glmm_proportion
from kyphobayes.frequentist.inference import two_sided_quantile
from kyphobayes.names import PROB

CUT = float(special.chdtri(1, 1 - PROB)) / 2  # fall of a profile log likelihood at the ends of its interval
_ROUNDS = 60
_HALVINGS = 40
_LONGEST = 0.3  # step of Newton's method
_LAST = 1e-9  # length of a step after which there is none
_NOTHING = 1e-4  # tau below which it is 0: its likelihood is even in tau


@dataclass(frozen=True, eq=False)
class Maxima:
    """Maxima of some tables, all of shape (tables,); NaN where the likelihood has none.

    Attributes
    ----------
    mu, tau, se : ndarray
        Estimates, and the standard error of mu from the observed information.
    low, high : ndarray
        Ends of the profile likelihood interval of mu.
    """

    mu: Array
    tau: Array
    se: Array
    low: Array
    high: Array

    def wald(self, df: float) -> Intervals:
        """Intervals with a normal quantile (infinite df), or one of Student's t."""
        c = float(two_sided_quantile(df, PROB))
        reach, further = c * self.se, c * np.hypot(self.tau, self.se)
        return Intervals(self.mu - reach, self.mu + reach, self.mu - further, self.mu + further)

    def profile(self) -> Intervals:
        """Profile likelihood intervals of mu, which has none for the next centre."""
        nothing = np.full(self.mu.shape, np.nan)
        return Intervals(self.low, self.high, nothing, nothing)


def maxima(grid: SharedGrid, values: Array, events: Counts, sizes: Counts) -> Maxima:
    """Maxima of some tables of a grid.

    Parameters
    ----------
    grid : SharedGrid
        Placed for these tables among others.
    values : ndarray, shape (tables, mu nodes, tau nodes)
        Their log likelihoods.
    events, sizes : ndarray of int, shape (tables, k)
    """
    mu, tau, se, top = _highest(grid, values)
    found = np.stack([mu, tau, se, *_profile_ends(grid, values, mu, top)])
    for table in np.flatnonzero(((events == 0) | (events == sizes)).all(axis=1)):
        found[:3, table] = _by_witness(events[table], sizes[table])  # which knows whether there is a maximum
        found[3:, table] += 0 * found[0, table]  # without one, no interval
    return Maxima(*found)


def _by_witness(events: Counts, sizes: Counts) -> tuple[float, float, float]:
    try:
        found = glmm_proportion(events, sizes)
    except InputError:
        return np.nan, np.nan, np.nan
    return found.mu, found.tau2**0.5, found.se


def _highest(grid: SharedGrid, values: Array) -> tuple[Array, Array, Array, Array]:
    """Estimates, standard errors and the log likelihoods there: Newton's method from the highest node."""
    at_mu, at_tau = np.divmod(values.reshape(len(values), -1).argmax(axis=1), values.shape[2])
    mu, tau = grid.mu.nodes[at_mu], grid.tau.nodes[at_tau]
    for _ in range(_ROUNDS):
        _, gradient, second = _derivatives(grid, values, mu, tau)
        steps = _newton(gradient, second)
        mu = np.clip(mu + steps[0], *grid.mu.edges[[0, -1]])
        tau = np.minimum(np.abs(tau + steps[1]), grid.tau.edges[-1])  # the likelihood is even in tau
        if np.abs(steps).max() < _LAST:
            break
    tau = np.where(tau < _NOTHING, 0.0, tau)
    top, _, (xx, xy, yy) = _derivatives(grid, values, mu, tau)
    inner = tau > 0
    information = -np.where(inner, xx - xy**2 / np.where(inner, yy, 1.0), xx)
    return mu, tau, information**-0.5, top


def _newton(gradient: Array, second: Array) -> Array:
    """Newton's step where the surface is concave, else one along the gradient; shape (2, tables)."""
    (x, y), (xx, xy, yy) = gradient, second
    determinant = xx * yy - xy**2
    concave = (xx < 0) & (determinant > 0)
    step = np.stack([xy * y - yy * x, xy * x - xx * y]) / np.where(concave, determinant, 1.0)
    bend = np.maximum(np.abs(second).sum(axis=0), 1e-300)
    return np.clip(np.where(concave, step, gradient / bend), -_LONGEST, _LONGEST)


def _derivatives(grid: SharedGrid, values: Array, mu: Array, tau: Array) -> tuple[Array, Array, Array]:
    """Log likelihood, gradient (2, tables) and second derivatives (3, tables) by mu and tau."""
    rows = np.arange(len(values))
    (panel_mu, x), (panel_tau, y) = grid.mu.locate(mu), grid.tau.locate(tau)
    shape = (len(values), len(grid.mu), ORDER, len(grid.tau), ORDER)
    cells = values.reshape(shape)[rows, panel_mu, :, panel_tau]
    along_mu = _with_slopes(x, grid.mu.widths[panel_mu] / 2)
    along_tau = _with_slopes(y, grid.tau.widths[panel_tau] / 2)

    def at(i: int, j: int) -> Array:
        return np.einsum("bi,bij,bj->b", along_mu[i], cells, along_tau[j], optimize=True)

    return at(0, 0), np.stack([at(1, 0), at(0, 1)]), np.stack([at(2, 0), at(1, 1), at(0, 2)])


def _with_slopes(place: Array, half: Array) -> list[Array]:
    """Weights that interpolate from a panel's nodes, and those of the first and second derivative."""
    value, slope = lagrange(place), differentiation()
    return [value, value @ slope / half[:, None], value @ slope @ slope / half[:, None] ** 2]


def _profile_ends(grid: SharedGrid, values: Array, mu: Array, top: Array) -> tuple[Array, Array]:
    """Where the profile over tau has fallen by `CUT`; infinite where it never does."""
    depth = np.sqrt(2 * np.maximum(top[:, None] - _over_tau(grid.tau.nodes, values), 0.0))
    nodes, rows = grid.mu.nodes, np.arange(len(values))[:, None]
    depth *= np.sign(nodes - mu[:, None])  # the signed root: smooth, and nearly straight
    goal = np.sqrt(2 * CUT)
    before = (depth < -goal).cumprod(axis=1).sum(axis=1) - 1, (depth <= goal).cumprod(axis=1).sum(axis=1) - 1
    ends = []
    for at, side in zip(before, (-1, 1), strict=True):
        around = np.clip(at, 1, len(nodes) - 3)[:, None] + np.arange(-1, 3)
        end = _crossing(nodes[around], depth[rows, around], side * goal)
        ends.append(np.where((at < 0) | (at == len(nodes) - 1), side * np.inf, end))
    return ends[0], ends[1]


def _crossing(x: Array, y: Array, goal: float) -> Array:
    """Where the cubics through four points, x and y of shape (n, 4), reach a goal between the middle two."""
    low, high = x[:, 1], x[:, 2]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        apart = middle[:, None] - x
        weights = [
            np.prod(np.delete(apart, i, 1) / (x[:, [i]] - np.delete(x, i, 1)), axis=1) for i in range(4)
        ]
        short = sum(weight * value for weight, value in zip(weights, y.T, strict=True)) < goal
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return low


def _over_tau(nodes: Array, values: Array) -> Array:
    """Highest value over tau at each mu, by a parabola through the highest three nodes."""
    at = np.clip(values.argmax(axis=2), 1, values.shape[2] - 2)[..., None]
    low, middle, high = (np.take_along_axis(values, at + step, axis=2)[..., 0] for step in (-1, 0, 1))
    before, after = ((nodes[at + step] - nodes[at])[..., 0] for step in (-1, 1))
    slope_1, slope_2 = (low - middle) / before, (high - middle) / after
    bend = (slope_2 - slope_1) / (after - before)
    slope = slope_1 - bend * before
    peak = np.where(bend < 0, -slope / np.where(bend < 0, 2 * bend, 1.0), 0.0)
    lifted = middle + slope * peak + bend * peak**2
    inside = (peak >= before) & (peak <= after) & (bend < 0)
    return np.where(inside, np.maximum(lifted, middle), np.maximum(np.maximum(low, middle), high))
