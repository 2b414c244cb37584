"""Pain of patients over time: the view, the numbers behind it, and the whole answer from one short fit."""

import warnings
from dataclasses import replace

import arviz as az
import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.compile.mode import Mode
from scipy import integrate, stats

from kyphobayes.checks.pain import replicated_scores
from kyphobayes.engines import fit_declared, nuts
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import contrasts, read_patient_pain, read_table
from kyphobayes.evidence.patients import PATIENTS, patient_pain
from kyphobayes.evidence.questions import read_questions
from kyphobayes.model import load_model
from kyphobayes.pain import late_scores, score_probabilities, unseen
from kyphobayes.pain.missing import tipping_point, worst_case
from kyphobayes.pain.population import at_most, improved, mean, score_correlation
from kyphobayes.pain.quantities import observed
from kyphobayes.pain.scores import pair_probabilities, patient_likelihood, score_likelihood
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.questions.patient_pain import options_of
from kyphobayes.report.chapters import chapter_of

PROJECT = default_project()
QUESTION = read_questions(PROJECT)["patient_pain"]
PYTHON = Mode(linker="py", optimizer=None)
logits = st.floats(-12, 12)
shares = st.floats(0, 0.9)

# --- the view ---------------------------------------------------------------------------------------------


def test_who_is_missing_and_why():
    evidence = read_patient_pain(PROJECT)
    lost = {
        label: evidence.coords["reason"][r]
        for label, r in zip(evidence.labels, evidence.reason, strict=True)
        if r
    }
    assert lost == {
        **dict.fromkeys(("6", "8", "10"), "death"),
        **dict.fromkeys(("1", "9", "21"), "unexplained"),
    }
    assert evidence.patterns.tolist() == [16, 3, 3]
    assert evidence.scores.shape == (22, 3) and len(evidence.coords["reading"]) == 22 + 22 + 16
    np.testing.assert_allclose(evidence.covariates.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(evidence.covariates[:, [0, 3]].std(axis=0, ddof=1), 1)
    assert np.ptp(evidence.covariates[:, 1]) == pytest.approx(1)


def test_late_scores_at_0_months_can_be_taken_out():
    evidence = read_patient_pain(PROJECT)
    shorter = evidence.without_late(evidence.follow_up == 0)
    (changed,) = np.flatnonzero(shorter.reason != evidence.reason)
    assert evidence.labels[changed] == "4"  # patient 6 has 0 months too, and no late score
    assert shorter.patterns.tolist() == [15, 3, 4] and np.isnan(shorter.scores[changed, 2])
    assert shorter.digest != evidence.digest


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("vas_late", 3.0, "either vas_late or the reason why it is missing, found 3 and 'P\\*'"),
        ("vas_pre", np.nan, "expected vas_pre and vas_post"),
    ],
)
def test_a_broken_table_is_refused(column, value, message):
    table = read_table(PROJECT, PATIENTS)
    table.loc[0, column] = value
    with pytest.raises(EvidenceError, match=message):
        patient_pain(table)


def test_two_patients_are_too_few():
    with pytest.raises(EvidenceError, match="three patients or more, found 2"):
        patient_pain(read_table(PROJECT, PATIENTS).head(2))


# --- scores -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theta", [-3.0, 0.4, 2.0])
@pytest.mark.parametrize("rho", [0.02, 0.3])
def test_probabilities_are_those_of_scipy(theta, rho):
    p, size = 1 / (1 + np.exp(-theta)), (1 - rho) / rho
    expected = stats.betabinom.pmf(np.arange(11), 10, p * size, (1 - p) * size)
    found = score_probabilities(np.array(theta), np.array(rho))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    each = [score_likelihood(score, np.array(theta), np.array(rho)) for score in range(11)]
    np.testing.assert_allclose(each, expected, rtol=1e-9)


@settings(max_examples=50)
@given(logits, shares)
def test_probabilities_sum_to_one_with_the_mean_of_the_share(theta, rho):
    found = score_probabilities(np.array(theta), np.array(rho))
    assert found.sum() == pytest.approx(1, abs=1e-10)
    assert found @ np.arange(11) == pytest.approx(10 / (1 + np.exp(-theta)), abs=1e-8)


def test_without_overdispersion_it_is_the_binomial():
    found = score_probabilities(np.array(0.0), np.array(0.0))
    np.testing.assert_allclose(found * 2**10, [1, 10, 45, 120, 210, 252, 210, 120, 45, 10, 1])


