"""Intervals, shrunken effects, influence and fixed-effect count pooling against metafor 3.8-1.

`intervals_more.R` makes `intervals_more.json` from data sets of metadat that `metafor.json` has not, from two
and three studies, and from sparse tables. What differs from metafor is listed with its reason.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from kyphobayes.frequentist import (
    baujat,
    blup,
    cumulative,
    henmi_copas,
    influence,
    leave_one_out,
    mantel_haenszel,
    mantel_haenszel_rates,
    peto,
    prediction_interval,
    tau2_interval,
)


def read(name):
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


CASES = read("metafor.json")
MORE = read("intervals_more.json")
EFFECTS, COUNTS, RATES = MORE["effects"], MORE["counts"], MORE["rates"]
FITS = [(case, fit) for case in EFFECTS for fit in EFFECTS[case]["fits"]]
TABLES = [(case, measure) for case in COUNTS for measure in COUNTS[case]["fits"]]
TIMES = [(case, measure) for case in RATES for measure in RATES[case]["fits"]]

METHOD = {"FE": "CE"}  # metafor's word on the left
TEST = {"knha": "hksj", "adhoc": "mhksj"}
INFLUENCE = {"cook.d": "cook_d", "cov.r": "cov_r", "tau2.del": "tau2_deleted", "QE.del": "q_deleted"}
POOLED = {"estimate": "mu", "pval": "p_value", "ci.lb": "ci_low", "ci.ub": "ci_high", "I2": "i2", "H2": "h2"}
SHRUNKEN = {"pi.lb": "low", "pi.ub": "high"}
TABLE = {"beta": "mu", "zval": "statistic", "pval": "p_value", "ci.lb": "ci_low", "ci.ub": "ci_high"}
TABLE |= {"QE": "q", "QEp": "q_p", "I2": "i2", "H2": "h2", "MH": "cmh", "MHp": "cmh_p"}
TABLE |= {"TA": "tarone", "TAp": "tarone_p"}
KNOWN_TO = {"FE": 1e-8, "DL": 1e-8, "REML": 1e-6}


@pytest.mark.parametrize("case", CASES)
def test_q_profile(case):
    expected = CASES[case]["q_profile"]
    found = tau2_interval(CASES[case]["yi"], CASES[case]["vi"])
    tau2 = (expected["tau2_low"], expected["tau2_high"])
    assert tuple(found) == pytest.approx(tau2, rel=1e-6, abs=0)
    assert found.i2 == pytest.approx((expected["I2_low"], expected["I2_high"]), rel=1e-6, abs=0)


@pytest.mark.parametrize("case", CASES)
def test_leave_one_out_and_cumulative(case):
    y, v = CASES[case]["yi"], CASES[case]["vi"]
    for function, name in ((leave_one_out, "leave_one_out_dl"), (cumulative, "cumulative_dl")):
        found = function(y, v, method="DL", test="z")
        for field, expected in CASES[case][name].items():
            np.testing.assert_allclose(getattr(found, field), expected, rtol=1e-8, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_shrunken_effects(case):
    found = blup(CASES[case]["yi"], CASES[case]["vi"], method="REML", test="z")
    for field, expected in CASES[case]["blup_reml"].items():
        np.testing.assert_allclose(getattr(found, field), expected, rtol=1e-6, err_msg=field)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("qprofile", {}),
        ("profile_likelihood_reml", {"method": "profile_likelihood"}),
        ("profile_likelihood_ml", {"method": "profile_likelihood", "likelihood": "ML"}),
    ],
)
@pytest.mark.parametrize("case", EFFECTS)
def test_tau2_intervals(case, name, arguments):
    expected = EFFECTS[case][name]
    found = tau2_interval(EFFECTS[case]["y"], EFFECTS[case]["v"], **arguments)
    assert tuple(found) == pytest.approx(expected["tau2"], rel=1e-9, abs=0)
    assert found.i2 == pytest.approx(expected["i2"], rel=1e-9, abs=0)
    assert found.h2 == pytest.approx(expected["h2"], rel=1e-9, abs=0)


@pytest.mark.parametrize("case", [case for case in EFFECTS if len(EFFECTS[case]["y"]) > 2])
def test_prediction_interval(case):
    found = prediction_interval(EFFECTS[case]["y"], EFFECTS[case]["v"], method="riley")
    assert found == pytest.approx(EFFECTS[case]["riley"], rel=1e-6)


@pytest.mark.parametrize("case", EFFECTS)
def test_henmi_copas(case):
    """metafor integrates to R's default tolerance; `test_henmi_copas` holds our integral to 1e-9."""
    found = henmi_copas(EFFECTS[case]["y"], EFFECTS[case]["v"])
    for field, expected in EFFECTS[case]["henmi_copas"].items():
        tolerance = 1e-6 if field.startswith("ci") else 1e-10
        assert getattr(found, field) == pytest.approx(expected, rel=tolerance), field


