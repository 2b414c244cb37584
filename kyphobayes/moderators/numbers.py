"""From posteriors at two levels to what people ask: odds ratios, rates, and what the covariate explains."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from kyphobayes.decisions import decision
from kyphobayes.evidence import CovariateCounts
from kyphobayes.evidence.moderations import Moderation
from kyphobayes.exact import Density, Posterior
from kyphobayes.exact.loo import observations
from kyphobayes.exact.panels import Array
from kyphobayes.moderators.levels import BETA, TwoLevels
from kyphobayes.names import MU, PROB, TAU
from kyphobayes.priors import Priors

Q = np.array([0.5, (1 - PROB) / 2, (1 + PROB) / 2])
_PLACES = (np.arange(4000) + 0.5) / 4000  # probabilities whose quantiles stand for a distribution
_DRAWS = 20_000  # of the priors


def spread_out(density: Density) -> Array:
    """Quantiles at equal steps of probability, as good as so many draws: shape (4000,)."""
    return density.quantile(_PLACES)


def odds_ratio(found: TwoLevels) -> dict[str, float]:
    """Odds ratio of the first level to the second, and how much the data taught about it.

    Returns
    -------
    dict
        k; odds_ratio, low, high; p_more, the probability that the first level has more; bayes_factor for a
        difference against none; width_ratio, the width of the 95 % interval of the log odds ratio by that of
        its prior; tau.
    """
    prior, after = found.priors[BETA].quantile(Q), found.beta.quantile(Q)
    return {
        "k": int(found.used.sum()),
        **_three("odds_ratio", np.exp(after)),
        "p_more": float(1 - found.beta.cdf(0.0)),
        "bayes_factor": float(np.exp(found.log_bayes_factor)),
        "width_ratio": float((after[2] - after[1]) / (prior[2] - prior[1])),
        "tau": float(found.tau.quantile(0.5)),
    }


def rates(one: Moderation, found: TwoLevels) -> pd.DataFrame:
    """Rates in a typical and in the next centre at either level, as shares.

    Returns
    -------
    DataFrame
        Index level; k and n of the studies at it, events over all tables (lowest and highest), typical and
        next with their 95 % intervals, and what the review prints (NaN for nothing).
    """
    rows = {}
    printed = one.printed or (np.nan, np.nan)
    for place, (level, typical, new) in enumerate(
        zip(one.levels, (found.first, found.second), found.new, strict=True)
    ):
        here = one.evidence.x == (0.5, -0.5)[place]
        events = one.evidence.tables[:, here].sum(axis=1)
        rows[level] = {
            "k": int(here.sum()),
            "events_low": float(events.min()),
            "events_high": float(events.max()),
            "n": float(one.evidence.n[here].sum()),
            **_three("typical", special.expit(typical.quantile(Q)), "typical_"),
            **_three("next", special.expit(new.quantile(Q)), "next_"),
            "printed": printed[place],
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("level")


def typical_rate(typical: Density) -> float:
    """Median rate, as a share, from the log odds in a typical centre."""
    return float(special.expit(typical.quantile(0.5)))


def heterogeneity(found: TwoLevels, alone: Posterior) -> dict[str, float]:
    """Spread between centres without and with the covariate, and the share that it explains.

    Parameters
    ----------
    found : TwoLevels
    alone : Posterior
        Of the same studies without the covariate, under the same priors of mu and tau.
    """
    return {
        **_three("tau_without", alone.quantile(TAU, Q), "without_"),
        **_three("tau_with", found.tau.quantile(Q), "with_"),
        **_three("explained", found.explained(Q), "explained_"),
        **_three("prior_explained", prior_explained(found.priors, found.variance, Q), "prior_explained_"),
    }


def prior_explained(priors: Priors, variance: float, q: ArrayLike) -> Array:
    """Quantiles of the share that the covariate explains before the data: see `TwoLevels.explained`."""
    tau, beta = priors[TAU].quantile(_PLACES), priors[BETA]

    def cdf(share: float) -> float:
        reach = tau * np.sqrt(share / ((1 - share) * variance))
        return float(np.mean(beta.cdf(reach) - beta.cdf(-reach)))

    ends = 1e-12, 1 - 1e-12
    return np.array([optimize.brentq(lambda s, p=p: cdf(s) - p, *ends) for p in np.atleast_1d(q)])


def left_out(found: TwoLevels) -> pd.DataFrame:
    """Odds ratio without each study in turn, and the exact predictive density of what was left out.

    Returns
    -------
    DataFrame
        Index without; columns as of `odds_ratio`, and elpd: NaN for a study with a latent count, as those
        are one observation together, whose row comes last.
    """
    alone = {labels[0] for labels in observations(found.surface) if len(labels) == 1}
    rows = {}
    for label in found.surface.labels:
        others = found.without(label)
        gain = found.log_marginal_likelihood - others.log_marginal_likelihood
        rows[label] = odds_ratio(others) | {"elpd": gain if label in alone else np.nan}
    together = next((labels for labels in observations(found.surface) if len(labels) > 1), ())
    if together and len(together) < found.surface.k:
        others = found.without(*together)
        gain = found.log_marginal_likelihood - others.log_marginal_likelihood
        rows[f"all {len(together)} with latent counts"] = odds_ratio(others) | {"elpd": gain}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("without")


def studies(evidence: CovariateCounts) -> pd.DataFrame:
    """Each study by itself: counts over the tables, and its rate with Jeffreys' interval.

    Returns
    -------
    DataFrame
        Index study; x, level, n, events (mean over the tables), events_low, events_high, rate, low, high
        (shares; averaged over the tables), and what is known of design, population and detection.
    """
    rows = {}
    for place, label in enumerate(evidence.labels):
        counts, n, x = evidence.tables[:, place], evidence.n[place], evidence.x[place]
        shape = counts + 0.5, n - counts + 0.5
        low, middle, high = (
            optimize.brentq(lambda p, q=q, s=shape: evidence.weights @ stats.beta.cdf(p, *s) - q, 0.0, 1.0)
            for q in (Q[1], Q[0], Q[2])
        )
        told: Any = evidence.rows.iloc[place]
        rows[label] = {
            "x": float(x),
            "level": evidence.levels[0] if x == 0.5 else evidence.levels[1] if x == -0.5 else "both",
            "n": float(n),
            "events": float(evidence.weights @ counts),
            "events_low": float(counts.min()),
            "events_high": float(counts.max()),
            "rate": float(middle),
            "low": 0.0 if counts.max() == 0 else float(low),
            "high": float(high),
            **{key: told.get(key, "") or "not stated" for key in ("design", "population", "detection")},
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("study")


def before(one: Moderation, priors: Priors, seed: int) -> pd.DataFrame:
    """What the priors say before the data, and where the observed lies in it.

    Returns
    -------
    DataFrame
        Index quantity: rate in a centre not yet seen at either level, and odds ratio; prior median and 95 %
        interval; observed, from all counts of a level together, averaged over the tables (NaN for the odds
        ratio where a level has no event); and share_below, the prior probability of less than that.
    """
    rng = np.random.default_rng([seed, 7])
    mu, beta, tau = (priors[name].draw(_DRAWS, rng) for name in (MU, BETA, TAU))
    shares = []
    rows = {}
    for level, x in zip(one.levels, (0.5, -0.5), strict=True):
        here = one.evidence.x == x
        observed = (
            one.evidence.weights @ one.evidence.tables[:, here].sum(axis=1) / one.evidence.n[here].sum()
        )
        new = special.expit(mu + x * beta + tau * rng.standard_normal(_DRAWS))
        rows[f"rate in the next centre, {level}"] = _prior_row(new, float(observed))
        shares.append(observed)
    both = all(0 < share < 1 for share in shares)
    ratio = float(np.exp(special.logit(shares[0]) - special.logit(shares[1]))) if both else np.nan
    rows["odds ratio"] = _prior_row(np.exp(beta), ratio)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")


def decisions_of(one: Moderation, found: TwoLevels) -> list[dict[str, Any]]:
    """Rows on every threshold of a comparison, for both levels."""
    rows = []
    for threshold in one.thresholds:
        limit = special.logit(threshold.value)
        for level, typical, new in zip(one.levels, (found.first, found.second), found.new, strict=True):
            rows.append(
                decision(
                    threshold,
                    mean=float(typical.cdf(limit)),
                    centre=float(new.cdf(limit)),
                    next_cases=special.expit(spread_out(new)),
                    of=one.analysis.event,
                    note=f"{one.covariate}: {level}",
                )
            )
    return rows


def _prior_row(draws: Array, observed: float) -> dict[str, float]:
    below = float(np.mean(draws < observed)) if np.isfinite(observed) else np.nan
    return {**_three("median", np.quantile(draws, Q)), "observed": observed, "share_below": below}


def _three(name: str, values: Array, prefix: str = "") -> dict[str, float]:
    return {name: float(values[0]), f"{prefix}low": float(values[1]), f"{prefix}high": float(values[2])}