CENTRE, COVARIANCE, RHO = np.array([1.9, -1.6]), np.array([[0.5, -0.4], [-0.4, 6.0]]), 0.05


def by_quadrature(x, y):
    """P(score x, then y) by adaptive quadrature over both effects."""
    factor = np.linalg.cholesky(COVARIANCE)

    def density(b, a):
        theta = CENTRE + factor @ np.array([a, b])
        p = 1 / (1 + np.exp(-theta))
        size = (1 - RHO) / RHO
        pmf = stats.betabinom.pmf([x, y], 10, p * size, (1 - p) * size)
        return pmf.prod() * np.exp(-(a * a + b * b) / 2) / (2 * np.pi)

    return integrate.dblquad(density, -7, 7, -7, 7, epsabs=1e-6, epsrel=1e-4)[0]


def test_pairs_and_likelihood_are_the_integral_over_the_effects():
    joint = pair_probabilities(CENTRE[None], COVARIANCE[None], np.array([RHO]))[0]
    assert joint.sum() == pytest.approx(1, abs=1e-10)
    assert joint[9, 0] == pytest.approx(by_quadrature(9, 0), rel=2e-3)
    factor = np.zeros((1, 3, 3))
    factor[0, :2, :2] = np.linalg.cholesky(COVARIANCE)
    factor[0, 2, 2] = 1.0
    centre = np.array([[*CENTRE, 0.0]])
    rest = [patient_likelihood(np.array([9, 0, c]), centre, factor, np.array([RHO]))[0] for c in range(11)]
    without = patient_likelihood(np.array([9, 0, np.nan]), centre, factor, np.array([RHO]))[0]
    assert without == pytest.approx(joint[9, 0]) == pytest.approx(sum(rest))


def test_quantities_of_a_table_by_hand():
    joint = np.zeros((1, 11, 11))
    joint[0, 9, 1], joint[0, 8, 6], joint[0, 5, 5] = 0.5, 0.3, 0.2
    assert improved(joint, 2.0)[0] == pytest.approx(0.8)
    assert improved(joint, 2.7)[0] == pytest.approx(0.5)  # a fall of 2 is not enough
    assert at_most(joint, 3, 1)[0] == pytest.approx(0.5) and at_most(joint, 5, 0)[0] == pytest.approx(0.2)
    assert mean(joint, 0)[0] == pytest.approx(7.9) and mean(joint, 1)[0] == pytest.approx(3.3)
    x, y = np.repeat([9, 8, 5], [5, 3, 2]), np.repeat([1, 6, 5], [5, 3, 2])
    assert score_correlation(joint)[0] == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_what_is_counted_in_the_printed_scores():
    found = observed(read_patient_pain(PROJECT).scores, (2.0, 2.7), 3)
    assert found["mean before"] == pytest.approx(192 / 22) and found["mean after"] == pytest.approx(38 / 22)
    assert found["mean late, as if seen"] == pytest.approx(31 / 16)
    assert found["P(score 3 or less) after"] == pytest.approx(19 / 22)


# --- missing scores and other priors ------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.lists(logits, min_size=1, max_size=4), st.floats(0, 0.5), st.floats(0, 6))
def test_a_larger_delta_never_lowers_a_score(theta, rho, delta):
    thetas = np.array([theta])
    uniform = np.linspace(0.1, 0.9, thetas.size)[None]
    low, high = (unseen(thetas, np.array([rho]), d, uniform) for d in (0.0, delta))
    assert (low <= high).all() and low.min() >= 0 and high.max() <= 10


def test_missing_scores_fill_their_places():
    printed = np.array([2.0, np.nan, 7.0, np.nan])
    np.testing.assert_array_equal(late_scores(printed, np.array([[5, 9]])), [[2, 5, 7, 9]])
    np.testing.assert_array_equal(worst_case(printed), [2, 10, 7, 10])


def test_tipping_point_is_the_first_of_the_grid():
    grid = np.array([0.0, 1.0, 2.0, 3.0])
    assert tipping_point(lambda d: 1 - d / 4, 0.6, grid) == 2.0
    assert np.isnan(tipping_point(lambda d: 1.0, 0.95, grid))


# --- checks -------------------------------------------------------------------------------------------------


