"""The intervals that a method gives for many tables."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Ends on the scale of log odds, of shape (tables,); NaN where a method gives nothing.

    Attributes
    ----------
    low, high : ndarray
        For mu, the typical centre.
    new_low, new_high : ndarray
        For theta_new, the next centre.
    """

    low: Array
    high: Array
    new_low: Array
    new_high: Array
