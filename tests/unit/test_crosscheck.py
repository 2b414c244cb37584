"""The frequentist second opinion on an analysis of the plan."""

import numpy as np
import pytest

from kyphobayes.crosscheck import crosscheck, heterogeneity, left_out
from kyphobayes.effects import effect_size
from kyphobayes.evidence import contrasts, counts, find_analysis
from kyphobayes.frequentist import glmm_proportion, pool, tau2_interval

EVENTS, N = [3, 5, 4, 0], [32, 35, 19, 22]


def test_an_analysis_of_the_plan(project):
    found = crosscheck(find_analysis(project, "new_fracture_bouza_only"), project)
    assert found.apart < 1e-9 and len(found.likelihood) == 9
    assert len(found.left_out) == 4 and list(found.exact.index) == ["typical", "new centre"]
    content = found.to_dict()
    assert content["analysis"] == "new_fracture_bouza_only" and len(content["methods"]) == 4


def test_heterogeneity_of_one_table_is_its_q_profile():
    sizes = effect_size("PLO", {"events": EVENTS, "n": N})
    expected, found = tau2_interval(sizes.y, sizes.v), heterogeneity(counts(EVENTS, N))
    assert tuple(found.loc["tau2"]) == (expected.low, expected.high)
    assert tuple(found.loc["i2"]) == (expected.i2.low, expected.i2.high)


def test_heterogeneity_of_latent_counts_spans_their_tables(latent_counts):
    singles = [heterogeneity(counts(row, latent_counts.n)) for row in latent_counts.tables]
    found = heterogeneity(latent_counts)
    assert (found["low"] == np.min([one["low"] for one in singles], axis=0)).all()
    assert (found["high"] == np.max([one["high"] for one in singles], axis=0)).all()


def test_studies_are_left_out_in_turn():
    table = left_out(counts(EVENTS, N, ["a", "b", "c", "d"]))
    without = glmm_proportion([3, 5, 0], [32, 35, 22])
    assert list(table.index) == ["a", "b", "c", "d"]
    assert table.loc["c", "tau2"] == pytest.approx(without.tau2)
    y, se = [0.1, -0.3, 0.4, 1.9], [0.2, 0.15, 0.3, 0.25]
    last = left_out(contrasts(y, se)).iloc[-1]
    assert last["estimate"] == pytest.approx(pool(y[:3], np.square(se[:3])).mu)


def test_one_study_has_neither():
    one = counts([3], [32])
    assert heterogeneity(one).empty and left_out(one).empty
