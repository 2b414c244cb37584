"""The integrated likelihood of one study's counts at fixed (mu, tau): tau from 1e-300 to 1e8, mu far out."""

import mpmath
import numpy as np
import pytest

from kyphobayes.exact.likelihoods import BinomialStudies, PoissonStudies
from kyphobayes.frequentist import proportion_log_likelihood, rate_log_likelihood

BILLION = 10**9
OF = {"binomial": BinomialStudies, "poisson": PoissonStudies}
STUDIES = [
    *[("binomial", events, BILLION) for events in (0, 1, 2, BILLION // 2, BILLION - 1, BILLION)],
    *[("binomial", 0, 1), ("binomial", 1, 1), ("binomial", 3, 10)],
    *[("poisson", events, exposure) for events in (0, 3) for exposure in (1e-6, 1e9)],
    ("poisson", BILLION, 1e9),
]
ORDINARY = 1e-11  # of a log likelihood, or of its size


def places(study):
    """(mu, tau) at the study's own place, some of its scales off and far out; tau tiny, like it and huge."""
    centre, scale = float(study.centres[0]), float(study.scales[0])
    near = [(centre - 3 * scale, t) for t in (1e-300, 0.3 * scale, 3 * scale, 1e8)]
    return [*near, (centre - 30.0, 1.0), (centre + 30.0, 1.0), (centre - 380.0, 30.0)]


@pytest.mark.parametrize(("kind", "events", "size"), STUDIES)
def test_integrated_likelihood(witness, kind, events, size):
    study = OF[kind]([events], [size])
    for mu, tau in places(study):
        expected = witness.log_integrated(kind, events, size, mu, tau)
        found = float(study.log_integrated([mu], [tau])[0, 0, 0])
        assert abs(found - expected) <= ORDINARY * max(1, abs(expected)), (mu, tau, found, float(expected))


@pytest.mark.parametrize(("kind", "events", "size"), STUDIES)
def test_the_witness_of_the_package_itself(witness, kind, events, size):
    """`frequentist` says the same; what a billion trials cost it in digits its maximum allows for."""
    study = OF[kind]([events], [size])
    function = proportion_log_likelihood if kind == "binomial" else rate_log_likelihood
    cost = 1e-15 * size if kind == "binomial" else 0.0
    for mu, tau in places(study)[:3]:
        expected = witness.log_integrated(kind, events, size, mu, tau)
        found = float(function([events], [size], mu, tau))
        assert abs(found - expected) <= 1e-9 * max(1, abs(expected)) + cost, (mu, tau, found, float(expected))


@pytest.mark.parametrize("kind", OF)
def test_log_likelihood_loses_nothing_to_large_counts(witness, kind):
    for events in (0, 1, BILLION // 2, BILLION - 1, BILLION):
        study = OF[kind]([events], [BILLION])
        centre, scale = float(study.centres[0]), float(study.scales[0])
        for theta in centre + scale * np.array([-30.0, -1.0, 0.0, 1e-3, 2.0, 30.0]):
            expected = witness.log_likelihood(kind, events, BILLION, mpmath.mpf(theta))
            found = float(study.log_lik([theta])[0, 0])
            # A rounding of theta's way from the best moves the log likelihood by that times the counts.
            rounding = 4e-16 * BILLION * min(1.0, abs(theta - centre))
            assert abs(found - expected) <= 1e-11 + 1e-13 * abs(expected) + rounding, (events, theta)


def test_events_and_others_change_places():
    """Nothing of n and n of n are one likelihood seen from two sides."""
    mu, tau = np.linspace(-30, 30, 13), np.geomspace(1e-6, 1e3, 9)
    events = np.array([0, 1, 3, 10**6, BILLION // 2, BILLION])
    one = BinomialStudies(events, np.full(6, BILLION)).log_integrated(mu, tau)
    other = BinomialStudies(BILLION - events, np.full(6, BILLION)).log_integrated(-mu, tau)
    np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


def test_a_huge_study_beside_small_ones_costs_no_endless_grid():
    """Together they are what each is alone, to the last digits but some."""
    events, n = [BILLION // 2, 3, 0, BILLION // 10], [BILLION, 10, 20, BILLION]
    mu, tau = np.linspace(-5, 5, 21), np.geomspace(1e-6, 10, 25)
    together = BinomialStudies(events, n).log_integrated(mu, tau)
    alone = [BinomialStudies([a], [b]).log_integrated(mu, tau)[0] for a, b in zip(events, n, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-10, atol=1e-10)
