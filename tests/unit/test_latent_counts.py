"""The distribution of counts of which only a list of tables is known."""

import numpy as np
import pymc as pm
import pytest
from scipy import special, stats

from kyphobayes.latent_counts import OneOfTables

N = np.array([30.0, 12.0])
TABLES = np.array([[3.0, 4.0], [5.0, 2.0], [0.0, 7.0]])
WEIGHTS = np.array([0.2, 0.3, 0.5])


@pytest.fixture(scope="module")
def model():
    with pm.Model(coords={"table": [1, 2, 3], "latent": ["a", "b"]}) as declared:
        p = pm.Uniform("p", 0, 1, shape=2, default_transform=None)
        OneOfTables("events", n=N, p=p, tables=TABLES, weights=WEIGHTS, dims=("table", "latent"))
    return declared


def test_likelihood_is_the_weighted_mean_over_tables(model):
    log_likelihood = model.compile_logp(vars=[model["events"]])
    for p in ([0.1, 0.3], [0.01, 0.9], [0.5, 0.5]):
        by_table = stats.binom.logpmf(TABLES, N, p).sum(axis=1)
        expected = special.logsumexp(by_table, b=WEIGHTS)
        assert float(log_likelihood({"p": np.array(p)})) == pytest.approx(expected, rel=1e-10)


def test_a_draw_is_one_row_of_binomial_counts(model):
    p, events = pm.draw([model["p"], model["events"]], draws=4000, random_seed=1)
    assert events.shape == (4000, 3, 2)
    assert (events == events[:, :1]).all()
    assert (np.abs((events[:, 0] - N * p).mean(axis=0)) < 4 * np.sqrt(N / 6 / 4000)).all()
    # Given p uniform a binomial count is uniform on 0, ..., n; the two studies are independent.
    for study, size in enumerate((30, 12)):
        observed = np.bincount(events[:, 0, study], minlength=size + 1)
        assert stats.chisquare(observed).pvalue > 1e-4
    assert abs(np.corrcoef(events[:, 0, 0], events[:, 0, 1])[0, 1]) < 4 / np.sqrt(4000)
