"""The funnel plot: effects against how much each study knows, with the regions where studies are expected."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator
from scipy import special, stats

from kyphobayes.evidence import Counts, Rates
from kyphobayes.exact import Density
from kyphobayes.names import MU, PROB
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words
from kyphobayes.report.canvas import (
    BLUE,
    INK,
    ORANGE,
    SKY,
    VERMILION,
    WIDTH,
    blank,
    style,
    wrapped,
)
from kyphobayes.report.figures.axis import Array, limits, log_ticks, natural_axis, plain_ticks
from kyphobayes.report.figures.labels import beside_points
from kyphobayes.report.figures.numbers import several
from kyphobayes.report.figures.observed import corrected, effects, observed
from kyphobayes.report.figures.recovered import Recovered, recover

_TAILS = ((1 - PROB) / 2, (1 + PROB) / 2)
_SIZES = 60  # places of the regions' ends
_HEIGHT, _LEFT, _BOTTOM, _TOP = 5.3, 0.85, 1.0, 0.15  # inches
_NAMED = 12  # at most
_NARROW = 16.0  # share of theta_new's reach: half a standard deviation, were it normal
_GRID, _PLACES = 2001, 801
_LEVELS = 400  # quantiles that stand for a density without panels
_HERMITE = np.polynomial.hermite_e.hermegauss(30)


def funnel(fit: xr.DataTree, *, scale: NaturalScale | None = None, names: bool = True) -> Figure:
    """Draw the funnel plot.

    Estimates are drawn against their standard errors, proportions against n, rates against the time at risk
    (on a logarithmic axis, more at the top): a proportion's standard error is a function of the proportion
    itself, so that such a funnel would lean by construction. The inner region holds 95 % of studies if all
    had the typical effect, the outer 95 % of the next studies of that size under the posterior: sampling, tau
    and their uncertainty together. Regions of counts are exact quantiles, those of a whole number of events.

    Asymmetry has many causes, of which unpublished studies are one.

    Parameters
    ----------
    fit : DataTree
    scale : NaturalScale, optional
        See `forest`.
    names : bool
        Whether the studies furthest out are named, where there is room.

    Raises
    ------
    InputError
        If the fit has no exact posterior.

    Notes
    -----
    Light and Pillemer (1984); Sterne and Egger (2001), J. Clin. Epidemiol. 54, 1046. Size in place of
    standard error for proportions: Hunter et al. (2014), J. Clin. Epidemiol. 67, 897; exact control limits:
    Spiegelhalter (2005), Stat. Med. 24, 1185.
    """
    found = recover(fit, scale)
    with style():
        if isinstance(found.view, Counts | Rates):
            return _counts(found, names)
        return _estimates(found, names)


def _frame() -> tuple[Figure, Axes, float]:
    figure, width = blank(WIDTH, _HEIGHT), WIDTH - _LEFT - 0.25
    box = (_LEFT / WIDTH, _BOTTOM / _HEIGHT, width / WIDTH, (_HEIGHT - _BOTTOM - _TOP) / _HEIGHT)
    return figure, figure.add_axes(box), width


def _estimates(found: Recovered, names: bool) -> Figure:
    shown, view = found.scale, found.view
    y, v = (part[0] for part in effects(view))
    error = np.sqrt(v)
    deepest = 1.08 * float(error.max())
    grid = deepest * np.linspace(1e-4, 1.0, _SIZES)
    middle = float(found.posterior.quantile(MU, 0.5))
    reach = float(stats.norm.ppf(_TAILS[1]))
    inner = np.stack([middle - reach * grid, middle + reach * grid])
    outer = predicted_estimates(found.posterior.theta_new, grid)
    figure, axes, width = _frame()
    low, high = limits(shown, shown.natural([*y, *inner[:, -1]]), shown.natural(outer.ravel()))
    natural_axis(axes, shown, low, high, width)
    axes.set_ylim(deepest, 0)
    plain_ticks(axes.yaxis, 6)
    unit = (
        f" of the {words.model_unit(shown)}"
        if shown.logarithmic
        else f" ({shown.unit})"
        if shown.unit
        else ""
    )
    axes.set_ylabel(wrapped(figure, f"standard error{unit}", 4.0, lines=2))
    axes.fill_betweenx(grid, *shown.natural(outer), color=SKY, alpha=0.22, lw=0)
    axes.fill_betweenx(grid, *shown.natural(inner), color=SKY, alpha=0.35, lw=0)
    for line in shown.natural(inner):
        axes.plot(line, grid, color=BLUE, lw=0.9, ls=(0, (4, 2)))
    axes.axvline(float(shown.natural(middle)), color=VERMILION, lw=1.4)
    points = shown.natural(y)
    axes.plot(points, error, "o", ms=5.5, mfc="white", mec=INK, mew=1.3)
    if names:
        _name(axes, points, error, view.labels, np.abs(y - middle) / np.hypot(error, 0.1 * error.max()))
    _legend(figure, found, latent=False, note=corrected(view))
    return figure


def _counts(found: Recovered, names: bool) -> Figure:
    shown, view = found.scale, found.view
    assert isinstance(view, Counts | Rates)
    size, seen = view.n if isinstance(view, Counts) else view.exposure, observed(view, shown).estimates
    first, last = float(size.min()) / 1.35, float(size.max()) * 1.35
    grid = np.geomspace(first, last, _SIZES)
    if isinstance(view, Counts):
        grid = np.unique(np.maximum(np.round(grid), 1))
    typical, new = found.posterior.mu, found.posterior.theta_new
    fixed = float(typical.quantile(0.5))
    single = (np.array([fixed]), np.array([1.0]))
    mixture = (new.panels.nodes, new.panels.weights * new.values) if hasattr(new, "panels") else _nodes(new)
    law = _binomial if isinstance(view, Counts) else _poisson
    per = 1.0 if isinstance(view, Counts) else float(shown.natural(0.0))
    inner, outer = (
        np.array([law(*weighted, at) for at in grid]).T / grid * per for weighted in (single, mixture)
    )
    figure, axes, width = _frame()
    core = [seen["least"], seen["most"], inner[:, len(grid) // 2]]
    low, high = limits(shown, np.concatenate(core), outer[1])
    natural_axis(axes, shown, low - 0.025 * high, high, width)
    axes.set_yscale("log")
    axes.set_ylim(first, last)
    places = log_ticks(first, last, 7)
    axes.yaxis.set_major_locator(FixedLocator([float(x) for x in places]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylabel("n" if isinstance(view, Counts) else "time at risk")
    axes.fill_betweenx(grid, *outer, color=SKY, alpha=0.22, lw=0)
    axes.fill_betweenx(grid, *inner, color=SKY, alpha=0.35, lw=0)
    for line in inner:
        axes.plot(line, grid, color=BLUE, lw=0.9, ls=(0, (4, 2)))
    axes.axvline(float(shown.natural(fixed)), color=VERMILION, lw=1.4)
    latent = seen["latent"].to_numpy(dtype=bool)
    middle = ((seen["least"] + seen["most"]) / 2).to_numpy(dtype=float)
    for at in np.flatnonzero(latent):
        axes.plot(
            seen[["least", "most"]].iloc[at],
            [size[at]] * 2,
            color=ORANGE,
            lw=4.0,
            solid_capstyle="butt",
            zorder=2.8,
        )
    axes.plot(middle[latent], size[latent], "D", ms=5, mfc="white", mec=ORANGE, mew=1.3)
    axes.plot(middle[~latent], size[~latent], "o", ms=5.5, mfc="white", mec=INK, mew=1.3)
    if names:
        ends = np.array([law(*mixture, at) for at in size]).T / size * per
        half = np.maximum((ends[1] - ends[0]) / 2, 1e-12)
        out = np.abs(middle - float(shown.natural(fixed))) / half
        _name(
            axes, middle, size, view.labels, out, ((seen["most"] - seen["least"]) / 2).to_numpy(dtype=float)
        )
    _legend(figure, found, latent=bool(latent.any()), note=False)
    return figure


def predicted_estimates(theta_new: Density, se: Array) -> Array:
    """Central 95 % of the estimate of a new study with each standard error: shape (2, len(se)).

    An estimate is theta_new plus sampling error; the narrower of the two is averaged over the other.
    """
    low, high = (float(end) for end in theta_new.quantile([1e-5, 1 - 1e-5]))
    grid = np.linspace(low, high, _GRID)
    cumulative = theta_new.cdf(grid)
    theta, mass = _nodes(theta_new)
    steps, weights = _HERMITE
    found = []
    for error in se:
        places = np.linspace(low - 4 * error, high + 4 * error, _PLACES)
        if error < (high - low) / _NARROW:
            below = np.interp(places[:, None] - error * steps, grid, cumulative) @ (weights / weights.sum())
        else:
            below = special.ndtr((places[:, None] - theta) / error) @ mass
        found.append(np.interp(_TAILS, below, places))
    return np.array(found).T


def _nodes(density: Density) -> tuple[Array, Array]:
    """Places and masses that stand for a density."""
    if hasattr(density, "panels"):
        mass = density.panels.weights * density.values
        return density.panels.nodes, mass / mass.sum()
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    return np.asarray(density.quantile(levels)), np.full(_LEVELS, 1 / _LEVELS)


def _binomial(theta: Array, mass: Array, n: float) -> tuple[float, float]:
    return _quantiles(lambda x: stats.binom.cdf(x[:, None], n, special.expit(theta)) @ mass, n)


def _poisson(theta: Array, mass: Array, time: float) -> tuple[float, float]:
    mean = time * np.exp(theta)
    most = float(
        stats.poisson.ppf(1 - 1e-3, mean[np.searchsorted(np.cumsum(mass), 1 - 1e-3).clip(max=len(mean) - 1)])
    )
    return _quantiles(lambda x: stats.poisson.cdf(x[:, None], mean) @ mass, most + 1)


def _quantiles(cdf: Callable[[Array], Array], most: float) -> tuple[float, float]:
    """Central 95 % of whole numbers from 0 to `most`, found by halving."""
    found = []
    for q in _TAILS:
        low, high = -1.0, most
        while high - low > 1:
            middle = np.floor((low + high) / 2)
            low, high = (middle, high) if cdf(np.array([middle]))[0] < q else (low, middle)
        found.append(high)
    return found[0], found[1]


def _name(
    axes: Axes, x: Array, y: Array, labels: tuple[str, ...], out: Array, reaches: Array | float = 0.0
) -> None:
    beside_points(axes, x, y, labels, np.argsort(-out)[:_NAMED], radii=0.045, reaches=reaches)


def _legend(figure: Figure, found: Recovered, *, latent: bool, note: bool) -> None:
    one = found.scale.one
    point = f"{one}, 0.5 added where a cell is empty" if note else one
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=INK, marker="o", mfc="white", ls="none", ms=5.5, label=point)
    ]
    if latent:
        handles.append(
            Line2D(
                [],
                [],
                color=ORANGE,
                lw=4.0,
                marker="D",
                mfc="white",
                ms=5,
                label="range of a count not printed",
            )
        )
    handles += [
        Line2D([], [], color=VERMILION, lw=1.4, label=f"typical {one}"),
        Patch(facecolor=SKY, alpha=0.57, edgecolor=BLUE, ls=(0, (4, 2)), label="95 % if all were alike"),
        Patch(facecolor=SKY, alpha=0.22, label=f"95 % of the next {several(found.scale)}"),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=3, columnspacing=1.4, borderaxespad=0.2)
