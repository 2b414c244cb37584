"""The frequentist witness on a view: its rows are those of `pool`, and the textbook formulas."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from kyphobayes.evidence import contrasts, counts, evidence_for, find_analysis
from kyphobayes.exact import binomial, normal
from kyphobayes.frequentist import glmm_proportion, pool
from kyphobayes.model import load_model
from kyphobayes.witness import CONTRAST_METHODS, COUNT_METHODS, GLMM, likelihoods, witness

EVENTS, N = np.array([3.0, 5.0, 4.0, 0.0]), np.array([32.0, 35.0, 19.0, 22.0])
PAPER, LOGIT_DL, LOGIT_REML = TWO_STAGES = [method.label for method in COUNT_METHODS]


def by_hand(y, v):
    """DerSimonian–Laird with a Wald interval: mu, se, tau2, I2, Q."""
    w = 1 / v
    common = (w @ y) / w.sum()
    q = w @ (y - common) ** 2
    tau2 = max(0.0, (q - (len(y) - 1)) / (w.sum() - (w @ w) / w.sum()))
    w = 1 / (v + tau2)
    return (w @ y) / w.sum(), w.sum() ** -0.5, tau2, 100 * max(0.0, 1 - (len(y) - 1) / q), q


def corrected(events, n):
    empty = (events == 0) | (events == n)
    return events + 0.5 * empty, n + 1.0 * empty


@pytest.fixture(scope="module")
def table():
    return witness(counts(EVENTS, N))


def test_as_in_the_paper(table):
    e, n = corrected(EVENTS, N)
    mu, se, tau2, i2, q = by_hand(e / n, e / n * (1 - e / n) / n)
    row = table.loc[PAPER]
    assert row["estimate"] == row["mu"] == pytest.approx(mu, rel=1e-12)
    assert row["se"] == pytest.approx(se, rel=1e-12) and row["tau2"] == pytest.approx(tau2, rel=1e-9)
    assert row["i2"] == pytest.approx(i2, rel=1e-9) and row["q"] == pytest.approx(q, rel=1e-12)
    assert row["ci_low"] == pytest.approx(max(0, mu - stats.norm.ppf(0.975) * se))
    assert row["ci_high"] == pytest.approx(mu + stats.norm.ppf(0.975) * se)
    assert row["pi_low"] == pytest.approx(max(0, mu - stats.norm.ppf(0.975) * np.hypot(se, np.sqrt(tau2))))


def test_on_the_log_odds_scale(table):
    e, n = corrected(EVENTS, N)
    mu, se, tau2, i2, q = by_hand(np.log(e / (n - e)), 1 / e + 1 / (n - e))
    row = table.loc[LOGIT_DL]
    assert row["mu"] == pytest.approx(mu, rel=1e-12) and row["estimate"] == pytest.approx(special.expit(mu))
    assert (row["tau2"], row["i2"], row["q"]) == (pytest.approx(tau2), pytest.approx(i2), pytest.approx(q))
    assert row["ci_high"] == pytest.approx(special.expit(mu + stats.norm.ppf(0.975) * se))


def test_rows_are_those_of_pool(table):
    e, n = corrected(EVENTS, N)
    y, v = np.log(e / (n - e)), 1 / e + 1 / (n - e)
    expected = pool(y, v, method="REML", test="hksj")
    row = table.loc[LOGIT_REML]
    for name in ("mu", "se", "tau2", "q", "i2"):
        assert row[name] == pytest.approx(getattr(expected, name), rel=1e-10)
    for name in ("ci_low", "ci_high", "pi_low", "pi_high"):
        assert row[name] == pytest.approx(special.expit(getattr(expected, name)), rel=1e-10)


def test_the_last_row_is_the_likelihood_of_the_counts(table):
    row, expected = table.loc[GLMM], glmm_proportion(EVENTS, N)
    assert table.index[-1] == GLMM and row["corrected"] == 0 and row["remark"] == ""
    assert (row["mu"], row["se"], row["tau2"], row["q"]) == (
        expected.mu,
        expected.se,
        expected.tau2,
        expected.q,
    )
    assert row["estimate"] == pytest.approx(special.expit(expected.mu))
    for name in ("ci_low", "ci_high", "pi_low", "pi_high"):
        assert row[name] == pytest.approx(special.expit(getattr(expected, name)), rel=1e-12)


def test_one_table_has_no_range_and_counts_its_corrections(table):
    table = table.loc[TWO_STAGES]
    assert (table["lowest"] == table["highest"]).all() and (table["lowest"] == table["estimate"]).all()
    assert (table["corrected"] == 1).all() and (table["k"] == 4).all()
    all_events, none = (witness(counts([3, 5, last], [32, 35, 22])).loc[TWO_STAGES] for last in (22, 4))
    assert (all_events["corrected"] == 1).all() and (none["corrected"] == 0).all()


def test_latent_counts_are_averaged_with_the_weights_of_their_tables(latent_counts):
    mixed = witness(latent_counts).loc[TWO_STAGES]
    singles = [witness(counts(row, latent_counts.n)).loc[TWO_STAGES] for row in latent_counts.tables]
    for column in ("mu", "se", "tau2", "i2", "q", "estimate", "ci_low", "ci_high", "pi_low", "pi_high"):
        expected = sum(w * s[column] for w, s in zip([0.25, 0.25, 0.5], singles, strict=True))
        np.testing.assert_allclose(mixed[column], expected, rtol=1e-10)
    estimates = np.array([s["estimate"] for s in singles])
    np.testing.assert_allclose(mixed["lowest"], estimates.min(axis=0), rtol=1e-12)
    np.testing.assert_allclose(mixed["highest"], estimates.max(axis=0), rtol=1e-12)
    np.testing.assert_allclose(mixed["tau2_lowest"], np.min([s["tau2"] for s in singles], axis=0), rtol=1e-9)
    assert (mixed["lowest"] < mixed["highest"]).all()


def test_the_likelihood_of_latent_counts_is_averaged_not_the_estimate(latent_counts):
    row = witness(latent_counts).loc[GLMM]
    expected = glmm_proportion(latent_counts.tables, latent_counts.n, weights=latent_counts.weights)
    assert (row["mu"], row["tau2"]) == (expected.mu, expected.tau2) and np.isnan(row["q"])


def test_contrasts_keep_their_scale():
    y, se = np.array([0.1, -0.3, 0.4, 1.9]), np.array([0.2, 0.15, 0.3, 0.25])
    table = witness(contrasts(y, se))
    assert list(table.index) == [method.label for method in CONTRAST_METHODS]
    mu, error, tau2, i2, _ = by_hand(y, se**2)
    first = table.iloc[0]
    assert (first["mu"], first["estimate"]) == (pytest.approx(mu), pytest.approx(mu))
    assert (first["se"], first["tau2"], first["i2"]) == (
        pytest.approx(error),
        pytest.approx(tau2),
        pytest.approx(i2),
    )
    last = table.iloc[-1]
    expected = pool(y, se**2, method="REML", test="hksj")
    assert (last["mu"], last["ci_low"]) == (pytest.approx(expected.mu), pytest.approx(expected.ci_low))


@pytest.mark.parametrize(
    "evidence", [counts([3], [40]), contrasts([0.4], [0.3])], ids=["counts", "contrasts"]
)
def test_a_single_study_has_its_own_estimate_and_no_prediction(evidence):
    table = witness(evidence)
    assert (table["k"] == 1).all() and (table["tau2"] == 0).all()
    assert table["pi_low"].isna().all() and table["ci_low"].notna().all()
    expected = 3 / 40 if hasattr(evidence, "events") else 0.4
    np.testing.assert_allclose(table["estimate"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    "evidence", [counts([0, 0, 0], [32, 22, 128]), counts([9, 4], [9, 4])], ids=["none", "all"]
)
def test_no_event_or_only_events(evidence):
    table = witness(evidence)
    assert "the likelihood has no maximum" in table.loc[GLMM, "remark"] and np.isnan(table.loc[GLMM, "mu"])
    table = table.loc[TWO_STAGES]
    shown = ["estimate", "ci_low", "ci_high", "pi_low", "pi_high", "lowest", "highest"]
    assert table[shown].notna().all(axis=None)
    assert table[shown].to_numpy(dtype=float).min() >= 0 and table[shown].to_numpy(dtype=float).max() <= 1
    assert (table["corrected"] == evidence.k).all()


def test_the_paper_s_method_gives_the_paper_s_figures(project):
    """Bouza 2009 prints 6 % with I² 84 % for leaks, and about 10 % with I² 54 % for fractures."""
    for name, rate, i2 in (("leakage_bkp_bouza_only", 0.06, 84), ("new_fracture_bouza_only", 0.10, 54)):
        row = witness(evidence_for(find_analysis(project, name), project)).iloc[0]
        assert round(row["lowest"], 2) == round(row["highest"], 2) == rate
        assert round(row["i2"]) == i2


POSTERIOR = pd.DataFrame(
    {"low": [-3.0, 0.05], "median": [-2.0, 0.7], "high": [-1.0, 2.5]}, index=["mu", "tau"]
)


def test_both_hands_compute_the_same_likelihood(latent_counts):
    cases = [
        (counts(EVENTS, N), binomial(EVENTS, N)),
        (contrasts(EVENTS, N / 10), normal(EVENTS, N / 10)),
        (latent_counts, load_model("binomial_normal").surface(latent_counts)),
    ]
    for evidence, surface in cases:
        table = likelihoods(evidence, surface, POSTERIOR)
        assert len(table) == 9 and np.ptp(table["exact"]) > 1
        np.testing.assert_allclose(table["frequentist"], table["exact"], rtol=0, atol=1e-10)


def test_another_likelihood_is_noticed():
    table = likelihoods(counts(EVENTS, N), binomial(EVENTS, N + 1), POSTERIOR)
    assert (table["frequentist"] - table["exact"]).abs().max() > 1e-3
