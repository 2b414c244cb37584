"""The answers of a population of pain scores, each with its draws."""

import numpy as np
import pandas as pd

from kyphobayes.pain.population import (
    Population,
    at_most,
    improved,
    mean,
    score_correlation,
)
from kyphobayes.pain.scores import Array

_TAIL = 0.025  # beyond a 95 % interval
PRE, POST, LATE = 0, 1, 2


def quantities(
    found: Population, covariates: Array, reliefs: tuple[float, ...], low: float
) -> dict[str, Array]:
    """Draws of every quantity, by its name.

    Parameters
    ----------
    found : Population
    covariates : ndarray, shape (n, c)
        Of the patients at hand; new ones have like ones.
    reliefs : tuple of float
        Improvements, in points, whose probability is asked.
    low : float
        Score up to which pain counts as low.

    Returns
    -------
    dict of str to ndarray, shape (s,)
        Means and probabilities are those of a new patient. Late ones are averaged over the patterns of
        missing scores; those named "as if seen" take the missing to be like the seen.
    """
    at_once = found.pair(PRE, POST, covariates)
    late = found.pair(PRE, LATE, covariates)
    as_seen = found.pair(PRE, LATE, covariates, as_seen=True)
    after = found.pair(POST, LATE, covariates)
    draws = {
        "mean before": mean(at_once, 0),
        "mean after": mean(at_once, 1),
        "mean late": mean(late, 1),
        "mean late, as if seen": mean(as_seen, 1),
        "change after": mean(at_once, 1) - mean(at_once, 0),
        "change late": mean(late, 1) - mean(late, 0),
        "change late, as if seen": mean(as_seen, 1) - mean(as_seen, 0),
        "change from after to late": mean(after, 1) - mean(after, 0),
    }
    for points in reliefs:
        draws[f"P(improves by {points:g} or more) after"] = improved(at_once, points)
        draws[f"P(improves by {points:g} or more) late"] = improved(late, points)
    draws |= {
        f"P(score {low:g} or less) before": at_most(at_once, low, 0),
        f"P(score {low:g} or less) after": at_most(at_once, low, 1),
        f"P(score {low:g} or less) late": at_most(late, low, 1),
        "correlation before and after": score_correlation(at_once),
        "correlation before and late": score_correlation(as_seen),
        "correlation after and late": score_correlation(found.pair(POST, LATE, covariates, as_seen=True)),
    }
    return draws


def observed(scores: Array, reliefs: tuple[float, ...], low: float) -> dict[str, float]:
    """The same quantities counted in the printed scores, shape (n, 3); late ones where there is one."""
    before, after, late = scores.T
    there = np.isfinite(late)
    seen = scores[there]
    found = {
        "mean before": before.mean(),
        "mean after": after.mean(),
        "mean late, as if seen": seen[:, LATE].mean(),
        "change after": (after - before).mean(),
        "change late, as if seen": (seen[:, LATE] - seen[:, PRE]).mean(),
    }
    for points in reliefs:
        found[f"P(improves by {points:g} or more) after"] = np.mean(before - after >= points)
    for name, values in (("before", before), ("after", after)):
        found[f"P(score {low:g} or less) {name}"] = np.mean(values <= low)
    found["correlation before and after"] = _correlation(before, after)
    found["correlation before and late"] = _correlation(seen[:, PRE], seen[:, LATE])
    found["correlation after and late"] = _correlation(seen[:, POST], seen[:, LATE])
    return {name: float(value) for name, value in found.items()}


def summarised(draws: dict[str, Array]) -> pd.DataFrame:
    """Median and 95 % interval of each quantity: columns median, low, high."""
    rows = {name: np.quantile(values, [0.5, _TAIL, 1 - _TAIL]) for name, values in draws.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["median", "low", "high"])
    return frame.rename_axis("quantity")


def _correlation(first: Array, second: Array) -> float:
    if min(np.ptp(first), np.ptp(second)) == 0:
        return float("nan")  # one of them does not vary
    return float(np.corrcoef(first, second)[0, 1])
