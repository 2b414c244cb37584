"""Posterior predictive checks: whether the model could have produced data like these."""

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.checks.check import Check
from kyphobayes.checks.features import COLUMNS, judged, tail
from kyphobayes.fits import UNPRINTED, replicates
from kyphobayes.names import EVENTS, STUDY, TABLE, Y


def predictive(tree: xr.DataTree) -> Check:
    """Compare replicated with observed data, by study and by features of the whole table.

    Parameters
    ----------
    tree : DataTree

    Returns
    -------
    Check
        One row per study and per feature: observed (its posterior mean where it is latent), replicated
        mean and 95 % interval, and p, the mid-p-value P(replicated > observed) + P(equal) / 2. Latent
        counts are drawn with the replicates (mixed predictive check; Gelman, Meng and Stern 1996).
    """
    name = Y if Y in tree["observed_data"].dataset else EVENTS
    stacked = replicates(tree, name).stack(sample=("chain", "draw"))
    replicated = stacked.transpose("sample", STUDY).values
    observed = _observed(tree, name, len(replicated))
    labels = [str(label) for label in stacked[STUDY].values]
    rows = [tail(observed[:, i], replicated[:, i]) for i in range(len(labels))]
    features = _features(tree, name)
    rows += [tail(feature(observed), feature(replicated)) for feature in features.values()]
    table = pd.DataFrame(rows, index=pd.Index([*labels, *features], name="quantity"), columns=COLUMNS)
    return judged(table, "replicated data")


def _observed(tree: xr.DataTree, name: str, draws: int) -> np.ndarray:
    """Observed data once per draw, with latent counts from the table that the draw is about."""
    if UNPRINTED not in tree.children:
        return np.tile(tree["observed_data"].dataset[name].values, (draws, 1))
    table = tree[UNPRINTED][TABLE].stack(sample=("chain", "draw")).values.astype(int)
    return tree["constant_data"].dataset["tables"].values[table]


def _features(tree: xr.DataTree, name: str) -> dict:
    if name == Y:
        return {"largest": lambda y: y.max(axis=1), "smallest": lambda y: y.min(axis=1)}
    constant = tree["constant_data"].dataset
    n = constant["n" if "n" in constant else "exposure"].values
    return {
        "studies without an event": lambda events: (events == 0).sum(axis=1),
        "highest rate": lambda events: (events / n).max(axis=1),
        "all events": lambda events: events.sum(axis=1),
        "spread of the rates (sd)": lambda events: (events / n).std(axis=1),
    }
