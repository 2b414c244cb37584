"""The question of the next study: tables, sentence, checks, chapter and broken options."""

from dataclasses import replace

import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.questions import read_questions
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.report.canvas import to_png
from kyphobayes.report.chapters import chapter_of

SMALL = {"analyses": ["new_fracture"], "sizes": [12, 4], "certainty": 0.6}


@pytest.fixture(scope="module")
def question():
    return read_questions(default_project())["next_study"]


@pytest.fixture(scope="module")
def answered(question):
    return answer(replace(question, options=SMALL), default_project())


def test_checks_pass_and_the_sizes_are_in_order(answered):
    assert [check.name for check in answered.checks] == ["coherence", "one by one"]
    assert answered.passed
    expected = answered.tables["expected"]
    assert list(expected["n"]) == [0, 4, 12]
    assert len(answered.tables["outcomes"]) == 5 + 13
    assert (expected["least_below"] <= expected["most_below"]).all()


def test_the_chance_now_lies_within_what_it_may_become(answered):
    now, *later = answered.tables["expected"].to_dict("records")
    assert now["least_below"] == now["most_below"]
    for row in later:
        assert row["least_below"] < now["least_below"] < row["most_below"]


@pytest.mark.parametrize(
    ("certainty", "words"), [(0.6, "60\xa0% certainty would be reached is"), (0.999, "is improbable")]
)
def test_the_sentence_says_whether_the_study_would_decide(question, certainty, words):
    found = answer(replace(question, options={**SMALL, "certainty": certainty}), default_project())
    assert "Another study of 12 patients" in found.sentence and words in found.sentence


def test_everyone_is_in_or_out_with_a_reason(answered):
    assert set(answered.who["status"]) == {"in", "out"}
    assert (answered.who["reason"] != "").all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"analyses": []}, "at least one name"),
        ({"sizes": []}, "one number in sizes"),
        ({"sizes": [0]}, "from 1 to 300, found 0"),
        ({"sizes": [2.5]}, "found 2.5"),
        ({"certainty": 0.4}, "between one half and 1, found 0.4"),
        ({"size": [3]}, "did you mean 'sizes'"),
        ({"analyses": ["fractures"]}, "no analysis 'fractures'"),
    ],
)
def test_broken_options_are_named(question, changes, message):
    with pytest.raises(EvidenceError, match=message):
        answer(replace(question, options={**SMALL, **changes}), default_project())


def test_the_chapter_has_a_figure_and_a_table(answered):
    (part,) = chapter_of(answered).parts
    (plate,), (table,) = part.plates, part.tables
    assert to_png(plate.figure)[:4] == b"\x89PNG" and plate.alt and plate.caption
    assert len(table.cells) == 3 and "nan" not in " ".join(cell for row in table.cells for cell in row)
    assert table.cells[0][1] == "none (now)"
