"""The command line: list what there is, fit one analysis, report on all.

Heavy modules are imported inside the commands, so that help comes at once.
"""

import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from kyphobayes.errors import KyphobayesError, PriorError

if TYPE_CHECKING:
    from pandas import Series

    from kyphobayes.project import Project
    from kyphobayes.run import Result, Say

app = typer.Typer(
    help="Bayesian evidence synthesis: exact posteriors, NUTS and a frequentist witness.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # errors in one line, without a box
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_STEPS = 4  # that running one analysis announces
_screen = Console()
_aside = Console(stderr=True)  # progress and errors, so that standard output stays clean


class Engine(StrEnum):
    """How to fit."""

    exact = "exact"
    nuts = "nuts"
    both = "both"


ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", help="A folder with data/ and models/ in place of the built-in one."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Seed of all draws.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for fits and report.")]


@app.command("list")
def list_(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the analyses of the plan, the models and the prior sets."""
    from kyphobayes.evidence import read_plan
    from kyphobayes.model import formulas

    chosen = _project(project)
    plan = read_plan(chosen)
    models = formulas(chosen)
    sets = sorted(path.stem for path in (chosen.data / "priors").glob("*.toml"))
    if as_json:
        analyses = {name: {"title": a.title, "question": a.question} for name, a in plan.items()}
        _print_json({"analyses": analyses, "models": models, "priors": sets})
        return
    _list("Analyses", {name: analysis.question for name, analysis in plan.items()})
    _list("Models", models)
    _list("Prior sets", dict.fromkeys(sets, ""))


@app.command()
def fit(
    analysis: Annotated[str, typer.Argument(help="Name of an analysis; see `kyphobayes list`.")],
    engine: Annotated[Engine, typer.Option(help="How to fit.")] = Engine.both,
    priors: Annotated[str | None, typer.Option(help="Prior set in place of the plan's.")] = None,
    prior: Annotated[
        list[str] | None, typer.Option(help='One prior, such as --prior tau="HalfCauchy(beta=0.5)".')
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model in place of the plan's.")] = None,
    out: OutOption = Path("results"),
    seed: SeedOption = 0,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit one analysis, compare priors, and hold the witnesses against each other."""
    changed = _changed(prior or [])
    with _progress(as_json, _STEPS) as say:
        from kyphobayes.evidence import find_analysis
        from kyphobayes.run import ENGINES, run_analysis

        chosen = _project(project)
        result = run_analysis(
            find_analysis(chosen, analysis),
            chosen,
            engines=ENGINES if engine is Engine.both else (engine.value,),
            model=model,
            prior_set=priors,
            changed=changed,
            seed=seed,
            out=out,
            say=say,
        )
    if as_json:
        _print_json(result.to_dict())
    else:
        _show(result, out)
    if not result.passed:
        raise typer.Exit(1)


@app.command()
def report(
    out: OutOption = Path("results"),
    seed: SeedOption = 0,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run every analysis of the plan and write the report; fits that are done are reused."""
    from kyphobayes.evidence import read_plan
    from kyphobayes.report import write_report
    from kyphobayes.run import run_analysis

    chosen = _project(project)
    plan = read_plan(chosen)
    with _progress(as_json, _STEPS * len(plan) + 1) as say:
        results = [
            run_analysis(
                entry, chosen, seed=seed, out=out, say=lambda text, i=i: say(f"[{i}/{len(plan)}] {text}")
            )
            for i, entry in enumerate(plan.values(), 1)
        ]
        say("writing the report")
        page = write_report(results, out, project=chosen)
    failed = [(result, check) for result in results for check in result.checks if not check.passed]
    if as_json:
        content = {"report": str(page), "analyses": {r.analysis.name: r.to_dict() for r in results}}
        _print_json(content)
    else:
        for result in results:
            _screen.print(f"{result.analysis.title}: {_sentence(result)}", highlight=False, markup=False)
        _screen.print(f"\nreport: {page}", highlight=False, markup=False, soft_wrap=True)
    for result, check in failed:
        _aside.print(f"{result.analysis.name}: {check.name} failed: {check.text}", markup=False)
    if failed:
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of the user are one sentence and exit code 2."""
    # The matrices of the exact engine are small: a second BLAS thread only gets in the first one's way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="kyphobayes")
    except KyphobayesError as problem:
        _aside.print(f"[bold red]error:[/] {escape(str(problem))}", highlight=False, soft_wrap=True)
        sys.exit(2)


def _print_json(content: object) -> None:
    """Print JSON; what is not a finite number is null, as JSON has no other word for it."""

    def finite(value: object) -> object:
        if isinstance(value, dict):
            return {key: finite(item) for key, item in value.items()}
        if isinstance(value, list):
            return [finite(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    print(json.dumps(finite(content), ensure_ascii=False, indent=2, allow_nan=False))


def _project(folder: Path | None) -> "Project":
    from kyphobayes.project import Project, default_project

    return default_project() if folder is None else Project(folder)


def _changed(texts: list[str]) -> dict[str, str]:
    """Read ``name=Family(...)`` options."""
    changed: dict[str, str] = {}
    for text in texts:
        name, equals, prior = text.partition("=")
        if not equals or not name.strip().isidentifier() or not prior.strip():
            raise PriorError(f'--prior: expected a form such as tau="HalfCauchy(beta=0.5)", found {text!r}')
        if name.strip() in changed:
            raise PriorError(f"--prior: {name.strip()} is given twice")
        changed[name.strip()] = prior.strip()
    return changed


@contextmanager
def _progress(hidden: bool, steps: int) -> "Iterator[Say]":
    """Show on standard error what is being done, and leave cleanly when interrupted."""
    try:
        if hidden:
            yield lambda text: None
        elif _aside.is_terminal:
            with _bar(steps) as say:
                yield say
        else:
            yield lambda text: _aside.print(text, markup=False, highlight=False)
    except KeyboardInterrupt:
        _aside.print("stopped; finished fits are kept and will be reused")
        raise typer.Exit(130) from None


@contextmanager
def _bar(steps: int) -> "Iterator[Say]":
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = BarColumn(bar_width=20), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=_aside, transient=True) as progress:
        task = progress.add_task("starting", total=steps)
        yield lambda text: progress.update(task, description=text, advance=1)


def _list(title: str, rows: dict[str, str]) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(escape(name), escape(text))
    _screen.print(table)


def _show(result: "Result", out: Path) -> None:
    """Print an answer for people."""
    from rich.table import Table

    analysis = result.analysis
    _screen.print(f"\n{analysis.question}", markup=False, highlight=False)
    _screen.print(f"{_sentence(result)}\n", markup=False, highlight=False)
    below = f"< {100 * analysis.decision.below:g} %"
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("prior set", overflow="fold")
    for column, width in (("typical\nrate, %", 14), ("\ntau", 16), ("new centre's\nrate, %", 14)):
        table.add_column(column, no_wrap=True, min_width=width, justify="right")
    for column in (f"typical\n{below}", f"new\n{below}"):
        table.add_column(column, no_wrap=True, min_width=7, justify="right")
    for name, answer in result.answers.items():
        typical, new = (_interval(100 * rate, 1) for _, rate in answer.rates.iterrows())
        chances = (f"{100 * p:.0f} %" for p in (answer.p_typical, answer.p_new))
        table.add_row(escape(name.replace("_", " ")), typical, _interval(answer.tau, 2), new, *chances)
    _screen.print(table)
    _screen.print(
        "Medians with 95 % intervals; probabilities of a rate below the decision's.\n", highlight=False
    )
    for check in result.checks:
        mark = "[green]passed[/]" if check.passed else "[bold red]failed[/]"
        _screen.print(f"{check.name}: {mark}; {escape(check.text)}", highlight=False)
    _screen.print(f"fits: {out / 'fits'}", markup=False, highlight=False, soft_wrap=True)


def _interval(row: "Series", digits: int) -> str:
    median, low, high = (f"{row[name]:.{digits}f}" for name in ("median", "low", "high"))
    return f"{median} ({low}–{high})"


def _sentence(result: "Result") -> str:
    from kyphobayes.report.sentences import answer

    return answer(result)
