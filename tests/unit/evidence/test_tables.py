"""Reading a table: what is accepted, what it turns into, and which line each row came from."""

import csv

import numpy as np
import pandas as pd
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import read_table
from kyphobayes.evidence.tables import describe

TABLE = "outcomes/cement_leakage.csv"


def rewrite(project, change):
    path = project.data / TABLE
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    "path", ["sources.csv", "studies.csv", TABLE, "outcomes/pain.csv", "published/bouza2009.csv"]
)
def test_numbers_are_floats_and_texts_are_str(path, project):
    table = read_table(project, path)
    fields = {f["name"]: f["type"] for f in describe(project)[path]["fields"]}
    assert list(table.columns) == [*fields, "line"]
    for name, kind in fields.items():
        if kind in ("integer", "number"):
            assert table[name].dtype == np.float64
        else:
            assert all(isinstance(cell, str) for cell in table[name])


def test_every_row_knows_its_line(project):
    table = read_table(project, TABLE)
    lines = (project.data / TABLE).read_text(encoding="utf-8").splitlines()
    assert len(table) == len(lines) - 1
    for _, row in table.iterrows():
        assert next(csv.reader([lines[row["line"] - 1]]))[:4] == [
            row[c] for c in ("study_id", "arm", "timepoint", "unit")
        ]


def test_an_empty_number_is_missing_and_zero_is_not(project):
    table = read_table(project, TABLE).set_index(["study_id", "arm"])
    assert np.isnan(table.loc[("lieberman2003", "BKP"), "events"])
    assert table.loc[("fourney2003", "BKP"), "events"] == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"),
        lambda raw: raw.rstrip(b"\n"),
        lambda raw: raw.replace(b"any cement leak", b'"any cement leak"'),
    ],
    ids=["byte order mark", "CRLF", "as Excel saves", "no newline at the end", "quotes that are not needed"],
)
def test_what_spreadsheets_write_is_the_same_table(change, copied, project):
    rewrite(copied, change)
    pd.testing.assert_frame_equal(read_table(copied, TABLE), read_table(project, TABLE))


def test_a_quoted_newline_stays_in_its_cell_and_lines_are_still_counted(copied):
    rewrite(copied, lambda raw: raw.replace(b'"3 anterior cortex, 1 disc', b'"3 anterior cortex,\n1 disc'))
    table = read_table(copied, TABLE).set_index(["study_id", "arm"])
    assert table.loc[("ribeirao_preto", "BKP"), "note"].startswith("3 anterior cortex,\n1 disc")
    assert table.loc[("ribeirao_preto", "BKP"), "line"] == 11
    assert table.loc[("kyphoplasty78_mixed", "BKP"), "line"] == 13


def test_an_error_after_a_quoted_newline_names_the_right_line(copied):
    rewrite(
        copied,
        lambda raw: raw.replace(b'"3 anterior cortex, 1 disc', b'"3 anterior cortex,\n1 disc').replace(
            b"levels,8,64", b"levels,eight,64"
        ),
    )
    with pytest.raises(EvidenceError, match="line 15, column events"):
        read_table(copied, TABLE)


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_a_newline_ends_a_row(character, copied):
    rewrite(copied, lambda raw: raw.replace(b"3 anterior", f"3{character}anterior".encode()))
    note = read_table(copied, TABLE).set_index(["study_id", "arm"]).loc[("ribeirao_preto", "BKP"), "note"]
    assert note.startswith(f"3{character}anterior")


def test_a_long_cell_is_cut_in_the_message(copied):
    rewrite(copied, lambda raw: raw.replace(b"levels,5,35", b"levels," + b"x" * 10_000 + b",35"))
    with pytest.raises(EvidenceError, match="column events") as error:
        read_table(copied, TABLE)
    assert len(str(error.value)) < 250


def test_a_path_must_be_in_the_descriptor(project):
    with pytest.raises(EvidenceError, match="not described"):
        read_table(project, "outcomes/../studies.csv")
    with pytest.raises(EvidenceError, match="not described"):
        read_table(project, "nothing.csv")


def test_a_second_project_is_not_the_first(copied, project):
    """The descriptor is remembered by project, not once for all."""
    before = describe(project)
    path = copied.data / "datapackage.json"
    path.write_text(path.read_text(encoding="utf-8").replace(TABLE, "outcomes/leaks.csv"), encoding="utf-8")
    assert "outcomes/leaks.csv" in describe(copied)
    assert describe(project) == before and TABLE in before
