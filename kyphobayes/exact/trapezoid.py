"""Integrals of log-concave functions whose two sides fall at different speeds, by the trapezoid rule.

What a zero cell and a wide normal leave between them is an exponential on one side and a wall on the other:
no rule around the mode alone resolves both. Here each side is followed to where it has fallen, and the steps
are equal in t with x = mode + width sinh(t), on which the rule's error falls exponentially.
"""

from collections.abc import Callable

import numpy as np

from kyphobayes.exact.panels import Array

_DROP = 40.0  # log of the integrand below its maximum where its integral ends
_NODES = 160
_DOUBLINGS = 60
_HALVINGS = 8


def log_integral_to_its_ends(log_density: Callable[[Array], Array], mode: Array, width: Array) -> Array:
    """Log of the integral of exp(log_density), one for each element of `mode`.

    Parameters
    ----------
    log_density : callable
        Concave; from places of the shape of `mode` to values of that shape.
    mode, width : ndarray
        Near enough where it is highest, and the width of the peak there.
    """
    top = log_density(mode)

    def end(sign: float) -> Array:
        """Where the integrand has fallen by _DROP, in t."""
        near, far = np.zeros(mode.shape), np.ones(mode.shape)
        for _ in range(_DOUBLINGS):
            above = log_density(mode + sign * width * np.sinh(far)) > top - _DROP
            if not above.any():
                break
            near, far = np.where(above, far, near), np.where(above, far + 1, far)
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            above = log_density(mode + sign * width * np.sinh(middle)) > top - _DROP
            near, far = np.where(above, middle, near), np.where(above, far, middle)
        return sign * far

    low, high = end(-1.0), end(1.0)
    step = (high - low) / (_NODES - 1)
    total = np.zeros(mode.shape)
    for node in range(_NODES):
        t = low + node * step
        log_f = log_density(mode + width * np.sinh(t)) - top
        total += np.cosh(t) * np.exp(np.minimum(log_f, 300.0))  # a mode beyond all data may be off
    return top + np.log(total) + np.log(step * width)
