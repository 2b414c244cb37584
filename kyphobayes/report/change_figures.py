"""Figures on means before and after across studies: forest, change against level, with a printed line."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle

from kyphobayes.change import Draws
from kyphobayes.change.plug_in import NAIVE
from kyphobayes.change.printed_line import WithLine
from kyphobayes.evidence import PrePostMeans
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
)
from kyphobayes.report.words import decimal, span

_ROW = 0.40  # inches
_TOP, _BOTTOM = 0.62, 1.02
_Z = 1.96
_BEHIND: Any = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}


def forest(
    evidence: PrePostMeans, studies: pd.DataFrame, answer: pd.DataFrame, falls: list[float], noun: str
) -> Figure:
    """Draw each study's change as printed and by the model, the typical and the next centre.

    Parameters
    ----------
    evidence : PrePostMeans
    studies, answer : DataFrame
        Tables "studies" and "answer" of the question.
    falls : list of float
        Falls that matter, drawn as lines.
    noun : str
    """
    digits = 1 if evidence.top <= 10 else 0
    with style():
        names = [*evidence.labels, "Typical centre", "Next centre"]
        probe = blank()
        numbers = [
            _numbers(row["true_change"], row["true_change_low"], row["true_change_high"], digits)
            for _, row in studies.iterrows()
        ]
        last: Any = answer.loc[["mean change, typical centre", "mean change, next centre"]]
        numbers += [_numbers(row["median"], row["low"], row["high"], digits) for _, row in last.iterrows()]
        sizes = [span([least, most]) for least, most in zip(evidence.n_least, evidence.n_most, strict=True)]
        left = 0.08 + max(text_size(probe, name)[0] for name in names) + 0.2
        columns = [left + 0.45, left + 0.6]
        right = max(text_size(probe, number)[0] for number in numbers) + 0.25
        body = _ROW * len(names) + 0.1
        height, start = (
            _TOP + body + _BOTTOM,
            columns[1] + max(text_size(probe, said(time))[0] for time in evidence.when) + 0.15,
        )
        figure = blank(WIDTH, height)
        axes = figure.add_axes(
            (start / WIDTH, _BOTTOM / height, (WIDTH - start - right) / WIDTH, body / height)
        )
        axes.set_ylim(body, 0)
        _limits(axes, studies, last, evidence.top)
        for fall in falls:
            axes.axvline(-fall, color=INK, lw=0.9, ls=(0, (2, 2)), zorder=1.2)
        axes.axvline(0, color=GREY, lw=0.9, zorder=1.2)
        for place, (name, number) in enumerate(zip(names, numbers, strict=True)):
            y = _ROW * (place + 0.5) + (0.1 if place >= evidence.k else 0)
            spot = 1 - (_TOP + y) / height
            bold = "bold" if place >= evidence.k else "normal"
            figure.text(0.08 / WIDTH, spot, name, va="center", fontweight=bold)
            figure.text((WIDTH - 0.08) / WIDTH, spot, number, va="center", ha="right", fontweight=bold)
            if place < evidence.k:
                figure.text(columns[0] / WIDTH, spot, sizes[place], va="center", ha="right")
                figure.text(columns[1] / WIDTH, spot, said(evidence.when[place]), va="center")
                _study(axes, studies.iloc[place], y, bool(np.isfinite(evidence.sd[:, place]).all()))
            else:
                (_typical if place == evidence.k else _next)(axes, last.iloc[place - evidence.k], y)
        axes.axhline(_ROW * evidence.k + 0.05, color=GREY, lw=0.8)
        head = 1 - (_TOP - 0.14) / height
        for x, text, side in (
            (0.08, "Study", "left"), (columns[0], "n", "right"), (columns[1], "time", "left"),
            (WIDTH - 0.08, "Change by the model\n(95 % interval)", "right"),
        ):  # fmt: skip
            figure.text(
                x / WIDTH, head, text, ha=side, va="baseline", fontsize=SMALL, color=GREY, linespacing=1.1
            )
        axes.set_xlabel(f"mean change in {noun}, points: below 0, it falls")
        figure.legend(handles=_legend(), loc="lower center", ncols=3, columnspacing=1.4, borderaxespad=0.2)
    return figure


def said(time: str) -> str:
    """A timepoint in words: ``6m`` is 6 months."""
    units = {"d": "day", "w": "week", "m": "month"}
    if not time[:-1].isdigit() or time[-1] not in units:
        return {"post": "at once"}.get(time, time)
    return f"{time[:-1]} {units[time[-1]]}{'' if time[:-1] == '1' else 's'}"


def _numbers(middle: float, low: float, high: float, digits: int) -> str:
    return f"{decimal(middle, digits)} ({decimal(low, digits)} to {decimal(high, digits)})"


def _limits(axes: Axes, studies: pd.DataFrame, last: pd.DataFrame, top: float) -> None:
    low = min(float((studies["change"] - studies["half"]).min()), float(last["low"].min()))
    high = max(float((studies["change"] + studies["half"]).max()), float(last["high"].max()), 0.0)
    axes.set_xlim(max(low, -1.1 * top) - 0.03 * top, min(high, top) + 0.03 * top)
    axes.xaxis.set_major_formatter(lambda value, _: decimal(value, 0))
    quiet_axis(axes)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)


def _study(axes: Axes, row: pd.Series, y: float, printed: bool) -> None:
    ends = [row["change"] - row["half"], row["change"] + row["half"]]
    dashes: Any = "-" if printed else (0, (1.5, 1.5))
    axes.plot(ends, [y - 0.08] * 2, color=GREY, lw=1.4, ls=dashes)
    axes.plot(
        row["change"], y - 0.08, "s", ms=5, mfc=GREY if printed else "white", mec=GREY, mew=1.3, zorder=3
    )
    axes.plot([row["true_change_low"], row["true_change_high"]], [y + 0.08] * 2, color=BLUE, lw=2.0)
    axes.plot(row["true_change"], y + 0.08, "o", ms=5, color=BLUE, zorder=3)


def _typical(axes: Axes, row: pd.Series, y: float) -> None:
    low, middle, high = float(row["low"]), float(row["median"]), float(row["high"])
    corners = [(low, y), (middle, y - 0.12), (high, y), (middle, y + 0.12)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=VERMILION, edgecolor=VERMILION, zorder=3))


def _next(axes: Axes, row: pd.Series, y: float) -> None:
    low, middle, high = float(row["low"]), float(row["median"]), float(row["high"])
    bar = Rectangle((low, y - 0.09), high - low, 0.18, facecolor=SKY, edgecolor=BLUE, lw=0.8, zorder=2.5)
    axes.add_patch(bar)
    axes.plot([middle, middle], [y - 0.09, y + 0.09], color=INK, lw=1.6, zorder=3)


def _legend() -> list[Line2D | Patch]:
    common: dict[str, Any] = {"color": GREY, "marker": "s", "mec": GREY, "ms": 5, "lw": 1.4}
    return [
        Line2D([], [], mfc=GREY, label="as printed", **common),
        Line2D([], [], mfc="white", ls=(0, (1.5, 1.5)), label="as printed, SD imputed", **common),
        Line2D([], [], color=BLUE, marker="o", lw=2.0, ms=5, label="by the model"),
        Line2D([], [], color=VERMILION, marker="D", ls="none", ms=7, label="typical centre"),
        Patch(facecolor=SKY, edgecolor=BLUE, label="next centre, predictive"),
        Line2D([], [], color=INK, lw=0.9, ls=(0, (2, 2)), label="falls that matter"),
    ]


def against_level(
    evidence: PrePostMeans, draws: Draws, studies: pd.DataFrame, slopes: pd.DataFrame
) -> Figure:
    """Draw change against level before, with the naive line and the model's."""
    both = evidence.both
    x, y = evidence.before[both], evidence.change[both]
    error_x = _Z * np.median(draws.sd[:, 0, both] / np.sqrt(draws.n[:, both]), axis=0)
    error_y = studies["half"].to_numpy(dtype=float)[both]
    with style():
        figure = blank(WIDTH, 3.9)
        axes = figure.add_axes((0.08, 0.14, 0.60, 0.82))
        width = np.ptp(x) if np.ptp(x) > 0 else 1.0
        low, high = max(0.0, x.min() - 0.35 * width), min(evidence.top, x.max() + 0.35 * width)
        grid = np.linspace(low, high, 60)
        lines = draws.mu[:, None] + draws.slope[:, None] * (grid - draws.mu_before[:, None])
        middle, bottom, top = np.quantile(lines, [0.5, 0.025, 0.975], axis=0)
        axes.fill_between(grid, bottom, top, color=SKY, alpha=0.35, lw=0)
        axes.plot(grid, middle, color=BLUE, lw=2.2)
        if NAIVE in slopes.index:
            naive: Any = slopes.loc[NAIVE]
            line = naive["at_mean_level"] + naive["estimate"] * (grid - x.mean())
            axes.plot(grid, line, color=ORANGE, lw=2.0, ls=(0, (5, 2)))
        axes.plot(grid, -grid, color=GREY, lw=1.0, ls=(0, (1, 2)))
        axes.errorbar(x, y, xerr=error_x, yerr=error_y, fmt="s", color=INK, ms=5, lw=1.0)
        ends = (float((y - error_y).min()), float((y + error_y).max()))
        room = 0.12 * (ends[1] - ends[0])
        axes.set_ylim(min(ends[0], float(bottom.min())) - room, max(ends[1], float(top.max())) + room)
        axes.set_xlim(low, high)
        size = np.array([np.diff(axes.get_xlim())[0], np.diff(axes.get_ylim())[0]])
        points = np.column_stack([x, y]) / size
        for place, i in enumerate(both):
            side, up = _corner(points, place)
            axes.annotate(
                evidence.labels[i], (x[place], y[place]), xytext=(6 * side, 6 * up),
                textcoords="offset points", fontsize=SMALL, bbox=_BEHIND,
                ha="left" if side > 0 else "right", va="bottom" if up > 0 else "top",
            )  # fmt: skip
        for i in evidence.bare:
            axes.plot(low, evidence.change[i], ">", color=GREY, ms=7, clip_on=False, zorder=4)
            axes.annotate(
                f"{evidence.labels[i]}: change only", (low, evidence.change[i]), xytext=(9, -3),
                textcoords="offset points", fontsize=SMALL, color=GREY, bbox=_BEHIND,
            )  # fmt: skip
        axes.set_xlabel("mean level before treatment, points")
        axes.set_ylabel("mean change, points")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_major_formatter(lambda value, _: decimal(value, 0))
        handles = [
            Line2D([], [], color=BLUE, lw=2.2, label="true change on true level:\nthe model, 95 % band"),
            Line2D(
                [],
                [],
                color=ORANGE,
                lw=2.0,
                ls=(0, (5, 2)),
                label="printed change on printed level:\nnaive regression",
            ),
            Line2D([], [], color=GREY, lw=1.0, ls=(0, (1, 2)), label="nothing left after treatment"),
            Line2D([], [], color=INK, marker="s", lw=1.0, ms=5, label="study, 95 % intervals"),
        ]
        figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.695, 0.96), labelspacing=1.0)
    return figure


