"""Published priors: every cell transcribed, its quantiles, filters and errors."""

import shutil

import numpy as np
import pytest

from kyphobayes.catalogue import catalogue_priors, read_catalogue
from kyphobayes.errors import EvidenceError, InputError, PriorError
from kyphobayes.priors import Prior
from kyphobayes.project import Project, default_project

PROJECT = default_project()
ALL = read_catalogue(PROJECT)


def of(file):
    return {name: entry for name, entry in ALL.items() if name.startswith(file)}


def test_every_cell_of_every_table_is_there():
    assert len(of("turner2015")) == 16 * 5 + 1
    assert len(of("rhodes2015")) == 8 * 3 * 3
    assert len(of("bartos2021")) == 6 + 6
    assert len(of("bartos2023")) == 5 + 5
    assert len(ALL) == 175


@pytest.mark.parametrize("name", ALL)
def test_every_prior_says_where_it_is_from_and_what_for(name):
    entry = ALL[name]
    assert entry.prior.proper and not entry.prior.unbound
    assert entry.source and entry.locator and entry.transcribed_from
    assert entry.applies_to.endswith("of two arms")
    assert entry.source in entry.prior.why and entry.applies_to in entry.prior.why
    assert entry.parameter == "mu" or entry.prior.support[0] == 0
    assert Prior.parse(str(entry.prior)) == entry.prior


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("turner2015_marginal", "Tau2(LogNormal(mu=-2.56, sigma=1.74))"),
        ("turner2015_all_cause_mortality_pharm_placebo", "Tau2(LogNormal(mu=-3.95, sigma=1.34))"),
        ("turner2015_subjective_various_nonpharm_nonpharm", "Tau2(LogNormal(mu=-2.26, sigma=1.45))"),
        ("turner2015_pain_nonpharm_pharm", "Tau2(LogNormal(mu=-0.8, sigma=1.25))"),
        ("rhodes2015_general_obstetric_pharm_placebo", "Tau2(LogStudentT(nu=5, mu=-4.13, sigma=2.34))"),
        (
            "rhodes2015_respiratory_various_subjective_nonpharm_any",
            "Tau2(LogStudentT(nu=5, mu=-4.52, sigma=2.41))",
        ),
        ("bartos2021_pain_palliative_and_supportive_care_mu", "StudentT(nu=5, mu=0, sigma=0.43)"),
        ("bartos2021_pain_palliative_and_supportive_care_tau", "InverseGamma(alpha=1.69, beta=0.42)"),
        ("bartos2023_cochrane_mu", "StudentT(nu=4, mu=0, sigma=0.58)"),
        ("bartos2023_musculoskeletal_tau", "InverseGamma(alpha=1.76, beta=0.59)"),
    ],
)
def test_cells(name, text):
    assert str(ALL[name].prior) == text


def test_columns_of_turner_are_additive():
    """The parameters come from a regression: comparisons shift the location by the same step, to rounding."""
    entries = [entry for entry in of("turner2015").values() if entry.outcome != "any"]
    columns = {}
    for entry in entries:
        square = dict(entry.prior.parameters)["dist"]
        columns.setdefault(entry.comparison, []).append(dict(square.parameters)["mu"])
    first, *others = (np.array(column) for column in columns.values())
    for other in others:
        assert np.ptp(other - first) < 0.05


def test_the_two_cells_of_rhodes_that_break_the_pattern_are_flagged():
    entries = list(of("rhodes2015").values())
    suspect = {(entry.name, entry.locator) for entry in entries if entry.suspect}
    assert suspect == {
        ("rhodes2015_general_mental_health_nonpharm_any", "general, row 6, column 3"),
        ("rhodes2015_cancer_internal_external_structure_pharm_placebo", "cancer, row 3, column 1"),
    }
    breaking = set()
    for area in ("general", "cancer", "respiratory"):
        rows = [entry for entry in entries if entry.area == area]
        mu = np.array([dict(dict(entry.prior.parameters)["dist"].parameters)["mu"] for entry in rows])
        table = mu.reshape(3, 8)
        residual = table - np.median(table, axis=1)[:, None]
        residual -= np.median(residual, axis=0)
        breaking |= {rows[place].name for place in np.flatnonzero(np.abs(residual.ravel()) > 0.2)}
    assert breaking == {name for name, _ in suspect}
    assert len(catalogue_priors(PROJECT, measure="SMD", suspect=False)) == 72 + 12 - 2


def test_filters():
    found = catalogue_priors(PROJECT, outcome="pain", measure="OR", parameter="tau")
    assert len(found) == 5
    assert {entry.comparison for entry in found.values()} >= {"pharmacological vs placebo/control"}
    one = catalogue_priors(
        PROJECT, area="cancer", outcome="mental health", comparison="pharmacological vs pharmacological"
    )
    assert list(one) == ["rhodes2015_cancer_mental_health_pharm_pharm"]
    assert len(catalogue_priors(PROJECT)) == len(ALL)


@pytest.mark.parametrize(
    ("filters", "hint"),
    [
        ({"outcome": "Pain"}, "did you mean 'pain'"),
        ({"measure": "RR"}, "measure: no published prior has 'RR'"),
        ({"parameter": "theta"}, "parameter: no published prior has 'theta'"),
        ({"area": "canser"}, "did you mean 'cancer'"),
    ],
)
def test_a_filter_that_nothing_has_names_the_nearest(filters, hint):
    with pytest.raises(InputError, match=hint):
        catalogue_priors(PROJECT, **filters)


@pytest.fixture
def project(tmp_path):
    for folder in ("data", "models"):
        shutil.copytree(getattr(PROJECT, folder), tmp_path / folder)
    return Project(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "error", "hint"),
    [
        ("sigma=0.58", "sgima=0.58", PriorError, r"bartos2023.toml priors\[4\]: .*did you mean sigma"),
        ('parameter = "mu"', 'parameter = "beta"', EvidenceError, "expected parameter to be mu or tau"),
        ("locator =", "place =", EvidenceError, r"priors\[0\]: unknown key 'place'"),
        ('measure = "OR"', "measure = 3", EvidenceError, "expected measure to be text, found 3"),
        ("InverseGamma(alpha=1.84, beta=0.68)", "Normal()", PriorError, "is a standard deviation"),
        ("bartos2023_cochrane_mu", "bartos2023_back_and_neck_mu", EvidenceError, "is there twice"),
        ("[\n", "[\n 3,\n", EvidenceError, r"priors\[0\]: expected a table, found 3"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named(project, old, new, error, hint):
    path = project.data / "priors" / "catalogue" / "bartos2023.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(error, match=hint):
        read_catalogue(project)


def test_a_project_without_a_catalogue_has_none(project):
    shutil.rmtree(project.data / "priors" / "catalogue")
    assert read_catalogue(project) == {}
