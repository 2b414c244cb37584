"""`kyphobayes reanalyse`: the issue's own form, negative numbers, files, and errors in one sentence."""

import json

import pytest

LINE = ("reanalyse", "--k", 4, "--estimate", "3.85", "--ci", "2.99", "4.71", "--i2", "79")


def test_prints_the_line_beside_the_answer_and_what_was_assumed(call):
    code, out, _ = call(*LINE, "--measure", "SMD", "--n", 63, 18, 26, 65, "--tau", "HalfNormal(sigma=1)",
                        "--better", "higher", "--mcid", 1.8)  # fmt: skip
    text = " ".join(out.split())
    assert code == 0 and "printed: SMD 3.85 (2.99, 4.71); I² 79 %; 4 studies" in text
    assert "mu, the typical effect 3.85" in text and "effect in the next study" in text
    assert "assumed: Variances within studies were taken to go as one over" in text


@pytest.mark.parametrize("sizes", [("63", "18", "26", "65"), ("63 18 26 65",), ("63,18", "26,65")])
def test_sizes_may_be_written_in_several_ways(call, sizes):
    code, out, _ = call(*LINE, "--n", *sizes, "--json")
    assert code == 0
    told = json.loads(out)
    assert "(63, 18, 26, 65)" in told["assumptions"][1]
    assert told["mcid"] is None and told["p_benefit"] < 0.01  # lower is better unless said otherwise


def test_pairs_of_groups_are_sizes_too(call):
    _, out, _ = call(*LINE, "--n", "30/30", "9/9", "13/13", "30/35", "--json")
    assert "(15, 4.5, 6.5, 16.2)" in json.loads(out)["assumptions"][1]


def test_negative_numbers_in_printed_order(call):
    code, out, _ = call(
        "reanalyse", "--k", 4, "--estimate", "-28.78", "--ci", "-11.5", "-46.0", "--i2", "99", "--json"
    )
    told = json.loads(out)
    assert code == 0 and told["mu"]["median"] == pytest.approx(-28.78, abs=0.1)
    assert any("put in order" in sentence for sentence in told["assumptions"])


def test_writes_figure_and_numbers(call, tmp_path):
    code, out, _ = call(*LINE, "--measure", "OR", "--better", "higher", "--out", tmp_path / "new")
    assert code == 0 and out.count("written: ") == 3
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "reanalysis.json", "reanalysis.png", "reanalysis.svg",
    ]  # fmt: skip
    assert json.loads((tmp_path / "new" / "reanalysis.json").read_text(encoding="utf-8"))["scale"] == "log"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*LINE, 7), "expected options only, found '7'; sizes of studies follow --n"),
        ((*LINE, "--n", 63, "x"), "--n: expected sizes such as 63 18"),
        ((*LINE, "--n", 63, "1/2/3"), "--n: expected sizes such as 63 18"),
        ((*LINE, "--n", 63, 18), "n: expected 4 sizes"),
        ((*LINE, "--method", "DerSimonian"), "method: expected one of DL"),
        ((*LINE, "--tau", "Gamma"), "Gamma"),
        ((*LINE, "--level", 2), "level: expected a number between 0 and 1"),
        ((*LINE[:5], "--ci", "5", "6"), "inside the interval"),
    ],
)
def test_errors_are_one_sentence_and_exit_code_2(call, arguments, said):
    if arguments[:1] == ("reanalyse",) and "--estimate" not in arguments:
        arguments = (*arguments, "--estimate", "3.85")
    code, out, err = call(*arguments)
    assert code == 2 and out == "" and said in " ".join(err.split()) and "Traceback" not in err
