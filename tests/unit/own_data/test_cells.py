"""What a cell says: numbers, fractions, brackets, intervals, and what is none of these."""

import pytest

from kyphobayes.own_data.cells import COMMA, POINT, advice, is_missing, mark_of, number, parse


def values(cell, mark):
    parts = parse(cell)
    assert parts is not None
    return tuple(number(text, mark) for text in parts.numbers)


@pytest.mark.parametrize(
    ("cell", "mark", "expected"),
    [
        ("12", POINT, (12,)),
        ("12.5 %", POINT, (12.5,)),
        ("12,5 %", COMMA, (12.5,)),
        ("-.5", POINT, (-0.5,)),
        ("5.", POINT, (5,)),
        ("1e-3", POINT, (0.001,)),
        ("\u22120.3", POINT, (-0.3,)),  # a true minus
        ("1 234", POINT, (1234,)),
        ("1\u00a0234,5", COMMA, (1234.5,)),
        ("1\u202f234", POINT, (1234,)),
        ("1'234.5", POINT, (1234.5,)),
        ("1,234,567", POINT, (1234567,)),
        ("1.234.567,8", COMMA, (1234567.8,)),
        ("0/32", POINT, (0, 32)),
        ("5 / 35 (14%)", POINT, (5, 35, 14)),
        ("5/35 (14,3 %)", COMMA, (5, 35, 14.3)),
        ("12 of 30", POINT, (12, 30)),
        ("5 (14%)", POINT, (5, 14)),
        ("3.4 (1.2)", POINT, (3.4, 1.2)),
        ("3,4 (1,2)", COMMA, (3.4, 1.2)),
        ("3.4 ± 1.2", POINT, (3.4, 1.2)),
        ("12.3 (SD 4.5)", POINT, (12.3, 4.5)),
        ("1.20 [0.8; 1.7]", POINT, (1.2, 0.8, 1.7)),
        ("1,20 [0,8; 1,7]", COMMA, (1.2, 0.8, 1.7)),
        ("1.20 (0.8-1.7)", POINT, (1.2, 0.8, 1.7)),
        ("0.45 (95% CI: 0.30–0.80)", POINT, (0.45, 0.3, 0.8)),
        ("1.2 (95%-CI -0.8 to 1.7)", POINT, (1.2, -0.8, 1.7)),
        ("-0.5 (-0.9--0.1)", POINT, (-0.5, -0.9, -0.1)),
        ("−0.3 (−0.8; 0.1)", POINT, (-0.3, -0.8, 0.1)),
        ("0.5 (0.3, 0.9)", POINT, (0.5, 0.3, 0.9)),
        ("0.5 (0.3,0.9)", POINT, (0.5, 0.3, 0.9)),
        ("5*", POINT, (5,)),
        ("5/35†", POINT, (5, 35)),
        ("'0/32", POINT, (0, 32)),
    ],
)  # fmt: skip
def test_a_cell_is_taken_apart(cell, mark, expected):
    assert values(cell, mark) == pytest.approx(expected)


@pytest.mark.parametrize(
    "cell", ["1-2", "5a", "<5", "2024-03-12", "5 6", "0,5,6 (1)", "1/2/3", "", "12 %%", "x" * 200]
)
def test_what_is_no_number(cell):
    parts = parse(cell)
    assert parts is None or None in [number(text, POINT) for text in parts.numbers]


@pytest.mark.parametrize(
    ("text", "mark"),
    [("12", ""), ("1,234", ""), ("1.234", ""), ("0,123", COMMA), ("1,5", COMMA), ("1234,567", COMMA),
     ("1.5", POINT), ("1,234.5", POINT), ("1.234,5", COMMA), ("1,234,567", POINT),
     ("1.234.567", COMMA), ("-0.123", POINT)],
)  # fmt: skip
def test_the_decimal_mark_that_a_number_shows(text, mark):
    assert mark_of(text) == mark


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "NR", "–", "not reported", " ", "\u00a0", "NaN", "."])
def test_cells_that_say_nothing_is_known(cell):
    assert is_missing(cell)


@pytest.mark.parametrize("cell", ["0", "-1", "no", "5"])
def test_cells_that_say_something(cell):
    assert not is_missing(cell)


@pytest.mark.parametrize(
    ("cell", "word"),
    [("05-Mar", "a day"), ("3. Mai 2024", "a day"), ("<5", "a bound"), ("#DIV/0!", "could not compute"),
     ("inf", "infinite"), ("=A1+B1", "not stored"), ("five", "")],
)  # fmt: skip
def test_advice_says_why(cell, word):
    assert word in advice(cell) and bool(advice(cell)) == bool(word)
