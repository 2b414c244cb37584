"""Likelihood of (mu, tau) for counts: study effects integrated out, with exact derivatives.

With theta = mu + tau z and z standard normal, a study contributes the logarithm of the integral of
f(x | mu + tau z) phi(z). The integral is taken where the integrand lives: between the two points where
it has fallen by a factor e^-40 from its mode, by Gauss-Legendre panels that narrow towards the mode and
towards the place where log f bends: what a zero cell says ends in a wall that may stand far from the mode.
The same nodes give the derivatives in mu and tau as moments of the derivatives of log f (Louis 1982).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.frequentist.conditional import Conditional, Pair
from kyphobayes.frequentist.maximum import Point

Array = NDArray[np.float64]

DEPTH: Final = 40.0  # log of what is cut off, relative to the mode
ORDER: Final = 12  # of a panel
NARROW: Final = 1e-150  # a tau below is like it
NEAR: Final = 0.01  # in widths of the peak, or of a fall by a factor e: a mode this near is near enough
BASELINE: Final = 1e-8  # in its standard errors: a baseline this near its maximum is there
REACH_ROUNDS: Final = 8
SHARES: Final = 1001  # of studies on one side, tried to find the highest limit
ROUNDS: Final = 200  # of a search; a handful suffices, halving a huge interval takes more


def _panels(edges: Array) -> tuple[Array, Array]:
    """Nodes and weights on (0, 1): a Gauss-Legendre rule between every two edges."""
    x, w = np.polynomial.legendre.leggauss(ORDER)
    width = np.diff(edges)[:, None]
    return (edges[:-1, None] + width * (x + 1) / 2).ravel(), (width * w / 2).ravel()


# Panels narrow towards 0 (the mode) or towards both ends (mode and bend): there log f may have a wall.
_TOWARDS_0: Final = np.append(0.0, 0.5 ** np.arange(9.0, -1.0, -1.0))
ONE: Final = _panels(_TOWARDS_0)
BOTH: Final = _panels(np.append(_TOWARDS_0 / 2, 1 - _TOWARDS_0[-2::-1] / 2))


@dataclass(frozen=True, eq=False)
class Terms:
    """Each study's log likelihood, its gradient in (mu, tau), shape (k, 2), and Hessian (k, 2, 2)."""

    value: Array
    gradient: Array
    hessian: Array


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Nodes in z and theta, the share of each in the integral, log f's derivatives there, all (k, n).

    `value`, shape (k,), is the log of the integral.
    """

    z: Array
    theta: Array
    share: Array
    first: Array
    second: Array
    value: Array

    def mean(self, of: Array) -> Array:
        return (self.share * of).sum(axis=1)

    def covariance(self, one: Array, other: Array) -> Array:
        return self.mean((one - self.mean(one)[:, None]) * (other - self.mean(other)[:, None]))


def terms(studies: Conditional, mu: float, tau: float) -> Terms:
    """Each study's share in the log likelihood at (mu, tau), with derivatives."""
    nodes = _integrate(studies, mu, tau)
    score, curvature = _of_log_f(nodes)
    # Where f is the narrower factor, its derivatives are large and cancel; those of the normal do not.
    narrow = tau**2 * nodes.mean(-nodes.second) > 1
    if narrow.any():
        other_score, other_curvature = _of_log_normal(nodes, tau)
        score = np.where(narrow[:, None], other_score, score)
        curvature = np.where(narrow[:, None], other_curvature, curvature)
    gradient = np.stack([nodes.mean(s) for s in score], axis=-1)
    hessian = np.empty((len(gradient), 2, 2))
    for a in range(2):
        for b in range(2):
            hessian[:, a, b] = nodes.mean(curvature[a + b]) + nodes.covariance(score[a], score[b])
    return Terms(nodes.value, gradient, hessian)


def _of_log_f(nodes: _Nodes) -> tuple[Array, Array]:
    """Of log f(x | mu + tau z) where z stays: derivatives in mu and tau; in mu mu, mu tau, tau tau."""
    powers = np.stack([np.ones_like(nodes.z), nodes.z, nodes.z**2])
    return powers[:2] * nodes.first, powers * nodes.second


def _of_log_normal(nodes: _Nodes, tau: float) -> tuple[Array, Array]:
    """The same of the normal density of theta where theta stays."""
    z, one = nodes.z, np.ones_like(nodes.z)
    return np.stack([z, z**2 - 1]) / tau, np.stack([-one, -2 * z, 1 - 3 * z**2]) / tau**2


