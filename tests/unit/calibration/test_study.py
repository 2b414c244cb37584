"""Calibration studies: right models pass, wrong ones are caught, however the work is divided."""

import json

import numpy as np
import pandas as pd
import pytest

from kyphobayes.calibration.designs import designs
from kyphobayes.calibration.sampled import Sampler
from kyphobayes.calibration.study import calibrate, cells, read_summary, summarised, wanting
from kyphobayes.calibration.worlds import EXACT, NUTS, fit_worlds
from kyphobayes.cli import main
from kyphobayes.engines.exact import solve
from kyphobayes.errors import InputError
from kyphobayes.evidence import contrasts
from kyphobayes.model import load_model, model_names

pytestmark = pytest.mark.statistical

SURFACE = "return exact.normal(evidence.y, evidence.se, labels=evidence.labels)"
CENTRED = 'theta = pm.Normal("theta", mu, tau, dims="study")'
OTHER = 'pm.Deterministic("theta", mu + tau * pm.Normal("z", dims="study"), dims="study")'
LIKELIHOOD = 'pm.Normal("y", theta, evidence.se, observed=evidence.y, dims="study")'

# What is wrong, by which engine it is seen, and the line that is replaced by another.
FAULTS = {
    "a study counted twice": (
        EXACT,
        SURFACE,
        "y, se = evidence.y, evidence.se\n"
        "    return exact.normal([*y, y[0]], [*se, se[0]], labels=[*evidence.labels, 'again'])",
    ),
    "tau twice as large in the surface": (
        EXACT, CENTRED, 'theta = pm.Normal("theta", mu, tau / 2, dims="study")'
    ),
    "tau half as large in one form": (
        NUTS, OTHER, OTHER.replace("tau * pm", "0.5 * tau * pm")
    ),
    "a likelihood counted twice": (
        NUTS, LIKELIHOOD,
        f"seen = {LIKELIHOOD}\n"
        "        again = pm.logp(pm.Normal.dist(theta, evidence.se), seen)\n"
        '        pm.Potential("twice", pm.math.sum(again))',
    ),
}  # fmt: skip


def faulty(copied, name):
    """The normal-normal model with one fault, under a name of its own."""
    engine, right, wrong = FAULTS[name]
    text = (copied.models / "normal_normal.py").read_text(encoding="utf-8")
    assert text.count(right) == 1
    (copied.models / "faulty.py").write_text(text.replace(right, wrong), encoding="utf-8")
    return load_model("faulty", copied), engine


def study_of(model, project, engine, n, k=7):
    return cells(model, project, engines=(engine,), ks=(k,), sets=("default",), n=n, n_nuts=n)


@pytest.mark.parametrize("name", ["normal_normal", "binomial_normal", "poisson_normal"])
def test_right_models_pass_by_quadrature(project, name):
    study = study_of(load_model(name, project), project, EXACT, 100, k=3)
    table = summarised(study, calibrate(study))
    assert wanting(table).empty and (table["n"] == 100).all()
    assert set(table["quantity"]) == {"mu", "tau", "theta_new", "log_likelihood"}


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault[0] == EXACT])
def test_faults_of_a_surface_are_caught(copied, name):
    model, engine = faulty(copied, name)
    study = study_of(model, copied, engine, 400)
    assert not wanting(summarised(study, calibrate(study))).empty


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault[0] == NUTS])
def test_faults_of_a_declared_model_are_caught(copied, name):
    model, engine = faulty(copied, name)
    study = study_of(model, copied, engine, 75, k=3)
    assert not wanting(summarised(study, calibrate(study))).empty


def test_a_sampler_given_other_data_has_their_posterior(project):
    model = load_model("normal_normal", project)
    (evidence,) = designs(model, project, (7,)).values()
    sampler = Sampler(model, evidence, model.priors)
    rng = np.random.default_rng(0)
    for shift in (-3.0, 2.0):
        y = rng.normal(shift, 0.5, 7)
        drawn = sampler.draws({"y": y}, 1, ["mu", "tau", "theta"])
        posterior = solve(model, contrasts(y, evidence.se), model.priors)
        for name in ("mu", "tau"):
            exact = getattr(posterior, name)
            assert float(drawn[name].mean()) == pytest.approx(exact.mean, abs=exact.sd / 10)
            assert float(drawn[name].std()) == pytest.approx(exact.sd, rel=0.1)


def test_a_world_does_not_depend_on_its_chunk(project):
    model = load_model("normal_normal", project)
    (evidence,) = designs(model, project, (3,)).values()
    heard = []
    whole = fit_worlds(model, evidence, model.priors, EXACT, 4, 0, 6, say=heard.append)
    parts = [fit_worlds(model, evidence, model.priors, EXACT, 4, at, 3, say=heard.append) for at in (0, 3)]
    pd.testing.assert_frame_equal(whole, pd.concat(parts, ignore_index=True), check_exact=True)
    assert heard[5] == "normal_normal, exact, default priors: world 5"
    other = fit_worlds(model, evidence, model.priors, EXACT, 5, 0, 6, say=heard.append)
    assert not np.isin(other["mu"], whole["mu"]).any()


