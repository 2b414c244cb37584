"""Simulated papers: the truth lies where the posterior says, and a wrong reconstruction is found out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import special

import kyphobayes.recovery.simulate as simulate
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import counts, evidence_for, find_analysis
from kyphobayes.model import load_model
from kyphobayes.priors import Priors
from kyphobayes.reconstruct import Contradiction, reconstruct
from kyphobayes.recovery import (
    Case,
    Design,
    cases,
    design_of,
    recover,
    recover_worlds,
    sentence,
    summarised,
    varied,
    wanting,
)

N = 40
PRIORS = Priors.of("test", mu="Normal(mu=-1, sigma=1)", tau="HalfNormal(sigma=3)")
QUANTITIES = ["mu", "tau", "theta_new", "table", "events[a]", "events[b]"]


@pytest.fixture
def case(two_studies):
    return Case("small", two_studies, load_model("binomial_normal"), PRIORS, N)


def by_one_rate(constraints, n, known):
    """Weigh tables by what they are worth under one rate: the model's own work, done twice and wrongly."""
    found = reconstruct(constraints, n, known)
    ways = [special.gammaln(x + 1) for x in (found.n, found.events, found.n - found.events)]
    weights = np.exp(ways[0] - ways[1] - ways[2]).prod(axis=1)
    return replace(found, weights=weights / weights.sum())


def one_less(constraints, n, known):
    """Read a total as if it were printed one too low."""
    figures = tuple(replace(f, low=f.low - 1, high=f.high - 1) for f in constraints.printed)
    return reconstruct(replace(constraints, printed=figures), n, known)


def every_other(constraints, n, known):
    """Lose half of the tables."""
    found = reconstruct(constraints, n, known)
    return replace(found, events=found.events[::2], weights=found.weights[::2] / found.weights[::2].sum())


def found_wanting(case):
    worlds = recover([case])
    return summarised([case], worlds), wanting(summarised([case], worlds))


@pytest.mark.statistical
def test_the_truth_lies_where_the_posterior_says(case):
    table, wrong = found_wanting(case)
    assert table["quantity"].tolist() == QUANTITIES
    assert wrong.empty and (table["lost"] == 0).all()
    assert (table["n"].to_numpy() > N / 2).all() and table["ks_p"].notna().all()


@pytest.mark.statistical
def test_weights_that_say_again_what_the_model_says_are_caught(case, monkeypatch):
    monkeypatch.setattr(simulate, "reconstruct", by_one_rate)
    _, wrong = found_wanting(case)
    assert {"table", "events[a]", "events[b]"} <= set(wrong["quantity"])


@pytest.mark.parametrize("mistake", [one_less, every_other])
def test_a_reconstruction_that_loses_the_truth_is_caught(mistake, case, monkeypatch):
    monkeypatch.setattr(simulate, "reconstruct", mistake)
    table, wrong = found_wanting(replace(case, n=8))
    assert (table["lost"] > 0).all() and len(wrong) == len(table)


def test_prints_without_a_list_or_a_table_are_counted(case, monkeypatch):
    def failing(constraints, n, known):
        total = float(constraints.printed[0].value)
        if total < 5:
            raise EvidenceError("too many tables to list")
        raise Contradiction(constraints, [])

    monkeypatch.setattr(simulate, "reconstruct", failing)
    (worlds,) = recover([replace(case, n=6)])
    assert set(worlds["outcome"]) == {"too many", "lost"} and worlds[QUANTITIES].isna().all(axis=None)
    table = summarised([case], [worlds])
    assert (table["n"] == 0).all() and len(wanting(table)) == len(table)
    said = sentence(worlds)
    assert "in 0 of " in said and "left too many tables to list" in said


def test_a_world_depends_on_its_own_number_only(case):
    together = recover_worlds(case.design, PRIORS, case.model, 3, 0, 4)
    apart = [recover_worlds(case.design, PRIORS, case.model, 3, first, 2) for first in (2, 0)]
    assert_frame_equal(together, pd.concat(apart[::-1], ignore_index=True))
    other = recover_worlds(case.design, PRIORS, case.model, 4, 0, 4)
    assert not together["mu"].equals(other["mu"])


def test_finished_jobs_are_found_and_workers_change_nothing(case, tmp_path, monkeypatch):
    small = replace(case, n=3)
    monkeypatch.setattr("kyphobayes.recovery.study.CHUNK", 2)
    (here,) = recover([small], folder=tmp_path / "parts")
    assert len(list((tmp_path / "parts").iterdir())) == 2
    with ThreadPoolExecutor(2) as executor:
        assert_frame_equal(recover([small], executor=executor)[0], here)
    monkeypatch.setattr(simulate, "solve", None)  # nothing is solved again
    assert_frame_equal(recover([small], folder=tmp_path / "parts")[0], here)


def test_the_design_of_the_leaks_is_theirs(project):
    evidence = evidence_for(find_analysis(project, "cement_leakage"), project)
    design = design_of(evidence)
    assert design.k == evidence.k == 9 and design.n == tuple(evidence.n)
    hidden = [study for study, latent in zip(design.studies, design.latent, strict=True) if latent]
    assert hidden == [
        "lieberman2003", "lane2004", "vrionis2005", "pflugmacher2007_mm", "pflugmacher2008_met",
    ]  # fmt: skip
    worlds = recover_worlds(design, PRIORS, load_model("binomial_normal"), 0, 0, 1)
    assert worlds["outcome"].tolist() == ["listed"] and worlds["mu"].between(0, 1).all()


def test_cases_are_those_of_the_plan(project):
    found = cases(project, n=10)
    assert {case.name for case in found} == {
        "cement_leakage", "leakage_bkp_bouza_only", "new_fracture", "new_fracture_bouza_only",
    }  # fmt: skip
    (one,) = cases(project, ["new_fracture_bouza_only"], sets=["vague"], n=10)
    assert one.priors.label == "vague" and one.n == 10
    half, twice, less = varied(one)
    assert half.design.n == (32, 9, 13, 32) and twice.design.n == (126, 36, 52, 130)
    assert [f.quantity for f in less.design.constraints.printed] == ["events", "pooled"]
    assert len({case.jobs(0)[0][1] for case in (one, half, twice, less)}) == 4  # each has a digest of its own
    with pytest.raises(
        InputError,
        match=r"no analysis 'leaks' of one rate in data/analyses.toml; (did you mean|expected one of)",
    ):
        cases(project, ["leaks"], n=10)


def test_a_design_that_says_nothing_of_other_prints_is_refused(two_studies, latent_counts):
    with pytest.raises(InputError, match="found every count printed"):
        design_of(counts([1, 2], [10, 20]))
    with pytest.raises(InputError, match="expected quantities among events, found I2"):
        two_studies.printing("I2")
    weighed = replace(two_studies.constraints, weights=(((3, 4), 2.0),))
    found = replace(reconstruct(two_studies.constraints), constraints=weighed)
    with pytest.raises(InputError, match=r"\[\[weight\]\]"):
        design_of(replace(latent_counts, latent_source=found))


def test_sizes_stay_whole_and_positive(two_studies):
    assert two_studies.larger(0.01).n == (1, 1)
    assert isinstance(two_studies.larger(1.5), Design) and two_studies.larger(1.5).n == (22, 30)
