"""Commands that hold printed numbers against each other: audit, lint."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from kyphobayes.commands.options import JsonOption, ProjectOption, chosen_project
from kyphobayes.console import print_json, progress, screen


def audit(
    paper: Annotated[
        str | None, typer.Argument(help="A table of data/published/, such as ribeirao_preto; all by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for audit.csv.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute what the papers print: reproduced, under a reading, not reproduced, or not checkable."""
    with progress(as_json, 1) as say:
        say("recomputing what the papers print")
        from kyphobayes.audit import audit as recompute
        from kyphobayes.audit import claims_frame, counts, titles
        from kyphobayes.commands.audit_shown import show_audit

        chosen = chosen_project(project)
        claims = recompute(chosen, paper)
        path = None
        if out is not None:
            from kyphobayes.files import write
            from kyphobayes.report.csv_tables import to_csv

            path = out / "audit.csv"
            write(path, to_csv(claims_frame(claims)))
    if as_json:
        print_json({"counts": counts(claims), "claims": [claim.to_dict() for claim in claims]})
        return
    show_audit(claims, titles(chosen))
    if path is not None:
        screen.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)


def lint(
    file: Annotated[Path, typer.Argument(help="CSV file of printed numbers; docs/audit.md has its columns.")],
    rounding: Annotated[
        Literal["either", "half_up", "half_even", "truncated", "any"],
        typer.Option(help="How the numbers were rounded; either lets ties go both ways."),
    ] = "either",
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write the answers to.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Test printed means, SDs, percentages, intervals and p values; exit code 1 where some cannot hold."""
    from kyphobayes.audit import lint as test_all
    from kyphobayes.commands.audit_shown import show_lint

    found = test_all(file, rounding=rounding)
    if out is not None:
        from kyphobayes.files import write
        from kyphobayes.report.csv_tables import to_csv

        write(out, to_csv(found.to_frame()))
    if as_json:
        rows = found.to_frame().to_dict("records")
        print_json({"consistent": found.passed, "tests": rows, "untested_lines": list(found.untested)})
    else:
        show_lint(found)
    if not found.passed:
        raise typer.Exit(1)
