"""Bad input that people think of: each by its name, with the sentence that it gets."""

import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from kyphobayes import exact
from kyphobayes.audit import lint
from kyphobayes.errors import EvidenceError, InputError, KyphobayesError
from kyphobayes.evidence.plan import check_file_name
from kyphobayes.explorer.page import Words, explorer_page
from kyphobayes.files import write
from kyphobayes.natural_scale import natural_scale
from kyphobayes.own_data import read_own_data
from kyphobayes.own_data.effect_table import effect_table
from kyphobayes.priors import Priors
from tests.fuzz.answers import a_posterior, warm
from tests.fuzz.cases import Case
from tests.fuzz.judge import Broken, judge

GIGABYTE = 1_000_000_000


@pytest.fixture
def table(tmp_path):
    def written(*rows, head="study,events,n"):
        path = tmp_path / "mine.csv"
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return path

    return written


# -- studies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["A,5,4", "B,1,9"], "row 2, column B (events): expected at most n = 4 events, found '5'"),
        (["A,-1,4"], "expected a whole number of 0 or more, found '-1'"),
        (["A,1,-4"], "column C (n): expected a whole number of 0 or more, found '-4'"),
        (["A,0,0"], "column C (n): expected 1 or more, found '0'"),
        (["A,1.5,4"], "expected a whole number of 0 or more, found '1.5'"),
        (["A,inf,4"], "an infinite value says nothing"),
        (["A,1e400,4"], "expected a finite number"),
        (["A,1e15,1e15"], "expected 0, or a size from 1 to 1e+12, found '1e15'"),
        (["A,NaN,4"], "no events; expected numbers in every row"),
        (["A,1,4", "A,2,5"], "row 2 and row 3: expected every study once, found 'A' twice"),
        ([], "expected one row per study below the header, found none"),
        (["A,five,4"], "expected a number, found 'five'"),
        (["A,٥,9"], "expected a number, found '٥'"),
    ],
)
def test_what_no_study_can_be(table, rows, words):
    with pytest.raises(EvidenceError) as refused:
        read_own_data(table(*rows), {"events": "events", "n": "n", "study": "study"})
    assert words in str(refused.value)


def test_one_study_is_answered(sandbox):
    warm()
    judge(Case("solved", {"mine.csv": b"study,events,n\nA,0,20\n"}), a_posterior, sandbox, 20.0)


@pytest.mark.parametrize(
    "name", ["Müller 2004", "山田", "Ω-1", "أحمد", "e\u0301", "👩‍⚕️", "=HYPERLINK(1)", "../../x"]
)
def test_a_study_may_be_called_anything(table, name):
    found = read_own_data(table(f'"{name}",1,9', "B,2,20"))
    assert found.evidence.labels == (name, "B")


@pytest.mark.parametrize("number", [5_001, 100_000])
def test_too_many_studies_are_refused_at_once(table, number):
    began = time.process_time()
    with pytest.raises(EvidenceError, match="at most 5000"):
        read_own_data(table(*(f"s{i},1,20" for i in range(number))))
    many = pd.DataFrame({"study": np.arange(number).astype(str), "events": 1, "n": 20})
    with pytest.raises(EvidenceError, match="at most 5000"):
        read_own_data(many)
    rows = (f"s{i},20,3.45,1" for i in range(max(number, 10_001)))
    with pytest.raises(EvidenceError, match="at most 10,000 rows"):
        lint(table(*rows, head="study,n,mean,items"))
    assert time.process_time() - began < 5


def test_five_thousand_studies_are_answered_by_their_effects(table):
    found, _ = effect_table(table(*(f"s{i},{i % 20},20" for i in range(5_000))), "PLO")
    assert len(found) == 5_000 and np.isfinite(found["y"]).all()


# -- names that become files, and text that would become code -----------------------------------------------


@pytest.mark.parametrize(
    "name", ["../../x", "/tmp/x", "..", "", "a/b", "a\\b", "C:", "a\0b", "x" * 61, "a\n"]
)
def test_a_name_that_is_a_path_is_refused(name):
    with pytest.raises(EvidenceError, match="by which files can be called"):
        check_file_name("analyses.toml", name)


@pytest.mark.parametrize("name", ["cement_leakage", "leaks-2", "größe", "2024"])
def test_a_plain_name_is_not(name):
    check_file_name("analyses.toml", name)


