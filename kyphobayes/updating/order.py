"""Cumulative analysis: what was known after each year of publication."""

import numpy as np
import pandas as pd
from scipy import special

from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.priors import Priors
from kyphobayes.updating.series import Series


def cumulative(series: Series, priors: Priors, prob: float = PROB) -> pd.DataFrame:
    """Typical and next centre's rate after each year, studies without a year last.

    Counts that are latent are averaged over all tables that agree with what a later review prints, so that
    an early row knows of those totals, but not of the later studies' rates.

    Parameters
    ----------
    series : Series
    priors : Priors
        For mu and tau.
    prob : float
        Probability of the intervals.

    Returns
    -------
    DataFrame
        One row per step: `year` (NaN for studies without one), `added` (the labels), `k` (studies so far),
        and `typical_…`, `next_…` with `median`, `low` and `high`, as shares.
    """
    labels = series.after.labels
    order = [np.inf if np.isnan(series.years[label]) else series.years[label] for label in labels]
    tail = (1 - prob) / 2
    rows = []
    for year in sorted(set(order)):
        later = [label for label, when in zip(labels, order, strict=True) if when > year]
        added = [label for label, when in zip(labels, order, strict=True) if when == year]
        surface = series.after.without(*later) if later else series.after
        post = surface.posterior(priors[MU], priors[TAU])
        row = {"year": year if np.isfinite(year) else np.nan, "added": "; ".join(added), "k": surface.k}
        for word, name in (("typical", MU), ("next", THETA_NEW)):
            ends = special.expit(post.quantile(name, [0.5, tail, 1 - tail]))
            row |= {f"{word}_{key}": float(x) for key, x in zip(("median", "low", "high"), ends, strict=True)}
        rows.append(row)
    return pd.DataFrame(rows)
