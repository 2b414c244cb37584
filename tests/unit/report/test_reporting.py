"""Methods, checklists, judgements of bias and the first table: filled from what was run, and nothing else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kyphobayes.checks import Check
from kyphobayes.evidence import read_table
from kyphobayes.evidence.questions import Question
from kyphobayes.project import default_project
from kyphobayes.questions import Answered
from kyphobayes.report.checklist import checklist, titles
from kyphobayes.report.checklist_answers import AUTHORS, NOT_DONE, REPORTED, Facts
from kyphobayes.report.document import Number
from kyphobayes.report.headlines import headlines
from kyphobayes.report.methods import answered_methods, methods
from kyphobayes.report.quality import judgements_table, read_known, studies_table
from kyphobayes.report.references import REFERENCES, cited_in
from kyphobayes.report.study_flow import flow_of
from kyphobayes.report.summary_table import of_answers, of_results, summary_table


@pytest.fixture(scope="module")
def facts(leakage):
    return Facts([leakage], ["leaks"], [], [], [flow_of(leakage)], judged=7, based=True)


def answered(kind, tables, **more):
    question = Question("asked", kind, "Asked?", "What is asked?", "", "", (), {}, ())
    who = pd.DataFrame({"unit": ["a", "b"], "status": ["in", "out"], "reason": ["", "why"]})
    return Answered(question, "The sentence.", tables, who, **more)


# -- methods ------------------------------------------------------------------------------------------------


def test_methods_say_what_was_run(leakage):
    told = methods(leakage)
    assert leakage.model.formula in told
    for priors in leakage.compared.values():
        assert str(priors["mu"]) in told and str(priors["tau"]) in told
    assert f"{leakage.main.error:.0e}" in told
    assert "20 count tables" in told and "16 pairs" in told
    assert "No-U-Turn" not in told  # nothing was sampled
    versions = leakage.fit.attrs["versions"]
    assert "PyMC" in told and versions


def test_methods_tell_a_failed_check(leakage):
    table = pd.DataFrame({"worst": [1.2]}, index=["R-hat"])
    check = Check("convergence", False, "R-hat 1.2", table)
    nuts = leakage.fit.copy()
    nuts.attrs = leakage.fit.attrs | {
        "engine": "nuts",
        "settings": '{"chains": 4, "draws": 1500}',
        "seed": "7",
    }
    told = methods(replace(leakage, fits={"nuts": nuts}, checks=(check,)))
    assert "4 chains of 1500 draws" in told and "seed 7" in told
    assert "the worst were R-hat 1.200, which FAILED" in told


def test_works_are_listed_if_they_are_cited(leakage):
    found = cited_in([methods(leakage)])
    assert REFERENCES["Hamza et al. 2008"] in found
    assert REFERENCES["Hoffman and Gelman 2014"] not in found
    for name, full in REFERENCES.items():
        assert name.split()[0].rstrip(",") in full
        assert name[-4:] in full


def test_methods_of_a_question(leakage):
    told = answered_methods(
        answered("next_study", {}, checks=(Check("coherence, NUTS", True, "fine", pd.DataFrame()),))
    )
    assert "What is asked?" in told and "Coherence, NUTS: fine." in told


# -- checklists ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(titles()))
def test_every_item_has_a_status_and_a_reason(facts, name):
    numbers = {
        anchor: Number(f"Section {i}", anchor)
        for i, anchor in enumerate(["methods", "leaks-priors", "sources"])
    }
    table = checklist(name, facts, numbers)
    frame = table.frame
    assert set(frame["status"]) <= {REPORTED, NOT_DONE, AUTHORS}
    assert frame["item"].is_unique
    reasons = frame.loc[frame["status"] == NOT_DONE, "answer"]
    assert reasons.str.contains("because").all()
    assert (frame["answer"].str.len() > 10).all()
    assert len(table.cells) == len(frame)


def test_items_are_as_many_as_the_guidelines_have(facts):
    sizes = {name: len(checklist(name, facts, {}).frame) for name in titles()}
    assert sizes == {"barg": 32, "robust": 7, "prisma": 42, "moose": 35}


def test_software_does_not_claim_what_it_cannot_know(facts):
    prisma = checklist("prisma", facts, {}).frame.set_index("item")
    for item in ("1", "3", "6", "7", "8", "15", "24a", "26"):
        assert prisma.loc[item, "status"] == AUTHORS


def test_answers_follow_what_was_run(facts, leakage):
    barg = checklist("barg", facts, {}).frame.set_index("item")
    assert barg.loc["2B", "status"] == NOT_DONE and "integrated" in barg.loc["2B", "answer"]
    assert "16 pairs" in barg.loc["5A", "answer"]
    alone = replace(leakage, compared={leakage.priors.label: leakage.priors}, sensitivity=None)
    bare = Facts([alone], ["leaks"], [], [], [flow_of(alone)])
    barg = checklist("barg", bare, {}).frame.set_index("item")
    assert barg.loc["5A", "status"] == NOT_DONE and barg.loc["1E", "status"] == NOT_DONE
    assert checklist("prisma", bare, {}).frame.set_index("item").loc["18", "status"] == AUTHORS


def test_places_are_linked_where_the_report_has_them(facts):
    cell = checklist("barg", facts, {"methods": Number("Section 9", "methods")}).cells
    assert '<a href="#methods">Section 9</a>' in cell[3][3]
    assert cell[0][3] == "–"


# -- judgements of bias -------------------------------------------------------------------------------------


def test_judgements_are_as_printed(leakage):
    project = default_project()
    known = read_known(project)
    table = studies_table(leakage, known)
    bias = read_table(project, "risk_of_bias.csv")
    for _, row in bias.iterrows():
        own = table.frame.set_index("study_id")
        assert own.loc[row["study_id"], row["item"]] == row["judgement"]
    cells = " ".join(cell for row in table.cells for cell in row)
    assert 'class="sign no"' in cells and ">N</span>" in cells and 'class="sign unsure"' in cells
    assert "Of 9 studies 2 were not judged" in table.note
    judged = judgements_table(leakage, known, {})
    assert len(judged.frame) == len(bias)


def test_without_tables_there_are_no_judgements(leakage, made_up):
    assert studies_table(leakage, None) is None and judgements_table(leakage, None, {}) is None
    assert studies_table(made_up, read_known(default_project())) is None


# -- the first table ----------------------------------------------------------------------------------------


def test_a_line_has_the_numbers_of_its_result(leakage):
    lines = of_results([leakage], ["leaks"])
    table = summary_table(lines, {"leaks": Number("Section 4", "leaks")})
    row = table.frame.iloc[0]
    assert row["median"] == leakage.main.estimates.loc["typical", "median"]
    assert row["next_high"] == leakage.main.estimates.loc["new centre", "high"]
    assert (row["p_typical"], row["p_next"]) == (leakage.main.p_typical, leakage.main.p_new)
    assert row["agreement"] == "pass"
    cells = table.cells[0]
    assert '<a href="#leaks">4 ' in cells[0] and "90\u00a0%" in cells[4] and "67\u00a0%" in cells[4]


def test_a_kind_without_a_headline_has_its_sentence():
    made = answered("unheard_of", {})
    assert headlines(made)[0].what == "The sentence."
    lines = of_answers([made], ["asked"])
    table = summary_table(lines, {"asked": Number("Section 5", "asked")})
    assert table.cells[0][2:5] == ["–", "–", "–"] and lines[0].agreement == "not checked"


def test_headlines_of_a_comparison():
    answer = pd.DataFrame(
        {"median": [0.5, 0.4], "low": [0.1, 0.05], "high": [1.5, 3.0]},
        index=["odds ratio, typical centre", "odds ratio, next centre"],
    )
    sets = pd.DataFrame({"p_fewer_typical": [0.9, 0.8, 0.4]}, index=["main", "wide", "sceptical"])
    claim = pd.DataFrame([{"claim": "fewer <b>", "p_mean": 0.9, "p_centre": 0.8, "p_patient": np.nan}])
    made = answered("arm_comparison", {"answer": answer, "prior_sets": sets}, decisions=claim)
    (line,) = headlines(made)
    assert line.typical == (0.5, 0.1, 1.5) and line.following == (0.4, 0.05, 3.0)
    assert (line.p_typical, line.p_next, line.robustness.word) == (0.9, 0.8, "depends on the prior")
    failed = replace(made, checks=(Check("agreement", False, "", pd.DataFrame()),))
    table = summary_table(of_answers([failed], ["asked"]), {"asked": Number("Section 5", "asked")})
    assert "fewer &lt;b&gt;" in table.cells[0][4] and table.cells[0][6] == "FAIL"
