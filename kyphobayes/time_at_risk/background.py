"""Beside the answer: before the data, what was learned, what time changes, and which vertebra breaks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from kyphobayes.evidence import FollowUp, Rates
from kyphobayes.exact import Density, Posterior
from kyphobayes.names import MU, PROB, THETA_NEW
from kyphobayes.priors import Prior
from kyphobayes.time_at_risk.centres import MONTHS, PER, WHO, share_row, share_within

Array = NDArray[np.float64]

_QUANTILES = np.array([(1 - PROB) / 2, 0.5, (1 + PROB) / 2])


def before(
    centres: xr.Dataset,
    patients: xr.Dataset,
    evidence: Rates,
    follow_up: FollowUp,
    horizons: tuple[int, ...],
    alive: tuple[int, ...],
) -> pd.DataFrame:
    """Prior predictive check: the same quantities before the data, and where what was observed lies in them.

    Parameters
    ----------
    centres, patients : Dataset
        Draws of the priors of both models.
    evidence : Rates
    follow_up : FollowUp
    horizons, alive : tuple of int
        Months.

    Returns
    -------
    DataFrame
        Columns median, low, high, observed and share_below, the prior probability of less than that. What is
        observed is all events over all time, the mean over the tables where counts are latent.
    """
    crude = float((evidence.weights @ evidence.tables).sum() / evidence.exposure.sum())
    died = float(follow_up.died.sum() / follow_up.years.sum())
    rows: dict[str, tuple[Array, float]] = {}
    for who, name in WHO.items():
        theta = centres[name].values.ravel()
        rows[f"new fractures per {PER} patient-years, {who}"] = (PER * np.exp(theta), PER * crude)
        for months in horizons:
            seen = float(share_within(np.log(crude), months))
            rows[f"share with one within {months} months, {who}"] = (share_within(theta, months), seen)
    death = patients["log_death_rate"].values.ravel()
    rows[f"deaths per {PER} patient-years"] = (PER * np.exp(death), PER * died)
    for months in alive:
        seen = 1 - float(share_within(np.log(died), months))
        rows[f"alive after {months} months"] = (1 - share_within(death, months), seen)
    found = {
        name: (*np.quantile(draws, [0.5, *_QUANTILES[[0, 2]]]), seen, np.mean(draws < seen))
        for name, (draws, seen) in rows.items()
    }
    columns = ["median", "low", "high", "observed", "share_below"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns).rename_axis("quantity")


def learned(pairs: Mapping[str, tuple[Prior, Density]]) -> pd.DataFrame:
    """Prior and posterior of every parameter side by side, and the ratio of their intervals' widths."""
    rows = {}
    for name, (prior, density) in pairs.items():
        first, after = prior.quantile(_QUANTILES), density.quantile(_QUANTILES)
        rows[name] = {
            **dict(zip(("prior_low", "prior", "prior_high"), map(float, first), strict=True)),
            **dict(zip(("low", "median", "high"), map(float, after), strict=True)),
            "width_ratio": float((after[2] - after[0]) / (first[2] - first[0])),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")


def ignoring(
    shares: Posterior, rates: Posterior, horizons: tuple[int, ...], follow_up: float
) -> pd.DataFrame:
    """The share that a model without time gives, beside those within stated times.

    Parameters
    ----------
    shares : Posterior
        Of log odds: whoever had an event by the end of follow-up, whatever its length.
    rates : Posterior
        Of log rates per patient-year.
    horizons : tuple of int
        Months.
    follow_up : float
        Mean follow-up of all patients, in months.
    """
    rows = {}
    for who, name in WHO.items():
        ends = expit(shares.quantile(name, [0.5, *_QUANTILES[[0, 2]]]))
        rows["by the end of follow-up, no time in the model", who] = (np.nan, *map(float, ends))
        at = share_row(rates.marginal(name), follow_up)
        rows["within the mean follow-up of all", who] = (follow_up, at["median"], at["low"], at["high"])
        for months in horizons:
            row = share_row(rates.marginal(name), months)
            rows[f"within {months} months", who] = (float(months), row["median"], row["low"], row["high"])
    index = pd.MultiIndex.from_tuples(rows, names=["share", "centre"])
    columns = ["months", "median", "low", "high"]
    return pd.DataFrame(list(rows.values()), index=index, columns=columns).sort_index(
        level="centre", ascending=False, sort_remaining=False, kind="stable"
    )


def latent_counts(evidence: Rates, shares: Posterior, rates: Posterior) -> pd.DataFrame:
    """Expected number of events of every series whose count is latent, before and by both models."""
    columns = {
        "before": evidence.weights @ evidence.tables,
        "without_time": shares.table_probabilities() @ evidence.tables,
        "with_time": rates.table_probabilities() @ evidence.tables,
    }
    frame = pd.DataFrame(columns, index=pd.Index(evidence.labels, name="series"))
    frame.insert(0, "patient_years", evidence.exposure)
    return frame.iloc[evidence.latent]


def which_vertebra(adjacent: int, distant: int, others: pd.DataFrame) -> pd.DataFrame:
    """Share of new fractures in an adjacent vertebra, from a uniform prior; and what another series counts.

    Parameters
    ----------
    adjacent, distant : int
        New fractures.
    others : DataFrame
        Columns label, events, n, unit: adjacent fractures in other series, of a different denominator.

    Returns
    -------
    DataFrame
        Columns events, n, of, median, low, high, width_ratio (to the uniform prior's interval).
    """
    rows = {"new fractures that are adjacent": (adjacent, adjacent + distant, "new fractures")}
    for row in others.to_dict("records"):
        rows[f"{row['label']}, context only"] = (int(row["events"]), int(row["n"]), str(row["unit"]))
    found = {}
    for name, (events, n, of) in rows.items():
        low, median, high = stats.beta.ppf(_QUANTILES, 1 + events, 1 + n - events)
        found[name] = (events, n, of, float(median), float(low), float(high), float((high - low) / PROB))
    columns = ["events", "n", "of", "median", "low", "high", "width_ratio"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns).rename_axis("quantity")


def mean_follow_up(evidence: Rates) -> float:
    """Mean follow-up of all patients of all series, in months."""
    assert evidence.patients is not None
    return float(MONTHS * evidence.exposure.sum() / evidence.patients.sum())


def curves(posterior: Posterior, months: Array) -> dict[str, Array]:
    """Share with an event within each time: rows low, median and high of the typical and the next centre."""
    names = {"typical": MU, "next": THETA_NEW}
    return {
        key: np.array([share_within(q, months) for q in posterior.quantile(name, _QUANTILES)])
        for key, name in names.items()
    }
