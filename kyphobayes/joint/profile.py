"""The frequentist's view of rho: its profile likelihood, and the crude correlations of printed tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from kyphobayes.evidence import JointCounts
from kyphobayes.joint.likelihood import Array, JointLikelihood, Margins
from kyphobayes.names import PROB

RHOS = np.array([-0.99, -0.9, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 0.9, 0.99])
_STEP = 1e-3  # of the numerical gradient
_BOUNDS = [(-8.0, 2.0), (np.log(0.02), np.log(5.0))] * 2  # mu and log tau of both outcomes
_START = [-2.5, np.log(0.5)] * 2


@dataclass(frozen=True, eq=False)
class Profile:
    """Log likelihood at its maximum over all other parameters, for every rho of a grid.

    Attributes
    ----------
    rho, log_likelihood : ndarray, shape (r,)
    """

    rho: Array
    log_likelihood: Array

    @property
    def relative(self) -> Array:
        """Below the highest, in log units."""
        return self.log_likelihood - self.log_likelihood.max()

    @property
    def estimate(self) -> float:
        """The maximum-likelihood estimate, to the nearest place of the grid."""
        return float(self.rho[np.argmax(self.log_likelihood)])

    @property
    def interval(self) -> tuple[float, float]:
        """What a likelihood ratio test does not reject at 5 %; the ends of the grid stand for -1 and 1."""
        held = self.rho[2 * -self.relative < stats.chi2.ppf(PROB, 1)]
        low, high = float(held.min()), float(held.max())
        return (-1.0 if low == self.rho[0] else low), (1.0 if high == self.rho[-1] else high)


def profile(evidence: JointCounts) -> Profile:
    """Maximise the likelihood for every rho, by quasi-Newton steps from the last maximum."""

    def at(x: Array, rho: float) -> Array:
        """Log likelihood at many x, shape (s, 4)."""
        return JointLikelihood(evidence, Margins(x[:, 0], np.exp(x[:, 1]), x[:, 2], np.exp(x[:, 3]))).log(rho)

    def objective(x: Array, rho: float) -> tuple[float, Array]:
        steps = np.vstack([np.zeros(4), _STEP * np.eye(4), -_STEP * np.eye(4)])
        found = at(x + steps, rho)
        return -float(found[0]), -(found[1:5] - found[5:]) / (2 * _STEP)

    best = np.empty(len(RHOS))
    start = np.array(_START)
    for place in np.argsort(np.abs(RHOS)):  # from 0 outwards
        found = optimize.minimize(
            objective, start, args=(RHOS[place],), jac=True, bounds=_BOUNDS, method="L-BFGS-B"
        )
        best[place] = -float(found.fun)
        if RHOS[place] == 0:
            start = np.asarray(found.x)
    return Profile(RHOS, best)


def crude(evidence: JointCounts) -> pd.DataFrame:
    """Correlations of the studies' own rates, over every pair of tables that may be true.

    Returns
    -------
    DataFrame
        Rows Pearson (of the log odds with 0.5 added to each cell) and Spearman (of the rates); columns
        lowest, median, highest, studies, and of how many of these both counts are printed.
    """
    rates = paired_rates(evidence)
    weights = np.outer(evidence.leaks.weights, evidence.fractures.weights).ravel()
    found: dict[str, list[float]] = {"Pearson, log odds": [], "Spearman, rates": []}
    for leak in rates[0]:
        for fracture in rates[1]:
            found["Pearson, log odds"].append(correlation(special.logit(leak), special.logit(fracture)))
            found["Spearman, rates"].append(correlation(stats.rankdata(leak), stats.rankdata(fracture)))
    rows = {}
    for name, values in found.items():
        many = np.array(values)
        order = np.argsort(many)
        middle = order[np.searchsorted(np.cumsum(weights[order]), 0.5)]
        rows[name] = (many.min(), many[middle], many.max(), len(evidence.both), len(evidence.printed))
    columns = ["lowest", "median", "highest", "studies", "printed"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("correlation")


def paired_rates(evidence: JointCounts) -> tuple[Array, Array]:
    """Rates, with 0.5 added to each cell, of the studies with both, by table: shapes (t, both), (u, both)."""
    one, two = (
        (counts.tables[:, order] + 0.5) / (counts.n[order] + 1)
        for (_, counts, _), order in zip(evidence.sides, evidence.both_within, strict=True)
    )
    return one, two


def correlation(x: Array, y: Array) -> float:
    """Pearson correlation, 0 where one of the two does not vary."""
    if min(np.ptp(x), np.ptp(y)) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])
