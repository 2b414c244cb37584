r"""events_ai ~ Binomial(n_ai, p_ai),  logit(p_ai) = b_i ± theta_i / 2,  theta_i ~ Normal(mu, tau).

Two treatments in the same k studies, by the exact counts of both arms: nothing is added to an empty cell,
and a study without events in either arm stays in. theta_i is the log odds ratio of arm 1 to arm 2 in
study i. Its baseline b_i is the mean of the two log odds, so that the prior of a study without an event
favours neither arm. It is free, with the prior named `baseline` for every study by itself; or, where
`tau_baseline` has a prior, the studies' baselines are alike as far as the data say,

    b_i ~ Normal(mu_baseline, tau_baseline),

and `baseline` is the prior of their mean. What people read: mu, the log odds ratio in a typical centre;
theta_new, in the next; and with exchangeable baselines the rates that go with them.
"""

from typing import Any

import pymc as pm

from kyphobayes import exact
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import TwoArms
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of(
    "default",
    mu="Normal(mu=0, sigma=1.5)",
    tau="HalfNormal(sigma=0.5)",
    baseline="Normal(mu=-2, sigma=1.2)",
)


def build(evidence: TwoArms, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between the effects themselves and their standardised forms."""
    with pm.Model(coords=evidence.coords) as model:
        mu = priors["mu"].to_pymc("mu")
        tau = priors["tau"].to_pymc("tau")

        if centred:
            theta: Any = pm.Normal("theta", mu, tau, dims="study")
            pm.Normal("theta_new", mu, tau)
        else:
            theta = pm.Deterministic("theta", mu + tau * pm.Normal("z", dims="study"), dims="study")
            pm.Deterministic("theta_new", mu + tau * pm.Normal("z_new"))

        if "tau_baseline" in priors:
            middle = priors["baseline"].to_pymc("mu_baseline")
            spread = priors["tau_baseline"].to_pymc("tau_baseline")
            if centred:
                baseline = pm.Normal("baseline", middle, spread, dims="study")
                pm.Normal("baseline_new", middle, spread)
            else:
                step = pm.Normal("z_baseline", dims="study")
                baseline = pm.Deterministic("baseline", middle + spread * step, dims="study")
                pm.Deterministic("baseline_new", middle + spread * pm.Normal("z_baseline_new"))
        else:
            baseline = priors["baseline"].to_pymc("baseline", dims="study")

        for arm, n, events, log_odds in (
            ("1", evidence.n_1, evidence.events_1, baseline + theta / 2),
            ("2", evidence.n_2, evidence.events_2, baseline - theta / 2),
        ):
            pm.Binomial(
                f"events_{arm}", n=n.astype(int), logit_p=log_odds, observed=events.astype(int), dims="study"
            )
    return model


def surface(evidence: TwoArms, priors: Priors = PRIORS) -> exact.Surface:
    """The same model with theta and free baselines integrated out, as a function of mu and tau."""
    if "tau_baseline" in priors:
        raise EvidenceError("models/arm_comparison.py: with exchangeable baselines there is no surface")
    return exact.two_arms(*evidence.counts, baseline=priors["baseline"], labels=evidence.labels)


if __name__ == "__main__":
    run_model(__file__)
