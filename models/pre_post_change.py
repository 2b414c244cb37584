r"""(mean before_i, mean change_i) ~ Normal2((mu_before, mu), T + S_i / n_i), T between studies, S_i patients.

Means before and after treatment of k series of n_i patients. The true level of a study before treatment
and its true change are

    before_i ~ Normal(mu_before, tau_before),  theta_i ~ Normal(mu + slope (before_i - mu_before), tau)

and are integrated out, which makes T. S_i / n_i is the error of the two printed means, from the SDs of
study i at both times and one correlation r of a patient's two values. The error of a mean before is in the
change as well, with the opposite sign: here it is part of S_i and does not pass for a slope (mathematical
coupling). A series that prints its change only enters by that.

Printed SDs are data, by the chi-square distribution of their squares; the SDs of a study lie about typical
ones, log sd_ti ~ Normal(log_sd_t, tau_sd), and an SD that is not printed is drawn from there. (Squares of
two times have the correlation r^2, which is neglected.) A correlation that can be had is data by Fisher's
z. The number of patients is a parameter, uniform between its bounds, where it is not printed.

What people read: mu, the mean change in a typical centre (below 0: a fall); theta_new, in the next centre;
mu_before; slope: 0 if all centres change by as much, -1 if all end at the same level.
"""

from typing import Any

import pymc as pm

from kyphobayes.evidence import PrePostMeans
from kyphobayes.model import run_model
from kyphobayes.priors import Priors

math: Any = pm.math  # which declares its functions without a result

PRIORS = Priors.of(
    "default",
    mu="Normal(mu=0, sigma=4)",
    tau="HalfNormal(sigma=1.5)",
    mu_before="Normal(mu=7, sigma=2)",
    tau_before="HalfNormal(sigma=1)",
    slope="Normal(mu=0, sigma=0.5)",
    fisher_z="Normal(mu=0, sigma=0.5)",
    log_sd="Normal(mu=0.5, sigma=0.7)",
    tau_sd="HalfNormal(sigma=0.5)",
)


def build(evidence: PrePostMeans, priors: Priors = PRIORS, *, centred: bool = False) -> pm.Model:
    """Declare the model; `centred` chooses between studies' values and their standard forms as free."""
    with pm.Model(coords=evidence.coords) as model:
        mu, tau = priors["mu"].to_pymc("mu"), priors["tau"].to_pymc("tau")
        middle, tau_before = (
            priors["mu_before"].to_pymc("mu_before"),
            priors["tau_before"].to_pymc("tau_before"),
        )
        slope = priors["slope"].to_pymc("slope")
        fisher_z = priors["fisher_z"].to_pymc("fisher_z")
        log_sd = priors["log_sd"].to_pymc("log_sd", dims="time")
        tau_sd = priors["tau_sd"].to_pymc("tau_sd")

        if centred:
            each: Any = pm.Normal("log_sd_study", log_sd[:, None], tau_sd, dims=("time", "study"))
            new: Any = pm.Normal("before_new", middle, tau_before)
            pm.Normal("theta_new", mu + slope * (new - middle), tau)
        else:
            z_sd = pm.Normal("z_sd", dims=("time", "study"))
            each = pm.Deterministic("log_sd_study", log_sd[:, None] + tau_sd * z_sd, dims=("time", "study"))
            new = tau_before * pm.Normal("z_before_new")
            pm.Deterministic("before_new", middle + new)
            pm.Deterministic("theta_new", mu + slope * new + tau * pm.Normal("z_new"))

        n: Any = evidence.n_least
        if len(evidence.open):
            n = n + math.dot(evidence.opening, pm.Uniform("place", 0.0, 1.0, dims="open"))
        sd, r, root = math.exp(each), math.tanh(fisher_z), math.sqrt(n)
        error = sd / root  # of the two means

        # Variances and covariance of the two printed numbers: between studies, and of their error.
        of_before = tau_before**2 + error[0] ** 2
        shared = slope * tau_before**2 + r * error[0] * error[1] - error[0] ** 2
        of_change = (
            (slope * tau_before) ** 2 + tau**2 + error[0] ** 2 + error[1] ** 2 - 2 * r * error[0] * error[1]
        )
        both, bare = evidence.both, evidence.bare
        seen: Any = pm.Normal(
            "mean_before",
            middle,
            math.sqrt(of_before[both]),
            observed=evidence.before[both],
            dims="both",
        )
        line = shared[both] / of_before[both]
        pm.Normal(
            "mean_change",
            mu + line * (seen - middle),
            math.sqrt(of_change[both] - line * shared[both]),
            observed=evidence.change[both],
            dims="both",
        )
        if len(bare):
            width = evidence.slack[bare] ** 2 / 3  # of a uniform between the printed ends
            pm.Normal(
                "bare_change",
                mu,
                math.sqrt(of_change[bare] + width),
                observed=evidence.change[bare],
                dims="bare",
            )
        time, study = evidence.spread
        degrees = (n - 1)[study] if len(evidence.open) else evidence.n_least[study] - 1
        pm.Gamma(
            "variance",
            alpha=degrees / 2,
            beta=degrees / (2 * sd[time, study] ** 2),
            observed=evidence.sd[time, study] ** 2,
            dims="spread",
        )
        if len(evidence.paired):
            pm.Normal(
                "fisher_z_seen",
                fisher_z,
                1 / math.sqrt(evidence.n_least[evidence.paired] - 3),
                observed=evidence.fisher_z,
                dims="paired",
            )
    return model


if __name__ == "__main__":
    run_model(__file__)
