"""Axes on the scale that people read: percent, rates and differences straight, ratios by their logarithms."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from kyphobayes.names import PLO
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report.canvas import GREY, INK, PALE, quiet_axis
from kyphobayes.report.words import heading

Array = NDArray[np.float64]
STEPS = (1, 2, 2.5, 5, 10)  # linear ticks at round numbers
_MANTISSAS = ((1, 2, 5), (1, 3), (1,))  # logarithmic ticks, fewer and fewer
_FURTHER = 2.0  # reaches of the middle part that an axis goes on beyond it, for long intervals
_NEAR_NULL = 1.5  # reaches within which the line of no effect is kept in sight
_CORNER = 0.03  # share of an axis at its start where no tick stands, as another axis has one there
_MOST, _TICK, _LETTER = 9, 0.45, 0.075  # ticks; inches that a tick needs at least, and one of its letters


def limits(scale: NaturalScale, core: ArrayLike, ends: ArrayLike) -> tuple[float, float]:
    """Ends of an axis that shows `core` whole and of `ends` as much as leaves room for the rest.

    Parameters
    ----------
    scale : NaturalScale
    core, ends : array_like
        Natural values that must be seen (estimates, the typical interval), and ends of intervals. What is not
        finite is passed over.

    Notes
    -----
    Shares begin at 0 and are shown whole. Other intervals that are much longer than the middle part
    is wide are cut off at the axis, and are drawn with an arrow there.
    """
    seen, far = (np.asarray(part, dtype=float).ravel() for part in (core, ends))
    seen, far = seen[np.isfinite(seen)], far[np.isfinite(far)]
    if scale.measure == PLO:
        top = max([*seen, *far, 1e-6])
        return 0.0, 1.0 if top > 0.95 else 1.05 * top
    inside, outside = (scale.model if scale.logarithmic else np.asarray for _ in range(2))
    seen, far = inside(seen), outside(far)
    seen, far = seen[np.isfinite(seen)], far[np.isfinite(far)]
    low, high = float(seen.min()), float(seen.max())
    reach = max(high - low, 1e-9 * max(abs(low), abs(high)), 1e-300)
    if scale.null is not None:
        null = float(inside(np.array(scale.null)))
        if low - _NEAR_NULL * reach <= null <= high + _NEAR_NULL * reach:
            low, high = min(low, null), max(high, null)
            reach = high - low
    first = max(min([*far, low]), low - _FURTHER * reach)
    last = min(max([*far, high]), high + _FURTHER * reach)
    pad = 0.05 * (last - first)
    first, last = first - pad, last + pad
    if scale.logarithmic:
        return float(np.exp(first)), float(np.exp(last))
    return (0.0 if scale.bounds[0] == 0 else first), last


def natural_axis(
    axes: Axes, scale: NaturalScale, low: float, high: float, width: float, *, label: str | None = None
) -> None:
    """Make a horizontal axis of natural values, `width` inches wide, with its label and line of no effect."""
    if scale.logarithmic:
        axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks(axes.xaxis, scale, low, high, fitting(scale, low, high, width))
    axes.set_xlabel(heading(scale) if label is None else label)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)
    if scale.null is not None and low < scale.null < high:
        axes.axvline(scale.null, color=GREY, lw=1.0, zorder=1.2)


def fitting(scale: NaturalScale, low: float, high: float, width: float) -> int:
    """How many ticks have room on an axis of so many inches."""
    every = (
        log_ticks(low, high, _MOST)
        if scale.logarithmic
        else MaxNLocator(_MOST, steps=STEPS).tick_values(low, high)
    )
    letters = max((len(tick_label(scale, float(x))) for x in every), default=1)
    return int(np.clip(width / max(_TICK, 0.15 + _LETTER * letters), 3, _MOST))


def ticks(axis: Axis, scale: NaturalScale, low: float, high: float, most: int) -> None:
    """Ticks at round natural values, at most so many."""
    if scale.logarithmic:
        places = log_ticks(low, high, most)
        if len(places) >= 2:
            axis.set_major_locator(FixedLocator([float(x) for x in places]))
        else:
            axis.set_major_locator(MaxNLocator(most, steps=STEPS))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(most, steps=STEPS))
    axis.set_major_formatter(lambda value, _: tick_label(scale, value))


def plain_ticks(axis: Axis, most: int) -> None:
    """Ticks at round numbers of any size, at most so many."""
    axis.set_major_locator(MaxNLocator(most, steps=STEPS))
    axis.set_major_formatter(lambda value, _: f"{value:.4g}".replace("-", "−"))


def log_ticks(low: float, high: float, most: int) -> Array:
    """Round values between two positive ends: 1-2-5, 1-3-10, decades, or every few decades."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    for mantissas in _MANTISSAS:
        places = np.array([m * 10.0**e for e in range(first, last + 1) for m in mantissas])
        places = places[(places >= low * (1 - 1e-9)) & (places <= high * (1 + 1e-9))]
        if len(places) <= most:
            return places
    step = int(np.ceil((last - first) / most))
    places = np.asarray(10.0 ** np.arange(first - first % step, last + 1, step), dtype=float)
    return places[(places >= low) & (places <= high)]


