"""A one-dimensional density on panels: its moments, probabilities, quantiles and shortest interval."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from kyphobayes.exact.panels import Array, Panels, antiderivative, lagrange
from kyphobayes.html import Svg, block, line, sketch
from kyphobayes.names import PROB

_ROUNDS = 60  # of Newton's method, or of halving where it would leave the panel
_TAIL, _POINTS = 2e-3, 121  # of a sketch: the mass beyond either end, and the points of its curve
_LAST = 1e-7  # a step of this share of a panel is the last: what is left is its square


def newton(function: Callable[[Array], tuple[Array, Array]], shape: tuple[int, ...]) -> Array:
    """Zero on [-1, 1] of increasing functions, given with their slopes; halving where a step leaves it."""
    low, high, x = np.full(shape, -1.0), np.full(shape, 1.0), np.zeros(shape)
    for _ in range(_ROUNDS):
        value, slope = function(x)
        low, high = np.where(value < 0, x, low), np.where(value < 0, high, x)
        following = x - np.divide(value, slope, out=np.full(shape, np.inf), where=slope > 0)
        good = ((following > low) & (following < high)) | (np.abs(following - x) <= _LAST)
        moved = np.clip(np.where(good, following, (low + high) / 2), -1.0, 1.0)
        step, x = np.abs(moved - x), moved
        if (step <= _LAST).all():
            break
    return x


class Density:
    """A density known at the nodes of `panels`, normalised to one.

    Parameters
    ----------
    panels : Panels
        They must cover all mass that matters and resolve the density.
    values : ndarray, shape (p * ORDER,)
        Density at the nodes, up to a constant.
    """

    def __init__(self, panels: Panels, values: Array):
        self.panels = panels
        values = np.maximum(values, 0.0)
        self.values = values / (panels.weights @ values)
        self._cumulative = np.concatenate([[0.0], np.cumsum(panels.integrals(self.values))])

    def __repr__(self) -> str:
        low, middle, high = self.quantile([(1 - PROB) / 2, 0.5, (1 + PROB) / 2])
        return f"Density(median {middle:.4g}, {100 * PROB:g} % interval {low:.4g} to {high:.4g})"

    def _repr_html_(self) -> str:
        return block(line(repr(self)), self.sketch())

    def sketch(self, label: str = "") -> Svg:
        """Draw a small picture of it, for notebooks.

        Parameters
        ----------
        label : str
            What it is the density of.
        """
        low, middle, high = (float(q) for q in self.quantile([(1 - PROB) / 2, 0.5, (1 + PROB) / 2]))
        first, last = (float(q) for q in self.quantile([_TAIL, 1 - _TAIL]))
        x = np.linspace(first, last, _POINTS)
        said = f"Density of {label}" if label else "Density"
        said = f"{said}: median {middle:.3g}, {100 * PROB:g} % interval {low:.3g} to {high:.3g}"
        return sketch(x.tolist(), self.pdf(x).tolist(), low=low, middle=middle, high=high, label=said)

    def expectation(self, function: Callable[[Array], Array]) -> float:
        """Mean of `function(x)`."""
        return float((self.panels.weights * self.values) @ function(self.panels.nodes))

    @property
    def mean(self) -> float:
        """Mean."""
        return self.expectation(lambda x: x)

    @property
    def sd(self) -> float:
        """Standard deviation."""
        mean = self.mean
        if not np.isfinite(mean):
            return float("inf")
        return float(np.sqrt(self.expectation(lambda x: (x - mean) ** 2)))

    def pdf(self, x: ArrayLike) -> Array:
        """Density at `x`; zero outside the panels."""
        x = np.asarray(x, dtype=float)
        panel, place = self.panels.locate(x)
        inside = (x >= self.panels.edges[0]) & (x <= self.panels.edges[-1])
        local = (lagrange(place) * self.panels.by_panel(self.values)[panel]).sum(axis=-1)
        return np.where(inside, np.maximum(local, 0.0), 0.0)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value up to `x`."""
        x = np.asarray(x, dtype=float)
        panel, place = self.panels.locate(x)
        within = (antiderivative(place) * self.panels.by_panel(self.values)[panel]).sum(axis=-1)
        return np.clip(self._cumulative[panel] + within * self.panels.widths[panel] / 2, 0.0, 1.0)

    def quantile(self, q: ArrayLike) -> Array:
        """Value below which a share `q` of the mass lies: by Newton's method within its panel."""
        q = np.asarray(q, dtype=float)
        panel = np.clip(np.searchsorted(self._cumulative, q, side="right") - 1, 0, len(self.panels) - 1)
        below, half = self._cumulative[panel] - q, self.panels.widths[panel] / 2
        values = self.panels.by_panel(self.values)[panel]

        def excess(place: Array) -> tuple[Array, Array]:
            mass = half * (antiderivative(place) * values).sum(axis=-1)
            return below + mass, half * (lagrange(place) * values).sum(axis=-1)

        place = newton(excess, q.shape)
        return self.panels.edges[panel] + half * (place + 1)

    def eti(self, prob: float = PROB) -> tuple[float, float]:
        """Central interval that holds `prob`."""
        low, high = self.quantile([(1 - prob) / 2, (1 + prob) / 2])
        return float(low), float(high)

    def hdi(self, prob: float = PROB) -> tuple[float, float]:
        """Shortest interval that holds `prob`, for a density with one mode."""
        # Both ends move with the mass left below; scan, then narrow the scan around the best.
        low, high = 0.0, 1.0 - prob
        for _ in range(12):
            below = np.linspace(low, high, 41)
            widths = self.quantile(below + prob) - self.quantile(below)
            best = int(np.argmin(widths))
            low, high = below[max(best - 1, 0)], below[min(best + 1, 40)]
            if high - low < 1e-9:
                break
        middle = (low + high) / 2
        ends = self.quantile([middle, middle + prob])
        return float(ends[0]), float(ends[1])
