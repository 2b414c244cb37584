"""How far apart we are from bayesmeta and metafor on everything of them that the tests keep.

`tests/reference` says what was left out of these comparisons, and why.
"""

import json

import pandas as pd

from benchmarks.peers.sets import REFERENCE
from kyphobayes import exact
from kyphobayes.frequentist import pool
from kyphobayes.priors import Prior

# bayesmeta's priors for tau whose moments exist, and ours.
PRIORS = {
    "halfnormal_0.5": "HalfNormal(sigma=0.5)",
    "halfnormal_1": "HalfNormal(sigma=1)",
    "halft_df4_scale0.6": "HalfStudentT(nu=4, sigma=0.6)",
    "exponential_rate2": "Exponential(lam=2)",
    "lognormal_m1.07_s0.87": "LogNormal(mu=-1.07, sigma=0.87)",
}
METHODS = {"FE": "CE"}
TESTS = {"knha": "hksj"}
POOLED = ("mu", "se", "ci_low", "ci_high", "tau2")


def of_bayesmeta() -> pd.DataFrame:
    """Largest difference in each of mu, tau and theta_new, in posterior sds of bayesmeta."""
    cases = json.loads((REFERENCE / "bayesmeta.json").read_text("utf-8"))
    cases = {name: case for name, case in cases.items() if case["tau_prior"] in PRIORS}
    largest = dict.fromkeys(("mu", "tau", "theta_new"), 0.0)
    for case in cases.values():
        prior = case["mu_prior"]
        mu = "Flat()" if prior == "flat" else f"Normal(mu={prior['mean']}, sigma={prior['sd']})"
        post = exact.normal(case["yi"], case["sigma"]).posterior(mu, Prior.parse(PRIORS[case["tau_prior"]]))
        found = post.summary()
        for name in largest:
            for field in ("mean", "sd", "median", "low", "high"):
                apart = abs(found.loc[name, field] - case[name][field]) / case[name]["sd"]
                largest[name] = max(largest[name], apart)
    rows = [
        {
            "package": "bayesmeta 3.4",
            "quantity": name,
            "cases": len(cases),
            "largest": apart,
            "unit": "posterior sd",
        }
        for name, apart in largest.items()
    ]
    return pd.DataFrame(rows)


def of_metafor() -> pd.DataFrame:
    """Largest difference of pooled effects, their intervals and tau², in standard errors of the effect."""
    cases = json.loads((REFERENCE / "metafor.json").read_text("utf-8"))
    largest = dict.fromkeys(POOLED, 0.0)
    fits = 0
    for case in cases.values():
        for name, expected in case["fits"].items():
            method, test = str(name).split("/")
            ours = pool(
                case["yi"], case["vi"], method=METHODS.get(method, method), test=TESTS.get(test, test)
            )
            fits += 1
            for field in POOLED:
                unit = expected["se"] ** (2 if field == "tau2" else 1)
                if expected[field] is not None and unit > 0:
                    largest[field] = max(largest[field], abs(getattr(ours, field) - expected[field]) / unit)
    rows = [
        {
            "package": "metafor 3.8-1", "quantity": name, "cases": fits, "largest": apart,
            "unit": "se²" if name == "tau2" else "se",
        }
        for name, apart in largest.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)
