r"""leaks_i ~ Binomial(n_i, p_i),  fractures_i ~ Binomial(m_i, q_i),  (logit p_i, logit q_i) ~ Normal(mu, T).

Two outcomes of the same centres: every study has a log odds of a leak (per level) and one of a new fracture
(per patient), and the two are normal together, with standard deviations tau_leak and tau_fracture and the
correlation rho between studies:

    theta_leak_i     = mu_leak + tau_leak u_i
    theta_fracture_i = mu_fracture + tau_fracture (rho u_i + sqrt(1 - rho^2) v_i),   u_i, v_i ~ Normal(0, 1).

This is the bivariate random-effects model (van Houwelingen, Arends and Stijnen 2002) with exact binomial
likelihoods. A study that counted one outcome has an effect for the other too, which only its own correlation
with the first informs. Counts that are not printed are one of the tables that agree with what is; the two
lists of tables are independent, because no printed figure is about both outcomes.

What people read: mu_leak and mu_fracture (typical centre), rho, and theta_leak_new and theta_fracture_new
(the next centre).
"""

from typing import Any

import pymc as pm

from kyphobayes.evidence import JointCounts
from kyphobayes.latent_counts import OneOfTables
from kyphobayes.model import run_model
from kyphobayes.names import LATENT, REPORTED, TABLE
from kyphobayes.priors import Priors

PRIORS = Priors.of(
    "default",
    mu_leak="Normal(mu=-2.5, sigma=1.5)",
    tau_leak="HalfNormal(sigma=1)",
    mu_fracture="Normal(mu=-2.5, sigma=1.5)",
    tau_fracture="HalfNormal(sigma=1)",
    rho="Uniform(lower=-1, upper=1)",
)


def build(evidence: JointCounts, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between the effects themselves and their standardised forms."""
    with pm.Model(coords=evidence.coords) as model:
        mu_leak = priors["mu_leak"].to_pymc("mu_leak")
        tau_leak = priors["tau_leak"].to_pymc("tau_leak")
        mu_fracture = priors["mu_fracture"].to_pymc("mu_fracture")
        tau_fracture = priors["tau_fracture"].to_pymc("tau_fracture")
        rho = priors["rho"].to_pymc("rho")
        rest = pm.math.sqrt(1 - rho**2)

        theta: dict[str, Any] = {}
        for new, dims in (("", "study"), ("_new", None)):
            leak, fracture = f"theta_leak{new}", f"theta_fracture{new}"
            if centred:
                theta[leak] = pm.Normal(leak, mu_leak, tau_leak, dims=dims)
                expected = mu_fracture + rho * tau_fracture / tau_leak * (theta[leak] - mu_leak)
                theta[fracture] = pm.Normal(fracture, expected, tau_fracture * rest, dims=dims)
            else:
                u, v = pm.Normal(f"u{new}", dims=dims), pm.Normal(f"v{new}", dims=dims)
                theta[leak] = pm.Deterministic(leak, mu_leak + tau_leak * u, dims=dims)
                step = tau_fracture * (rho * u + rest * v)
                theta[fracture] = pm.Deterministic(fracture, mu_fracture + step, dims=dims)

        effects = theta["theta_leak"], theta["theta_fracture"]
        for (name, counts, places), effect in zip(evidence.sides, effects, strict=True):
            printed, latent = counts.reported, counts.latent
            if len(printed):
                pm.Binomial(
                    name,
                    n=counts.n[printed].astype(int),
                    logit_p=effect[places[printed]],
                    observed=counts.events[printed].astype(int),
                    dims=f"{REPORTED}_{name}",
                )
            if len(latent):
                OneOfTables(
                    f"{name}_latent",
                    n=counts.n[latent],
                    p=pm.math.sigmoid(effect[places[latent]]),
                    tables=counts.tables[:, latent],
                    weights=counts.weights,
                    dims=(f"{TABLE}_{name}", f"{LATENT}_{name}"),
                )
    return model


if __name__ == "__main__":
    run_model(__file__)
