"""The chance that a new patient improves, with scores that stay on their scale.

A patient's two values have beta distributions on the scale with the centre's means and the SDs, joined by
a normal copula with the correlation: a mean of 1.5 with an SD of 1.4 leaves most patients between 0 and 3,
which a normal distribution would not.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from kyphobayes.change.draws import Draws
from kyphobayes.evidence.views import Array

_NODES = 48  # of the rule over the value before treatment
_WIDEST = 0.95  # share of the largest variance that a mean on a bounded scale allows
_EDGE = 0.01  # share of the scale within which a mean stays away from its ends


def new_patients(draws: Draws, top: float, falls: ArrayLike, rng: np.random.Generator) -> Array:
    """Chance of a fall of so many points or more, for a patient of a centre not yet seen.

    Parameters
    ----------
    draws : Draws
    top : float
        Highest score.
    falls : array_like, shape (m,)
        Points, above 0.
    rng : Generator
        Draws the SDs of the new centre.

    Returns
    -------
    ndarray, shape (s, m)
    """
    sd = new_sds(draws, rng)
    after = draws.before_new + draws.theta_new
    return chance_of_fall(draws.before_new / top, after / top, sd / top, draws.r, np.asarray(falls) / top)


def new_sds(draws: Draws, rng: np.random.Generator) -> Array:
    """SDs of patients in a new centre, before and after, shape (s, 2)."""
    return np.exp(draws.log_sd + draws.tau_sd[:, None] * rng.standard_normal(draws.log_sd.shape))


def chance_of_fall(before: Array, after: Array, sd: Array, r: Array, falls: Array) -> Array:
    """P(value before - value after >= fall) on a scale from 0 to 1.

    Parameters
    ----------
    before, after : ndarray, shape (s,)
        Means; brought onto the scale where they lie beyond it.
    sd : ndarray, shape (s, 2)
        SDs; no wider than the scale allows about the mean.
    r : ndarray, shape (s,)
        Correlation of the copula.
    falls : ndarray, shape (m,)

    Returns
    -------
    ndarray, shape (s, m)
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    u, weights = (nodes + 1) / 2, weights / 2
    first, second = beta_of(before, sd[:, 0]), beta_of(after, sd[:, 1])
    x = special.betaincinv(first[0][:, None], first[1][:, None], u)
    level = np.clip(x[:, :, None] - falls, 0.0, 1.0)
    below = special.betainc(second[0][:, None, None], second[1][:, None, None], level)
    z = special.ndtri(np.clip(below, 1e-300, 1 - 1e-16))
    root = np.sqrt(1 - r**2)[:, None, None]
    inside = special.ndtr((z - r[:, None, None] * special.ndtri(u)[:, None]) / root)
    return weights @ np.where(x[:, :, None] >= falls, inside, 0.0)


def beta_of(mean: Array, sd: Array) -> tuple[Array, Array]:
    """Parameters of the beta distribution with this mean and SD, or the nearest that there is."""
    m = np.clip(mean, _EDGE, 1 - _EDGE)
    variance = np.minimum(sd**2, _WIDEST * m * (1 - m))
    size = m * (1 - m) / variance - 1
    return m * size, (1 - m) * size


def normal_chance(draws: Draws, sd: Array, falls: ArrayLike) -> Array:
    """The same by a normal distribution of the change, which knows no ends of the scale, shape (s, m)."""
    spread = np.sqrt((sd[:, 0] - sd[:, 1]) ** 2 + 2 * (1 - draws.r) * sd[:, 0] * sd[:, 1])
    return special.ndtr((-np.asarray(falls) - draws.theta_new[:, None]) / spread[:, None])
