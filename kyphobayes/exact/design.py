"""Covariates and the priors of their coefficients, as the regressions read them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from kyphobayes.errors import InputError
from kyphobayes.exact.panels import Array
from kyphobayes.names import TAU
from kyphobayes.priors import Prior


def columns_of(X: ArrayLike | Mapping[str, ArrayLike], k: int, intercept: bool) -> dict[str, Array]:
    """Columns of the design by name, each of shape (k,): the intercept first, if there is one.

    Raises
    ------
    InputError
        If a column has another length, a value that is not finite, or a name that is taken.
    """
    if isinstance(X, Mapping):
        named: dict[str, ArrayLike] = {str(name): values for name, values in X.items()}
    else:
        table = np.asarray(X, dtype=float)
        table = table[:, None] if table.ndim == 1 else table
        if table.ndim != 2:
            raise InputError(f"X: expected one row per study, found shape {table.shape}")
        named = {f"x{i}": column for i, column in enumerate(table.T)}
    columns = {"intercept": np.ones(k)} if intercept else {}
    for name, values in named.items():
        if name in (*columns, TAU):
            raise InputError(f"X: the name {name} is taken")
        column = np.asarray(values, dtype=float)
        if column.shape != (k,):
            raise InputError(f"X: expected {k} values of {name}, one per study, found {column.size}")
        if not np.isfinite(column).all():
            study = int(np.argmin(np.isfinite(column)))
            raise InputError(f"X: {name}[{study}]: expected a finite number, found {column[study]:g}")
        columns[name] = column
    if not columns:
        raise InputError("X: expected at least one column, found none")
    return columns


def priors_of(beta: str | Prior | Mapping[str, str | Prior], names: Sequence[str]) -> dict[str, Prior]:
    """Prior of each coefficient, from one for all or one for each.

    Raises
    ------
    InputError, PriorError
    """
    if not isinstance(beta, Mapping):
        return dict.fromkeys(names, Prior.parse(beta))
    if set(beta) != set(names):
        raise InputError(
            f"beta: expected a prior for each of {', '.join(names)}, found {', '.join(map(str, beta))}"
        )
    return {name: Prior.parse(beta[name]) for name in names}
