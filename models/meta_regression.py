r"""events_i ~ Binomial(n_i, p_i),  logit(p_i) = theta_i,  theta_i ~ Normal(mu + x_i beta, tau).

The binomial-normal model with one covariate of the studies. x is 1/2 at its first level and -1/2 at its
second, so that mu lies midway and beta, the log odds ratio of the first to the second, is drawn to 0 by
its own prior: a handful of studies cannot say much about it. Counts that a paper does not print are one
of the tables that agree with what it does print.

What people read: beta, and level, the log odds in a typical centre at either level; tau, how much centres
of one level differ; theta, the centres at hand; theta_new, the next one at either level.
"""

from typing import Any

import pymc as pm

from kyphobayes import exact
from kyphobayes.evidence import CovariateCounts
from kyphobayes.evidence.covariates import FIRST, SECOND
from kyphobayes.latent_counts import OneOfTables
from kyphobayes.model import run_model
from kyphobayes.moderators import without_coefficient
from kyphobayes.priors import Priors

PRIORS = Priors.of(
    "default", mu="Normal(mu=-2.5, sigma=1.5)", beta="Normal(mu=0, sigma=0.75)", tau="HalfNormal(sigma=1)"
)


def build(evidence: CovariateCounts, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between theta itself and its standard form as free variable."""
    with pm.Model(coords=evidence.coords) as model:
        mu = priors["mu"].to_pymc("mu")
        beta = priors["beta"].to_pymc("beta")
        tau = priors["tau"].to_pymc("tau")

        centre = mu + evidence.x * beta
        level = pm.Deterministic(
            "level", pm.math.stack([mu + FIRST * beta, mu + SECOND * beta]), dims="group"
        )
        if centred:
            theta: Any = pm.Normal("theta", centre, tau, dims="study")
            pm.Normal("theta_new", level, tau, dims="group")
        else:
            theta = pm.Deterministic("theta", centre + tau * pm.Normal("z", dims="study"), dims="study")
            pm.Deterministic("theta_new", level + tau * pm.Normal("z_new", dims="group"), dims="group")

        printed, latent = evidence.reported, evidence.latent
        if len(printed):
            pm.Binomial(
                "events",
                n=evidence.n[printed].astype(int),
                logit_p=theta[printed],
                observed=evidence.events[printed],
                dims="reported",
            )
        if len(latent):
            OneOfTables(
                "events_latent",
                n=evidence.n[latent],
                p=pm.math.sigmoid(theta[latent]),
                tables=evidence.tables[:, latent],
                weights=evidence.weights,
                dims=("table", "latent"),
            )
    return model


def surface(evidence: CovariateCounts, priors: Priors = PRIORS) -> exact.Surface:
    """The same model with theta and beta integrated out, as a function of mu and tau."""
    studies = exact.mixture(evidence.tables, evidence.n, evidence.weights, labels=evidence.labels)
    return without_coefficient(studies, evidence.x, priors["beta"])


if __name__ == "__main__":
    run_model(__file__)
