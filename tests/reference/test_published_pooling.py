"""Worked examples of pooling that papers, manuals and other packages print, to their stated tolerances."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from kyphobayes.effects import effect_size
from kyphobayes.frequentist import blup, henmi_copas, pool, prediction_interval, tau2_interval

PUBLISHED = {
    case["name"]: case
    for case in json.loads(Path(__file__).with_name("published_cases.json").read_text(encoding="utf-8"))
}


def case(name):
    return PUBLISHED[name]["data"], PUBLISHED[name]["expected"], PUBLISHED[name]["tolerance"]


def two_arms(measure, data):
    columns = {"events_1": "ai", "n_1": "n1i", "events_2": "ci", "n_2": "n2i"}
    sizes = effect_size(measure, {ours: data[theirs] for ours, theirs in columns.items()})
    return sizes.y, sizes.v


def interval(pooled):
    return [pooled.ci_low, pooled.ci_high]


# metafor's scoring stops once tau2 moves by less than 1e-5, its default, and was printed so.
STOPPED_SHORT = {("ML", "I2"), ("REML", "I2"), ("REML", "H2")}


def test_viechtbauer_2005():
    data, expected, tolerance = case("viechtbauer2005_ex1")
    fits = {method: pool(data["yi"], data["vi"], method=method) for method in expected["order"]}
    wrong = set()
    for field in ("tau2", "se_tau2", "I2", "H2"):
        for (method, fit), printed in zip(fits.items(), expected[field], strict=True):
            if abs(getattr(fit, field.lower()) - printed) > tolerance["abs"]:
                wrong.add((method, field))
    assert wrong == STOPPED_SHORT


@pytest.mark.parametrize(("method", "field"), sorted(STOPPED_SHORT))
def test_what_stopped_short_is_within_a_last_step(method, field):
    """What was printed lies between the I2 or H2 of tau2 - 1e-5 and of tau2 + 1e-5, rounded."""
    data, expected, tolerance = case("viechtbauer2005_ex1")
    fit = pool(data["yi"], data["vi"], method=method)
    typical = fit.tau2 / (fit.h2 - 1)
    h2 = 1 + (fit.tau2 + np.array([-1e-5, 1e-5])) / typical
    low, high = h2 if field == "H2" else 100 * (1 - 1 / h2)
    printed = expected[field][expected["order"].index(method)]
    assert low - tolerance["abs"] <= printed <= high + tolerance["abs"]


def test_bcg_risk_ratio():
    data, expected, tolerance = case("bcg_RR_REML_full")
    data = {group: np.array(values) for group, values in data.items() if group != "alloc"}
    columns = {"ai": data["tpos"], "n1i": data["tpos"] + data["tneg"]}
    columns |= {"ci": data["cpos"], "n2i": data["cpos"] + data["cneg"]}
    y, v = two_arms("RR", columns)
    found = pool(y, v, method="REML", test="z")
    near = {"rel": 0, "abs": tolerance["abs"]}

    assert found.tau2 == pytest.approx(expected["tau2"], **near)
    assert found.h2 == pytest.approx(expected["H2"], **near)
    assert found.i2 == pytest.approx(expected["I2"], **near)
    assert np.exp(found.mu) == pytest.approx(expected["RR"], **near)
    assert np.exp(interval(found)) == pytest.approx(expected["RR_ci"], **near)

    tau2 = tau2_interval(y, v)
    assert tuple(tau2) == pytest.approx(expected["tau2_QP"], **near)
    assert tau2.i2.high == pytest.approx(expected["I2_ci"][1], **near)
    # The lower end was printed with a root good to R's default of eps^(1/4): 1.2e-4 in tau2.
    typical = found.tau2 / (found.h2 - 1)
    at_most_off = 100 * typical * np.finfo(float).eps ** 0.25 / (tau2.low + typical) ** 2
    assert tau2.i2.low == pytest.approx(expected["I2_ci"][0], rel=0, abs=at_most_off)

    predicted = prediction_interval(y, v, method="normal")
    assert np.exp(predicted) == pytest.approx(expected["RR_PI"], **near)
    below = stats.norm.cdf(0, found.mu, np.hypot(np.sqrt(found.tau2), found.se))
    assert below == pytest.approx(expected["prob_theta_new_below_0"], abs=tolerance["abs_prob"])
    assert np.exp(blup(y, v, test="z").pred) == pytest.approx(expected["blup_RR"], **near)

    # The mean of exp(theta) over the studies' distribution, at mu and at the ends of its interval.
    sd = np.sqrt(found.tau2)
    means = [
        integrate.quad(lambda x, at=at: np.exp(x) * stats.norm.pdf(x, at, sd), at - 12 * sd, at + 12 * sd)[0]
        for at in (found.mu, *interval(found))
    ]
    assert means == pytest.approx(expected["mean_RR_integral_transf"], **near)


def test_linde_2005():
    data, expected, tolerance = case("linde2005_RR_DL_PI_metareg")
    near = {"rel": 0, "abs": tolerance["abs"]}
    y, v = two_arms("RR", data)
    common, random = pool(y, v, method="CE", test="z"), pool(y, v, method="DL", test="z")
    assert np.exp(common.mu) == pytest.approx(expected["EE"]["RR"], **near)
    assert np.exp(interval(common)) == pytest.approx(expected["EE"]["ci"], **near)
    assert common.q == pytest.approx(expected["EE"]["Q"], **near)
    assert random.tau2 == pytest.approx(expected["DL"]["tau2"], **near)
    assert np.exp(random.mu) == pytest.approx(expected["DL"]["RR"], **near)
    assert np.exp(interval(random)) == pytest.approx(expected["DL"]["ci"], **near)
    predicted = prediction_interval(y, v, method="normal", tau2_method="DL")
    assert np.exp(predicted) == pytest.approx(expected["DL"]["PI"], **near)


@pytest.mark.parametrize("method", ["CE", "DL", "REML"])
def test_hine_1989(method):
    """Risk differences in percentage points; tau2 is 0."""
    data, expected, tolerance = case("hine1989_RD_tau2_zero")
    near = {"rel": 0, "abs": tolerance["abs"]}
    y, v = two_arms("RD", data)
    assert 100 * y == pytest.approx(expected["yi"], **near)
    assert 100**2 * v == pytest.approx(expected["vi"], **near)
    found = pool(100 * y, 100**2 * v, method=method, test="z")
    assert found.tau2 == expected["tau2"]
    assert found.mu == pytest.approx(expected["mu"], **near)
    assert interval(found) == pytest.approx(expected["ci"], **near)


def test_lee_2004_henmi_and_copas():
    data, expected, tolerance = case("henmi_copas_lee2004")
    near = {"rel": 0, "abs": tolerance["abs"]}
    y, v = two_arms("OR", data)
    random, robust = pool(y, v, method="DL", test="z"), henmi_copas(y, v)
    assert (random.mu, random.tau2) == pytest.approx((expected["DL"]["mu"], expected["DL"]["tau2"]), **near)
    assert interval(random) == pytest.approx(expected["DL"]["ci"], **near)
    assert (robust.mu, robust.ci_low, robust.ci_high) == pytest.approx(
        (expected["HC"]["mu"], *expected["HC"]["ci"]), **near
    )


@pytest.mark.parametrize(
    ("name", "method", "test"),
    [
        ("PM", "PM", "z"),
        ("DL", "DL", "z"),
        ("DL_KH", "DL", "hksj"),
        ("FE", "CE", "z"),
        ("FE_KH", "CE", "hksj"),
    ],
)
def test_kacker_2004(name, method, test):
    data, expected, tolerance = case("kacker2004_PM_DL_HKSJ")
    found = pool(data["yi"], data["vi"], method=method, test=test)
    ours = {
        "mu": found.mu,
        "se": found.se,
        "ci": interval(found),
        "tau2": found.tau2,
        "Q": found.q,
        "I2": found.i2,
    }
    for field, printed in expected[name].items():
        assert ours[field] == pytest.approx(printed, rel=tolerance["rel"]), field


def test_prediction_of_blood_pressure():
    data, expected, tolerance = case("sbp_pimeta_HTS")
    y, v = data["y"], np.square(data["se"])
    near = {"rel": 0, "abs": tolerance["abs"]}
    found = pool(y, v, method="DL")
    assert (found.mu, found.tau2) == pytest.approx((expected["mu"], expected["tau2"]), **near)
    assert found.i2 == pytest.approx(expected["I2"], abs=tolerance["abs_I2"])
    assert prediction_interval(y, v, method="hts") == pytest.approx(expected["HTS_PI"], **near)


def test_bootstrap_prediction_of_blood_pressure():
    data, expected, tolerance = case("sbp_pimeta_HTS")
    found = prediction_interval(data["y"], np.square(data["se"]), method="bootstrap", draws=2_000_000)
    assert found == pytest.approx(expected["boot_PI"], rel=0, abs=tolerance["abs_boot"])


def test_konstantopoulos_2011_as_two_levels():
    data, expected, tolerance = case("konstantopoulos2011_three_level")
    expected, near = expected["two_level"], {"rel": 0, "abs": tolerance["abs"]}
    found = pool(data["yi"], data["vi"], method="REML", test="z")
    for field in ("mu", "se", "tau2", "se_tau2"):
        assert getattr(found, field) == pytest.approx(expected[field], **near), field
    assert tuple(tau2_interval(data["yi"], data["vi"])) == pytest.approx(expected["QP"], **near)
