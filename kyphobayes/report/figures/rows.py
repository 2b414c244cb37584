"""Pictures that are a table with an axis in it: one row for each study, numbers to the left and right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from kyphobayes.report.canvas import (
    BLUE,
    GREY,
    INK,
    SIZE,
    SKY,
    SMALL,
    VERMILION,
    WIDTH,
    blank,
    quiet_axis,
    text_size,
    wrapped,
)

MANY = 24  # studies from which rows are closer together
_NAMES = 2.3  # most inches for the names
_LEAST = 1.7  # inches of the axis, for which names give way
_GAP = 0.2
_EDGE = 0.08
_LINE = 0.17  # inches of a line of text


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes
    ----------
    name : str
    left, right : tuple of str
        Numbers beside the axis, a text for each column; fewer texts leave the last columns empty.
    draw : callable, optional
        ``draw(axes, y)`` draws the row's marks at the height y.
    bold : bool
    rule : bool
        Whether a line is drawn above.
    indent : float
        Inches.
    """

    name: str
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    draw: Callable[[Axes, float], None] | None = None
    bold: bool = False
    rule: bool = False
    indent: float = 0.0


def draw_rows(
    rows: Sequence[Row],
    heads: tuple[Sequence[str], Sequence[str]],
    prepare: Callable[[Axes, float], None],
    handles: Sequence[Any],
    *,
    first: str = "Study",
    dense: bool | None = None,
) -> Figure:
    """Lay out rows: names, columns, the axis, columns; a legend below.

    Parameters
    ----------
    rows : sequence of Row
    heads : (sequence of str, sequence of str)
        Of the columns to the left and to the right of the axis.
    prepare : callable
        ``prepare(axes, width)`` sets the axis of so many inches, with its label.
    handles : sequence
        Of the legend.
    first : str
        Head of the names.
    dense : bool, optional
        Whether rows are close together; by default from 24 rows on.
    """
    probe = blank()
    dense = len(rows) > MANY if dense is None else dense
    sides = [_widths(probe, rows, side, heads[at]) for at, side in enumerate(("left", "right"))]
    fixed = [sum(w + _GAP for w in widths) for widths in sides]
    room = WIDTH - 2 * _EDGE - sum(fixed) - _GAP - _LEAST
    names = [wrapped(probe, row.name, max(0.9, min(_NAMES, room)) - row.indent) for row in rows]
    weights = ["bold" if row.bold else "normal" for row in rows]
    widest = max(
        text_size(probe, name, weight=w)[0] + row.indent
        for name, w, row in zip(names, weights, rows, strict=True)
    )
    left = _EDGE + max(widest, text_size(probe, first, SMALL)[0]) + _GAP + fixed[0]
    width = WIDTH - left - fixed[1] - _EDGE
    heights = [
        max(0.27 if dense else 0.36, _LINE * name.count("\n") + 0.27) + (0.1 if row.rule else 0.0)
        for name, row in zip(names, rows, strict=True)
    ]
    lines = max(head.count("\n") for side in heads for head in (*side, "")) + 1
    top, body = 0.16 + 0.155 * lines, sum(heights) + 0.1
    columns = 2 if len(handles) > 1 else 1
    bottom = 0.62 + 0.2 * -(-len(handles) // columns)
    height = top + body + bottom
    figure = blank(WIDTH, height)
    axes = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, body / height))
    axes.set_ylim(body, 0)
    prepare(axes, width)
    axes.set_xlabel(wrapped(probe, axes.get_xlabel(), width + 2 * min(left, fixed[1]) - 0.1, lines=2))
    quiet_axis(axes)
    at_left = _places(_EDGE + max(widest, text_size(probe, first, SMALL)[0]) + _GAP, sides[0])
    at_right = _places(left + width + _GAP, sides[1])

    def put(x: float, inches: float, text: str, side: str = "right", **kwargs: Any) -> None:
        figure.text(x / WIDTH, 1 - inches / height, text, ha=side, linespacing=1.1, **kwargs)

    place = 0.04
    for row, name, weight, size in zip(rows, names, weights, heights, strict=True):
        if row.rule:
            axes.axhline(place + 0.05, color=GREY, lw=0.8)
            place, size = place + 0.1, size - 0.1
        middle = place + size / 2
        style: dict[str, Any] = {"va": "center", "fontsize": SIZE, "fontweight": weight}
        put(_EDGE + row.indent, top + middle, name, "left", **style)
        for x, text in (*zip(at_left, row.left, strict=False), *zip(at_right, row.right, strict=False)):
            put(x, top + middle, text, **style)
        if row.draw is not None:
            row.draw(axes, middle)
        place += size
    style = {"va": "bottom", "fontsize": SMALL, "color": GREY}
    put(_EDGE, top - 0.06, first, "left", **style)
    for x, text in (*zip(at_left, heads[0], strict=True), *zip(at_right, heads[1], strict=True)):
        put(x, top - 0.06, text, **style)
    axes.plot([0, 1], [1, 1], transform=axes.transAxes, color=GREY, lw=0.8, clip_on=False)
    if handles:
        figure.legend(
            handles=list(handles), loc="lower center", ncols=columns, columnspacing=1.6, handlelength=2.2,
            borderaxespad=0.2, labelspacing=0.35,
        )  # fmt: skip
    return figure


