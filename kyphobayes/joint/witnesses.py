"""NUTS held against exact margins and weights, replicated studies against those at hand."""

from collections.abc import Mapping
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from kyphobayes.checks import Check
from kyphobayes.checks.agreement import MCSE_BOUND
from kyphobayes.checks.features import Feature, replicated
from kyphobayes.evidence import JointCounts
from kyphobayes.joint.correlation import ENDS, GRID
from kyphobayes.joint.left_out import Solved
from kyphobayes.joint.likelihood import Array
from kyphobayes.joint.profile import correlation, paired_rates
from kyphobayes.names import MU, TAU

PARAMETERS = {  # the name in the joint model: outcome and name in its own
    "mu_leak": ("leak", MU),
    "tau_leak": ("leak", TAU),
    "mu_fracture": ("fracture", MU),
    "tau_fracture": ("fracture", TAU),
}
MARGIN_BOUND = 0.25  # posterior standard deviations between an outcome by itself and in the joint model
WHY = (
    "the correlation is all that passes from one outcome to the other, and where the likelihood hardly "
    "depends on it, neither can the margins"
)


def agreement(fit: xr.DataTree, solved: Solved) -> Check:
    """Hold NUTS against weights in standard errors, and against each outcome by itself in posterior sd.

    Parameters
    ----------
    fit : DataTree
    solved : Solved
        Under the same priors.

    Returns
    -------
    Check
        Means of rho, mu and tau, and the probabilities of lying below the 95 % limits by NUTS, within 4.5
        standard errors of both methods together; means of mu and tau with rho free and at 0, within a
        quarter of a standard deviation.
    """
    posterior = fit["posterior"].dataset
    rows = _weighed(posterior, solved)
    for name, (side, own) in PARAMETERS.items():
        alone: Any = getattr(solved.apart, side).summary().loc[own]
        mean = float(posterior[name].mean())
        apart = (mean - alone["mean"]) / alone["sd"]
        rows.append(
            ("by itself ~ joint", f"{name} mean", float(alone["mean"]), mean, float(apart), "posterior sd",
             MARGIN_BOUND, bool(abs(apart) <= MARGIN_BOUND), WHY)
        )  # fmt: skip
    columns = ["between", "quantity", "left", "right", "difference", "unit", "bound", "passed", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    failed = table[~table["passed"]]
    if failed.empty:
        furthest = table.groupby("unit")["difference"].apply(lambda d: d.abs().max())
        text = (
            f"NUTS and exact margins with weights agree in {(table['unit'] == 'standard errors').sum()} "
            f"comparisons (at most {furthest['standard errors']:.1f} standard errors); with rho free the "
            f"margins lie at most {furthest['posterior sd']:.2f} posterior sd from each outcome by itself "
            f"(bound {MARGIN_BOUND:g})"
        )
    else:
        worst = failed.iloc[0]
        text = (
            f"{len(failed)} of {len(table)} comparisons disagree, first {worst['between']} on "
            f"{worst['quantity']}: {worst['left']:.4g} against {worst['right']:.4g}, "
            f"{abs(worst['difference']):.1f} {worst['unit']}"
        )
    return Check("agreement", failed.empty, text, table)


def _weighed(posterior: xr.Dataset, solved: Solved) -> list[tuple]:
    """Weights against NUTS, each with its own error."""
    rows = []
    for name in ("rho", *PARAMETERS):
        values = posterior[name]
        limits = np.quantile(values, ENDS)
        compared = [("mean", float(values.mean()), float(az.mcse(values)), *_by_weights(solved, name, None))]
        for p, limit in zip(ENDS, limits, strict=True):
            size = float(az.ess(values, method="quantile", prob=p))
            error = float(np.sqrt(p * (1 - p) / size))
            compared.append((f"P(below {limit:.3g})", p, error, *_by_weights(solved, name, float(limit))))
        for what, right, mcse, left, error in compared:
            apart = (right - left) / np.hypot(mcse, error)
            rows.append(
                ("weights ~ NUTS", f"{name} {what}", left, right, float(apart), "standard errors", MCSE_BOUND,
                 bool(abs(apart) <= MCSE_BOUND), "")
            )  # fmt: skip
    return rows


def _by_weights(solved: Solved, name: str, limit: float | None) -> tuple[float, float]:
    """Mean, or probability of lying below a limit, with its standard error."""
    found = solved.posterior
    if name == "rho":
        return found.expectation(GRID if limit is None else (limit > GRID).astype(float))
    side, own = PARAMETERS[name]
    alone, draws = getattr(solved.apart, side), getattr(found.likelihood.margins, name)
    if limit is None:
        return found.margin(draws, float(alone.summary().loc[own, "mean"]))
    return found.margin((draws <= limit).astype(float), float(alone.cdf(own, limit)))


# --- replicated studies -----------------------------------------------------------------------------------


def replicates(
    draws: Mapping[str, Array], evidence: JointCounts, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Counts of new studies as large as those at hand, shapes (s, k of leaks) and (s, k of fractures)."""
    u, v = rng.standard_normal((2, len(draws["rho"]), evidence.k))
    rho = draws["rho"][:, None]
    steps = u, rho * u + np.sqrt(1 - rho**2) * v
    found = []
    for (_, counts, places), side, step in zip(evidence.sides, ("leak", "fracture"), steps, strict=True):
        theta = draws[f"mu_{side}"][:, None] + draws[f"tau_{side}"][:, None] * step[:, places]
        found.append(rng.binomial(counts.n.astype(int), special.expit(theta)).astype(float))
    return found[0], found[1]


def predictive(draws: Mapping[str, Array], evidence: JointCounts, seed: int) -> Check:
    """Hold features of the studies at hand against those of new studies of the same sizes.

    Where a count is not printed, the feature at hand is its mean over the tables.
    """
    many = replicates(draws, evidence, np.random.default_rng([seed, 9]))
    features = []
    for (name, counts, _), events in zip(evidence.sides, many, strict=True):
        of = "leaks" if name == "leaks" else "new fractures"
        for what, feature in (
            (f"{of} in all studies", lambda y, n: y.sum(axis=1)),
            (f"studies without {of}", lambda y, n: (y == 0).sum(axis=1)),
            (f"highest rate of {of}", lambda y, n: (y / n).max(axis=1)),
            (f"spread of the rates of {of} (sd)", lambda y, n: (y / n).std(axis=1)),
        ):
            observed = float(counts.weights @ feature(counts.tables, counts.n))
            features.append(Feature(what, observed, feature(events, counts.n)))
    features.append(_together(evidence, many))
    return replicated(features, "studies")


def _together(evidence: JointCounts, many: tuple[Array, Array]) -> Feature:
    """Correlation of the log odds, half a case added to each cell, over the studies with both."""
    one, two = (special.logit(rates) for rates in paired_rates(evidence))
    weights = np.outer(evidence.leaks.weights, evidence.fractures.weights)
    observed = sum(
        weights[i, j] * correlation(one[i], two[j]) for i in range(len(one)) for j in range(len(two))
    )
    logs = []
    for (_, counts, _), order, events in zip(evidence.sides, evidence.both_within, many, strict=True):
        logs.append(special.logit((events[:, order] + 0.5) / (counts.n[order] + 1)))
    again = [correlation(x, y) for x, y in zip(*logs, strict=True)]
    return Feature("correlation of the log odds, studies with both", float(observed), again)
