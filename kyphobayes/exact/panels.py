"""Piecewise polynomials on Gauss-Legendre panels: quadrature, interpolation and its error.

An interval is cut into panels, each with `ORDER` Gauss-Legendre nodes. The values of a function at
the nodes integrate it, interpolate it, and, through the size of the last Legendre coefficients, tell
how well the panel resolves it. Everything in `kyphobayes.exact` stands on this one representation.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError

ORDER = 16

Array = NDArray[np.float64]


@cache
def _reference() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Nodes, weights, barycentric weights and the values-to-Legendre-coefficients matrix on [-1, 1]."""
    nodes, weights = (np.asarray(x, dtype=float) for x in legendre.leggauss(ORDER))
    # Berrut & Trefethen (2004), eq. 5.3 for Gauss-Legendre: (-1)^j sqrt((1 - x_j^2) w_j).
    barycentric = np.asarray((-1.0) ** np.arange(ORDER) * np.sqrt((1 - nodes**2) * weights), dtype=float)
    degrees = np.arange(ORDER)
    transform = (degrees[:, None] + 0.5) * np.asarray(legendre.legvander(nodes, ORDER - 1)).T * weights
    return nodes, weights, barycentric, transform


def _barycentric(x: Array, nodes: Array, barycentric: Array) -> Array:
    """Weights that interpolate values at the nodes to `x`: shape (..., nodes)."""
    difference = x[..., None] - nodes
    exact = difference == 0.0
    if exact.any():
        at_node = exact.any(axis=-1)
        weights = _barycentric(np.where(at_node, 2.0, x), nodes, barycentric)
        return np.where(at_node[..., None], exact, weights)
    ratio = barycentric / difference
    return ratio / ratio.sum(axis=-1, keepdims=True)


def lagrange(x: Array) -> Array:
    """Weights that interpolate values at the reference nodes to `x` in [-1, 1]: shape (..., ORDER)."""
    nodes, _, barycentric, _ = _reference()
    return _barycentric(x, nodes, barycentric)


@cache
def _integrals() -> tuple[Array, Array, Array]:
    """Nodes and weights that interpolate degree ORDER, and integrals of the interpolant up to each node."""
    *_, transform = _reference()
    nodes, weights = (np.asarray(x, dtype=float) for x in legendre.leggauss(ORDER + 1))
    barycentric = np.asarray((-1.0) ** np.arange(ORDER + 1) * np.sqrt((1 - nodes**2) * weights), dtype=float)
    # The integral of P_n from -1 to x is (P_{n+1}(x) - P_{n-1}(x)) / (2n + 1), and x + 1 for n = 0.
    polynomials = np.asarray(legendre.legvander(nodes, ORDER))
    integrals = np.empty((ORDER + 1, ORDER))
    integrals[:, 0] = nodes + 1.0
    integrals[:, 1:] = (polynomials[:, 2:] - polynomials[:, :-2]) / (2 * np.arange(1, ORDER) + 1)
    return nodes, barycentric, integrals @ transform


def antiderivative(x: Array) -> Array:
    """Weights that turn values at the reference nodes into the integral from -1 to `x`: (..., ORDER)."""
    nodes, barycentric, integrals = _integrals()
    return _barycentric(x, nodes, barycentric) @ integrals


@cache
def differentiation() -> Array:
    """Matrix that takes values at the reference nodes to their interpolant's slopes there."""
    nodes, *_, transform = _reference()
    derivatives = [legendre.legval(nodes, legendre.legder(row)) for row in np.eye(ORDER)]
    return np.asarray(np.array(derivatives).T @ transform, dtype=float)


