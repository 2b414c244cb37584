"""Which rows answer each question of the plan, and that no row is dropped in silence."""

import csv

import numpy as np
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import evidence_for, find_analysis, read_plan, read_table

LEAKAGE, LEAKAGE_BOUZA = "cement_leakage", "leakage_bkp_bouza_only"
FRACTURE, FRACTURE_BOUZA = "new_fracture", "new_fracture_bouza_only"

# Study, events (None: latent), n. From Bouza 2009, Table 1, and the papers of the other series.
LEAKAGE_SEVEN = [
    ("lieberman2003", None, 264),
    ("fourney2003", 0, 32),
    ("lane2004", None, 46),
    ("vrionis2005", None, 128),
    ("kose2006", 0, 22),
    ("pflugmacher2007_mm", None, 59),
    ("pflugmacher2008_met", None, 99),
]
FRACTURE_FOUR = [
    ("lieberman2003", None, 63),
    ("kose2006", None, 18),
    ("pflugmacher2007_mm", None, 26),
    ("pflugmacher2008_met", None, 65),
]
INCLUDED = {
    LEAKAGE: [*LEAKAGE_SEVEN, ("ribeirao_preto", 5, 35), ("lamaida2012", 4, 19)],
    LEAKAGE_BOUZA: LEAKAGE_SEVEN,
    FRACTURE: [*FRACTURE_FOUR, ("ribeirao_preto", 2, 22)],
    FRACTURE_BOUZA: FRACTURE_FOUR,
}
OTHER_ARM = {
    ("fourney2003", "VP", "levels"): "treatment is VP, not BKP",
    ("kose2006", "VP", "levels"): "treatment is VP, not BKP",
    ("lamaida2012", "VP", "levels"): "treatment is VP, not BKP",
    ("pflugmacher2012_bonn", "BKP (metastases)", "unclear"): "treatment is BKP (metastases), not BKP",
    ("pflugmacher2012_bonn", "BKP (myelomas)", "unclear"): "treatment is BKP (myelomas), not BKP",
    ("pflugmacher2012_bonn", "BKP (osteoporosis, comparator)", "unclear"): "treatment is BKP (osteoporosis",
    ("pusceddu2023_spinejack", "SpineJack", "patients"): "treatment is SpineJack, not BKP",
    ("yang2020_vesselplasty", "vesselplasty", "levels"): "treatment is vesselplasty, not BKP",
    ("zhan2024_vp_bfmc", "VP+BFMC", "levels"): "treatment is VP+BFMC, not BKP",
    ("markmiller2015", "BKP", "patients"): "counted in patients, not in levels",
    ("metastasis_bkp_72pt", "BKP", "procedures"): "counted in procedures, not in levels",
    ("weihe2012_diss", "BKP", "cases"): "counted in cases, not in levels",
    ("kyphoplasty78_mixed", "BKP", "levels"): "population is mixed incl osteoporosis",
}
NOT_BOUZA = "not among the studies this analysis is about"
EXCLUDED = {
    LEAKAGE: OTHER_ARM
    | {
        (
            "dudeney2002",
            "BKP",
            "levels",
        ): "shares patients with Lieberman 2003, which is larger (264 against 55 levels)",
        (
            "pflugmacher2006_mm",
            "BKP",
            "levels",
        ): "shares patients with Pflugmacher 2007, which is larger (59 against 48",
        (
            "pflugmacher2007_met",
            "BKP",
            "levels",
        ): "shares patients with Pflugmacher 2008, which is larger (99 against 64",
    },
    LEAKAGE_BOUZA: OTHER_ARM
    | {
        (study, "BKP", "levels"): NOT_BOUZA
        for study in (
            "dudeney2002",
            "pflugmacher2006_mm",
            "pflugmacher2007_met",
            "ribeirao_preto",
            "lamaida2012",
        )
    },
    FRACTURE: {
        ("metastasis_bkp_72pt", "BKP", "procedures"): "counted in procedures, not in patients",
        ("pusceddu2023_spinejack", "SpineJack", "patients"): "treatment is SpineJack, not BKP",
        ("zhan2024_vp_bfmc", "VP+BFMC", "patients"): "treatment is VP+BFMC, not BKP",
    },
}
EXCLUDED[FRACTURE_BOUZA] = EXCLUDED[FRACTURE] | {("ribeirao_preto", "BKP", "patients"): NOT_BOUZA}
ANALYSES = [LEAKAGE, LEAKAGE_BOUZA, FRACTURE, FRACTURE_BOUZA]
NAMES = pytest.mark.parametrize("name", ANALYSES)


