"""NUTS for models of any shape: what is kept is named by the caller, not by the contract of study models."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pymc as pm
import xarray as xr
from pytensor.compile.mode import Mode

from kyphobayes.checks.convergence import convergence
from kyphobayes.engines.complete import quiet
from kyphobayes.engines.nuts import LADDER, SETTINGS, sample
from kyphobayes.errors import NotConverged
from kyphobayes.evidence import View
from kyphobayes.files import make_folder
from kyphobayes.fit import load, save, stamp
from kyphobayes.model import Model
from kyphobayes.priors import Priors

_PRIOR_DRAWS = 1000
_PYTHON = Mode(linker="py", optimizer="fast_compile")  # a thousand draws take less time than Numba's compiler


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
        Variables of the model that the posterior holds; none may be constant.
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
        Groups posterior, sample_stats and prior (of the same variables, before the data).

    Raises
    ------
    EvidenceError, PriorError, NotConverged
    """
    model.check(evidence, priors)
    marks = stamp(model, evidence, priors, "nuts", seed, {**SETTINGS, "keep": list(keep)})
    path = None if out is None else out / "fits" / f"{name}-nuts-{marks['digest'][:12]}.nc"
    if path is not None:
        make_folder(path.parent)
        if (found := load(path, marks["digest"])) is not None:
            say(f"{name}: fit found")
            return found
    say(f"{name}: fitting by NUTS")
    failures = []
    for rung in LADDER:
        tree = sample(model, evidence, priors, rung, seed, keep)
        check = convergence(tree)
        if check.passed:
            break
        failures.append(check.text)
    else:
        raise NotConverged(
            f"model {model.name}: NUTS did not converge in {len(LADDER)} attempts ({'; '.join(failures)}); "
            f"a tighter prior may help"
        )
    before = _prior(model, evidence, priors, keep, seed)
    for dataset in (groups := {"/posterior": tree["posterior"].dataset, "/prior": before}).values():
        dataset.attrs.clear()  # creation times would make equal fits differ
    fit = xr.DataTree.from_dict({**groups, "/sample_stats": tree["sample_stats"].dataset})
    fit.attrs.update({**marks, "rung": str(rung)})
    if path is not None:
        save(fit, path)
    return fit


def _prior(model: Model, evidence: View, priors: Priors, keep: Sequence[str], seed: int) -> xr.Dataset:
    """Draws before the data."""
    rng = np.random.default_rng([seed, 1])
    with quiet(), model.build(evidence, priors):
        drawn = pm.sample_prior_predictive(
            _PRIOR_DRAWS,
            var_names=list(keep),
            random_seed=int(rng.integers(2**31)),
            compile_kwargs={"mode": _PYTHON},
        )
    return drawn["prior"].dataset[list(keep)]
