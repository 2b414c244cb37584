"""Incidence rates: `events` in `time` at risk, on three scales.

Every function takes arrays of one shape (already corrected, where a correction applies) and
returns the effect y and its sampling variance v; the unit of y is that of 1 / time (IR), its log
(IRLN) or its root (IRS).
"""

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects.validate import refuse
from kyphobayes.effects.zero_cells import ZeroCells

Array = NDArray[np.float64]
COLUMNS = ("events", "time")


def rate(events: Array, time: Array) -> tuple[Array, Array]:
    """IR: y = events / time, v = events / time^2 (the Poisson's own variance)."""
    return events / time, events / time**2


def log_rate(events: Array, time: Array) -> tuple[Array, Array]:
    """IRLN: y = log(events / time), v = 1 / events, the delta method on one Poisson count."""
    return np.log(events / time), 1 / events


def root_rate(events: Array, time: Array) -> tuple[Array, Array]:
    """IRS: y = sqrt(events / time), v = 1 / (4 time); Bartlett (1936)."""
    return np.sqrt(events / time), 1 / (4 * time)


def check(events: Array, time: Array) -> None:
    """Raise InputError unless events >= 0 and time > 0 in every study."""
    refuse(
        ~((events >= 0) & (time > 0)),
        "events >= 0 and time > 0",
        "mend the row",
        events=events,
        time=time,
    )


def correct(
    zero_cells: ZeroCells, events: Array, time: Array
) -> tuple[tuple[Array, Array], NDArray[np.bool_]]:
    """Add the constant to the events of the studies that need it; the time stays as it is."""
    corrected = zero_cells.corrected(events)
    return (events + np.where(corrected, zero_cells.add, 0.0), time), corrected
