"""R metafor 3.8-1 and published examples as the reference for small-study tests and selection models.

Where a result of metafor may differ from ours the reason is beside the test.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from kyphobayes.effects import effect_size
from kyphobayes.frequentist import begg, egger, pool, selection_model, trim_and_fill

HERE = Path(__file__).parent


def read(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


GIVEN = {
    name: case["small_study"] | {"yi": case["yi"], "vi": case["vi"]}
    for name, case in read("metafor.json").items()
    if "small_study" in case
}
MORE = read("regression_more.json")["small_study"]
PUBLISHED = {case["name"]: case for case in read("published_cases.json")}
TEST = {"knha": "hksj"}

every_given = pytest.mark.parametrize("case", GIVEN)


def each(kind):
    return pytest.mark.parametrize(
        ("case", "fit"), [(case, fit) for case in MORE for fit in MORE[case].get(kind, {})]
    )


@every_given
def test_given_regression_and_ranks(case):
    data = GIVEN[case]
    by_ranks, by_lm = begg(data["yi"], data["vi"]), egger(data["yi"], data["vi"], model="lm")
    assert (by_ranks.tau, by_ranks.p_value) == pytest.approx(
        (data["rank"]["tau"], data["rank"]["p"]), rel=1e-10
    )
    assert (by_lm.statistic, by_lm.p_value) == pytest.approx(
        (data["egger_lm"]["t"], data["egger_lm"]["p"]), rel=1e-10
    )
    # regtest() fits with metafor's usual threshold: its tau2 is up to 1e-5 short of the maximum of REML. With
    # a threshold of 1e-12 it gives what we do; `test_regression` of regression_more.json is held to 1e-6.
    by_rma = egger(data["yi"], data["vi"])
    assert by_rma.statistic == pytest.approx(data["egger_rma"]["z"], rel=5e-5)
    assert by_rma.p_value == pytest.approx(data["egger_rma"]["p"], rel=3e-4)


@pytest.mark.parametrize(
    ("case", "z"), [("dat.bangertdrowns2004", 2.49052022221), ("dat.hackshaw1998", 2.10548718051)]
)
def test_given_regression_with_a_threshold_of_1e_12(case, z):
    assert egger(GIVEN[case]["yi"], GIVEN[case]["vi"]).statistic == pytest.approx(z, rel=1e-10)


@every_given
def test_given_trim_and_fill(case):
    """It was made from the fit by DL."""
    expected = GIVEN[case]["trimfill"]
    found = trim_and_fill(GIVEN[case]["yi"], GIVEN[case]["vi"], method="DL", test="z")
    assert (found.k0, found.side) == (expected["k0"], expected["side"])
    assert (found.pooled.mu, found.pooled.tau2) == pytest.approx(
        (expected["mu"], expected["tau2"]), rel=1e-10
    )


@every_given
def test_given_selection(case):
    """metafor's optimiser stops 5e-6 of the value away; its likelihood is lower in the eleventh digit."""
    expected = GIVEN[case]["selection_3psm"]
    found = selection_model(GIVEN[case]["yi"], GIVEN[case]["vi"])
    assert (found.mu, found.se, found.tau2) == pytest.approx(
        (expected["mu"], expected["se"], expected["tau2"]), rel=1e-5
    )
    np.testing.assert_allclose(found.delta, expected["delta"], rtol=1e-5)
    assert 0 <= found.loglik - expected["loglik"] + 1e-12 < 1e-9


@each("egger")
def test_regression(case, fit):
    data, expected = MORE[case], MORE[case]["egger"][fit]
    model, predictor, method, test = fit.split("/")
    found = egger(
        data["y"], data["v"], model=model, predictor=predictor, n=data["n"], method=method,
        test=TEST.get(test, test),
    )  # fmt: skip
    rel = 1e-6 if (model, method) == ("rma", "REML") else 1e-8
    assert (found.statistic, found.p_value) == pytest.approx((expected["statistic"], expected["p"]), rel=rel)
    if predictor == "n":
        assert math.isnan(found.limit_b)
    else:
        limit = (found.limit_b, found.limit_low, found.limit_high)
        assert limit == pytest.approx(expected["limit"], rel=rel)


