"""A normal kernel over functions of (mu, tau), however narrow it is beside the panels."""

import numpy as np
import pytest
from scipy import integrate, stats

from kyphobayes.exact.batch_predictive import mend_steps
from kyphobayes.exact.hermite import log_integral, standardised
from kyphobayes.exact.kernels import ContaminatedKernel
from kyphobayes.exact.panels import ORDER, Panels
from kyphobayes.exact.population import predictive, smooth
from kyphobayes.exact.precision import DEAD, cell_errors, rough

MU = stats.norm(1, 0.5)
WIDE = Panels(np.linspace(-4, 6, 11))  # panels of width 1: two standard deviations of mu


def tau_of(scale):
    """One panel of tau about a scale, and what is a density there."""
    panel = Panels([scale, 1.5 * scale])
    return panel, np.full(len(panel.nodes), 1 / (0.5 * scale))


# From kernels far narrower than a panel (Gauss-Hermite about each theta, with 8, 16 and 32 nodes), over those
# that a panel does not resolve (a rule of its own within their reach), to those that it does.
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 4e-3, 0.02, 0.1, 0.15, 0.17, 0.21, 0.3, 1.0, 4.0])
def test_a_normal_smoothed_is_a_wider_normal(scale):
    tau, flat = tau_of(scale)
    joint = MU.pdf(WIDE.nodes)[:, None] * flat
    theta = np.array([-3.0, 0.0, 0.5, 1.0, 1.37, 3.1])
    columns = np.stack([joint, joint * WIDE.nodes[:, None]], axis=2)
    found = smooth(WIDE, tau, joint, columns, theta)
    expected, first = np.zeros(len(theta)), np.zeros(len(theta))
    for t, weight in zip(tau.nodes, tau.weights * flat, strict=True):
        density = stats.norm.pdf(theta, 1, np.hypot(0.5, t))
        expected += weight * density
        first += weight * density * (theta * 0.25 + 1 * t**2) / (0.25 + t**2)  # mean of mu given theta
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found[:, 1], first, rtol=1e-6, atol=1e-9)


def test_nothing_is_integrated_where_nothing_is():
    tau, flat = tau_of(0.5)
    joint = np.zeros((len(WIDE.nodes), len(tau.nodes)))
    assert smooth(WIDE, tau, joint, joint[..., None], np.array([0.0])).tolist() == [[0.0]]
    panel = slice(4 * ORDER, 5 * ORDER)  # from 0 to 1
    joint[panel] = flat
    ends = np.array([-9 * 0.76, 1 + 9 * 0.76])
    assert smooth(WIDE, tau, joint, joint[..., None], ends) == pytest.approx(0, abs=1e-16)
    inside = smooth(WIDE, tau, joint, joint[..., None], np.array([0.3]))[0, 0]
    expected = sum(
        weight * np.diff(stats.norm.cdf([-0.3, 0.7], 0, t))[0]
        for t, weight in zip(tau.nodes, tau.weights * flat, strict=True)
    )
    assert inside == pytest.approx(expected, rel=1e-10)


def test_the_predictive_density_reaches_as_far_as_its_kernel():
    tau, flat = tau_of(2.0)
    joint = MU.pdf(WIDE.nodes)[:, None] * flat
    plain = predictive(WIDE, tau, joint)
    second = tau.weights * flat @ tau.nodes**2
    assert (plain.mean, plain.sd) == pytest.approx((1.0, np.sqrt(0.25 + second)), rel=1e-7)
    outlying = predictive(WIDE, tau, joint, ContaminatedKernel(0.1, 5.0))
    assert outlying.sd == pytest.approx(np.sqrt(0.25 + second * (0.9 + 0.1 * 25)), rel=1e-6)


@pytest.mark.parametrize("tau", [1e-5, 0.01, 0.1, 0.3])
def test_a_step_within_a_panel_is_integrated_with_the_panels_polynomial(tau):
    theta = np.array([-9.0, -0.6, 0.2, 1.0, 3.3, 9.0])
    below = stats.norm.cdf((theta[:, None, None] - WIDE.nodes[:, None]) / tau)
    mend_steps(below, theta, WIDE, np.array([tau]))
    found = below[..., 0] @ (WIDE.weights * MU.pdf(WIDE.nodes))
    np.testing.assert_allclose(found, stats.norm.cdf(theta, 1, np.hypot(0.5, tau)), atol=1e-7)


# --- quadrature over a study's effect --------------------------------------------------------------------


@pytest.mark.parametrize(("mu", "tau"), [(-1.0, 0.5), (2.0, 0.05), (-4.0, 2.0), (0.5, 1e-4)])
def test_a_study_is_integrated_about_its_mode(mu, tau):
    events, n = 3, 20

    def log_lik(theta):
        return events * theta - n * np.logaddexp(0, theta)

    mode = integrate_mode(mu, tau, events, n)
    share = 1 / (1 + np.exp(-mode))
    slope, curvature = events - n * share, n * share * (1 - share)
    centre, width = standardised(*(np.array([x]) for x in (mode, slope, curvature, mu, tau)))
    np.testing.assert_allclose(centre, (mode - mu) / tau, atol=1e-7)
    np.testing.assert_allclose(width, 1 / np.sqrt(1 + tau**2 * curvature), rtol=1e-14)
    found = log_integral(lambda z: log_lik(mu + tau * z) - z**2 / 2, centre, width)
    direct = integrate.quad(
        lambda z: np.exp(log_lik(mu + tau * z) - log_lik(mu)) * stats.norm.pdf(z),
        -12,
        12,
        epsabs=0,
        limit=200,
    )[0]
    assert found[0] == pytest.approx(log_lik(mu) + np.log(direct), abs=1e-8)


