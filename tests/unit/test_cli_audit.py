"""The commands audit and lint as a user meets them, and the example of their page."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS", "1"))
    monkeypatch.setenv("COLUMNS", "150")


def block(kind):
    return re.search(rf"```{kind}\n(.*?)```", PAGE, re.S)[1]


def test_audit_prints_findings_first_and_leaves_with_0(call):
    code, printed, _ = call("audit", "ribeirao_preto")
    assert code == 0
    heads = [
        printed.index(head)
        for head in ("Not reproduced (", "Reproduced under", "Reproduced to", "Not checkable (")
    ]
    assert heads == sorted(heads)
    assert "24/35 = 68.57 %, printed 67 %" in printed
    assert "Bouza" not in printed


def test_audit_as_json(call):
    code, printed, aside = call("audit", "reviews", "--json")
    content = json.loads(printed)
    assert (code, aside) == (0, "")
    assert sum(content["counts"].values()) == len(content["claims"])
    assert {claim["paper"] for claim in content["claims"]} == {"reviews"}


def test_audit_writes_its_list(call, tmp_path):
    code, printed, _ = call("audit", "ribeirao_preto", "--out", tmp_path / "new")
    table = pd.read_csv(tmp_path / "new" / "audit.csv", dtype=str)
    assert code == 0 and "audit.csv" in printed
    columns = "paper figure_id part printed recomputed verdict reading arithmetic missing locator"
    assert list(table) == columns.split()


def test_an_unknown_paper_is_one_sentence_and_2(call, tmp_path):
    code, printed, aside = call("audit", "nobody2020", "--out", tmp_path)
    assert (code, printed) == (2, "")
    assert "no paper 'nobody2020'" in aside
    assert list(tmp_path.iterdir()) == []


def test_the_example_of_the_page_is_linted(call, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(block("csv"), encoding="utf-8")
    code, printed, _ = call("lint", path)
    assert code == 1
    printed = " ".join(printed.split())  # whatever the width of the screen
    assert "5.19 × 28 = 145.32" in printed and "24/35 = 68.57 %, printed 67 %" in printed
    code, printed, _ = call("lint", path, "--json", "--out", tmp_path / "answers.csv")
    content = json.loads(printed)
    assert code == 1 and not content["consistent"]
    wrong = {(row["study"], row["test"]) for row in content["tests"] if row["verdict"] == "inconsistent"}
    assert wrong == {
        ("Score A", "GRIM"), ("Score A", "GRIMMER"), ("Score B", "GRIMMER"), ("Score B", "SD on the scale"),
        ("Levels", "percentage"), ("Pain", "CI around the estimate"), ("Angle", "p against CI"),
    }  # fmt: skip
    assert len(pd.read_csv(tmp_path / "answers.csv")) == len(content["tests"])


def test_a_consistent_file_leaves_with_0(call, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("n,percent\n36,67\n", encoding="utf-8")
    code, printed, aside = call("lint", path)
    assert (code, aside) == (0, "")
    assert "1 test: 0 inconsistent, 0 suspect" in printed


def test_a_bad_cell_is_one_sentence_and_2(call, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("n,percent\n36,sixty\n", encoding="utf-8")
    code, printed, aside = call("lint", path, "--out", tmp_path / "answers.csv")
    assert (code, printed) == (2, "")
    assert "line 2, column percent" in aside
    assert not (tmp_path / "answers.csv").exists()


def test_the_python_of_the_page_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", block("python")],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    assert "neither prints as 5.19" in done.stdout and "[36]" in done.stdout
    assert "all " in done.stdout
