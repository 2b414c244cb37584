"""The next series: foreseen, and what is known after it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from kyphobayes import exact
from kyphobayes.borrowing import map_prior
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import find_analysis, read_priors
from kyphobayes.exact.panels import Panels
from kyphobayes.priors import Prior
from kyphobayes.project import default_project
from kyphobayes.updating import (
    commensurate,
    cumulative,
    effective_sizes,
    exchangeable_or_not,
    foreseen,
    mixed,
    outcome_probabilities,
    own_effect,
    series_of,
    update,
)

MU, TAU = "Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)"
EVENTS, N = [0, 5, 4], [32, 60, 19]
Q = [0.025, 0.5, 0.975]
VAGUE = Prior.parse("Normal(mu=0, sigma=1.8)")


@pytest.fixture(scope="module")
def past():
    return exact.binomial(EVENTS, N).posterior(MU, TAU)


@pytest.fixture(scope="module")
def after():
    return exact.binomial([*EVENTS, 5], [*N, 35]).posterior(MU, TAU)


@pytest.fixture(scope="module")
def fractures():
    return series_of(default_project(), "new_fracture_bouza_only", "ribeirao_preto")


@pytest.fixture(scope="module")
def priors(fractures):
    project, plan = default_project(), fractures.analysis
    return read_priors(project, plan.priors, plan, fractures.evidence.measure)


# --- foreseen --------------------------------------------------------------------------------------------


def test_p_values_by_hand():
    found = foreseen(np.array([0.1, 0.4, 0.3, 0.2]), 2)
    assert (found.at_least, found.at_most, found.mid) == pytest.approx((0.5, 0.8, 0.35))
    assert found.as_improbable == pytest.approx(0.1 + 0.3 + 0.2)
    assert found.prediction.mean == pytest.approx(0.4 + 0.6 + 0.6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=12), st.data())
def test_tails_share_the_outcome_itself(weights, data):
    p = np.array(weights) / sum(weights)
    seen = data.draw(st.integers(0, len(p) - 1))
    found = foreseen(p, seen)
    assert found.at_least + found.at_most == pytest.approx(1 + p[seen])
    assert found.mid == pytest.approx(found.at_least - p[seen] / 2)
    assert found.as_improbable >= p[seen] * (1 - 1e-12)


@pytest.mark.parametrize(
    ("p", "events", "message"),
    [([0.5, 0.5], 2, "from 0 to 1"), ([0.5, 0.5], -1, "from 0 to 1"), ([0.5, 0.6], 1, "sum of 1")],
)
def test_impossible_outcomes_are_refused(p, events, message):
    with pytest.raises(InputError, match=message):
        foreseen(np.array(p), events)


@pytest.mark.parametrize("kappa", [0.0, 0.8])
def test_prediction_by_brute_force(past, kappa):
    """On a lattice of mu and tau, with scipy's quadrature over the rate."""
    n = 4
    mu, tau = np.linspace(-7.5, 2.0, 121), np.linspace(1e-3, 4.5, 91)
    log_post = past.surface.log_likelihood(mu, tau)
    log_post += stats.norm.logpdf(mu, -2.5, 1.5)[:, None] + stats.halfnorm.logpdf(tau)
    weight = np.exp(log_post - log_post.max())
    weight /= weight.sum()
    z, w = np.polynomial.hermite_e.hermegauss(40)
    theta = mu[:, None, None] + np.hypot(tau, kappa)[:, None] * z
    expected = [
        np.sum(weight * (stats.binom.pmf(y, n, special.expit(theta)) @ w) / np.sqrt(2 * np.pi))
        for y in range(n + 1)
    ]
    np.testing.assert_allclose(outcome_probabilities(past, n, kappa), expected, atol=2e-3)


def test_bad_sizes_are_refused(past):
    with pytest.raises(InputError, match="n: expected a whole number"):
        outcome_probabilities(past, 0)
    with pytest.raises(InputError, match="kappa: expected a number of 0 or more"):
        outcome_probabilities(past, 3, -0.1)
    heavy = exact.student_effects(exact.binomial(EVENTS, N), nu=4).posterior(MU, TAU)
    with pytest.raises(InputError, match="Student-t"):
        outcome_probabilities(heavy, 3)


