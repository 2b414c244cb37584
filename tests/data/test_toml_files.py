"""Every prior set, constraints file and entry of the plan says what it must."""

import pytest

from kyphobayes.evidence import evidence_for, read_plan, read_priors, read_table
from kyphobayes.evidence.tables import describe
from kyphobayes.model import load_model
from kyphobayes.project import default_project
from kyphobayes.reconstruct import Constraints

PROJECT = default_project()
PLAN = read_plan(PROJECT)
SETS = sorted(path.stem for path in (PROJECT.data / "priors").glob("*.toml"))


def test_each_analysis_compares_at_least_four_prior_sets():
    assert {"weakly_informative", "vague", "sceptical", "empirical"} <= set(SETS)
    for analysis in PLAN.values():
        assert len(set(analysis.compare)) >= 4
        assert analysis.priors in analysis.compare
        assert set(analysis.compare) <= set(SETS)


@pytest.mark.parametrize("label", SETS)
@pytest.mark.parametrize("name", PLAN)
def test_each_prior_has_its_reason_and_its_source(name, label):
    model = load_model(PLAN[name].model)
    priors = read_priors(PROJECT, label, PLAN[name], "PLO")
    assert set(priors) == set(model.priors)
    for prior in priors.values():
        why, _, source = prior.why.partition(" Source: ")
        assert len(why) > 20 and len(source) > 5
        assert prior.proper


@pytest.mark.parametrize("path", sorted((PROJECT.data / "constraints").glob("*.toml")), ids=lambda p: p.stem)
def test_constraints_quote_what_the_paper_prints(path):
    constraints = Constraints.read(path)
    known = set(read_table(PROJECT, "studies.csv")["study_id"])
    assert set(constraints.studies) <= known
    assert constraints.source in set(read_table(PROJECT, "sources.csv")["source_id"])
    for figure in (*constraints.printed, *constraints.left_out):
        assert figure.words and figure.locator
    assert all(figure.why for figure in constraints.left_out)


@pytest.mark.parametrize("name", PLAN)
def test_each_analysis_has_evidence_and_says_why_the_rest_is_out(name):
    evidence = evidence_for(PLAN[name], PROJECT)
    assert evidence.k >= 4
    assert (evidence.rows["source"] != "").all() and (evidence.rows["locator"] != "").all()
    assert (evidence.excluded["reason"] != "").all()
    table = read_table(PROJECT, f"outcomes/{PLAN[name].outcome}.csv")
    assert len(evidence.rows) + len(evidence.excluded) == len(table)


def test_every_table_of_the_descriptor_reads():
    for path in describe(PROJECT):
        assert len(read_table(PROJECT, path)) > 0
