"""The likelihood search finds the highest of several maxima, at the precision of floating point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.frequentist import search
from kyphobayes.frequentist.studies import Studies

LIKELIHOODS = {
    "ML": (search.ml_score, search.ml_deviance),
    "REML": (search.reml_score, search.reml_deviance),
}


def one(y, v):
    return Studies.standardised(np.array([y], dtype=float), np.array([v], dtype=float))


def tau2_hat(name, studies):
    return search.highest_maximum(studies, *LIKELIHOODS[name])


@pytest.mark.parametrize("name", LIKELIHOODS)
@given(st.data())
def test_no_tau2_is_more_likely(name, data):
    k = data.draw(st.integers(2, 6))
    y = data.draw(st.lists(st.floats(-10, 10), min_size=k, max_size=k))
    v = [10**x for x in data.draw(st.lists(st.floats(-5, 2), min_size=k, max_size=k))]
    studies = one(y, v)
    elsewhere = np.concatenate([[0.0], np.geomspace(1e-9, 10 * studies.spread()[0] ** 2 + 1, 500)])
    deviance = LIKELIHOODS[name][1]
    least = deviance(studies, tau2_hat(name, studies))[0]
    assert least <= deviance(studies.take(np.zeros(501, dtype=int)), elsewhere).min() + 1e-9


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize(
    ("y", "v"),
    [
        ([-0.19, 0.17, 0.14, -0.01], [0.016, 0.0006, 0.0002, 0.1239]),  # REML: two maxima inside
        ([-0.62, 2.28, -0.59, -0.07], [0.0183, 0.8772, 0.0052, 0.2355]),  # one at 0, higher than inside
        ([0.27, -1.0, -0.05, -0.03], [0.0106, 0.1828, 0.0007, 0.0002]),  # one at 0, lower than inside
    ],
)
def test_of_several_maxima_the_highest(name, y, v):
    studies = one(y, v)
    fine = np.expm1(np.linspace(0, 1, 20001) * np.log1p(studies.spread()[0] ** 2))
    deviance = LIKELIHOODS[name][1](studies.on_grid(), fine[:, None])[:, 0]
    step = fine[deviance.argmin() + 1] - fine[deviance.argmin()]
    assert tau2_hat(name, studies)[0] == pytest.approx(fine[deviance.argmin()], abs=step)


def test_two_studies_have_a_closed_form():
    """REML of two studies of equal variance v: (y1 - y2)^2 / 2 - v."""
    studies = one([0.0, 3.0], [0.25, 0.25])
    assert tau2_hat("REML", studies) * studies.scale**2 == pytest.approx(4.25, rel=1e-14)


def test_a_huge_study_costs_no_digits():
    """As v_1 goes to 0, REML of two studies goes to (y1 - y2)^2 / 2 - (v1 + v2) / 2."""
    studies = one([0.0, 3.0], [1e-14, 0.25])
    assert tau2_hat("REML", studies) * studies.scale**2 == pytest.approx(4.5 - 0.125, rel=1e-9)
