"""The readers of foreign text, and what a right answer of each is; `KyphobayesError` is the other end."""

import contextlib
import io
import platform
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kyphobayes.audit import lint
from kyphobayes.catalogue import read_catalogue
from kyphobayes.evidence import evidence_for, find_analysis, read_plan, read_priors
from kyphobayes.evidence.questions import read_questions
from kyphobayes.evidence.tables import describe, read_table
from kyphobayes.model import load_model
from kyphobayes.own_data import read_own_data
from kyphobayes.own_data.default_priors import default_priors
from kyphobayes.own_data.effect_table import effect_table
from kyphobayes.own_data.question import question
from kyphobayes.priors import Prior
from kyphobayes.project import Project
from kyphobayes.reanalysis import read_lines, reanalyse
from kyphobayes.reconstruct import TINY, Constraints, find_tables
from kyphobayes.reviews import new_review
from kyphobayes.witness import witness
from tests.fuzz.cases import PROJECT, Case
from tests.fuzz.judge import check_printed, check_sentence

_PLACES = np.array([-1e300, -2.0, 0.0, 1e-300, 0.5, 3.0, 1e300])


@cache
def warm() -> None:
    """Import what commands import when they run, and ask what they ask of the machine: no input pays."""
    platform.processor()  # by a process of its own, which no input may begin
    import kyphobayes.pooling
    import kyphobayes.report  # noqa: F401  # imported here once, so that no input pays for it


def _finite(numbers: Any) -> bool:
    return bool(np.isfinite(np.asarray(numbers, dtype=float)).all())


def a_prior(case: Case, _: Path) -> None:
    """Reads back as itself; densities, probabilities and quantiles are numbers, in order."""
    prior = Prior.parse(case.options["text"])
    assert Prior.parse(str(prior)) == prior
    bound = prior.for_studies([0.2, 0.5, 0.3])
    assert not np.isnan(bound.log_density(_PLACES)).any()
    if bound.proper:
        quantiles = bound.quantile([0.1, 0.5, 0.9])
        assert not np.isnan(quantiles).any() and (quantiles[1:] >= quantiles[:-1]).all()
        assert not np.isnan(bound.cdf(_PLACES)).any()


# -- tables of users ----------------------------------------------------------------------------------------


def _told(case: Case) -> dict[str, Any]:
    return {name: value for name, value in case.options.items() if name != "table"}


def _check_view(view: Any) -> None:
    """Hold what a table was read as to what models may see."""
    assert len(set(view.labels)) == view.k == len(view.rows) > 0
    if hasattr(view, "n"):
        assert np.all((view.tables >= 0) & (view.tables <= view.n)) and _finite(view.n)
    elif hasattr(view, "exposure"):
        assert np.all(view.exposure > 0) and _finite(view.exposure)
    else:
        assert _finite(view.y) and np.all(view.se > 0) and _finite(view.se)


def a_file(case: Case, sandbox: Path) -> None:
    """A table of a user's, as a view."""
    (name,) = case.files
    _check_view(read_own_data(sandbox / "in" / name, **_told(case)).evidence)


def a_frame(case: Case, _: Path) -> None:
    """The same of a table at hand."""
    _check_view(read_own_data(case.options["table"], **_told(case)).evidence)


def a_posterior(case: Case, sandbox: Path) -> None:
    """What `kyphobayes.fit` does first: question, priors, likelihood, posterior, and the witness."""
    own = read_own_data(sandbox / "in" / "mine.csv", **_told(case))
    analysis, _ = question(own)
    (priors, *_), _ = default_priors(analysis, own.evidence, own.sizes)
    surface = load_model(analysis.model).surface(own.evidence)
    posterior = surface.posterior(mu=priors["mu"], tau=priors["tau"])
    assert _finite(posterior.summary().loc["mu", ["median", "low", "high"]])
    witness(own.evidence)


def a_pool(case: Case, sandbox: Path) -> None:
    """All of `kyphobayes.fit`."""
    from kyphobayes.pooling import fit

    told = _told(case)
    columns = told.pop("columns", {})
    found = fit(sandbox / "in" / "mine.csv", out=sandbox / "out", **told, **columns)
    assert _finite(found.main.estimates[["median", "low", "high"]])


