"""Heavy tails and outlying studies: stacking, influence and oddness by other hands, then one small answer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from kyphobayes import exact
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence.questions import read_questions
from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import Panels
from kyphobayes.outlying import (
    COMMON,
    NORMAL,
    OUTLYING,
    SHAPES,
    STACKED,
    STUDENT,
    bootstrapped_weights,
    divergence,
    influence,
    oddness,
    pairwise,
    shapes,
    stacking,
    table_probabilities,
)
from kyphobayes.outlying.before import before
from kyphobayes.priors import Priors
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.report.canvas import to_png
from kyphobayes.report.chapters import chapter_of

PROJECT = default_project()
QUESTION = read_questions(PROJECT)["outlying_studies"]
PRIORS = Priors.of("test", mu="Normal(mu=-2, sigma=1)", tau="HalfNormal(sigma=0.8)")
SMALL = {
    "analyses": ["new_fracture"],
    "nu": [4],
    "shares": [0.1],
    "ratios": [4],
    "thresholds": {"new_fracture": "untreated_fracture_low"},
}

# --- stacking ---------------------------------------------------------------------------------------------

scores = st.floats(-6, 0)


@settings(max_examples=25)
@given(st.lists(st.lists(scores, min_size=3, max_size=3), min_size=1, max_size=6))
def test_no_weights_have_a_higher_score(rows):
    logs = np.array(rows)
    found = stacking(logs)
    assert found.weights.sum() == pytest.approx(1) and (found.weights >= 0).all()
    assert found.gap < 1e-5
    others = np.random.default_rng(0).dirichlet(np.ones(3), 300)
    best = np.log(np.exp(logs) @ others.T).sum(axis=0).max()
    assert found.score >= best - 1e-8
    assert found.score == pytest.approx(float(np.log(np.exp(logs) @ found.weights).sum()), abs=1e-9)


def test_two_models_are_stacked_where_the_derivative_is_zero():
    p = np.array([[0.5, 0.1], [0.2, 0.4], [0.1, 0.3], [0.6, 0.3]])

    def slope(w):
        return np.sum((p[:, 0] - p[:, 1]) / (w * p[:, 0] + (1 - w) * p[:, 1]))

    assert stacking(np.log(p)).weights[0] == pytest.approx(optimize.brentq(slope, 0.01, 0.99), abs=1e-6)


def test_a_model_that_predicts_everything_better_has_all_the_weight():
    found = stacking([[-1.0, -2.0, -900.0], [-3.0, -3.5, -2000.0]])
    np.testing.assert_allclose(found.weights, [1, 0, 0], atol=1e-12)
    assert found.score == pytest.approx(-4.0)


def test_bootstrapped_weights_of_two_observations():
    logs = np.array([[0.0, -1.0], [0.0, 0.5]])
    # The shares of two observations are uniform: an integral over one of them.
    u = np.linspace(0, 1, 20_001)
    expected = np.trapezoid(special.expit(2 * (u * 1.0 - (1 - u) * 0.5)), u)
    assert bootstrapped_weights(logs, draws=100_000)[0] == pytest.approx(expected, abs=0.003)
    np.testing.assert_allclose(bootstrapped_weights(logs[:1]), special.softmax(logs[0]))


def test_differences_and_their_standard_errors():
    logs = pd.DataFrame({"a": [-1.0, -2.0, -4.0], "b": [-1.5, -2.0, -3.0]})
    (row,) = pairwise(logs).to_dict("records")
    apart = np.array([0.5, 0.0, -1.0])
    assert row["difference"] == pytest.approx(-0.5) and row["observations"] == 3
    assert row["se"] == pytest.approx(np.sqrt(3 * np.mean((apart - apart.mean()) ** 2)))
    assert np.isnan(pairwise(logs[:1])["se"][0])


def test_scores_that_are_not_numbers_are_refused():
    for wrong in ([], [[np.nan, 0.0]], [0.0, 1.0]):
        with pytest.raises(InputError, match="log_densities: expected finite numbers"):
            stacking(wrong)
    with pytest.raises(InputError, match="draws: expected at least 1"):
        bootstrapped_weights([[0.0, 1.0]], draws=0)


# --- shapes, influence, oddness ---------------------------------------------------------------------------

TABLES, N, WEIGHTS = np.array([[0, 9, 3, 1], [0, 9, 1, 3], [0, 9, 2, 2]]), [40, 35, 20, 25], [1.0, 2.0, 1.0]


@pytest.fixture(scope="module")
def found():
    surface = exact.mixture(TABLES, N, WEIGHTS, labels="abcd")
    return shapes(surface, PRIORS, [4], [(0.1, 3), (0.2, 3)])


def test_scores_are_those_of_the_exact_engine(found):
    assert list(found.elpd.index) == ["a", "b", "c + d"]
    for name in (NORMAL, OUTLYING, COMMON):
        table = found.by_name[name].loo()
        np.testing.assert_allclose(found.elpd[name], table["elpd"][:-1], atol=1e-9)


def test_common_effect_by_a_sum(found):
    mu = np.linspace(-8, 4, 4001)
    prior = stats.norm.pdf(mu, -2, 1) * (mu[1] - mu[0])

    def evidence(columns):
        p = special.expit(mu)[:, None, None]
        each = stats.binom.pmf(TABLES[:, columns], np.array(N)[columns], p).prod(axis=2)
        return np.log(prior @ (each @ WEIGHTS) / np.sum(WEIGHTS))

    whole = evidence([0, 1, 2, 3])
    expected = [whole - evidence([1, 2, 3]), whole - evidence([0, 2, 3]), whole - evidence([0, 1])]
    np.testing.assert_allclose(found.elpd[COMMON], expected, atol=1e-8)


def test_stacked_density_is_the_mixture(found):
    x = found.stacked_density("theta_new").quantile([0.05, 0.8])
    parts = {n: s.density("theta_new") if n != COMMON else s.theta_new for n, s in found}
    at = sum(w * parts[n].cdf(x) for n, w in zip(parts, found.stacked.weights, strict=True))
    np.testing.assert_allclose(at, [0.05, 0.8], atol=1e-6)


def test_leaving_out_a_latent_study_keeps_what_totals_say_of_the_others(found):
    fewer = found.without(NORMAL, "d")
    merged = exact.mixture(TABLES[:, :3], N[:3], WEIGHTS, labels="abc")
    fresh = merged.posterior(PRIORS["mu"], PRIORS["tau"])
    assert fewer.quantile("tau", 0.5) == pytest.approx(float(fresh.quantile("tau", 0.5)), abs=1e-7)
    table = influence(found, NORMAL)
    assert list(table.index) == ["none", "a", "b", "c", "d"]
    assert table.loc["d", "tau"] == pytest.approx(float(fresh.quantile("tau", 0.5)), abs=1e-7)
    assert table.loc["none", "kl"] == pytest.approx(0, abs=1e-12) and (table["kl"][1:] > 0).all()
    assert table.loc["none", "width"] == pytest.approx(1)


def test_divergence_of_two_exponentials():
    panels = Panels(np.linspace(0, 60, 61))
    p, q = (Density(panels, rate * np.exp(-rate * panels.nodes)) for rate in (1.5, 0.9))
    assert divergence(p, q) == pytest.approx(np.log(1.5 / 0.9) + 0.9 / 1.5 - 1, abs=1e-8)


def test_oddness_against_draws(found):
    table = oddness(found, NORMAL)
    rng = np.random.default_rng(1)
    by_table = table_probabilities(found.by_name[NORMAL])
    assert by_table.sum() == pytest.approx(1)
    for column, label in enumerate("abcd"):
        fewer = found.without(NORMAL, label).posteriors[0]
        p = special.expit(fewer.draw(20_000, rng)["theta_new"])
        expected = 0.0
        for row, share in zip(TABLES[:, column], by_table, strict=True):
            tail = stats.binom.sf(row, N[column], p) + stats.binom.pmf(row, N[column], p) / 2
            expected += share * tail.mean()
        assert table.loc[label, "p"] == pytest.approx(expected, abs=0.015)
        assert stats.norm.sf(table.loc[label, "z"]) == pytest.approx(table.loc[label, "p"])
    assert list(table["known"]) == [True, True, False, False]
    assert table["prior"].unique() == pytest.approx([0.15])
    odds = table["outlying"] / (1 - table["outlying"]) / (0.15 / 0.85)
    np.testing.assert_allclose(table["bayes_factor"], odds)


def test_before_the_data_tails_widen_the_next_rate():
    draws = before(PRIORS, [3], [(0.2, 5)], 0)
    assert set(draws) == set(SHAPES)
    width = {name: np.ptp(special.logit(np.quantile(new, [0.01, 0.99]))) for name, (_, new) in draws.items()}
    assert width[COMMON] < width[NORMAL] < min(width[STUDENT], width[OUTLYING])
    typical, new = draws[COMMON]
    assert (typical == new).all()


# --- the answer -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answered():
    return answer(replace(QUESTION, options=SMALL), PROJECT, seed=1)


def test_checks_pass(answered):
    names = ["agreement", "convergence", "posterior predictive", "stacking", "quadrature"]
    assert [check.name for check in answered.checks] == names
    assert answered.passed, [check.text for check in answered.checks]


def test_tables(answered):
    rates = answered.tables["rates"]
    assert list(rates["shape"]) == [*SHAPES, STACKED]
    heavy = rates.set_index("shape")
    assert heavy.loc[STUDENT, "next_high"] > heavy.loc[NORMAL, "next_high"] > heavy.loc[COMMON, "next_high"]
    weights = answered.tables["comparison"].set_index("shape")
    for column in ("stacking", "pseudo_bma", "pseudo_bma_plus", "probability"):
        assert weights[column].sum() == pytest.approx(1)
    assert len(answered.tables["studies"]) == 5 and len(answered.tables["without"]) == 2 * 6
    assert list(answered.tables["other priors"]["priors"].unique()) == [
        "weakly_informative", "vague", "sceptical", "empirical",
    ]  # fmt: skip
    assert set(answered.who["status"]) == {"in", "out"} and (answered.who["reason"] != "").all()


def test_decisions_are_probabilities_of_the_named_claim(answered):
    frame = answered.decisions
    assert len(frame) == 2 and frame["claim"].str.contains("19 %").all()
    student = answered.more["asked"][0].found.by_name[STUDENT]
    limit = float(special.logit(0.19))
    assert frame["p_centre"][0] == pytest.approx(float(student.cdf("theta_new", limit)))
    assert frame["expected"][0] == pytest.approx(
        20 * student.density("theta_new").expectation(special.expit), rel=1e-3
    )


def test_the_sentence_says_what_cannot_be_learned(answered):
    assert "cannot tell the three shapes apart" in answered.sentence
    assert "The 2 observations that can be left out" in answered.sentence
    assert "No study drives tau" in answered.sentence


def test_the_chapter_has_figures_and_tables(answered):
    parts = chapter_of(answered).parts
    plates = [plate for part in parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["next-centre", "without-new-fracture"]
    assert all(to_png(plate.figure)[:4] == b"\x89PNG" and plate.alt and plate.caption for plate in plates)
    tables = {table.name: table for part in parts for table in part.tables}
    assert {"shapes", "comparison", "pairs", "studies", "without", "other-priors", "grid"} <= set(tables)
    text = " ".join(cell for table in tables.values() for row in table.cells for cell in row)
    assert "nan" not in text and "100 %" in text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"analyses": []}, "at least one analysis"),
        ({"nu": []}, "nu to hold at least one number"),
        ({"nu": [0.5]}, "nu to hold numbers from 1 to 1000, found 0.5"),
        ({"shares": [0.7]}, "shares to hold numbers from 0.001 to 0.5, found 0.7"),
        ({"ratios": [1]}, "ratios to hold numbers from 1.01"),
        ({"thresholds": {}}, "new_fracture"),
        ({"ratio": [2]}, "did you mean 'ratios'"),
        ({"analyses": ["fractures"], "thresholds": {"fractures": "leak_rate"}}, "no analysis 'fractures'"),
    ],
)
def test_broken_options_are_named(changes, message):
    with pytest.raises(EvidenceError, match=message):
        answer(replace(QUESTION, options={**SMALL, **changes}), PROJECT)
