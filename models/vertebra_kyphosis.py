r"""post_v - pre_v ~ Normal(d_v, √2 tau_reading),  d_v ~ StudentT(nu, change + shift_r + u_i, tau_vertebra).

Kyphotic angles of vertebrae v in regions r of patients i, before and after treatment, and the patients'
pain. An angle is read with an error of standard deviation tau_reading each time. The true angle before is
Normal(level_r + a_i, tau_angle); patients' effects a_i and u_i are normal, with standard deviations
tau_patient_angle and tau_patient. A vertebra's own change has Student's t, so that one that changes unlike
the others, such as from 9 to 23 degrees, moves the mean by little; nu > 2, or there would be no correlation.
The shifts of the regions have the mean 0 over the vertebrae at hand: `change` is that of the mean vertebra of
a typical patient. Kyphosis is positive: a fall is a correction.

All of this is normal once the weights of t are given: d_v ~ Normal(expected_v, tau_vertebra / √weight_v),
weight_v ~ Gamma(nu / 2, nu / 2). The true angles before are integrated out. The centred form has the changes
d and then the readings given d, as above. The other has the same joint density in another order: readings
first, then d given them, as what is left to learn of a change once it is read. That hardly depends on how
change and error share their variance, which the data cannot tell, so that NUTS moves freely.

Scores are whole numbers from 0 to 10, BetaBinomial(10, p, rho); D_i is the mean of d over the patient's
vertebrae:

    before_i:  logit p = start + slope_start D_i,
    after_i:   logit p = treated + slope_pain (before_i - mean) + slope_angle D_i.

slope_start says whether those who hurt more before had more of their angle corrected, or less; no cause is
meant. What people read: change, shift, true_change (d), patient_change (D), slope_angle (per degree, at equal
pain before), weight (far below 1: unlike the others), nu, and the tau.
"""

from typing import Any

import pymc as pm
from pymc.logprob.transforms import Transform
from pytensor import tensor

from kyphobayes.evidence.vertebrae import TOP, VertebraAngles
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of(
    "default",
    level="Normal(mu=8, sigma=8)",
    tau_angle="HalfNormal(sigma=8)",
    tau_patient_angle="HalfNormal(sigma=5)",
    tau_reading="LogNormal(mu=0.4, sigma=0.4)",
    change="Normal(mu=0, sigma=5)",
    tau_region="HalfNormal(sigma=2)",
    tau_patient="HalfNormal(sigma=3)",
    tau_vertebra="HalfNormal(sigma=5)",
    nu="Truncated(Gamma(alpha=2, beta=0.1), lower=2)",
    start="Normal(mu=1, sigma=1)",
    slope_start="Normal(mu=0, sigma=0.2)",
    treated="Normal(mu=-1, sigma=1.5)",
    slope_pain="Normal(mu=0, sigma=0.3)",
    slope_angle="Normal(mu=0, sigma=0.2)",
    rho="Truncated(Exponential(lam=10), upper=1)",
)
pt: Any = tensor  # which declares its functions without a result