@pytest.fixture(scope="module")
def evidence(project):
    return {name: evidence_for(find_analysis(project, name), project) for name in ANALYSES}


def test_the_plan_has_these_analyses(project):
    assert set(ANALYSES) <= set(read_plan(project))


@NAMES
def test_included_rows(name, evidence):
    view = evidence[name]
    found = [
        (study, None if np.isnan(events) else int(events), int(n))
        for study, events, n in zip(view.rows["study_id"], view.events, view.n, strict=True)
    ]
    assert sorted(found, key=str) == sorted(INCLUDED[name], key=str)
    assert list(view.labels) == list(view.rows["label"])
    assert list(view.rows["n"]) == list(view.n)


@NAMES
def test_excluded_rows_with_their_reason(name, evidence):
    view = evidence[name]
    found = {(r["study_id"], r["arm"], r["unit"]): r["reason"] for _, r in view.excluded.iterrows()}
    assert set(found) == set(EXCLUDED[name])
    for row, reason in EXCLUDED[name].items():
        assert found[row].startswith(reason), row


def test_denominators_of_the_seven_series_are_those_of_the_kyphoplasty_arms(evidence):
    """741 levels in the text are 650 of kyphoplasty and 91 of vertebroplasty."""
    assert evidence[LEAKAGE_BOUZA].n.sum() == 650
    excluded = evidence[LEAKAGE_BOUZA].excluded
    vertebroplasty = excluded[
        (excluded["arm"] == "VP") & excluded["study_id"].isin(["fourney2003", "kose2006"])
    ]
    assert vertebroplasty["n"].sum() == 91
    assert evidence[FRACTURE_BOUZA].n.sum() == 172


@NAMES
def test_every_row_of_the_table_is_in_or_out(name, evidence, project):
    view = evidence[name]
    lines = sorted([*view.rows["line"], *view.excluded["line"]])
    assert lines == list(range(2, len(lines) + 2))
    table = read_table(project, f"outcomes/{find_analysis(project, name).outcome}.csv")
    assert len(lines) == len(table)
    assert (view.excluded["reason"].str.len() > 5).all()


@NAMES
def test_no_two_included_studies_share_patients(name, evidence, project):
    with (project.data / "studies.csv").open(newline="", encoding="utf-8") as file:
        overlaps = {row["study_id"]: row["overlaps_with"].split(";") for row in csv.DictReader(file)}
    included = set(evidence[name].rows["study_id"])
    assert [(a, b) for a in included for b in overlaps[a] if b in included] == []
    assert len(included) == len(evidence[name].rows)


@NAMES
def test_every_included_row_says_where_it_comes_from(name, evidence):
    rows = evidence[name].rows
    for column in ("citation", "locator", "source", "status", "design", "population"):
        assert (rows[column].str.len() > 0).all(), column
    assert ((rows["status"] == "latent") == np.isnan(evidence[name].events)).all()


@NAMES
def test_count_tables_keep_what_is_printed_and_fill_what_is_not(name, evidence):
    view = evidence[name]
    assert not np.isnan(view.tables).any()
    assert (
        (view.tables == view.tables.round()).all()
        and (view.tables >= 0).all()
        and (view.tables <= view.n).all()
    )
    assert (view.tables[:, view.reported] == view.events[view.reported]).all()
    assert view.weights.sum() == pytest.approx(1, abs=1e-12) and (view.weights == view.weights[0]).all()
    assert len(np.unique(view.tables, axis=0)) == len(view.tables)
    total = {LEAKAGE: 41 + 5 + 4, LEAKAGE_BOUZA: 41, FRACTURE: 21 + 2, FRACTURE_BOUZA: 21}[name]
    assert (view.tables.sum(axis=1) == total).all()
    assert len(view.tables) == (20 if "leakage" in name else 4)


# --- overlap, on tables that are made for it ------------------------------------------------------


def edit(project, file, old, new):
    path = project.data / file
    before = path.read_text(encoding="utf-8")
    assert before.count(old) == 1, (old, before.count(old))
    path.write_text(before.replace(old, new), encoding="utf-8")


def included(project):
    return set(evidence_for(find_analysis(project, LEAKAGE), project).rows["study_id"])


