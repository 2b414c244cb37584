"""What values show of themselves in a notebook: complete, small, and with every label escaped."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

import kyphobayes as kb
from kyphobayes import html
from kyphobayes.checks import Check
from kyphobayes.evidence.denominators import denominators
from kyphobayes.evidence.questions import Question
from kyphobayes.evidence.rates import rates
from kyphobayes.frequentist import glmm_proportion, pool_many, regress, subgroup
from kyphobayes.questions import Answered
from kyphobayes.reconstruct import Constraints, reconstruct

BAD = "<script>alert('x')</script> & \"B\""
PRIORS = {"mu": "Normal(mu=-2.5, sigma=1.5)", "tau": "HalfNormal(sigma=1)"}


def shown(value):
    """HTML of a value, which must be well formed, safe, small and need nothing from elsewhere."""
    text = value._repr_html_()
    ElementTree.fromstring(text.replace("&nbsp;", " "))
    assert "<script" not in text and "http" not in text and len(text) < 60_000
    return text


@pytest.fixture(scope="module")
def surface():
    return kb.exact.binomial([0, 5, 4], [32, 35, 19], labels=[BAD, "b", "c"])


@pytest.fixture(scope="module")
def posterior(surface):
    return surface.posterior(**PRIORS)


def test_a_prior_has_its_density_and_its_reason():
    text = shown(kb.Prior.parse("Normal(mu=-2.5, sigma=1.5)", why=BAD))
    assert "Normal(mu=-2.5, sigma=1.5)" in text and "&lt;script&gt;" in text
    assert (
        'aria-label="Density of Normal(mu=-2.5, sigma=1.5): median -2.5, 95 % interval -5.44 to 0.44"' in text
    )
    assert "<svg" not in shown(kb.Prior.parse("Flat()")) and "<svg" in shown(
        kb.Prior.parse("HalfCauchy(beta=1)")
    )
    shown(kb.Prior.parse("Jeffreys()"))


def test_priors_are_a_table():
    text = shown(kb.Priors.of(BAD, **PRIORS))
    assert text.count("<tr>") == 3 and text.count("<svg") == 2 and "&lt;script&gt;" in text


def test_a_surface_names_its_studies_and_computes_nothing(surface):
    fresh = kb.exact.binomial([0, 5, 4], [32, 35, 19], labels=[BAD, "b", "c"])
    text = shown(fresh)
    assert "Surface(k=3" in text and "&lt;script&gt;" in text and "posterior(mu=" in text
    assert "_laid" not in vars(fresh)


def test_a_posterior_is_its_summary_with_densities(posterior):
    text = shown(posterior)
    table = posterior.summary()
    for name in ("mu", "tau", "theta_new"):
        assert html.number(table.loc[name, "median"]) in text
    assert text.count("<svg") == 3 and "log marginal likelihood" in text
    low, high = posterior.mu.eti()
    assert f"median {float(posterior.quantile('mu', 0.5)):.3g}, 95 % interval {low:.3g} to {high:.3g}" in text


def test_a_density_says_where_it_lies(posterior):
    low, high = posterior.tau.eti()
    middle = float(posterior.tau.quantile(0.5))
    assert repr(posterior.tau) == f"Density(median {middle:.4g}, 95 % interval {low:.4g} to {high:.4g})"
    assert shown(posterior.tau).count("<svg") == 1


def test_other_posteriors_and_limits(surface):
    shown(surface.common_effect("Normal(mu=-2, sigma=1.5)"))
    assert "&lt;script&gt;" in shown(surface.no_pooling("Normal(mu=-2, sigma=1.5)"))
    normal = kb.exact.normal([0.1, 0.4, 0.2], [0.1, 0.2, 0.1], labels=["a", BAD, "c"])
    shown(normal.posterior(mu="Normal(mu=0, sigma=1)", tau="HalfCauchy(beta=1)"))
    design = [0, 1, 0, 1]
    shown(kb.exact.normal_regression([0.1, 0.4, 0.2, 0.5], [0.1] * 4, design, tau="HalfNormal(sigma=1)"))


def test_views_are_tables_of_studies(latent_counts):
    text = shown(kb.counts([3, 0], [42, 25], [BAD, "b"], unit="<levels>"))
    assert text.count("<tr>") == 3 and "&lt;script&gt;" in text and "in &lt;levels&gt;" in text
    assert "one of 3 tables of counts" in shown(latent_counts) and shown(latent_counts).count("–") == 2
    assert "−0.3" in shown(kb.contrasts([0.1, -0.3], [0.2, 0.15], ["a", BAD]))
    assert "61.5" in shown(rates([4, 0], [61.5, 18], [BAD, "b"]))


def test_a_view_of_the_plan_says_what_is_left_out(project):
    analysis = kb.find_analysis(project, "leakage_bkp_bouza_only")
    text = shown(kb.evidence_for(analysis, project))
    assert "treatment is VP, not BKP" in text and "264" in text


def test_count_tables_show_their_trail(project):
    constraints = Constraints.read(project.data / "constraints" / "new_fracture.toml")
    found = reconstruct(constraints, denominators(constraints, project)[0])
    assert repr(found).startswith(f"CountTables({len(found)} tables of 4 studies")
    assert "printed figure" in shown(found)


def test_frequentist_results():
    y, v = [0.1, 0.4, 0.2, 0.5], [0.1, 0.2, 0.1, 0.2]
    assert html.number(kb.frequentist.pool(y, v).mu) in shown(kb.frequentist.pool(y, v))
    assert shown(pool_many([y, y[::-1]], [v, v])).count("<tr>") == 3
    found = regress(y, v, [[0], [1], [0], [1]])
    assert all(name in shown(found) for name in found.names) and html.number(found.beta[1]) in shown(found)
    assert "&lt;script&gt;" in shown(subgroup(y, v, [BAD, BAD, "b", "b"]))
    shown(glmm_proportion([3, 1, 6], [42, 25, 31]))
    shown(kb.effects.effect_size("PLO", {"events": [0, 2], "n": [9, 9]}))


def test_checks_and_answers():
    check = Check("agreement", False, BAD, pd.DataFrame({"worst": [1.0, np.nan]}, index=[BAD, "b"]))
    assert "agreement: FAILED" in shown(check) and shown(check).count("&lt;script&gt;") == 2
    question = Question("q", "kind", "t", BAD, "", "", (), {}, ())
    answered = Answered(
        question, BAD, {"a_b": pd.DataFrame({"x": [1.5]}, index=[BAD])}, pd.DataFrame(), (check,)
    )
    text = shown(answered)
    assert text.count("&lt;script&gt;") == 4 and "a b" in text


def test_a_result_is_question_answer_table_and_checks(project):
    analysis = kb.find_analysis(project, "new_fracture_bouza_only")
    result = kb.run_analysis(analysis, project, engines=("exact",), compare=False)
    text = shown(result)
    assert html.escape(result.analysis.question) in text and "In a typical centre the rate is" in text
    assert "weakly_informative" in text and "passed" in text
    assert "weakly_informative" in shown(result.main)


def test_a_long_table_is_cut_and_says_so():
    text = html.table(["", "x"], [[i, float(i)] for i in range(100)])
    assert text.count("<tr>") == 42 and "… 60 more rows" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.23456, "1.235"),
        (-2.0, "−2"),
        (float("nan"), "–"),
        (np.float64(1e-7), "1e−07"),
        (True, "True"),
        ("<", "&lt;"),
    ],
)
def test_numbers_are_short(value, text):
    assert html.number(value) == text
