"""What a family of priors is, and a law: a family with its parameters filled in.

Every function of a family takes its parameters as numbers or as arrays that broadcast against the
value, so that ten thousand priors of one family cost one call. The lower and the upper tail have
functions of their own: 1 - F(x) is worth nothing far out, and truncation needs it there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Support = tuple[Any, Any]
Function = Callable[..., Array]

REAL: Support = (-np.inf, np.inf)
POSITIVE: Support = (0.0, np.inf)


def everywhere(**_: Any) -> Support:
    """Support of a family on the real line."""
    return REAL


def above_zero(**_: Any) -> Support:
    """Support of a family of standard deviations."""
    return POSITIVE


def always(**_: Any) -> bool:
    """Properness of a family that integrates to one whatever its parameters."""
    return True


def never(**_: Any) -> bool:
    """Properness of a family that has no constant."""
    return False


@dataclass(frozen=True)
class Family:
    """One family of priors.

    Attributes
    ----------
    defaults : mapping
        Parameter names in order, with PyMC's default or None where one must be given.
    log_density : callable
        Of the value and the parameters by name.
    cdf, survival : callable
        Probability below and above the value. None if improper, as are the next two.
    quantile, upper_quantile : callable
        Value with a given probability below, or above.
    positive, unit, ordered : tuple of str
        Parameters that must be greater than zero, that must lie strictly between zero and one, and
        that must stand in increasing order.
    support : callable
        Lowest and highest value, of the parameters by name.
    proper : callable
        Whether it integrates to one, of the parameters by name.
    from_studies : bool
        Whether it is defined by the standard errors of the studies at hand.
    """

    defaults: Mapping[str, float | None]
    log_density: Function
    cdf: Function | None = None
    survival: Function | None = None
    quantile: Function | None = None
    upper_quantile: Function | None = None
    positive: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    support: Callable[..., Support] = everywhere
    proper: Callable[..., bool] = always
    from_studies: bool = False


@dataclass(frozen=True)
class Law:
    """A family with its parameters.

    Attributes
    ----------
    family : Family
    parameters : dict
        Numbers, or arrays that broadcast against the values asked for, or laws.
    """

    family: Family
    parameters: dict[str, Any]

    @property
    def support(self) -> Support:
        """Lowest and highest value it allows."""
        return self.family.support(**self.parameters)

    @property
    def proper(self) -> bool:
        """Whether it integrates to one."""
        return self.family.proper(**self.parameters)

    def log_density(self, x: ArrayLike) -> Array:
        """Log density; minus infinity outside the support."""
        x = np.asarray(x, dtype=float)
        low, high = self.support
        inside = (x >= low) & (x <= high)
        # Far out a square is infinite, and the density zero.
        with np.errstate(over="ignore", under="ignore"):
            if inside.all():
                return self.family.log_density(x, **self.parameters)
            # Where the density is not asked for it is computed at some harmless place.
            somewhere = np.where(np.isfinite(low), low + 1e-3, np.where(np.isfinite(high), high - 1e-3, 0.0))
            found = self.family.log_density(np.where(inside, x, somewhere), **self.parameters)
            return np.where(inside, found, -np.inf)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value up to `x`."""
        return self._tail(self.family.cdf, x)

    def survival(self, x: ArrayLike) -> Array:
        """Probability of a value above `x`."""
        return self._tail(self.family.survival, x)

    def quantile(self, q: ArrayLike) -> Array:
        """Value with probability `q` below."""
        return self._inverse(self.family.quantile, q)

    def upper_quantile(self, q: ArrayLike) -> Array:
        """Value with probability `q` above: precise where `q` is tiny."""
        return self._inverse(self.family.upper_quantile, q)

    def _tail(self, function: Function | None, x: ArrayLike) -> Array:
        assert function is not None
        low, high = self.support
        # At 0 and far out a logarithm or a power is infinite or zero, and so the probability is 0 or 1.
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            return function(np.clip(np.asarray(x, dtype=float), low, high), **self.parameters)

    def _inverse(self, function: Function | None, q: ArrayLike) -> Array:
        assert function is not None
        # Of the probabilities 0 and 1 the value may be infinite.
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            return function(np.asarray(q, dtype=float), **self.parameters)
