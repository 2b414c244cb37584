from dataclasses import replace
from types import SimpleNamespace

import pytest

from kyphobayes.checks.agreement import certificate
from kyphobayes.evidence import counts
from kyphobayes.report import sentences

from .conftest import simple_findings


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_a_typical_centre_reads_as_a_clinician_would_say_it():
    text = plain(sentences.typical(simple_findings(), "leaks", "levels"))
    assert text == (
        "In a typical centre the rate is 5.9 % (95 % interval 2.0 to 13.4 %): about 6 leaks per 100 levels."
    )


@pytest.mark.parametrize(
    ("median", "text"),
    [
        (0.0004, "under 0.1 %"), (0.0004, "about 4 leaks per 10\u2009000 levels"),
        (0.004, "about 4 leaks per 1000 levels"), (0.00001, "fewer than 1 per 10\u2009000 levels"),
        (0.01, "about 1 leak per 100 levels"), (1.0, "100 %"), (1.0, "about 100 leaks per 100 levels"),
    ],
)  # fmt: skip
def test_extreme_rates_stay_honest(median, text):
    assert text in plain(sentences.typical(simple_findings(median), "leaks", "levels"))


def test_the_next_centre_is_told_as_cases():
    text = plain(sentences.next_centre(simple_findings(), "leaks", "levels"))
    assert "anywhere from 0.3 to 55 %" in text
    assert "of its next 20 levels 1 leak is expected (95 %: 0 to 12)" in text
    more = simple_findings(0.11)
    assert "2 patients with pain are expected" in sentences.next_centre(
        more, "patients with pain", "patients"
    )


def test_the_decision_has_both_probabilities():
    text = plain(sentences.decision(simple_findings(), "cement leaks"))
    assert (
        text == "The probability that cement leaks is 90 % for the typical centre and 67 % for the next one."
    )


def test_the_paper_is_explained_with_its_own_words(leakage):
    text = plain(" ".join(sentences.paper(leakage)))
    assert "“a mean of approximately 6% across all levels”" in text
    assert "I² 83 %" in text
    assert "most of the differences between the observed rates are real" in text
    assert "cut off at 0" in text


def test_one_study_has_no_spread_to_talk_about(leakage):
    row = leakage.witness.assign(k=1, i2=float("nan"), pi_low=float("nan"), pi_high=float("nan"))
    single = SimpleNamespace(witness=row, main=leakage.main, scale=leakage.scale, evidence=counts([3], [40]))
    texts = sentences.paper(single)
    assert len(texts) == 1
    assert texts[0].endswith("with one study there is no I².")


def test_latent_counts_say_how_many_tables_remain(leakage, fracture):
    text = plain(" ".join(sentences.latent(leakage)))
    assert "20 tables of whole numbers" in text
    assert "force Vrionis 2005 at 0 of 128" in text
    text = plain(" ".join(sentences.latent(fracture)))
    assert "Two printed figures were left out" in text
    printed, agreeing = fracture.evidence.latent_source.left_out[0]
    assert "Of the 4 tables, none reproduces it." in sentences.left_out(printed, agreeing, 4)


def test_known_differences_between_witnesses_have_their_reason(leakage):
    two_stages = leakage.witness.iloc[:-1]  # without the likelihood of the counts, which needs no excuse
    check = certificate(leakage.fits["exact"], None, two_stages)
    texts = sentences.expected_differences(replace(leakage, checks=(check,)))
    assert sentences.expected_differences(leakage) == []
    assert len(texts) == 1
    assert "mu by 1.0 posterior sd and tau by 1.4 posterior sd" in texts[0]
    assert "0.5 was added to both cells of 3 studies" in texts[0]


def test_a_failed_check_comes_first(leakage):
    check = replace(leakage.checks[0], passed=False, text="1 of 38 comparisons disagree")
    failed = replace(leakage, checks=(check,))
    assert sentences.agreement(failed).startswith("FAILED: 1 of 38")
    assert sentences.agreement(leakage).startswith("Passed: ")
