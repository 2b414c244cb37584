"""The likelihood of a step-function selection model, with its derivatives, and the climb to a maximum.

A study whose p-value lies in interval j is seen with probability proportional to delta_j. With
s^2 = v + tau2 its effect then has the density delta_j N(y; mu, s^2) / A, where A = sum_j(delta_j B_j)
and B_j is the probability of a p-value in interval j (Vevea and Hedges 1995, eq. 6 and 7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Free = NDArray[np.bool_]

STEPS: Final = 200
FAR: Final = 30.0  # a log delta beyond this, or a mu this many spreads of y away, has run away


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Of theta = (mu, tau2, log delta_2, log delta_3, ...); delta_1 is 1.

    Attributes
    ----------
    y, v : ndarray, shape (k,)
        Effects and sampling variances, in standard units: the smallest v is 1.
    interval : ndarray of int, shape (k,)
        Which interval holds the p-value of a study.
    cuts : ndarray, shape (k, intervals - 1)
        The effects at which its p-value would equal each step but the last.
    two_sided : bool
        Whether an effect of the other sign has the same p-value.
    """

    y: Array
    v: Array
    interval: NDArray[np.intp]
    cuts: Array
    two_sided: bool

    @classmethod
    def of(cls, y: Array, v: Array, steps: Array, *, two_sided: bool) -> Self:
        """From the steps, of which the last is 1; small p-values belong to large effects."""
        sd = np.sqrt(v)
        p = 2 * special.ndtr(-np.abs(y) / sd) if two_sided else special.ndtr(-y / sd)
        tail = steps[:-1] / 2 if two_sided else steps[:-1]
        interval = np.searchsorted(steps, p, side="left")  # p equal to a step lies below it
        return cls(y, v, interval, -special.ndtri(tail) * sd[:, None], two_sided)

    @property
    def counts(self) -> NDArray[np.intp]:
        """Studies per interval."""
        return np.bincount(self.interval, minlength=self.cuts.shape[1] + 1)

    def value(self, theta: Array) -> float:
        """The log likelihood."""
        return self._value(theta, *self._weighted(theta)[:2])

    def derivatives(self, theta: Array) -> tuple[float, Array, Array]:
        """The log likelihood, its gradient and its Hessian."""
        seen, shares, delta = self._weighted(theta)
        mu, s2 = theta[0], self.v + theta[1]
        r = self.y - mu
        (b_m, b_t, b_mm, b_mt, b_tt), n = self._slopes(mu, s2), theta.size

        # First and second derivatives of A, over A, per study.
        first = np.column_stack([b_m @ delta / seen, b_t @ delta / seen, shares[:, 1:]])
        second = np.zeros((self.y.size, n, n))
        second[:, 0, 0], second[:, 1, 1] = b_mm @ delta / seen, b_tt @ delta / seen
        second[:, 0, 1] = second[:, 1, 0] = b_mt @ delta / seen
        for row, slope in ((0, b_m), (1, b_t)):
            mixed = slope[:, 1:] * delta[1:] / seen[:, None]
            second[:, row, 2:] = second[:, 2:, row] = mixed
        second[:, range(2, n), range(2, n)] = shares[:, 1:]

        gradient = -first.sum(axis=0)
        gradient[0] += (r / s2).sum()
        gradient[1] += ((r**2 / s2 - 1) / (2 * s2)).sum()
        gradient[2:] += self.counts[1:]
        hessian = first.T @ first - second.sum(axis=0)
        hessian[0, 0] -= (1 / s2).sum()
        hessian[0, 1] -= (r / s2**2).sum()
        hessian[1, 0] = hessian[0, 1]
        hessian[1, 1] -= ((r**2 / s2 - 0.5) / s2**2).sum()
        return self._value(theta, seen, shares), gradient, hessian

    def _value(self, theta: Array, seen: Array, shares: Array) -> float:
        s2 = self.v + theta[1]
        log_delta = np.append(0.0, theta[2:])
        normal = -0.5 * (np.log(2 * np.pi * s2) + (self.y - theta[0]) ** 2 / s2)
        return float((normal + log_delta[self.interval] - np.log(seen) - log_delta.max()).sum())

    def _weighted(self, theta: Array) -> tuple[Array, Array, Array]:
        """A and the shares delta_j B_j / A, with delta divided by its largest, and that delta."""
        delta = np.append(0.0, theta[2:])
        delta = np.exp(delta - delta.max())
        weighted = delta * self._probabilities(theta[0], np.sqrt(self.v + theta[1])[:, None])
        seen = weighted.sum(axis=1)
        return seen, weighted / seen[:, None], delta

    def _probabilities(self, mu: float, s: Array) -> Array:
        """B: the probability of each interval, shape (k, intervals)."""
        found = _between((mu - self.cuts) / s)
        if self.two_sided:  # the smallest effects: both cuts at the last step have opposite signs
            other = _between((-mu - self.cuts) / s)
            last = (self.cuts[:, -1:] - mu) / s, (-self.cuts[:, -1:] - mu) / s
            found = found + other
            found[:, -1] = _difference(*last)[:, 0]
        return found

    def _slopes(self, mu: float, s2: Array) -> Array:
        """Derivatives of B by mu, tau2, mu mu, mu tau2, tau2 tau2, shape (5, k, intervals)."""
        s2 = s2[:, None]
        s = np.sqrt(s2)
        total = np.zeros((5, *self.cuts.shape))
        for sign in (1.0, -1.0) if self.two_sided else (1.0,):
            u = (sign * mu - self.cuts) / s
            density = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
            total += density * np.array(
                [
                    sign / s + 0 * u,
                    -u / (2 * s2),
                    -u / s2,
                    sign * (u**2 - 1) / (2 * s * s2),
                    u * (3 - u**2) / (4 * s2**2),
                ]
            )
        ends = np.zeros((5, len(s2), 1))
        return np.diff(total, axis=-1, prepend=ends, append=ends)


