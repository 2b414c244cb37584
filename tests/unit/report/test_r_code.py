"""R code with the data in it: right words for models and priors, and labels that R reads as text."""

import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from kyphobayes.effects import effect_size
from kyphobayes.evidence import contrasts, counts, rates
from kyphobayes.evidence.two_arms import two_arms
from kyphobayes.frequentist import pool
from kyphobayes.model import load_model
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import default_project
from kyphobayes.report.r_code import quoted, r_code
from kyphobayes.report.r_comparison import r_comparison
from kyphobayes.report.r_priors import in_bayesmeta, in_stan
from kyphobayes.run import run_evidence

from .conftest import HOSTILE

LABELS = [HOSTILE, "=1+1", 'quote " \\ back`tick', "Ribeirão\nPreto"]
RSCRIPT = shutil.which("Rscript")


@pytest.fixture(scope="module")
def solve(leakage):
    project = default_project()

    def run(evidence, model, mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)", side="below"):
        decision = replace(leakage.analysis.decision, below=0.2, side=side)
        asked = replace(leakage.analysis, title="A\ntitle", next=(), decision=decision)
        priors = [Priors.of("main", mu=mu, tau=tau)]
        return run_evidence(asked, evidence, load_model(model, project), priors, engines=())

    return run


@pytest.fixture(scope="module")
def scripts(solve, leakage):
    events, sizes, years = [2, 0, 4, 1], [30, 25, 40, 10], [30, 25.5, 40, 10]
    y, se = [0.1, -0.3, 0.4, 0.2], [0.2, 0.15, 0.3, 0.25]
    return {
        "counts": r_code(solve(counts(events, sizes, LABELS), "binomial_normal")),
        "rates": r_code(solve(rates(events, years, LABELS, per=100), "poisson_normal")),
        "contrasts": r_code(solve(contrasts(y, se, LABELS), "normal_normal", side="above")),
        "latent": r_code(leakage),
    }


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_a_string_of_r(label):
    text = quoted(label)
    assert re.fullmatch(r'"([ !#-\[\]-~]|\\["\\]|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})*"', text)


def test_each_kind_of_evidence_has_its_words(scripts):
    said = {
        "counts": [
            "events | trials(n) ~ 1 + (1 | study), family = binomial()",
            'measure = "PLO", xi',
            "qlogis(0.2)",
        ],
        "rates": ["offset(log(time))", "family = poisson()", 'measure = "IRLN", xi', "log(0.2 / 100)"],
        "contrasts": ["yi | se(sei) ~ 1 + (1 | study)", "sei = sei", "draws$b_Intercept > 0.2"],
        "latent": ["NOT THE SAME: the counts of", "brm_multiple"],
    }
    for kind, words in said.items():
        for word in words:
            assert word in scripts[kind], (kind, word)
    assert "brm_multiple" not in scripts["counts"]
    for script in scripts.values():
        assert 'set_prior("normal(-2.5, 1.5)", class = "Intercept")' in script
        assert 'set_prior("normal(0, 1)", class = "sd")' in script
        assert "tau.prior = function(t) dhalfnormal(t, scale = 1)" in script
        assert all(len(line) < 120 for line in script.splitlines())


def test_the_tables_are_those_that_agree_with_the_paper(leakage):
    script = r_code(leakage)
    taken = script[script.index("tables <- list(") : script.index("each <- lapply")]
    tables = [[float(x) for x in row.split(",")] for row in re.findall(r"c\(([^)]*)\)", taken)]
    assert len(tables) == 10
    possible = {tuple(table) for table in leakage.evidence.tables.tolist()}
    assert {tuple(table) for table in tables} <= possible
    first = re.search(r"events = c\(([^)]*)\)", script).group(1)
    assert tuple(float(x) for x in first.split(",")) in possible


