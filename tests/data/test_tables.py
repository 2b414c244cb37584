"""The tables of data/: their form, their sources, and what the two background papers say about them."""

import csv
import json
import re
import statistics
from collections import Counter
from pathlib import Path

import pytest

from kyphobayes.evidence import read_thresholds
from kyphobayes.project import default_project

DATA = Path(__file__).resolve().parents[2] / "data"
PACKAGE = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))
RESOURCES = {r["path"]: r for r in PACKAGE["resources"]}
PATHS = sorted(RESOURCES)
WITH_SOURCE = [p for p in PATHS if p != "sources.csv"]
BY_STUDY = [p for p in WITH_SOURCE if any(f["name"] == "study_id" for f in RESOURCES[p]["schema"]["fields"])]
PUBLISHED = [p for p in PATHS if p.startswith("published/")]
COUNTS = [p for p in PATHS if any(f["name"] == "events" for f in RESOURCES[p]["schema"]["fields"])]
CONTINUOUS = [p for p in PATHS if any(f["name"] == "range_low" for f in RESOURCES[p]["schema"]["fields"])]
STATUS = {"reported", "derived", "latent"}
BKP = "BKP"


def read(path: str) -> list[dict[str, str]]:
    with (DATA / path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def column(path: str, name: str) -> list[str]:
    return [row[name] for row in read(path)]


def figures(path: str) -> dict[str, dict[str, str]]:
    return {row["figure_id"]: row for row in read(path)}


SEVEN = [row["study_id"] for row in read("studies.csv") if row["in_bouza2009"] == "yes"]
SERIES = "ribeirao_preto"
PATIENTS = "patients/ribeirao_preto_patients.csv"
VERTEBRAE = "patients/ribeirao_preto_vertebrae.csv"
BOUZA = "published/bouza2009.csv"
PRINTED = f"published/{SERIES}.csv"


# --- form -----------------------------------------------------------------------------------------


def test_package_lists_exactly_the_tables_that_exist():
    on_disk = {p.relative_to(DATA).as_posix() for p in DATA.rglob("*.csv")}
    assert on_disk == set(PATHS)
    assert len({r["name"] for r in PACKAGE["resources"]}) == len(PACKAGE["resources"]) == len(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_file_is_plain_utf8_with_the_columns_of_its_schema(path):
    raw = (DATA / path).read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    names = [f["name"] for f in RESOURCES[path]["schema"]["fields"]]
    rows = list(csv.reader(raw.decode("utf-8").splitlines(), strict=True))
    assert rows[0] == names
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(names)}
    assert all(cell == cell.strip() for row in rows for cell in row)


@pytest.mark.parametrize("path", PATHS)
def test_every_field_is_described_and_every_value_obeys_it(path):
    rows = read(path)
    for field in RESOURCES[path]["schema"]["fields"]:
        assert len(field["description"]) > 3
        rule, name = field.get("constraints", {}), field["name"]
        values = [row[name] for row in rows]
        if rule.get("required"):
            assert all(values), f"{name} is empty somewhere"
        filled = [v for v in values if v]
        if "enum" in rule:
            assert set(filled) <= set(rule["enum"]), name
        if rule.get("unique"):
            assert len(set(filled)) == len(filled), name
        if field["type"] == "integer":
            assert all(re.fullmatch(r"-?\d+", v) for v in filled), name
        if field["type"] == "number":
            assert all(re.fullmatch(r"-?\d+(\.\d+)?", v) for v in filled), name
        if field["type"] in {"integer", "number"}:
            low, high = rule.get("minimum", float("-inf")), rule.get("maximum", float("inf"))
            assert all(low <= float(v) <= high for v in filled), name


@pytest.mark.parametrize("path", PATHS)
def test_primary_key_is_unique(path):
    key = RESOURCES[path]["schema"]["primaryKey"]
    count = Counter(tuple(row[k] for k in key) for row in read(path))
    assert [k for k, n in count.items() if n > 1] == []


@pytest.mark.parametrize("path", PATHS)
def test_foreign_keys_hold(path):
    target = {r["name"]: r["path"] for r in PACKAGE["resources"]}
    keys = RESOURCES[path]["schema"].get("foreignKeys", [])
    assert bool(keys) == (path != "sources.csv")
    for key in keys:
        known = set(column(target[key["reference"]["resource"]], key["reference"]["fields"]))
        assert set(column(path, key["fields"])) <= known


# --- provenance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WITH_SOURCE)
def test_every_row_has_a_status_a_source_and_a_locator(path):
    known = set(column("sources.csv", "source_id"))
    for row in read(path):
        assert row["status"] in STATUS, row
        assert row["source"] in known, row
        assert row["locator"], row
        assert row["status"] == "reported" or row["rule"], row


def test_every_source_is_used_and_can_be_found():
    used = {s for path in WITH_SOURCE for s in column(path, "source")}
    used |= {threshold.source for threshold in read_thresholds(default_project()).values()}
    for row in read("sources.csv"):
        assert row["source_id"] in used, row
        assert row["citation"]
        assert row["url"].startswith("http") or row["source_id"] == SERIES
    assert {r["source_id"] for r in read("sources.csv") if r["read_as"] == "full_text"} == {
        "bouza2009",
        SERIES,
    }


@pytest.mark.parametrize("path", BY_STUDY)
def test_every_study_is_known(path):
    assert set(column(path, "study_id")) <= set(column("studies.csv", "study_id"))


@pytest.mark.parametrize("path", PUBLISHED)
def test_contributing_studies_are_known_and_counted(path):
    known = set(column("studies.csv", "study_id"))
    for row in read(path):
        studies = [s for s in row["studies"].split(";") if s]
        assert set(studies) <= known
        assert not studies or len(studies) == int(row["k"]), row["figure_id"]


def test_overlaps_are_symmetric():
    overlaps = {
        row["study_id"]: [s for s in row["overlaps_with"].split(";") if s] for row in read("studies.csv")
    }
    for study, others in overlaps.items():
        assert study not in others
        assert len(set(others)) == len(others)
        assert all(study in overlaps[other] for other in others), study


def test_the_seven_studies_do_not_overlap_each_other():
    assert all(
        not set(row["overlaps_with"].split(";")) & set(SEVEN)
        for row in read("studies.csv")
        if row["study_id"] in SEVEN
    )


@pytest.mark.parametrize("path", COUNTS)
def test_events_never_exceed_n(path):
    for row in read(path):
        if row["events"] and row["n"]:
            assert int(row["events"]) <= int(row["n"]), row


@pytest.mark.parametrize("path", CONTINUOUS)
def test_values_lie_inside_their_intervals(path):
    for row in read(path):
        value = row["mean"] or row["median"]
        for low, high in (("ci_low", "ci_high"), ("range_low", "range_high")):
            if row[low] and row[high]:
                assert float(row[low]) < float(row[high]), row
            if value and row[low]:
                assert float(row[low]) <= float(value), row
            if value and row[high]:
                assert float(value) <= float(row[high]), row


def test_only_the_unprinted_counts_of_bouza_are_latent():
    latent = {
        (path, row["study_id"]): row
        for path in WITH_SOURCE
        for row in read(path)
        if row["status"] == "latent"
    }
    leak, fracture = "outcomes/cement_leakage.csv", "outcomes/new_fracture.csv"
    both = {"lieberman2003", "pflugmacher2007_mm", "pflugmacher2008_met"}
    assert {s for p, s in latent if p == leak} == both | {"lane2004", "vrionis2005"}
    assert {s for p, s in latent if p == fracture} == both | {"kose2006"}
    arms = {row["study_id"]: row for row in read("arms.csv") if row["arm"] == BKP}
    for (path, study), row in latent.items():
        assert row["events"] == ""
        assert row["arm"] == BKP
        assert row["rule"] == f"constraints/{Path(path).stem}.toml"
        assert row["n"] == arms[study]["levels" if path == leak else "patients"]


@pytest.mark.parametrize("path", ["outcomes/cement_leakage.csv", "outcomes/new_fracture.csv"])
def test_every_other_count_is_printed(path):
    assert all(row["events"] for row in read(path) if row["status"] != "latent")


# --- Bouza 2009 -----------------------------------------------------------------------------------


def test_arms_of_the_seven_studies_sum_to_the_printed_totals():
    arms = [row for row in read("arms.csv") if row["study_id"] in SEVEN]
    bkp = [row for row in arms if row["arm"] == BKP]
    both = [row for row in arms if row["arm"] in {BKP, "VP"}]
    assert len(bkp) == 7
    assert (sum(int(r["patients"]) for r in bkp), sum(int(r["levels"]) for r in bkp)) == (256, 650)
    assert (sum(int(r["patients"]) for r in both), sum(int(r["levels"]) for r in both)) == (306, 741)
    printed = figures(BOUZA)
    assert (printed["patients_total"]["n"], printed["levels_total"]["n"]) == ("306", "741")


@pytest.mark.parametrize(
    ("figure", "unit"),
    [
        ("vas_post", "patients"),
        ("vas_last", "patients"),
        ("odi_post", "patients"),
        ("odi_under_6m", "patients"),
        ("odi_2y", "patients"),
        ("height_anterior_post", "levels"),
        ("height_midline_last", "levels"),
    ],
)
def test_denominators_of_table_3_are_the_sums_of_its_references(figure, unit):
    row = figures(BOUZA)[figure]
    size = {
        r["study_id"]: int(r[unit]) for r in read("arms.csv") if r["arm"] == BKP and r["study_id"] in SEVEN
    }
    assert sum(size[s] for s in row["studies"].split(";")) == int(row["n"])


def test_latent_fracture_patients_sum_to_the_printed_denominator():
    rows = [r for r in read("outcomes/new_fracture.csv") if r["status"] == "latent"]
    assert sum(int(r["n"]) for r in rows) == int(figures(BOUZA)["fracture_count"]["n"]) == 172


def test_two_denominators_of_table_3_contradict_their_references():
    size = {
        r["study_id"]: int(r["levels"])
        for r in read("arms.csv")
        if r["arm"] == BKP and r["study_id"] in SEVEN
    }
    printed = figures(BOUZA)
    cobb, height = printed["cobb_post"], printed["height_restored"]
    assert (sum(size[s] for s in cobb["studies"].split(";")), cobb["n"]) == (190, "180")
    assert (sum(size[s] for s in height["studies"].split(";")), height["n"]) == (318, "342")
    text = printed["height_restored_text"]["studies"].split(";")
    assert sum(size[s] for s in text) == 342


def test_table_3_is_complete_and_its_estimates_lie_between_the_bounds():
    lines = [r for r in read(BOUZA) if r["locator"] == "Table 3"]
    table = [r for r in lines if r["quantity"] == "pooled_effect"]
    assert (len(lines), len(table)) == (13, 12)  # one line only heads the heights in mm
    for row in table:
        bounds = sorted([float(row["ci_low"]), float(row["ci_high"])])
        assert bounds[0] < float(row["estimate"]) < bounds[1]
        assert row["i2"] != ""
        digits = re.sub(r"\s", "", row["printed"])
        assert all(row[c] in digits for c in ("estimate", "ci_low", "ci_high", "i2"))
    reversed_bounds = {r["figure_id"] for r in table if float(r["ci_low"]) > float(r["ci_high"])}
    assert reversed_bounds == {"odi_post", "odi_under_6m", "odi_2y", "cobb_post", "cobb_last"}


def test_leaks_of_bouza():
    rows = {(r["study_id"], r["arm"]): r for r in read("outcomes/cement_leakage.csv")}
    zero = {k: (r["events"], r["n"]) for k, r in rows.items() if k[0] in {"fourney2003", "kose2006"}}
    assert zero == {
        ("fourney2003", BKP): ("0", "32"),
        ("fourney2003", "VP"): ("6", "65"),
        ("kose2006", BKP): ("0", "22"),
        ("kose2006", "VP"): ("0", "26"),
    }
    printed = figures(BOUZA)
    assert printed["leak_count"]["events"] == "41"
    approximate = {"leak_pooled", "leak_pooled_discussion", "fracture_pooled", "fracture_pooled_discussion"}
    assert all(printed[f]["approximate"] == "yes" for f in approximate)


def test_designs_match_the_text():
    design = {r["study_id"]: r["design"] for r in read("studies.csv")}
    printed = figures(BOUZA)
    assert {s for s in SEVEN if design[s] == "retrospective"} == set(
        printed["leak_retrospective"]["studies"].split(";")
    )
    assert {s for s in SEVEN if design[s] == "prospective"} == set(
        printed["leak_prospective"]["studies"].split(";")
    )


def test_risk_of_bias_is_a_full_table():
    rows = read("risk_of_bias.csv")
    assert Counter(r["study_id"] for r in rows) == dict.fromkeys(SEVEN, 7)
    assert Counter(r["judgement"] for r in rows) == {"Yes": 38, "NR": 8, "No": 3}
    follow_up = [r for r in rows if r["item"] == "Follow-up >80%"]
    assert sum(r["judgement"] == "Yes" for r in follow_up) == 4  # "more than half"


# --- Ribeirão Preto -------------------------------------------------------------------------------


def test_series_has_22_patients_and_35_vertebrae():
    patients, vertebrae = read(PATIENTS), read(VERTEBRAE)
    assert [int(r["patient"]) for r in patients] == list(range(1, 23))
    assert len(vertebrae) == 35
    for row in patients:
        own = [v["vertebra"] for v in vertebrae if v["patient"] == row["patient"]]
        assert " ; ".join(own) == row["location_printed"]
        assert len(own) == int(row["n_levels"])
    arm = next(r for r in read("arms.csv") if r["study_id"] == SERIES)
    assert (arm["patients"], arm["levels"]) == ("22", "35")


@pytest.mark.parametrize(
    ("figure", "name"),
    [
        ("age_mean", "age"),
        ("follow_up_mean", "follow_up_months"),
        ("vas_pre_mean", "vas_pre"),
        ("vas_post_mean", "vas_post"),
    ],
)
def test_patients_reproduce_the_printed_mean_and_sd(figure, name):
    values = [int(v) for v in column(PATIENTS, name)]
    printed = figures(PRINTED)[figure]
    assert statistics.mean(values) == pytest.approx(float(printed["estimate"]), abs=0.005)
    assert statistics.stdev(values) == pytest.approx(float(printed["sd"]), abs=0.005)
    stem = figure.removesuffix("_mean")
    assert str(min(values)) == figures(PRINTED)[f"{stem}_min"]["estimate"]
    assert str(max(values)) == figures(PRINTED)[f"{stem}_max"]["estimate"]


def test_patients_reproduce_the_printed_change():
    change = [int(r["vas_pre"]) - int(r["vas_post"]) for r in read(PATIENTS)]
    printed = figures(PRINTED)["vas_change"]
    assert statistics.mean(change) == float(printed["estimate"])
    assert statistics.stdev(change) == pytest.approx(float(printed["sd"]), abs=0.005)


def test_sixteen_late_scores_do_not_give_the_printed_mean():
    rows = read(PATIENTS)
    late = [int(r["vas_late"]) for r in rows if r["vas_late"]]
    printed = float(figures(PRINTED)["vas_late_mean"]["estimate"])
    assert len(late) == 16
    assert (sum(late), printed) == (31, 1.92)
    assert round(statistics.mean(late), 2) != printed
    assert Counter(r["vas_late_missing"] for r in rows) == {"": 16, "P*": 3, "Death": 3}
    assert all(r["vas_late_printed"] == (r["vas_late"] or r["vas_late_missing"]) for r in rows)


def test_patients_reproduce_the_printed_counts():
    rows, printed = read(PATIENTS), figures(PRINTED)
    sex = Counter(r["sex"] for r in rows)
    assert (str(sex["M"]), str(sex["F"])) == (
        printed["male_count"]["events"],
        printed["female_count"]["events"],
    )
    dead = [r["patient"] for r in rows if r["death"] == "yes"]
    assert dead == ["5", "6", "8", "10"]
    assert printed["death_count"]["events"] == "4"
    group = Counter(r["diagnosis_group"] for r in rows)
    assert group == {"metastasis": 9, "myeloma": 8, "other": 3, "plasmacytoma": 2}
    fractures = [r["patient"] for r in rows if "racture" in r["complications_printed"]]
    assert fractures == ["15", "16"]
    count = next(r for r in read("outcomes/new_fracture.csv") if r["study_id"] == SERIES)
    assert (count["events"], count["n"]) == ("2", "22")


def test_vertebrae_reproduce_the_printed_regions():
    region = Counter(column(VERTEBRAE, "region"))
    printed = figures(PRINTED)
    assert region == {r: int(printed[f"{r}_count"]["events"]) for r in ("lumbar", "thoracic", "sacral")}
    assert round(100 * region["lumbar"] / 35) == 69  # printed as 67 %
    assert printed["lumbar_pct"]["estimate"] == "67"


def test_five_leaks_by_site():
    rows = read(VERTEBRAE)
    sites = {(r["patient"], r["leak_site"]) for r in rows if r["leak"] != "no"}
    assert Counter(site for _, site in sites) == {"anterior": 3, "disc": 1, "canal": 1}
    assert all(bool(r["leak_site"]) == (r["leak"] != "no") for r in rows)
    unplaced = [(r["patient"], r["vertebra"]) for r in rows if r["leak"].startswith("unknown")]
    assert unplaced == [("18", "T12"), ("18", "L1")]
    assert [r["vertebra"] for r in rows if r["patient"] == "7" and r["leak"] == "yes"] == ["S1"]
    leaking = {r["patient"] for r in read(PATIENTS) if "eakage" in r["complications_printed"]}
    assert leaking == {patient for patient, _ in sites}
    count = next(r for r in read("outcomes/cement_leakage.csv") if r["study_id"] == SERIES)
    assert (count["events"], count["n"], count["unit"]) == ("5", "35", "levels")


def test_kyphosis_is_a_number_or_says_why_not():
    rows = read(VERTEBRAE)
    for time in ("pre", "post"):
        for row in rows:
            value, missing = row[f"kyphosis_{time}"], row[f"kyphosis_{time}_missing"]
            assert bool(value) != bool(missing), row
            assert value in {"", row[f"kyphosis_{time}_printed"]}
    assert Counter(r["kyphosis_pre_missing"] for r in rows) == {
        "": 28,
        "unavailable": 4,
        "NA": 1,
        "not printed per vertebra": 2,
    }
    assert Counter(r["kyphosis_post_missing"] for r in rows) == {
        "": 32,
        "NA": 1,
        "not printed per vertebra": 2,
    }


@pytest.mark.parametrize(
    "row",
    [r for r in read(PRINTED) if r["quantity"] == "proportion" and r["events"]],
    ids=lambda r: r["figure_id"],
)
def test_printed_percentages_follow_from_their_counts(row):
    digits = len(row["estimate"].partition(".")[2])
    computed = f"{100 * int(row['events']) / int(row['n']):.{digits}f}"
    off = {"lumbar_pct": "69", "fracture_pct": "9.09"}  # printed as 67 and 9.10
    assert computed == off.get(row["figure_id"], row["estimate"])