def test_replicates_unlike_the_data_fail():
    scores = read_patient_pain(PROJECT).scores
    rng = np.random.default_rng(0)
    again = rng.integers(0, 22, (400, 22))  # patients drawn from those at hand
    assert replicated_scores(scores, np.nan_to_num(scores, nan=1).astype(int)[again]).passed
    unlike = replicated_scores(scores, rng.integers(4, 7, (200, 22, 3)))
    assert not unlike.passed and "do not look like the observed: mean, before is 8.73" in unlike.text


# --- the model ----------------------------------------------------------------------------------------------


def test_correlations_have_the_lkj_margins():
    """Each correlation of LKJ(2) in three dimensions is 2 Beta(5/2, 5/2) - 1 (Lewandowski et al. 2009)."""
    evidence = read_patient_pain(PROJECT)
    model = load_model("patient_pain").build(evidence)
    with model:
        drawn = pm.sample_prior_predictive(
            1500, var_names=["correlation"], random_seed=1, compile_kwargs={"mode": PYTHON}
        )
    for pair in range(3):
        values = drawn["prior"]["correlation"].values[0, :, pair]
        assert stats.kstest((values + 1) / 2, stats.beta(2.5, 2.5).cdf).pvalue > 0.001


@pytest.mark.parametrize("centred", [True, False])
def test_variables_are_those_of_the_priors(centred):
    model, evidence = load_model("patient_pain"), read_patient_pain(PROJECT)
    declared = model.build(evidence, model.priors, centred=centred)
    free = {v.name for v in declared.free_RVs}
    assert set(model.priors) <= free
    assert ("theta" in free) is centred and ("z" in free) is not centred


def test_the_declared_likelihood_is_the_beta_binomial_of_theta():
    model, evidence = load_model("patient_pain"), read_patient_pain(PROJECT)
    declared = remove_value_transforms(model.build(evidence, model.priors, centred=True))
    theta = np.random.default_rng(0).normal(size=(22, 3))
    point = declared.initial_point() | {"theta": theta, "rho": np.array(0.07)}
    density = declared.compile_logp(vars=[declared["score"]], mode=PYTHON, sum=True)
    p, size = 1 / (1 + np.exp(-theta[evidence.seen])), 0.93 / 0.07
    expected = stats.betabinom.logpmf(evidence.scores[evidence.seen], 10, p * size, (1 - p) * size).sum()
    assert float(density(point)) == pytest.approx(expected, rel=1e-6)


# --- the whole answer ---------------------------------------------------------------------------------------


def short_fit(model, evidence, priors, keep, *, name, seed=0, out=None, say=print):
    """Draws that look like a posterior, without a sampler."""
    rng = np.random.default_rng(seed)
    s, n = 400, len(evidence.labels)
    level = np.array([1.95, -1.65, -2.8]) + rng.normal(size=(s, 3)) * [0.2, 0.2, 0.6]
    tau = np.abs([0.4, 0.5, 2.6] + rng.normal(size=(s, 3)) * [0.05, 0.05, 0.3])
    theta = level[:, None] + rng.normal(size=(s, n, 3)) * tau[:, None]
    values = {
        "start": level[:, 0], "treatment": level[:, 1] - level[:, 0], "late": level[:, 2] - level[:, 1],
        "level": level, "tau": tau, "tau_slope": np.abs(rng.normal(size=s)) * 0.1,
        "slope": rng.normal(size=(s, 4, 3)) * 0.05, "correlation": rng.uniform(-0.3, 0.3, (s, 3)),
        "rho": rng.uniform(0.01, 0.05, s), "theta": theta, "share": rng.dirichlet([17, 4, 4], s),
        "delta_death": rng.normal(1, 1, s), "delta_unexplained": rng.normal(0, 1, s),
    }  # fmt: skip
    dims = {"level": ["time"], "tau": ["time"], "slope": ["covariate", "time"], "correlation": ["pair"],
            "theta": ["patient", "time"], "share": ["reason"]}  # fmt: skip
    coords = {d: evidence.coords[d] for d in ("time", "covariate", "pair", "patient", "reason")}
    data = xr.Dataset(
        {
            k: (("chain", "draw", *dims.get(k, [])), v.reshape(4, s // 4, *v.shape[1:]))
            for k, v in values.items()
        },
        coords,
    )
    flat = xr.Dataset(
        {k: (("chain", "draw"), rng.normal(size=(4, 100)) * 0.5 + 1) for k in ("diverging", "energy")}
    )
    flat["diverging"] = flat["diverging"] * 0
    return xr.DataTree.from_dict({"/posterior": data, "/prior": data, "/sample_stats": flat})


@pytest.fixture(scope="module")
def answered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kyphobayes.questions.patient_pain.fit_declared", short_fit)
        patch.setattr("kyphobayes.questions.patient_pain.DRAWS", 150)
        yield answer(QUESTION, PROJECT, seed=3)


def test_the_answer_has_every_quantity_beside_what_is_printed(answered):
    table = answered.tables["quantities"]
    assert next(iter(answered.tables)) == "quantities"
    assert table.loc["mean before", "printed"] == 8.73 and table.loc["change after", "printed"] == -7
    assert (table["low"] <= table["median"]).all() and (table["median"] <= table["high"]).all()
    assert {"P(improves by 2 or more) late", "P(improves by 2.7 or more) after"} <= set(table.index)
    assert table.loc["mean before", "median"] == pytest.approx(8.6, abs=0.3)
    assert "of 22 late scores 6 are missing" in answered.sentence.lower()


def test_all_patients_are_in_and_the_doubtful_flagged(answered):
    who = answered.who.set_index("unit")
    assert (who["status"] == "in").all() and len(who) == 22
    assert who.loc["patient 4", "reason"] == "flagged: a late score after 0 months of follow-up"
    assert who.loc["patient 5", "reason"] == "flagged: died, but a late score is printed"
    assert who.loc["patient 6", "reason"] == "late score missing: death"
    assert "P*" in who.loc["patient 9", "reason"] and who.loc["patient 2", "reason"] == "all three scores"


def test_even_the_worst_late_scores_leave_relief_against_before(answered):
    tipping = answered.tables["tipping"]["holds if all missing were 10"]
    # Late mean (31 + 6 * 10) / 22 = 4.14: 4.6 below 8.73, but 2.4 above 1.73.
    assert tipping.tolist() == [True, True, True, False]


def test_the_answer_is_the_same_under_the_same_seed(answered):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kyphobayes.questions.patient_pain.fit_declared", short_fit)
        patch.setattr("kyphobayes.questions.patient_pain.DRAWS", 150)
        again = answer(QUESTION, PROJECT, seed=3)
    for name, table in answered.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])


