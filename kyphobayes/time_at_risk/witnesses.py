"""Beside the models: frequentist rates, the likelihood by another hand, and quadrature against NUTS."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from kyphobayes.checks import Check
from kyphobayes.checks.features import Feature, replicated
from kyphobayes.checks.sampled import known
from kyphobayes.checks.sampled import sampled as against_draws
from kyphobayes.effects import effect_size
from kyphobayes.evidence import FollowUp, Rates
from kyphobayes.exact import Density
from kyphobayes.frequentist import glmm_rate, pool_many
from kyphobayes.names import IRLN, MU
from kyphobayes.time_at_risk.centres import PER
from kyphobayes.time_at_risk.patients import garwood

Array = NDArray[np.float64]

ONE_RATE = "one rate for all: exact Poisson interval (Garwood)"
TWO_STAGE = "log rates, REML, Hartung–Knapp–Sidik–Jonkman, mean over tables"
GLMM = "exact likelihood of the counts: Poisson–normal model (GLMM), Wald"
_EARLY = 0.25  # years


def frequentist(evidence: Rates) -> pd.DataFrame:
    """Rates per 100 patient-years by three methods.

    Returns
    -------
    DataFrame
        Index method; columns estimate, ci_low, ci_high, pi_low, pi_high (per 100 patient-years), mu, se,
        tau2 and tau2_lowest (of log rates per patient-year), k, corrected (studies that had 0.5 added).
        The last row is the one that the Bayesian answer is held against.
    """
    expected = evidence.weights @ evidence.tables
    rate, low, high = garwood(round(float(expected.sum()), 6), float(evidence.exposure.sum()))
    rows: dict[str, dict[str, float]] = {
        ONE_RATE: {"estimate": rate, "ci_low": low, "ci_high": high, "k": evidence.k, "corrected": 0},
        TWO_STAGE: _two_stages(evidence),
    }
    found = glmm_rate(evidence.tables, evidence.exposure, weights=evidence.weights)
    names = ("ci_low", "ci_high", "pi_low", "pi_high")
    rows[GLMM] = {
        "estimate": float(np.exp(found.mu)),
        **{name: float(np.exp(getattr(found, name))) for name in names},
        MU: found.mu, "se": found.se, "tau2": found.tau2, "tau2_lowest": found.tau2,
        "k": evidence.k, "corrected": 0,
    }  # fmt: skip
    columns = ["estimate", *names, MU, "se", "tau2", "tau2_lowest", "k", "corrected"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")
    table[["estimate", *names]] *= PER
    return table


def _two_stages(evidence: Rates) -> dict[str, float]:
    """Log rates pooled in every table, 0.5 added to a count of 0; figures are averaged over the tables."""
    time = np.broadcast_to(evidence.exposure, evidence.tables.shape)
    sizes = effect_size(IRLN, {"events": evidence.tables, "time": time})
    pooled = pool_many(sizes.y, sizes.v, method="REML", test="hksj" if evidence.k > 1 else "z")

    def mean(values: Any) -> float:
        return float(np.asarray(values) @ evidence.weights)

    rows = {name: mean(np.exp(getattr(pooled, name))) for name in ("ci_low", "ci_high", "pi_low", "pi_high")}
    return rows | {
        "estimate": mean(np.exp(pooled.mu)),
        MU: mean(pooled.mu),
        "se": mean(pooled.se),
        "tau2": mean(pooled.tau2),
        "tau2_lowest": float(np.min(pooled.tau2)),
        "k": evidence.k,
        "corrected": int((evidence.tables == 0).any(axis=0).sum()),
    }


def sampled(densities: Mapping[str, Density], posterior: xr.Dataset) -> Check:
    """Hold NUTS, the draws of variables, to quadrature, their densities, in Monte Carlo standard errors."""
    exact = {name: known(density) for name, density in densities.items()}
    draws = {name: posterior[name].values for name in exact}
    return against_draws(exact, draws, "quadrature against NUTS", "agreement, patients")


def replicated_patients(fit: xr.DataTree, evidence: FollowUp) -> Check:
    """Hold deaths and fractures against replicates with the same numbers at risk."""
    predictive = fit["posterior_predictive"].dataset.stack(sample=("chain", "draw"))
    deaths = predictive["deaths"].transpose("sample", ...).values
    fractures = predictive["fractures"].transpose("sample", ...).values
    table = evidence.life_table
    early = (table["start"] < _EARLY).to_numpy()
    own = table["deaths"].to_numpy()
    features = (
        Feature("deaths", float(own.sum()), deaths.sum(axis=1)),
        Feature("deaths in the first three months", float(own[early].sum()), deaths[:, early].sum(axis=1)),
        Feature("intervals in which somebody died", float((own > 0).sum()), (deaths > 0).sum(axis=1)),
        Feature("patients with a new fracture", float(evidence.fractured.sum()), fractures.sum(axis=1)),
        Feature(
            "patient-years of those with a fracture",
            float(evidence.years @ evidence.fractured),
            fractures @ evidence.years,
        ),
    )
    return replicated(features, "patients")
