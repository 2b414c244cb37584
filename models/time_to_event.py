r"""deaths_j ~ Binomial(n_j, 1 - exp(-death_rate w_j)),  fracture_i ~ Bernoulli(1 - exp(-fracture_rate t_i)).

New fractures and deaths of patients who were followed for different times, both at a constant rate per
patient-year. Follow-up is printed in whole months, so that a death is known to lie in an interval of width
w_j of the life table, and all n_j who entered an interval could have died in it: the product over intervals
is the likelihood of interval-censored survival times. It needs no time for the patient who died after 0
months.

When a fracture happened is not printed: it lies somewhere in the patient's follow-up t_i, which death or
the last visit ended. The two rates are taken to be independent of each other.

What people read: log_fracture_rate and log_death_rate, both per patient-year.
"""

from typing import Any

import pymc as pm
from pytensor import tensor

from kyphobayes.evidence import FollowUp
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of(
    "default",
    log_fracture_rate="Normal(mu=-2, sigma=1.5)",
    log_death_rate="Normal(mu=-0.5, sigma=1.5)",
)
pt: Any = tensor  # which declares its functions without a result


def build(evidence: FollowUp, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; there are no effects of patients, so `centred` changes nothing."""
    del centred
    table = evidence.life_table
    with pm.Model(coords=evidence.coords) as model:
        fracture = priors["log_fracture_rate"].to_pymc("log_fracture_rate")
        death = priors["log_death_rate"].to_pymc("log_death_rate")

        pm.Bernoulli(
            "fractures",
            logit_p=_log_odds(fracture, evidence.years),
            observed=evidence.fractured.astype(int),
            dims="patient",
        )
        pm.Binomial(
            "deaths",
            n=table["at_risk"].to_numpy(),
            logit_p=_log_odds(death, table["width"].to_numpy()),
            observed=table["deaths"].to_numpy(),
            dims="interval",
        )
    return model


def _log_odds(log_rate: Any, years: Any) -> Any:
    """Log odds of an event within so many years: 1 - exp(-h) has the odds exp(h) - 1."""
    return pt.log(pt.expm1(pt.exp(log_rate) * years))


if __name__ == "__main__":
    run_model(__file__)
