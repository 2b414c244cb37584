"""Default priors and claims: their scale, where a sceptic stands, and what is told."""

import numpy as np
import pytest

from kyphobayes.errors import InputError
from kyphobayes.own_data import read_own_data
from kyphobayes.own_data.default_priors import SETS, default_priors, unit_information
from kyphobayes.own_data.question import question

COUNTS = {"events": [1, 2, 3], "n": [20, 30, 40]}
Y, SE = [0.2, 0.5, -0.1], [0.2, 0.25, 0.3]


def asked(table, below=None, above=None, **options):
    own = read_own_data(table, **options)
    analysis, note = question(own, below=below, above=above)
    priors, words = default_priors(analysis, own.evidence, own.sizes)
    return analysis, note, {each.label: each.texts() for each in priors}, words, priors


def test_the_unit_information_of_a_log_odds_ratio_is_four():
    # Two arms of n / 2 with events in half of the patients: four cells of n / 4.
    n = np.array([100.0, 400.0])
    assert unit_information(np.sqrt(16 / n), n) == pytest.approx(4)


@pytest.mark.parametrize(
    ("table", "options", "tau", "sceptic"),
    [
        (COUNTS, {}, "HalfNormal(sigma=1)", "Normal(mu=-2.2, sigma=1)"),
        ({"events": [1, 2], "time": [30, 40]}, {}, "HalfNormal(sigma=1)", "Normal(mu=-2.3, sigma=1)"),
        ({"yi": Y, "se": SE}, {"measure": "OR"}, "HalfNormal(sigma=0.5)", "Normal(mu=0, sigma=0.5)"),
        ({"yi": Y, "se": SE}, {"measure": "SMD"}, "HalfNormal(sigma=0.5)", "Normal(mu=0, sigma=0.3)"),
    ],
)
def test_measures_with_a_unit_of_their_own(table, options, tau, sceptic):
    _, _, sets, words, priors = asked(table, **options)
    assert tuple(sets) == SETS and all(list(each) == ["mu", "tau"] for each in sets.values())
    assert sets["weakly_informative"]["tau"] == tau and sets["sceptical"]["mu"] == sceptic
    assert "package's own" in words
    assert all("Source" in prior.why for each in priors for prior in each.values())


def test_units_of_the_user_are_scaled_by_what_one_patient_shows():
    for factor in (1.0, 1000.0):
        y, se = np.array(Y) * factor, np.array(SE) * factor
        _, _, sets, words, _ = asked({"y": y, "se": se, "n": [100, 80, 60]}, measure="MD")
        unit = unit_information(se, np.array([100.0, 80.0, 60.0]))
        assert f"unit-information standard deviation of these studies, {float(f'{unit:.3g}'):g}" in words
        sigma = float(sets["weakly_informative"]["tau"].removeprefix("HalfNormal(sigma=").removesuffix(")"))
        assert sigma == pytest.approx(unit / 8, rel=0.01)
    _, _, _, words, _ = asked({"y": Y, "se": SE})
    assert "the spread of the estimates" in words and "for want of n" in words


def test_rates_per_month_expect_a_twelfth_of_rates_per_year():
    sets = {
        unit: asked({"events": [1, 2], unit: [30, 40]})[2] for unit in ("patient-years", "patient-months")
    }
    mu = {unit: found["weakly_informative"]["mu"] for unit, found in sets.items()}
    assert mu["patient-years"] == "Normal(mu=-2, sigma=2.5)"
    assert mu["patient-months"] == f"Normal(mu={-2 - np.log(12):.3g}, sigma=2.5)"


@pytest.mark.parametrize(
    ("table", "options", "limit", "words"),
    [
        (COUNTS, {}, 0.1, "the rate of events is below 10 %"),
        (
            {"events": [1, 2], "time": [30, 40]},
            {},
            10,
            "the rate of events is below 10 per 100 patient-years",
        ),
        ({"yi": Y, "se": SE}, {"measure": "RR"}, 1, "the risk ratio is below 1"),
        ({"yi": Y, "se": SE}, {}, 0, "the effect is below 0"),
    ],
)
def test_a_limit_that_nobody_gave_is_told(table, options, limit, words):
    analysis, note, *_ = asked(table, **options)
    assert analysis.decision.below == limit and analysis.decision.words == words
    assert words in note and "since no limit was given" in note


@pytest.mark.parametrize(("given", "limit"), [(0.2, 0.2), ("20%", 0.2), ("12,5 %", 0.125), ("0.3", 0.3)])
def test_limits_of_shares(given, limit):
    analysis, note, *_ = asked(COUNTS, below=given)
    assert analysis.decision.below == pytest.approx(limit) and note == ""
    analysis, *_ = asked(COUNTS, above=given)
    assert analysis.decision.side == "above"


@pytest.mark.parametrize(
    ("below", "above", "table", "message"),
    [
        (10, None, COUNTS, "--below: expected a share between 0 and 1, or a percentage, found 10"),
        (None, "x", COUNTS, "--above: expected a number such as 0.1 or 10%"),
        (0.1, 0.2, COUNTS, "expected one limit, found below and above"),
        ("10%", None, {"y": Y, "se": SE}, "expected a number, since the effect is no share"),
        (-1, None, {"log OR": Y, "se": SE}, "expected an odds ratio greater than 0, found -1"),
        (float("nan"), None, {"y": Y, "se": SE}, "--below: expected an effect, found nan"),
    ],
)
def test_limits_that_a_scale_has_not(below, above, table, message):
    with pytest.raises(InputError, match=message):
        asked(table, below=below, above=above)
