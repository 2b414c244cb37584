"""The command line as a user meets it: what is printed where, the exit code, and what is left behind."""

import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import kyphobayes.evidence
import kyphobayes.report
import kyphobayes.run
from kyphobayes.checks import Check
from kyphobayes.cli import main
from kyphobayes.errors import InputError, KyphobayesError
from kyphobayes.evidence import find_analysis
from kyphobayes.model import run_model
from kyphobayes.run import run_analysis

ROOT = Path(__file__).resolve().parents[2]
NAME = "new_fracture_bouza_only"
SETS = ["weakly_informative", "vague", "sceptical", "empirical"]
FIT = ["fit", NAME, "--engine", "exact"]
REPORT = ["report", "--workers", "1"]  # here, where the tests have put stand-ins


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """Keep what `main` sets in the environment from the other tests."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS", "1"))


@pytest.fixture(scope="session")
def first(tmp_path_factory):
    """The first fit into a new folder: the folder, exit code, standard output and standard error."""
    out, printed, aside = tmp_path_factory.mktemp("out"), StringIO(), StringIO()
    with redirect_stdout(printed), redirect_stderr(aside), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS", "1"))
        try:
            main([*FIT, "--out", str(out)])
            code = 0
        except SystemExit as leaving:
            code = leaving.code or 0
    return SimpleNamespace(out=out, code=code, printed=printed.getvalue(), aside=aside.getvalue())


@pytest.fixture(scope="session")
def solved(first, project):
    """The result of that fit."""
    analysis = find_analysis(project, NAME)
    return run_analysis(analysis, project, engines=("exact",), out=first.out)


def unwrapped(text):
    """Text without the line breaks that the width of the screen asks for."""
    return " ".join(text.split())


def fits(folder):
    return sorted(path.name for path in (folder / "fits").iterdir())


def subprocess_of(code, *arguments, folder, **environment):
    """Run Python code in a process and folder of its own."""
    inherited = {key: value for key, value in os.environ.items() if key != "OPENBLAS_NUM_THREADS"}
    inherited |= {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment}
    return subprocess.run(
        [sys.executable, *code, *arguments],
        cwd=folder,
        env=inherited,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


# --- list -----------------------------------------------------------------------------------------


def test_list_names_analyses_models_and_prior_sets(call):
    code, printed, aside = call("list")
    assert code == 0 and aside == ""
    for words in ("Analyses", NAME, "cement_leakage", "Models", "binomial_normal", "Prior sets", *SETS):
        assert words in printed


def test_list_as_json(call):
    code, printed, aside = call("list", "--json")
    assert code == 0 and aside == ""
    content = json.loads(printed)
    assert list(content) == ["analyses", "models", "priors"]
    assert NAME in content["analyses"] and content["analyses"][NAME]["question"].endswith("?")
    assert content["models"]["binomial_normal"].startswith("events_i ~ Binomial")
    assert set(SETS) <= set(content["priors"])


def test_list_reads_another_project(call, copied):
    plan = copied.data / "analyses.toml"
    plan.write_text(plan.read_text("utf-8").replace(f"[{NAME}", "[mine"), "utf-8")
    (copied.models / "mine.py").write_text('"""y ~ Mine(x)."""\n', "utf-8")
    code, printed, _ = call("list", "--json", "--project", copied.root)
    content = json.loads(printed)
    assert code == 0 and "mine" in content["analyses"] and NAME not in content["analyses"]
    assert content["models"]["mine"] == "y ~ Mine(x)."


# --- fit ------------------------------------------------------------------------------------------


def test_fit_answers(first):
    assert first.code == 0
    said = unwrapped(first.printed)
    assert "What do the four series of Bouza 2009 say" in said and "In a typical centre the rate is" in said
    for words in ("prior set", "vague", "sceptical", "empirical", "agreement: passed", "95 %"):
        assert words in said
    assert f"fits: {first.out / 'fits'}\n" in first.printed
    assert "fitting by quadrature" in first.aside and "error" not in first.aside
    (file,) = fits(first.out)
    assert re.fullmatch(rf"{NAME}-exact-[0-9a-f]{{12}}\.nc", file)


def test_nothing_is_cut_off_on_a_screen_of_80_columns(first):
    assert "…" not in first.printed
    assert max(map(len, first.printed.splitlines()[:-1])) <= 80


def test_a_second_call_finds_the_fit(call, first):
    (file,) = (first.out / "fits").iterdir()
    made = file.stat().st_mtime_ns
    code, printed, aside = call(*FIT, "--out", first.out)
    assert code == 0 and printed == first.printed
    assert "exact fit found" in aside and "fitting" not in aside
    assert fits(first.out) == [file.name] and file.stat().st_mtime_ns == made


def test_json_is_complete_and_alone(call, first):
    code, printed, aside = call(*FIT, "--out", first.out, "--json")
    assert code == 0 and aside == ""
    content = json.loads(printed, parse_constant=pytest.fail)  # neither NaN nor Infinity
    assert (content["analysis"], content["model"], len(content["studies"])) == (NAME, "binomial_normal", 4)
    assert list(content["answers"]) == SETS and content["tables"] > 1
    for answer in content["answers"].values():
        assert set(answer["priors"]) == {"mu", "tau"}
        assert set(answer["estimates"]) == {"typical", "new centre"}
        assert set(answer["posterior"]) == {"mu", "tau", "theta_new"}
        assert [row["n"] for row in answer["next"]] == [20, 50]
        below = answer["claim"]
        assert below["below"] == 0.1 and 0 < below["new centre"] < 1 and 0 < below["typical"] < 1
        rate = answer["estimates"]["typical"]
        assert 0 < rate["low"] < rate["median"] < rate["high"] < 1
        assert isinstance(answer["log_marginal_likelihood"], float)
        assert answer["error"] is None or answer["error"] < 1e-6
    assert all(check["passed"] and check["text"] for check in content["checks"].values())
    assert content["witness"] and re.fullmatch("[0-9a-f]{64}", content["fits"]["exact"])


def asked(monkeypatch, project):
    """What `fit` asks of `run_analysis`, which is not run."""
    calls = []

    def record(analysis, chosen, **options):
        calls.append(SimpleNamespace(analysis=analysis.name, project=chosen, **options))
        return SimpleNamespace(to_dict=dict, passed=True)

    monkeypatch.setattr(kyphobayes.run, "run_analysis", record)
    return calls


def test_every_option_of_fit_is_passed_on(call, monkeypatch, project, tmp_path):
    calls = asked(monkeypatch, project)
    given = ["--engine", "nuts", "--priors", "vague", "--model", "mine", "--seed", "7", "--out", tmp_path]
    given += ["--prior", "tau = HalfCauchy(beta=0.5)", "--prior", "mu=Normal(mu=-2, sigma=1)"]
    assert call("fit", NAME, *given, "--project", ROOT, "--json")[:2] == (0, "{}\n")
    (seen,) = calls
    assert (seen.analysis, seen.engines, seen.prior_set, seen.model) == (NAME, ("nuts",), "vague", "mine")
    assert (seen.seed, seen.out, seen.project.root) == (7, tmp_path, ROOT)
    assert seen.changed == {"tau": "HalfCauchy(beta=0.5)", "mu": "Normal(mu=-2, sigma=1)"}


def test_fit_by_default(call, monkeypatch, project):
    calls = asked(monkeypatch, project)
    assert call("fit", NAME, "--json")[0] == 0
    (seen,) = calls
    assert (seen.engines, seen.seed, seen.out) == (("exact", "nuts"), 0, Path("results"))
    assert (seen.prior_set, seen.model, seen.changed) == (None, None, {})


def test_prior_set_and_single_prior_change_the_answer(call, monkeypatch, tmp_path):
    monkeypatch.setattr(kyphobayes.run, "ENGINES", ())  # the answers need no fit

    def answers(*options):
        code, printed, _ = call("fit", NAME, "--json", "--out", tmp_path, *options)
        assert code == 0
        return json.loads(printed)["answers"]

    plain, vague = answers(), answers("--priors", "vague")
    assert next(iter(vague)) == "vague" and set(vague) == set(plain)
    assert vague["vague"]["priors"] == plain["vague"]["priors"]
    rates = [answer["vague"]["estimates"]["new centre"] for answer in (vague, plain)]
    assert rates[0] == pytest.approx(rates[1], rel=1e-6)
    changed = answers("--prior", "tau=HalfNormal(sigma=0.1)", "--model", "binomial_normal")
    label = next(iter(changed))
    assert label == "weakly_informative, tau ~ HalfNormal(sigma=0.1)"
    assert changed[label]["priors"]["tau"] == "HalfNormal(sigma=0.1)"
    assert changed[label]["tau"]["high"] < plain["weakly_informative"]["tau"]["high"]


# --- what is wrong --------------------------------------------------------------------------------

WRONG = {
    "no such analysis": (["fit", "new_fractures"], ["'new_fractures'", "did you mean 'new_fracture'"]),
    "no such prior set": ([*FIT, "--priors", "vage"], ["'vage'", "did you mean 'vague'"]),
    "no such model": ([*FIT, "--model", "binomal_normal"], ["'binomal_normal'", "binomial_normal?"]),
    "a model of another view": ([*FIT, "--model", "normal_normal"], ["takes Contrasts, found Counts"]),
    "a prior without a name": ([*FIT, "--prior", "HalfNormal(sigma=1)"], ["--prior", "expected a form"]),
    "a prior without a text": ([*FIT, "--prior", "tau="], ["--prior", "expected a form", "'tau='"]),
    "a prior given twice": ([*FIT, *["--prior", "tau=HalfNormal(sigma=1)"] * 2], ["tau is given twice"]),
    "a prior of no family": ([*FIT, "--prior", "tau=HalfNorml(sigma=1)"], ["HalfNorml", "HalfNormal"]),
    "a prior with a negative scale": ([*FIT, "--prior", "tau=HalfNormal(sigma=-1)"], ["greater than 0"]),
    "a prior below zero": ([*FIT, "--prior", "tau=Normal(mu=0, sigma=1)"], ["standard deviation"]),
    "a prior for nothing": ([*FIT, "--prior", "nu=HalfNormal(sigma=1)"], ["no parameter nu"]),
    "code for a prior": ([*FIT, "--prior", "tau=__import__('os').abort()"], ["expected a form such as"]),
    "markup for a prior": ([*FIT, "--prior", "tau=[/bold]"], ["'[/bold]'", "expected a form such as"]),
    "no such project": (["list", "--project", "no/such"], ["no/such", "expected a folder data/"]),
}
USAGE = {
    "no such command": (["fitt"], ["No such command 'fitt'", "'fit'"]),
    "no such option": ([*FIT, "--modell", "x"], ["No such option", "--modell", "--model"]),
    "no analysis": (["fit"], ["Missing argument", "analysis"]),
    "one argument too many": (["report", "everything"], ["unexpected extra argument", "everything"]),
    "no such engine": (["fit", NAME, "--engine", "gibbs"], ["--engine", "'gibbs'", "exact", "nuts", "both"]),
    "a negative seed": ([*FIT, "--seed", "-1"], ["--seed", "0"]),
    "a seed that is too large": ([*FIT, "--seed", str(2**32)], ["--seed", str(2**32 - 1)]),
    "a word for a seed": ([*FIT, "--seed", "abc"], ["--seed", "integer"]),
    "an option without a value": ([*FIT, "--priors"], ["--priors", "requires an argument"]),
}


def sentence(aside):
    """The one sentence after "error:"; before it there is only what was being done."""
    *before, last = aside.rstrip("\n").split("\n")
    assert last.startswith("error: ") and not any("error" in line for line in before), aside
    assert all(re.fullmatch(r"(\[\d+/\d+\] )?\w+: [\w ]+", line) for line in before), aside
    return last


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_sentence(arguments, words, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, aside = call(*arguments)
    said = sentence(aside)
    assert (code, printed) == (2, "") and [w for w in words if w not in said] == [], said
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("arguments", "words"), USAGE.values(), ids=USAGE)
def test_wrong_usage(arguments, words, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, aside = call(*arguments)
    said = " ".join(re.sub("[│╭╮╰╯─]", " ", aside).split())
    assert (code, printed) == (2, "") and [w for w in words if w not in said] == [], said
    assert list(tmp_path.iterdir()) == []


def test_json_does_not_change_how_errors_are_told(call, tmp_path):
    code, printed, aside = call("fit", "nothing", "--json", "--out", tmp_path)
    assert (code, printed, aside.count("\n")) == (2, "", 1) and aside.startswith(
        "error: no analysis 'nothing'"
    )


@pytest.mark.parametrize("command", [FIT, REPORT], ids=["fit", "report"])
def test_a_broken_number_is_named_and_nothing_is_written(command, call, copied, tmp_path):
    table = copied.data / "outcomes" / "new_fracture.csv"
    text = table.read_text("utf-8")
    assert text.count("kose2006,BKP,last,patients,,18,") == 1
    table.write_text(text.replace("patients,,18,", "patients,,eighteen,", 1), "utf-8")
    plan = copied.data / "analyses.toml"  # only the entry that is asked for
    entry = plan.read_text("utf-8").partition(f"[{NAME}]")[2].partition("\n[patient_pain]")[0]
    plan.write_text(f"[{NAME}]{entry}", "utf-8")
    out = tmp_path / "out"
    code, printed, aside = call(*command, "--project", copied.root, "--out", out)
    said = sentence(aside)
    for words in ("data/outcomes/new_fracture.csv, line 3, column n", "a whole number", "'eighteen'"):
        assert words in said
    assert (code, printed) == (2, "") and not [path for path in out.rglob("*") if path.is_file()]


@pytest.mark.parametrize("command", [FIT, REPORT], ids=["fit", "report"])
def test_a_file_where_the_folder_should_be(command, call, tmp_path):
    (tmp_path / "out").write_text("mine")
    code, printed, aside = call(*command, "--out", tmp_path / "out")
    assert (code, printed) == (2, "")
    assert sentence(aside).startswith(f"error: cannot write {tmp_path / 'out' / 'fits'}: ")
    assert "choose another --out" in aside and (tmp_path / "out").read_text() == "mine"


def test_an_interrupt_leaves_with_130_and_says_what_is_kept(call, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(kyphobayes.run, "run_analysis", interrupted)
    for command in (FIT, REPORT):
        code, printed, aside = call(*command, "--out", tmp_path / "out")
        assert (code, printed) == (130, "")
        assert "stopped; finished fits are kept and will be reused" in aside


def test_what_is_a_defect_of_ours_is_not_hidden(monkeypatch, tmp_path):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(kyphobayes.run, "run_analysis", broken)
    with pytest.raises(ZeroDivisionError):
        main([*FIT, "--out", str(tmp_path)])


@pytest.mark.parametrize(
    ("model", "question"),
    [
        ("vertebra_kyphosis", "vertebra_kyphosis"),
        ("poisson_normal", "time_at_risk"),
        ("time_to_event", "time_at_risk"),
    ],
)
def test_a_model_file_runs_for_the_question_that_fits_it(model, question, call, monkeypatch, tmp_path):
    asked = []

    def stand_in(entry, project, **options):
        asked.append(entry.name)
        raise InputError("as far as here")

    monkeypatch.setattr("kyphobayes.questions.answer", stand_in)
    code, _, aside = call("fit", question, "--model", model, "--out", tmp_path)
    assert (code, asked) == (2, [question]) and "as far as here" in aside
    code, _, aside = call("fit", question, "--model", "normal_normal", "--out", tmp_path)
    assert (code, asked) == (2, [question]) and "--model are for pooled rates" in aside


# --- report and checks ----------------------------------------------------------------------------


@pytest.fixture
def light(monkeypatch, solved):
    """A plan of one analysis, solved beforehand; the list takes the checks its result shall have."""
    checks = list(solved.checks)

    def run(analysis, project, **options):
        options["say"](f"{analysis.name}: not run")
        options["out"].mkdir(parents=True, exist_ok=True)
        return replace(solved, checks=tuple(checks))

    monkeypatch.setattr(kyphobayes.evidence, "read_plan", lambda project: {NAME: solved.analysis})
    monkeypatch.setattr("kyphobayes.evidence.questions.read_questions", lambda project: {})
    monkeypatch.setattr(kyphobayes.run, "run_analysis", run)
    return checks


def page_only(results, folder, **_):
    """A report of one line, for the tests that are not about the page."""
    (folder / "report.html").write_text(", ".join(result.analysis.name for result in results), "utf-8")
    return folder / "report.html"


def test_report_writes_the_page_and_says_where(call, light, tmp_path):
    code, printed, aside = call("report", "--out", tmp_path / "out")
    page = tmp_path / "out" / "report.html"
    assert code == 0 and printed.rstrip().endswith(f"report: {page}")
    assert f"[1/1] {NAME}: not run" in aside and "writing the report" in aside
    assert "four series of Bouza 2009 only: In a typical centre the rate is" in unwrapped(printed)
    html = page.read_text("utf-8")
    assert html.startswith("<!doctype html>") or html.startswith("<!DOCTYPE html>")
    assert "What do the four series of Bouza 2009 say" in html


def test_report_as_json(call, light, monkeypatch, tmp_path):
    monkeypatch.setattr(kyphobayes.report, "write_report", page_only)
    code, printed, aside = call("report", "--json", "--out", tmp_path)
    content = json.loads(printed, parse_constant=pytest.fail)
    assert (code, aside) == (0, "")
    assert content["report"] == str(tmp_path / "report.html") and list(content["analyses"]) == [NAME]
    assert list(content["analyses"][NAME]["answers"]) == SETS


def test_a_failed_check_is_named_and_the_report_is_written_all_the_same(call, light, monkeypatch, tmp_path):
    monkeypatch.setattr(kyphobayes.report, "write_report", page_only)
    light.append(Check("convergence", False, "r_hat [of mu] is 1.2", pd.DataFrame()))
    for options in ([], ["--json"]):
        code, printed, aside = call("report", "--out", tmp_path, *options)
        assert code == 1 and (tmp_path / "report.html").read_text("utf-8") == NAME
        assert f"{NAME}: convergence failed: r_hat [of mu] is 1.2" in unwrapped(aside)
        assert "agreement" not in aside
        assert str(tmp_path / "report.html") in printed
    code, printed, _ = call(*FIT, "--out", tmp_path)
    assert code == 1 and "convergence: failed; r_hat [of mu] is 1.2" in unwrapped(printed)
    assert "agreement: passed" in printed


def test_report_reads_the_sources_of_the_project_it_was_given(call, light, copied, monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(
        kyphobayes.report,
        "write_report",
        lambda results, folder, **options: seen.append(options.get("project")) or folder / "report.html",
    )
    assert call("report", "--project", copied.root, "--out", tmp_path / "out")[0] == 0
    assert seen == [copied]


def test_a_report_that_cannot_be_written(call, light, monkeypatch, tmp_path):
    def refused(*_, **__):
        raise KyphobayesError("cannot write [/x]: Permission denied; choose another --out")

    monkeypatch.setattr(kyphobayes.report, "write_report", refused)
    code, printed, aside = call("report", "--out", tmp_path)
    assert (code, printed) == (2, "")
    assert aside.endswith("error: cannot write [/x]: Permission denied; choose another --out\n")


# --- in a process of its own ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [[], ["list"], ["fit"], ["report"]], ids=lambda a: a[0] if a else "main"
)
def test_help_imports_nothing_heavy(arguments, tmp_path):
    code = (
        "import sys\nfrom kyphobayes.cli import main\n"
        "try:\n    main([*sys.argv[1:], '--help'])\n"
        "except SystemExit as leaving:\n    assert not leaving.code\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'xarray', 'numba', 'pymc', 'arviz', 'matplotlib', 'nutpie'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    ran = subprocess_of(["-c", code], *arguments, folder=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Usage: kyphobayes" in ran.stdout and "--help" in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_model_file_runs_as_a_script_from_another_folder(tmp_path):
    ran = subprocess_of(
        [str(ROOT / "models" / "binomial_normal.py")],
        *[NAME, "--engine", "exact", "--out", "mine"],
        folder=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    assert "agreement: passed" in ran.stdout and "fitting by quadrature" in ran.stderr
    assert len(fits(tmp_path / "mine")) == 1


@pytest.mark.parametrize("own", [True, False], ids=["its own project", "another project"])
def test_a_model_file_is_run_with_the_project_it_lies_in(own, monkeypatch, copied, project):
    calls = asked(monkeypatch, project)
    other = [] if own else ["--project", str(ROOT)]
    file = copied.models / "binomial_normal.py"
    monkeypatch.setattr(sys, "argv", [str(file), NAME, "--json", *other])
    with suppress(SystemExit):
        run_model(str(file))
    (seen,) = calls
    assert (seen.model, seen.project.root) == ("binomial_normal", copied.root if own else ROOT)


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("2", "2")], ids=["absent", "given"])
def test_blas_threads_are_set_only_where_the_user_has_not(before, after, call, monkeypatch):
    if before is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    else:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", before)
    assert call("--help")[0] == 0
    assert os.environ["OPENBLAS_NUM_THREADS"] == after
