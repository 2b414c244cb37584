"""The witness's log likelihoods of (mu, tau): against sums over the studies' effects, and what is refused."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist.likelihood import (
    normal_log_likelihood,
    proportion_log_likelihood,
    rate_log_likelihood,
)

EVENTS, N, TIME = [0, 3, 7], [9, 20, 15], [4.0, 10.0, 2.5]
MU, TAU = np.array([[-2.0], [0.3]]), np.array([0.0, 0.2, 1.4])
STEPS = np.linspace(-9, 9, 3001)


def by_a_sum(log_pmf):
    """Log likelihood at every (MU, TAU): studies integrated over normal steps by the trapezoid rule."""
    weights = stats.norm.pdf(STEPS) * (STEPS[1] - STEPS[0])
    return [[sum(np.log(np.exp(log_pmf(m + t * STEPS)) @ weights)) for t in TAU] for m in MU[:, 0]]


def test_proportions():
    found = proportion_log_likelihood(EVENTS, N, MU, TAU)
    events, n = np.array(EVENTS)[:, None], np.array(N)[:, None]
    expected = by_a_sum(lambda x: stats.binom.logpmf(events, n, special.expit(x)))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_tables_of_counts_are_weighed_by_another_link_too():
    tables = [EVENTS, [1, 3, 6]]
    found = proportion_log_likelihood(tables, N, -0.4, 0.5, link="probit", weights=[1, 3])
    each = [float(proportion_log_likelihood(table, N, -0.4, 0.5, link="probit")) for table in tables]
    assert float(found) == pytest.approx(np.log(np.exp(each) @ [0.25, 0.75]), rel=1e-12)


def test_rates():
    found = rate_log_likelihood(EVENTS, TIME, MU, TAU)
    events, time = np.array(EVENTS)[:, None], np.array(TIME)[:, None]
    expected = by_a_sum(lambda x: stats.poisson.logpmf(events, time * np.exp(x)))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_normal_studies():
    y, v = np.array([0.1, -0.4, 1.2]), np.array([0.04, 0.2, 0.1])
    found = normal_log_likelihood(y, v, MU, TAU)
    expected = [[stats.norm.logpdf(y, m, np.sqrt(v + t**2)).sum() for t in TAU] for m in MU[:, 0]]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize(("mu", "tau"), [(0, -0.1), (np.inf, 1), (np.nan, 1), (0, np.inf)])
@pytest.mark.parametrize(
    "function",
    [
        lambda *at: proportion_log_likelihood(EVENTS, N, *at),
        lambda *at: rate_log_likelihood(EVENTS, TIME, *at),
        lambda *at: normal_log_likelihood([0.1, 0.2], [1, 1], *at),
    ],
)
def test_places_outside_are_refused(function, mu, tau):
    with pytest.raises(InputError, match="mu and tau must be finite numbers, tau at least 0"):
        function(mu, tau)
