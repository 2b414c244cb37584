"""The agreement certificate: exact, NUTS and frequentist answers to one question, side by side."""

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.checks.check import Check
from kyphobayes.fits import by_quantity, summary
from kyphobayes.names import AGGREGATE, MU, PROB, TAU, THETA

MCSE_BOUND = 4.5  # so far out one of 100 comparisons lies with probability below 1 in 1000
SD_BOUND = 0.5  # posterior standard deviations between Bayesian and frequentist mu
SD_LIMIT = 2.0  # beyond this no known reason excuses a difference
FEW = 5  # studies below which an estimate of tau says little, so that mu may differ too
FEW_FOR_TAU = 10  # below which two estimates of tau itself may differ
LIKELIHOOD_BOUND = 1e-7  # of log likelihoods computed twice, both to some twelve digits


def certificate(
    exact: xr.DataTree | None,
    nuts: xr.DataTree | None,
    witness: pd.DataFrame,
    prior_range: float = 0.0,
    likelihoods: pd.DataFrame | None = None,
) -> Check:
    """Hold the three witnesses against each other.

    Parameters
    ----------
    exact, nuts : DataTree or None
        Fits of the same model, evidence and priors.
    witness : DataFrame
        From `kyphobayes.witness`; its last row with an estimate is the cross-check for mu and tau.
    prior_range : float
        Spread of the posterior mean of mu over the prior sets compared, in posterior sd: a reason why
        Bayesian and frequentist answers may differ.
    likelihoods : DataFrame, optional
        From `kyphobayes.witness`: the log likelihood by the exact engine's hand and by the witness's.

    Returns
    -------
    Check
        Table columns: between, quantity, left, right, difference, unit, bound, passed, reason. A
        difference beyond its bound passes only where a reason is known, and the reason is printed. Beyond
        `SD_LIMIT` the only reason is a prior that holds the estimate itself to be improbable.
    """
    truth, draws = (None if fit is None else summary(fit) for fit in (exact, nuts))
    rows = []
    if truth is not None and draws is not None and nuts is not None:
        rows += _engines(truth, draws, nuts)
    if likelihoods is not None:
        rows.append(_likelihoods(likelihoods))
    reference = truth if truth is not None else draws
    if reference is not None:
        fit = exact if exact is not None else nuts
        before = fit["prior"].dataset if fit is not None and "prior" in fit.children else xr.Dataset()
        rows += _frequentist(reference, witness, prior_range, before)
    columns = ["between", "quantity", "left", "right", "difference", "unit", "bound", "passed", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    failed = table[~table["passed"]]
    if failed.empty:
        expected = int((table["reason"] != "").sum())
        parts = [f"{len(table) - expected} comparisons agree"] if len(table) > expected else []
        parts += [f"{expected} differ for a known reason"] if expected else []
        parts += ["exact and NUTS not compared: only one was run"] if exact is None or nuts is None else []
        text = ", ".join(parts)
    else:
        worst = failed.iloc[0]
        text = (
            f"{len(failed)} of {len(table)} comparisons disagree, first {worst['between']} on "
            f"{worst['quantity']}: {worst['left']:.4g} against {worst['right']:.4g}, "
            f"{abs(worst['difference']):.1f} {worst['unit']}"
        )
    return Check("agreement", failed.empty, text, table)


def _engines(truth: pd.DataFrame, draws: pd.DataFrame, nuts: xr.DataTree) -> list[tuple]:
    """Exact against NUTS: means and interval limits in units of the Monte Carlo standard error."""
    posterior = nuts["posterior"].dataset[[*AGGREGATE, THETA]]
    errors = {
        "mean": draws["mcse_mean"],
        "low": by_quantity(az.mcse(posterior, method="quantile", prob=0.025)),
        "high": by_quantity(az.mcse(posterior, method="quantile", prob=0.975)),
    }
    rows = []
    for quantity in truth.index:
        for statistic, mcse in errors.items():
            left, right = truth.loc[quantity, statistic], draws.loc[quantity, statistic]
            difference = float((right - left) / mcse[quantity])
            passed = bool(abs(difference) <= MCSE_BOUND)
            name = f"{quantity} {statistic}"
            rows.append(("exact ~ NUTS", name, left, right, difference, "MCSE", MCSE_BOUND, passed, ""))
    return rows


def _likelihoods(table: pd.DataFrame) -> tuple:
    """Exact against frequentist: the place where the log likelihood differs most."""
    difference = table["frequentist"] - table["exact"]
    at = difference.abs().fillna(np.inf).argmax()
    place = table.iloc[at]
    name = (
        f"log likelihood at mu {place['mu']:.3g}, tau {place['tau']:.3g}, the most different of {len(table)}"
    )
    left, right, apart = place["exact"], place["frequentist"], float(difference.iloc[at])
    passed = bool(abs(apart) <= LIKELIHOOD_BOUND)
    return ("exact ~ frequentist", name, left, right, apart, "log units", LIKELIHOOD_BOUND, passed, "")


def _frequentist(
    table: pd.DataFrame, witness: pd.DataFrame, prior_range: float, before: xr.Dataset
) -> list[tuple]:
    """Bayes against the frequentist cross-check: mu and tau in posterior standard deviations."""
    estimated = witness[witness["mu"].notna()]
    if estimated.empty:
        return [("Bayes ~ frequentist", MU, np.nan, np.nan, np.nan, "", SD_BOUND, False, "")]
    other = estimated.iloc[-1]
    between = f"Bayes ~ {estimated.index[-1]}"
    estimates = {MU: float(other["mu"]), TAU: float(np.sqrt(other["tau2"]))}
    decided = {name: text for name, x in estimates.items() if (text := _decided(name, x, before))}
    known = [*_reasons(other, prior_range), *decided.values()]
    of_tau = [f"with {other['k']} studies one estimate of tau says little: its posterior is wide and skew"]
    of_tau = [] if known or other["k"] >= FEW_FOR_TAU else of_tau
    rows = []
    for quantity, estimate in estimates.items():
        reasons = "; ".join(known + of_tau if quantity == TAU else known)
        bayes = table.loc[quantity]
        difference = float((estimate - bayes["mean"]) / bayes["sd"])
        close = abs(difference) <= SD_BOUND
        excused = bool(reasons) and (abs(difference) <= SD_LIMIT or quantity in decided)
        reason = "" if close else reasons
        rows.append(
            (between, quantity, bayes["mean"], estimate, difference, "posterior sd", SD_BOUND,
             bool(close or excused), reason)
        )  # fmt: skip
    return rows


def _decided(quantity: str, estimate: float, before: xr.Dataset) -> str:
    """Say that a prior holds an estimate to be improbable, as its central 95 % tell; else nothing."""
    if quantity not in before:
        return ""
    low, high = before[quantity].quantile([(1 - PROB) / 2, (1 + PROB) / 2]).values
    if low <= estimate <= high or (quantity == TAU and estimate < high):  # small tau is never ruled out
        return ""
    return (
        f"the prior for {quantity} decides: it expects {low:.3g} to {high:.3g}, and the data alone would say "
        f"{estimate:.3g}"
    )


def _reasons(other: pd.Series, prior_range: float) -> list[str]:
    """Why a Bayesian and a frequentist answer may rightly differ here."""
    reasons = []
    if other["corrected"]:
        reasons.append(
            f"0.5 was added to both cells of {other['corrected']} "
            f"{'study' if other['corrected'] == 1 else 'studies'} where none or all had the event, which "
            f"pulls the log odds towards 0; the exact likelihood needs no correction"
        )
    if other["tau2_lowest"] <= 0:
        reasons.append(
            "the estimate of tau² lies on its boundary 0, where the posterior keeps its uncertainty"
        )
    if other["k"] < FEW:
        reasons.append(f"with {other['k']} studies one estimate of tau² says little")
    if prior_range > SD_BOUND:
        reasons.append(f"the prior matters: mu moves by {prior_range:.1f} posterior sd over the prior sets")
    return reasons
