"""`kyphobayes fit mine.csv`, as a user types it."""

import json
from pathlib import Path

import pytest

TABLES = Path(__file__).parent / "own_data" / "tables"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("study;leaks;levels;design\nA;0;32;pro\nB;12;264;retro\nC;5;35;pro\nD;7;40;retro\n")
    return path


def test_a_table_is_answered_with_its_groups(call, table, tmp_path):
    code, printed, aside = call("fit", table, "--below", "10%", "--by", "design", "--out", tmp_path / "out")
    said = " ".join(printed.split())
    assert code == 0
    assert "read as counts: events = leaks, n = levels, study = study" in aside
    assert "columns read between semicolons" in aside
    assert "What share of levels has leaks? (4 studies, mine)" in said
    assert "The probability that the rate of leaks is below 10 % is" in said
    assert (
        "pro against retro: odds ratio" in said and "the probability that pro has the larger rate is" in said
    )
    assert list((tmp_path / "out" / "fits").glob("mine-exact-*.nc"))


def test_as_json(call, tmp_path):
    code, printed, aside = call(
        "fit",
        TABLES / "hazard_ratios.csv",
        "--prior",
        "tau=HalfNormal(sigma=0.3)",
        "--json",
        "--out",
        tmp_path,
    )
    content = json.loads(printed, parse_constant=pytest.fail)
    assert (code, aside) == (0, "")
    assert content["scale"]["name"] == "hazard ratio" and content["notes"][0].startswith("read as estimates")
    first = next(iter(content["answers"].values()))
    assert first["priors"]["tau"] == "HalfNormal(sigma=0.3)" and first["claim"]["below"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.csv"], "none.csv: no such file"),
        (["none.xls"], "found an old Excel workbook"),
        (["cement_leakage", "--events", "leaks"], "and cement_leakage is no file"),
        (["cement_leakage", "--report"], "--report is for a table of your own"),
        (["TABLE", "--model", "heavy_tails"], "--model and --project are for analyses of a plan"),
        (["TABLE", "--events", "leak"], "--events: no column 'leak'; did you mean 'leaks'?"),
        (["TABLE", "--y", "leaks"], "name the column with --se"),
        (["TABLE", "--below", "x"], "--below: expected a number such as 0.1 or 10%"),
        (["TABLE", "--measure", "OR"], "measure 'OR' is not one of counts; expected PLO"),
        (["TABLE", "--priors", "vague", "--prior", "tau=HalfNormal(sigma=1)"], "expected one of them"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(call, table, tmp_path, arguments, words):
    arguments = [str(table) if each == "TABLE" else each for each in arguments]
    code, _, aside = call("fit", *arguments, "--out", tmp_path)
    assert code == 2 and words in " ".join(aside.split()) and aside.count("error:") == 1


def test_help_names_the_options_of_own_tables(call):
    code, printed, _ = call("fit", "--help")
    said = " ".join(printed.split())
    assert code == 0
    for option in ("--events", "--ci-low", "--mean-pre", "--drop-missing", "--measure", "--report"):
        assert option in said