@pytest.mark.parametrize(
    ("prior", "stan", "bayesmeta"),
    [
        ("Normal(mu=0, sigma=2)", "normal(0, 2)", None),
        ("HalfNormal(sigma=0.5)", "normal(0, 0.5)", "function(t) dhalfnormal(t, scale = 0.5)"),
        ("HalfCauchy(beta=2)", "cauchy(0, 2)", "function(t) dhalfcauchy(t, scale = 2)"),
        (
            "Tau2(LogNormal(mu=-2, sigma=1))",
            "lognormal(-1, 0.5)",
            "function(t) dlnorm(t, meanlog = -1, sdlog = 0.5)",
        ),
        ("InverseGamma(alpha=2, beta=3)", "inv_gamma(2, 3)", None),
        ("HalfFlat()", "", '"uniform"'),
        ("Truncated(HalfNormal(sigma=1), upper=2)", None, None),
    ],
)
def test_priors_in_their_words(prior, stan, bayesmeta):
    made = Prior.parse(prior)
    assert in_stan(made) == stan
    if bayesmeta is not None:
        assert in_bayesmeta(made) == bayesmeta


def test_what_cannot_be_said_is_confessed(solve):
    evidence = counts([2, 0, 4], [30, 25, 40])
    script = r_code(
        solve(
            evidence,
            "binomial_normal",
            mu="Logistic(mu=0, s=1)",
            tau="Truncated(HalfNormal(sigma=1), upper=2)",
        )
    )
    assert "bayesmeta has normal priors for mu only; Logistic(mu=0, s=1) is left out" in script
    assert "brms cannot say Truncated(HalfNormal(sigma=1), upper=2) in a line" in " ".join(
        script.replace("\n# ", " ").split()
    )


@pytest.mark.skipif(RSCRIPT is None, reason="R is not installed")
@pytest.mark.parametrize("kind", ["counts", "rates", "contrasts", "latent"])
def test_r_reads_it(scripts, kind, tmp_path):
    file = tmp_path / "x.R"
    file.write_text(scripts[kind], encoding="utf-8")
    assigned = "Filter(function(x) identical(x[[2]], quote(dat)), as.list(parsed))[[1]]"
    code = f'parsed <- parse("{file}"); eval({assigned}); cat(nrow(dat))'
    done = subprocess.run([RSCRIPT, "--vanilla", "-e", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("9" if kind == "latent" else "4")


@pytest.mark.skipif(RSCRIPT is None, reason="R is not installed")
def test_metafor_gives_our_numbers(scripts, tmp_path):
    script = scripts["counts"]
    file = tmp_path / "x.R"
    until = script[: script.index("glmm <-")]
    file.write_text(
        'if (!requireNamespace("metafor", quietly = TRUE)) quit(status = 77)\n'
        f'{until}cat("\\nHERE", sprintf("%.10f", c(reml$beta, reml$ci.lb, reml$ci.ub)))\n',
        encoding="utf-8",
    )
    done = subprocess.run([RSCRIPT, "--vanilla", str(file)], capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("metafor is not installed")
    assert done.returncode == 0, done.stderr
    theirs = [float(x) for x in done.stdout.split("HERE")[1].split()]
    sizes = effect_size("PLO", {"events": np.array([2, 0, 4, 1]), "n": np.array([30, 25, 40, 10])})
    ours = pool(sizes.y, sizes.v, method="REML", test="hksj")
    assert theirs == pytest.approx([ours.mu, ours.ci_low, ours.ci_high], abs=1e-6)


def test_a_comparison_has_its_script():
    evidence = two_arms([0, 4], [32, 19], [6, 5], [65, 18], LABELS[:2], arms=("new", "old"))
    priors = Priors.of(
        "main", mu="Normal(mu=0, sigma=1.5)", tau="HalfNormal(sigma=1)", baseline="Normal(mu=-2, sigma=1.2)",
        tau_baseline="Truncated(HalfNormal(sigma=1), upper=3)",
    )  # fmt: skip
    script = r_comparison("Title", evidence, priors)
    assert "ai = c(0, 4)" in script and "n2 = c(65, 18)" in script and quoted(LABELS[0]) in script
    assert 'set_prior("normal(0, 1.5)", class = "b", coef = "x")' in script
    assert "brms cannot say Truncated(HalfNormal(sigma=1), upper=3)" in script
