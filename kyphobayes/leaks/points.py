"""The exact posterior of mu, both standard deviations and the regions, on quasi-random points of the prior.

Data are few, so the prior itself is a good place to put points: their weights are likelihoods, which are
bounded, and a scrambled Sobol sequence makes their sums an integration rule. Several scramblings say by
how much it errs (Owen 1997, Annals of Statistics 25:1541). Nothing but the likelihood and the priors'
quantiles is needed, so that any proper prior will do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from kyphobayes.errors import InputError
from kyphobayes.leaks.clusters import Array, Clusters, alternatives, by_patient
from kyphobayes.priors import Prior

_SCRAMBLES, _POWER = 8, 13  # so many sequences of two to so many points
_EDGE = 1e-12  # a point at 0 or 1 would lie at infinity


@dataclass(frozen=True, eq=False)
class Points:
    """Weighted points of a posterior.

    Attributes
    ----------
    mu, tau_region, tau_patient : ndarray, shape (s,)
    logit : ndarray, shape (s, r)
        Log odds of a leak in a typical patient, by region.
    step : ndarray, shape (s,)
        Effect of a patient not yet seen, in units of `tau_patient`.
    share : ndarray, shape (s, c)
        Of the leaks, by site.
    likelihood : ndarray, shape (s, p)
        Of each patient at each point.
    placed : ndarray, shape (s, t)
        Of each way in which a patient's leaks may lie.
    weights : ndarray, shape (s,)
        They sum to one.
    """

    mu: Array
    tau_region: Array
    tau_patient: Array
    logit: Array
    step: Array
    share: Array
    likelihood: Array = field(repr=False)
    placed: Array = field(repr=False)
    weights: Array

    def mean(self, values: NDArray[Any]) -> float:
        """Posterior mean of a quantity with these values at the points, or probability of what is true."""
        return float(self.weights @ values)

    def sd(self, values: Array) -> float:
        """Posterior standard deviation."""
        return float(np.sqrt(self.weights @ (values - self.mean(values)) ** 2))

    def quantile(self, values: Array, q: tuple[float, ...]) -> list[float]:
        """Posterior quantiles."""
        order = np.argsort(values)
        weights = self.weights[order]
        middle = np.cumsum(weights) - weights / 2
        return np.interp(q, middle, values[order]).tolist()

    def error(self, values: Array) -> float:
        """Standard error of the mean, from what the scramblings say each by itself."""
        weights, parts = (x.reshape(_SCRAMBLES, -1) for x in (self.weights, values))
        means = (weights * parts).sum(axis=1) / weights.sum(axis=1)
        return float(means.std(ddof=1) / np.sqrt(_SCRAMBLES))

    @property
    def log_evidence(self) -> float:
        """Log probability of all leaks under these priors."""
        return float(np.log(self.likelihood.prod(axis=1).mean()))

    @property
    def left_out(self) -> Array:
        """Log probability of each patient's leaks given those of all others, shape (p,)."""
        everyone = self.likelihood.prod(axis=1).mean()
        patients = range(self.likelihood.shape[1])
        others = [np.delete(self.likelihood, i, axis=1).prod(axis=1).mean() for i in patients]
        return np.log(everyone) - np.log(others)

    @property
    def before(self) -> "Points":
        """The prior: the same points, all of one weight."""
        return replace(self, weights=np.full(len(self.mu), 1 / len(self.mu)))

    def rows(self, size: int, seed: int) -> NDArray[np.intp]:
        """Positions of points that stand for the posterior with equal weights: systematic resampling."""
        places = (np.arange(size) + np.random.default_rng([seed, 7]).random()) / size
        return np.minimum(np.searchsorted(np.cumsum(self.weights), places), len(self.mu) - 1)


def solve(priors: Mapping[str, Prior], clusters: Clusters, concentration: Array, *, seed: int = 0) -> Points:
    """Solve the model of leaks.

    Parameters
    ----------
    priors : mapping of str to Prior
        Of mu, tau_patient and, unless all regions are to be the same, tau_region.
    clusters : Clusters
    concentration : ndarray, shape (c,)
        Of the Dirichlet distribution of the sites' shares, which the leaks' number does not change.
    seed : int
        Of the scramblings.

    Raises
    ------
    InputError
        If a prior is missing or improper.
    """
    for name in ("mu", "tau_patient"):
        if name not in priors:
            raise InputError(f"priors: expected one for {name}, found {', '.join(priors)}")
    improper = [name for name, prior in priors.items() if not prior.proper]
    if improper:
        raise InputError(f"priors: expected proper ones, found {improper[0]} ~ {priors[improper[0]]}")
    regions, sites = clusters.levels.shape[1], len(concentration)
    uniform = np.vstack(
        [
            stats.qmc.Sobol(3 + regions + sites, rng=np.random.default_rng([seed, i])).random_base2(_POWER)
            for i in range(_SCRAMBLES)
        ]
    )
    uniform = np.clip(uniform, _EDGE, 1 - _EDGE)
    mu, tau_patient = (priors[name].quantile(uniform[:, i]) for i, name in enumerate(("mu", "tau_patient")))
    tau_region = np.zeros(len(mu))
    if "tau_region" in priors:
        tau_region = priors["tau_region"].quantile(uniform[:, 2])
    logit = mu[:, None] + tau_region[:, None] * special.ndtri(uniform[:, 3 : 3 + regions])
    share, step = _shares(uniform[:, 4 + regions :], concentration), special.ndtri(uniform[:, 3 + regions])
    drawn = at_draws(mu, tau_region, tau_patient, logit, step, share, clusters)
    weights = drawn.likelihood.prod(axis=1)
    return replace(drawn, weights=weights / weights.sum())


def at_draws(
    mu: Array,
    tau_region: Array,
    tau_patient: Array,
    logit: Array,
    step: Array,
    share: Array,
    clusters: Clusters,
) -> Points:
    """Make points of equal weight from draws, such as those of NUTS; shapes are those of `Points`."""
    placed = alternatives(logit, tau_patient, clusters)
    equal = np.full(len(mu), 1 / len(mu))
    return Points(
        mu, tau_region, tau_patient, logit, step, share, by_patient(placed, clusters), placed, equal
    )


def _shares(uniform: Array, concentration: Array) -> Array:
    """Dirichlet shares by breaking a stick: each takes its part, a beta variable, of what is left."""
    left = np.ones(len(uniform))
    shares = []
    for i, column in enumerate(uniform.T):
        part = stats.beta.ppf(column, concentration[i], concentration[i + 1 :].sum())
        shares.append(left * part)
        left = left * (1 - part)
    return np.column_stack([*shares, left])
