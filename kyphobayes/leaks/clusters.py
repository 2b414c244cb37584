r"""Likelihood of leaks in patients with several levels, the patients' own effects integrated out.

Levels of one patient share an effect u ~ Normal(0, tau). Given u they are independent, and levels of one
region are alike, so that a patient is a table of levels and leaks by region:

.. math:: L_i = \int N(x; 0, 1) \prod_r p_r(x)^{k_{ir}} (1 - p_r(x))^{n_{ir} - k_{ir}}\, dx ,
          \qquad \operatorname{logit} p_r(x) = a_r + \tau x .

The integral is a trapezoidal sum: its error falls as exp(-2 pi^2 / (step tau)) with the step in x
(Trefethen and Weideman 2014, SIAM Review 56:385, section 5), which is below 1e-6 up to tau = 4. Where the
leak of a patient cannot be placed, L is the weighted sum over the places.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_REACH, _STEP = 5.4, 0.3  # of the patient's effect, in standard deviations
_CHUNK = 4096  # points at a time, so that memory stays small


@dataclass(frozen=True, eq=False)
class Clusters:
    """Patients with their levels and leaks by region.

    Attributes
    ----------
    levels : ndarray, shape (p, r)
        Levels treated, by patient and region.
    leaks : ndarray, shape (t, r)
        Leaks by region, a row for each way in which a patient's leaks may lie.
    owner : ndarray of int, shape (t,)
        Patient of each row; every patient has one row at least.
    weights : ndarray, shape (t,)
        They sum to one within each patient.
    """

    levels: Array
    leaks: Array
    owner: NDArray[np.intp]
    weights: Array

    @property
    def events(self) -> Array:
        """Leaks of each patient, shape (p,), which are known wherever they lie."""
        found = np.zeros(len(self.levels))
        found[self.owner] = self.leaks.sum(axis=1)
        return found

    def fixed(self, row: int) -> "Clusters":
        """Return a copy in which the leaks of one patient are taken to lie as in one of its rows."""
        kept = (self.owner != self.owner[row]) | (np.arange(len(self.owner)) == row)
        weights = np.where(self.owner == self.owner[row], 1.0, self.weights)
        return Clusters(self.levels, self.leaks[kept], self.owner[kept], weights[kept])


def patient_nodes() -> tuple[Array, Array]:
    """Nodes and weights for the effect of a patient in units of its standard deviation."""
    nodes = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    weights = np.exp(-0.5 * nodes**2)
    return nodes, weights / weights.sum()


def alternatives(logit: Array, tau: Array, clusters: Clusters) -> Array:
    """Probability of each row of `clusters.leaks`, its weight included.

    Parameters
    ----------
    logit : ndarray, shape (s, r)
        Log odds of a leak in a typical patient, by region.
    tau : ndarray, shape (s,)
        Standard deviation between patients.
    clusters : Clusters

    Returns
    -------
    ndarray, shape (s, t)
    """
    pairs = np.hstack([clusters.levels[clusters.owner], clusters.leaks])
    different, which = np.unique(pairs, axis=0, return_inverse=True)  # most patients are alike
    levels, leaks = np.hsplit(different, 2)
    nodes, weights = patient_nodes()
    found = np.empty((len(tau), len(different)))
    for start in range(0, len(tau), _CHUNK):
        part = slice(start, start + _CHUNK)
        eta = logit[part, None, :] + tau[part, None, None] * nodes[:, None]
        log_no_leak = -np.logaddexp(0.0, eta)
        log_likelihood = log_no_leak @ levels.T + eta @ leaks.T  # log p is log(1 - p) + eta
        found[part] = np.einsum("q,sqt->st", weights, np.exp(log_likelihood))
    return found[:, np.ravel(which)] * clusters.weights


def by_patient(found: Array, clusters: Clusters) -> Array:
    """Likelihood of each patient, shape (s, p), from `alternatives`."""
    summed = np.zeros((len(found), len(clusters.levels)))
    for row, patient in enumerate(clusters.owner):
        summed[:, patient] += found[:, row]
    return summed
