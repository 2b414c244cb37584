"""Forest plot of rates at two levels of a covariate, and the odds ratio before and after the data."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.ticker import FixedLocator, NullLocator

from kyphobayes.moderators import BETA, TwoLevels
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
    percent_ticks,
    quiet_axis,
    style,
    text_size,
    wrapped,
)
from kyphobayes.report.words import decimal, percent, percents, span

_NAMES, _HEADS = 2.4, 1.2  # most inches for the names, and for the head of the counts
_GAP = 0.22
_ROW, _HEAD = 0.3, 0.34  # inches
_TOP, _BOTTOM = 0.26, 0.86
_TICKS = np.array([0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
_REACH = 3.7  # of the axis of odds ratios, in logs: from 1/40 to 40


def group_forest(studies: pd.DataFrame, rates: pd.DataFrame, event: str, unit: str) -> Figure:
    """Draw each level's studies by themselves, with its typical and next centre below them.

    Parameters
    ----------
    studies : DataFrame
        As from `kyphobayes.moderators.numbers.studies`.
    rates : DataFrame
        As from `kyphobayes.moderators.numbers.rates`.
    event, unit : str
        What is counted out of what.
    """
    with style():
        return _forest(studies, rates, event, unit)


def _forest(studies: pd.DataFrame, rates: pd.DataFrame, event: str, unit: str) -> Figure:
    rows: list[tuple[str, str, pd.Series]] = []  # kind, name, numbers
    for level in [*rates.index, *(["both"] if (studies["level"] == "both").any() else [])]:
        rows.append(("head", level[0].upper() + level[1:], pd.Series(dtype=float)))
        rows += [("study", str(name), row) for name, row in studies[studies["level"] == level].iterrows()]
        if level in rates.index:
            rows += [
                ("typical", "Typical centre", rates.loc[level]),
                ("next", "Next centre", rates.loc[level]),
            ]
    probe = blank()
    names = [wrapped(probe, name, _NAMES) for _, name, _ in rows]
    cells = [_counted(row) if kind == "study" else "" for kind, _, row in rows]
    numbers = [_written(kind, row) for kind, _, row in rows]
    head = wrapped(probe, f"{event} / {unit}", _HEADS, SMALL, 3)
    wide = max(text_size(probe, line)[0] for name in names for line in name.split("\n"))
    middle = max(text_size(probe, text)[0] for text in (*cells, *head.split("\n")))
    above = _TOP + 0.15 * head.count("\n")
    right = max(text_size(probe, text)[0] for text in numbers)
    left = 0.2 + wide + _GAP + middle + _GAP
    heights = [_HEAD if kind == "head" else _ROW for kind, *_ in rows]
    body = sum(heights) + 0.08
    height, width = above + body + _BOTTOM, WIDTH - left - right - _GAP - 0.08
    figure = blank(WIDTH, height)
    axes = figure.add_axes((left / WIDTH, _BOTTOM / height, width / WIDTH, body / height))
    axes.set_ylim(body, 0)
    ends = [studies["high"].max(), rates["next_high"].max(), rates["printed"].max()]
    _scale(axes, float(np.nanmax(ends)))
    place = 0.04
    for (kind, _, row), name, cell, number, size in zip(rows, names, cells, numbers, heights, strict=True):
        y, at = place + size / 2, 1 - (above + place + size / 2) / height
        weight = "bold" if kind != "study" else "normal"
        start = 0.08 if kind == "head" else 0.2
        figure.text(start / WIDTH, at, name, ha="left", va="center", fontsize=SIZE, fontweight=weight)
        figure.text((left - _GAP) / WIDTH, at, cell, ha="right", va="center", fontsize=SIZE)
        figure.text(1 - 0.08 / WIDTH, at, number, ha="right", va="center", fontsize=SIZE, fontweight=weight)
        if kind == "head":
            axes.axhline(place + 0.02, color=PALE, lw=0.8)
        else:
            _DRAWN[kind](axes, row, y)
        place += size
    top = 1 - (above - 0.06) / height
    for x, text in ((left - _GAP, head), (WIDTH - 0.08, "rate (95 % interval)")):
        figure.text(
            x / WIDTH, top, text, ha="right", va="bottom", fontsize=SMALL, color=GREY, linespacing=1.1
        )
    printed = bool(rates["printed"].notna().any())
    figure.legend(handles=_legend(printed), loc="lower center", ncols=4, columnspacing=1.4, borderaxespad=0.2)
    return figure


def _counted(row: pd.Series) -> str:
    """Count, or the range over the tables, of n."""
    return f"{span([row['events_low'], row['events_high']])} / {row['n']:.0f}"


def _written(kind: str, row: pd.Series) -> str:
    if kind == "head":
        return ""
    keys = {"study": ("rate", "low", "high"), "typical": ("typical", "typical_low", "typical_high"),
            "next": ("next", "next_low", "next_high")}[kind]  # fmt: skip
    middle, low, high = (float(row[key]) for key in keys)
    return f"{percent(middle)} ({percents(low, high)})"


def _scale(axes: Axes, highest: float) -> None:
    """Shares by their square roots: low rates have room, and 0 is there."""
    axes.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0.0)), np.square))
    axes.set_xlim(0, min(1.0, highest * 1.08))
    axes.xaxis.set_major_locator(FixedLocator([t for t in _TICKS if t <= highest * 1.08]))
    axes.xaxis.set_minor_locator(NullLocator())
    percent_ticks(axes)
    axes.set_xlabel("percent (square-root scale)")
    quiet_axis(axes)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)


def _study(axes: Axes, row: pd.Series, y: float) -> None:
    axes.plot([row["low"], row["high"]], [y, y], color=GREY, lw=1.4, solid_capstyle="butt", zorder=2.5)
    axes.plot(row["rate"], y, "s", ms=4.5, mfc="white", mec=GREY, mew=1.3, zorder=3)


def _typical(axes: Axes, row: pd.Series, y: float) -> None:
    low, middle, high = (float(row[key]) for key in ("typical_low", "typical", "typical_high"))
    corners = [(low, y), (middle, y - 0.09), (high, y), (middle, y + 0.09)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=VERMILION, edgecolor=VERMILION, zorder=3))
    if np.isfinite(row["printed"]):
        axes.plot(row["printed"], y, "|", color=ORANGE, ms=15, mew=3, zorder=3.5)


def _next(axes: Axes, row: pd.Series, y: float) -> None:
    low, middle, high = (float(row[key]) for key in ("next_low", "next", "next_high"))
    axes.add_patch(
        Rectangle((low, y - 0.07), high - low, 0.14, facecolor=SKY, edgecolor=BLUE, lw=0.8, zorder=2.5)
    )
    axes.plot([middle, middle], [y - 0.07, y + 0.07], color=INK, lw=1.6, zorder=3)


_DRAWN = {"study": _study, "typical": _typical, "next": _next}


def _legend(printed: bool) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=GREY, marker="s", mfc="white", lw=1.4, ms=5, label="series by itself"),
        Line2D([], [], color=VERMILION, marker="D", ls="none", ms=7, label="typical centre"),
        Patch(facecolor=SKY, edgecolor=BLUE, label="next centre, predictive"),
    ]
    if printed:
        handles.append(
            Line2D([], [], color=ORANGE, marker="|", ls="none", ms=12, mew=3, label="printed pool")
        )
    return handles


def before_and_after(found: Mapping[str, TwoLevels], titles: Mapping[str, str]) -> Figure:
    """Draw the density of every odds ratio before and after the data, one panel each.

    Parameters
    ----------
    found : mapping of str to TwoLevels
    titles : mapping of str to str
        Of the panels.
    """
    with style():
        rows = -(-len(found) // 2)
        figure = blank(WIDTH, 1.45 * rows + 0.9)
        panels = np.atleast_2d(figure.subplots(rows, 2, sharex=True))
        x = np.linspace(-_REACH, _REACH, 400)
        for axes, (name, posterior) in zip(panels.ravel(), found.items(), strict=False):
            prior, after = np.exp(posterior.priors[BETA].log_density(x)), posterior.beta.pdf(x)
            axes.fill_between(x, after, color=SKY, alpha=0.55, lw=0)
            axes.plot(x, after, color=BLUE, lw=1.8)
            axes.plot(x, prior, color=INK, lw=1.3, ls=(0, (5, 2)))
            axes.axvline(0.0, color=GREY, lw=0.8)
            axes.set_ylim(0, 1.35 * max(prior.max(), after.max()))
            axes.set_xlim(-_REACH, _REACH)
            axes.set_title(wrapped(figure, titles[name], 3.9, SMALL, 2), fontsize=SMALL, loc="left", pad=3)
            low, middle, high = np.exp(posterior.beta.quantile([0.025, 0.5, 0.975]))
            axes.text(
                0.985, 0.93, f"{decimal(middle, 1)} ({decimal(low, 1)} to {decimal(high, 1)})",
                transform=axes.transAxes, ha="right", va="top", fontsize=SMALL, color=BLUE,
            )  # fmt: skip
            quiet_axis(axes)
        for axes in panels.ravel()[len(found) :]:
            axes.set_visible(False)
        ticks = np.array([1 / 30, 0.1, 1 / 3, 1, 3, 10, 30])
        for axes in panels[-1]:
            labels = ["1/30", "1/10", "1/3", "1", "3", "10", "30"]
            axes.set_xticks(np.log(ticks), labels)
            axes.set_xlabel("odds ratio")
        handles = [
            Line2D([], [], color=INK, lw=1.3, ls=(0, (5, 2)), label="before the data"),
            Line2D([], [], color=BLUE, lw=1.8, label="after"),
        ]
        figure.legend(handles=handles, loc="upper right", ncols=2, borderaxespad=0.1)
        height = figure.get_figheight()
        figure.subplots_adjust(
            left=0.02, right=0.985, top=1 - 0.65 / height, bottom=0.5 / height, hspace=0.4, wspace=0.06
        )
    return figure
