"""Figures on two outcomes of the same studies: their correlation, the next centre, and what it would take."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import special

from kyphobayes.joint.correlation import GRID
from kyphobayes.joint.likelihood import Array
from kyphobayes.questions import Answered
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
    style,
)
from kyphobayes.report.chapters.chapter import Plate
from kyphobayes.report.words import decimal, probability

_LEAKS, _FRACTURES = 0.6, 0.4  # how far the axes of the next centre reach
_REGIONS = (0.5, 0.9)  # of the next centre
_MARKS = ((VERMILION, "o"), (GREEN, "s"), (ORANGE, "^"), (BLUE, "D"), (INK, "v"), (SKY, "P"), (GREY, "X"))
_LINES = ((BLUE, "D"), (VERMILION, "o"), (GREEN, "s"), (ORANGE, "^"), (INK, "v"))  # true correlations
_SHOWN = 1500  # draws in the figure
_MIXED = 1000  # of which the density is made
_SMOOTH = 0.2  # log odds by which it is smoothed
_LOWEST = -9.0  # log odds at which the density begins


def correlation_plate(answered: Answered) -> Plate:
    """Prior, posterior and likelihood of the correlation between centres."""
    solved, rho = answered.more["solved"], answered.more["draws"]["rho"]
    profiled = answered.more["profile"]
    likelihood, found = solved.likelihood, solved.posterior
    with style():
        figure = blank(WIDTH, 3.3)
        left, right = figure.subplots(1, 2)
        left.hist(rho, bins=np.linspace(-1, 1, 41), density=True, color=PALE, label="posterior, NUTS")
        left.plot(GRID, found.before / (GRID[1] - GRID[0]), color=ORANGE, lw=2, ls=(0, (5, 2)), label="prior")
        left.plot(GRID, found.density, color=BLUE, lw=2, label="posterior, exact margins")
        left.set_ylim(0, 1.25 * max(found.density.max(), 0.7))
        left.set_ylabel("density")
        left.legend(loc="upper left")
        mean, error = likelihood.relative.mean(axis=1), 1.96 * likelihood.errors
        right.fill_between(likelihood.nodes, mean - error, mean + error, color=BLUE, alpha=0.25, lw=0)
        right.plot(GRID, likelihood.values, color=BLUE, lw=2, label="averaged over all else")
        nothing = np.interp(0.0, profiled.rho, profiled.log_likelihood)
        right.plot(profiled.rho, np.exp(profiled.log_likelihood - nothing), color=VERMILION, lw=1.6,
                   ls=(0, (5, 2)), label="highest over all else")  # fmt: skip
        right.axhline(1, color=GREY, lw=0.8, ls=(0, (1, 2)))
        right.set_ylim(0, 1.45 * max(likelihood.values.max(), 1.0))
        right.set_ylabel("likelihood, relative to 0")
        right.legend(loc="upper left")
        for axes in (left, right):
            axes.set_xlim(-1, 1)
            axes.set_xticks([-1, -0.5, 0, 0.5, 1])
            axes.set_xlabel("correlation between centres")
        figure.subplots_adjust(left=0.07, right=0.98, top=0.97, bottom=0.16, wspace=0.22)
    row = answered.tables["correlation"].iloc[0]
    alt = (
        f"Prior and posterior density of the correlation nearly coincide (posterior median "
        f"{decimal(row['median'])}); the likelihood runs from {decimal(likelihood.values.min())} to "
        f"{decimal(likelihood.values.max())} of its value at 0."
    )
    caption = (
        "Left: the correlation before and after the data. Right: how probable each correlation makes the "
        "data, relative to none; the band is the error of the computation."
    )
    return Plate("correlation", figure, alt, caption)


def next_centre_plate(answered: Answered) -> Plate:
    """Leak rate and fracture share of a next centre, over the studies at hand."""
    draws, limits = answered.more["draws"], answered.more["limits"]
    theta = np.stack([draws["theta_leak_new"], draws["theta_fracture_new"]])
    rates = special.expit(theta[:, :: max(1, theta.shape[1] // _SHOWN)])
    with style():
        figure = blank(WIDTH, 4.2)
        axes = figure.subplots()
        axes.plot(*rates, ".", color=GREY, ms=2, alpha=0.35, mew=0)
        _regions(axes, draws, theta[:, : rates.shape[1]])
        axes.axvline(limits[0], color=INK, lw=0.9, ls=(0, (1, 2)))
        axes.axhline(limits[1], color=INK, lw=0.9, ls=(0, (1, 2)))
        axes.text(_LEAKS + 0.005, limits[1], f"{100 * limits[1]:g} %", fontsize=SMALL, va="center")
        axes.text(limits[0], _FRACTURES + 0.004, f"{100 * limits[0]:g} %", fontsize=SMALL, ha="center")
        handles = _ranges(axes, answered.tables["studies"])
        axes.set_xlim(-0.008, _LEAKS)
        axes.set_ylim(-0.006, _FRACTURES)
        percent_ticks(axes)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g}")
        axes.set_xlabel("levels with a leak, %")
        axes.set_ylabel("patients with a new fracture, %")
        dot = axes.plot([], [], ".", color=GREY, ms=5)[0]
        region = axes.plot([], [], color=BLUE, lw=1.6)[0]
        only = axes.plot([], [], "^", color=GREY, ms=6, mec="white")[0]
        handles |= {
            "counted leaks only": only,
            "a next centre (draws)": dot,
            "half, nine tenths of them": region,
        }
        figure.legend(list(handles.values()), list(handles), loc="center right", borderaxespad=0.3)
        figure.subplots_adjust(left=0.07, right=0.71, top=0.94, bottom=0.13)
    both = float(answered.tables["next centre"]["together"].loc["P(both)"])
    alt = (
        f"Leak rate and fracture share of a next centre, with the studies at hand; both lie below their "
        f"limits with probability {probability(both)}"
    )
    caption = (
        "What the next centre may have of both. Crosses are the studies, as far as their counts go: a line "
        "is the range of a count that is not printed. Blue lines hold half and nine tenths of all next "
        "centres, the smallest regions on the log odds scale. Dotted: the limits."
    )
    return Plate("next-centre", figure, alt, caption)


def _regions(axes: Axes, draws: Mapping[str, Array], theta: Array) -> None:
    """Smallest regions, on the log odds scale, that hold so many of the next centres."""
    names = ("mu_leak", "tau_leak", "mu_fracture", "tau_fracture", "rho")
    some = [draws[name][:: max(1, len(draws[name]) // _MIXED)] for name in names]
    x, y = (np.linspace(_LOWEST, special.logit(top), 100) for top in (_LEAKS, _FRACTURES))
    values = _density(*np.meshgrid(x, y), *some)
    at_draws = _density(theta[0], theta[1], *some)
    levels = np.quantile(at_draws, [1 - share for share in sorted(_REGIONS, reverse=True)])
    places = special.expit(x), special.expit(y)
    axes.contour(*places, values, levels=levels, colors=[BLUE], linewidths=[1.2, 2.2])


def _density(x: Array, y: Array, mu: Array, tau: Array, other: Array, spread: Array, rho: Array) -> Array:
    """Density of the next centre's two log odds: a mixture of bivariate normals over draws, smoothed."""
    one, two = np.hypot(tau, _SMOOTH), np.hypot(spread, _SMOOTH)
    r = rho * tau * spread / (one * two)
    u, v = (x[..., None] - mu) / one, (y[..., None] - other) / two
    rest = 1 - r**2
    log_density = -(u**2 - 2 * r * u * v + v**2) / (2 * rest) - np.log(one * two * np.sqrt(rest))
    return np.exp(log_density).mean(axis=-1)


