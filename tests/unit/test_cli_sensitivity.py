"""`kyphobayes sensitivity`: one sentence first, then tables; JSON; files."""

import json

import pytest
import xarray as xr

NAME = "new_fracture_bouza_only"


def test_begins_with_one_sentence_and_writes_every_result(call, tmp_path):
    code, printed, aside = call("sensitivity", NAME, "--out", tmp_path)
    assert code == 0
    text = " ".join(printed.split())
    assert text.startswith(
        "The conclusion, that the probability that fewer than one patient in ten has a new"
    )
    assert "of 16 pairs of priors" in text or "all 16 pairs of priors" in text
    assert "to change it" in text.split("The answer under every pair")[0]
    for heading in ("What it takes to change", "Power-scaling", "Before any data", "Averaged over models"):
        assert heading in printed
    names = {path.name.removeprefix(f"{NAME}-sensitivity") for path in tmp_path.iterdir()}
    tables = {f"-{name}.csv" for name in ("atlas", "tipping", "power", "before", "averaged")}
    assert names == {*tables, ".nc", "-atlas.png", "-atlas.svg"}
    with xr.open_datatree(tmp_path / f"{NAME}-sensitivity.nc", engine="h5netcdf") as tree:
        assert set(tree.children) >= {
            "atlas",
            "tipping",
            "credibility",
            "power",
            "prior_predictive",
            "averaged",
        }
    assert "the answer under many priors" in aside


def test_as_json_for_another_decision(call):
    code, printed, aside = call(
        "sensitivity", NAME, "--below", "0.2", "--of", "next", "--threshold", "0.9", "--json"
    )
    assert code == 0 and aside == ""
    content = json.loads(printed)
    assert content["analysis"] == NAME and "the next centre’s rate lies below 20" in content["conclusion"]
    assert content["decision"]["of"] == "theta_new" and content["decision"]["threshold"] == 0.9
    assert len(content["atlas"]) == content["holds"]["of"] == 16
    assert set(content["tipping"]) == {"location of mu", "scale of mu", "scale of tau"}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--below", "1.5"], "--below: expected a number between 0 and 1, found 1.5"),
        (["--threshold", "0"], "--threshold: expected a number between 0 and 1, found 0"),
        (["--priors", "vage"], "no prior set 'vage'"),
    ],
)
def test_what_is_refused(call, arguments, words):
    code, _, aside = call("sensitivity", NAME, *arguments)
    assert code == 2 and words in aside and "Traceback" not in aside
