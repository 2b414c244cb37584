"""R metafor 3.8-1 as the reference: effect sizes, and every fit of every data set, field by field.

`metafor.json` holds 41 data-set and measure pairs computed in R 4.2.2 (metadat 1.2-0 and synthetic sets,
convergence threshold 1e-10). A field may differ from it only if it is listed below with its reason.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from kyphobayes.effects import MEASURES, effect_size
from kyphobayes.frequentist import pool, search
from kyphobayes.frequentist.studies import Studies

CASES = json.loads(Path(__file__).with_name("metafor.json").read_text(encoding="utf-8"))
FITS = [(case, fit) for case in CASES for fit in CASES[case]["fits"]]

METHOD = {"FE": "CE"}  # metafor's word on the left
TEST = {"knha": "hksj"}
FIELD = {"I2": "i2", "H2": "h2", "Q": "q", "Q_p": "q_p"}
TOLERANCE = dict.fromkeys(("FE", "DL", "HE", "HS", "SJ"), 1e-8) | dict.fromkeys(
    ("ML", "REML", "EB", "PM"), 1e-6
)

# metafor's scoring steps for ML and REML stop once tau2 moves by less than 1e-10 in absolute terms. Risk
# differences have a tau2 near 1e-4 and steps that shrink slowly: it stops 5e-6 (ML) and 1e-6 (REML) of
# the value short of the maximum. `test_metafor_stopped_short` shows whose tau2 solves the equation.
STOPPED_SHORT = {
    ("dat.nielweise2007:RD", "ML/z"): {"tau2", "I2", "H2", "pi_low", "pi_high"},
    ("dat.nielweise2007:RD", "ML/knha"): {"tau2", "I2", "H2", "ci_high", "pi_low", "pi_high"},
    ("dat.nielweise2007:RD", "REML/z"): {"tau2", "pi_high"},
    ("dat.nielweise2007:RD", "REML/knha"): {"tau2"},
}
# All effects are exactly 0, so the Knapp-Hartung standard error is 0 and mu / se is 0 / 0: metafor prints
# no p-value. Ours is 1: the interval is the point 0, which holds the null value.
ZERO_OVER_ZERO = {
    ("synthetic.all_zero:PAS", f"{method}/knha"): {"p_value"}
    for method in ("DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
}
DIFFERENT = STOPPED_SHORT | ZERO_OVER_ZERO


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case]["measure"] in MEASURES])
def test_effect_sizes(case):
    expected = CASES[case]
    data = expected.get("raw", {"y": expected["yi"], "v": expected["vi"]})
    found = effect_size(expected["measure"], data)
    np.testing.assert_allclose(found.y, expected["yi"], rtol=1e-10)
    np.testing.assert_allclose(found.v, expected["vi"], rtol=1e-10)


def fit_of(case, fit):
    method, test = fit.split("/")
    return pool(
        CASES[case]["yi"], CASES[case]["vi"], method=METHOD.get(method, method), test=TEST.get(test, test)
    )


@pytest.mark.parametrize(("case", "fit"), FITS)
def test_fit(case, fit):
    found = fit_of(case, fit)
    tolerance = TOLERANCE[fit.split("/")[0]]
    wrong = {}
    for field, expected in CASES[case]["fits"][fit].items():
        value = getattr(found, FIELD.get(field, field))
        same = math.isnan(value) if expected is None else abs(value - expected) <= tolerance * abs(expected)
        if not same:
            wrong[field] = (value, expected)
    assert set(wrong) == DIFFERENT.get((case, fit), set()), wrong


@pytest.mark.parametrize(("case", "fit"), STOPPED_SHORT)
def test_metafor_stopped_short(case, fit):
    """The derivative of the likelihood is 0 at our tau2, up to rounding, and not at metafor's."""
    studies = Studies.standardised(np.array([CASES[case]["yi"]]), np.array([CASES[case]["vi"]]))
    score = search.ml_score if fit.startswith("ML") else search.reml_score
    ours = fit_of(case, fit).tau2 / studies.scale**2
    theirs = CASES[case]["fits"][fit]["tau2"] / studies.scale**2
    assert abs(score(studies, ours)[0]) < 1e-8 * abs(score(studies, theirs)[0])
    assert theirs == pytest.approx(ours, abs=1e-9 / studies.scale[0] ** 2)


@pytest.mark.parametrize(("case", "fit"), ZERO_OVER_ZERO)
def test_the_interval_that_is_a_point_holds_zero(case, fit):
    found = fit_of(case, fit)
    assert (found.ci_low, found.ci_high, found.p_value) == (0.0, 0.0, 1.0)
