"""Shrunken effects: what each study says once it has borrowed from the others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.frequentist.inference import two_sided_quantile
from kyphobayes.frequentist.pool import pool
from kyphobayes.frequentist.validate import numbers

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shrunken:
    """The best linear unbiased predictions of the studies' true effects.

    Attributes
    ----------
    pred : ndarray, shape (k,)
        Predicted effects, in units of y.
    se : ndarray, shape (k,)
        Their standard errors.
    low, high : ndarray, shape (k,)
        Their intervals, with the quantile of the test.
    """

    pred: Array
    se: Array
    low: Array
    high: Array


def blup(
    y: ArrayLike, v: ArrayLike, *, method: str = "REML", test: str = "hksj", level: float = 0.95
) -> Shrunken:
    """The true effects of the studies themselves, shrunken towards mu.

    Parameters
    ----------
    y, v, method, test, level
        As in `pool`.

    Returns
    -------
    Shrunken

    Raises
    ------
    InputError
        As `pool` does.

    Notes
    -----
    With the share s = tau2 / (tau2 + v) that a study keeps of itself, the prediction is
    mu + s (y - mu) and its variance s v + (1 - s)^2 se^2, which holds tau2 for known (Raudenbush and
    Bryk 1985). Where tau2 is 0 every study is predicted by mu.

    References
    ----------
    Raudenbush, S. W. and Bryk, A. S. (1985). J. Educ. Stat. 10, 75-98, eqs. 9-12.
    """
    pooled = pool(y, v, method=method, test=test, level=level)
    y, v = numbers("y", y), numbers("v", v)
    kept = pooled.tau2 / (pooled.tau2 + v)
    given_up = v / (pooled.tau2 + v)  # 1 - kept, without its cancellation
    pred = kept * y + given_up * pooled.mu
    se = np.hypot(np.sqrt(kept * v), given_up * pooled.se)
    quantile = two_sided_quantile(pooled.df, level)
    return Shrunken(pred, se, pred - quantile * se, pred + quantile * se)
