r"""y_i ~ Normal(theta_i, se_i),  theta_i ~ Normal(mu, tau).

The normal-normal model of k estimates with standard errors that are taken as known: the random-effects
model of the meta-analysis textbooks, with the full uncertainty in tau in place of one estimate of it.

What people read: mu, the effect in a typical study; tau, how much studies differ; theta, the effects of
the studies at hand; theta_new, that of the next one.
"""

import pymc as pm

from kyphobayes import exact
from kyphobayes.evidence import Contrasts
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of("default", mu="Normal(mu=0, sigma=10)", tau="HalfNormal(sigma=1)")


def build(evidence: Contrasts, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between theta itself and (theta - mu) / tau as free variable."""
    with pm.Model(coords=evidence.coords) as model:
        mu = priors["mu"].to_pymc("mu")
        tau = priors["tau"].to_pymc("tau")

        if centred:
            theta = pm.Normal("theta", mu, tau, dims="study")
            pm.Normal("theta_new", mu, tau)
        else:
            theta = pm.Deterministic("theta", mu + tau * pm.Normal("z", dims="study"), dims="study")
            pm.Deterministic("theta_new", mu + tau * pm.Normal("z_new"))

        pm.Normal("y", theta, evidence.se, observed=evidence.y, dims="study")
    return model


def surface(evidence: Contrasts) -> exact.Surface:
    """The same model with theta integrated out, as a function of mu and tau."""
    return exact.normal(evidence.y, evidence.se, labels=evidence.labels)


if __name__ == "__main__":
    run_model(__file__)
