"""Probabilities of bounded scores, and their integrals over normal patient effects.

Integrals over a standard normal z use the trapezoid rule with steps of 0.6 from -4.2 to 4.2. For the
analytic integrands here its error falls exponentially as the step shrinks (Trefethen and Weideman 2014),
and the tail that it leaves out has a probability of 3e-5.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
TOP = 10
_STEP = 0.6
NODES = _STEP * np.arange(-7, 8)
WEIGHTS = np.exp(-(NODES**2) / 2) / np.exp(-(NODES**2) / 2).sum()
_CHOOSE = special.comb(TOP, np.arange(TOP + 1))


def score_probabilities(theta: Array, rho: Array) -> Array:
    """Beta-binomial probabilities of the scores 0 to 10.

    Parameters
    ----------
    theta : ndarray
        Log odds of a point.
    rho : ndarray
        Overdispersion between 0 (binomial) and 1, of a shape that fits.

    Returns
    -------
    ndarray, shape (..., 11)

    Notes
    -----
    Rising products, prod_{j<y} (p (1 - rho) + j rho), in place of gamma functions: they hold at rho = 0.
    """
    up, down, both = _factors(theta, rho)
    one = np.ones((*up.shape[:-1], 1))
    rising = np.concatenate([one, np.cumprod(up, axis=-1)], axis=-1)
    falling = np.concatenate([one, np.cumprod(down, axis=-1)], axis=-1)[..., ::-1]
    return _CHOOSE * rising * falling / both.prod(axis=-1)[..., None]


def score_likelihood(score: int, theta: Array, rho: Array) -> Array:
    """Probability of one score from 0 to 10, of the shape of theta."""
    theta, rho = np.broadcast_arrays(theta, rho)
    up, down = special.expit(theta) * (1 - rho), special.expit(-theta) * (1 - rho)
    found = np.full(theta.shape, _CHOOSE[score])
    for step in range(TOP):
        found *= (up + step * rho) if step < score else (down + (step - score) * rho)
        found /= 1 - rho + step * rho
    return found


def _factors(theta: Array, rho: Array) -> tuple[Array, Array, Array]:
    theta, rho = np.broadcast_arrays(theta, rho)
    steps = np.arange(TOP) * rho[..., None]
    rest = (1 - rho)[..., None]
    up = special.expit(theta)[..., None] * rest + steps
    down = special.expit(-theta)[..., None] * rest + steps
    return up, down, rest + steps


def pair_probabilities(centre: Array, covariance: Array, rho: Array) -> Array:
    """Joint probabilities of two scores of one patient.

    Parameters
    ----------
    centre : ndarray, shape (s, 2)
        Of the log odds at the two times, for s draws.
    covariance : ndarray, shape (s, 2, 2)
        Between patients, of the log odds.
    rho : ndarray, shape (s,)

    Returns
    -------
    ndarray, shape (s, 11, 11)
    """
    factor = np.linalg.cholesky(covariance)
    before = centre[:, 0, None] + factor[:, 0, 0, None] * NODES
    after = factor[:, 1, 0, None, None] * NODES[:, None] + factor[:, 1, 1, None, None] * NODES
    after = centre[:, 1, None, None] + after
    given = np.einsum("snmy,m->sny", score_probabilities(after, rho[:, None, None]), WEIGHTS)
    first = score_probabilities(before, rho[:, None]) * WEIGHTS[:, None]
    return np.einsum("snx,sny->sxy", first, given)


def patient_likelihood(scores: Array, centre: Array, factor: Array, rho: Array) -> Array:
    """Likelihood of one patient's scores with the patient's effects integrated out.

    Parameters
    ----------
    scores : ndarray, shape (3,)
        The last may be NaN, and is then left out.
    centre : ndarray, shape (s, 3)
    factor : ndarray, shape (s, 3, 3)
        Lower Cholesky factor of the covariance.
    rho : ndarray, shape (s,)

    Returns
    -------
    ndarray, shape (s,)
    """
    a, b, c = (int(score) if np.isfinite(score) else -1 for score in scores)
    first = centre[:, 0, None] + factor[:, 0, 0, None] * NODES
    mass = WEIGHTS * score_likelihood(a, first, rho[:, None])
    second = centre[:, 1, None, None] + factor[:, 1, 0, None, None] * NODES[:, None]
    second = second + factor[:, 1, 1, None, None] * NODES
    inner = WEIGHTS * score_likelihood(b, second, rho[:, None, None])
    if c >= 0:
        third = factor[:, 2, 0, None, None] * NODES[:, None] + factor[:, 2, 1, None, None] * NODES
        third = (centre[:, 2, None, None] + third)[..., None] + factor[:, 2, 2, None, None, None] * NODES
        inner = inner * (score_likelihood(c, third, rho[:, None, None, None]) @ WEIGHTS)
    return np.einsum("sn,snm->s", mass, inner)
