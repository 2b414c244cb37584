r"""events_i ~ Binomial(n_i, p_i),  logit(p_i) = theta_i,  theta_i ~ 0.9 N(mu, tau) + 0.1 N(mu, 4 tau).

The binomial-normal model with outlying centres (Tukey's contaminated normal): most centres lie within tau
of mu, and a SHARE of them RATIO times as far. Which ones is not told beforehand; the data say how probable
it is of each.

Share and ratio are fixed here, because so few centres say next to nothing about them; the question on
outlying studies averages over several. What people read: mu, tau (of the centres that are not outlying),
theta, theta_new, as in models/binomial_normal.py.
"""

import pymc as pm

from kyphobayes import exact
from kyphobayes.evidence import Counts
from kyphobayes.latent_counts import OneOfTables
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of("default", mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")
SHARE, RATIO = 0.1, 4.0  # of outlying centres, and how many times as far from mu they lie


def build(evidence: Counts, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between theta itself and (theta - mu) / tau as free variable."""
    with pm.Model(coords=evidence.coords) as model:
        mu = priors["mu"].to_pymc("mu")
        tau = priors["tau"].to_pymc("tau")

        shares = [1 - SHARE, SHARE]
        if centred:
            spreads = pm.math.stack([tau, RATIO * tau])
            theta = pm.NormalMixture("theta", w=shares, mu=mu, sigma=spreads, dims="study")
            pm.NormalMixture("theta_new", w=shares, mu=mu, sigma=spreads)
        else:
            z = pm.NormalMixture("z", w=shares, mu=0, sigma=[1, RATIO], dims="study")
            z_new = pm.NormalMixture("z_new", w=shares, mu=0, sigma=[1, RATIO])
            theta = pm.Deterministic("theta", mu + tau * z, dims="study")
            pm.Deterministic("theta_new", mu + tau * z_new)

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
    return exact.outlying_effects(normal, SHARE, RATIO)


if __name__ == "__main__":
    run_model(__file__)
