"""The forest plot: what each study saw, what the model makes of it, and what to expect next."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle

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
from kyphobayes.report.values import study_rates
from kyphobayes.report.words import percent, percents, span, threshold
from kyphobayes.run import Result

_NAMES = 2.5  # most inches for the names
_GAP = 0.22
_TOP, _BOTTOM = 0.5, 1.28
_MANY = 24  # studies from which rows are closer together


@dataclass(frozen=True)
class _Row:
    name: str
    events: str
    model: str
    height: float


def forest(result: Result) -> Figure:
    """Draw the forest plot of a result.

    Observed rates with Clopper-Pearson 95 % intervals (for a count that is not printed, the range over
    all count tables that agree with the paper), the studies' rates by the model, the typical rate and
    the range for a new centre.
    """
    return forest_of(
        study_rates(result),
        result.main.rates,
        below=result.main.below,
        unit=result.analysis.unit,
        event=result.analysis.event,
    )


def forest_of(
    studies: pd.DataFrame, rates: pd.DataFrame, *, below: float, unit: str = "n", event: str = "events"
) -> Figure:
    """Draw a forest plot from plain numbers.

    Parameters
    ----------
    studies : DataFrame
        As from `kyphobayes.report.values.study_rates`.
    rates : DataFrame
        Rows "typical" and "new centre", columns median, low, high.
    below : float
        The share that the decision is about.
    unit, event : str
        What is counted.
    """
    with style():
        return _draw(studies, rates, below, unit, event)


def _draw(studies: pd.DataFrame, rates: pd.DataFrame, below: float, unit: str, event: str) -> Figure:
    probe = blank()
    dense = len(studies) > _MANY
    rows = [_row(probe, str(label), study, dense) for label, study in studies.iterrows()]
    last = [
        _Row("Typical centre", "", _interval(rates.loc["typical"]), 0.4),
        _Row("Next centre", "", _interval(rates.loc["new centre"]), 0.4),
    ]
    heads = (
        "Study",
        wrapped(probe, f"Events / {unit}", 1.25, SMALL, 2),
        "Rate by the model,\n% (95 % interval)",
    )
    names = max(text_size(probe, row.name)[0] for row in [*rows, *last])
    counts = max([text_size(probe, row.events)[0] for row in rows] + [text_size(probe, heads[1], SMALL)[0]])
    right = max(
        [text_size(probe, row.model)[0] for row in [*rows, *last]] + [text_size(probe, heads[2], SMALL)[0]]
    )
    body = sum(row.height for row in [*rows, *last]) + 0.14
    left = 0.08 + names + _GAP + counts + _GAP
    width = WIDTH - left - right - _GAP - 0.1
    label = f"{event[:1].upper()}{event[1:]}, % of {unit}"
    label = wrapped(probe, label, width + 2 * min(left, right) - 0.1)
    bottom = _BOTTOM + 0.17 * label.count("\n")
    height = _TOP + body + bottom
    figure = blank(WIDTH, height)
    axes = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, body / height))
    axes.set_ylim(body, 0)
    _scale(axes, studies, rates, below)
    columns = (0.08 / WIDTH, (left - _GAP) / WIDTH, (WIDTH - 0.08) / WIDTH)
    place = 0.04
    for row, (_, study) in zip(rows, studies.iterrows(), strict=True):
        middle = place + row.height / 2
        _text(axes, columns, row, middle)
        _study(axes, study, middle, dense)
        place += row.height
    axes.axhline(place + 0.05, color=GREY, lw=0.8)
    place += 0.1
    for row, draw in zip(last, (_typical, _next), strict=True):
        _text(axes, columns, row, place + row.height / 2, weight="bold")
        draw(axes, rates, place + row.height / 2)
        place += row.height
    _heads(axes, figure, columns, heads)
    axes.set_xlabel(label)
    figure.legend(
        handles=_legend(bool(studies["latent"].any()), below),
        loc="lower center",
        ncols=2,
        columnspacing=1.6,
        handlelength=2.2,
        borderaxespad=0.2,
        labelspacing=0.35,
    )
    return figure


def _row(probe: Figure, label: str, study: Any, dense: bool) -> _Row:
    name = wrapped(probe, label, _NAMES)
    events = f"{span((study['least'], study['most']))} / {study['n']:.0f}"
    return _Row(name, events, _interval(study), max(0.27 if dense else 0.36, 0.17 * name.count("\n") + 0.27))


def _interval(study: Any) -> str:
    return f"{percent(study['median'], unit=False)} ({percents(study['low'], study['high'], unit=False)})"


def _scale(axes: Axes, studies: pd.DataFrame, rates: pd.DataFrame, below: float) -> None:
    top = max(studies["raw_high"].max(), studies["high"].max(), rates["high"].max(), 1.5 * below)
    axes.set_xlim(0, min(1.0, 1.04 * top) if top < 0.97 else 1.0)
    percent_ticks(axes)
    quiet_axis(axes)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)
    axes.axvline(below, color=INK, lw=1.0, ls=(0, (4, 3)), zorder=1.5)


def _text(
    axes: Axes, columns: tuple[float, float, float], row: _Row, y: float, weight: str = "normal"
) -> None:
    figure = axes.figure
    to_axes = axes.transAxes.inverted()

    def put(x: float, text: str, side: str) -> None:
        at = to_axes.transform(figure.transFigure.transform((x, 0)))[0]  # pyright: ignore[reportAttributeAccessIssue]
        axes.text(
            at, y, text, transform=axes.get_yaxis_transform(), ha=side, va="center", fontsize=SIZE,
            fontweight=weight, linespacing=1.1,
        )  # fmt: skip

    put(columns[0], row.name, "left")
    if row.events:
        put(columns[1], row.events, "right")
    put(columns[2], row.model, "right")


def _study(axes: Axes, study: Any, y: float, dense: bool) -> None:
    shift, thick = (0.05, 0.075) if dense else (0.07, 0.1)
    up, down = y - shift, y + shift
    if study["latent"]:
        axes.plot(
            [study["raw_low"], study["raw_high"]], [up, up], color=ORANGE, lw=1.2, ls=(0, (2, 1.5)), zorder=2
        )
        width = study["raw_to"] - study["raw_from"]
        if width > 0:
            axes.add_patch(
                Rectangle(
                    (study["raw_from"], up - thick / 2),
                    width,
                    thick,
                    facecolor=ORANGE,
                    edgecolor=ORANGE,
                    zorder=3,
                )
            )
        else:
            axes.plot(
                study["raw_from"], up, "D", ms=4.5, mfc="white", mec=ORANGE, mew=1.3, zorder=3, clip_on=False
            )
    else:
        axes.plot([study["raw_low"], study["raw_high"]], [up, up], color=GREY, lw=1.2, zorder=2)
        axes.plot(study["raw_from"], up, "s", ms=4.5, mfc="white", mec=GREY, mew=1.3, zorder=3, clip_on=False)
    axes.plot(
        [study["low"], study["high"]], [down, down], color=BLUE, lw=2.0, zorder=2.5, solid_capstyle="butt"
    )
    axes.plot(study["median"], down, "o", ms=4.5, color=BLUE, zorder=3, clip_on=False)


def _typical(axes: Axes, rates: pd.DataFrame, y: float) -> None:
    low, middle, high = (float(rates[side]["typical"]) for side in ("low", "median", "high"))
    corners = [(low, y), (middle, y - 0.11), (high, y), (middle, y + 0.11)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=VERMILION, edgecolor=VERMILION, zorder=3))


def _next(axes: Axes, rates: pd.DataFrame, y: float) -> None:
    low, middle, high = (float(rates[side]["new centre"]) for side in ("low", "median", "high"))
    axes.add_patch(
        Rectangle((low, y - 0.09), high - low, 0.18, facecolor=SKY, edgecolor=BLUE, lw=0.8, zorder=2.5)
    )
    axes.plot([middle, middle], [y - 0.09, y + 0.09], color=INK, lw=1.6, zorder=3)


def _heads(
    axes: Axes, figure: Figure, columns: tuple[float, float, float], heads: tuple[str, str, str]
) -> None:
    y = 1 - (_TOP - 0.06) / figure.get_figheight()
    for x, text, side in zip(columns, heads, ("left", "right", "right"), strict=True):
        figure.text(x, y, text, ha=side, va="bottom", fontsize=SMALL, color=GREY, linespacing=1.1)
    axes.plot([0, 1], [1, 1], transform=axes.transAxes, color=GREY, lw=0.8, clip_on=False)


def _legend(latent: bool, below: float) -> list[Line2D | Patch]:
    raw = Line2D(
        [],
        [],
        color=GREY,
        marker="s",
        mfc="white",
        mec=GREY,
        lw=1.2,
        ms=5,
        label="observed, Clopper–Pearson 95 %",
    )
    span_ = Line2D(
        [],
        [],
        color=ORANGE,
        marker="s",
        ms=6,
        lw=1.2,
        ls=(0, (2, 1.5)),
        label="count not printed: range over tables",
    )
    model = Line2D([], [], color=BLUE, marker="o", lw=2.0, ms=5, label="this centre by the model, 95 %")
    typical = Line2D([], [], color=VERMILION, marker="D", ls="none", ms=7, label="typical rate, 95 %")
    new = Patch(facecolor=SKY, edgecolor=BLUE, label="next centre, 95 % predictive")
    line = Line2D([], [], color=INK, lw=1.0, ls=(0, (4, 3)), label=f"decision at {threshold(below)}")
    return [raw, *([span_] if latent else []), model, typical, new, line]
