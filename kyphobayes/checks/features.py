"""Posterior predictive checks by features: whether the model could have produced data like these."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from kyphobayes.checks.check import Check
from kyphobayes.checks.predictive import EXTREME


@dataclass(frozen=True, eq=False)
class Feature:
    """One number that can be read off data.

    Attributes
    ----------
    name : str
    observed : float
        Read off the data at hand.
    replicated : array_like, shape (s,)
        Read off each set of replicated data.
    """

    name: str
    observed: float
    replicated: ArrayLike


def replicated(features: Sequence[Feature], what: str = "data") -> Check:
    """Hold features of the data at hand against those of replicated data.

    Parameters
    ----------
    features : sequence of Feature
    what : str
        What was replicated, in the plural.

    Returns
    -------
    Check
        One row per feature: observed, replicated mean and 95 % interval, and the mid-p-value
        P(replicated > observed) + P(equal) / 2. It fails where one is below 0.01 or above 0.99.
    """
    rows = {}
    for feature in features:
        many = np.asarray(feature.replicated, dtype=float)
        p = float(np.mean(many > feature.observed) + np.mean(many == feature.observed) / 2)
        low, high = np.quantile(many, [0.025, 0.975])
        rows[feature.name] = (float(feature.observed), float(many.mean()), float(low), float(high), p)
    columns = ["observed", "replicated", "low", "high", "p"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("feature")
    extreme = table[(table["p"] < EXTREME) | (table["p"] > 1 - EXTREME)]
    if extreme.empty:
        text = f"replicated {what} look like the observed in {len(table)} features"
    else:
        worst = extreme.iloc[0]
        text = (
            f"replicated {what} do not look like the observed: {extreme.index[0]} is "
            f"{worst['observed']:.3g}, replicated {worst['low']:.3g} to {worst['high']:.3g}"
        )
    return Check("posterior predictive", extreme.empty, text, table)
