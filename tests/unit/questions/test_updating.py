"""The question of updating: tables, sentence, checks, chapter and broken options."""

from dataclasses import replace

import numpy as np
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.questions import read_questions
from kyphobayes.priors import Priors
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.report.canvas import to_png
from kyphobayes.report.chapters import chapter_of

SMALL = {
    "analyses": ["new_fracture_bouza_only"],
    "series": "ribeirao_preto",
    "weights": [0, 0.5, 1],
    "kappas": [0, 1],
}


@pytest.fixture(scope="module")
def question():
    return read_questions(default_project())["updating"]


@pytest.fixture(scope="module")
def answered(question):
    return answer(replace(question, options=SMALL), default_project())


def test_the_plan_asks_about_leaks_and_fractures(question):
    assert question.options["series"] == "ribeirao_preto"
    assert len(question.options["analyses"]) == 2


def test_every_check_passes_and_shows_its_figures(answered):
    assert [check.name for check in answered.checks] == ["sequence", "prediction", "mixture"]
    assert answered.passed
    assert all(len(check.table) for check in answered.checks)


def test_tables_agree_with_each_other(answered):
    tables = answered.tables
    assert next(iter(tables)) == "foreseen"
    first = tables["foreseen"].iloc[0]
    assert (first["seen"], first["n"]) == (2, 22)
    assert list(tables["foreseen"]["priors"]) == ["weakly_informative", "vague", "sceptical", "empirical"]
    known = tables["known"].set_index(["who", "when"])
    relaxed, off = tables["relaxed"], tables["commensurate"].set_index("kappa")
    alike, unlike = (relaxed[relaxed["weight"] == w].iloc[0] for w in (0, 1))
    after, before = known.loc[("typical", "after")], known.loc[("typical", "before")]
    last = tables["cumulative"].iloc[-1]
    for end in ("median", "low", "high"):
        same = (alike[f"typical_{end}"], off.loc[0.0, f"typical_{end}"], last[f"typical_{end}"])
        np.testing.assert_allclose(same, after[end], rtol=1e-6)
        assert unlike[f"typical_{end}"] == pytest.approx(before[end], rel=1e-6)
    assert not any(
        frame.select_dtypes("number").drop(columns="year", errors="ignore").isna().any(axis=None)
        for frame in tables.values()
    )


def test_the_sentence_says_foreseen_seen_and_known(answered):
    low, high = answered.more["updates"][0].main.prediction.interval()
    assert f"{low} to {high} patients with a new fracture were foreseen" in answered.sentence
    assert "2 were seen: no surprise" in answered.sentence
    assert "typical rate is now" in answered.sentence


def test_everyone_is_in_or_out_with_a_reason(answered):
    who = answered.who
    assert set(who["status"]) == {"in", "out"}
    assert (who["reason"] != "").all()
    (last,) = who[who["reason"] == "the later series"]["unit"]
    assert last.startswith("Ribeirão Preto")


def test_the_same_question_has_the_same_answer(question, answered):
    again = answer(replace(question, options=SMALL), default_project(), seed=5)
    for name, table in answered.tables.items():
        assert table.equals(again.tables[name])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"analyses": []}, "at least one analysis"),
        ({"weights": []}, "weights to hold at least one number"),
        ({"weights": [0.2, 2]}, "weights to hold numbers from 0 to 1, found 2"),
        ({"weights": [True]}, "found True"),
        ({"kappas": [-1]}, "kappas to hold numbers from 0 to 10, found -1"),
        ({"wieghts": [1]}, "did you mean 'weights'"),
        ({"series": 3}, "expected series to be text"),
        ({"analyses": ["new_fractures"]}, "no analysis 'new_fractures'"),
    ],
)
def test_broken_options_are_named(question, changes, message):
    with pytest.raises(EvidenceError, match=message):
        answer(replace(question, options={**SMALL, **changes}), default_project())


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ((), "expected a set with vague"),
        ((Priors.of("mine", vague="HalfNormal(sigma=1)"),), "vague ~ HalfNormal"),
        ((Priors.of("mine", mu="Normal(mu=0, sigma=1)"),), "mu ~ Normal"),
    ],
)
def test_broken_priors_are_named(question, sets, message):
    with pytest.raises(EvidenceError, match=message):
        answer(replace(question, options=SMALL, priors=sets), default_project())


def test_the_chapter_shows_every_table_and_three_figures(answered):
    chapter = chapter_of(answered)
    plates = [plate for part in chapter.parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["foreseen", "cumulative", "relaxed"]
    assert all(plate.alt and plate.caption for plate in plates)
    assert all(to_png(plate.figure)[:4] == b"\x89PNG" for plate in plates)
    shown = {table.name for part in chapter.parts for table in part.tables}
    assert shown == set(answered.tables) - {"map"}
    for part in chapter.parts:
        for table in part.tables:
            cells = [cell for row in table.cells for cell in row]
            assert len(table.cells) == len(table.frame) and "nan" not in " ".join(cells)


def test_the_fall_of_pain_is_held_against_the_printed_line(question):
    small = replace(question, options={**SMALL, "line": "vas_post"})
    found = answer(small, default_project())
    row = found.tables["pain"].iloc[0]
    assert row["seen"] == pytest.approx(5.5, abs=0.1)  # (8.73 - 1.73) / 1.26, as if two groups of 22
    assert row["low"] < row["expected"] < row["high"]
    assert "standardised fall of pain of 22 patients" in found.sentence
    assert "pain" in [table.name for part in chapter_of(found).parts for table in part.tables]


@pytest.mark.parametrize(
    ("line", "message"),
    [("vas_pots", "no line 'vas_pots'.*did you mean 'vas_post'"), ("odi_post", "found odi_post")],
)
def test_a_line_of_another_kind_is_refused(question, line, message):
    with pytest.raises(EvidenceError, match=message):
        answer(replace(question, options={**SMALL, "line": line}), default_project())
