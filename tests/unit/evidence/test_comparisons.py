"""Which studies compare two treatments, and why the other rows are out."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import two_arms
from kyphobayes.evidence.comparisons import comparisons, read_comparison, with_instead
from kyphobayes.evidence.questions import read_questions

NAME = "kyphoplasty_or_vertebroplasty"
TABLE = "outcomes/cement_leakage.csv"


def selected(project, **options):
    question = read_questions(project)[NAME]
    question = dataclasses.replace(question, options=question.options | options)
    return comparisons(question, read_comparison(question), project)


def test_the_three_studies_with_both_arms(project):
    view, who = selected(project)
    assert view.labels == ("Fourney 2003", "Kose 2006", "La Maida 2012")
    np.testing.assert_array_equal(view.counts, [[0, 0, 4], [32, 22, 19], [6, 0, 5], [65, 26, 18]])
    assert view.arms == ("BKP", "VP") and view.unit == "levels" and view.measure == "OR"
    assert list(view.rows["source"]) == ["fourney2003_abstract", "bouza2009", "lamaida2012_abstract"]
    lines = (project.data / TABLE).read_text(encoding="utf-8").splitlines()
    assert len(who) == len(lines) - 1  # every row is in or out
    assert (who["status"] == "in").sum() == 6 and len(view.excluded) == len(who) - 6


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        ("Lieberman 2003, BKP", "no VP arm counted in levels in the same study"),
        ("Markmiller 2015, BKP", "counted in patients, not in levels"),
        ("Pusceddu 2023, SpineJack", "treatment is SpineJack, neither BKP nor VP"),
        ("Kyphoplasty in 78 patients, BKP", "population is mixed incl osteoporosis"),
    ],
)
def test_what_is_out_has_its_reason(project, unit, reason):
    _, who = selected(project)
    row = who.set_index("unit").loc[unit]
    assert row["status"] == "out" and reason in row["reason"]


def test_the_arms_are_taken_in_the_order_of_the_plan(project):
    view, _ = selected(project, arms=["VP", "BKP"])
    np.testing.assert_array_equal(view.events_1, [6, 0, 5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arms": ["BKP"]}, "two treatments"),
        ({"arms": ["BKP", "BKP"]}, "two treatments"),
        ({"populations": ["myelom"]}, "did you mean 'myeloma'"),
        ({"outcome": "pain"}, "no table of counts"),
        ({"unit": "patients"}, "no study in data/outcomes/cement_leakage.csv"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"instead": [{"study": "a", "arm": "XP", "events": 1, "why": "w"}]}, r"instead\[0\]: no arm 'XP'"),
        (
            {"instead": [{"study": "a", "arm": "VP", "events": 1.5, "why": "w"}]},
            "events to be a whole number",
        ),
    ],
)
def test_a_broken_option_is_named(project, options, message):
    with pytest.raises(EvidenceError, match=message):
        selected(project, **options)


def edited(project, old, new):
    path = project.data / TABLE
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return selected(project)


def test_a_count_that_is_not_printed_takes_both_arms_out(copied):
    view, who = edited(
        copied,
        "kose2006,VP,post,levels,0,26,any cement leak,reported,",
        "kose2006,VP,post,levels,,26,any cement leak,latent,constraints/cement_leakage.toml",
    )
    assert view.labels == ("Fourney 2003", "La Maida 2012")
    assert set(who.loc[who["unit"].str.startswith("Kose"), "reason"]) == {
        "the count of one arm is not printed"
    }


def test_of_comparisons_that_share_patients_the_larger_enters(copied):
    path = copied.data / "studies.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[table["study_id"] == "kose2006", "overlaps_with"] = "fourney2003"
    table.to_csv(path, index=False)
    view, who = selected(copied)
    assert view.labels == ("Fourney 2003", "La Maida 2012")
    assert "shares patients with fourney2003" in who.set_index("unit").loc["Kose 2006, VP", "reason"]


def test_a_second_row_of_one_arm_is_refused(copied):
    path = copied.data / TABLE
    lines = path.read_text(encoding="utf-8").splitlines()
    again = next(line for line in lines if line.startswith("fourney2003,VP")).replace(",post,", ",last,")
    path.write_text("\n".join([*lines, again]) + "\n", encoding="utf-8")
    with pytest.raises(EvidenceError, match="fourney2003 has more than one VP row"):
        selected(copied)


def test_another_count_changes_one_number(project):
    question = read_questions(project)[NAME]
    asked = read_comparison(question)
    view, _ = comparisons(question, asked, project)
    other = with_instead(view, asked.instead[0])
    np.testing.assert_array_equal(other.events_2, [6, 1, 5])
    np.testing.assert_array_equal(other.events_1, view.events_1)
    assert other.digest != view.digest
    with pytest.raises(EvidenceError, match="is not compared"):
        with_instead(view, dataclasses.replace(asked.instead[0], study="lane2004"))
    with pytest.raises(EvidenceError, match="from 0 to n"):
        with_instead(view, dataclasses.replace(asked.instead[0], events=27))


@pytest.mark.parametrize(
    ("counts", "labels", "message"),
    [
        (([1], [0], [1], [2]), None, r"n_1\[0\]: expected a whole number of 1 or more, found 0"),
        (([1], [2], [3], [2]), None, r"events_2\[0\]: expected a whole number from 0 to n, found 3"),
        (([1, 1], [2, 2], [1], [2]), None, "four lists of one length"),
        (([], [], [], []), None, "four lists of one length"),
        (([1, 1], [2, 2], [1, 1], [2, 2]), ["a", "a"], "2 different study names"),
        (([np.nan], [2], [1], [2]), None, "whole number from 0 to n"),
    ],
)
def test_counts_at_hand_are_checked(counts, labels, message):
    with pytest.raises(EvidenceError, match=message):
        two_arms(*counts, labels)
