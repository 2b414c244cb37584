"""GRIM, GRIMMER, DEBIT and percentages: against every sample there is, and against published examples."""

from collections import defaultdict
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.audit import debit, grim, grimmer, percentage, possible_events, possible_n
from kyphobayes.audit.rounding import rounded
from kyphobayes.audit.whole_samples import attainable, squares_between
from kyphobayes.errors import InputError

UNIT = Decimal("0.01")


def prints(value, root=False):
    """Both ways in which a value prints with two decimals."""
    with localcontext() as context:
        context.prec = 60
        number = Decimal(value.numerator) / Decimal(value.denominator)
        number = number.sqrt() if root else number
        return {str(number.quantize(UNIT, how)) for how in (ROUND_HALF_UP, ROUND_HALF_DOWN)}


def variance(sample, ddof=1):
    n, total = len(sample), sum(sample)
    return (sum(x * x for x in sample) - Fraction(total**2, n)) / (n - ddof)


def summaries(n, low, high, ddof=1, items=1):
    """SDs by mean, as printed, of every sample of n whole numbers."""
    found = defaultdict(set)
    for sample in combinations_with_replacement(range(low * items, high * items + 1), n):
        for mean in prints(Fraction(sum(sample), n * items)):
            found[mean] |= prints(variance(sample, ddof) / items**2, root=True)
    return found


def grid(low, high):
    return [f"{i / 100:.2f}" for i in range(100 * low, 100 * high + 1)]


@pytest.mark.parametrize(("n", "items"), [(3, 1), (7, 1), (4, 3)])
def test_grim_accepts_exactly_the_means_that_samples_have(n, items):
    possible = {text for total in range(4 * n * items + 1) for text in prints(Fraction(total, n * items))}
    accepted = {mean for mean in grid(0, 4) if grim(mean, n, items=items).passed}
    assert accepted == possible


@pytest.mark.parametrize(
    ("mean", "n", "holds"),
    [
        ("3.48", 20, False),  # of 20 throws of a die
        ("5.93", 49, False),  # The Economist, 18 June 2016: 5.93 × 49 = 290.57
        ("3.45", 10, False),  # Allard 2018: 34.5 is not whole
        ("1.125", 8, True),
        ("1.12", 8, True),  # 9/8 is a tie: it rounds to 1.12 or 1.13
        ("1.13", 8, True),
        ("-3.45", 20, True),
    ],
)
def test_grim_by_hand(mean, n, holds):
    assert grim(mean, n).passed is holds


def test_grim_shows_its_arithmetic():
    assert grim("5.93", 49).arithmetic == (
        "5.93 × 49 = 290.57; 290/49 = 5.918 and 291/49 = 5.939; neither prints as 5.93"
    )
    assert "above the scale" in grim("10.50", 2, high=10).arithmetic
    assert "below the scale" in grim("0.50", 2, low=1, high=7).arithmetic


@pytest.mark.parametrize(
    ("rounding", "mean", "holds"),
    [
        ("half_up", "1.13", True), ("half_up", "1.12", False),
        ("half_even", "1.12", True), ("half_even", "1.13", False),
        ("truncated", "1.12", True), ("truncated", "1.13", False),
        ("any", "1.12", True), ("any", "1.13", True),
    ],
)  # fmt: skip
def test_a_tie_depends_on_the_convention(rounding, mean, holds):
    assert grim(mean, 8, rounding=rounding).passed is holds  # 9/8 = 1.125


@pytest.mark.parametrize(
    ("text", "rounding"), [("-1.13", "half_up"), ("-1.12", "truncated"), ("0", "half_even")]
)
def test_rounding_is_symmetric(text, rounding):
    value = Fraction(-9, 8)
    figure, mirror = rounded(text, rounding), rounded(text.replace("-", ""), rounding)
    assert figure.holds(value) == mirror.holds(-value)
    assert (figure.low, figure.high) == (-mirror.high, -mirror.low)


@pytest.mark.parametrize(
    ("n", "low", "high", "ddof"), [(2, 0, 6, 1), (4, 0, 5, 1), (5, 1, 4, 0), (3, -2, 2, 1)]
)
def test_grimmer_with_a_scale_accepts_exactly_what_samples_have(n, low, high, ddof):
    for mean, possible in summaries(n, low, high, ddof).items():
        accepted = {sd for sd in grid(0, 5) if grimmer(mean, sd, n, low=low, high=high, ddof=ddof).passed}
        assert accepted == possible, mean


