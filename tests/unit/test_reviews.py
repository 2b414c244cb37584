"""A folder for a review of one's own: made whole or not at all, and taken by every command as it is."""

import csv
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import Contrasts, Counts, Rates, evidence_for, read_plan, read_priors, read_table
from kyphobayes.evidence.tables import describe
from kyphobayes.model import load_model
from kyphobayes.pooling import fit
from kyphobayes.project import Project
from kyphobayes.report import write_report
from kyphobayes.reviews import KINDS, new_review
from kyphobayes.reviews.own_table import identifiers
from kyphobayes.run import run_analysis

VIEWS = {"counts": Counts, "contrasts": Contrasts, "rates": Rates}


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# --- the folder ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KINDS, "all"])
def test_what_is_in_it(kind, tmp_path):
    made = new_review(tmp_path / "mine", kind)
    kinds = KINDS if kind == "all" else (kind,)
    assert made.folder == tmp_path / "mine" and made.analyses == tuple(f"example_{each}" for each in kinds)
    assert files_of(made.folder) == {
        ".gitignore",
        "Makefile",
        "README.md",
        "data/analyses.toml",
        "data/datapackage.json",
        "data/sources.csv",
        "data/studies.csv",
        *(f"data/outcomes/example_{each}.csv" for each in kinds),
        *(f"data/priors/{name}.toml" for name in ("sceptical", "vague", "weakly_informative")),
    }
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]  # nothing is left beside it


