r"""score_it ~ BetaBinomial(10, p_it, rho),  logit(p_it) = theta_it,  theta_i ~ Normal(level + x_i b, R).

Pain of patients before, after and late: whole scores from 0 to 10, with many at the floor. The three
values of a patient have a correlation that may be negative, and a spread tau of their own at each time;
R is the covariance that these make.

Late scores that are not printed are missing for a reason, and are not like those that are. In a patient
who died, or whose absence is not explained, theta_late lies by delta away from what the printed scores
would let expect: a pattern-mixture model (Little 1993). The data say nothing about delta; its prior does.

What people read: start, treatment, late (the middle patient's log odds and its two shifts), tau,
correlation, slope (b), rho (how far two readings of one pain differ), share (of patients by reason), delta.

The correlation has the LKJ density with eta = 2, by its partial correlations (Lewandowski, Kurowicka
and Joe 2009).
"""

from typing import Any

import pymc as pm
from pytensor import tensor

from kyphobayes.evidence.patients import TOP, PatientPain
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

PRIORS = Priors.of(
    "default",
    start="Normal(mu=1, sigma=1)",
    treatment="Normal(mu=0, sigma=2.5)",
    late="Normal(mu=0, sigma=1.5)",
    tau="HalfNormal(sigma=1.5)",
    tau_slope="HalfNormal(sigma=0.5)",
    rho="Truncated(Exponential(lam=10), upper=1)",
    delta_death="Normal(mu=1, sigma=1)",
    delta_unexplained="Normal(mu=0, sigma=1)",
)
ETA = 2.0
pt: Any = tensor  # which declares its functions without a result


def build(evidence: PatientPain, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between theta itself and its standard form as free variable."""
    with pm.Model(coords=evidence.coords) as model:
        start = priors["start"].to_pymc("start")
        treatment = priors["treatment"].to_pymc("treatment")
        late = priors["late"].to_pymc("late")
        steps = pt.stack([start, start + treatment, start + treatment + late])
        level = pm.Deterministic("level", steps, dims="time")
        tau = priors["tau"].to_pymc("tau", dims="time")
        tau_slope = priors["tau_slope"].to_pymc("tau_slope")
        unit_slope = pm.Normal("z_slope", dims=("covariate", "time"))
        slope = pm.Deterministic("slope", tau_slope * unit_slope, dims=("covariate", "time"))
        centre = level + pt.dot(evidence.covariates, slope)

        factor = tau[:, None] * _correlation_factor()
        if centred:
            theta: Any = pm.MvNormal("theta", centre, chol=factor, dims=("patient", "time"))
        else:
            z = pm.Normal("z", dims=("patient", "time"))
            theta = pm.Deterministic("theta", centre + pt.dot(z, factor.T), dims=("patient", "time"))

        rho = priors["rho"].to_pymc("rho")
        size = (1 - rho) / rho
        seen = theta[evidence.seen]
        pm.BetaBinomial(
            "score",
            n=TOP,
            alpha=pm.math.sigmoid(seen) * size,
            beta=pm.math.sigmoid(-seen) * size,
            observed=evidence.scores[evidence.seen].astype(int),
            dims="reading",
        )

        share = pm.Dirichlet("share", a=[1.0, 1.0, 1.0], dims="reason")
        pm.Multinomial("patterns", n=len(evidence.labels), p=share, observed=evidence.patterns, dims="reason")
        priors["delta_death"].to_pymc("delta_death")
        priors["delta_unexplained"].to_pymc("delta_unexplained")
    return model


def _correlation_factor() -> Any:
    """Cholesky factor of the correlation of three times, from two correlations and a partial one."""
    first: Any = 2 * pm.Beta("half_first", ETA + 0.5, ETA + 0.5, shape=2) - 1
    partial: Any = 2 * pm.Beta("half_partial", ETA, ETA) - 1
    rest = pt.sqrt(1 - first**2)
    second = partial * rest[1]
    rows = [
        pt.stack([1.0, 0.0, 0.0]),
        pt.stack([first[0], rest[0], 0.0]),
        pt.stack([first[1], second, rest[1] * pt.sqrt(1 - partial**2)]),
    ]
    found = pt.stack([first[0], first[1], first[0] * first[1] + rest[0] * second])
    pm.Deterministic("correlation", found, dims="pair")
    return pt.stack(rows)


if __name__ == "__main__":
    run_model(__file__)
