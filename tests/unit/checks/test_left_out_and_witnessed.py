"""Checks that any model of patients or studies can use: features, leaving out, a plain witness."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes.checks.features import Feature, replicated
from kyphobayes.checks.left_out import left_out
from kyphobayes.checks.witnessed import witnessed


def test_leave_one_patient_out_of_a_fixed_likelihood_is_its_sum():
    log_likelihood = np.tile([-1.0, -2.5], (200, 1)) + 1e-6 * np.random.default_rng(0).normal(size=(200, 2))
    check = left_out(log_likelihood, ["1", "2"])
    np.testing.assert_allclose(check.table["elpd"], [-1.0, -2.5], atol=1e-4)
    assert check.name == "leave-one-patient-out" and "least expected is patient 2" in check.text


def test_a_unit_that_the_draws_did_not_foresee_fails():
    mu = np.random.default_rng(1).normal(size=2000)
    check = left_out(stats.norm.logpdf(np.array([0.1, 9.0]), mu[:, None], 0.5), ["a", "b"], "study")
    assert not check.passed and check.table.loc["b", "pareto_k"] > 0.7


@pytest.mark.parametrize(
    ("centre", "moves", "passed"),
    [(-2.0, 0.0, True), (-2.8, 0.0, False), (-2.8, 0.9, True), (-5.0, 0.9, False)],
)
def test_the_plain_mean_is_a_witness(centre, moves, passed):
    change = centre + stats.norm.ppf((np.arange(500) + 0.5) / 500)
    check = witnessed("mean change", change, -2.0, (-3.0, -1.0), "paired t interval", prior_range=moves)
    assert check.passed is passed
    assert ("the prior matters" in check.text) is (passed and abs(centre + 2) > 0.5)


def test_a_known_reason_excuses_up_to_two_standard_deviations():
    change = stats.norm.ppf((np.arange(500) + 0.5) / 500)
    for estimate, passed in ((1.0, True), (2.5, False)):
        check = witnessed("rate", change, estimate, (0.0, 3.0), "plain rate", expected="no event was seen")
        assert check.passed is passed and ("no event was seen" in check.text) is passed


@pytest.mark.parametrize(("observed", "passed"), [(0.3, True), (4.0, False), (-4.0, False)])
def test_a_feature_that_no_replicate_has_fails(observed, passed):
    many = np.random.default_rng(3).normal(size=3000)
    check = replicated([Feature("mean", 0.0, many), Feature("largest", observed, many)])
    assert check.passed is passed
    assert check.table.loc["mean", "p"] == pytest.approx(0.5, abs=0.03)
    assert ("do not look like the observed: largest" in check.text) is not passed
