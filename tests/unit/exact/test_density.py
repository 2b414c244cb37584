"""Densities of one quantity, on panels and as mixtures of normals, against scipy's."""

import numpy as np
import pytest
from scipy import optimize, stats

from kyphobayes.exact.density import Density, newton
from kyphobayes.exact.mixtures import NormalMixture, mixture_quantiles
from kyphobayes.exact.panels import Panels

NORMAL, GAMMA = stats.norm(2, 0.5), stats.gamma(3.0, scale=0.7)
SHARES = [1e-9, 0.001, 0.025, 0.3, 0.5, 0.84, 0.975, 1 - 1e-7]


def on_panels(law, edges, scale=1.0):
    panels = Panels(edges)
    return Density(panels, scale * law.pdf(panels.nodes))


@pytest.fixture(params=[1.0, 7.0], ids=["density", "a multiple"])
def gamma(request):
    return on_panels(GAMMA, 0.25 * np.linspace(0, 12.65, 31) ** 2, request.param)  # panels of many widths


def test_moments_and_probabilities(gamma):
    assert gamma.mean == pytest.approx(2.1, rel=1e-10)
    assert gamma.sd == pytest.approx(np.sqrt(3) * 0.7, rel=1e-9)
    assert gamma.expectation(lambda x: x**3) == pytest.approx(GAMMA.moment(3), rel=1e-9)
    x = np.array([0.0, 0.01, 0.5, 1.0, 2.0, 3.3, 12.0])
    np.testing.assert_allclose(gamma.pdf(x), GAMMA.pdf(x), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(gamma.cdf(x), GAMMA.cdf(x), rtol=1e-9, atol=1e-14)


def test_outside_the_panels_there_is_nothing(gamma):
    assert gamma.pdf([-0.1, 40.1]).tolist() == [0, 0]
    assert gamma.cdf([-0.1, 40.1]) == pytest.approx([0, 1], abs=1e-14)
    assert gamma.pdf(np.array([[0.5], [2.0]])).shape == (2, 1)


def test_quantiles(gamma):
    np.testing.assert_allclose(gamma.quantile(SHARES), GAMMA.ppf(SHARES), rtol=2e-7)
    assert float(gamma.quantile(0.3)) == pytest.approx(GAMMA.ppf(0.3), rel=1e-7)
    pairs = np.array([[0.1, 0.2, 0.3], [0.5, 0.6, 0.9]])
    np.testing.assert_allclose(gamma.quantile(pairs), GAMMA.ppf(pairs), rtol=2e-7)
    low, high = gamma.quantile([0, 1])  # where there is next to nothing any place will do
    assert 0 <= low < 1e-5 and 25 < high <= 40.01
    assert gamma.eti() == pytest.approx(GAMMA.ppf([0.025, 0.975]), rel=1e-7)
    assert gamma.eti(0.5) == pytest.approx(GAMMA.ppf([0.25, 0.75]), rel=1e-7)


def test_the_shortest_interval(gamma):
    below = optimize.minimize_scalar(
        lambda p: np.diff(GAMMA.ppf([p, p + 0.9]))[0], bounds=(1e-9, 0.1), method="bounded",
        options={"xatol": 1e-12},
    ).x  # fmt: skip
    assert gamma.hdi(0.9) == pytest.approx(GAMMA.ppf([below, below + 0.9]), rel=1e-5)
    low, high = gamma.hdi(0.9)
    assert GAMMA.pdf(low) == pytest.approx(GAMMA.pdf(high), rel=1e-4)
    falling = on_panels(stats.expon(), np.linspace(0, 40, 41))
    assert falling.hdi(0.8) == pytest.approx([0, -np.log(0.2)], abs=1e-6)
    rising = on_panels(stats.expon(), np.linspace(0, 40, 41))
    mirrored = Density(Panels(-rising.panels.edges), rising.values[::-1])
    assert mirrored.hdi(0.8) == pytest.approx([np.log(0.2), 0], abs=1e-6)


def test_a_value_below_zero_is_rounding():
    panels = Panels([0, 1, 2])
    values = np.where(panels.nodes < 1, 1.0, -1e-9)
    assert Density(panels, values).cdf(1.0) == 1.0


def test_a_mean_without_end_has_no_standard_deviation():
    panels = Panels([0, 1])
    density = Density(panels, np.ones_like(panels.nodes))
    density.panels.nodes[-1] = np.inf
    assert density.mean == np.inf and density.sd == np.inf


def test_a_density_says_its_median_and_interval():
    density = on_panels(NORMAL, np.linspace(-3, 7, 21))
    assert repr(density) == "Density(median 2, 95 % interval 1.02 to 2.98)"
    assert "Density of mu: median 2, 95 % interval 1.02 to 2.98" in str(density.sketch("mu"))


@pytest.mark.parametrize("root", [-1.0, -0.999999, -0.3, 0.0, 0.5, 1.0])
def test_newton_finds_a_zero_where_its_steps_would_leave_the_panel(root):
    # The cube root's own steps move ever further out: only halving holds them.
    def steep(x):
        away = x - root
        slope = np.where(away == 0, 1e9, np.abs(np.where(away == 0, 1, away)) ** (-2 / 3) / 3)
        return np.cbrt(away), slope

    assert newton(steep, ()) == pytest.approx(root, abs=1e-6)
    assert newton(lambda x: ((x - root) ** 3, np.zeros_like(x)), ()) == pytest.approx(root, abs=1e-6)


# --- mixtures of normals ---------------------------------------------------------------------------------

WEIGHTS = np.array([0.1, 0.6, 0.25, 0.05])
MEANS = np.array([[-3.0, 0.0, 1.0, 8.0], [2.0, 2.0, 2.0, 2.0]])
SDS = np.array([[0.5, 1.0, 0.02, 3.0], [1.0, 2.0, 3.0, 4.0]])


def cdf(mixture, x):
    return stats.norm.cdf(np.asarray(x)[..., None], MEANS[mixture], SDS[mixture]) @ WEIGHTS


@pytest.mark.parametrize("q", SHARES)
def test_quantiles_of_mixtures(q):
    found = mixture_quantiles(WEIGHTS, MEANS, SDS, np.array([q]))
    assert found.shape == (2, 1)
    for mixture, x in enumerate(found[:, 0]):
        tail = min(q, 1 - q)
        assert cdf(mixture, x) == pytest.approx(q, abs=1e-6 * tail + 1e-15)


def test_a_quantile_within_a_component_that_is_very_narrow():
    weights, means, sds = np.array([0.5, 0.5]), np.array([[0.0, 0.3]]), np.array([[1.0, 1e-11]])
    below = stats.norm.cdf(0.3)
    for share in (0.1, 0.5, 0.77):
        q = 0.5 * below + 0.5 * share
        found = mixture_quantiles(weights, means, sds, np.array([q]))[0, 0]
        assert (found - 0.3) / 1e-11 == pytest.approx(stats.norm.ppf(share), abs=1e-3)


def test_many_quantiles_are_those_of_each():
    together = mixture_quantiles(WEIGHTS, MEANS, SDS, np.array(SHARES))
    alone = [mixture_quantiles(WEIGHTS, MEANS, SDS, np.array([q]))[:, 0] for q in SHARES]
    np.testing.assert_allclose(together, np.transpose(alone), rtol=1e-6, atol=1e-8)


def test_the_ends_of_a_mixture_are_far_but_finite():
    low, high = mixture_quantiles(WEIGHTS, MEANS[:1], SDS[:1], np.array([0.0, 1.0]))[0]
    assert 8 - 8 * 3 < low < 8 - 7 * 3 and 8 + 7 * 3 < high < 8 + 8 * 3


def test_a_mixture_is_a_density():
    mixture = NormalMixture(WEIGHTS, MEANS[0], SDS[0], mean=0.35, sd=2.0)
    assert (mixture.mean, mixture.sd) == (0.35, 2.0)
    x = np.array([[-3.0, 0.0], [1.0, 8.0]])
    np.testing.assert_allclose(
        mixture.pdf(x), stats.norm.pdf(x[..., None], MEANS[0], SDS[0]) @ WEIGHTS, rtol=1e-13
    )
    np.testing.assert_allclose(mixture.cdf(x), cdf(0, x), rtol=1e-13)
    np.testing.assert_allclose(
        mixture.cdf(mixture.quantile([[0.1, 0.5], [0.7, 0.99]])), [[0.1, 0.5], [0.7, 0.99]]
    )
    assert mixture.expectation(lambda x: x) == pytest.approx(WEIGHTS @ MEANS[0], rel=1e-9)
    panels, values = mixture.panels, mixture.values
    assert panels.weights @ values == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(values, mixture.pdf(panels.nodes), rtol=1e-9)
