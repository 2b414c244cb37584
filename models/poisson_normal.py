r"""events_i ~ Poisson(exposure_i exp(theta_i)),  theta_i ~ Normal(mu, tau).

The Poisson-normal model of k single-arm series that were followed for different times: events per
patient-year, so that a series of two years and one of four months can be told apart from a good and a bad
one. Counts that a paper does not print are one of the tables that agree with what it does print, and the
model averages over them.

What people read: mu, the log rate in a typical centre; tau, how much centres differ; theta, the centres
at hand; theta_new, the next one.
"""

from typing import Any

import pymc as pm

from kyphobayes import exact
from kyphobayes.evidence import Rates
from kyphobayes.latent_counts import OneOfPoissonTables
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of("default", mu="Normal(mu=-2, sigma=1.5)", tau="HalfNormal(sigma=1)")


def build(evidence: Rates, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
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

        rate: Any = pm.math.exp(theta)
        expected = evidence.exposure * rate
        printed, latent = evidence.reported, evidence.latent
        if len(printed):
            pm.Poisson(
                "events",
                mu=expected[printed],
                observed=evidence.events[printed].astype(int),
                dims="reported",
            )
        if len(latent):
            OneOfPoissonTables(
                "events_latent",
                mean=expected[latent],
                tables=evidence.tables[:, latent],
                weights=evidence.weights,
                dims=("table", "latent"),
            )
    return model


def surface(evidence: Rates) -> exact.Surface:
    """The same model with theta integrated out, as a function of mu and tau."""
    return exact.poisson_mixture(evidence.tables, evidence.exposure, evidence.weights, labels=evidence.labels)


if __name__ == "__main__":
    run_model(__file__)
