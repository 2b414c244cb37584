"""The command that finds counts which a paper does not print."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyphobayes.commands.options import JsonOption, ProjectOption, SeedOption, chosen_project
from kyphobayes.console import print_json, progress, screen

if TYPE_CHECKING:
    from kyphobayes.reconstruct import Constraints

_METHODS = 6  # about as many steps: one for each measure


def reconstruct(
    file: Annotated[
        Path, typer.Argument(help="Constraints file (TOML), or the name of one of the project's.")
    ],
    methods: Annotated[
        bool, typer.Option("--methods", help="Also under every other measure, pooling and zero-cell rule.")
    ] = False,
    mu: Annotated[
        str, typer.Option(help="Prior of the typical log odds, for the rates under other methods.")
    ] = "Normal(mu=-2.5, sigma=1.5)",
    tau: Annotated[
        str, typer.Option(help="Prior of their standard deviation between centres.")
    ] = "HalfNormal(sigma=1)",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables as CSV files and the figure.")
    ] = None,
    seed: SeedOption = 0,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the tables of counts that agree with everything a paper prints, and what each figure adds."""
    with progress(as_json, 20 + (_METHODS if methods else 0)) as say:
        from dataclasses import replace

        from kyphobayes.commands.reconstructed import content, files, show_reconstruction
        from kyphobayes.evidence.denominators import denominators
        from kyphobayes.files import make_folder, write
        from kyphobayes.reconstruct import SMALL, TINY, Effort, find_tables, narrowing, other_methods, rates

        if out is not None:
            make_folder(out)
        constraints = _read(file, project)
        n, known = (None, None) if constraints.n else denominators(constraints, chosen_project(project))
        found = find_tables(constraints, n, known, effort=Effort(seed=seed), say=say)
        narrowed = narrowing(found, effort=replace(SMALL, seed=seed), say=say)
        others = None
        if methods:
            answer = rates(found.n, mu, tau)
            others = other_methods(found, effort=replace(TINY, seed=seed), answer=answer, say=say)
        if out is not None:
            say("writing files")
            for name, written in files(found, narrowed, others).items():
                write(out / name, written)
    if as_json:
        print_json(content(found, narrowed, others))
        return
    show_reconstruction(found, narrowed, others)
    if methods:
        screen.print(f"Rates under mu ~ {mu}, tau ~ {tau}.", markup=False, highlight=False)
    if out is not None:
        screen.print(f"\nfiles: {out}", markup=False, highlight=False, soft_wrap=True)


def _read(file: Path, project: Path | None) -> "Constraints":
    """The file of that path, or the project's of that name."""
    from kyphobayes.reconstruct import Constraints

    if not file.exists() and not file.suffix and file.name == str(file):
        named = chosen_project(project).data / "constraints" / f"{file}.toml"
        if named.is_file():
            file = named
    return Constraints.read(file)
