"""Claims that decisions hang on, and the thresholds that they are about."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes.decisions import decision, decisions, number_in_next
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import find_threshold, read_thresholds


def test_every_threshold_is_cited_or_called_a_convention(project):
    found = read_thresholds(project)
    assert found["vas_change_low"].cited == "bouza2009, Discussion"
    assert found["leak_rate"].cited == "a convention of this project"
    assert found["leak_rate"].claim == "cement leaks in fewer than 10 % of levels"
    assert found["odi_change_low"].claim == "disability (ODI) falls by 10 points or more"


def test_an_unknown_threshold_names_the_nearest(project):
    with pytest.raises(EvidenceError, match=r"no threshold 'leak_rat'.*did you mean 'leak_rate'"):
        find_threshold(project, "leak_rat")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('source = "ostelo2008"', 'source = "nobody2008"', r"\[odi_change_low\]: no source 'nobody2008'"),
        ("value = 0.10", "value = 10", r"\[leak_rate\]: expected a finite value, a share"),
        ("A convention of this project, one half", "Because", "why that calls it a convention"),
        ('unit = "share"', 'units = "share"', "unit"),
    ],
)
def test_a_broken_threshold_is_named(copied, old, new, message):
    path = copied.data / "thresholds.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EvidenceError, match=message):
        read_thresholds(copied)


def test_the_number_in_the_next_cases_is_binomial_for_a_known_probability():
    mean, low, high = number_in_next([0.3] * 5)
    assert mean == pytest.approx(6)
    assert (low, high) == tuple(stats.binom.ppf([0.025, 0.975], 20, 0.3))


def test_not_knowing_the_probability_widens_the_interval():
    _, low, high = number_in_next(np.linspace(0.01, 0.99, 99))
    assert low == 0 and high == 20


def test_a_row_has_the_claim_its_source_and_what_is_known(project):
    row = decision(
        find_threshold(project, "leak_rate"),
        mean=0.9,
        centre=0.7,
        next_cases=[0.1],
        of="levels",
        note="Bouza",
    )
    table = decisions([row])
    assert table.loc[0, "claim"] == "cement leaks in fewer than 10 % of levels, Bouza"
    assert table.loc[0, "expected"] == pytest.approx(2) and np.isnan(table.loc[0, "p_patient"])
    with pytest.raises(InputError, match=r"centre: expected a probability, found 1\.5"):
        decision("a claim", centre=1.5)
