"""Student-t effects as normal ones of many scales: the density of the scales, and what is spread over it."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes.exact.kernels import ContaminatedKernel, NormalKernel, StudentKernel
from kyphobayes.exact.panels import Panels
from kyphobayes.exact.scales import log_scale_density, over_scales, scale_range


@pytest.mark.parametrize("nu", [1.0, 3.0, 4.0, 30.0])
def test_the_density_of_the_log_of_a_scale(nu):
    v = np.linspace(-1, 2, 7)
    precision = np.exp(-2 * v)  # Gamma(nu / 2, rate nu / 2); dprecision / dv = -2 precision
    expected = stats.gamma.logpdf(precision, nu / 2, scale=2 / nu) + np.log(2 * precision)
    np.testing.assert_allclose(log_scale_density(v, nu), expected, rtol=1e-12, atol=1e-12)
    assert log_scale_density(np.array([-400.0]), nu)[0] < -1e100  # and no overflow


@pytest.mark.parametrize("nu", [1.0, 4.0, 30.0, 200.0])
def test_the_range_holds_the_density_and_the_step_resolves_it(nu):
    low, high, step = scale_range(nu)
    v = np.arange(low, high, step)
    assert step * np.exp(log_scale_density(v, nu)).sum() == pytest.approx(1, abs=1e-10)
    ends = log_scale_density(np.array([low, high]), nu) - log_scale_density(np.zeros(1), nu)
    assert (ends > -36).all() and (ends < -33).all()
    assert step == pytest.approx(min(0.1, 0.6 / np.sqrt(2 * nu)))


@pytest.mark.parametrize("nu", [3.0, 30.0])
def test_what_is_spread_over_scales_makes_a_normal_a_student(nu):
    tau = Panels(np.append(0.0, 0.05 * 2.0 ** np.arange(7)))
    law = stats.gamma(4.0, scale=0.1)
    joint = np.stack([law.pdf(tau.nodes), 3 * law.pdf(tau.nodes)])  # two values of mu
    sigma, (spread, other) = over_scales(tau, nu, joint, joint[..., None])
    np.testing.assert_allclose(spread @ sigma.weights, [1, 3], rtol=1e-7)
    np.testing.assert_array_equal(other[..., 0], spread)
    for theta in (0.0, 0.4, 2.5):
        student = tau.weights @ (law.pdf(tau.nodes) * stats.t.pdf(theta / tau.nodes, nu) / tau.nodes)
        normal = sigma.weights @ (spread[0] * stats.norm.pdf(theta, 0, sigma.nodes))
        assert normal == pytest.approx(student, rel=1e-5), theta


def test_a_wide_first_panel_is_resolved_down_to_next_to_nothing():
    tau = Panels([0.0, 1.0, 2.0, 8.0])
    law = stats.expon(scale=0.5)
    sigma, (spread,) = over_scales(tau, 4.0, law.pdf(tau.nodes)[None])
    assert spread[0] @ sigma.weights == pytest.approx(1, rel=1e-6)
    fine = Panels(np.append(0.0, 8 * 2.0 ** np.arange(-40.0, 1.0)))
    for s in (1e-3, 0.03, 0.4):  # P(sigma <= s) over all tau, with e^(-2v) = (tau / sigma)^2
        below = stats.gamma.sf((fine.nodes / s) ** 2, 2.0, scale=0.5) @ (fine.weights * law.pdf(fine.nodes))
        panel = np.searchsorted(sigma.edges, s)
        edge = sigma.edges[panel]
        exact = stats.gamma.sf((fine.nodes / edge) ** 2, 2.0, scale=0.5) @ (
            fine.weights * law.pdf(fine.nodes)
        )
        assert sigma.integrals(spread[0])[:panel].sum() == pytest.approx(exact, rel=1e-5)
        assert below <= exact


def test_bounds_of_the_kernels_are_allowed():
    assert [StudentKernel(nu).nu for nu in (1.0, 1000.0)] == [1, 1000]
    kernels = [ContaminatedKernel(*pair) for pair in ((0.5, 1.5), (1e-9, 100.0))]
    assert [(kernel.share, kernel.ratio) for kernel in kernels] == [(0.5, 1.5), (1e-9, 100)]
    assert [kernel.normal for kernel in (NormalKernel(), StudentKernel(4.0), kernels[0])] == [
        True,
        False,
        False,
    ]


def test_a_range_of_tau_that_starts_above_zero():
    tau = Panels([0.5, 0.7, 1.0, 1.5])
    joint = np.ones((1, len(tau.nodes)))
    sigma, (spread,) = over_scales(tau, 5.0, joint)
    assert spread[0] @ sigma.weights == pytest.approx(1.0, rel=1e-6)
    theta = 0.8
    student = tau.weights @ (stats.t.pdf(theta / tau.nodes, 5.0) / tau.nodes)
    assert sigma.weights @ (spread[0] * stats.norm.pdf(theta, 0, sigma.nodes)) == pytest.approx(
        student, rel=1e-5
    )
