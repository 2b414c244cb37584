"""Effect sizes where counts are a billion, correlations are next to 1 and samples have three patients."""

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from kyphobayes.effects import effect_size
from kyphobayes.effects.means import hedges_j
from kyphobayes.errors import InputError
from kyphobayes.natural_scale import natural_scale

mp.dps = 50
CLOSE = 1e-10
BILLION = 10**9


def near(found, true, share=CLOSE):
    return abs(mpf(float(found)) - true) <= share * abs(true)


def log_odds(x, n):
    return mpmath.log(mpf(x) / (n - x)), 1 / mpf(x) + 1 / mpf(n - x)


def log_share(x, n):
    return mpmath.log(mpf(x) / n), 1 / mpf(x) - 1 / mpf(n)


def share(x, n):
    p = mpf(x) / n
    return p, p * (1 - p) / n


def arcsine(x, n):
    return mpmath.asin(mpmath.sqrt(mpf(x) / n)), 1 / mpf(4 * n)


def freeman_tukey(x, n):
    ends = [mpmath.asin(mpmath.sqrt(mpf(x + i) / (n + 1))) for i in (0, 1)]
    return sum(ends) / 2, 1 / mpf(4 * n + 2)


ONE_GROUP = {"PLO": log_odds, "PLN": log_share, "PR": share, "PAS": arcsine, "PFT": freeman_tukey}
COUNTS = [
    (1, BILLION),
    (2, BILLION),
    (BILLION // 2 - 1, BILLION),
    (BILLION - 1, BILLION),
    (1, 2),
    (10**14, 10**15),
]


@pytest.mark.parametrize("measure", ONE_GROUP)
@pytest.mark.parametrize(("events", "n"), COUNTS)
def test_shares_of_a_billion(measure, events, n):
    sizes = effect_size(measure, {"events": [events], "n": [n]})
    y, v = ONE_GROUP[measure](events, n)
    assert near(sizes.y[0], y)
    assert near(sizes.v[0], v)


@pytest.mark.parametrize("events", [0, BILLION])
@pytest.mark.parametrize("measure", ["PLO", "PLN", "PR"])
def test_zero_cells_of_a_billion_are_corrected(measure, events):
    truth = ONE_GROUP[measure](mpf(events) + mpf(1) / 2, mpf(BILLION) + 1)
    sizes = effect_size(measure, {"events": [events], "n": [BILLION]})
    assert near(sizes.y[0], truth[0])
    assert near(sizes.v[0], truth[1])


TWO_GROUPS = [(1, BILLION, 2, BILLION), (BILLION - 1, BILLION, 5, 10), (1, 2, 1, BILLION), (3, 10, 7, 10)]


@pytest.mark.parametrize("cells", TWO_GROUPS)
def test_two_groups_of_very_different_size(cells):
    a, m, b, n = cells
    data = dict(zip(("events_1", "n_1", "events_2", "n_2"), ([x] for x in cells), strict=True))
    (y1, v1), (y2, v2) = log_odds(a, m), log_odds(b, n)
    odds = effect_size("OR", data)
    assert near(odds.y[0], y1 - y2)
    assert near(odds.v[0], v1 + v2)
    (y1, v1), (y2, v2) = log_share(a, m), log_share(b, n)
    risk = effect_size("RR", data)
    assert near(risk.y[0], y1 - y2)
    assert near(risk.v[0], v1 + v2)
    (p, v), (q, w) = share(a, m), share(b, n)
    difference = effect_size("RD", data)
    assert near(difference.y[0], p - q)
    assert near(difference.v[0], v + w)
    peto = effect_size("PETO", data)
    events, total = mpf(a + b), mpf(m + n)
    variance = m * mpf(n) * events * (total - events) / (total**2 * (total - 1))
    assert near(peto.v[0], 1 / variance)
    assert near(peto.y[0], (a - m * events / total) / variance)


def test_two_groups_without_events_are_named():
    zeros = {"events_1": [0], "n_1": [BILLION], "events_2": [0], "n_2": [10]}
    sizes = effect_size("OR", zeros)
    half = mpf(1) / 2
    y = mpmath.log(half / (BILLION + half)) - mpmath.log(half / (10 + half))
    assert near(sizes.y[0], y)
    assert "no events in either group" in " ".join(sizes.notes)
    with pytest.raises(InputError, match="let zero cells be corrected"):
        effect_size("OR", zeros, to="none")


@pytest.mark.parametrize("time", [1e-6, 1.0, 1e9])
def test_rates(time):
    sizes = effect_size("IRLN", {"events": [1, 3, BILLION], "time": [time] * 3})
    for i, events in enumerate((1, 3, BILLION)):
        assert abs(float(sizes.y[i]) - mpmath.log(mpf(events) / mpf(time))) < 1e-13 * 50
        assert near(sizes.v[i], 1 / mpf(events))
    pair = effect_size(
        "IRR", {"events_1": [1], "time_1": [time], "events_2": [BILLION], "time_2": [1 / time]}
    )
    assert near(pair.y[0], mpmath.log(mpf(1) / mpf(time) / (BILLION / mpf(1 / time))))


@pytest.mark.parametrize("df", [2, 3, 10, 41, 42, 100, 10**4, 10**6, 10**9, 10**12])
def test_hedges_correction_is_exact(df):
    m = mpf(df)
    true = mpmath.gamma(m / 2) / mpmath.gamma((m - 1) / 2) if df < 10**5 else None
    if true is None:
        true = mpmath.exp(mpmath.loggamma(m / 2) - mpmath.loggamma((m - 1) / 2))
    true /= mpmath.sqrt(m / 2)
    assert near(hedges_j(np.array([float(df)]))[0], true, 1e-14)


@pytest.mark.parametrize("r", [0.0, 0.9, 1 - 1e-6, 1 - 1e-12, -1.0])
def test_standardised_change_where_values_hardly_differ(r):
    row = {"mean_pre": 8.2, "mean_post": 3.1, "sd_pre": 1.2, "sd_post": 1.2, "n": 30, "r": r}
    sizes = effect_size("SMCC", {name: [value] for name, value in row.items()})
    sd = mpmath.sqrt(2 * mpf(1.2) ** 2 * (1 - mpf(r)))
    m = mpf(29)
    j = mpmath.gamma(m / 2) / mpmath.gamma((m - 1) / 2) / mpmath.sqrt(m / 2)
    g = j * (mpf(8.2) - mpf(3.1)) / sd
    assert near(sizes.y[0], g)
    assert near(sizes.v[0], 1 / mpf(30) + g**2 / 60)


def test_a_correlation_of_one_is_refused_where_nothing_varies():
    row = {"mean_pre": 8.0, "mean_post": 3.0, "sd_pre": 1.2, "sd_post": 1.2, "n": 30, "r": 1.0}
    with pytest.raises(InputError, match="expected a finite y and v > 0"):
        effect_size("SMCC", {name: [value] for name, value in row.items()})
    with pytest.raises(InputError, match="expected a finite y and v > 0"):
        effect_size("MC", {name: [value] for name, value in row.items()})


def test_means_that_share_their_first_digits():
    """A difference in the ninth digit, with an sd of as little."""
    row = {"mean_1": 1e8 + 1.5, "sd_1": 1e-3, "n_1": 3, "mean_2": 1e8, "sd_2": 2e-3, "n_2": 10**6}
    sizes = effect_size("MD", {name: [value] for name, value in row.items()})
    assert sizes.y[0] == 1.5
    assert near(sizes.v[0], mpf(1e-3) ** 2 / 3 + mpf(2e-3) ** 2 / 10**6)


def test_back_transforms_far_out():
    shares, rates = natural_scale("PLO"), natural_scale("IRLN", per=100)
    for theta in (-800.0, -745.0, -30.0, 0.0, 30.0, 800.0):
        true = 1 / (1 + mpmath.exp(-mpf(theta)))
        assert abs(mpf(float(shares.natural(theta))) - true) <= mpf(1e-14) * true + mpf(5e-324)
    assert shares.natural(800.0) == 1.0
    assert shares.natural(-800.0) == 0.0
    np.testing.assert_array_equal(shares.model([0.0, 1.0]), [-np.inf, np.inf])
    assert rates.natural(-800.0) == 0.0
    for p in (1e-300, 1e-9, 0.5):
        assert near(shares.natural(shares.model(p)), mpf(p), 1e-12)
