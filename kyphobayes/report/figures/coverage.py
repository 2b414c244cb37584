"""Coverage of intervals in simulated studies: against k by rate, a panel for each tau."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import CARETDOWNBASE

from kyphobayes.coverage.assessed import wilson
from kyphobayes.coverage.summary import crossed
from kyphobayes.errors import InputError
from kyphobayes.names import PROB
from kyphobayes.report.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    SMALL,
    VERMILION,
    WIDTH,
    blank,
    style,
)

_FLOOR: Final = 0.6  # lower coverage is drawn here, as a triangle
_APART: Final = 1.4  # between the groups of two k, in units of the places within one
# Methods for the typical centre and for the next one, those that go together in one colour.
_WEAK, _VAGUE = "weakly_informative × weakly_informative", "vague × vague"
TYPICAL: Final = {
    _WEAK: ("exact, weakly informative priors", BLUE, "o"),
    _VAGUE: ("exact, vague priors", SKY, "s"),
    "binomial–normal (GLMM), ML, Wald": ("GLMM, Wald", GREEN, "^"),
    "log odds, REML, HKSJ": ("log odds, HKSJ", ORANGE, "D"),
    "log odds, DL, Wald": ("log odds, DL, Wald", VERMILION, "v"),
    "raw proportions, DL, Wald": ("raw proportions, DL, Wald", INK, "x"),
}
NEXT: Final = {
    _WEAK: ("exact, weakly informative priors", BLUE, "o"),
    _VAGUE: ("exact, vague priors", SKY, "s"),
    "binomial–normal (GLMM), ML, normal": ("GLMM, normal", GREEN, "^"),
    "log odds, REML, t(k − 1)": ("log odds, REML, t(k − 1)", ORANGE, "D"),
    "log odds, DL, t(k − 2)": ("log odds, DL, t(k − 2)", VERMILION, "v"),
    "raw proportions, DL, t(k − 2)": ("raw proportions, DL, t(k − 2)", INK, "x"),
}
Shown = Mapping[str, tuple[str, str, str]]


def coverage(table: pd.DataFrame) -> Figure:
    """Draw the coverage of some methods in the crossed cells of a coverage study.

    Rows of panels are the typical centre and the next one, each with small and with large studies; columns
    are tau. Within a panel each group of places is one k, and in it the rates rise from left to right. The
    shaded band is where coverage of exactly 95 % would lie by chance in 95 of 100 cells.

    Parameters
    ----------
    table : DataFrame
        From `kyphobayes.coverage.coverage_study`.

    Raises
    ------
    InputError
        If it has no crossed cells.
    """
    cells = table[crossed(table)]
    if cells.empty:
        raise InputError("expected cells of a crossed design, such as k3-n20-tau0.5-rate5, found none")
    size = cells["cell"].str.extract(r"-n(\d+)-")[0].astype(int)
    cells = cells.assign(size=size)
    taus, sizes = sorted(cells["tau"].unique()), sorted(size.unique())
    rows = [(quantity, n) for quantity in ("typical", "next") for n in sizes]
    with style():
        tall, gap, top, bottom = 1.75, 0.85, 0.3, 0.85
        height = top + len(rows) * tall + gap + bottom
        figure = blank(WIDTH, height)
        left = 0.85
        width = (WIDTH - left - 0.08) / len(taus)
        down = height - top
        for row, (quantity, n) in enumerate(rows):
            if row == len(sizes):
                down -= gap
            for column, tau in enumerate(taus):
                box = (left + column * width) / WIDTH, (down - tall + 0.12) / height
                axes = figure.add_axes((*box, (width - 0.08) / WIDTH, (tall - 0.2) / height))
                here = cells[(cells["quantity"] == quantity) & (cells["tau"] == tau) & (cells["size"] == n)]
                last = row in (len(sizes) - 1, len(rows) - 1)
                _panel(axes, here, TYPICAL if quantity == "typical" else NEXT, labelled=last)
                if row in (0, len(sizes)):
                    axes.set_title(f"tau = {tau:g}", loc="left", fontsize=SMALL)
                if column == 0:
                    axes.set_ylabel(f"{quantity} centre\nn about {n}", fontsize=SMALL)
                else:
                    axes.tick_params(labelleft=False)
            down -= tall
            if row == len(sizes) - 1:
                _legend(figure, TYPICAL, (left / WIDTH, (down - 0.45) / height))
        _legend(figure, NEXT, (left / WIDTH, (down - 0.45) / height))
        figure.text(
            left / WIDTH, 0.06 / height,
            f"Coverage in percent; below {100 * _FLOOR:g} at the lower edge. In each group of k studies the "
            "rate of the typical centre rises from left to right.",
            fontsize=SMALL - 1, color=GREY,
        )  # fmt: skip
        return figure


def _panel(axes: Axes, here: pd.DataFrame, shown: Shown, *, labelled: bool) -> None:
    ks, rates = sorted(here["k"].unique()), sorted(here["rate"].unique())
    place = {
        (k, rate): i * (len(rates) - 1 + _APART) + j for i, k in enumerate(ks) for j, rate in enumerate(rates)
    }
    low, high = wilson(PROB, int(here["replications"].max()))
    axes.axhspan(low, high, color=PALE, alpha=0.8, lw=0)
    axes.axhline(PROB, color=GREY, lw=0.8)
    for method, (_, colour, marker) in shown.items():
        rows = here[here["method"] == method].sort_values(["k", "rate"])
        for _, group in rows.groupby("k"):
            x = np.array([place[key] for key in zip(group["k"], group["rate"], strict=True)])
            y = group["coverage"].to_numpy(dtype=float)
            axes.plot(x, np.maximum(y, _FLOOR), color=colour, lw=0.7, alpha=0.6, clip_on=False)
            off = y < _FLOOR
            axes.plot(x[~off], y[~off], marker, color=colour, ms=4.2, mew=1.1, mfc="none", clip_on=False)
            below = np.full(off.sum(), _FLOOR)
            axes.plot(x[off], below, marker=CARETDOWNBASE, ls="none", color=colour, ms=5, clip_on=False)
    axes.set_ylim(_FLOOR, 1.005)
    axes.set_yticks([0.6, 0.7, 0.8, 0.9, 0.95, 1.0], labels=["60", "70", "80", "90", "95", "100"])
    axes.set_xlim(-0.6, max(place.values()) + 0.6)
    axes.set_xticks(
        [place[k, rates[len(rates) // 2]] for k in ks], labels=[f"k = {k}" for k in ks] if labelled else []
    )
    axes.tick_params(axis="x", length=0, pad=7)


def _legend(figure: Figure, shown: Shown, corner: tuple[float, float]) -> None:
    handles = [
        figure.axes[0].plot([], [], marker, color=colour, ms=4.2, mew=1.1, mfc="none", label=label)[0]
        for label, colour, marker in shown.values()
    ]
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=corner,
        ncols=3,
        columnspacing=1.4,
        handletextpad=0.4,
        borderaxespad=0.0,
    )
