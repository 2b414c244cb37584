"""Readers of users' tables meet anything: an answer, or one sentence."""

import io

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyphobayes.errors import InputError
from kyphobayes.own_data import read_own_data
from kyphobayes.own_data.cells import number, parse

WORDS = "study author year events n xi ni yi vi sei ai bi ci di n1i n2i OR lower upper time mean sd r % A"
PHRASES = (
    "",
    "Total",
    "mean pre",
    "mean post",
    "sd pre",
    "sd post",
    "95% CI lower",
    "Drug Events",
    "Drug Total",
)
HEADS = st.sampled_from([*WORDS.split(), *PHRASES])
ODD = """0/32 | 5/35 (14%) | 3,4 (1,2) | 1.20 [0.8; 1.7] | 12,5 % | 1,234 | 1.234 | 5* | −3 | NR | | –
| 05-Mar | =1+1 | <script> | 1e309 | Total | 0,5 | 0.5 | Smith 2004 | 1 234 | #DIV/0! | ٣"""
CELLS = st.one_of(
    st.text(max_size=12),
    st.integers(-5, 3000).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.sampled_from([cell.strip() for cell in ODD.split("|")]),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "measure": st.sampled_from(["OR", "RR", "SMD", "MD", "HR", "MC", "GEN", "x"]),
        "scale": st.sampled_from(["log", "natural", "x"]),
        "decimal": st.sampled_from(["point", "comma"]),
        "drop_missing": st.booleans(),
        "correlation": st.floats(-2, 2),
        "per": st.floats(-1, 1000),
    },
)
COLUMNS = st.dictionaries(
    st.sampled_from(["events", "n", "study", "y", "se", "by", "time"]), HEADS, max_size=3
)


def answered(source, columns=None, **options):
    """Read; a right answer has finite numbers and as many names."""
    try:
        found = read_own_data(source, columns, **options)
    except InputError as problem:
        assert str(problem) and "\n" not in str(problem)
        return
    view = found.evidence
    assert len(set(view.labels)) == view.k == len(view.rows) > 0
    if hasattr(view, "n"):
        assert np.all((view.tables >= 0) & (view.tables <= view.n)) and np.isfinite(view.n).all()
    elif hasattr(view, "exposure"):
        assert np.all(view.exposure > 0) and np.isfinite(view.exposure).all()
    else:
        assert np.isfinite(view.y).all() and np.all(view.se > 0)


@given(st.binary(max_size=400), st.sampled_from([".csv", ".tsv", ".xlsx"]))
@settings(deadline=None, max_examples=150)
def test_any_bytes(tmp_path_factory, data, ending):
    path = tmp_path_factory.mktemp("bytes") / f"mine{ending}"
    path.write_bytes(data)
    answered(path)


@given(
    st.lists(HEADS, min_size=2, max_size=7),
    st.lists(st.lists(CELLS, min_size=2, max_size=8), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    COLUMNS,
    OPTIONS,
)
@settings(deadline=None, max_examples=300)
def test_any_text_table(tmp_path_factory, heads, rows, separator, encoding, columns, options):
    path = tmp_path_factory.mktemp("text") / "mine.csv"
    lines = [separator.join(row) for row in (heads, *rows)]
    path.write_bytes("\n".join(lines).encode(encoding, errors="replace"))
    answered(path, columns, **options)


@given(
    st.dictionaries(
        HEADS, st.lists(CELLS | st.floats() | st.none() | st.booleans(), min_size=3, max_size=3), min_size=2
    ),
    COLUMNS,
    OPTIONS,
)
@settings(deadline=None, max_examples=200)
def test_any_columns(table, columns, options):
    answered(table, columns, **options)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (["study", "events", "n"], ["A", 3, 30], ["B", "0/20", 20]):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


WORKBOOK = workbook()  # once: it holds the time at which it was made


@given(
    st.lists(st.tuples(st.integers(0, len(WORKBOOK) - 1), st.integers(1, 255)), max_size=8),
    st.integers(0, len(WORKBOOK)),
)
@settings(deadline=None, max_examples=60)
def test_any_damage_to_a_workbook(tmp_path_factory, flips, lost):
    content = bytearray(WORKBOOK)
    for place, flip in flips:
        content[place] ^= flip
    path = tmp_path_factory.mktemp("book") / "mine.xlsx"
    path.write_bytes(bytes(content[: len(content) - lost // 4]))
    answered(path)


@given(st.integers(0, 10**9), st.sampled_from(["", " ", "'", "\u202f", ","]))
def test_whole_numbers_with_thousands_are_read_back(value, blank):
    text = f"{value:,}".replace(",", blank)
    parts = parse(text)
    assert parts is not None and number(parts.value, ".") == value


@given(st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 4)))
def test_decimals_are_read_back_with_either_mark(value):
    for mark in ".,":
        parts = parse(f"{value:.4f}".replace(".", mark))
        assert parts is not None and number(parts.value, mark) == pytest.approx(value, abs=1e-9)


@given(st.text(max_size=100))
def test_any_cell_is_taken_apart_or_not(cell):
    parts = parse(cell)
    for text in () if parts is None else parts.numbers:
        for mark in ".,":
            value = number(text, mark)
            assert value is None or isinstance(value, float)
