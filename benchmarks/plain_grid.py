"""A peer of the exact engine in plain numpy: what a careful analyst writes on a screen or two.

Uniform grids and sums over them. Estimates are handled as bayesmeta does: mu in closed form given tau. Counts
have a grid of study effects that is no coarser than the narrowest kernel. One shape of priors is known, the
error is not.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logsumexp, ndtr
from scipy.stats import binom

Array = NDArray[np.float64]
_PLACES = 401  # at which a distribution function is tabulated
_LEVELS = (0.5, 0.025, 0.975)


@dataclass(frozen=True)
class Asked:
    """Normal prior of mu (mean, sd), half-normal prior of tau (scale)."""

    mean: float
    sd: float
    scale: float

    def log_mu(self, mu: Array) -> Array:
        """Log density up to a constant."""
        return -0.5 * ((mu - self.mean) / self.sd) ** 2

    def log_tau(self, tau: Array) -> Array:
        """Log density up to a constant."""
        return -0.5 * (tau / self.scale) ** 2


def normal(y: ArrayLike, se: ArrayLike, asked: Asked, points: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summaries of mu, tau, theta_new, and of every study's effect, of estimates with standard errors."""
    y, se = np.asarray(y, float), np.asarray(se, float)
    tau = (np.arange(points) + 0.5) * 6 * asked.scale / points
    spread = se**2 + tau[:, None] ** 2
    precision = (1 / spread).sum(axis=1) + asked.sd**-2
    mean = ((y / spread).sum(axis=1) + asked.mean / asked.sd**2) / precision
    fit = -0.5 * (np.log(spread) + y**2 / spread).sum(axis=1) + 0.5 * (
        precision * mean**2 - np.log(precision)
    )
    weights = np.exp(fit + asked.log_tau(tau) - (fit + asked.log_tau(tau)).max())
    weights /= weights.sum()

    own = tau[:, None] ** 2 / spread  # what a study's own estimate counts for
    means = own * y + (1 - own) * mean[:, None]
    sds = np.sqrt(own * se**2 + ((1 - own) ** 2) / precision[:, None])
    rows = {
        "mu": _mixture(mean, precision**-0.5, weights),
        "tau": _gridded(tau, weights),
        "theta_new": _mixture(mean, np.sqrt(1 / precision + tau**2), weights),
    }
    studies = [_mixture(means[:, i], sds[:, i], weights) for i in range(len(y))]
    return _frame(rows), _frame(dict(enumerate(studies)))


def binomial(
    tables: ArrayLike,
    n: ArrayLike,
    asked: Asked,
    weights: ArrayLike | None = None,
    shape: tuple[int, int] = (120, 80),
) -> pd.DataFrame:
    """Summaries of mu, tau and theta_new of counts, which may be one of several weighted tables."""
    tables = np.atleast_2d(np.asarray(tables, float))
    n = np.broadcast_to(np.asarray(n, float), tables.shape)
    shares = np.full(len(tables), 1 / len(tables)) if weights is None else np.asarray(weights, float)
    cells, at = np.unique(np.stack([tables.ravel(), n.ravel()]), axis=1, return_inverse=True)
    at = at.reshape(tables.shape)

    mu_range = asked.mean - 6 * asked.sd, asked.mean + 6 * asked.sd
    tau_range = 0.0, 6 * asked.scale
    while True:  # look closer until the grid is no wider than it must be
        mu, tau = _middles(*mu_range, shape[0]), _middles(*tau_range, shape[1])
        density = np.exp(_log_likelihoods(mu, tau, cells, at, shares, asked))
        density /= density.sum()
        mu_seen, tau_seen = _within(mu, density.sum(axis=1)), _within(tau, density.sum(axis=0))
        tau_seen = max(tau_seen[0], 0.0), tau_seen[1]
        if np.ptp(mu_seen) > 0.6 * np.ptp(mu_range) and np.ptp(tau_seen) > 0.6 * np.ptp(tau_range):
            break
        mu_range = max(mu_seen[0], mu_range[0]), min(mu_seen[1], mu_range[1])
        tau_range = max(tau_seen[0], tau_range[0]), min(tau_seen[1], tau_range[1])
    centres, sds = (part.ravel() for part in np.meshgrid(mu, tau, indexing="ij"))
    rows = {
        "mu": _gridded(mu, density.sum(axis=1)),
        "tau": _gridded(tau, density.sum(axis=0)),
        "theta_new": _mixture(centres, sds, density.ravel()),
    }
    return _frame(rows)


def _log_likelihoods(
    mu: Array, tau: Array, cells: Array, at: NDArray[np.intp], shares: Array, asked: Asked
) -> Array:
    """Log posterior up to a constant at every pair of mu and tau."""
    step = min(0.05, tau[0])  # a sum over steps of one sd is exact to a dozen digits
    theta = np.arange(mu[0] - 6 * tau[-1], mu[-1] + 6 * tau[-1], step)
    p = expit(theta[:, None])
    logs: Array = np.asarray(binom.logpmf(cells[0], cells[1], p))  # its coefficients tell tables apart
    tops = logs.max(axis=0)
    likelihoods = np.exp(logs - tops)
    found = np.empty((len(mu), len(tau)))
    for j, sd in enumerate(tau):
        kernel = np.exp(-0.5 * ((theta - mu[:, None]) / sd) ** 2)
        kernel /= kernel.sum(axis=1, keepdims=True)
        each = np.log(kernel @ likelihoods + 1e-300) + tops
        found[:, j] = logsumexp(each[:, at].sum(axis=2) + np.log(shares), axis=1)
    found += asked.log_mu(mu)[:, None] + asked.log_tau(tau)
    return found - found.max()


def _middles(low: float, high: float, number: int) -> Array:
    return low + (np.arange(number) + 0.5) * (high - low) / number


def _within(x: Array, weights: Array) -> tuple[float, float]:
    """Where all but a trifle of the weights lie, and a step more."""
    held = np.flatnonzero(weights > 1e-7 * weights.max())
    step = x[1] - x[0]
    return float(x[held[0]] - step), float(x[held[-1]] + step)


def _gridded(x: Array, weights: Array) -> list[float]:
    """Mean, sd, median and ends of the interval of a density at the middles of equal steps."""
    weights = weights / weights.sum()
    mean = float(weights @ x)
    sd = float(np.sqrt(weights @ (x - mean) ** 2))
    edges = np.concatenate([[x[0] - (x[1] - x[0]) / 2], x + (x[1] - x[0]) / 2])
    below = np.concatenate([[0], np.cumsum(weights)])
    return [mean, sd, *np.interp(_LEVELS, below, edges).tolist()]


def _mixture(means: Array, sds: Array, weights: Array) -> list[float]:
    """The same of a mixture of normals, whose distribution function is tabulated."""
    mean = float(weights @ means)
    sd = float(np.sqrt(weights @ (sds**2 + (means - mean) ** 2)))
    x = np.linspace(mean - 6 * sd, mean + 6 * sd, _PLACES)
    kept = weights > 1e-9 * weights.max()
    below = ndtr((x[:, None] - means[kept]) / sds[kept]) @ weights[kept]
    return [mean, sd, *np.interp(_LEVELS, below, x).tolist()]


def _frame(rows: dict) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "sd", "median", "low", "high"])