@pytest.mark.parametrize(("case", "fit"), FITS)
def test_influence(case, fit):
    """metafor's scoring ends once tau2 moves by less than 1e-13: on some tau2 of 1e-14, where ours is 0."""
    method, test = fit.split("/")
    expected = EFFECTS[case]["fits"][fit]
    arguments = {"method": METHOD.get(method, method), "test": TEST.get(test, test)}
    y, v = EFFECTS[case]["y"], EFFECTS[case]["v"]
    of_study, left_out = influence(y, v, **arguments), leave_one_out(y, v, **arguments)
    pairs = [
        (of_study, INFLUENCE, {name: x for name, x in expected.items() if name not in ("left_out", "blup")}),
        (left_out, POOLED, expected["left_out"]),
    ]
    if "blup" in expected:
        pairs.append((blup(y, v, **arguments), SHRUNKEN, expected["blup"]))
    for found, renamed, values in pairs:
        for name, value in values.items():
            np.testing.assert_allclose(
                getattr(found, renamed.get(name, name)),
                value,
                rtol=KNOWN_TO[method],
                atol={"tau2.del": 1e-13, "I2": 100 * 1e-13 / np.min(v)}.get(name, 1e-15),
                err_msg=name,
            )


@pytest.mark.parametrize("case", EFFECTS)
@pytest.mark.parametrize("method", ["FE", "REML"])
def test_baujat(case, method):
    expected = EFFECTS[case]["baujat"][method]
    found = baujat(EFFECTS[case]["y"], EFFECTS[case]["v"], method=METHOD.get(method, method))
    np.testing.assert_allclose(found.contribution, expected["x"], rtol=KNOWN_TO[method])
    np.testing.assert_allclose(found.influence, expected["y"], rtol=KNOWN_TO[method])


# Fewer than half an event apart: metafor subtracts the continuity correction past 0 and squares what is left.
# We stop at 0, as R's mantelhaen.test does.
PAST_ZERO = {("sparse", "IRR"): {"MH", "MHp"}}


def assert_same(found, expected, differs):
    """None and [] are what metafor does not compute: tests of other measures, and Tarone's of one table."""
    wrong = {}
    for name, value in expected.items():
        if isinstance(value, float | int):
            ours = getattr(found, TABLE.get(name, name))
            if not abs(ours - value) <= 1e-9 * abs(value) + 1e-15:
                wrong[name] = (ours, value)
    assert set(wrong) == differs, wrong


@pytest.mark.parametrize(("case", "measure"), TABLES)
def test_mantel_haenszel_and_peto(case, measure):
    columns = [np.atleast_1d(x) for name, x in COUNTS[case].items() if name != "fits"]
    found = peto(*columns) if measure == "PETO" else mantel_haenszel(*columns, measure=measure)
    assert_same(found, COUNTS[case]["fits"][measure], set())


@pytest.mark.parametrize(("case", "measure"), TIMES)
def test_mantel_haenszel_of_rates(case, measure):
    columns = [x for name, x in RATES[case].items() if name != "fits"]
    found = mantel_haenszel_rates(*columns, measure=measure)
    assert_same(found, RATES[case]["fits"][measure], PAST_ZERO.get((case, measure), set()))


def test_a_correction_does_not_reach_past_zero():
    columns = [x for name, x in RATES["sparse"].items() if name != "fits"]
    found = mantel_haenszel_rates(*columns)
    events_1, time_1, events_2, time_2 = np.array(columns)
    assert abs(((events_1 * time_2 - events_2 * time_1) / (time_1 + time_2)).sum()) < 0.5
    assert (found.cmh, found.cmh_p) == (0, 1)
