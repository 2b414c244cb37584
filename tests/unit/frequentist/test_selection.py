"""Selection models: a density that integrates to 1, the highest maximum, and where there is none."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist import pool, selection_model
from kyphobayes.frequentist.selection_likelihood import Likelihood

Y = np.array([0.1, 0.3, 0.2, 0.9, 0.7, 1.4, 0.5, -0.2, 1.1, 0.4])
V = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.04, 0.3, 0.2, 0.1])
STEPS = {"greater": (0.025, 0.3), "less": (0.7, 0.95), "two.sided": (0.05, 0.3)}
every_alternative = pytest.mark.parametrize("alternative", STEPS)


def p_values(y, v, alternative):
    z = y / np.sqrt(v)
    return {"greater": stats.norm.sf(z), "less": stats.norm.cdf(z), "two.sided": 2 * stats.norm.sf(abs(z))}[
        alternative
    ]


def density(y, v, mu, tau2, delta, steps, alternative):
    """The definition, with A by numerical integration."""
    sd = np.sqrt(v + tau2)

    def weighted(x):
        interval = np.searchsorted(steps, p_values(x, v, alternative))
        return np.asarray(delta)[interval] * stats.norm.pdf(x, mu, sd)

    cuts = np.sqrt(v) * stats.norm.isf(np.array(steps[:-1]) / (2 if alternative == "two.sided" else 1))
    jumps = sorted({*cuts.tolist(), *(-cuts).tolist()})
    ends = [min(mu - 12 * sd, jumps[0] - 1), *jumps, max(mu + 12 * sd, jumps[-1] + 1)]
    pieces = (integrate.quad(weighted, a, b)[0] for a, b in pairwise(ends))
    return weighted(y) / sum(pieces)


@every_alternative
def test_the_log_likelihood_is_that_of_the_definition(alternative):
    fit = selection_model(Y, V, steps=STEPS[alternative], alternative=alternative)
    steps = fit.steps.tolist()
    each = [density(y, v, fit.mu, fit.tau2, fit.delta, steps, alternative) for y, v in zip(Y, V, strict=True)]
    assert fit.loglik == pytest.approx(np.log(each).sum(), rel=1e-7)
    p = p_values(Y, V, alternative)
    assert fit.counts.tolist() == np.histogram(p, [0, *steps])[0].tolist()


@pytest.mark.parametrize("two_sided", [False, True])
def test_derivatives(two_sided):
    likelihood = Likelihood.of(Y / 0.1, V / 0.01, np.array([0.05, 0.3, 1.0]), two_sided=two_sided)
    theta, step = np.array([3.0, 5.0, -0.4, 0.3]), 1e-5
    _, gradient, hessian = likelihood.derivatives(theta)
    around = [(theta + move, theta - move) for move in step * np.eye(4)]
    moved = [tuple(map(likelihood.derivatives, pair)) for pair in around]
    np.testing.assert_allclose(gradient, [(a[0] - b[0]) / (2 * step) for a, b in moved], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(hessian, [(a[1] - b[1]) / (2 * step) for a, b in moved], rtol=1e-7, atol=1e-8)


@every_alternative
@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_the_gradient_is_zero(alternative, unit):
    fit = selection_model(unit * Y, unit**2 * V, steps=STEPS[alternative], alternative=alternative)
    _, gradient, hessian = fit.likelihood.derivatives(fit.theta)
    interior = np.array([True, fit.tau2 > 0, True, True])
    assert (np.abs(gradient)[interior] < 1e-7 * np.sqrt(-np.diag(hessian)[interior])).all()
    assert gradient[1] < 1e-7
    same = selection_model(Y, V, steps=STEPS[alternative], alternative=alternative)
    np.testing.assert_allclose(
        [fit.mu / unit, fit.se / unit, fit.tau2 / unit**2, fit.lrt, *fit.delta],
        [same.mu, same.se, same.tau2, same.lrt, *same.delta],
        rtol=1e-7,
    )


studies = st.lists(
    st.tuples(st.integers(-30, 60).map(lambda i: i / 10), st.integers(1, 400).map(lambda i: i / 100)),
    min_size=4,
    max_size=10,
)


@given(studies)
@settings(max_examples=15, deadline=None)
def test_nothing_else_is_more_likely(these):
    """The fit without selection is one candidate, so the test statistic is not negative."""
    y, v = np.array(these).T
    try:
        fit = selection_model(y, v)
    except InputError:
        return
    assert fit.lrt >= 0
    assert fit.loglik >= fit.unadjusted_loglik - 1e-9
    assert fit.unadjusted.mu == pool(y, v, method="ML").mu
    height = fit.likelihood.value(fit.theta)
    rng = np.random.default_rng(1)
    elsewhere = np.column_stack([rng.normal(0, 20, 50), rng.exponential(10, 50), rng.normal(0, 3, 50)])
    assert max(map(fit.likelihood.value, elsewhere)) <= height + 1e-9


@given(studies, st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_order_and_sign_do_not_matter(these, random):
    y, v = np.array(these).T
    order = random.sample(range(len(y)), len(y))
    try:
        fit = selection_model(y, v)
    except InputError:
        with pytest.raises(InputError):
            selection_model(-y[order], v[order], alternative="less")
        return
    other = selection_model(-y[order], v[order], alternative="less")
    assert (other.mu, other.tau2, other.loglik) == pytest.approx((-fit.mu, fit.tau2, fit.loglik), abs=1e-7)


def test_of_two_maxima_the_higher():
    """Egger et al. (2001), magnesium: one with tau2 = 0 that a search from the plain fit does not meet."""
    y = [
        -0.83,
        -1.06,
        -1.28,
        -0.04,
        0.22,
        -2.41,
        -1.28,
        -1.19,
        -0.7,
        -2.21,
        -2.04,
        -0.85,
        -0.79,
        -0.3,
        -1.57,
        0.06,
    ]
    v = [1.55, 0.17, 0.65, 2.04, 0.24, 1.15, 1.42, 2.78, 0.29, 1.23, 0.61, 0.38, 0.39, 0.02, 0.33, 0.001]
    fit = selection_model(y, v, alternative="less")
    assert fit.tau2 == 0
    assert np.isnan(fit.se_tau2)
    assert fit.mu == pytest.approx(0.04, abs=0.02)
    inside = Likelihood.of(-np.array(y), np.array(v), np.array([0.025, 1.0]), two_sided=False)
    assert inside.value(np.array([0.4, 0.11, -1.4])) < fit.loglik - 1


def test_the_interval_of_tau2_is_where_the_likelihood_ratio_allows_it():
    fit = selection_model(np.array([*Y, 4.0]), np.array([*V, 0.2]))
    low, high = fit.tau2_interval(0.5)
    assert 0 < low < fit.tau2 < high
    for tau2 in (low, high):
        best = max(
            fit.likelihood.value(np.array([mu, tau2 / fit.scale**2, delta]))
            for mu in np.linspace(fit.theta[0] - 3, fit.theta[0] + 3, 81)
            for delta in np.linspace(-3, 3, 61)
        )
        top = fit.likelihood.value(fit.theta)
        assert 2 * (top - best) == pytest.approx(stats.chi2.isf(0.5, 1), abs=3e-2)
    assert selection_model(Y, V).tau2_interval(0.99).low == 0


def test_an_interval_of_tau2_that_reaches_far_beyond_its_estimate():
    fit = selection_model([1.09, 0.98, 0.95, 0.81, 1.07, 0.43], [0.48, 0.11, 0.48, 0.19, 0.24, 0.42])
    low, high = fit.tau2_interval(0.9)
    assert fit.tau2 == low == 0
    best = max(
        fit.likelihood.value(np.array([mu, high / fit.scale**2, delta]))
        for mu in np.linspace(fit.theta[0] - 3, fit.theta[0] + 3, 81)
        for delta in np.linspace(-6, 3, 91)
    )
    assert 2 * (fit.likelihood.value(fit.theta) - best) == pytest.approx(stats.chi2.isf(0.1, 1), abs=3e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": (0.5, 0.1)}, r"steps must rise from above 0 to 1 .* found \(0.5, 0.1\)"),
        ({"steps": (0.0, 1)}, "steps must rise"),
        ({"steps": (1,)}, "steps must rise"),
        ({"steps": (0.1, 2)}, "steps must rise"),
        ({"steps": ()}, "steps must rise"),
        ({"steps": (0.1, np.nan)}, "steps must rise"),
        ({"steps": ("a",)}, "steps must hold numbers only"),
        ({"alternative": "two-sided"}, "alternative must be one of greater, less, two.sided"),
        ({"level": 2}, "level must lie between 0 and 1"),
        (
            {"steps": (0.9, 0.95, 1)},
            r"no study has a p-value between 0.9 and 0.95 \(studies per interval: 10, 0, 0\); leave",
        ),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        selection_model(Y, V, **arguments)


def test_a_likelihood_without_a_maximum_is_refused():
    with pytest.raises(InputError, match=r"no maximum that can be found: it still rises at mu = 7\.9"):
        selection_model([2.54, 7.96], [3.33, 0.19])
