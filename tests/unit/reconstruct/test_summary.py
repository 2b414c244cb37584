"""Printed lines as likelihoods: every table prints the line; closed forms, brute force, the full table."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.exact.normal_tables import NormalTables
from kyphobayes.frequentist import pool, pool_many
from kyphobayes.reconstruct import summary_likelihood
from kyphobayes.reconstruct.consistent import tables
from kyphobayes.reconstruct.printed_line import read_line
from kyphobayes.reconstruct.summary import _points

CASES = [
    (4, "3.85", ("2.99", "4.71"), "79", "DL", "z"),
    (2, "-16.39", ("-18.5", "-14.25"), "0", "DL", "z"),
    (3, "0.50", ("0.10", "0.90"), "40", "CE", "z"),
    (5, "0.50", ("0.10", "0.90"), "0", "REML", "z"),
    (6, "0.50", ("0.10", "0.90"), "62", "REML", "t"),
    (6, "0.50", ("0.10", "0.90"), "35", "ML", "z"),
    (3, "0.50", ("0.10", "0.90"), "62", "PM", "hksj"),
    (7, "0.50", ("0.10", "0.90"), "25", "DL", "hksj"),
]


@pytest.mark.parametrize(("k", "estimate", "ci", "i2", "method", "test"), CASES)
def test_every_table_prints_the_line(k, estimate, ci, i2, method, test):
    found = summary_likelihood(
        k, estimate, ci, i2, method=method, test=test, n=list(range(10, 10 + k)), points=64
    )
    surface, line = found.surface, found.line
    y = surface.studies.y.reshape(-1, k)
    pooled = pool_many(y, surface.studies.se.reshape(-1, k) ** 2, method=method, test=test)
    for value, (low, high) in (
        (pooled.mu, line.estimate),
        (pooled.ci_low, line.low),
        (pooled.ci_high, line.high),
    ):
        assert (value >= low - 1e-6).all() and (value <= high + 1e-6).all()
    assert (pooled.i2 >= 100 * line.i2[0] - 1e-4).all() and (pooled.i2 <= 100 * line.i2[1] + 1e-4).all()


def by_quadrature(line, mu, tau):
    """Equal variances, DL: mean ~ N(mu, (v + tau2) / k), Q v / (v + tau2) ~ chi-square(k - 1)."""
    k = line.k

    def density(m, log_se, q):
        se = np.exp(log_se)
        t = max(0.0, q / (k - 1) - 1)  # C = k - 1 with v = 1
        v = k * se**2 / (1 + t)
        share = v / (v + tau**2)
        return stats.norm.pdf(m, mu, np.sqrt((v + tau**2) / k)) * stats.chi2.pdf(q * share, k - 1) * share

    q_low = (k - 1) / (1 - line.i2[0]) if line.i2[0] > 0 else 0.0
    q_high = (k - 1) / (1 - line.i2[1])
    m_low, m_high = line.estimate

    def inner(q):
        # Ends of the interval that print right, given m, are those of se.
        def over_se(m):
            least = max(m - line.low[1], line.high[0] - m) / line.quantile
            most = min(m - line.low[0], line.high[1] - m) / line.quantile
            if most <= least:
                return 0.0
            return integrate.fixed_quad(
                np.vectorize(lambda s: density(m, s, q)), np.log(least), np.log(most), n=4
            )[0]

        return integrate.fixed_quad(np.vectorize(over_se), m_low, m_high, n=6)[0]

    # The root of Q takes away the pole of the chi-square with one degree of freedom.
    bend = np.sqrt(k - 1)
    ends = [np.sqrt(q_low), *([bend] if q_low < k - 1 < q_high else []), np.sqrt(q_high)]
    pieces = [
        integrate.fixed_quad(np.vectorize(lambda x: 2 * x * inner(x * x)), a, b, n=8)[0]
        for a, b in pairwise(ends)
    ]
    return sum(pieces)


@pytest.mark.parametrize(
    ("k", "i2"), [(2, "0"), (3, "0"), (4, "79"), (2, "60")], ids=lambda value: str(value)
)
def test_equal_variances_have_the_closed_form(k, i2):
    found = summary_likelihood(k, "0.5", ("0.1", "0.9"), i2, spread=0, points=2048)
    at = [(0.5, 0.05), (0.5, 0.3), (0.2, 0.6)]
    ours = np.array([found.surface.log_likelihood([mu], [tau])[0, 0] for mu, tau in at])
    theirs = np.log([by_quadrature(found.line, mu, tau) for mu, tau in at])
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], atol=0.01)


@pytest.mark.parametrize(
    ("method", "test", "half"), [("DL", "z", 3), ("PM", "z", 3), ("DL", "hksj", 5), ("CE", "z", 3)]
)
def test_known_sizes_agree_with_brute_force(method, test, half):
    """Share of simulated reviews of three studies that print like the line, at four (mu, tau)."""
    n, at = np.array([1.0, 4.0, 2.0]), [(0.0, 0.3), (0.0, 1.0), (0.0, 2.5), (1.5, 1.0)]
    rng = np.random.default_rng(0)
    relative = 1 / n / np.exp(np.log(1 / n).mean())
    hits = []
    for mu, tau in at:
        v = np.exp(rng.uniform(np.log(0.02), np.log(40), size=(100_000, 1))) * relative
        y = rng.normal(mu, np.sqrt(v + tau**2))
        p = pool_many(y, v, method=method, test=test)
        like = (np.abs(p.mu) <= 0.5) & (np.abs(p.ci_low + half) <= 0.5) & (np.abs(p.ci_high - half) <= 0.5)
        hits.append((like & (p.i2 >= 25) & (p.i2 < 55)).sum())
    line = replace(read_line(3, "0", (str(-half), str(half)), "40", test=test), i2=(0.25, 0.55))
    made = tables(_points(line, method, n, (0.0, 0.0), 4096, 0), method, test)
    surface = NormalTables(made.y, made.v, made.log_weight)
    likelihood = np.exp([surface.log_likelihood([mu], [tau])[0, 0] for mu, tau in at])
    expected = np.array(hits).sum() * likelihood / likelihood.sum()
    assert stats.chisquare(hits, expected).pvalue > 1e-3


def test_equal_sizes_come_close_to_the_full_table():
    y, v = np.array([0.12, 0.55, 0.31, 0.72, 0.05, 0.44]), np.full(6, 0.03)
    told = pool(y, v, method="DL", test="z")
    line = summary_likelihood(
        6, f"{told.mu:.3f}", (f"{told.ci_low:.3f}", f"{told.ci_high:.3f}"), f"{told.i2:.0f}", spread=0
    )
    priors = ("Flat()", "HalfNormal(sigma=0.5)")
    full, ours = (
        exact.normal(y, np.sqrt(v)).posterior(*priors).summary(),
        line.surface.posterior(*priors).summary(),
    )
    np.testing.assert_allclose(ours.loc["mu"], full.loc["mu"], atol=0.02 * float(full["sd"]["mu"]))
    np.testing.assert_allclose(ours.loc["tau"], full.loc["tau"], atol=0.03 * float(full["sd"]["tau"]))


def test_unknown_variances_widen_the_interval_and_equal_ones_warn():
    arguments = (4, "3.85", ("2.99", "4.71"), "79")
    priors = ("Flat()", "HalfNormal(sigma=1)")
    unknown, equal = summary_likelihood(*arguments), summary_likelihood(*arguments, spread=0)
    assert unknown.surface.posterior(*priors).mu.sd > equal.surface.posterior(*priors).mu.sd
    assert "too narrow" in equal.warnings[0] and "give n" in unknown.warnings[0]
    assert not summary_likelihood(*arguments, n=[63, 18, 26, 65]).warnings


def test_the_same_line_gives_the_same_answer():
    first, again = (summary_likelihood(3, "4.27", ("2.38", "6.21"), "93", n=[18, 26, 65]) for _ in range(2))
    np.testing.assert_array_equal(first.surface.studies.y, again.surface.studies.y)


def test_order_of_sizes_does_not_matter():
    priors = ("Flat()", "HalfNormal(sigma=1)")
    ways = [summary_likelihood(3, "4.27", ("2.38", "6.21"), "93", n=n) for n in ([18, 26, 65], [65, 18, 26])]
    first, again = (way.surface.posterior(*priors).summary() for way in ways)
    np.testing.assert_allclose(first, again, rtol=0.02)


@given(scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_units_do_not_matter(scale, shift):
    """A line in other units is the same likelihood, moved and stretched; digits are those of the numbers."""
    k, se, i2 = 5, 0.2, 62.0
    lines = [
        replace(
            read_line(k, 0.5, (0.1, 0.9), i2),
            estimate=(a * 0.495 + b, a * 0.505 + b),
            low=(a * (0.5 - 1.96 * se) + b, a * (0.51 - 1.96 * se) + b),
            high=(a * (0.49 + 1.96 * se) + b, a * (0.5 + 1.96 * se) + b),
        )
        for a, b in ((1.0, 0.0), (scale, shift))
    ]
    made = [tables(_points(line, "DL", None, (0.5, 0.0), 16, 3), "DL", "z") for line in lines]
    np.testing.assert_allclose(made[1].y, scale * made[0].y + shift, rtol=1e-7, atol=1e-7 * (scale + 5))
    np.testing.assert_allclose(made[1].v, scale**2 * made[0].v, rtol=1e-7)
    difference = made[1].log_weight - made[0].log_weight
    np.testing.assert_allclose(difference, difference[0], atol=1e-6)


def test_standardised_differences_use_the_variance_formula_at_the_pooled_effect():
    pairs = [(20, 20), (60, 60), (30, 31)]
    found = summary_likelihood(3, "0.80", ("0.40", "1.20"), "30", measure="SMD", n=pairs, spread=0)
    v = found.surface.studies.se.reshape(-1, 3)[0] ** 2
    expected = [1 / a + 1 / b + 0.8**2 / (2 * (a + b)) for a, b in pairs]
    np.testing.assert_allclose(v / v[0], np.array(expected) / expected[0], rtol=1e-9)


def test_implied_values_of_equal_variances_are_those_of_the_formulas():
    found = summary_likelihood(4, "3.85", ("2.99", "4.71"), "79", spread=0)
    assert found.implied["Q"][1] == pytest.approx(3 / 0.21, rel=0.01)
    se = 1.72 / 2 / 1.959964
    assert found.implied["v"][1] == pytest.approx(4 * se**2 * 0.21, rel=0.02)


@pytest.mark.parametrize("i2", [None, "100", "99.9"])
def test_no_i2_and_the_largest_are_ordinary(i2):
    post = summary_likelihood(4, "1.0", ("0.0", "2.0"), i2).surface.posterior("Flat()", "HalfNormal(sigma=1)")
    assert np.isfinite(post.summary().to_numpy()).all()


def test_many_studies_are_ordinary():
    post = summary_likelihood(40, "1.00", ("0.90", "1.10"), "55", points=128).surface.posterior(
        "Flat()", "HalfNormal(sigma=1)"
    )
    assert post.mu.mean == pytest.approx(1.0, abs=0.02) and 0.045 < post.mu.sd < 0.065


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "DK"}, "method: expected one of DL, .*found 'DK'"),
        ({"test": "zz"}, "test: expected one of z"),
        ({"n": [1, 2]}, "expected 4 sizes .*found 2"),
        ({"n": [1, 2, 3, 0]}, "sizes above 0"),
        ({"n": ["a", 2, 3, 4]}, "a size, or a pair"),
        ({"spread": -1}, "spread: expected 0 to 2"),
        ({"spread": "x"}, "spread: expected a number"),
        ({"points": 100}, "power of 2"),
    ],
)
def test_refuses(options, said):
    with pytest.raises(InputError, match=said):
        summary_likelihood(4, "3.85", ("2.99", "4.71"), "79", **options)


def test_refuses_more_studies_than_the_sequence_is_for():
    with pytest.raises(InputError, match="at most 200"):
        summary_likelihood(500, "1.0", ("0.0", "2.0"), "0")
