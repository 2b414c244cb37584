"""`kyphobayes coverage`, and its figure."""

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.markers import CARETDOWNBASE
from scipy import special

import kyphobayes.coverage as package
from kyphobayes.coverage import Cell, Pair
from kyphobayes.errors import InputError
from kyphobayes.project import Project
from kyphobayes.report.figures.coverage import NEXT, TYPICAL, coverage

PAIR = Pair("weakly_informative × vague", "Normal(mu=-2.5, sigma=1.5)", "HalfCauchy(beta=2.5)")


@pytest.fixture
def two_cells(monkeypatch):
    """In place of the plan's cells and the crossed ones: one of each, both small."""
    own = Cell("cement_leakage", (10, 8, 12), -1.0, 0.5, (PAIR,))
    general = Cell("k3-n20-tau0-rate20", (9, 9, 9), float(special.logit(0.2)), 0.0, (PAIR,))
    monkeypatch.setattr(package, "own_cells", lambda project: [own])
    monkeypatch.setattr(package, "crossed_cells", lambda project, ks: [general])


def test_writes_table_and_figure_and_prints_both_kinds_of_cells(call, tmp_path, two_cells):
    out = tmp_path / "new"
    code, said, progress = call("coverage", "--n", 30, "--out", out, "--workers", 1)
    assert code == 0 and "2 of 2 jobs finished" in progress
    assert {path.name for path in out.iterdir() if path.suffix} == {
        "coverage.csv", "coverage.svg", "coverage.png",
    }  # fmt: skip
    words = " ".join(said.split())
    assert "cement_leakage: 3 studies of 10 on average, typical rate 26.9 %, tau 0.5; 30 tables" in words
    assert "exact: weakly informative × vague" in said and "Next centre: lowest and highest coverage" in said
    table = pd.read_csv(out / "coverage.csv", keep_default_na=False, na_values=[""])
    assert (
        set(table["cell"]) == {"cement_leakage", "k3-n20-tau0-rate20"} and (table["replications"] == 30).all()
    )
    again, text, _ = call(
        "coverage", "--n", 30, "--out", out, "--workers", 1, "--json", "--cell", "cement_leakage"
    )
    rows = json.loads(text)["rows"]
    assert again == 0 and {row["cell"] for row in rows} == {"cement_leakage"}
    assert rows[0]["coverage"] == pytest.approx(table["coverage"].iloc[0], rel=1e-5)


def test_only_the_own_cells(call, tmp_path, two_cells):
    code, said, _ = call("coverage", "--own", "--n", 20, "--out", tmp_path, "--workers", 1)
    assert code == 0 and "cement_leakage: " in said and "lowest and highest" not in said
    assert not (tmp_path / "coverage.svg").exists()


def test_one_cell_is_computed_and_no_other(call, tmp_path, two_cells):
    name = "k3-n20-tau0-rate20"
    code, said, _ = call("coverage", "--cell", name, "--n", 20, "--out", tmp_path, "--workers", 1)
    assert code == 0 and f"{name}: 3 studies of 9" in said and "cement_leakage" not in said
    assert len(list((tmp_path / "cells").iterdir())) == 1
    code, _, said = call("coverage", "--cell", "k3-n20-tau0-rate2", "--out", tmp_path / "none")
    assert code == 2 and f"did you mean {name}?" in said and not (tmp_path / "none").exists()


def test_the_study_that_comes_with_the_package_has_every_cell(call, project):
    code, text, _ = call("coverage", "--shipped", "--json")
    shipped = pd.DataFrame(json.loads(text)["rows"])
    wanted = {cell.name for cell in [*package.own_cells(project), *package.crossed_cells(project)]}
    assert code == 0 and set(shipped["cell"]) == wanted
    assert shipped["replications"].min() >= 2000


def test_what_cannot_be_shown_is_one_sentence(call, monkeypatch, tmp_path):
    code, _, said = call("coverage", "--shipped", "--cell", "cement_leekage")
    assert code == 2 and "did you mean cement_leakage?" in said
    assert call("coverage", "--n", 1)[0] == 2 and call("coverage", "--k", 2)[0] == 2
    (tmp_path / "data").mkdir()
    monkeypatch.setattr("kyphobayes.coverage.summary.default_project", lambda: Project(tmp_path))
    code, _, said = call("coverage", "--shipped")
    assert code == 2 and "expected the coverage study that comes with the package" in said


def made(coverage_of):
    rows = [
        {"cell": f"k{k}-n20-tau0-rate{100 * rate:g}", "k": k, "n": 20.0, "tau": 0.0, "rate": rate,
         "replications": 2000, "quantity": quantity, "method": method, "coverage": coverage_of(k, method)}
        for k in (3, 20) for rate in (0.01, 0.2)
        for quantity, methods in (("typical", TYPICAL), ("next", NEXT)) for method in methods
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_figure_has_a_mark_for_every_method_and_one_at_the_edge_for_what_lies_below():
    figure = coverage(made(lambda k, method: 0.2 if method == "log odds, DL, Wald" and k == 20 else 0.9))
    typical = figure.axes[0]
    marked = [line for line in typical.lines if line.get_marker() not in ("None", "", CARETDOWNBASE)]
    shown = [line for line in marked if len(np.asarray(line.get_xdata()))]
    assert len(shown) == 2 * len(TYPICAL) - 1  # of two k, but one lies below the panel
    below = [line for line in typical.lines if line.get_marker() == CARETDOWNBASE and len(line.get_xdata())]
    assert len(below) == 1 and len(below[0].get_xdata()) == 2
    with pytest.raises(InputError, match="crossed design"):
        coverage(made(lambda k, method: 0.9).assign(cell="cement_leakage"))
