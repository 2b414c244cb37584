"""Another prior, or other data, by importance sampling from the draws of a fit."""

import numpy as np
from arviz_stats.base import array_stats  # pyright: ignore[reportPrivateImportUsage]
from numpy.typing import NDArray

from kyphobayes.pain.scores import Array

_LEAST = -700.0  # of a log weight; where the other density is 0 it is minus infinity


def some_rows(size: int, draws: int, seed: int) -> NDArray[np.intp]:
    """Positions of so many draws of `size`, none twice; all where there are no more."""
    return np.sort(np.random.default_rng([seed, 2]).permutation(size)[:draws]).astype(np.intp)


def reweighted_rows(log_ratio: Array, draws: int, seed: int) -> tuple[NDArray[np.intp], float]:
    """Draws that stand for another posterior, and the Pareto k of their weights.

    Parameters
    ----------
    log_ratio : ndarray, shape (s,)
        Log of the other unnormalised posterior density over this one's, at every draw.
    draws : int
    seed : int

    Returns
    -------
    rows : ndarray of int, shape (draws,)
        Systematic resampling by Pareto-smoothed weights (Vehtari et al. 2024); some come more than once.
    k : float
        Above 0.7 they are not to be trusted.
    """
    relative = np.maximum(log_ratio - log_ratio.max(), _LEAST)
    log_weights, k = array_stats.psislw(-relative)  # ArviZ takes the negative, as of a log likelihood
    weights = np.exp(log_weights - log_weights.max())
    cumulative = np.cumsum(weights / weights.sum())
    places = (np.arange(draws) + np.random.default_rng([seed, 3]).random()) / draws
    rows = np.minimum(np.searchsorted(cumulative, places), len(weights) - 1)
    return rows.astype(np.intp), float(k)
