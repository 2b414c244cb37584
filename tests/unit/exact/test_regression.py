"""Meta-regression against the joint normal distribution of all estimates, and its special cases."""

import numpy as np
import pytest
from scipy import special, stats

from kyphobayes import exact
from kyphobayes.errors import ImproperPosterior, InputError

Y = np.array([-0.5, 0.2, -1.2, 0.3, 0.1, -0.4, -0.9])
SE = np.array([0.3, 0.4, 0.5, 0.2, 0.6, 0.3, 0.25])
LATITUDE = np.array([44.0, 55, 42, 13, 18, 33, 27])
YEAR = np.array([1948.0, 1949, 1960, 1977, 1973, 1953, 1969])
BETA = {"intercept": "Normal(0, 4)", "latitude": "Normal(0.1, 0.5)", "year": "Normal(0, 0.1)"}


class Reference:
    """y ~ N(X m, X S X' + diag(se^2 + tau^2)); beta and predictions by conditioning, tau by brute force."""

    def __init__(self, x, centre, sd, tau_prior, scale=1.0):
        t = np.linspace(-4.5, 3.5, 1201)
        tau = scale * np.exp(np.pi / 2 * np.sinh(t))
        weights = tau * np.pi / 2 * np.cosh(t) * (t[1] - t[0])
        keep = (tau > 1e-12 * scale) & (tau < 1e5 * scale)
        self.tau, weights = tau[keep], weights[keep]
        prior = np.diag(np.square(sd))
        log_mass, self.means, self.covariances = [], [], []
        y, se = Y * scale, SE * scale
        for value in self.tau:
            total = x @ prior @ x.T + np.diag(se**2 + value**2)
            gain = np.linalg.solve(total, x @ prior).T
            residual = y - x @ centre
            _, log_determinant = np.linalg.slogdet(total)
            quadratic = residual @ np.linalg.solve(total, residual)
            log_mass.append(-0.5 * (quadratic + log_determinant + len(y) * np.log(2 * np.pi)))
            self.means.append(centre + gain @ residual)
            self.covariances.append(prior - gain @ x @ prior)
        log_mass = np.array(log_mass) + np.log(weights) + tau_prior.logpdf(self.tau)
        self.log_marginal_likelihood = special.logsumexp(log_mass)
        self.mass = np.exp(log_mass - self.log_marginal_likelihood)
        self.means, self.covariances = np.array(self.means), np.array(self.covariances)

    def normals(self, row, new_study):
        variance = np.einsum("p,tpq,q->t", row, self.covariances, row)
        return self.means @ row, variance + new_study * self.tau**2

    def check(self, density, row, new_study=False):
        mean, variance = self.normals(np.asarray(row, dtype=float), new_study)
        centre = self.mass @ mean
        sd = np.sqrt(self.mass @ (variance + (mean - centre) ** 2))
        assert density.mean == pytest.approx(centre, abs=1e-6 * sd)
        assert density.sd == pytest.approx(sd, rel=1e-6)
        q = np.array([1e-3, 0.025, 0.5, 0.975])
        cdf = [self.mass @ special.ndtr((x - mean) / np.sqrt(variance)) for x in density.quantile(q)]
        np.testing.assert_allclose(cdf, q, atol=1e-7)


def design(*columns):
    return np.stack([np.ones(7), *columns], axis=1)


def test_two_covariates():
    year = YEAR - 1960
    post = exact.normal_regression(
        Y, SE, {"latitude": LATITUDE, "year": year}, beta=BETA, tau="HalfNormal(sigma=0.7)"
    )
    reference = Reference(
        design(LATITUDE, year), np.array([0, 0.1, 0]), [4, 0.5, 0.1], stats.halfnorm(scale=0.7)
    )
    assert post.error < 1e-8
    assert post.log_marginal_likelihood == pytest.approx(reference.log_marginal_likelihood, abs=1e-8)
    for name, row in zip(post.names, np.eye(3), strict=True):
        reference.check(post.coefficients[name], row)
    for row in ([1, 10, 0], [1, 60, -8]):
        reference.check(post.density(row), row)
        reference.check(post.density(row, new_study=True), row, new_study=True)
    assert post.tau.mean == pytest.approx(reference.mass @ reference.tau, abs=1e-8)
    np.testing.assert_allclose(
        post.predict([[1, 10, 0], [1, 60, -8]])["mean"],
        [post.density(r).mean for r in ([1, 10, 0], [1, 60, -8])],
    )


def test_a_flat_prior_is_the_limit_of_wide_ones():
    flat = exact.normal_regression(Y, SE, LATITUDE - 33, tau="HalfNormal(1)")
    wide = exact.normal_regression(Y, SE, LATITUDE - 33, beta="Normal(0, 1e5)", tau="HalfNormal(1)")
    np.testing.assert_allclose(flat.summary(), wide.summary(), rtol=1e-7, atol=1e-8)
    height = 2 * np.log(1e5 * np.sqrt(2 * np.pi))
    assert flat.log_marginal_likelihood == pytest.approx(wide.log_marginal_likelihood + height, abs=1e-8)


