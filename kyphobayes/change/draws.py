"""Draws of the model as plain arrays, and the spread they give to changes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import xarray as xr

from kyphobayes.effects.pre_post import variance_of_change
from kyphobayes.evidence import PrePostMeans
from kyphobayes.evidence.views import Array


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of the model's parameters, s of them, for k studies.

    Attributes
    ----------
    mu, tau, mu_before, tau_before, slope, fisher_z, tau_sd, theta_new, before_new : ndarray, shape (s,)
    log_sd : ndarray, shape (s, 2)
        Log of the typical SD of patients, before and after.
    log_sd_study : ndarray, shape (s, 2, k)
    n : ndarray, shape (s, k)
        Patients; the same in all draws where the number is printed.
    """

    mu: Array
    tau: Array
    mu_before: Array
    tau_before: Array
    slope: Array
    fisher_z: Array
    tau_sd: Array
    theta_new: Array
    before_new: Array
    log_sd: Array
    log_sd_study: Array
    n: Array

    @classmethod
    def of(cls, posterior: xr.Dataset, evidence: PrePostMeans) -> Self:
        """Take them from a dataset with dims chain and draw."""
        stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
        names = [name for name in cls.__dataclass_fields__ if name != "n"]
        values = {name: np.asarray(stacked[name].values, dtype=float) for name in names}
        values["log_sd_study"] = stacked["log_sd_study"].transpose("sample", "time", "study").values
        n = np.broadcast_to(evidence.n_least, (len(values["mu"]), evidence.k))
        if len(evidence.open):
            n = n + stacked["place"].values @ evidence.opening.T
        return cls(**values, n=n)

    def take(self, rows: np.ndarray) -> Self:
        """Some of the draws."""
        return type(self)(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    @property
    def r(self) -> Array:
        """Correlation of a patient's two values, shape (s,)."""
        return np.tanh(self.fisher_z)

    @property
    def sd(self) -> Array:
        """SDs of patients in every study, shape (s, 2, k)."""
        return np.exp(self.log_sd_study)

    @property
    def spread(self) -> Array:
        """Standard deviation of centres' changes, whatever their level before, shape (s,)."""
        return np.hypot(self.tau, self.slope * self.tau_before)

    def variance(self, evidence: PrePostMeans, r: float | None = None) -> Array:
        """Sampling variance of every study's mean change, shape (s, k).

        Parameters
        ----------
        evidence : PrePostMeans
        r : float, optional
            Correlation to take instead of the draws' own.
        """
        before, after = self.sd[:, 0], self.sd[:, 1]
        taken = self.r[:, None] if r is None else np.full((1, 1), r)
        return variance_of_change(before, after, taken) / self.n + evidence.slack**2 / 3
