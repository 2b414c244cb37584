"""Many priors on one surface: each number is that of the posterior under that pair."""

import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.errors import InputError, PriorError
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