def build(evidence: VertebraAngles, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between the effects themselves and their standard forms."""
    patient, region, seen = evidence.patient, evidence.region, evidence.read_after
    with pm.Model(coords=evidence.coords) as model:
        level = priors["level"].to_pymc("level", dims="region")
        of_angle = _effect("patient_angle", "tau_patient_angle", "patient", priors, centred)
        centre = level[region] + of_angle[patient]
        angle = priors["tau_angle"].to_pymc("tau_angle") ** 2
        reading = priors["tau_reading"].to_pymc("tau_reading") ** 2

        change = priors["change"].to_pymc("change")
        of_region = _effect("of_region", "tau_region", "region", priors, centred)
        shift = pm.Deterministic("shift", of_region - pt.dot(evidence.mix, of_region), dims="region")
        of_patient = _effect("of_patient", "tau_patient", "patient", priors, centred)
        expected = change + shift[region] + of_patient[patient]
        nu = priors["nu"].to_pymc("nu")
        weight = pm.Gamma(
            "weight", alpha=nu / 2, beta=nu / 2, dims="vertebra", default_transform=Standardised()
        )  # fmt: skip
        own = priors["tau_vertebra"].to_pymc("tau_vertebra") ** 2 / weight

        read = evidence.read_before
        pre: Any = pm.Normal(
            "pre", centre[read], pt.sqrt(angle + reading), observed=evidence.before[read], dims="read_before"
        )
        share = evidence.paired * (angle / (angle + reading))  # of what a reading before is off its centre
        foreseen = centre[seen] + share * (pre[evidence.partner] - centre[seen])
        error = angle * (1 - share) + reading
        if centred:
            true: Any = pm.Normal("true_change", expected, pt.sqrt(own), dims="vertebra")
            _reading_after(foreseen + true[seen], pt.sqrt(error), evidence)
        else:
            foreseen += expected[seen]
            post = _reading_after(foreseen, pt.sqrt(own[seen] + error), evidence)
            gain = own[seen] / (own[seen] + error)  # of the surprise, what is change and not error
            learned = pt.set_subtensor(pt.zeros(evidence.k)[seen], gain * (post - foreseen))
            left = pt.sqrt(pt.set_subtensor(own[seen], own[seen] * (1 - gain)))
            unit = pm.Normal("z_true_change", dims="vertebra")
            true = pm.Deterministic("true_change", expected + learned + left * unit, dims="vertebra")
        mean = pm.Deterministic("patient_change", pt.dot(evidence.averaging, true), dims="patient")

        start = priors["start"].to_pymc("start")
        slope_start = priors["slope_start"].to_pymc("slope_start")
        treated = priors["treated"].to_pymc("treated")
        slope_pain = priors["slope_pain"].to_pymc("slope_pain")
        slope_angle = priors["slope_angle"].to_pymc("slope_angle")
        rho = priors["rho"].to_pymc("rho", dims="time")
        scores = evidence.scores.astype(int)
        before = _score("before", start + slope_start * mean, rho[0], scores[:, 0])
        odds = treated + slope_pain * (before - evidence.mean_before) + slope_angle * mean
        _score("after", odds, rho[1], scores[:, 1])
    return model


def _effect(name: str, tau: str, dim: str, priors: Priors, centred: bool) -> Any:
    """Normal effects around 0 with a standard deviation called `tau`."""
    scale = priors[tau].to_pymc(tau)
    if centred:
        return pm.Normal(name, 0, scale, dims=dim)
    return pm.Deterministic(name, scale * pm.Normal(f"z_{name}", dims=dim), dims=dim)


def _reading_after(mean: Any, sigma: Any, evidence: VertebraAngles) -> Any:
    return pm.Normal("post", mean, sigma, observed=evidence.after[evidence.read_after], dims="read_after")


def _score(name: str, log_odds: Any, rho: Any, observed: Any) -> Any:
    """Whole scores whose mean share of the highest has these log odds."""
    size = (1 - rho) / rho
    alpha, beta = pm.math.sigmoid(log_odds) * size, pm.math.sigmoid(-log_odds) * size
    return pm.BetaBinomial(name, n=TOP, alpha=alpha, beta=beta, observed=observed, dims="patient")


class Standardised(Transform):
    """Log of a gamma variable, less about its mean and over about its standard deviation.

    NUTS then walks a density close to a standard normal, whatever the shape of the gamma is. The mean and
    standard deviation are approximate (the first terms for a large shape); the Jacobian is not.
    """

    name = "standardised"

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Walk from the gamma variable to what NUTS sees."""
        middle, scale = self._place(inputs)
        return (pt.log(value) - middle) / scale

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Walk back."""
        middle, scale = self._place(inputs)
        return pt.exp(middle + scale * value)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Log of the derivative of `backward`."""
        middle, scale = self._place(inputs)
        return pt.log(scale) + middle + scale * value

    def _place(self, inputs: Any) -> tuple[Any, Any]:
        shape, unit = inputs[-2:]  # PyMC's gamma has 1 / beta as its second parameter
        return pt.log(shape * unit) - 1 / (2 * shape), pt.sqrt(1 / shape + 1 / (2 * shape**2))


if __name__ == "__main__":
    run_model(__file__)