def _between(u: Array) -> Array:
    """Normal probabilities between neighbours of -inf, u_1 <= u_2 ..., inf, without cancellation."""
    ends = np.full((len(u), 1), np.inf)
    return _difference(np.hstack([u, ends]), np.hstack([-ends, u]))


def _difference(high: Array, low: Array) -> Array:
    """Phi(high) - Phi(low), from the smaller tails."""
    flip = low > 0
    return np.where(flip, special.ndtr(-low) - special.ndtr(-high), special.ndtr(high) - special.ndtr(low))


@dataclass(frozen=True, eq=False)
class Summit:
    """Where a climb ended.

    Attributes
    ----------
    theta : ndarray
    value : float
        The log likelihood.
    covariance : ndarray or None
        Of the free parameters, NaN for the others; None if this is no maximum.
    """

    theta: Array
    value: float
    covariance: Array | None


def climb(likelihood: Likelihood, start: Sequence[float] | Array, *, fixed_tau2: bool = False) -> Summit:
    """Newton's method with halved steps from `start` to a local maximum with tau2 >= 0.

    Where the likelihood is not concave the step follows the absolute curvature, so that it rises.
    At tau2 = 0 with a falling likelihood tau2 stays there and the others move.
    """
    theta = np.array(start, dtype=np.float64)
    spread = 1 + np.ptp(likelihood.y) + np.abs(likelihood.y).max()
    for _ in range(STEPS):
        value, gradient, hessian = likelihood.derivatives(theta)
        free = np.ones(theta.size, dtype=bool)
        free[1] = not (fixed_tau2 or (theta[1] == 0 and gradient[1] <= 0))
        # In units of the curvature, so that the units of the parameters do not matter.
        unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(hessian)[free]), 1e-12))
        curvature, axes = np.linalg.eigh(hessian[np.ix_(free, free)] * np.outer(unit, unit))
        downhill = np.maximum(np.abs(curvature), 1e-8)
        slope = axes.T @ (unit * gradient[free])
        gain = float((slope**2 / downhill).sum())
        if gain < 1e-18 and curvature.max() < -1e-9:
            covariance = np.full((theta.size, theta.size), np.nan)
            inverse = (axes / -curvature) @ axes.T
            covariance[np.ix_(free, free)] = inverse * np.outer(unit, unit)
            return Summit(theta, value, covariance)
        step = np.zeros(theta.size)
        step[free] = unit * (axes @ (slope / downhill))
        step /= max(1.0, abs(step[0]) / spread, np.abs(step[2:]).max() / 3)
        for halvings in range(40):
            ahead = theta + 0.5**halvings * step
            ahead[1] = max(0.0, ahead[1])
            if gain < 1e-12 or likelihood.value(ahead) > value:
                break
        else:
            return Summit(theta, value, None)
        theta = ahead
        if np.abs(theta[2:]).max() > FAR or abs(theta[0]) > FAR * spread or theta[1] > (FAR * spread) ** 2:
            break
    return Summit(theta, likelihood.value(theta), None)
