"""Reading a printed line: digits, scales, order, and what is said of it."""

import math

import pytest
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.reconstruct.printed_line import read_line


def test_digits_are_half_a_unit_on_either_side():
    line = read_line(4, "3.85", ("2.99", "4.71"), "79")
    assert line.estimate == pytest.approx((3.845, 3.855))
    assert line.low == pytest.approx((2.985, 2.995)) and line.high == pytest.approx((4.705, 4.715))
    assert line.i2 == pytest.approx((0.785, 0.795))
    assert line.centred and line.assumptions == ()
    assert line.se == pytest.approx(1.72 / 2 / 1.959964, rel=1e-6)


def test_text_keeps_its_zeros_and_numbers_have_what_python_shows():
    assert read_line(3, "0.50", ("0.30", "0.70"), "0").estimate == pytest.approx((0.495, 0.505))
    assert read_line(3, 0.5, (0.3, 0.7), 0).estimate == pytest.approx((0.45, 0.55))


def test_signs_spaces_and_percent_are_read():
    line = read_line(3, "\u22122.0", ("- 3.0", "-1.0"), "38 %")
    assert line.estimate == pytest.approx((-2.05, -1.95)) and line.low == pytest.approx((-3.05, -2.95))


def test_reversed_ends_are_put_in_order_and_told():
    line = read_line(4, "-28.78", ("-11.5", "-46.0"), "99")
    assert line.low == pytest.approx((-46.05, -45.95)) and line.high == pytest.approx((-11.55, -11.45))
    assert line.centred and "-11.5 and -46.0; they were put in order" in line.assumptions[0]


def test_an_estimate_off_the_middle_is_told():
    line = read_line(3, "4.27", ("2.38", "6.21"), "93")  # the middle is 4.295
    assert not line.centred and "not in the middle of 2.38 to 6.21" in line.assumptions[0]


def test_zero_i2_begins_at_zero_and_hundred_is_cut_off():
    assert read_line(3, "1", ("0", "2"), "0").i2 == pytest.approx((0.0, 0.005))
    line = read_line(3, "1", ("0", "2"), "100")
    assert line.i2 == pytest.approx((0.9945, 0.9995)) and "at most 99.95 %" in line.assumptions[0]


@pytest.mark.parametrize(
    ("i2", "said"), [(None, "No I² is printed"), ("0.79", "read as 0.79 %, not as a share")]
)
def test_what_i2_was_taken_for_is_told(i2, said):
    assert said in read_line(3, "1", ("0", "2"), i2).assumptions[0]


def test_ratios_are_logged_and_shares_taken_to_log_odds():
    line = read_line(5, "0.70", ("0.52", "0.94"), "30", measure="OR")
    assert line.scale == "log" and line.estimate == pytest.approx((math.log(0.695), math.log(0.705)))
    share = read_line(5, "20 %", ("10 %", "36 %"), "30", measure="PLO")
    assert share.scale == "logit" and share.estimate[0] == pytest.approx(math.log(0.195 / 0.805))
    assert read_line(5, "0.70", ("0.52", "0.94"), "30").scale == "identity"


def test_student_intervals_have_k_minus_1_degrees_of_freedom():
    assert read_line(4, "1", ("0", "2"), "0", test="hksj").quantile == pytest.approx(stats.t.ppf(0.975, 3))
    assert read_line(4, "1", ("0", "2"), "0", level=0.9).quantile == pytest.approx(1.644854, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((1, "1", ("0", "2"), "0"), {}, "2 or more, found 1"),
        ((2.5, "1", ("0", "2"), "0"), {}, "whole number of studies"),
        ((3, "one", ("0", "2"), "0"), {}, "estimate: expected a number as it is printed, found 'one'"),
        ((3, "nan", ("0", "2"), "0"), {}, "estimate: expected a number"),
        ((3, True, ("0", "2"), "0"), {}, "estimate: expected a number"),
        ((3, "1", ("0", "2", "3"), "0"), {}, "two ends of the interval, found 3"),
        ((3, "1", ("1", "1"), "0"), {}, "some width"),
        ((3, "5", ("0", "2"), "0"), {}, "inside the interval 0 to 2, found 5"),
        ((3, "1", ("0", "2"), "101"), {}, "from 0 to 100, found 101"),
        ((3, "1", ("0", "2"), "-1"), {}, "from 0 to 100"),
        ((3, "1", ("-1", "2"), "0"), {"measure": "RR"}, "a ratio above 0, found -1"),
        ((3, "20", ("10", "30"), "0"), {"measure": "PLO"}, "a share between 0 and 1"),
        ((3, "1", ("0", "2"), "0"), {"level": 1}, "level: expected a number between 0 and 1"),
    ],
)
def test_refuses(arguments, options, said):
    with pytest.raises(InputError, match=said):
        read_line(*arguments, **options)