@pytest.mark.parametrize("case", MORE)
def test_ranks(case):
    found, expected = begg(MORE[case]["y"], MORE[case]["v"]), MORE[case]["begg"]
    assert (found.tau, found.p_value) == pytest.approx((expected["tau"], expected["p"]), rel=1e-10)


@each("trim_and_fill")
def test_trim_and_fill(case, fit):
    """metafor's standard error goes on with a negative number of studies, up to NaN; ours stops at 0."""
    data, expected = MORE[case], MORE[case]["trim_and_fill"][fit]
    estimator, side, method = fit.split("/")
    found = trim_and_fill(
        data["y"], data["v"], side=None if side == "found" else side, estimator=estimator, method=method,
        test="z",
    )  # fmt: skip
    assert (found.k0, found.side) == (expected["k0"], expected["side"])
    rel = 1e-6 if method == "REML" else 1e-8
    assert (found.pooled.mu, found.pooled.se) == pytest.approx((expected["mu"], expected["se"]), rel=rel)
    assert found.pooled.tau2 == pytest.approx(expected["tau2"], rel=rel, abs=1e-12)
    if found.k0 > 0 or estimator == "R0":
        assert found.se_k0 == pytest.approx(expected["se_k0"], rel=1e-10)


# metafor climbs from the fit without selection to a lower maximum; with tau2 held at 0 it finds ours.
LOWER = {
    ("egger", "less/0.025"), ("egger", "less/0.05/0.5"), ("egger", "less/0.1/0.3/0.6"),
    ("li", "less/0.025"), ("li", "less/0.05/0.5"),
}  # fmt: skip


@each("selection")
def test_selection(case, fit):
    """The higher of metafor's two maxima, and its estimates to where its optimiser stops.

    A likelihood that is lower by 1e-9 is compatible with parameters 4e-5 standard errors away. Where tau2 is
    0, metafor's stays a little above it, which changes the others more.
    """
    data, expected = MORE[case], MORE[case]["selection"][fit]
    alternative, *steps = fit.split("/")
    found = selection_model(
        data["y"], data["v"], steps=[float(step) for step in steps], alternative=alternative
    )
    theirs = max(expected["loglik"], expected["loglik_at_zero"])
    at_zero = found.tau2 == 0
    assert -1e-9 < found.loglik - theirs < (1e-7 if at_zero else 2e-9)
    if at_zero:
        assert found.loglik == pytest.approx(expected["loglik_at_zero"], abs=1e-7)
    lower = (case, fit) in LOWER
    assert lower == (found.loglik > expected["loglik"] + 0.1)
    if not lower:
        close = 2e-3 if at_zero else 2e-4
        assert found.mu == pytest.approx(expected["mu"], abs=close * expected["se"])
        assert found.se == pytest.approx(expected["se"], rel=close)
        assert found.tau2 == pytest.approx(expected["tau2"], abs=close * expected["se_tau2"] + 1e-7)
        np.testing.assert_allclose(found.delta, expected["delta"], rtol=close)
        np.testing.assert_allclose(found.se_delta[1:], np.array(expected["se_delta"][1:], float), rtol=close)
        assert found.lrt == pytest.approx(expected["lrt"], abs=1e-3 * close + 2e-4)


def effects_of(name, measure, columns):
    data = {key: np.array(value) for key, value in PUBLISHED[name]["data"].items() if key in columns.values()}
    a, b, c, d = (data[columns[key]] for key in ("a", "b", "c", "d"))
    if columns["b"] == "tneg":
        b, d = a + b, c + d
    return effect_size(measure, {"events_1": a, "n_1": b, "events_2": c, "n_2": d}), b + d


