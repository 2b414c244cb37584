"""Prediction intervals: values by hand, the paper's bootstrap, and its distribution of tau2."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist import pool, prediction_interval
from kyphobayes.frequentist.prediction import INTERVALS, Spectrum
from kyphobayes.frequentist.studies import Studies

Y = [0.0, 0.1, -0.4, -0.8, -0.63, 0.22, -0.34, -0.51, 0.03, -0.81]
SE = [0.42347717, 0.21939179, 0.02551067, 0.19898325, 0.30102594]
SE += [0.30102594, 0.07142988, 0.10204269, 0.12245123, 0.30102594]
V = np.square(SE)
every_method = pytest.mark.parametrize("method", INTERVALS)


@pytest.mark.parametrize(
    ("method", "quantile"),
    [
        ("riley", 12.706204736432095),
        ("hts", 12.706204736432095),
        ("hksj", 12.706204736432095),
        ("normal", 1.959963984540054),
    ],
)
def test_three_studies_by_hand(method, quantile):
    """Effects -1, 0, 1 with variance 1/4: tau2 = 3/4 by REML and DL, and se^2 = 1/3 by Wald and HKSJ."""
    reach = quantile * np.sqrt(3 / 4 + 1 / 3)
    assert prediction_interval([-1, 0, 1], [0.25] * 3, method=method) == pytest.approx((-reach, reach))


@pytest.mark.parametrize(
    ("method", "tau2_method", "test", "df"),
    [
        ("riley", "REML", "z", 8),
        ("hts", "DL", "z", 8),
        ("hksj", "REML", "hksj", 8),
        ("normal", "REML", "z", np.inf),
    ],
)
@pytest.mark.parametrize("other", [None, "PM", "SJ"])
def test_each_is_of_its_own_tau2_and_standard_error(method, tau2_method, test, df, other):
    pooled = pool(Y, V, method=other or tau2_method, test=test)
    reach = stats.t.ppf(0.9, df) * np.sqrt(pooled.tau2 + pooled.se**2)
    found = prediction_interval(Y, V, method=method, tau2_method=other, level=0.8)
    assert found == pytest.approx((pooled.mu - reach, pooled.mu + reach))


@every_method
@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_units_and_order_do_not_matter(method, unit):
    one = prediction_interval(Y, V, method=method)
    shifted = prediction_interval(unit * np.add(Y, 2)[::-1], unit**2 * V[::-1], method=method)
    assert np.array(shifted) / unit - 2 == pytest.approx(np.array(one), rel=1e-7)


@every_method
def test_a_huge_study_alone_cannot_be_predicted_from(method):
    low, high = prediction_interval([1.0, 1.5, 0.5], [1e-16, 1.0, 1.0], method=method)
    assert low < 1 < high


@pytest.mark.parametrize("method", ["hksj", "bootstrap"])
def test_equal_effects_leave_a_point(method):
    assert prediction_interval([0.3] * 3, [0.1, 0.2, 0.7], method=method) == pytest.approx((0.3, 0.3))


def test_without_any_heterogeneity_the_bootstrap_is_the_interval_of_hksj():
    y = np.array([0.01, -0.012, 0.004, 0.0, 0.007])  # Q is so small that no tau2 above 0 is drawn
    low, high = prediction_interval(y, np.ones(5), method="bootstrap")
    reach = stats.t.ppf(0.975, 4) * np.std(y, ddof=1) / np.sqrt(5)
    assert (low, high) == pytest.approx((y.mean() - reach, y.mean() + reach), abs=0.02 * reach)


def test_one_draw_is_a_point():
    low, high = prediction_interval(Y, V, method="bootstrap", draws=1)
    assert low == high and np.isfinite(low)


def test_a_seed_is_an_interval():
    one, same, other = (prediction_interval(Y, V, method="bootstrap", seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert one == pytest.approx(other, abs=0.02)


def spectrum_of(y, v):
    return Spectrum.of(Studies.standardised(np.array([y]), np.array([v], dtype=float)))


def test_tau2_of_two_studies_is_in_closed_form():
    """lambda = 1 + 2 tau2 / (v_1 + v_2) with v_1 = 1 the unit: tau2 = (q / c - 1) (v_1 + v_2) / 2."""
    c = np.array([[1e-9, 0.01, 0.5, 2.0, 6.9, 7.1]])
    expected = np.maximum(0, (7 / c[0] - 1) * 5 / 2)
    assert spectrum_of([0.0, 3.0], [1, 4]).tau2(c, 7.0) == pytest.approx(expected, rel=1e-9)


def test_drawn_tau2_solve_their_equation():
    """sum(lambda_i(tau2) c_i) = q with the eigenvalues of the dense matrix."""
    v = np.array([1.0, 1.3, 2.0, 9.0, 400.0])
    p = np.diag(1 / v) - np.outer(1 / v, 1 / v) / np.sum(1 / v)
    c = np.random.default_rng(5).chisquare(1, size=(4, 200))
    q = 11.0
    tau2 = spectrum_of([0.0, 3.0, -1.0, 2.0, 8.0], v).tau2(c, q)
    for own, weights in zip(tau2, c.T, strict=True):
        root = np.sqrt(v + own)
        lambdas = np.linalg.eigvalsh(root[:, None] * p * root)[1:]
        value = lambdas @ weights
        assert value == pytest.approx(q, rel=1e-3) if own > 0 else value >= q


@pytest.mark.statistical
def test_drawn_tau2_have_the_confidence_distribution():
    """P(tau2 < t) is the probability that Q under t is at least the observed q."""
    rng = np.random.default_rng(8)
    v = np.array([1.0, 1.5, 4.0, 20.0])
    drawn = spectrum_of([0.0, 3.0, -1.0, 8.0], v).tau2(rng.chisquare(1, size=(3, 100_000)), 9.0)
    for t in (0.5, 3.0, 40.0):
        y = rng.normal(size=(100_000, 4)) * np.sqrt(v + t)
        centred = y - (y / v).sum(axis=1, keepdims=True) / np.sum(1 / v)
        q = (centred**2 / v).sum(axis=1)
        assert np.mean(drawn <= t) == pytest.approx(np.mean(q >= 9.0), abs=0.008)


@pytest.mark.parametrize(
    ("y", "arguments", "message"),
    [
        ([1, 2], {}, "there are 2 studies; a prediction interval by 'riley' needs at least 3: add"),
        ([1, 2], {"method": "hts"}, "by 'hts' needs at least 3"),
        ([1, 2], {"method": "hksj"}, "by 'hksj' needs at least 3"),
        ([1], {"method": "normal"}, "there is 1 study; a prediction interval by 'normal' needs at least 2"),
        ([1], {"method": "bootstrap"}, "by 'bootstrap' needs at least 2"),
        ([1, 2, 3], {"method": "simple"}, "method must be one of riley, hts, hksj, normal, bootstrap"),
        ([1, 2, 3], {"tau2_method": "CE"}, "tau2_method must be one of DL, HE"),
        ([1, 2, 3], {"method": "bootstrap", "tau2_method": "DL"}, "takes no estimator of it, found 'DL'"),
        ([1, 2, 3], {"method": "bootstrap", "draws": 0}, "draws must be at least 1, not 0"),
        ([1, 2, 3], {"level": 0}, "level must lie between 0 and 1"),
    ],
)
def test_refusals_say_what_and_where(y, arguments, message):
    with pytest.raises(InputError, match=message):
        prediction_interval(y, np.ones(len(y)), **arguments)
