"""Random-effects models of counts against metafor's `rma.glmm` (lme4 below it) and published examples.

lme4 ends where its optimiser is content, some 1e-5 to 1e-3 of a standard error from the maximum. The
estimates are held to that, and `test_ours_is_higher` shows which of the two is the maximum. Its log
likelihood lacks constants when it uses several nodes and is not compared; that of `kyphobayes.exact` is, in
tests/unit/test_witness.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from kyphobayes.frequentist import glmm_or, glmm_proportion, glmm_rate
from kyphobayes.frequentist.conditional import Binomial, Poisson
from kyphobayes.frequentist.hypergeometric import Hypergeometric
from kyphobayes.frequentist.links import LINKS, logit
from kyphobayes.frequentist.mixed import Mixture


def read(name):
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


CASES = read("glmm_more.json") | {
    name: {
        "kind": "proportion",
        "raw": {column: case["raw"][column] for column in ("events", "n")},
        "model": "UM.FS",
        "fit": case["glmm"],
    }
    for name, case in read("metafor.json").items()
    if "glmm" in case
}
PUBLISHED = {case["name"]: case for case in read("published_cases.json")}
# How near metafor's optimiser comes, in standard errors, and its numerical second derivatives.
NEAR = {"proportion": 2e-4, "rate": 1e-4, "CM.EL": 2e-5, "UM.FS": 2e-3}
CURVED = {"proportion": 2e-5, "rate": 1e-5, "CM.EL": 4e-4, "UM.FS": 1e-4}


def kind(case):
    return case["model"] if case["kind"] == "or" else case["kind"]


def fit(case):
    if case["kind"] == "or":
        return glmm_or(**case["raw"], model=case["model"])
    return (glmm_proportion if case["kind"] == "proportion" else glmm_rate)(**case["raw"])


@pytest.mark.parametrize("name", CASES)
def test_metafor(name):
    case, found = CASES[name], fit(CASES[name])
    expected, near = case["fit"], NEAR[kind(case)]
    assert found.mu == pytest.approx(expected["mu"], abs=near * found.se)
    assert found.tau2 == pytest.approx(expected["tau2"], abs=near * found.se_tau2)
    assert found.se == pytest.approx(expected["se"], rel=CURVED[kind(case)])
    limits = (near + 2 * CURVED[kind(case)]) * found.se
    assert found.ci_low == pytest.approx(expected["ci_low"], abs=limits)
    assert found.ci_high == pytest.approx(expected["ci_high"], abs=limits)
    if "q" in expected:
        assert found.q == pytest.approx(expected["q"], rel=1e-7)
        assert found.q_p == pytest.approx(expected["q_p"], rel=1e-6)
        assert found.k == expected["k"]


@pytest.mark.parametrize("name", [name for name in CASES if kind(CASES[name]) != "UM.FS"])
def test_ours_is_higher(name):
    case, found = CASES[name], fit(CASES[name])
    raw = {column: np.array(values, dtype=float) for column, values in case["raw"].items()}
    studies = {
        "proportion": lambda: Binomial(**raw, link=logit),
        "rate": lambda: Poisson(**raw),
        "or": lambda: Hypergeometric(**raw),
    }[case["kind"]]()
    likelihood = Mixture(studies)
    ours = likelihood(found.mu, np.sqrt(found.tau2))
    theirs = likelihood(case["fit"]["mu"], np.sqrt(case["fit"]["tau2"]))
    assert ours.value >= theirs.value - 1e-14 * abs(theirs.value)
    assert np.abs(ours.gradient).max() < 1e-2 * np.abs(theirs.gradient).max()


@pytest.mark.parametrize("arm", ["control", "treat"])
def test_stijnen_2010(arm):
    case = PUBLISHED["stijnen2010_proportions_NN_vs_BN"]
    data = case["data"]
    found = glmm_proportion(*((data["ci"], data["n2i"]) if arm == "control" else (data["ai"], data["n1i"])))
    for field, value in case["exact"][f"BN_{arm}"].items():
        assert getattr(found, field) == pytest.approx(value, abs=1e-6)
    expected = case["expected"][f"BN_{arm}"]
    p, low, high = special.expit([found.mu, found.ci_low, found.ci_high])
    assert p == pytest.approx(expected["p"], rel=case["tolerance"]["rel_BN"])
    assert [low, high] == pytest.approx(expected["ci"], abs=case["tolerance"]["abs"])


@pytest.mark.parametrize("link", LINKS)
def test_links_of_debruin_2009(link):
    case = PUBLISHED["debruin2009_GLMM_links"]
    found = glmm_proportion(case["data"]["xi"], case["data"]["ni"], link=link)
    effects = np.array([found.mu, found.ci_low, found.ci_high, found.pi_low, found.pi_high])
    shares = np.exp([LINKS[link](effect)[0][0] for effect in effects])
    np.testing.assert_allclose(shares, case["exact"][link], atol=1e-6)


@pytest.mark.parametrize("model", ["CM.EL", "UM.FS"])
def test_odds_ratios_of_bcg(model):
    case = PUBLISHED["bcg_OR_GLMM_variants"]
    a, b, c, d = (np.array(case["data"][name]) for name in ("tpos", "tneg", "cpos", "cneg"))
    found, expected = glmm_or(a, a + b, c, c + d, model=model), case["expected"][model.replace(".", "_")]
    half = 0.5e-4 * 1.0001  # four printed digits
    assert found.mu == pytest.approx(expected["mu"], abs=half)
    assert found.tau2 == pytest.approx(expected["tau2"], abs=half)
    assert found.se == pytest.approx(expected["se"], abs=half)
    assert [found.ci_low, found.ci_high] == pytest.approx(expected["ci"], abs=2 * half)
