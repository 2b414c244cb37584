"""Every way a table, plan, prior set or constraints file can be wrong gives one clear sentence.

A sentence is clear if it names the file, the place in it, what was expected and what was found.
"""

import re

import pytest

from kyphobayes.errors import EvidenceError, KyphobayesError, PriorError
from kyphobayes.evidence import evidence_for, find_analysis, read_priors
from kyphobayes.evidence.questions import read_questions
from tests.unit.evidence.breaks import PLAN, TABLE, Break, constraints, plan, prior_sets, tables


def by_name(breaks):
    return pytest.mark.parametrize("broken", breaks, ids=[b.name for b in breaks])


def sentence_of(error, words):
    """Check that a message is one sentence that says all it must."""
    message = str(error.value)
    assert "\n" not in message
    assert not re.search(r"Traceback|object at 0x|<class", message)
    assert [w for w in words if w not in message] == [], message


@by_name(tables.BREAKS + plan.BREAKS + constraints.BREAKS)
def test_evidence(broken, copied):
    broken.apply(copied.data)
    with pytest.raises(EvidenceError) as error:
        evidence_for(find_analysis(copied, "cement_leakage"), copied)
    sentence_of(error, broken.words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[patient_pain.priors.vague]", '[patient_pain.priors."../vague"]', ("patient_pain", "'../vague'")),
        ("[next_study]", '["../up"]', ("[../up]", "letters, digits, - and _")),
    ],
)
def test_questions_whose_names_lead_into_another_folder(old, new, words, copied):
    Break("", PLAN, (), old, new).apply(copied.data)
    with pytest.raises(EvidenceError) as error:
        read_questions(copied)
    sentence_of(error, words)


@by_name(prior_sets.BREAKS)
def test_priors(broken, copied):
    broken.apply(copied.data)
    with pytest.raises((EvidenceError, PriorError)) as error:
        read_priors(copied, "weakly_informative", find_analysis(copied, "cement_leakage"), "PLO")
    sentence_of(error, broken.words)


def test_two_printed_counts_above_the_printed_total(copied):
    """The figure that cannot be met is named, whatever the number of tables left when it is reached."""
    for old, new in (
        ("fourney2003,BKP,post,levels,0,32", "fourney2003,BKP,post,levels,30,32"),
        ("kose2006,BKP,post,levels,0,22", "kose2006,BKP,post,levels,20,22"),
    ):
        Break("", TABLE, (), old, new).apply(copied.data)
    with pytest.raises(EvidenceError) as error:
        evidence_for(find_analysis(copied, "cement_leakage"), copied)
    sentence_of(error, ("Cement leaks by study", "no table of counts agrees"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("cement_leak", "did you mean 'cement_leakage'?"), ("zzz", "expected one of cement_leakage")],
)
def test_unknown_analysis(name, hint, project):
    with pytest.raises(EvidenceError) as error:
        find_analysis(project, name)
    sentence_of(error, (repr(name), PLAN, hint))


def test_unknown_prior_set(project):
    with pytest.raises(PriorError, match="did you mean 'sceptical'"):
        read_priors(project, "skeptical", find_analysis(project, "cement_leakage"), "PLO")


def test_the_files_are_right_before_they_are_broken(copied):
    """Otherwise every test above would pass for a reason of its own."""
    analysis = find_analysis(copied, "cement_leakage")
    assert evidence_for(analysis, copied).k == 9
    assert set(read_priors(copied, "weakly_informative", analysis, "PLO")) == {"mu", "tau"}
    assert issubclass(EvidenceError, KyphobayesError) and issubclass(EvidenceError, ValueError)
