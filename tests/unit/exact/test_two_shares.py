"""Two independent shares: against sums over a grid, symmetry, and a case in closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.exact.two_shares import TwoShares


def test_uniform_priors_without_data_but_one_case_each():
    """One success of one against none of one: densities 2x and 2(1 - y), so P(x <= y) = 1/6."""
    shares = TwoShares(1, 1, 0, 1, a=1.0)
    assert shares.cdf(0.0) == pytest.approx(1 / 6, abs=1e-9)
    assert shares.mean == pytest.approx(1 / 3, abs=1e-12)


@pytest.mark.parametrize("a", [0.5, 1.0])
@pytest.mark.parametrize("counts", [(0, 32, 6, 65), (4, 19, 5, 18), (0, 22, 0, 26), (9, 9, 1, 12)])
def test_against_a_sum_over_the_second_share(counts, a):
    """By the midpoint rule in the angle whose squared sine is p_2, where its density has no pole."""
    y1, n1, y2, n2 = counts
    step = np.pi / 2 / 40_000
    angle = (np.arange(40_000) + 0.5) * step
    second = np.sin(angle) ** 2
    mass = stats.beta.pdf(second, y2 + a, n2 - y2 + a) * np.sin(2 * angle) * step
    shares = TwoShares(*counts, a=a)
    for d in (-0.3, -0.05, 0.0, 0.02, 0.4):
        expected = mass @ stats.beta.cdf(second + d, y1 + a, n1 - y1 + a)
        assert shares.cdf(d) == pytest.approx(expected, abs=1e-6)
    assert shares.cdf(-1.0) == pytest.approx(0.0, abs=1e-12)
    assert shares.cdf(1.0) == pytest.approx(1.0, abs=1e-12)


@given(n=st.integers(1, 200), m=st.integers(1, 200), x=st.integers(0, 200), y=st.integers(0, 200))
def test_the_arms_mirror_each_other(n, m, x, y):
    x, y = min(x, n), min(y, m)
    shares, mirrored = TwoShares(x, n, y, m), TwoShares(y, m, x, n)
    for d in (-0.2, 0.0, 0.1):
        assert shares.cdf(d) == pytest.approx(1 - mirrored.cdf(-d), abs=1e-7)
    assert shares.mean == pytest.approx(-mirrored.mean, abs=1e-12)


def test_the_interval_holds_what_it_says():
    shares = TwoShares(0, 32, 6, 65)
    low, high = shares.interval(0.9)
    assert shares.cdf(high) - shares.cdf(low) == pytest.approx(0.9, abs=1e-7)


@pytest.mark.parametrize(("counts", "a"), [((3, 2, 0, 1), 1.0), ((0, 0, 0, 1), 1.0), ((0, 1, 0, 1), 0.0)])
def test_impossible_counts_are_refused(counts, a):
    with pytest.raises(InputError, match="expected"):
        TwoShares(*counts, a=a)


@pytest.mark.parametrize("q", [0.025, 0.5, 0.9])
def test_the_share_in_each_arm_is_a_beta(q):
    shares = TwoShares(3, 10, 1, 30, a=0.5)
    assert shares.share(1, q) == pytest.approx(stats.beta.ppf(q, 3.5, 7.5), rel=1e-10)
    assert shares.share(2, q) == pytest.approx(stats.beta.ppf(q, 1.5, 29.5), rel=1e-10)
