"""Tabulated likelihoods of studies: normal ones are parabolas, and tables are a weighted mean."""

import numpy as np
from scipy import stats

from kyphobayes import exact
from kyphobayes.exact.splines import StudySplines

TAU = np.array([1e-3, 0.4, 2.0])


def test_normal_studies_are_parabolas_far_from_where_they_lie():
    y, se = np.array([-0.3, 0.2, 1.2]), np.array([0.02, 0.3, 0.5])
    studies = StudySplines(exact.normal(y, se))
    means = np.random.default_rng(0).uniform(-9, 9, (200, y.size))
    for tau, splines in zip(TAU, studies.at(TAU), strict=True):
        variance = se**2 + tau**2
        expected = stats.norm.logpdf(y, means, np.sqrt(variance)).sum(axis=1)
        value, slope, bend = studies.average(splines, means)
        np.testing.assert_allclose(value, expected, rtol=1e-8)
        np.testing.assert_allclose(studies.log_likelihood(splines, means), expected, rtol=1e-8)
        np.testing.assert_allclose(slope, (y - means) / variance, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(bend, np.broadcast_to(-1 / variance, means.shape), rtol=1e-3)


def test_tables_are_averaged_by_their_weights():
    tables, n = [[0, 5, 2], [1, 4, 2], [0, 4, 3]], [32, 35, 30]
    studies, share = StudySplines(exact.mixture(tables, n, [1, 2, 3])), np.array([1, 2, 3]) / 6
    means = np.random.default_rng(1).uniform(-5, 2, (9, 3))
    alone = [StudySplines(exact.binomial(table, n)) for table in tables]
    for at, splines in enumerate(studies.at(TAU)):
        each = [single.average(single.at(TAU)[at], means) for single in alone]
        for found, parts in zip(studies.average(splines, means), zip(*each, strict=True), strict=True):
            np.testing.assert_allclose(found, np.tensordot(share, parts, axes=1), rtol=1e-4, atol=1e-7)
