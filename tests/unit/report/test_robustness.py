"""The word on priors, by its stated rule."""

import numpy as np
import pytest

from kyphobayes.report.robustness import (
    ALONE,
    DECIDED,
    DEPENDS,
    ROBUST,
    RULE,
    of_chances,
    of_medians,
    robustness_of,
)


@pytest.mark.parametrize(
    ("chances", "word", "same"),
    [
        ([0.9], ALONE, 1),
        ([0.9, 0.8, 0.85], ROBUST, 3),
        ([0.9, 0.64], DEPENDS, 2),  # the same conclusion, but the probability moves by more than 25 points
        ([0.9, 0.9, 0.4], DEPENDS, 2),
        ([0.9, 0.4], DECIDED, 1),
        ([0.55, 0.45, 0.45], DECIDED, 1),
        ([0.45, 0.3, 0.25], ROBUST, 3),
    ],
)
def test_by_probabilities(chances, word, same):
    found = of_chances(chances)
    assert (found.word, found.same, found.of) == (word, same, len(chances))


def test_the_conclusion_is_about_the_certainty_asked_for():
    assert of_chances([0.9, 0.8], 0.5).word == ROBUST
    assert of_chances([0.96, 0.9], 0.95).word == DECIDED


@pytest.mark.parametrize(
    ("medians", "word"),
    [
        ([1.0], ALONE),
        ([1.0, 1.4], ROBUST),
        ([1.0, 1.9], DEPENDS),
        ([1.0, 2.1], DECIDED),
        ([1.0, 0.2], DEPENDS),
    ],
)
def test_by_medians(medians, word):
    assert of_medians(0.0, 2.0, medians).word == word


def test_a_result_is_judged_under_all_pairs(leakage):
    found, atlas = robustness_of(leakage), leakage.sensitivity.atlas["probability"].values
    assert found.of == atlas.size == leakage.sensitivity.holds.size
    assert found.same == int(leakage.sensitivity.holds.sum())
    expected = ROBUST if found.same == found.of and np.ptp(atlas) <= 0.25 else DEPENDS
    assert found.word == (DECIDED if found.of - found.same >= found.of / 2 else expected)


def test_without_pairs_the_sets_are_compared(leakage):
    from dataclasses import replace

    found = robustness_of(replace(leakage, sensitivity=None))
    assert found.of == len(leakage.answers)


def test_the_rule_names_every_word():
    for word in (ROBUST, DEPENDS, DECIDED):
        assert word.capitalize() in RULE