def effects(case: Case, sandbox: Path) -> None:
    """A table with effect sizes added."""
    table, _ = effect_table(sandbox / "in" / "mine.csv", case.options["measure"])
    assert _finite(table["y"]) and (table["v"] >= 0).all()


def a_review(case: Case, sandbox: Path) -> None:
    """A new review from a user's table, which the commands can read."""
    made = new_review(sandbox / "out" / "review", None, table=sandbox / "in" / "mine.csv")
    project = Project(made.folder)
    for name in made.analyses:
        _check_view(evidence_for(find_analysis(project, name), project))


# -- the project's own files --------------------------------------------------------------------------------


def _project(sandbox: Path) -> Project:
    describe.cache_clear()  # a descriptor is read once a process, and here it changes
    return Project(sandbox / "project")


def constraints(case: Case, sandbox: Path) -> None:
    """A constraints file; where it has its own studies, tables of counts that may be."""
    found = Constraints.read(sandbox / "in" / "asked.toml")
    if found.n:
        made = find_tables(found, effort=TINY)
        assert np.all((made.events >= 0) & (made.events <= made.n)) and abs(made.weights.sum() - 1) < 1e-9


def a_plan(_: Case, sandbox: Path) -> None:
    """A plan; no file that is called by one of its names lies outside the folder it is put in."""
    project, out = _project(sandbox), sandbox / "out"
    plan, questions = read_plan(project), read_questions(project)
    labels = [priors.label for question in questions.values() for priors in question.priors]
    for name in [*plan, *questions, *labels]:
        assert (out / f"{name}.html").resolve().parent == out
    for analysis in plan.values():
        read_priors(project, analysis.priors, analysis, analysis.measure or "PLO")


def a_prior_set(_: Case, sandbox: Path) -> None:
    """Priors of mu and tau."""
    project = _project(sandbox)
    analysis = find_analysis(project, "cement_leakage")
    assert set(read_priors(project, "vague", analysis, "PLO")) <= {"mu", "tau"}


def a_catalogue(_: Case, sandbox: Path) -> None:
    """Published priors."""
    assert read_catalogue(_project(sandbox))


def lines(_: Case, sandbox: Path) -> None:
    """Printed lines."""
    for line in read_lines(_project(sandbox)):
        assert len(line.ci) == 2


def a_table(case: Case, sandbox: Path) -> None:
    """A table of the project; of an outcome's, what an analysis takes from it."""
    project = _project(sandbox)
    (name,) = case.files
    path = name.removeprefix(f"{PROJECT}data/")
    table = read_table(project, "studies.csv" if path == "datapackage.json" else path)
    assert len(table.columns) > 1 and (table["line"] > 1).all()
    if path.startswith("outcomes/"):
        _check_view(evidence_for(find_analysis(project, "cement_leakage"), project))


def tests(case: Case, sandbox: Path) -> None:
    """Answers of the tests of printed numbers."""
    found = lint(sandbox / "in" / "mine.csv", rounding=case.options["rounding"])
    assert len(found.to_frame()) == len(found.rows)


def a_line(case: Case, _: Path) -> None:
    """A printed line analysed again."""
    found = reanalyse(**case.options)
    assert _finite(found.effects.loc["mu", ["median", "low", "high"]])


# -- the command line ---------------------------------------------------------------------------------------


def a_command(case: Case, sandbox: Path) -> None:
    """Exit code 0 or 1 with an answer, or 2 with one error; nothing printed that a terminal would obey."""
    from kyphobayes.cli import main

    describe.cache_clear()
    out, aside = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", errors) for errors in ("strict", "backslashreplace")
    )
    with (
        contextlib.chdir(sandbox / "in"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(aside),
    ):
        try:
            main(case.options["arguments"])
            code = 0
        except SystemExit as left:
            code = left.code or 0
    printed, said = (_content(stream) for stream in (out, aside))
    check_printed(printed)
    assert code in (0, 1, 2), f"exit code {code!r}"
    if code == 2 and case.options["arguments"]:  # without any it is the help that is printed
        errors = [line for line in said.splitlines() if line.casefold().startswith("error:")]
        assert len(errors) == 1, f"{len(errors)} errors: {said[-500:]!r}"
        check_sentence(errors[0])


def _content(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()
