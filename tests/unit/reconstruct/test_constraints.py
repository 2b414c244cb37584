"""The rounding of a printed figure: exactly the values that print as it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.reconstruct import Constraints

FILE = """
title = "t"
source = "s"
outcome = "o"
arm = "a"
unit = "u"
studies = ["x", "y"]
[method]
measure = "PR"
pooling = "DL"
zero_cells = 0
why = "w"
[[printed]]
quantity = "{quantity}"
unit = "{unit}"
value = "{value}"
words = "words"
locator = "page"
"""


@pytest.fixture(scope="session")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("constraints") / "some.toml"


def read(path: Path, quantity: str, value: str) -> Constraints:
    unit = "" if quantity == "events" else "percent"
    path.write_text(FILE.format(quantity=quantity, unit=unit, value=value), encoding="utf-8")
    return Constraints.read(path)


@pytest.mark.parametrize(
    ("quantity", "value", "low", "high"),
    [
        ("pooled", "11.2", 0.1115, 0.1125),
        ("pooled", "0.51", 0.00505, 0.00515),
        ("pooled", "6", 0.055, 0.065),
        ("pooled", "10.0", 0.0995, 0.1005),
        ("I2", "84", 83.5, 84.5),
        ("I2", "0", -0.5, 0.5),
        ("events", "41", 40.5, 41.5),
        ("events", "40", 39.5, 40.5),
    ],
)
def test_interval_of_a_printed_figure(quantity, value, low, high, path):
    (figure,) = read(path, quantity, value).printed
    assert figure.low == pytest.approx(low, rel=1e-12)
    assert figure.high == pytest.approx(high, rel=1e-12)
    assert figure.studies == ("x", "y")


@given(share=st.floats(0, 1), digits=st.integers(0, 4))
def test_a_value_lies_in_the_interval_of_what_it_prints_as(share, digits, path):
    (figure,) = read(path, "pooled", f"{100 * share:.{digits}f}").printed
    assert figure.low - 1e-12 <= share <= figure.high + 1e-12
    assert figure.high - figure.low == pytest.approx(10.0 ** -(digits + 2))


def test_what_the_file_says_about_the_paper(path):
    read_back = read(path, "events", "3")
    assert (read_back.measure, read_back.pooling, read_back.zero_cells) == ("PR", "DL", 0.0)
    assert (read_back.title, read_back.source, read_back.outcome) == ("t", "s", "o")
    assert read_back.weights == () and read_back.left_out == ()
