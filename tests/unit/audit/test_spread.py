"""Standard deviations against every sample there is; standard errors printed as deviations."""

import math
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.audit import possible_sd, sd_on_scale, se_or_sd
from kyphobayes.errors import InputError


def deviations(n, low, high, attained):
    """SDs by total of every sample of whole numbers."""
    found = {}
    for sample in combinations_with_replacement(range(low, high + 1), n):
        if attained and (sample[0], sample[-1]) != (low, high):
            continue
        found.setdefault(sum(sample), []).append(np.std(sample, ddof=1))
    return found


@pytest.mark.parametrize(("n", "low", "high"), [(2, 0, 3), (4, 0, 5), (5, 1, 4)])
@pytest.mark.parametrize("attained", [False, True])
def test_bounds_of_whole_numbers_are_those_of_all_samples(n, low, high, attained):
    for total, sds in deviations(n, low, high, attained).items():
        mean = f"{total / n:.6f}"
        found = possible_sd(mean, n, low, high, items=1, attained=attained)
        assert found.least == pytest.approx(min(sds), abs=1e-9)
        assert found.greatest == pytest.approx(max(sds), abs=1e-9)
        assert found.exact


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=15).filter(lambda x: min(x) < max(x)),
    st.booleans(),
)
def test_no_real_sample_has_an_impossible_sd(values, attained):
    low, high = (min(values), max(values)) if attained else (0, 1000)
    mean = f"{Fraction(sum(values), len(values)).__float__():.3f}"
    sd = f"{np.std(values, ddof=1):.3f}"
    assert sd_on_scale(mean, sd, len(values), low, high, attained=attained).passed
    assert sd_on_scale(mean, sd, len(values), low, high, items=1, attained=attained).passed


def test_observed_ends_are_rounded_too():
    # 0.4 and 9.6 print as 0 and 10: two values then have an SD of 9.2/sqrt(2); whole numbers do not.
    assert sd_on_scale("5.0", "6.51", 2, 0, 10, attained=True).passed
    assert not sd_on_scale("5.0", "6.51", 2, 0, 10, items=1, attained=True).passed
    assert not sd_on_scale("5.0", "6.30", 2, 0, 10, attained=True).passed


def test_bounds_by_hand():
    # Four values from 0 to 10 with mean 5: at most two at each end, sqrt(100/3).
    assert possible_sd("5", 4, 0, 10).greatest == pytest.approx(math.sqrt(100 / 3))
    # With a least value of 0 and a greatest of 10, the others alike: (25 + 25)/3.
    assert possible_sd("5.00", 4, "0.000", "10.000", attained=True).least == pytest.approx(
        math.sqrt(50 / 3), abs=1e-3
    )
    assert possible_sd("5.0", 2, 0, 10, items=1, attained=True).least == pytest.approx(math.sqrt(50))


def test_an_impossible_sd_shows_whether_it_is_a_standard_error():
    found = sd_on_scale("3.45", "0.3", 20, 0, 9, attained=True)
    assert found.verdict == "inconsistent"
    whole = sd_on_scale("3.45", "0.45", 20, 0, 9, items=1, attained=True)
    assert "as a standard error it would be an SD of 0.45 × √20 = 2.012" in whole.arithmetic
    assert not sd_on_scale("12.0", "1", 20, 0, 10).passed
    assert not sd_on_scale("9.90", "3.0", 20, 0, 10).passed  # so near to the end that SD is at most 1.02


def test_a_standard_error_is_the_sd_over_root_n():
    assert se_or_sd("2.0", 16, se="0.5").passed
    assert se_or_sd("2.0", 16, se="0.5").arithmetic == "2.0/√16 = 0.50, printed SE 0.5"
    assert not se_or_sd("2.0", 16, se="0.7").passed


def test_a_small_sd_beside_a_wide_range():
    # 100 values over 10 points: SD at least 10/sqrt(198) = 0.711, SE at most 10/(2 sqrt(99)) = 0.503.
    wide = {"smallest": 0, "greatest": 10}
    assert se_or_sd("0.72", 100, **wide).passed
    assert se_or_sd("2.1", 100, **wide).passed
    small, odd = se_or_sd("0.2", 100, **wide), se_or_sd("0.55", 100, **wide)
    assert (
        not small.passed
        and "can be a standard error, which is at most 10/(2·√99) = 0.503" in small.arithmetic
    )
    assert not odd.passed and "standard error" not in odd.arithmetic


@given(st.lists(st.integers(0, 100), min_size=2, max_size=30).filter(lambda x: min(x) < max(x)))
def test_a_standard_error_beside_a_range_is_always_told(values):
    n, sd = len(values), float(np.std(values, ddof=1))
    wide = {"smallest": min(values), "greatest": max(values)}
    assert se_or_sd(f"{sd:.6f}", n, **wide).passed
    if n > 2:  # of two values R/sqrt(2) is the SD and R/2 the standard error
        found = se_or_sd(f"{sd / n**0.5:.6f}", n, **wide)
        assert not found.passed and "standard error" in found.arithmetic


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: possible_sd("5", 4, 10, 0), "expected low < high"),
        (lambda: possible_sd("11", 4, 0, 10), "outside 0 to 10"),
        (lambda: possible_sd("3.37", 4, 0, 10, items=1), "not the mean of 4 values"),
        (lambda: possible_sd("3", 4, "0.5", 10, items=1), "ends that whole-numbered items can have"),
        (lambda: possible_sd("5", 1, 0, 10), "n: expected a whole number from 2"),
        (lambda: se_or_sd("1", 5), "found neither"),
        (lambda: se_or_sd("1", 5, smallest=3, greatest=3), "expected a range"),
    ],
)
def test_what_cannot_be_used_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
