"""Intervals around their estimates, and p values against them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kyphobayes.audit import centred, p_against_error, p_against_interval, p_from_interval
from kyphobayes.audit.intervals import read_p
from kyphobayes.errors import InputError

numbers = st.floats(-5, 5).map(lambda x: round(x, 3))
errors = st.floats(0.05, 3)


@pytest.mark.parametrize(
    ("printed", "scale", "verdict"),
    [
        (("3.85", "2.99", "4.71"), "raw", "consistent"),
        (("4.27", "2.38", "6.21"), "raw", "inconsistent"),  # middle 4.295
        (("4.27", "2.38", "6.21"), None, "inconsistent"),  # geometric middle 3.84
        (("-0.69", "-0.20", "-1.16"), "raw", "suspect"),  # in reverse order; -0.68 within rounding
        (("2.0", "1.0", "4.0"), None, "consistent"),  # sqrt(1 × 4) = 2
        (("2.0", "1.0", "4.0"), "raw", "inconsistent"),
        (("0.24", "0.11", "0.44"), "logit", "consistent"),
        (("0.24", "0.11", "0.44"), "raw", "inconsistent"),
        (("5", "6", "8"), None, "inconsistent"),
    ],
)
def test_an_interval_lies_around_its_estimate(printed, scale, verdict):
    assert centred(*printed, scale=scale).verdict == verdict


@given(numbers, errors, st.booleans(), st.booleans())
def test_no_real_interval_is_accused(y, se, ratio, backwards):
    back = np.exp if ratio else lambda x: x
    ends = [f"{back(y + sign * 1.959964 * se):.3f}" for sign in (-1, 1)]
    if backwards:
        ends.reverse()
    estimate = f"{back(y):.3f}"
    p = 2 * stats.norm.sf(abs(y) / se)
    if ratio and min(map(float, [*ends, estimate])) < 0.001:
        return
    assert centred(estimate, *ends, scale="log" if ratio else "raw").passed
    if ends[0] != ends[1]:
        assert p_against_interval(estimate, *ends, f"= {p:.4f}", ratio=ratio).passed


@given(numbers, errors, st.integers(3, 40))
def test_no_real_t_test_is_accused(y, se, n):
    df = n - 1
    half = stats.t.ppf(0.975, df) * se
    p = 2 * stats.t.sf(abs(y) / se, df)
    printed = f"{y:.4f}", f"{y - half:.4f}", f"{y + half:.4f}"
    assert p_against_interval(*printed, f"{p:.5f}", df=df).passed
    assert p_against_error(f"{y:.4f}", f"{se:.4f}", f"{p:.5f}", df=df).passed


def test_p_from_an_interval_by_hand():
    # SE = 0.96/3.919928 = 0.2449, z = 2.817 (Altman and Bland 2011 do the same sum).
    at, least, most = p_from_interval("-0.69", "-1.16", "-0.20")
    assert at == pytest.approx(2 * stats.norm.sf(0.69 / (0.96 / (2 * 1.959964))), rel=1e-6)
    assert least < at < most
    assert not p_against_interval("-0.69", "-0.20", "-1.16", "= .001").passed
    assert p_against_interval("-0.69", "-0.20", "-1.16", "= .005").passed
    assert p_against_interval("3.85", "2.99", "4.71", "< .001").passed
    assert not p_against_interval("0.15", "-0.16", "0.45", "< .05").passed
    assert p_against_interval("0.15", "-0.16", "0.45", "> .05").passed


def test_p_from_an_error_by_hand():
    assert p_against_error("1.00", "0.510", "0.05").passed  # z = 1.96
    assert "z = 1.00/0.510 = 1.961" in p_against_error("1.00", "0.510", "0.05").arithmetic
    assert not p_against_error("1.00", "0.510", "0.01").passed
    assert p_against_error("0.00", "0.510", "1").passed


@pytest.mark.parametrize(
    ("text", "sign"),
    [("< .001", "<"), ("0.03", "="), ("p=.03", "="), ("P < 0.05", "<"), ("≤ .01", "<"), ("> .9", ">")],
)
def test_p_values_are_read_as_printed(text, sign):
    assert read_p(text).sign == sign


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: read_p("n.s."), "found 'n.s.'"),
        (lambda: read_p("1.2"), "expected a probability"),
        (lambda: read_p("0,03"), "decimal point"),
        (lambda: p_from_interval("1", "2", "2"), "two limits"),
        (lambda: p_from_interval("1", "-1", "2", ratio=True), "ratios greater than 0"),
        (lambda: p_from_interval("1", "0", "2", level=95), "between 0 and 1"),
        (lambda: p_against_error("1", "0", "0.5"), "greater than 0"),
        (lambda: centred("1", "0", "2", scale="cube"), "expected one of raw"),
        (lambda: centred("1", "-1", "3", scale="log"), "log scale does not hold"),
    ],
)
def test_what_cannot_be_used_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
