"""Regression on covariates with exact likelihoods, against closed forms, brute force and print."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact.conditional_regression import _derivatives
from kyphobayes.priors import Prior

Y, SE = [-0.3, 0.2, 0.5, 0.1, 1.2], [0.2, 0.3, 0.25, 0.4, 0.5]
EVENTS, N = np.array([0, 3, 4, 1, 9]), np.array([20, 31, 25, 18, 30])
X = np.array([-1.0, -0.5, 0.2, 0.4, 1.0])
WIDE = "Normal(mu=0, sigma=2)"
CASES = Path(__file__).parents[2] / "reference" / "published_cases.json"
MULTINMA = "multinma_bcg"


def apart(one, other):
    """Largest difference of two summaries, in posterior sds."""
    return float((one - other).abs().div(other["sd"], axis=0).to_numpy().max())


def test_normal_studies_in_closed_form():
    found = exact.meta_regression(exact.normal(Y, SE), {"x": X}, beta=WIDE, tau="HalfNormal(sigma=0.5)")
    closed = exact.normal_regression(Y, SE, {"x": X}, beta=WIDE, tau="HalfNormal(sigma=0.5)")
    assert apart(found.summary(), closed.summary()) < 1e-7
    assert found.log_marginal_likelihood == pytest.approx(closed.log_marginal_likelihood, abs=1e-8)
    rows = [[1.0, 0.7]]
    assert apart(found.predict(rows, new_study=True), closed.predict(rows, new_study=True)) < 1e-7
    assert 0 < found.error < 1e-7


@pytest.mark.parametrize("prior", ["Normal(mu=1, sigma=0.3)", "StudentT(nu=4, mu=-2, sigma=20)", "Flat()"])
def test_a_log_prior_is_known_with_its_slope_and_bend(prior):
    x = np.linspace(-3, 5, 17)
    expected = {
        "N": (stats.norm.logpdf(x, 1, 0.3), (1 - x) / 0.09, np.full(17, -1 / 0.09)),
        "S": (
            stats.t.logpdf(x, 4, -2, 20),
            -5 * (x + 2) / (1600 + (x + 2) ** 2),
            -5 * (1600 - (x + 2) ** 2) / (1600 + (x + 2) ** 2) ** 2,
        ),
        "F": (np.zeros(17), np.zeros(17), np.zeros(17)),
    }[prior[0]]
    found = _derivatives(Prior.parse(prior), x)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)


def test_the_error_is_the_largest_of_what_was_asked_for():
    found = exact.meta_regression(exact.normal(Y, SE), {"x": X}, beta=WIDE, tau="HalfNormal(sigma=0.5)")
    posteriors = [found.posterior(row) for row in ([1.0, 0.0], [1.0, 0.7], [0.0, 1.0])]
    errors = [post.error + post.surface.studies.error for post in posteriors]
    assert min(errors) < max(errors) == found.error
    assert f">{found.names[1]}<" in found._repr_html_()


def test_two_covariates():
    z = [1.0, -1.0, 1.0, -1.0, 1.0]
    found = exact.meta_regression(exact.normal(Y, SE), {"x": X, "z": z}, beta=WIDE, tau="HalfNormal()")
    closed = exact.normal_regression(Y, SE, {"x": X, "z": z}, beta=WIDE, tau="HalfNormal()")
    row = [1.0, -0.4, 1.0]
    assert found.density(row).mean == pytest.approx(closed.density(row).mean, abs=1e-7)
    assert found.density(row).sd == pytest.approx(closed.density(row).sd, rel=1e-7)


def test_an_intercept_alone_is_the_meta_analysis():
    surface = exact.binomial(EVENTS, N)
    found = exact.meta_regression(
        surface, np.ones(5), beta="Normal(mu=-2, sigma=1)", tau="HalfNormal()", intercept=False
    )
    post = surface.posterior("Normal(mu=-2, sigma=1)", "HalfNormal()")
    assert apart(found.posterior([1.0]).summary(), post.summary()) < 1e-7
    assert found.log_marginal_likelihood == pytest.approx(post.log_marginal_likelihood, abs=1e-8)


def brute(tables, priors, tau_sd):
    """Means and sds of intercept, slope and tau on a grid, theta by Gauss-Hermite over its normal."""
    b0, b1 = np.linspace(-9, 5, 141), np.linspace(-9, 9, 141)
    tau, width = np.polynomial.legendre.leggauss(40)
    tau, width = 2.5 * tau + 2.5, 2.5 * width
    z, weight = np.polynomial.hermite_e.hermegauss(80)
    means = np.linspace(-19, 15, 1500)
    total = np.zeros((141, 141, 40))
    for column, t in enumerate(tau):
        theta = means[:, None] + t * z
        logs = np.zeros((len(tables), 141, 141))
        for i, (n, x) in enumerate(zip(N, X, strict=True)):
            for row, table in enumerate(tables):
                mass = stats.binom.pmf(table[i], n, special.expit(theta)) @ weight / np.sqrt(2 * np.pi)
                places = b0[:, None] + b1 * x
                logs[row] += np.interp(places, means, np.log(mass))
        total[..., column] = np.exp(logs).mean(axis=0)
    total *= priors[0].pdf(b0)[:, None, None] * priors[1].pdf(b1)[:, None]
    total *= width * stats.halfnorm(scale=tau_sd).pdf(tau)
    total /= total.sum()
    found = {}
    for name, grid, axes in (("intercept", b0, (1, 2)), ("x", b1, (0, 2)), ("tau", tau, (0, 1))):
        share = total.sum(axis=axes)
        found[name] = share @ grid, np.sqrt(share @ grid**2 - (share @ grid) ** 2)
    return found


@pytest.mark.parametrize("latent", [False, True], ids=["counts", "latent counts"])
def test_counts_and_priors_of_other_shapes_by_brute_force(latent):
    tables = np.array([EVENTS, EVENTS + np.array([1, -1, 0, 1, -1])]) if latent else EVENTS[None]
    surface = exact.mixture(tables, N) if latent else exact.binomial(EVENTS, N)
    found = exact.meta_regression(
        surface,
        {"x": X},
        beta={"intercept": "Normal(mu=-2, sigma=1)", "x": "StudentT(nu=5, mu=0, sigma=1)"},
        tau="HalfNormal(sigma=0.7)",
    ).summary()
    oracle = brute(tables, (stats.norm(-2, 1), stats.t(5)), 0.7)
    for name, (mean, sd) in oracle.items():
        # The oracle interpolates linearly between 1,500 means, and cuts the slope's tail at 9.
        assert found.loc[name, "mean"] == pytest.approx(mean, abs=2e-3 * sd), name
        assert found.loc[name, "sd"] == pytest.approx(sd, rel=5e-3), name


def test_two_arms_by_latitude_as_printed():
    (case,) = (case for case in json.loads(CASES.read_text("utf-8")) if case["name"] == MULTINMA)
    data = {name: np.array(values) for name, values in case["data"].items() if name != "alloc"}
    surface = exact.two_arms(
        data["tpos"],
        data["tpos"] + data["tneg"],
        data["cpos"],
        data["cpos"] + data["cneg"],
        baseline="Normal(mu=0, sigma=100)",
        baseline_of="group 2",
    )
    found = exact.meta_regression(
        surface,
        {"latitude": data["ablat"] - 33.46154},
        beta="Normal(mu=0, sigma=100)",
        tau="HalfNormal(sigma=5)",
    )
    printed, tolerance = case["expected"]["lat"], case["tolerance"]["abs"]
    slope = found.posterior([0, 1])
    assert slope.mu.mean == pytest.approx(printed["beta"]["mean"], abs=tolerance)
    assert slope.mu.eti() == pytest.approx(printed["beta"]["ci"], abs=tolerance)
    assert slope.tau.mean == pytest.approx(printed["tau"]["mean"], abs=tolerance)
    assert slope.tau.eti() == pytest.approx(printed["tau"]["ci"], abs=tolerance)


def test_refusals():
    surface = exact.binomial(EVENTS, N)
    nothing = exact.binomial([0, 0, 0], [9, 9, 9])
    many = {f"x{i}": X**i for i in range(1, 4)}
    with pytest.raises(InputError, match="at most 3 coefficients, found 4"):
        exact.meta_regression(surface, many, beta=WIDE, tau="HalfNormal()")
    with pytest.raises(InputError, match="over the whole line for x0, found Uniform"):
        exact.meta_regression(
            surface, X, beta={"intercept": WIDE, "x0": "Uniform(lower=-1, upper=1)"}, tau="HalfNormal()"
        )
    with pytest.raises(InputError, match="expected a prior for each of intercept, x0"):
        exact.meta_regression(surface, X, beta={"x0": WIDE}, tau="HalfNormal()")
    with pytest.raises(InputError, match="Student-t effects"):
        exact.meta_regression(exact.student_effects(surface, 4), X, beta=WIDE, tau="HalfNormal()")
    with pytest.raises(InputError, match="not combinations of each other"):
        exact.meta_regression(surface, np.ones(5), beta="Flat()", tau="HalfNormal()").summary()
    with pytest.raises(InputError, match="expected 2 finite numbers"):
        exact.meta_regression(surface, X, beta=WIDE, tau="HalfNormal()").posterior([0, 0])
    with pytest.raises(ImproperPosterior, match="give beta proper priors"):
        exact.meta_regression(nothing, [1, 2, 3], beta="Flat()", tau="HalfNormal()").summary()
