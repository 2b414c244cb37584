"""A printed line's answer: scales, sides, thresholds, and what was assumed."""

import math

import pytest

from kyphobayes.errors import InputError, PriorError
from kyphobayes.reanalysis import reanalyse

VAS = (4, "3.85", ("2.99", "4.71"), "79")


@pytest.fixture(scope="module")
def vas():
    return reanalyse(
        *VAS, measure="SMD", n=[63, 18, 26, 65], tau="HalfNormal(sigma=1)", better="higher", mcid=1.8
    )


def test_probabilities_are_those_of_the_posterior(vas):
    assert vas.p_benefit == pytest.approx(1 - float(vas.posterior.cdf("mu", 0.0)))
    assert vas.p_mcid == pytest.approx(1 - float(vas.posterior.cdf("mu", 1.8)))
    assert vas.p_mcid_new == pytest.approx(1 - float(vas.posterior.cdf("theta_new", 1.8)))
    assert vas.p_mcid_new < vas.p_mcid < vas.p_benefit


def test_integration_error_is_small_and_told(vas):
    assert 0 < vas.error < 0.02
    assert vas.to_dict()["error"] == vas.error


def test_everything_is_in_the_dictionary(vas):
    told = vas.to_dict()
    assert told["printed"] == {
        "k": 4, "estimate": "3.85", "ci": ["2.99", "4.71"], "i2": "79",
        "measure": "SMD", "method": "DL", "test": "z",
    }  # fmt: skip
    assert told["mu"]["low"] < 2.99 and told["mu"]["high"] > 4.71  # tau is not known
    assert told["priors"] == {"mu": "Flat()", "tau": "HalfNormal(sigma=1)"}


def test_ratios_come_back_as_ratios():
    found = reanalyse(5, "0.70", ("0.52", "0.94"), "30", measure="OR", mcid=0.8)
    assert found.effects["median"]["mu"] == pytest.approx(0.70, abs=0.01)
    assert found.p_mcid == pytest.approx(float(found.posterior.cdf("mu", math.log(0.8))))
    assert found.p_benefit == pytest.approx(float(found.posterior.cdf("mu", 0.0)))


def test_shares_know_no_effect_but_a_limit():
    found = reanalyse(5, "20 %", ("10 %", "36 %"), "30", measure="PLO", mcid=0.25)
    assert math.isnan(found.p_benefit) and 0.5 < found.p_mcid < 1
    assert found.effects["median"]["mu"] == pytest.approx(0.2, abs=0.01)


def test_a_line_turned_around_is_the_same():
    down = reanalyse(3, "-0.69", ("-1.16", "-0.20"), "78", tau="HalfNormal(sigma=0.5)", mcid=0.5)
    up = reanalyse(3, "0.69", ("0.20", "1.16"), "78", tau="HalfNormal(sigma=0.5)", better="higher", mcid=0.5)
    for name in ("p_benefit", "p_mcid", "p_benefit_new", "p_mcid_new"):
        assert getattr(down, name) == pytest.approx(getattr(up, name), abs=0.005)


def test_a_prior_that_is_made_up_is_told():
    found = reanalyse(*VAS)
    assert "tau was given the prior HalfNormal(sigma=1.8)" in found.assumptions[-1]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"better": "up"}, InputError, "better: expected lower or higher, found 'up'"),
        ({"mcid": 0.0}, InputError, "difference other than 0"),
        ({"mcid": math.inf}, InputError, "difference other than 0"),
        ({"measure": "OR", "mcid": 1.2}, InputError, "a ratio between 0 and 1, as lower is better"),
        ({"measure": "OR", "mcid": 0.9, "better": "higher"}, InputError, "a ratio above 1"),
        ({"tau": "HalfNormale(sigma=1)"}, PriorError, "HalfNormal"),
        ({"tau": "Normal(mu=0, sigma=1)"}, PriorError, "tau"),
    ],
)
def test_refuses(options, error, said):
    with pytest.raises(error, match=said):
        reanalyse(*VAS, **options)
