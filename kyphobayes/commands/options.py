"""Options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kyphobayes.project import Project

ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project", help="A folder with data/ in it; by default the one you are in, else the built-in."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Seed of all draws.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for fits and report.")]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Processes that share the work; by default one a processor."),
]
DaskOption = Annotated[
    str | None,
    typer.Option("--dask", help="A running Dask scheduler whose workers do it, such as tcp://host:8786."),
]
STEPS = 4  # that running one analysis announces


def chosen_project(folder: Path | None) -> "Project":
    """Return the project in a folder; if none is named, that of the working folder or the built-in one."""
    from kyphobayes.project import Project, find_project

    return find_project() if folder is None else Project(folder)
