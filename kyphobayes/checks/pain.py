"""Features by which replicated patients' scores are held against the printed ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphobayes.checks.check import Check
from kyphobayes.checks.features import Feature, replicated

TIMES = ("before", "after", "late")
_OF_SCORES: tuple[tuple[str, Callable[[NDArray], Any]], ...] = (
    ("mean", lambda y: y.mean(axis=-1)),
    ("standard deviation", lambda y: y.std(axis=-1, ddof=1)),
    ("scores of 0", lambda y: (y == 0).sum(axis=-1)),
    ("scores of 3 or less", lambda y: (y <= 3).sum(axis=-1)),
    ("highest", lambda y: y.max(axis=-1)),
)


def replicated_scores(observed: NDArray[np.float64], replicates: NDArray[np.int_]) -> Check:
    """Compare features of the printed scores with those of new patients with the same covariates.

    Parameters
    ----------
    observed : ndarray, shape (n, 3)
        NaN where no score is printed; the same places are left out of the replicates.
    replicates : ndarray, shape (s, n, 3)
        Patient effects drawn anew (mixed predictive check; Gelman, Meng and Stern 1996).

    Returns
    -------
    Check
    """
    features = []
    for time, name in enumerate(TIMES):
        there = np.isfinite(observed[:, time])
        own, many = observed[there, time], replicates[:, there, time]
        features += [Feature(f"{word}, {name}", float(of(own)), of(many)) for word, of in _OF_SCORES]
    fall, falls = observed[:, 0] - observed[:, 1], replicates[..., 0] - replicates[..., 1]
    features += [
        Feature("smallest fall, before to after", float(fall.min()), falls.min(axis=-1)),
        Feature("standard deviation of the fall", float(fall.std(ddof=1)), falls.std(axis=-1, ddof=1)),
    ]
    return replicated(features, "patients")
