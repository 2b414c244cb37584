"""Leaving out one unit at a time, by importance sampling of a likelihood without the unit's own effects."""

import warnings
from collections.abc import Sequence
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from kyphobayes.checks.check import Check

K_BOUND = 0.7  # Pareto k above which importance sampling is not to be trusted (Vehtari et al. 2024)


def left_out(log_likelihood: NDArray[np.float64], labels: Sequence[str], unit: str = "patient") -> Check:
    """Leave one unit out, by Pareto-smoothed importance sampling of the integrated likelihood.

    Parameters
    ----------
    log_likelihood : ndarray, shape (s, n)
        Of each unit, its own effects integrated out.
    labels : sequence of str
    unit : str
        "patient", "study", ...

    Returns
    -------
    Check
        One row per unit: elpd and Pareto k. It passes where k <= 0.7 for every one.
    """
    coords = {unit: list(labels)}
    values = xr.DataArray(log_likelihood[None], dims=("chain", "draw", unit), coords=coords)
    tree = xr.DataTree.from_dict({"/log_likelihood": xr.Dataset({"value": values})})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a large k, which the check itself is about
        found: Any = az.loo(tree, pointwise=True, reff=1.0)
    table = pd.DataFrame(
        {"elpd": found.elpd_i.values, "pareto_k": found.pareto_k.values},
        index=pd.Index(labels, name=unit),
    )
    worst, hardest = table["pareto_k"].idxmax(), table["elpd"].idxmin()
    text = (
        f"leaving out each {unit} in turn, elpd {found.elpd:.1f} (standard error {found.se:.1f}), effective "
        f"parameters {found.p:.1f}, largest Pareto k {table['pareto_k'].max():.2f} ({unit} {worst}); least "
        f"expected is {unit} {hardest}"
    )
    return Check(f"leave-one-{unit}-out", bool((table["pareto_k"] <= K_BOUND).all()), text, table)
