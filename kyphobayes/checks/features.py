"""Posterior predictive checks by features: whether the model could have produced data like these."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from kyphobayes.checks.check import Check

COLUMNS = ["observed", "replicated", "low", "high", "p"]
EXTREME = 0.01  # a tail probability below which the model is said not to fit


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
    rows = {feature.name: tail(feature.observed, feature.replicated) for feature in features}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("feature")
    return judged(table, f"replicated {what}", f" in {len(table)} features")


def tail(observed: ArrayLike, replicated: ArrayLike) -> tuple[float, float, float, float, float]:
    """Values of `COLUMNS`: p is the mid-p-value P(replicated > observed) + P(equal) / 2.

    Parameters
    ----------
    observed : float or array_like, shape (s,)
        One for every draw where what was observed is itself drawn, as of a latent count.
    replicated : array_like, shape (s,)
    """
    own, many = np.asarray(observed, dtype=float), np.asarray(replicated, dtype=float)
    p = float(np.mean(many > own) + np.mean(many == own) / 2)
    low, high = np.quantile(many, [0.025, 0.975])
    return float(own.mean()), float(many.mean()), float(low), float(high), p


def extremes(table: pd.DataFrame) -> pd.DataFrame:
    """Rows whose p is improbably small or large."""
    return table[(table["p"] < EXTREME) | (table["p"] > 1 - EXTREME)]


def judged(table: pd.DataFrame, what: str, where: str = "") -> Check:
    """Check that passes where no row is extreme, with the first that is in words."""
    extreme = extremes(table)
    if extreme.empty:
        return Check("posterior predictive", True, f"{what} look like the observed{where}", table)
    worst = extreme.iloc[0]
    text = (
        f"{what} do not look like the observed: {extreme.index[0]} is {worst['observed']:.3g}, "
        f"replicated {worst['low']:.3g} to {worst['high']:.3g}"
    )
    return Check("posterior predictive", False, text, table)
