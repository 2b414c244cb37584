"""Paired measurements: ours and the peer's in turns; what slows the machine for a while slows both."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from scipy.stats import binom

from benchmarks.rows import Pair

NARROW = 0.06  # of the ratio: half the interval's width at which no more repeats are needed
PATIENCE = 60.0  # seconds after which a row gets no more repeats than it must have


@dataclass(frozen=True)
class Measured:
    """What repeats of a pair gave, in seconds; both have the same length."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ours_seconds(self) -> float:
        """Our median."""
        return median(self.ours)

    @property
    def theirs_seconds(self) -> float:
        """The peer's median."""
        return median(self.theirs)

    @property
    def ratios(self) -> list[float]:
        """How many times as long the peer took, one for each repeat."""
        return [theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """Median of the ratios."""
        return median(self.ratios)

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of the median ratio, by order statistics: 95 %, or the range where repeats are few."""
        ordered = sorted(self.ratios)
        cut = int(binom.ppf(0.025, len(ordered), 0.5))  # P(fewer than `cut` lie below the median) <= 2.5 %
        cut = max(cut - 1, 0)
        return ordered[cut], ordered[-1 - cut]

    @property
    def spread(self) -> float:
        """Half the interval's width, as a share of the ratio."""
        low, high = self.interval
        return (high - low) / 2 / self.ratio


def measure(
    pair: Pair,
    least: int,
    most: int,
    undecided: Callable[[Measured], bool] = lambda _: False,
    patience: float = PATIENCE,
) -> Measured:
    """Measure both sides in turns.

    Parameters
    ----------
    pair : Pair
    least, most : int
        Repeats. Those beyond `least` are made while the ratio is noisy or `undecided`.
    undecided : callable
        Whether what is measured so far leaves open what to say of it.
    patience : float
        Seconds after which no repeat beyond `least` is begun.
    """
    start = time.perf_counter()
    ours: list[float] = []
    theirs: list[float] = []
    while True:
        sides = [(ours, pair.ours), (theirs, pair.theirs)]
        for kept, side in sides if len(ours) % 2 == 0 else reversed(sides):  # neither is always the first
            kept.append(side())
        found = Measured(tuple(ours), tuple(theirs))
        if len(ours) < least:
            continue
        done = len(ours) >= most or time.perf_counter() - start > patience
        if done or (found.spread <= NARROW and not undecided(found)):
            return found