def test_magnesium():
    """Egger et al. (2001), without ISIS-4 and with it."""
    sizes, n = effects_of("egger2001_smallstudy", "OR", {"a": "ai", "b": "n1i", "c": "ci", "d": "n2i"})
    expected = PUBLISHED["egger2001_smallstudy"]["expected"]
    every, fewer = expected["all16"], expected["drop16"]
    y, v = sizes.y, sizes.v
    assert egger(y, v).statistic == pytest.approx(every["RE_z"], abs=1e-4)
    assert egger(y, v, model="lm", predictor="sqrt_inverse_n", n=n).statistic == pytest.approx(
        every["lm_sqrtninv_t"], abs=1e-4
    )
    assert (begg(y, v).tau, begg(y, v).p_value) == pytest.approx(
        (every["rank_tau"], every["rank_p"]), abs=1e-4
    )

    y, v = y[:-1], v[:-1]
    pooled = pool(y, v, test="z")
    assert (pooled.tau2, pooled.mu, pooled.se, pooled.q) == pytest.approx(
        (fewer["tau2"], fewer["mu"], fewer["se"], fewer["Q"]), abs=1e-4
    )
    assert pooled.i2 == pytest.approx(fewer["I2"], abs=5e-3)
    lm, rma = egger(y, v, model="lm"), egger(y, v)
    assert (lm.statistic, lm.p_value, lm.limit_b) == pytest.approx(
        (fewer["egger_lm_t"], fewer["egger_lm_p"], fewer["limit_b"]), abs=1e-4
    )
    assert (rma.statistic, rma.p_value) == pytest.approx((fewer["egger_RE_z"], fewer["egger_RE_p"]), abs=1e-4)


def test_bcg_trim_and_fill():
    sizes, _ = effects_of("bcg_trimfill", "RR", {"a": "tpos", "b": "tneg", "c": "cpos", "d": "cneg"})
    expected = PUBLISHED["bcg_trimfill"]["expected"]
    for name, method in (("EE", "CE"), ("RE", "REML")):
        found, numbers = trim_and_fill(sizes.y, sizes.v, method=method, test="z"), expected[name]
        assert (found.k0, found.side) == (numbers["k0"], "right")
        assert found.pooled.mu == pytest.approx(numbers["mu"], abs=1e-4)
        assert [found.pooled.ci_low, found.pooled.ci_high] == pytest.approx(numbers["ci"], abs=1e-4)
        assert found.pooled.q == pytest.approx(numbers.get("Q", found.pooled.q), abs=1e-4)
        assert found.pooled.tau2 == pytest.approx(numbers.get("tau2", 0.0), abs=1e-4)
        assert found.pooled.se == pytest.approx(numbers.get("se", found.pooled.se), abs=1e-4)


def test_passive_smoking_selection():
    """Hackshaw (1998), as metafor's tests print it; effects are computed from the printed intervals.

    The lower end of the printed interval for tau2 is a root to 1e-4 in absolute terms: it is 0.000212 with a
    root to 1e-10, in metafor as here.
    """
    data, expected = (PUBLISHED["hackshaw1998_selection_stepfun"][key] for key in ("data", "expected"))
    y = np.log(data["or_"])
    v = ((np.log(data["ub"]) - np.log(data["lb"])) / (2 * 1.96)) ** 2
    found = selection_model(y, v, steps=(0.05, 0.10, 0.50, 1))
    np.testing.assert_allclose(found.delta, expected["delta"], rtol=0.01)
    np.testing.assert_allclose(found.se_delta[1:], expected["se_delta"][1:], rtol=0.01)
    assert (found.lrt, found.tau2) == pytest.approx((expected["LRT"], expected["tau2"]), rel=0.01)
    low, high = found.tau2_interval()
    assert high == pytest.approx(expected["tau2_ci"][1], rel=0.01)
    assert low == pytest.approx(expected["tau2_ci"][0], abs=1e-4)
    low, high = selection_model(
        GIVEN["dat.hackshaw1998"]["yi"], GIVEN["dat.hackshaw1998"]["vi"], steps=(0.05, 0.10, 0.50)
    ).tau2_interval()
    assert (low, high) == pytest.approx((0.0002120662242, 0.1352838079), rel=1e-7)