# --- known after it --------------------------------------------------------------------------------------


def test_one_step_is_the_same_as_all_at_once(past, after):
    step = commensurate(past, 0.0, 5, 35)
    whole = after.log_marginal_likelihood - past.log_marginal_likelihood
    assert step.log_marginal == pytest.approx(whole, abs=1e-8)
    np.testing.assert_allclose(step.mu.quantile(Q), after.mu.quantile(Q), atol=1e-7)
    np.testing.assert_allclose(step.theta_new.quantile(Q), after.theta_new.quantile(Q), atol=1e-6)
    assert step.log_marginal == pytest.approx(np.log(outcome_probabilities(past, 35)[5]), abs=1e-8)


def test_a_series_that_counts_for_nothing_changes_nothing(past):
    far = commensurate(past, 200.0, 5, 35)
    np.testing.assert_allclose(far.mu.quantile(Q), past.mu.quantile(Q), atol=2e-3)


def test_own_effect_by_quadrature():
    density, log_marginal = own_effect(VAGUE, 2, 22)

    def joint(theta):
        return stats.norm.pdf(theta, 0, 1.8) * stats.binom.pmf(2, 22, special.expit(theta))

    total = integrate.quad(joint, -15, 15, points=[-2.3], epsabs=1e-13)[0]
    assert log_marginal == pytest.approx(np.log(total), abs=1e-9)
    below = integrate.quad(joint, -15, -2, epsabs=1e-13)[0] / total
    assert float(density.cdf(-2.0)) == pytest.approx(below, abs=1e-9)


def test_a_rate_that_may_be_anything_makes_every_count_equally_probable():
    """Under Logistic(0, 1) the rate is uniform, so that each of n + 1 counts has 1 / (n + 1)."""
    for events in (0, 3, 9):
        _, log_marginal = own_effect(Prior.parse("Logistic(mu=0, s=1)"), events, 9)
        assert log_marginal == pytest.approx(-np.log(10), abs=1e-6)


def test_own_effect_under_a_predictive_density_is_the_study_in_the_full_posterior(past, after):
    own, _ = own_effect(past.theta_new, 5, 35)
    np.testing.assert_allclose(own.quantile(Q), after.studies["4"].quantile(Q), atol=1e-6)


def test_the_weight_of_the_vague_part_by_bayes(past, after):
    found = exchangeable_or_not(past, after, VAGUE, 0.3, 5, 35)
    like = outcome_probabilities(past, 35)[5]
    unlike = np.exp(own_effect(VAGUE, 5, 35)[1])
    assert found.weight == pytest.approx(0.3 * unlike / (0.3 * unlike + 0.7 * like), rel=1e-7)
    assert np.exp(found.log_marginal) == pytest.approx(0.3 * unlike + 0.7 * like, rel=1e-7)
    x = np.array([-4.0, -3.0, -2.0])
    expected = found.weight * past.mu.cdf(x) + (1 - found.weight) * after.mu.cdf(x)
    np.testing.assert_allclose(found.mu.cdf(x), expected, atol=1e-10)


@pytest.mark.parametrize(("weight", "which"), [(0.0, "after"), (1.0, "past")])
def test_the_ends_are_full_pooling_and_none(past, after, weight, which):
    found = exchangeable_or_not(past, after, VAGUE, weight, 5, 35)
    whole = {"past": past, "after": after}[which]
    assert found.weight == weight
    np.testing.assert_allclose(found.mu.quantile(Q), whole.mu.quantile(Q))
    np.testing.assert_allclose(found.theta_new.quantile(Q), whole.theta_new.quantile(Q))


def test_a_series_far_from_the_others_is_taken_for_unlike_them(past):
    weights = [
        exchangeable_or_not(
            past, exact.binomial([*EVENTS, y], [*N, 35]).posterior(MU, TAU), VAGUE, 0.2, y, 35
        ).weight
        for y in (2, 32)
    ]
    assert weights[0] < 0.2 < weights[1]


