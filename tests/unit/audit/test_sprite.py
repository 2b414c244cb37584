"""SPRITE: every reconstruction has what is printed, and there are as many as brute force finds."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from scipy import stats

from kyphobayes.audit import sprite
from kyphobayes.audit.rounding import rounded
from kyphobayes.audit.ways import Ways
from kyphobayes.errors import InputError


def brute(mean, sd, n, low, high, items=1, attained=False):
    """All sorted samples with a printed mean and SD."""
    m, s = rounded(mean), rounded(sd)
    rows = []
    for sample in combinations_with_replacement(range(low * items, high * items + 1), n):
        row = np.array(sample) / items
        if attained and (row[0], row[-1]) != (low, high):
            continue
        if m.near(row.mean()) and s.near(row.std(ddof=1)):
            rows.append(tuple(row))
    return rows


@pytest.mark.parametrize(
    ("mean", "sd", "n", "low", "high", "options"),
    [
        ("3.00", "2.10", 8, 0, 7, {}),
        ("4.9", "1.6", 7, 0, 6, {}),  # few digits: several sums and squares
        ("3.00", "2.20", 6, 0, 6, {"attained": True}),
        ("1.50", "0.55", 5, 0, 2, {"items": 2}),
        ("-0.25", "1.50", 4, -3, 3, {}),
    ],
)
def test_all_reconstructions_are_those_of_brute_force(mean, sd, n, low, high, options):
    expected = brute(mean, sd, n, low, high, **options)
    if not expected:
        with pytest.raises(InputError, match="no "):
            sprite(mean, sd, n, low, high, **options)
        return
    found = sprite(mean, sd, n, low, high, samples=5000, **options)
    assert found.complete and found.how == "all" and found.count == len(expected)
    assert sorted(map(tuple, found.samples)) == sorted(expected)


def test_draws_have_what_is_printed_and_are_representative():
    found = sprite("4.30", "2.81", 30, 0, 10, samples=200, seed=1)
    assert found.how == "uniform" and not found.complete and found.count > 200
    assert found.samples.shape == (200, 30)
    for row in found.samples:
        assert rounded("4.30").near(row.mean()) and rounded("2.81").near(row.std(ddof=1))
        assert row.min() >= 0 and row.max() <= 10 and (np.diff(row) >= 0).all()
    assert sum(found.shares().values()) == pytest.approx(1)
    again = sprite("4.30", "2.81", 30, 0, 10, samples=200, seed=1)
    assert np.array_equal(found.samples, again.samples)


def test_each_distribution_is_drawn_as_often_as_the_others():
    ways = Ways(8, 7, [(24, 102)])
    every = sorted(tuple(sorted(row)) for row in ways.all(24, 102))
    assert len(every) == len(set(every)) == ways.count(24, 102)
    rng = np.random.default_rng(3)
    drawn = [tuple(sorted(ways.draw(24, 102, rng))) for _ in range(100 * len(every))]
    counts = [drawn.count(row) for row in every]
    assert sum(counts) == len(drawn)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_the_real_scores_are_among_the_reconstructions(project):
    from kyphobayes.evidence.tables import read_table

    scores = np.sort(read_table(project, "patients/ribeirao_preto_patients.csv")["vas_post"].to_numpy())
    found = sprite("1.73", "1.39", 22, 0, 5, attained=True)
    assert found.complete
    assert any(np.array_equal(row, scores) for row in found.samples)


def test_a_long_scale_is_walked_and_says_so():
    found = sprite("81.6", "8.67", 224, 0, 100, samples=5)
    assert found.how == "walk" and np.isnan(found.count)
    assert "not known" in found.note
    for row in found.samples:
        assert rounded("81.6").near(row.mean()) and rounded("8.67").near(row.std(ddof=1))
        assert row.max() <= 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("5.19", "1.2", 28, 1, 7), "no 28 whole numbers from 1 to 7"),
        (("3.44", "2.47", 18, 0, 10), "no 18 whole numbers"),
        (("3", "1", 18, 10, 0), "expected low < high"),
        (("3.5", "1.0", 1, 0, 10), "from 2"),
    ],
)
def test_what_no_sample_has_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        sprite(*arguments)


def test_too_many_samples_are_refused():
    with pytest.raises(InputError, match="at most"):
        sprite("3.5", "1.0", 10, 0, 10, samples=10**6)
