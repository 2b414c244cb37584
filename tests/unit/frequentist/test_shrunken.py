"""Shrunken effects: by hand, and what holds for every shrinkage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.errors import InputError
from kyphobayes.frequentist import TESTS, blup, pool

rows = st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 300)), min_size=2, max_size=7)


def test_two_studies_by_hand():
    """Effects -1 and 1, variance 1/2: tau2 = 3/2 keeps 3/4; se^2 = 3/4 * 1/2 + (1/4)^2 * 1 = 7/16."""
    found = blup([-1, 1], [0.5, 0.5], test="z")
    np.testing.assert_allclose(found.pred, [-0.75, 0.75], rtol=1e-13)
    np.testing.assert_allclose(found.se, np.sqrt(7) / 4, rtol=1e-13)
    np.testing.assert_allclose(found.high, found.pred + 1.959963984540054 * np.sqrt(7) / 4)


@pytest.mark.parametrize("test", TESTS)
def test_intervals_are_by_the_test(test):
    y, v = [-3.0, 0.5, 4.0], [0.1, 0.2, 0.9]
    found = blup(y, v, test=test)
    quantile = 1.959963984540054 if test == "z" else 4.302652729911275
    np.testing.assert_allclose(found.pred - found.low, quantile * found.se)
    np.testing.assert_allclose(found.high - found.pred, quantile * found.se)


@given(rows)
def test_every_study_moves_towards_mu_and_not_past_it(rows):
    y, v = np.array(rows).T / 100
    mu = pool(y, v).mu
    pred = blup(y, v).pred
    assert (abs(pred - mu) <= abs(y - mu) + 1e-12).all()
    assert ((pred - mu) * (y - mu) >= -1e-12).all()


def test_without_heterogeneity_all_are_mu():
    found = blup([0.30, 0.31, 0.29], [0.1, 0.2, 0.3], test="z")
    pooled = pool([0.30, 0.31, 0.29], [0.1, 0.2, 0.3], test="z")
    np.testing.assert_allclose(found.pred, pooled.mu)
    np.testing.assert_allclose(found.se, pooled.se)


def test_one_study_is_its_own_prediction():
    found = blup([0.4], [0.04], test="z")
    assert (found.pred, found.se) == (pytest.approx([0.4]), pytest.approx([0.2]))
    with pytest.raises(InputError, match="there is 1 study; test 'hksj' needs at least 2"):
        blup([0.4], [0.04])


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_units_do_not_matter(unit):
    y, v = np.array([-3.0, 0.5, 4.0]), np.array([0.1, 0.2, 0.9])
    np.testing.assert_allclose(blup(unit * y, unit**2 * v).pred / unit, blup(y, v).pred, rtol=1e-9)
