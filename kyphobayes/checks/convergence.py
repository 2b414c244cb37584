"""Whether the draws of NUTS can be believed."""

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.checks.check import Check

R_HAT = 1.01
ESS = 400
BFMI = 0.3


def convergence(tree: xr.DataTree) -> Check:
    """Hold the draws to R-hat <= 1.01, bulk and tail ESS >= 400, no divergences and E-BFMI >= 0.3.

    Parameters
    ----------
    tree : DataTree
        With groups posterior and sample_stats.

    Notes
    -----
    R-hat and ESS as in Vehtari et al. (2021), E-BFMI as in Betancourt (2016).
    """
    posterior, stats = tree["posterior"].dataset, tree["sample_stats"].dataset
    worst = {
        "R-hat": (_extreme(az.rhat(posterior), np.max), "at most", R_HAT),
        "bulk ESS": (_extreme(az.ess(posterior, method="bulk"), np.min), "at least", ESS),
        "tail ESS": (_extreme(az.ess(posterior, method="tail"), np.min), "at least", ESS),
        "divergences": (float(stats["diverging"].sum()), "at most", 0),
        "E-BFMI": (_extreme(az.bfmi(tree), np.min), "at least", BFMI),
    }
    table = pd.DataFrame(
        [(value, sense, bound, _within(value, sense, bound)) for value, sense, bound in worst.values()],
        index=pd.Index(worst, name="diagnostic"),
        columns=["worst", "must be", "bound", "passed"],
    )
    failed = table[~table["passed"]]
    if failed.empty:
        text = f"converged: R-hat {worst['R-hat'][0]:.3f}, ESS {worst['bulk ESS'][0]:.0f}, no divergences"
    else:
        text = ", ".join(f"{name} {row['worst']:.4g}" for name, row in failed.iterrows())
    return Check("convergence", failed.empty, text, table)


def _extreme(dataset: xr.Dataset, reduce: object) -> float:
    # NaN (a quantity that does not move) counts as failed, so it must survive the reduction.
    return float(reduce([reduce(dataset[name].values) for name in dataset]))  # pyright: ignore[reportCallIssue]


def _within(value: float, sense: str, bound: float) -> bool:
    return bool(value <= bound if sense == "at most" else value >= bound)
