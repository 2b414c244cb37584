"""Groups of studies with a common tau, against two other solutions of the same model."""

import numpy as np
import pytest
from scipy import special

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.moderators import TwoLevels
from kyphobayes.natural_scale import natural_scale
from kyphobayes.priors import Priors
from kyphobayes.subgroups import subgroups

EVENTS, N = np.array([0, 5, 12, 7, 2]), np.array([32, 35, 264, 40, 18])
FIRST = np.array([True, True, False, False, False])
TAU = "HalfNormal(sigma=1)"
SHOWN = ["median", "low", "high"]


@pytest.fixture(scope="module")
def shares():
    surfaces = {
        "a": exact.binomial(EVENTS[FIRST], N[FIRST]),
        "b": exact.binomial(EVENTS[~FIRST], N[~FIRST]),
    }
    return subgroups(surfaces, Priors.of("x", mu="Normal(mu=-1, sigma=2)", tau=TAU), natural_scale("PLO"))


def test_two_groups_of_counts_against_the_regression_on_two_levels(shares):
    # Independent typical effects have a mean and a difference that are independent, too.
    priors = Priors.of(
        "x",
        mu=f"Normal(mu=-1, sigma={2 / np.sqrt(2)})",
        beta=f"Normal(mu=0, sigma={2 * np.sqrt(2)})",
        tau=TAU,
    )
    other = TwoLevels(exact.binomial(EVENTS, N), np.where(FIRST, 0.5, -0.5), priors)
    row = shares.differences().loc["a against b"]
    np.testing.assert_allclose(row[SHOWN], np.exp(other.beta.quantile([0.5, 0.025, 0.975])), rtol=2e-4)
    assert row["p_larger"] == pytest.approx(1 - float(other.beta.cdf(0.0)), abs=1e-5)
    groups = shares.groups(0.1)
    for name, new in zip("ab", other.new, strict=True):
        ends = special.expit(new.quantile([0.025, 0.975]))
        np.testing.assert_allclose(groups.loc[name, ["new_low", "new_high"]], ends, rtol=1e-4)
    assert shares.contrast == "odds ratio" and list(groups["k"]) == [2, 3]


def test_three_groups_of_estimates_against_the_conjugate_regression():
    y, se = np.array([0.1, 0.4, 0.3, -0.2, 0.8, 0.5]), np.array([0.1, 0.2, 0.15, 0.3, 0.2, 0.1])
    at = np.array([0, 0, 1, 1, 2, 2])
    surfaces = {str(i): exact.normal(y[at == i], se[at == i]) for i in range(3)}
    found = subgroups(
        surfaces, Priors.of("x", mu="Normal(mu=0, sigma=1)", tau="HalfNormal(sigma=0.5)"), natural_scale("MD")
    )
    columns = {name: (at == int(name)) * 1.0 for name in surfaces}
    other = exact.normal_regression(
        y, se, columns, beta="Normal(mu=0, sigma=1)", tau="HalfNormal(sigma=0.5)", intercept=False
    )
    expected = other.summary()
    for name in surfaces:
        np.testing.assert_allclose(found.groups(0).loc[name, SHOWN], expected.loc[name, SHOWN], atol=1e-5)
    assert found.tau.mean == pytest.approx(expected.loc["tau", "mean"], rel=1e-5)
    for pair, x in (("0 against 1", [1, -1, 0]), ("0 against 2", [1, 0, -1]), ("1 against 2", [0, 1, -1])):
        density, row = other.density(x), found.differences().loc[pair]
        np.testing.assert_allclose(row[SHOWN], density.quantile([0.5, 0.025, 0.975]), atol=1e-4)
        assert row["p_larger"] == pytest.approx(1 - float(density.cdf(0.0)), abs=1e-5)
    assert found.contrast == "difference"


def test_the_claim_and_its_side(shares):
    below, above = shares.groups(0.1)["p_claim"], shares.groups(0.1, "above")["p_claim"]
    np.testing.assert_allclose(below + above, 1)
    assert below["a"] == pytest.approx(float(shares.typical["a"].cdf(special.logit(0.1))))
    plain = shares.to_dict(0.1)
    assert plain["contrast"] == "odds ratio" and set(plain["groups"]) == {"a", "b"}


def test_one_group_is_none():
    with pytest.raises(InputError, match="design: expected 2 to 20 groups, found 1"):
        subgroups(
            {"a": exact.binomial([1], [9])}, Priors.of("x", mu="Normal(mu=0, sigma=1)", tau=TAU),
            natural_scale("PLO"), by="design",
        )  # fmt: skip
