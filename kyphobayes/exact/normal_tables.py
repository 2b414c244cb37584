r"""Normal studies of which only a weighted list of possible tables is known.

With table t holding estimates :math:`y_{ti}` and variances :math:`v_{ti}`, the likelihood

.. math:: L(\mu, \tau) = \sum_t w_t \prod_i N(y_{ti}; \mu, v_{ti} + \tau^2)

is, given tau, a sum of normal densities in mu: each table is one pooled mean with its precision, so that a
grid of (mu, tau) costs the same for three studies and for a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, override

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError
from kyphobayes.exact.conjugate import CONJUGATE, ConjugatePosterior, GivenTau
from kyphobayes.exact.density import Density
from kyphobayes.exact.likelihoods import NormalStudies
from kyphobayes.exact.mixtures import NormalMixture
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.population import study_densities
from kyphobayes.exact.posterior import Posterior
from kyphobayes.exact.surface import RTOL, Surface
from kyphobayes.names import MU, PROB
from kyphobayes.priors import Prior, Priors

if TYPE_CHECKING:
    import pandas as pd

_LOG_2PI = float(np.log(2 * np.pi))
_CELLS = 4_000_000  # values held at a time
_MOST_PIECES = 50_000_000  # values of single studies on the grid
_NOTHING = 1e-13  # share of a normal below which it is left out
_LEAST = -700.0  # log weight, below the largest, of a table that is left out


class NormalTables(Surface):
    """Surface of k normal studies whose estimates and variances are one of several tables.

    Parameters
    ----------
    y, v : array_like, shape (t, k)
        Estimates and variances in each table.
    log_weights : array_like, shape (t,), optional
        Logarithms of the tables' weights, normalised to one. Default: equal.
    labels : sequence of str, optional

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or a variance is not positive.
    """

    def __init__(
        self,
        y: ArrayLike,
        v: ArrayLike,
        log_weights: ArrayLike | None = None,
        labels: Sequence[str] | None = None,
    ):
        estimates = np.atleast_2d(np.asarray(y, dtype=float))
        variances = np.atleast_2d(np.asarray(v, dtype=float))
        if estimates.shape != variances.shape:
            raise InputError(f"y and v: expected one shape, found {estimates.shape} and {variances.shape}")
        if not (np.isfinite(variances) & (variances > 0)).all():
            raise InputError("v: expected finite variances greater than 0")
        log_w = np.zeros(len(estimates)) if log_weights is None else np.asarray(log_weights, dtype=float)
        if log_w.shape != (len(estimates),) or not np.isfinite(log_w).all():
            raise InputError(f"log_weights: expected {len(estimates)} finite numbers, one for each table")
        kept = log_w > log_w.max() + _LEAST
        y_kept, v_kept, log_w = estimates[kept], variances[kept], log_w[kept]
        tables = np.arange(y_kept.size).reshape(y_kept.shape)
        studies = NormalStudies(y_kept.ravel(), np.sqrt(v_kept.ravel()))
        super().__init__(studies, tables, np.exp(log_w - log_w.max()), labels)
        self._y, self._v = y_kept, v_kept

    def given_tau(self, tau: Array) -> tuple[Array, Array, Array]:
        """Each table as one normal density in mu.

        Parameters
        ----------
        tau : ndarray, shape (n,)

        Returns
        -------
        mean, variance, log_mass : ndarray, shape (t, n)
            The likelihood is the sum over t of exp(log_mass) N(mu; mean, variance), the tables' weights
            within.
        """
        total = self._v[..., None] + tau**2
        w = 1 / total
        precision = w.sum(axis=1)
        mean = (w * self._y[..., None]).sum(axis=1) / precision
        misfit = (w * (self._y[..., None] - mean[:, None]) ** 2).sum(axis=1)
        log_mass = -0.5 * (misfit + (np.log(total) + _LOG_2PI).sum(axis=1) + np.log(precision) - _LOG_2PI)
        return mean, 1 / precision, log_mass + self.log_weights[:, None]

    @override
    def log_likelihood(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        mu, tau = np.atleast_1d(np.asarray(mu, dtype=float)), np.atleast_1d(np.asarray(tau, dtype=float))
        if not (tau > 0).all():
            raise InputError("tau: expected values greater than 0")
        return self._compute(mu, tau)[0]

    @override
    def _compute(self, mu: Array, tau: Array) -> Array:
        out = np.empty((len(mu), len(tau)))
        columns = max(1, _CELLS // max(self._y.size, len(self._y) * len(mu)))
        for start in range(0, len(tau), columns):
            part = slice(start, start + columns)
            mean, variance, log_mass = self.given_tau(tau[part])
            peak = log_mass - 0.5 * (np.log(variance) + _LOG_2PI)
            # The three terms of the square, as one pass over the tables for every mu.
            values = (mu[:, None, None] - mean) ** 2
            values *= -0.5 / variance
            values += peak
            top = values.max(axis=1)
            values -= top[:, None]
            np.exp(values, out=values)
            out[:, part] = top + np.log(values.sum(axis=1))
        return out[None]

    @cached_property
    @override
    def _unit(self) -> float:
        """The scale on which the tables place mu."""
        mean, variance, _ = self.given_tau(np.zeros(1))
        return max(float(np.sqrt(np.median(variance))), 1e-3 * float(np.std(mean)))

    @override
    def _first_panels(self) -> tuple[Panels, Panels]:
        # A grid that resolved every study of every table would be far too fine: what counts is the tables'
        # means and how well they know them.
        mean, variance, _ = self.given_tau(np.zeros(1))
        error = float(np.sqrt(np.quantile(variance, 0.05)))
        middle, reach = float(np.median(mean)), float(np.ptp(mean))
        mu = middle + (error + reach) * np.array([-32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32])
        smallest, last = self.scales_of_tau
        steps = np.arange(np.ceil(np.log2(max(2 * last / smallest, 2.0))) + 1)
        return Panels(mu), Panels(np.append(0.0, smallest / 2 * 2.0**steps))

    @cached_property
    def scales_of_tau(self) -> tuple[float, float]:
        """Standard error below which tau makes no difference, and the largest tau of interest."""
        smallest = float(np.sqrt(np.quantile(self._v.min(axis=1), 0.05)))
        spread = float(np.quantile(np.ptp(self._y, axis=1), 0.95))
        return smallest, 4 * float(np.sqrt(np.median(self._v))) + spread / 2

    @override
    def pieces(self) -> Array:
        if self.studies.size * len(self.mu.nodes) * len(self.tau.nodes) > _MOST_PIECES:
            raise InputError(
                f"studies: {len(self.tables)} tables of {self.k} studies are too many to tell each study's "
                f"effect"
            )
        return self.studies.log_integrated(self.mu.nodes, self.tau.nodes)

    @override
    def draw_table(self, mu: Array, tau: Array, rng: np.random.Generator) -> NDArray[np.intp]:
        out = np.empty(len(mu), dtype=np.intp)
        step = max(1, _CELLS // self._y.size)
        for start in range(0, len(mu), step):
            part = slice(start, start + step)
            mean, variance, log_mass = self.given_tau(tau[part])
            log_weights = log_mass - 0.5 * ((mu[part] - mean) ** 2 / variance + np.log(variance))
            out[part] = np.argmax(log_weights + rng.gumbel(size=log_weights.shape), axis=0)
        return out

    @override
    def posterior(self, mu: str | Prior, tau: str | Prior, *, rtol: float = RTOL) -> Posterior:
        priors = Priors.of("custom", mu=mu, tau=tau)
        kind = TablesPosterior if priors[MU].family in CONJUGATE else Posterior
        return kind(self, priors, rtol=rtol)


class TablesPosterior(ConjugatePosterior):
    """Posterior under a normal or flat prior for mu: given tau, one normal for each table."""

    @property
    def _tables(self) -> NormalTables:
        return self.surface  # pyright: ignore[reportReturnType]  # `NormalTables.posterior` has looked

    @override
    def _scales(self) -> tuple[float, float]:
        return self._tables.scales_of_tau

    @override
    def _given_tau(self, tau: Array) -> GivenTau:
        mean, variance, log_mass = self._tables.given_tau(tau)
        prior = self.priors[MU]
        if prior.family == "Normal":
            centre, sigma = (value for _, value in prior.parameters)
            total = variance + sigma**2
            log_mass = log_mass - 0.5 * ((mean - centre) ** 2 / total + np.log(total) + _LOG_2PI)
            mean = (mean * sigma**2 + centre * variance) / total
            variance = variance * sigma**2 / total
        top = log_mass.max(axis=0)
        mass = np.exp(log_mass - top)
        total = mass.sum(axis=0)
        self._each = mass / total, mean, variance
        within = self._each[0]
        middle = (within * mean).sum(axis=0)
        spread = (within * (variance + (mean - middle) ** 2)).sum(axis=0)
        return GivenTau(top + np.log(total), middle, spread)

    @override
    def _rows(self, rows: slice, probabilities: Array) -> Array:
        found = [self._mixture(row) for row in range(2)[rows]]
        return np.array([[part.mean, part.sd, *part.quantile(probabilities)] for part in found])

    @override
    def _mixture(self, row: int) -> NormalMixture:
        within, mean, variance = self._each
        share = within * self.tau.shares
        added = self.tau.points**2 if row else np.zeros(self.tau.points.shape)
        kept = share > _NOTHING
        moments = self._moments(self._given.mean, np.sqrt(self._given.variance + added))
        weights = share[kept] / share[kept].sum()
        return NormalMixture(weights, mean[kept], np.sqrt(variance + added)[kept], *moments)

    @cached_property
    @override
    def studies(self) -> dict[str, Density]:
        return study_densities(self.surface, self.mu_panels, self.tau_panels, self.joint)

    @override
    def shrinkage(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        return Posterior.shrinkage(self, prob, kind)

    @override
    def draw_mu(self, tau: Array, rng: np.random.Generator) -> Array:
        kept = self._each
        out = np.empty(len(tau))
        step = max(1, _CELLS // self._tables.studies.size)
        for start in range(0, len(tau), step):
            part = slice(start, start + step)
            self._given_tau(tau[part])
            within, mean, variance = self._each
            chosen = (np.cumsum(within, axis=0) < rng.uniform(size=within.shape[1])).sum(axis=0)
            chosen, column = np.minimum(chosen, len(within) - 1), np.arange(within.shape[1])
            out[part] = rng.normal(mean[chosen, column], np.sqrt(variance[chosen, column]))
        self._each = kept
        return out
