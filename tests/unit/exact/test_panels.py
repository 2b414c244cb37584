"""Panels by themselves: what they integrate and interpolate exactly, where they are cut, when they stop."""

import numpy as np
import pytest
from numpy.polynomial import Polynomial

from kyphobayes.errors import InputError
from kyphobayes.exact.panels import ORDER, Panels, antiderivative, differentiation, lagrange, resolve

# Coefficients of a polynomial of degree ORDER - 1, all different, and the same of degree 2 ORDER - 1.
INTERPOLATED = Polynomial(np.cos(np.arange(ORDER)))
INTEGRATED = Polynomial(np.cos(np.arange(2 * ORDER)))
PLACES = np.array([-1.0, -0.999, -0.3, 0.0, 0.2, 0.77, 1.0])


@pytest.fixture
def nodes():
    return Panels([-1, 1]).nodes


def test_nodes_integrate_twice_the_degree_that_they_interpolate():
    panels = Panels([-1, 0.2, 1])
    exact = INTEGRATED.integ()
    np.testing.assert_allclose(panels.weights @ INTEGRATED(panels.nodes), exact(1) - exact(-1), rtol=1e-13)
    by_panel = panels.integrals(INTEGRATED(panels.nodes))
    np.testing.assert_allclose(by_panel, [exact(0.2) - exact(-1), exact(1) - exact(0.2)], rtol=1e-13)


def test_values_interpolate_at_nodes_and_between_them(nodes):
    at = np.concatenate([PLACES, nodes[[0, 3, -1]]])
    np.testing.assert_allclose(lagrange(at) @ INTERPOLATED(nodes), INTERPOLATED(at), rtol=1e-11, atol=1e-12)
    assert (lagrange(nodes) == np.eye(ORDER)).all()


def test_values_give_the_integral_up_to_any_place_and_the_slope_at_nodes(nodes):
    integral = INTERPOLATED.integ()
    found = antiderivative(PLACES) @ INTERPOLATED(nodes)
    np.testing.assert_allclose(found, integral(PLACES) - integral(-1.0), rtol=1e-12, atol=1e-13)
    slopes = differentiation() @ INTERPOLATED(nodes)
    np.testing.assert_allclose(slopes, INTERPOLATED.deriv()(nodes), rtol=1e-10, atol=1e-10)


def test_the_last_coefficients_are_those_of_legendre_and_tails_their_share_of_the_width(nodes):
    series = np.polynomial.legendre.Legendre(np.append(np.ones(ORDER - 2), [0.25, -0.5]))
    panels = Panels([10, 13, 14])
    one = np.tile(series(nodes), 2)
    values = np.stack([one, 2 * one, 3 * one], axis=1)
    np.testing.assert_allclose(panels.last_coefficients(values), [[0.5, 1.0, 1.5]] * 2, rtol=1e-11)
    np.testing.assert_allclose(panels.tails(values), [[1.5, 3.0, 4.5], [0.5, 1.0, 1.5]], rtol=1e-11)
    np.testing.assert_allclose(panels.tails(one), [1.5, 0.5], rtol=1e-11)


def test_a_place_is_found_in_its_panel_and_what_lies_outside_at_the_ends():
    panels = Panels([0, 1, 4])
    panel, place = panels.locate(np.array([-5.0, 0.0, 0.25, 1.0, 3.0, 4.0, 9.0]))
    assert panel.tolist() == [0, 0, 0, 1, 1, 1, 1]
    np.testing.assert_allclose(place, [-1, -1, -0.5, -1, 1 / 3, 1, 1], rtol=1e-15)
    values = np.where(panels.nodes < 1, panels.nodes, 5 - panels.nodes)
    np.testing.assert_allclose(panels.interpolation([0.25, 3.0]) @ values, [0.25, 2.0], rtol=1e-13)


def test_edges_are_sorted_and_each_is_one():
    panels = Panels([3, 0, 1, 1])
    assert panels.edges.tolist() == [0, 1, 3] and len(panels) == 2 and panels.widths.tolist() == [1, 2]
    assert repr(panels) == "Panels(2 on [0, 3])"
    with pytest.raises(InputError, match=r"at least two different edges, found \[1\.0\]"):
        Panels([1, 1])


def test_panels_are_halved_where_they_are_flagged_and_cut_evenly_to_a_width():
    panels = Panels([0, 1, 3, 4])
    assert panels.split(np.array([True, False, True])).edges.tolist() == [0, 0.5, 1, 3, 3.5, 4]
    assert panels.no_wider_than(1.0).edges.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(panels.no_wider_than(0.7).edges, [0, 0.5, 1, 5 / 3, 7 / 3, 3, 3.5, 4])
    assert panels.no_wider_than(100).edges.tolist() == [0, 1, 3, 4]


def test_a_function_is_resolved_where_it_bends_and_nothing_is_computed_twice():
    asked = []

    def peak(x):
        asked.append(x)
        return np.stack([1 / (1 + (20 * x) ** 2), np.ones_like(x)], axis=1)

    panels, values = resolve(peak, Panels([-8, 0.5, 8]), 1e-10)
    np.testing.assert_allclose(panels.weights @ values, [np.arctan(160.0) / 10, 16], rtol=1e-10)
    np.testing.assert_array_equal(values[:, 0], 1 / (1 + (20 * panels.nodes) ** 2))
    assert panels.widths.min() < 0.2 < 2 < panels.widths.max()
    points = np.concatenate(asked)
    assert len(np.unique(points)) == len(points)


def test_halving_ends_after_so_many_rounds():
    panels, values = resolve(lambda x: (x > 1 / 3).astype(float), Panels([0, 1]), 1e-12, rounds=5)
    assert panels.widths.min() == 1 / 2**4
    assert panels.weights @ values == pytest.approx(2 / 3, abs=1 / 2**5)
