r"""Normal studies with a normal or flat prior for mu: only tau is left to integrate.

Given tau, mu is normal, and so is the effect of every study, new or old (Rover 2020, J. Stat. Softw.
93(6), sec. 2). Marginal posteriors are therefore mixtures of normals over tau, and the posterior of tau
is one-dimensional. Its half line is mapped to :math:`x = \tau / (\tau + c)` on [0, 1), so that a heavy
tail is integrated to its end and a moment that does not exist is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, override

import numpy as np
from numpy.typing import ArrayLike

from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact.density import Density
from kyphobayes.exact.mixtures import NormalMixture, mixture_quantiles
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.posterior import Posterior, quantiles_of, table
from kyphobayes.names import MU, PROB, STUDY, TAU, THETA_NEW
from kyphobayes.priors import Prior

if TYPE_CHECKING:
    import pandas as pd

    from kyphobayes.exact.likelihoods import NormalStudies

CONJUGATE = ("Normal", "Flat")  # priors for mu under which mu given tau is normal
_ROUNDS = 40
_NOTHING = 1e-16  # probability of a node below which it is left out of mixtures
_NEAR = 0.01  # to a power of -1, below which an integral is taken to be infinite
# Of the mass of the last panel, that goes on to infinity: where mu or a new effect lie so far out depends
# on tau within that panel more than its density does, so that it must hold next to nothing.
_UNSEEN = 0.1
_INNER = 1e-3  # of the median of tau's prior, below which the scale of the map does not lie
_MOST_PANELS = 2_000  # some dozens are enough, unless the densities' last digits are noise
_LOG_2PI = float(np.log(2 * np.pi))
# Quantiles of tau's prior that become edges, so that a prior much narrower than the data is seen.
_PRIOR_EDGES = np.array([1e-13, 1e-8, 1e-3, 0.05, 0.5, 0.95, 1 - 1e-3, 1 - 1e-8, 1 - 1e-13])


@dataclass(frozen=True, eq=False)
class GivenTau:
    """What is known of mu given tau: `log_likelihood` with mu integrated out, `mean` and `variance` of mu.

    Each has the shape of tau.
    """

    log_likelihood: Array
    mean: Array
    variance: Array


def given_tau(studies: NormalStudies, mu: Prior, tau: Array) -> GivenTau:
    """Integrate mu out. A flat prior has density 1, as everywhere in `kyphobayes.exact`."""
    variance = studies.se[:, None] ** 2 + tau**2
    w = 1 / variance
    precision = w.sum(axis=0)
    weighted = (w * studies.y[:, None]).sum(axis=0)
    constant = _LOG_2PI
    prior_precision = centre = 0.0
    if mu.family == "Normal":
        centre, sigma = (value for _, value in mu.parameters)
        prior_precision = sigma**-2.0
        precision = precision + prior_precision
        weighted = weighted + prior_precision * centre
        constant = np.log(prior_precision)
    mean = weighted / precision
    misfit = (w * (studies.y[:, None] - mean) ** 2).sum(axis=0) + prior_precision * (centre - mean) ** 2
    spread = (np.log(variance) + _LOG_2PI).sum(axis=0)
    return GivenTau((constant - np.log(precision) - misfit - spread) / 2, mean, 1 / precision)


class HalfLineDensity(Density):
    """A density on [0, infinity), kept as one of x = tau / (tau + c) on [0, 1).

    Attributes
    ----------
    points : ndarray
        Values of tau at the nodes.
    """

    def __init__(self, panels: Panels, values: Array, c: float):
        self.in_x = Density(panels, values)
        self.c = c
        self.points = c * panels.nodes / (1 - panels.nodes)

    @property
    def shares(self) -> Array:
        """Probability that each node stands for; they sum to one."""
        return self.in_x.panels.weights * self.in_x.values

    def total(self, values: Array) -> float:
        """Mean of a function known at `points`; infinite where its integral has no end."""
        if diverges(self.in_x.panels, self.in_x.values * values):
            return float(np.copysign(np.inf, values[-1]))
        return float(self.shares @ values)

    @override
    def expectation(self, function: Callable[[Array], Array]) -> float:
        return self.total(function(self.points))

    @override
    def pdf(self, x: ArrayLike) -> Array:
        tau = np.asarray(x, dtype=float)
        there = np.maximum(tau, 0.0) + self.c
        return np.where(tau >= 0, self.in_x.pdf(1 - self.c / there) * self.c / there**2, 0.0)

    @override
    def cdf(self, x: ArrayLike) -> Array:
        return self.in_x.cdf(1 - self.c / (np.maximum(np.asarray(x, dtype=float), 0.0) + self.c))

    @override
    def quantile(self, q: ArrayLike) -> Array:
        x = self.in_x.quantile(q)
        return self.c * x / (1 - x)


def diverges(panels: Panels, integrand: Array) -> bool:
    """Whether a function of x is like (1 - x)^p with p <= -1 towards 1, where its integral is infinite.

    The power is read off between the last two nodes. A function whose panels end earlier is no such one.
    """
    last, before = np.abs(integrand[-1]), np.abs(integrand[-2])
    if panels.edges[-1] < 1 or not (last > 0 and before > 0):
        return False
    x = panels.nodes
    return bool(np.log(last / before) / np.log((1 - x[-1]) / (1 - x[-2])) < -1 + _NEAR)


def scale_of_map(prior: Prior, c: float) -> float:
    """The tau that is mapped to 1/2: c, or more beside a prior so far out that 1 - x would have no digits."""
    median = float(prior.quantile(0.5)) if prior.proper else np.inf
    return max(c, _INNER * median) if np.isfinite(median) else c


def half_line_edges(prior: Prior, smallest: float, c: float) -> Array:
    """In x: dyadic in tau from below the smallest standard error, and the quantiles of tau's prior."""
    first, last = 0.5 * smallest, 4 * c
    tau = first * 4.0 ** np.arange(np.ceil(np.log(last / first) / np.log(4)) + 1)
    if prior.proper:
        tau = np.append(tau, prior.quantile(_PRIOR_EDGES))
    low, high = prior.support
    tau = tau[(tau > low) & (tau < high)]
    bounds = [low / (low + c), 1.0 if np.isinf(high) else high / (high + c)]
    x = np.sort(np.concatenate([bounds, tau / (tau + c)]))
    apart = np.append(True, np.diff(x) > 1e-3 * x[1:])
    apart[-1] = True
    return x[apart]


