"""Worked examples that manuals print, where they are about priors: names and numbers as in their sources."""

import numpy as np
import pytest
from scipy import special

from kyphobayes import exact
from kyphobayes.borrowing import elir, log_odds_unit_sd, map_prior, robust, unit_sd
from kyphobayes.catalogue import read_catalogue
from kyphobayes.priors import Prior
from kyphobayes.project import default_project

# baeten2013: eight control arms of trials in ankylosing spondylitis, in the manuals of bayesmeta and RBesT.
N = np.array([107, 44, 51, 39, 139, 20, 78, 35])
EVENTS = np.array([23, 12, 19, 9, 39, 6, 9, 10])


def test_turner_prior_surgical():
    """bayesmeta 3.4, JSS p. 31: surgical / device related success / failure, pharmacological vs placebo."""
    name = "turner2015_surgical_device_related_success_failure_pharm_placebo"
    prior = read_catalogue(default_project())[name].prior
    expected = [0.06233896, 0.34300852, 1.88734045]
    np.testing.assert_allclose(prior.quantile([0.025, 0.5, 0.975]), expected, atol=5e-9)


@pytest.mark.parametrize(
    ("text", "printed", "true"),
    [
        ("HalfNormal(sigma=0.5)", 1.092287, 1.090974492),
        ("HalfNormal(sigma=1)", 2.184573, 2.181948984),
        ("HalfCauchy(beta=0.5)", 5.050571, 5.047007257),
    ],
)
def test_prior_predictive_normalmixture(text, printed, true):
    """bayesmeta 3.4, JSS p. 30: 97.5 % quantile of Normal(0, tau); its own grid is off by 1e-3."""
    # Probabilities at the middles of even steps in their log odds.
    log_odds = np.arange(-30, 30, 0.01)
    share, step = special.expit(log_odds), 0.01 * special.expit(log_odds) * special.expit(-log_odds)
    found = step @ special.ndtr(true / Prior.parse(text).quantile(share))
    assert found == pytest.approx(0.975, abs=1e-9)
    assert printed == pytest.approx(true, rel=0.002)


def test_baeten2013_map_ess_normal():
    """bayesmeta 3.4, ess: 45.7 and 43.4 printed; by quadrature 45.606736 and 43.345502."""
    y, se = np.log(EVENTS / (N - EVENTS)), np.sqrt(1 / EVENTS + 1 / (N - EVENTS))
    assert unit_sd(N, se) == pytest.approx(2.34877109, abs=5e-9)
    predictive = exact.normal(y, se).posterior(mu="Flat()", tau="Flat()").theta_new
    assert elir(predictive, 2.35) == pytest.approx(45.606736, abs=1e-3)
    # Under flat priors the tails are powers, and this integral depends on where it is cut off.
    assert elir(predictive, log_odds_unit_sd) == pytest.approx(43.345502, abs=5e-3)


def test_rbest_as_map_hn1():
    """RBesT 1.8-2, introduction: its MCMC is good to 0.015.

    The second numbers are by somebody's quadrature, which is off by 2e-4: ours agrees with a brute
    force of 160 x 200 nodes in (mu, tau) to 1e-8 in the outer two.
    """
    posterior = exact.binomial(EVENTS, N).posterior(mu="Normal(mu=0, sigma=2)", tau="HalfNormal(sigma=1)")
    mixture = map_prior(posterior.theta_new, 4)
    assert mixture.divergence < 1e-3
    for density, tolerance in ((posterior.theta_new, 3e-4), (mixture.prior, 5e-3)):
        rates = special.expit(density.quantile([0.025, 0.5, 0.975]))
        np.testing.assert_allclose(rates, [0.112, 0.251, 0.459], atol=0.015)
        np.testing.assert_allclose(rates, [0.1109377, 0.2486049, 0.4712115], atol=tolerance)
    # A fifth of doubt costs about a third of the effective sample size.
    size = elir(mixture.prior, log_odds_unit_sd)
    assert 35 < size < 40
    assert 0.6 * size < elir(robust(mixture.prior, 0.2, sigma=2), log_odds_unit_sd) < size
