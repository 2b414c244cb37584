"""Figures and tables need these numbers: computed here once, shown elsewhere."""

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.evidence import Counts
from kyphobayes.names import MU, PROB, TAU
from kyphobayes.priors import Prior, Priors
from kyphobayes.run import Result

Array = NDArray[np.float64]
_LEVELS = 201  # quantiles of tau that stand for its prior


def clopper_pearson(events: ArrayLike, n: ArrayLike, prob: float = PROB) -> tuple[Array, Array]:
    """Exact confidence limits of a proportion (Clopper and Pearson 1934)."""
    events, n = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    tail = (1 - prob) / 2
    with np.errstate(invalid="ignore"):  # of no trials there is no share, and no limit of it: NaN
        low = np.where(events > 0, special.betaincinv(np.maximum(events, 0.5), n - events + 1, tail), 0.0)
        high = np.where(
            events < n, special.betaincinv(events + 1, np.maximum(n - events, 0.5), 1 - tail), 1.0
        )
    return low, high


def study_rates(result: Result) -> pd.DataFrame:
    """Observed rates of the studies of a result with counts.

    Returns
    -------
    DataFrame
        One row per study: least and most events over the count tables, n, latent; raw_from and raw_to
        (the same where the count is printed), raw_low and raw_high (Clopper-Pearson, over all tables).
    """
    evidence = result.evidence
    assert isinstance(evidence, Counts)
    least, most = evidence.tables.min(axis=0), evidence.tables.max(axis=0)
    return pd.DataFrame(
        {
            "least": least,
            "most": most,
            "n": evidence.n,
            "latent": np.isnan(evidence.events),
            "raw_from": least / evidence.n,
            "raw_to": most / evidence.n,
            "raw_low": clopper_pearson(least, evidence.n)[0],
            "raw_high": clopper_pearson(most, evidence.n)[1],
        },
        index=pd.Index(evidence.labels, name="study"),
    )


def prior_curve(priors: Priors, name: str, x: Array) -> Array | None:
    """Prior density of mu, tau or theta_new at `x`; None where it is improper."""
    if name in (MU, TAU):
        prior = priors[name]
        return np.exp(prior.log_density(x)) if prior.proper else None
    if not (priors[MU].proper and priors[TAU].proper):
        return None
    return new_centre_prior(priors[MU], priors[TAU], x)


def new_centre_prior(mu: Prior, tau: Prior, x: Array) -> Array:
    """Density of theta_new ~ Normal(mu, tau) with mu and tau from their priors."""
    levels = tau.quantile((np.arange(_LEVELS) + 0.5) / _LEVELS)
    z, weights = hermegauss(60)
    shifts = x[None, None, :] - levels[:, None, None] * z[None, :, None]
    density = np.exp(mu.log_density(shifts))
    return np.tensordot(weights / weights.sum(), density.mean(axis=0), axes=1)


def label_of(evidence: Counts, study_id: str) -> str:
    """Name for people of a study of the constraints file."""
    if "study_id" not in evidence.rows:
        return study_id
    found = evidence.rows.loc[evidence.rows["study_id"] == study_id, "label"]
    return str(found.iloc[0]) if len(found) else study_id
