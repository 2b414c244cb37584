"""Trim and fill: worked by hand, mirrored, and where it has no answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyphobayes.errors import InputError
from kyphobayes.frequentist import pool, trim_and_fill

effects = st.integers(-500, 500).map(lambda i: i / 100)
variances = st.integers(1, 4000).map(lambda i: i / 1000)
studies = st.lists(
    st.tuples(effects, variances), min_size=4, max_size=9, unique_by=(lambda one: one[0], lambda one: one[1])
)

# Equal variances: the mean is 1.46, the ranks of the distances from it are 3, 2, 1 below and 4, 5 above.
# Without the largest the mean is 0.825, and the ranks are the same.
BY_HAND = [0.0, 0.1, 0.2, 3.0, 4.0]


@pytest.mark.parametrize(
    ("estimator", "estimate", "se"),
    [
        ("L0", (4 * 9 - 30) / 9, lambda k0: 4 * np.sqrt(variance_of_sum(k0)) / 9),
        ("R0", 5 - 3 - 1, lambda k0: np.sqrt(2 * k0 + 2)),
        ("Q0", 4.5 - np.sqrt(50 - 36 + 0.25), lambda k0: 2 * np.sqrt(variance_of_sum(k0)) / (4.5 - k0)),
    ],
)
def test_by_hand(estimator, estimate, se):
    found = trim_and_fill(BY_HAND, [1] * 5, side="left", estimator=estimator, method="CE", test="z")
    assert found.k0 == round(estimate) == 1
    assert found.se_k0 == pytest.approx(se(estimate))
    np.testing.assert_allclose(found.y, [*BY_HAND, 2 * 0.825 - 4])
    assert found.filled.tolist() == [False] * 5 + [True]
    assert found.v.tolist() == [1] * 6
    assert (found.pooled.mu, found.pooled.k, found.k) == (pytest.approx(0.825), 6, 5)


def variance_of_sum(k0):
    """Of the rank sum for k = 5; Duval and Tweedie (2000b)."""
    return (5 * 6 * 11 + 10 * k0**3 + 27 * k0**2 + 17 * k0 - 90 * k0**2 - 90 * k0 + 150 * k0) / 24


@pytest.mark.parametrize("method", ["CE", "REML"])
@given(studies, st.sampled_from(["L0", "R0"]))
@settings(max_examples=40)
def test_mirrored_effects_have_the_mirrored_result(method, these, estimator):
    y, v = np.array(these).T
    one, other = attempt(y, v, "left", estimator, method), attempt(-y, v, "right", estimator, method)
    if one is None or other is None:
        assert one is other
    else:
        assert (one.k0, one.se_k0) == (other.k0, other.se_k0)
        np.testing.assert_allclose(one.y, -other.y, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(one.pooled.mu, -other.pooled.mu, rtol=1e-9, atol=1e-9)


def attempt(y, v, side, estimator, method):
    try:
        return trim_and_fill(y, v, side=side, estimator=estimator, method=method, test="z")
    except InputError:
        return None


@given(studies)
@settings(max_examples=40)
def test_filled_studies_are_images_of_observed_ones(these):
    y, v = np.array(these).T
    found = attempt(y, v, "left", "L0", "CE")
    assert found is not None  # with a common effect k0 only rises, so it settles
    largest = np.sort(y)[len(y) - found.k0 :]
    images = found.y[found.filled]
    if found.k0:
        center = pool(*(a[np.argsort(y)][: len(y) - found.k0] for a in (y, v)), method="CE", test="z").mu
        np.testing.assert_allclose(images + largest, 2 * center, rtol=1e-9, atol=1e-9)
    assert found.pooled.mu == pytest.approx(pool(found.y, found.v, method="CE", test="z").mu)
    assert found.y[: len(y)].tolist() == y.tolist()


@pytest.mark.parametrize("sign", [1, -1])
def test_the_side_is_opposite_to_the_small_studies(sign):
    y = sign * np.array([0.1, 0.3, 0.2, 0.9, 0.7, 1.4])
    found = trim_and_fill(y, [0.01, 0.02, 0.05, 0.1, 0.2, 0.4])
    assert found.side == ("left" if sign > 0 else "right")


@pytest.mark.parametrize("estimator", ["L0", "R0", "Q0"])
@pytest.mark.parametrize("y", [[0.3] * 6, [-3, -2, -1, 1, 2, 3]], ids=["equal", "symmetric"])
def test_nothing_is_missing(estimator, y):
    found = trim_and_fill(y, [0.1, 0.2, 0.3, 0.3, 0.2, 0.1], side="left", estimator=estimator)
    assert found.k0 == 0
    assert np.isfinite(found.se_k0)
    assert found.pooled.mu == pool(y, found.v).mu


def test_of_equal_effects_the_later_one_is_trimmed():
    found = trim_and_fill([0.0, 0.1, 0.2, 3.0, 3.0], [1, 1, 1, 2, 1], side="left", method="CE", test="z")
    assert found.k0 == 1
    assert found.v[-1] == 1


@pytest.mark.parametrize(
    ("y", "v", "arguments", "message"),
    [
        (
            [0.9, 0.0, 1.4, 3.4],
            [0.211, 1.21, 0.024, 5.755],
            {"side": "left", "method": "HE"},
            "the number of missing studies goes 0 -> 1 -> 0; choose another estimator than 'L0'",
        ),
        (
            [6.3, 1.2, 3.4],
            [0.9, 0.6, 1.1],
            {"side": "left", "estimator": "Q0", "method": "CE"},
            "Q0 does not exist for these effects",
        ),
        ([1, 2, 3], [1, 1, 1], {}, "all variances are equal, so the side cannot be found: give side="),
        ([1, 2], [1, 2], {}, "there are 2 studies; trim and fill needs at least 3"),
        ([1], [1], {"side": "left"}, "there is 1 study; trim and fill needs at least 2"),
        ([1, 2, 3], [1, 2, 3], {"side": "top"}, "side must be one of left, right, not 'top'"),
        ([1, 2, 3], [1, 2, 3], {"estimator": "L1"}, "estimator must be one of L0, R0, Q0"),
        ([1, 2, 3], [1, 2, 3], {"method": "FE"}, "method must be one of CE"),
        ([1, 2, 3], [1, 2, 3], {"test": "knha"}, "test must be one of z"),
        ([1, 2, 3], [1, 2, 3], {"level": 0}, "level must lie between 0 and 1"),
    ],
)
def test_refusals(y, v, arguments, message):
    with pytest.raises(InputError, match=message):
        trim_and_fill(y, v, **arguments)
