"""Files as programs write them: encodings, separators, workbooks, and what is no table."""

import datetime

import openpyxl
import pandas as pd
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data import read_own_data
from kyphobayes.own_data.sheet import letter
from kyphobayes.own_data.sources import names_a_file, read_sheet

TABLE = "study,events,n\nMüller,3,30\nB,4,40\n"


def file(tmp_path, content, name="mine.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def book(tmp_path, *sheets, name="mine.xlsx"):
    """Workbook of sheets, each a list of rows or a function of the sheet."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, content in enumerate(sheets, start=1):
        sheet = made.create_sheet(f"Sheet{number}")
        if callable(content):
            content(sheet)
        else:
            for row in content:
                sheet.append(row)
    made.save(tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_separators(tmp_path, encoding, separator, end):
    text = TABLE.replace(",", separator).replace("\n", end)
    sheet = read_sheet(file(tmp_path, text.encode(encoding)))
    assert sheet.columns == ("study", "events", "n")
    assert sheet.rows == (("Müller", "3", "30"), ("B", "4", "40"))
    assert sheet.places == ("row 2", "row 3")


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    text = 'Table 1,,\n\nstudy,events,n\n"Long\nname",3,30\n\nB,="4/40",40\n'
    sheet = read_sheet(file(tmp_path, text))
    assert sheet.places == ("row 4", "row 6") and sheet.rows[0][0] == "Long name"
    assert sheet.rows[1][1] == "4/40"
    assert [letter(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "a.csv", "empty; expected a header and one row per study"),
        ("\n\n", "a.csv", "empty"),
        ("study,events,n\n", "a.csv", "expected one row per study below the header, found none"),
        ("A,1,20\nB,2,30\n", "a.csv", "row 1: expected a header that names the columns, found 'A, 1, 20'"),
        ("just a sentence\nand another\n", "a.csv", "row 1: expected a header with at least two columns"),
        ("study,y,se\nA,0,5,0,2\n", "a.csv", 'row 2: expected 3 cells as in the header, found 5; .*"0,5"'),
        (b"study,n\nA\x00,1\n", "a.csv", "line 2: expected plain text, found the control character"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a.csv", "found an old Excel workbook; save it as .xlsx or .csv"),
        ("x", "a.xls", "expected a .csv, .tsv or .xlsx file, found an old Excel workbook"),
        ("x", "a.rds", "found an R object"),
        (b"PK\x03\x04 nothing", "a.xlsx", "cannot be read as an XLSX workbook"),
        ("study,n\n" + "a,1\n" * 5_002, "a.csv", "at most 5000 of them, found more"),
    ],
)  # fmt: skip
def test_what_is_no_table(tmp_path, content, name, message):
    with pytest.raises(EvidenceError, match=message):
        read_sheet(file(tmp_path, content, name))


def test_files_that_are_not_there_or_too_large(tmp_path):
    with pytest.raises(EvidenceError, match="no such file"):
        read_sheet(tmp_path / "none.csv")
    with pytest.raises(EvidenceError, match="cannot be read"):
        read_sheet(file(tmp_path, TABLE).parent)
    path = tmp_path / "huge.csv"
    with path.open("wb") as stream:
        stream.truncate(200_000_001)  # nothing is written, and nothing is read
    with pytest.raises(EvidenceError, match="found 200 MB; save the table alone"):
        read_sheet(path)
    with pytest.raises(EvidenceError, match="--sheet is for workbooks"):
        read_sheet(file(tmp_path, TABLE), sheet="a")


def test_merged_headers_of_a_workbook_with_a_title(tmp_path):
    def fill(sheet):
        for row in (
            ["Table 2. Leakage"], [], ["Study", "Kyphoplasty", None, "Control", None, "Year"],
            [None, "Events", "Total", "Events", "Total", None], ["A", 3, 40, 10, 44, 2001],
            ["B", 0, 22, 5, 20, 2007],
        ):  # fmt: skip
            sheet.append(row)
        for area in ("A1:F1", "A3:A4", "B3:C3", "D3:E3", "F3:F4"):
            sheet.merge_cells(area)

    own = read_own_data(book(tmp_path, fill))
    assert own.sentence.startswith(
        "read as counts of two arms: events1 = Kyphoplasty Events, n1 = Kyphoplasty Total"
    )
    assert own.evidence.labels == ("A 2001", "B 2007")
    assert "two header rows joined (rows 3 and 4)" in own.notes


def test_merged_headers_that_were_saved_as_text(tmp_path):
    text = "Study,BKP,,Vertebroplasty,,Year\n,events,n,events,n,\nA,3,40,10,44,2001\n"
    own = read_own_data(file(tmp_path, text))
    assert own.sentence.endswith(
        "events2 = Vertebroplasty events, n2 = Vertebroplasty n, study = Study + Year"
    )


def test_percentages_days_and_formulas_of_a_workbook(tmp_path):
    def shares(sheet):
        for row in (["study", "leaks %", "n"], ["A", 0.125, 32], ["B", 0.14, 50]):
            sheet.append(row)
        for cell in ("B2", "B3"):
            sheet[cell].number_format = "0.0%"

    assert read_own_data(book(tmp_path, shares)).evidence.events.tolist() == [4, 7]
    days = [["study", "leaks"], ["A", "0/32"], ["B", datetime.date(2024, 3, 5)]]
    with pytest.raises(
        EvidenceError, match=r"row 3, column B \(leaks\): .* found '2024-03-05'; a spreadsheet made"
    ):
        read_own_data(book(tmp_path, days))
    sums = [["study", "events", "n"], ["A", 3, 30], ["B", "=1+1", 20], ["Total", "=B2+B3", 50]]
    with pytest.raises(
        EvidenceError, match=r"row 3, column B \(events\).*found '=1\+1'; a formula whose value is not"
    ):
        read_own_data(book(tmp_path, sums))
    del sums[2]
    assert read_own_data(book(tmp_path, sums)).evidence.k == 1  # the sum's formula is not needed


def test_sheets_are_chosen_or_asked_for(tmp_path):
    table = [["study", "events", "n"], ["A", 3, 30]]
    path = book(tmp_path, [["Notes"]], table)
    own = read_own_data(path)
    assert own.evidence.k == 1
    both = book(tmp_path, table, [*table, ["B", 1, 20]])
    with pytest.raises(
        EvidenceError, match="found Sheet1 and Sheet2; say which is the table with --sheet 'Sheet1'"
    ):
        read_own_data(both)
    for sheet in ("Sheet2", 2):
        own = read_own_data(both, sheet=sheet)
        assert own.evidence.k == 2 and "sheet Sheet2 read, Sheet1 not" in own.notes
        assert own.evidence.rows["source"][0].endswith("mine.xlsx, sheet Sheet2")
    with pytest.raises(EvidenceError, match="no sheet 'Sheet3'"):
        read_own_data(both, sheet="Sheet3")


def test_hidden_rows_are_read_and_told(tmp_path):
    def fill(sheet):
        for row in (["study", "events", "n"], ["A", 3, 30], ["B", 1, 20]):
            sheet.append(row)
        sheet.row_dimensions[3].hidden = True

    assert "hidden in the workbook, but read: row 3" in read_own_data(book(tmp_path, fill)).notes


def test_a_long_workbook_is_refused_before_it_is_read_whole(tmp_path):
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet("a")
    for _ in range(5_003):
        sheet.append(["a", 1])
    made.save(tmp_path / "long.xlsx")
    with pytest.raises(EvidenceError, match="sheet a: expected one row per study and at most 5000"):
        read_sheet(tmp_path / "long.xlsx")


def test_a_csv_file_that_is_a_workbook(tmp_path):
    path = book(tmp_path, [["study", "events", "n"], ["A", 3, 30]])
    assert read_own_data(file(tmp_path, path.read_bytes(), "b.csv")).evidence.k == 1


def test_frames_with_odd_heads_and_values():
    frame = pd.DataFrame({("Drug", "Events"): [1, 2], ("Drug", "Total"): pd.array([10, None], dtype="Int64")})
    sheet = read_sheet(frame)
    assert sheet.columns == ("Drug Events", "Drug Total") and sheet.rows[1] == ("2", "")
    with pytest.raises(EvidenceError, match="expected the path of"):
        read_sheet([1, 2])
    with pytest.raises(EvidenceError, match="columns of one length"):
        read_sheet({"a": [1], "b": [1, 2]})
    with pytest.raises(EvidenceError, match="expected one row per study, found shape"):
        read_sheet(pd.DataFrame())


@pytest.mark.parametrize(
    ("word", "is_file"),
    [("mine.csv", True), ("a/b.XLSX", True), ("cement_leakage", False), ("old.xls", True)],
)
def test_files_and_analyses_are_told_apart(word, is_file):
    assert names_a_file(word) == is_file
