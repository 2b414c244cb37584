"""Quantiles where only the distribution function has a formula."""

from collections.abc import Callable

import numpy as np

from kyphobayes.families.family import Array

_STEPS = 200
_LARGEST = 1e300  # beyond which a bracket's middle would overflow
_CLOSE = 4 * np.finfo(float).eps


def invert(
    below: Callable[[Array], Array], density: Callable[[Array], Array], q: Array, low: Array, high: Array
) -> Array:
    """Find where an increasing function takes the values `q`: Newton's steps, halving where they leave.

    Parameters
    ----------
    below, density : callable
        The function and its derivative.
    q : ndarray
    low, high : ndarray, of the shape of `q`
        The values are known to lie between them.
    """
    low, high = np.clip(low, -_LARGEST, _LARGEST), np.clip(high, -_LARGEST, _LARGEST)
    x = low + (high - low) / 2
    for _ in range(_STEPS):
        error, slope = below(x) - q, density(x)
        low, high = np.where(error <= 0, x, low), np.where(error >= 0, x, high)
        newton = x - error / np.where(slope > 0, slope, np.inf)
        inside = (newton > low) & (newton < high) & (slope > 0)
        moved = np.where(inside, newton, low + (high - low) / 2)
        if np.all(np.abs(moved - x) <= _CLOSE * np.abs(moved)):
            return moved
        x = moved
    return x