def test_grimmer_with_items_accepts_exactly_what_samples_have():
    for mean, possible in summaries(3, 0, 2, items=2).items():
        accepted = {sd for sd in grid(0, 2) if grimmer(mean, sd, 3, items=2, low=0, high=2).passed}
        assert accepted == possible, mean


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=12), st.integers(1, 3))
def test_no_real_sample_is_accused(sample, items):
    n = len(sample)
    for mean in prints(Fraction(sum(sample), n * items)):
        assert grim(mean, n, items=items).passed
        for sd in prints(variance(sample) / items**2, root=True):
            assert grimmer(mean, sd, n, items=items).passed


def test_grimmer_needs_squares_as_odd_as_the_total():
    # 18 numbers with total 62: squares 316 and 318 give SD 2.455 and 2.479; 317 would give 2.47, and is odd.
    found = grimmer("3.44", "2.47", 18)
    assert not found.passed
    assert "squares 318: SD 2.479" in found.arithmetic and "squares 316: SD 2.455" in found.arithmetic
    assert grimmer("3.44", "2.48", 18).passed


def test_too_few_digits_for_so_many_people_accuse_nobody():
    found = grimmer("3", "1", 100_000)
    assert found.passed and "fits 100001 totals; more digits are needed" in found.arithmetic


def test_grimmer_says_when_the_mean_fails_already():
    assert "the mean fails already" in grimmer("1.92", "2.90", 16).arithmetic


@pytest.mark.parametrize(("n", "low", "high"), [(3, 0, 4), (5, -1, 2)])
def test_sums_of_squares_are_those_of_samples(n, low, high):
    real = defaultdict(set)
    for sample in combinations_with_replacement(range(low, high + 1), n):
        real[sum(sample)].add(sum(x * x for x in sample))
    for total, squares in real.items():
        assert squares_between(total, n, low, high) == (min(squares), max(squares))
        found = {q for q in range(n * 16 + 1) if attainable(total, q, n, low, high)}
        assert found == squares


@pytest.mark.parametrize("n", [5, 8])
def test_debit_accepts_exactly_what_zeros_and_ones_have(n):
    possible = summaries(n, 0, 1)
    for mean in grid(0, 1):
        accepted = {sd for sd in grid(0, 1) if debit(mean, sd, n).passed}
        assert accepted == possible.get(mean, set()), mean


def test_debit_shows_its_arithmetic():
    assert debit("0.25", "0.50", 4).arithmetic == "1 of 4: SD 0.500 prints as 0.50"  # sqrt(1 × 3/(4 × 3))
    assert debit("0.25", "0.43", 4, ddof=0).passed  # sqrt(0.25 × 0.75)
    assert debit("0.25", "0.43", 4).arithmetic == "1 of 4: SD 0.500, printed 0.43"


@pytest.mark.parametrize("n", [3, 35, 65])
def test_percentages_are_those_of_whole_numbers(n):
    real = {f"{Fraction(1000 * x, n * 10):.1f}" for x in range(n + 1)}
    texts = [f"{i / 10:.1f}" for i in range(1001)]
    assert real <= {text for text in texts if percentage(text, n).passed}
    for text in texts:
        shares = [abs(Fraction(100 * x, n) - Fraction(text)) for x in range(n + 1)]
        assert percentage(text, n).passed == (min(shares) <= Fraction(1, 20))
        assert list(possible_events(text, n)) == [x for x, s in enumerate(shares) if s <= Fraction(1, 20)]


def test_the_papers_percentages():
    assert not percentage("67", 35, events=24).passed
    assert possible_n("67", 60, events=24) == [36]
    assert percentage("7.9", 65).arithmetic == (
        "5/65 = 7.692 % and 6/65 = 9.231 %; no whole number of 65 is 7.9 %"
    )
    assert possible_n("7.9", 65) == [38, 63]
    assert not percentage("10", 4, events=5).passed


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: grim(3.5, 20), "a float has lost its last zeros"),
        (lambda: grim("3,45", 20), "decimal point, found '3,45'"),
        (lambda: grim("3.45", 0), "n: expected a whole number from 1"),
        (lambda: grim("3.45", 20, items=0), "items: expected a whole number"),
        (lambda: grim("3.45", 20, low=7, high=1), "expected low < high"),
        (lambda: grim("3.45", 20, rounding="up"), "rounding: expected one of"),
        (lambda: grim("nan", 20), "found 'nan'"),
        (lambda: grim("1e999999", 20), "expected a number"),
        (lambda: grimmer("3.45", "1", 1), "n: expected a whole number from 2"),
        (lambda: grimmer("3.45", "-1", 20), "sd: expected a number of at least 0"),
        (lambda: debit("1.2", "0.1", 5), "a share between 0 and 1"),
        (lambda: percentage("101", 5), "from 0 to 100"),
        (lambda: possible_n("7", 10**6), "up to 100000"),
    ],
)
def test_what_cannot_be_used_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
