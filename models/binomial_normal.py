r"""events_i ~ Binomial(n_i, p_i),  logit(p_i) = theta_i,  theta_i ~ Normal(mu, tau).

The binomial-normal model of k single-arm series: exact counts, so that a series without an event needs
no correction, and rates that differ between centres. Counts that a paper does not print are one of the
tables that agree with what it does print, and the model averages over them.

What people read: mu, the log odds in a typical centre; tau, how much centres differ; theta, the centres
at hand; theta_new, the next one.
"""

import pymc as pm

from kyphobayes import exact
from kyphobayes.evidence import Counts
from kyphobayes.latent_counts import OneOfTables
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of("default", mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")


def build(evidence: Counts, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between theta itself and (theta - mu) / tau as free variable."""
    with pm.Model(coords=evidence.coords) as model:
        mu = priors["mu"].to_pymc("mu")
        tau = priors["tau"].to_pymc("tau")

        if centred:
            theta = pm.Normal("theta", mu, tau, dims="study")
            pm.Normal("theta_new", mu, tau)
        else:
            z = pm.Normal("z", dims="study")
            theta = pm.Deterministic("theta", mu + tau * z, dims="study")
            pm.Deterministic("theta_new", mu + tau * pm.Normal("z_new"))

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


def surface(evidence: Counts) -> exact.Surface:
    """The same model with theta integrated out, as a function of mu and tau."""
    return exact.mixture(evidence.tables, evidence.n, evidence.weights, labels=evidence.labels)


if __name__ == "__main__":
    run_model(__file__)
