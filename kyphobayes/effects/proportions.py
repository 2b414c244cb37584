"""Proportions: `events` out of `n`, on five scales.

Every function takes arrays of one shape (already corrected, where a correction applies) and
returns the effect y and its sampling variance v.
"""

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects.validate import refuse
from kyphobayes.effects.zero_cells import ZeroCells

Array = NDArray[np.float64]
COLUMNS = ("events", "n")


def proportion(events: Array, n: Array, *, vtype: str) -> tuple[Array, Array]:
    """PR, the raw proportion: y = p = events / n, v = p (1 - p) / n (the binomial's own variance).

    UB: v = p (1 - p) / (n - 1), unbiased.
    """
    p, others = events / n, (n - events) / n  # 1 - p would lose the digits of rare non-events
    return p, p * others / (n - 1 if vtype == "UB" else n)


def log_odds(events: Array, n: Array) -> tuple[Array, Array]:
    """PLO: y = log(events / (n - events)), v = 1 / events + 1 / (n - events).

    Woolf (1955), the delta method on one binomial.
    """
    return log_ratio(events, n - events), 1 / events + 1 / (n - events)


def log_proportion(events: Array, n: Array) -> tuple[Array, Array]:
    """PLN: y = log(events / n), v = 1 / events - 1 / n, the delta method on one binomial."""
    # (n - events) / (events n) is 1/events - 1/n without its cancellation.
    return log_ratio(events, n), (n - events) / (events * n)


def log_ratio(a: Array, b: Array) -> Array:
    """log(a / b), with all its digits where a is next to b and the logarithm next to 0."""
    return np.where(np.abs(a - b) < b / 2, np.log1p((a - b) / b), np.log(a / b))


def arcsine(events: Array, n: Array) -> tuple[Array, Array]:
    """PAS: y = arcsin(sqrt(events / n)) in radians, v = 1 / (4 n); Anscombe (1948)."""
    return np.arcsin(np.sqrt(events / n)), 1 / (4 * n)


def freeman_tukey(events: Array, n: Array) -> tuple[Array, Array]:
    """PFT: y = (arcsin(sqrt(e / (n + 1))) + arcsin(sqrt((e + 1) / (n + 1)))) / 2, v = 1 / (4 n + 2).

    Freeman and Tukey (1950), halved as in Miller (1978) so that it is in radians.
    """
    below = np.arcsin(np.sqrt(events / (n + 1)))
    above = np.arcsin(np.sqrt((events + 1) / (n + 1)))
    return (below + above) / 2, 1 / (4 * n + 2)


def check(events: Array, n: Array) -> None:
    """Raise InputError unless 0 <= events <= n and n > 0 in every study."""
    refuse(
        ~((events >= 0) & (events <= n) & (n > 0)),
        "0 <= events <= n with n > 0",
        "mend the counts",
        events=events,
        n=n,
    )


def correct(zero_cells: ZeroCells, events: Array, n: Array) -> tuple[tuple[Array, Array], NDArray[np.bool_]]:
    """Add the constant to both cells, events and non-events, of the studies that need it."""
    corrected = zero_cells.corrected(events, n - events)
    added = np.where(corrected, zero_cells.add, 0.0)
    return (events + added, n + 2 * added), corrected
