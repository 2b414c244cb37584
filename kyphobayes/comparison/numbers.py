"""From posteriors of log odds ratios and baselines to what people ask: who has fewer events, and how many."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.evidence import TwoArms
from kyphobayes.exact import Density, Posterior, Surface
from kyphobayes.names import MU, PROB, TAU, THETA, THETA_NEW

Array = NDArray[np.float64]

PER = 100  # cases that expected differences are about
_TAILS = ((1 - PROB) / 2, (1 + PROB) / 2)


def difference_at(effect: Density, rate: float) -> dict[str, float]:
    """Difference in events per 100 between the arms where arm 2 has a given rate.

    Parameters
    ----------
    effect : Density
        Of a log odds ratio.
    rate : float
        Of arm 2, between 0 and 1.

    Returns
    -------
    dict
        mean, median, low, high; negative where arm 1 has fewer.

    Raises
    ------
    InputError
    """
    if not 0 < rate < 1:
        raise InputError(f"rate: expected a share between 0 and 1, found {rate:g}")

    def change(x: Array) -> Array:
        return PER * (special.expit(special.logit(rate) + x) - rate)

    low, median, high = (float(x) for x in change(effect.quantile([_TAILS[0], 0.5, _TAILS[1]])))
    return {"mean": effect.expectation(change), "median": median, "low": low, "high": high}


def effects(posterior: Posterior, rate: float) -> dict[str, float]:
    """One row of the table of prior sets: odds ratio, probabilities, tau, difference at a stated rate."""
    low, median, high = np.exp(posterior.quantile(MU, [_TAILS[0], 0.5, _TAILS[1]]))
    new_low, new_high = np.exp(posterior.quantile(THETA_NEW, list(_TAILS)))
    typical = difference_at(posterior.mu, rate)
    return {
        "odds_ratio": float(median),
        "low": float(low),
        "high": float(high),
        "next_low": float(new_low),
        "next_high": float(new_high),
        "p_fewer_typical": float(posterior.cdf(MU, 0.0)),
        "p_fewer_next": float(posterior.cdf(THETA_NEW, 0.0)),
        "tau": float(posterior.quantile(TAU, 0.5)),
        "difference": typical["mean"],
        "difference_low": typical["low"],
        "difference_high": typical["high"],
    }


def sampled_effects(tree: xr.DataTree, rate: float) -> dict[str, float]:
    """The same row from draws."""
    draws = _draws(tree)
    change = PER * (special.expit(special.logit(rate) + draws[MU]) - rate)
    ratio, new = _row(np.exp(draws[MU])), _row(np.exp(draws[THETA_NEW]))
    difference = _row(change)
    return {
        "odds_ratio": ratio["median"],
        "low": ratio["low"],
        "high": ratio["high"],
        "next_low": new["low"],
        "next_high": new["high"],
        "p_fewer_typical": float((draws[MU] < 0).mean()),
        "p_fewer_next": float((draws[THETA_NEW] < 0).mean()),
        "tau": float(np.median(draws[TAU])),
        "difference": difference["mean"],
        "difference_low": difference["low"],
        "difference_high": difference["high"],
    }


def main_table(tree: xr.DataTree, arms: tuple[str, str]) -> pd.DataFrame:
    """Answer from a fit with exchangeable baselines: odds ratios, rates and differences per 100.

    Returns
    -------
    DataFrame
        Columns mean, median, low, high and p_fewer, the probability that arm 1 has fewer events. Odds
        ratios have no mean: under a heavy-tailed prior of tau it need not exist.
    """
    draws, rows = _draws(tree), {}
    names = (("typical centre", MU, "mu_baseline"), ("next centre", THETA_NEW, "baseline_new"))
    for who, effect, _ in names:
        row = _row(np.exp(draws[effect])) | {"mean": np.nan}
        rows[f"odds ratio, {who}"] = row | {"p_fewer": float((draws[effect] < 0).mean())}
    for who, effect, baseline in names:
        one, two = (PER * special.expit(draws[baseline] + half * draws[effect]) for half in (0.5, -0.5))
        rows[f"{arms[0]} per {PER}, {who}"] = _row(one)
        rows[f"{arms[1]} per {PER}, {who}"] = _row(two)
        rows[f"difference per {PER}, {who}"] = _row(one - two) | {"p_fewer": float((one < two).mean())}
    columns = ["mean", "median", "low", "high", "p_fewer"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("quantity")


def study_table(tree: xr.DataTree, evidence: TwoArms, alone: Mapping[str, Density]) -> pd.DataFrame:
    """Each study's counts and odds ratio: by itself, and drawn towards the others by the model.

    Parameters
    ----------
    tree : DataTree
        The main fit.
    evidence : TwoArms
    alone : mapping of str to Density
        Log odds ratio of each study if nothing is learned from the others.
    """
    theta = (
        tree["posterior"].dataset[THETA].stack(sample=("chain", "draw")).transpose("study", "sample").values
    )
    names = ("events_1", "n_1", "events_2", "n_2")
    rows = []
    for place, label in enumerate(evidence.labels):
        low, median, high = np.exp(alone[label].quantile([_TAILS[0], 0.5, _TAILS[1]]))
        model = _row(np.exp(theta[place]))
        rows.append(
            {
                "study": label,
                **{name: v[place] for name, v in zip(names, evidence.counts, strict=True)},
                "alone": median,
                "alone_low": low,
                "alone_high": high,
                "odds_ratio": model["median"],
                "low": model["low"],
                "high": model["high"],
                "p_fewer": float((theta[place] < 0).mean()),
            }
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("study")


def left_out(posterior: Posterior, rate: float) -> pd.DataFrame:
    """The exact answer without each study in turn."""
    labels = posterior.surface.labels
    rows = {
        f"without {label}": effects(posterior.without(label), rate) for label in labels if len(labels) > 1
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("evidence")


def learned(posterior: Posterior) -> pd.DataFrame:
    """Prior and posterior of mu and tau side by side: median and 95 % interval, and their widths' ratio."""
    rows = {}
    for name in (MU, TAU):
        prior = posterior.priors[name].quantile(np.array([_TAILS[0], 0.5, _TAILS[1]]))
        after = posterior.quantile(name, [_TAILS[0], 0.5, _TAILS[1]])
        rows[name] = {
            **dict(zip(("prior_low", "prior", "prior_high"), map(float, prior), strict=True)),
            **dict(zip(("low", "median", "high"), map(float, after), strict=True)),
            "width_ratio": float((after[2] - after[0]) / (prior[2] - prior[0])),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")


def alone(surface: Surface, mu: str) -> dict[str, Density]:
    """Log odds ratio of each study if nothing is learned from the others, under a prior for each."""
    return surface.no_pooling(mu).studies


def _draws(tree: xr.DataTree) -> dict[str, Array]:
    """Draws of all variables without a dimension of their own."""
    posterior = tree["posterior"].dataset
    return {str(name): v.values.ravel() for name, v in posterior.items() if set(v.dims) == {"chain", "draw"}}


def _row(values: Array) -> dict[str, float]:
    low, median, high = np.quantile(values, [_TAILS[0], 0.5, _TAILS[1]])
    return {"mean": float(values.mean()), "median": float(median), "low": float(low), "high": float(high)}
