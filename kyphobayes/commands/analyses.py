"""Commands about one analysis: fit, which also takes a table of the user's own, crosscheck, sensitivity."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kyphobayes.commands import own_data as own
from kyphobayes.commands.options import (
    STEPS,
    DaskOption,
    JsonOption,
    OutOption,
    ProjectOption,
    SeedOption,
    WorkersOption,
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
    analysis: Annotated[
        str, typer.Argument(help="Name of an analysis (see `kyphobayes list`), or a .csv or .xlsx file.")
    ],
    engine: Annotated[
        Engine | None, typer.Option(help="How to fit; both for an analysis, exact for a file.")
    ] = None,
    priors: Annotated[str | None, typer.Option(help="Prior set in place of the plan's.")] = None,
    prior: Annotated[
        list[str] | None, typer.Option(help='One prior, such as --prior tau="HalfCauchy(beta=0.5)".')
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model in place of the plan's.")] = None,
    study: own.StudyOption = None,
    by: own.ByOption = None,
    events: own.EventsOption = None,
    n: own.NOption = None,
    percent: own.PercentOption = None,
    time: own.TimeOption = None,
    y: own.YOption = None,
    se: own.SeOption = None,
    v: own.VOption = None,
    ci_low: own.CiLowOption = None,
    ci_high: own.CiHighOption = None,
    events1: own.Events1Option = None,
    n1: own.N1Option = None,
    events2: own.Events2Option = None,
    n2: own.N2Option = None,
    time1: own.Time1Option = None,
    time2: own.Time2Option = None,
    mean: own.MeanOption = None,
    sd: own.SdOption = None,
    mean1: own.Mean1Option = None,
    sd1: own.Sd1Option = None,
    mean2: own.Mean2Option = None,
    sd2: own.Sd2Option = None,
    mean_pre: own.MeanPreOption = None,
    sd_pre: own.SdPreOption = None,
    mean_post: own.MeanPostOption = None,
    sd_post: own.SdPostOption = None,
    r: own.ROption = None,
    measure: own.MeasureOption = None,
    below: own.BelowOption = None,
    above: own.AboveOption = None,
    unit: own.UnitOption = None,
    time_unit: own.TimeUnitOption = None,
    per: own.PerOption = None,
    scale: own.ScaleOption = None,
    correlation: own.CorrelationOption = None,
    ci_level: own.CiLevelOption = None,
    decimal: own.DecimalOption = None,
    sheet: own.SheetOption = None,
    drop_missing: own.DropMissingOption = False,
    write_page: own.ReportOption = False,
    out: OutOption = Path("results"),
    seed: SeedOption = 0,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit an analysis of the plan or a table of your own, compare priors and hold witnesses together."""
    told = locals()
    given = {name: told[name] for name in own.OPTIONS if told[name] not in (None, False)}
    changed = _changed(prior or [])
    from kyphobayes.own_data.sources import names_a_file

    if names_a_file(analysis):
        if model is not None or project is not None:
            raise InputError(f"{analysis}: --model and --project are for analyses of a plan; leave them out")
        if priors is not None and changed:
            raise InputError("--priors and --prior: expected one of them for a table of your own, found both")
        own.fit_table(
            Path(analysis), given, priors=changed or priors, engine=(engine or Engine.exact).value, out=out,
            seed=seed, report=write_page, as_json=as_json,
        )  # fmt: skip
        return
    own.refuse_own(given | ({"report": True} if write_page else {}), analysis)
    engine = engine or Engine.both
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
    workers: WorkersOption = 1,
    dask: DaskOption = None,
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
        from kyphobayes.jobs import workers as hired
        from kyphobayes.names import MU, THETA_NEW
        from kyphobayes.report.sensitivity import conclusion, words_of
        from kyphobayes.run import sensitivity_of

        chosen = chosen_project(project)
        plan = find_analysis(chosen, analysis)
        quantity = MU if of == "typical" else THETA_NEW
        with hired(workers or 1, dask, say) as executor:
            found = sensitivity_of(
                plan, chosen,
                below=below, of=quantity, threshold=threshold, prior_set=priors, executor=executor, say=say,
            )  # fmt: skip
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