def test_a_study_is_no_script_in_the_explorer():
    name = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    surface = exact.binomial([0, 5, 4], [32, 35, 19], labels=[name, "B", "C"])
    page = explorer_page(
        surface,
        {name: Priors.of("main", mu="Normal(mu=-2, sigma=2)", tau="HalfNormal(sigma=1)")},
        natural_scale("PLO", unit="levels"),
        Words(name, name, name, name, ()),
    )
    assert "<script>alert" not in page and "<img src=x" not in page


def test_a_path_with_nul_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        write(tmp_path / "a\0b", "text")


# -- what a message quotes ----------------------------------------------------------------------------------


def test_a_message_is_one_line_that_no_terminal_obeys():
    said = str(KyphobayesError("found 'a\nb\x1b[2J\u202ec\ud83d'; mend it"))
    assert said == "found 'a b\\x1b[2J\\u202ec\\ud83d'; mend it"


def test_a_message_keeps_its_beginning_and_its_end():
    said = str(KyphobayesError(f"line 3: expected a number, found {'9' * 1_000_000}; mend the cell"))
    assert said.startswith("line 3: expected a number, found 999") and said.endswith("999; mend the cell")
    assert " … " in said and len(said) < 2_000


# -- two hundred megabytes ----------------------------------------------------------------------------------

_READERS = """
import pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))
from kyphobayes.cli import main
for words in (["fit", "big.csv"], ["effect-sizes", "big.csv", "--measure", "PLO"], ["lint", "big.csv"],
              ["new", "review", "--from", "big.csv"], ["reconstruct", "big.csv"]):
    try:
        main(words)
    except SystemExit as left:
        print(words[0], left.code)
status = pathlib.Path("/proc/self/status")
if status.is_file():  # of this program alone: the other figure begins with that of who started it
    print(1024 * int(status.read_text().partition("VmHWM:")[2].split()[0]))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def test_two_hundred_megabytes_are_refused_in_little_memory(tmp_path):
    block = b"study,events,n\n" + b"A study of some year,1,20\n" * 40_000
    with (tmp_path / "big.csv").open("wb") as file:
        for _ in range(200_000_000 // len(block) + 1):
            file.write(block)
    done = subprocess.run(
        [sys.executable, "-c", _READERS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    (tmp_path / "big.csv").unlink()
    *codes, memory = done.stdout.split("\n")[:-1]
    assert codes == ["fit 2", "effect-sizes 2", "lint 2", "new 2", "reconstruct 2"], done.stderr[-2000:]
    assert done.stderr.count("error: ") == 5 and "Traceback" not in done.stderr
    assert int(memory) < GIGABYTE


# -- the judge itself ---------------------------------------------------------------------------------------


def _writes(case, sandbox):
    (sandbox / "beside.txt").write_text("x")


def _far(case, sandbox):
    (sandbox.parents[2] / "far.txt").write_text("x")


def _runs(case, sandbox):
    os.system("true")


def _hangs(case, sandbox):
    while True:
        pass


def _fails(case, sandbox):
    raise KeyError("x")


def _says_nothing(case, sandbox):
    raise InputError("")


def _warns(case, sandbox):
    np.float64(1e308) * 10


@pytest.mark.parametrize("run", [_writes, _far, _runs, _hangs, _fails, _says_nothing, _warns])
def test_the_judge_sees_what_no_input_may_do(sandbox, run):
    with pytest.raises(Broken):
        judge(Case("prior"), run, sandbox, seconds=0.2)
    for left in (sandbox / "beside.txt", sandbox.parents[2] / "far.txt"):
        left.unlink(missing_ok=True)


def test_what_is_written_into_out_is_allowed_and_cleared_away(sandbox):
    judge(Case("prior"), lambda case, place: write(place / "out" / "a" / "b.txt", "x"), sandbox)
    assert not list((sandbox / "out").iterdir())


def test_memory_is_measured(sandbox, monkeypatch):
    monkeypatch.setattr("tests.fuzz.judge.peak", iter([1, 2 * GIGABYTE]).__next__)
    with pytest.raises(Broken, match="GB more"):
        judge(Case("prior"), lambda case, place: None, sandbox)
