"""Estimators of tau2: hand-computed values, the equations they solve, published values."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes.frequentist import METHODS
from kyphobayes.frequentist.pool import pool

# Two studies at -1 and 1 with variance 1/2: Q = 4, every weight is 2, tr(P) = 2.
BY_HAND = {
    "CE": 0.0,
    "DL": 1.5,  # (4 - 1) / 2
    "HE": 1.5,  # var(y) - mean(v) = 2 - 0.5
    "HS": 0.5,  # (4 - 2) / 4
    "HSk": 1.5,  # (2 * 4 - 2) / 4
    "SJ": 4 / 3,  # start 1: weights 2/3, Q = 4/3, 1 * (4/3) / 1
    "ML": 0.5,  # mean square 1 - 0.5
    "REML": 1.5,  # var(y) - 0.5
    "EB": 1.5,  # 2 / (0.5 + tau2) = 1
    "PM": 1.5,
    "PMM": 2 / stats.chi2.median(1) - 0.5,
}
SE_BY_HAND = {
    "DL": 2 * np.sqrt(2),  # sqrt(2) (v + tau2) for a single contrast
    "HE": 2 * np.sqrt(2),
    "HS": np.sqrt(2) / 2,  # half of sqrt(2) (v + tau2)
    "HSk": 2 * np.sqrt(2),
    "ML": 1.0,  # sqrt(2 / (1 + 1))
    "REML": 2 * np.sqrt(2),
    "PM": 2 * np.sqrt(2),
}
# Viechtbauer (2005), J. Educ. Behav. Stat. 30, example 1, as recomputed in metafor's own tests: tau2, se.
Y = [-0.581, 0.53, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232]
V = [0.023, 0.052, 0.06, 0.115, 0.095, 0.203, 0.2, 0.211, 0.051, 0.04]
PUBLISHED = {
    "HS": (0.2282, 0.1328),
    "HE": (0.1484, 0.1234),
    "DL": (0.2768, 0.1841),
    "ML": (0.1967, 0.1255),
    "REML": (0.2232, 0.1464),
    "EB": (0.1920, 0.1330),
    "SJ": (0.1992, 0.0979),
}


def test_every_method_is_worked_by_hand():
    assert set(BY_HAND) == set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_two_studies_by_hand(method):
    assert pool([-1, 1], [0.5, 0.5], method=method).tau2 == pytest.approx(BY_HAND[method], rel=1e-13)


@pytest.mark.parametrize(("method", "target"), [("PM", 1.0), ("EB", 1.0), ("PMM", stats.chi2.median(1))])
@pytest.mark.parametrize("q", [1.001, 1.5])
def test_a_little_more_than_its_target_is_a_small_tau2(method, target, q):
    v = 2 / (q * target)  # Q(tau2) = 2 / (v + tau2)
    assert pool([-1, 1], [v, v], method=method).tau2 == pytest.approx(2 / target - v, rel=1e-9)


@pytest.mark.parametrize("method", SE_BY_HAND)
def test_standard_error_by_hand(method):
    assert pool([-1, 1], [0.5, 0.5], method=method).se_tau2 == pytest.approx(SE_BY_HAND[method], rel=1e-13)


@pytest.mark.parametrize("method", PUBLISHED)
def test_published_values(method):
    result = pool(Y, V, method=method)
    assert (result.tau2, result.se_tau2) == pytest.approx(PUBLISHED[method], abs=5e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("y", [[0.3] * 4, [0.30, 0.31, 0.29, 0.30]], ids=["equal", "nearly equal"])
def test_no_heterogeneity_is_a_tau2_of_zero(method, y):
    result = pool(y, [0.1, 0.2, 0.3, 0.4], method=method, test="z")
    assert result.tau2 == pytest.approx(0.0, abs=1e-4)  # SJ is never 0 unless the effects are equal
    if method != "SJ":
        assert result.tau2 == 0.0
