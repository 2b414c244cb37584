"""The command that adds effect sizes to a user's table."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from kyphobayes.commands.options import JsonOption
from kyphobayes.console import aside, print_json


def effect_sizes(
    file: Annotated[
        Path, typer.Argument(help="CSV or XLSX file, one row per study, with the measure's columns.")
    ],
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
    from kyphobayes.own_data.effect_table import effect_table

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
