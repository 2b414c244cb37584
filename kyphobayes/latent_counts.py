"""PyMC distributions for counts of which only a list of possible tables is known."""

from collections.abc import Callable
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
    return _one_of(name, lambda n, p: pm.Binomial.dist(n=n, p=p), (n.astype(int), p), tables, weights, dims)


def OneOfPoissonTables(name: str, *, mean: Any, tables: Array, weights: Array, dims: tuple[str, str]) -> Any:
    """Poisson counts that are one of the rows of `tables`, which one is not known: see `OneOfTables`.

    Parameters
    ----------
    name : str
    mean : tensor, shape (s,)
        Expected number of events of each study.
    tables, weights, dims
        As of `OneOfTables`.
    """
    return _one_of(name, lambda mean: pm.Poisson.dist(mu=mean), (mean,), tables, weights, dims)


def _one_of(
    name: str,
    counts: Callable[..., Any],
    parameters: tuple[Any, ...],
    tables: Array,
    weights: Array,
    dims: tuple[str, str],
) -> Any:
    """One row of `tables`, each of whose counts has a distribution with parameters of shape (s,)."""

    def logp(value: Any, *given: Any) -> Any:
        *inner, log_weights = given
        by_table = pt.sum(pm.logp(counts(*inner), value), axis=-1)
        return pm.math.logsumexp(log_weights + by_table)

    def dist(*given: Any) -> Any:
        *inner, log_weights, _ = given  # the last is the size, which the parameters say already
        row = counts(*inner)
        return pt.broadcast_to(row[None, :], (log_weights.shape[0], row.shape[0]))

    return pm.CustomDist(
        name,
        *parameters,
        np.log(weights),
        logp=logp,
        dist=dist,
        signature=f"{'(s),' * len(parameters)}(t)->(t,s)",
        observed=tables.astype(int),
        dims=dims,
    )
