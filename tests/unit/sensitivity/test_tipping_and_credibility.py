"""Tipping points and reverse-Bayes priors, against closed forms for normal data and against a scan."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.priors import Prior
from kyphobayes.sensitivity import credibility_of_estimate, reverse_bayes, scaled, shifted, tipping_points

from .conftest import MU, TAU

NO_TAU = "HalfNormal(sigma=1e-7)"  # one estimate, and no spread between studies: conjugate


def test_the_shift_that_flips_a_normal_estimate_is_the_closed_form():
    # Posterior mean (y / se^2 + m / s^2) / (1 / se^2 + 1 / s^2) = 0 at m = -y s^2 / se^2.
    surface = exact.normal([0.3], [0.2])
    found = tipping_points(surface, "Normal(mu=0, sigma=0.4)", NO_TAU, below=0.0, threshold=0.5)
    row = found.loc["location of mu"]
    assert row["flips"] and row["move"] == pytest.approx(-0.3 * 0.4**2 / 0.2**2, rel=1e-5)
    assert row["probability"] == pytest.approx(
        stats.norm.cdf(0, 0.3 * 0.8, np.sqrt(1 / (25 + 6.25))), abs=1e-6
    )
    # With the prior centred at 0 no scale of it puts the posterior's mean on the other side.
    assert not found.loc["scale of mu", "flips"]
    assert found.loc["scale of mu", "remark"] == "no prior in this family flips it"
    assert found.loc["scale of mu", ["low", "high"]].to_numpy(dtype=float) == pytest.approx([1e-3, 1e3])


def test_the_scale_at_which_an_interval_excludes_zero_is_the_closed_form():
    # The sceptic's sd of the analysis of credibility, as a factor of a prior centred at 0.
    surface = exact.normal([0.8], [0.25])
    found = tipping_points(surface, "Normal(mu=0, sigma=1)", NO_TAU, below=0.0, interval=0.95)
    expected = credibility_of_estimate(0.8, 0.25)["sceptical_sd"].item()
    assert found.loc["scale of mu", "move"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("of", ["mu", "theta_new"])
def test_at_a_tipping_point_the_probability_is_the_threshold_and_nothing_nearer_flips(leaks, of):
    found = tipping_points(leaks, MU, TAU, below=-2.2, of=of, threshold=0.6)
    start = float(leaks.posterior(MU, TAU).cdf(of, -2.2))
    moves = {
        "location of mu": lambda t: (shifted(Prior.parse(MU), t), TAU),
        "scale of mu": lambda t: (scaled(Prior.parse(MU), t), TAU),
        "scale of tau": lambda t: (MU, scaled(Prior.parse(TAU), t)),
    }
    assert found["flips"].any()
    for move, row in found.iterrows():
        assert row["probability"] == pytest.approx(start, abs=1e-5)
        place = row["move"] if row["flips"] else row["low"]
        reach = np.log([place, 1 / place]) if move != "location of mu" else np.array([place, -place])
        for end in reach:
            for share in (0.3, 0.6, 0.9, 0.97):
                there = share * end if move == "location of mu" else np.exp(share * end)
                p = float(leaks.posterior(*moves[str(move)](float(there)), rtol=1e-6).cdf(of, -2.2))
                assert (p >= 0.6) == (start >= 0.6), (move, there, p)
        if row["flips"]:
            at = float(leaks.posterior(*moves[str(move)](float(place))).cdf(of, -2.2))
            assert at == pytest.approx(0.6, abs=2e-5)
            assert 0 < row["distance"] < 1


def test_a_crossing_that_comes_back_within_one_step_is_found(monkeypatch):
    from kyphobayes.sensitivity import tipping

    def bump(t):
        return 0.4 + 0.15 * np.exp(-(((t - 0.36) / 0.05) ** 2))

    family = tipping._Family(
        "scale of tau", lambda t: (None, Prior.parse("HalfNormal(sigma=1)")), 5.0, 1.0, True
    )
    places = [0.0, 0.1, 0.25, 0.475, 0.8]
    assert max(bump(t) for t in places) < 0.5 < bump(0.36)
    root = tipping._crossing(bump, places, np.array([bump(t) - 0.5 for t in places]), 0.5)
    assert root is not None and bump(root) == pytest.approx(0.5, abs=1e-6) and root < 0.36
    assert tipping._crossing(lambda t: 0.4, places, np.full(5, -0.1), 0.5) is None
    assert next(family.steps()) == pytest.approx(0.1)


def test_a_prior_that_cannot_move_is_told_and_the_others_are_searched(effects):
    found = tipping_points(effects, "Flat()", TAU, below=0.1)
    assert found.loc["location of mu", "remark"].startswith("Flat() has no location to move")
    assert found.loc["scale of tau", "remark"] == "" or not found.loc["scale of tau", "flips"]


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"threshold": 1.0}, "threshold: expected a probability between 0 and 1, found 1"),
        ({"interval": 0.0}, "interval: expected a probability between 0 and 1, found 0"),
        ({"of": "theta"}, "of: expected one of mu, tau, theta_new, found 'theta'"),
        ({"moves": ("shape of tau",)}, "move: expected one of location of mu, scale of mu, scale of tau"),
    ],
)
def test_what_is_refused(leaks, wrong, words):
    with pytest.raises(InputError, match=words):
        tipping_points(leaks, MU, TAU, **{"below": -2.2, **wrong})


# --- reverse-Bayes ---------------------------------------------------------------------------------------


def test_closed_form_of_credibility_is_that_of_the_papers():
    # Matthews (2018): with limits L, U of an interval that excludes 0, SL = (U - L)^2 / (4 sqrt(U L)).
    y, se, z = 0.8, 0.25, stats.norm.ppf(0.975)
    low, high = y - z * se, y + z * se
    found = credibility_of_estimate(y, se)
    assert found["scepticism_limit"] == pytest.approx((high - low) ** 2 / (4 * np.sqrt(high * low)))
    # ... and of one that includes 0, AL = -(U + L) (U - L)^2 / (2 U L).
    y = 0.3
    low, high = y - z * se, y + z * se
    found = credibility_of_estimate(y, se)
    assert not found["convincing"] and np.isnan(found["sceptical_sd"])
    assert found["advocacy_limit"] == pytest.approx(-(high + low) * (high - low) ** 2 / (2 * high * low))


@given(st.floats(-1.5, 1.5), st.floats(0.1, 0.6), st.floats(-1, 1))
def test_reverse_bayes_on_the_surface_of_one_estimate_is_the_closed_form(away, se, centre):
    z = abs(away) / se
    if z < 0.2 or abs(z - 1.96) < 0.1 or z > 6:
        return  # at these the priors lie beyond what is searched
    found = reverse_bayes(exact.normal([centre + away], [se]), NO_TAU, centre=centre)
    expected = credibility_of_estimate(centre + away, se, centre=centre)
    assert bool(found["convincing"]) == bool(expected["convincing"])
    assert int(found["side"]) == int(expected["side"])
    for name in ("sceptical_sd", "advocacy_sd", "scepticism_limit", "advocacy_limit"):
        assert float(found[name]) == pytest.approx(float(expected[name]), rel=2e-4, abs=1e-5, nan_ok=True)


def test_the_sceptics_interval_just_reaches_the_value(effects):
    surface = exact.normal([0.5, 0.7, 0.6, 0.9], [0.2, 0.15, 0.2, 0.25])
    found = reverse_bayes(surface, "HalfNormal(sigma=0.3)", centre=0.0)
    assert found["convincing"]
    sd = float(found["sceptical_sd"])
    low = surface.posterior(f"Normal(mu=0, sigma={sd!r})", "HalfNormal(sigma=0.3)").quantile("mu", 0.025)
    assert low == pytest.approx(0.0, abs=1e-4)
    wider = reverse_bayes(surface, "HalfNormal(sigma=1)", centre=0.0)
    assert float(wider["sceptical_sd"]) > sd  # where studies may differ more, less doubt is needed


def test_what_reverse_bayes_refuses(effects):
    with pytest.raises(InputError, match="prob: expected a number between 0 and 1, found 1"):
        reverse_bayes(effects, TAU, centre=0.0, prob=1.0)
    with pytest.raises(InputError, match="centre: expected a finite number"):
        reverse_bayes(effects, TAU, centre=np.nan)
    with pytest.raises(InputError, match="standard error greater than 0"):
        credibility_of_estimate(0.1, 0.0)
