"""Theorems every posterior obeys, whatever the evidence."""

import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special

from kyphobayes import exact
from kyphobayes.errors import ImproperPosterior, InputError

FEW = settings(max_examples=6, deadline=None, derandomize=True)
y_and_se = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 2)), min_size=1, max_size=6)
counts = st.lists(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=6
)
Q = np.array([0.01, 0.5, 0.99])


def normal_posterior(y, se, shift=0.0, scale=1.0):
    surface = exact.normal(scale * (np.asarray(y) + shift), scale * np.asarray(se))
    mu = f"Normal(mu={scale * (0.5 + shift)!r}, sigma={2.0 * scale!r})"
    return surface.posterior(mu, f"HalfNormal(sigma={0.7 * scale!r})")


@FEW
@given(y_and_se, st.randoms(use_true_random=False))
def test_the_order_of_studies_does_not_matter(studies, random):
    shuffled = random.sample(studies, len(studies))
    one, other = (normal_posterior(*zip(*order, strict=True)) for order in (studies, shuffled))
    assert one.log_marginal_likelihood == pytest.approx(other.log_marginal_likelihood, abs=1e-10)
    np.testing.assert_allclose(one.quantile("mu", Q), other.quantile("mu", Q), atol=1e-9)


@FEW
@given(counts, st.randoms(use_true_random=False))
def test_the_order_of_counts_does_not_matter(studies, random):
    shuffled = random.sample(studies, len(studies))
    one, other = (
        exact.binomial(*zip(*order, strict=True)).posterior("Normal(0, 2)", "HalfNormal(1)")
        for order in (studies, shuffled)
    )
    assert one.log_marginal_likelihood == pytest.approx(other.log_marginal_likelihood, abs=1e-9)
    np.testing.assert_allclose(one.quantile("mu", Q), other.quantile("mu", Q), atol=1e-7)


@FEW
@given(y_and_se, st.floats(-50, 50))
def test_a_shift_of_data_and_prior_shifts_mu_alone(studies, shift):
    y, se = zip(*studies, strict=True)
    here, there = normal_posterior(y, se), normal_posterior(y, se, shift=shift)
    assert here.log_marginal_likelihood == pytest.approx(there.log_marginal_likelihood, abs=1e-8)
    np.testing.assert_allclose(here.quantile("mu", Q) + shift, there.quantile("mu", Q), atol=1e-7)
    np.testing.assert_allclose(here.quantile("tau", Q), there.quantile("tau", Q), atol=1e-7)


@FEW
@given(y_and_se, st.floats(1e-4, 1e4))
@example([(0.0, 0.05)], 1e-4)
def test_a_change_of_unit_scales_everything(studies, scale):
    y, se = zip(*studies, strict=True)
    here, there = normal_posterior(y, se), normal_posterior(y, se, scale=scale)
    density = here.log_marginal_likelihood - len(y) * np.log(scale)  # each y has a density per unit
    assert there.log_marginal_likelihood == pytest.approx(density, abs=1e-8)
    for name in ("mu", "tau"):
        np.testing.assert_allclose(there.quantile(name, Q) / scale, here.quantile(name, Q), atol=1e-7)


@FEW
@given(counts)
def test_events_and_non_events_mirror_each_other(studies):
    events, n = np.array(studies).T
    events_post = exact.binomial(events, n).posterior("Normal(0.4, 1.5)", "HalfNormal(1)")
    others_post = exact.binomial(n - events, n).posterior("Normal(-0.4, 1.5)", "HalfNormal(1)")
    assert events_post.log_marginal_likelihood == pytest.approx(others_post.log_marginal_likelihood, abs=1e-9)
    np.testing.assert_allclose(events_post.quantile("mu", Q), -others_post.quantile("mu", Q[::-1]), atol=1e-7)


