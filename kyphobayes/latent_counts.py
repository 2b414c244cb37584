"""A PyMC distribution for counts of which only a list of possible tables is known."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

Array = NDArray[np.float64]


def OneOfTables(name: str, *, n: Array, p: Any, tables: Array, weights: Array, dims: tuple[str, str]) -> Any:
    """Binomial counts that are one of the rows of `tables`, which one is not known.

    The likelihood is the weighted sum over rows of the product of binomial probabilities: the row is
    integrated out. A draw from the predictive distribution is one full row of counts, repeated, since
    a replicated study would print its counts.

    Parameters
    ----------
    name : str
    n : array, shape (s,)
    p : tensor, shape (s,)
    tables : array of int, shape (t, s)
        They are the observed value.
    weights : array, shape (t,)
        They sum to one.
    dims : (str, str)
        Of the tables and of the studies.
    """

    def logp(value: Any, n: Any, p: Any, log_weights: Any) -> Any:
        by_table = pt.sum(pm.logp(pm.Binomial.dist(n=n, p=p), value), axis=-1)
        return pm.math.logsumexp(log_weights + by_table)

    def dist(n: Any, p: Any, log_weights: Any, size: Any) -> Any:
        row = pm.Binomial.dist(n=n, p=p)
        return pt.broadcast_to(row[None, :], (log_weights.shape[0], row.shape[0]))

    return pm.CustomDist(
        name,
        n.astype(int),
        p,
        np.log(weights),
        logp=logp,
        dist=dist,
        signature="(s),(s),(t)->(t,s)",
        observed=tables.astype(int),
        dims=dims,
    )
