"""The lines of a project: digits as printed, sizes that add up, errors that name the entry."""

import math

import pytest

from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import read_table
from kyphobayes.project import Project
from kyphobayes.reanalysis import read_lines, retell

OWN = """
[mine]
title = "Pain"
outcome = "Pain"
k = 3
estimate = "-1.50"
ci = ["-2.10", "-0.90"]
i2 = "45"
measure = "MD"
citation = "Me 2020"
locator = "Table 2"
better = "lower"
unit = "points"
reads = "pain falls"
tau = "HalfNormal(sigma=1)"
tau_why = "Because."
mcid = { value = 1.0, source = "me2020", locator = "p. 3", why = "Patients say so." }
"""


@pytest.fixture(scope="module")
def lines(project):
    return {line.name: line for line in read_lines(project)}


def test_every_pooled_efficacy_line_of_bouza_is_there(project, lines):
    table = read_table(project, "published/bouza2009.csv")
    pooled = table[(table["quantity"] == "pooled_effect") & (table["locator"] == "Table 3")]
    printed = set(pooled.loc[pooled["estimate"].notna(), "figure_id"])
    assert set(lines) == printed and len(printed) == 12


def test_digits_are_those_of_the_table(lines):
    assert (lines["odi_post"].estimate, lines["odi_post"].ci) == ("-28.78", ("-11.5", "-46.0"))
    assert lines["height_midline_post"].ci == ("0.003", "0.56")
    assert lines["cobb_post"].ci == ("-0.20", "-1.16") and lines["cobb_post"].i2 == "78"


def test_what_is_printed_and_what_is_read_agree(lines):
    for line in lines.values():
        digits = line.words.replace(" ", "")
        for number in (line.estimate, *line.ci):
            assert number in digits, line.name


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("vas_post", [63, 18, 26, 65]),
        ("vas_last", [18, 26, 65]),
        ("odi_post", [63, 19, 26, 65]),
        ("odi_under_6m", [63, 19]),
        ("odi_2y", [26, 65]),
        ("cobb_post", []),
        ("height_restored", [264, 32, 46]),
    ],
)
def test_sizes_follow_from_the_denominators(lines, project, name, sizes):
    line = lines[name]
    assert list(line.n.values()) == sizes
    arms = read_table(project, "arms.csv")
    for study, n in line.n.items():
        row = arms[(arms["study_id"] == study) & (arms["arm"] == "BKP")].iloc[0]
        assert n in (row["patients"], row["levels"])


def test_sources_of_sds_and_mcids_are_known_and_hold(project, lines):
    sources = set(read_table(project, "sources.csv")["source_id"])
    pain, published = read_table(project, "outcomes/pain.csv"), read_table(project, "published/bouza2009.csv")
    for line in lines.values():
        for known in (line.sd, line.mcid):
            assert known is None or known.source in sources
    before = pain[(pain["study_id"] == "ribeirao_preto") & (pain["timepoint"] == "baseline")].iloc[0]
    assert lines["vas_post"].sd.value == before["sd"]
    mcid = published[published["figure_id"] == "mcid_vas_points_low"].iloc[0]
    assert lines["vas_post"].mcid.value == float(mcid["estimate"])
    height = read_table(project, "outcomes/vertebral_height.csv")
    weihe = height[(height["study_id"] == "weihe2012_diss") & (height["timepoint"] == "baseline")]
    for name, scale in (
        ("height_anterior_post", "anterior height"),
        ("height_midline_post", "midline height"),
    ):
        assert lines[name].sd.value == weihe.loc[weihe["scale"] == scale, "sd"].item()


def test_units_are_the_effect_times_the_sd(lines):
    told = retell(lines["vas_post"])
    assert told.units["median"]["mu"] == pytest.approx(1.12 * told.answer.effects["median"]["mu"])
    assert told.answer.p_mcid == pytest.approx(1 - float(told.answer.posterior.cdf("mu", 2.0 / 1.12)))
    (narrow, _), (wide, _) = (told.rescaled[times] for times in (0.5, 2.0))
    assert wide < told.answer.effects["low"]["mu"] < narrow


def test_a_project_of_ones_own(tmp_path):
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    mine = Project(tmp_path)
    assert read_lines(mine) == []
    (tmp_path / "data" / "lines.toml").write_text(OWN, encoding="utf-8")
    (line,) = read_lines(mine)
    told = retell(line)
    assert line.words == "-1.50 (-2.10, -0.90); 45%" and told.units is None and told.mcid == 1.0
    assert told.answer.p_mcid == pytest.approx(float(told.answer.posterior.cdf("mu", -1.0)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lieberman2003 = 63, kose2006", "lieberman2003 = 64, kose2006", "add up to 172, found 173"),
        ("lieberman2003 = 63, kose2006 = 18, ", "", "sizes of 4 studies, found 2"),
        ('figure = "vas_post"', 'figure = "vas_pots"', "found 'vas_pots'"),
        ('figure = "vas_post"', 'figure = "refs_screened"', "no k, estimate or interval"),
        ('published = "published/bouza2009.csv"', 'published = "published/none.csv"', "a table of data/"),
        ('better = "higher"', 'better = "up"', "better to be lower or higher"),
        ('reads = "pain falls"', 'raeds = "pain falls"', "unknown key 'raeds'; did you mean 'reads'"),
        ("value = 1.12", "value = -1.12", "a value above 0"),
    ],
)
def test_errors_name_the_entry(copied, old, new, said):
    path = copied.data / "lines.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EvidenceError, match=said) as caught:
        read_lines(copied)
    assert "data/lines.toml [vas_post]" in str(caught.value)


def test_a_line_that_cannot_be_analysed_is_named(copied):
    path = copied.data / "lines.toml"
    path.write_text(OWN.replace('"-1.50"', '"7"'), encoding="utf-8")
    (line,) = read_lines(copied)
    with pytest.raises(InputError, match=r"data/lines.toml \[mine\]: estimate: expected a value inside"):
        retell(line)


def test_mcid_is_missing_where_no_source_has_one(lines):
    assert math.isnan(retell(lines["odi_2y"]).mcid)
