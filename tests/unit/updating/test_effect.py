"""What a printed line foresees of one more estimate."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.updating import foreseen_effect


@pytest.fixture(scope="module")
def theta_new():
    return (
        exact.normal([0.1, 0.6, 0.3], [0.2, 0.3, 0.2]).posterior("Normal(0, 2)", "HalfNormal(0.5)").theta_new
    )


@pytest.mark.parametrize("y", [-0.4, 0.3, 2.5])
def test_the_probabilities_are_those_of_simulated_estimates(theta_new, y):
    rng = np.random.default_rng(0)
    effects = theta_new.quantile(rng.uniform(size=40_000))
    estimates = rng.normal(effects, 0.25)
    found = foreseen_effect(theta_new, y, 0.25**2)
    assert found.at_least == pytest.approx(np.mean(estimates >= y), abs=0.01)
    assert found.at_least + found.at_most == pytest.approx(1)
    assert found.two_sided == pytest.approx(2 * min(found.at_least, found.at_most))
    expected = np.quantile(estimates, [0.5, 0.025, 0.975])
    np.testing.assert_allclose([found.expected, found.low, found.high], expected, atol=0.04)


def test_with_a_large_error_only_the_error_counts(theta_new):
    found = foreseen_effect(theta_new, 0.0, 1e4)
    assert found.high - found.low == pytest.approx(2 * stats.norm.ppf(0.975) * 100, rel=1e-3)


def test_a_variance_of_nothing_is_refused(theta_new):
    with pytest.raises(InputError, match="variance above 0, found 1 and 0"):
        foreseen_effect(theta_new, 1.0, 0.0)
