"""The same question with SDs, numbers of patients and the correlation fixed: normal studies, solved exactly.

What NUTS has to carry is fixed at its posterior median here, so that a study is one change with one
standard error. Exact posteriors and frequentist estimates of that stand beside the whole answer, and other
evidence and other correlations take no time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kyphobayes import exact
from kyphobayes.change.draws import Draws
from kyphobayes.effects.pre_post import variance_of_change
from kyphobayes.evidence import PrePostMeans
from kyphobayes.evidence.views import Array
from kyphobayes.exact import Posterior
from kyphobayes.frequentist import Pooled, pool, regress
from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.priors import Priors

CORRELATIONS = (-0.2, 0.0, 0.3, 0.5, 0.7, 0.9)  # taken in turn
NAIVE = "printed change on printed level (REML, Hartung–Knapp)"
COUPLING = "expected of that by coupling alone"
MODEL = "true change on true level (the model)"
_QUANTILES = [0.5, (1 - PROB) / 2, (1 + PROB) / 2]


def fixed_se(draws: Draws, evidence: PrePostMeans, r: float | None = None) -> Array:
    """Standard error of every study's change at the posterior median of its variance, shape (k,)."""
    return np.sqrt(np.median(draws.variance(evidence, r), axis=0))


def solved(evidence: PrePostMeans, se: Array, priors: Priors) -> Posterior:
    """Exact posterior of the change in a typical centre and the next, whatever the level before."""
    surface = exact.normal(evidence.change, se, labels=list(evidence.labels))
    return surface.posterior(mu=priors[MU], tau=priors[TAU])


def pooled(evidence: PrePostMeans, se: Array) -> Pooled[Any]:
    """REML with the interval of Hartung and Knapp, never narrower than the normal one."""
    return pool(evidence.change, se**2, method="REML", test="mhksj")


def row(found: Posterior, falls: Sequence[float]) -> dict[str, float]:
    """Quantities of an exact posterior as a row of a table."""
    values = [*found.quantile(MU, _QUANTILES), *found.quantile(THETA_NEW, _QUANTILES[1:])]
    chances = {f"p_next_{fall:g}": float(found.cdf(THETA_NEW, -fall)) for fall in falls}
    return _named(values, float(found.quantile(TAU, 0.5))) | chances


def sampled_row(draws: Draws, falls: Sequence[float]) -> dict[str, float]:
    """The same of draws; tau is the spread between centres whatever their level before."""
    values = [*np.quantile(draws.mu, _QUANTILES), *np.quantile(draws.theta_new, _QUANTILES[1:])]
    chances = {f"p_next_{fall:g}": float(np.mean(draws.theta_new <= -fall)) for fall in falls}
    return _named(values, float(np.median(draws.spread))) | chances


def _named(values: Sequence[float], tau: float) -> dict[str, float]:
    names = ("median", "low", "high", "next_low", "next_high")
    return {name: float(value) for name, value in zip(names, values, strict=True)} | {"tau": tau}


def by_correlation(
    draws: Draws, evidence: PrePostMeans, priors: Priors, falls: Sequence[float]
) -> pd.DataFrame:
    """The exact answer under fixed correlations, one row each."""
    rows = {}
    for r in CORRELATIONS:
        se = fixed_se(draws, evidence, r)
        rows[r] = {"mean_se": float(se.mean())} | row(solved(evidence, se, priors), falls)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("correlation")


def without_each(found: Posterior, falls: Sequence[float]) -> dict[str, dict[str, float]]:
    """Rows of the exact answer without each study in turn."""
    labels = found.surface.labels
    return {f"without {label}": row(found.without(label), falls) for label in labels}


def other_evidence(
    draws: Draws,
    evidence: PrePostMeans,
    others: Mapping[str, PrePostMeans],
    priors: Priors,
    falls: Sequence[float],
) -> dict[str, dict[str, float]]:
    """Rows of the exact answer from other evidence.

    A study that is in the main evidence keeps its standard error; another has that of its own SDs, typical
    ones where it prints none.
    """
    known = dict(zip(evidence.labels, fixed_se(draws, evidence), strict=True))
    typical, r = np.exp(np.median(draws.log_sd, axis=0)), float(np.median(draws.r))
    rows = {}
    for name, other in others.items():
        sd = np.where(np.isfinite(other.sd), other.sd, typical[:, None])
        n = (other.n_least + other.n_most) / 2
        own = np.sqrt(variance_of_change(sd[0], sd[1], np.full(other.k, r)) / n + other.slack**2 / 3)
        se = np.array([known.get(label, own[i]) for i, label in enumerate(other.labels)])
        rows[name] = row(solved(other, se, priors), falls)
    return rows


def slopes(draws: Draws, evidence: PrePostMeans, se: Array) -> pd.DataFrame:
    """Slope of change on level before, by the naive regression and by the model.

    Returns
    -------
    DataFrame
        Rows by way, columns estimate, low, high, and the line's height at the mean printed level. The row
        on coupling is what the naive regression is expected to find if centres' true changes do not
        depend on their true levels at all.
    """
    both = evidence.both
    rows: dict[str, list[float]] = {}
    middle = float(evidence.before[both].mean())
    if len(both) > 2 and np.ptp(evidence.before[both]) > 0:
        fit = regress(evidence.change[both], se[both] ** 2, evidence.before[both], method="REML", test="hksj")
        line = [fit.beta[1], fit.ci_low[1], fit.ci_high[1], fit.beta[0] + fit.beta[1] * middle]
        rows[NAIVE] = [float(value) for value in line]
    error, cross = errors_of_means(draws, evidence)
    alone = cross.mean(axis=1) / (draws.tau_before**2 + error.mean(axis=1))
    rows[COUPLING] = [*np.quantile(alone, _QUANTILES).tolist(), np.nan]
    there = draws.mu + draws.slope * (middle - draws.mu_before)
    rows[MODEL] = [*np.quantile(draws.slope, _QUANTILES).tolist(), float(np.median(there))]
    columns = ["estimate", "low", "high", "at_mean_level"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("slope of")


def errors_of_means(draws: Draws, evidence: PrePostMeans) -> tuple[Array, Array]:
    """Variance of a mean's error before, and its covariance with the change's, shape (s, both)."""
    first, second = draws.sd[:, 0, evidence.both], draws.sd[:, 1, evidence.both]
    n = draws.n[:, evidence.both]
    return first**2 / n, (draws.r[:, None] * first * second - first**2) / n
