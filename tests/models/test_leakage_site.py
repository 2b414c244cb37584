"""models/leakage_site.py: the graph is the formula, wrong lines are caught, and it can be simulated."""

import numpy as np
import pymc as pm
import pytensor
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import special, stats

from kyphobayes.evidence import read_leak_sites, read_table
from kyphobayes.evidence.leakage_sites import UNPLACED, VERTEBRAE, leak_sites
from kyphobayes.model import load_model
from kyphobayes.project import Project, default_project

_PYTHON = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")
PROJECT = default_project()
MODEL = load_model("leakage_site")


def placed():
    """The same table with the leak of patient 18 in T12."""
    table = read_table(PROJECT, VERTEBRAE)
    unplaced = table["leak"] == UNPLACED
    table.loc[unplaced, "leak"] = ["yes", "no"]
    table.loc[unplaced, "leak_site"] = ["anterior", ""]
    return leak_sites(table)


EVIDENCE = {"one leak not placed": read_leak_sites(PROJECT), "all placed": placed()}


def at_random(evidence, seed):
    rng = np.random.default_rng(seed)
    return {
        "mu": np.array(rng.normal(-2, 1)),
        "tau_region": np.array(rng.uniform(0.2, 1)),
        "tau_patient": np.array(rng.uniform(0.2, 2)),
        "region_effect": rng.normal(size=3),
        "patient_effect": rng.normal(size=len(evidence.patients)),
        "share": rng.dirichlet([2, 2, 2]),
    }


def by_hand(evidence, point):
    """The joint log density written out vertebra by vertebra."""
    total = stats.norm.logpdf(point["mu"], -2.5, 1.5)
    total += stats.halfnorm.logpdf(point["tau_region"], scale=0.5)
    total += stats.halfnorm.logpdf(point["tau_patient"], scale=1)
    total += stats.norm.logpdf(point["region_effect"], 0, point["tau_region"]).sum()
    total += stats.norm.logpdf(point["patient_effect"], 0, point["tau_patient"]).sum()
    total += stats.dirichlet.logpdf(point["share"], np.ones(3))
    total += stats.multinomial.logpmf([3, 1, 1], 5, point["share"])
    unplaced = []
    for _, row in evidence.rows.iterrows():
        region = ["thoracic", "lumbar", "sacral"].index(row["region"])
        patient = evidence.patients.index(f"{row['patient']:.0f}")
        log_odds = point["mu"] + point["region_effect"][region] + point["patient_effect"][patient]
        p = special.expit(log_odds)
        if row["leak"] == UNPLACED:
            unplaced.append(p)
        else:
            total += np.log(p if row["leak"] == "yes" else 1 - p)
    if unplaced:
        p, q = unplaced
        total += np.log(0.5 * p * (1 - q) + 0.5 * (1 - p) * q)
    return float(total)


def joint(build, evidence, point):
    declared = remove_value_transforms(build(evidence, MODEL.priors, centred=True))
    terms = declared.compile_logp(vars=declared.basic_RVs, sum=True, jacobian=False, mode=_PYTHON)
    return float(terms(point))


@pytest.mark.parametrize("label", EVIDENCE)
def test_the_declaration_is_the_formula(label):
    evidence = EVIDENCE[label]
    for seed in range(3):
        point = at_random(evidence, seed)
        assert joint(MODEL.build, evidence, point) == pytest.approx(by_hand(evidence, point), rel=1e-10)


def test_the_standardised_form_says_the_same():
    evidence = EVIDENCE["one leak not placed"]
    point = at_random(evidence, 5)
    declared = remove_value_transforms(MODEL.build(evidence, MODEL.priors))
    z = {
        "z_region": point["region_effect"] / point["tau_region"],
        "z_patient": point["patient_effect"] / point["tau_patient"],
    }
    given = {name: point[name] for name in ("mu", "tau_region", "tau_patient", "share")} | z
    found = float(declared.compile_logp(vars=declared.basic_RVs, jacobian=False, mode=_PYTHON)(given))
    # dz = d(effect) / tau, for 3 regions and 22 patients
    turned = 3 * np.log(point["tau_region"]) + 22 * np.log(point["tau_patient"])
    assert found == pytest.approx(by_hand(evidence, point) + turned, rel=1e-10)


