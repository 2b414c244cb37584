"""A user's own table with effects: added by the reader of `fit`, columns kept, faults with their row."""

import numpy as np
import pytest

from kyphobayes.effects import effect_size
from kyphobayes.errors import InputError
from kyphobayes.own_data.effect_table import effect_table


def write(path, text):
    file = path / "mine.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_effects_are_added_and_nothing_is_lost(tmp_path):
    file = write(tmp_path, 'study,events,n,comment\nA,3,30,"=1+1, kept"\nB,0,20,\nC, 7 ,40,x\n')
    table, notes = effect_table(file, "PLO")
    expected = effect_size("PLO", {"events": [3, 0, 7], "n": [30, 20, 40]})
    assert list(table.columns) == ["study", "events", "n", "comment", "y", "v"]
    assert list(table["comment"]) == ["=1+1, kept", "", "x"] and list(table.index) == [2, 3, 4]
    np.testing.assert_array_equal(table[["y", "v"]], np.column_stack([expected.y, expected.v]))
    assert notes == ("0.5 added to events and to non-events of row 3 (to = only0)",)


def test_options_are_passed_on(tmp_path):
    file = write(tmp_path, "events,n\n3,30\n0,20\n")
    table, notes = effect_table(file, "PLO", add=1.0, to="all")
    assert table["y"].iloc[0] == pytest.approx(np.log(4 / 28)) and "1 added" in notes[0]


def test_names_of_metafor_and_decimal_commas_are_understood(tmp_path):
    file = write(tmp_path, "m1i;sd1i;n1i;m2i;sd2i;n2i\n3,4;1,2;20;2,9;1,0;22\n")
    table, notes = effect_table(file, "SMD")
    data = {"mean_1": [3.4], "sd_1": [1.2], "n_1": [20], "mean_2": [2.9], "sd_2": [1.0], "n_2": [22]}
    assert table["y"].iloc[0] == pytest.approx(effect_size("SMD", data).y[0])
    assert "decimal commas read in column A (m1i)" in notes
    fractions, _ = effect_table(write(tmp_path, "study,events\nA,3/30\n"), "PLO")
    assert fractions["y"].iloc[0] == pytest.approx(np.log(3 / 27))


@pytest.mark.parametrize(
    ("text", "measure", "message"),
    [
        ("events,n\n3,30\n", "ODDS", "--measure: expected one of PR,"),
        ("events,n\n", "PLO", "expected one row per study below the header, found none"),
        ("events,m\n3,30\n", "PLO", "PLO needs the columns events, n; n not found among events, m"),
        ("events,n,n\n3,30,30\n", "PLO", r"expected one column n, found column B \(n\) and column C \(n\)"),
        ("events,n,y\n3,30,1\n", "PLO", "y would be overwritten"),
        ("events,n\n3,30\n,20\n", "PLO", r"row 3, column A \(events\): expected a number \(events\), found"),
        ("events,n\n3,30\nnine,20\n", "PLO", r"row 3, column A \(events\): expected a number, found 'nine'"),
        ("events,n\n3,inf\n", "PLO", r"row 2, column B \(n\): expected a number, found 'inf'"),
        ("events,n\n3,30\n31,30\n", "PLO", r"row 3: .*this study"),
        ("events,n\n3,30,1\n", "PLO", "row 2: expected 2 cells as in the header, found 3"),
        ("", "PLO", "empty; expected a header"),
    ],
)  # fmt: skip
def test_faults_are_named(tmp_path, text, measure, message):
    with pytest.raises(InputError, match=message):
        effect_table(write(tmp_path, text), measure)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        effect_table(tmp_path / "none.csv", "PLO")
