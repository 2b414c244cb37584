"""Which column holds what: names of metafor, meta, RevMan and plain words; doubts are asked."""

from pathlib import Path

import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.kinds import KINDS, ROLES, Columns
from kyphobayes.own_data.recognise import recognise
from kyphobayes.own_data.sources import read_sheet

DATA = Path(__file__).parents[3] / "data" / "outcomes"


def sheet(heads, row=None, tmp_path=None):
    cells = row or ["A" if i == 0 else str(i + 1) for i in range(len(heads))]
    if tmp_path is None:
        return read_sheet(dict(zip(heads, [[cell, f"{cell}1"] for cell in cells], strict=True)))
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([",".join(heads), ",".join(cells)]))
    return read_sheet(path)


@pytest.mark.parametrize(
    ("heads", "kind", "roles"),
    [
        ("slab xi ni", "counts", "events n"),
        ("slab xi ti", "rates", "events time"),
        ("study ai n1i ci n2i", "counts of two arms", "events1 n1 events2 n2"),
        ("study ai bi ci di", "counts of two arms", "events1 rest1 events2 rest2"),
        ("study x1i t1i x2i t2i", "rates of two arms", "events1 time1 events2 time2"),
        ("studlab event.e n.e event.c n.c", "counts of two arms", "events1 n1 events2 n2"),
        ("studlab n.e mean.e sd.e n.c mean.c sd.c", "means of two arms", "n1 mean1 sd1 n2 mean2 sd2"),
        ("study m1i sd1i m2i sd2i ni ri", "means before and after", "mean_pre sd_pre mean_post sd_post n r"),
        ("author TE seTE", "estimates", "y se"),
        ("study yi vi", "estimates", "y v"),
        ("study effect ci.lb ci.ub", "estimates", "y ci_low ci_high"),
        ("study mean sd n", "means", "mean sd n"),
    ],
)
def test_names_of_packages(heads, kind, roles):
    found = recognise(sheet(heads.split()), {})
    assert found.kind.name == kind
    assert found.columns == {role: place for place, role in enumerate(roles.split(), start=1)}
    assert found.sentence.startswith(f"read as {kind}: ") and found.study == (0,)


@pytest.mark.parametrize(
    ("heads", "kind"),
    [
        ("Study|Experimental Events|Experimental Total|Control Events|Control Total", "counts of two arms"),
        ("Author|Events BKP|Total BKP|Events PVP|Total PVP", "counts of two arms"),
        ("Study|Drug A mean|Drug A SD|Drug A n|Placebo mean|Placebo SD|Placebo n", "means of two arms"),
        ("Study|N|VAS pre|SD pre|VAS post|SD post", "means before and after"),
        ("Trial|Hazard ratio|95% CI lower|95% CI upper", "estimates"),
        ("First author|No. of events|Sample size", "counts"),
    ],
)
def test_plain_words(heads, kind):
    assert recognise(sheet(heads.split("|")), {}).kind.name == kind


def test_the_control_is_arm_2_wherever_it_stands():
    found = recognise(sheet(["Study", "Placebo Events", "Placebo N", "Drug A Events", "Drug A N"]), {})
    assert found.columns == {"events1": 3, "n1": 4, "events2": 1, "n2": 2}


@pytest.mark.parametrize(
    ("heads", "said", "message"),
    [
        ("study events n time", {}, r"as counts \(--events events --n n\) or as rates \("),
        ("study ai n1i ci n2i yi vi", {}, r"of two arms \(.*\) or as estimates \(--y yi --v vi\); give"),
        ("study events n levels", {}, "n could be column n or column levels; say which with --n"),
        ("study events", {}, "as counts it lacks n among study and events; name the column with --n"),
        ("Étude Événements Patients", {}, "as counts it lacks events among Étude, Événements and Patients"),
        ("a b c", {}, "no column is recognised among a, b and c; give --events and --n"),
        ("study events n", {"colour": "n"}, "no role 'colour'"),
        ("study events n", {"events": "evnets"}, "--events: no column 'evnets'; did you mean 'events'"),
    ],
)  # fmt: skip
def test_doubts_are_asked(heads, said, message):
    with pytest.raises(EvidenceError, match=message):
        recognise(sheet(heads.split()), said)


def test_what_is_said_settles_it():
    table = sheet(["study", "events", "n", "time"])
    assert recognise(table, {"n": "n"}).kind.name == "counts"
    assert recognise(table, {"time": "TIME"}).kind.name == "rates"
    assert recognise(sheet(["study", "events", "n", "levels"]), {"n": "levels"}).columns["n"] == 3


def test_heads_that_stand_twice_are_named_by_their_letters(tmp_path):
    table = sheet(["Study", "Events", "Total", "Events", "Total"], tmp_path=tmp_path)
    with pytest.raises(
        EvidenceError, match=r"found column B \(Events\) and column D \(Events\); give the letter of one"
    ):
        recognise(table, {"events1": "Events"})
    said = {"events1": "B", "n1": "C", "events2": "D", "n2": "E"}
    assert list(recognise(table, said).columns.values()) == [1, 2, 3, 4]


def test_names_and_years_are_joined_and_text_columns_found():
    table = read_sheet(
        {"Reference": ["Smith", "Smith"], "year": ["2001", "2004"], "events": [1, 2], "n": [9, 9]}
    )
    assert recognise(table, {}).sentence.endswith("study = Reference + year")
    by_text = read_sheet({"who": ["Smith", "Jones"], "events": [1, 2], "n": [9, 9]})
    assert recognise(by_text, {}).sentence.endswith("study = who")
    numbered = read_sheet({"events": [1, 2], "n": [9, 9]})
    assert recognise(numbered, {}).sentence.endswith("study = row numbers")
    joined = recognise(table, {"study": "Reference+year"})
    assert joined.study == (0, 1) and joined.year is None


def test_the_projects_own_tables_are_read():
    for name, kind in (("cement_leakage", "counts"), ("new_fracture", "counts"), ("pain", "means")):
        found = recognise(read_sheet(DATA / f"{name}.csv"), {})
        assert found.kind.name == kind and found.sentence.endswith("study = study_id")


def test_every_role_has_a_type_and_an_option():
    read = {role for kind in KINDS.values() for role in kind.roles}
    assert read == set(ROLES)
    assert read - {"rest1", "rest2"} | {"study", "year", "by"} == set(Columns.__annotations__)
