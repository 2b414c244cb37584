"""Many priors on one surface: each number is that of the posterior under that pair."""

import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.errors import InputError, PriorError
from kyphobayes.names import AGGREGATE
from kyphobayes.priors import Prior

SURFACES = {
    "binomial": lambda: exact.binomial([0, 5, 4, 0], [32, 35, 19, 22]),
    "normal": lambda: exact.normal([0.1, -0.3, 0.6], [0.2, 0.3, 0.25]),
    "tables": lambda: exact.mixture([[0, 5, 2], [1, 4, 2], [0, 4, 3]], [32, 35, 30]),
}
PAIRS = {
    "weak": ("Normal(mu=-2, sigma=1.5)", "HalfNormal(sigma=1)"),
    "heavy": ("StudentT(nu=4, mu=0, sigma=2.5)", "HalfCauchy(beta=1)"),
    "narrow": ("Normal(mu=-1, sigma=0.02)", "HalfNormal(sigma=0.01)"),
    "log": ("Logistic(mu=0, s=1)", "LogNormal(mu=-1, sigma=0.8)"),
    "bounded": ("Uniform(lower=-4, upper=1)", "Uniform(lower=0, upper=2)"),
}


@pytest.mark.parametrize("kind", SURFACES)
def test_the_same_as_one_by_one(kind):
    surface = SURFACES[kind]()
    found = surface.sweep(PAIRS, below=-1.5, of="theta_new")
    assert list(found["prior"].values) == list(PAIRS)
    assert list(found["quantity"].values) == ["mu", "tau", "theta_new"]
    for name, (mu, tau) in PAIRS.items():
        post = SURFACES[kind]().posterior(mu, tau)
        one, summary = found.sel(prior=name), post.summary()
        unit = summary["sd"].to_numpy()
        for statistic in ("mean", "sd", "median", "low", "high"):
            if not (name == "heavy" and statistic in ("mean", "sd")):
                apart = np.abs(one[statistic].values - summary[statistic].to_numpy()) / unit
                assert apart.max() < 1e-6, (name, statistic)
        assert float(one["log_marginal_likelihood"]) == pytest.approx(post.log_marginal_likelihood, abs=1e-7)
        assert float(one["probability"]) == pytest.approx(float(post.cdf("theta_new", -1.5)), abs=1e-7)


def test_a_sequence_is_numbered_and_priors_may_be_values():
    pairs = [(Prior.parse(mu), tau) for mu, tau in PAIRS.values()]
    found = SURFACES["binomial"]().sweep(pairs)
    assert list(found["prior"].values) == [0, 1, 2, 3, 4] and "probability" not in found


def test_refusals():
    surface = SURFACES["normal"]()
    with pytest.raises(InputError, match="at least one pair"):
        surface.sweep([])
    with pytest.raises(InputError, match="of: expected one of mu, tau, theta_new, found 'theta'"):
        surface.sweep(PAIRS, of="theta")
    with pytest.raises(PriorError, match="did you mean Normal"):
        surface.sweep([("Normul()", "HalfNormal()")])
    with pytest.raises(PriorError, match="allows negative values"):
        surface.sweep([("Normal()", "Normal()")])


TAUS = (
    "HalfNormal(sigma={:.4f})",
    "HalfCauchy(beta={:.4f})",
    "Exponential(lam={:.4f})",
    "LogNormal(sigma={:.4f})",
)


def many(count):
    """Pairs of ordinary priors at random, and a few that no common grid resolves."""
    rng = np.random.default_rng(3)
    pairs = {
        f"{i}": (
            f"Normal(mu={rng.normal(-2, 0.7):.4f}, sigma={rng.uniform(0.3, 3):.4f})",
            TAUS[i % len(TAUS)].format(rng.uniform(0.3, 2)),
        )
        for i in range(count)
    }
    far = {
        "far": ("Normal(mu=30, sigma=0.5)", "HalfNormal(sigma=0.05)"),
        "sharp": ("Normal(mu=-1.7, sigma=1e-5)", TAUS[0].format(1)),
    }
    return pairs | PAIRS | far


@pytest.mark.parametrize(("kind", "of"), list(zip(SURFACES, AGGREGATE, strict=True)))
def test_on_a_common_grid_as_one_by_one(kind, of):
    pairs = many(40)
    found = SURFACES[kind]().sweep(pairs, below=0.3, of=of, prob=0.9)
    assert not any(found[name].isnull().any() for name in found)
    for name in [*PAIRS, "far", "sharp", *map(str, range(0, 40, 9))]:
        post = SURFACES[kind]().posterior(*pairs[name])
        one, summary = found.sel(prior=name), post.summary(0.9)
        unit = (summary["high"] - summary["low"]).to_numpy() / 3
        for statistic in ("mean", "sd", "median", "low", "high"):
            both = np.stack([one[statistic].values, summary[statistic].to_numpy()])
            apart = np.abs(both[0] - both[1]) / unit
            tail = "Cauchy" in pairs[name][1] or "LogNormal" in pairs[name][1]
            if not (tail and statistic in ("mean", "sd")):  # of three or four studies: far out or infinite
                assert apart.max() < 1e-6, (name, statistic, apart)
        assert float(one["log_marginal_likelihood"]) == pytest.approx(post.log_marginal_likelihood, abs=1e-7)
        assert float(one["probability"]) == pytest.approx(float(post.cdf(of, 0.3)), abs=1e-7)


def test_student_effects_keep_their_own_kernel():
    surface = exact.student_effects(SURFACES["normal"](), 4)
    pairs = dict(list(many(8).items())[:9])
    one = surface.sweep(pairs).sel(prior="3", quantity="theta_new")
    post = surface.posterior(*pairs["3"])
    assert float(one["high"]) == pytest.approx(post.theta_new.eti()[1], abs=1e-8)


def test_the_order_of_pairs_does_not_matter():
    pairs = many(20)
    one = SURFACES["tables"]().sweep(pairs)
    other = SURFACES["tables"]().sweep(dict(reversed(pairs.items()))).sel(prior=list(pairs))
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("prob", [0.95, 1 - 1e-6])
def test_narrow_priors_anywhere_that_few_vectors_do_not_span(prob):
    rng = np.random.default_rng(0)
    sd, at, tau = 10 ** rng.uniform(-2, 0.5, 150), rng.normal(2, 1, 150), 10 ** rng.uniform(-2, 0, 150)
    pairs = [
        (f"Normal(mu={middle:.4f}, sigma={sigma:.4f})", f"HalfNormal(sigma={scale:.4f})")
        for middle, sigma, scale in zip(at, sd, tau, strict=True)
    ]
    surface = exact.normal([1.0, 2.5, 1.8], [0.2, 0.3, 0.25])
    found = surface.sweep(pairs, below=2.0, of="theta_new", prob=prob)
    for i in range(0, 150, 6):
        post = surface.posterior(*pairs[i])
        summary, one = post.summary(prob), found.sel(prior=i)
        for statistic in ("mean", "sd", "median"):
            apart = np.abs(one[statistic].values - summary[statistic].to_numpy()) / summary["sd"].to_numpy()
            assert apart.max() < 1e-6, (pairs[i], statistic, apart)
        low, high = (
            float(post.cdf("theta_new", float(one[end].sel(quantity="theta_new")))) for end in ("low", "high")
        )
        assert low == pytest.approx((1 - prob) / 2, abs=1e-7, rel=0.05)
        assert 1 - high == pytest.approx((1 - prob) / 2, abs=1e-7, rel=0.05)
        assert float(one["probability"]) == pytest.approx(float(post.cdf("theta_new", 2.0)), abs=1e-7)
