"""What an exact posterior says about the question, on the scale people think in."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from kyphobayes import html
from kyphobayes.errors import InputError
from kyphobayes.exact import Density, Posterior
from kyphobayes.names import MU, PLO, PROB, TAU, THETA_NEW
from kyphobayes.natural_scale import NaturalScale, natural_scale

PROPORTIONS = natural_scale(PLO)
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
    estimates : DataFrame
        Rows "typical" (mu) and "new centre" (theta_new) with mean, median, low and high, on the scale that
        people read. The mean is NaN where it may be infinite: of rates and ratios.
    tau : Series
        median, low and high on the model's scale.
    below : float
        The limit that the decision is about, on the scale that people read.
    p_typical, p_new : float
        Probability of the claim about the typical effect, and about that of a new centre.
    next : tuple of CountPrediction
    log_marginal_likelihood, error : float
    side : {"below", "above"}
        On which side of the limit the claim lies.
    """

    prior_set: str
    estimates: pd.DataFrame
    tau: pd.Series
    below: float
    p_typical: float
    p_new: float
    next: tuple[CountPrediction, ...]
    log_marginal_likelihood: float
    error: float
    side: str = "below"

    def _repr_html_(self) -> str:
        chances = [["typical", self.p_typical], ["new centre", self.p_new]]
        return html.block(
            html.frame(self.estimates, caption=f"Priors: {self.prior_set}"),
            html.table(["", f"P({self.sign} {self.below:g})"], chances),
        )

    @property
    def sign(self) -> str:
        """The claim's sign, as in "rate < 10 %"."""
        return "<" if self.side == "below" else ">"


def findings(
    posterior: Posterior,
    prior_set: str,
    *,
    below: float,
    scale: NaturalScale = PROPORTIONS,
    side: str = "below",
    next_sizes: tuple[int, ...] = (),
    prob: float = PROB,
) -> Findings:
    """Answer the question of an analysis.

    Parameters
    ----------
    posterior : Posterior
    prior_set : str
    below : float
        The decision's limit, on the scale that people read.
    scale : NaturalScale
        Of the posterior's effects; log odds of a proportion by default.
    side : {"below", "above"}
        On which side of the limit the claim lies.
    next_sizes : tuple of int
        Sizes of a new centre's series, for which events are predicted.

    Raises
    ------
    InputError
        If numbers of events are asked for of anything but proportions.
    """
    if next_sizes and scale.measure != PLO:
        raise InputError(f"next: expected none for {scale.measure}, since only shares foretell counts")
    limit = float(scale.model(below))
    densities = {"typical": posterior.mu, "new centre": posterior.theta_new}
    estimates = pd.DataFrame(
        {name: [_mean(d, scale), *_quantiles(d, prob, scale)] for name, d in densities.items()},
        index=["mean", "median", "low", "high"],
    ).T
    tail = (1 - prob) / 2
    tau = pd.Series(posterior.tau.quantile([0.5, tail, 1 - tail]), index=["median", "low", "high"], name=TAU)
    chances = (float(posterior.cdf(name, limit)) for name in (MU, THETA_NEW))
    p_typical, p_new = (p if side == "below" else 1 - p for p in chances)
    return Findings(
        prior_set=prior_set,
        estimates=estimates,
        tau=tau,
        below=below,
        p_typical=p_typical,
        p_new=p_new,
        next=tuple(predict_counts(posterior.theta_new, n) for n in next_sizes),
        log_marginal_likelihood=posterior.log_marginal_likelihood,
        error=posterior.error,
        side=side,
    )


def predict_counts(theta_new: Density, n: int) -> CountPrediction:
    """Predictive distribution of a binomial count of `n` when its log odds have the density `theta_new`."""
    theta = theta_new.panels.nodes
    mass = theta_new.panels.weights * theta_new.values
    events = np.arange(n + 1)[:, None]
    log_choose = -special.betaln(n - events + 1, events + 1) - np.log(n + 1)
    probabilities = np.exp(log_choose + events * theta - n * np.logaddexp(0.0, theta)) @ mass
    return CountPrediction(n, probabilities / probabilities.sum())


def _quantiles(density: Density, prob: float, scale: NaturalScale) -> Array:
    tail = (1 - prob) / 2
    return scale.natural(density.quantile([0.5, tail, 1 - tail]))


def _mean(density: Density, scale: NaturalScale) -> float:
    if scale.measure == PLO:
        return density.expectation(special.expit)
    return np.nan if scale.bounds[0] == 0 else density.mean
