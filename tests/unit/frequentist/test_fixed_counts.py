"""Mantel-Haenszel and Peto: one table is its own effect, symmetries, sparse tables, what has no answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kyphobayes.effects import effect_size
from kyphobayes.errors import InputError
from kyphobayes.frequentist import mantel_haenszel, mantel_haenszel_rates, peto

COLUMNS = {
    "count": ("events_1", "n_1", "events_2", "n_2"),
    "rate": ("events_1", "time_1", "events_2", "time_2"),
}
MEASURES = {"OR": "count", "RR": "count", "RD": "count", "PETO": "count", "IRR": "rate", "IRD": "rate"}
every_measure = pytest.mark.parametrize("measure", MEASURES)
# No cell is zero, so that every measure exists.
table = st.tuples(*[st.integers(1, 60)] * 4).map(lambda t: (t[0], t[0] + t[1], t[2], t[2] + t[3]))
tables = st.lists(table, min_size=1, max_size=6)


def pool_columns(measure, columns, **arguments):
    if measure == "PETO":
        return peto(*columns, **arguments)
    function = mantel_haenszel if MEASURES[measure] == "count" else mantel_haenszel_rates
    return function(*columns, measure=measure, **arguments)


def pool(measure, rows):
    return pool_columns(measure, np.transpose(rows))


@every_measure
@given(table)
def test_one_table_is_its_own_effect(measure, row):
    """Then every Mantel-Haenszel variance is the delta method's, and Peto's is 1 / V."""
    found = pool(measure, [row])
    own = effect_size(measure, dict(zip(COLUMNS[MEASURES[measure]], row, strict=True)))
    assert (found.mu, found.se**2) == pytest.approx((own.y[0], own.v[0]), rel=1e-9, abs=1e-12)
    assert (found.q, found.q_df, found.q_p, found.i2, found.k) == (pytest.approx(0, abs=1e-9), 0, 1, 0, 1)


@every_measure
@given(tables)
def test_groups_swapped_turn_the_sign(measure, rows):
    one, other = pool(measure, rows), pool(measure, [(c, d, a, b) for a, b, c, d in rows])
    assert (other.mu, other.se, other.q) == pytest.approx((-one.mu, one.se, one.q), rel=1e-8, abs=1e-10)
    assert other.cmh == pytest.approx(one.cmh, rel=1e-8, abs=1e-10)
    if measure == "OR":
        assert other.tarone == pytest.approx(one.tarone, rel=1e-6, abs=1e-8)


@every_measure
@given(tables, st.integers(2, 5))
def test_copies_of_all_studies_divide_the_variance(measure, rows, copies):
    one, many = pool(measure, rows), pool(measure, rows * copies)
    assert (many.mu, many.se) == pytest.approx((one.mu, one.se / np.sqrt(copies)), rel=1e-9, abs=1e-12)
    assert (many.q, many.k) == pytest.approx((copies * one.q, copies * one.k), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("measure", ["OR", "PETO", "RD"])
@given(tables)
def test_events_and_non_events_swapped_turn_the_sign(measure, rows):
    one, other = pool(measure, rows), pool(measure, [(b - a, b, d - c, d) for a, b, c, d in rows])
    assert (other.mu, other.se) == pytest.approx((-one.mu, one.se), rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("measure", ["OR", "RR", "PETO", "IRR"])
def test_zeros_in_both_groups_say_nothing_of_a_ratio(measure):
    rows = [(3, 20, 1, 22), (0, 30, 2, 28)]
    one, other = pool(measure, rows), pool(measure, [*rows, (0, 15, 0, 40)])
    assert (other.mu, other.se, other.q, other.q_df) == pytest.approx((one.mu, one.se, one.q, one.q_df))
    assert (one.k, other.k) == (2, 3)


@pytest.mark.parametrize("measure", ["RD", "IRD"])
def test_zeros_in_both_groups_are_a_difference_of_zero(measure):
    rows = [(3, 20, 1, 22), (0, 30, 2, 28)]
    one, other = pool(measure, rows), pool(measure, [*rows, (0, 15, 0, 40)])
    assert 0 < other.mu / one.mu < 1
    assert other.se < one.se


def test_odds_ratio_by_hand():
    """Tables (2 of 4, 1 of 4) and (1 of 2, 1 of 2): R = 6/8 + 1/4 = 1, S = 2/8 + 1/4 = 1/2."""
    found = mantel_haenszel([2, 1], [4, 2], [1, 1], [4, 2])
    assert found.mu == pytest.approx(np.log(2))
    # P = (5/8, 1/2): sum(PR) = 19/32, sum(PS + QR) = 5/32 + 9/32 + 1/4, sum(QS) = 7/32.
    assert found.se**2 == pytest.approx(19 / 64 + 22 / 32 + 7 / 16)


def test_risk_ratio_and_difference_by_hand():
    """The same tables: weights 2 and 1; R = 2 * 4/8 + 1 * 2/4, S = 1 * 4/8 + 1 * 2/4."""
    assert mantel_haenszel([2, 1], [4, 2], [1, 1], [4, 2], measure="RR").mu == pytest.approx(np.log(1.5))
    assert mantel_haenszel([2, 1], [4, 2], [1, 1], [4, 2], measure="RD").mu == pytest.approx(0.5 / 3)


def test_peto_by_hand():
    """(2 of 4, 1 of 4): O - E = 1/2, V = 4 * 4 * 3 * 5 / (64 * 7) = 15/28."""
    found = peto([2], [4], [1], [4])
    assert (found.mu, found.se**2) == pytest.approx((14 / 15, 28 / 15))
    assert found.cmh == 0  # an excess of 1/2 is no more than the continuity correction
    assert found.cmh_p == 1


def test_the_level_is_that_of_the_interval():
    found = mantel_haenszel([8, 3], [40, 20], [4, 1], [41, 22], level=0.8)
    reach = stats.norm.ppf(0.9) * found.se
    assert (found.ci_low, found.ci_high) == pytest.approx((found.mu - reach, found.mu + reach))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.statistic)))


def test_equal_odds_ratios_are_not_heterogeneous():
    """Both tables have the odds ratio 9, so all expected cells are the observed."""
    found = mantel_haenszel([3, 30], [4, 40], [1, 10], [4, 40])
    assert (found.tarone, found.tarone_p, found.q) == pytest.approx((0, 1, 0), abs=1e-9)
    assert np.isnan(mantel_haenszel([3], [4], [1], [4], measure="RR").tarone)


NOTHING = ([0, 0], [10, 12], [0, 0], [9, 8])
ALL = ([10, 12], [10, 12], [9, 8], [9, 8])
ONE_SIDED = ([1, 3], [10, 12], [0, 0], [9, 8])


@pytest.mark.parametrize(
    ("measure", "columns", "message"),
    [
        ("OR", NOTHING, "the pooled odds ratio is 0 / 0, because a cell is zero wherever it counts; choose"),
        ("OR", ALL, "the pooled odds ratio is 0 / 0"),
        ("OR", ONE_SIDED, "the pooled odds ratio is infinite"),
        ("RR", NOTHING, "the pooled risk ratio is 0 / 0"),
        ("RR", ALL, "every arm has nothing but events"),
        ("RR", (*ONE_SIDED[2:], *ONE_SIDED[:2]), "the pooled risk ratio is 0, because"),
        ("RD", NOTHING, "the variance of the pooled risk difference is not positive"),
        ("RD", ALL, "the variance of the pooled risk difference is not positive"),
        ("RD", ([10], [10], [0], [9]), "the variance of the pooled risk difference is not positive"),
        ("PETO", NOTHING, "no study has both events and non-events"),
        ("PETO", ALL, "no study has both events and non-events"),
        ("IRR", NOTHING, "the pooled rate ratio is 0 / 0"),
        ("IRR", ONE_SIDED, "the pooled rate ratio is infinite"),
        ("IRD", NOTHING, "no study has an event"),
        ("OR", ([5, 3], [4, 9], [1, 1], [4, 4]), "study 0: expected 0 <= events_1 <= n_1"),
        ("OR", ([1, 3], [4, 9], [1, np.nan], [4, 4]), "events_2, study 1: expected a finite number"),
        ("OR", ([1, 3], [4, 9], [1, 1, 1], [4, 4, 4]), "the columns must have shapes that fit together"),
        ("OR", (1, 3, 1, 4), r"must hold one number per study, found shape \(\)"),
        ("IRR", ([1], [0], [1], [4]), "study 0: expected events_1 >= 0 and time_1 > 0"),
    ],
)
def test_refusals_say_what_and_where(measure, columns, message):
    with pytest.raises(InputError, match=message):
        pool_columns(measure, columns)


@pytest.mark.parametrize("function", [mantel_haenszel, mantel_haenszel_rates])
def test_unknown_measures_and_levels_are_refused(function):
    with pytest.raises(InputError, match=r"measure must be one of (OR, RR, RD|IRR, IRD), not 'SMD'"):
        function([1], [4], [1], [4], measure="SMD")
    with pytest.raises(InputError, match="level must lie between 0 and 1"):
        function([1], [4], [1], [4], level=95)
