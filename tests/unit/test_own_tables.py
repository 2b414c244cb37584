"""A user's own table: effects added, other columns kept, every fault with its line."""

import numpy as np
import pytest

from kyphobayes.effects import effect_size
from kyphobayes.errors import InputError
from kyphobayes.own_tables import effect_table


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
    assert notes == (expected.notes[0] + " (study 0 is on line 2)",)


def test_options_are_passed_on(tmp_path):
    file = write(tmp_path, "events,n\n3,30\n0,20\n")
    table, notes = effect_table(file, "PLO", add=1.0, to="all")
    assert table["y"].iloc[0] == pytest.approx(np.log(4 / 28)) and "1 added" in notes[0]


@pytest.mark.parametrize(
    ("text", "measure", "message"),
    [
        ("events,n\n3,30\n", "ODDS", "--measure: expected one of PR,"),
        ("events,n\n", "PLO", "expected one row per study below the header, found none"),
        ("events,m\n3,30\n", "PLO", "line 1: PLO needs the columns events, n; n not found among events, m"),
        ("events,n,n\n3,30,30\n", "PLO", "expected every column once, found n twice"),
        ("events,n,y\n3,30,1\n", "PLO", "y would be overwritten"),
        ("events,n\n3,30\n,20\n", "PLO", "line 3, column events: expected a number, found 'nothing'"),
        ("events,n\n3,30\nnine,20\n", "PLO", "line 3, column events: expected a number, found 'nine'"),
        ("events,n\n3,inf\n", "PLO", "line 2, column n: expected a number, found 'inf'"),
        ("events,n\n3,30\n31,30\n", "PLO", r"study 1: .*\(study 0 is on line 2\)"),
        ("events,n\n3,30,1\n", "PLO", "line 2: expected 2 cells as in the header, found 3"),
        ("events;n\n3;30\n", "PLO", "line 1: expected columns separated by commas, found semicolons"),
        ("events\tn\n3\t30\n", "PLO", "line 1: expected columns separated by commas, found tabs"),
        ("", "PLO", "empty; expected a header"),
    ],
)
def test_faults_are_named(tmp_path, text, measure, message):
    with pytest.raises(InputError, match=message):
        effect_table(write(tmp_path, text), measure)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        effect_table(tmp_path / "none.csv", "PLO")
