"""Leaving studies out and adding them: rows are `pool` of the rest, and identities of deletion."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.errors import InputError
from kyphobayes.frequentist import TESTS, baujat, cumulative, influence, leave_one_out, pool
from kyphobayes.frequentist.influence import NUMBERS

Y = np.array([-0.9, -1.6, 0.4, -1.4, 0.2, -0.8])
V = np.array([0.33, 0.2, 0.41, 0.02, 0.05, 0.007])
every_test = pytest.mark.parametrize("test", TESTS)
every_method = pytest.mark.parametrize("method", ["CE", "DL", "REML"])
rows = st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 300)), min_size=3, max_size=7)


def assert_row(many, row, chosen, **arguments):
    alone = pool(Y[chosen], V[chosen], **arguments)
    for name in NUMBERS:
        if name != "weights":
            np.testing.assert_allclose(
                getattr(many, name)[row], getattr(alone, name), rtol=1e-12, err_msg=name
            )
    weights = np.zeros(len(Y))
    weights[chosen] = alone.weights
    np.testing.assert_allclose(many.weights[row], weights, rtol=1e-12)


@every_test
@every_method
def test_leaving_one_out_pools_the_rest(test, method):
    arguments = {"method": method, "test": test, "level": 0.9}
    many = leave_one_out(Y, V, **arguments)
    assert (many.method, many.test) == (method, test)
    for i in range(len(Y)):
        assert_row(many, i, [j for j in range(len(Y)) if j != i], **arguments)


@every_test
@pytest.mark.parametrize("order", [None, [4, 2, 0, 5, 1, 3]])
def test_cumulative_adds_one_at_a_time(test, order):
    many = cumulative(Y, V, order=order, test=test)
    for i in range(1, len(Y)):
        assert_row(many, i, (order or list(range(len(Y))))[: i + 1], test=test)


@every_test
def test_a_single_study_has_its_own_normal_interval(test):
    first = cumulative(Y, V, test=test)
    pairs = leave_one_out(Y[:2], V[:2], test=test)
    for many, row, study in ((first, 0, 0), (pairs, 0, 1), (pairs, 1, 0)):
        assert (many.mu[row], many.se[row]) == pytest.approx((Y[study], np.sqrt(V[study])))
        assert (many.df[row], many.tau2[row], many.k[row]) == (np.inf, 0, 1)
        assert many.ci_high[row] == pytest.approx(Y[study] + 1.959963984540054 * np.sqrt(V[study]))
    assert many.test == test


def test_cumulative_of_one_study():
    assert cumulative([0.4], [0.04]).mu.tolist() == [0.4]


@given(rows)
def test_identities_of_deletion_with_fixed_weights(rows):
    """Common effect: Q loses rstudent^2, and mu moves by hat / (1 - hat) times the residual."""
    y, v = np.array(rows).T / 100
    whole, found = pool(y, v, method="CE", test="z"), influence(y, v, method="CE", test="z")
    np.testing.assert_allclose(whole.q - found.q_deleted, found.rstudent**2, atol=1e-8 * (1 + whole.q))
    np.testing.assert_allclose(found.cov_r, 1 / (1 - found.hat), rtol=1e-9)
    moved = found.hat / (1 - found.hat) * (y - whole.mu)
    np.testing.assert_allclose(found.cook_d, (moved / whole.se) ** 2, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.dffits, found.dfbetas, rtol=1e-6, atol=1e-9)
    assert found.weight.sum() == pytest.approx(100)


@given(rows)
def test_contributions_sum_to_q(rows):
    y, v = np.array(rows).T / 100
    found = baujat(y, v)
    assert found.contribution.sum() == pytest.approx(pool(y, v, method="CE").q, abs=1e-9)


def test_an_outlier_shows():
    y = np.array([0.1, 0.2, 0.15, 0.12, 3.0])
    found = influence(y, [0.01] * 5)
    assert abs(found.rstudent).argmax() == found.cook_d.argmax() == 4
    assert (found.tau2_deleted[4], found.cov_r[4] < 1) == (0, True)
    assert baujat(y, [0.01] * 5).contribution.argmax() == 4


@pytest.mark.parametrize("unit", [1e-8, 1e8])
@every_test
def test_units_and_order_do_not_matter(unit, test):
    one, other = influence(Y, V, test=test), influence(unit * Y[::-1], unit**2 * V[::-1], test=test)
    for field in fields(one):
        factor = unit**2 if field.name == "tau2_deleted" else 1.0
        np.testing.assert_allclose(
            getattr(other, field.name)[::-1] / factor,
            getattr(one, field.name),
            rtol=1e-6,
            atol=1e-9,
            err_msg=field.name,
        )


def test_others_that_agree_entirely_make_an_hksj_residual_infinite():
    found = influence([0.3, 0.3, 0.3, 1.0], [0.1, 0.2, 0.3, 0.4])
    assert found.rstudent[3] == np.inf
    assert found.cov_r[3] == 0
    assert np.isfinite(found.rstudent[:3]).all()


def test_equal_effects_have_no_hksj_unit_to_measure_in():
    with pytest.raises(InputError, match=r"all effects are equal, .* choose test='mhksj'"):
        influence([0.3] * 3, [0.1, 0.2, 0.3])
    assert influence([0.3] * 3, [0.1, 0.2, 0.3], test="mhksj").rstudent.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: leave_one_out([1], [1]), "there is 1 study; leaving one out needs at least 2"),
        (lambda: influence([1], [1], test="z"), "there is 1 study; leaving one out needs at least 2"),
        (lambda: baujat([1], [1]), "there is 1 study; leaving one out needs at least 2"),
        (lambda: cumulative([1, 2], [1, 1], order=[0, 0]), "each of the indices 0 to 1 once, found"),
        (lambda: cumulative([1, 2], [1, 1], order=[1]), r"found \[1\]"),
        (lambda: cumulative([1, 2], [1, -1]), "study 1: v must be a finite positive variance"),
        (lambda: leave_one_out([1, 2], [1, 1], method="FE"), "method must be one of CE, DL"),
        (lambda: leave_one_out([1, 2, 3], [1, 1, 1], test="knha"), "test must be one of z, t, hksj"),
        (lambda: leave_one_out([1, 2], [1, 1], test="knha"), "test must be one of z, t, hksj"),
    ],
)
def test_refusals_say_what_and_where(call, message):
    with pytest.raises(InputError, match=message):
        call()
