"""Likelihood of two outcomes of the same studies, study effects integrated out and tables summed over.

Given (mu, tau) of both outcomes and rho, the effects of a study are mu + tau z with z bivariate normal.
The integral over z is a trapezoid sum on a square grid: for integrands that are smooth on the scale of its
step the error falls exponentially (Trefethen and Weideman 2014). The narrowest that occur are a study's own
likelihood, of width se / tau, and the ridge at large |rho|, of width sqrt(1 - rho^2).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.evidence import Counts, JointCounts

Array = NDArray[np.float64]

_STEP, _REACH = 0.12, 5.4
NODES = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)


@dataclass(frozen=True, eq=False)
class Margins:
    """Values of the parameters that each outcome has by itself, each of shape (s,)."""

    mu_leak: Array
    tau_leak: Array
    mu_fracture: Array
    tau_fracture: Array


@dataclass(frozen=True, eq=False)
class _Study:
    """Likelihood of one outcome of one study on the grid of its standardised effect.

    Attributes
    ----------
    count : ndarray of int, shape (t,)
        For every table, which of the v counts that are possible it has.
    values : ndarray, shape (s, v, nodes)
        Relative to the highest along the nodes, whose logarithm is `top`, shape (s, v).
    """

    count: NDArray[np.intp]
    values: Array
    top: Array


@dataclass(frozen=True, eq=False)
class JointLikelihood:
    """Likelihood of rho at given values of all other parameters.

    Attributes
    ----------
    evidence : JointCounts
    margins : Margins
    """

    evidence: JointCounts
    margins: Margins
    _pairs: list[tuple[_Study, _Study]] = field(init=False, repr=False, default_factory=list)
    _single: Array = field(init=False, repr=False)
    _fractures: Array = field(init=False, repr=False)  # of all pairs, one after another

    def __post_init__(self) -> None:
        one, two, at = self.evidence.leaks, self.evidence.fractures, self.margins
        weight = np.exp(-(NODES**2) / 2) * _STEP / np.sqrt(2 * np.pi)
        sides = (
            (one, self.evidence.leaks_at, at.mu_leak, at.tau_leak),
            (two, self.evidence.fractures_at, at.mu_fracture, at.tau_fracture),
        )
        found: list[dict[int, _Study]] = []
        totals = []
        for counts, places, mu, tau in sides:
            studies = {int(p): _study(counts, i, mu, tau) for i, p in enumerate(places)}
            alone = np.log(counts.weights)[:, None] + np.zeros_like(mu)
            for place in set(studies) - set(self.evidence.both):
                study = studies[place]
                alone += (np.log(study.values @ weight) + study.top).T[study.count]
            totals.append(alone)
            found.append(studies)
        self._pairs.extend((found[0][int(p)], found[1][int(p)]) for p in self.evidence.both)
        object.__setattr__(self, "_single", totals[0][:, None] + totals[1][None])
        stacked = np.concatenate([fracture.values for _, fracture in self._pairs], axis=1)
        object.__setattr__(self, "_fractures", stacked)

    def log(self, rho: float) -> Array:
        """Log likelihood at one rho between -1 and 1, shape (s,)."""
        rest = 1 - rho**2
        x, y = NODES[:, None], NODES
        kernel = (
            np.exp(-(x**2 - 2 * rho * x * y + y**2) / (2 * rest)) * _STEP**2 / (2 * np.pi * np.sqrt(rest))
        )
        smoothed = (self._fractures.reshape(-1, len(NODES)) @ kernel).reshape(self._fractures.shape)
        total = self._single.copy()  # (tables of leaks, tables of fractures, s)
        first = 0
        for leak, fracture in self._pairs:
            last = first + fracture.values.shape[1]
            both = np.einsum("sax,sbx->abs", leak.values, smoothed[:, first:last], optimize=True)
            joint = np.log(both) + leak.top.T[:, None] + fracture.top.T[None]
            total += joint[leak.count][:, fracture.count]
            first = last
        return special.logsumexp(total, axis=(0, 1))


def _study(counts: Counts, place: int, mu: Array, tau: Array) -> _Study:
    """Binomial likelihood of every count that a study may have; tables differ in its constant too."""
    events, count = np.unique(counts.tables[:, place], return_inverse=True)
    n = counts.n[place]
    constant = -np.log(n + 1) - special.betaln(n - events + 1, events + 1)
    theta = mu[:, None] + tau[:, None] * NODES
    logs = constant[:, None] + events[:, None] * theta[:, None, :] - n * np.logaddexp(0, theta)[:, None, :]
    top = logs.max(axis=2)
    return _Study(count.ravel(), np.exp(logs - top[..., None]), top)
