"""An interval, as every function of this package returns one."""

from typing import NamedTuple


class Interval(NamedTuple):
    """The two ends of an interval; unpacks as `low, high`."""

    low: float
    high: float
