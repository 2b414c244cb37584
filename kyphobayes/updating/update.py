"""One series set against the studies before it, from what they foresaw to what is known after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from scipy import special

from kyphobayes.borrowing import PredictivePrior, elir, log_odds_unit_sd, map_prior, moment_rate, robust
from kyphobayes.errors import InputError
from kyphobayes.exact import Density, Posterior
from kyphobayes.exact.panels import Array
from kyphobayes.findings import predict_counts
from kyphobayes.names import MU, PROB, TAU
from kyphobayes.priors import Prior, Priors
from kyphobayes.updating.foreseen import Foreseen, foreseen
from kyphobayes.updating.order import cumulative
from kyphobayes.updating.relaxed import commensurate, exchangeable_or_not, own_effect
from kyphobayes.updating.series import Series

_COMPONENTS = 4  # of the mixture that stands for the predictive prior
_ENDS = ("median", "low", "high")


@dataclass(frozen=True, eq=False)
class Update:
    """All that is known of one series and the studies before it.

    Attributes
    ----------
    series : Series
    label : str
        Of the main prior set.
    past, after : Posterior
        Without the series and with it, under the main prior set.
    foreseen : dict of str to Foreseen
        By prior set; the main one first.
    prior : PredictivePrior
        What the past studies say of the next one.
    known : DataFrame
        Rates before and after, by `who` (typical, next, series) and `when`; `below` is the probability
        that the rate lies below the analysis's limit.
    relaxed : DataFrame
        One row per vague prior and prior weight of the series being unlike the others.
    commensurate : DataFrame
        One row per commensurability standard deviation.
    cumulative : DataFrame
        See `kyphobayes.updating.order.cumulative`.
    """

    series: Series
    label: str
    past: Posterior = field(repr=False)
    after: Posterior = field(repr=False)
    foreseen: dict[str, Foreseen] = field(repr=False)
    prior: PredictivePrior = field(repr=False)
    known: pd.DataFrame = field(repr=False)
    relaxed: pd.DataFrame = field(repr=False)
    commensurate: pd.DataFrame = field(repr=False)
    cumulative: pd.DataFrame = field(repr=False)

    @property
    def main(self) -> Foreseen:
        """What the main prior set and the past studies foresaw."""
        return self.foreseen[self.label]

    def sizes(self) -> dict[str, float]:
        """How many units of the series the predictive prior is worth, by two measures."""
        return effective_sizes(self.prior.prior)


def update(
    series: Series,
    sets: Mapping[str, Priors],
    vague: Mapping[str, Prior],
    *,
    weights: Sequence[float],
    kappas: Sequence[float],
) -> Update:
    """Set a series against the studies before it.

    Parameters
    ----------
    series : Series
    sets : mapping of str to Priors
        Proper priors for mu and tau; the first is the main one.
    vague : mapping of str to Prior
        Normal priors of the log odds of a series that is unlike the others.
    weights : sequence of float
        Prior probabilities of that, 0 to 1.
    kappas : sequence of float
        Commensurability standard deviations, 0 or more.

    Raises
    ------
    InputError, ImproperPosterior
    """
    if not sets:
        raise InputError("sets: expected at least one set of priors, found none")
    label, priors = next(iter(sets.items()))
    past = {name: series.before.posterior(p[MU], p[TAU]) for name, p in sets.items()}
    after = series.after.posterior(priors[MU], priors[TAU])
    events, n, main = series.events, series.n, past[label]
    predictive_prior = map_prior(main.theta_new, _COMPONENTS)
    rows = [
        {"vague": name, **_relaxed(main, after, predictive_prior.prior, prior, weight, events, n)}
        for name, prior in vague.items()
        for weight in weights
    ]
    return Update(
        series=series,
        label=label,
        past=main,
        after=after,
        foreseen={k: foreseen(_probabilities(post, n), events) for k, post in past.items()},
        prior=predictive_prior,
        known=_known(series, main, after),
        relaxed=pd.DataFrame(rows),
        commensurate=pd.DataFrame([_commensurate(main, kappa, events, n) for kappa in kappas]),
        cumulative=cumulative(series, priors),
    )


def _probabilities(past: Posterior, n: int) -> Array:
    """Predictive probabilities over the next study's effect, which is at hand anyway."""
    return predict_counts(past.theta_new, n).probabilities


def effective_sizes(prior: Prior) -> dict[str, float]:
    """How many cases a prior for a log odds is worth: `elir` and `moment` (of the rate)."""
    return {"elir": elir(prior, log_odds_unit_sd), "moment": moment_rate(prior)}


def _relaxed(
    past: Posterior, after: Posterior, known: Prior, vague: Prior, weight: float, events: int, n: int
) -> dict[str, float]:
    found = exchangeable_or_not(past, after, vague, weight, events, n)
    assert found.own is not None
    if weight in (0, 1):
        prior = vague if weight else known
    else:
        sigma, mu = (dict(vague.parameters)[key] for key in ("sigma", "mu"))
        prior = robust(known, weight, sigma=sigma, mu=mu)
    row = {"weight": float(weight), "posterior_weight": found.weight, "log_marginal": found.log_marginal}
    for who, density in (("typical", found.mu), ("next", found.theta_new), ("series", found.own)):
        row |= {f"{who}_{end}": value for end, value in zip(_ENDS, _rates(density), strict=True)}
    return row | {f"ess_{name}": size for name, size in effective_sizes(prior).items()}


def _commensurate(past: Posterior, kappa: float, events: int, n: int) -> dict[str, float]:
    found = commensurate(past, kappa, events, n)
    row = {"kappa": float(kappa), "log_marginal": found.log_marginal}
    for who, density in (("typical", found.mu), ("next", found.theta_new)):
        row |= {f"{who}_{end}": value for end, value in zip(_ENDS, _rates(density), strict=True)}
    return row


def _known(series: Series, past: Posterior, after: Posterior) -> pd.DataFrame:
    limit = float(special.logit(series.analysis.decision.below))
    own, _ = own_effect(past.theta_new, series.events, series.n)
    found = {
        ("typical", "before"): past.mu,
        ("typical", "after"): after.mu,
        ("next", "before"): past.theta_new,
        ("next", "after"): after.theta_new,
        ("series", "after"): own,
    }
    rows = [
        {
            "who": who,
            "when": when,
            **dict(zip(_ENDS, _rates(density), strict=True)),
            "below": float(density.cdf(limit)),
        }
        for (who, when), density in found.items()
    ]
    return pd.DataFrame(rows)


def _rates(density: Density, prob: float = PROB) -> list[float]:
    tail = (1 - prob) / 2
    quantiles: Array = density.quantile([0.5, tail, 1 - tail])
    return [float(rate) for rate in special.expit(quantiles)]
