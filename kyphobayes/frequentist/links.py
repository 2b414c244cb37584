"""From theta to a probability p: log p and log(1 - p) with two derivatives in theta, without cancellation.

Both logarithms are concave in theta, on which the integration in `mixed` relies. Those of the Cauchy
distribution function are not, so that the cauchit link is not offered.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Derivatives = tuple[Array, Array, Array]
Link = Callable[[Array], tuple[Derivatives, Derivatives]]


def logit(theta: Array) -> tuple[Derivatives, Derivatives]:
    """P = 1 / (1 + exp(-theta))."""
    p, q = special.expit(theta), special.expit(-theta)
    return (-np.logaddexp(0.0, -theta), q, -p * q), (-np.logaddexp(0.0, theta), -p, -p * q)


def probit(theta: Array) -> tuple[Derivatives, Derivatives]:
    """P = Phi(theta), the normal distribution function."""
    return _normal(theta, 1.0), _normal(theta, -1.0)


def cloglog(theta: Array) -> tuple[Derivatives, Derivatives]:
    """P = 1 - exp(-exp(theta)), the complementary log-log link."""
    theta = np.minimum(theta, 300.0)  # beyond, 1 - p is 0 to the last digit
    hazard = np.exp(theta)
    ratio = 1 / special.exprel(np.minimum(hazard, 700.0))  # d log p / d theta = hazard / (exp(hazard) - 1)
    small = theta + np.log(special.exprel(-hazard))
    log_p = np.where(hazard < 1, small, np.log1p(-np.exp(-np.maximum(hazard, 1.0))))
    yes = (log_p, ratio, ratio * (1 - hazard - ratio))
    return yes, (-hazard, -hazard, -hazard)


def _normal(theta: Array, sign: float) -> Derivatives:
    """Log Phi(x) for x = sign theta, by Mills' ratio."""
    x = sign * theta
    slope = np.sqrt(2 / np.pi) / special.erfcx(-x / np.sqrt(2))
    return special.log_ndtr(x), sign * slope, -slope * (x + slope)


LINKS: Final[Mapping[str, Link]] = {"logit": logit, "probit": probit, "cloglog": cloglog}
