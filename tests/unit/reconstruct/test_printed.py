"""What prints as a figure, under each convention; and what an entry may not say."""

from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kyphobayes.errors import EvidenceError
from kyphobayes.reconstruct.printed import QUANTITIES, read_printed

STUDIES = ("a", "b")


def read(quantity="rate", value="12", **more):
    unit = {"I2": "percent", "rate": "percent", "ci_low": "percent", "ci_high": "percent"}.get(quantity, "")
    row = {"quantity": quantity, "value": value, "unit": unit, "words": "w", "locator": "l"} | more
    return read_printed("x.toml [[printed]] 1", row, STUDIES)


@pytest.mark.parametrize(
    ("value", "more", "ends", "open_ends"),
    [
        ("12", {}, (0.115, 0.125), (False, False)),
        ("12", {"rounding": "half up"}, (0.115, 0.125), (False, True)),
        ("12", {"rounding": "truncated"}, (0.12, 0.13), (False, True)),
        ("12", {"rounding": "approximate"}, (0.11, 0.13), (False, False)),
        ("12", {"rounding": "approximate", "within": 2.5}, (0.095, 0.145), (False, False)),
        ("12.0", {"rounding": "truncated"}, (0.12, 0.121), (False, True)),
        ("12", {"relation": "at least"}, (0.115, inf), (False, False)),
        ("12", {"relation": "at most"}, (-inf, 0.125), (False, False)),
        ("12", {"relation": "above"}, (0.12, inf), (True, False)),
        ("12", {"relation": "below"}, (-inf, 0.12), (False, True)),
        ("0.12", {"unit": "proportion"}, (0.115, 0.125), (False, False)),
    ],
)
def test_values_that_print_like_this(value, more, ends, open_ends):
    figure = read(value=value, **more)
    assert figure.ends == pytest.approx(ends, rel=1e-12)
    assert (figure.low_open, figure.high_open) == open_ends
    assert figure.value == value


def test_none_is_zero_events_and_a_minus_sign_is_a_minus_sign():
    assert read("events", "none").ends == (-0.5, 0.5)
    assert read("ci_low", "\N{MINUS SIGN}1.2").ends == pytest.approx((-0.0125, -0.0115))


@given(value=st.decimals(0, 100, places=3), digits=st.integers(0, 3), way=st.sampled_from(["cut", "half up"]))
def test_what_is_rounded_in_a_known_way_lies_within(value, digits, way):
    """Rounding done on decimals, exactly, by the standard library."""
    from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

    rounding = ROUND_DOWN if way == "cut" else ROUND_HALF_UP
    text = str(value.quantize(Decimal(1).scaleb(-digits), rounding=rounding))
    assume("E" not in text)
    figure = read("I2", text, rounding="truncated" if way == "cut" else way)
    low, high = figure.inner
    assert low <= float(value) <= high
    beyond = float(Decimal(text) + Decimal(1).scaleb(-digits) * (1 if way == "cut" else Decimal("0.5")))
    assert not low <= beyond <= high


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"quantity": "events", "value": "3.5"}, "whole number of events"),
        ({"quantity": "studies_without_events", "value": "1.5"}, "whole number of studies"),
        ({"value": "-3"}, "a number as printed"),
        ({"value": "sNaN"}, "a number as printed"),
        ({"value": "1e400"}, "a number as printed"),
        ({"value": "1e-40"}, "a number as printed"),
        ({"unit": "share"}, "'percent' or 'proportion' for rate, found 'share'"),
        ({"quantity": "tau2", "unit": "percent"}, "unit '' for tau2"),
        ({"quantity": "rates"}, "one of events, pooled, I2"),
        ({"relation": "about"}, "relation to be one of is, at least"),
        ({"rounding": "up"}, "rounding to be one of nearest"),
        ({"within": 2}, "within belongs to"),
        ({"rounding": "approximate", "within": -1}, "within to be 0 or more"),
        ({"relation": "above", "rounding": "truncated"}, "compares with the number itself"),
        ({"studies": ["a", "a"]}, "each study once"),
        ({"studies": ["c"]}, "'c' is not one of"),
        ({"pooling": "DL"}, "pooling has no meaning for rate"),
        ({"level": 90}, "level has no meaning for rate"),
        ({"quantity": "ci_low", "level": 100}, "level between 0 and 100"),
        ({"quantity": "ci_low", "pooling": "XX"}, "pooling to be one of CE"),
        ({"vale": "3"}, "unknown key 'vale'; did you mean 'value'?"),
    ],
)
def test_an_entry_that_does_not_say_what_it_must(row, words):
    with pytest.raises(EvidenceError, match=r"x\.toml \[\[printed\]\] 1: ") as problem:
        read(**row)
    assert words in str(problem.value)


def test_every_quantity_has_a_unit_and_can_be_read():
    for quantity in QUANTITIES:
        unit = {"unit": "percent"} if "rate" in quantity or quantity in ("pooled", "I2") else {}
        assert read(quantity, "1", **unit).quantity == quantity
