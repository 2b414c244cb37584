"""Forest plot of a comparison of two treatments: odds ratios on a logarithmic axis."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.ticker import NullLocator

from kyphobayes.report.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    SIZE,
    SKY,
    SMALL,
    VERMILION,
    WIDTH,
    blank,
    quiet_axis,
    style,
    text_size,
    wrapped,
)
from kyphobayes.report.words import decimal

_NAMES = 2.3  # most inches for the names
_GAP = 0.2
_ROW, _LAST = 0.42, 0.36  # inches
_TOP, _BOTTOM = 0.62, 1.32
_LOWEST, _HIGHEST = 1 / 100, 100.0  # of the axis: what lies beyond ends in an arrow


def odds_forest(
    studies: pd.DataFrame, answer: pd.DataFrame, methods: pd.DataFrame, arms: tuple[str, str], event: str
) -> Figure:
    """Draw studies, typical and next centre, and frequentist estimates below them.

    Parameters
    ----------
    studies : DataFrame
        As from `kyphobayes.comparison.numbers.study_table`.
    answer : DataFrame
        Rows "odds ratio, typical centre" and "odds ratio, next centre", columns median, low, high.
    methods : DataFrame
        Index name; columns estimate, low, high: odds ratios, NaN where a method has none.
    arms : (str, str)
    event : str
    """
    with style():
        return _draw(studies, answer, methods, arms, event)


def _draw(
    studies: pd.DataFrame, answer: pd.DataFrame, methods: pd.DataFrame, arms: tuple[str, str], event: str
) -> Figure:
    probe = blank()
    last = answer.loc[["odds ratio, typical centre", "odds ratio, next centre"]]
    shown = methods[methods["estimate"].notna()]
    names = [
        wrapped(probe, str(x), _NAMES)
        for x in (*studies.index, "Typical centre", "Next centre", *shown.index)
    ]
    numbers = [_ratio(row) for frame, key in ((studies, "odds_ratio"), (last, "median"), (shown, "estimate"))
               for row in ((r[key], r["low"], r["high"]) for _, r in frame.iterrows())]  # fmt: skip
    cells = [
        [f"{row[f'events_{arm}']:.0f} / {row[f'n_{arm}']:.0f}" for _, row in studies.iterrows()]
        for arm in "12"
    ]
    heads = ("Study", *arms, "Odds ratio\n(95 % interval)")
    wide = [
        max(text_size(probe, text)[0] for text in (*column, head))
        for column, head in zip(cells, arms, strict=True)
    ]
    name_width = max(max(text_size(probe, line)[0] for line in name.split("\n")) for name in names)
    right = max(text_size(probe, text)[0] for text in (*numbers, heads[3]))
    left = 0.08 + name_width + sum(_GAP + w for w in wide) + _GAP
    heights = [_ROW] * len(studies) + [_LAST] * (2 + len(shown))
    heights = [max(h, 0.17 * name.count("\n") + 0.27) for h, name in zip(heights, names, strict=True)]
    body = sum(heights) + 0.2
    height, width = _TOP + body + _BOTTOM, WIDTH - left - right - _GAP - 0.1
    figure = blank(WIDTH, height)
    axes = figure.add_axes((left / WIDTH, _BOTTOM / height, width / WIDTH, body / height))
    axes.set_ylim(body, 0)
    _scale(axes, studies, last, shown)
    first, second = 0.08 + name_width + _GAP + wide[0], 0.08 + name_width + 2 * _GAP + sum(wide)
    columns = (0.08, first, second, WIDTH - 0.08)
    place = 0.04
    for i, (name, number, size) in enumerate(zip(names, numbers, heights, strict=True)):
        if i in (len(studies), len(studies) + 2):
            axes.axhline(place + 0.04, color=GREY, lw=0.8)
            place += 0.08
        middle = place + size / 2
        y = 1 - (_TOP + middle) / height
        weight = "bold" if len(studies) <= i < len(studies) + 2 else "normal"
        figure.text(columns[0] / WIDTH, y, name, ha="left", va="center", fontsize=SIZE, fontweight=weight)
        figure.text(columns[3] / WIDTH, y, number, ha="right", va="center", fontsize=SIZE, fontweight=weight)
        if i < len(studies):
            for x, column in zip(columns[1:3], cells, strict=True):
                figure.text(x / WIDTH, y, column[i], ha="right", va="center", fontsize=SIZE)
            _study(axes, studies.iloc[i], middle)
        elif i < len(studies) + 2:
            (_typical if i == len(studies) else _next)(axes, last.iloc[i - len(studies)], middle)
        else:
            row = shown.iloc[i - len(studies) - 2]
            _line(axes, row["estimate"], row["low"], row["high"], middle, ORANGE, "s", 1.6)
        place += size
    top = 1 - (_TOP - 0.08) / height
    for x, text, side in zip(columns, heads, ("left", "right", "right", "right"), strict=True):
        figure.text(x / WIDTH, top, text, ha=side, va="bottom", fontsize=SMALL, color=GREY, linespacing=1.1)
    axes.plot([0, 1], [1, 1], transform=axes.transAxes, color=GREY, lw=0.8, clip_on=False)
    axes.set_xlabel(f"odds ratio of {event}")
    for x, text, side in ((0, f"← fewer with {arms[0]}", "left"), (1, f"fewer with {arms[1]} →", "right")):
        axes.text(
            x,
            1 + 0.06 / body,
            text,
            transform=axes.transAxes,
            ha=side,
            va="bottom",
            fontsize=SMALL,
            color=INK,
        )
    figure.legend(
        handles=_legend(len(shown) > 0), loc="lower center", ncols=2, columnspacing=1.6, borderaxespad=0.2
    )
    return figure


def _ratio(row: tuple[float, float, float]) -> str:
    middle, low, high = (decimal(x, 2 if x < 10 else 1 if x < 100 else 0) for x in row)
    return f"{middle} ({low} to {high})"


def _scale(axes: Axes, studies: pd.DataFrame, last: pd.DataFrame, shown: pd.DataFrame) -> None:
    frames = [
        studies[["alone_low", "alone_high"]],
        *(frame[["low", "high"]] for frame in (studies, last, shown)),
    ]
    ends = np.concatenate([frame.to_numpy(dtype=float).ravel() for frame in frames])
    low, high = max(_LOWEST, float(ends.min()) / 1.25), min(_HIGHEST, float(ends.max()) * 1.25)
    axes.set_xscale("log")
    axes.set_xlim(min(low, 0.5), max(high, 2.0))
    every = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100])
    few = every if len(every[(every >= low) & (every <= high)]) <= 8 else np.array([0.01, 0.1, 1, 10, 100])
    axes.set_xticks(few[(few >= axes.get_xlim()[0]) & (few <= axes.get_xlim()[1])])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    quiet_axis(axes)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)
    axes.axvline(1.0, color=INK, lw=1.0, ls=(0, (4, 3)), zorder=1.5)


def _line(
    axes: Axes, middle: float, low: float, high: float, y: float, colour: str, marker: str, width: float
) -> None:
    """Draw an interval, with an arrow where it goes on beyond the axis."""
    left, right = axes.get_xlim()
    axes.plot(
        [max(low, left), min(high, right)], [y, y], color=colour, lw=width, solid_capstyle="butt", zorder=2.5
    )
    for beyond, x, arrow in ((low < left, left, "<"), (high > right, right, ">")):
        if beyond:
            axes.plot(x, y, arrow, color=colour, ms=5, clip_on=False, zorder=3)
    if left <= middle <= right:
        face = "white" if marker == "s" else colour
        axes.plot(middle, y, marker, ms=4.5, mfc=face, mec=colour, mew=1.3, zorder=3)


def _study(axes: Axes, row: pd.Series, y: float) -> None:
    _line(axes, row["alone"], row["alone_low"], row["alone_high"], y - 0.08, GREY, "s", 1.2)
    _line(axes, row["odds_ratio"], row["low"], row["high"], y + 0.08, BLUE, "o", 2.0)


def _typical(axes: Axes, row: pd.Series, y: float) -> None:
    low, middle, high = float(row["low"]), float(row["median"]), float(row["high"])
    corners = [(low, y), (middle, y - 0.12), (high, y), (middle, y + 0.12)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=VERMILION, edgecolor=VERMILION, zorder=3))


def _next(axes: Axes, row: pd.Series, y: float) -> None:
    low, middle, high = float(row["low"]), float(row["median"]), float(row["high"])
    axes.add_patch(
        Rectangle((low, y - 0.09), high - low, 0.18, facecolor=SKY, edgecolor=BLUE, lw=0.8, zorder=2.5)
    )
    axes.plot([middle, middle], [y - 0.09, y + 0.09], color=INK, lw=1.6, zorder=3)


def _legend(methods: bool) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=GREY,
            marker="s",
            mfc="white",
            mec=GREY,
            lw=1.2,
            ms=5,
            label="study by itself, same prior",
        ),
        Line2D([], [], color=BLUE, marker="o", lw=2.0, ms=5, label="study by the model"),
        Line2D([], [], color=VERMILION, marker="D", ls="none", ms=7, label="typical centre"),
        Patch(facecolor=SKY, edgecolor=BLUE, label="next centre, predictive"),
    ]
    if methods:
        handles.append(
            Line2D(
                [],
                [],
                color=ORANGE,
                marker="s",
                mfc="white",
                lw=1.6,
                ms=5,
                label="frequentist, 95 % confidence",
            )
        )
    return handles
