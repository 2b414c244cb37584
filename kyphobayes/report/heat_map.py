"""The atlas as a picture: one cell per pair of priors, its answer written in it."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kyphobayes.findings import PROPORTIONS
from kyphobayes.names import MU, THETA_NEW
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report.canvas import GREY, INK, SMALL, VERMILION, WIDTH, blank, style, text_size, wrapped
from kyphobayes.report.words import PERCENT, heading, probability, value
from kyphobayes.sensitivity.atlas import grid

_CELL = 0.5  # inches across that a number needs
_ROW = 0.34  # inches down
_LONGEST = 1.75  # inches of a prior's name
# One hue from pale to middling: even to people with any colour vision, and ink is legible on all of it.
_MAP = ListedColormap(mpl.colormaps["Blues"](np.linspace(0.03, 0.6, 256)))


def heat_map(
    atlas: xr.Dataset, *, scale: NaturalScale = PROPORTIONS, threshold: float = 0.5, decision: str = ""
) -> Figure:
    """Draw the atlas: median of mu and of theta_new, and the probability of the decision.

    Parameters
    ----------
    atlas : Dataset
        See `kyphobayes.sensitivity.atlas`.
    scale : NaturalScale
        On which medians are shown.
    threshold : float
        Cells on the other side of it than the reference are framed in the third panel.
    decision : str
        Heading of the third panel.
    """
    medians = (atlas["median"].sel(quantity=name) for name in (MU, THETA_NEW))
    typical, new = (grid(atlas, median.copy(data=scale.natural(median.values))) for median in medians)

    def show(number: float) -> str:
        return value(number, scale, unit=False)

    unit = f" ({scale.unit})" if scale.unit else ""
    shown = [
        (f"typical {heading(scale)}", typical, show),
        (f"next {scale.one}{unit}", new, show),
        (decision or "P(decision) (%)", grid(atlas, atlas["probability"]), _chance),
    ]
    rows, columns = shown[0][1].shape
    with style():
        probe = blank()
        downs = [wrapped(probe, _words(name), _LONGEST, SMALL, lines=2) for name in shown[0][1].index]
        names = [_words(name) for name in shown[0][1].columns]
        acrosses = [wrapped(probe, _words(name), _LONGEST, SMALL, lines=2) for name in shown[0][1].columns]
        left = max(text_size(probe, name, SMALL)[0] for name in downs) + 0.45
        bottom = max(text_size(probe, name, SMALL)[0] for name in acrosses) + 0.5
        row = max(_ROW, *(text_size(probe, name, SMALL)[1] + 0.08 for name in downs))
        beside = (WIDTH - left - 0.1) / 3 - 0.15 >= _CELL * columns
        width = ((WIDTH - left - 0.1) / 3 - 0.15) if beside else WIDTH - left - 0.1
        if width / columns < 2.1 * text_size(probe, "A", SMALL)[1]:  # room for one line only
            acrosses = [_cut(probe, name) for name in names]
        written = width / columns >= 0.9 * _CELL
        top, body, gap = 0.42, row * rows, 0.5
        height = top + body + bottom if beside else 3 * (top + body) + 2 * (gap - 0.3) + bottom
        figure = blank(WIDTH, height)
        for place, (title, table, text) in enumerate(shown):
            if beside:
                x, y = left + place * (width + 0.15), bottom
            else:
                x, y = left, bottom + (2 - place) * (body + top + gap - 0.3)
            axes = figure.add_axes((x / WIDTH, y / height, width / WIDTH, body / height))
            _panel(axes, table, text if written else None)
            if not written:  # the ends say what the colours mean
                title += f", from {text(float(np.nanmin(table)))} (pale) to {text(float(np.nanmax(table)))}"
            axes.set_title(wrapped(figure, title, width, lines=1), loc="left", pad=6)
            if place == 0 or not beside:
                axes.set_yticks(range(rows), downs)
                axes.set_ylabel("prior for mu", color=GREY)
            if beside or place == 2:
                axes.set_xticks(range(columns), acrosses, rotation=90)
                axes.set_xlabel("prior for tau", color=GREY)
        _mark(figure, atlas, shown[0][1], threshold)
        return figure


def _panel(axes: Axes, table: pd.DataFrame, text: Any) -> None:
    values = table.to_numpy(dtype=float)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    middle, reach = (low + high) / 2, max(high - low, 0.02 * abs(high), 1e-9)
    # Cells as shapes: an image would be a raster in the SVG.
    edges = [np.arange(size + 1) - 0.5 for size in reversed(values.shape)]
    axes.pcolormesh(
        *edges, values, cmap=_MAP, vmin=middle - reach / 2, vmax=middle + reach / 2, edgecolor="white", lw=1.0
    )
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if text is None:
        return
    for (row, column), number in np.ndenumerate(values):
        if np.isfinite(number):
            axes.text(column, row, text(number), ha="center", va="center", fontsize=SMALL, color=INK)


def _mark(figure: Figure, atlas: xr.Dataset, table: pd.DataFrame, threshold: float) -> None:
    """Frame the reference in every panel, and in the last the cells where the conclusion is another."""
    here = atlas.sel(prior=atlas.attrs["reference"])
    place = (
        table.columns.get_loc(str(here["tau_prior"].item())),
        table.index.get_loc(str(here["mu_prior"].item())),
    )
    for axes in figure.axes:
        _frame(axes, place, INK, 2.2)
    flipped = (atlas["probability"] >= threshold) != (here["probability"] >= threshold)
    for mu, tau in zip(
        *(atlas[name].values[flipped.values] for name in ("mu_prior", "tau_prior")), strict=True
    ):
        _frame(figure.axes[-1], (table.columns.get_loc(tau), table.index.get_loc(mu)), VERMILION, 2.2)


def _frame(axes: Axes, place: tuple, colour: str, width: float) -> None:
    box = Rectangle(
        (place[0] - 0.46, place[1] - 0.44), 0.92, 0.88, fill=False, ec=colour, lw=width, clip_on=False
    )
    axes.add_patch(box)


def _cut(figure: Figure, name: str) -> str:
    """A name in one line no longer than its room."""
    shown = name
    while text_size(figure, shown, SMALL)[0] > _LONGEST:
        name = name[:-1]
        shown = name.rstrip() + "…"
    return shown


def _chance(share: float) -> str:
    return probability(share).removesuffix(PERCENT)


def _words(name: str) -> str:
    return name.replace("_", " ")