@pytest.mark.parametrize("says_so", ["dudeney2002", "lieberman2003"])
def test_overlap_counts_whichever_of_the_two_studies_says_so(says_so, copied):
    lines = (copied.data / "studies.csv").read_text(encoding="utf-8").splitlines()
    other = {"dudeney2002": "lieberman2003", "lieberman2003": "dudeney2002"}[says_so]
    for i, line in enumerate(lines):
        if line.startswith(f"{other},"):
            row = next(csv.reader([line]))
            here = row.index("no" if other == "dudeney2002" else "yes") + 1
            row[here] = ";".join(s for s in row[here].split(";") if s != says_so)
            lines[i] = ",".join(f'"{cell}"' if "," in cell else cell for cell in row)
        if line.startswith(f"{says_so},"):
            assert other in line
    (copied.data / "studies.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert not {"dudeney2002", "lieberman2003"} <= included(copied)


def test_overlaps_may_be_written_with_spaces(copied):
    edit(
        copied,
        "studies.csv",
        "no,pflugmacher2007_mm;pflugmacher2009_assr",
        "no,pflugmacher2007_mm ; pflugmacher2009_assr",
    )
    assert "pflugmacher2006_mm" not in included(copied)


def test_the_larger_report_enters_whatever_the_order_of_rows(copied):
    path = copied.data / "outcomes" / "cement_leakage.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *reversed(lines)]) + "\n", encoding="utf-8")
    assert included(copied) == {study for study, _, _ in INCLUDED[LEAKAGE]}


def test_the_plan_may_say_which_of_two_equally_large_reports_enters(copied):
    edit(
        copied,
        "outcomes/cement_leakage.csv",
        "pflugmacher2006_mm,BKP,post,levels,5,48",
        "pflugmacher2006_mm,BKP,post,levels,5,59",
    )
    with pytest.raises(EvidenceError, match="equally large"):
        included(copied)
    view = evidence_for(find_analysis(copied, LEAKAGE_BOUZA), copied)
    assert view.n.sum() == 650


def test_a_reported_row_without_a_count_is_out_with_a_reason(copied):
    edit(
        copied,
        "outcomes/cement_leakage.csv",
        "ribeirao_preto,BKP,post,levels,5,35",
        "ribeirao_preto,BKP,post,levels,,35",
    )
    view = evidence_for(find_analysis(copied, LEAKAGE), copied)
    assert view.excluded.set_index("study_id").loc["ribeirao_preto", "reason"] == "no count printed"


def test_a_row_without_a_denominator_is_out_with_a_reason(copied):
    edit(
        copied,
        "outcomes/cement_leakage.csv",
        "ribeirao_preto,BKP,post,levels,5,35",
        "ribeirao_preto,BKP,post,levels,5,",
    )
    view = evidence_for(find_analysis(copied, LEAKAGE), copied)
    assert view.excluded.set_index("study_id").loc["ribeirao_preto", "reason"] == "no denominator printed"


# --- the fingerprint ------------------------------------------------------------------------------


def test_digest_is_that_of_the_numbers(copied, evidence):
    def digest():
        return evidence_for(find_analysis(copied, LEAKAGE), copied).digest

    before = evidence[LEAKAGE].digest
    assert digest() == before
    edit(
        copied,
        "outcomes/cement_leakage.csv",
        "3 anterior cortex, 1 disc, 1 canal; none symptomatic",
        "another note",
    )
    edit(
        copied,
        "studies.csv",
        "ribeirao_preto,Ribeirão Preto,,Brazil",
        "ribeirao_preto,Ribeirão Preto,,Brasil",
    )
    assert digest() == before
    edit(
        copied,
        "outcomes/cement_leakage.csv",
        "ribeirao_preto,BKP,post,levels,5,35",
        "ribeirao_preto,BKP,post,levels,6,35",
    )
    changed = digest()
    assert changed != before
    edit(
        copied,
        "outcomes/cement_leakage.csv",
        "ribeirao_preto,BKP,post,levels,6,35",
        "ribeirao_preto,BKP,post,levels,5,36",
    )
    assert digest() not in (before, changed)


def test_digest_changes_with_the_count_tables(copied, evidence):
    edit(copied, "constraints/cement_leakage.toml", 'value = "6"', 'value = "5.8"')
    view = evidence_for(find_analysis(copied, LEAKAGE), copied)
    assert 0 < len(view.tables) < 20
    assert view.digest != evidence[LEAKAGE].digest


def test_all_analyses_have_their_own_digest(evidence):
    assert len({view.digest for view in evidence.values()}) == len(evidence)
