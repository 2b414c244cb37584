"""Two groups per study: against a double sum over effect and baseline, and a published analysis."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.exact.two_arms import TwoArmStudies

A, N1, B, N2 = [0, 4, 3, 0, 12], [10, 100, 50_000, 8, 12], [0, 0, 60, 5, 7], [12, 80, 40_000, 9, 15]
BASELINES = {"midpoint": 0.5, "group 2": 1.0}
PUBLISHED = Path(__file__).parents[2] / "reference" / "published_cases.json"


def log_likelihood(study, theta, share, sd=10.0, nodes=20_001, m=0.0):
    """Log of a sum over baselines between the points where the integrand has vanished."""
    gamma = m + np.linspace(-30 * sd, 30 * sd, nodes)
    for _ in range(3):
        one, two = gamma + share * theta, gamma - (1 - share) * theta
        f = stats.norm.logpdf(gamma, m, sd)
        for y, n, log_odds in ((A[study], N1[study], one), (B[study], N2[study], two)):
            f += y * special.log_expit(log_odds) + (n - y) * special.log_expit(-log_odds)
            f += special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
        near = np.flatnonzero(f > f.max() - 60)
        low, high = gamma[max(near[0] - 1, 0)], gamma[min(near[-1] + 1, len(gamma) - 1)]
        total = special.logsumexp(f) + np.log(gamma[1] - gamma[0])
        gamma = np.linspace(low, high, nodes)
    return total


@pytest.mark.parametrize("baseline_of", BASELINES)
def test_the_baseline_is_integrated_out(baseline_of):
    theta = np.array([-40.0, -8.0, -0.3, 0.0, 1.0, 5.0, 30.0])
    found = TwoArmStudies(A, N1, B, N2, "Normal(0, 10)", baseline_of).log_lik(theta)
    share = BASELINES[baseline_of]
    expected = [[log_likelihood(study, value, share) for value in theta] for study in range(len(A))]
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("m", [-40.0, 35.0])
def test_a_baseline_far_from_its_prior_is_found(m):
    theta = np.array([-2.0, 0.4])
    found = TwoArmStudies(A, N1, B, N2, f"Normal({m}, 3)").log_lik(theta)
    expected = [[log_likelihood(study, value, 0.5, 3.0, m=m) for value in theta] for study in range(len(A))]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-9)


def test_the_effect_is_integrated_out():
    """Around the seam between the two rules, and far from the data."""
    studies = TwoArmStudies(A, N1, B, N2, "Normal(0, 10)")
    seam = studies._smallest_kernel
    mu, tau = np.array([-6.0, -3.0, 0.1, 2.0, 25.0]), np.array([0.1 * seam, seam, 1.001 * seam, 0.7, 5.0])
    found = studies.log_integrated(mu, tau)
    for j, m in enumerate(mu):
        for l, t in enumerate(tau):  # noqa: E741  # the indices j, l, i of mu, tau and studies
            theta = np.linspace(-60, 60, 40_001)
            f = studies.log_lik(theta) + stats.norm.logpdf(theta, m, t)
            expected = special.logsumexp(f, axis=1) + np.log(theta[1] - theta[0])
            np.testing.assert_allclose(found[:, j, l], expected, rtol=1e-10, atol=1e-9)


def test_values_of_tau_together_give_what_each_gives_alone():
    studies = TwoArmStudies(A, N1, B, N2, "Normal(0, 10)")
    mu, tau = np.linspace(-20, 20, 41), studies._smallest_kernel * np.array([0.5, 1.001, 1.4, 1.999, 7.0])
    together = studies.log_integrated(mu, tau)
    alone = [studies.log_integrated(mu, [value])[:, :, 0] for value in tau]
    np.testing.assert_allclose(together, np.stack(alone, axis=2), rtol=1e-10)
    assert studies.log_integrated([], tau).shape == (len(A), 0, 5)


def test_the_mode_of_an_effect_is_where_its_density_is_highest():
    studies = TwoArmStudies(A, N1, B, N2, "Normal(0, 10)")
    mu, tau = (x.ravel() for x in np.meshgrid([-6.0, -0.7, 5.0], [0.05, 0.6, 8.0, 30.0]))
    steps = np.linspace(-3, 3, 1201)  # in widths
    for study in range(len(A)):
        mode, width = studies._mode(np.full(mu.size, study), mu, tau)
        theta = mode[:, None] + width[:, None] * steps
        log_lik = np.array([studies.log_lik(row)[study] for row in theta])
        density = log_lik - 0.5 * ((theta - mu[:, None]) / tau[:, None]) ** 2
        assert (np.abs(steps[density.argmax(axis=1)]) < 0.01).all()


def double_sum(share):
    """Marginal likelihood and moments of mu and tau, by plain sums: no interpolation, no panels."""
    theta = np.linspace(-36, 36, 1441)
    step = theta[1] - theta[0]
    likelihood = np.exp([[log_likelihood(i, x, share, 3.0, 1001) for x in theta] for i in (0, 1, 3)])
    x, w = np.polynomial.legendre.leggauss(24)
    tau, tau_weights = 0.1 + 1.4 * (x + 1) / 2, 0.7 * w
    mu = np.linspace(-14, 15, 291)
    joint = stats.norm.pdf(mu, 0.5, 2)[:, None] / 1.4 * np.ones(24)
    for column, t in enumerate(tau):
        kernel = np.exp(-0.5 * ((theta - mu[:, None]) / t) ** 2) / (t * np.sqrt(2 * np.pi)) * step
        joint[:, column] *= (kernel @ likelihood.T).prod(axis=1)
    mass = joint * tau_weights * (mu[1] - mu[0])
    total = mass.sum()
    mean, centre = (mass.sum(axis=1) @ mu) / total, (mass.sum(axis=0) @ tau) / total
    return np.log(total), mean, np.sqrt(mass.sum(axis=1) @ (mu - mean) ** 2 / total), centre


@pytest.mark.parametrize("baseline_of", BASELINES)
def test_posterior(baseline_of):
    arms = [[values[i] for i in (0, 1, 3)] for values in (A, N1, B, N2)]
    surface = exact.two_arms(*arms, baseline="Normal(0, 3)", baseline_of=baseline_of)
    post = surface.posterior("Normal(0.5, 2)", "Uniform(lower=0.1, upper=1.5)")
    log_total, mean, sd, tau = double_sum(BASELINES[baseline_of])
    assert post.log_marginal_likelihood == pytest.approx(log_total, abs=1e-7)
    assert post.mu.mean == pytest.approx(mean, abs=1e-6 * sd)
    assert post.mu.sd == pytest.approx(sd, rel=1e-6)
    assert post.tau.mean == pytest.approx(tau, abs=1e-7)
    drawn = post.draw(4000, np.random.default_rng(0))["theta"]
    shrunk = post.shrinkage()
    np.testing.assert_allclose(drawn.mean(axis=0), shrunk["mean"], atol=5 * shrunk["sd"].max() / 4000**0.5)


def bcg():
    case = next(c for c in json.loads(PUBLISHED.read_text("utf-8")) if c["name"] == "multinma_bcg")
    one, none, other, neither = (np.array(case["data"][key]) for key in ("tpos", "tneg", "cpos", "cneg"))
    return case["exact"]["RE"], (one, one + none, other, other + neither)


def test_bcg_vaccine():
    """The published model has N(0, 100^2) for the log odds of controls and for the log odds ratio.

    The case's integrals are by a grid that is good to 1e-3 posterior sd; `test_posterior` is sharper.
    """
    expected, arms = bcg()
    surface = exact.two_arms(*arms, baseline="Normal(0, 100)", baseline_of="group 2")
    post = surface.posterior("Normal(mu=0, sigma=100)", "HalfNormal(sigma=5)")
    for name, ours in (("d", post.mu), ("tau", post.tau)):
        case = expected[name]
        assert ours.mean == pytest.approx(case["mean"], abs=1e-3 * case["sd"])
        assert ours.sd == pytest.approx(case["sd"], rel=1e-3)
        np.testing.assert_allclose(ours.quantile([0.025, 0.5, 0.975]), case["q"], atol=2e-3 * case["sd"])


def test_groups_and_events_mirror_each_other():
    priors = "Normal(0, 1)", "HalfNormal(1)"
    post = exact.two_arms(A, N1, B, N2).posterior(*priors)
    swapped = exact.two_arms(B, N2, A, N1).posterior(*priors)
    others = exact.two_arms(np.subtract(N1, A), N1, np.subtract(N2, B), N2).posterior(*priors)
    for mirrored in (swapped, others):
        assert mirrored.log_marginal_likelihood == pytest.approx(post.log_marginal_likelihood, abs=1e-8)
        np.testing.assert_allclose(
            mirrored.quantile("mu", [0.1, 0.9]), -post.quantile("mu", [0.9, 0.1]), atol=1e-7
        )


def test_a_study_without_events_says_next_to_nothing():
    priors = "Normal(0, 1)", "HalfNormal(0.5)"
    post = exact.two_arms([3, 0], [50, 50], [5, 0], [50, 50]).posterior(*priors)
    alone = post.without("2")
    assert post.mu.mean == pytest.approx(alone.mu.mean, abs=0.02 * alone.mu.sd)
    assert post.loo()["elpd"].iloc[1] < 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: exact.two_arms([3], [2], [1], [2]), r"group 1: events\[0\]: expected no more events than n"),
        (lambda: exact.two_arms([1], [2], [1], [0]), r"group 2: n\[0\]: expected at least 1"),
        (lambda: exact.two_arms([1, 1], [2, 2], [1], [2]), "group 1 has 2 studies but group 2 has 1"),
        (lambda: exact.two_arms([1], [2], [1], [2], baseline="Cauchy(0, 1)"), "expected a normal prior"),
        (lambda: exact.two_arms([1], [2], [1], [2], baseline_of="arm"), "'midpoint' or 'group 2'"),
        (lambda: exact.two_arms([1], [2], [1], [2]).posterior("Normal(0, 1)", "HalfNormal(1)").predictive_p(),
         "one outcome each"),
        (lambda: exact.two_arms([1], [2], [1], [2]).posterior("Normal(0, 1)", "HalfNormal(1)").conflict(),
         "normal, binomial or Poisson"),
    ],
)  # fmt: skip
def test_wrong_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
