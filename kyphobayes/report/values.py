"""Figures and tables need these numbers of a result: computed here once, shown elsewhere."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from kyphobayes.evidence import Counts
from kyphobayes.fits import latent_table_probabilities, summary
from kyphobayes.names import MU, PROB, TAU, THETA, THETA_NEW
from kyphobayes.priors import Prior, Priors
from kyphobayes.run import Result

Array = NDArray[np.float64]
Curve = tuple[Array, Array]
_POINTS = 401
_LEVELS = 201  # quantiles of tau that stand for its prior


def main_fit(result: Result) -> xr.DataTree:
    """Return the fit that is reported: the exact one where there is one."""
    return result.fits.get("exact", next(iter(result.fits.values())))


def clopper_pearson(events: ArrayLike, n: ArrayLike, prob: float = PROB) -> tuple[Array, Array]:
    """Exact confidence limits of a proportion (Clopper and Pearson 1934)."""
    events, n = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    tail = (1 - prob) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(events > 0, special.betaincinv(np.maximum(events, 0.5), n - events + 1, tail), 0.0)
        high = np.where(
            events < n, special.betaincinv(events + 1, np.maximum(n - events, 0.5), 1 - tail), 1.0
        )
    return low, high


def study_rates(result: Result) -> pd.DataFrame:
    """Rates of the studies, observed and by the model.

    Returns
    -------
    DataFrame
        One row per study: least and most events over the count tables, n, latent; raw_from and raw_to
        (the same where the count is printed), raw_low and raw_high (Clopper-Pearson, over all tables);
        median, low and high of the study's own rate by the model.
    """
    evidence = result.evidence
    least, most = evidence.tables.min(axis=0), evidence.tables.max(axis=0)
    theta = summary(main_fit(result)).loc[[f"{THETA}[{label}]" for label in evidence.labels]]
    frame = pd.DataFrame(
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
    for statistic in ("median", "low", "high"):
        frame[statistic] = special.expit(theta[statistic].to_numpy(dtype=float))
    return frame


def posterior_curve(result: Result, name: str) -> Curve:
    """Posterior density of mu, tau or theta_new: exact, or smoothed draws where only NUTS ran."""
    tree = main_fit(result)
    if "quadrature" in tree.children:
        exact = tree["quadrature"].dataset.sel(quantity=name)
        return exact["x"].values, exact["density"].values
    draws = tree["posterior"].dataset[name].values.ravel()
    low, high = np.quantile(draws, [1e-3, 1 - 1e-3])
    x = np.linspace(low, high, _POINTS)
    return x, stats.gaussian_kde(draws)(x)


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


def as_rate(curve: Curve) -> Curve:
    """Density of a rate from the density of its log odds: divided by the derivative p (1 - p)."""
    x, density = curve
    p = special.expit(x)
    return p, density / (p * (1 - p))


def latent_marginals(result: Result) -> dict[str, pd.DataFrame]:
    """Probability of each count of each study whose count is not printed.

    Returns
    -------
    dict of str to DataFrame
        By study label: index count, columns before (weights of the tables) and after (posterior).
    """
    evidence = result.evidence
    after = latent_table_probabilities(main_fit(result))
    if after is None:
        return {}
    shares = pd.DataFrame({"before": evidence.weights, "after": after.to_numpy()})
    return {
        evidence.labels[i]: shares.groupby(pd.Index(evidence.tables[:, i].astype(int), name="events")).sum()
        for i in evidence.latent
    }


def label_of(evidence: Counts, study_id: str) -> str:
    """Name for people of a study of the constraints file."""
    if "study_id" not in evidence.rows:
        return study_id
    found = evidence.rows.loc[evidence.rows["study_id"] == study_id, "label"]
    return str(found.iloc[0]) if len(found) else study_id


def draws_of(result: Result, engine: str, name: str) -> Array:
    """Draws of an engine, shape (chain, draw)."""
    return result.fits[engine]["posterior"].dataset[name].transpose("chain", "draw").values


NAMES = {MU: "typical centre", TAU: "tau", THETA_NEW: "next centre"}