EDITS = [
    ("logit_p=log_odds[printed]", "p=pm.math.invprobit(log_odds[printed])"),
    ("logit[evidence.region] + patient[evidence.patient]", "logit[evidence.region]"),
    ('"patient_effect", 0, tau_patient', '"patient_effect", 0, tau_patient**2'),
    ('"region_effect", 0, tau_region', '"region_effect", 0, tau_patient'),
    ("p=pm.math.sigmoid(log_odds[latent])", "p=pm.math.sigmoid(logit[evidence.region][latent])"),
    ("tables=evidence.tables[:, latent]", "tables=evidence.tables[:1, latent].repeat(2, axis=0)"),
    ("a=np.ones(len(evidence.sites))", "a=0.5 * np.ones(len(evidence.sites))"),
    ("observed=evidence.sites,", "observed=evidence.sites[::-1],"),
]


@pytest.mark.parametrize(("old", "new"), EDITS, ids=[new for _, new in EDITS])
def test_a_wrong_line_is_caught(tmp_path, old, new):
    source = MODEL.path.read_text(encoding="utf-8")
    assert source.count(old) == 1, "the edit no longer fits the model file"
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    (tmp_path / "models" / "leakage_site.py").write_text(source.replace(old, new), encoding="utf-8")
    wrong = load_model("leakage_site", Project(tmp_path))
    evidence = EVIDENCE["one leak not placed"]
    point = at_random(evidence, 1)
    assert abs(joint(wrong.build, evidence, point) - by_hand(evidence, point)) > 1e-3


@pytest.mark.parametrize("centred", [True, False])
def test_variables_are_named_by_the_rules(centred):
    evidence = EVIDENCE["one leak not placed"]
    declared = MODEL.build(evidence, MODEL.priors, centred=centred)
    dims = declared.named_vars_to_dims
    free = {v.name for v in declared.free_RVs}
    assert {v for v in free if not dims.get(v)} == set(MODEL.priors)
    assert ("region_effect" in free) == ("patient_effect" in free) == centred
    assert dims["region_effect"] == dims["logit"] == ("region",) and dims["patient_effect"] == ("patient",)
    assert [dims[v.name] for v in declared.observed_RVs] == [("reported",), ("table", "latent"), ("site",)]
    assert declared.coords["latent"] == ("18 T12", "18 L1") and len(declared.coords["reported"]) == 33


def test_the_model_can_be_simulated():
    evidence = EVIDENCE["one leak not placed"]
    declared = MODEL.build(evidence, MODEL.priors)
    names = ["leak", "leak_latent", "sites", "logit", "patient_effect"]
    drawn = pm.draw([declared[n] for n in names], draws=300, random_seed=1, mode=_PYTHON)
    leak, latent, sites, logit, patient = drawn
    assert leak.shape == (300, 33) and latent.shape == (300, 2, 2) and sites.shape == (300, 3)
    assert (latent[:, 0] == latent[:, 1]).all()  # a replicate is one row of leaks
    assert set(np.unique(leak)) == set(np.unique(latent)) == {0, 1}
    assert (sites.sum(axis=1) == 5).all() and np.isfinite(logit).all()
    lumbar = evidence.region[evidence.reported] == 1
    p = special.expit(logit[:, [1]] + patient[:, evidence.patient[evidence.reported][lumbar]])
    assert leak[:, lumbar].mean() == pytest.approx(p.mean(), abs=0.02)


def test_without_an_unplaced_leak_nothing_is_latent():
    declared = MODEL.build(EVIDENCE["all placed"])
    assert [v.name for v in declared.observed_RVs] == ["leak", "sites"]