def tick_label(scale: NaturalScale, value: float) -> str:
    """A tick in the unit that is shown."""
    return f"{scale.factor * value:.4g}".replace("-", "−")


def logit_ticks(axes: Axes, scale: NaturalScale, low: float, high: float, most: int) -> None:
    """Label a horizontal axis of model effects with the natural values that stand for them."""
    if scale.measure == PLO:
        every = np.array(
            [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999]
        )
        shown = every[(scale.model(every) >= low) & (scale.model(every) <= high)]
        if len(shown) < 3:
            shown = np.array(MaxNLocator(most, steps=STEPS).tick_values(*scale.natural([low, high])))
            shown = shown[(shown > 0) & (shown < 1)]
    elif scale.bounds[0] == 0:
        first, last = (float(x) for x in scale.natural([low, high]))
        shown = log_ticks(first, last, most)
        if len(shown) < 2:
            shown = np.array(MaxNLocator(most, steps=STEPS).tick_values(*scale.natural([low, high])))
            shown = shown[shown > 0]
    else:
        shown = np.array(MaxNLocator(most, steps=STEPS).tick_values(low, high))
    places = scale.model(shown)
    inside = (places >= low + _CORNER * (high - low)) & (places <= high)
    shown, places = shown[inside], places[inside]
    apart, last = [], -np.inf
    for place in places:  # those that would stand too close are left out
        apart.append(place - last >= (high - low) / (most + 1))
        last = place if apart[-1] else last
    kept = np.array(apart, dtype=bool)
    axes.set_xticks(places[kept], [tick_label(scale, value) for value in shown[kept]])
    axes.xaxis.set_minor_locator(NullLocator())


def effects_between(scale: NaturalScale, low: float, high: float, points: int) -> Array:
    """Effects of the model whose natural values go from one end of an axis to the other, without bounds."""
    inner = low if scale.bounds[0] < low else max(low, 1e-6 * high)
    first, last = (float(x) for x in scale.model([inner, min(high, scale.bounds[1] * (1 - 1e-9))]))
    return np.linspace(first, last, points)


def on_axis(scale: NaturalScale, effect: Array, density: Array) -> tuple[Array, Array]:
    """Natural values of effects, and the density there: per natural unit, of ratios per unit of the log."""
    value = scale.natural(effect)
    if scale.logarithmic or scale.bounds[0] == -np.inf:
        return value, density
    slope = value * (1 - value) if scale.measure == PLO else value
    return value, density / np.maximum(slope, 1e-300)


def decision_line(axes: Axes, limit: float | None, label: str | None = None) -> None:
    """Mark the limit that a decision is about."""
    if limit is not None:
        axes.axvline(limit, color=INK, lw=1.0, ls=(0, (4, 3)), zorder=1.5, label=label)


def quiet(axes: Axes) -> None:
    """Take away the vertical axis."""
    quiet_axis(axes)
