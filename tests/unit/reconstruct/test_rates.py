"""What a list of tables leads to, and the same under other methods."""

import numpy as np
import pytest
from scipy import special

from kyphobayes import exact
from kyphobayes.errors import PriorError
from kyphobayes.reconstruct import rates

N = np.array([20.0, 31.0])
MU, TAU = "Normal(mu=-2, sigma=1)", "HalfNormal(sigma=1)"


def test_they_are_those_of_the_exact_posterior():
    tables, weights = np.array([[1, 4], [3, 2]]), np.array([0.25, 0.75])
    found = rates(N, MU, TAU)(tables, weights)
    post = exact.mixture(tables, N, weights).posterior(MU, TAU)
    assert found["typical_median"] == pytest.approx(special.expit(float(post.quantile("mu", 0.5))))
    assert found["next_high"] == pytest.approx(special.expit(float(post.quantile("theta_new", 0.975))))
    assert found["typical_low"] < found["typical_median"] < found["typical_high"]


def test_too_many_tables_are_not_answered():
    found = rates(N, MU, TAU)(np.ones((301, 2), dtype=int), np.full(301, 1 / 301))
    assert len(found) == 6 and all(np.isnan(value) for value in found.values())


def test_a_wrong_prior_is_refused_at_once():
    with pytest.raises(PriorError, match="did you mean"):
        rates(N, "Norml(mu=0)", TAU)
