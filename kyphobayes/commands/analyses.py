"""Commands about one analysis of the plan: fit, crosscheck, sensitivity."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kyphobayes.commands.options import (
    STEPS,
    JsonOption,
    OutOption,
    ProjectOption,
    SeedOption,
    chosen_project,
)
from kyphobayes.console import (
    aside,
    print_json,
    progress,
    screen,
    show_answer,
    show_crosscheck,
    show_result,
    show_sensitivity,
)
from kyphobayes.errors import InputError, PriorError

if TYPE_CHECKING:
    from kyphobayes.evidence.questions import Question
    from kyphobayes.project import Project
    from kyphobayes.questions import Answered


class Engine(StrEnum):
    """How to fit."""

    exact = "exact"
    nuts = "nuts"
    both = "both"


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
    with progress(as_json, STEPS) as say:
        from kyphobayes.evidence import find_analysis
        from kyphobayes.evidence.questions import read_questions
        from kyphobayes.run import ENGINES, run_analysis

        chosen = chosen_project(project)
        if analysis in (asked := read_questions(chosen)):
            # A model file that is run names itself: that changes nothing where the question fits it anyway.
            changed_model = model is not None and not asked[analysis].fits(model)
            answered = _answer(
                asked[analysis], chosen, bool(priors or prior or changed_model), seed, out, say
            )
            _show_answer(answered, as_json)
            return
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


def crosscheck(
    analysis: Annotated[str, typer.Argument(help="Name of an analysis; see `kyphobayes list`.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question by frequentist methods, and compare the likelihood with the exact engine's."""
    with progress(as_json, 1) as say:
        say(f"{analysis}: frequentist answers")
        from kyphobayes.checks.agreement import LIKELIHOOD_BOUND
        from kyphobayes.crosscheck import crosscheck as answers
        from kyphobayes.evidence import find_analysis

        chosen = chosen_project(project)
        found = answers(find_analysis(chosen, analysis), chosen)
    if as_json:
        print_json(found.to_dict())
    else:
        show_crosscheck(found)
    if not found.apart <= LIKELIHOOD_BOUND:
        aside.print("the two likelihoods differ: please report this as a defect", markup=False)
        raise typer.Exit(1)


def sensitivity(
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

        chosen = chosen_project(project)
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


def _answer(
    question: "Question", project: "Project", changed: bool, seed: int, out: Path, say: Callable[[str], None]
) -> "Answered":
    """Answer a question that is not about one pooled rate, and write its tables."""
    from kyphobayes.files import write
    from kyphobayes.questions import answer

    if changed:
        raise InputError(
            f"{question.name}: --priors, --prior and --model are for pooled rates; its priors are in "
            f"data/analyses.toml"
        )
    answered = answer(question, project, seed=seed, out=out, say=say)
    for name, table in answered.tables.items():
        write(out / "tables" / f"{question.name}-{name}.csv", table.to_csv(lineterminator="\n"))
    return answered


def _show_answer(answered: "Answered", as_json: bool) -> None:
    if as_json:
        print_json(answered.to_dict())
    else:
        show_answer(answered)
    if not answered.passed:
        raise typer.Exit(1)
