"""Relief of pain against correction of the angle: in points, and as a correlation."""

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from kyphobayes.evidence import VertebraAngles
from kyphobayes.evidence.vertebrae import TOP
from kyphobayes.pain import score_probabilities
from kyphobayes.vertebrae.population import Array, Population, Simulated

_SCORES = np.arange(TOP + 1)


def relief(population: Population, change: float, mean_before: float) -> Array:
    """Expected fall of the score in patients whose vertebrae change by so many degrees on average.

    Parameters
    ----------
    population : Population
        s draws.
    change : float
        Degrees; negative is a correction.
    mean_before : float
        Score before treatment at which `treated` is meant.

    Returns
    -------
    ndarray, shape (s,)
        Points, averaged over the scores that such patients have before treatment.
    """
    p = population
    before = score_probabilities(p.start + p.slope_start * change, p.rho[:, 0])
    odds = p.treated + p.slope_angle * change
    after = TOP * special.expit(odds[:, None] + p.slope_pain[:, None] * (_SCORES - mean_before))
    return (before * (_SCORES - after)).sum(axis=1)


def gain_at_equal_pain(population: Population, correction: float) -> Array:
    """Points by which patients with so many degrees of correction have less pain after treatment.

    They are compared with patients whose angle stays as it is; both have the mean score before.

    Returns
    -------
    ndarray, shape (s,)
        Positive: correction goes with more relief.
    """
    p = population
    return TOP * (special.expit(p.treated) - special.expit(p.treated - p.slope_angle * correction))


def correlations(simulated: Simulated, evidence: VertebraAngles) -> tuple[Array, Array]:
    """Correlation of relief, in points, with correction, in degrees, over the patients of each draw.

    Parameters
    ----------
    simulated : Simulated
        With the vertebrae of the evidence.
    evidence : VertebraAngles

    Returns
    -------
    pearson, spearman : ndarray, shape (s,)
        A patient's correction is the mean fall of the true angle of the vertebrae.
    """
    correction = -(simulated.change @ evidence.averaging.T)
    fall = simulated.scores[..., 0] - simulated.scores[..., 1]
    draws = len(correction)
    x, y = correction.reshape(draws, -1), fall.reshape(draws, -1).astype(float)
    return correlation(x, y), correlation(stats.rankdata(x, axis=1), stats.rankdata(y, axis=1))


def correlation(x: NDArray[np.floating], y: NDArray[np.floating]) -> Array:
    """Pearson's correlation along the last axis; NaN where a side does not vary."""
    x, y = (a - a.mean(axis=-1, keepdims=True) for a in (x, y))
    with np.errstate(invalid="ignore", divide="ignore"):  # a side that does not vary has no correlation: NaN
        return (x * y).sum(axis=-1) / np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
