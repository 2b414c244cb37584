"""What the command `reconstruct` shows and writes."""

import math
from typing import Any

import numpy as np
import pandas as pd
from rich.markup import escape
from rich.table import Table

from kyphobayes.console import screen
from kyphobayes.reconstruct import CountTables, Narrowing

_BARS = " ▁▂▃▄▅▆▇█"
_WIDEST = 24  # letters of a histogram
_LISTED = 1000  # tables that JSON holds
_SHOWN = 30  # methods
_ENOUGH = 100  # independent tables, for shares that are good to a few percent


def show_reconstruction(found: CountTables, narrowed: Narrowing, others: pd.DataFrame | None) -> None:
    """Print how many tables there are, the marginals, and what narrows them."""
    screen.print(f"\n{found.constraints.title}", style="bold", markup=False, highlight=False)
    screen.print(f"{sentence(found)}\n", markup=False, highlight=False)
    table = _table("study", "n", "counts", "mean", "bits")
    table.add_column("share of tables, by count", no_wrap=True)
    shapes = narrowed.counts.drop_duplicates("study").set_index("study")["bits"]
    for study in found.latent:
        marginal = found.marginal(study)
        n = int(found.n[found.studies.index(study)])
        mean = sum(count * weight for count, weight in marginal.items())
        bits = f"{shapes[study]:.1f}" if study in shapes else ""
        table.add_row(escape(study), f"{n}", _range(marginal), f"{mean:.1f}", bits, histogram(marginal))
    screen.print(table)
    for figure in found.known:
        screen.print(f"known: {figure.words}", markup=False, highlight=False)
    screen.print("\nWhat each figure leaves, in the order used:", highlight=False)
    table = _table("the paper prints", "so far", "all but it", "bits")
    row: Any
    for row in narrowed.figures.to_dict("records"):
        so_far = _number(row["only_first"], 0.0 if row["only_first_counted"] else 1.0)
        bits = f"{row['bits']:.1f}" if math.isfinite(row["bits"]) else "?"
        table.add_row(escape(row["words"]), so_far, _number(row["without"], row["without_error"]), bits)
    screen.print(table)
    screen.print(
        "so far: tables left by it and the figures above, of the studies they are about; all but it: tables "
        "without this figure; bits: how often it halves their number.",
        style="dim", markup=False, highlight=False,
    )  # fmt: skip
    if found.left_out:
        screen.print("\nLeft out:", highlight=False)
        for figure, agreeing in found.left_out:
            text = f"“{figure.words}”: {figure.why} It agrees with {agreeing} of {len(found)} tables."
            screen.print(text, markup=False, highlight=False)
    if others is not None:
        _show_methods(others)


def sentence(found: CountTables) -> str:
    """Say how many tables agree and under which method."""
    asked = found.constraints
    zero = f"{asked.zero_cells:g} added ({asked.corrected})" if asked.zero_cells else "nothing added to zeros"
    method = f"under {asked.pooling} on {asked.measure}, {zero}"
    if found.sample is None:
        number = "1 table of counts agrees" if len(found) == 1 else f"{len(found):,} tables of counts agree"
        return f"{number} with every figure {method}."
    sample = found.sample
    about = f"{sample.number:,.0f}" if sample.number < 1e7 and not sample.error else f"{sample.number:.1e}"
    spread = f" (standard error {100 * sample.error:.0f} %)" if sample.error else ""
    return (
        f"A sample, not a list: {'about ' if sample.error else ''}{about}{spread} tables of counts agree "
        f"with every figure {method}. The {len(found):,} sampled ones are worth about "
        f"{sample.effective:,.0f} independent tables, as runs that began apart show."
        + (" That is little: read the shares as rough." if sample.effective < _ENOUGH else "")
    )


