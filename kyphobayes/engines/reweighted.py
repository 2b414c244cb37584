"""Another prior, or other data, by importance sampling from the draws of a fit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats  # pyright: ignore[reportPrivateImportUsage]  # ArviZ exports it
from numpy.typing import NDArray

from kyphobayes.engines.declared import fit_declared
from kyphobayes.evidence import View
from kyphobayes.model import Model
from kyphobayes.priors import Priors

Array = NDArray[np.float64]

WEIGHTS_BOUND = 0.5  # of weights: above 0.7 no mean is right; above 0.5 the ends of intervals already suffer
_LEAST = -700.0  # of a log weight; where the other density is 0 it is minus infinity


@dataclass(frozen=True, eq=False)
class Under:
    """Draws of a posterior under one set of priors.

    Attributes
    ----------
    posterior : Dataset
        Dims chain and draw.
    by : str
        "NUTS" or "importance sampling".
    pareto_k : float
        Of the weights; NaN where nothing was weighted.
    """

    posterior: xr.Dataset
    by: str = "NUTS"
    pareto_k: float = float("nan")


def some_rows(size: int, draws: int, seed: int) -> NDArray[np.intp]:
    """Positions of so many draws of `size`, none twice; all where there are no more."""
    return np.sort(np.random.default_rng([seed, 2]).permutation(size)[:draws]).astype(np.intp)


def reweighted_rows(log_ratio: Array, draws: int, seed: int) -> tuple[NDArray[np.intp], float]:
    """Draws that stand for another posterior, and the Pareto k of their weights.

    Parameters
    ----------
    log_ratio : ndarray, shape (s,)
        Log of the other unnormalised posterior density over this one's, at every draw.
    draws : int
    seed : int

    Returns
    -------
    rows : ndarray of int, shape (draws,)
        Systematic resampling by Pareto-smoothed weights (Vehtari et al. 2024); some come more than once.
    k : float
        Above 0.7 they are not to be trusted (Vehtari et al. 2024); `under_priors` asks for 0.5.
    """
    if not np.isfinite(log_ratio.max()):  # the other density is 0 at every draw
        return some_rows(len(log_ratio), draws, seed), np.inf
    relative = np.maximum(log_ratio - log_ratio.max(), _LEAST)
    if np.ptp(relative) == 0:  # the same posterior
        return some_rows(len(relative), draws, seed), -np.inf
    log_weights, k = array_stats.psislw(-relative)  # ArviZ takes the negative, as of a log likelihood
    weights = np.exp(log_weights - log_weights.max())
    cumulative = np.cumsum(weights / weights.sum())
    places = (np.arange(draws) + np.random.default_rng([seed, 3]).random()) / draws
    rows = np.minimum(np.searchsorted(cumulative, places), len(weights) - 1)
    return rows.astype(np.intp), float(k)


def log_prior_ratio(posterior: xr.Dataset, main: Priors, other: Priors, names: Sequence[str]) -> Array:
    """Log of the density of other priors over the main ones at every draw, shape (s,).

    Parameters
    ----------
    posterior : Dataset
        With a variable for each of `names`, which is called as its prior is.
    main, other : Priors
    names : sequence of str
        What the likelihood depends on. Where all draws lie in the other prior's support or not is seen
        to by the weights; where the main prior is narrower, the draws cannot tell, and k shows it.
    """
    stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
    ratio = np.zeros(stacked.sizes["sample"])
    for name in names:
        values = stacked[name].values
        terms = other[name].log_density(values) - main[name].log_density(values)
        ratio += terms.reshape(len(ratio), -1).sum(axis=1)
    return ratio


def resampled(posterior: xr.Dataset, rows: NDArray[np.intp]) -> xr.Dataset:
    """Some draws of a posterior, chain after chain, as one chain."""
    stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
    taken = {str(name): (("chain", "draw", *v.dims[1:]), v.values[rows][None]) for name, v in stacked.items()}
    coords = {name: c for name, c in posterior.coords.items() if name not in ("chain", "draw")}
    return xr.Dataset(taken, coords)


def under_priors(
    fit: xr.DataTree,
    model: Model,
    evidence: View,
    sets: Sequence[Priors],
    keep: Sequence[str],
    *,
    name: str,
    seed: int = 0,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    draws: int = 2000,
) -> Mapping[str, Under]:
    """Posterior under every set of priors: the first is the fit's own.

    Draws of the fit are weighted anew; where the weights are not to be trusted the model is fitted again.

    Parameters
    ----------
    fit : DataTree
        By `fit_declared`, under the first of `sets`.
    model : Model
    evidence : View
    sets : sequence of Priors
        Every parameter of the first is a variable of the posterior.
    keep : sequence of str
        As for `fit_declared`.
    name : str
        First part of the files' names.
    seed : int
    out : Path, optional
    say : callable
    draws : int
        So many weighted draws.

    Returns
    -------
    dict of str to Under
        By label, in the order of `sets`.

    Raises
    ------
    PriorError, NotConverged
    """
    main, posterior = sets[0], fit["posterior"].dataset
    found = {main.label: Under(posterior)}
    for other in sets[1:]:
        ratio = log_prior_ratio(posterior, main, other, list(main))
        rows, k = reweighted_rows(ratio, draws, seed)
        if k <= WEIGHTS_BOUND:
            found[other.label] = Under(resampled(posterior, rows), "importance sampling", k)
            continue
        again = fit_declared(
            model, evidence, other, keep, name=f"{name}-{other.label}", seed=seed, out=out, say=say
        )
        found[other.label] = Under(again["posterior"].dataset, "NUTS", k)
    return found
