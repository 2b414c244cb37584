"""R's bayesmeta 3.4 as the reference for normal studies, where we have its prior for tau.

Its grid (delta 0.01, epsilon 1e-4) is good to about 4e-3 posterior sd in mu and theta_new and to 1e-5
in tau. Where a moment does not exist, or its grid ends too early for one, the field is left out below.
"""

import json
from pathlib import Path

import pytest

from kyphobayes import exact
from kyphobayes.priors import Prior

PRIORS = {
    "halfnormal_0.5": "HalfNormal(sigma=0.5)",
    "halfnormal_1": "HalfNormal(sigma=1)",
    "halfcauchy_0.5": "HalfCauchy(beta=0.5)",
    "halft_df4_scale0.6": "HalfStudentT(nu=4, sigma=0.6)",
    "exponential_rate2": "Exponential(lam=2)",
    "lognormal_m1.07_s0.87": "LogNormal(mu=-1.07, sigma=0.87)",
    "uniform": "Flat()",
    "jeffreys": "Jeffreys()",
    "dumouchel": "DuMouchel()",
    "shrinkage": "UniformShrinkage()",
}
ALL = json.loads(Path(__file__).with_name("bayesmeta.json").read_text(encoding="utf-8"))
CASES = {name: case for name, case in ALL.items() if case["tau_prior"] in PRIORS}

# With k = 2 the likelihood falls as tau^-1 (mu flat) or tau^-2 (mu normal): under a HalfCauchy and flat mu
# the sds are infinite, under a flat prior even the mean of tau is. Under a HalfCauchy and normal mu they
# are finite, but bayesmeta's grid for theta_new ends before its tail does (3.7 % short), as for six studies
# under two flat priors (0.6 and 0.8 %): the rule in tests/unit/exact confirms ours to 1e-4 and 1e-5. The
# priors of Jeffreys and DuMouchel have tails like a HalfCauchy's, and two studies under them do the same.
LEFT_OUT = {
    "two_studies|halfcauchy_0.5|flat": {("mu", "sd"), ("tau", "sd"), ("theta_new", "sd")},
    "two_studies|uniform|normal": {
        ("tau", "mean"),
        ("tau", "sd"),
        ("theta_new", "sd"),
    },
    "two_studies|halfcauchy_0.5|normal": {("theta_new", "sd")},
    "two_studies|jeffreys|normal": {("tau", "sd"), ("theta_new", "sd")},
    "two_studies|dumouchel|normal": {("theta_new", "sd")},
    # tau^-2: its mean is infinite (bayesmeta prints none), and with it the sd of mu, whose grid it cuts off.
    "two_studies|jeffreys|flat": {("mu", "sd"), ("tau", "mean"), ("tau", "sd"), ("theta_new", "sd")},
    "bayesmeta.crins2014:OR|uniform|flat": {("mu", "sd"), ("theta_new", "sd")},
}
CHOSEN = ("halfnormal_0.5", "halft_df4_scale0.6")  # two of ten: the effects take longer
EFFECTS = {name for name, case in CASES.items() if case["tau_prior"] in CHOSEN}


def posterior(case):
    mu = case["mu_prior"]
    text = "Flat()" if mu == "flat" else f"Normal(mu={mu['mean']}, sigma={mu['sd']})"
    tau = Prior.parse(PRIORS[case["tau_prior"]]).for_studies(case["sigma"])
    return exact.normal(case["yi"], case["sigma"]).posterior(text, tau)


def wrong(post, case, name, tolerance):
    """Fields of mu, tau or theta_new that differ by more than `tolerance`, in sds (for tau, relative)."""
    expected, density = case[name], getattr(post, name)
    found = {"mean": density.mean, "sd": density.sd, "median": float(density.quantile(0.5))}
    found["low"], found["high"] = density.eti(0.95)
    # The sd in which an error is measured: that of the middle, as a heavy tail's own says little.
    unit = (expected["high"] - expected["low"]) / 4
    return {
        (name, field): (value, expected[field])
        for field, value in found.items()
        if expected[field] is None
        or abs(value - expected[field]) > tolerance * (abs(expected[field]) if name == "tau" else unit)
    }


@pytest.mark.parametrize("name", CASES)
def test_mu_and_tau(name):
    case = CASES[name]
    post = posterior(case)
    different = wrong(post, case, "mu", 5e-3) | wrong(post, case, "tau", 1e-4)
    left_out = LEFT_OUT.get(name, set())
    assert set(different) == {field for field in left_out if field[0] != "theta_new"}, different


@pytest.mark.parametrize("name", sorted(EFFECTS | set(LEFT_OUT)))
def test_theta_new(name):
    case = CASES[name]
    different = wrong(posterior(case), case, "theta_new", 5e-3)
    assert set(different) == {field for field in LEFT_OUT.get(name, set()) if field[0] == "theta_new"}, (
        different
    )


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_shrinkage(name):
    case = CASES[name]
    found = posterior(case).shrinkage()
    for study, mean, sd in zip(found.index, case["shrinkage"]["mean"], case["shrinkage"]["sd"], strict=True):
        assert found.loc[study, "mean"] == pytest.approx(mean, abs=5e-3 * sd)
        assert found.loc[study, "sd"] == pytest.approx(sd, rel=5e-3)
