"""Two arms given the events of both: Fisher's noncentral hypergeometric distribution.

With theta the log odds ratio, the probability of x events in arm 1 is proportional to
C(n_1, x) C(n_2, total - x) exp(x theta). The sum over x may have a million terms, and an integral over
theta asks for it at tens of thousands of places. Neither is needed: the count is a sum of independent
Bernoulli variables (Vatutin and Mikhailov 1982), so that with variance v its distribution falls faster than
a Poisson distribution and leaving out all but every s-th term changes the sum by a share of at most
exp(-v (1 - cos(2 pi / s))). And since the poles of mean and variance have an imaginary part of +-pi,
polynomials of theta on short panels stand for them to the last digit.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.frequentist.conditional import FAR, Bools, Derivatives, at_column, find_bend, log_choose

Array = NDArray[np.float64]

WIDTH: Final = 2.0  # of a panel: its Bernstein ellipse through the poles has semiaxes that sum to 6.4
ORDER: Final = 22  # 6.4^-22 = 2e-18
PANELS: Final = int(2 * FAR / WIDTH)
SIDE: Final = 64  # terms on either side of the highest: at variance 25, the last is below e^-44
STRIDE: Final = 2.5  # standard deviations to every term left standing; then v (1 - cos(2 pi / s)) > 40
CHUNK: Final = 32  # panels at a time
_ANGLES: Final = np.pi * (np.arange(ORDER) + 0.5) / ORDER
_TO_COEFFICIENTS: Final = np.cos(np.outer(np.arange(ORDER), _ANGLES)) * 2 / ORDER
_TO_COEFFICIENTS[0] /= 2


@dataclass(frozen=True, eq=False)
class Hypergeometric:
    """`events_1` of `n_1` and `events_2` of `n_2`, given their sum: arrays of shape (k,)."""

    events_1: Array
    n_1: Array
    events_2: Array
    n_2: Array

    @cached_property
    def least(self) -> Array:
        """The fewest events that arm 1 can have."""
        return np.maximum(0.0, self.events_1 + self.events_2 - self.n_2)

    @cached_property
    def most(self) -> Array:
        """The most events that arm 1 can have."""
        return np.minimum(self.n_1, self.events_1 + self.events_2)

    @cached_property
    def highest(self) -> Array:
        """The log likelihood where the mean is the events observed; 0 if they are the fewest or the most."""
        inner = (self.events_1 > self.least) & (self.events_1 < self.most)
        theta = self.bend
        for _ in range(2):  # `bend` is near enough for Newton's method
            _, first, second = at_column(self, theta)
            theta = np.where(inner, theta - first / np.where(inner, second, -1.0), theta)
        return np.where(inner, at_column(self, theta)[0], 0.0)

    @cached_property
    def bend(self) -> Array:
        """Where the mean is the events observed, or near there."""
        return find_bend(self, len(self.n_1))

    @property
    def certain(self) -> tuple[Bools, Bools]:
        """The fewest events in arm 1, and the most."""
        return self.events_1 == self.least, self.events_1 == self.most

    def derivatives(self, theta: Array) -> Derivatives:
        """At theta of shape (k, n)."""
        inside = np.clip(theta, -FAR, FAR)
        place = (inside + FAR) / WIDTH
        panel = np.minimum(place.astype(np.intp), PANELS - 1)
        study = np.arange(len(theta))[:, None]
        done, coefficients = self._panels
        missing = np.zeros_like(done)
        missing[np.broadcast_to(study, panel.shape), panel] = True
        todo = np.argwhere(missing & ~done)
        for chunk in np.array_split(todo, -(-len(todo) // CHUNK)) if len(todo) else []:
            coefficients[*chunk.T] = self._fitted(*chunk.T)
            done[*chunk.T] = True
        angle = np.arccos(np.clip(2 * (place - panel) - 1, -1.0, 1.0))
        basis = np.cos(angle[..., None] * np.arange(ORDER))
        value, first, second = np.moveaxis(
            np.einsum("knj,kncj->knc", basis, coefficients[study, panel]), -1, 0
        )
        # Further out, arm 1 has its fewest or its most events: the logarithm is a straight line.
        return value + first * (theta - inside), first, second

    @cached_property
    def _panels(self) -> tuple[NDArray[np.bool_], Array]:
        """Which panels are done, (k, panels), and their Chebyshev coefficients, (k, panels, 3, order)."""
        shape = (len(self.n_1), PANELS)
        return np.zeros(shape, dtype=bool), np.empty((*shape, 3, ORDER))

    def _fitted(self, study: NDArray[np.intp], panel: NDArray[np.intp]) -> Array:
        """Chebyshev coefficients of these panels: of the log likelihood and its two derivatives."""
        theta = -FAR + WIDTH * (panel[:, None] + (1 + np.cos(_ANGLES)) / 2)
        return np.stack(self._summed(study, theta), axis=1) @ _TO_COEFFICIENTS.T

    def _summed(self, study: NDArray[np.intp], theta: Array) -> Derivatives:
        """The log likelihood of these studies and its derivatives, at theta of shape (studies, n)."""
        every = (self.events_1, self.n_1, self.events_2, self.n_2, self.least, self.most)
        x1, n1, x2, n2, least, most = (values[study][:, None] for values in every)
        total, odds = x1 + x2, np.exp(theta)
        low, high = np.broadcast_to(least, theta.shape), np.broadcast_to(most, theta.shape)
        for _ in range(int(np.ceil(np.log2((most - least).max() + 1)))):
            x = np.floor((low + high) / 2)
            climbs = (n1 - x) * (total - x) * odds > (x + 1) * (n2 - total + x + 1)
            low, high = np.where(climbs, np.minimum(x + 1, high), low), np.where(climbs, high, x)
        cells = (low, n1 - low, total - low, n2 - total + low)
        variance = 1 / sum(1 / (cell + 1) for cell in cells)
        stride = np.maximum(1.0, np.floor(np.sqrt(variance) / STRIDE))
        side = min(SIDE, int((most - least).max()))
        x = low[..., None] + stride[..., None] * np.arange(-side, side + 1.0)
        inside = (x >= least[..., None]) & (x <= most[..., None])
        x = np.clip(x, least[..., None], most[..., None])
        log_terms = log_choose(n1[..., None], x) + log_choose(n2[..., None], total[..., None] - x)
        own = log_choose(n1, x1) + log_choose(n2, x2)
        log_terms = log_terms - own[..., None] + (x - x1[..., None]) * theta[..., None]
        top = log_terms.max(axis=-1)
        terms = np.where(inside, np.exp(log_terms - top[..., None]), 0.0)
        count = terms.sum(axis=-1)
        apart = x - low[..., None]
        mean = (terms * apart).sum(axis=-1) / count
        spread = (terms * (apart - mean[..., None]) ** 2).sum(axis=-1) / count
        return -top - np.log(stride * count), x1 - low - mean, -spread
