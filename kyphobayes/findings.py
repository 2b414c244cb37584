"""What an exact posterior says about the question, on the scale people think in."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from kyphobayes.exact import Density, Posterior
from kyphobayes.names import MU, PROB, TAU, THETA_NEW

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CountPrediction:
    """Number of events in the next `n` of a new centre.

    Attributes
    ----------
    n : int
    probabilities : ndarray, shape (n + 1,)
        Of 0, 1, ..., n events.
    """

    n: int
    probabilities: Array

    @property
    def mean(self) -> float:
        """Expected number."""
        return float(self.probabilities @ np.arange(self.n + 1))

    def interval(self, prob: float = PROB) -> tuple[int, int]:
        """Central interval of the number, which holds at least `prob`."""
        cumulative = np.cumsum(self.probabilities)
        tail = (1 - prob) / 2
        return int(np.searchsorted(cumulative, tail)), int(np.searchsorted(cumulative, 1 - tail - 1e-12))


@dataclass(frozen=True)
class Findings:
    """Answers under one set of priors.

    Attributes
    ----------
    prior_set : str
    rates : DataFrame
        Rows "typical" (mu) and "new centre" (theta_new) with median, low and high, as shares; and
        mean, the expected share.
    tau : Series
        median, low and high on the log odds scale.
    below : float
        The share that the decision is about.
    p_typical, p_new : float
        Probability that the typical rate, and that of a new centre, lies below it.
    next : tuple of CountPrediction
    log_marginal_likelihood, error : float
    """

    prior_set: str
    rates: pd.DataFrame
    tau: pd.Series
    below: float
    p_typical: float
    p_new: float
    next: tuple[CountPrediction, ...]
    log_marginal_likelihood: float
    error: float


def findings(
    posterior: Posterior,
    prior_set: str,
    *,
    below: float,
    next_sizes: tuple[int, ...] = (),
    prob: float = PROB,
) -> Findings:
    """Answer the question of an analysis from a posterior on the log odds scale.

    Parameters
    ----------
    posterior : Posterior
        With mu and theta on the log odds scale.
    prior_set : str
    below : float
        The decision's share, between 0 and 1.
    next_sizes : tuple of int
        Sizes of a new centre's series.
    """
    threshold = float(special.logit(below))
    densities = {"typical": posterior.mu, "new centre": posterior.theta_new}
    rates = pd.DataFrame(
        {name: [_mean_rate(d), *_rates(d, prob)] for name, d in densities.items()},
        index=["mean", "median", "low", "high"],
    ).T
    tail = (1 - prob) / 2
    tau = pd.Series(posterior.tau.quantile([0.5, tail, 1 - tail]), index=["median", "low", "high"], name=TAU)
    return Findings(
        prior_set=prior_set,
        rates=rates,
        tau=tau,
        below=below,
        p_typical=float(posterior.cdf(MU, threshold)),
        p_new=float(posterior.cdf(THETA_NEW, threshold)),
        next=tuple(predict_counts(posterior.theta_new, n) for n in next_sizes),
        log_marginal_likelihood=posterior.log_marginal_likelihood,
        error=posterior.error,
    )


def predict_counts(theta_new: Density, n: int) -> CountPrediction:
    """Predictive distribution of a binomial count of `n` when its log odds have the density `theta_new`."""
    theta = theta_new.panels.nodes
    mass = theta_new.panels.weights * theta_new.values
    events = np.arange(n + 1)[:, None]
    log_choose = -special.betaln(n - events + 1, events + 1) - np.log(n + 1)
    probabilities = np.exp(log_choose + events * theta - n * np.logaddexp(0.0, theta)) @ mass
    return CountPrediction(n, probabilities / probabilities.sum())


def _rates(density: Density, prob: float) -> Array:
    tail = (1 - prob) / 2
    return special.expit(density.quantile([0.5, tail, 1 - tail]))


def _mean_rate(density: Density) -> float:
    return density.expectation(special.expit)
