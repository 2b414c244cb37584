"""The scale that people read: there and back, names and units."""

import pickle

import numpy as np
import pytest

from kyphobayes.names import RATIOS
from kyphobayes.natural_scale import natural_scale

EFFECTS = np.array([-3.0, -0.2, 0.0, 1.7])


@pytest.mark.parametrize(
    "scale",
    [natural_scale(m) for m in ("PLO", "IRLN", "OR", "HR", "SMD", "GEN")]
    + [natural_scale("IRLN", unit="patient-years", per=100)],
    ids=lambda scale: f"{scale.measure} {scale.unit}",
)
def test_there_and_back(scale):
    shown = scale.natural(EFFECTS)
    assert (np.diff(shown) > 0).all()
    assert ((shown > scale.bounds[0]) & (shown < scale.bounds[1])).all()
    np.testing.assert_allclose(scale.model(shown), EFFECTS, atol=1e-12)
    again = pickle.loads(pickle.dumps(scale))  # results travel between processes
    np.testing.assert_array_equal(again.natural(EFFECTS), shown)


def test_known_values():
    assert natural_scale("PLO").natural(np.log(0.1 / 0.9)) == pytest.approx(0.1)
    assert natural_scale("IRLN", per=100).natural(np.log(0.05)) == pytest.approx(5)
    assert natural_scale("RR").natural(np.log(2)) == pytest.approx(2)
    assert natural_scale("MD").natural(-5.2) == -5.2


def test_bounds_are_infinitely_far_on_the_model_scale():
    assert natural_scale("PLO").model([0, 1]).tolist() == [-np.inf, np.inf]
    assert natural_scale("OR").model(0) == -np.inf


def test_words():
    assert (natural_scale("PLO").name, natural_scale("PLO").unit, natural_scale("PLO").one) == (
        "rate", "%", "centre"
    )  # fmt: skip
    rate = natural_scale("IRLN", unit="patient-years", per=100)
    assert (rate.unit, rate.one, rate.null) == ("per 100 patient-years", "centre", None)
    assert natural_scale("IRLN", unit="patient-years").unit == "per patient-years"
    points = natural_scale("MD", unit="points")
    assert (points.name, points.unit, points.null, points.one) == ("difference", "points", 0.0, "study")
    for measure, name in RATIOS.items():
        scale = natural_scale(measure)
        assert (scale.name, scale.null, scale.logarithmic) == (name, 1.0, True)
    assert not natural_scale("PLO").logarithmic
