"""The command that makes a folder for a review of one's own."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from kyphobayes.console import screen


def new(
    folder: Annotated[Path, typer.Argument(help="A new folder, such as my-review.")],
    kind: Annotated[
        Literal["counts", "contrasts", "rates", "all"] | None,
        typer.Option(
            help="Events and n, estimates and standard errors, or events and time; counts by default."
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--from", help="Your own .csv or .xlsx in place of invented rows.")
    ] = None,
    measure: Annotated[
        str, typer.Option(help="With --from, such as RR or SMD where the columns allow several.")
    ] = "",
) -> None:
    """Make a folder for a review of your own: tables with rows to replace, plan, priors, README."""
    from kyphobayes.reviews import new_review

    made = new_review(folder, kind, table=table, measure=measure)
    lines = [f"made: {made.folder}"]
    files = (path for path in made.folder.rglob("*") if path.is_file())
    lines += [f"  {path.relative_to(made.folder)}" for path in sorted(files)]
    lines += made.said or ["Its numbers are invented: replace them; README.md says how."]
    place = shlex.quote(str(made.folder))
    lines += ["", f"cd {place}", f"kyphobayes fit {made.analyses[0]} --engine exact", "kyphobayes report"]
    for line in lines:
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
