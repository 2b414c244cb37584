"""A user's table: which tests run, what they answer, and what is refused with the place of the cell."""

import pytest

from kyphobayes.audit import lint
from kyphobayes.errors import EvidenceError, InputError

HEAD = "study,n,mean,sd,se,low,high,min,max,items,events,percent,estimate,ci_low,ci_high,p,measure"


@pytest.fixture
def linted(tmp_path):
    def run(text, encoding="utf-8", **options):
        path = tmp_path / "mine.csv"
        path.write_bytes(text.encode(encoding))
        return lint(path, **options)

    return run


def answers(found):
    return {tested.test: tested.verdict for _, _, tested in found.rows}


@pytest.mark.parametrize(
    ("head", "row", "expected"),
    [
        ("n,mean,items", "28,5.19,1", {"GRIM": "inconsistent"}),
        ("n,mean,items", "28,5.18,1", {"GRIM": "consistent"}),
        ("n,mean", "28,5.19", None),
        ("n,mean,sd,items", "18,3.44,2.47,1", {"GRIM": "consistent", "GRIMMER": "inconsistent"}),
        (
            "n,mean,sd,low,high,items", "4,0.25,0.43,0,1,1",
            {"GRIM": "consistent", "GRIMMER": "inconsistent", "DEBIT": "inconsistent",
             "mean in the scale": "consistent", "SD on the scale": "inconsistent"},
        ),
        (
            "n,mean,sd,low,high", "20,9.9,3.0,0,10",
            {"mean in the scale": "consistent", "SD on the scale": "inconsistent"},
        ),
        ("mean,low,high", "12,0,10", {"mean in the scale": "inconsistent"}),
        ("n,sd,min,max", "100,0.2,0,10", {"SD or SE": "inconsistent"}),
        ("n,sd,se", "16,2.0,0.5", {"SD and SE": "consistent"}),
        ("n,events,percent", "35,24,67 %", {"events and n": "consistent", "percentage": "inconsistent"}),
        ("n,percent", "36,67%", {"percentage": "consistent"}),
        ("n,percent", "36.0,67%", {"percentage": "consistent"}),
        ("n,events", "2e1,1e3", {"events and n": "inconsistent"}),
        ("estimate,ci_low,ci_high,measure", "2.0,1.0,4.0,RR", {"CI around the estimate": "consistent"}),
        ("estimate,ci_low,ci_high,measure", "2.0,1.0,4.0,MD", {"CI around the estimate": "inconsistent"}),
        ("estimate,ci_low,ci_high,measure", "0.24,0.11,0.44,PR", {"CI around the estimate": "consistent"}),
        (
            "estimate,ci_low,ci_high,p", "−0.69,−0.20,−1.16,= .001",
            {"CI around the estimate": "suspect", "p against CI": "inconsistent"},
        ),
        ("estimate,se,p", "1.00,0.510,0.05", {"p against SE": "consistent"}),
        ("scale,mean", "VAS 0-10,12", {"mean in the scale": "inconsistent"}),
        ("scale,mean,n,sd", "VAS 0-10 change,-3,9,2", {}),
    ],
)  # fmt: skip
def test_the_cells_of_a_row_choose_its_tests(linted, head, row, expected):
    if expected is None:
        with pytest.raises(EvidenceError, match="expected columns that allow a test"):
            linted(f"{head}\n{row}\n")
        return
    found = linted(f"{head}\n{row}\n")
    assert answers(found) == expected
    assert found.passed == ("inconsistent" not in expected.values())
    assert found.untested == (() if expected else (2,))


def test_a_t_test_of_few_people_is_not_accused(linted):
    # n = 5: half width 2.776 × 1 and p of t = 2 with 4 df; with z the same p would be 0.15.
    head, row = "n,estimate,ci_low,ci_high,se,p", "5,2.000,-0.776,4.776,1.000,0.1161"
    assert linted(f"{head}\n{row}\n").passed


def test_printed_digits_are_kept(linted):
    assert not linted("n,mean,items\n20,3.48,1\n").passed
    assert linted("n,mean,items\n20,3.5,1\n").passed
    assert not linted("n,mean,items\n3,3.50,1\n").passed  # 10/3 = 3.33, 11/3 = 3.67


def test_a_convention_can_be_chosen(linted):
    assert linted("n,mean,items\n8,1.12,1\n").passed  # 9/8 = 1.125
    assert not linted("n,mean,items\n8,1.12,1\n", rounding="half_up").passed
    with pytest.raises(InputError, match="rounding: expected one of"):
        linted("n,mean,items\n8,1.12,1\n", rounding="up")


def test_a_byte_order_mark_and_windows_lines_are_read(linted):
    assert answers(linted("n,percent\r\n36,67\r\n", "utf-8-sig")) == {"percentage": "consistent"}


def test_inconsistent_rows_come_first(linted):
    frame = linted("study,n,percent\na,36,67\nb,35,67\n").to_frame()
    assert frame["study"].tolist() == ["b", "a"]
    assert frame["line"].tolist() == [3, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("n,mean,items\n20,\"3,45\",1\n", "line 2, column mean: expected a decimal point and no commas"),
        ("n,mean,items\n20,abc,1\n", "line 2, column mean: expected a number"),
        ("n,mean,items\n20,3.45 %,1\n", "line 2, column mean"),
        ("n,mean,items\n20.5,3.45,1\n", "line 2, column n: expected a whole number"),
        ("n,mean,items\n0,3.45,1\n", "column n: expected a whole number from 1"),
        ("n,mean,items\n20,inf,1\n", "column mean: expected a number"),
        ("n,sd,se\n20,-1,1\n", "column sd: expected a number of at least 0"),
        ("n,percent\n20,120\n", "line 2: percent: expected a number from 0 to 100"),
        ("estimate,ci_low,ci_high,p\n1,0,2,n.s.\n", "line 2, column p"),
        ("mean,low,high\n1,10,0\n", "columns low and high: expected low <= high"),
        ("n;mean;items\n20;3.45;1\n", "expected columns separated by commas"),
        ("n,mean,items\n", "expected rows below the header"),
        ("n,n,percent\n20,20,5\n", "found n twice"),
        ("n,percent\n20\n", "line 2: expected 2 cells"),
        ("", "empty"),
        ("n,percent\n20,\0\n", "NUL"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(linted, text, words):
    with pytest.raises(EvidenceError) as problem:
        linted(text)
    assert words in str(problem.value) and "mine.csv" in str(problem.value)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(EvidenceError, match="no such file"):
        lint(tmp_path / "none.csv")


def test_every_column_is_documented(project):
    from kyphobayes.audit.lint_tests import COLUMNS

    page = (project.root / "docs" / "audit.md").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if name not in page] == []


def test_our_own_tables(project):
    """What lint says of data/: 88.5 % of 147 is no whole number; the rest of the outcomes can hold."""
    wrong = {}
    for path in sorted((project.data / "outcomes").glob("*.csv")):
        for _, name, tested in lint(path).of("inconsistent"):
            wrong[path.stem, name.split()[0]] = tested.arithmetic
    assert list(wrong) == [("percentages", "jha2010")]
    assert "130/147 = 88.435 %" in wrong["percentages", "jha2010"]
