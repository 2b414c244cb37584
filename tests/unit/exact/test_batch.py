"""Columns of densities on common panels, one by one, and the grid that many pairs of priors share."""

import numpy as np
import pytest
from scipy import stats

from kyphobayes import exact
from kyphobayes.exact.batch import SAMPLE, Grid, below, moments, place, quantiles, solve, some
from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import Panels
from kyphobayes.priors import Prior

PANELS = Panels(np.linspace(-8, 24, 33))  # they hold all of each law
LAWS = [stats.norm(0, 1), stats.norm(3, 0.7), stats.gumbel_r(1, 0.8)]
COLUMNS = np.stack([law.pdf(PANELS.nodes) for law in LAWS], axis=1)
NORMALS = [(Prior.parse("Normal(mu=0, sigma=1)"), Prior.parse("HalfNormal(sigma=0.5)"))]


def test_mean_and_variance_of_columns():
    mean, variance = moments(PANELS, COLUMNS[:, :2])
    np.testing.assert_allclose(mean, [0, 3], atol=1e-9)
    np.testing.assert_allclose(variance, [1, 0.49], rtol=1e-7)


def test_probabilities_and_quantiles_of_columns():
    for x in (-8.5, -8.0, -1.0, 0.4, 2.0, 9.9, 24.0, 25.0):
        np.testing.assert_allclose(below(PANELS, COLUMNS, x), [law.cdf(x) for law in LAWS], atol=1e-8)
    q = np.array([1e-4, 0.025, 0.5, 0.9])
    found = quantiles(PANELS, COLUMNS, q)
    for column in range(3):
        np.testing.assert_allclose(
            found[:, column], Density(PANELS, COLUMNS[:, column]).quantile(q), rtol=1e-6
        )


def test_a_sample_is_always_the_same_and_of_all_where_they_are_few():
    assert some(5).tolist() == [0, 1, 2, 3, 4]
    found = some(1000)
    assert len(np.unique(found)) == SAMPLE and (np.diff(found) > 0).all() and found.max() > 900
    assert found.tolist() == some(1000).tolist()


@pytest.fixture(scope="module")
def surface():
    return exact.normal([0.1, -0.3, 0.6], [0.2, 0.3, 0.25])


def test_a_grid_solves_its_pairs_within_its_error(surface):
    batch = solve(place(surface, NORMALS), NORMALS)
    one = surface.posterior(*map(str, NORMALS[0]))
    assert batch.log_marginal_likelihood[0] == pytest.approx(one.log_marginal_likelihood, abs=1e-8)
    assert batch.error[0] < 1e-6
    assert batch.grid.mu.weights @ batch.mu[:, 0] == pytest.approx(1, abs=1e-12)
    assert batch.grid.tau.weights @ batch.tau[:, 0] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("mu", "tau"),
    [
        ("Normal(mu=0.1, sigma=1e-6)", "HalfNormal(sigma=0.5)"),  # between two nodes
        ("Normal(mu=0, sigma=1)", "HalfNormal(sigma=1e-9)"),
        ("Uniform(lower=50, upper=51)", "HalfNormal(sigma=0.5)"),  # beyond the panels
        ("Normal(mu=30, sigma=0.1)", "HalfNormal(sigma=0.01)"),  # where the likelihood is next to nothing
    ],
)
def test_a_prior_that_the_nodes_miss_is_said_to_be_missed(surface, mu, tau):
    grid = Grid.of(surface, surface.mu, surface.tau)
    batch = solve(grid, [*NORMALS, (Prior.parse(mu), Prior.parse(tau))])
    assert np.isinf(batch.error).tolist() == [False, True]
    kept = batch.take(np.array([1]))
    assert np.isinf(kept.error).tolist() == [True] and kept.mu.shape[1] == 1


def test_what_lies_beyond_the_edges_is_told(surface):
    panels = Panels(np.linspace(-0.5, 0.5, 5)), Panels(np.linspace(0, 2.0, 5))
    batch = solve(Grid.of(surface, *panels), NORMALS)
    beyond = {side: float(mass[0]) for side, mass in batch.outside().items()}
    assert beyond["high"] > beyond["low"] > 1e-4 and beyond["tau"] > 1e-5
    assert beyond["high"] == batch.mu[-1, 0] * 1.0 and beyond["tau"] == batch.tau[-1, 0] * 2.0
    grown = solve(place(surface, NORMALS), NORMALS)
    assert max(float(mass[0]) for mass in grown.outside().values()) < 1e-8
