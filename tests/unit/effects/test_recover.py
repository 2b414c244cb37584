"""What is recovered is what the paper computed from: round trips, formulas by hand, and refusals."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from kyphobayes.effects import recover
from kyphobayes.errors import InputError

sds = st.floats(0.1, 50)
sizes = st.integers(2, 300)
differences = st.floats(0.5, 30)

# --- standard deviations ---------------------------------------------------------------------------------


def test_sd_from_se_by_hand():
    np.testing.assert_allclose(recover.sd_from_se([0.4, 1.5], [25, 4]), [2, 3], rtol=1e-15)


@pytest.mark.parametrize(("quantile", "reach"), [("t", 2.7764451051977987), ("normal", 1.959963984540054)])
def test_sd_from_ci_by_hand(quantile, reach):
    """Five patients: t with 4 degrees of freedom, as printed in tables of it."""
    half = reach * 3 / np.sqrt(5)
    np.testing.assert_allclose(recover.sd_from_ci(7 - half, 7 + half, 5, quantile=quantile), 3, rtol=1e-12)


@given(sds, sizes, st.floats(0.5, 0.999))
def test_sd_from_ci_gives_back_the_sd(sd, n, level):
    low, high = stats.t.interval(level, n - 1, loc=4, scale=sd / np.sqrt(n))
    np.testing.assert_allclose(recover.sd_from_ci(low, high, n, level), sd, rtol=1e-8)


@given(sds, sds, sizes, sizes, differences)
def test_two_groups_give_back_their_pooled_sd(sd_1, sd_2, n_1, n_2, difference):
    test = stats.ttest_ind_from_stats(difference, sd_1, n_1, 0, sd_2, n_2)
    assume(1e-200 < test.pvalue < 0.99)
    pooled = np.sqrt(((n_1 - 1) * sd_1**2 + (n_2 - 1) * sd_2**2) / (n_1 + n_2 - 2))
    for found in (
        recover.sd_from_t(test.statistic, difference, n_1, n_2),
        recover.sd_from_t(-test.statistic, -difference, n_1, n_2),
        recover.sd_from_F(test.statistic**2, difference, n_1, n_2),
        recover.sd_from_p(test.pvalue, difference, n_1, n_2),
    ):
        np.testing.assert_allclose(found, pooled, rtol=1e-8)


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=30))
def test_a_paired_test_gives_back_the_sd_of_the_change(changes):
    assume(len(set(changes)) > 1 and sum(changes) != 0)
    mean, n = np.mean(changes), len(changes)
    test = stats.ttest_1samp(changes, 0)
    assume(test.pvalue < 0.99)
    for found in (
        recover.sd_from_t(test.statistic, mean, n),
        recover.sd_from_F(test.statistic**2, mean, n),
        recover.sd_from_p(test.pvalue, mean, n),
    ):
        np.testing.assert_allclose(found, np.std(changes, ddof=1), rtol=1e-8)


def test_a_limit_of_p_gives_the_largest_sd():
    assert recover.sd_from_p(0.001, 5, 22) > recover.sd_from_p(0.0001, 5, 22)


@pytest.mark.parametrize(("n_1", "n_2"), [(1, 2), (2, 1)])
def test_one_patient_in_one_of_two_groups_is_enough(n_1, n_2):
    assert recover.sd_from_t(2, 1, n_1, n_2) == pytest.approx(0.5 / np.sqrt(1.5), rel=1e-14)


# --- correlations ----------------------------------------------------------------------------------------


def test_correlation_by_hand():
    # 4 + 1 - 3 = 2 r 2 x 1
    assert recover.correlation_from_change(2, 1, np.sqrt(3)) == pytest.approx(0.5, abs=1e-15)


@given(sds, sds, st.floats(-1, 1), st.sampled_from([1e-8, 1, 1e8]))
def test_correlation_is_given_back(sd_pre, sd_post, r, unit):
    sd_change = np.sqrt((sd_pre - sd_post) ** 2 + 2 * (1 - r) * sd_pre * sd_post)
    assume(sd_change > 1e-6)
    found = recover.correlation_from_change(sd_pre * unit, sd_post * unit, sd_change * unit)
    np.testing.assert_allclose(found, r, atol=1e-9)


@pytest.mark.parametrize(("sd_change", "r"), [(3 * (1 + 5e-11), -1.0), (1 - 1e-10, 1.0)])
def test_a_correlation_beyond_one_by_rounding_is_one(sd_change, r):
    assert recover.correlation_from_change(1, 2, sd_change) == r


# --- standard errors -------------------------------------------------------------------------------------


@given(st.floats(-5, 5), st.floats(0.05, 2), st.floats(0.5, 0.999), st.booleans())
def test_se_from_ci_gives_back_the_se(y, se, level, log):
    half = stats.norm.ppf((1 + level) / 2) * se
    interval = np.array([y - half, y + half, y])
    low, high, estimate = np.exp(interval) if log else interval
    found = recover.se_from_ci(low, high, estimate, level, log=log)
    np.testing.assert_allclose(found, se, rtol=1e-9)


@given(st.floats(-2, 3), st.floats(0.05, 1), st.integers(1, 4), st.booleans())
def test_rounding_is_never_called_asymmetry(y, se, decimals, log):
    interval = np.array([y - 1.96 * se, y + 1.96 * se, y])
    low, high, estimate = np.round(np.exp(interval) if log else interval, decimals)
    assume(low < high and not (log and low <= 0))
    assert recover.se_from_ci(low, high, estimate, log=log, decimals=decimals) > 0
    assert recover.se_from_ci(low, high, estimate, log=log) > 0  # as many as are seen


def test_se_from_a_t_interval():
    low, high = stats.t.interval(0.9, 7, loc=2, scale=0.3)
    np.testing.assert_allclose(recover.se_from_ci(low, high, 2, 0.9, df=7), 0.3, rtol=1e-12)


def test_an_asymmetric_interval_is_taken_if_told():
    with pytest.raises(InputError, match="middle of its interval on this scale; try log=True"):
        recover.se_from_ci(1.03, 1.82, 1.37)
    expected = (1.82 - 1.03) / (2 * 1.959963984540054)
    for told in ({"estimate": 1.37, "asymmetric": True}, {"estimate": 1.37, "tolerance": 0.2}, {}):
        np.testing.assert_allclose(recover.se_from_ci(1.03, 1.82, **told), expected, rtol=1e-12)


@pytest.mark.parametrize("log", [False, True], ids=["differences", "ratios"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_tolerance_is_a_share_of_half_the_width(log, sign):
    # The estimate lies off by 0.2 from the middle of an interval of half width 2.
    low, high, estimate = (np.exp if log else np.asarray)(np.array([-2, 2, sign * 0.2]))
    told = dict(log=log, decimals=15)
    assert recover.se_from_ci(low, high, estimate, tolerance=0.101, **told) == pytest.approx(
        2 / 1.959963984540054
    )
    with pytest.raises(InputError, match="in the middle of its interval"):
        recover.se_from_ci(low, high, estimate, tolerance=0.099, **told)


def test_a_ratio_printed_as_nearly_zero_may_be_anything_below():
    assert recover.se_from_ci(0.01, 3.2, 0.15, log=True, decimals=2) > 0
    with pytest.raises(InputError, match="on the log scale"):
        recover.se_from_ci(0.01, 3.2, 0.15, log=True, decimals=4)


@given(st.floats(0.1, 5), st.floats(0.05, 3), st.booleans())
def test_se_from_p_gives_back_the_se(y, se, log):
    p = 2 * stats.norm.sf(y / se)
    assume(1e-300 < p < 0.999)
    found = recover.se_from_p(np.exp(-y) if log else -y, p, log=log)
    np.testing.assert_allclose(found, se, rtol=1e-9)


def test_se_from_the_p_of_a_t_test():
    p = 2 * stats.t.sf(2.4, 9)
    np.testing.assert_allclose(recover.se_from_p(1.2, p, df=9), 0.5, rtol=1e-12)


# --- quantiles -------------------------------------------------------------------------------------------

SUMMARIES = {
    recover.mean_sd_from_range: [2, 6, 14],
    recover.mean_sd_from_median_iqr: [4, 6, 10],
    recover.mean_sd_from_five_number: [2, 4, 6, 10, 14],
}


@pytest.mark.parametrize(("function", "summary"), SUMMARIES.items())
@given(n=st.integers(5, 500), shift=st.floats(-100, 100), unit=st.sampled_from([1e-8, 1, -1, 1e8]))
def test_mean_and_sd_move_with_the_data(function, summary, n, shift, unit):
    """Shifting, scaling and mirroring the data does so to the mean, scales the SD and keeps the test."""
    one = function(*summary, n)
    moved = np.sort(unit * (np.array(summary) + shift))
    other = function(*moved, n)
    np.testing.assert_allclose(other.mean, unit * (one.mean + shift), rtol=1e-9, atol=1e-9 * abs(unit))
    np.testing.assert_allclose(other.sd, abs(unit) * one.sd, rtol=1e-9)
    np.testing.assert_allclose(other.skewness, one.skewness, rtol=1e-9)
    assert other.critical == one.critical


@pytest.mark.parametrize("function", SUMMARIES)
def test_symmetric_data_have_their_median_as_mean(function):
    summary = {3: [-1, 5, 11], 5: [-1, 3, 5, 7, 11]}[len(SUMMARIES[function])]
    found = function(*summary, 30)
    assert found.mean == 5
    assert found.skewness == 0
    assert not found.skewed


@pytest.mark.parametrize("n", [20, 200, 2000])
def test_normal_quantiles_give_the_normal_back(n):
    """Blom's scores are the expected order statistics: from them mean 0 and SD 1 come back."""
    extreme, quartile = (
        stats.norm.ppf((n - 0.375) / (n + 0.25)),
        stats.norm.ppf((0.75 * n - 0.125) / (n + 0.25)),
    )
    for found in (
        recover.mean_sd_from_range(-extreme, 0, extreme, n),
        recover.mean_sd_from_median_iqr(-quartile, 0, quartile, n),
    ):
        np.testing.assert_allclose([found.mean, found.sd], [0, 1], atol=1e-12)
    # The two weights of Shi et al. (2020) are 1 / (1 + x) and 1 / (1 + 1 / x): together 1.
    found = recover.mean_sd_from_five_number(-extreme, -quartile, 0, quartile, extreme, n)
    np.testing.assert_allclose([found.mean, found.sd], [0, 1], atol=1e-12)


