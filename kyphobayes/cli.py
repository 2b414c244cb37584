"""The command line: list what there is, fit one analysis, report on all.

Heavy modules are imported inside the commands, so that help comes at once.
"""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from kyphobayes.console import (
    answer_of,
    aside,
    print_json,
    progress,
    screen,
    show_crosscheck,
    show_list,
    show_result,
    show_sensitivity,
)
from kyphobayes.errors import InputError, KyphobayesError, PriorError

if TYPE_CHECKING:
    from kyphobayes.project import Project

app = typer.Typer(
    help="Bayesian evidence synthesis: exact posteriors, NUTS and a frequentist witness.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # errors in one line, without a box
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_STEPS = 4  # that running one analysis announces


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
        print_json({"analyses": analyses, "models": models, "priors": sets})
        return
    show_list("Analyses", {name: analysis.question for name, analysis in plan.items()})
    show_list("Models", models)
    show_list("Prior sets", dict.fromkeys(sets, ""))


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
    with progress(as_json, _STEPS) as say:
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
        print_json(result.to_dict())
    else:
        show_result(result, out)
    if not result.passed:
        raise typer.Exit(1)


@app.command("crosscheck")
def crosscheck_(
    analysis: Annotated[str, typer.Argument(help="Name of an analysis; see `kyphobayes list`.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question by frequentist methods, and compare the likelihood with the exact engine's."""
    with progress(as_json, 1) as say:
        say(f"{analysis}: frequentist answers")
        from kyphobayes.checks.agreement import LIKELIHOOD_BOUND
        from kyphobayes.crosscheck import crosscheck
        from kyphobayes.evidence import find_analysis

        chosen = _project(project)
        found = crosscheck(find_analysis(chosen, analysis), chosen)
    if as_json:
        print_json(found.to_dict())
    else:
        show_crosscheck(found)
    if not found.apart <= LIKELIHOOD_BOUND:
        aside.print("the two likelihoods differ: please report this as a defect", markup=False)
        raise typer.Exit(1)


@app.command("sensitivity")
def sensitivity_(
    analysis: Annotated[str, typer.Argument(help="Name of an analysis; see `kyphobayes list`.")],
    below: Annotated[
        float | None, typer.Option(help="Share that the decision is about, in place of the plan's.")
    ] = None,
    of: Annotated[Literal["typical", "next"], typer.Option(help="Whose rate is judged.")] = "typical",
    threshold: Annotated[
        float | None, typer.Option(help="Probability from which on the decision is taken.")
    ] = None,
    priors: Annotated[str | None, typer.Option(help="Prior set in place of the plan's.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for tables and figures.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask how far an answer depends on its priors, and what it would take to change it."""
    for name, share in (("--below", below), ("--threshold", threshold)):
        if share is not None and not 0 < share < 1:
            raise InputError(f"{name}: expected a number between 0 and 1, found {share:g}")
    with progress(as_json, 2) as say:
        say(f"{analysis}: the answer under many priors")
        from kyphobayes.evidence import find_analysis
        from kyphobayes.names import MU, THETA_NEW
        from kyphobayes.report.sensitivity import conclusion, words_of
        from kyphobayes.run import sensitivity_of

        chosen = _project(project)
        plan = find_analysis(chosen, analysis)
        quantity = MU if of == "typical" else THETA_NEW
        found = sensitivity_of(plan, chosen, below=below, of=quantity, threshold=threshold, prior_set=priors)
        sentence = conclusion(found, words_of(plan, found))
        written = []
        if out is not None:
            say(f"{analysis}: writing tables and figures")
            from kyphobayes.report.sensitivity_files import write_sensitivity

            written = write_sensitivity(found, out, analysis)
    if as_json:
        print_json({"analysis": analysis, "conclusion": sentence, **found.to_dict()})
        return
    show_sensitivity(found, sentence)
    for path in written:
        screen.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def elicit(
    rate: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Two shares, such as 0.01 0.2, between which the typical rate surely lies."),
    ] = None,
    factor: Annotated[
        float | None, typer.Option(help="By what factor the odds of two centres surely differ at most.")
    ] = None,
    mass: Annotated[float, typer.Option(help="How sure, as a probability.")] = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Turn what people can say into priors for mu and tau, ready for `fit --prior`."""
    from kyphobayes.elicit import elicit_rate, elicit_tau

    if rate is None and factor is None:
        raise InputError("elicit: expected --rate LOW HIGH, --factor NUMBER, or both; found neither")
    priors = {} if rate is None else {"mu": elicit_rate(*rate, mass)}
    priors |= {} if factor is None else {"tau": elicit_tau(factor, sure=mass)}
    if as_json:
        print_json({name: {"prior": str(prior), "why": prior.why} for name, prior in priors.items()})
        return
    for name, prior in priors.items():
        screen.print(f'--prior {name}="{prior}"', markup=False, highlight=False, soft_wrap=True)
        screen.print(f"  {prior.why}", markup=False, highlight=False)


@app.command("effect-sizes")
def effect_sizes(
    file: Annotated[Path, typer.Argument(help="CSV file, one row per study, with the measure's columns.")],
    measure: Annotated[str, typer.Option(help="Such as PLO, OR, SMD, SMCC; metafor's codes.")],
    add: Annotated[float, typer.Option(min=0, help="Added to the cells of a corrected study.")] = 0.5,
    to: Annotated[
        Literal["only0", "all", "if0all", "none"], typer.Option(help="Which studies are corrected.")
    ] = "only0",
    vtype: Annotated[str, typer.Option(help="How variances are estimated.")] = "LS",
    out: Annotated[Path | None, typer.Option(help="CSV file to write; standard output if none.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Add effects y and sampling variances v to a table of studies."""
    from kyphobayes.files import write
    from kyphobayes.own_tables import effect_table

    table, notes = effect_table(file, measure, add=add, to=to, vtype=vtype)
    if out is not None:
        write(out, table.to_csv(index=False, lineterminator="\n"))
    if as_json:
        numbers = {name: table[name].tolist() for name in ("y", "v")}
        print_json({"measure": measure, **numbers, "notes": list(notes)})
    elif out is None:
        sys.stdout.write(table.to_csv(index=False, lineterminator="\n"))
    for note in notes:
        aside.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)


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
    with progress(as_json, _STEPS * len(plan) + 1) as say:
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
        print_json(content)
    else:
        for result in results:
            screen.print(f"{result.analysis.title}: {answer_of(result)}", highlight=False, markup=False)
        screen.print(f"\nreport: {page}", highlight=False, markup=False, soft_wrap=True)
    for result, check in failed:
        aside.print(f"{result.analysis.name}: {check.name} failed: {check.text}", markup=False)
    if failed:
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of the user are one sentence and exit code 2."""
    # The matrices of the exact engine are small: a second BLAS thread only gets in the first one's way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="kyphobayes")
    except KyphobayesError as problem:
        aside.print(f"[bold red]error:[/] {escape(str(problem))}", highlight=False, soft_wrap=True)
        sys.exit(2)


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
