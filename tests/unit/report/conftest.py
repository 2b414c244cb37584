"""Small results for the report: from real data, and from made-up counts under hostile names."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import xarray as xr

from kyphobayes.checks.agreement import certificate
from kyphobayes.engines.complete import _data
from kyphobayes.engines.exact import _quadrature
from kyphobayes.evidence import counts, find_analysis, read_priors
from kyphobayes.findings import findings
from kyphobayes.fits import arranged, stamp
from kyphobayes.project import default_project
from kyphobayes.run import run_analysis
from kyphobayes.sensitivity import crossed, sensitivity
from kyphobayes.witness import witness

HOSTILE = "<script>alert(1)</script> & =cmd()"


def solved(result, evidence):
    """The result's model and priors on some evidence, with as much of an exact fit as the report reads."""
    surface = result.model.surface(evidence)
    answers, posteriors, solutions = {}, {}, {}
    for label, priors in result.compared.items():
        solutions[label] = posterior = surface.posterior(mu=priors["mu"], tau=priors["tau"])
        answers[label] = findings(posterior, label, below=0.1, next_sizes=result.analysis.next)
        posteriors[label] = posterior.summary()
    main = solutions[result.priors.label]
    drawn = main.to_datatree(draws=1000, chains=4, seed=0)["posterior"].dataset
    groups = {"/posterior": drawn, "/quadrature": _quadrature(main)}
    groups |= {f"/{name}": dataset for name, dataset in _data(evidence).items()}
    tree = arranged(xr.DataTree.from_dict(groups))
    tree.attrs = stamp(result.model, evidence, result.priors, "exact", 0, {})
    fits, frequentist = {"exact": tree}, witness(evidence)
    checks = (certificate(tree, None, frequentist, 0.0),)
    pairs = crossed(
        {label: priors["mu"] for label, priors in result.compared.items()},
        {label: priors["tau"] for label, priors in result.compared.items()},
    )
    found = sensitivity(surface, result.priors, pairs, below=0.1)
    return replace(
        result,
        sensitivity=found,
        evidence=evidence,
        answers=answers,
        posteriors=posteriors,
        fits=fits,
        witness=frequentist,
        checks=checks,
    )


def planned(name):
    """An analysis of the plan, solved without PyMC, which would have to compile."""
    project = default_project()
    analysis = find_analysis(project, name)
    bare = run_analysis(analysis, project, engines=(), compare=False)
    compared = {
        label: read_priors(project, label, analysis, bare.evidence.measure) for label in analysis.compare
    }
    return solved(replace(bare, compared=compared), bare.evidence)


@pytest.fixture(scope="session")
def leakage():
    """The leakage analysis under all prior sets, by the exact engine."""
    return planned("cement_leakage")


@pytest.fixture(scope="session")
def fracture():
    """New fractures in Bouza's series, whose printed subgroup figures were left out."""
    return planned("new_fracture_bouza_only")


@pytest.fixture(scope="session")
def made_up(leakage):
    """Counts at hand, without any file, under hostile names."""
    evidence = counts([2, 0, 4], [30, 25, 40], [HOSTILE, "=1+1", "A $x_1$ study"], unit="levels")
    named = replace(leakage.analysis, name="made/up <b>", title=HOSTILE, next=(20,))
    return solved(replace(leakage, analysis=named), evidence)


def simple_findings(median=0.059, low=0.02, high=0.134, next_low=0.0026, next_high=0.55, p=0.9, p_new=0.67):
    """Findings with given numbers."""
    rates = pd.DataFrame(
        {"median": [median, median], "low": [low, next_low], "high": [high, next_high]},
        index=["typical", "new centre"],
    )
    coming = SimpleNamespace(n=20, mean=20 * median, interval=lambda: (0, 12))
    return SimpleNamespace(estimates=rates, p_typical=p, p_new=p_new, below=0.1, next=(coming,))
