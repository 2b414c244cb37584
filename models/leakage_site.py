r"""leak_v ~ Bernoulli(p_v),  logit(p_v) = mu + region_r[v] + patient_i[v],  sites ~ Multinomial(share).

Cement leaks of single vertebrae. Levels of one patient share an effect, and regions of the spine differ as
far as the data say,

    region_r ~ Normal(0, tau_region),  patient_i ~ Normal(0, tau_patient),

so that a region with one vertebra borrows nearly all from the others. Where the cement of a leak went,
to the front, into a disc or into the canal, has shares that are alike in all regions, uniform before the
data. One leak that a paper does not place lies in one of the patient's vertebrae, and the model averages
over them.

What people read: logit, the log odds of a leak by region in a typical patient; tau_patient, how much
patients differ; share, of the leaks by site. `region_effect` and `patient_effect` are the terms above.
"""

from typing import Any

import numpy as np
import pymc as pm

from kyphobayes.evidence.leakage_sites import LeakSites
from kyphobayes.latent_counts import OneOfTables
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of(
    "default",
    mu="Normal(mu=-2.5, sigma=1.5)",
    tau_region="HalfNormal(sigma=0.5)",
    tau_patient="HalfNormal(sigma=1)",
)


def build(evidence: LeakSites, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between the effects themselves and their standardised forms."""
    with pm.Model(coords=evidence.coords) as model:
        mu = priors["mu"].to_pymc("mu")
        tau_region = priors["tau_region"].to_pymc("tau_region")
        tau_patient = priors["tau_patient"].to_pymc("tau_patient")

        if centred:
            region: Any = pm.Normal("region_effect", 0, tau_region, dims="region")
            patient: Any = pm.Normal("patient_effect", 0, tau_patient, dims="patient")
        else:
            z_region, z_patient = pm.Normal("z_region", dims="region"), pm.Normal("z_patient", dims="patient")
            region = pm.Deterministic("region_effect", tau_region * z_region, dims="region")
            patient = pm.Deterministic("patient_effect", tau_patient * z_patient, dims="patient")
        logit: Any = pm.Deterministic("logit", mu + region, dims="region")
        log_odds = logit[evidence.region] + patient[evidence.patient]

        printed, latent = evidence.reported, evidence.latent
        pm.Bernoulli(
            "leak",
            logit_p=log_odds[printed],
            observed=evidence.events[printed].astype(int),
            dims="reported",
        )
        if len(latent):
            OneOfTables(
                "leak_latent",
                n=np.ones(len(latent)),
                p=pm.math.sigmoid(log_odds[latent]),
                tables=evidence.tables[:, latent],
                weights=evidence.weights,
                dims=("table", "latent"),
            )

        share = pm.Dirichlet("share", a=np.ones(len(evidence.sites)), dims="site")
        pm.Multinomial("sites", n=evidence.sites.sum(), p=share, observed=evidence.sites, dims="site")
    return model


if __name__ == "__main__":
    run_model(__file__)