@FEW
@given(counts)
def test_a_posterior_is_a_probability(studies):
    events, n = zip(*studies, strict=True)
    post = exact.binomial(events, n).posterior("Normal(0, 2)", "HalfNormal(1)")
    for density in (post.mu, post.tau):
        assert density.cdf(density.panels.edges[-1]) == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(density.cdf(density.quantile(Q)), Q, atol=1e-12)
        assert (np.diff(density.cdf(np.linspace(*density.quantile([1e-6, 1 - 1e-6]), 50))) > 0).all()
        low, high = density.hdi(0.9)
        assert density.cdf(high) - density.cdf(low) == pytest.approx(0.9, abs=1e-9)
        assert high - low <= np.subtract(*density.eti(0.9)[::-1]) + 1e-9


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("binomial", ([0, 5, 4, 12], [32, 35, 19, 264])),
        ("normal", ([-0.5, 0.2, -1.2], [0.3, 0.4, 0.5])),
        ("poisson", ([3, 0, 6], [100, 50, 240])),
    ],
)
def test_a_new_study_has_the_mean_of_mu_and_the_variance_of_both(kind, data):
    """E theta_new = E mu, Var theta_new = Var mu + E tau^2."""
    post = getattr(exact, kind)(*data).posterior("Normal(mu=-1, sigma=1.5)", "HalfNormal(sigma=1)")
    assert post.theta_new.mean == pytest.approx(post.mu.mean, abs=1e-8)
    variance = post.mu.sd**2 + post.tau.mean**2 + post.tau.sd**2
    assert post.theta_new.sd == pytest.approx(np.sqrt(variance), rel=1e-8)


@pytest.mark.parametrize("prob", [0.95, 0.5])
def test_a_summarys_interval_leaves_as_much_on_either_side(prob):
    post = normal_posterior([0.1, 0.9, -0.4], [0.3, 0.2, 0.5])
    for name, row in post.summary(prob).iterrows():
        share = post.cdf(name, row[["low", "median", "high"]].to_numpy(dtype=float))
        np.testing.assert_allclose(share, [(1 - prob) / 2, 0.5, (1 + prob) / 2], atol=1e-8)


def test_the_error_holds_that_of_the_interpolation():
    surface, rtol = exact.binomial([0, 5, 4], [32, 35, 19]), 1e-12
    post = surface.posterior("Normal(mu=-2, sigma=1.5)", "HalfNormal(sigma=1)", rtol=rtol)
    mu, tau = post.mu_panels.nodes, post.tau_panels.nodes
    log_prior = post.priors["mu"].log_density(mu)[:, None] + post.priors["tau"].log_density(tau)
    interpolation = surface.around(mu, tau, log_prior, rtol)[1]
    assert interpolation > 10 * rtol and post.error >= interpolation


def test_a_flat_tau_that_a_single_study_does_not_bound_is_refused():
    with pytest.raises(ImproperPosterior, match="with 1 study and these priors the posterior is not proper"):
        exact.binomial([3], [20]).posterior("Normal(mu=0, sigma=1)", "Flat()")


# -- latent counts -------------------------------------------------------------------------------

TABLES = np.array([[2, 0, 5, 3], [3, 0, 4, 3], [1, 1, 5, 3], [0, 0, 7, 3]])
N = np.array([20, 32, 46, 19])
PRIORS = "Normal(mu=-2, sigma=1.5)", "HalfNormal(sigma=1)"


def test_one_table_is_a_binomial():
    one, plain = exact.mixture(TABLES[:1], N), exact.binomial(TABLES[0], N)
    mu, tau = [-3.0, -1.0, 0.5], [0.01, 0.5, 4.0]
    np.testing.assert_allclose(one.log_likelihood(mu, tau), plain.log_likelihood(mu, tau), rtol=1e-12)
    a, b = one.posterior(*PRIORS), plain.posterior(*PRIORS)
    assert a.log_marginal_likelihood == pytest.approx(b.log_marginal_likelihood, abs=1e-10)
    np.testing.assert_allclose(a.quantile("tau", Q), b.quantile("tau", Q), atol=1e-10)


