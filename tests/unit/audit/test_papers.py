"""The audit of the papers: nothing left out, everything by rules, verdicts that follow the data."""

import re

import pandas as pd
import pytest

from kyphobayes.audit import VERDICTS, audit, claims_frame, counts, papers
from kyphobayes.audit.claims import NOT_CHECKABLE, NOT_REPRODUCED, READING, REPRODUCED
from kyphobayes.audit.papers import NO_RULE
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence.tables import read_table
from kyphobayes.project import Project

PATIENTS = "patients/ribeirao_preto_patients.csv"
PARTS = {"sd": "sd", "ci_low": "interval", "p_value": "p", "i2": "i2"}


@pytest.fixture(scope="module")
def claims(project):
    return audit(project)


@pytest.fixture(scope="module")
def by_name(claims):
    found = {(claim.paper, claim.figure_id, claim.part): claim for claim in claims}
    assert len(found) == len(claims)
    return found


def edited(project, path, old, new):
    file = project.data / path
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, text.count(old)
    file.write_text(text.replace(old, new), encoding="utf-8")


def part(project, paper, figure, name="figure"):
    return next(c for c in audit(project, paper) if (c.figure_id, c.part) == (figure, name))


# --- nothing is left out ---------------------------------------------------------------------------


@pytest.mark.parametrize("paper", ["bouza2009", "reviews", "ribeirao_preto"])
def test_every_printed_figure_has_a_rule_and_a_verdict(project, claims, paper):
    own = [claim for claim in claims if claim.paper == paper]
    assert [claim.figure_id for claim in own if claim.missing == NO_RULE] == []
    parts = {(claim.figure_id, claim.part) for claim in own}
    for row in read_table(project, f"published/{paper}.csv").to_dict("records"):
        figure = row["figure_id"]
        assert any(name == figure for name, _ in parts), figure
        for column, name in PARTS.items():
            only = row["quantity"] == "heterogeneity" and column == "i2"  # there it is the figure itself
            if row[column] and not only:
                assert (figure, name) in parts, (figure, name)
        if row["locator"] == "Table 3" and figure != "height_mm":
            assert (figure, "n") in parts, figure


def test_every_claim_shows_what_it_rests_on(claims):
    assert {claim.verdict for claim in claims} == set(VERDICTS)
    for claim in claims:
        assert claim.locator and claim.printed
        if claim.verdict == NOT_CHECKABLE:
            assert claim.missing and not claim.recomputed
        else:
            assert claim.recomputed and claim.arithmetic and not claim.missing
        assert bool(claim.reading) == (claim.verdict == READING)
    assert sum(counts(claims).values()) == len(claims)
    assert claims_frame(claims).shape == (len(claims), 10)


def test_papers_are_the_tables_of_printed_figures(project):
    assert papers(project) == ["bouza2009", "reviews", "ribeirao_preto"]
    assert {claim.paper for claim in audit(project, "reviews")} == {"reviews"}
    with pytest.raises(InputError, match="did you mean 'bouza2009'"):
        audit(project, "bouza2008")


# --- what is known of the papers, found by the rules ---------------------------------------------------


