"""New fractures and deaths per time at risk: views, numbers against other hands, the whole answer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.engines import nuts
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import (
    counts,
    evidence_for,
    find_analysis,
    rates,
    rates_of,
    read_follow_up,
    read_table,
)
from kyphobayes.evidence.follow_up import follow_up
from kyphobayes.evidence.patients import PATIENTS
from kyphobayes.evidence.questions import read_questions
from kyphobayes.frequentist import glmm_rate, rate_log_likelihood
from kyphobayes.model import load_model
from kyphobayes.priors import Prior
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.questions.time_at_risk import options_of
from kyphobayes.report.canvas import to_svg
from kyphobayes.report.chapters import chapter_of
from kyphobayes.time_at_risk import background, centres, patients, witnesses

PROJECT = default_project()
QUESTION = read_questions(PROJECT)["time_at_risk"]
DEATH, FRACTURE = Prior.parse("Normal(mu=-0.5, sigma=1.5)"), Prior.parse("Normal(mu=-2, sigma=1.5)")
PRIORS = ("Normal(mu=-2, sigma=1.5)", "HalfNormal(sigma=1)")


@pytest.fixture(scope="module")
def followed():
    return read_follow_up(PROJECT)


@pytest.fixture(scope="module")
def counted():
    return evidence_for(find_analysis(PROJECT, "new_fracture"), PROJECT)


@pytest.fixture(scope="module")
def evidence(counted):
    return rates_of(counted, PROJECT)


@pytest.fixture(scope="module")
def posterior(evidence):
    return load_model("poisson_normal").surface(evidence).posterior(*PRIORS)


# --- the views ----------------------------------------------------------------------------------------------


def test_who_died_and_who_had_a_fracture(followed):
    labels = np.array(followed.labels)
    assert labels[followed.fractured].tolist() == ["15", "16"]
    assert labels[followed.died].tolist() == ["5", "6", "8", "10"]
    assert followed.months.sum() == 187


def test_life_table_has_every_death_and_all_the_time(followed):
    for reading, more in (("rounded", 0.25 + 0.25), ("completed", 22 * 0.5)):
        view = followed.read_as(reading)
        table = view.life_table
        assert table["deaths"].sum() == 4 and table["at_risk"].max() <= 22
        assert 12 * view.years.sum() == pytest.approx(187 + more)  # patients 4 and 6: 0 months are a quarter
        # In the table those who died were at risk until the end of their interval, half a month longer.
        last = (12 * (view.interval[1] - view.years))[view.died].sum()
        assert 12 * (table["at_risk"] * table["width"]).sum() == pytest.approx(187 + more + last)


def test_a_fraction_of_a_month_is_refused():
    table = read_table(PROJECT, PATIENTS)
    table.loc[3, "follow_up_months"] = 1.5
    with pytest.raises(EvidenceError, match="line 5, column follow_up_months: expected a whole number"):
        follow_up(table)
    with pytest.raises(EvidenceError, match="at least one patient"):
        follow_up(table.head(0))
    with pytest.raises(EvidenceError, match="expected one of rounded, completed, found 'weeks'"):
        read_follow_up(PROJECT, "weeks")


def test_exposure_is_patients_times_mean_follow_up(evidence, followed):
    found = dict(zip(evidence.labels, 12 * evidence.exposure, strict=True))
    expected = {"Lieberman 2003": 63 * 4, "Kose 2006": 18 * 12, "Pflugmacher 2007": 26 * 24,
                "Pflugmacher 2008": 65 * 24, "Ribeirão Preto": followed.months.sum()}  # fmt: skip
    assert found == pytest.approx(expected)
    assert evidence.measure == "IRLN" and len(evidence.reported) == 1


@pytest.fixture
def follow_up_file(copied):
    """Write the table of follow-up anew, with one text in place of another."""
    path = copied.data / "outcomes" / "follow_up.csv"
    text = path.read_text(encoding="utf-8")

    def edit(old, new):
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        return copied

    return edit


KOSE = "kose2006,BKP,last,follow-up,months,,12,"


def test_a_series_without_follow_up_is_put_out_with_a_reason(counted, follow_up_file):
    found = rates_of(counted, follow_up_file(KOSE, KOSE.replace("last", "12m")))
    assert "Kose 2006" not in found.labels and found.tables.shape == (4, 4)
    assert found.excluded.iloc[-1]["reason"].startswith("no mean follow-up in months")


def test_a_follow_up_that_is_not_clear_is_an_error(counted, follow_up_file):
    row = f"{KOSE},,,,,,,,reported,,bouza2009,Table 1,\n"
    twice = follow_up_file(row, row + row.replace("follow-up", "radiographs"))
    with pytest.raises(EvidenceError, match="kose2006 has a second mean follow-up for BKP"):
        rates_of(counted, twice)
    with pytest.raises(EvidenceError, match="column mean: expected more than 0 months, found 0"):
        rates_of(counted, follow_up_file(KOSE, KOSE.replace(",12,", ",0,")))


def test_no_follow_up_at_all_is_an_error(counted):
    unknown = replace(counted, rows=counted.rows.assign(study_id=list("abcde")))
    with pytest.raises(EvidenceError, match="no mean follow-up in months for Lieberman 2003"):
        rates_of(unknown, PROJECT)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"events": [1, 2], "exposure": [3.0]}, "of one length"),
        ({"events": [1, 2], "exposure": [3.0, 0.0]}, "times greater than 0"),
        ({"events": [1.5], "exposure": [3.0]}, "a whole number of 0 or more"),
        ({"events": [1], "exposure": [3.0], "tables": [[2]]}, "what events says"),
        ({"events": [1], "exposure": [3.0], "weights": [0]}, "numbers greater than 0"),
        ({"events": [1, 2], "exposure": [3.0, 1.0], "labels": ["a", "a"]}, "2 different study names"),
    ],
)
def test_impossible_rates_are_refused(given, message):
    with pytest.raises(EvidenceError, match=message):
        rates(**given)


# --- numbers against other hands ----------------------------------------------------------------------------


def test_rates_of_the_patients_by_weighted_draws_from_the_prior(followed):
    """No quadrature and none of our likelihoods: survival functions of SciPy, draws, weights."""
    found = patients.deaths_and_fractures(followed, DEATH, FRACTURE)
    rng = np.random.default_rng(0)
    low, high = followed.interval
    for name, prior in (("log_death_rate", DEATH), ("log_fracture_rate", FRACTURE)):
        draws = prior.draw(40_000, rng)
        waiting = stats.expon(scale=np.exp(-draws)[:, None])
        if name == "log_death_rate":
            with np.errstate(divide="ignore"):  # where nobody would have lived so long
                died = np.log(waiting.sf(low) - waiting.sf(high))
            logs = np.where(followed.died, died, waiting.logsf(followed.years))
        else:
            logs = stats.bernoulli.logpmf(followed.fractured, waiting.cdf(followed.years))
        weight = special.softmax(logs.sum(axis=1))
        mean = weight @ draws
        sd = np.sqrt(weight @ (draws - mean) ** 2)
        error = 4 * sd * np.sqrt((weight**2).sum())
        assert found[name].mean == pytest.approx(mean, abs=error)
        assert found[name].sd == pytest.approx(sd, rel=0.05)


def test_a_hazard_that_cannot_change_is_the_exponential(followed):
    flat = patients.weibull(followed, DEATH, Prior.parse("LogNormal(mu=0, sigma=0.000001)"))
    constant = patients.deaths_and_fractures(followed, DEATH, FRACTURE)["log_death_rate"]
    expected = centres.alive_row(constant, 12)
    found = flat.survival(1.0)
    for name in ("mean", "median", "low", "high"):
        assert found[name] == pytest.approx(expected[name], abs=2e-3)
    early = replace(followed, died=followed.months <= 1)  # all deaths early: the hazard falls
    assert patients.weibull(early, DEATH).shapes()["p_falls"] > 0.99


def test_garwood_ends_are_where_the_tails_are():
    rate, low, high = patients.garwood(4, 15.0)
    assert rate == 4 / 15
    assert stats.poisson.sf(3, 15 * low) == pytest.approx(0.025)
    assert stats.poisson.cdf(4, 15 * high) == pytest.approx(0.025)
    assert patients.garwood(0, 2.0)[:2] == (0.0, 0.0)


def test_kaplan_meier_by_hand(followed):
    """Patient 6 of 21.5, then patient 8 of 13 + 3/2 at 2 months, 5 of 8 + 1/2, and 10 of 7."""
    found = patients.kaplan_meier(followed)
    expected = np.cumprod([1, 1 - 1 / 21.5, 1 - 1 / 14.5, 1 - 1 / 8.5, 1 - 1 / 7])
    np.testing.assert_allclose(found["alive"], expected)
    np.testing.assert_allclose(12 * found["years"], [0, 0.5, 2.5, 12.5, 13.5])


def test_the_exact_posterior_by_weighted_draws_from_the_prior(evidence, posterior):
    rng = np.random.default_rng(1)
    size, inner = 40_000, 60
    mu, tau = rng.normal(-2, 1.5, size), np.abs(rng.normal(0, 1, size))
    by_table = np.zeros((len(evidence.tables), size))
    for events, time in zip(evidence.tables.T, evidence.exposure, strict=True):
        mean = time * np.exp(rng.normal(mu, tau, (inner, size)))
        by_table += [special.logsumexp(stats.poisson.logpmf(count, mean), axis=0) for count in events]
    weight = special.softmax(special.logsumexp(by_table, axis=0))
    worth = 1 / (weight**2).sum()
    assert worth > 1000
    for name, draws in (("mu", mu), ("tau", tau)):
        mean = weight @ draws
        sd = np.sqrt(weight @ (draws - mean) ** 2)
        assert posterior.marginal(name).mean == pytest.approx(mean, abs=4.5 * sd / np.sqrt(worth))
    likely = special.softmax(special.logsumexp(by_table, axis=1))
    np.testing.assert_allclose(posterior.table_probabilities(), likely, atol=0.03)


def test_surfaces_of_tables():
    tables, time = [[0, 4], [2, 2]], [1.5, 20.0]
    mixed = exact.poisson_mixture(tables, time, [3, 1]).log_likelihood([-1.0, 0.5], [0.3])
    each = [exact.poisson(table, time).log_likelihood([-1.0, 0.5], [0.3]) for table in tables]
    np.testing.assert_allclose(
        mixed, special.logsumexp(each, axis=0, b=np.array([0.75, 0.25])[:, None, None])
    )
    with pytest.raises(InputError, match="exposure: expected one number for each of 2 studies, found 1"):
        exact.poisson_mixture(tables, [1.0])


def test_the_witness_takes_any_time_and_any_unit(evidence):
    years = glmm_rate(evidence.tables, evidence.exposure, weights=evidence.weights)
    months = glmm_rate(evidence.tables, 12 * evidence.exposure, weights=evidence.weights)
    assert years.mu - months.mu == pytest.approx(np.log(12), abs=1e-6)
    assert years.tau2 == pytest.approx(months.tau2, rel=1e-5)
    x = np.linspace(-12, 12, 4001)
    mean = np.array([1.7, 20.5])[:, None] * np.exp(-1.0 + 0.8 * x)
    by_hand = np.log(stats.poisson.pmf([[0], [4]], mean) @ stats.norm.pdf(x) * (x[1] - x[0])).sum()
    assert rate_log_likelihood([0, 4], [1.7, 20.5], -1.0, 0.8) == pytest.approx(by_hand, abs=1e-9)
    with pytest.raises(InputError, match="a whole number"):
        glmm_rate([0.5, 4], [1.7, 20.5])


def test_frequentist_rows(evidence):
    table = witnesses.frequentist(evidence)
    total = evidence.exposure.sum()
    row = table.loc[witnesses.ONE_RATE]
    assert row["estimate"] == pytest.approx(100 * 23 / total)
    assert stats.poisson.cdf(23, row["ci_high"] * total / 100) == pytest.approx(0.025)
    assert table.loc[witnesses.TWO_STAGE, "corrected"] == 1 and table.index[-1] == witnesses.GLMM


def test_shares_and_rates_are_each_others_inverse():
    shares = np.array([0.01, 0.19, 0.24, 0.9])
    for months in (6, 12, 24):
        np.testing.assert_allclose(centres.share_within(centres.log_rate_of(shares, months), months), shares)
    assert centres.share_within(np.log(0.3), 12) == pytest.approx(1 - np.exp(-0.3))
    assert centres.share_within(800.0, 12) == 1.0


def test_probability_of_a_lower_rate_is_that_of_draws(posterior):
    untreated = centres.Untreated(0.19, 0.24, 0.5)
    np.testing.assert_allclose(untreated.quantile([0.25, 0.75]), [0.19, 0.24])
    rng = np.random.default_rng(2)
    theta = posterior.mu.quantile(rng.random(100_000))
    ends = special.logit([0.19, 0.24])
    sd = np.diff(ends)[0] / 2 / stats.norm.ppf(0.75)
    share = special.expit(rng.normal(ends.mean(), sd, 100_000))
    for months in (12, 24):
        expected = np.mean(1 - np.exp(-np.exp(theta) * months / 12) < share)
        assert centres.p_lower(posterior.mu, untreated, months) == pytest.approx(expected, abs=0.006)
    with pytest.raises(InputError, match="expected 0 < low < high < 1"):
        centres.Untreated(0.24, 0.19, 0.95)


def test_mean_share_of_the_next_centre_is_that_of_draws(posterior):
    rng = np.random.default_rng(3)
    theta = posterior.theta_new.quantile(rng.random(200_000))
    expected = np.mean(1 - np.exp(-2 * np.exp(theta)))
    assert centres.share_row(posterior.theta_new, 24)["mean"] == pytest.approx(expected, abs=0.003)
    assert centres.shares_of(posterior.theta_new, 24).mean() == pytest.approx(expected, abs=0.003)


def test_which_vertebra_gives_the_prior_back():
    others = pd.DataFrame({"label": ["other"], "events": [11], "n": [72], "unit": ["procedures"]})
    own, context = (row for _, row in background.which_vertebra(1, 1, others).iterrows())
    assert own["median"] == pytest.approx(0.5) and own["width_ratio"] > 0.8
    assert own["low"] == pytest.approx(stats.beta.ppf(0.025, 2, 2)) and context["width_ratio"] < 0.2


# --- the whole answer ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(nuts.SETTINGS, "draws", 900)
        yield answer(QUESTION, PROJECT, seed=3)


def test_all_checks_pass_and_a_shifted_posterior_would_not(answered, followed):
    assert [check.name for check in answered.checks if not check.passed] == []
    assert len({check.name for check in answered.checks}) == len(answered.checks) == 8
    one_more = replace(followed, died=followed.died | (np.array(followed.labels) == "1"))
    other = patients.deaths_and_fractures(one_more, DEATH, FRACTURE)
    assert not witnesses.sampled(other, answered.fits["patients"]["posterior"].dataset).passed
    all_broken = replace(followed, fractured=followed.months > 0)
    assert not witnesses.replicated_patients(answered.fits["patients"], all_broken).passed


def test_fits_have_the_layout_of_a_fit(answered, evidence):
    for engine in ("exact", "nuts"):
        fit = answered.fits[engine]
        assert fit.attrs["measure"] == "IRLN"
        assert fit["posterior_predictive"]["events"].dims == ("chain", "draw", "study")
        assert fit["log_likelihood"]["observation"].values[0] == "Ribeirão Preto"
        np.testing.assert_allclose(fit["constant_data"]["exposure"], evidence.exposure)
        drawn = np.bincount(fit["unprinted"]["table"].values.ravel(), minlength=4)
        likely = answered.more["posterior"].table_probabilities()
        np.testing.assert_allclose(drawn / drawn.sum(), likely, atol=0.04)


def test_the_sentence_says_what_the_tables_say(answered):
    rates_table, untreated = answered.tables["rates"], answered.tables["untreated"]
    row = rates_table.loc["new fractures per 100 patient-years, typical centre"]
    text = f"{row['median']:.1f} (95 % interval {row['low']:.1f} to {row['high']:.1f}) new fractures"
    assert text in answered.sentence and "nobody was compared" in answered.sentence
    for months, p in zip((12, 24), untreated["p_typical"].iloc[[0, 2]], strict=True):
        assert f"{100 * p:.0f} % if those took {months} months" in answered.sentence
    assert next(iter(answered.tables)) == "rates"


def test_time_changes_what_is_said_at_24_months(answered):
    table = answered.tables["ignoring time"]["median"].xs("typical centre", level="centre")
    assert table["within 12 months"] < table["by the end of follow-up, no time in the model"]
    assert table["within 24 months"] > 1.5 * table["by the end of follow-up, no time in the model"]
    latent = answered.tables["latent counts"]
    assert latent.loc["Lieberman 2003", "with_time"] < latent.loc["Lieberman 2003", "without_time"]
    assert latent["with_time"].sum() == pytest.approx(21)


def test_other_times_at_risk(answered):
    cases = answered.tables["cases"]
    main, less, half = (cases["typical"].iloc[place] for place in (0, 3, 4))
    assert main < less < half
    early = cases.loc["all fractures happen in the first 12 months"]
    assert early["typical_share_24"] == early["typical_share_12"]
    assert early["typical_p_lower_24"] == early["typical_p_lower_12"]
    assert cases["typical_p_lower_24"].iloc[2] < cases["typical_p_lower_24"].iloc[0]  # the sceptic
    alive = answered.tables["patients"]["median"].xs("alive after 12 months", level="quantity")
    assert alive.idxmin() == "the 3 patients with P* had died when last seen"


def test_decisions_are_probabilities_of_the_posterior(answered, posterior):
    table = answered.decisions
    assert len(table) == 4 and table["p_patient"].isna().all()
    last = table.iloc[-1]
    assert last["claim"] == "fewer than 24 % of patients have a new fracture, within 24 months"
    assert last["p_mean"] == pytest.approx(float(posterior.cdf("mu", np.log(-np.log(0.76) / 2))), abs=1e-6)
    assert 0 < last["p_centre"] < last["p_mean"]
    assert last["expected"] == pytest.approx(
        20 * centres.share_row(posterior.theta_new, 24)["mean"], rel=1e-3
    )


def test_everybody_is_in_or_out_with_a_reason(answered):
    who = answered.who.set_index("unit")
    assert (who["status"] == "in").sum() == 5 + 22 and (who["status"] == "out").sum() == 3
    assert who.loc["patient 6", "reason"] == "0 months as printed; died"
    assert "a new fracture by then" in who.loc["patient 15", "reason"]
    assert (who["reason"] != "").all()


def test_chapter(answered):
    shown = chapter_of(answered)
    plates = [plate for part in shown.parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["forest", "incidence", "survival"]
    for plate in plates:
        assert to_svg(plate.figure, plate.name).startswith("<svg") and "nan" not in plate.alt
    for part in shown.parts:
        for table in part.tables:
            assert table.cells and not any("nan" in cell for row in table.cells for cell in row)
    text = " ".join(sentence for part in shown.parts for sentence in part.sentences)
    assert "external and not controlled" in text and "nothing can be said of it" in text


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"horizons": [12, 0.5]},
            "expected horizons to hold months, whole numbers above 0, found \\[12, 0.5\\]",
        ),
        ({"exposures": [1.5]}, "expected exposures to hold shares between 0 and 1"),
        ({"holds": []}, "expected holds to hold shares"),
        ({"long": "24"}, "expected long to be"),
        ({"longer": 24}, "unknown key 'longer'"),
    ],
)
def test_broken_options_are_named(changes, message):
    with pytest.raises(EvidenceError, match=message):
        options_of(replace(QUESTION, options=QUESTION.options | changes))


def test_a_broken_entry_is_named():
    with pytest.raises(EvidenceError, match="expected a model and a prior set, found none"):
        answer(replace(QUESTION, priors=()), PROJECT)
    with pytest.raises(EvidenceError, match="no analysis 'new_fractures'"):
        answer(replace(QUESTION, options=QUESTION.options | {"analysis": "new_fractures"}), PROJECT)
    with pytest.raises(EvidenceError, match="takes Rates, found Counts"):
        load_model("poisson_normal").check(counts([1], [20]), load_model("poisson_normal").priors)
