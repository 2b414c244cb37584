"""NUTS for models of any shape: what is kept is named by the caller, not by the contract of study models."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from kyphobayes.engines.graph import before_data, log_likelihood, replicates
from kyphobayes.engines.kept import kept
from kyphobayes.engines.nuts import SETTINGS, sample, through_the_gate
from kyphobayes.evidence import View
from kyphobayes.fits import arranged, stamp
from kyphobayes.model import Model
from kyphobayes.priors import Priors

_PRIOR_DRAWS = 1000
_LAYOUT = 2  # of the file: a fit of another layout is made again


def fit_declared(
    model: Model,
    evidence: View,
    priors: Priors,
    keep: Sequence[str],
    *,
    name: str,
    seed: int = 0,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> xr.DataTree:
    """Fit a model by NUTS through the convergence gate, or find the finished fit.

    Parameters
    ----------
    model : Model
    evidence : View
    priors : Priors
    keep : sequence of str
        Variables of the model that the posterior holds, beside all that its centred form has as free
        variables; none may be constant.
    name : str
        First part of the file's name.
    seed : int
    out : Path, optional
        Where fits are kept; without it nothing is written.
    say : callable
        Is told what happens.

    Returns
    -------
    DataTree
        Groups posterior, sample_stats, prior and prior_predictive (before the data), log_likelihood (of all
        observed values) and posterior_predictive, patients' and studies' effects as they are; log_prior (of
        what `priors` has names for) and observed_data. Where counts are latent, their replicates are in
        ``unprinted`` and ``unprinted_prior``: see `kyphobayes.fits`.

    Raises
    ------
    EvidenceError, PriorError, NotConverged
    """
    model.check(evidence, priors)
    marks = stamp(model, evidence, priors, "nuts", seed, {**SETTINGS, "keep": list(keep), "layout": _LAYOUT})

    def make() -> xr.DataTree:
        say(f"{name}: fitting by NUTS")
        return _made(model, evidence, priors, keep, seed, marks)

    tree, found = kept(f"{name}-nuts", marks["digest"], make, out)
    if found:
        say(f"{name}: fit found")
    return tree


def _made(
    model: Model, evidence: View, priors: Priors, keep: Sequence[str], seed: int, marks: dict[str, str]
) -> xr.DataTree:
    """Sample and complete the fit; `keep` and `marks` as in `fit_declared`."""
    declared = model.build(evidence, priors, centred=True)
    names = list(dict.fromkeys([*keep, *(str(variable.name) for variable in declared.free_RVs)]))
    sampled, rung = through_the_gate(
        model,
        lambda rung: sample(model, evidence, priors, rung, seed, names),
        "a tighter prior may help",
    )
    posterior = sampled["posterior"].dataset
    groups = {
        "posterior": posterior,
        "sample_stats": sampled["sample_stats"].dataset,
        "log_likelihood": log_likelihood(declared, posterior),
        "log_prior": _log_prior(posterior, priors),
        "posterior_predictive": replicates(declared, posterior, np.random.default_rng([seed, 6])),
        **_before(model, evidence, priors, names, seed),
        "observed_data": _observed(declared),
    }
    for dataset in groups.values():  # creation times would make equal fits differ
        dataset.attrs.clear()
    fit = arranged(xr.DataTree.from_dict({f"/{group}": dataset for group, dataset in groups.items()}))
    fit.attrs.update({**marks, "rung": str(rung)})
    return fit


def _log_prior(posterior: xr.Dataset, priors: Priors) -> xr.Dataset:
    """Log density of every prior that has a name, at the draws."""
    found = {
        name: (posterior[name].dims, prior.log_density(posterior[name].values))
        for name, prior in priors.entries
        if name in posterior
    }
    return xr.Dataset(found, posterior.coords)


def _before(
    model: Model, evidence: View, priors: Priors, names: Sequence[str], seed: int
) -> dict[str, xr.Dataset]:
    """Draws before the data; none under an improper prior."""
    if not all(prior.proper for prior in priors.values()):
        return {}
    drawn = before_data(model.build(evidence, priors), _PRIOR_DRAWS, np.random.default_rng([seed, 1]))
    prior = drawn["prior"].dataset
    kept = [name for name in names if name in prior]
    return {"prior": prior[kept], "prior_predictive": drawn["prior_predictive"].dataset}


def _observed(declared: pm.Model) -> xr.Dataset:
    known: Any = declared.coords
    data: dict[str, Any] = {}
    variable: Any
    for variable in declared.observed_RVs:
        value = np.asarray(declared.rvs_to_values[variable].data)
        dims: Any = declared.named_vars_to_dims.get(variable.name)
        unnamed = [f"{variable.name}_dim_{axis}" for axis in range(value.ndim)]
        data[str(variable.name)] = (tuple(dims or unnamed), value)
    coords = {dim: list(known[dim]) for dims, _ in data.values() for dim in dims if dim in known}
    return xr.Dataset(data, coords)