@pytest.mark.parametrize("kind", KINDS)
def test_every_invented_row_says_that_it_is(kind, tmp_path):
    folder = new_review(tmp_path / "mine", kind).folder
    for name in ("studies.csv", f"outcomes/example_{kind}.csv"):
        with (folder / "data" / name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 6 and all(row["note"].startswith("INVENTED") for row in rows)
    view = evidence_for(next(iter(read_plan(Project(folder)).values())), Project(folder))
    assert all(label.startswith("Invented") for label in view.labels)
    assert set(view.rows["citation"]) == {"Invented for an example; no study stands behind these numbers"}
    plan = (folder / "data/analyses.toml").read_text(encoding="utf-8")
    assert "(invented numbers)" in plan and "numbers of this example are invented" in plan
    assert "is invented**" in (folder / "README.md").read_text(encoding="utf-8")


def test_every_name_in_the_readme_exists(tmp_path):
    folder = new_review(tmp_path / "mine", "all").folder
    readme = (folder / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(data/[a-z_/]+\.(?:csv|toml|json))`", readme))
    assert len(named) == 7 and all((folder / name).is_file() for name in named)
    assert "fit example_counts" in readme and "$" not in readme


def test_the_priors_of_every_set_are_read_for_every_measure_they_compare(tmp_path):
    project = Project(new_review(tmp_path / "mine", "all").folder)
    for analysis in read_plan(project).values():
        measure = evidence_for(analysis, project).measure
        for label in analysis.compare:
            priors = read_priors(project, label, analysis, measure)
            assert set(priors) == {"mu", "tau"} and all(prior.proper for prior in priors.values())
    for path in describe(project):
        assert len(read_table(project, path)) > 0


# --- refusals --------------------------------------------------------------------------------------------


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a new or an empty folder, found a folder that holds"):
        new_review(tmp_path / "mine")
    assert files_of(tmp_path) == {"mine/thesis.txt"}
    with pytest.raises(InputError, match="found a file"):
        new_review(tmp_path / "mine" / "thesis.txt")


def test_an_empty_folder_is_filled_and_its_parents_are_made(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "README.md" in files_of(new_review(tmp_path / "empty").folder)
    assert "README.md" in files_of(new_review(tmp_path / "deep" / "er").folder)


def test_nothing_is_left_where_writing_fails(tmp_path, monkeypatch):
    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(InputError, match="No space left on device; choose another place"):
        new_review(tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="found 'count'; did you mean 'counts'"):
        new_review(tmp_path / "mine", "count")
    assert list(tmp_path.iterdir()) == []


# --- its project runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_is_written_as_it_is(kind, tmp_path):
    project = Project(new_review(tmp_path / "mine", kind).folder)
    (analysis,) = read_plan(project).values()
    result = run_analysis(analysis, project, engines=("exact",))
    assert isinstance(result.evidence, VIEWS[kind])
    assert [check.name for check in result.checks if not check.passed] == []
    exact = result.fit["quadrature"].dataset["summary"].sel(quantity="mu", statistic="median")
    median = result.main.estimates.loc["typical", "median"]
    np.testing.assert_allclose(median, result.scale.natural(float(exact)), rtol=1e-9)
    low, high = {"counts": (0.05, 0.2), "contrasts": (0.5, 0.9), "rates": (3, 12)}[kind]
    assert low < median < high
    page = write_report([result], tmp_path / "out", project=project).read_text(encoding="utf-8")
    assert analysis.title in page and "Invented A" in page


def test_a_column_and_a_model_of_ones_own_are_found(tmp_path):
    project = Project(new_review(tmp_path / "mine").folder)
    path = project.data / "outcomes/example_counts.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False).assign(age="61")
    table[["age", *table.columns[:-1]]].to_csv(path, index=False)
    (analysis,) = read_plan(project).values()
    assert evidence_for(analysis, project).k == 6
    assert list(read_table(project, "outcomes/example_counts.csv")["age"]) == ["61"] * 6
    project.models.mkdir()
    own = load_model("binomial_normal").path.read_text(encoding="utf-8")
    (project.models / "mine.py").write_text(own, encoding="utf-8")
    assert load_model("mine", project).path.parent == project.models
    assert load_model("binomial_normal", project).path.parent != project.models


# --- from a table of one's own ---------------------------------------------------------------------------


def made_from(tmp_path, text, name="my table.csv", **given):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    made = new_review(tmp_path / "mine", table=path, **given)
    project = Project(made.folder)
    (analysis,) = read_plan(project).values()
    return made, project, analysis, evidence_for(analysis, project)


def test_counts_of_ones_own(tmp_path):
    text = 'author,year,leaks,levels\n"Müller ""<b>"", Jr",2001,3,42\nLane,2004,0,25\nLane,2006,7,61\n'
    made, project, analysis, view = made_from(tmp_path, text)
    assert made.analyses == ("my_table",) and analysis.unit == "levels" and analysis.event == "leaks"
    assert "events = leaks" in made.said[0]
    assert isinstance(view, Counts) and list(view.events) == [3, 0, 7] and list(view.n) == [42, 25, 61]
    assert view.labels == ('Müller "<b>", Jr 2001', "Lane 2004", "Lane 2006")
    assert set(view.rows["citation"]) == {"my table.csv, a table of our own"}
    assert "my table.csv" in (made.folder / "README.md").read_text(encoding="utf-8")
    result = run_analysis(analysis, project, engines=("exact",))
    assert [check.name for check in result.checks if not check.passed] == []


def test_estimates_keep_every_digit_and_their_measure(tmp_path):
    text = "study,yi,sei\nA,-0.1234567890123,0.11\nB,0.25,0.0987654321098\n"
    _, project, analysis, view = made_from(tmp_path, text, measure="SMD")
    assert isinstance(view, Contrasts) and view.measure == "SMD" and analysis.decision.below == 0
    assert list(view.y) == [-0.1234567890123, 0.25] and list(view.se) == [0.11, 0.0987654321098]
    assert str(read_priors(project, "sceptical", analysis, "SMD")["mu"]) == "Normal(mu=0, sigma=0.3)"


def test_a_review_of_ones_own_table_answers_as_fit_does(tmp_path):
    text = "study,y,se\nA,-3.2,1.1\nB,-1.5,0.9\n"
    made, project, analysis, _ = made_from(tmp_path, text, measure="MD")
    asked = fit({"study": ["A", "B"], "y": [-3.2, -1.5], "se": [1.1, 0.9]}, measure="MD")
    assert analysis.compare == tuple(asked.compared)
    for label, priors in asked.compared.items():
        assert read_priors(project, label, analysis, "MD").texts() == priors.texts()
    assert analysis.decision.below == asked.analysis.decision.below
    answer = run_analysis(analysis, project, engines=("exact",), compare=False)
    assert answer.main.estimates.equals(asked.main.estimates)
    rows = tomllib.loads((made.folder / "data/priors/vague.toml").read_text(encoding="utf-8"))["my_table"]
    assert "Scaled by the spread of the estimates" in rows["mu"]["why"] and rows["mu"]["source"]


def test_counts_that_follow_from_percentages_in_several_ways_are_refused(tmp_path):
    with pytest.raises(EvidenceError, match="follows from its percentage only within a range"):
        new_review(tmp_path / "review", table=Path(__file__).parent / "own_data/tables/percentages.csv")


def test_rates_of_ones_own(tmp_path):
    _, _, analysis, view = made_from(tmp_path, "study,events,patient-years\nA,3,42.5\nB,0,18\n")
    assert isinstance(view, Rates) and list(view.exposure) == [42.5, 18] and view.unit == "patient-years"
    assert analysis.per == view.per == 100


def test_another_kind_than_asked_for_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match=r"my table.csv: expected counts, found contrasts"):
        made_from(tmp_path, "study,y,se\nA,-3.2,1.1\nB,-1.5,0.9\n", kind="counts")
    assert not (tmp_path / "mine").exists()


def test_identifiers_are_plain_and_differ():
    labels = ["Müller 2001", "Muller, 2001", "2001 Ω", "Ω", "=cmd()|x", "Ω "]
    assert identifiers(labels) == ["muller_2001", "muller_2001_2", "t_2001", "study", "cmd_x", "study_2"]


# --- the command -----------------------------------------------------------------------------------------


def test_the_command_makes_it_and_the_others_find_it(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, _ = call("new", "my review", "--kind", "contrasts")
    assert code == 0 and "cd 'my review'" in printed and "invented" in printed
    assert call("new", "my review")[0] == 2
    listed = call("list", "--json", "--project", "my review")
    monkeypatch.chdir(tmp_path / "my review" / "data")
    assert call("list", "--json") == listed
    assert list(json.loads(listed[1])["analyses"]) == ["example_contrasts"]
    out = tmp_path / "out"
    code, printed, _ = call("fit", "example_contrasts", "--engine", "exact", "--out", out, "--json")
    assert code == 0 and json.loads(printed)["scale"]["measure"] == "OR"


def test_the_command_says_how_a_table_was_read(call, tmp_path):
    (tmp_path / "t.csv").write_text("study,xi,ni\nA,3,42\nB,0,18\n", encoding="utf-8")
    code, printed, _ = call("new", tmp_path / "mine", "--from", tmp_path / "t.csv")
    assert code == 0 and "read as counts: events = xi, n = ni" in printed
    code, _, aside = call("new", tmp_path / "other", "--from", tmp_path / "no.csv")
    assert code == 2 and "no.csv" in aside and not (tmp_path / "other").exists()
