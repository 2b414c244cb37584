"""Two groups with rates: `events_1` in `time_1` at risk against `events_2` in `time_2`.

Every function takes arrays of one shape (already corrected, where a correction applies) and
returns the effect y of group 1 against group 2 and its sampling variance v; the unit of y is that
of 1 / time (IRD) or of its root (IRSD), or none (IRR).
"""

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects.validate import refuse
from kyphobayes.effects.zero_cells import ZeroCells

Array = NDArray[np.float64]
COLUMNS = ("events_1", "time_1", "events_2", "time_2")


def rate_ratio(events_1: Array, time_1: Array, events_2: Array, time_2: Array) -> tuple[Array, Array]:
    """IRR: y = log rate ratio, v = 1 / events_1 + 1 / events_2.

    Rothman, Greenland and Lash (2008), Modern Epidemiology, ch. 14.
    """
    y = np.log((events_1 / time_1) / (events_2 / time_2))
    return y, 1 / events_1 + 1 / events_2


def rate_difference(events_1: Array, time_1: Array, events_2: Array, time_2: Array) -> tuple[Array, Array]:
    """IRD: y = events_1 / time_1 - events_2 / time_2, v = the sum of events / time^2 over groups.

    Rothman, Greenland and Lash (2008), Modern Epidemiology, ch. 14.
    """
    y = events_1 / time_1 - events_2 / time_2
    return y, events_1 / time_1**2 + events_2 / time_2**2


def root_rate_difference(
    events_1: Array, time_1: Array, events_2: Array, time_2: Array
) -> tuple[Array, Array]:
    """IRSD: y = sqrt(events_1 / time_1) - sqrt(events_2 / time_2), v = 1/(4 time_1) + 1/(4 time_2).

    Bartlett (1936), for each group.
    """
    y = np.sqrt(events_1 / time_1) - np.sqrt(events_2 / time_2)
    return y, 1 / (4 * time_1) + 1 / (4 * time_2)


def check(events_1: Array, time_1: Array, events_2: Array, time_2: Array) -> None:
    """Raise InputError unless events >= 0 and time > 0 in both groups of every study."""
    for group, events, time in ((1, events_1, time_1), (2, events_2, time_2)):
        refuse(
            ~((events >= 0) & (time > 0)),
            f"events_{group} >= 0 and time_{group} > 0",
            "mend the row",
            **{f"events_{group}": events, f"time_{group}": time},
        )


def correct(
    zero_cells: ZeroCells, events_1: Array, time_1: Array, events_2: Array, time_2: Array
) -> tuple[tuple[Array, ...], NDArray[np.bool_]]:
    """Add the constant to both counts of the studies that need it; the times stay as they are."""
    corrected = zero_cells.corrected(events_1, events_2)
    added = np.where(corrected, zero_cells.add, 0.0)
    return (events_1 + added, time_1, events_2 + added, time_2), corrected


def says_nothing(events_1: Array, time_1: Array, events_2: Array, time_2: Array) -> NDArray[np.bool_]:
    """Studies without an event in either group."""
    return events_1 + events_2 == 0
