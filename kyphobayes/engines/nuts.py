"""NUTS, with a gate: draws that did not converge are not a result."""

from collections.abc import Callable, Sequence
from typing import Any

import pymc as pm
import xarray as xr

from kyphobayes.checks.convergence import convergence
from kyphobayes.engines.complete import complete
from kyphobayes.engines.graph import quiet
from kyphobayes.errors import NotConverged
from kyphobayes.evidence import View
from kyphobayes.fits import stamp
from kyphobayes.model import Model
from kyphobayes.names import AGGREGATE, THETA
from kyphobayes.priors import Priors

SETTINGS: dict[str, Any] = {"sampler": "nutpie", "backend": "numba", "draws": 1500, "chains": 4}

# What is tried, in this order, until the gate opens.
LADDER: tuple[dict[str, Any], ...] = (
    {"centred": False, "target_accept": 0.95, "tune": 1000},
    {"centred": False, "target_accept": 0.99, "tune": 3000},
    {"centred": True, "target_accept": 0.99, "tune": 3000},
)

# nutpie's names for what PyMC's own sampler calls otherwise.
_RENAMED = {
    "depth": "tree_depth",
    "maxdepth_reached": "reached_max_treedepth",
    "mean_tree_accept": "acceptance_rate",
}
_KEPT = (
    "diverging",
    "energy",
    "lp",
    "tree_depth",
    "reached_max_treedepth",
    "acceptance_rate",
    "step_size",
    "n_steps",
)


def fit_nuts(
    model: Model, evidence: View, priors: Priors, *, seed: int = 0, progress: bool = False
) -> xr.DataTree:
    """Fit a model by NUTS and let the draws through only if they pass the convergence gate.

    Parameters
    ----------
    model : Model
    evidence : View
    priors : Priors
    seed : int
    progress : bool
        Whether to show the sampler's progress.

    Returns
    -------
    DataTree
        The layout of `kyphobayes.fits`.

    Raises
    ------
    NotConverged
        If no rung of `LADDER` passes; the message names the diagnostics.
    """
    model.check(evidence, priors)
    sampled, rung = through_the_gate(
        model,
        lambda rung: _sample(model, evidence, priors, rung, seed, progress),
        "the exact engine or a tighter prior for tau may help",
    )
    tree = complete(sampled["posterior"].dataset, model, evidence, priors, seed)
    tree["sample_stats"] = sampled["sample_stats"]
    tree.attrs.update(stamp(model, evidence, priors, "nuts", seed, SETTINGS))
    tree.attrs["rung"] = str(rung)
    return tree


def through_the_gate(
    model: Model, draw: Callable[[dict[str, Any]], xr.DataTree], advice: str
) -> tuple[xr.DataTree, dict[str, Any]]:
    """Draw by one rung of `LADDER` after the other until the draws pass, and say by which they did.

    Raises
    ------
    NotConverged
        If no rung passes; the message names the diagnostics and ends with `advice`.
    """
    failures = []
    for rung in LADDER:
        tree = draw(rung)
        check = convergence(tree)
        if check.passed:
            return tree, rung
        failures.append(check.text)
    raise NotConverged(
        f"model {model.name}: NUTS did not converge in {len(LADDER)} attempts ({'; '.join(failures)}); "
        f"{advice}"
    )


def _sample(
    model: Model, evidence: View, priors: Priors, rung: dict[str, Any], seed: int, progress: bool
) -> xr.DataTree:
    free = model.build(evidence, priors, centred=True).free_RVs  # what `complete` needs the draws of
    keep = dict.fromkeys([*AGGREGATE, THETA, *(str(variable.name) for variable in free)])
    return sample(model, evidence, priors, rung, seed, tuple(keep), progress)


def sample(
    model: Model,
    evidence: View,
    priors: Priors,
    rung: dict[str, Any],
    seed: int,
    keep: Sequence[str],
    progress: bool = False,
) -> xr.DataTree:
    """Draw by one rung of `LADDER`, whatever the draws are worth; the posterior holds `keep`."""
    declared = model.build(evidence, priors, centred=rung["centred"])
    with quiet(), declared:
        tree = pm.sample(
            draws=SETTINGS["draws"],
            tune=rung["tune"],
            chains=SETTINGS["chains"],
            nuts_sampler=SETTINGS["sampler"],
            backend=SETTINGS["backend"],
            nuts={"target_accept": rung["target_accept"]},
            random_seed=seed,
            progressbar=progress,
            quiet=not progress,
        )
    return tidied(tree, keep)


def tidied(tree: xr.DataTree, keep: Sequence[str]) -> xr.DataTree:
    """Posterior of `keep` and PyMC's names for what nutpie says of its draws.

    Raises
    ------
    KeyboardInterrupt
        If sampling was stopped.
    """
    posterior = tree["posterior"].dataset[list(keep)]
    # nutpie answers Ctrl-C with the draws it has, chains of unequal length filled up with NaN.
    if posterior.sizes["draw"] < SETTINGS["draws"] or bool(posterior[keep[0]].isnull().any()):
        raise KeyboardInterrupt
    stats = tree["sample_stats"].dataset
    stats = stats.rename({old: new for old, new in _RENAMED.items() if old in stats})
    if "lp" not in stats and "logp" in stats:
        stats = stats.rename({"logp": "lp"})
    stats = stats[[name for name in _KEPT if name in stats]]
    stats.attrs.clear()
    return xr.DataTree.from_dict({"/posterior": posterior, "/sample_stats": stats})
