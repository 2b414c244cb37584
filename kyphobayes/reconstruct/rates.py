"""The typical and the next centre's rate that a list of possible count tables leads to."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes import exact
from kyphobayes.names import MU, THETA_NEW
from kyphobayes.priors import Prior, Priors

Array = NDArray[np.float64]
Answer = Callable[[NDArray[np.int64], Array], dict[str, float]]

_MOST = 300  # tables; more cost minutes and are answered with nothing


def rates(n: Array, mu: str | Prior, tau: str | Prior) -> Answer:
    """Return a function of tables, shape (t, k), and their weights, shape (t,).

    Parameters
    ----------
    n : ndarray, shape (k,)
    mu, tau : str or Prior
        On the scale of the log odds.

    Returns
    -------
    callable
        It returns shares `typical_low`, `typical_median`, `typical_high`, `next_low`, `next_median` and
        `next_high` (medians and central 95 % intervals), all NaN for more than 300 tables.

    Raises
    ------
    PriorError
        At once, before any table is looked at.
    """
    priors = Priors.of("custom", mu=mu, tau=tau)

    def answer(tables: NDArray[np.int64], weights: Array) -> dict[str, float]:
        found = np.full((2, 3), np.nan)
        if len(tables) <= _MOST:
            summary = exact.mixture(tables, n, weights).posterior(priors[MU], priors["tau"]).summary()
            found = special.expit(summary.loc[[MU, THETA_NEW], ["low", "median", "high"]].to_numpy())
        return {
            f"{whose}_{end}": float(value)
            for whose, row in zip(("typical", "next"), found, strict=True)
            for end, value in zip(("low", "median", "high"), row, strict=True)
        }

    return answer
