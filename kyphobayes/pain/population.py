"""The patients that a model of pain scores describes, in points."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from kyphobayes.pain.scores import TOP, Array, pair_probabilities, patient_likelihood, score_probabilities

_POINTS = np.arange(TOP + 1)
_LATE = 2


@dataclass(frozen=True, eq=False)
class Population:
    """Draws of what is common to all patients.

    Attributes
    ----------
    level : ndarray, shape (s, 3)
        Log odds of a point in the middle patient, before, after and late.
    tau : ndarray, shape (s, 3)
    correlation : ndarray, shape (s, 3, 3)
    slope : ndarray, shape (s, c, 3)
    rho : ndarray, shape (s,)
    share : ndarray, shape (s, 3)
        Of patients whose late score is seen, missing by death, and missing for no known reason.
    delta : ndarray, shape (s, 3)
        How far late log odds lie from what the seen would let expect; 0 for those that are seen.
    """

    level: Array
    tau: Array
    correlation: Array
    slope: Array
    rho: Array
    share: Array
    delta: Array

    @property
    def factor(self) -> Array:
        """Lower Cholesky factor of the covariance of a patient's three log odds, shape (s, 3, 3)."""
        return self.tau[:, :, None] * np.linalg.cholesky(self.correlation)

    def covariance(self, covariates: Array) -> Array:
        """Covariance of the log odds between new patients, shape (s, 3, 3).

        The covariates of new patients, shape (n, c), have the mean (0) and covariance of those at hand,
        and are taken to be normal.
        """
        spread = covariates.T @ covariates / len(covariates)
        own = self.factor @ self.factor.transpose(0, 2, 1)
        return own + np.einsum("sct,cd,sdu->stu", self.slope, spread, self.slope)

    def pair(self, first: int, second: int, covariates: Array, *, as_seen: bool = False) -> Array:
        """Joint probabilities of two scores of a new patient, shape (s, 11, 11).

        Where the second is late it is a mixture over the reasons, each with its delta; `as_seen` takes
        those who are not seen to be like those who are.
        """
        both = [first, second]
        covariance = self.covariance(covariates)[:, both][:, :, both]
        if second != _LATE or as_seen:
            return pair_probabilities(self.level[:, both], covariance, self.rho)
        found = np.zeros((len(self.rho), TOP + 1, TOP + 1))
        for reason in range(self.share.shape[1]):
            centre = self.level[:, both].copy()
            centre[:, 1] += self.delta[:, reason]
            joint = pair_probabilities(centre, covariance, self.rho)
            found += self.share[:, reason, None, None] * joint
        return found

    def likelihood(self, scores: Array, covariates: Array) -> Array:
        """Likelihood of each patient, effects integrated out, shape (s, n); scores of shape (n, 3)."""
        factor = self.factor
        columns = [
            patient_likelihood(own, self.level + np.einsum("c,sct->st", x, self.slope), factor, self.rho)
            for own, x in zip(scores, covariates, strict=True)
        ]
        return np.column_stack(columns)

    def replicate(self, covariates: Array, rng: np.random.Generator) -> NDArray[np.int_]:
        """Scores of as many new patients with these covariates, shape (s, n, 3), none of them missing."""
        z = rng.standard_normal((len(self.rho), len(covariates), 3))
        theta = self.level[:, None] + np.einsum("nc,sct->snt", covariates, self.slope)
        theta = theta + np.einsum("snu,stu->snt", z, self.factor)
        return draw_scores(theta, self.rho[:, None, None], rng.random(theta.shape))


def draw_scores(theta: Array, rho: Array, uniform: Array) -> NDArray[np.int_]:
    """Scores by inverting their distribution function at uniform numbers of theta's shape."""
    cumulative = np.cumsum(score_probabilities(theta, rho), axis=-1)
    return (uniform[..., None] > cumulative[..., :-1]).sum(axis=-1)


def population(posterior: xr.Dataset, rows: NDArray[np.intp]) -> Population:
    """Take some draws of a posterior or prior with dims chain and draw.

    Parameters
    ----------
    posterior : Dataset
        Of the model ``patient_pain``.
    rows : ndarray of int
        Positions among the draws, chain after chain.
    """
    stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
    taken = {str(name): stacked[name].values[rows] for name in stacked.data_vars}
    r = taken["correlation"]
    correlation = np.tile(np.eye(3), (len(rows), 1, 1))
    for place, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
        correlation[:, i, j] = correlation[:, j, i] = r[:, place]
    delta = np.column_stack([np.zeros(len(rows)), taken["delta_death"], taken["delta_unexplained"]])
    return Population(
        taken["level"], taken["tau"], correlation, taken["slope"], taken["rho"], taken["share"], delta
    )


def improved(joint: Array, points: float) -> Array:
    """Probability that the second score is at least so many points lower than the first, shape (s,)."""
    fall = _POINTS[:, None] - _POINTS
    return joint[:, fall >= points].sum(axis=-1)


def at_most(joint: Array, score: float, axis: int) -> Array:
    """Probability that the first (axis 0) or second (axis 1) score is at most this, shape (s,)."""
    return _margin(joint, axis)[:, score >= _POINTS].sum(axis=-1)


def mean(joint: Array, axis: int) -> Array:
    """Mean of the first (axis 0) or second (axis 1) score, shape (s,)."""
    return _margin(joint, axis) @ _POINTS


def score_correlation(joint: Array) -> Array:
    """Correlation of the two scores, shape (s,)."""
    means = [mean(joint, axis) for axis in (0, 1)]
    squares = [_margin(joint, axis) @ _POINTS**2 for axis in (0, 1)]
    product = np.einsum("sxy,x,y->s", joint, _POINTS, _POINTS)
    variances = [square - m**2 for square, m in zip(squares, means, strict=True)]
    return (product - means[0] * means[1]) / np.sqrt(variances[0] * variances[1])


def _margin(joint: Array, axis: int) -> Array:
    return joint.sum(axis=2 - axis)