def _widths(probe: Figure, rows: Sequence[Row], side: str, heads: Sequence[str]) -> list[float]:
    """Inches of each column."""
    widths = [text_size(probe, head, SMALL)[0] for head in heads]
    for row in rows:
        for at, text in enumerate(getattr(row, side)):
            widths[at] = max(widths[at], text_size(probe, text, weight="bold" if row.bold else "normal")[0])
    return widths


def _places(start: float, widths: Sequence[float]) -> list[float]:
    """Right ends of columns, in inches from the left edge."""
    places = []
    for width in widths:
        places.append(start + width)
        start += width + _GAP
    return places


def interval(
    axes: Axes,
    y: float,
    low: float,
    high: float,
    middle: float | None = None,
    *,
    colour: str,
    marker: str = "o",
    size: float = 4.5,
    width: float = 2.0,
    hollow: bool = False,
    dashed: bool = False,
) -> None:
    """Draw an interval with its middle; where it goes on beyond the axis it ends in an arrow."""
    first, last = axes.get_xlim()
    axes.plot(
        [max(low, first), min(high, last)], [y, y], color=colour, lw=width, solid_capstyle="butt",
        ls=(0, (2, 1.5)) if dashed else "-", zorder=2.5,
    )  # fmt: skip
    for beyond, x, arrow in ((low < first, first, "<"), (high > last, last, ">")):
        if beyond:
            axes.plot(x, y, arrow, color=colour, ms=5, clip_on=False, zorder=3)
    if middle is not None and first <= middle <= last:
        face = "white" if hollow else colour
        axes.plot(middle, y, marker, ms=size, mfc=face, mec=colour, mew=1.3, zorder=3.2, clip_on=False)


def diamond(axes: Axes, y: float, low: float, middle: float, high: float, colour: str = VERMILION) -> None:
    """Draw a pooled effect: as wide as its interval."""
    first, last = axes.get_xlim()
    low, high = max(low, first), min(high, last)
    corners = [(low, y), (middle, y - 0.11), (high, y), (middle, y + 0.11)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor=colour, zorder=3))


def bar(axes: Axes, y: float, low: float, middle: float, high: float) -> None:
    """Draw a predictive interval with its median."""
    first, last = axes.get_xlim()
    left, right = max(low, first), min(high, last)
    axes.add_patch(
        Rectangle((left, y - 0.09), right - left, 0.18, facecolor=SKY, edgecolor=BLUE, lw=0.8, zorder=2.5)
    )
    for beyond, x, arrow in ((low < first, first, "<"), (high > last, last, ">")):
        if beyond:
            axes.plot(x, y, arrow, color=BLUE, ms=6, clip_on=False, zorder=3)
    axes.plot([middle, middle], [y - 0.09, y + 0.09], color=INK, lw=1.6, zorder=3)