def test_a_weight_beyond_one_is_refused(past, after):
    with pytest.raises(InputError, match="from 0 to 1, found 1"):
        exchangeable_or_not(past, after, VAGUE, 1.5, 5, 35)


def test_a_mixture_of_densities():
    normal = [exact.Density(Panels(np.linspace(m - 9, m + 9, 40)), np.ones(39 * 16)) for m in (0, 4)]
    half = mixed([1, 3], normal)
    assert half.mean == pytest.approx(3.0)
    assert float(half.cdf(-5.0)) == pytest.approx(0.25 * 4 / 18)
    for weights in ([1], [0, 0], [-1, 2]):
        with pytest.raises(InputError, match="weights"):
            mixed(weights, normal)


def test_a_prior_of_a_beta_is_worth_its_parameters():
    """Beta(3, 7) for the rate is worth ten cases by the moments of the rate."""
    x = np.linspace(-9, 7, 4001)
    log_odds = np.exp(3 * x - 10 * np.logaddexp(0, x))
    sizes = effective_sizes(map_prior((x, log_odds), 4).prior)
    assert sizes["moment"] == pytest.approx(10, rel=0.01)
    # Neuenschwander et al. (2020): ELIR of a beta prior is a + b too.
    assert sizes["elir"] == pytest.approx(10, rel=0.05)


# --- from the project's tables ---------------------------------------------------------------------------


def test_a_series_is_read_from_the_tables(fractures):
    rows = fractures.evidence.rows.set_index("study_id")
    assert (fractures.events, fractures.n) == tuple(rows.loc["ribeirao_preto", ["events", "n"]])
    assert fractures.after.k == fractures.before.k + 1 == 5
    assert fractures.label not in fractures.before.labels
    assert np.isnan(fractures.years[fractures.label])


@pytest.mark.parametrize(
    ("analysis", "study", "message"),
    [
        ("new_fracture", "ribeirao_preto", "expected studies to be listed"),
        ("new_fracture_bouza_only", "kose2006", "already"),
        ("new_fracture_bouza_only", "ribeirao", "did you mean 'ribeirao_preto'"),
        ("new_fracture_bouza_only", "lamaida2012", "no BKP row in patients"),
        ("leakage_bkp_bouza_only", "markmiller2015", "counted in patients, not in levels"),
    ],
)
def test_a_series_that_cannot_enter_is_named(analysis, study, message):
    with pytest.raises(EvidenceError, match=message):
        series_of(default_project(), analysis, study)


def test_cumulative_ends_with_all_studies_and_follows_the_years(fractures, priors):
    frame = cumulative(fractures, priors)
    years = frame["year"].to_numpy()
    assert (np.diff(years[:-1]) > 0).all() and np.isnan(years[-1])
    assert list(frame["k"]) == list(np.cumsum([len(a.split("; ")) for a in frame["added"]]))
    whole = fractures.after.posterior(priors["mu"], priors["tau"])
    assert frame["typical_median"].iloc[-1] == pytest.approx(float(special.expit(whole.quantile("mu", 0.5))))
    before = fractures.before.posterior(priors["mu"], priors["tau"])
    assert frame["next_high"].iloc[-2] == pytest.approx(
        float(special.expit(before.quantile("theta_new", 0.975)))
    )


def test_the_series_before_are_those_of_the_analysis(fractures, priors):
    from kyphobayes.evidence import evidence_for
    from kyphobayes.model import load_model

    project = default_project()
    plan = find_analysis(project, "new_fracture_bouza_only")
    own = load_model(plan.model, project).surface(evidence_for(plan, project))
    ours, theirs = (s.posterior(priors["mu"], priors["tau"]) for s in (fractures.before, own))
    np.testing.assert_allclose(ours.mu.quantile(Q), theirs.mu.quantile(Q), atol=1e-7)
    assert ours.log_marginal_likelihood == pytest.approx(theirs.log_marginal_likelihood, abs=1e-8)


def test_no_priors_are_refused(fractures):
    with pytest.raises(InputError, match="at least one set of priors"):
        update(fractures, {}, {"any": VAGUE}, weights=[0.2], kappas=[0.0])
