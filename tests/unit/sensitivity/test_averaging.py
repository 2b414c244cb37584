"""Averages over models: published cases, scipy's quadrature, and what must hold of any."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from kyphobayes import exact
from kyphobayes.errors import InputError, PriorError
from kyphobayes.sensitivity import average
from kyphobayes.sensitivity.averaging import common_effect

CASES = {
    case["name"]: case
    for case in json.loads(
        (Path(__file__).parents[2] / "reference" / "published_cases.json").read_text("utf-8")
    )
}


def surface_of(case):
    return exact.normal(case["data"]["d"], case["data"]["se"])


def test_poulsen_2006():
    case = CASES["robma_poulsen2006_BMA"]
    found = average(
        surface_of(case), {"d": ("StudentT(nu=5, mu=0, sigma=0.51)", "InverseGamma(alpha=1.79, beta=0.28)")}
    )
    factors = np.exp(found["log_bayes_factor"])
    assert factors.sel(included="effect") == pytest.approx(case["exact"]["BF10"], rel=1e-7)
    assert factors.sel(included="heterogeneity") == pytest.approx(case["exact"]["BFrf"], rel=1e-6)
    published, within = case["expected"]["published"], case["tolerance"]["rel_BF"]
    assert factors.sel(included="effect") == pytest.approx(published["BF10"], rel=within)
    mu = found["conditional"].sel(quantity="mu")
    assert mu.sel(statistic="mean") == pytest.approx(case["exact"]["cond_mu"]["mean"], abs=1e-5)
    # RoBMA's figures are from MCMC draws.
    for kind in ("averaged", "conditional"):
        for quantity in ("mu", "tau"):
            row, expected = found[kind].sel(quantity=quantity), case["expected"][kind][quantity]
            assert row.sel(statistic="mean") == pytest.approx(expected["mean"], abs=0.012)
            assert row.sel(statistic="median") == pytest.approx(expected["median"], abs=0.012)


@pytest.mark.parametrize(
    "name, prior",
    [
        ("default", "Cauchy(alpha=0, beta=0.70710678118654752)"),
        ("informed", "StudentT(nu=3, mu=0.34999, sigma=0.1021)"),
    ],
)
def test_power_pose(name, prior):
    case = CASES["metabma_power_pose"]
    within, expected = case["tolerance"]["rel_BF"], case["expected"][name]
    pairs = {name: (prior, "InverseGamma(alpha=1, beta=0.15)")}
    found = average(surface_of(case), pairs, bounds=(0, np.inf))
    factors = np.exp(found["log_bayes_factor_effect"].sel(set=name))
    assert factors.sel(tau="zero") == pytest.approx(expected["fixed"], rel=within)
    assert factors.sel(tau="free") == pytest.approx(expected["random"], rel=within)
    assert np.exp(found["log_bayes_factor"].sel(included="effect")) == pytest.approx(
        expected["incl"], rel=within
    )
    two_sided = average(surface_of(case), pairs)["conditional"].sel(quantity="mu")
    assert two_sided.sel(statistic="median") == pytest.approx(expected["avg_median"], abs=0.005)


@pytest.mark.parametrize("prior", [stats.cauchy(0, 2**-0.5), stats.t(3, 0.34999, 0.1021)])
def test_one_sided_factor_is_scipys_quadrature(prior):
    case = CASES["metabma_power_pose"]
    y, se = (np.array(case["data"][key]) for key in ("d", "se"))
    text = (
        "Cauchy(alpha=0, beta=0.70710678118654752)"
        if prior.dist.name == "cauchy"
        else "StudentT(nu=3, mu=0.34999, sigma=0.1021)"
    )
    area = integrate.quad(
        lambda m: np.prod(stats.norm.pdf(y, m, se)) * prior.pdf(m), 0, 3, epsabs=0, epsrel=1e-11, points=[0.2]
    )[0]
    expected = area / prior.sf(0) / np.prod(stats.norm.pdf(y, 0, se))
    found = average(surface_of(case), {"x": (text, "HalfNormal(sigma=1)")}, bounds=(0, np.inf))
    assert np.exp(found["log_bayes_factor_effect"].sel(set="x", tau="zero")) == pytest.approx(
        expected, rel=1e-8
    )


def test_counts_without_heterogeneity_by_quadrature():
    events, n = np.array([0, 5, 4]), np.array([32, 35, 19])
    surface = exact.binomial(events, n)
    p = 1 / (1 + np.exp(2.0))
    assert common_effect(surface, np.array([-2.0]))[0] == pytest.approx(
        stats.binom.logpmf(events, n, p).sum()
    )
    found = average(surface, {"x": ("Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)")}, null=-2.0)

    def joint(m):
        return np.prod(stats.binom.pmf(events, n, 1 / (1 + np.exp(-m)))) * stats.norm.pdf(m, -2.5, 1.5)

    area = integrate.quad(joint, -8, 3, epsabs=0, epsrel=1e-11)[0]
    by_model = found["log_marginal_likelihood"]
    assert by_model.sel(model="x: mu free, tau = 0") == pytest.approx(np.log(area), abs=1e-8)
    across = integrate.quad(
        lambda t: np.exp(surface.log_likelihood([-2.0], [t])[0, 0]) * stats.halfnorm.pdf(t),
        0,
        8,
        epsrel=1e-10,
    )[0]
    assert by_model.sel(model="x: mu = null, tau free") == pytest.approx(np.log(across), abs=1e-7)
    both = surface.posterior("Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)").log_marginal_likelihood
    assert by_model.sel(model="x: mu free, tau free") == pytest.approx(both, abs=1e-8)


def test_a_table_that_is_certain_is_a_count(leaks):
    same = exact.mixture([[0, 5, 4], [0, 5, 4]], [32, 35, 19])
    mu = np.linspace(-4, 0, 5)
    assert common_effect(same, mu) == pytest.approx(common_effect(leaks, mu))


def test_sets_share_one_probability(effects):
    one = {"a": ("Normal(mu=0, sigma=1)", "HalfNormal(sigma=0.5)")}
    twice = {**one, "b": one["a"]}
    single, double = average(effects, one), average(effects, twice)
    assert double["log_bayes_factor"].values == pytest.approx(single["log_bayes_factor"].values)
    assert double["averaged"].values == pytest.approx(single["averaged"].values, abs=1e-9)
    assert float(double["posterior"].sum()) == pytest.approx(1) == float(double["prior"].sum())
    heavy = average(effects, twice, weights={"a": 3, "b": 1})
    assert float(heavy["prior"].where(heavy["prior_set"] == "a", 0).sum()) == pytest.approx(0.75)


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"pairs": {}}, "pairs: expected at least one"),
        ({"null": np.inf}, "null: expected a finite number"),
        ({"bounds": (1, 0)}, "bounds: expected a lower one below an upper one, found 1, 0"),
        ({"weights": {"x": -1}}, "weights: expected a number greater than 0"),
        ({"prob": 1.5}, "prob: expected a number between 0 and 1"),
    ],
)
def test_what_is_refused(effects, changed, words):
    given = {"pairs": {"x": ("Normal(mu=0, sigma=1)", "HalfNormal(sigma=1)")}, **changed}
    with pytest.raises(InputError, match=words):
        average(effects, **given)


def test_an_improper_prior_is_refused(effects):
    with pytest.raises(PriorError, match="improper"):
        average(effects, {"x": ("Flat()", "HalfNormal(sigma=1)")})