def profile_terms(studies: Pair, mu: float, tau: float) -> tuple[Terms, Pair]:
    """The same with every study's baseline at its maximum; the studies come back with those baselines.

    The integrated likelihood is log-concave in the baseline (Prekopa 1973), so that Newton's method,
    halved where it overshoots, ends at the only maximum.
    """
    nodes = _integrate(studies, mu, tau)
    for _ in range(ROUNDS):
        slope, bend, _ = _baseline(studies, nodes)
        step = np.clip(-slope / bend, -2.0 - tau, 2.0 + tau)
        moved = replace(studies, baseline=studies.baseline + step)
        there = _integrate(moved, mu, tau)
        worse = there.value < nodes.value - 1e-9
        if worse.any():
            moved = replace(studies, baseline=studies.baseline + np.where(worse, step / 4, step))
            there = _integrate(moved, mu, tau)
        studies, nodes = moved, there
        if (step**2 * np.abs(bend)).max() < BASELINE**2:
            break
    _, bend, mixed = _baseline(studies, nodes)
    own = terms(studies, mu, tau)
    correction = mixed[:, :, None] * mixed[:, None, :] / bend[:, None, None]
    return replace(own, hessian=own.hessian - correction), studies


def _baseline(studies: Pair, nodes: _Nodes) -> tuple[Array, Array, Array]:
    """Of the integrated log likelihood: derivatives in the baseline, and the mixed ones, shape (k, 2)."""
    first, second, mixed = studies.baseline_derivatives(nodes.theta)
    cross = [
        nodes.mean(nodes.z**a * mixed) + nodes.covariance(first, nodes.z**a * nodes.first) for a in range(2)
    ]
    bend = nodes.mean(second) + nodes.covariance(first, first)
    return nodes.mean(first), bend, np.stack(cross, axis=-1)


def _integrate(studies: Conditional, mu: float, tau: float) -> _Nodes:
    mode, top, width = _mode(studies, mu, tau)
    start, end = (mode + side * _reach(studies, mu, tau, mode, top, width, side) for side in (-1.0, 1.0))
    # With tau = 0 the effect is mu, and there is nothing to bend.
    bend = np.clip(_bend(studies, mu, tau), start, end) if tau > 0 else mode
    first, last = np.minimum(mode, bend), np.maximum(mode, bend)
    pieces = ((first, start - first, ONE), (first, last - first, BOTH), (last, end - last, ONE))
    z = np.concatenate([origin[:, None] + way[:, None] * rule[0] for origin, way, rule in pieces], axis=1)
    density = np.concatenate([np.abs(way)[:, None] * rule[1] for _, way, rule in pieces], axis=1)
    theta = mu + tau * z
    value, slope, curvature = studies.derivatives(theta)
    density = density * np.exp(value - z**2 / 2 - top[:, None]) / np.sqrt(2 * np.pi)
    total = density.sum(axis=1)
    return _Nodes(z, theta, density / total[:, None], slope, curvature, top + np.log(total))


def _bend(studies: Conditional, mu: float, tau: float) -> Array:
    """Where log f bends, in z; beside a tiny tau nearer, so that its square is a number: any z bounds."""
    return (studies.bend - mu) / max(tau, NARROW)


def _mode(studies: Conditional, mu: float, tau: float) -> tuple[Array, Array, Array]:
    """Where log f(mu + tau z) - z^2 / 2 is highest, its height there, and the width of the peak.

    It need only be near enough to split the integral there. The slope at 0 is g = tau d log f / d theta.
    Where log f is concave the slope has changed its sign at z = g; and at the mode the integrand is neither
    below what it is at 0 nor below what it is where log f bends. All three bound the way; where Newton's
    method leaves it or hardly moves, it is halved.
    """
    z = np.zeros_like(studies.highest)
    value, first, second = _at(studies, mu, tau, z)
    g = tau * first
    anchor = _bend(studies, mu, tau) if tau > 0 else z
    missing = np.minimum(-2 * value, anchor**2 - 2 * _at(studies, mu, tau, anchor)[0])
    low = np.zeros_like(z)
    high = np.sign(g) * np.minimum(np.abs(g), np.sqrt(np.maximum(2 * studies.highest + missing, 0.0)))
    last, slope, bend = np.abs(high), g, np.maximum(1 - tau**2 * second, 1.0)
    for _ in range(ROUNDS):
        newton = z + slope / bend
        good = ((newton - low) * (high - newton) >= 0) & (np.abs(newton - z) <= last / 2)
        moved = np.where(good, newton, (low + high) / 2)
        last, z = np.abs(moved - z), moved
        value, first, second = _at(studies, mu, tau, z)
        slope, bend = tau * first - z, np.maximum(1 - tau**2 * second, 1.0)
        rising = slope * g > 0
        low, high = np.where(rising, z, low), np.where(rising, high, z)
        if (last * (np.abs(slope) + np.sqrt(bend)) < NEAR).all():
            break
    return z, value - z**2 / 2, 1 / np.sqrt(bend)


