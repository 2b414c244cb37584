"""Two groups with counts: `events_1` out of `n_1` against `events_2` out of `n_2`, on five scales.

Every function takes arrays of one shape (already corrected, where a correction applies) and
returns the effect y of group 1 against group 2 and its sampling variance v.
"""

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects.validate import refuse
from kyphobayes.effects.zero_cells import ZeroCells

Array = NDArray[np.float64]
COLUMNS = ("events_1", "n_1", "events_2", "n_2")


def odds_ratio(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> tuple[Array, Array]:
    """OR: y = log odds ratio, v = the sum of the reciprocals of the four cells; Woolf (1955)."""
    others_1, others_2 = n_1 - events_1, n_2 - events_2
    y = np.log(events_1 * others_2 / (others_1 * events_2))
    return y, 1 / events_1 + 1 / others_1 + 1 / events_2 + 1 / others_2


def risk_ratio(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> tuple[Array, Array]:
    """RR: y = log risk ratio, v = 1/events_1 - 1/n_1 + 1/events_2 - 1/n_2, the delta method.

    Katz, Baptista, Azen and Pike (1978).
    """
    # (n - events) / (events n) is 1/events - 1/n without its cancellation.
    v = (n_1 - events_1) / (events_1 * n_1) + (n_2 - events_2) / (events_2 * n_2)
    return np.log(events_1 * n_2 / (events_2 * n_1)), v


def risk_difference(
    events_1: Array, n_1: Array, events_2: Array, n_2: Array, *, vtype: str
) -> tuple[Array, Array]:
    """RD: y = p_1 - p_2, v = the sum of p (1 - p) / n over groups; of p (1 - p) / (n - 1) for UB."""
    p_1, p_2 = events_1 / n_1, events_2 / n_2
    q_1, q_2 = (n_1 - events_1) / n_1, (n_2 - events_2) / n_2  # 1 - p, with the digits of rare non-events
    lost = 1 if vtype == "UB" else 0
    return p_1 - p_2, p_1 * q_1 / (n_1 - lost) + p_2 * q_2 / (n_2 - lost)


def arcsine_difference(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> tuple[Array, Array]:
    """AS: y = arcsin(sqrt(p_1)) - arcsin(sqrt(p_2)) in radians, v = 1 / (4 n_1) + 1 / (4 n_2).

    Rücker, Schwarzer, Carpenter and Olkin (2009).
    """
    y = np.arcsin(np.sqrt(events_1 / n_1)) - np.arcsin(np.sqrt(events_2 / n_2))
    return y, 1 / (4 * n_1) + 1 / (4 * n_2)


def peto(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> tuple[Array, Array]:
    """PETO: y = (O - E) / V, the one-step log odds ratio, v = 1 / V; Yusuf et al. (1985).

    V is the variance of the hypergeometric distribution of events_1, E its mean.
    """
    total, events = n_1 + n_2, events_1 + events_2
    variance = (n_1 / total) * (n_2 / total) * events * (total - events) / (total - 1)
    # O - E over one denominator: of huge groups both are huge, and cancel.
    return (events_1 * n_2 - events_2 * n_1) / total / variance, 1 / variance


def check(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> None:
    """Raise InputError unless 0 <= events <= n and n > 0 in both groups of every study."""
    for group, events, n in ((1, events_1, n_1), (2, events_2, n_2)):
        refuse(
            ~((events >= 0) & (events <= n) & (n > 0)),
            f"0 <= events_{group} <= n_{group} with n_{group} > 0",
            "mend the counts",
            **{f"events_{group}": events, f"n_{group}": n},
        )


def correct(
    zero_cells: ZeroCells, events_1: Array, n_1: Array, events_2: Array, n_2: Array
) -> tuple[tuple[Array, ...], NDArray[np.bool_]]:
    """Add the constant to the four cells of the studies that need it."""
    corrected = zero_cells.corrected(events_1, n_1 - events_1, events_2, n_2 - events_2)
    added = np.where(corrected, zero_cells.add, 0.0)
    return (events_1 + added, n_1 + 2 * added, events_2 + added, n_2 + 2 * added), corrected


def says_nothing(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> NDArray[np.bool_]:
    """Studies in which both groups have no event, or both have nothing but events."""
    return (events_1 + events_2 == 0) | ((events_1 == n_1) & (events_2 == n_2))