def _corner(points: np.ndarray, place: int) -> tuple[int, int]:
    """Corner of a point, right or left and above or below, whose label lies farthest from other points."""
    others = np.delete(points, place, axis=0)

    def room(corner: tuple[int, int]) -> float:
        middle = points[place] + np.array([0.12 * corner[0], 0.05 * corner[1]])
        far = float(np.linalg.norm(others - middle, axis=1).min()) if len(others) else 1.0
        return far + (0.02 if corner[0] > 0 else 0.0)  # on the right, where it makes no difference

    return max([(1, 1), (1, -1), (-1, 1), (-1, -1)], key=room)


def with_printed_line(found: WithLine) -> Figure:
    """Draw the series, the printed line, and both together, on the line's scale."""
    table: Any = found.table
    names = {
        "printed line": f"Printed line, {found.line.k} studies",
        "series": "Series without overlap",
        "both": "Both together",
    }
    rows = [*found.labels, *names.values()]
    height = 0.25 + 0.38 * len(rows) + 1.0
    with style():
        figure = blank(WIDTH, height)
        probe = max(text_size(figure, name, weight="bold")[0] for name in rows) + 0.25
        numbers = [_numbers(row["median"], row["low"], row["high"], 1) for _, row in table.iterrows()]
        right = max(text_size(figure, number, weight="bold")[0] for number in numbers) + 0.25
        body = 0.38 * len(rows)
        axes = figure.add_axes((probe / WIDTH, 1.0 / height, (WIDTH - probe - right) / WIDTH, body / height))
        axes.set_ylim(body, 0)
        for place, name in enumerate(rows):
            y = 0.38 * (place + 0.5)
            spot = (1.0 + body - y) / height
            j = place - len(found.labels)
            figure.text(
                0.08 / WIDTH,
                spot,
                name,
                va="center",
                fontsize=SIZE,
                fontweight="bold" if j >= 0 else "normal",
            )
            if j < 0:
                ends = found.y[place] + found.half[place] * np.array([-1, 1])
                axes.plot(ends, [y, y], color=GREY, lw=1.4)
                axes.plot(found.y[place], y, "s", color=GREY, ms=5)
                continue
            row = table.iloc[j]
            _next(axes, row[["next_median", "next_low", "next_high"]].set_axis(["median", "low", "high"]), y)
            _typical(axes, row, y)
            figure.text((WIDTH - 0.08) / WIDTH, spot, numbers[j], va="center", ha="right", fontweight="bold")
        axes.axhline(0.38 * len(found.labels), color=GREY, lw=0.8)
        axes.axvline(0, color=INK, lw=0.9)
        quiet_axis(axes)
        axes.grid(axis="x", color=PALE, lw=0.6)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(lambda value, _: decimal(value, 0))
        standardised = found.line.measure == "SMD"
        axes.set_xlabel(
            "before minus after, in standard deviations of patients (Hedges’ g)"
            if standardised
            else "mean change, points"
        )
        handles = [
            Line2D([], [], color=GREY, marker="s", lw=1.4, ms=5, label="series, 95 % interval"),
            Line2D([], [], color=VERMILION, marker="D", ls="none", ms=7, label="typical centre"),
            Patch(facecolor=SKY, edgecolor=BLUE, label="next centre, predictive"),
        ]
        figure.legend(handles=handles, loc="lower center", ncols=3, borderaxespad=0.2)
    return figure
