"""Meta-regression: values by hand, theorems, edge cases, and digits where variances lie far apart."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist import METHODS, TESTS, pool, regress, subgroup, tau2_interval

COEFFICIENTS = ("beta", "se", "ci_low", "ci_high", "statistic", "p_value")
SINGLE = ("tau2", "se_tau2", "qm", "qm_df", "qm_p", "qe", "qe_df", "qe_p", "r2", "i2", "h2", "k", "p", "df")

every_method = pytest.mark.parametrize("method", METHODS)
every_test = pytest.mark.parametrize("test", TESTS)
effects = st.integers(-500, 500).map(lambda i: i / 100)
variances = st.integers(1, 4000).map(lambda i: i / 1000)
rows = st.lists(st.tuples(effects, variances, st.integers(-20, 20)), min_size=4, max_size=8).filter(
    lambda these: len({x for _, _, x in these}) > 2
)

# y = 0, 0, 3 at x = -1, 0, 1: slope 1.5, intercept 1, residuals 0.5, -1, 0.5 with squares summing to 1.5.
# With v = 1/4: QE = 6 on 1 df, tr(P) = 4, sum(w) = 12; the variance of y is 2.
X, Y, V = [-1, 0, 1], [0, 0, 3], [0.25] * 3
BY_HAND = {
    "CE": 0.0,
    "DL": 1.25,  # (6 - 1) / 4
    "HE": 1.25,  # 1.5 - 0.25
    "HS": 0.25,  # (6 - 3) / 12
    "HSk": 1.25,  # (3 * 6 - 3) / 12
    "SJ": 4 / 3,  # start 2: weights 1 / 2.25, Q = 2/3
    "ML": 0.25,  # 1.5 / 3 - 0.25
    "REML": 1.25,
    "EB": 1.25,
    "PM": 1.25,
    "PMM": 1.5 / stats.chi2.median(1) - 0.25,
}


def assert_same(one, other, names, rtol=1e-6, atol=1e-9):
    for name in names:
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=rtol, atol=atol, err_msg=name
        )


@every_method
def test_three_studies_by_hand(method):
    fit = regress(Y, V, X, method=method, test="z")
    s2 = 0.25 + BY_HAND[method]
    assert fit.tau2 == pytest.approx(BY_HAND[method], rel=1e-13)
    np.testing.assert_allclose(fit.beta, [1, 1.5], rtol=1e-14)
    np.testing.assert_allclose(fit.se, np.sqrt([s2 / 3, s2 / 2]), rtol=1e-13)
    np.testing.assert_allclose(fit.covariance, np.diag([s2 / 3, s2 / 2]), rtol=1e-13, atol=1e-14)
    assert (fit.qm, fit.qm_df, fit.qe, fit.qe_df) == pytest.approx((4.5 / s2, 1, 6, 1))
    assert fit.qm_p == pytest.approx(fit.p_value[1])
    assert (fit.k, fit.p, fit.names) == (3, 2, ("intercept", "x0"))


@pytest.mark.parametrize(("test", "factor"), [("z", 1), ("t", 1), ("hksj", 6), ("mhksj", 6)])
def test_tests_by_hand(test, factor):
    """With tau2 = 0 the residual mean square is 6; t with 1 df has its 97.5 % quantile at 12.7."""
    fit = regress(Y, V, X, method="CE", test=test)
    np.testing.assert_allclose(fit.se**2, [factor / 12, factor / 8])
    quantile = 1.959963984540054 if test == "z" else 12.706204736174707
    np.testing.assert_allclose(fit.ci_high - fit.beta, quantile * fit.se)
    assert fit.df == (math.inf if test == "z" else 1)
    assert fit.qm == pytest.approx(18 / factor)
    assert fit.qm_p == pytest.approx(fit.p_value[1])  # of one coefficient F is t squared


def test_mhksj_never_shrinks():
    assert regress([0, 0.1, 0.3], [1, 1, 1], X, test="mhksj").se[1] == pytest.approx(math.sqrt(0.5))
    assert regress([0, 0.1, 0.3], [1, 1, 1], X, test="hksj").se[1] < 0.1


def test_prediction_by_hand():
    fit = regress(Y, V, X, method="DL", test="z")  # total variance 1.5
    at = fit.predict([0, 2])
    np.testing.assert_allclose(at.mu, [1, 4])
    np.testing.assert_allclose(at.se, np.sqrt([0.5, 0.5 + 4 * 0.75]))
    np.testing.assert_allclose(at.pi_high - at.mu, 1.959963984540054 * np.sqrt(1.25 + at.se**2))
    np.testing.assert_allclose(at.mu - at.pi_low, 1.959963984540054 * np.sqrt(1.25 + at.se**2))
    for distance in (at.mu - at.ci_low, at.ci_high - at.mu):
        np.testing.assert_allclose(distance, 1.959963984540054 * at.se)
    assert np.isnan(regress(Y, V, X, method="CE").predict(0).pi_low).all()


def test_r2_by_hand():
    """Without covariates DL of Y, V gives Q = 24 on 2 df and tr(P) = 8: 22/8; 1.25 of it is left."""
    assert regress(Y, V, X, method="DL").r2 == pytest.approx(100 * (1 - 1.25 / 2.75))
    assert regress(Y, V, X, method="CE").r2 == pytest.approx(100 * (1 - 6 / 12))
    assert regress([1, 1.1, 0.9, 1], [1] * 4, [1, 2, 3, 5]).r2 == 0  # no tau2 to explain
    assert math.isnan(regress(Y, V, X, intercept=False).r2)


@every_method
@every_test
@given(rows)
@settings(max_examples=10)
def test_a_column_of_ones_is_pooling(method, test, these):
    y, v, _ = np.array(these).T
    fit = regress(y, v, np.ones_like(y), method=method, test=test, intercept=False)
    alone = pool(y, v, method=method, test=test)
    for name, same in {"beta": "mu", "qe": "q", "qe_p": "q_p"}.items() | {
        (name, name) for name in (*COEFFICIENTS[1:], "tau2", "i2", "h2")
    }:
        atol = 1e-9 if fit.se[0] > 1e-9 or name != "statistic" else math.inf  # rounding over rounding
        np.testing.assert_allclose(
            getattr(fit, name), getattr(alone, same), rtol=1e-6, atol=atol, err_msg=name
        )
    np.testing.assert_allclose(fit.se_tau2, alone.se_tau2, rtol=1e-6)
    np.testing.assert_allclose(
        list(fit.tau2_interval(0.9)), list(tau2_interval(y, v, level=0.9)), rtol=1e-6, atol=1e-9
    )


@every_method
@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_order_does_not_matter(method, these, random):
    y, v, x = np.array(these).T
    order = random.sample(range(len(y)), len(y))
    one, other = (regress(y[i], v[i], x[i], method=method, test="t") for i in (list(range(len(y))), order))
    assert_same(one, other, (*COEFFICIENTS, *SINGLE))


@every_method
@given(rows, st.sampled_from([1e-8, -0.5, 1e8]), st.sampled_from([-3.0, 0.0, 1948.0]))
@settings(max_examples=10)
def test_units_and_origins_do_not_matter(method, these, c, shift):
    """y in other units, x in other units and from another origin: the slope follows."""
    y, v, x = np.array(these).T
    one = regress(y, v, x, method=method, test="t")
    other = regress(c * y, c**2 * v, 7 * x + shift, method=method, test="t")
    assert other.beta[1] == pytest.approx(c / 7 * one.beta[1], rel=1e-6, abs=1e-9 * abs(c))
    assert other.se[1] == pytest.approx(abs(c) / 7 * one.se[1], rel=1e-6)
    assert other.tau2 == pytest.approx(c**2 * one.tau2, rel=1e-6, abs=1e-9 * c**2)
    assert_same(one, other, ("qm", "qm_p", "qe", "r2", "i2", "h2"), atol=1e-7)
    np.testing.assert_allclose(
        other.predict(7 * x + shift).mu, c * one.predict(x).mu, rtol=1e-6, atol=1e-8 * abs(c)
    )


@given(rows, st.sampled_from(["ML", "REML"]))
def test_no_tau2_is_more_likely(these, method):
    """Against the textbook formula with dense matrices, on a fine grid."""
    y, v, x = np.array(these).T
    design = np.column_stack([np.ones_like(x), x])

    def deviance(tau2):
        w = np.diag(1 / (v + tau2))
        information = design.T @ w @ design
        r = y - design @ np.linalg.solve(information, design.T @ w @ y)
        restricted = np.linalg.slogdet(information)[1] if method == "REML" else 0.0
        return np.log(v + tau2).sum() + restricted + r @ w @ r

    least = deviance(regress(y, v, x, method=method, test="z").tau2)
    elsewhere = [0.0, *np.geomspace(1e-4 * v.min(), 10 * np.ptp(y) ** 2 + 1, 100)]
    assert least <= min(map(deviance, elsewhere)) + 1e-7


@pytest.mark.parametrize(
    "v",
    [
        [1e-40, 1e-38, 0.2, 0.3, 0.1, 0.7, 0.4, 0.2],
        [1e-20, 2e-20, 3e-20, 1e-20, 5e-20, 0.3, 0.1, 0.7],
        [1e-30, 1e-22, 1e-16, 1e-12, 1e-8, 1e-4, 1e-2, 1.0],
    ],
    ids=["two huge", "five huge", "all apart"],
)
def test_digits_survive_huge_studies(v):
    """Against 300 digits. Years are far from 0, the other column is a factor."""
    y = [0.5, 0.7, -0.2, 0.1, 0.9, 0.4, 0.3, -0.6]
    x = np.array([[1948, 1], [1961, 0], [1975, 0], [1980, 1], [1949, 0], [2001, 1], [1977, 0], [1966, 1]])
    with mpmath.workdps(300):
        a, b = mpmath.matrix(np.column_stack([np.ones(8), x]).tolist()), mpmath.matrix(y)

        def solve(tau2):
            w = mpmath.diag([1 / (mpmath.mpf(one) + tau2) for one in v])
            covariance = mpmath.inverse(a.T * w * a)
            return covariance, covariance * (a.T * w * b), w - w * a * covariance * a.T * w

        p = solve(0)[2]
        q = (b.T * p * b)[0]
        tau2 = max(mpmath.mpf(0), (q - 5) / sum(p[i, i] for i in range(8)))
        covariance, beta, _ = solve(tau2)
        expected = [q, tau2, *beta, *(mpmath.sqrt(covariance[i, i]) for i in range(3))]
        fit = regress(y, v, x, method="DL", test="z")
        found = [fit.qe, fit.tau2, *fit.beta, *fit.se]
        for ours, exact in zip(found, expected, strict=True):
            assert abs(ours - exact) <= 1e-13 * abs(exact)


def test_equal_effects_leave_nothing():
    fit = regress([0.3] * 5, [0.1, 0.2, 0.3, 0.4, 0.5], [1, 2, 3, 4, 9])
    assert (fit.tau2, fit.qe, fit.qe_p, fit.qm, fit.qm_p) == (0, 0, 1, 0, 1)
    assert fit.beta.tolist() == [0.3, 0.0]
    assert fit.se.tolist() == [0.0, 0.0]
    assert (fit.statistic.tolist(), fit.p_value.tolist()) == ([math.inf, 0.0], [0.0, 1.0])


@every_method
def test_as_few_studies_as_can_be(method):
    fit = regress([0.1, 0.5, 0.2], [0.1, 0.2, 0.3], [1, 2, 3], method=method, test="hksj")
    undefined = {"se_tau2"} if method == "CE" else set()
    assert {name for name in SINGLE if math.isnan(getattr(fit, name))} == undefined
    assert np.isfinite([getattr(fit, name) for name in COEFFICIENTS]).all()


def test_the_interval_of_tau2_by_hand():
    """One contrast: Q(tau2) = 6 / (1 + 4 tau2), equal to the quantiles 5.02 and 0.00098 at the ends."""
    low, high = regress(Y, V, X, method="ML").tau2_interval()
    upper, lower = stats.chi2.isf([0.025, 0.975], 1)
    assert (low, high) == pytest.approx(((6 / upper - 1) / 4, (6 / lower - 1) / 4))
    found = regress(Y, V, X, method="ML").tau2_interval()  # H2 = Q over its quantile, for one contrast
    assert tuple(found.h2) == pytest.approx((6 / upper, 6 / lower))
    assert tuple(found.i2) == pytest.approx((100 * (1 - upper / 6), 100 * (1 - lower / 6)))


def test_effects_that_lie_very_far_apart():
    fit = regress([0, 1e50, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 4, 3, 5], method="DL", test="z")
    at_ends = [fit.contrasts.q(end / fit.scale**2) for end in fit.tau2_interval()]
    assert at_ends == pytest.approx(stats.chi2.isf([0.025, 0.975], 3), rel=1e-12)


def test_an_interval_of_effects_too_equal_is_empty():
    ends = regress([1, 1.01, 0.99, 1], [1] * 4, [1, 2, 3, 5]).tau2_interval()
    assert (tuple(ends), ends.i2, ends.h2) == ((0, 0), (0, 0), (1, 1))


def test_columns_have_names_and_one_new_row_may_be_flat():
    x = np.column_stack([[1, 2, 3, 4, 5], [0, 1, 0, 0, 1]])
    fit = regress([1, 2, 2, 3, 5], [1] * 5, x, names=["dose", "woman"])
    assert fit.names == ("intercept", "dose", "woman")
    np.testing.assert_allclose(fit.predict([3, 1]).mu, fit.predict([[3, 1]]).mu)
    assert fit.predict([[3, 1], [4, 0]]).mu == pytest.approx(fit.beta[0] + fit.beta[1:] @ [[3, 4], [1, 0]])


def refused(message, y=(1, 2, 3, 4), v=(1, 1, 1, 1), x=(1, 2, 3, 5), **arguments):
    with pytest.raises(InputError, match=message):
        regress(y, v, np.array(x), **arguments)


@pytest.mark.parametrize(
    ("x", "arguments", "message"),
    [
        ([7, 7, 7, 7], {}, "column 'x0' of X is constant, as the intercept is; leave it out"),
        ([1948.1] * 4, {}, "column 'x0' of X is constant"),
        ([0, 0, 0, 0], {"intercept": False}, "column 'x0' of X is 0 in every study"),
        (
            [[1, 2], [2, 4], [3, 6], [5, 10]],
            {"names": ["dose", "twice"]},
            r"column 'twice' of X is a linear combination of those before it \(intercept, dose\)",
        ),
        ([[0, 1], [1, 0], [0, 1], [1, 0]], {}, "column 'x1' of X is a linear combination"),
        (
            [[0, 1, 1], [1, 0, 2], [0, 0, 0], [1, 1, 2]],
            {},
            "4 studies cannot carry 4 coeff.* at least 5",
        ),
        (
            [[1], [2], [3]],
            {},
            r"X must hold one row per study .*, 4 rows, found .*\(3, 1\)",
        ),
        (np.empty((4, 0)), {}, "a column or more"),
        ([1], {"y": [1], "v": [1]}, "1 study cannot carry 2 coefficients; at least 3 studies are needed"),
        ([1, 2, 3, 5], {"y": [1e70] * 4, "intercept": False}, "check their units"),
        ([1, 2, np.nan, 4], {}, "study 2: x0 must be a finite number, found nan; leave the study out"),
        (["a", "b", "c", "d"], {}, "X must hold numbers only"),
        ([1, 2, 3, 5], {"names": ["a", "b"]}, "names must hold one name per column of X, 1, found 2"),
        ([1, 2, 3, 5], {"method": "FE"}, "method must be one of CE, DL"),
        ([1, 2, 3, 5], {"test": "knha"}, "test must be one of z, t, hksj, mhksj"),
        ([1, 2, 3, 5], {"level": 95}, "level must lie between 0 and 1"),
        ([1, 2, 3, 5], {"v": (1, 0, 1, 1)}, "study 1: v must be a finite positive variance"),
        ([1, 2, 3, 5], {"y": (1, 2, 3)}, r"y and v must hold one number per study, found .*\(3,\)"),
    ],
)
def test_refusals_say_what_and_where(x, arguments, message):
    refused(message, x=x, **arguments)


def test_refusals_of_new_rows():
    fit = regress([1, 2, 3, 5], [1] * 4, [1, 2, 3, 5])
    with pytest.raises(InputError, match=r"X_new must have 1 columns, .*, found shape \(2, 2\)"):
        fit.predict([[1, 2], [3, 4]])
    with pytest.raises(InputError, match="X_new must hold finite numbers, found nan"):
        fit.predict([np.nan])


def test_sidik_and_jonkman_start_from_the_variance_of_all_effects():
    """Effects of variance 1 about two equal levels: their start 1, their Q 4 / (1 + 1) and 2 df by hand."""
    fit = regress([-1, 1, -1, 1], [1] * 4, [0, 0, 1, 1], method="SJ", test="z")
    assert fit.tau2 == pytest.approx(1 * (4 / 2) / 2)
    assert regress([3] * 4, [1, 2, 3, 4], [0, 0, 1, 1], method="SJ", test="z").tau2 == 0


GROUPS = ["b", "a", "b", "a", "b"]


def test_groups_that_share_tau2_by_hand():
    """Means 2 and 4 of groups of 2 and 3 equal variances 1, no residual beyond it: CE by hand."""
    found = subgroup([3, 1, 4, 3, 5], [1] * 5, GROUPS, method="CE", test="z")
    assert (found.names, found.k.tolist()) == (("a", "b"), [2, 3])
    np.testing.assert_allclose(found.mu, [2, 4])
    np.testing.assert_allclose(found.se, np.sqrt([1 / 2, 1 / 3]))
    assert (found.q, found.q_df) == pytest.approx((4 / (1 / 2 + 1 / 3), 1))
    assert found.q_p == pytest.approx(stats.chi2.sf(found.q, 1))
    assert found.regression is not None
    assert found.regression.names == ("intercept", "b")


@every_test
def test_groups_with_their_own_tau2_are_pooled_alone(test):
    y, v = np.array([3, 1, 4.5, 3, 9]), np.array([1, 2, 1, 0.1, 0.3])
    found = subgroup(y, v, GROUPS, test=test, common_tau2=False)
    inside = np.array(GROUPS) == "b"
    alone = pool(y[inside], v[inside], test=test)
    for name in ("mu", "se", "ci_low", "ci_high", "tau2", "pi_low", "pi_high"):
        assert getattr(found, name)[1] == getattr(alone, name)
    difference = found.mu[1] - found.mu[0]
    assert (found.q, found.q_df) == pytest.approx((difference**2 / (found.se**2).sum(), 1))
    assert found.q_p == pytest.approx(stats.chi2.sf(found.q, 1))


@given(rows, st.sampled_from(["DL", "REML"]))
@settings(max_examples=20)
def test_the_first_group_does_not_matter(these, method):
    y, v, _ = np.array(these).T
    groups = [i % 3 for i in range(len(y))]
    renamed = [(i + 1) % 3 for i in groups]
    one, other = (subgroup(y, v, these, method=method, test="t") for these in (groups, renamed))
    np.testing.assert_allclose(one.mu[[0, 1, 2]], other.mu[[1, 2, 0]], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(one.q, other.q, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("groups", "arguments", "message"),
    [
        (["a"] * 4, {}, "all studies are in group 'a'"),
        (["a", "b"], {}, "groups must hold one group per study, 4, found 2"),
        (["a", "b", "c", "d"], {}, "4 studies cannot carry 4 coefficients"),
        (["a", "a", "a", "b"], {"common_tau2": False}, "group 'b': there is 1 study; test 'hksj' needs"),
        (["a", "a", "b", "b"], {"common_tau2": False}, "standard error is 0"),
        (["a", "a", "b", "b"], {"method": "FE"}, "method must be one of"),
    ],
)
def test_refusals_of_groups(groups, arguments, message):
    with pytest.raises(InputError, match=message):
        subgroup([1, 1, 2, 3], [1] * 4, groups, **arguments)
