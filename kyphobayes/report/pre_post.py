"""The section on pain before and after: what the choice of a scale does to one and the same series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphobayes.pre_post import ASSUMED, SCALES, Paired, scales, share_at
from kyphobayes.report.canvas import BLUE, GREY, INK, ORANGE, PALE, SMALL, VERMILION, WIDTH, blank, style
from kyphobayes.report.tables import Column, Table, exactly
from kyphobayes.report.words import NONE, decimal, listed, percent

Rows = dict[str, Any]  # of `scales` at one correlation, by scale
_R_PRINTED = (-0.2, 0.5)  # correlations for which the variance of a printed SMD is split
_LINES = {"SMCC": (VERMILION, "-"), "SMCR": (BLUE, "-"), "SMD": (ORANGE, (0, (5, 2)))}


@dataclass(frozen=True)
class PrePost:
    """What the page shows of it."""

    sentences: list[str]
    table: Table
    figure: Figure
    alt: str


def pre_post(series: Paired, printed: Sequence[float] = ()) -> PrePost:
    """Tell the change of one series on every scale, at its own correlation and at those assumed.

    Parameters
    ----------
    series : Paired
    printed : sequence of float
        Pooled standardised changes that a paper prints without the studies behind them.

    Returns
    -------
    PrePost
    """
    own = _rows(series, series.r)
    told = [_points(series, own), _scales(series, own), _share(own, printed)]
    alt = (
        f"Standardised change against the correlation r, observed {decimal(series.r)}: "
        + ", ".join(f"{name} {decimal(own[name]['effect'], 1)}" for name in _LINES)
        + "; and the share of its variance that is only g²/(2n)."
    )
    return PrePost(told, _table(series), figure(series), alt)


def figure(series: Paired) -> Figure:
    """Draw the standardised change, and the share of its variance that is arithmetic, over r."""
    r = np.linspace(-0.6, 0.9, 151)
    table = scales(series, list(r))
    with style():
        picture = blank(WIDTH, 3.2)
        left, right = picture.subplots(1, 2)
        for name, (colour, dashes) in _LINES.items():
            rows = table[table["scale"] == name]
            left.fill_between(r, rows["ci_low"], rows["ci_high"], color=colour, alpha=0.10, lw=0)
            left.plot(r, rows["effect"], color=colour, ls=dashes, lw=2.0, label=name)
            right.plot(r, 100 * rows["share"], color=colour, ls=dashes, lw=2.0)
        left.set_ylim(0, None)
        right.set_ylim(0, 100)
        left.set_ylabel("change, in standard deviations")
        right.set_ylabel("share of the variance, %")
        for axes in (left, right):
            _mark(axes, series.r)
        handles, labels = left.get_legend_handles_labels()
        picture.legend(handles, labels, loc="upper center", ncols=3, borderaxespad=0.2)
        picture.subplots_adjust(left=0.07, right=0.985, top=0.86, bottom=0.16, wspace=0.22)
        return picture


def _mark(axes: Axes, r: float) -> None:
    """Show where the correlation is, and where reviewers take it to be."""
    axes.axvspan(*ASSUMED, color=PALE, alpha=0.6, lw=0)
    axes.axvline(r, color=INK, lw=1.0, ls=(0, (1, 2)))
    bottom = axes.get_ylim()[0] + 0.03 * np.ptp(axes.get_ylim())
    axes.text(r + 0.02, bottom, "observed", fontsize=SMALL, color=INK)
    axes.text(np.mean(ASSUMED), bottom, "often\nassumed", fontsize=SMALL, color=GREY, ha="center")
    axes.set_xlim(-0.6, 0.9)
    axes.set_xlabel("correlation r of a patient’s two values")


def _table(series: Paired) -> Table:
    at = [series.r, *ASSUMED]
    frame = scales(series, at)
    frame["label"] = frame["scale"].map(SCALES)
    frame = frame[(frame["scale"] != "SMD") | (frame["r"] == series.r)]  # which knows no correlation
    frame = frame.sort_values(["r", "scale"], key=_in_order).reset_index(drop=True)

    def correlation(row: Any) -> str:
        if row["scale"] == "SMD":
            return NONE
        return f"{decimal(row['r'], 2)} ({'observed' if row['r'] == series.r else 'assumed'})"

    columns = (
        Column("Scale", exactly("label")),
        Column("r", correlation, True),
        Column("Change", lambda row: decimal(row["effect"], 2), True),
        Column(
            "95 % confidence interval",
            lambda row: f"{decimal(row['ci_low'], 2)} to {decimal(row['ci_high'], 2)}",
            True,
        ),
        Column("Share of the variance that is g²/(2n)", lambda row: percent(row["share"]), True),
    )
    note = (
        f"{series.n:.0f} patients; before minus after, so that a fall is positive. Standardised changes "
        "carry Hedges’ correction. Wald intervals."
    )
    return Table("pre-post", "The same change on five scales", frame, columns, note)


def _in_order(column: pd.Series) -> pd.Series:
    return column.map({name: i for i, name in enumerate(SCALES)}) if column.name == "scale" else column


def _points(series: Paired, own: Rows) -> str:
    row = own["MC"]
    return (
        f"In the {series.n:.0f} patients of Ribeirão Preto pain fell by {decimal(row['effect'])} points "
        f"(95 % confidence interval {decimal(row['ci_low'])} to {decimal(row['ci_high'])}), from "
        f"{decimal(series.mean_pre)} to {decimal(series.mean_post)}. Points are the scale that this project "
        "uses: they need no standard deviation to divide by, and clinicians know what two points are."
    )


def _scales(series: Paired, own: Rows) -> str:
    effects = {name: own[name]["effect"] for name in _LINES}
    least, most = min(effects, key=effects.__getitem__), max(effects, key=effects.__getitem__)
    low, high = (decimal(_rows(series, r)["SMCC"]["effect"], 1) for r in ASSUMED)
    return (
        f"In standard deviations the same change is {decimal(effects[least], 1)} ({least}) or "
        f"{decimal(effects[most], 1)} ({most}), {decimal(effects[most] / effects[least], 1)} times as much. "
        f"The correlation of a patient’s two values is {decimal(series.r)}: whoever enters with much pain "
        f"leaves with as little as the others, because nobody can go below 0. With a correlation of "
        f"{ASSUMED[0]:g} to {ASSUMED[1]:g}, as is often assumed, SMCC would read {low} to {high}."
    )


def _share(own: Rows, printed: Sequence[float]) -> str:
    shares = [percent(own[name]["share"]) for name in ("SMCC", "SMCR")]
    text = (
        f"Of the sampling variance of these effects {shares[0]} (SMCC) and {shares[1]} (SMCR) is g²/(2n), "
        "which grows with the effect itself and says nothing about patients."
    )
    if printed:
        low, high = share_at(min(printed), _R_PRINTED[0]), share_at(max(printed), _R_PRINTED[1])
        pooled = listed([f"{g:g}" for g in printed])
        text += (
            f" At the pooled SMDs that Bouza 2009 prints for pain, {pooled}, it is {percent(low)} to "
            f"{percent(high)} for correlations from {decimal(_R_PRINTED[0], 1)} to {_R_PRINTED[1]:g}."
        )
    return (
        f"{text} Studies with larger effects so get larger variances and less weight, and an I² made of such "
        "variances tells of this arithmetic as much as of patients. Pooled SMDs of this size should not be "
        "read without the points."
    )


def _rows(series: Paired, r: float) -> Rows:
    return {row["scale"]: row for row in scales(series, [r]).to_dict("records")}