@pytest.mark.parametrize(
    ("paper", "figure", "name", "verdict", "words"),
    [
        ("ribeirao_preto", "vas_late_mean", "figure", NOT_REPRODUCED, "31/16 = 1.9375, printed 1.92"),
        ("ribeirao_preto", "vas_late_mean", "figure", NOT_REPRODUCED, "only for n = 12, 13"),
        ("ribeirao_preto", "vas_late_mean", "figure", NOT_REPRODUCED, "no selection has both"),
        ("ribeirao_preto", "vas_late_mean", "sd", NOT_REPRODUCED, "= 3.1298, printed 2.90"),
        ("ribeirao_preto", "lumbar_pct", "figure", NOT_REPRODUCED, "24/35 = 68.57 %, printed 67 %"),
        ("ribeirao_preto", "lumbar_pct", "figure", NOT_REPRODUCED, "24 is 67 % only for n = 36"),
        ("ribeirao_preto", "lumbar_pct", "figure", NOT_REPRODUCED, "67 + 29 + 3 = 99"),
        ("ribeirao_preto", "thoracic_pct", "figure", REPRODUCED, "10/35 = 28.57 %"),
        ("ribeirao_preto", "lost_count", "figure", NOT_REPRODUCED, "P*: patients (1, 9, 21), printed 2"),
        ("ribeirao_preto", "metastasis_patients", "figure", NOT_REPRODUCED, "9 metastasis, 8 myeloma"),
        ("ribeirao_preto", "fracture_pct", "figure", READING, "2/22 = 9.09 %"),
        ("ribeirao_preto", "fracture_resolved", "figure", NOT_REPRODUCED, "15: 7 before, 4 after, 7 late"),
        ("bouza2009", "levels_total", "figure", READING, "128 + 22 + 59 + 99 = 650, printed 741"),
        ("bouza2009", "patients_total", "figure", READING, "= 256, printed 306"),
        ("bouza2009", "leak_pooled_abstract", "figure", REPRODUCED, "41 of 650 = 6.31 %"),
        ("bouza2009", "leak_pooled_abstract", "figure", REPRODUCED, "100 × 41/741 = 5.5331"),
        ("bouza2009", "leak_retrospective", "figure", READING, "0 of 182 = 0.00 %"),
        ("bouza2009", "fracture_pooled", "figure", READING, "21 of 172 = 12.21 %"),
        ("bouza2009", "fracture_myeloma", "figure", NOT_REPRODUCED, "no table of counts gives"),
        ("bouza2009", "fracture_metastasis", "figure", NOT_REPRODUCED, "no whole number of 65 is 7.9 %"),
        ("bouza2009", "fracture_ratio", "figure", NOT_REPRODUCED, "12.4/7.9 = 1.5696"),
        ("bouza2009", "vas_last", "interval", NOT_REPRODUCED, "(2.38 + 6.21)/2 = 4.295"),
        ("bouza2009", "vas_last", "n", READING, "at most 96 were followed, printed 109"),
        ("bouza2009", "odi_post", "interval", READING, "-11.5 is printed before -46.0"),
        ("bouza2009", "cobb_post", "n", NOT_REPRODUCED, "180 is only 22 + 59 + 99 (Kose 2006"),
        ("bouza2009", "cobb_post", "p", NOT_REPRODUCED, "z = 2.82, p = 0.00484"),
        ("bouza2009", "cobb_studies", "references", NOT_REPRODUCED, "32 is excluded as a duplicate"),
        ("bouza2009", "height_restored", "n", READING, "264 + 32 + 46 = 342"),
        ("bouza2009", "height_midline_post", "width", READING, "SE 0.1418"),
        ("bouza2009", "height_midline_last", "width", NOT_REPRODUCED, "137 levels in place of 158"),
        ("bouza2009", "table1_fourney_patients", "figure", NOT_REPRODUCED, "56, printed 49"),
        ("reviews", "rct2021_leak", "interval", READING, "on the logit scale"),
    ],
)  # fmt: skip
def test_known_findings_are_made(by_name, paper, figure, name, verdict, words):
    claim = by_name[paper, figure, name]
    assert claim.verdict == verdict
    assert words in claim.arithmetic


@pytest.mark.parametrize(
    "figure", ["kyphosis_test", "vas_post_late_test", "pain_relief_test", "pain_angle_test"]
)
def test_tests_agree_with_scipy(by_name, project, figure):
    from scipy import stats

    claim = by_name["ribeirao_preto", figure, "figure"]
    assert claim.verdict == REPRODUCED
    told = [float(p) for p in re.findall(r"p = ([\d.e-]+\d)", claim.arithmetic)]
    if figure == "pain_angle_test":
        assert len(told) == 2
        return
    path = "patients/ribeirao_preto_vertebrae.csv" if figure == "kyphosis_test" else PATIENTS
    columns = {
        "kyphosis_test": ("kyphosis_pre", "kyphosis_post"),
        "vas_post_late_test": ("vas_post", "vas_late"),
        "pain_relief_test": ("vas_pre", "vas_late"),
    }[figure]
    pairs = read_table(project, path)[list(columns)].dropna()
    expected = stats.ttest_rel(*(pairs[name] for name in columns)).pvalue
    assert told[0] == pytest.approx(expected, rel=0.3 if expected < 1e-4 else 0.06)  # two digits are shown


