"""How well panels must interpolate a log likelihood, and how well they do."""

import numpy as np
from numpy.typing import NDArray

from kyphobayes.exact.panels import ORDER, Array, Panels

PRECISION = 1e-8  # error of the interpolated log likelihood where it matters
TRUSTED = 4.0  # log likelihood below its maximum down to which it is interpolated to full precision
DIGITS = 1e-13  # ... or this share of its size, which rounding costs anyway
GOOD = 1e-7  # error of the log likelihood in the middle of a posterior that it may keep
DEEP = 50.0  # log likelihood below its maximum from where on its digits do not matter
DEAD = 300.0  # ... and from where on, over a whole cell of panels, it is as good as zero


def cell_errors(mu: Panels, tau: Panels, values: Array) -> Array:
    """Estimated error of an interpolated log likelihood in each cell: shape (mu panels, tau panels)."""
    along_mu = tau.by_panel(mu.last_coefficients(values).T).max(axis=1).T
    return along_mu + mu.by_panel(tau.last_coefficients(values.T).T).max(axis=1)


def rough(panels: Panels, others: Panels, values: Array) -> NDArray[np.bool_]:
    """Panels that do not interpolate log likelihoods where it matters; `values` has them on its first axis.

    An error weighs the less, the deeper below the maximum it is; further down it must only be too
    small to lift a value up, and in a dead cell it does not matter at all.
    """
    best = panels.by_panel(values).max(axis=1)  # (panels, other nodes)
    depth = values.max() - best
    allowed = np.where(
        depth < DEEP, np.minimum(PRECISION * np.exp(np.clip(depth - TRUSTED, 0, DEEP) / 3), 0.1), depth / 4
    )
    allowed = np.maximum(allowed, DIGITS * np.abs(panels.by_panel(values)).max(axis=1))
    alive = values.max() - DEAD < others.by_panel(best.T).max(axis=1).T  # (panels, other panels)
    unresolved = panels.last_coefficients(values) > allowed
    return (unresolved & np.repeat(alive, ORDER, axis=1)).any(axis=1)
