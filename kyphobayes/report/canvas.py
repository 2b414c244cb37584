"""What all figures share: size, colours, type, and the way to SVG and PNG."""

import hashlib
import re
from io import BytesIO, StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette, which people with any colour vision can tell apart.
BLUE, ORANGE, SKY, GREEN, VERMILION = "#0072B2", "#E69F00", "#56B4E9", "#009E73", "#D55E00"
INK, GREY, PALE = "#1a1a1a", "#6b6b6b", "#d9d9d9"

WIDTH = 8.6  # inches; the page shows figures at this size
SIZE, SMALL = 10.0, 9.0  # points

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # it comes with matplotlib, so figures look alike everywhere
    "font.size": SIZE,
    "axes.labelsize": SIZE,
    "axes.titlesize": SIZE,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.parse_math": False,  # a study named $x$ is not a formula
    "text.usetex": False,
    "hatch.linewidth": 0.8,
    "svg.fonttype": "path",  # letters as outlines: no font can be missing, nothing can shift
    "path.simplify": True,
}


def style():
    """Context in which figures are drawn and written; matplotlib's global settings stay as they are."""
    return mpl.rc_context(_STYLE)


def blank(width: float = WIDTH, height: float = 3.0) -> Figure:
    """Make an empty figure of so many inches with a canvas that can measure text."""
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def text_size(figure: Figure, text: str, size: float = SIZE, weight: str = "normal") -> tuple[float, float]:
    """Width and height of a text in inches."""
    probe = figure.text(0, 0, text, fontsize=size, fontweight=weight)
    # the canvas is Agg's, which has a renderer
    box = probe.get_window_extent(figure.canvas.get_renderer())  # pyright: ignore[reportAttributeAccessIssue]
    probe.remove()
    return box.width / figure.dpi, box.height / figure.dpi


def wrapped(figure: Figure, text: str, width: float, size: float = SIZE, lines: int = 4) -> str:
    """Break a text into lines no wider than so many inches; of too many, those in the middle are left out."""
    done: list[str] = []
    line = ""
    for word in text.split():
        for piece in _pieces(figure, word, width, size):
            joined = f"{line} {piece}".strip()
            if line and text_size(figure, joined, size)[0] > width:
                done.append(line)
                joined = piece
            line = joined
    done.append(line)
    if len(done) > lines:
        cut = done[lines - 2]
        while cut and text_size(figure, cut + "…", size)[0] > width:
            cut = cut[:-1]
        done = [*done[: lines - 2], cut.rstrip() + "…", done[-1]]
    return "\n".join(done)


def _pieces(figure: Figure, word: str, width: float, size: float) -> list[str]:
    """Cut a word that is wider than the column."""
    pieces = []
    while text_size(figure, word, size)[0] > width and len(word) > 1:
        cut = len(word) - 1
        while cut > 1 and text_size(figure, word[:cut], size)[0] > width:
            cut -= 1
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]


def quiet_axis(axes: Axes, *, left: bool = False) -> None:
    """Take away the vertical axis, whose numbers say nothing."""
    axes.spines["left"].set_visible(left)
    axes.tick_params(left=left, labelleft=left)


def percent_ticks(axes: Axes) -> None:
    """Label a horizontal axis of shares in percent."""
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g}")


def to_svg(figure: Figure, name: str) -> str:
    """Write a figure as an ``<svg>`` element for a page.

    Its ids begin with `name`, so that figures do not mix up in one page, and equal figures give equal text.
    """
    buffer = StringIO()
    with style(), mpl.rc_context({"svg.hashsalt": hashlib.sha256(name.encode()).hexdigest()}):
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    prefix = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'href="#', f'href="#{prefix}-', text)
    return re.sub(r"url\(#", f"url(#{prefix}-", text)


def to_png(figure: Figure) -> bytes:
    """Write a figure as PNG with 200 dots per inch."""
    buffer = BytesIO()
    with style():
        figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()
