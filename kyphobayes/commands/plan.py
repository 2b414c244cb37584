"""Commands about the whole plan: what there is, and the report on all of it."""

from pathlib import Path

import typer

from kyphobayes.commands.options import (
    STEPS,
    JsonOption,
    OutOption,
    ProjectOption,
    SeedOption,
    chosen_project,
)
from kyphobayes.console import answer_of, aside, print_json, progress, screen, show_list


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
    as_json: JsonOption = False,
) -> None:
    """Run every analysis of the plan and write the report; fits that are done are reused."""
    from kyphobayes.evidence import read_plan
    from kyphobayes.evidence.questions import read_questions
    from kyphobayes.questions import answer
    from kyphobayes.report import write_report
    from kyphobayes.run import run_analysis

    chosen = chosen_project(project)
    plan, questions = read_plan(chosen), read_questions(chosen)
    count = len(plan) + len(questions)
    with progress(as_json, STEPS * count + 1) as say:
        results = [
            run_analysis(
                entry, chosen, seed=seed, out=out, say=lambda text, i=i: say(f"[{i}/{count}] {text}")
            )
            for i, entry in enumerate(plan.values(), 1)
        ]
        answers = [
            answer(entry, chosen, seed=seed, out=out, say=lambda text, i=i: say(f"[{i}/{count}] {text}"))
            for i, entry in enumerate(questions.values(), len(plan) + 1)
        ]
        say("writing the report")
        page = write_report(results, out, answers=answers, project=chosen)
    done = [(r.analysis.name, r) for r in results] + [(a.question.name, a) for a in answers]
    failed = [(name, check) for name, one in done for check in one.checks if not check.passed]
    if as_json:
        content = {"report": str(page), "analyses": {name: one.to_dict() for name, one in done}}
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
    if failed:
        raise typer.Exit(1)
