r"""The effect in a new study under thousands of priors.

Its distribution function at theta is :math:`a^\top (L \circ \Phi_\theta) b` for a prior a of mu and b of tau
at the nodes. Priors are smooth, so that thousands of them are combinations of a few dozen vectors; on
these every :math:`L \circ \Phi_\theta` is a small matrix, and all priors at all theta one matrix product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.exact.batch import Batch, moments, some
from kyphobayes.exact.density import newton
from kyphobayes.exact.panels import ORDER, Array, Panels, antiderivative, differentiation, lagrange

_REACH = 7.0  # standard deviations beyond which a normal distribution function is 0 or 1
_WIDEST = 4.0  # standard deviations of the kernel: a panel wider than that does not resolve it
_PLACES, _WEIGHTS = np.polynomial.legendre.leggauss(28)
_SKETCHES = (80, 160, 320)  # vectors that may span all priors
_SPANNED = 1e-10  # part of a prior beyond them that needs no more of them
_NOTHING = 1e-12  # share of a posterior that no node may be left out for
_RANK = 1e-12  # share of the largest singular value below which a vector is left out
_ROUNDING = 1e-14  # of a column in a basis, relative
_RESOLVED = 1e-8
_MOST_EDGES = 80
_NARROWEST = 1e-9  # width of a panel relative to where it lies, below which it is not halved
_CELLS = 3_000_000  # numbers in the largest work array
_WIDE = 3.0  # standard deviations from the means, to begin with


class Predictive:
    """Distribution functions of theta_new under each pair of a batch.

    Attributes
    ----------
    mean, sd : ndarray, shape (c,)
    error : ndarray, shape (c,)
        Bound of the error of probabilities that comes of the bases: large for priors that these do not span,
        or that put the posterior where the likelihood is nearly 0.
    """

    def __init__(self, batch: Batch):
        grid = batch.grid
        mean, spread = moments(grid.mu, batch.mu)
        tau_mean, tau_spread = moments(grid.tau, batch.tau)
        self.mean, self.sd = mean, np.sqrt(np.maximum(spread + tau_spread + tau_mean**2, 0.0))
        mu, tau = _that_matter(grid.mu, batch.mu), _that_matter(grid.tau, batch.tau)
        first, last = mu[0] // ORDER, mu[-1] // ORDER + 1  # whole panels in mu
        mu = np.arange(first * ORDER, last * ORDER)
        self._panels, self._tau = Panels(grid.mu.edges[first : last + 1]), grid.tau.nodes[tau]
        likelihood = grid.likelihood[np.ix_(mu, tau)]
        weights_mu, weights_tau = grid.mu.weights[mu], grid.tau.weights[tau]
        self._likelihood = likelihood * np.outer(weights_mu, weights_tau)
        scale_mu = np.sqrt(weights_mu * likelihood.max(axis=1))
        scale_tau = np.sqrt(weights_tau * likelihood.max(axis=0))
        left, self._a, off_a = _basis(scale_mu[:, None] * batch.a[mu])
        right, self._b, off_b = _basis(scale_tau[:, None] * batch.b[tau])
        self._left, self._right = left / scale_mu[:, None], right / scale_tau[:, None]
        self._total = batch.total
        # Distribution functions are at most 1, so that no L with one has a larger norm than L.
        between = self._likelihood / np.outer(scale_mu, scale_tau)
        norm = np.sqrt(between.sum(axis=0).max() * between.sum(axis=1).max())
        a, b = (np.linalg.norm(each, axis=0) for each in (self._a, self._b))
        self.error = norm * (off_a * b + a * off_b + off_a * off_b) / batch.total
        self._rows: dict[bytes, Array] = {}

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Answer for these pairs only."""
        self.mean, self.sd, self.error = self.mean[kept], self.sd[kept], self.error[kept]
        self._a, self._b, self._total = self._a[:, kept], self._b[:, kept], self._total[kept]

    def cdf(self, theta: Array, columns: NDArray[np.intp]) -> Array:
        """Probabilities of an effect up to theta under some of the pairs, shape (theta, columns)."""
        rows = self._matrix(theta)
        out = np.empty((len(theta), len(columns)))
        length = max(1, _CELLS // len(rows))
        for start in range(0, len(columns), length):
            part = columns[start : start + length]
            over_mu = (rows @ self._a[:, part]).reshape(len(theta), -1, len(part))
            out[:, start : start + length] = (
                np.einsum("tbc,bc->tc", over_mu, self._b[:, part]) / self._total[part]
            )
        return out

    def _matrix(self, theta: Array) -> Array:
        """The distribution functions in the bases: shape (theta times vectors of tau, vectors of mu)."""
        key = theta.tobytes()
        if key not in self._rows:
            below = special.ndtr((theta[:, None, None] - self._panels.nodes[:, None]) / self._tau)
            mend_steps(below, theta, self._panels, self._tau)
            below *= self._likelihood
            small = self._left.T @ (below @ self._right)  # (theta, mu's, tau's)
            self._rows[key] = np.ascontiguousarray(small.transpose(0, 2, 1)).reshape(-1, small.shape[1])
        return self._rows[key]

    def quantiles(self, q: Array) -> Array:
        """Quantiles, shape (quantiles, c)."""
        panels = self._place(q)
        everyone = np.arange(len(self.mean))
        where = _panel_of(self.cdf(panels.edges, everyone), q)
        out = np.full(where.shape, np.nan)
        work = [(*panels.edges[panel : panel + 2], *np.nonzero(where == panel)) for panel in np.unique(where)]
        while work:
            low, high, which, column = work.pop()
            own = Panels([low, high])
            distinct, position = np.unique(column, return_inverse=True)
            values = self.cdf(own.nodes, distinct)
            rough = (own.last_coefficients(values)[0] > _RESOLVED)[position]
            if rough.any() and high - low > _NARROWEST * (high - low + abs(low)):
                middle = (low + high) / 2
                above = self.cdf(np.array([middle]), distinct)[0, position] < q[which]
                for ends, inside in (((low, middle), rough & ~above), ((middle, high), rough & above)):
                    if inside.any():
                        work.append((*ends, which[inside], column[inside]))
                which, column, position = which[~rough], column[~rough], position[~rough]
            if which.size:
                out[which, column] = _solve(own, values[:, position].T, q[which])
        return out

    def _place(self, q: Array) -> Panels:
        """Panels of which those that hold a quantile of a sample resolve its distribution function."""
        sample, everyone = some(len(self.mean)), np.arange(len(self.mean))
        low, high = (self.mean - _WIDE * self.sd).min(), (self.mean + _WIDE * self.sd).max()
        while (self.cdf(np.array([low]), everyone) > q.min()).any():
            low -= high - low
        while (self.cdf(np.array([high]), everyone) < q.max()).any():
            high += high - low
        mean, sd = self.mean[sample], self.sd[sample]
        around = np.median(mean) + np.outer(np.quantile(sd, [0.0, 0.5, 1.0]), [-2.0, -0.7, 0.7, 2.0])
        edges = np.unique(np.clip(np.append(around, [low, high]), low, high))
        at_edges = self.cdf(edges, sample)
        done: set[float] = set()
        while len(edges) < _MOST_EDGES:
            where, middles = _panel_of(at_edges, q), []
            for panel in np.unique(where):
                own = Panels(edges[panel : panel + 2])
                column = sample[(where == panel).any(axis=0)]
                if edges[panel] in done:
                    continue
                if (own.last_coefficients(self.cdf(own.nodes, column)) > _RESOLVED).any():
                    middles.append(own.edges.mean())
                else:
                    done.add(float(edges[panel]))
            if not middles:
                break
            order = np.searchsorted(edges, middles)
            at_edges = np.insert(at_edges, order, self.cdf(np.array(middles), sample), axis=0)
            edges = np.insert(edges, order, middles)
        return Panels(edges)


def mend_steps(below: Array, theta: Array, panels: Panels, taus: Array) -> None:
    """Where tau is small beside a panel, its nodes see a step: there integrate the panel's polynomial.

    Parameters
    ----------
    below : ndarray, shape (theta, nodes in mu, tau)
        Normal distribution functions at theta about each mu; what a node's weight must be multiplied by
        takes their place. The part of a panel within the reach of the kernel has a rule of its own, that
        below it counts in full.
    theta : ndarray
    panels : Panels
        In mu.
    taus : ndarray
    """
    weights = panels.weights.reshape(-1, ORDER)
    for panel, width in enumerate(panels.widths):
        low, high = panels.edges[panel : panel + 2]
        reach = _REACH * taus
        near = (theta.max() > low - reach) & (theta.min() < high + reach)
        columns = np.flatnonzero((taus < width / _WIDEST) & near)
        if not columns.size:
            continue
        tau, at = taus[columns], theta[:, None]
        start, end = (np.clip(at + side * _REACH * tau, low, high) for side in (-1.0, 1.0))
        x = (start + end)[..., None] / 2 + (end - start)[..., None] / 2 * _PLACES
        inside = special.ndtr((at[..., None] - x) / tau[:, None]) * _WEIGHTS * (end - start)[..., None] / 2
        bases = lagrange(np.clip(2 * (x - low) / width - 1, -1.0, 1.0))  # (theta, tau, places, ORDER)
        integrals = np.matmul(inside[..., None, :], bases)[..., 0, :]
        integrals += antiderivative(2 * (start - low) / width - 1) * width / 2
        nodes = slice(panel * ORDER, (panel + 1) * ORDER)
        below[:, nodes, columns] = np.moveaxis(integrals / weights[panel], -1, 1)


def _panel_of(at_edges: Array, q: Array) -> NDArray[np.intp]:
    """Which panel holds each quantile of each column, shape (quantiles, c)."""
    return (at_edges[None, 1:-1] < q[:, None, None]).sum(axis=1)


def _solve(panel: Panels, values: Array, target: Array) -> Array:
    """Where distribution functions, known at a panel's nodes in rows, reach their targets."""
    slopes = values @ differentiation().T

    def excess(spot: Array) -> tuple[Array, Array]:
        weights = lagrange(spot)
        return (weights * values).sum(axis=1) - target, (weights * slopes).sum(axis=1)

    low, high = panel.edges
    return low + (high - low) * (newton(excess, target.shape) + 1) / 2


def _that_matter(panels: Panels, density: Array) -> NDArray[np.intp]:
    """Nodes that hold a share of some posterior."""
    mass = panels.weights[:, None] * density
    return np.flatnonzero((mass > _NOTHING).any(axis=1))


def _basis(columns: Array) -> tuple[Array, Array, Array]:
    """Orthonormal vectors that nearly span the columns, the columns in them, and how far off these are.

    Columns count alike, whatever their size. Shapes (n, r), (r, c) and (c,).
    """
    norms = np.linalg.norm(columns, axis=0)
    units = columns / np.where(norms > 0, norms, 1.0)
    rng = np.random.default_rng(0)  # random sketches, the same every time
    for size in _SKETCHES:
        sketch = units @ rng.normal(size=(units.shape[1], min(size, *units.shape)))
        q = np.linalg.qr(units @ (units.T @ np.linalg.qr(sketch)[0]))[0]
        inside = q.T @ units
        beyond = np.linalg.norm(units - q @ inside, axis=0)
        if beyond.max() < _SPANNED or size >= min(units.shape):
            break
    vectors, values, _ = np.linalg.svd(np.linalg.qr(inside.T, mode="r").T)
    kept = values > _RANK * values[0]
    off = np.hypot(beyond, np.linalg.norm(vectors[:, ~kept].T @ inside, axis=0)) + _ROUNDING
    return q @ vectors[:, kept], vectors[:, kept].T @ inside * norms, off * norms
