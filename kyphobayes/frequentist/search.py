"""Maxima of a likelihood and roots of a moment equation in tau2, for many meta-analyses at once.

A profile likelihood in tau2 can have several maxima, and scoring from one start finds one of them
or none. Here the sign of its derivative is read off on a grid that provably reaches beyond every
maximum, each change from plus to minus is refined to machine precision, and the highest wins. The
likelihoods are those of Viechtbauer (2005), J. Educ. Behav. Stat. 30, 261-293.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise

from kyphobayes.frequentist.studies import Studies, trace_p

Array = NDArray[np.float64]
Equation = Callable[[Studies, Array], Array]

GRID = 64  # steps; neighbours differ by a factor of 1.3 if effects spread over 10,000 standard errors


def ml_score(studies: Studies, tau2: Array) -> Array:
    """Twice the derivative of the profile log likelihood: sum(w^2 r^2) - sum(w)."""
    w = studies.weights(tau2)
    return (w**2 * studies.squared_residuals(w)).sum(axis=0) - w.sum(axis=0)


def ml_deviance(studies: Studies, tau2: Array) -> Array:
    """Minus twice the profile log likelihood, up to a constant."""
    w = studies.weights(tau2)
    return (studies.present * np.log(studies.v + tau2)).sum(axis=0) + studies.q(w)


def reml_score(studies: Studies, tau2: Array) -> Array:
    """Twice the derivative of the restricted log likelihood: sum(w^2 r^2) - tr(P)."""
    w = studies.weights(tau2)
    return (w**2 * studies.squared_residuals(w)).sum(axis=0) - trace_p(w)


def reml_deviance(studies: Studies, tau2: Array) -> Array:
    """Minus twice the restricted log likelihood, up to a constant."""
    return ml_deviance(studies, tau2) + np.log(studies.weights(tau2).sum(axis=0))


def highest_maximum(studies: Studies, score: Equation, deviance: Equation) -> Array:
    """The tau2 >= 0 with the smallest deviance, shape (B,).

    Parameters
    ----------
    studies : Studies
    score, deviance : callable
        Of the studies and tau2: a derivative whose sign is that of the log likelihood's, and minus
        twice that log likelihood.

    Notes
    -----
    No maximum of ML or REML lies above spread^2 / 2. With p = w / W, sum(p r^2) is half the mean of
    (y_i - y_j)^2 under p, so at most (spread^2 / 2) (1 - sum(p^2)); hence score / W <= (max(w)
    spread^2 / 2 - 1) (1 - sum(p^2)) for REML, less for ML, negative where tau2 > spread^2 / 2. Two
    maxima within one step of the grid count as one: their heights can hardly differ.
    """
    steps = np.linspace(0.0, 1.0, GRID + 1)[:, None]
    # From 0 linearly in units of the smallest variance, further out geometrically.
    grid = np.expm1(steps * np.log1p(studies.spread() ** 2))
    slope = score(studies.on_grid(), grid)
    cells, rows = np.nonzero((slope[:-1] > 0) & (slope[1:] <= 0))
    inner = root(score, studies, rows, grid[cells, rows], grid[cells + 1, rows])
    at_zero = np.flatnonzero(slope[0] <= 0)

    rows = np.concatenate([at_zero, rows])
    tau2 = np.concatenate([np.zeros(at_zero.size), inner])
    best_last = np.lexsort((-deviance(studies.take(rows), tau2), rows))
    result = np.full(studies.k.shape, np.nan)
    result[rows[best_last]] = tau2[best_last]  # of equal indices numpy keeps the last
    return result


def root(
    equation: Callable[..., Array],
    studies: Studies,
    rows: NDArray[np.integer],
    low: Array,
    high: Array,
    *parameters: Array,
) -> Array:
    """Where the equation in tau2 changes sign between `low` and `high`, to machine precision.

    Chandrupatla's (1997) bracketing method. `rows` are indices of meta-analyses; `low`, `high` and
    further `parameters` of the equation have one value for each of them.
    """
    if rows.size == 0:
        return np.empty(0)
    found = elementwise.find_root(
        lambda tau2, row, *values: equation(studies.take(row.astype(np.intp)), tau2, *values),
        (low, high),
        args=(rows, *parameters),
    )
    if not found.success.all():
        raise ArithmeticError("a root in tau2 was bracketed and not found: please report this as a defect")
    return np.asarray(found.x)
