"""Commands about the whole plan: what there is, and the report on all of it."""

from pathlib import Path
from typing import Annotated

import typer

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
from kyphobayes.console import answer_of, aside, print_json, progress, screen, show_list

FormatOption = Annotated[
    list[str] | None,
    typer.Option("--format", help="html, md or pdf; several with commas or by repeating it."),
]


def list_(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the analyses of the plan, the models and the prior sets."""
    from kyphobayes.evidence import read_plan
    from kyphobayes.evidence.questions import read_questions
    from kyphobayes.model import formulas

    chosen = chosen_project(project)
    plan = read_plan(chosen) | read_questions(chosen)
    models = formulas(chosen)
    sets = sorted(path.stem for path in (chosen.data / "priors").glob("*.toml"))
    if as_json:
        analyses = {name: {"title": a.title, "question": a.question} for name, a in plan.items()}
        print_json({"analyses": analyses, "models": models, "priors": sets})
        return
    show_list("Analyses", {name: analysis.question for name, analysis in plan.items()})
    show_list("Models", models)
    show_list("Prior sets", dict.fromkeys(sets, ""))


def report(
    out: OutOption = Path("results"),
    seed: SeedOption = 0,
    project: ProjectOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    formats: FormatOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run every analysis of the plan and write the report; fits that are done are reused."""
    from kyphobayes.evidence import read_plan
    from kyphobayes.evidence.questions import read_questions
    from kyphobayes.files import make_folder
    from kyphobayes.jobs import Job, available, run_all
    from kyphobayes.jobs import workers as hired
    from kyphobayes.questions import answer
    from kyphobayes.report import write_pdf, write_report
    from kyphobayes.report.explored import explored
    from kyphobayes.run import run_analysis

    wanted = _formats(formats or ["html"])
    chosen = chosen_project(project)
    plan, questions = read_plan(chosen), read_questions(chosen)
    out = out.absolute()  # workers elsewhere have another working folder
    given = {"project": chosen, "seed": seed, "out": out}
    jobs = [Job(name, run_analysis, {"analysis": entry, **given}) for name, entry in plan.items()]
    jobs += [Job(name, answer, {"question": entry, **given}) for name, entry in questions.items()]
    hands = min(workers or available(), len(jobs))
    if dask:
        make_folder(out)  # for workers to look into
    with progress(as_json, STEPS * len(jobs) + len(plan) + 1) as say:
        with hired(hands, dask, say, shared=(out, chosen.data / "analyses.toml")) as executor:
            done = run_all(jobs, executor, say)
            results, answers = done[: len(plan)], done[len(plan) :]
            pages = [Job(r.analysis.name, explored, {"result": r, "folder": out}) for r in results]
            run_all(pages, executor, say)
        say("writing the report")
        # A PDF is printed from the page at the end, so that without a browser all the rest is there.
        written = (wanted - {"pdf"}) | ({"html"} if "pdf" in wanted else set())
        page = write_report(results, out, answers=answers, project=chosen, formats=written)
    named = [(r.analysis.name, r) for r in results] + [(a.question.name, a) for a in answers]
    failed = [(name, check) for name, one in named for check in one.checks if not check.passed]
    if as_json:
        content = {"report": str(page), "analyses": {name: one.to_dict() for name, one in named}}
        print_json(content)
    else:
        for result in results:
            screen.print(f"{result.analysis.title}: {answer_of(result)}", highlight=False, markup=False)
        for one in answers:
            title = one.question.title
            screen.print(
                f"{title}{' ' if title.endswith('?') else ': '}{one.sentence}", highlight=False, markup=False
            )
        screen.print(f"\nreport: {page}", highlight=False, markup=False, soft_wrap=True)
    for name, check in failed:
        aside.print(f"{name}: {check.name} failed: {check.text}", markup=False)
    if "pdf" in wanted:
        write_pdf(page, out / "report.pdf")
    if failed:
        raise typer.Exit(1)


def _formats(given: list[str]) -> set[str]:
    """Formats that were asked for, before any work is done."""
    from kyphobayes.errors import InputError
    from kyphobayes.report.page import FORMATS

    wanted = {word.strip().lower() for text in given for word in text.split(",")}
    if unknown := sorted(wanted - set(FORMATS)):
        raise InputError(f"--format: expected {', '.join(FORMATS)}, found {', '.join(unknown) or 'nothing'}")
    return wanted
