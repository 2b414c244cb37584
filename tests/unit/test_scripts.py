"""Every script is short, says what it is for, and runs from any folder without a warning."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
PRINTED = ROOT / "docs" / "how-to" / "output"
LONGEST = 60  # lines

by_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)


def test_there_are_scripts():
    assert {"compare_priors", "own_counts", "reconstruct_leaks"} <= {script.stem for script in SCRIPTS}


@by_script
def test_script_is_short_and_says_how_it_is_run(script):
    text = script.read_text("utf-8")
    assert len(text.splitlines()) < LONGEST
    doc = ast.get_docstring(ast.parse(text)) or ""
    assert doc.partition("\n")[0].endswith((".", "?")) or len(doc.partition("\n")[0]) > 20
    assert f"python scripts/{script.name}" in doc


@by_script
def test_script_runs_without_a_warning(script, tmp_path):
    # PYTHONWARNINGS would also reach processes that a script starts; -W error is for its own.
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == "" and len(ran.stdout.splitlines()) >= 3
    assert list(tmp_path.iterdir()) == []
    shown = PRINTED / f"{script.stem}.txt"  # `python docs/outputs.py` makes it anew
    assert [line.rstrip() for line in ran.stdout.splitlines()] == shown.read_text("utf-8").splitlines()
