"""The commands `crosscheck`, `effect-sizes` and `elicit`, as a user types them."""

import csv
import io
import json

import numpy as np
import pytest
from scipy.special import expit

from kyphobayes.priors import Prior

NAME = "new_fracture_bouza_only"
TABLE = "study,events,n\nA,3,30\nB,0,20\nC,7,40\n"


def test_crosscheck_prints_every_method_and_the_exact_answer(call):
    code, printed, _ = call("crosscheck", NAME)
    said = " ".join(printed.split())
    assert code == 0 and max(map(len, printed.splitlines())) <= 80 and "…" not in printed
    for words in ("raw proportions", "GLMM", "for comparison", "Q-profile"):
        assert words in said
    assert "without each study in turn" in said and "at 9 places" in said


def test_crosscheck_as_json(call):
    code, printed, aside = call("crosscheck", NAME, "--json")
    content = json.loads(printed, parse_constant=pytest.fail)
    assert (code, aside, content["analysis"]) == (0, "", NAME)
    assert len(content["methods"]) == 4 and len(content["left_out"]) == 4
    assert content["largest_difference_of_log_likelihoods"] < 1e-9


def test_crosscheck_of_nothing(call):
    code, _, aside = call("crosscheck", "new_fractures")
    assert code == 2 and "error: no analysis 'new_fractures'" in aside and "did you mean" in aside


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(TABLE, encoding="utf-8")
    return file


def test_effect_sizes_on_standard_output(call, table):
    code, printed, aside = call("effect-sizes", table, "--measure", "PLO")
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert code == 0 and [row["study"] for row in rows] == ["A", "B", "C"]
    assert float(rows[0]["y"]) == pytest.approx(-2.1972245773) and float(rows[0]["v"]) == pytest.approx(
        10 / 27
    )
    assert aside.startswith("note: 0.5 added") and "row 3" in aside


def test_effect_sizes_into_a_file(call, table, tmp_path):
    out = tmp_path / "new" / "effects.csv"
    code, printed, _ = call("effect-sizes", table, "--measure", "PFT", "--out", out)
    assert (code, printed) == (0, "")
    assert out.read_text(encoding="utf-8").startswith("study,events,n,y,v\n")


def test_effect_sizes_as_json(call, table):
    code, printed, _ = call("effect-sizes", table, "--measure", "PLO", "--add", "1", "--json")
    content = json.loads(printed)
    assert code == 0 and list(content) == ["measure", "y", "v", "notes"] and len(content["y"]) == 3
    assert content["notes"][0].startswith("1 added")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--measure", "SMCC"], "SMCC needs the columns mean_pre"),
        (["--measure", "odds"], "--measure: expected one of"),
        (["--measure", "PLO", "--vtype", "XX"], "vtype"),
        (["--measure", "PLO", "--to", "some"], "some"),
    ],
)
def test_effect_sizes_refuses_in_one_sentence(call, table, arguments, words):
    code, printed, aside = call("effect-sizes", table, *arguments)
    assert (code, printed) == (2, "") and words in aside and "Traceback" not in aside


def test_elicit_gives_priors_that_say_what_was_said(call):
    code, printed, _ = call("elicit", "--rate", "0.01", "0.2", "--factor", "5", "--json")
    content = json.loads(printed)
    mu, tau = (Prior.parse(content[name]["prior"]) for name in ("mu", "tau"))
    assert code == 0 and "95 % sure that the rate is between 1 and 20 %" in content["mu"]["why"]
    assert expit(mu.quantile([0.025, 0.975])) == pytest.approx([0.01, 0.2])
    # 95 % of pairs of centres differ by at most 1.96 sqrt(2) tau in log odds.
    assert float(tau.quantile(0.95)) == pytest.approx(np.log(5) / (1.959964 * np.sqrt(2)), rel=1e-6)
    code, printed, _ = call("elicit", "--rate", "0.01", "0.2")
    assert code == 0 and printed.startswith('--prior mu="Normal(mu=')


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "found neither"), (["--rate", "1", "20"], "5 % is 0.05"), (["--factor", "0.5"], "ratio above 1")],
)
def test_elicit_refuses_in_one_sentence(call, arguments, words):
    code, printed, aside = call("elicit", *arguments)
    assert (code, printed) == (2, "") and words in aside and aside.startswith("error:")
