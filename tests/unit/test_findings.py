"""Answers on the scale people think in: predicted counts, rates and decision probabilities."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.findings import CountPrediction, findings, predict_counts

PRIORS = dict(mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")


@pytest.fixture(scope="module")
def posterior():
    return exact.binomial([0, 5, 4, 1], [32, 35, 19, 22]).posterior(**PRIORS)


@pytest.fixture(scope="module")
def answers(posterior):
    return findings(posterior, "weakly", below=0.1, next_sizes=(20, 50))


@pytest.fixture(scope="module")
def draws(posterior):
    return posterior.draw(10_000, np.random.default_rng(0))


# --- the next patients of a new centre ------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 20, 50, 1000])
def test_probabilities_sum_to_one(n, posterior):
    prediction = predict_counts(posterior.theta_new, n)
    assert prediction.probabilities.shape == (n + 1,)
    assert (prediction.probabilities >= 0).all()
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-12)


def test_against_a_fine_sum_over_the_density(posterior):
    """Brute force: a plain Riemann sum of binomial probabilities over the published density."""
    theta = np.linspace(-25, 15, 40_001)
    mass = posterior.pdf("theta_new", theta) * (theta[1] - theta[0])
    assert mass.sum() == pytest.approx(1, abs=1e-6)
    for n in (1, 20, 50):
        expected = stats.binom.pmf(np.arange(n + 1)[:, None], n, special.expit(theta)) @ mass
        np.testing.assert_allclose(predict_counts(posterior.theta_new, n).probabilities, expected, atol=1e-6)


def test_against_simulation(posterior, draws):
    theta = draws["theta_new"]
    simulated = np.bincount(np.random.default_rng(1).binomial(20, special.expit(theta)), minlength=21) / len(
        theta
    )
    expected = predict_counts(posterior.theta_new, 20).probabilities
    error = np.sqrt(expected * (1 - expected) / len(theta))
    assert (np.abs(simulated - expected) <= 4.5 * error + 1e-5).all()


def test_mean_is_n_times_the_expected_rate_of_a_new_centre(answers):
    for prediction in answers.next:
        assert prediction.mean == pytest.approx(
            prediction.n * answers.estimates.loc["new centre", "mean"], rel=1e-9
        )
    assert [p.n for p in answers.next] == [20, 50]


def test_more_patients_make_at_least_as_many_events_likely(posterior):
    """P(more than x events) grows with n, for every x."""
    predictions = [predict_counts(posterior.theta_new, n) for n in (5, 10, 20, 40)]
    for x in range(5):
        beyond = [p.probabilities[x + 1 :].sum() for p in predictions]
        assert beyond == sorted(beyond) and beyond[0] < beyond[-1]
    assert [p.mean for p in predictions] == sorted(p.mean for p in predictions)


def test_one_patient_is_the_expected_rate(posterior):
    rate = posterior.theta_new.expectation(special.expit)
    np.testing.assert_allclose(
        predict_counts(posterior.theta_new, 1).probabilities, [1 - rate, rate], rtol=1e-9
    )


@pytest.mark.parametrize("prob", [0.5, 0.8, 0.95, 0.99])
def test_interval_is_central_and_holds_its_probability(prob, posterior):
    for n in (1, 20, 200):
        prediction = predict_counts(posterior.theta_new, n)
        low, high = prediction.interval(prob)
        probabilities, tail = prediction.probabilities, (1 - prob) / 2
        assert 0 <= low <= high <= n
        assert probabilities[low : high + 1].sum() >= prob - 1e-9
        assert probabilities[:low].sum() <= tail + 1e-9 and probabilities[high + 1 :].sum() <= tail + 1e-9
        assert probabilities[: low + 1].sum() > tail - 1e-9  # no shorter at the low end
        assert probabilities[high:].sum() > tail - 1e-9


def test_interval_of_numbers_worked_by_hand():
    prediction = CountPrediction(4, np.array([0.1, 0.2, 0.4, 0.2, 0.1]))
    assert prediction.mean == pytest.approx(2)
    assert prediction.interval(0.5) == (1, 3)
    assert prediction.interval(0.9) == (0, 4)
    assert CountPrediction(2, np.array([1.0, 0, 0])).interval() == (0, 0)


# --- rates and decisions --------------------------------------------------------------------------


def test_rates_are_the_posterior_on_the_scale_of_shares(answers, posterior):
    for row, name in (("typical", "mu"), ("new centre", "theta_new")):
        quantiles = special.expit(posterior.quantile(name, [0.5, 0.025, 0.975]))
        np.testing.assert_allclose(
            answers.estimates.loc[row, ["median", "low", "high"]].astype(float), quantiles
        )
    theta = np.linspace(-25, 15, 40_001)
    mean = (special.expit(theta) * posterior.pdf("mu", theta)).sum() * (theta[1] - theta[0])
    assert answers.estimates.loc["typical", "mean"] == pytest.approx(mean, abs=1e-6)
    np.testing.assert_allclose(answers.tau, posterior.quantile("tau", [0.5, 0.025, 0.975]))


def test_decision_is_the_probability_below_the_threshold(answers, posterior, draws):
    logit = np.log(0.1 / 0.9)
    assert answers.below == 0.1
    assert answers.p_typical == pytest.approx(float(posterior.cdf("mu", logit)))
    assert answers.p_new == pytest.approx(float(posterior.cdf("theta_new", logit)))
    assert answers.p_typical == pytest.approx((special.expit(draws["mu"]) < 0.1).mean(), abs=0.02)
    assert answers.p_new == pytest.approx((special.expit(draws["theta_new"]) < 0.1).mean(), abs=0.02)


def test_a_higher_threshold_is_easier_to_stay_below(posterior):
    found = [findings(posterior, "x", below=b) for b in (0.01, 0.05, 0.1, 0.5, 0.99)]
    for name in ("p_typical", "p_new"):
        values = [getattr(f, name) for f in found]
        assert values == sorted(values) and 0 <= values[0] < values[-1] <= 1


def test_a_new_centre_is_less_certain_than_the_typical_one(answers):
    width = answers.estimates["high"] - answers.estimates["low"]
    assert width["new centre"] > width["typical"]
    assert answers.log_marginal_likelihood < 0 and 0 <= answers.error < 1e-6
    assert answers.prior_set == "weakly"
