"""Figures of an update: foreseen and seen, year by year, and with exchangeability relaxed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

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
    percent_ticks,
    quiet_axis,
    style,
    text_size,
    wrapped,
)
from kyphobayes.report.words import percent, percents, probability, whole
from kyphobayes.updating import Update

_BEYOND = 0.004  # predictive probability beyond the last count that is drawn
_ROW = 0.34  # inches of a year
_NAMES = 2.6  # most inches for the names of studies


def foreseen_and_seen(updates: Sequence[Update]) -> Figure:
    """Draw the predictive probabilities of each count, one panel for each outcome."""
    with style():
        figure = blank(WIDTH, 3.1)
        panels = figure.subplots(1, len(updates), squeeze=False)[0]
        for axes, found in zip(panels, updates, strict=True):
            _bars(axes, found)
        handles = [
            Patch(facecolor=SKY, edgecolor=BLUE, label="foreseen"),
            Patch(facecolor=VERMILION, edgecolor=VERMILION, label="seen"),
            Line2D([], [], color=INK, lw=1.4, label="95 % predictive"),
        ]
        figure.legend(handles=handles, loc="upper center", ncols=3, borderaxespad=0.3)
        figure.subplots_adjust(left=0.08, right=0.98, top=0.86, bottom=0.2, wspace=0.22)
        return figure


def _bars(axes: Axes, found: Update) -> None:
    one, shares = found.main, 100 * found.main.prediction.probabilities
    low, high = one.prediction.interval()
    last = int(np.searchsorted(np.cumsum(shares), 100 * (1 - _BEYOND)))
    last = min(max(last, one.events + 1, high), one.prediction.n)
    counts = np.arange(last + 1)
    colours = [VERMILION if count == one.events else SKY for count in counts]
    edges = [VERMILION if count == one.events else BLUE for count in counts]
    axes.bar(counts, shares[: last + 1], width=0.82, color=colours, edgecolor=edges, lw=0.7)
    top = float(shares.max())
    axes.plot([low, high], [1.1 * top, 1.1 * top], color=INK, lw=1.4)
    for end in (low, high):
        axes.plot([end, end], [1.07 * top, 1.13 * top], color=INK, lw=1.4)
    axes.set_ylim(0, 1.2 * top)
    axes.set_xlim(-0.6, last + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_ylabel("probability (%)")
    label = f"{found.series.analysis.event} among {one.prediction.n} {found.series.analysis.unit}"
    # these axes stand in a figure of its own, not in a part of one
    axes.set_xlabel(wrapped(axes.figure, label, 3.6, lines=2))  # pyright: ignore[reportArgumentType]
    said = f"{one.events} seen; as many or more:\n{probability(one.at_least)}"
    axes.text(0.98, 0.8, said, transform=axes.transAxes, ha="right", va="top", fontsize=SMALL)


def year_by_year(updates: Sequence[Update]) -> Figure:
    """Draw the typical rate and the next centre's rate after each year, one panel for each outcome."""
    with style():
        probe = blank()
        names = [[wrapped(probe, _step(row), _NAMES) for _, row in u.cumulative.iterrows()] for u in updates]
        texts = [[_interval(row) for _, row in u.cumulative.iterrows()] for u in updates]
        left = max(text_size(probe, name, SMALL)[0] for group in names for name in group) + 0.25
        right = max(text_size(probe, row, SMALL)[0] for group in texts for row in group) + 0.2
        legend, head, foot = 0.42, 0.42, 0.55
        heights = [[max(_ROW, 0.16 * (name.count("\n") + 1) + 0.1) for name in group] for group in names]
        height = legend + sum(sum(rows) + head + foot for rows in heights)
        figure, top = blank(WIDTH, height), height
        for found, group, numbers, rows in zip(updates, names, texts, heights, strict=True):
            bottom = top - head - sum(rows)
            box = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, sum(rows) / height)
            _years(figure.add_axes(box), found, group, numbers, rows)
            top = bottom - foot
        handles = [
            Line2D([], [], color=BLUE, marker="o", lw=3.0, ms=5, label="typical rate, 95 %"),
            Patch(facecolor=SKY, alpha=0.45, label="next centre, 95 % predictive"),
            Line2D([], [], color=VERMILION, marker="D", ls="none", ms=6, label="seen by the series"),
        ]
        figure.legend(handles=handles, loc="lower center", ncols=3, borderaxespad=0.3)
        return figure


def _step(row: pd.Series) -> str:
    year = "no year" if pd.isna(row["year"]) else whole(row["year"])
    return f"{year}: + {row['added']}"


def _interval(row: pd.Series) -> str:
    ends = percents(row["typical_low"], row["typical_high"], unit=False)
    return f"{percent(row['typical_median'], unit=False)} ({ends})"


