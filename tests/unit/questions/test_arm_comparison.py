"""Kyphoplasty against vertebroplasty: numbers against other hands, refusals, the chapter. One fit for all."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from typer.testing import CliRunner

from kyphobayes import exact
from kyphobayes.cli import app
from kyphobayes.comparison import numbers, witnesses
from kyphobayes.errors import EvidenceError, InputError, PriorError
from kyphobayes.evidence import two_arms
from kyphobayes.evidence.questions import read_questions
from kyphobayes.questions import answer
from kyphobayes.report.canvas import to_svg
from kyphobayes.report.chapters import chapter_of

NAME = "kyphoplasty_or_vertebroplasty"
COUNTS = ([0, 0, 4], [32, 22, 19], [6, 0, 5], [65, 26, 18])
PRIORS = ("Normal(mu=0, sigma=1.5)", "Tau2(LogNormal(mu=-1.69, sigma=1.68))")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def answered(project, out):
    return answer(read_questions(project)[NAME], project, seed=3, out=out)


@pytest.fixture(scope="module")
def evidence():
    return two_arms(*COUNTS, ["a", "b", "c"], arms=("BKP", "VP"), unit="levels")


@pytest.fixture(scope="module")
def posterior(evidence):
    return exact.two_arms(*COUNTS, baseline="Normal(-2, 1.2)", labels=evidence.labels).posterior(*PRIORS)


# --- numbers ------------------------------------------------------------------------------------------------


def importance(size=40_000, inner=60):
    """The main posterior by weighting draws from the prior: no gradients, no quadrature.

    Each study's likelihood is a mean over draws of its own effect and baseline, which leaves the weights
    right on average.
    """
    rng = np.random.default_rng(5)
    tau = np.exp(rng.normal(-1.69, 1.68, size) / 2)
    mu, middle, spread = rng.normal(0, 1.5, size), rng.normal(-2, 1.2, size), np.abs(rng.normal(0, 1, size))
    log_weight = np.zeros(size)
    for y1, n1, y2, n2 in zip(*COUNTS, strict=True):
        theta, baseline = rng.normal(mu, tau, (inner, size)), rng.normal(middle, spread, (inner, size))
        one, two = baseline + theta / 2, baseline - theta / 2
        logs = y1 * one - n1 * np.logaddexp(0, one) + y2 * two - n2 * np.logaddexp(0, two)
        log_weight += special.logsumexp(logs, axis=0)
    weight = special.softmax(log_weight)
    typical = 100 * (special.expit(middle + mu / 2) - special.expit(middle - mu / 2))
    return weight, mu < 0, typical


def test_the_main_result_is_that_of_weighted_draws_from_the_prior(answered):
    weight, fewer, typical = importance()
    worth = 1 / (weight**2).sum()
    assert worth > 1000
    row = answered.tables["answer"].loc["difference per 100, typical centre"]
    p, mean = weight @ fewer, weight @ typical
    sd = np.sqrt(weight @ (typical - mean) ** 2)
    error = 4 * np.sqrt(1 / worth + 1 / 1500)  # of NUTS there are more than 1500 effective draws
    assert row["p_fewer"] == pytest.approx(p, abs=error * np.sqrt(p * (1 - p)))
    assert row["mean"] == pytest.approx(mean, abs=error * sd)
    assert answered.tables["answer"].loc["odds ratio, typical centre", "p_fewer"] == row["p_fewer"]


def test_the_exact_row_is_the_exact_posterior(answered, posterior):
    row = answered.tables["prior_sets"].loc["free"]
    assert row["p_fewer_typical"] == pytest.approx(float(posterior.cdf("mu", 0.0)), abs=1e-8)
    assert row["odds_ratio"] == pytest.approx(np.exp(posterior.quantile("mu", 0.5)), rel=1e-7)


def test_a_study_without_events_keeps_its_row_and_counts_for_neither(answered):
    """With the baseline shared by both arms its own odds ratio stays near 1."""
    row = answered.tables["studies"].loc["Kose 2006"]
    assert (row["events_1"], row["events_2"]) == (0, 0)
    assert 0.8 < row["alone"] < 1.25
    sets = answered.tables["prior_sets"]["p_fewer_typical"]
    assert sets["baseline_of_arm_2"] > sets["free"]


def test_equal_arms_favour_neither():
    post = exact.two_arms([3, 0], [30, 20], [3, 0], [30, 20], baseline="Normal(-2, 1.2)").posterior(*PRIORS)
    found = numbers.effects(post, 0.1)
    assert found["p_fewer_typical"] == pytest.approx(0.5, abs=1e-6)
    assert found["odds_ratio"] == pytest.approx(1.0, abs=1e-6)


def test_the_difference_at_a_rate_is_the_odds_ratio_in_other_words(posterior):
    found = numbers.difference_at(posterior.mu, 0.1)
    odds = 0.1 / 0.9 * np.exp(posterior.quantile("mu", 0.5))
    assert found["median"] == pytest.approx(100 * (odds / (1 + odds) - 0.1), rel=1e-9)
    assert found["low"] < found["median"] < found["high"]
    with pytest.raises(InputError, match="rate: expected a share"):
        numbers.difference_at(posterior.mu, 1.0)


def test_frequentist_answers(evidence, posterior):
    """Mantel-Haenszel by hand: R = sum a d / N and S = sum b c / N over the studies with events."""
    table = witnesses.frequentist(evidence, posterior)
    r = 0 * 59 / 97 + 4 * 13 / 37
    s = 32 * 6 / 97 + 15 * 5 / 37
    assert table.loc["Mantel–Haenszel, odds ratio", "estimate"] == pytest.approx(r / s, rel=1e-12)
    excess = (0 - 6 * 32 / 97) + (4 - 9 * 19 / 37)
    v = 32 * 65 * 6 * 91 / (97**2 * 96) + 19 * 18 * 9 * 28 / (37**2 * 36)
    assert table.loc["Peto", "estimate"] == pytest.approx(np.exp(excess / v), rel=1e-12)
    assert list(table["k"]) == [2, 2, 2, 2, 3]


def test_a_method_without_an_answer_says_why():
    counts = ([0, 0], [20, 30], [2, 1], [20, 30])
    post = exact.two_arms(*counts, baseline="Normal(-2, 1.2)").posterior(*PRIORS)
    table = witnesses.frequentist(two_arms(*counts), post)
    assert np.isnan(table.loc["Mantel–Haenszel, odds ratio", "estimate"])
    assert "a cell is zero" in table.loc["Mantel–Haenszel, odds ratio", "remark"]
    assert np.isfinite(table.loc["Peto", "estimate"])


def test_one_comparison_of_one_study(answered):
    table = answered.tables["one_study"]
    place = stats.beta.ppf((np.arange(100_000) + 0.5) / 1e5, 6.5, 59.5)
    assert table["p_fewer"].iloc[0] == pytest.approx(stats.beta.cdf(place, 0.5, 32.5).mean(), abs=1e-5)
    assert table["difference"].iloc[1] == pytest.approx(100 * (1 / 34 - 7 / 67), rel=1e-12)
    below = np.prod([(65 - i) / (97 - i) for i in range(6)])  # all six leaks among the 65: hypergeometric
    assert table["fisher"].iloc[0] >= below


def test_the_checks_pass_and_can_fail(answered, posterior):
    assert answered.passed
    assert [check.name for check in answered.checks] == [
        "convergence, exchangeable", "convergence, free", "agreement", "posterior predictive",
    ]  # fmt: skip
    shifted = exact.two_arms(*COUNTS, baseline="Normal(-2, 1.2)").posterior("Normal(0.5, 1.5)", PRIORS[1])
    assert not witnesses.agreement(shifted, answered.fits["free"]).passed
    many = two_arms([30, 20, 4], *COUNTS[1:], ["a", "b", "c"], arms=("BKP", "VP"))
    check = witnesses.predictive(answered.fits["exchangeable"], many)
    assert not check.passed and "all events, BKP" in check.text


def test_sentence_says_what_the_table_says(answered):
    row = answered.tables["answer"].loc["odds ratio, typical centre"]
    assert f"{100 * row['p_fewer']:.0f} % in a typical centre" in answered.sentence
    assert f"{row['low']:.2f} to {row['high']:.2f}" in answered.sentence


# --- refusals -----------------------------------------------------------------------------------------------


def broken(project, **changes):
    question = read_questions(project)[NAME]
    if "single" in changes:
        changes = {"options": question.options | changes}
    return dataclasses.replace(question, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"single": "lane2004"}, "'lane2004' \\(single\\) is not compared"),
        ({"model": ""}, "expected a model"),
    ],
)
def test_a_broken_entry_is_named(project, changes, message):
    with pytest.raises(EvidenceError, match=message):
        answer(broken(project, **changes), project)


def test_prior_sets_must_be_of_both_kinds(project):
    main, free, *_ = read_questions(project)[NAME].priors
    for sets, message in (
        ((main,), "exchangeable baselines and one with free"),
        ((free, main), "the main set needs a prior for tau_baseline"),
        ((main, main), "only the main set"),
    ):
        with pytest.raises(EvidenceError, match=message):
            answer(broken(project, priors=sets), project)
    without = type(free)(tuple(entry for entry in free.entries if entry[0] != "baseline"), "short")
    with pytest.raises(PriorError, match="no prior for baseline"):
        answer(broken(project, priors=(main, without)), project)


# --- what people see ----------------------------------------------------------------------------------------


def test_chapter(answered):
    shown = chapter_of(answered)
    headings = [part.heading for part in shown.parts]
    assert headings == [
        "", "One comparison of one study: Fourney 2003", "Do the priors matter?", "Does one study decide it?",
    ]  # fmt: skip
    (plate,) = shown.parts[0].plates
    svg = to_svg(plate.figure, plate.name)
    assert svg.startswith("<svg") and "nan" not in plate.alt
    for part in shown.parts:
        for table in part.tables:
            assert all("nan" not in cell for row in table.cells for cell in row)
    text = " ".join(shown.parts[0].sentences)
    assert "Kose 2006 had no leaks in either arm" in text
    one = " ".join(shown.parts[1].sentences)
    assert "“9 % against 0 %”" in one and "6 of 65" in one and "0 of 32" in one


def test_command_line_finds_the_fits_again_and_says_the_same(answered, out):
    fits = {path.name: path.stat().st_mtime_ns for path in (out / "fits").iterdir()}
    done = CliRunner().invoke(app, ["fit", NAME, "--out", str(out), "--seed", "3", "--json"])
    assert done.exit_code == 0
    assert {path.name: path.stat().st_mtime_ns for path in (out / "fits").iterdir()} == fits
    shown = json.loads(done.stdout)
    assert shown["answer"] == answered.sentence
    for name, table in answered.tables.items():
        written = pd.read_csv(out / "tables" / f"{NAME}-{name}.csv", index_col=0, keep_default_na=True)
        expected = table.select_dtypes("number")
        np.testing.assert_allclose(
            written[expected.columns].to_numpy(float), expected.to_numpy(float), rtol=1e-12
        )
