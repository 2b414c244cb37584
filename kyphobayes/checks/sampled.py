"""Draws of NUTS against another way to the same posterior, in units of their Monte Carlo standard errors."""

from collections.abc import Mapping

import arviz as az
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.checks.agreement import MCSE_BOUND
from kyphobayes.checks.check import Check
from kyphobayes.exact import Density
from kyphobayes.names import PROB

Array = NDArray[np.float64]
Known = tuple[float, float, float]  # mean, and the ends of the 95 % interval

ENDS = ((1 - PROB) / 2, (1 + PROB) / 2)


def known(density: Density, *, mean: bool = True) -> Known:
    """Mean and interval ends of a density; without `mean` it is not compared, as where it need not exist."""
    low, high = (float(density.quantile(end)) for end in ENDS)
    return density.mean if mean else np.nan, low, high


def sampled(
    exact: Mapping[str, Known], draws: Mapping[str, Array], what: str, name: str = "agreement"
) -> Check:
    """Hold draws to means and interval ends that are known otherwise.

    Parameters
    ----------
    exact : mapping of str to (mean, low, high)
        By quantity. A mean that is NaN is not compared.
    draws : mapping of str to ndarray, shape (chains, draws)
        Of the same quantities.
    what : str
        What is held against what, in words.
    name : str
        Of the check.

    Returns
    -------
    Check
        One row per comparison: exact, NUTS, mcse (the Monte Carlo standard error) and apart, their
        difference in it. It passes where none exceeds the bound of the agreement certificate.
    """
    rows = []
    for quantity, (mean, *limits) in exact.items():
        values = np.asarray(draws[quantity])
        if np.isfinite(mean):
            rows.append((f"{quantity}, mean", mean, values.mean(), az.mcse(values, method="mean")))
        for end, limit in zip(ENDS, limits, strict=True):
            error = az.mcse(values, method="quantile", prob=end)
            rows.append((f"{quantity}, {100 * end:g} %", limit, np.quantile(values, end), error))
    table = pd.DataFrame(rows, columns=["quantity", "exact", "NUTS", "mcse"]).set_index("quantity")
    table = table.astype(float)
    table["apart"] = (table["NUTS"] - table["exact"]) / table["mcse"]
    apart = table["apart"].abs()
    text = (
        f"{what}: {len(table)} comparisons, the most different {apart.idxmax()} by {apart.max():.1f} Monte "
        f"Carlo standard errors"
    )
    return Check(name, bool((apart <= MCSE_BOUND).all()), text, table)
