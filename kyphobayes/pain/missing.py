"""Late scores that are not printed: what they would be, and how far they could be worse."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kyphobayes.pain.population import draw_scores
from kyphobayes.pain.scores import TOP, Array


def unseen(theta_late: Array, rho: Array, delta: Array | float, uniform: Array) -> NDArray[np.int_]:
    """Late scores of the patients who are not seen.

    Parameters
    ----------
    theta_late : ndarray, shape (s, m)
        Log odds that the seen would let expect.
    rho : ndarray, shape (s,)
    delta : ndarray or float
        Shift of the log odds, of a shape that fits.
    uniform : ndarray, shape (s, m)
        The same numbers for every delta: scores then never fall as delta rises.

    Returns
    -------
    ndarray of int, shape (s, m)
    """
    return draw_scores(theta_late + delta, np.broadcast_to(rho[:, None], theta_late.shape), uniform)


def late_scores(printed: Array, missing: NDArray[np.int_]) -> Array:
    """Late scores of all patients, shape (s, n): those printed (NaN where none is), and those drawn."""
    found = np.tile(printed, (len(missing), 1))
    found[:, np.isnan(printed)] = missing
    return found


def tipping_point(holds: Callable[[float], float], least: float, deltas: Array) -> float:
    """Smallest delta of a rising grid at which a conclusion has a probability below `least`.

    Parameters
    ----------
    holds : callable
        From delta to the probability of the conclusion.
    least : float
    deltas : ndarray

    Returns
    -------
    float
        NaN where none does.
    """
    for delta in deltas:
        if holds(float(delta)) < least:
            return float(delta)
    return float("nan")


def worst_case(printed: Array) -> Array:
    """Late scores if all that is missing were the highest score, shape (n,)."""
    return np.where(np.isnan(printed), float(TOP), printed)
