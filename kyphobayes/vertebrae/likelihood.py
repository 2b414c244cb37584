"""Likelihood of a patient's angles and scores with all effects of the patient integrated out."""

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from scipy.stats import qmc

from kyphobayes.pain.scores import score_likelihood
from kyphobayes.vertebrae.population import Array, Population

_POINTS = 128  # of a quasi-random sequence over the weights of t and a patient's mean change


def patient_log_likelihood(
    population: Population,
    region: NDArray[np.intp],
    before: Array,
    after: Array,
    scores: Array,
    mean_before: float,
    points: int = _POINTS,
) -> Array:
    """Log likelihood of the vertebrae and scores of one patient.

    Given the weights of Student's t, readings and the patient's mean change are normal together. So the
    likelihood of the readings is a mean over weights, and that of the scores one over what the mean change
    may be once the angles are read; both by one scrambled Sobol sequence with a fixed seed.

    Parameters
    ----------
    population : Population
        s draws.
    region : ndarray of int, shape (v,)
        Of the patient's vertebrae.
    before, after : ndarray, shape (v,)
        Readings in degrees, NaN where there is none.
    scores : ndarray, shape (2,)
        Pain before and after.
    mean_before : float
        Score before treatment at which `treated` is meant.
    points : int
        A power of two.

    Returns
    -------
    ndarray, shape (s,)
    """
    p, v = population, len(region)
    uniform = qmc.Sobol(v + 1, seed=0).random(points)
    weight = stats.chi2.ppf(uniform[:, :v], p.nu[:, None, None]) / p.nu[:, None, None]
    own = p.tau_vertebra[:, None, None] ** 2 / weight  # shape (s, points, v)

    seen = np.flatnonzero(np.isfinite(np.concatenate([before, after])))
    vertebra, second = seen % v, (seen >= v).astype(float)  # which is read, and whether after treatment
    expected = p.change[:, None] + p.shift[:, region]
    mean = p.level[:, region[vertebra]] + second * expected[:, vertebra]
    same = vertebra[:, None] == vertebra
    both = second[:, None] * second
    fixed = (
        p.tau_patient_angle[:, None, None] ** 2
        + p.tau_angle[:, None, None] ** 2 * same
        + p.tau_reading[:, None, None] ** 2 * np.eye(len(seen))
        + p.tau_patient[:, None, None] ** 2 * both
    )
    covariance = fixed[:, None] + (same * both) * own[:, :, vertebra, None]
    with_mean = second * (p.tau_patient[:, None, None] ** 2 + own[:, :, vertebra] / v)
    variance = p.tau_patient[:, None] ** 2 + own.sum(axis=-1) / v**2

    surprise = np.concatenate([before, after])[seen] - mean
    factor = np.linalg.cholesky(covariance)
    right = np.stack(np.broadcast_arrays(surprise[:, None], with_mean), axis=-1)
    solved = np.linalg.solve(factor, right)  # shape (s, points, readings, 2)
    log_density = -0.5 * (solved[..., 0] ** 2).sum(axis=-1) - len(seen) / 2 * np.log(2 * np.pi)
    log_density -= np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(axis=-1)
    middle = expected.mean(axis=1)[:, None] + (solved[..., 0] * solved[..., 1]).sum(axis=-1)
    left = np.sqrt(np.maximum(variance - (solved[..., 1] ** 2).sum(axis=-1), 0.0))
    change = middle + left * special.ndtri(uniform[:, v])
    return special.logsumexp(log_density + _of_scores(p, change, scores, mean_before), axis=1) - np.log(
        points
    )


def _of_scores(p: Population, change: Array, scores: Array, mean_before: float) -> Array:
    """Log probability of both scores by the patient's mean change, of its shape (s, points)."""
    first = score_likelihood(
        int(scores[0]), p.start[:, None] + p.slope_start[:, None] * change, p.rho[:, :1]
    )  # fmt: skip
    odds = (p.treated + p.slope_pain * (scores[0] - mean_before))[:, None] + p.slope_angle[:, None] * change
    with np.errstate(divide="ignore"):  # a score that is impossible in double precision
        return np.log(first) + np.log(score_likelihood(int(scores[1]), odds, p.rho[:, 1:]))


def pair_log_density(
    before: float, after: float, centre: Array, change: Array, tau_angle: Array, tau_reading: Array
) -> Array:
    """Log density of two readings of a vertebra by its true change, the true angle before integrated out.

    Parameters
    ----------
    before, after : float
        Degrees.
    centre, change, tau_angle, tau_reading : ndarray, shape (s,)
        Expected angle before, true change, and the standard deviations of the angle and of a reading.
    """
    covariance = np.empty((len(centre), 2, 2))
    covariance[:] = tau_angle[:, None, None] ** 2
    covariance += tau_reading[:, None, None] ** 2 * np.eye(2)
    surprise = np.stack([before - centre, after - centre - change], axis=-1)
    solved = np.linalg.solve(covariance, surprise[..., None])[..., 0]
    squares = (surprise * solved).sum(axis=-1)
    return -0.5 * (squares + np.linalg.slogdet(covariance)[1]) - np.log(2 * np.pi)
