"""Figures of rates: forest plot per 100 patient-years, share over time, and survival of the patients."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter

from kyphobayes.evidence import FollowUp
from kyphobayes.exact import Density, Posterior
from kyphobayes.report.canvas import BLUE, GREY, INK, ORANGE, PALE, SMALL, VERMILION, WIDTH, blank, style
from kyphobayes.report.words import decimal, span, whole
from kyphobayes.time_at_risk.background import curves
from kyphobayes.time_at_risk.centres import MONTHS, Untreated
from kyphobayes.time_at_risk.patients import kaplan_meier

_ROW = 0.4  # inches
_TOP, _BOTTOM = 0.5, 0.82
_LEFT, _RIGHT = 4.35, 1.75  # inches of names and numbers beside the axis
_COLUMNS = (0.1, 2.55, 3.35, 4.2)  # inches: name, events, patient-years, months
_LOWEST, _HIGHEST = 0.2, 150.0  # of the axis, per 100 patient-years
_PLACES = (0.3, 1, 3, 10, 30, 100)
_LAST = 26  # months of a curve
_ENDS = (0.025, 0.5, 0.975)


def rate_forest(series: pd.DataFrame, rates: pd.DataFrame) -> Figure:
    """Draw the series, then the typical and the next centre, on a logarithmic axis.

    Parameters
    ----------
    series : DataFrame
        As from `kyphobayes.time_at_risk.centres.series_table`.
    rates : DataFrame
        Index "Typical centre" and "Next centre"; columns median, low, high per 100 patient-years.
    """
    with style():
        count = len(series) + len(rates)
        height = _TOP + _BOTTOM + _ROW * count + 0.1
        figure = blank(WIDTH, height)
        axes = figure.add_axes(
            (_LEFT / WIDTH, _BOTTOM / height, 1 - (_LEFT + _RIGHT) / WIDTH, (_ROW * count + 0.1) / height)
        )
        axes.set_ylim(count - 0.4, -0.6)
        axes.set_xscale("log")
        axes.set_xlim(_LOWEST, _HIGHEST)
        axes.set_xticks(_PLACES)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("new fractures per 100 patient-years")
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])

        def write(x: float, row: float, text: str, side: str, weight: str = "normal") -> None:
            y = (_BOTTOM + (count - 0.4 - row) / (count + 0.2) * (_ROW * count + 0.1)) / height
            figure.text(x / WIDTH, y, text, ha=side, va="center", fontweight=weight)

        for place, (label, row) in enumerate(series.iterrows()):
            _own(axes, place, row)
            _model(axes, place + 0.16, row["rate"], row["low"], row["high"], 5)
            events = span((row["events_low"], row["events_high"]))
            write(_COLUMNS[0], place, str(label), "left")
            for x, text in zip(
                _COLUMNS[1:], (events, decimal(row["patient_years"], 1), f"{row['follow_up']:g}"), strict=True
            ):
                write(x, place, text, "right")
            write(WIDTH - 0.08, place, _numbers(row["rate"], row["low"], row["high"]), "right")
        axes.axhline(len(series) - 0.5, color=GREY, lw=0.8)
        for step, (label, row) in enumerate(rates.iterrows()):
            place = len(series) + step
            _model(axes, place, row["median"], row["low"], row["high"], 8)
            write(_COLUMNS[0], place, str(label), "left", "bold")
            write(WIDTH - 0.08, place, _numbers(row["median"], row["low"], row["high"]), "right", "bold")
        heads = ("Series", "Fractures", "Patient-\nyears", "Months", "By the model\n(95 % interval)")
        for x, text, side in zip((*_COLUMNS, WIDTH - 0.08), heads, ("left", *["right"] * 4), strict=True):
            figure.text(
                x / WIDTH, 1 - (_TOP - 0.06) / height, text, ha=side, va="bottom", fontsize=SMALL,
                color=GREY, linespacing=1.1,
            )  # fmt: skip
        figure.legend(handles=_forest_legend(), loc="lower center", ncols=3, borderaxespad=0.2)
        return figure


def _own(axes: Axes, place: float, row: Any) -> None:
    """What the series itself says: a range of possible rates, or a rate with its exact interval."""
    low, high = max(row["own_low"], _LOWEST), min(row["own_high"], _HIGHEST)
    if row["latent"]:
        axes.plot([low, high], [place - 0.16] * 2, color=ORANGE, lw=7, alpha=0.55, solid_capstyle="butt")
        if row["own_low"] < _LOWEST:
            axes.plot(_LOWEST * 1.12, place - 0.16, "<", color=ORANGE, ms=5)
    else:
        axes.plot([low, high], [place - 0.16] * 2, color=GREY, lw=1.4)
        axes.plot(row["own"], place - 0.16, "s", color=GREY, ms=6)


def _model(axes: Axes, place: float, middle: float, low: float, high: float, size: float) -> None:
    axes.plot([max(low, _LOWEST), min(high, _HIGHEST)], [place] * 2, color=BLUE, lw=1.8)
    axes.plot(middle, place, "D", color=BLUE, ms=size)


def _numbers(middle: float, low: float, high: float) -> str:
    shown = [decimal(x, 1) if x < 100 else whole(x) for x in (middle, low, high)]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


def _forest_legend() -> list[Any]:
    return [
        Patch(color=ORANGE, alpha=0.55, label="all counts that are possible"),
        Line2D([], [], color=GREY, marker="s", ms=6, lw=1.4, label="printed count, exact interval"),
        Line2D([], [], color=BLUE, marker="D", ms=6, lw=1.8, label="by the model"),
    ]


def incidence(posterior: Posterior, untreated: Untreated, horizons: tuple[int, ...]) -> Figure:
    """Draw the share of patients with a new fracture over time, of the typical and of the next centre."""
    months = np.linspace(0, _LAST, 2 * _LAST + 1)
    found = curves(posterior, months)
    names = {"typical": ("Typical centre", 0.22), "next": ("Next centre", 0.12)}
    with style():
        figure = blank(WIDTH, 3.3)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (key, (title, alpha)) in zip(panels, names.items(), strict=True):
            low, median, high = 100 * found[key]
            axes.fill_between(months, low, high, color=BLUE, alpha=alpha, lw=0)
            axes.plot(months, median, color=BLUE, lw=2.2)
            for x in horizons:
                axes.errorbar(
                    x, 50 * (untreated.low + untreated.high),
                    yerr=50 * (untreated.high - untreated.low), color=VERMILION, lw=4, capsize=0,
                )  # fmt: skip
            axes.axhspan(100 * untreated.low, 100 * untreated.high, color=ORANGE, alpha=0.22, lw=0)
            axes.set_title(title)
            axes.set_xlim(0, _LAST)
            axes.set_ylim(0, 90)
            axes.set_xticks(range(0, _LAST, 6))
            axes.set_xlabel("months after treatment")
        panels[0].set_ylabel("patients with a new fracture, %")
        handles = [
            Line2D([], [], color=BLUE, lw=2.2, label="median, 95 % interval"),
            Patch(color=ORANGE, alpha=0.35, label=f"untreated, {untreated.words}"),
            Line2D(
                [], [], color=VERMILION, lw=4, label=f"if that took {' or '.join(map(str, horizons))} months"
            ),
        ]
        figure.legend(handles=handles, loc="upper center", ncols=3, borderaxespad=0.2)
        figure.subplots_adjust(left=0.07, right=0.985, top=0.82, bottom=0.15, wspace=0.07)
        return figure


def survival(followed: FollowUp, log_death_rate: Density) -> Figure:
    """Draw survival over time by the model and without one, and below it the follow-up of every patient."""
    months = np.linspace(0, _LAST + 1, 2 * _LAST + 3)
    low, median, high = (
        100 * np.exp(-np.exp(rate) * months / MONTHS) for rate in log_death_rate.quantile(_ENDS)
    )
    plain = kaplan_meier(followed)
    order = np.lexsort((followed.died, followed.months))
    first, last = (MONTHS * end for end in followed.interval)
    with style():
        figure = blank(WIDTH, 5.4)
        axes, lines = figure.subplots(2, 1, sharex=True, height_ratios=(1.0, 1.05))
        axes.fill_between(months, low, high, color=BLUE, alpha=0.2, lw=0)
        axes.plot(months, median, color=BLUE, lw=2.2)
        steps = np.append(MONTHS * plain["years"], last.max())
        alive = 100 * np.append(plain["alive"], plain["alive"].iloc[-1])
        axes.step(steps, alive, where="post", color=INK, lw=1.3)
        axes.set_ylim(0, 103)
        axes.set_ylabel("patients alive, %")
        for place, patient in enumerate(order):
            lines.plot([0, first[patient]], [place] * 2, color=PALE, lw=3, solid_capstyle="butt")
            if followed.died[patient]:
                lines.plot(
                    [first[patient], last[patient]], [place] * 2, color=VERMILION, lw=5, solid_capstyle="butt"
                )
            else:
                middle = MONTHS * followed.years[patient]
                lines.plot([first[patient], middle], [place] * 2, color=PALE, lw=3)
                lines.plot(middle, place, "|", color=GREY, ms=5.5, mew=1.6)
            if followed.fractured[patient]:
                lines.plot(last[patient] + 0.6, place, "D", color=BLUE, ms=5)
        lines.set_ylim(-0.8, len(order) - 0.2)
        lines.set_yticks([])
        lines.spines["left"].set_visible(False)
        lines.set_ylabel("patients")
        lines.set_xlim(0, _LAST + 1)
        lines.set_xticks(range(0, _LAST + 1, 6))
        lines.set_xlabel("months after treatment")
        handles = [
            Line2D([], [], color=BLUE, lw=2.2, label="by the model, 95 % interval"),
            Line2D([], [], color=INK, lw=1.3, label="without a model (Kaplan–Meier)"),
            Line2D([], [], color=VERMILION, lw=5, label="died in this interval"),
            Line2D([], [], color=GREY, marker="|", ms=8, mew=1.6, lw=0, label="alive when last seen"),
            Line2D([], [], color=BLUE, marker="D", ms=5, lw=0, label="new fracture at some time before"),
        ]
        figure.legend(handles=handles, loc="upper center", ncols=3, borderaxespad=0.2)
        figure.subplots_adjust(left=0.07, right=0.985, top=0.885, bottom=0.09, hspace=0.08)
        return figure