def histogram(marginal: dict[int, float]) -> str:
    """Bars of the weights from the lowest to the highest count; neighbours together where there are many."""
    low, high = min(marginal), max(marginal)
    step = math.ceil((high - low + 1) / _WIDEST)
    heights = np.zeros((high - low) // step + 1)
    for count, weight in marginal.items():
        heights[(count - low) // step] += weight
    levels = np.ceil(heights / heights.max() * (len(_BARS) - 1)).astype(int)
    return "".join(_BARS[level] for level in levels)


def content(found: CountTables, narrowed: Narrowing, others: pd.DataFrame | None) -> dict[str, Any]:
    """Everything, for JSON."""
    asked, sample = found.constraints, found.sample
    result: dict[str, Any] = {
        "title": asked.title,
        "method": {
            key: getattr(asked, key)
            for key in ("measure", "pooling", "zero_cells", "corrected", "test", "i2_from")
        },
        "tables": found.number,
        "listed": len(found),
        "sample": None if sample is None else dict(vars(sample)),
        "studies": list(found.studies),
        "n": found.n.astype(int).tolist(),
        "marginals": {
            study: {str(count): weight for count, weight in found.marginal(study).items()}
            for study in found.studies
        },
        "figures": _records(narrowed.figures),
        "counts": _records(narrowed.counts),
        "left_out": [{"words": f.words, "why": f.why, "agreeing": number} for f, number in found.left_out],
    }
    if len(found) <= _LISTED:
        result["events"] = found.events.tolist()
        result["weights"] = found.weights.tolist()
    if others is not None:
        result["methods"] = _records(others)
    return result


def files(found: CountTables, narrowed: Narrowing, others: pd.DataFrame | None) -> dict[str, str | bytes]:
    """Content of the files by name."""
    from markupsafe import Markup

    from kyphobayes.report.canvas import to_png, to_svg
    from kyphobayes.report.reconstruction import alternative, marginals

    figures = narrowed.figures.assign(figure=range(1, len(narrowed.figures) + 1))
    tables = {
        "tables.csv": found.to_frame(),
        "marginals.csv": found.marginals(),
        "narrowing.csv": figures.merge(narrowed.counts.rename(columns=_apart), on="figure", how="left"),
    }
    if others is not None:
        tables["methods.csv"] = others
    written: dict[str, str | bytes] = {
        name: table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()
    }
    figure = marginals(found)
    label = Markup('<svg role="img" aria-label="{}" ').format(alternative(found))
    svg = to_svg(figure, "marginals").replace("<svg ", str(label), 1)
    written["marginals.svg"] = f'<?xml version="1.0" encoding="utf-8"?>\n{svg}'
    written["marginals.png"] = to_png(figure)
    return written


def _apart(name: str) -> str:
    """The bits of a count are not the bits of the tables."""
    return f"count_{name}" if name.startswith("bits") else name


def _show_methods(others: pd.DataFrame) -> None:
    """Print the methods under which some table agrees."""
    feasible = others[(others["tables"] > 0) | others["tables"].isna()]
    screen.print("\nUnder other methods:", highlight=False)
    table = _table("measure", "pooling", "zero cells", "tables", "pooled, %", "typical", "next, %")
    row: Any
    for row in feasible.head(_SHOWN).to_dict("records"):
        rule = f"{row['zero_cells']:g}, {row['corrected']}"
        pooled = " to ".join(dict.fromkeys(f"{100 * row[key]:.2f}" for key in ("pooled_low", "pooled_high")))
        number = _number(row["tables"], row["error"])
        name = f"{row['measure']} (assumed)" if row["assumed"] else row["measure"]
        own = [_percent(row, whose) for whose in ("typical", "next")]
        table.add_row(name, row["pooling"], rule, number, "?" if "nan" in pooled else pooled, *own)
    screen.print(table)
    if (more := len(feasible) - _SHOWN) > 0:
        screen.print(f"and {more} more", highlight=False)
    text = f"Of {len(others)} methods {len(others) - len(feasible)} agree with no table."
    screen.print(text, markup=False, highlight=False)


def _percent(row: dict[str, float], whose: str) -> str:
    """Interval of a rate."""
    low, high = (100 * row.get(f"{whose}_{end}", math.nan) for end in ("low", "high"))
    return "" if math.isnan(low) else f"{low:.1f}–{high:.1f}"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).to_dict("records")
    return [
        {str(key): value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
        for row in rows
    ]


def _range(marginal: dict[int, float]) -> str:
    low, high = min(marginal), max(marginal)
    return f"{low}" if low == high else f"{low} to {high}"


def _number(tables: float, error: float) -> str:
    from kyphobayes.reconstruct.solve import Number

    return Number(tables, error).shown


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for column in others:
        table.add_column(column, no_wrap=True, justify="right")
    return table
