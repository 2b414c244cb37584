"""The vertebrae and patients that a model of angles describes, in degrees."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from kyphobayes.evidence import VertebraAngles
from kyphobayes.evidence.vertebrae import TOP

Array = NDArray[np.float64]

_NODES = (np.arange(200) + 0.5) / 200  # probabilities at which a weight of Student's t is taken
_LEAST = 1e-9  # of a parameter of a beta distribution


@dataclass(frozen=True, eq=False)
class Simulated:
    """New patients with the vertebrae of those at hand, c times for each of s draws.

    Attributes
    ----------
    change : ndarray, shape (s, c, v)
        True change of the angle, degrees.
    before, after : ndarray, shape (s, c, v)
        Readings.
    scores : ndarray of int, shape (s, c, n, 2)
        Pain before and after.
    """

    change: Array
    before: Array
    after: Array
    scores: NDArray[np.int_]


@dataclass(frozen=True, eq=False)
class Population:
    """Draws of what is common to all patients: each of shape (s,), but for regions r and the two times.

    The names are those of the model; `level` and `shift` have shape (s, r), `rho` has (s, 2).
    """

    level: Array
    tau_angle: Array
    tau_patient_angle: Array
    tau_reading: Array
    change: Array
    shift: Array
    tau_patient: Array
    tau_vertebra: Array
    nu: Array
    start: Array
    slope_start: Array
    treated: Array
    slope_pain: Array
    slope_angle: Array
    rho: Array

    def chance_below(self, limit: ArrayLike, mix: Array, *, error: bool = False) -> Array:
        """Probability that the angle of a vertebra of a new patient changes by less than a limit.

        Parameters
        ----------
        limit : array_like, shape () or (s,)
            Degrees; a negative limit is a fall.
        mix : ndarray, shape (r,)
            Share of vertebrae in each region.
        error : bool
            Whether the change is that of two readings, not the true one.

        Returns
        -------
        ndarray, shape (s,)
            A normal probability averaged over the weights of Student's t, at their midpoint quantiles.
        """
        weight = stats.chi2.ppf(_NODES, self.nu[:, None]) / self.nu[:, None]
        variance = self.tau_patient[:, None] ** 2 + self.tau_vertebra[:, None] ** 2 / weight
        if error:
            variance = variance + 2 * self.tau_reading[:, None] ** 2
        centre = self.change[:, None] + self.shift
        above = np.broadcast_to(limit, self.change.shape)[:, None] - centre
        each = special.ndtr(above[:, :, None] / np.sqrt(variance)[:, None, :]).mean(axis=-1)
        return each @ mix

    def simulate(self, evidence: VertebraAngles, copies: int, rng: np.random.Generator) -> Simulated:
        """Draw new patients who have as many vertebrae, in the same regions, as those at hand.

        Parameters
        ----------
        evidence : VertebraAngles
        copies : int
            So many times all patients at hand.
        rng : Generator
        """
        many = (len(self.nu), copies, len(evidence.patients))
        each = (len(self.nu), copies, evidence.k)

        def wide(values: Array) -> Array:
            return values[:, None, None]

        own = wide(self.tau_vertebra) * rng.standard_t(np.broadcast_to(wide(self.nu), each))
        of_patient = wide(self.tau_patient) * rng.normal(size=many)
        centre = self.change[:, None] + self.shift[:, evidence.region]
        change = centre[:, None] + of_patient[..., evidence.patient] + own
        of_angle = wide(self.tau_patient_angle) * rng.normal(size=many)
        angle = self.level[:, None, evidence.region] + of_angle[..., evidence.patient]
        angle = angle + wide(self.tau_angle) * rng.normal(size=each)
        before, after = (
            true + wide(self.tau_reading) * rng.normal(size=each) for true in (angle, angle + change)
        )
        mean = change @ evidence.averaging.T
        first = _scores(wide(self.start) + wide(self.slope_start) * mean, wide(self.rho[:, 0]), rng)
        odds = (
            wide(self.treated)
            + wide(self.slope_angle) * mean
            + wide(self.slope_pain) * (first - evidence.mean_before)
        )
        second = _scores(odds, wide(self.rho[:, 1]), rng)
        return Simulated(change, before, after, np.stack([first, second], axis=-1))


def population(posterior: xr.Dataset, rows: NDArray[np.intp]) -> Population:
    """Take some draws of a posterior (dims chain and draw), counted chain after chain."""
    stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
    return Population(**{name: stacked[name].values[rows] for name in Population.__dataclass_fields__})


def _scores(log_odds: Array, rho: Array, rng: np.random.Generator) -> NDArray[np.int_]:
    size = (1 - rho) / rho
    alpha, beta = (np.maximum(special.expit(sign * log_odds) * size, _LEAST) for sign in (1, -1))
    return rng.binomial(TOP, rng.beta(alpha, beta))
