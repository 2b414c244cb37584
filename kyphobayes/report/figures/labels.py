"""Names beside points and lines, placed so that none lies on another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike, NDArray

from kyphobayes.report.canvas import INK, SMALL, text_size

Array = NDArray[np.float64]
_AWAY = 0.07  # inches between a point and its name
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))


def cut(figure: Figure, name: str, width: float, size: float = SMALL) -> str:
    """A name in one line no wider than so many inches, its middle left out where it is too long."""
    name = " ".join(name.split())
    if text_size(figure, name, size)[0] <= width:
        return name
    keep = len(name) - 1
    while keep > 2:
        shown = f"{name[: keep - keep // 3].rstrip()}…{name[len(name) - keep // 3 :].lstrip()}"
        if text_size(figure, shown, size)[0] <= width:
            return shown
        keep -= 1
    return "…"


def spread(places: ArrayLike, gap: float, low: float, high: float) -> Array:
    """Move places apart so that neighbours are `gap` from each other, no more than they must.

    Parameters
    ----------
    places : array_like, shape (n,)
    gap : float
        Made smaller if there is no room for it.
    low, high : float
    """
    places = np.asarray(places, dtype=float)
    order = np.argsort(places, kind="stable")
    n = len(places)
    gap = min(gap, (high - low) / max(n - 1, 1))
    # Less the steps of the gap the places must not decrease: their least-squares fit pools neighbours.
    blocks: list[list[float]] = []
    for value in places[order] - gap * np.arange(n):
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, k) = blocks[-2], blocks[-1]
            blocks[-2:] = [[(a * m + b * k) / (m + k), m + k]]
    fitted = np.concatenate([np.full(int(count), value) for value, count in blocks])
    moved = np.empty(n)
    moved[order] = np.clip(fitted, low, high - gap * (n - 1)) + gap * np.arange(n)
    return moved


def beside_points(
    axes: Axes,
    x: ArrayLike,
    y: ArrayLike,
    names: Sequence[str],
    order: ArrayLike,
    *,
    radii: ArrayLike = 0.03,
    reaches: ArrayLike = 0.0,
    width: float = 1.7,
) -> list[str]:
    """Write names beside points, those that come first in `order` first, where there is room for them.

    Parameters
    ----------
    axes : Axes
        With its place and limits as they will stay.
    x, y : array_like, shape (n,)
        Of the points, in data units.
    names : sequence of str
    order : array_like of int, shape (n,)
    radii : array_like
        Of the points, in inches.
    reaches : array_like
        How far a point goes to either side where it is a range, in data units.
    width : float
        Most inches of a name.

    Returns
    -------
    list of str
        The names for which there was no room.
    """
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    dpi = figure.dpi
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    points = axes.transData.transform(np.column_stack([x, y]))
    ends = axes.transData.transform(np.column_stack([x + np.broadcast_to(reaches, x.shape), y]))
    sizes = np.broadcast_to(radii, x.shape) * dpi
    wide = np.maximum(sizes, ends[:, 0] - points[:, 0])
    frame = axes.get_window_extent()
    taken = [
        Bbox([(px - w, py - r), (px + w, py + r)]) for (px, py), w, r in zip(points, wide, sizes, strict=True)
    ]
    taken += [text.get_window_extent() for text in axes.texts]
    left: list[str] = []
    for i in map(int, np.asarray(order)):
        shown = cut(figure, names[i], width)
        across, high = (dpi * size for size in text_size(figure, shown, SMALL))
        aside, above = wide[i] + _AWAY * dpi, sizes[i] + _AWAY * dpi
        for side, up in _SIDES:
            cx = points[i, 0] + side * (aside * (0.7 if up else 1) + across / 2)
            cy = points[i, 1] + up * (above * (0.7 if side else 1) + high / 2)
            box = Bbox([(cx - across / 2 - 1, cy - high / 2 - 1), (cx + across / 2 + 1, cy + high / 2 + 1)])
            inside = box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
            others = (other for j, other in enumerate(taken) if j != i)
            if inside and not any(box.overlaps(other) for other in others):
                place_x, place_y = axes.transAxes.inverted().transform((cx, cy))
                axes.text(
                    place_x, place_y, shown, transform=axes.transAxes, ha="center", va="center",
                    fontsize=SMALL, color=INK, path_effects=[withStroke(linewidth=2.2, foreground="white")],
                )  # fmt: skip
                taken.append(box)
                break
        else:
            left.append(names[i])
    return left


def beside_lines(
    axes: Axes,
    ends: ArrayLike,
    names: Sequence[str],
    colours: Sequence[str],
    *,
    width: float,
    bold: Sequence[bool],
) -> None:
    """Write names to the right of axes, beside the ends of lines, spread where they are close to each other.

    Parameters
    ----------
    axes : Axes
        With its place and limits as they will stay.
    ends : array_like, shape (n,)
        Heights at which the lines end, in data units.
    names, colours : sequence of str
        Of the lines; bold names have their line's colour, too.
    width : float
        Most inches of a name.
    bold : sequence of bool
    """
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    height = axes.get_window_extent().height / figure.dpi
    right = np.full(len(names), axes.get_xlim()[1])
    heights = axes.transAxes.inverted().transform(
        axes.transData.transform(np.column_stack([right, np.asarray(ends)]))
    )[:, 1]
    line = text_size(figure, "Ág", SMALL)[1] * 1.12
    places = spread(np.clip(heights, 0, 1), line / height, 0.0, 1.0)
    inches = axes.get_window_extent().width / figure.dpi
    for start, place, name, colour, strong in zip(heights, places, names, colours, bold, strict=True):
        if 0 <= start <= 1:
            axes.plot(
                [1, 1 + 0.28 / inches], [start, place],
                transform=axes.transAxes, color=colour, lw=0.7, alpha=0.8, clip_on=False,
            )  # fmt: skip
        axes.text(
            1 + 0.32 / inches, place, cut(figure, name, width - (0.1 if strong else 0)),
            transform=axes.transAxes, ha="left", va="center", fontsize=SMALL, color=colour if strong else INK,
            fontweight="bold" if strong else "normal",
        )  # fmt: skip
