"""Effect sizes and back-transforms against metafor 3.8-1 on data sets that metafor.json does not hold.

`effects_more.R` makes `effects_more.json` from metadat's data sets and from tables with zeros, tiny and huge
groups, and correlations of -1 to 1.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from kyphobayes.effects import MEASURES, effect_size
from kyphobayes.effects.recover import back_transform, back_transform_mean

REFERENCE = json.loads(Path(__file__).with_name("effects_more.json").read_text(encoding="utf-8"))
CASES = REFERENCE["effect_sizes"]


@pytest.mark.parametrize("case", CASES)
def test_effect_sizes(case):
    expected = CASES[case]
    found = effect_size(expected["measure"], expected["raw"], **expected["options"])
    np.testing.assert_allclose(found.y, expected["y"], rtol=1e-10)
    np.testing.assert_allclose(found.v, expected["v"], rtol=1e-10)


def test_every_measure_of_two_groups_or_times_is_held():
    one_group = {"PR", "PLO", "PLN", "PAS", "PFT", "IR", "IRLN", "IRS", "GEN"}  # in metafor.json
    assert {case["measure"] for case in CASES.values()} - {"PR"} == set(MEASURES) - one_group


@pytest.mark.parametrize("measure", ["PFT", "PAS", "PLO", "IRS", "PLN"])
def test_back_transforms(measure):
    expected = REFERENCE["transformed"]
    n = expected["n"] if measure == "PFT" else None
    found = back_transform(measure, expected["y"], n=n)
    np.testing.assert_allclose(found, expected[measure], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("measure", ["PLO", "OR"])
def test_means_over_studies(measure):
    expected = REFERENCE["integrated"]
    found = back_transform_mean(measure, expected["mu"], expected["tau2"])
    np.testing.assert_allclose(found, expected[measure], rtol=1e-6)  # what R's `integrate` is good for
