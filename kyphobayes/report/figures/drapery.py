"""All intervals at once: p-value functions of studies and of the pool, and their densities."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy import special, stats

from kyphobayes.frequentist import Pooled, pool_many
from kyphobayes.names import MU, THETA_NEW
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words
from kyphobayes.report.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SKY,
    SMALL,
    WIDTH,
    blank,
    quiet_axis,
    style,
    text_size,
)
from kyphobayes.report.figures.axis import Array, effects_between, limits, natural_axis, on_axis
from kyphobayes.report.figures.labels import cut, spread
from kyphobayes.report.figures.observed import effects, over_tables
from kyphobayes.report.figures.recovered import Recovered, need, recover

_POINTS = 801
_NAMES = 1.5  # most inches of a name, which stands upright
_LEVELS = (0.05, 0.2, 0.5)


def drapery(fit: xr.DataTree, *, scale: NaturalScale | None = None) -> Figure:
    """Draw p-value functions: of every study, of the pooled effect and of the next, with the posterior's.

    At each value of the effect the height is the two-sided p-value of that value; where a curve is above 0.05
    lies its 95 % interval, and so on for every level (right). The pooled curve is by REML with Hartung-Knapp-
    Sidik-Jonkman's t test, the shaded one its prediction interval. The posterior has twice its smaller tail,
    whose intervals are the central ones. Where counts are latent, p-values are averaged over the count
    tables.

    Parameters
    ----------
    fit : DataTree
        Of two studies or more.
    scale : NaturalScale, optional
        See `forest`.

    Raises
    ------
    InputError
        If the fit has one study, or no exact posterior.

    Notes
    -----
    Rücker and Schwarzer (2021), Res. Synth. Methods 12, 30: the drapery plot. A study with an empty cell has
    0.5 added to its cells.
    """
    found = recover(fit, scale)
    need(found, "a drapery plot", 2)
    shown, view = found.scale, found.view
    y, v = effects(view)
    pooled = _pooled(y, v)
    centres, errors = over_tables(view, y), np.sqrt(over_tables(view, v))
    low, high = _reach(found, centres, errors)
    x = effects_between(shown, low, high, _POINTS)
    with style():
        probe = blank()
        names = [cut(probe, name, _NAMES) for name in view.labels]
        above = max(text_size(probe, name, SMALL)[0] for name in names) + 0.42
        left, right, bottom, body = 0.75, 0.85, 1.0, 3.6
        height, width = above + body + bottom, WIDTH - left - right
        figure = blank(WIDTH, height)
        axes = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, body / height))
        natural_axis(axes, shown, low, high, width)
        value = shown.natural(x)
        new = over_tables(view, _p(x, pooled.mu, np.hypot(np.sqrt(pooled.tau2), pooled.se), view.k - 1))
        axes.fill_between(value, new, color=SKY, alpha=0.35, lw=0)
        for row, error in zip(y.T, np.sqrt(np.broadcast_to(v, y.shape)).T, strict=True):
            axes.plot(value, over_tables(view, _p(x, row, error, None)), color=GREY, lw=0.8, alpha=0.7)
        axes.plot(value, over_tables(view, _p(x, pooled.mu, pooled.se, view.k - 1)), color=ORANGE, lw=2.4)
        below = found.posterior.cdf(MU, x)
        axes.plot(value, 2 * np.minimum(below, 1 - below), color=BLUE, lw=2.0, ls=(0, (5, 1.5)))
        for level in _LEVELS:
            axes.axhline(level, color=INK, lw=0.7, ls=(0, (1, 2)), zorder=1.1)
        axes.set_ylim(0, 1)
        axes.set_ylabel("p-value")
        beside = axes.secondary_yaxis("right")
        beside.set_yticks([*_LEVELS, 1], [f"{100 * (1 - p):.0f} %" for p in (*_LEVELS, 1)])
        beside.set_ylabel("level of the interval")
        _upright(axes, shown.natural(centres), names, width, body)
        handles = [
            Line2D([], [], color=GREY, lw=0.8, label="single study"),
            Line2D([], [], color=ORANGE, lw=2.4, label="pooled: REML, HKSJ"),
            Line2D([], [], color=BLUE, lw=2.0, ls=(0, (5, 1.5)), label="posterior, twice the smaller tail"),
            Patch(facecolor=SKY, alpha=0.35, label="next study (prediction)"),
        ]
        figure.legend(handles=handles, loc="lower center", ncols=2, columnspacing=1.6, borderaxespad=0.2)
        return figure


def confidence_density(fit: xr.DataTree, *, scale: NaturalScale | None = None) -> Figure:
    """Draw the confidence density of the pooled effect beside its posterior, over those of the studies.

    A confidence density is the slope of all confidence limits: its central 95 % is the 95 % confidence
    interval. The difference to the posterior is what the priors, exact counts and the uncertainty of tau do.

    Parameters
    ----------
    fit : DataTree
        Of two studies or more.
    scale : NaturalScale, optional
        See `forest`.

    Raises
    ------
    InputError
        If the fit has one study, or no exact posterior.

    Notes
    -----
    Xie and Singh (2013), Int. Stat. Rev. 81, 3; for p-value functions Rücker and Schwarzer (2021).
    """
    found = recover(fit, scale)
    need(found, "a confidence density", 2)
    shown, view = found.scale, found.view
    y, v = effects(view)
    pooled = _pooled(y, v)
    centres, errors = over_tables(view, y), np.sqrt(over_tables(view, v))
    low, high = _reach(found, centres, errors)
    x = effects_between(shown, low, high, _POINTS)
    error = np.maximum(pooled.se, 1e-300)[:, None]
    of_pool = over_tables(view, np.asarray(stats.t.pdf(x, view.k - 1, pooled.mu[:, None], error)))
    posterior = found.posterior.pdf(MU, x)
    with style():
        height, left, bottom = 3.7, 0.3, 0.95
        width = WIDTH - 2 * left
        figure = blank(WIDTH, height)
        axes = figure.add_axes(
            (left / WIDTH, bottom / height, width / WIDTH, (height - bottom - 0.15) / height)
        )
        for row, se in zip(y.T, np.sqrt(np.broadcast_to(v, y.shape)).T, strict=True):
            own = over_tables(view, np.asarray(stats.norm.pdf(x, row[:, None], se[:, None])))
            axes.plot(*on_axis(shown, x, own), color=GREY, lw=0.8, alpha=0.6)
        value, density = on_axis(shown, x, posterior)
        axes.fill_between(value, density, color=BLUE, alpha=0.18, lw=0)
        axes.plot(value, density, color=BLUE, lw=2.0)
        curve = on_axis(shown, x, of_pool)[1]
        axes.plot(value, curve, color=ORANGE, lw=2.4)
        axes.set_ylim(0, 1.15 * max(float(density.max()), float(curve.max())))
        natural_axis(axes, shown, low, high, width)
        quiet_axis(axes)
        handles = [
            Line2D([], [], color=GREY, lw=0.8, label="single study"),
            Line2D([], [], color=ORANGE, lw=2.4, label="pooled: REML, HKSJ"),
            Line2D([], [], color=BLUE, lw=2.0, label=f"posterior of the typical {words.heading(shown)}"),
        ]
        figure.legend(handles=handles, loc="lower center", ncols=3, columnspacing=1.6, borderaxespad=0.2)
        return figure


def _pooled(y: Array, v: Array) -> Pooled[Array]:
    return pool_many(y, v, method="REML", test="hksj")


def _reach(found: Recovered, centres: Array, errors: Array) -> tuple[float, float]:
    """Natural ends that show every study's peak and the next study's interval."""
    typical, new = (
        found.aggregate.loc[name, ["low", "high"]].to_numpy(dtype=float) for name in (MU, THETA_NEW)
    )
    ends = found.scale.natural([*(centres - 2 * errors), *(centres + 2 * errors), *new])
    return limits(found.scale, found.scale.natural([*centres, *typical]), ends)


def _p(x: Array, centre: Array, error: Array, df: int | None) -> Array:
    """Two-sided p-values at x, shape (tables, len(x)); those of a point are 1 there and 0 elsewhere."""
    away = np.abs(x - np.asarray(centre)[:, None]) / np.maximum(np.asarray(error)[:, None], 1e-300)
    return 2 * (special.ndtr(-away) if df is None else special.stdtr(df, -away))


def _upright(axes: Axes, peaks: Array, names: list[str], width: float, body: float) -> None:
    """Write names above the peaks of their curves, spread where these are close."""
    at = axes.transAxes.inverted().transform(
        axes.transData.transform(np.column_stack([peaks, np.ones(len(peaks))]))
    )
    places = spread(np.clip(at[:, 0], 0, 1), 0.155 / width, 0.0, 1.0)
    for start, place, name in zip(at[:, 0], places, names, strict=True):
        if 0 <= start <= 1:
            axes.plot(
                [start, start, place, place], 1 + np.array([0.0, 0.05, 0.22, 0.26]) / body,
                transform=axes.transAxes, color=GREY, lw=0.6, clip_on=False,
            )  # fmt: skip
        axes.text(
            place,
            1 + 0.3 / body,
            name,
            transform=axes.transAxes,
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=SMALL,
        )
