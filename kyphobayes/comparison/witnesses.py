"""Beside the model: frequentist answers to the same counts, one study by itself, and the checks."""

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from kyphobayes.checks import Check
from kyphobayes.checks.features import COLUMNS, extremes, tail
from kyphobayes.checks.sampled import known, sampled
from kyphobayes.comparison.numbers import PER
from kyphobayes.errors import InputError
from kyphobayes.evidence import TwoArms
from kyphobayes.exact import Density, Posterior
from kyphobayes.exact.two_shares import TwoShares
from kyphobayes.frequentist import glmm_or, mantel_haenszel, peto
from kyphobayes.names import AGGREGATE, EVENTS_1, EVENTS_2, MU, PROB

_ODDS = "odds ratio"
_DIFFERENCE = f"difference per {PER}"


def frequentist(evidence: TwoArms, posterior: Posterior) -> pd.DataFrame:
    """Mantel-Haenszel, Peto, and the mixed models conditional on margins and with free baselines.

    Returns
    -------
    DataFrame
        Index method; columns scale ("odds ratio" or "difference per 100"), estimate, low, high, p_value,
        k (studies that say something by this method), apart (distance of the log odds ratio from the
        posterior mean of mu, in posterior sd; NaN for a difference) and remark. Where a method has no
        answer, numbers are NaN and the remark says why.
    """
    counts = evidence.counts
    silent = int(
        ((counts[0] + counts[2]) == 0).sum() + ((counts[0] + counts[2]) == counts[1] + counts[3]).sum()
    )
    methods = {
        "Mantel–Haenszel, odds ratio": lambda: mantel_haenszel(*counts),
        "Peto": lambda: peto(*counts),
        "CM.EL (exact conditional, random effects)": lambda: glmm_or(*counts, model="CM.EL"),
        "UM.FS (free baselines, random effects)": lambda: glmm_or(*counts, model="UM.FS"),
        "Mantel–Haenszel, risk difference": lambda: mantel_haenszel(*counts, measure="RD"),
    }
    rows = {}
    for name, ask in methods.items():
        difference = name.endswith("risk difference")
        row = {"scale": _DIFFERENCE if difference else _ODDS, "k": evidence.k - (0 if difference else silent)}
        try:
            found = ask()
        except InputError as problem:  # a method without an answer is a result, not a failure
            rows[name] = row | {"remark": str(problem)}
            continue
        ends = np.array([found.mu, found.ci_low, found.ci_high])
        ends = PER * ends if difference else np.exp(ends)
        apart = np.nan if difference else (found.mu - posterior.mu.mean) / posterior.mu.sd
        rows[name] = row | {
            **dict(zip(("estimate", "low", "high"), map(float, ends), strict=True)),
            "p_value": found.p_value,
            "apart": float(apart),
            "remark": "",
        }
    columns = ["scale", "estimate", "low", "high", "p_value", "k", "apart", "remark"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")


def one_study(evidence: TwoArms, label: str, effect: Density) -> pd.DataFrame:
    """One comparison of one study: the posterior of the difference under three priors, and Fisher's test.

    Parameters
    ----------
    evidence : TwoArms
    label : str
        Of the study.
    effect : Density
        Its log odds ratio by the model with nothing learned from the others.

    Returns
    -------
    DataFrame
        Index prior; columns p_fewer, share_1_high (97.5 % quantile of arm 1), difference (mean per 100) with
        its interval, odds_ratio with its interval in the last row, and fisher, the two-sided p-value.
    """
    place = evidence.labels.index(label)
    y1, n1, y2, n2 = (int(values[place]) for values in evidence.counts)
    fisher = float(stats.fisher_exact([[y1, n1 - y1], [y2, n2 - y2]]).pvalue)
    rows = {}
    for name, a in (
        ("Jeffreys, Beta(1/2, 1/2) for each arm", 0.5),
        ("uniform, Beta(1, 1) for each arm", 1.0),
    ):
        shares = TwoShares(y1, n1, y2, n2, a)
        low, high = shares.interval(PROB)
        rows[name] = {
            "p_fewer": shares.cdf(0.0),
            "share_1_high": shares.share(1, (1 + PROB) / 2),
            "difference": PER * shares.mean,
            "difference_low": PER * low,
            "difference_high": PER * high,
        }
    low, median, high = np.exp(effect.quantile([(1 - PROB) / 2, 0.5, (1 + PROB) / 2]))
    rows["the model's, this study alone"] = {
        "p_fewer": float(effect.cdf(0.0)),
        "odds_ratio": float(median),
        "low": float(low),
        "high": float(high),
    }
    differences = ["difference", "difference_low", "difference_high"]
    columns = ["p_fewer", "share_1_high", *differences, "odds_ratio", "low", "high"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("prior")
    return table.assign(fisher=fisher)


def agreement(posterior: Posterior, tree: xr.DataTree) -> Check:
    """Hold NUTS on the model with free baselines to the exact posterior of the same.

    Of tau and theta_new only the interval: under a heavy-tailed prior of tau their means need not exist.
    """
    drawn = tree["posterior"].dataset
    exact = {name: known(posterior.marginal(name), mean=name == MU) for name in AGGREGATE}
    return sampled(exact, {name: drawn[name].values for name in exact}, "free baselines, exact against NUTS")


def predictive(tree: xr.DataTree, evidence: TwoArms) -> Check:
    """Compare replicated with observed counts, by arm and by features of the whole comparison.

    Notes
    -----
    p is the mid-p-value P(replicated > observed) + P(equal) / 2.
    """
    table = replicates(tree, evidence, "posterior_predictive")
    extreme = extremes(table)
    if extreme.empty:
        return Check("posterior predictive", True, "replicated counts look like the observed", table)
    text = f"replicated counts do not look like the observed: {', '.join(extreme.index)}"
    return Check("posterior predictive", False, text, table)


def replicates(tree: xr.DataTree, evidence: TwoArms, group: str) -> pd.DataFrame:
    """Counts that a group of a fit, `prior_predictive` or `posterior_predictive`, holds, and those observed.

    Returns
    -------
    DataFrame
        Columns observed, replicated (their mean), low, high and p.
    """
    drawn = tree[group].dataset.stack(sample=("chain", "draw")).transpose("sample", "study")
    replicated = [drawn[name].values for name in (EVENTS_1, EVENTS_2)]
    observed = [evidence.events_1, evidence.events_2]
    rows = {}
    for arm, new, seen in zip(evidence.arms, replicated, observed, strict=True):
        for place, label in enumerate(evidence.labels):
            rows[f"{label}, {arm}"] = tail(new[:, place], seen[place])
        rows[f"all events, {arm}"] = tail(new.sum(axis=1), seen.sum())
    empty = sum(y == 0 for y in observed)
    # `sum` of arrays is an array, not the 0 it starts from
    rows["arms without an event"] = tail(sum((y == 0).sum(axis=1) for y in replicated), empty.sum())  # pyright: ignore
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("quantity")
