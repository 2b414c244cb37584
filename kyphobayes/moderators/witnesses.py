"""Beside the exact posterior at two levels: frequentist regressions, NUTS, another quadrature, replicates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from kyphobayes.checks import Check
from kyphobayes.checks.features import Feature, replicated
from kyphobayes.checks.sampled import known
from kyphobayes.checks.sampled import sampled as against_draws
from kyphobayes.checks.witnessed import witnessed
from kyphobayes.effects import effect_size
from kyphobayes.errors import InputError
from kyphobayes.evidence.covariates import GROUP
from kyphobayes.evidence.moderations import Moderation
from kyphobayes.exact import Posterior, meta_regression
from kyphobayes.frequentist import glmm_proportion, regress
from kyphobayes.moderators.levels import BETA, TwoLevels
from kyphobayes.moderators.numbers import Q, spread_out
from kyphobayes.names import MU, PLO, TAU

KNAPP_HARTUNG = "log odds, REML, Knapp–Hartung"
EXACT_COUNTS = "exact likelihood of the counts within each level (GLMM), Wald"
PRINTED = "pooled rates as the review prints them"
_REPLICATES = 4000
_SAME = 1e-5  # of probabilities and log Bayes factors by two ways of integrating


def frequentist(one: Moderation) -> pd.DataFrame:
    """Odds ratio of the first level to the second by methods without priors.

    Returns
    -------
    DataFrame
        Index method; estimate, low, high (odds ratios; averaged over the tables on the log scale, where
        counts are latent), lowest and highest estimate over the tables, p_value, tau, r2 (percent),
        corrected (studies that had 0.5 added in any table) and remark: why there is no answer.
    """
    rows = {KNAPP_HARTUNG: _regression(one), EXACT_COUNTS: _within(one)}
    if one.printed:
        first, second = special.logit(one.printed)
        rows[PRINTED] = {"estimate": float(np.exp(first - second)), "remark": "no interval is printed"}
    columns = ["estimate", "low", "high", "lowest", "highest", "p_value", "tau", "r2", "corrected", "remark"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")


def _regression(one: Moderation) -> dict[str, object]:
    evidence = one.evidence
    n = np.broadcast_to(evidence.n, evidence.tables.shape)
    sizes = effect_size(PLO, {"events": evidence.tables, "n": n})
    try:
        fits = [regress(y, v, evidence.x, names=[BETA]) for y, v in zip(sizes.y, sizes.v, strict=True)]
    except InputError as problem:
        return {"remark": str(problem)}
    beta, low, high = (
        np.array([getattr(fit, name)[1] for fit in fits]) for name in ("beta", "ci_low", "ci_high")
    )
    empty = (evidence.tables == 0) | (evidence.tables == evidence.n)
    w = evidence.weights
    return {
        "estimate": float(np.exp(w @ beta)), "low": float(np.exp(w @ low)), "high": float(np.exp(w @ high)),
        "lowest": float(np.exp(beta.min())), "highest": float(np.exp(beta.max())),
        "p_value": float(w @ [fit.p_value[1] for fit in fits]),
        "tau": float(w @ np.sqrt([fit.tau2 for fit in fits])),
        "r2": float(w @ [fit.r2 for fit in fits]),
        "corrected": int(empty.any(axis=0).sum()), "remark": "",
    }  # fmt: skip


def _within(one: Moderation) -> dict[str, object]:
    """Pool each level by the likelihood of its counts; a level without an event has no maximum."""
    evidence, found = one.evidence, []
    for level, x in zip(one.levels, (0.5, -0.5), strict=True):
        here = evidence.x == x
        try:
            found.append(
                glmm_proportion(evidence.tables[:, here], evidence.n[here], weights=evidence.weights)
            )
        except InputError as problem:
            return {"remark": f"{level}: {problem}"}
    apart, error = found[0].mu - found[1].mu, float(np.hypot(found[0].se, found[1].se))
    z = special.ndtri(1 - (1 - 0.95) / 2)
    remark = "each level has a tau of its own"
    if (np.abs(evidence.x) < 0.5).any():
        remark += "; studies between the levels play no part"
    return {
        "estimate": float(np.exp(apart)), "low": float(np.exp(apart - z * error)),
        "high": float(np.exp(apart + z * error)), "p_value": float(2 * special.ndtr(-abs(apart) / error)),
        "corrected": 0, "remark": remark,
    }  # fmt: skip


def frequentist_check(
    compared: Sequence[Moderation],
    methods: Mapping[str, pd.DataFrame],
    found: Mapping[str, Mapping[str, TwoLevels]],
) -> Check:
    """Hold every log odds ratio to the regression by Knapp and Hartung, or say that there is none.

    Parameters
    ----------
    compared : sequence of Moderation
    methods : mapping of str to DataFrame
        By name of the comparison, from `frequentist`.
    found : mapping of str to mapping of str to TwoLevels
        By name of the comparison and of the prior set, the main set first.
    """
    tables, without, failed, excused = {}, [], [], []
    for one in compared:
        row: Any = methods[one.name].loc[KNAPP_HARTUNG]
        main, *_ = found[one.name].values()
        if row["remark"]:
            without.append(one.name)
            continue
        medians = [float(posterior.beta.quantile(0.5)) for posterior in found[one.name].values()]
        reasons = [f"0.5 is added to {row['corrected']:.0f} studies without an event, which the exact "
                   f"likelihood needs not"] if row["corrected"] else []  # fmt: skip
        check = witnessed(
            "log odds ratio", spread_out(main.beta), float(np.log(row["estimate"])),
            (float(np.log(row["low"])), float(np.log(row["high"]))), "regression by Knapp and Hartung",
            prior_range=float(np.ptp(medians) / main.beta.sd), expected="; ".join(reasons),
        )  # fmt: skip
        tables[one.name] = check.table
        told = f"{one.name.replace('_', ' ')}: {check.text}"
        if not check.passed:
            failed.append(told)
        elif "; " in check.text:  # apart for a reason that is known
            excused.append(told)
    table = pd.concat(tables, names=["comparison"]) if tables else pd.DataFrame()
    close = len(tables) - len(failed) - len(excused)
    text = "; ".join(
        [*failed, f"{close} log odds ratios agree with the regression by Knapp and Hartung", *excused]
    )
    if without:
        text += f"; too few studies for a regression: {', '.join(without).replace('_', ' ')}"
    return Check("frequentist", not failed, text, table)


def two_integrals(
    compared: Sequence[Moderation],
    found: Mapping[str, TwoLevels],
    alone: Mapping[str, Posterior],
    other: str,
) -> Check:
    """Hold the exact posterior to other integrals of the same model.

    The Bayes factor by the density ratio at beta = 0 must be the ratio of marginal likelihoods, of which
    one comes from the engine without covariates. For the comparison named `other`, quantiles of beta and
    tau come from `exact.meta_regression` too.
    """
    rows = []
    for one in compared:
        here = found[one.name]
        ratio = here.log_marginal_likelihood - alone[one.name].log_marginal_likelihood
        rows.append((one.name, "log Bayes factor", here.log_bayes_factor, ratio))
        if one.name != other:
            continue
        priors = {"intercept": here.priors[MU], BETA: here.priors[BETA]}
        again = meta_regression(here.surface, {BETA: here.x}, beta=priors, tau=here.priors[TAU]).posterior(
            [0, 1]
        )
        for name, ours, theirs in ((BETA, here.beta, again.mu), (TAU, here.tau, again.tau)):
            for q in Q:
                place = float(ours.quantile(q))
                rows.append((one.name, f"P({name} ≤ {place:.3f})", float(q), float(theirs.cdf(place))))
    table = pd.DataFrame(rows, columns=["comparison", "quantity", "left", "right"])
    table["difference"] = (table["left"] - table["right"]).abs()
    worst = float(table["difference"].max())
    passed = worst <= _SAME
    text = f"{len(table)} quantities by two ways of integrating differ by at most {worst:.1g}"
    return Check("two integrals", passed, text, table)


def sampled(found: TwoLevels, fit: xr.DataTree) -> Check:
    """Hold NUTS on the declared model to the exact posterior, in Monte Carlo standard errors."""
    posterior = fit["posterior"].dataset
    draws = {name: posterior[name].values for name in (MU, BETA, TAU)}
    densities = {MU: found.mu, BETA: found.beta, TAU: found.tau}
    for place, density in enumerate((found.first, found.second)):
        values = posterior["level"].isel({GROUP: place})
        name = f"level, {values.coords[GROUP].item()}"
        draws[name], densities[name] = values.values, density
    return against_draws({name: known(d) for name, d in densities.items()}, draws, "exact against NUTS")


def predictive(compared: Sequence[Moderation], found: Mapping[str, TwoLevels], seed: int) -> Check:
    """Replicate all studies as new centres of their level, and compare features with the observed.

    Where counts are latent, a feature's observed value is its mean over the tables.
    """
    features = []
    for place, one in enumerate(compared):
        rng = np.random.default_rng([seed, 8, place])
        evidence = one.evidence
        first, second, tau = found[one.name].draw(_REPLICATES, rng)
        centre = np.outer(first, 0.5 + evidence.x) + np.outer(second, 0.5 - evidence.x)
        theta = centre + tau[:, None] * rng.standard_normal(centre.shape)
        new = rng.binomial(evidence.n.astype(int), special.expit(theta))
        what = one.name.replace("_", " ")
        for level, x in zip(one.levels, (0.5, -0.5), strict=True):
            here = evidence.x == x
            for name, read in {
                "events": lambda y, here=here: y[:, here].sum(axis=1),
                "centres without an event": lambda y, here=here: (y[:, here] == 0).sum(axis=1),
                "highest rate": lambda y, here=here, n=evidence.n: (y / n)[:, here].max(axis=1),
            }.items():
                observed = float(evidence.weights @ read(evidence.tables))
                features.append(Feature(f"{name}, {level} ({what})", observed, read(new)))
    return replicated(features, "centres")
