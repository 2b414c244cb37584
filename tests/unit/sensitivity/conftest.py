"""Surfaces that several of these tests ask."""

import pytest

from kyphobayes import exact

MU, TAU = "Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)"


@pytest.fixture(scope="session")
def leaks():
    """Three series of counts, one without an event."""
    return exact.binomial([0, 5, 4], [32, 35, 19])


@pytest.fixture(scope="session")
def effects():
    """Six normal estimates."""
    return exact.normal([0.1, -0.3, 0.4, 0.2, 0.0, 0.6], [0.2, 0.15, 0.3, 0.25, 0.2, 0.3])
