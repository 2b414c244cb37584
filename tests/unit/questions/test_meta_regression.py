"""Design and aetiology: the view, exact numbers against other hands, refusals, the answer, the chapter."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.engines import nuts
from kyphobayes.errors import EvidenceError, InputError, PriorError
from kyphobayes.evidence import counts, evidence_for, find_analysis, read_table, with_covariate
from kyphobayes.evidence.covariates import by_level
from kyphobayes.evidence.moderations import believing, moderations, who_of
from kyphobayes.evidence.questions import read_questions
from kyphobayes.moderators import TwoLevels, numbers, witnesses
from kyphobayes.priors import Priors
from kyphobayes.questions import answer
from kyphobayes.report.canvas import to_svg
from kyphobayes.report.chapters import chapter_of

NAME = "design_and_aetiology"
PRIORS = Priors.of(
    "main", mu="Normal(mu=-2.5, sigma=1.5)", beta="Normal(mu=0, sigma=0.75)", tau="HalfNormal(sigma=1)"
)
_nan = np.nan
X = np.array([0.5, -0.5, -0.5, 0.5, -0.05])
LATENT = counts(
    [3, 0, _nan, _nan, 2], [40, 32, 60, 25, 22],
    tables=[[3, 0, 4, 5, 2], [3, 0, 6, 3, 2], [3, 0, 9, 0, 2]], weights=[1, 2, 1],
)  # fmt: skip


def surface_of(evidence):
    return exact.mixture(evidence.tables, evidence.n, evidence.weights, labels=evidence.labels)


@pytest.fixture(scope="module")
def posterior():
    return TwoLevels(surface_of(LATENT), X, PRIORS)


@pytest.fixture(scope="module")
def question(project):
    """Two comparisons of the plan, one another reading of the other, under two prior sets."""
    whole = read_questions(project)[NAME]
    rows = {row["name"]: row for row in whole.options["comparisons"]}
    chosen = [rows["fractures_by_tumour"], rows["fractures_by_share_of_myeloma"], rows["leaks_by_detection"]]
    return replace(whole, options={"comparisons": chosen}, priors=whole.priors[:2])


@pytest.fixture(scope="module")
def answered(project, question):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(nuts.SETTINGS, "draws", 500)
        yield answer(question, project, seed=4)


# --- the view -----------------------------------------------------------------------------------------------


def test_studies_at_neither_level_are_out_with_a_reason(project):
    whole = evidence_for(find_analysis(project, "cement_leakage"), project)
    view = by_level(whole, "detection", ("CT", "fluoroscopy and radiograph"))
    assert view.labels == ("Ribeirão Preto", "La Maida 2012") and view.x.tolist() == [-0.5, 0.5]
    assert view.tables.tolist() == [[5, 4]] and view.weights.tolist() == [1]  # 20 tables became one
    reasons = view.excluded.set_index("label")["reason"]
    assert reasons["Vrionis 2005"] == "detection is not stated"
    assert len(view.rows) + len(view.excluded) == len(whole.rows) + len(whole.excluded)


def test_tables_that_no_longer_differ_are_one_with_the_sum_of_their_weights():
    rows = pd.DataFrame({"study_id": list("abc"), "design": ["p", "r", "q"]})
    whole = counts([_nan, 2, _nan], [9, 9, 9], list("abc"), tables=[[1, 2, 3], [1, 2, 4], [5, 2, 0]],
                   weights=[1, 2, 5])  # fmt: skip
    view = by_level(replace(whole, rows=rows, excluded=rows.iloc[:0]), "design", ("p", "r"))
    assert view.tables.tolist() == [[1, 2], [5, 2]]
    np.testing.assert_allclose(view.weights, [3 / 8, 5 / 8])
    assert view.excluded["reason"].tolist() == ["design is q, neither p nor r"]


def test_the_share_of_myeloma_is_that_of_the_table_of_patients(project, question):
    one = moderations(question, project)[1]
    (share,) = one.shares
    groups = read_table(project, "patients/ribeirao_preto_patients.csv")["diagnosis_group"]
    assert (groups.isin(["myeloma", "plasmacytoma"]).sum(), len(groups)) == (share.first, share.of)
    assert one.evidence.x[one.evidence.labels.index("Ribeirão Preto")] == pytest.approx(10 / 22 - 0.5)


def test_other_figures_make_other_tables(project):
    analysis = find_analysis(project, "new_fracture")
    evidence = evidence_for(analysis, project)
    other = believing(evidence, analysis, ("21", "12.4"), project)
    assert (other.tables[:, :4].sum(axis=1) == 21).all() and (other.tables[:, 4] == 2).all()
    assert {tuple(t) for t in other.tables}.isdisjoint({tuple(t) for t in evidence.tables})
    with pytest.raises(EvidenceError, match=r"no printed figure '12\.5'; did you mean '12\.4'"):
        believing(evidence, analysis, ("12.5",), project)


def test_every_row_is_in_or_out_once_with_its_comparisons(project, question):
    who = who_of(moderations(question, project))
    assert not who[["unit", "status", "reason"]].duplicated().any()
    mixed = who[who["unit"] == "Ribeirão Preto, patients with a new fracture"].set_index("status")["reason"]
    assert mixed["out"].startswith("population is mixed, neither myeloma nor metastasis (fractures by tumour")
    assert mixed["in"].startswith("10 of 22 myeloma")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([0.5, -0.5], "expected 3 numbers, one for each study, found 2"),
        ([0.5, -0.5, 0.7], r"x\[2\]: expected a number from -1/2 to 1/2, found 0.7"),
        ([0.5, 0.5, 0.5], "found all 3 alike"),
    ],
)
def test_a_broken_covariate_is_named(x, message):
    with pytest.raises(EvidenceError, match=message):
        with_covariate(counts([0, 1, 2], [9, 9, 9]), x)


# --- the posterior ------------------------------------------------------------------------------------------


def test_posterior_is_that_of_the_general_regression():
    """`exact.meta_regression` integrates another way: along one coefficient, the other by Gauss-Hermite."""
    surface, x = exact.binomial([0, 5, 4], [32, 35, 19]), np.array([-0.5, 0.5, 0.5])
    found = TwoLevels(surface, x, PRIORS)
    beta = {"intercept": PRIORS["mu"], "beta": PRIORS["beta"]}
    other = exact.meta_regression(surface, {"beta": x}, beta=beta, tau=PRIORS["tau"], rtol=1e-6)
    for row, density in (([0, 1], found.beta), ([1, 0.5], found.first)):
        again = other.posterior(row)
        places = density.quantile([0.025, 0.5, 0.975])
        np.testing.assert_allclose(again.mu.cdf(places), [0.025, 0.5, 0.975], atol=1e-6)
    assert other.posterior([1, 0.5]).theta_new.cdf(found.new[0].quantile(0.9)) == pytest.approx(0.9, abs=1e-6)
    assert found.log_marginal_likelihood == pytest.approx(other.log_marginal_likelihood, abs=1e-6)


def test_posterior_is_that_of_weighted_draws_from_the_prior(posterior):
    """Latent counts and a study in between: importance sampling, no grid and no gradient."""
    rng, size, inner = np.random.default_rng(5), 60_000, 40
    mu, beta, tau = (PRIORS[name].draw(size, rng) for name in ("mu", "beta", "tau"))
    theta = mu + X[:, None, None] * beta + tau * rng.standard_normal((len(X), inner, size))
    p, n = special.expit(theta), LATENT.n
    by_table = np.zeros((len(LATENT.tables), size))
    for study in range(len(X)):
        for place, events in enumerate(LATENT.tables[:, study]):
            by_table[place] += np.log(stats.binom.pmf(events, n[study], p[study]).mean(axis=0))
    log_weight = special.logsumexp(by_table, axis=0, b=LATENT.weights[:, None])
    weight = special.softmax(log_weight)
    error = 4 / np.sqrt(1 / (weight**2).sum())
    assert error < 0.06
    for value, density in (
        (beta, posterior.beta), (mu, posterior.mu), (tau, posterior.tau),
        (mu + beta / 2, posterior.first), (mu - beta / 2, posterior.second),
    ):  # fmt: skip
        mean = weight @ value
        assert density.mean == pytest.approx(mean, abs=error * density.sd)
        assert density.sd == pytest.approx(np.sqrt(weight @ (value - mean) ** 2), rel=2 * error)
    v = X.var()
    share = beta**2 * v / (beta**2 * v + tau**2)
    for q in (0.025, 0.5, 0.975):
        assert weight @ (share < posterior.explained(q)[0]) == pytest.approx(q, abs=error / 2)
    total = np.log(np.mean(np.exp(log_weight - log_weight.max()))) + log_weight.max()
    assert posterior.log_marginal_likelihood == pytest.approx(total, abs=0.06)


def test_density_ratio_is_the_ratio_of_marginal_likelihoods(posterior):
    without = surface_of(LATENT).posterior(PRIORS["mu"], PRIORS["tau"])
    ratio = posterior.log_marginal_likelihood - without.log_marginal_likelihood
    assert posterior.log_bayes_factor == pytest.approx(ratio, abs=1e-6)


def test_a_beta_that_is_nothing_leaves_the_model_without_covariate():
    narrow = PRIORS.replace(beta="Normal(mu=0, sigma=0.1)")
    surface = exact.binomial([3, 0, 9], [40, 32, 60])
    found = TwoLevels(surface, [0.5, -0.5, 0.5], narrow, rtol=1e-3)
    without = surface.posterior(PRIORS["mu"], PRIORS["tau"])
    for density, other in (
        (found.mu, without.mu),
        (found.tau, without.tau),
        (found.new[1], without.theta_new),
    ):
        np.testing.assert_allclose(other.cdf(density.quantile([0.1, 0.5, 0.9])), [0.1, 0.5, 0.9], atol=1e-2)


def test_without_studies_the_prior_comes_back(posterior):
    prior = posterior.without(*LATENT.labels)
    places = PRIORS["beta"].quantile([0.025, 0.5, 0.975])
    np.testing.assert_allclose(prior.beta.cdf(places), [0.025, 0.5, 0.975], atol=1e-6)
    assert prior.log_marginal_likelihood == pytest.approx(0.0, abs=1e-5)
    q = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(
        prior.explained(q), numbers.prior_explained(PRIORS, prior.variance, q), rtol=2e-3
    )
    assert numbers.odds_ratio(prior)["width_ratio"] == pytest.approx(1.0, abs=1e-5)
    assert numbers.odds_ratio(prior)["bayes_factor"] == pytest.approx(1.0, abs=1e-5)


def test_a_level_without_an_event_is_no_obstacle_to_heavy_tails():
    surface, x = exact.binomial([0, 0, 9, 7], [128, 32, 60, 46]), [-0.5, -0.5, 0.5, 0.5]
    heavy = TwoLevels(surface, x, PRIORS.replace(beta="StudentT(nu=3, mu=0, sigma=0.75)"))
    light = TwoLevels(surface, x, PRIORS)
    assert heavy.beta.quantile(0.975) > 1.5 * light.beta.quantile(0.975)
    assert heavy.error < 1e-5 and light.error < 1e-5


def test_draws_are_of_the_posterior(posterior):
    first, second, tau = posterior.draw(20_000, np.random.default_rng(3))
    assert first.mean() == pytest.approx(posterior.first.mean, abs=0.03)
    assert (first - second).std() == pytest.approx(posterior.beta.sd, rel=0.03)
    assert np.median(tau) == pytest.approx(float(posterior.tau.quantile(0.5)), abs=0.03)


def test_leaving_out_is_a_ratio_of_marginal_likelihoods():
    x = np.where(X > 0, 0.5, -0.5)
    table = numbers.left_out(posterior := TwoLevels(surface_of(LATENT), x, PRIORS))
    assert np.isnan(table.loc["study 3", "elpd"])  # its count is latent: no observation by itself
    assert table.index[-1] == "all 2 with latent counts"
    others = posterior.without("study 2")
    fresh = TwoLevels(surface_of(LATENT).without("study 2"), np.delete(x, 1), PRIORS)
    assert others.log_marginal_likelihood == pytest.approx(fresh.log_marginal_likelihood, abs=1e-5)
    gain = posterior.log_marginal_likelihood - fresh.log_marginal_likelihood
    assert table.loc["study 2", "elpd"] == pytest.approx(gain, abs=1e-5)
    with pytest.raises(InputError, match="without: expected one of study 1"):
        posterior.without("study 9")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beta": "Flat()"}, "beta: expected a proper prior"),
        ({"mu": "Truncated(Normal(mu=-2, sigma=1), upper=0)"}, "mu: expected a prior over the whole line"),
        ({"tau": "Normal(mu=0, sigma=1)"}, "tau"),
    ],
)
def test_priors_that_cannot_be_are_refused(changes, message):
    with pytest.raises(PriorError, match=message):
        TwoLevels(surface_of(LATENT), X, PRIORS.replace(**changes))


def test_a_prior_too_narrow_for_the_panels_is_named():
    narrow = PRIORS.replace(beta="Normal(mu=0, sigma=0.001)")
    with pytest.raises(InputError, match="too narrow beside mu"):
        TwoLevels(exact.binomial([2, 3], [20, 30]), [0.5, -0.5], narrow)


def test_two_series_teach_next_to_nothing(answered):
    rows = answered.tables["answer"]
    assert rows.loc["leaks_by_detection", "k"] == 2 and rows.loc["leaks_by_detection", "width_ratio"] > 0.8
    assert "nothing can be learned from 2 series" in answered.sentence
    remark = answered.tables["frequentist"].loc[("leaks_by_detection", witnesses.KNAPP_HARTUNG), "remark"]
    assert "2 studies cannot carry 2 coefficients" in remark


# --- the answer ---------------------------------------------------------------------------------------------


def test_the_answer_is_the_exact_posterior(answered):
    row = answered.tables["answer"].loc["fractures_by_tumour"]
    found = answered.more["found"]["fractures_by_tumour"]
    assert row["odds_ratio"] == pytest.approx(np.exp(found.beta.quantile(0.5)))
    assert row["p_more"] == pytest.approx(1 - found.beta.cdf(0.0))
    assert f"{row['odds_ratio']:.2f}" in answered.sentence
    sets = answered.tables["prior_sets"].loc["fractures_by_tumour"]
    assert list(sets.index) == ["weakly_informative", "vague"]
    assert sets.loc["vague", "odds_ratio"] < row["odds_ratio"] < 1


def test_checks_pass_and_can_fail(answered):
    assert answered.passed
    assert [check.name for check in answered.checks] == [
        "convergence", "agreement", "two integrals", "frequentist", "posterior predictive",
    ]  # fmt: skip
    compared, found = answered.more["compared"], answered.more["found"]
    one, posterior = compared[0], found[compared[0].name]
    vague = TwoLevels(posterior.surface, one.evidence.x, answered.question.priors[1])
    sets = {"weakly_informative": posterior, "vague": vague}
    fit = answered.fits["weakly_informative"]
    assert not witnesses.sampled(sets["vague"], fit).passed
    shifted = xr.DataTree.from_dict({"/posterior": fit["posterior"].dataset.assign(
        level=fit["posterior"]["level"] + 0.5)})  # fmt: skip
    check = witnesses.sampled(sets["weakly_informative"], shifted)
    assert not check.passed and "level, " in check.text
    wrong = sets["weakly_informative"].surface.posterior("Normal(0, 1)", "HalfNormal(1)")
    main = {one.name: sets["weakly_informative"]}
    assert not witnesses.two_integrals([one], main, {one.name: wrong}, "").passed
    apart = {one.name: witnesses.frequentist(one).assign(estimate=400.0)}
    assert not witnesses.frequentist_check([one], apart, {one.name: sets}).passed
    many = replace(
        one, evidence=replace(one.evidence, tables=np.minimum(one.evidence.tables + 40, one.evidence.n))
    )
    assert not witnesses.predictive([many], main, 1).passed


def test_rates_by_level_and_decisions(answered):
    rates = answered.tables["rates"].loc["fractures_by_tumour"]
    assert rates.loc["myeloma", ["events_low", "events_high", "n"]].tolist() == [9, 14, 107]
    assert rates["printed"].tolist() == [0.124, 0.079]
    found = answered.more["found"]["fractures_by_tumour"]
    rows = answered.decisions
    assert rows["claim"].tolist() == [
        f"fewer than 19 % of patients have a new fracture, population: {level}"
        for level in ("myeloma", "metastasis")
    ]
    assert rows["p_mean"].iloc[1] == pytest.approx(float(found.second.cdf(special.logit(0.19))))
    assert rows["p_centre"].iloc[0] == pytest.approx(float(found.new[0].cdf(special.logit(0.19))))
    assert (rows["low"] <= rows["expected"]).all() and (rows["expected"] <= rows["high"]).all()


def test_a_study_by_itself_has_jeffreys_interval(answered):
    row = answered.tables["studies"].loc[("leaks_by_detection", "La Maida 2012")]
    np.testing.assert_allclose(
        row[["low", "rate", "high"]].astype(float), stats.beta.ppf([0.025, 0.5, 0.975], 4.5, 15.5)
    )
    latent = answered.tables["studies"].loc[("fractures_by_tumour", "Lieberman 2003")]
    assert (latent["events_low"], latent["events_high"]) == (5, 11)
    assert latent["low"] < 5 / 63 and latent["high"] > 11 / 63


def test_frequentist_row_is_the_regression_averaged_over_tables(answered):
    one = answered.more["compared"][0]
    y = np.log((one.evidence.tables + 0.5) / (one.evidence.n - one.evidence.tables + 0.5))
    row = answered.tables["frequentist"].loc[(one.name, witnesses.KNAPP_HARTUNG)]
    assert row["corrected"] == 1 and row["lowest"] <= row["estimate"] <= row["highest"]
    contrast = y[:, :3].mean(axis=1) - y[:, 3]  # unweighted: near, not equal
    assert np.log(row["estimate"]) == pytest.approx(contrast.mean(), abs=0.6)


def test_it_can_be_written_as_json(answered):
    text = json.dumps(answered.to_dict(), default=str)
    assert "fractures_by_tumour" in text and "Infinity" not in text


def test_chapter(answered):
    shown = chapter_of(answered)
    plates = [plate for part in shown.parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["fractures_by_tumour", "leaks_by_detection", "odds_ratios"]
    for plate in plates:
        assert to_svg(plate.figure, plate.name).startswith("<svg") and "nan" not in plate.alt + plate.caption
    for part in shown.parts:
        assert all("nan" not in cell for table in part.tables for row in table.cells for cell in row)
        assert all("nan" not in sentence for sentence in part.sentences)
    told = " ".join(sentence for part in shown.parts for sentence in part.sentences)
    assert "aggregation bias" in told and "what the review put in" in told
    assert "Two series cannot tell the covariate from the centres" in told


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"covariate": "desing"}, "no column 'desing'; did you mean 'design'"),
        ({"levels": ["myeloma"]}, "expected levels to name two"),
        ({"levels": ["myeloma", "metastases"]}, "none of 5 studies is 'metastases'; did you mean"),
        ({"beside": "tumour"}, "no comparison 'tumour' \\(beside\\)"),
        ({"printed": ["fracture_myeloma"]}, "a figure of data/published/bouza2009.csv for each"),
        ({"thresholds": ["leak"]}, "no threshold 'leak'"),
        ({"analysis": "fractures"}, "no analysis 'fractures'"),
        ({"figures": ["99"]}, "no printed figure '99'"),
        ({"shares": [{"study": "kose2006", "first": 1, "of": 2, "why": "x"}]}, "is not a study between"),
        ({"shares": [{"study": "ribeirao_preto", "first": 3, "of": 2, "why": "x"}]}, "0 < first < of"),
        ({"word": 1}, "unknown key 'word'"),
    ],
)  # fmt: skip
def test_broken_options_are_named(project, question, changes, message):
    rows = question.options["comparisons"]
    with pytest.raises(EvidenceError, match=message):
        moderations(replace(question, options={"comparisons": [rows[0] | changes]}), project)


def test_a_question_needs_comparisons_a_model_and_priors(project, question):
    rows = question.options["comparisons"]
    for options, message in (({"comparisons": []}, "a comparison at least"),
                             ({"comparisons": [rows[0], rows[0]]}, "different names")):  # fmt: skip
        with pytest.raises(EvidenceError, match=message):
            moderations(replace(question, options=options), project)
    for changes in ({"model": ""}, {"priors": ()}):
        with pytest.raises(EvidenceError, match="expected a model and a prior set"):
            answer(replace(question, **changes), project)