def test_a_skewed_study_is_marked_among_others():
    found = recover.mean_sd_from_median_iqr([4, 4], [7, 4.2], [10, 10], 50)
    assert found.skewed.tolist() == [False, True]
    np.testing.assert_allclose(found.skewness, [0, 5.6 / 6], rtol=1e-12, atol=1e-15)


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("sd_from_se", (0, 10), "expected se > 0 and n > 1, found se = 0"),
        ("sd_from_se", ([1, 1], [10, 1]), "study 1: expected se > 0 and n > 1"),
        ("sd_from_ci", (3, 3, 10), "expected low < high, found low = 3, high = 3"),
        ("sd_from_ci", (1, 3, 1), "expected n > 1"),
        ("sd_from_ci", (1, 3, 10, 95), "level must lie between 0 and 1, not 95"),
        ("sd_from_ci", (1, 3, 10, 1.0), "level must lie between 0 and 1, not 1.0"),
        ("sd_from_ci", (1, 3, 10, 1.5), "level must lie between 0 and 1, not 1.5"),
        ("sd_from_t", (0, 2, 10), "t and a difference that are not 0"),
        ("sd_from_t", (2, 0, 10, 12), "t and a difference that are not 0"),
        ("sd_from_t", (2, 1, 1), "n_1 > 1 for a paired test"),
        ("sd_from_t", (2, 1, 1, 1), "of more than 2 together"),
        ("sd_from_F", (0, 1, 10), "expected F > 0"),
        ("sd_from_p", (0, 1, 10), "p strictly between 0 and 1, found p = 0; give the limit"),
        ("sd_from_p", ([0.1, 1], 1, 10), "study 1: expected p strictly"),
        ("correlation_from_change", (1, 1, 2.1), "correlation between -1 and 1, found .*correlation = -1.2"),
        ("correlation_from_change", ([1, 9], [1, 1], [1, 1]), "study 1: expected SDs that give"),
        ("correlation_from_change", (1, 0, 1), "three SDs above 0"),
        ("se_from_ci", (2, 1), "expected low < high"),
        ("se_from_ci", ([0.5, 0.1], [0.8, 0.9], [0.65, 0.8]), "study 1: expected an estimate in the middle"),
        ("se_from_ci", (0.1, "x"), "high must hold numbers only"),
        ("se_from_p", (0.5, 1), "p strictly between"),
        ("se_from_p", (0, 0.5), "expected an effect"),
        ("mean_sd_from_median_iqr", (4, 3, 10, 20), "q1 <= median <= q3, not all equal"),
        ("mean_sd_from_median_iqr", (4, 4, 4, 20), "not all equal"),
        ("mean_sd_from_range", (1, 2, 3, 4), "n of at least 5, found n = 4"),
        ("mean_sd_from_five_number", (1, 2, 2, 2, 3, 20), "expected q1 < q3"),
        ("mean_sd_from_five_number", (1, 2, [3, 3], 4, [5, 3.5], 20), "study 1: .*found low = 1, q1 = 2"),
        ("mean_sd_from_range", ([1, 2, 3], [1, 2], 3, 4), r"shapes that fit together, found low \(3,\)"),
    ],
)
def test_refusals(function, arguments, message):
    with pytest.raises(InputError, match=message):
        getattr(recover, function)(*arguments)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("se_from_ci", {"low": 0, "high": 2, "log": True}, "expected low > 0 of a ratio, found low = 0"),
        ("se_from_ci", {"low": 1, "high": 2, "df": 0}, "expected df > 0"),
        ("se_from_ci", {"low": 1, "high": 2, "tolerance": -1}, "tolerance must be at least 0"),
        ("se_from_ci", {"low": 1, "high": 2, "level": 0}, "level must lie"),
        ("se_from_p", {"estimate": -1, "p": 0.1, "log": True}, "expected a ratio above 0"),
        ("se_from_p", {"estimate": 1, "p": 0.1, "log": True}, "expected an effect, found estimate = 1"),
        ("sd_from_ci", {"low": 1, "high": 2, "n": 9, "quantile": "z"}, "quantile must be 't' or 'normal'"),
    ],
)
def test_options_refused(function, arguments, message):
    with pytest.raises(InputError, match=message):
        getattr(recover, function)(**arguments)
