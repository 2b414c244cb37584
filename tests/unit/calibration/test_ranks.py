"""Positions of truths in posteriors, and the tests that say whether they are uniform."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes.calibration.ranks import RANKED, position, uniformity


def positions(draw, n=2000, s=500, seed=0):
    rng = np.random.default_rng(seed)
    return np.array([position(rng.normal(size=s), draw(rng), rng) for _ in range(n)])


@pytest.mark.statistical
def test_truths_from_the_posterior_have_uniform_positions():
    found = positions(lambda rng: rng.normal())
    told = uniformity(found)
    assert told["chi2_p"] > 0.01 and told["ks_p"] > 0.01
    for level in (50, 80, 95):
        assert told[f"expected_{level}_low"] <= told[f"coverage_{level}"] <= told[f"expected_{level}_high"]


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("draw", "what"),
    [
        (lambda rng: rng.normal(0.3), "shifted"),
        (lambda rng: rng.normal(0, 1.3), "wider than the posterior"),
        (lambda rng: rng.normal(0, 0.75), "narrower"),
    ],
)
def test_other_truths_are_seen(draw, what):
    told = uniformity(positions(draw))
    assert min(told["chi2_p"], told["ks_p"]) < 1e-6, what


def test_a_position_is_the_rank_among_draws_far_apart():
    rng = np.random.default_rng(1)
    draws = np.arange(1.0, RANKED + 1)
    assert 0 <= position(draws, 0.5, rng) < 1 / 100
    assert 0.5 <= position(draws, 50.5, rng) < 0.51
    assert 0.99 <= position(draws, 1000.0, rng) < 1
    many = np.repeat(draws, 60)  # chain after chain: every sixtieth would be another number
    assert 0.5 <= position(many, 50.5, rng) < 0.51


def test_ties_are_broken_at_random():
    rng = np.random.default_rng(2)
    found = [position(np.zeros(200), 0.0, rng) for _ in range(500)]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_coverage_is_counted_by_hand():
    told = uniformity(np.array([0.01, 0.05, 0.2, 0.3, 0.5, 0.6, 0.7, 0.74, 0.9, 0.985]))
    assert (told["coverage_50"], told["coverage_80"], told["coverage_95"]) == (0.5, 0.7, 0.8)
    assert (told["expected_95_low"], told["expected_95_high"]) == (0.8, 1.0)