class Panels:
    """An interval cut at increasing `edges`, with `ORDER` Gauss-Legendre nodes in each piece.

    Attributes
    ----------
    edges : ndarray, shape (p + 1,)
    nodes, weights : ndarray, shape (p * ORDER,)
        Increasing nodes, and the weights that integrate over the whole interval.
    """

    def __init__(self, edges: ArrayLike):
        self.edges = np.unique(np.asarray(edges, dtype=float))
        if len(self.edges) < 2:
            raise InputError(f"panels need at least two different edges, found {self.edges.tolist()}")
        nodes, weights, *_ = _reference()
        half = np.diff(self.edges)[:, None] / 2
        centre = (self.edges[:-1] + self.edges[1:])[:, None] / 2
        self.nodes = (centre + half * nodes).ravel()
        self.weights = (half * weights).ravel()

    def __len__(self) -> int:
        return len(self.edges) - 1

    def __repr__(self) -> str:
        return f"Panels({len(self)} on [{self.edges[0]:.6g}, {self.edges[-1]:.6g}])"

    @property
    def widths(self) -> Array:
        """Widths of the panels, shape (p,)."""
        return np.diff(self.edges)

    def by_panel(self, values: Array) -> Array:
        """View `values` (first axis over nodes) as (p, ORDER, ...)."""
        return values.reshape(len(self), ORDER, *values.shape[1:])

    def integrals(self, values: Array) -> Array:
        """Integral of `values` (first axis over nodes) over each panel: shape (p, ...)."""
        return np.add.reduceat(values.T * self.weights, np.arange(0, len(self.nodes), ORDER), axis=-1).T

    def tails(self, values: Array) -> Array:
        """How badly each panel resolves `values`: an estimate of its integration error, shape (p, ...).

        The last two Legendre coefficients bound what the next ones would add.
        """
        return self.last_coefficients(values) * self.widths.reshape(-1, *[1] * (values.ndim - 1))

    def last_coefficients(self, values: Array) -> Array:
        """Larger of the last two Legendre coefficients: an estimate of the interpolation error."""
        *_, transform = _reference()
        return np.abs(np.tensordot(transform[-2:], self.by_panel(values), axes=(1, 1))).max(axis=0)

    def locate(self, x: Array) -> tuple[NDArray[np.intp], Array]:
        """Panel of every `x` (clipped into the interval) and its place in it, on [-1, 1]."""
        x = np.clip(x, self.edges[0], self.edges[-1])
        panel = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self) - 1)
        low, width = self.edges[panel], self.widths[panel]
        return panel, np.clip(2 * (x - low) / width - 1, -1.0, 1.0)

    def interpolation(self, x: Array) -> Array:
        """Matrix that takes values at the nodes to values at `x`: shape (len(x), p * ORDER)."""
        panel, place = self.locate(np.asarray(x, dtype=float))
        matrix = np.zeros((len(place), len(self), ORDER))
        matrix[np.arange(len(place)), panel] = lagrange(place)
        return matrix.reshape(len(place), -1)

    def split(self, flags: NDArray[np.bool_]) -> "Panels":
        """Halve the flagged panels."""
        middles = (self.edges[:-1] + self.edges[1:])[flags] / 2
        return Panels(np.concatenate([self.edges, middles]))

    def no_wider_than(self, width: float) -> "Panels":
        """Cut every panel into equal pieces no wider than `width`."""
        pieces = np.maximum(1, np.ceil(self.widths / width)).astype(int)
        starts = np.repeat(self.edges[:-1], pieces)
        steps = np.repeat(self.widths / pieces, pieces)
        within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        return Panels(np.append(starts + within * steps, self.edges[-1]))


def resolve(
    function: Callable[[Array], Array], panels: Panels, tolerance: float, rounds: int = 40
) -> tuple[Panels, Array]:
    """Halve panels until each resolves `function` to `tolerance`; evaluate nothing twice.

    Parameters
    ----------
    function : callable
        Takes nodes, shape (m,), to values, shape (m, ...).
    panels : Panels
        Where to begin.
    tolerance : float
        Bound on the integration error of each panel, in the unit of the integral.

    Returns
    -------
    Panels, ndarray
        The panels and the values at their nodes.
    """
    done: list[tuple[float, float, Array]] = []
    pending = list(zip(panels.edges[:-1], panels.edges[1:], strict=True))
    for last in range(rounds - 1, -1, -1):
        pieces = [Panels(interval) for interval in pending]
        values = function(np.concatenate([piece.nodes for piece in pieces]))
        pending = []
        for piece, value in zip(pieces, values.reshape(len(pieces), ORDER, *values.shape[1:]), strict=True):
            low, high = piece.edges
            if last and piece.tails(value).max() > tolerance:
                pending += [(low, (low + high) / 2), ((low + high) / 2, high)]
            else:
                done.append((low, high, value))
        if not pending:
            break
    done.sort(key=lambda item: item[0])
    return Panels([low for low, _, _ in done] + [done[-1][1]]), np.concatenate([v for _, _, v in done])
