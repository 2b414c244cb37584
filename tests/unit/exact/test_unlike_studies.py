"""Large studies beside small ones: none is overlooked on the grid they share."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from kyphobayes import exact

MU, TAU = np.array([-3.0, 0.5, 6.0]), np.array([0.05, 0.4, 1.7, 1.8124, 6.0, 40.0])


@pytest.mark.parametrize("seed", range(12))
def test_a_study_has_the_same_likelihood_alone_and_in_company(seed):
    rng = np.random.default_rng(seed)
    events = np.round(10 ** rng.uniform(0, 6.2, 6)) * rng.integers(0, 2, 6) + rng.integers(0, 2, 6)
    exposure = rng.uniform(5, 100, 6)
    together = exact.poisson(events, exposure).studies.log_integrated(MU, TAU)
    for study, alone in enumerate(zip(events, exposure, strict=True)):
        single = exact.poisson(*([x] for x in alone)).studies.log_integrated(MU, TAU)
        np.testing.assert_allclose(
            together[study], single[0], rtol=1e-9, atol=1e-9, err_msg=str(events[study])
        )


@pytest.mark.parametrize("seed", range(12))
def test_the_same_of_proportions(seed):
    rng = np.random.default_rng(seed)
    n = np.round(10 ** rng.uniform(1, 6.5, 6))
    events = rng.binomial(n.astype(int), rng.beta(0.3, 0.5, 6))
    together = exact.binomial(events, n).studies.log_integrated(MU, TAU)
    for study, alone in enumerate(zip(events, n, strict=True)):
        single = exact.binomial(*([x] for x in alone)).studies.log_integrated(MU, TAU)
        np.testing.assert_allclose(
            together[study], single[0], rtol=1e-9, atol=1e-9, err_msg=str(events[study])
        )


def test_a_large_count_beside_none_is_that_of_mpmath():
    events, exposure = [0, 1_269_821, 78], [12.0, 40.0, 8.0]
    found = exact.poisson(events, exposure).studies.log_integrated(MU, TAU)[1]
    for i, mu in enumerate(MU):
        for j, tau in enumerate(TAU):
            expected = relative_to_best(events[1], exposure[1], mu, tau) + stats.poisson.logpmf(
                *[events[1]] * 2
            )
            assert found[i, j] == pytest.approx(expected, abs=1e-8)


def relative_to_best(events, exposure, mu, tau):
    """Log of the integral of a Poisson likelihood, over its best, times the normal density."""
    with mp.workdps(40):
        x, e, m, t = (mp.mpf(float(value)) for value in (events, exposure, mu, tau))

        def log_density(theta):
            fall = x * (theta - mp.log(x / e)) - e * mp.exp(theta) + x
            return fall - (theta - m) ** 2 / (2 * t * t)

        mode = mp.findroot(lambda theta: x - e * mp.exp(theta) - (theta - m) / t**2, mp.log(x / e))
        width = 1 / mp.sqrt(e * mp.exp(mode) + 1 / t**2)
        places = [mode + step * width for step in range(-40, 41, 8)]
        integral = mp.quad(lambda theta: mp.exp(log_density(theta) - log_density(mode)), places)
        return float(log_density(mode) + mp.log(integral) - mp.log(t) - mp.log(2 * mp.pi) / 2)


def test_counts_from_none_to_millions_have_a_posterior():
    found = exact.poisson([0, 542, 15_240, 7_658, 4, 2_858_020, 182], [12, 40, 25, 90, 8, 60, 30])
    posterior = found.posterior("Normal(mu=-2, sigma=3)", "HalfCauchy(beta=2.5)")
    rates = np.log(np.array([542, 15_240, 7_658, 4, 2_858_020, 182]) / [40, 25, 90, 8, 60, 30])
    shrunken = posterior.shrinkage()["median"].to_numpy()[1:]
    np.testing.assert_allclose(shrunken, rates, atol=0.1)  # tau is some 6: each is left where it is
    assert 3 < posterior.tau.quantile(0.5) < 10 and posterior.error < 1e-7
