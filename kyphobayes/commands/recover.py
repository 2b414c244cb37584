"""Command `recover`: whether counts that are not printed are recovered as their posteriors say."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

import kyphobayes
from kyphobayes.commands.options import (
    DaskOption,
    JsonOption,
    ProjectOption,
    SeedOption,
    WorkersOption,
    chosen_project,
)
from kyphobayes.console import counted, print_json, screen

if TYPE_CHECKING:
    from pandas import DataFrame


def recover(
    analyses: Annotated[
        list[str] | None,
        typer.Argument(
            help="Analyses with counts that are not printed; all, if none is named.", show_default=False
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=20, help="Papers to simulate in each case.")] = 500,
    priors: Annotated[
        list[str] | None,
        typer.Option(help="Prior set; repeat it for several. By default those that the analysis compares."),
    ] = None,
    variations: Annotated[
        bool, typer.Option("--variations", help="Also with other sizes, and in papers that print no I².")
    ] = False,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the table; what is finished there is not done again.")
    ] = Path("calibration"),
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate papers that print as little, reconstruct their counts, and see whether truths are found."""
    from kyphobayes.files import make_folder, write
    from kyphobayes.jobs import available
    from kyphobayes.jobs import workers as hired
    from kyphobayes.recovery import cases, recover, sentence, summarised, varied, wanting

    study = cases(chosen_project(project), analyses or (), sets=priors or (), n=n)
    if variations:
        study += [other for case in study for other in varied(case)]
    make_folder(out)
    with (
        counted(as_json, "simulated papers") as finished,
        hired(available() if workers is None else workers, dask) as executor,
    ):
        worlds = recover(study, seed=seed, folder=out / "parts", executor=executor, finished=finished)
    table = summarised(study, worlds)
    file = out / f"{kyphobayes.__version__}-latent.csv"
    write(file, table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    failed = wanting(table)
    if as_json:
        print_json({"rows": table.to_dict("records"), "wanting": failed.to_dict("records")})
    else:
        for case, each in zip(study, worlds, strict=True):
            _say(f"{case.name}, {case.priors.label} priors: {sentence(each)}.")
            mine = (table["case"] == case.name) & (table["priors"] == case.priors.label)
            _show(table[mine], failed)
        verdict = (
            f"{len(failed)} of {len(table)} rows are" if len(failed) else f"none of {len(table)} rows is"
        )
        _say(
            "Coverage of central intervals in percent, among papers that leave the quantity open, and the "
            f"smaller p-value of two tests of uniformity; {verdict} wanting, at 1 % for the table as a whole."
        )
        _say(f"table: {file}")
    if not failed.empty:
        raise typer.Exit(1)


def _show(table: "DataFrame", failed: "DataFrame") -> None:
    shown = Table(box=None, padding=(0, 1, 0, 0))
    shown.add_column("quantity", overflow="fold")
    for column in ("open in", "50 %", "80 %", "95 %", "smaller\np"):
        shown.add_column(column, justify="right", no_wrap=True)
    row: Any
    for row in table.itertuples():
        cells = ["never open", *[""] * 3]
        if row.n:
            cells = [f"{100 * x:.0f}" for x in (row.coverage_50, row.coverage_80, row.coverage_95)]
            cells.append(f"{table.loc[row.Index, ['chi2_p', 'ks_p']].min():.2g}")
        mark = "[bold red]{}[/]" if row.Index in failed.index else "{}"
        shown.add_row(*(mark.format(text) for text in [escape(row.quantity), str(row.n), *cells]))
    screen.print(shown)
    screen.print()


def _say(text: str) -> None:
    screen.print(text, highlight=False, markup=False, soft_wrap=True)