def test_what_is_finished_is_found_and_what_is_damaged_is_done_again(project, tmp_path):
    study = study_of(load_model("normal_normal", project), project, EXACT, 100, k=3)
    counts = []
    first = calibrate(study, folder=tmp_path, finished=lambda *count: counts.append(count))
    assert counts == [(0, 2), (1, 2), (2, 2)]
    one = min(tmp_path.glob("*.csv"))
    one.write_text(one.read_text(encoding="utf-8").replace("fitted", "fitten", 1), encoding="utf-8")
    counts.clear()
    again = calibrate(study, folder=tmp_path, finished=lambda *count: counts.append(count))
    assert counts == [(1, 2), (2, 2)]
    pd.testing.assert_frame_equal(first[0], again[0], check_exact=True)


def test_a_model_without_the_engine_or_the_priors_is_told(project):
    with pytest.raises(InputError, match=r"joint_outcomes\.py declares no surface: expected --engine nuts"):
        cells(load_model("joint_outcomes", project), project, engines=(EXACT,), n=20, n_nuts=20)
    with pytest.raises(InputError, match="normal_normal has default, vague, found rare"):
        cells(load_model("normal_normal", project), project, engines=(EXACT,), sets=["rare"], n=20, n_nuts=20)


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["calibrate", *map(str, arguments)])
    return ended.value.code


def test_the_command_writes_table_and_figures(tmp_path, capsys):
    out = tmp_path / "there"
    options = ("--engine", "exact", "--k", 3, "--n", 40, "--priors", "default", "--workers", 1, "--out", out)
    assert run("normal_normal", *options) == 0
    text = capsys.readouterr()
    assert "all 4 rows are calibrated" in text.out and "1 of 1 jobs finished" in text.err
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    table = pd.read_csv(next(out.glob("*.csv")))
    assert table["n"].tolist() == [40] * 4
    assert {"calibration.svg", "figures/normal_normal-exact-k3-default.svg"} <= names
    assert run("normal_normal", *options, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert [row["quantity"] for row in again["rows"]] == table["quantity"].tolist() and not again["wanting"]


def test_a_table_grows_and_a_cell_that_is_run_again_replaces_itself(tmp_path, capsys):
    options = ("--engine", "exact", "--priors", "default", "--workers", 1, "--out", tmp_path)
    assert run("normal_normal", "--k", 7, "--n", 20, *options) == 0
    assert run("normal_normal", "--k", 3, "--n", 20, *options) == 0
    assert run("normal_normal", "--k", 7, "--n", 40, *options) == 0
    table = pd.read_csv(next(tmp_path.glob("*.csv")))
    assert table["k"].tolist() == [3] * 4 + [7] * 4 and table["n"].tolist() == [20] * 4 + [40] * 4
    assert "all 4 rows" in capsys.readouterr().out


def test_the_command_fails_where_a_model_is_wrong(copied, tmp_path, capsys):
    faulty(copied, "a study counted twice")
    options = ("--engine", "exact", "--k", 3, "--n", 400, "--priors", "default", "--workers", 1)
    assert run("faulty", *options, "--out", tmp_path / "there", "--project", copied.root) == 1
    assert "rows are not calibrated" in capsys.readouterr().out


def test_the_command_tells_what_it_does_not_know(capsys, tmp_path):
    assert run("binomial_norml", "--out", tmp_path) == 2
    assert "did you mean binomial_normal?" in capsys.readouterr().err


def test_the_study_that_comes_with_the_package_has_every_model_and_no_fault(project, call):
    code, text, _ = call("calibrate", "--shipped", "--json")
    shown = json.loads(text)
    rows = pd.DataFrame(shown["rows"])
    by_quadrature = {name for name in model_names(project) if load_model(name, project).declared_surface}
    assert code == 0 and shown["wanting"] == []
    assert set(rows["model"][rows["engine"] == EXACT]) == by_quadrature
    assert set(rows["model"][rows["engine"] == NUTS]) == set(model_names(project))
    assert set(rows["priors"]) == {"default", "vague", "rare"} and {3, 7, 20} <= set(rows["k"])


def test_a_part_of_the_study_is_shown(call):
    code, text, _ = call("calibrate", "normal_normal", "--shipped", "--engine", "exact", "--k", 7, "--json")
    rows = pd.DataFrame(json.loads(text)["rows"])
    assert code == 0 and set(rows["model"]) == {"normal_normal"}
    assert set(rows["k"]) == {7} and set(rows["engine"]) == {EXACT}
    for asked, told in {
        ("normal_norml",): "did you mean 'normal_normal'?",
        ("normal_normal", "--k", 4): "expected one of",
        ("vertebra_kyphosis", "--k", 20): "none of all together",
    }.items():
        code, _, said = call("calibrate", *asked, "--shipped")
        assert code == 2 and told in said


def test_a_cell_of_which_no_world_was_fitted_is_shown_as_that(tmp_path, monkeypatch, call):
    cell = {"model": "m", "engine": NUTS, "k": 7, "priors": "vague", "refused": 20, "unseen": 0}
    none = {**cell, "n": 0, "quantity": ""}
    fitted = {f"coverage_{level}": level / 100 for level in (50, 80, 95)} | {"chi2_p": 0.5, "ks_p": 0.5}
    path = tmp_path / "study.csv"
    pd.DataFrame([none, {**cell, "n": 20, "quantity": "mu", **fitted}]).to_csv(path, index=False)
    monkeypatch.setattr("kyphobayes.calibration.study.shipped", lambda: read_summary(path))
    code, shown, _ = call("calibrate", "--shipped")
    assert code == 0 and "none fitted" in shown