def _years(
    axes: Axes, found: Update, names: Sequence[str], numbers: Sequence[str], heights: Sequence[float]
) -> None:
    frame, across = found.cumulative, axes.get_yaxis_transform()
    axes.set_ylim(sum(heights), 0)
    axes.set_xlim(
        0, min(1.0, 1.04 * max(float(frame["next_high"].max()), found.series.events / found.series.n))
    )
    place = 0.0
    for (_, row), name, number, height in zip(frame.iterrows(), names, numbers, heights, strict=True):
        y = place + height / 2
        ends = row["next_high"] - row["next_low"]
        axes.barh(y, ends, 0.2, left=row["next_low"], color=SKY, alpha=0.45, lw=0)
        axes.plot(
            [row["typical_low"], row["typical_high"]], [y, y], color=BLUE, lw=3.0, solid_capstyle="butt"
        )
        axes.plot(row["typical_median"], y, "o", color=BLUE, ms=5)
        if found.series.label in str(row["added"]).split("; "):
            axes.plot(found.series.events / found.series.n, y, "D", color=VERMILION, ms=6, zorder=4)
        axes.text(-0.02, y, name, transform=across, ha="right", va="center", fontsize=SMALL)
        axes.text(1.02, y, number, transform=across, ha="left", va="center", fontsize=SMALL)
        place += height
    axes.text(
        1.02, -0.06, "typical rate, %", transform=across, ha="left", va="bottom", fontsize=SMALL, color=GREY
    )
    axes.set_title(found.series.analysis.event.capitalize(), loc="left", fontweight="bold", pad=5)
    quiet_axis(axes)
    percent_ticks(axes)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"% of {found.series.analysis.unit}")


def relaxed(updates: Sequence[Update]) -> Figure:
    """Draw what the prior probability of being unlike the others becomes, and the rates that follow."""
    with style():
        height = 0.45 + 2.9 * len(updates)
        figure = blank(WIDTH, height)
        panels = figure.subplots(len(updates), 2, squeeze=False)
        for (left, right), found in zip(panels, updates, strict=True):
            _weights(left, found)
            _rates(right, found)
        figure.legend(
            handles=[
                Line2D([], [], color=colour, marker="o", ms=4, lw=1.8, label=label)
                for colour, label in ((VERMILION, "series itself"), (BLUE, "typical"), (SKY, "next centre"))
            ],
            loc="upper right",
            ncols=3,
            borderaxespad=0.3,
            columnspacing=1.2,
        )
        figure.subplots_adjust(
            left=0.08, right=0.98, top=1 - 0.72 / height, bottom=0.55 / height, wspace=0.24, hspace=0.48
        )
        return figure


def _weights(axes: Axes, found: Update) -> None:
    axes.plot([0, 100], [0, 100], color=GREY, lw=1.0, ls=(0, (4, 3)))
    even = np.linspace(0, 1, 101)
    lines = zip(found.relaxed.groupby("vague", sort=False), (ORANGE, GREEN, BLUE, VERMILION), strict=False)
    for (name, rows), colour in lines:
        label = str(name).replace("_", " ")
        axes.plot(100 * rows["weight"], 100 * rows["posterior_weight"], "o", color=colour, ms=4)
        axes.plot(100 * even, 100 * _curve(rows, even), color=colour, lw=1.8, label=label)
    axes.set_xlabel("P(unlike the others) before, %")
    axes.set_ylabel("after, %")
    axes.set_title(found.series.analysis.event.capitalize(), loc="left", fontweight="bold")
    axes.legend(title="if unlike:", loc="upper left", title_fontsize=SMALL, alignment="left")
    axes.set_xlim(-2, 102)
    axes.set_ylim(-2, 102)


def _curve(rows: pd.DataFrame, even: np.ndarray) -> np.ndarray:
    """Posterior probability at any prior one, by the Bayes factor that the rows show."""
    inner = rows[(rows["weight"] > 0) & (rows["weight"] < 1)]
    if inner.empty:
        return np.full(even.shape, np.nan)
    before, after = float(inner["weight"].iloc[0]), float(inner["posterior_weight"].iloc[0])
    factor = after * (1 - before) / ((1 - after) * before)
    return even * factor / (even * factor + 1 - even)


def _rates(axes: Axes, found: Update) -> None:
    rows = found.relaxed[found.relaxed["vague"] == found.relaxed["vague"].iloc[0]]
    for who, colour, shift in (("next", SKY, 1.7), ("series", VERMILION, -1.7), ("typical", BLUE, 0.0)):
        x = 100 * rows["weight"] + shift
        axes.vlines(x, 100 * rows[f"{who}_low"], 100 * rows[f"{who}_high"], color=colour, lw=1.8)
        axes.plot(x, 100 * rows[f"{who}_median"], "o", color=colour, ms=4)
    axes.set_xlabel("P(unlike the others) before, %")
    axes.set_ylabel("rate, %")
    axes.set_ylim(0, None)
    axes.set_xlim(-4, 104)
    axes.grid(axis="y", color=PALE, lw=0.6)
    axes.set_axisbelow(True)
