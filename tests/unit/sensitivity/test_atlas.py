"""The atlas, the priors it has, what they say before the data, and all of it together."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from kyphobayes.errors import InputError, PriorError
from kyphobayes.evidence import evidence_for, find_analysis, read_priors
from kyphobayes.natural_scale import natural_scale
from kyphobayes.priors import Priors
from kyphobayes.run import sensitivity_of
from kyphobayes.sensitivity import atlas, crossed, prior_pairs, prior_predictive, sensitivity
from kyphobayes.sensitivity.atlas import grid, to_frame
from kyphobayes.sensitivity.pairs import with_reference

from .conftest import MU, TAU

PAIRS = {
    "own × own": (MU, TAU),
    "own × wide": (MU, "HalfCauchy(beta=2)"),
    "doubt × own": ("Normal(mu=-1, sigma=0.4)", TAU),
    "doubt × wide": ("Normal(mu=-1, sigma=0.4)", "HalfCauchy(beta=2)"),
}


@pytest.fixture(scope="module")
def found(leaks):
    return atlas(leaks, PAIRS, reference="own × own", below=-2.2)


def test_each_row_is_its_posterior(found, leaks):
    base = leaks.posterior(*PAIRS["own × own"])
    for name, pair in PAIRS.items():
        post = leaks.posterior(*pair)
        row = found.sel(prior=name)
        assert row["median"].sel(quantity="mu") == pytest.approx(float(post.quantile("mu", 0.5)), abs=1e-5)
        assert row["probability"] == pytest.approx(float(post.cdf("mu", -2.2)), abs=1e-6)
        factor = post.log_marginal_likelihood - base.log_marginal_likelihood
        assert row["log_bayes_factor"] == pytest.approx(factor, abs=1e-5)
        assert (row["mu_prior"].item(), row["tau_prior"].item()) == tuple(name.split(" × "))


def test_the_reference_is_no_distance_from_itself(found):
    assert found["hellinger"].sel(prior="own × own").values == pytest.approx(0, abs=1e-3)
    assert (found["hellinger"].sel(prior="doubt × wide") > 0.1).all()


def test_tables_of_it(found):
    table = grid(found, found["probability"])
    assert list(table.index) == ["own", "doubt"] and list(table.columns) == ["own", "wide"]
    assert table.loc["doubt", "wide"] == float(found["probability"].sel(prior="doubt × wide"))
    frame = to_frame(found)
    assert list(frame.index) == list(PAIRS) and np.isfinite(frame.select_dtypes("number").to_numpy()).all()


def test_an_improper_prior_has_no_bayes_factor_and_an_improper_posterior_is_left_out(effects, leaks):
    pairs = {"a × a": ("Normal(mu=0, sigma=1)", TAU), "flat × a": ("Flat()", TAU)}
    got = atlas(effects, pairs, reference="a × a", below=0.0)
    assert np.isnan(got["log_bayes_factor"].sel(prior="flat × a")) and got.attrs["refused"] == []
    from kyphobayes import exact

    none = exact.binomial([0, 0], [20, 30])
    got = atlas(none, {"a × a": (MU, TAU), "flat × a": ("Flat()", TAU)}, reference="a × a", below=-2.2)
    assert list(got["prior"].values) == ["a × a"] and got.attrs["refused"] == ["flat × a"]


def test_a_reference_that_is_not_there_is_refused(leaks):
    with pytest.raises(
        InputError, match="reference: expected the name of a pair, such as 'own × own', found 'me'"
    ):
        atlas(leaks, PAIRS, reference="me", below=-2.2)


def test_pairs_are_every_set_crossed(project):
    analysis = find_analysis(project, "cement_leakage")
    evidence = evidence_for(analysis, project)
    pairs = prior_pairs(project, analysis, evidence)
    assert len(pairs) == 16 and "sceptical × vague" in pairs
    vague = read_priors(project, "vague", analysis, evidence.measure)
    assert pairs["vague × vague"] == (vague["mu"], vague["tau"])
    name, same = with_reference(pairs, "vague", (vague["mu"], vague["tau"]))
    assert name == "vague × vague" and same == pairs
    other = Priors.of("mine", mu="Normal(mu=0, sigma=9)", tau=TAU)
    name, more = with_reference(pairs, "mine", (other["mu"], other["tau"]))
    assert name == "mine × mine" and len(more) == 17 and next(iter(more)) == name
    with pytest.raises(PriorError, match="found 1 and 0"):
        crossed({"a": vague["mu"]}, {})


# --- before the data -------------------------------------------------------------------------------------


def test_the_prior_predictive_of_normals_is_normal():
    """With tau all but fixed, theta_new is normal, and its rates are the logistic of its quantiles."""
    got = prior_predictive({"x": ("Normal(mu=-2, sigma=0.6)", "Uniform(lower=0.79999, upper=0.80001)")})
    q = stats.norm(-2, 1.0).ppf([0.5, 0.025, 0.975])
    expected = 100 / (1 + np.exp(-q))
    assert got["expected"].sel(prior="x", centre="next").values == pytest.approx(expected, rel=5e-3)
    typical = 100 / (1 + np.exp(-stats.norm(-2, 0.6).ppf([0.5, 0.025, 0.975])))
    assert got["expected"].sel(prior="x", centre="typical").values == pytest.approx(typical, rel=2e-3)


def test_counts_before_the_data_are_a_distribution():
    got = prior_predictive({"flat rate": ("Logistic(mu=0, s=1)", "HalfNormal(sigma=1)")}, size=20)
    shares = got["probability"].sel(prior="flat rate")
    assert shares.sum("events").values == pytest.approx(1)
    # A uniform rate makes every count as probable as any other.
    assert shares.sel(centre="typical").values == pytest.approx(1 / 21, rel=0.02)


def test_other_measures_and_improper_priors():
    one = {"x": ("Normal(mu=1, sigma=2)", "HalfNormal(sigma=0.001)")}
    own = prior_predictive(one, scale=natural_scale("GEN"))
    assert own["expected"].sel(prior="x", centre="next").values == pytest.approx([1, -2.92, 4.92], abs=0.03)
    assert "probability" not in own
    ratio = prior_predictive(one, scale=natural_scale("OR"))
    assert ratio["expected"].values == pytest.approx(np.exp(own["expected"].values))
    rate = prior_predictive(one, scale=natural_scale("IRLN", unit="patient-years", per=100))
    assert rate["expected"].values == pytest.approx(100 * ratio["expected"].values)
    flat = prior_predictive({"x": ("Flat()", "HalfNormal(sigma=1)")})
    assert np.isnan(flat["expected"]).all()
    with pytest.raises(InputError, match="expected a size of at least 1"):
        prior_predictive({"x": (MU, TAU)}, size=0)


# --- together --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everything(project):
    return sensitivity_of(find_analysis(project, "new_fracture_bouza_only"), project)


def test_conclusion_counts_priors_on_the_references_side(everything):
    chances = everything.atlas["probability"].values
    assert everything.holds.values.tolist() == ((chances >= 0.5) == (everything.probability >= 0.5)).tolist()
    nearest = everything.nearest
    assert nearest is not None and nearest["flips"]
    flips = everything.tipping[everything.tipping["flips"].astype(bool)]
    assert nearest["distance"] == flips["distance"].min()


def test_it_is_plain_numbers_and_datasets(everything, tmp_path):
    content = everything.to_dict()
    assert json.loads(json.dumps(content))["holds"]["of"] == 16
    assert len(content["atlas"]) == 16 and set(content["averaging"]["probability"]) == {
        "effect",
        "heterogeneity",
    }
    for name, dataset in everything.datasets().items():
        dataset.to_netcdf(tmp_path / f"{name}.nc", engine="h5netcdf")


def test_priors_that_are_improper_are_not_averaged(effects):
    priors = Priors.of("flat", mu="Flat()", tau="HalfNormal(sigma=0.5)")
    got = sensitivity(effects, priors, {}, below=0.1, scale=natural_scale("GEN"))
    assert got.averaged is None and list(got.atlas["prior"].values) == ["flat × flat"]
    assert got.to_dict()["averaging"] is None
    assert replace(got, threshold=0.99).holds.all()
