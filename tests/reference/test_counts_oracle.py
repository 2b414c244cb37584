"""A coarse brute-force oracle for counts (240 x 240 nodes), and a finer one of our own for its quantiles.

`counts_oracle.json` is good to 1e-9 in moments. Its quantiles are read off a table: those of mu and tau
by straight lines between 240 nodes (up to 2e-5 in probability), and those of theta_new for `all_zero` on
a staircase, because its steps in mu are wider than the small values of tau (1e-3 in probability).
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from kyphobayes import exact

HERE = Path(__file__)
CASES = json.loads(HERE.with_name("counts_oracle.json").read_text(encoding="utf-8"))
Q = {"low": 0.025, "median": 0.5, "high": 0.975}
NAMES = ("mu", "tau", "theta_new")

# Printed quantiles whose probability is more than 1e-5 off under our cdf and under the finer sum.
STAIRCASE = {("all_zero", "theta_new", "low"), ("all_zero", "theta_new", "median")}
STRAIGHT_LINES = {("nielweise2008_treatment_rate", "tau", "low")}

# (mean, sd) of mu's prior, scale of tau's, and where the finer sum looks.
PRIORS = {
    "leakage_feasible_table/halfnormal1": ((-2.5, 1.5), 1.0, (-30, 24), 7.0),
    "all_zero": ((0, 1.5), 0.5, (-20, 14), 4.5),
    "pritz1997": ((0, 2), 1.0, (-20, 22), 6.0),
    "nielweise2008_treatment_rate": ((-5, 2), 1.0, (-30, 18), 6.0),
}


def brute_force():
    path = HERE.parents[1] / "unit" / "exact" / "conftest.py"
    spec = importlib.util.spec_from_file_location("brute_force", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CountReference


@pytest.fixture(scope="module", params=CASES)
def case(request):
    expected = CASES[request.param]
    size = expected.get("n", expected.get("exposure"))
    post = getattr(exact, expected["likelihood"])(expected["events"], size).posterior(**expected["priors"])
    mu, scale, mu_range, tau_max = PRIORS[request.param]
    assert expected["priors"] == {
        "mu": f"Normal(mu={mu[0]}, sigma={mu[1]})",
        "tau": f"HalfNormal(sigma={scale:g})",
    }
    finer = brute_force()(
        expected["likelihood"], expected["events"], size, stats.norm(*mu), stats.halfnorm(scale=scale),
        mu_range=mu_range, tau_max=tau_max, steps=0.08, nodes=56, h=0.045,
    )  # fmt: skip
    return request.param, expected["expected"], post, finer


def test_moments_and_marginal_likelihood(case):
    _, expected, post, finer = case
    assert post.log_marginal_likelihood == pytest.approx(expected["log_marginal_likelihood"], abs=1e-8)
    assert post.log_marginal_likelihood == pytest.approx(finer.log_marginal_likelihood, abs=1e-10)
    for name in NAMES:
        density = getattr(post, name)
        assert density.mean == pytest.approx(expected[name]["mean"], abs=1e-8)
        assert density.sd == pytest.approx(expected[name]["sd"], abs=1e-8)
        assert (density.mean, density.sd) == pytest.approx(finer.moments(name), abs=1e-9)
    np.testing.assert_allclose(post.shrinkage()["mean"], expected["theta_mean"], atol=1e-5)
    np.testing.assert_allclose(post.shrinkage()["mean"], finer.effects, atol=1e-5)


def test_quantiles_against_the_finer_sum(case):
    _, _, post, finer = case
    q = np.array([0.001, 0.025, 0.25, 0.5, 0.75, 0.975, 0.999])
    for name in NAMES:
        x = post.quantile(name, q)
        slope = np.maximum(post.pdf(name, x), 1e-3)
        # An error in probability, divided by the density, is one in the quantile.
        np.testing.assert_allclose((finer.cdf(name, x) - q) / slope, 0, atol=1e-5)


def test_probability_below_the_printed_quantiles(case):
    label, expected, post, finer = case
    for cdf in (post.cdf, finer.cdf):
        off = {
            (label, name, field)
            for name in NAMES
            for field, q in Q.items()
            if abs(cdf(name, [expected[name][field]])[0] - q) > 1e-5
        }
        assert off == {place for place in STAIRCASE | STRAIGHT_LINES if place[0] == label}