def integrate_mode(mu, tau, events, n):
    """Where events theta - n log(1 + exp theta) - (theta - mu)^2 / (2 tau^2) is largest, by halving."""
    low, high = -30.0, 30.0
    for _ in range(200):
        middle = (low + high) / 2
        slope = events - n / (1 + np.exp(-middle)) - (middle - mu) / tau**2
        low, high = (middle, high) if slope > 0 else (low, middle)
    return (low + high) / 2


def test_a_very_small_tau_takes_the_slope_and_not_a_difference_that_is_all_rounding():
    mode, mu = np.array([1.0]), np.array([1.0 + 1e-9])
    tiny = standardised(mode, np.array([7.0]), np.array([3.0]), mu, np.array([1e-4]))
    np.testing.assert_allclose(tiny[0], [7e-4])
    sharp = standardised(
        mode, np.array([7.0]), np.array([1e9]), mu, np.array([1e-4])
    )  # tau is not small for it
    np.testing.assert_allclose(sharp[0], (mode - mu) / 1e-4)
    larger = standardised(mode, np.array([7.0]), np.array([3.0]), mu, np.array([0.01]))
    np.testing.assert_allclose(larger[0], (mode - mu) / 0.01)


def test_a_likelihood_that_vanishes_has_a_log_all_the_same():
    found = log_integral(lambda z: np.full(z.shape, -50.0) - 800 * (z != 0), np.zeros(1), np.ones(1))
    assert np.isfinite(found).all()


# --- how well panels interpolate -------------------------------------------------------------------------


def surface_like(depth):
    """A peak in mu and tau; `depth` says how far below it the last panel of mu lies."""
    mu, tau = Panels([0, 1, 2]), Panels([0, 1])
    values = -((mu.nodes[:, None] - 0.5) ** 2) - tau.nodes**2 - np.where(mu.nodes > 1, depth, 0)[:, None]
    return mu, tau, values


@pytest.mark.parametrize(
    ("depth", "size", "unresolved"),
    [
        (0, 1e-7, True),  # where it matters eight digits are asked for
        (0, 1e-9, False),
        (25, 1e-7, False),  # (25 - 4) / 3 = 7: a thousandfold
        (25, 6e-6, False),
        (25, 3e-5, True),
        (60, 0.05, False),  # deep down a quarter of the depth is left: no value is lifted up
        (60, 25.0, True),
        (DEAD + 30, 1e4, False),  # as good as zero all over the panel
    ],
)
def test_panels_are_halved_where_their_error_matters(depth, size, unresolved):
    mu, tau, values = surface_like(depth)
    high = np.polynomial.legendre.Legendre.basis(ORDER - 1)(2 * (mu.nodes[ORDER:] - 1) - 1)
    values[ORDER:] += size * (high - 1)[:, None]  # never above what it was
    assert rough(mu, tau, values).tolist() == [False, unresolved]
    assert rough(tau, mu, values.T).tolist() == [False]


def test_rounding_is_no_error():
    mu, tau, values = surface_like(0)
    high = np.polynomial.legendre.Legendre.basis(ORDER - 1)(2 * (mu.nodes[ORDER:] - 1) - 1)
    values[ORDER:] += 1e-7 * high[:, None]
    assert rough(mu, tau, values).tolist() == [False, True]
    assert rough(mu, tau, values - 1e7).tolist() == [False, False]  # 1e-13 of its size


def test_rounding_is_that_of_the_largest_value_of_a_panel():
    mu, tau = Panels([0, 1]), Panels([0, 1])
    high = np.polynomial.legendre.Legendre.basis(ORDER - 1)(2 * mu.nodes - 1)
    flat = np.zeros(len(tau.nodes))
    assert rough(mu, tau, (5e-8 * high)[:, None] + flat).tolist() == [True]
    steep = -1e6 * mu.nodes**2  # its values have rounding of 1e-7, though there is next to none at its top
    assert rough(mu, tau, (steep + 5e-8 * high)[:, None] + flat).tolist() == [False]


def test_errors_of_cells_are_the_largest_along_both_axes():
    mu, tau, values = surface_like(0)
    last = np.polynomial.legendre.Legendre.basis(ORDER - 1)
    values = values + np.where(mu.nodes > 1, 3e-4 * last(2 * (mu.nodes - 1) - 1), 0)[:, None] * (
        1 + tau.nodes
    )
    values = values + 1e-5 * last(2 * tau.nodes - 1) * (2 - mu.nodes)[:, None]
    along_mu, along_tau = 3e-4 * (1 + tau.nodes[-1]), 1e-5 * (2 - mu.nodes[[0, ORDER]])
    expected = [[along_tau[0]], [along_mu + along_tau[1]]]
    np.testing.assert_allclose(cell_errors(mu, tau, values), expected, rtol=1e-6)