@pytest.mark.parametrize("weights", [None, [1, 2, 3, 0.5]])
def test_a_mixture_is_the_mean_of_its_tables(weights):
    share = np.full(4, 0.25) if weights is None else np.array(weights) / np.sum(weights)
    mixed = exact.mixture(TABLES, N, weights)
    mu, tau = [-3.0, -1.0, 0.5], [0.01, 0.5, 4.0]
    single = np.stack([exact.binomial(table, N).log_likelihood(mu, tau) for table in TABLES])
    expected = special.logsumexp(single, axis=0, b=share[:, None, None])
    np.testing.assert_allclose(mixed.log_likelihood(mu, tau), expected, rtol=1e-11)


@pytest.mark.parametrize("weights", [None, [1, 2, 3, 0.5]])
def test_tables_are_weighed_by_their_marginal_likelihoods(weights):
    share = np.full(4, 0.25) if weights is None else np.array(weights) / np.sum(weights)
    post = exact.mixture(TABLES, N, weights).posterior(*PRIORS)
    alone = [exact.binomial(table, N).posterior(*PRIORS) for table in TABLES]
    evidence = np.array([p.log_marginal_likelihood for p in alone])
    expected = special.softmax(evidence + np.log(share))
    found = post.table_probabilities()
    assert found.sum() == pytest.approx(1, abs=1e-10)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert post.log_marginal_likelihood == pytest.approx(special.logsumexp(evidence, b=share), abs=1e-8)
    assert post.mu.mean == pytest.approx(expected @ [p.mu.mean for p in alone], abs=1e-7)
    shrunk = expected @ [p.shrinkage()["mean"] for p in alone]
    np.testing.assert_allclose(post.shrinkage()["mean"], shrunk, atol=1e-6)


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: exact.normal([1, 2], [1]), "y has 2 studies but se has 1"),
        (lambda: exact.normal([1, np.nan], [1, 1]), r"y\[1\]: expected a finite number"),
        (lambda: exact.normal([1], [0]), r"se\[0\]: expected a standard error greater than 0"),
        (lambda: exact.normal([], []), "one number per study"),
        (lambda: exact.normal(["a"], [1]), "y: expected numbers"),
        (lambda: exact.binomial([3], [2]), r"events\[0\]: expected no more events than n, found 3"),
        (lambda: exact.binomial([-1], [2]), "a whole number of 0 or more"),
        (lambda: exact.binomial([0.5], [2]), "a whole number of 0 or more"),
        (lambda: exact.binomial([0], [0]), r"n\[0\]: expected at least 1"),
        (lambda: exact.poisson([1], [0]), "an exposure greater than 0"),
        (lambda: exact.poisson([1], [np.inf]), "a finite number"),
        (lambda: exact.mixture([[1, 2]], [5]), "n: expected one number for each of 2 studies"),
        (lambda: exact.mixture([[1], [2]], [5], [1]), "weights: expected 2 positive numbers"),
        (lambda: exact.mixture([[1], [2]], [5], [1, 0]), "weights: expected 2 positive numbers"),
        (lambda: exact.normal([1, 2], [1, 1], labels=["a", "a"]), "every study needs its own name"),
        (lambda: exact.normal([1, 2], [1, 1], labels=["a"]), "labels: expected 2 names"),
        (lambda: exact.normal([1], [1]).posterior("Normal(0,1)", "HalfNormal(1)", rtol=1), "rtol"),
        (lambda: exact.normal([1], [1]).posterior("Normal(0,1)", "HalfNormal(1)").summary(prob=95), "prob"),
        (lambda: exact.normal([1], [1]).posterior("Normal(0,1)", "HalfNormal(1)").quantile("nu", 0.5), "nu"),
    ],
)
def test_wrong_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: exact.normal([0.1, 0.4, -0.2], [0.2, 0.3, 0.2]),
        lambda: exact.binomial([0, 5, 4], [32, 35, 19]),
        lambda: exact.poisson([0, 5, 4], [32.0, 35.0, 19.0]),
        lambda: exact.two_arms([0, 5], [32, 35], [3, 5], [30, 30]),
    ],
    ids=["normal", "binomial", "poisson", "two arms"],
)
def test_a_posterior_travels_between_processes(make):
    post = make().posterior("Normal(-1, 1)", "HalfNormal(1)")
    before = post.summary()
    assert pickle.loads(pickle.dumps(post)).summary().equals(before)
