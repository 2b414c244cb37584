"""Pieces of HTML that values show of themselves in a notebook; text is escaped."""

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any

_WIDTH, _HEIGHT = 220, 44  # of a sketch, in pixels
_MOST = 40  # rows of a table that are shown


def escape(text: object) -> str:
    """Text that is shown and never run."""
    return html.escape(str(text), quote=True)


def number(value: object) -> str:
    """A number in four digits, a dash for none; anything else as escaped text."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return escape(value)
    plain = float(value)  # pyright: ignore[reportArgumentType]  # what cannot be a number has returned above
    if math.isnan(plain):
        return "–"
    shown = f"{plain:.0f}" if plain.is_integer() and abs(plain) < 1e15 else f"{plain:.4g}"
    return shown.replace("-", "−")


def block(*parts: str) -> str:
    """Parts, one under the other."""
    return f"<div>{''.join(part for part in parts if part)}</div>"


def line(text: object, *, strong: bool = False) -> str:
    """A paragraph of escaped text."""
    inside = f"<strong>{escape(text)}</strong>" if strong else escape(text)
    return f'<p style="margin:.3em 0">{inside}</p>'


def table(header: Sequence[object], rows: Iterable[Sequence[object]], *, caption: str = "") -> str:
    """A table; numbers are rounded and stand right, `Svg` is drawn, all else is escaped.

    Parameters
    ----------
    header : sequence
        Texts above the columns.
    rows : iterable of sequence
        The first cell of each is its head. Of many rows only the first are shown, and how many there are.
    caption : str
        A line above it.
    """
    cells = list(rows)
    below = cells[0] if cells else header
    heads = (_cell("th", text, _side(cell)) for text, cell in zip(header, below, strict=True))
    parts = [f"<thead><tr>{''.join(heads)}</tr></thead><tbody>"]
    for first, *others in cells[:_MOST]:
        parts.append(
            f"<tr>{_cell('th', first, 'left')}{''.join(_cell('td', other) for other in others)}</tr>"
        )
    if len(cells) > _MOST:
        parts.append(f'<tr><td colspan="{len(header)}">… {len(cells) - _MOST} more rows</td></tr>')
    whole = f'<div style="overflow-x:auto"><table>{"".join(parts)}</tbody></table></div>'
    return block(line(caption) if caption else "", whole)


def frame(values: Any, *, caption: str = "") -> str:
    """Table of a pandas DataFrame, whose index gives the heads of the rows."""
    names = [name if name is not None else "" for name in values.index.names]
    rows = [
        ["; ".join(map(str, index)) if isinstance(index, tuple) else index, *cells]
        for index, *cells in values.itertuples(name=None)
    ]
    head = "; ".join(map(str, names))
    return table([head, *map(str, values.columns)], rows, caption=caption)


class Svg(str):
    """SVG that a cell holds as it is."""

    __slots__ = ()


def sketch(
    x: Sequence[float], heights: Sequence[float], *, low: float, middle: float, high: float, label: str
) -> Svg:
    """A density as a small picture: the curve, its interval shaded, a line at its median.

    Parameters
    ----------
    x, heights : sequence of float
        Increasing places, and the density at them.
    low, middle, high : float
        Ends of the interval, and the median.
    label : str
        What a screen reader says.
    """
    points = [(float(a), float(h)) for a, h in zip(x, heights, strict=True) if math.isfinite(h)]
    if len(points) < 2 or points[-1][0] <= points[0][0]:
        return Svg("")
    first, last = points[0][0], points[-1][0]
    top = max(h for _, h in points) or 1.0

    def place(a: float) -> float:
        return 1 + (_WIDTH - 2) * (min(max(a, first), last) - first) / (last - first)

    def drawn(some: list[tuple[float, float]]) -> str:
        return " ".join(f"{place(a):.1f},{_HEIGHT - 1 - (_HEIGHT - 4) * h / top:.1f}" for a, h in some)

    inside = [(a, h) for a, h in points if low <= a <= high]
    area = ""
    if inside:
        corners = [f"{place(a):.1f},{_HEIGHT - 1}" for a, _ in (inside[0], inside[-1])]
        area = (
            f'<polygon points="{corners[0]} {drawn(inside)} {corners[1]}" fill="#0072B2" fill-opacity=".25"/>'
        )
    at = f"{place(middle):.1f}"
    return Svg(
        f'<svg role="img" aria-label="{escape(label)}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">{area}'
        f'<polyline points="{drawn(points)}" fill="none" stroke="#0072B2" stroke-width="1.5"/>'
        f'<line x1="{at}" x2="{at}" y1="2" y2="{_HEIGHT - 1}" stroke="currentColor" stroke-dasharray="3 2"/>'
        f'<line x1="0" x2="{_WIDTH}" y1="{_HEIGHT - 1}" y2="{_HEIGHT - 1}" stroke="currentColor"/></svg>'
    )


def _cell(tag: str, content: object, side: str = "") -> str:
    if isinstance(content, Svg):
        return f"<{tag}>{content}</{tag}>"
    return f'<{tag} style="text-align:{side or _side(content)}">{number(content)}</{tag}>'


def _side(content: object) -> str:
    """Numbers stand right."""
    return "left" if isinstance(content, str | bool) or not hasattr(content, "__float__") else "right"
