r"""The marginal likelihood of (mu, tau): computed once, whatever priors follow.

A `Surface` holds :math:`\log L(\mu, \tau) = \log \sum_t w_t \prod_i L_{i}(\mu, \tau)` on a product of
panels, where t runs over the count tables that agree with what was printed (one table if all counts
are known). The logarithm is smooth (quadratic in mu for normal studies), so few nodes interpolate it
to high accuracy, and every prior is then a matter of algebra. The panels grow where a prior needs it.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact.likelihoods import BinomialStudies, Likelihood, NormalStudies, PoissonStudies
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.posterior import Posterior
from kyphobayes.names import MU, TAU
from kyphobayes.priors import Prior

RTOL = 1e-8
_PIECES_KEPT = 4_000_000  # values of single studies kept beside their sum
_STEPS = np.array([0.25, 0.75])  # how far the panels grow in mu, in units of their reach
_FURTHEST = 1e12  # reach at which a posterior that still grows is called improper


class Surface:
    """Marginal likelihood of (mu, tau) on panels that grow on demand.

    Parameters
    ----------
    studies : Likelihood
        The distinct study likelihoods. With latent counts a study has one for each count it may have.
    tables : array_like of int, shape (t, k), optional
        For each table, which member of `studies` stands for each of the k studies. Default: one
        table that uses every member once.
    weights : array_like, shape (t,), optional
        Weights of the tables, normalised to one. Default: uniform.
    labels : sequence of str, optional
        Names of the k studies.
    """

    def __init__(
        self,
        studies: Likelihood,
        tables: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        labels: Sequence[str] | None = None,
    ):
        self.studies = studies
        self.tables: NDArray[np.intp] = np.atleast_2d(
            np.arange(studies.size) if tables is None else np.asarray(tables, dtype=np.intp)
        )
        count = len(self.tables)
        given = np.full(count, 1.0) if weights is None else np.asarray(weights, dtype=float)
        if given.shape != (count,) or not (np.isfinite(given).all() and (given > 0).all()):
            raise InputError(f"weights: expected {count} positive numbers, one for each table")
        self.log_weights = np.log(given / given.sum())
        self.labels = [str(i + 1) for i in range(self.k)] if labels is None else [str(x) for x in labels]
        if len(self.labels) != self.k:
            raise InputError(f"labels: expected {self.k} names, one for each study, found {len(self.labels)}")
        if len(set(self.labels)) != self.k:
            raise InputError("labels: every study needs its own name")
        used = np.unique(self.tables)
        centres, scales = studies.centres[used], studies.scales[used]
        self._unit = float(max(np.median(scales), 1e-3 * np.ptp(centres)))
        width = max(2.0 * np.sqrt(self._unit), 2.0 * self._unit)
        low, high = (centres - 4 * scales).min(), (centres + 4 * scales).max()
        self.mu = Panels(np.linspace(low, high, int(np.ceil((high - low) / width)) + 1))
        # log L bends on the scale of the smallest standard error: dyadic panels from there upwards.
        first, last = 0.5 * scales.min(), 4 * max(np.ptp(centres), scales.max())
        self.tau = Panels(np.append(0.0, first * 2.0 ** np.arange(np.ceil(np.log2(last / first)) + 1)))
        pieces = self.studies.log_integrated(self.mu.nodes, self.tau.nodes)
        self._log_likelihood = self._combine(pieces)
        self._pieces: Array | None = pieces if pieces.size <= _PIECES_KEPT else None

    @property
    def k(self) -> int:
        """Number of studies."""
        return self.tables.shape[1]

    def __repr__(self) -> str:
        return f"Surface(k={self.k}, tables={len(self.tables)}, mu={self.mu}, tau={self.tau})"

    # -- values ----------------------------------------------------------------------------------

    def log_likelihood(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        """Log marginal likelihood, computed afresh: shape (len(mu), len(tau))."""
        mu, tau = np.atleast_1d(np.asarray(mu, dtype=float)), np.atleast_1d(np.asarray(tau, dtype=float))
        if not (tau > 0).all():
            raise InputError("tau: expected values greater than 0")
        return self._combine(self.studies.log_integrated(mu, tau))

    def interpolate(self, mu: Array, tau: Array) -> Array:
        """Log marginal likelihood from the panels: shape (len(mu), len(tau))."""
        return self.mu.interpolation(mu) @ self._log_likelihood @ self.tau.interpolation(tau).T

    def pieces(self) -> Array:
        """Log integrated likelihood of each of `studies` at the nodes: (pieces, mu nodes, tau nodes)."""
        if self._pieces is None:
            return self.studies.log_integrated(self.mu.nodes, self.tau.nodes)
        return self._pieces

    def _combine(self, pieces: Array) -> Array:
        if len(self.tables) == 1:
            return pieces[self.tables[0]].sum(axis=0)
        # Studies that are the same in every table are added once, not once per table.
        common = (self.tables == self.tables[0]).all(axis=0)
        varying = np.stack([pieces[row].sum(axis=0) for row in self.tables[:, ~common]])
        weighted = varying + self.log_weights[:, None, None]
        return pieces[self.tables[0, common]].sum(axis=0) + special.logsumexp(weighted, axis=0)

    # -- growth ----------------------------------------------------------------------------------

    def grow(self, sides: Collection[str]) -> None:
        """Extend the panels: "low" or "high" adds three quarters in mu, "tau" doubles its reach.

        Raises
        ------
        ImproperPosterior
            If they already reach 1e12 times the data's own scale.
        """
        mu, tau = self.mu.edges, self.tau.edges
        reach = mu[-1] - mu[0]
        if max(reach, tau[-1]) > _FURTHEST * max(self._unit, 1.0):
            raise ImproperPosterior(
                f"with {self.k} {'study' if self.k == 1 else 'studies'} and these priors the posterior is "
                f"not proper, or its tail is too heavy to integrate; give mu and tau proper priors "
                f"(a flat mu needs at least 2 studies, a flat tau at least 3)"
            )
        outward = reach * _STEPS  # panels widen as they leave the data
        if "low" in sides:
            self._attach(Panels(np.append(mu[0], mu[0] - outward)), self.tau, axis=0, before=True)
        if "high" in sides:
            self._attach(Panels(np.append(mu[-1], mu[-1] + outward)), self.tau, axis=0)
        if "tau" in sides:
            self._attach(self.mu, Panels([tau[-1], 2 * tau[-1]]), axis=1)

    def _attach(self, mu: Panels, tau: Panels, *, axis: int, before: bool = False) -> None:
        """Compute a new block of panels and join it to the rest along one axis."""
        pieces = self.studies.log_integrated(mu.nodes, tau.nodes)
        block = self._combine(pieces)
        order = -1 if before else 1
        self._log_likelihood = np.concatenate([self._log_likelihood, block][::order], axis=axis)
        if self._pieces is not None:
            self._pieces = np.concatenate([self._pieces, pieces][::order], axis=axis + 1)
            if self._pieces.size > _PIECES_KEPT:
                self._pieces = None
        self.mu = Panels(np.concatenate([self.mu.edges, mu.edges]))
        self.tau = Panels(np.concatenate([self.tau.edges, tau.edges]))

    def cover(self, name: str, value: float | None) -> None:
        """Grow until `value` of mu or tau lies on the panels; None asks for nothing."""
        if value is None:
            return
        while name == MU and value < self.mu.edges[0]:
            self.grow({"low"})
        while name == MU and value > self.mu.edges[-1]:
            self.grow({"high"})
        while name == TAU and value > self.tau.edges[-1]:
            self.grow({"tau"})

    # -- inference -------------------------------------------------------------------------------

    def posterior(self, mu: str | Prior, tau: str | Prior, *, rtol: float = RTOL) -> Posterior:
        """Posterior under independent priors for mu and tau.

        Parameters
        ----------
        mu, tau : str or Prior
            For example ``"Normal(mu=-2.5, sigma=1.5)"`` and ``"HalfNormal(sigma=1)"``.
        rtol : float
            Bound on the relative error of posterior probabilities; the error reached is
            `Posterior.error`.

        Raises
        ------
        PriorError, ImproperPosterior
        """
        return Posterior(self, mu, tau, rtol=rtol)


def normal(y: ArrayLike, se: ArrayLike, *, labels: Sequence[str] | None = None) -> Surface:
    """Surface of k estimates with known standard errors.

    Parameters
    ----------
    y, se : array_like, shape (k,)
        Estimates and their standard errors, in the same unit.

    Raises
    ------
    InputError
        If lengths differ or a value is not finite, or a standard error is not positive.
    """
    return Surface(NormalStudies(y, se), labels=labels)


def binomial(events: ArrayLike, n: ArrayLike, *, labels: Sequence[str] | None = None) -> Surface:
    """Surface of k counts of `events` out of `n`; mu and tau are on the log odds scale.

    Parameters
    ----------
    events, n : array_like of int, shape (k,)

    Raises
    ------
    InputError
        If a count is negative or not whole, or exceeds its n.
    """
    return Surface(BinomialStudies(events, n), labels=labels)


def poisson(events: ArrayLike, exposure: ArrayLike, *, labels: Sequence[str] | None = None) -> Surface:
    """Surface of k counts of `events` in an `exposure`; mu and tau are on the log rate scale.

    Parameters
    ----------
    events : array_like of int, shape (k,)
    exposure : array_like, shape (k,)
        Time at risk, in any one unit.

    Raises
    ------
    InputError
        If a count is negative or not whole, or an exposure is not positive.
    """
    return Surface(PoissonStudies(events, exposure), labels=labels)


def mixture(
    tables: ArrayLike,
    n: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    labels: Sequence[str] | None = None,
) -> Surface:
    """Surface of counts that were not printed: an average over the count tables that remain.

    Parameters
    ----------
    tables : array_like of int, shape (t, k)
        Events of each study under each table.
    n : array_like of int, shape (k,)
    weights : array_like, shape (t,), optional
        Default: uniform.

    Notes
    -----
    The likelihood is the weighted sum over tables of the product over studies, not a product of
    sums: a leak counted in one study is missing in another.
    """
    tables = np.atleast_2d(np.asarray(tables, dtype=float))
    n = np.asarray(n, dtype=float)
    if n.shape != (tables.shape[1],):
        raise InputError(f"n: expected one number for each of {tables.shape[1]} studies, found {n.size}")
    events: list[float] = []
    sizes: list[float] = []
    index = np.empty(tables.shape, dtype=np.intp)
    for study in range(tables.shape[1]):
        values, inverse = np.unique(tables[:, study], return_inverse=True)
        index[:, study] = len(events) + inverse
        events.extend(values)
        sizes.extend([n[study]] * len(values))
    return Surface(BinomialStudies(events, sizes), index, weights, labels)
