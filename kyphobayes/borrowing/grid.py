"""A density on an even grid, from whatever form it comes in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError
from kyphobayes.priors import Prior

Array = NDArray[np.float64]


class HasDensity(Protocol):
    """A density that can be asked: `kyphobayes.exact.Density` is one."""

    def pdf(self, x: ArrayLike) -> Array:
        """Density at `x`."""
        ...

    def quantile(self, q: ArrayLike) -> Array:
        """Value below which a share `q` of the mass lies."""
        ...


Density = Prior | HasDensity | tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True)
class Grid:
    """A density at evenly spaced places, with integral one.

    Attributes
    ----------
    x, pdf : ndarray, shape (m,)
    """

    x: Array
    pdf: Array

    @classmethod
    def of(cls, density: Density, size: int, tail: float) -> Self:
        """Put a density on a grid of `size` places that leaves out `tail` at either end.

        Parameters
        ----------
        density : Prior, object with pdf and quantile, or tuple (x, pdf)
            Of a tuple the ends are those of x, and between its places log pdf is a cubic spline.

        Raises
        ------
        InputError
            If a prior is improper, or (x, pdf) are not increasing places with a density.
        """
        if isinstance(density, tuple):
            return cls._between(*_columns(density), size)
        ends = density.quantile([tail, 1 - tail])
        if not np.isfinite(ends).all():
            raise InputError(f"{density}: expected a density with tails that end within double precision")
        x = np.linspace(float(ends[0]), float(ends[1]), size)
        pdf = np.exp(density.log_density(x)) if isinstance(density, Prior) else density.pdf(x)
        return cls(x, pdf / np.trapezoid(pdf, x))

    @classmethod
    def _between(cls, x: Array, pdf: Array, size: int) -> Self:
        inside = x[pdf > 0]
        even = np.linspace(inside[0], inside[-1], size)
        smooth = np.exp(_spline(x, pdf)(even))
        return cls(even, smooth / np.trapezoid(smooth, even))

    def mean(self, values: Array) -> float:
        """Mean of a function given at the places."""
        return float(np.trapezoid(values * self.pdf, self.x))


def log_density(density: Density, x: Array) -> Array:
    """Log of a density at `x`, where it is greater than zero."""
    if isinstance(density, Prior):
        return density.log_density(x)
    return _spline(*_columns(density))(x) if isinstance(density, tuple) else np.log(density.pdf(x))


def _spline(x: Array, pdf: Array) -> Callable[[Array], Array]:
    from scipy.interpolate import CubicSpline

    return CubicSpline(x[pdf > 0], np.log(pdf[pdf > 0]))


def _columns(density: tuple[ArrayLike, ArrayLike]) -> tuple[Array, Array]:
    if len(density) != 2:
        raise InputError(f"density: expected a pair (x, pdf), found {len(density)} things")
    x, pdf = (np.asarray(column, dtype=float) for column in density)
    if x.ndim != 1 or x.shape != pdf.shape:
        raise InputError(f"density: expected x and pdf of one length, found shapes {x.shape} and {pdf.shape}")
    if not (np.isfinite(x).all() and (np.diff(x) > 0).all()):
        raise InputError("density: expected x to be finite and increasing")
    if not (np.isfinite(pdf).all() and (pdf >= 0).all()):
        raise InputError("density: expected pdf to be finite and not negative")
    if (pdf > 0).sum() < 20:
        raise InputError(f"density: expected a pdf above 0 at 20 places or more, found {(pdf > 0).sum()}")
    return x, pdf