def half_line_errors(panels: Panels, density: Array) -> Array:
    """Estimated error of each panel in probability, shape (p,)."""
    masses = panels.integrals(density)
    errors = panels.tails(density)
    if panels.edges[-1] == 1.0:
        errors[-1] = max(errors[-1], _UNSEEN * masses[-1])
    return errors / masses.sum()


class ConjugatePosterior(Posterior):
    """Posterior of normal studies under a normal or flat prior for mu: the interface of `Posterior`.

    The grid over (mu, tau) that `Posterior` is made of is only built if it is asked for.
    """

    @override
    def _integrate(self, rtol: float) -> None:
        """Place panels on the half line of tau and halve the unresolved."""
        prior = self.priors[TAU]
        smallest, c = self._scales()
        c = scale_of_map(prior, c)
        edges = half_line_edges(prior, smallest, c)
        for _ in range(_ROUNDS):
            panels = Panels(edges)
            x = panels.nodes
            tau = c * x / (1 - x)
            given = self._given_tau(tau)
            log_density = given.log_likelihood + prior.log_density(tau) + np.log(c) - 2 * np.log1p(-x)
            top = log_density.max()
            density = np.exp(log_density - top)
            if diverges(panels, density):
                raise self._improper()
            total = panels.weights @ density
            errors = half_line_errors(panels, density)
            rough = errors > rtol / 4 / len(panels)
            if not rough.any():
                break
            if len(panels) > _MOST_PANELS:
                raise InputError(
                    f"the priors mu ~ {self.priors[MU]} and tau ~ {prior} and the data are too far apart for "
                    "quadrature; use wider priors, or look for a number that is not in the others' unit"
                )
            edges = panels.split(rough).edges
        self.log_marginal_likelihood = float(top + np.log(total))
        self.error = float(errors.sum())
        self.tau = HalfLineDensity(panels, density, c)
        self._given = given
        share = self.tau.shares
        self._kept = share > _NOTHING
        self._share = share[self._kept]

    def _scales(self) -> tuple[float, float]:
        """Smallest standard error, and the scale of tau that is mapped to 1/2."""
        studies = self._studies
        return float(studies.se.min()), 4 * float(np.median(studies.se)) + float(np.ptp(studies.y)) / 2

    def _given_tau(self, tau: Array) -> GivenTau:
        return given_tau(self._studies, self.priors[MU], tau)

    @property
    def _studies(self) -> NormalStudies:
        return self.surface.studies  # pyright: ignore[reportReturnType]  # `Surface.posterior` has looked

    def _improper(self) -> ImproperPosterior:
        k = self.surface.k
        return ImproperPosterior(
            f"with {k} {'study' if k == 1 else 'studies'} and these priors the posterior of tau is not "
            f"proper; give tau a proper prior (a flat one needs at least 3 studies if mu is flat, else 2)"
        )

    # -- marginals: mixtures of normals over tau -------------------------------------------------

    @cached_property
    def _normals(self) -> tuple[Array, Array]:
        """Mean and sd given tau, of mu, theta_new and each study's effect: (2 + k, nodes of tau)."""
        tau2 = self.tau.points**2
        studies, mean, variance = self._studies, self._given.mean, self._given.variance
        se2 = studies.se[:, None] ** 2
        shrunk = se2 / (se2 + tau2)  # towards the mean
        own = shrunk * mean + (1 - shrunk) * studies.y[:, None]
        spread = shrunk * tau2 + shrunk**2 * variance
        means = np.concatenate([mean[None], mean[None], own])
        return means, np.sqrt(np.concatenate([variance[None], (variance + tau2)[None], spread]))

    def _rows(self, rows: slice, probabilities: Array) -> Array:
        """Mean, sd and quantiles of some of these: shape (rows, 2 + probabilities)."""
        means, sds = (part[rows] for part in self._normals)
        moments = np.array([self._moments(m, s) for m, s in zip(means, sds, strict=True)])
        quantiles = mixture_quantiles(self._share, means[:, self._kept], sds[:, self._kept], probabilities)
        return np.concatenate([moments, quantiles], axis=1)

    def _moments(self, mean: Array, sd: Array) -> tuple[float, float]:
        centre = self.tau.total(mean)
        if not np.isfinite(centre):
            return centre, float("inf")
        return centre, float(np.sqrt(self.tau.total(sd**2 + (mean - centre) ** 2)))

    def _mixture(self, row: int) -> NormalMixture:
        mean, sd = (part[row] for part in self._normals)
        return NormalMixture(self._share, mean[self._kept], sd[self._kept], *self._moments(mean, sd))

    @cached_property
    def mu(self) -> Density:
        """Posterior density of mu."""
        return self._mixture(0)

    @cached_property
    @override
    def theta_new(self) -> Density:
        return self._mixture(1)

    @cached_property
    @override
    def studies(self) -> dict[str, Density]:
        return {label: self._mixture(2 + i) for i, label in enumerate(self.surface.labels)}

    @override
    def summary(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        if kind != "eti":
            return super().summary(prob, kind)
        q = quantiles_of(prob)
        rows = self._rows(slice(0, 2), q)
        tau = np.array([self.tau.mean, self.tau.sd, *self.tau.quantile(q)])
        return table([MU, TAU, THETA_NEW], np.stack([rows[0], tau, rows[1]]))

    @override
    def shrinkage(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        if kind != "eti":
            return super().shrinkage(prob, kind)
        rows = self._rows(slice(2, None), quantiles_of(prob))
        return table(self.surface.labels, rows).rename_axis(STUDY)

    @override
    def draw_mu(self, tau: Array, rng: np.random.Generator) -> Array:
        given = given_tau(self._studies, self.priors[MU], tau)
        return rng.normal(given.mean, np.sqrt(given.variance))

    # -- the grid, for what needs one ------------------------------------------------------------

    @cached_property
    def _grid(self) -> Posterior:
        return Posterior(self.surface, self.priors, rtol=self._rtol)

    @property
    def mu_panels(self) -> Panels:
        """Panels in mu of the grid that `Posterior` integrates on."""
        return self._grid.mu_panels

    @property
    def tau_panels(self) -> Panels:
        """Panels in tau of that grid."""
        return self._grid.tau_panels

    @property
    def joint(self) -> Array:
        """Joint posterior density at its nodes, shape (mu nodes, tau nodes)."""
        return self._grid.joint
