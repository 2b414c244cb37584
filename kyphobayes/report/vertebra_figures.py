"""Figures of vertebrae's angles, and of relief against correction."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy import stats

from kyphobayes.questions import Answered
from kyphobayes.report.canvas import BLUE, GREY, INK, ORANGE, PALE, SMALL, VERMILION, WIDTH, blank, style
from kyphobayes.report.chapters.chapter import Plate
from kyphobayes.report.words import decimal, spelled
from kyphobayes.vertebrae import relief
from kyphobayes.vertebrae.quantities import NEW

_GRID = 201


def angles(answered: Answered) -> Plate:
    """Every vertebra before and after, and its change with the error of reading taken out."""
    table: Any = answered.tables["vertebrae"]
    mean: Any = answered.tables["quantities"].loc["mean change"]
    rows = np.arange(len(table))[::-1].astype(float)
    colours = [BLUE if fall < 0 else VERMILION if fall > 0 else GREY for fall in table["printed change"]]
    with style():
        figure = blank(WIDTH, 7.6)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.15, 1])
        for y, colour, before, after in zip(rows, colours, table["before"], table["after"], strict=True):
            left.plot([before, after], [y, y], color=colour, lw=1.6)
            left.plot(before, y, "o", color=colour, mfc="white", ms=5)
            left.plot(after, y, "o", color=colour, ms=5)
            if np.isnan(before) and np.isnan(after):
                left.text(0.3, y, "not printed for this one", fontsize=SMALL - 1, color=GREY, va="center")
        left.axvline(0, color=PALE, lw=0.8, zorder=0)
        left.set_yticks(rows, list(table.index))
        left.set_ylim(-0.8, len(table) - 0.2)
        left.set_xlabel("kyphotic angle, degrees")
        right.axvspan(mean["low"], mean["high"], color=BLUE, alpha=0.13, lw=0)
        right.axvline(0, color=PALE, lw=0.8, zorder=0)
        right.hlines(rows, table["low"], table["high"], color=BLUE, lw=1.4)
        right.plot(table["median"], rows, "o", color=BLUE, ms=4)
        right.plot(table["printed change"], rows, "D", color=ORANGE, ms=4.5, mfc="none", mew=1.3)
        right.set_xlabel("change, degrees (a fall is a correction)")
        handles = [
            Line2D([], [], marker="o", color=GREY, mfc="white", ms=5, lw=1.6),
            Line2D([], [], marker="o", color=GREY, ms=5, lw=1.6),
            Line2D([], [], color=BLUE, lw=2),
            Line2D([], [], color=VERMILION, lw=2),
        ]
        above: dict[str, Any] = {
            "loc": "lower left", "bbox_to_anchor": (-0.02, 0.995), "borderaxespad": 0, "columnspacing": 1,
            "handlelength": 1.3,
        }  # fmt: skip
        left.legend(handles, ["before", "after", "falls", "rises"], ncols=4, **above)
        handles = [
            Line2D([], [], marker="D", color=ORANGE, mfc="none", ls="", ms=5, mew=1.3),
            Line2D([], [], marker="o", color=BLUE, ms=4, lw=1.4),
        ]
        right.legend(handles, ["printed", "true, 95 % interval"], ncols=2, **above)
        figure.subplots_adjust(left=0.085, right=0.985, top=0.955, bottom=0.065, wspace=0.05)
    name = table["weight"].idxmin()
    alt = (
        f"Angles of {len(table)} vertebrae before and after, and their changes; the mean change is "
        f"{decimal(mean['median'], 1)} degrees, and {name} goes from {table.loc[name, 'before']:g} to "
        f"{table.loc[name, 'after']:g}"
    )
    caption = (
        "Every vertebra by patient and level. Left: the printed angles; grey where they do not differ, or "
        "only that after treatment is printed. Right: the printed change, and what the true change may be "
        "when errors of reading are allowed for and vertebrae inform each other. The band is the mean change "
        "of a typical patient."
    )
    return Plate("angles", figure, alt, caption)


def relief_and_correction(answered: Answered) -> Plate:
    """Relief of each patient against correction, with the line of the model."""
    table: Any = answered.tables["patients"]
    evidence, found = answered.more["evidence"], answered.more["population"]
    ends = [-table["high"].max() - 0.3, -table["low"].min() + 0.3]
    x = np.linspace(-table["printed change"].max() - 0.5, -table["printed change"].min() + 0.5, 45)
    lines = np.stack([relief(found, -float(value), evidence.mean_before) for value in x])
    low, middle, high = np.quantile(lines, [0.025, 0.5, 0.975], axis=1)
    with style():
        figure = blank(WIDTH, 3.7)
        axes = figure.subplots()
        axes.fill_between(x, low, high, color=BLUE, alpha=0.16, lw=0)
        axes.plot(x, middle, color=BLUE, lw=2)
        heights = _apart(table["relief"])
        axes.hlines(heights, -table["high"], -table["low"], color=GREY, lw=0.9, alpha=0.8)
        axes.plot(-table["median"], heights, "o", color=INK, ms=4.5)
        axes.plot(-table["printed change"], heights, "D", color=ORANGE, ms=5, mfc="none", mew=1.3)
        axes.axvline(0, color=PALE, lw=0.8, zorder=0)
        unusual = str(answered.tables["vertebrae"]["weight"].idxmin()).split()[0]
        axes.annotate(
            f"patient {unusual}", (-table.loc[unusual, "printed change"], heights[unusual]), (0, -13),
            textcoords="offset points", fontsize=SMALL, ha="center",
        )  # fmt: skip
        axes.set_xlabel("correction: mean fall of the angle of a patient’s vertebrae, degrees")
        axes.set_ylabel("relief of pain, points")
        axes.set_xlim(*ends)
        axes.set_ylim(0, 10.6)
        handles = [
            Line2D([], [], marker="D", color=ORANGE, mfc="none", ls="", ms=5, mew=1.3),
            Line2D([], [], marker="o", color=INK, ms=4.5, lw=0.9),
            Line2D([], [], color=BLUE, lw=2),
        ]
        labels = ["printed", "true, 95 % interval", "expected relief, 95 % interval of the line"]
        figure.legend(handles, labels, loc="upper center", ncols=3, borderaxespad=0.2)
        figure.subplots_adjust(left=0.07, right=0.985, top=0.9, bottom=0.14)
    alt = (
        f"Relief of {len(table)} patients against correction; the line rises from "
        f"{decimal(float(np.interp(-5, x, middle)), 1)} points at 5 degrees of worsening to "
        f"{decimal(float(np.interp(5, x, middle)), 1)} at 5 degrees of correction"
    )
    caption = (
        "Each patient’s relief at once after treatment, by the correction of the patient’s vertebrae; "
        "patients with the same relief are drawn apart. "
        f"{spelled(int(table['printed change'].isna().sum()))} patients without a printed change are in with "
        "what the model holds possible."
    )
    return Plate("relief", figure, alt, caption)


def _apart(relief: pd.Series) -> pd.Series:
    """Whole points, those that are alike spread evenly over most of the way to the next."""
    groups = relief.groupby(relief)
    place, size = groups.cumcount(), groups.transform("size")
    return relief + 0.7 * ((place + 0.5) / size - 0.5)


def correlations(answered: Answered) -> Plate:
    """What is held of the correlation before and after the data, and Fisher's interval."""
    draws, before, weak = answered.more["draws"][NEW], answered.more["before"], answered.more["weak"]
    row: Any = answered.tables["correlation"].loc[NEW]
    grid = np.linspace(-1, 1, _GRID)
    with style():
        figure = blank(WIDTH, 2.6)
        axes: Axes = figure.subplots()
        axes.axvspan(-weak, weak, color=PALE, alpha=0.45, lw=0)
        after = _density(draws, grid)
        axes.plot(grid, _density(before, grid), color=GREY, lw=1.6, ls=(0, (5, 2)))
        axes.fill_between(grid, after, color=BLUE, alpha=0.18, lw=0)
        axes.plot(grid, after, color=BLUE, lw=2)
        place = -0.16 * after.max()
        axes.hlines(place, row["observed_low"], row["observed_high"], color=ORANGE, lw=2)
        axes.plot(row["observed"], place, "D", color=ORANGE, ms=6)
        axes.set_xlim(-1, 1)
        axes.set_ylim(-0.3 * after.max(), 1.05 * after.max())
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("correlation of relief with correction")
        handles = [
            Line2D([], [], color=GREY, lw=1.6, ls=(0, (5, 2))),
            Line2D([], [], color=BLUE, lw=2),
            Line2D([], [], color=ORANGE, marker="D", ms=6, lw=2),
        ]
        labels = ["before the data", "new patients, after the data", "Pearson’s, Fisher’s interval"]
        figure.legend(handles, labels, loc="upper center", ncols=3, borderaxespad=0.2)
        figure.subplots_adjust(left=0.04, right=0.96, top=0.87, bottom=0.2)
    alt = (
        f"Density of the correlation in new patients: median {decimal(row['median'])}, 95 % interval "
        f"{decimal(row['low'])} to {decimal(row['high'])}; printed readings {decimal(row['observed'])}"
    )
    caption = (
        f"The correlation of relief with correction. In the grey band it is weaker than {decimal(weak, 1)} "
        f"either way, which has a probability of {100 * row['p_weak']:.0f} %."
    )
    return Plate("correlation", figure, alt, caption)


def _density(draws: Any, grid: Any) -> Any:
    """Smooth density of correlations, by Fisher's z so that it ends at -1 and 1."""
    z = np.arctanh(np.clip(draws[np.isfinite(draws)], -0.999, 0.999))
    inside = np.clip(grid, -0.995, 0.995)
    return stats.gaussian_kde(z)(np.arctanh(inside)) / (1 - inside**2)
