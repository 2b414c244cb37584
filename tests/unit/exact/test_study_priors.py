"""Priors that the studies define, such as Jeffreys(), need no binding by hand."""

import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.priors import Prior, Priors

EVENTS, N = [2, 5, 9, 4], [20, 31, 40, 35]
MU = "Normal(mu=-2, sigma=1.5)"


@pytest.mark.parametrize("tau", ["Jeffreys()", "DuMouchel()", "UniformShrinkage()"])
@pytest.mark.parametrize(
    ("surface", "se"),
    [
        (exact.normal([0.1, 0.5, -0.2, 0.4], [0.2, 0.3, 0.25, 0.4]), [0.2, 0.3, 0.25, 0.4]),
        (
            exact.binomial(EVENTS, N),
            [(1 / (e + 0.5) + 1 / (n - e + 0.5)) ** 0.5 for e, n in zip(EVENTS, N, strict=True)],
        ),
    ],
    ids=["normal", "binomial"],
)
def test_they_are_bound_to_the_studies_at_hand(surface, se, tau):
    by_hand = surface.posterior(MU, Prior.parse(tau).for_studies(se))
    found = surface.posterior(MU, tau)
    assert found.priors["tau"] == by_hand.priors["tau"]
    assert found.log_marginal_likelihood == pytest.approx(by_hand.log_marginal_likelihood, abs=1e-8)
    pairs = {f"{i}": (MU, f"HalfNormal(sigma={i + 1})") for i in range(8)} | {"own": (MU, tau)}
    swept = surface.sweep(pairs).sel(prior="own", quantity="tau")
    assert float(swept["high"]) == pytest.approx(found.tau.eti()[1], rel=1e-6)


def test_other_studies_define_another_prior():
    mine, others = (exact.normal([0.0, 1.0, 2.0], np.array([0.2, 0.3, 0.25]) * scale) for scale in (1, 10))
    bound = mine.priors("Flat()", "DuMouchel()")["tau"]
    assert others.posterior("Flat()", bound).priors["tau"] == bound  # what is bound stays so
    assert others.priors("Flat()", "DuMouchel()")["tau"].quantile(0.5) == pytest.approx(
        10 * bound.quantile(0.5)
    )


def test_latent_counts_have_the_mean_of_their_standard_errors():
    surface = exact.mixture([[1, 4], [3, 2]], [20, 30], [1, 3])
    one, other = (exact.binomial(table, [20, 30]).standard_errors for table in ([1, 4], [3, 2]))
    assert surface.standard_errors == pytest.approx(0.25 * one + 0.75 * other)


def test_a_set_without_them_stays_the_same_object():
    priors = Priors.of(mu=MU, tau="HalfNormal()")
    assert priors.bind([1.0, -1.0]) is priors