def _ranges(axes: Axes, table: pd.DataFrame) -> dict[str, Any]:
    """Every study as a cross of the ranges of its rates; returns what the legend shows."""
    handles: dict[str, Any] = {}
    row: Any
    for label, row in table.iterrows():
        ends = {side: [row[f"{side}_events_{end}"] / row[f"{side}_n"] for end in ("low", "high")]
                for side in ("leaks", "fractures")}  # fmt: skip
        if np.isnan(ends["leaks"][0]):
            continue
        middle = {side: np.mean(pair) for side, pair in ends.items()}
        if np.isnan(middle["fractures"]):
            axes.plot(middle["leaks"], 0, "^", color=GREY, ms=6, mec="white", clip_on=False, zorder=5)
            continue
        colour, mark = _MARKS[len(handles) % len(_MARKS)]
        axes.plot(ends["leaks"], [middle["fractures"]] * 2, color=colour, lw=2, solid_capstyle="butt")
        axes.plot([middle["leaks"]] * 2, ends["fractures"], color=colour, lw=2, solid_capstyle="butt")
        handles[str(label)] = axes.plot(
            middle["leaks"],
            middle["fractures"],
            mark,
            color=colour,
            ms=6.5,
            mec="white",
            clip_on=False,
            zorder=6,
        )[0]
    return handles


def needed_plate(answered: Answered) -> Plate:
    """Width of the interval of the correlation by the number of studies."""
    needed = answered.tables["studies needed"].reset_index()
    prior = answered.tables["correlation"].iloc[0]
    width = prior["prior_high"] - prior["prior_low"]
    with style():
        figure = blank(WIDTH, 2.9)
        axes = figure.subplots()
        for (rho, rows), (colour, mark) in zip(needed.groupby("true_rho"), _LINES, strict=False):
            axes.plot(rows["studies"], rows["width"], marker=mark, color=colour, lw=2, ms=6.5,
                      label=f"true correlation {decimal(float(str(rho)), 1)}")  # fmt: skip
        axes.axhline(width, color=GREY, lw=0.9, ls=(0, (1, 2)))
        axes.text(needed["studies"].max(), width + 0.02, "prior", fontsize=SMALL, ha="right", va="bottom")
        axes.set_xticks(sorted(set(needed["studies"])))
        axes.set_ylim(0, 2.15)
        axes.set_xlabel("studies that print both counts")
        axes.set_ylabel("width of the 95 % interval")
        axes.legend(loc="lower left")
        figure.subplots_adjust(left=0.08, right=0.985, top=0.97, bottom=0.18)
    alt = "Width of the interval of the correlation by number of studies: " + ", ".join(
        f"{row['studies']:.0f} studies {decimal(row['width'], 1)} (true {decimal(row['true_rho'], 1)})"
        for _, row in needed.iterrows()
    )
    caption = (
        f"Median width of the 95 % interval in {needed['data_sets'].iloc[0]} simulated data sets of each "
        f"kind, with the typical rates and spreads found here and the numbers of levels and patients of the "
        f"studies that counted both, over and over."
    )
    return Plate("studies-needed", figure, alt, caption)