def test_many_studies_follow_generalised_least_squares():
    """Tau all but known, flat priors: beta is normal about the weighted least squares estimate."""
    post = exact.normal_regression(Y, SE, LATITUDE, tau="Uniform(lower=0.3, upper=0.3000000001)")
    w = np.diag(1 / (SE**2 + 0.09))
    x = design(LATITUDE)
    covariance = np.linalg.inv(x.T @ w @ x)
    np.testing.assert_allclose(post.summary()["mean"][:2], covariance @ x.T @ w @ Y, rtol=1e-7)
    np.testing.assert_allclose(post.summary()["sd"][:2], np.sqrt(np.diag(covariance)), rtol=1e-7)


@pytest.mark.parametrize("mu", ["Flat()", "Normal(mu=0.5, sigma=2)"])
def test_an_intercept_alone_is_a_meta_analysis(mu):
    one = exact.normal_regression(Y, SE, {}, beta=mu, tau="HalfCauchy(beta=0.5)")
    other = exact.normal(Y, SE).posterior(mu, "HalfCauchy(beta=0.5)")
    assert one.log_marginal_likelihood == pytest.approx(other.log_marginal_likelihood, abs=1e-10)
    np.testing.assert_allclose(one.summary(), other.summary().loc[["mu", "tau"]], rtol=1e-8)
    new = one.predict([[1]], new_study=True).iloc[0]
    np.testing.assert_allclose(new, other.summary().loc["theta_new"], rtol=1e-8)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_do_not_matter(scale):
    here = exact.normal_regression(Y, SE, LATITUDE, tau="HalfNormal(sigma=1)")
    there = exact.normal_regression(Y * scale, SE * scale, LATITUDE * 1e6, tau=f"HalfNormal(sigma={scale!r})")
    units = np.array([scale, scale / 1e6, scale])
    np.testing.assert_allclose(there.summary().to_numpy() / units[:, None], here.summary(), rtol=1e-7)


def test_a_dummy_makes_two_groups():
    group = np.array([1.0, 1, 0, 0, 1, 0, 0])
    means = {"a": group, "b": 1 - group}
    post = exact.normal_regression(Y, SE, means, intercept=False, tau="HalfNormal(1)")
    other = exact.normal_regression(Y, SE, {"a": group}, tau="HalfNormal(1)")
    assert post.coefficients["b"].mean == pytest.approx(other.coefficients["intercept"].mean, abs=1e-10)
    assert post.density([1, -1]).sd == pytest.approx(other.coefficients["a"].sd, rel=1e-9)


@pytest.mark.parametrize(
    ("x", "more", "error", "message"),
    [
        (np.ones(7), {}, InputError, "not combinations of each other"),
        (np.zeros(7), {}, InputError, "not combinations of each other"),
        (np.ones(6), {}, InputError, "expected 7 values of x0"),
        ({"a": np.full(7, np.nan)}, {}, InputError, r"X: a\[0\]: expected a finite number"),
        ([0, 1, 2, np.inf, 4, 5, 6], {}, InputError, r"X: x0\[3\]: expected a finite number, found inf"),
        ({"tau": LATITUDE}, {}, InputError, "the name tau is taken"),
        ({}, {"intercept": False}, InputError, "at least one column"),
        (LATITUDE, {"beta": {"x0": "Flat()"}}, InputError, "a prior for each of intercept, x0"),
        (LATITUDE, {"beta": "Cauchy(0, 1)"}, InputError, "a normal or flat prior for intercept"),
        (LATITUDE, {"rtol": 1.0}, InputError, "rtol"),
        (np.ones((7, 1, 1)), {}, InputError, "one row per study"),
    ],
)
def test_wrong_input_is_named(x, more, error, message):
    with pytest.raises(error, match=message):
        exact.normal_regression(Y, SE, x, **{"tau": "HalfNormal(1)", **more})


def test_a_flat_prior_for_tau_needs_studies_to_spare():
    with pytest.raises(ImproperPosterior, match="2 studies more"):
        exact.normal_regression(Y[:4], SE[:4], np.stack([LATITUDE, YEAR], 1)[:4] - [33, 1960], tau="Flat()")
    with pytest.raises(InputError, match="x: expected 2 finite numbers"):
        exact.normal_regression(Y, SE, LATITUDE, tau="HalfNormal(1)").density([1])


def test_a_posterior_says_its_studies_and_coefficients():
    post = exact.normal_regression(Y, SE, {"latitude": LATITUDE}, tau="HalfNormal(sigma=1)")
    assert repr(post) == "RegressionPosterior(7 studies, intercept, latitude)"
