"""Mutants themselves: what is changed, that a wrong one is caught, and that explained ones still exist."""

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.mutation import explained
from tests.mutation.mutants import mutants, mutated, sample

ROOT = Path(__file__).resolve().parents[2]
SMALL = '''"""Words are left alone: 1 + 1."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

def mean(values: "Sequence[float]", flat: bool = True) -> float:
    """The mean, 0 or more."""
    total = 0.5
    if not values or -1 in values:
        raise ValueError(f"{1 + 1} values")
    for value, _ in zip(values, values, strict=True):
        total += value
    return max(total, 0) / len(values)
'''
SMALL_CHANGES = [
    "True → False",
    "0.5 → 1.0",
    "if not values or -1 in values → if not (not values or -1 in values)",
    "not values or -1 in values → not values and -1 in values",
    "not values → values",
    "-1 in values → -1 not in values",
    "-1 → 1",
    "1 → 2",
    "total += value → total -= value",
    "total += value → pass",
    "return max(total, 0) / len(values) → return None",
    "max(total, 0) / len(values) → max(total, 0) * len(values)",
    "max(total, 0) → min(total, 0)",
    "0 → 1",
]
# Of tau2.py: the first is wrong for two studies at -1 and 1, the second changes nothing there.
TRIED = """
from tests.mutation import trial
from tests.mutation.mutants import mutants

module = "kyphobayes.frequentist.tau2"
test = "tests/unit/frequentist/test_tau2.py::test_two_studies_by_hand[HE]"
every = mutants(trial.file_of(module).read_text("utf-8"))
for change in {changes!r}:
    mutant = next(mutant for mutant in every if mutant.change == change)
    print(trial.tried(module, mutant, [test], 60))
"""


def test_operators_constants_conditions_and_returned_values_are_changed_and_words_are_not():
    assert Counter(mutant.change for mutant in mutants(SMALL)) == Counter(SMALL_CHANGES)
    assert next(mutant for mutant in mutants(SMALL) if mutant.change == "0.5 → 1.0").text == "total = 0.5"


def test_a_sample_depends_on_its_seed_alone():
    drawn = [mutant.change for mutant in sample(SMALL, 5, "0")]
    assert drawn == [mutant.change for mutant in sample(SMALL, 5, "0")] and len(drawn) == 5
    assert drawn != [mutant.change for mutant in sample(SMALL, 5, "1")]
    assert len(sample(SMALL, 100, "0")) == len(SMALL_CHANGES)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="every mutant is tried in a fork")
def test_a_wrong_mutant_is_killed_and_a_harmless_one_survives():
    changes = [
        "studies.q(w) - trace_ps(w, studies.v) → studies.q(w) + trace_ps(w, studies.v)",
        "1e-09 → 2e-09",
    ]
    ran = subprocess.run(
        [sys.executable, "-c", TRIED.format(changes=changes)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stdout.split(), ran.stderr) == (0, ["killed", "survived"], "")


@pytest.mark.parametrize("module", sorted({row["module"] for row in explained.rows()}))
def test_what_is_explained_is_still_there(module):
    possible = {(mutant.text, mutant.change) for mutant in mutants((ROOT / module).read_text("utf-8"))}
    rows = [row for row in explained.rows() if row["module"] == module]
    assert [row for row in rows if (row["line"], row["change"]) not in possible] == []
    assert all(len(row["reason"]) > 10 for row in rows)


def test_every_mutant_is_code():
    for mutant in mutants(SMALL):
        compile(mutated(SMALL, mutant), "small", "exec")
        assert ast.unparse(mutated(SMALL, mutant)) != ast.unparse(ast.parse(SMALL))
