"""The command `reconstruct`, as a user types it."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kyphobayes.commands.reconstructed import histogram
from kyphobayes.evidence.denominators import denominators
from kyphobayes.reconstruct import Constraints

FOLDER = Path(__file__).resolve().parents[2] / "data" / "constraints"
OWN = """
title = "My paper"
[method]
measure = "PR"
pooling = "DL"
zero_cells = 0.5
why = "guess"
[[study]]
name = "[A] & <B>"
n = 12
[[study]]
name = "b"
n = 30
[[printed]]
quantity = "events"
value = "4"
words = "4 in [both] & <all>"
locator = "p. 3"
"""


@pytest.fixture
def call(call):
    """Run `kyphobayes reconstruct`."""
    return lambda *arguments: call("reconstruct", *arguments)


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_the_leaks_of_bouza(call):
    code, printed, _ = call(FOLDER / "cement_leakage.toml")
    said = " ".join(printed.split())
    assert code == 0 and max(map(len, printed.splitlines())) <= 80
    assert "20 tables of counts agree with every figure under DL on PR" in said
    assert "vrionis2005 128 0 0.0 0.0" in said and "lieberman2003 264 9 to 12" in said
    assert "known: fourney2003: 0" in said


def test_a_name_of_the_project_is_enough_and_left_out_figures_are_shown(call):
    code, printed, _ = call("new_fracture")
    said = " ".join(printed.split())
    assert code == 0 and "4 tables of counts agree" in said
    assert "higher in patients with myeloma (12.4%)" in said and "It agrees with 0 of 4 tables" in said


def test_json_of_a_file_that_stands_alone(call, own):
    code, printed, aside = call(own, "--json")
    content = json.loads(printed, parse_constant=pytest.fail)
    assert (code, aside) == (0, "")
    assert (content["tables"], content["sample"], content["n"]) == (5, None, [12, 30])
    assert content["marginals"]["b"] == {str(events): pytest.approx(0.2) for events in range(5)}
    assert content["events"] == [[i, 4 - i] for i in range(5)]
    assert content["figures"][0]["without"] == 13 * 31 and "methods" not in content


def test_files(call, own, tmp_path):
    out = tmp_path / "out"
    code, _, _ = call(own, "--out", out, "--methods")
    assert code == 0
    rows = {
        path.name: list(csv.DictReader(path.read_text("utf-8").splitlines())) for path in out.glob("*.csv")
    }
    assert set(rows) == {"tables.csv", "marginals.csv", "narrowing.csv", "methods.csv"}
    assert len(rows["tables.csv"]) == 5 and float(rows["tables.csv"][0]["weight"]) == 0.2
    assert len(rows["marginals.csv"]) == 10 and len(rows["narrowing.csv"]) == 2
    assert {row["tables"] for row in rows["methods.csv"]} == {"5.0"}
    picture = ElementTree.parse(out / "marginals.svg").getroot()
    assert picture.get("role") == "img" and "[A] & <B> 0 to 4" in str(picture.get("aria-label"))
    assert (out / "marginals.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (OWN, "title = ", "mine.toml: cannot be read as TOML"),
        ("title =", "titel =", "unknown key 'titel'; did you mean 'title'?"),
        ("n = 12", "n = 0", "[[study]] 1: expected n from 1 to 100,000, found 0"),
        ("n = 12", 'n = "12"', "[[study]] 1: expected n to be a whole number"),
        ("n = 12", "n = 12\nevents = 13", "expected events from 0 to n = 12, found 13"),
        ('name = "b"', 'name = "[A] & <B>"', "each study once"),
        ("[method]", 'studies = ["b"]\n[method]', "either studies or [[study]] entries, found both"),
        ('pooling = "DL"', 'pooling = "XX"', "pooling to be one of CE, DL"),
        ("zero_cells = 0.5", 'zero_cells = 0.5\ncorrected = "some"', "corrected to be one of only0"),
        ('value = "4"', 'value = "43"', "no table of counts agrees with '4 in [both] & <all>' (p. 3)"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(call, own, old, new, words):
    own.write_text(OWN.replace(old, new, 1), encoding="utf-8")
    code, printed, aside = call(own, "--json")
    assert (code, printed) == (2, "")
    assert words in aside and aside.count("error:") == 1 and "Traceback" not in aside


def test_a_file_that_is_not_there(call, tmp_path):
    for name in (tmp_path / "none.toml", "no_such_name", tmp_path):
        code, _, aside = call(name)
        assert code == 2 and aside.startswith("error: ")


def test_denominators_need_a_row_of_each_study(project, copied):
    constraints = Constraints.read(project.data / "constraints" / "cement_leakage.toml")
    n, known = denominators(constraints, project)
    assert sum(n.values()) == 650 and known == {"fourney2003": 0, "kose2006": 0}
    table = copied.data / "outcomes" / "cement_leakage.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not line.startswith("lane2004")), encoding="utf-8")
    with pytest.raises(ValueError, match="expected one row of lane2004 for BKP in levels, found 0"):
        denominators(constraints, copied)


def test_a_histogram_has_no_more_bars_than_fit():
    assert histogram({3: 1.0}) == "█"
    assert histogram({0: 0.5, 2: 0.25, 4: 0.25}) == "█ ▄ ▄"
    assert len(histogram(dict.fromkeys(range(200), 1 / 200))) <= 24
