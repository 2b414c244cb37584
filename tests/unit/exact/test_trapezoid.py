"""An exponential on one side and a wall on the other, whose integral is a gamma function."""

import numpy as np
import pytest
from scipy import special

from kyphobayes.exact.trapezoid import log_integral_to_its_ends

SHAPES = np.array([0.01, 0.1, 0.5, 1.0, 3.0, 50.0])


@pytest.mark.parametrize("side", [-1.0, 1.0], ids=["wall below", "wall above"])
def test_an_exponential_before_a_wall_has_the_integral_of_a_gamma(side):
    found = log_integral_to_its_ends(
        lambda x: SHAPES * side * x - np.exp(np.minimum(side * x, 500.0)),
        side * np.log(SHAPES),
        SHAPES**-0.5,
    )
    np.testing.assert_allclose(found, special.gammaln(SHAPES), atol=1e-8)
