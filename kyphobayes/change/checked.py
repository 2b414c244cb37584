"""Checks of an answer on means before and after: closed forms, other methods, replicates."""

from dataclasses import replace

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.change.draws import Draws
from kyphobayes.change.integrated import expected_mu
from kyphobayes.change.plug_in import pooled, solved
from kyphobayes.checks import Check
from kyphobayes.checks.agreement import MCSE_BOUND
from kyphobayes.checks.features import Feature, replicated
from kyphobayes.checks.witnessed import witnessed
from kyphobayes.evidence import PrePostMeans
from kyphobayes.evidence.views import Array
from kyphobayes.names import MU, PROB
from kyphobayes.priors import Priors

_AGREEMENTS = ("agreement, exact", "agreement, REML")
_ENDS = ((1 - PROB) / 2, (1 + PROB) / 2)


def conditional_means(draws: Draws, evidence: PrePostMeans, priors: Priors, chains: int) -> Check:
    """Means of mu and mu_before against the average of their exact conditional means, in MCSE."""
    expected = expected_mu(draws, evidence, dict(priors.entries))
    rows = {}
    for name, values, exact in zip((MU, "mu_before"), (draws.mu, draws.mu_before), expected, strict=True):
        apart = (values - exact).reshape(chains, -1)
        error = float(az.mcse(apart, method="mean"))
        rows[name] = [values.mean(), exact.mean(), float(apart.mean() / error)]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["draws", "conditional", "difference_mcse"])
    worst = table["difference_mcse"].abs().max()
    return Check(
        "conditional means",
        bool(worst <= MCSE_BOUND),
        f"means of mu and mu_before agree with their closed form given all else to {worst:.1f} Monte Carlo "
        f"standard errors (bound {MCSE_BOUND:g})",
        table.rename_axis("parameter"),
    )


def witnesses(
    draws: Draws, evidence: PrePostMeans, se: Array, priors: Priors, moved: float
) -> tuple[Check, ...]:
    """Exact and frequentist answers with SDs and correlation fixed."""
    exact = solved(evidence, se, priors)
    low, high = (float(x) for x in exact.quantile(MU, _ENDS))
    reml = pooled(evidence, se)
    what = "mean change in a typical centre"
    fixed = "SDs, correlation and numbers of patients are fixed there, and the level before plays no part"
    found = (
        witnessed(
            what, draws.mu, exact.mu.mean, (low, high), "exact posterior with SDs fixed", expected=fixed
        ),
        witnessed(
            what, draws.mu, float(reml.mu), (float(reml.ci_low), float(reml.ci_high)),
            "REML estimate with the Hartung–Knapp interval", prior_range=moved,
        ),
    )  # fmt: skip
    return tuple(replace(c, name=n) for c, n in zip(found, _AGREEMENTS, strict=True))


def replicated_tables(fit: xr.DataTree, evidence: PrePostMeans) -> Check:
    """Features of what is printed, in tables of new studies of the same sizes."""
    new = fit["posterior_predictive"].dataset.stack(sample=("chain", "draw")).transpose("sample", ...)
    level, change = new["mean_before"].values, new["mean_change"].values
    variance, own = new["variance"].values, evidence.sd[evidence.spread] ** 2
    every = np.hstack([change, new["bare_change"].values]) if len(evidence.bare) else change
    both = evidence.both
    features = [
        Feature("mean of changes", evidence.change.mean(), every.mean(axis=1)),
        Feature("SD of changes", evidence.change.std(ddof=1), every.std(axis=1, ddof=1)),
        Feature("largest fall", evidence.change.min(), every.min(axis=1)),
        Feature("smallest fall", evidence.change.max(), every.max(axis=1)),
        Feature("mean of levels before", evidence.before[both].mean(), level.mean(axis=1)),
        Feature("largest SD over smallest", np.sqrt(np.max(own) / np.min(own)),
                np.sqrt(variance.max(axis=1) / variance.min(axis=1))),
    ]  # fmt: skip
    if len(both) > 2:
        name, printed = (
            "correlation of level before and change",
            (evidence.before[both], evidence.change[both]),
        )
        features.append(Feature(name, float(np.corrcoef(*printed)[0, 1]), _correlations(level, change)))
    return replicated(features, "tables of studies")


def _correlations(x: Array, y: Array) -> Array:
    a, b = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