def _reach(
    studies: Conditional, mu: float, tau: float, mode: Array, top: Array, width: Array, side: float
) -> Array:
    """How far from the mode the integrand has fallen by the depth, to a few percent and not less.

    Nowhere is it above exp(highest - z^2 / 2), which bounds the way; the search halves its logarithm.
    """
    near = width.copy()
    far = np.sqrt(2 * np.maximum(studies.highest - top + DEPTH, DEPTH)) + np.abs(mode)
    for _ in range(REACH_ROUNDS):
        middle = np.sqrt(near * far)
        z = mode + side * middle
        above = _at(studies, mu, tau, z)[0] - z**2 / 2 > top - DEPTH
        near, far = np.where(above, middle, near), np.where(above, far, middle)
    return far


def _at(studies: Conditional, mu: float, tau: float, z: Array) -> tuple[Array, Array, Array]:
    value, first, second = studies.derivatives(mu + tau * z[:, None])
    return value[:, 0], first[:, 0], second[:, 0]


class Mixture:
    """The log likelihood of studies whose counts form one of several tables."""

    def __init__(
        self,
        pieces: Conditional,
        index: NDArray[np.intp] | None = None,
        log_weights: Array | None = None,
    ):
        self.pieces = pieces
        self.index = np.arange(len(pieces.highest))[None] if index is None else index
        self.log_weights = np.zeros(1) if log_weights is None else log_weights

    @property
    def saturated(self) -> float:
        """With an effect of its own for each study; NaN where counts are latent."""
        return float(self.pieces.highest[self.index[0]].sum()) if len(self.index) == 1 else np.nan

    @property
    def beyond(self) -> float:
        """The highest limit where mu or tau leave every bound."""
        return _beyond(self.pieces, self.index, self.log_weights)

    def __call__(self, mu: float, tau: float) -> Point:
        """At (mu, tau), with derivatives."""
        return _mean_of_tables(terms(self.pieces, mu, tau), self.index, self.log_weights, mu, tau)


class Profile:
    """The log likelihood of pairs of arms with every baseline at its maximum."""

    def __init__(self, pairs: Pair):
        self.pairs = pairs

    @property
    def saturated(self) -> float:
        """With an effect of its own for each study."""
        return float(self.pairs.highest.sum())

    @property
    def beyond(self) -> float:
        """The highest limit where mu or tau leave every bound."""
        return _beyond(self.pairs, np.arange(len(self.pairs.highest))[None], np.zeros(1))

    def __call__(self, mu: float, tau: float) -> Point:
        """At (mu, tau), with derivatives."""
        own, self.pairs = profile_terms(self.pairs, mu, tau)  # the next call starts from these baselines
        return _mean_of_tables(own, np.arange(len(own.value))[None], np.zeros(1), mu, tau)


def _mean_of_tables(own: Terms, index: NDArray[np.intp], log_weights: Array, mu: float, tau: float) -> Point:
    """Log of the weighted mean over tables, with derivatives."""
    values = own.value[index].sum(axis=1) + log_weights
    gradients, hessians = own.gradient[index].sum(axis=1), own.hessian[index].sum(axis=1)
    total = float(special.logsumexp(values))
    share = np.exp(values - total)
    gradient = share @ gradients
    apart = gradients - gradient
    hessian = np.einsum("t,tab->ab", share, hessians) + np.einsum("t,ta,tb->ab", share, apart, apart)
    return Point(mu, tau, total, gradient, hessian)


def _beyond(studies: Conditional, index: NDArray[np.intp], log_weights: Array) -> float:
    """The highest limit of the log likelihood where mu or tau leave every bound.

    With tau growing and mu / tau fixed, a share p of effects goes to -inf and the rest to +inf. Likelihoods
    that go to 1 there become p or 1 - p, others 0. Where mu leaves and tau does not, p is 1 or 0.
    """
    low, high = (sides[index] for sides in studies.certain)
    open_ended = (low | high).all(axis=1)
    if not open_ended.any():
        return -np.inf
    fewest, k = low[open_ended].sum(axis=1)[:, None], index.shape[1]
    p = np.unique(np.append(np.linspace(0.0, 1.0, SHARES), fewest / k))
    value = special.xlogy(fewest, p) + special.xlog1py(k - fewest, -p) + log_weights[open_ended, None]
    return float(special.logsumexp(value, axis=0).max())
