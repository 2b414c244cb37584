r"""events_i ~ Binomial(n_i, p_i),  logit(p_i) = theta_i,  theta_i ~ StudentT(NU, mu, tau).

The binomial-normal model with heavy tails: a centre far from the others is unlikely, but not as unlikely
as under a normal distribution, so that it pulls the typical rate and tau less. tau is the scale of the
middle: two thirds of centres lie within about 1.1 tau of mu at NU = 4.

The degrees of freedom are fixed here, because so few centres say next to nothing about them; the question
on outlying studies averages over several. What people read: mu, tau, theta, theta_new, as in
models/binomial_normal.py.
"""

import pymc as pm

from kyphobayes import exact
from kyphobayes.evidence import Counts
from kyphobayes.latent_counts import OneOfTables
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of("default", mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")
NU = 4.0  # degrees of freedom


def build(evidence: Counts, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between theta itself and (theta - mu) / tau as free variable."""
    with pm.Model(coords=evidence.coords) as model:
        mu = priors["mu"].to_pymc("mu")
        tau = priors["tau"].to_pymc("tau")

        if centred:
            theta = pm.StudentT("theta", nu=NU, mu=mu, sigma=tau, dims="study")
            pm.StudentT("theta_new", nu=NU, mu=mu, sigma=tau)
        else:
            z = pm.StudentT("z", nu=NU, dims="study")
            theta = pm.Deterministic("theta", mu + tau * z, dims="study")
            pm.Deterministic("theta_new", mu + tau * pm.StudentT("z_new", nu=NU))

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
    normal = exact.mixture(evidence.tables, evidence.n, evidence.weights, labels=evidence.labels)
    return exact.student_effects(normal, NU)


if __name__ == "__main__":
    run_model(__file__)
