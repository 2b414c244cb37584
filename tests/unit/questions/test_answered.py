"""Entries of the plan with a kind, and how they are answered."""

import pandas as pd
import pytest

from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.evidence import read_plan
from kyphobayes.evidence.questions import read_questions
from kyphobayes.project import Project, default_project
from kyphobayes.questions import Answered, answer, kinds

ENTRY = """
[pain]
kind = "nothing_such"
title = "Pain"
question = "How much?"
[pain.priors.mine]
mu = { prior = "Normal(mu=0, sigma=1)", why = "because" }
tau = { prior = "HalfNormal(sigma=1)", why = "because" }
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "data" / "analyses.toml").write_text(ENTRY, encoding="utf-8")
    return Project(tmp_path)


def test_an_entry_with_a_kind_is_a_question_and_no_analysis(project):
    (found,) = read_questions(project).values()
    assert (found.name, found.kind, found.title, found.options) == ("pain", "nothing_such", "Pain", {})
    (priors,) = found.priors
    assert priors.label == "mine" and str(priors["mu"]) == "Normal(mu=0, sigma=1)"
    assert priors["mu"].why == "because"
    assert read_plan(project) == {}


def test_an_unknown_kind_is_refused(project):
    with pytest.raises(EvidenceError, match=r"analyses.toml \[pain\]: no kind 'nothing_such'"):
        answer(read_questions(project)["pain"], project)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('why = "because"', 'reason = "because"', r"analyses.toml \[pain\].priors.mine.mu"),
        ("Normal(mu=0", "Normul(mu=0", "did you mean Normal"),
        ('"HalfNormal(sigma=1)"', '"Normal(mu=0, sigma=1)"', "allows negative values"),
        ('kind = "nothing_such"', 'kind = "no/such"', "name of a module"),
        ('title = "Pain"', "", "title"),
    ],
)
def test_a_broken_entry_is_named(project, old, new, message):
    text = ENTRY.replace(old, new, 1)
    assert text != ENTRY
    (project.data / "analyses.toml").write_text(text, encoding="utf-8")
    with pytest.raises((EvidenceError, PriorError), match=message):
        read_questions(project)


def test_every_kind_of_the_plan_exists_and_has_a_chapter():
    from importlib import import_module

    for question in read_questions(default_project()).values():
        assert question.kind in kinds()
        assert callable(import_module(f"kyphobayes.questions.{question.kind}").answer)
        assert callable(import_module(f"kyphobayes.report.chapters.{question.kind}").chapter)


def test_an_answer_as_plain_numbers(project):
    table = pd.DataFrame({"median": [1.5]}, index=pd.Index(["mu"], name="quantity"))
    who = pd.DataFrame({"unit": ["1"], "status": ["in"], "reason": [""]})
    answered = Answered(read_questions(project)["pain"], "So much.", {"main": table}, who)
    assert answered.passed
    assert answered.to_dict()["tables"] == {"main": [{"quantity": "mu", "median": 1.5}]}
