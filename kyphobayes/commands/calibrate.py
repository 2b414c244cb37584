"""Command `calibrate`: whether the engines' posteriors are what they say they are."""

import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from kyphobayes.commands.options import (
    DaskOption,
    JsonOption,
    ProjectOption,
    SeedOption,
    WorkersOption,
    chosen_project,
)
from kyphobayes.console import aside, counted, print_json, screen
from kyphobayes.jobs import available

if TYPE_CHECKING:
    from pandas import DataFrame

    from kyphobayes.calibration.study import Cell
    from kyphobayes.project import Project


class Engine(StrEnum):
    """Whose posteriors are calibrated."""

    exact = "exact"
    nuts = "nuts"
    both = "both"


def calibrate(
    models: Annotated[
        list[str] | None, typer.Argument(help="Model files; all, if none is named.", show_default=False)
    ] = None,
    n: Annotated[int, typer.Option("--n", min=20, help="Data sets to simulate in each cell.")] = 1000,
    n_nuts: Annotated[
        int | None, typer.Option("--n-nuts", min=20, help="The same for NUTS, which takes longer.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="Whose posteriors.")] = Engine.both,
    k: Annotated[
        list[int] | None,
        typer.Option("--k", min=2, help="Number of studies; repeat it for several. By default 3, 7 and 20."),
    ] = None,
    priors: Annotated[
        list[str] | None,
        typer.Option(help="Prior set: default, vague or rare; repeat it for several. By default all."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the tables; what is finished there is not done again.")
    ] = Path("calibration"),
    shipped: Annotated[
        bool,
        typer.Option(
            "--shipped", help="Show what the study that comes with the package says of these; fit nothing."
        ),
    ] = False,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate data from models, fit them, and see whether each truth lies where its posterior says.

    Rows of other models, engines, priors and numbers of studies that are in the table already are kept.
    """
    from kyphobayes.calibration.study import FILE, about, wanting
    from kyphobayes.calibration.study import shipped as shipped_study

    engines = () if engine == Engine.both else (str(engine),)
    if shipped:
        whole = shipped_study()
        table = about(whole, models or (), engines, k or (), priors or ())
        failed = wanting(whole)  # a study is judged as a whole, also where a part is shown
        failed = failed[failed.index.isin(table.index)]
    else:
        chosen = chosen_project(project)
        study = _cells(chosen, models, engines, k or (), priors or (), n, n_nuts or n)
        table, whole = _computed(study, out, seed, available() if workers is None else workers, dask, as_json)
        failed = wanting(table)
    if as_json:
        print_json({"rows": table.to_dict("records"), "wanting": failed.to_dict("records")})
    else:
        _show(table, failed)
        if not shipped:
            screen.print(
                f"table of {len(whole)} rows: {out / FILE}", highlight=False, markup=False, soft_wrap=True
            )
    if not failed.empty:
        raise typer.Exit(1)


def _cells(
    project: "Project",
    models: Sequence[str] | None,
    engines: Sequence[str],
    ks: Sequence[int],
    sets: Sequence[str],
    n: int,
    n_nuts: int,
) -> "list[Cell]":
    from kyphobayes.calibration.study import ENGINES, KS, cells
    from kyphobayes.calibration.worlds import NUTS
    from kyphobayes.model import load_model, model_names

    engines = engines or ENGINES
    loaded = [load_model(name, project) for name in models or model_names(project)]
    if not models and NUTS not in engines:
        loaded = [model for model in loaded if model.declared_surface is not None]
    sizes = {"ks": sorted(set(ks or KS)), "sets": sets, "n": n, "n_nuts": n_nuts}
    return [cell for model in loaded for cell in cells(model, project, engines=engines, **sizes)]


def _computed(
    study: "list[Cell]", out: Path, seed: int, workers: int, dask: str | None, hidden: bool
) -> "tuple[DataFrame, DataFrame]":
    """Rows of this study, and the table in the folder with them in it."""
    from kyphobayes.calibration.study import FILE, merged, positions_of, read_summary, summarised
    from kyphobayes.calibration.study import calibrate as fitted
    from kyphobayes.files import make_folder, write
    from kyphobayes.jobs import workers as hired
    from kyphobayes.report.canvas import to_png, to_svg
    from kyphobayes.report.figures.calibration import calibration, ecdf_differences

    make_folder(out)
    begun, counts = time.monotonic(), []
    with counted(hidden, "fits of simulated data") as tell, hired(workers, dask) as executor:

        def finished(count: int, jobs: int) -> None:
            counts.append(count)
            tell(count, jobs)

        worlds = fitted(study, seed=seed, folder=out / "parts", executor=executor, finished=finished)
    took, fits = time.monotonic() - begun, sum(len(table) for table in worlds)
    if not hidden and counts[0] == 0:  # nothing was found, so that the time is that of all
        aside.print(f"{fits} data sets in {took:.0f} s: {took / fits:.3f} s each", highlight=False)
    table = summarised(study, worlds)
    for cell, positions in zip(study, worlds, strict=True):
        if quantities := positions_of(positions):
            picture = to_svg(ecdf_differences(quantities), cell.name)
            write(out / "figures" / f"{cell.name}.svg", picture)
    whole = merged(table, read_summary(out / FILE)) if (out / FILE).is_file() else table
    write(out / FILE, whole.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    picture = calibration(whole)
    write(out / "calibration.svg", to_svg(picture, "calibration"))
    write(out / "calibration.png", to_png(picture))
    return table, whole


def _show(table: "DataFrame", failed: "DataFrame") -> None:
    shown = Table(box=None, padding=(0, 1, 0, 0))
    for column in ("model", "engine", "priors", "quantity"):
        shown.add_column(column, overflow="fold")
    for column in ("k", "n", "not\nfit", "50 %", "80 %", "95 %", "smaller\np"):
        shown.add_column(column, justify="right", no_wrap=True)
    row: Any
    for row in table.itertuples():
        if not row.n:
            cells = ["none fitted", *[""] * 3]
        else:
            cells = [f"{100 * x:.0f}" for x in (row.coverage_50, row.coverage_80, row.coverage_95)]
            cells.append(f"{min(row.chi2_p, row.ks_p):.2g}")
        mark = "[bold red]{}[/]" if row.Index in failed.index else "{}"
        texts = [row.model, row.engine, row.priors, row.quantity]
        numbers = [str(row.k), str(row.n), str(row.refused + row.unseen), *cells]
        shown.add_row(*(mark.format(escape(text)) for text in [*texts, *numbers]))
    screen.print(shown)
    verdict = (
        f"{len(failed)} of {len(table)} rows are not calibrated"
        if len(failed)
        else f"all {len(table)} rows are calibrated"
    )
    screen.print(
        "Coverage of central intervals in percent, and the smaller p-value of two tests of uniformity; "
        f"{verdict}, at 1 % for the table as a whole.",
        highlight=False,
    )