def test_the_chapter_has_its_figures_and_tables(answered):
    shown = chapter_of(answered)
    plates = [plate for part in shown.parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["course", "tipping", "replicated"]
    assert all(plate.alt and plate.caption for plate in plates)
    assert all(table.cells for part in shown.parts for table in part.tables)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 3}, "expected a key 'conclude'"),
        ({"low": 11, "conclude": 0.9}, "a score from 0 to 9, found 11"),
        ({"low": 3, "conclude": 1.0}, "from 0.5 to below 1, found 1"),
        ({"low": "3", "conclude": 0.9}, "expected low to be a number"),
        ({"low": 3, "conclude": 0.9, "lows": 1}, "unknown key 'lows'"),
    ],
)
def test_broken_options_are_named(options, message):
    with pytest.raises(EvidenceError, match=message):
        options_of(replace(QUESTION, options=options))


def test_without_priors_there_is_no_answer():
    with pytest.raises(EvidenceError, match="expected a prior set, found none"):
        answer(replace(QUESTION, priors=()), PROJECT)


def test_a_fit_is_kept_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setitem(nuts.SETTINGS, "draws", 500)
    model, said = load_model("normal_normal"), []
    evidence = contrasts([-1.2, 0.4, 0.1, 0.3, -0.2], [0.3, 0.2, 0.3, 0.2, 0.3])
    settings = {"name": "pain", "out": tmp_path, "say": said.append}
    first = fit_declared(model, evidence, model.priors, ("mu", "tau"), **settings)
    again = fit_declared(model, evidence, model.priors, ("mu", "tau"), **settings)
    assert said == ["pain: fitting by NUTS", "pain: fit found"]
    xr.testing.assert_identical(first["posterior"].dataset, again["posterior"].dataset)
    assert set(first["prior"].dataset) == set(first["posterior"].dataset) >= {"mu", "tau"}
    assert first["log_likelihood"]["y"].dims == ("chain", "draw", "study")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a large Pareto k, as each study has its own effect
        assert az.loo(first, var_name="y").elpd < 0  # ArviZ takes the fit as it is
    assert first["posterior_predictive"]["y"].sizes["draw"] == first["posterior"].sizes["draw"]
    exact = model.surface(evidence).posterior(mu=model.priors["mu"], tau=model.priors["tau"]).summary()
    assert float(first["posterior"]["mu"].mean()) == pytest.approx(exact.loc["mu", "mean"], abs=0.1)
