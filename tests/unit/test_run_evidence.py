"""Evidence that is at hand, on every scale: from arrays to checked answers and sentences."""

import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.evidence import Analysis, Decision, contrasts, rates
from kyphobayes.frequentist import glmm_rate, pool
from kyphobayes.model import load_model
from kyphobayes.priors import Priors
from kyphobayes.report.sentences import answer, paper
from kyphobayes.report.tables import priors, witness
from kyphobayes.run import run_evidence
from kyphobayes.sensitivity import crossed

# Odds ratios and standard errors of their logarithms, made up.
ODDS = np.array([0.45, 0.80, 0.62, 1.10, 0.30])
SE = np.array([0.25, 0.30, 0.40, 0.20, 0.55])
EVENTS, YEARS = np.array([0, 5, 4, 2]), np.array([30.0, 41.5, 22.0, 60.25])
SETS = [
    Priors.of("narrow", mu="Normal(mu=0, sigma=1)", tau="HalfNormal(sigma=0.5)"),
    Priors.of("wide", mu="Normal(mu=0, sigma=5)", tau="HalfNormal(sigma=2)"),
]


def asked(model: str, decision: Decision, unit: str = "") -> Analysis:
    return Analysis(
        name="mine", title="Mine", question="What is it?", outcome="mine", arm="", unit=unit,
        populations=(), studies=(), constraints="", model=model, priors="narrow", compare=("narrow", "wide"),
        decision=decision, next=(), event="events", note="",
    )  # fmt: skip


@pytest.fixture(scope="module")
def ratio():
    decision = Decision(below=1.0, words="the odds ratio lies below 1", source="no effect")
    pairs = crossed({p.label: p["mu"] for p in SETS}, {p.label: p["tau"] for p in SETS})
    return run_evidence(
        asked("normal_normal", decision), contrasts(np.log(ODDS), SE, list("abcde"), measure="OR"),
        load_model("normal_normal"), SETS, engines=("exact",), pairs=pairs,
    )  # fmt: skip


@pytest.fixture(scope="module")
def per_time():
    decision = Decision(below=5.0, words="more than 5 a year", source="made up", side="above")
    evidence = rates(EVENTS, YEARS, list("abcd"), unit="patient-years", per=100)
    mu = "Normal(mu=-2.5, sigma=1.5)"
    given = [Priors.of("narrow", mu=mu, tau="HalfNormal(sigma=1)")]
    model = load_model("poisson_normal")
    return run_evidence(
        asked("poisson_normal", decision, "patient-years"), evidence, model, given, engines=("exact",)
    )


def test_ratios_are_shown_as_ratios(ratio):
    posterior = exact.normal(np.log(ODDS), SE).posterior(SETS[0]["mu"], SETS[0]["tau"])
    row = ratio.main.estimates.loc["typical"]
    np.testing.assert_allclose(
        row[["low", "high"]], np.exp(posterior.quantile("mu", [0.025, 0.975])), rtol=1e-6
    )
    assert np.isnan(row["mean"])  # of a ratio whose logarithm has heavy tails it may be infinite
    assert ratio.main.p_typical == pytest.approx(float(posterior.cdf("mu", 0.0)), abs=1e-9)
    classic = pool(np.log(ODDS), SE**2, method="REML", test="hksj")
    shown = ratio.witness.iloc[-1]
    assert shown["estimate"] == pytest.approx(np.exp(classic.mu))
    assert shown["ci_low"] == pytest.approx(np.exp(classic.ci_low))
    assert ratio.passed
    assert ratio.fit is ratio.fits["exact"]


def test_ratios_in_words(ratio):
    text = answer(ratio)
    assert text.startswith("In a typical study the odds ratio is 0.")
    assert "Studies differ: in the next study the odds ratio may lie anywhere from" in text
    assert "%:" not in text and "per 100" not in text and "centre" not in text
    assert not any("raw proportion" in sentence for sentence in paper(ratio))
    heads = [column.head for column in priors(ratio).columns]
    assert "Typical odds ratio" in heads and "tau (log odds ratio)" in heads and "P(typical < 1)" in heads
    assert "Studies with 0.5 added" not in [column.head for column in witness(ratio).columns]
    assert ratio.sensitivity.scale.measure == "OR" and ratio.sensitivity.below == 0.0
    assert ratio.to_dict()["scale"] == {"measure": "OR", "name": "odds ratio", "unit": ""}


def test_rates_are_shown_per_time(per_time):
    posterior = per_time.model.surface(per_time.evidence).posterior(**dict(per_time.priors.items()))
    row = per_time.main.estimates.loc["new centre"]
    assert row["median"] == pytest.approx(100 * np.exp(posterior.quantile("theta_new", 0.5)), rel=1e-6)
    # The claim is that the rate lies above 5 per 100 patient-years.
    assert per_time.main.p_typical == pytest.approx(1 - float(posterior.cdf("mu", np.log(0.05))), abs=1e-9)
    best = per_time.witness.iloc[-1]
    assert best["estimate"] == pytest.approx(100 * np.exp(glmm_rate(EVENTS, YEARS).mu))
    assert per_time.witness["corrected"].tolist() == [1, 1, 0]
    assert "per 100 patient-years" in answer(per_time)
    assert per_time.sensitivity is None


def test_what_cannot_be_asked_is_refused(ratio):
    with pytest.raises(InputError, match="compared: expected at least one set of priors"):
        run_evidence(ratio.analysis, ratio.evidence, ratio.model, [])
    from dataclasses import replace

    with pytest.raises(InputError, match="next: expected none for OR"):
        run_evidence(replace(ratio.analysis, next=(20,)), ratio.evidence, ratio.model, SETS, engines=())
