r"""How study effects lie about mu: normal, or a mixture of normals over their scale.

Given its scale sigma an effect is :math:`N(\mu, \sigma)`. Normal effects have sigma = tau; others spread
tau over sigma, and what holds for normal effects given (mu, tau) holds for them given (mu, sigma).
"""

from dataclasses import dataclass
from typing import Protocol, override

import numpy as np

from kyphobayes.errors import InputError
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.scales import over_scales

_LEAST, _MOST = 1.0, 1000.0  # degrees of freedom
_WIDEST = 100.0  # ratio of the spreads
_CLOSE = 1e-12  # edges of panels nearer to each other, relative to their size, are one


class Kernel(Protocol):
    """Density of an effect about mu, in units of tau."""

    @property
    def normal(self) -> bool:
        """Whether effects are normal given mu and tau."""
        return False

    def spread(self, tau: Panels, *functions: Array) -> tuple[Panels, list[Array]]:
        """Panels in sigma, and at their nodes what is known of functions of (mu, tau, ...).

        Each function is a density in tau (second axis), and becomes one in sigma.
        """
        ...

    def steps(self, size: int, rng: np.random.Generator) -> Array:
        """Draw (theta - mu) / tau."""
        ...


class NormalKernel(Kernel):
    """Normal effects."""

    @property
    @override
    def normal(self) -> bool:
        return True

    @override
    def spread(self, tau: Panels, *functions: Array) -> tuple[Panels, list[Array]]:
        return tau, list(functions)

    @override
    def steps(self, size: int, rng: np.random.Generator) -> Array:
        return rng.standard_normal(size)


NORMAL = NormalKernel()


@dataclass(frozen=True)
class StudentKernel(Kernel):
    """Student-t effects.

    Attributes
    ----------
    nu : float
        Degrees of freedom, from 1 to 1000.
    """

    nu: float

    def __post_init__(self) -> None:
        if not _LEAST <= self.nu <= _MOST:
            raise InputError(
                f"nu: expected a number from {_LEAST:g} to {_MOST:g}, found {self.nu:g}; above, they are "
                f"normal"
            )

    @override
    def spread(self, tau: Panels, *functions: Array) -> tuple[Panels, list[Array]]:
        return over_scales(tau, self.nu, *functions)

    @override
    def steps(self, size: int, rng: np.random.Generator) -> Array:
        return rng.standard_t(self.nu, size)


@dataclass(frozen=True)
class ContaminatedKernel(Kernel):
    """Normal effects, of which a share is spread more widely.

    Attributes
    ----------
    share : float
        Of outlying effects: greater than 0, and no more than a half.
    ratio : float
        Of their standard deviation to that of the others: greater than 1, and no more than 100.
    """

    share: float
    ratio: float

    def __post_init__(self) -> None:
        if not 0 < self.share <= 0.5:
            raise InputError(f"share: expected a number above 0 and up to 0.5, found {self.share:g}")
        if not 1 < self.ratio <= _WIDEST:
            raise InputError(f"ratio: expected a number above 1 and up to {_WIDEST:g}, found {self.ratio:g}")

    @override
    def spread(self, tau: Panels, *functions: Array) -> tuple[Panels, list[Array]]:
        edges = np.union1d(tau.edges, self.ratio * tau.edges)
        sigma = Panels(edges[np.append(True, np.diff(edges) > _CLOSE * edges[1:])])
        matrix = (1 - self.share) * _at(tau, sigma.nodes)
        matrix += self.share / self.ratio * _at(tau, sigma.nodes / self.ratio)
        return sigma, [np.moveaxis(np.tensordot(f, matrix, axes=(1, 1)), -1, 1) for f in functions]

    @override
    def steps(self, size: int, rng: np.random.Generator) -> Array:
        outlying = rng.uniform(size=size) < self.share
        return rng.standard_normal(size) * np.where(outlying, self.ratio, 1.0)


def _at(panels: Panels, x: Array) -> Array:
    """Matrix that takes values at the nodes to values at `x`, zero beyond the panels."""
    inside = (x >= panels.edges[0]) & (x <= panels.edges[-1])
    return panels.interpolation(x) * inside[:, None]
