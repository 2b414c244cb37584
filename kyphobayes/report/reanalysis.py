"""Printed lines analysed again, as figures: the printed interval beside mu and the next study."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.ticker import LogLocator, NullLocator

from kyphobayes.names import MU, TAU, THETA_NEW
from kyphobayes.reanalysis import Reanalysis
from kyphobayes.report.canvas import (
    BLUE,
    GREY,
    INK,
    PALE,
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

_ROW = 0.62  # inches of one line: three marks
_NAMES = 2.1
_HEAD = 0.3
_AXIS = 0.62


@dataclass(frozen=True)
class Panel:
    """Lines with one axis.

    Attributes
    ----------
    title, axis : str
    rows : tuple of (str, Reanalysis)
        Names for people and answers.
    none : float or None
        The value of no effect.
    mcid : float
        NaN where there is none.
    logarithmic : bool
        Whether the axis is: for ratios.
    """

    title: str
    axis: str
    rows: tuple[tuple[str, Reanalysis], ...]
    none: float | None
    mcid: float = float("nan")
    logarithmic: bool = False


def intervals(panels: Sequence[Panel]) -> Figure:
    """Draw each line as three marks: printed, mu, next study; one axis for each panel."""
    with style():
        probe = blank()
        names = [[wrapped(probe, name, _NAMES) for name, _ in panel.rows] for panel in panels]
        left = max(text_size(probe, name)[0] for group in names for name in group) + 0.3
        texts = [[_numbers(answer) for _, answer in panel.rows] for panel in panels]
        right = (
            max(text_size(probe, row, SMALL)[0] for group in texts for rows in group for row in rows) + 0.2
        )
        legend = 0.55
        height = legend + sum(_HEAD + _ROW * len(panel.rows) + _AXIS for panel in panels)
        figure = blank(WIDTH, height)
        top = height
        for panel, group, numbers in zip(panels, names, texts, strict=True):
            body = _ROW * len(panel.rows)
            bottom = top - _HEAD - body
            box = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, body / height)
            axes = figure.add_axes(box)
            _panel(axes, panel, group, numbers)
            top = bottom - _AXIS
        handles = [
            Line2D([], [], color=GREY, marker="s", mfc="white", mec=GREY, lw=1.4, ms=5, label="as printed"),
            Line2D([], [], color=VERMILION, marker="D", ls="none", ms=7, label="mu, 95 %"),
            Patch(facecolor=SKY, edgecolor=BLUE, label="next study, 95 % predictive"),
            Line2D([], [], color=INK, lw=1.0, label="no effect"),
        ]
        if any(np.isfinite(panel.mcid) for panel in panels):
            handles.append(Line2D([], [], color=INK, lw=1.0, ls=(0, (4, 3)), label="least that matters"))
        figure.legend(handles=handles, loc="lower center", ncols=5, borderaxespad=0.3, columnspacing=1.2,
                      handlelength=1.8)  # fmt: skip
        return figure


def _panel(axes: Axes, panel: Panel, names: Sequence[str], numbers: Sequence[tuple[str, str, str]]) -> None:
    rows = [answer for _, answer in panel.rows]
    axes.set_ylim(len(rows), 0)
    axes.set_title(panel.title, loc="left", fontweight="bold", pad=5, fontsize=SMALL + 1)
    ends = [(r.effects["low"].min(), r.effects["high"].max()) for r in rows]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    if panel.none is not None:
        low, high = min(low, panel.none), max(high, panel.none)
        axes.axvline(panel.none, color=INK, lw=1.0, zorder=0.5)
    if panel.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(10, (1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(low / 1.1, high * 1.1)
    else:
        axes.set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))
    if np.isfinite(panel.mcid):
        axes.axvline(panel.mcid, color=INK, lw=1.0, ls=(0, (4, 3)), zorder=0.5)
    quiet_axis(axes)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(panel.axis, fontsize=SMALL)
    across = axes.get_yaxis_transform()
    width = axes.get_position().width * WIDTH
    for place, (answer, name, texts) in enumerate(zip(rows, names, numbers, strict=True)):
        axes.text(-0.15 / width, place + 0.5, name, transform=across, ha="right", va="center")
        _marks(axes, answer, place)
        for shift, text in zip((0.2, 0.5, 0.8), texts, strict=True):
            axes.text(1 + 0.1 / width, place + shift, text, transform=across, va="center", fontsize=SMALL)
        if place:
            axes.axhline(place, color=PALE, lw=0.8)


def _marks(axes: Axes, answer: Reanalysis, place: float) -> None:
    first, middle, last = printed(answer)
    axes.plot([first, last], [place + 0.2] * 2, color=GREY, lw=1.4)
    axes.plot(middle, place + 0.2, "s", ms=4.5, mfc="white", mec=GREY, mew=1.3)
    low, middle, high = (float(answer.effects[side][MU]) for side in ("low", "median", "high"))
    y = place + 0.5
    corners = [(low, y), (middle, y - 0.11), (high, y), (middle, y + 0.11)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=VERMILION, edgecolor=VERMILION, zorder=3))
    low, middle, high = (float(answer.effects[side][THETA_NEW]) for side in ("low", "median", "high"))
    axes.add_patch(
        Rectangle((low, place + 0.72), high - low, 0.16, facecolor=SKY, edgecolor=BLUE, lw=0.8, zorder=2.5)
    )
    axes.plot([middle, middle], [place + 0.72, place + 0.88], color=INK, lw=1.6, zorder=3)


def printed(answer: Reanalysis) -> tuple[float, float, float]:
    """Lower end, estimate and upper end as printed, the ends in order."""
    ends = sorted(_value(end) for end in answer.ci)
    return ends[0], _value(answer.estimate), ends[1]


def _value(text: str) -> float:
    share = text.strip().endswith("%")
    return float(text.strip().removesuffix("%").replace("\u2212", "-").replace(" ", "")) / (
        100 if share else 1
    )


def _numbers(answer: Reanalysis) -> tuple[str, str, str]:
    digits = digits_of(answer)
    first, last = (
        end.strip().replace("-", "\u2212").replace(" ", "") for end in sorted(answer.ci, key=_value)
    )
    shown = [f"{answer.estimate.strip().replace('-', '\u2212')} ({first} to {last})"]
    for name in (MU, THETA_NEW):
        a, b, c = (decimal(float(answer.effects[side][name]), digits) for side in ("median", "low", "high"))
        shown.append(f"{a} ({b} to {c})")
    return shown[0], shown[1], shown[2]


def digits_of(answer: Reanalysis) -> int:
    """Decimals that suit an effect: one where its interval is wider than 10, else two."""
    return 2 if float(answer.effects["high"][MU] - answer.effects["low"][MU]) < 10 else 1


def single(answer: Reanalysis, name: str) -> Figure:
    """Draw one line: intervals above, densities of mu, the next study and tau below."""
    with style():
        scale = answer.likelihood.line.scale
        height = 4.2
        figure = blank(WIDTH, height)
        texts = _numbers(answer)
        right = max(text_size(figure, text, SMALL)[0] for text in texts) + 0.2
        label = wrapped(figure, name, _NAMES)
        left = max(text_size(figure, label)[0] + 0.3, 0.4)
        box = (left / WIDTH, 3.3 / height, (WIDTH - left - right) / WIDTH, 0.75 / height)
        none = {"identity": 0.0, "log": 1.0}.get(scale)
        mcid = answer.mcid
        if scale == "identity" and np.isfinite(mcid):
            mcid = abs(mcid) if answer.better == "higher" else -abs(mcid)
        panel = Panel("", answer.measure or "effect", ((name, answer),), none, mcid, scale == "log")
        _panel(figure.add_axes(box), panel, [label], [texts])
        width = 0.29
        prefix = {"log": "log ", "logit": "log odds of "}.get(scale, "")
        effect = prefix + (answer.measure or "effect")
        for place, (quantity, colour, title) in enumerate(
            (
                (MU, VERMILION, f"mu ({effect})"),
                (THETA_NEW, BLUE, f"next study ({effect})"),
                (TAU, INK, "tau"),
            )
        ):
            axes = figure.add_axes((0.035 + place * (width + 0.035), 0.9 / height, width, 1.6 / height))
            _density(axes, answer, quantity, colour, title)
        handles = [
            Line2D([], [], color=GREY, marker="s", mfc="white", mec=GREY, lw=1.4, ms=5, label="as printed"),
            Patch(facecolor=VERMILION, label="mu"),
            Patch(facecolor=SKY, edgecolor=BLUE, label="next study"),
            Line2D([], [], color=GREY, lw=1.4, ls=(0, (4, 2)), label="prior of tau"),
        ]
        figure.legend(handles=handles, loc="lower center", ncols=4, borderaxespad=0.3)
        return figure


def _density(axes: Axes, answer: Reanalysis, quantity: str, colour: str, title: str) -> None:
    posterior = answer.posterior
    low, high = posterior.quantile(quantity, [0.002, 0.998])
    low = 0.0 if quantity == TAU else float(low)
    x = np.linspace(low, float(high), 121)
    density = posterior.pdf(quantity, x)
    axes.fill_between(x, density, color=colour, alpha=0.15, lw=0)
    axes.plot(x, density, color=colour, lw=1.8)
    ceiling = float(density.max())
    if quantity == TAU and answer.priors[TAU].proper:
        inside = x[1:]
        axes.plot(inside, np.exp(answer.priors[TAU].log_density(inside)), color=GREY, lw=1.4, ls=(0, (4, 2)))
    axes.set_ylim(0, 1.15 * ceiling)
    axes.set_xlim(x[0], x[-1])
    axes.set_xlabel(title, fontsize=SMALL)
    axes.locator_params(axis="x", nbins=5)
    quiet_axis(axes)
