"""A quick look at pooled values, so that most tables are not pooled in full.

Only for a common effect and for DerSimonian-Laird, where Q, tau2 and the mean are sums. The search drops
what a quick look rules out by a wide slack; whatever it keeps is pooled in full and tested again, so that
nothing is decided here in favour of a table.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects.recover import back_transform
from kyphobayes.reconstruct.printed import Printed
from kyphobayes.reconstruct.values import Array, Counts, Printer

POOLINGS: Final = ("CE", "DL")
QUANTITIES: Final = ("pooled", "I2", "Q", "tau2")
_SLACK: Final = 1e-6


def plausible(printer: Printer, figures: Sequence[Printed], events: Counts) -> NDArray[np.bool_]:
    """Which tables of one group of studies may agree with figures about it; true where this cannot tell.

    Parameters
    ----------
    printer : Printer
    figures : sequence of Printed
        About the same studies, named in the same order.
    events : ndarray of int, shape (t, s)
    """
    keep = np.ones(len(events), dtype=bool)
    for figure, value in zip(figures, quick_values(printer, figures, events), strict=True):
        if value is not None:
            low, high = figure.inner
            slack = _SLACK * (1 + np.abs(value))
            keep &= np.isnan(value) | ((value >= low - slack) & (value <= high + slack))
    return keep


def quick_values(printer: Printer, figures: Sequence[Printed], events: Counts) -> list[Array | None]:
    """Values of figures about one group of studies, None for a figure that must be pooled in full.

    They differ from those of `Printer.values` by rounding errors only; NaN where no study has a variance.
    """
    poolings = [printer.pooling(f) if _quick(printer, f) else "" for f in figures]
    if not any(poolings):
        return [None] * len(figures)
    y, v = (values.T for values in printer.scale.effects(events, printer.columns(figures[0].studies)))
    present = np.isfinite(v)
    none = ~present.any(axis=0)
    v = np.where(present, v, np.inf)
    y = np.where(present, y, 0.0)
    w = 1 / v
    total = w.sum(axis=0) + none
    mean = (w * y).sum(axis=0) / total
    q = (w * (y - mean) ** 2).sum(axis=0)
    df = present.sum(axis=0) - 1
    scale = total - (w**2).sum(axis=0) / total
    tau2 = np.where(df > 0, np.maximum(0.0, q - df) / np.where(df > 0, scale, 1.0), 0.0)
    found: list[Array | None] = []
    for figure, pooling in zip(figures, poolings, strict=True):
        value: Array | None = None
        if pooling and figure.quantity == "Q":
            value = q
        elif pooling and figure.quantity == "I2":
            value = np.where(df > 0, 100 * np.maximum(0.0, 1 - df / np.maximum(q, 1e-300)), 0.0)
        elif pooling and figure.quantity == "tau2":
            value = tau2 if pooling == "DL" else np.zeros_like(q)
        elif pooling:
            random = 1 / (v + tau2) if pooling == "DL" else w
            value = (random * y).sum(axis=0) / (random.sum(axis=0) + none)
            value = back_transform(printer.constraints.measure, value)
        found.append(value if value is None else np.where(none, np.nan, value))
    return found


def _quick(printer: Printer, figure: Printed) -> bool:
    """Whether a figure can be had quickly."""
    whole = printer.constraints.test == "z" and printer.constraints.measure != "PFT"
    return whole and figure.quantity in QUANTITIES and printer.pooling(figure) in POOLINGS
