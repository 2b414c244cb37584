r"""Weights of models by how well each predicts observations that it has not seen.

With :math:`p_{ik}` the predictive density of observation i by model k given the others, stacking takes the
weights that maximise the log score of the weighted prediction,

.. math:: \max_{w \in S} \frac1n \sum_i \log \sum_k w_k\, p_{ik} ,

over the simplex (Yao, Vehtari, Simpson and Gelman 2018, Bayesian Anal. 13:917). Pseudo-BMA weights are
proportional to :math:`\exp \sum_i \log p_{ik}`; averaged over a Bayesian bootstrap of the observations they
take into account how few these are (pseudo-BMA+ of the same paper).
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from kyphobayes.errors import InputError

Array = NDArray[np.float64]

_ROUNDS = 1000
_ZERO = 1e-9  # a weight below is one that the search has not quite brought to 0
BOOTSTRAPS = 4000


@dataclass(frozen=True, eq=False)
class Stacked:
    """Stacking weights.

    Attributes
    ----------
    weights : ndarray, shape (m,)
    score : float
        Sum over the observations of the log predictive density by the weighted models.
    gap : float
        By no more than this, per observation, any other weights could raise the mean log score: the
        largest directional derivative towards one model.
    """

    weights: Array
    score: float
    gap: float


def stacking(log_densities: ArrayLike) -> Stacked:
    """Stacking weights of models.

    Parameters
    ----------
    log_densities : array_like, shape (n, m)
        Log predictive density of each observation, left out, by each model.

    Raises
    ------
    InputError
        If a number is not finite or there are none.
    """
    logs = _checked(log_densities)
    top = logs.max(axis=1, keepdims=True)
    ratio = np.exp(logs - top)  # densities relative to the best model's
    count = ratio.shape[1]

    def loss(w: Array) -> tuple[float, Array]:
        mixed = ratio @ w
        return -float(np.log(mixed).mean()), -(ratio / mixed[:, None]).mean(axis=0)

    found = optimize.minimize(
        loss, np.full(count, 1 / count), jac=True, method="SLSQP", bounds=[(0.0, 1.0)] * count,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(count)},
        options={"ftol": 1e-15, "maxiter": _ROUNDS},
    )  # fmt: skip
    weights = np.where(found.x < _ZERO, 0.0, found.x)
    weights = weights / weights.sum()
    value, slope = loss(weights)
    # The log score is concave, so that its slope towards the best model bounds what is left to gain.
    return Stacked(weights, float(top.sum() - len(logs) * value), max(0.0, float((-slope).max() - 1)))


def bootstrapped_weights(log_densities: ArrayLike, seed: int = 0, draws: int = BOOTSTRAPS) -> Array:
    """Pseudo-BMA weights averaged over a Bayesian bootstrap: shape (m,).

    Parameters
    ----------
    log_densities : array_like, shape (n, m)
    seed, draws : int
        Of the bootstrap, which weighs the observations by Dirichlet(1, ..., 1).

    Raises
    ------
    InputError
    """
    logs = _checked(log_densities)
    if draws < 1:
        raise InputError(f"draws: expected at least 1, found {draws}")
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(logs)), draws)
    return special.softmax(len(logs) * shares @ logs, axis=1).mean(axis=0)


def pairwise(log_densities: pd.DataFrame) -> pd.DataFrame:
    """Differences in expected log predictive density between each two models.

    Parameters
    ----------
    log_densities : DataFrame
        One row per observation left out, one column per model.

    Returns
    -------
    DataFrame
        Columns model, against, difference (of the sums), se (the root of n times the variance of the
        differences; Vehtari, Gelman and Gabry 2017, Stat. Comput. 27:1413, eq. 24, with divisor n as in
        ArviZ), and observations, how many there are.
    """
    rows = []
    for one, other in combinations(log_densities.columns, 2):
        apart = (log_densities[one] - log_densities[other]).to_numpy()
        se = float(np.sqrt(len(apart) * apart.var())) if len(apart) > 1 else np.nan
        rows.append((one, other, float(apart.sum()), se, len(apart)))
    return pd.DataFrame(rows, columns=["model", "against", "difference", "se", "observations"])


def _checked(log_densities: ArrayLike) -> Array:
    logs = np.asarray(log_densities, dtype=float)
    if logs.ndim != 2 or not logs.size or not np.isfinite(logs).all():
        raise InputError("log_densities: expected finite numbers, a row per observation, a column per model")
    return logs
