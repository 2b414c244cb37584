"""Intervals of thousands of tables at once: each is that of the same method on its table alone."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from kyphobayes import exact
from kyphobayes.coverage.maximum import CUT, maxima
from kyphobayes.coverage.posterior_intervals import RTOL, TAILS, Posteriors
from kyphobayes.coverage.shared_grid import place
from kyphobayes.coverage.two_stage import METHODS, two_stage
from kyphobayes.effects import effect_size
from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact.panels import Panels
from kyphobayes.frequentist import glmm_proportion, pool, prediction_interval, proportion_log_likelihood
from kyphobayes.priors import Priors

WEAK = "Normal(mu=-2.5, sigma=1.5)"
TEXTS = [
    (WEAK, "HalfNormal(sigma=0.5)"),
    (WEAK, "HalfFlat()"),
    ("Logistic(mu=0, s=1)", "HalfCauchy(beta=2.5)"),
]
PAIRS = [(each["mu"], each["tau"]) for each in (Priors.of(mu=mu, tau=tau) for mu, tau in TEXTS)]
SIZES = np.array([[12, 20, 28]] * 6)
EVENTS = np.array([[0, 0, 0], [0, 0, 3], [0, 1, 1], [1, 4, 2], [0, 9, 20], [5, 9, 13]])


@pytest.fixture(scope="module")
def grid():
    return place(EVENTS, SIZES, PAIRS)


@pytest.fixture(scope="module")
def intervals(grid):
    return Posteriors.of(grid, PAIRS).intervals(grid.log_likelihood(slice(0, 6)), EVENTS, SIZES)


@pytest.mark.parametrize(("table", "pair"), [(0, 0), (0, 1), (0, 2), (1, 2), (2, 1), (4, 0), (5, 1)])
def test_exact_intervals_are_those_of_the_engine(intervals, pair, table):
    found = intervals[pair]
    if np.isnan(found.low[table]):
        with pytest.raises(ImproperPosterior):
            exact.binomial(EVENTS[table], SIZES[table]).posterior(*PAIRS[pair])
        return
    post = exact.binomial(EVENTS[table], SIZES[table]).posterior(*PAIRS[pair], rtol=1e-6)
    for name, ends in (
        ("mu", (found.low[table], found.high[table])),
        ("theta_new", (found.new_low[table], found.new_high[table])),
    ):
        assert post.cdf(name, ends) == pytest.approx(TAILS, abs=RTOL / 2)


def test_a_flat_tau_has_no_posterior_with_fewer_than_two_studies_that_tell(intervals):
    assert np.isnan(intervals[1].low).tolist() == [True, True, False, False, False, False]
    assert np.isfinite([intervals[0].low, intervals[2].new_high]).all()


def test_a_tau_far_smaller_than_the_panels_in_mu_makes_no_steps():
    """Given so small a tau the distribution function of theta_new is a step between two nodes in mu."""
    priors = Priors.of(mu=WEAK, tau="HalfNormal(sigma=0.01)")
    pair = priors["mu"], priors["tau"]
    events, sizes = np.array([[2, 3, 1]]), np.array([[40, 40, 40]])
    grid = place(events, sizes, [pair])
    found = Posteriors.of(grid, [pair]).intervals(grid.log_likelihood(slice(0, 1)), events, sizes)[0]
    post = exact.binomial(events[0], sizes[0]).posterior(*pair, rtol=1e-6)
    ends = [found.new_low[0], found.new_high[0]]
    assert post.cdf("theta_new", ends) == pytest.approx(TAILS, abs=RTOL / 2)


def test_a_table_that_the_grid_does_not_resolve_is_solved_by_itself(grid, intervals):
    # A quarter of the panels: what the rule makes of it is far from right, and says so.
    mu = Panels(grid.mu.edges[[0, 4, 8, -1]])
    tau = Panels(np.append(grid.tau.edges[:-4:4], grid.tau.edges[-1]))
    studies = exact.binomial(EVENTS[5], SIZES[5]).studies
    coarse = replace(
        grid, mu=mu, tau=tau, pieces=studies.log_integrated(mu.nodes, tau.nodes), index=np.array([[0, 1, 2]])
    )
    rule = Posteriors.of(coarse, PAIRS[:1])
    values = coarse.log_likelihood(slice(0, 1))
    assert rule._solve(values)[1].item() > RTOL
    found = rule.intervals(values, EVENTS[5:], SIZES[5:])[0]
    assert found.low[0] == pytest.approx(intervals[0].low[5], abs=1e-3)
    assert found.new_high[0] == pytest.approx(intervals[0].new_high[5], abs=1e-2)


def test_maxima_are_those_of_the_witness(grid):
    best = maxima(grid, grid.log_likelihood(slice(0, 6)), EVENTS, SIZES)
    for table in range(6):
        try:
            known = glmm_proportion(EVENTS[table], SIZES[table])
        except InputError:
            assert table == 0 and np.isnan([best.mu[0], best.se[0], best.low[0]]).all()
            continue
        found = [best.mu[table], best.tau[table], best.se[table]]
        assert found == pytest.approx([known.mu, known.tau2**0.5, known.se], abs=1e-5)
        wald = best.wald(np.inf)
        ends = [wald.low[table], wald.high[table], wald.new_low[table], wald.new_high[table]]
        assert ends == pytest.approx([known.ci_low, known.ci_high, known.pi_low, known.pi_high], abs=1e-4)


def test_profile_likelihood_falls_by_half_a_chi_squared(grid):
    best = maxima(grid, grid.log_likelihood(slice(0, 6)), EVENTS, SIZES)
    for table in (1, 3, 5):
        top = glmm_proportion(EVENTS[table], SIZES[table]).log_likelihood
        for end in (best.low[table], best.high[table]):

            def fall(tau, end=end, table=table, top=top):
                own = proportion_log_likelihood(EVENTS[table], SIZES[table], mu=[end], tau=[tau])
                return top - own.item()

            highest = optimize.minimize_scalar(
                fall, bounds=(0, 30), method="bounded", options={"xatol": 1e-4}
            )
            assert min(highest.fun, fall(0.0)) == pytest.approx(CUT, abs=0.003)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_two_stage_intervals_are_those_of_one_table(method):
    sizes, events = np.array([[12, 20, 28, 16]] * 2), np.array([[0, 1, 5, 2], [3, 4, 9, 1]])
    found = two_stage(method, events, sizes)
    for table in range(2):
        effects = effect_size(method.measure, {"events": events[table], "n": sizes[table]})
        one = pool(effects.y, effects.v, method=method.tau2, test=method.test)
        if method.measure == "PLO":
            assert (found.low[table], found.high[table]) == pytest.approx((one.ci_low, one.ci_high))
        if method.measure == "PR":
            shares = 1 / (1 + np.exp(-np.array([found.low[table], found.high[table]])))
            assert shares == pytest.approx([max(one.ci_low, 0), one.ci_high])
        named = {("DL", "z"): "hts", ("REML", "z"): "riley", ("REML", "hksj"): "hksj"}
        if method.measure == "PLO" and (kind := named.get((method.tau2, method.test))):
            known = prediction_interval(effects.y, effects.v, method=kind)
            assert (found.new_low[table], found.new_high[table]) == pytest.approx(tuple(known))
        if method.test == "t":  # metafor's, which the pooled result has
            known = (one.pi_low, one.pi_high)
            assert (found.new_low[table], found.new_high[table]) == pytest.approx(known)
