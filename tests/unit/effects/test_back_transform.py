"""Back-transforms undo their measures; the Freeman-Tukey inverse asks for its n."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from kyphobayes.effects import effect_size
from kyphobayes.effects.recover import back_transform, back_transform_mean
from kyphobayes.errors import InputError
from kyphobayes.frequentist import pool


@pytest.mark.parametrize("measure", ["PR", "PLO", "PLN", "PAS", "PFT"])
@given(st.integers(1, 500), st.data())
def test_shares_come_back(measure, n, data):
    events = data.draw(st.integers(1, n - 1) if n > 1 and measure[:2] in ("PR", "PL") else st.integers(0, n))
    if n == 1 and measure in ("PR", "PLO", "PLN"):
        return
    y = effect_size(measure, {"events": events, "n": n}).y
    found = back_transform(measure, y, n=n if measure == "PFT" else None)
    np.testing.assert_allclose(found, [events / n], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("measure", ["IR", "IRLN", "IRS"])
@given(st.integers(1, 500), st.floats(0.1, 1e4))
def test_rates_come_back(measure, events, time):
    y = effect_size(measure, {"events": events, "time": time}).y
    np.testing.assert_allclose(back_transform(measure, y), [events / time], rtol=1e-12)


@pytest.mark.parametrize("measure", ["OR", "PETO", "RR", "IRR", "ROM", "ROMC"])
def test_logs_of_ratios_come_back(measure):
    np.testing.assert_allclose(back_transform(measure, np.log([0.5, 1, 3])), [0.5, 1, 3], rtol=1e-15)


@pytest.mark.parametrize(
    ("measure", "n", "y", "expected"),
    [
        ("PAS", None, [-0.1, 0, np.pi / 2, 2], [0, 0, 1, 1]),
        ("PFT", 20, [-0.1, 0, 1.5, 2], [0, 0, 1, 1]),
        ("IRS", None, [-0.1, 0], [0, 0]),
        ("PLO", None, [-1000, 1000], [0, 1]),
    ],
)
def test_limits_beyond_the_scale_stop_at_its_ends(measure, n, y, expected):
    assert back_transform(measure, y, n=n).tolist() == expected


def test_the_harmonic_mean_trap():
    """Three studies with shares of 1 to 3 % and one of two patients: pooled near 0, outside all of them.

    The harmonic mean of n is 7.9, and at that n the smallest effects are those of no events at all. With
    each study's own n the same inverse is exact.
    """
    events, n = np.array([15, 100, 40, 0]), np.array([1000, 4000, 2000, 2])
    found = effect_size("PFT", {"events": events, "n": n})
    np.testing.assert_allclose(back_transform("PFT", found.y, n=n), events / n, rtol=1e-9)
    pooled = pool(found.y, found.v, method="CE", test="z").mu
    harmonic = len(n) / (1 / n).sum()
    assert back_transform("PFT", pooled, n=harmonic) == 0
    assert 0.015 < events.sum() / n.sum() < 0.025
    assert 0.015 < back_transform("PFT", pooled, n=n.sum()) < 0.025
    with pytest.raises(InputError, match="PFT needs n: the inverse depends on the sample size"):
        back_transform("PFT", pooled)


@given(st.floats(-8, 8), st.floats(0, 25))
def test_the_mean_share_is_the_integral(mu, tau2):
    tau = np.sqrt(tau2)
    expected, _ = integrate.quad(
        lambda z: special.expit(mu + tau * z) * stats.norm.pdf(z), -12, 12, epsabs=1e-14, limit=400
    )
    np.testing.assert_allclose(back_transform_mean("PLO", mu, tau2), expected, rtol=1e-9, atol=1e-13)


@given(st.floats(-5, 5), st.floats(0, 400))
def test_the_mean_share_of_the_mirrored_logit_is_the_complement(mu, tau2):
    one, other = back_transform_mean("PLO", [mu, -mu], tau2)
    assert one + other == pytest.approx(1, abs=1e-13)


def test_the_mean_of_ratios_by_hand():
    np.testing.assert_allclose(back_transform_mean("RR", np.log([2, 3]), 2 * np.log(5)), [10, 15], rtol=1e-14)


def test_without_heterogeneity_median_and_mean_agree():
    for measure in ("PLO", "OR", "IRLN"):
        expected = back_transform(measure, [-1.2, 0.3])
        np.testing.assert_allclose(back_transform_mean(measure, [-1.2, 0.3], 0), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("SMD", 1), "'SMD' has no other scale to go back to; expected one of PR, PLO"),
        (("AS", 1), "'AS' has no other scale"),
        (("PLO", np.nan), "y: expected a finite number"),
        (("OR", [1, 800]), "study 1: expected a log that can be undone, found y = 800"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        back_transform(*arguments)


def test_n_is_refused_where_it_plays_no_part():
    with pytest.raises(InputError, match="n is for PFT only; leave it out for PLO"):
        back_transform("PLO", 0.2, n=12)
    with pytest.raises(InputError, match="study 1: expected n > 0"):
        back_transform("PFT", [0.2, 0.3], n=[5, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("PLO", 0, -1), "tau2 of at least 0"), (("PAS", 0, 1), "must be one of PLO, PLN")],
)
def test_means_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        back_transform_mean(*arguments)