# --- verdicts follow the data -----------------------------------------------------------------------


def test_a_patients_value_changes_the_verdict(copied):
    assert part(copied, "ribeirao_preto", "vas_pre_mean").verdict == REPRODUCED
    edited(copied, PATIENTS, "L1,1,1,9,3,0,0,,,no", "L1,1,1,5,3,0,0,,,no")
    found = part(copied, "ribeirao_preto", "vas_pre_mean")
    assert found.verdict == NOT_REPRODUCED
    assert "188/22 = 8.5455, printed 8.73" in found.arithmetic
    assert part(copied, "ribeirao_preto", "vas_pre_min").recomputed == "5"


def test_a_corrected_print_is_reproduced(copied):
    edited(copied, "published/ribeirao_preto.csv", "1.92,2.90,,,,,1.92 ± 2.90", "1.94,3.13,,,,,1.94 ± 3.13")
    assert part(copied, "ribeirao_preto", "vas_late_mean").verdict == REPRODUCED
    assert part(copied, "ribeirao_preto", "vas_late_mean", "sd").verdict == REPRODUCED


def test_an_arm_changes_a_sum(copied):
    edited(copied, "arms.csv", "kose2006,BKP,18,22,", "kose2006,BKP,18,12,")
    assert part(copied, "bouza2009", "levels_total").verdict == NOT_REPRODUCED


def test_a_figure_without_a_rule_is_not_checkable(copied):
    file = copied.data / "published" / "reviews.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text + text.splitlines()[1].replace("khan2014_studies", "new_one") + "\n", encoding="utf-8"
    )
    found = part(copied, "reviews", "new_one")
    assert (found.verdict, found.missing) == (NOT_CHECKABLE, NO_RULE)


# --- what is wrong with a file of rules is said in one sentence ------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"count"\ntable = "patients"\nnoun', '"cuont"\ntable = "patients"\nnoun', "did you mean 'count'"),
        ('figure = "patients"', 'figure = "patient"', "did you mean 'patients'"),
        ('where = { sex = "M" }\nnoun', 'where = { sexx = "M" }\nnoun', "has no column 'sexx'"),
        ('where = { sex = "M" }\nnoun', "where = { sex = { over = 3 } }\nnoun", "unknown condition"),
        ('what = "min"\n\n[[check]]\nfigure = "age_max"', '\n[[check]]\nfigure = "age_max"', "needs 'what'"),
        ('of = "mean", most = 22', 'of = "mean", most = "all"', "'possible_sizes' cannot use its settings"),
        ('table = "patients"\nnoun = "patients of Table 1"', 'table = "none"\nnoun = "x"', "not described"),
        ('figure = "patients"\nrule', 'figure = "patients"\npart = "half"\nrule', "part: expected one of"),
        ('of = ["leak_count", "vertebrae"]', 'of = ["leaks", "vertebrae"]', "no figure 'leaks'"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named(copied, old, new, words):
    edited(copied, "audit/ribeirao_preto.toml", old, new)
    with pytest.raises(EvidenceError) as problem:
        audit(copied, "ribeirao_preto")
    assert words in str(problem.value)


def test_a_project_without_printed_figures_is_refused(tmp_path):
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data" / "datapackage.json").write_text('{"resources": []}', encoding="utf-8")
    with pytest.raises(InputError, match="tables of printed figures"):
        audit(Project(tmp_path))


def test_the_list_is_a_table(claims):
    frame = claims_frame(claims)
    assert isinstance(frame, pd.DataFrame) and not frame.isna().any(axis=None)
