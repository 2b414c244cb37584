"""Mixtures of normals with common weights: densities of one quantity, quantiles of many at once."""

from functools import cached_property
from typing import override

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import Array, Panels, resolve

_ROUNDS = 100
_LAST = 1e-7  # a step of this share of the spread, and of the tail, is the last: what is left is its square
_EXACT = 1e-15  # of a probability: no step can better it
_EDGE = 1e-15  # a quantile of 0 is infinite: this one stands for it
_FAR = 9.0  # standard deviations beyond which a component holds nothing


def mixture_quantiles(weights: Array, means: Array, sds: Array, q: Array) -> Array:
    """Quantiles of several mixtures.

    Parameters
    ----------
    weights : ndarray, shape (t,)
        Of the components, the same in every mixture; they sum to one.
    means, sds : ndarray, shape (m, t)
    q : ndarray, shape (p,)

    Returns
    -------
    ndarray, shape (m, p)

    Notes
    -----
    Newton's method from the quantile of a normal with the mean and the sd of the middle nine tenths of the
    components; where a step would leave what is known to hold the quantile, that is halved instead.
    """
    q = np.clip(q, _EDGE, 1 - _EDGE)
    cumulative = np.cumsum(weights)
    inner = np.where((cumulative > 0.05) & (cumulative < 0.95), weights, 0.0)
    inner = inner / inner.sum() if inner.any() else weights
    start = means @ inner
    spread = np.sqrt((sds**2 + (means - start[:, None]) ** 2) @ inner)
    x = start[:, None] + spread[:, None] * special.ndtri(q)
    tail = np.minimum(q, 1 - q)
    reach = np.maximum(_FAR, -special.ndtri(tail.min()))
    low = np.repeat((means - reach * sds).min(axis=1)[:, None], len(q), axis=1)
    high = np.repeat((means + reach * sds).max(axis=1)[:, None], len(q), axis=1)
    scaled, heights = means / sds, weights / (sds * np.sqrt(2 * np.pi))
    inverse = 1 / sds
    for _ in range(_ROUNDS):
        z = x[..., None] * inverse[:, None] - scaled[:, None]  # (m, p, t)
        excess = special.ndtr(z) @ weights - q
        slope = np.matmul(np.exp(-0.5 * z * z), heights[..., None])[..., 0]
        low, high = np.where(excess < 0, x, low), np.where(excess < 0, high, x)
        newton = x - np.divide(excess, slope, out=np.full(x.shape, np.inf), where=slope > 0)
        # Small beside the spread is not enough: a narrow component may hold much within a tiny part of it.
        near = (np.abs(newton - x) <= _LAST * spread[:, None]) & (np.abs(excess) <= _LAST * tail)
        last = near | (np.abs(excess) <= _EXACT)
        x = np.where(last | ((newton > low) & (newton < high)), newton, (low + high) / 2)
        if last.all():
            break
    return x


class NormalMixture(Density):
    """A mixture of normals as a density.

    Parameters
    ----------
    weights, means, sds : ndarray, shape (t,)
        Weights sum to one.
    mean, sd : float
        Its moments, which may be infinite where the components stand for a heavy tail.
    """

    def __init__(self, weights: Array, means: Array, sds: Array, mean: float, sd: float):
        self.weights, self.means, self.sds = weights, means, sds
        self._mean, self._sd = mean, sd

    @property
    @override
    def mean(self) -> float:
        return self._mean

    @property
    @override
    def sd(self) -> float:
        return self._sd

    @override
    def expectation(self, function) -> float:
        return self._on_panels.expectation(function)

    @override
    def pdf(self, x: ArrayLike) -> Array:
        z = (np.asarray(x, dtype=float)[..., None] - self.means) / self.sds
        return np.exp(-0.5 * z * z) @ (self.weights / (self.sds * np.sqrt(2 * np.pi)))

    @override
    def cdf(self, x: ArrayLike) -> Array:
        return special.ndtr((np.asarray(x, dtype=float)[..., None] - self.means) / self.sds) @ self.weights

    @override
    def quantile(self, q: ArrayLike) -> Array:
        q = np.asarray(q, dtype=float)
        return mixture_quantiles(self.weights, self.means[None], self.sds[None], q.ravel()).reshape(q.shape)

    @property
    def panels(self) -> Panels:
        """Panels that resolve it."""
        return self._on_panels.panels

    @property
    def values(self) -> Array:
        """Density at their nodes."""
        return self._on_panels.values

    @cached_property
    def _on_panels(self) -> Density:
        """The same on panels, between quantiles that leave out next to nothing."""
        edges = self.quantile([1e-14, 1e-9, 1e-4, 0.1, 0.5, 0.9, 1 - 1e-4, 1 - 1e-9, 1 - 1e-14])
        return Density(*resolve(self.pdf, Panels(edges), 1e-12))
