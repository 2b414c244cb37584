"""Many meta-analyses at once, standardised, and the quadratic forms every estimator is made of.

With weights w and W = sum(w), P = diag(w) - w w' / W is the matrix for which Q = y' P y. Its traces
are written as sums of positive terms: where one huge study has nearly all the weight, sum(w) -
sum(w^2) / W loses every digit.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Studies:
    """The studies of B meta-analyses, in standard units.

    Of each meta-analysis the most precise study comes first; effects are measured from it, in
    units of its standard error. So sums neither overflow nor cancel, whatever the scale, and the
    order in which studies are listed does not matter. The axis of studies comes first, because
    sums over few studies and many meta-analyses are then sums of long rows.

    Attributes
    ----------
    y : ndarray, shape (k, B)
        Standardised effects; 0 in the first study and where a study is absent.
    v : ndarray, shape (k, B)
        Standardised variances; 1 in the first study, the smallest, and where a study is absent.
    present : ndarray, shape (k, B)
        1 where there is a study, 0 where it is absent.
    origin, scale : ndarray, shape (B,)
        The effect and the standard error of the first study.
    """

    y: Array
    v: Array
    present: Array
    origin: Array
    scale: Array

    @classmethod
    def standardised(cls, y: Array, v: Array) -> Self:
        """From effects and variances of shape (B, k), both NaN where a study is absent."""
        order = np.argsort(v, axis=1)  # NaN comes last
        y = np.take_along_axis(y, order, axis=1).T
        v = np.take_along_axis(v, order, axis=1).T
        present = np.isfinite(v)
        origin, scale = y[0], np.sqrt(v[0])
        y = np.where(present, (y - origin) / scale, 0.0)
        v = np.where(present, v / v[0], 1.0)
        return cls(y, v, present.astype(np.float64), origin, scale)

    @property
    def k(self) -> Array:
        """How many studies are present, shape (B,)."""
        return self.present.sum(axis=0)

    def take(self, rows: NDArray[np.integer]) -> Self:
        """The meta-analyses of these indices, repeated where an index is."""
        return replace(
            self,
            y=self.y[:, rows],
            v=self.v[:, rows],
            present=self.present[:, rows],
            origin=self.origin[rows],
            scale=self.scale[rows],
        )

    def on_grid(self) -> Self:
        """With an axis for values of tau2: then tau2 may have shape (grid, B)."""
        return replace(self, y=self.y[:, None], v=self.v[:, None], present=self.present[:, None])

    def weights(self, tau2: Array | float) -> Array:
        """Inverse variances 1 / (v + tau2), 0 for absent studies."""
        return self.present / (self.v + tau2)

    def mean(self, w: Array) -> Array:
        """The weighted mean."""
        return (w * self.y).sum(axis=0) / w.sum(axis=0)

    def squared_residuals(self, w: Array) -> Array:
        """Squared distances from the weighted mean, one per study."""
        return (self.y - self.mean(w)) ** 2

    def q(self, w: Array) -> Array:
        """Cochran's Q generalised to any weights: y' P y (DerSimonian and Kacker 2007)."""
        return (w * self.squared_residuals(w)).sum(axis=0)

    def spread(self) -> Array:
        """The largest effect minus the smallest."""
        return self.y.max(axis=0) - self.y.min(axis=0)  # the first study is at 0, as absent ones are


def sum_of_others(a: Array) -> Array:
    """For each study the sum of `a` over the others; exact where the first study has nearly all."""
    others = a.sum(axis=0) - a
    others[0] = a[1:].sum(axis=0)
    return others


def trace_p(w: Array) -> Array:
    """tr(P) = sum_i w_i (W - w_i) / W."""
    return (w * sum_of_others(w)).sum(axis=0) / w.sum(axis=0)


def trace_ps(w: Array, s: Array) -> Array:
    """tr(P S) with S = diag(s)."""
    return (w * s * sum_of_others(w)).sum(axis=0) / w.sum(axis=0)


def trace_psps(w: Array, s: Array) -> Array:
    """tr(P S P S) with S = diag(s): half the variance of y' P y where Cov(y) = S."""
    total = w.sum(axis=0)
    diagonal = w * s * sum_of_others(w) / total
    off_diagonal = w**2 * s
    return (diagonal**2).sum(axis=0) + (off_diagonal * sum_of_others(off_diagonal)).sum(axis=0) / total**2
