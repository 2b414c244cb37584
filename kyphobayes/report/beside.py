"""Files beside the page: figures as SVG and PNG, tables as CSV, R code, and fits that were not kept yet."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr
from markupsafe import Markup
from matplotlib.figure import Figure

from kyphobayes.files import write
from kyphobayes.fits import save
from kyphobayes.report.canvas import to_png, to_svg
from kyphobayes.report.csv_tables import to_csv
from kyphobayes.report.document import (
    Code,
    Document,
    Inline,
    Numbers,
    Picture,
    Section,
    Shown,
    figure_anchor,
    table_anchor,
    walk,
)
from kyphobayes.report.tables import Column, Table
from kyphobayes.report.words import NONE

_DIGITS = 12  # of a digest in the name of a fit's file


def picture(
    figure: Figure, name: str, alt: str, folder: Path, head: str = "", caption: Sequence[Inline] = ()
) -> Picture:
    """Write a figure beside the page, as SVG and PNG, and give it to a document.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    svg = to_svg(figure, name)
    write(folder / "figures" / f"{name}.svg", '<?xml version="1.0" encoding="utf-8"?>\n' + svg)
    write(folder / "figures" / f"{name}.png", to_png(figure))
    label = Markup('<svg role="img" aria-label="{}" ').format(alt)
    return Picture(name, Markup(svg.replace("<svg ", label, 1)), alt, head, tuple(caption))


def write_text(path: Path, content: str) -> None:
    """Write a text file beside the page."""
    write(path, content)


def write_tables(document: Document, numbers: Numbers, folder: Path) -> None:
    """Write every table of a document as CSV."""
    for block in walk(document.sections):
        if isinstance(block, Shown):
            write(folder / "tables" / f"{block.name}.csv", to_csv(block.table(numbers).frame))


def keep_fits(name: str, fits: "dict[str, xr.DataTree]", folder: Path) -> list[Path]:
    """Files of some fits in the folder of the report; what was not kept when it was made is written now."""
    found = []
    for kind, fit in fits.items():
        digest = str(fit.attrs.get("digest", ""))[:_DIGITS]
        if not digest:
            continue
        there = sorted((folder / "fits").glob(f"*-{digest}.nc"))
        path = there[0] if there else folder / "fits" / f"{name}-{kind.replace(' ', '-')}-{digest}.nc"
        if not there:
            save(fit, path)
        found.append(path)
    return found


def files_table(
    sections: Sequence[Section], numbers: Numbers, fits: Iterable[Path], more: Iterable[tuple[str, str]]
) -> Table:
    """List what lies beside the page: figures, tables, code and fits, each with its files.

    Parameters
    ----------
    sections : sequence of Section
        Whose figures, tables and code are listed.
    numbers : mapping of str to Number
    fits : iterable of Path
    more : iterable of (str, str)
        Further files, with what they hold.
    """
    rows: list[tuple[str, str, str]] = []
    for block in walk(tuple(sections)):
        if isinstance(block, Picture):
            files = " ".join(f"figures/{block.name}.{end}" for end in ("svg", "png"))
            rows.append((numbers[figure_anchor(block.name)].label, block.head, files))
        elif isinstance(block, Shown):
            table = block.make.caption if isinstance(block.make, Table) else ""
            rows.append((numbers[table_anchor(block.name)].label, table, f"tables/{block.name}.csv"))
        elif isinstance(block, Code) and block.file:
            rows.append(("R code", "", block.file))
    rows += [("Fit", "NetCDF, for ArviZ", f"fits/{path.name}") for path in fits]
    rows += [("Table", what, file) for file, what in more]
    frame = pd.DataFrame(rows, columns=["what", "title", "files"])
    link = Markup('<a href="{0}">{0}</a>')
    columns = (
        Column("What", lambda row: row["what"]),
        Column("Title", lambda row: row["title"] or NONE),
        Column("Files", lambda row: Markup("<br>").join(link.format(file) for file in row["files"].split())),
    )
    return Table("files", "Files beside this page", frame, columns)
