"""Log likelihoods of one study's counts given its effect theta, with two derivatives in theta.

Each has `derivatives(theta)`: the log likelihood, its first and its second derivative, all of shape (k, n)
for theta of that shape; `highest`, shape (k,): what the log likelihood can reach; and `bend`, shape (k,):
where it does. The terms that do not depend on theta are included, so that values compare with other software.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.frequentist.links import Link

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Derivatives = tuple[Array, Array, Array]
FAR: Final = 100.0  # no effect of a table of counts is larger
FARTHEST: Final = 300.0
BEND_ROUNDS: Final = 20


class Conditional(Protocol):
    """What the mixed model integrates over theta."""

    @cached_property
    def highest(self) -> Array:
        """The supremum of each study's log likelihood, shape (k,)."""
        ...

    @cached_property
    def bend(self) -> Array:
        """The theta where it is reached, or, where that is at infinity, where it is missed by 1; (k,)."""
        ...

    @property
    def certain(self) -> tuple[Bools, Bools]:
        """Whose likelihood goes to 1 where theta goes to -inf, and where it goes to +inf, both (k,)."""
        ...

    def derivatives(self, theta: Array) -> Derivatives:
        """The log likelihood and its first two derivatives at theta of shape (k, n)."""
        ...


@dataclass(frozen=True, eq=False)
class Binomial:
    """`events` of `n`, with link(p) = theta."""

    events: Array
    n: Array
    link: Link

    @cached_property
    def constant(self) -> Array:
        """Log binomial coefficients, shape (k,)."""
        return log_choose(self.n, self.events)

    @cached_property
    def highest(self) -> Array:
        """The binomial log likelihood at p = events / n."""
        return _peak(self.n, self.events)

    @cached_property
    def bend(self) -> Array:
        """Where p = events / n, or near there."""
        return find_bend(self, len(self.events))

    @property
    def certain(self) -> tuple[Bools, Bools]:
        """No events, and events only."""
        return self.events == 0, self.events == self.n

    def derivatives(self, theta: Array) -> Derivatives:
        """At theta of shape (k, n)."""
        yes, no = self.link(theta)
        hits, misses = self.events[:, None], (self.n - self.events)[:, None]
        value, first, second = (hits * a + misses * b for a, b in zip(yes, no, strict=True))
        return self.constant[:, None] + value, first, second


@dataclass(frozen=True, eq=False)
class Poisson:
    """`events` in `time` at risk, with log(rate) = theta."""

    events: Array
    time: Array

    @cached_property
    def highest(self) -> Array:
        """The Poisson log likelihood at a mean of `events`."""
        some = np.maximum(self.events, 1.0)
        return np.where(self.events > 0, -stirling_error(some) - np.log(2 * np.pi * some) / 2, 0.0)

    @cached_property
    def bend(self) -> Array:
        """Where the mean is `events`, or 1 for none."""
        return np.log(np.maximum(self.events, 1.0) / self.time)

    @property
    def certain(self) -> tuple[Bools, Bools]:
        """No events; none."""
        return self.events == 0, np.zeros(len(self.events), dtype=bool)

    def derivatives(self, theta: Array) -> Derivatives:
        """At theta of shape (k, n)."""
        events = self.events[:, None]
        some, apart = np.maximum(events, 1.0), theta - self.bend[:, None]
        # A mean beyond exp(FARTHEST) is as impossible as that, and its square is a number.
        excess = some * np.expm1(np.minimum(apart, FARTHEST)) + (some - events)  # of the mean over the events
        return self.highest[:, None] + events * apart - excess, -excess, -(events + excess)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two arms with logits baseline + theta / 2 and baseline - theta / 2: theta is the log odds ratio."""

    arm_1: Binomial
    arm_2: Binomial
    baseline: Array

    @cached_property
    def highest(self) -> Array:
        """Both arms at their own shares."""
        return self.arm_1.highest + self.arm_2.highest

    @cached_property
    def bend(self) -> Array:
        """Given the baselines."""
        return find_bend(self, len(self.baseline))

    @property
    def certain(self) -> tuple[Bools, Bools]:
        """All events in one arm and all its patients: other studies have a baseline for one theta only."""
        (none_1, all_1), (none_2, all_2) = self.arm_1.certain, self.arm_2.certain
        return none_1 & all_2, all_1 & none_2

    def derivatives(self, theta: Array) -> Derivatives:
        """At theta of shape (k, n)."""
        (a, a1, a2), (b, b1, b2) = self._arms(theta)
        return a + b, (a1 - b1) / 2, (a2 + b2) / 4

    def baseline_derivatives(self, theta: Array) -> Derivatives:
        """First and second derivative in the baseline, and the mixed one."""
        (_, a1, a2), (_, b1, b2) = self._arms(theta)
        return a1 + b1, a2 + b2, (a2 - b2) / 2

    def _arms(self, theta: Array) -> tuple[Derivatives, Derivatives]:
        middle = self.baseline[:, None]
        return self.arm_1.derivatives(middle + theta / 2), self.arm_2.derivatives(middle - theta / 2)


def log_choose(n: Array, x: Array) -> Array:
    """Log binomial coefficients; log gamma functions would cancel where n is large."""
    p = x / n
    return _peak(n, x) - special.xlogy(x, p) - special.xlog1py(n - x, -p)


def stirling_error(n: Array) -> Array:
    """What Stirling's formula lacks of log n!, n >= 1 (Loader 2000)."""
    large = np.maximum(n, 16.0)
    square = large**-2
    series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - square / 1188) * square) * square) * square) / large
    exact = special.gammaln(n + 1) - (n + 0.5) * np.log(n) + n - np.log(2 * np.pi) / 2
    return np.where(n < 16, exact, series)


def _peak(n: Array, x: Array) -> Array:
    """The binomial log likelihood at p = x / n."""
    inner = (x > 0) & (x < n)
    yes, no = np.where(inner, x, 1.0), np.where(inner, n - x, 1.0)
    error = stirling_error(np.maximum(n, 1.0)) - stirling_error(yes) - stirling_error(no)
    return np.where(inner, error + np.log(n / yes / no / (2 * np.pi)) / 2, 0.0)


def find_bend(studies: Conditional, k: int) -> Array:
    """By halving: where the slope changes its sign, or else the value is 1 below its limit."""
    low, high = (np.full(k, side * FAR) for side in (-1.0, 1.0))
    (start, first, _), (end, last, _) = (at_column(studies, at) for at in (low, high))
    falls, climbs = first <= 0, last >= 0
    for _ in range(BEND_ROUNDS):
        middle = (low + high) / 2
        value, slope, _ = at_column(studies, middle)
        right = np.where(falls, value > start - 1, np.where(climbs, value < end - 1, slope > 0))
        low, high = np.where(right, middle, low), np.where(right, high, middle)
    return (low + high) / 2


def at_column(studies: Conditional, theta: Array) -> Derivatives:
    """The derivatives at one theta for each study, all of shape (k,)."""
    value, first, second = studies.derivatives(theta[:, None])
    return value[:, 0], first[:, 0], second[:, 0]
