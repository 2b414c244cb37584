"""The command that sees how often every method's intervals cover."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from kyphobayes.commands.options import DaskOption, JsonOption, SeedOption, WorkersOption
from kyphobayes.console import counted, print_json, screen

if TYPE_CHECKING:
    import pandas as pd

    from kyphobayes.coverage import Cell

_FILE = "coverage.csv"
_HEADS = ("no\ninterval", "\ncovers", "\nMonte Carlo", "truth\nbelow", "\nabove", "width,\npoints")


def coverage(
    n: Annotated[int, typer.Option("--n", min=2, help="Simulated tables in each cell.")] = 2000,
    k: Annotated[
        list[int] | None,
        typer.Option("--k", min=3, help="Number of studies; repeat it for several. By default 3, 7 and 20."),
    ] = None,
    own: Annotated[
        bool, typer.Option("--own", help="Only the cells of the plan's leakage and fractures.")
    ] = False,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Show the study that comes with the package; compute nothing.")
    ] = False,
    cell: Annotated[
        str | None,
        typer.Option("--cell", help="Only this cell, such as cement_leakage or k7-n20-tau1-rate5."),
    ] = None,
    seed: SeedOption = 0,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the table, its figure and finished cells.")
    ] = Path("calibration-results"),
    workers: WorkersOption = None,
    dask: DaskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate studies and count how often the intervals of every method cover the truth."""
    from kyphobayes.coverage import shipped_coverage
    from kyphobayes.coverage.summary import only

    if shipped:
        table = shipped_coverage()
        if cell is not None:
            table = only(table, cell)
    else:
        table = _computed(_cells(k, own, cell), n, seed, out, workers, dask, as_json)
    if as_json:
        print_json({"rows": table.to_dict("records")})
        return
    show_coverage(table)
    if not shipped:
        screen.print(f"files: {out}", markup=False, highlight=False, soft_wrap=True)


def _cells(k: list[int] | None, own: bool, cell: str | None) -> "list[Cell]":
    from kyphobayes.coverage import crossed_cells, own_cells
    from kyphobayes.coverage.cells import KS
    from kyphobayes.coverage.summary import known
    from kyphobayes.project import default_project

    project = default_project()
    cells = own_cells(project) + ([] if own else crossed_cells(project, sorted(set(k or KS))))
    if cell is None:
        return cells
    known("cell", cell, [each.name for each in cells])
    return [each for each in cells if each.name == cell]


def _computed(
    cells: "list[Cell]", n: int, seed: int, out: Path, workers: int | None, dask: str | None, hidden: bool
) -> "pd.DataFrame":
    from kyphobayes.coverage import coverage_study
    from kyphobayes.coverage.summary import crossed
    from kyphobayes.files import make_folder, write
    from kyphobayes.jobs import available
    from kyphobayes.jobs import workers as hired
    from kyphobayes.report.canvas import to_png, to_svg
    from kyphobayes.report.figures.coverage import coverage as drawn

    make_folder(out)
    with (
        counted(hidden, f"cells of {n} simulated tables") as finished,
        hired(available() if workers is None else workers, dask) as executor,
    ):
        table = coverage_study(
            cells, n, seed=seed, folder=out / "cells", executor=executor, finished=finished
        )
    write(out / _FILE, table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    if len(cells) > 1 and crossed(table).any():
        figure = drawn(table)
        write(out / "coverage.svg", to_svg(figure, "coverage"))
        write(out / "coverage.png", to_png(figure))
    return table


def show_coverage(table: "pd.DataFrame") -> None:
    """Print the own cells method by method, then the crossed cells together; a single cell by methods too."""
    from kyphobayes.coverage.summary import across, crossed

    is_crossed = crossed(table)
    single = len(table["cell"].unique()) == 1
    for name in table.loc[~is_crossed | single, "cell"].unique():
        _show_cell(table, name)
    if single or not is_crossed.any():
        return
    for quantity, title in _TITLES.items():
        found = across(table, quantity)
        ks = found["low"].columns
        shown = Table(
            title=f"{title}: lowest and highest coverage of the cells of each k, percent",
            title_justify="left",
            box=None,
            padding=(0, 1, 0, 0),
        )
        shown.add_column("\nmethod", overflow="fold")
        for number in ks:
            shown.add_column(f"\nk = {number}", justify="right", no_wrap=True)
        shown.add_column("no interval,\nat most", justify="right", no_wrap=True)
        for method, row in found.iterrows():
            ends = [f"{_percent(row['low', number])} to {_percent(row['high', number])}" for number in ks]
            shown.add_row(_words(method), *ends, _percent(row["nothing"].max()))
        screen.print(shown)
        screen.print()


_TITLES = {"typical": "Typical centre", "next": "Next centre"}


def _show_cell(table: "pd.DataFrame", cell: str) -> None:
    from kyphobayes.coverage.summary import of_cell

    parts = {title: of_cell(table, cell, quantity) for quantity, title in _TITLES.items()}
    about = table[table["cell"] == cell].iloc[0]
    screen.print(
        f"{cell}: {about['k']} studies of {about['n']:.3g} on average, typical rate "
        f"{100 * about['rate']:.3g} %, tau {about['tau']:.3g}; {about['replications']} tables\n",
        markup=False,
        highlight=False,
    )
    for title, found in parts.items():
        shown = Table(title=f"{title}, percent", title_justify="left", box=None, padding=(0, 1, 0, 0))
        shown.add_column("\nmethod", overflow="fold")
        for head in _HEADS:
            shown.add_column(head, justify="right", no_wrap=True)
        for method, row in found.iterrows():
            spread = f"{_percent(row['coverage_low'])} to {_percent(row['coverage_high'])}"
            figures = [_percent(row["nothing"]), _percent(row["coverage"]), spread]
            figures += [_percent(row["below"]), _percent(row["above"]), f"{row['width_points']:.1f}"]
            shown.add_row(_words(method), *figures)
        screen.print(shown)
        screen.print()


def _words(method: object) -> str:
    words = str(method).replace("_", " ")
    return f"exact: {words}" if " × " in words else words


def _percent(share: float) -> str:
    return "–" if share != share else f"{100 * share:.1f}"
