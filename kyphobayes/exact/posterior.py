"""Posterior of (mu, tau), of a new study and of the studies at hand, by quadrature on panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes import html
from kyphobayes.errors import InputError
from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.population import predictive, study_densities, table_probabilities
from kyphobayes.names import AGGREGATE, MU, PROB, STUDY, TAU
from kyphobayes.priors import Prior, Priors

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from kyphobayes.exact.predictive_checks import Kind
    from kyphobayes.exact.surface import Surface

_TAIL = 1e-2  # share of rtol that an outer panel may hold before the grid grows
_DROP = 1e-4  # share of rtol that the outer panels left out may hold together
_SEEN = 0.1  # error of the whole up to which the panels tell what is empty
_ROUNDS = 80
_NARROWEST = 1e-100  # prior, whose square is still a number
_MOST_NODES = 10_000_000  # of a grid, or memory runs out
# Quantiles of a prior that become panel edges, so that a prior much narrower than the data is seen.
_PRIOR_EDGES = (1e-13, 1e-8, 1e-4, 0.05, 0.5, 0.95, 1 - 1e-4, 1 - 1e-8, 1 - 1e-13)


class Posterior:
    """Posterior of a `Surface` under priors for mu and tau.

    Attributes
    ----------
    priors : Priors
    log_marginal_likelihood : float
        Log of the integral of likelihood times prior; differences are log Bayes factors. With an
        improper prior it is defined up to the prior's constant, taken as 1.
    error : float
        Estimated relative error of posterior probabilities: quadrature, truncation and interpolation.
    mu, tau : Density
        Marginal posteriors.
    mu_panels, tau_panels : Panels
    joint : ndarray, shape (mu nodes, tau nodes)
        Joint posterior density at the nodes of the two.
    """

    def __init__(self, surface: Surface, priors: Priors, *, rtol: float):
        if not 1e-13 <= rtol <= 0.1:
            raise InputError(f"rtol: expected a number from 1e-13 to 0.1, found {rtol:g}")
        for name, prior in priors.items():
            _refuse_unsquarable(name, prior)
        self.surface = surface
        self.priors = priors
        self._rtol = rtol
        self._integrate(rtol)

    def __repr__(self) -> str:
        return f"Posterior({self.surface.k} studies, mu ~ {self.priors[MU]}, tau ~ {self.priors[TAU]})"

    def _repr_html_(self) -> str:
        rows = [
            [name, *row, getattr(self, name).sketch(name)]
            for name, *row in self.summary().loc[list(AGGREGATE)].itertuples(name=None)
        ]
        header = ["", "mean", "sd", "median", "low", "high", "density"]
        told = f"{100 * PROB:g} % intervals; log marginal likelihood {self.log_marginal_likelihood:.4g}"
        return html.block(html.line(repr(self)), html.table(header, rows), html.line(told))

    # -- quadrature ------------------------------------------------------------------------------

    def _integrate(self, rtol: float) -> None:
        """Place the panels: grow while mass is left outside, drop the empty, halve the unresolved."""
        surface, priors = self.surface, self.priors
        for name, prior in priors.items():
            middle = float(prior.quantile(0.5)) if prior.proper else np.nan
            if np.isfinite(middle):
                surface.cover(name, middle)
        if not priors[MU].proper:
            surface.require_bounds()
        mu, tau = _start(surface.mu, priors[MU]), _start(surface.tau, priors[TAU])
        settled: set[str] = set()
        left_out = 0.0
        left = _ROUNDS
        while True:
            left -= 1
            if len(mu.nodes) * len(tau.nodes) > _MOST_NODES:
                raise InputError(
                    f"the priors mu ~ {priors[MU]} and tau ~ {priors[TAU]} and the data are too far apart "
                    f"for quadrature; use a wider prior for mu"
                )
            log_prior = priors[MU].log_density(mu.nodes)[:, None] + priors[TAU].log_density(tau.nodes)
            log_likelihood, interpolation = surface.around(mu.nodes, tau.nodes, log_prior, rtol)
            log_density = log_likelihood + log_prior
            top = log_density.max()
            density = np.exp(log_density - top)
            total = mu.weights @ density @ tau.weights
            mass_mu = mu.integrals(density @ tau.weights) / total
            mass_tau = tau.integrals(mu.weights @ density) / total
            # What lies beyond an edge, were the density to fall off no faster than over the reach so far.
            reach_mu, reach_tau = mu.edges[-1] - mu.edges[0], tau.edges[-1] - tau.edges[0]
            first, last = density[[0, -1]] @ tau.weights * reach_mu / total
            edges = {"low": first, "high": last, "tau": mu.weights @ density[:, -1] * reach_tau / total}
            bounds = {
                "low": mu.edges[0] <= priors[MU].support[0],
                "high": mu.edges[-1] >= priors[MU].support[1],
                "tau": tau.edges[-1] >= priors[TAU].support[1],
            }
            outside = {
                side for side, mass in edges.items()
                if mass > rtol * _TAIL and not bounds[side] and side not in settled
            }  # fmt: skip
            if outside and left > 0:
                surface.grow(outside)
                mu, tau = _start(surface.mu, priors[MU], mu), _start(surface.tau, priors[TAU], tau)
                continue
            errors_mu = mu.tails(density) @ tau.weights / total
            errors_tau = tau.tails(density.T) @ mu.weights / total
            rough_mu, rough_tau = errors_mu > rtol / 4 / len(mu), errors_tau > rtol / 4 / len(tau)
            if left <= 0 or not (rough_mu.any() or rough_tau.any()):
                break
            settled |= {"low", "high", "tau"}
            # A peak that no node has seen yet lies beside the highest: its panel may look empty.
            spare = int(errors_mu.sum() > _SEEN or errors_tau.sum() > _SEEN)
            mu, empty_mu = _refine(mu, rough_mu, mass_mu, rtol * _DROP, spare)
            tau, empty_tau = _refine(tau, rough_tau, mass_tau, rtol * _DROP, spare)
            left_out += empty_mu + empty_tau
        beyond = sum(rtol * _TAIL for bound in bounds.values() if not bound)
        self.error = float(errors_mu.sum() + errors_tau.sum()) + left_out + beyond + interpolation
        self.log_marginal_likelihood = float(top + np.log(total))
        self.mu_panels, self.tau_panels, self.joint = mu, tau, density / total
        self.mu = Density(mu, density @ tau.weights)
        self.tau = Density(tau, mu.weights @ density)

    # -- a new study and the studies at hand -----------------------------------------------------

    @cached_property
    def theta_new(self) -> Density:
        """Posterior predictive density of the effect in a new study."""
        return predictive(self.mu_panels, self.tau_panels, self.joint, self.surface.studies.kernel)

    @cached_property
    def studies(self) -> dict[str, Density]:
        """Posterior density of each study's own effect, by its label."""
        return study_densities(self.surface, self.mu_panels, self.tau_panels, self.joint)

    def marginal(self, name: str) -> Density:
        """Posterior density of `name`: mu, tau, theta_new or a study's label."""
        if name in AGGREGATE:
            return getattr(self, name)
        if name in self.studies:
            return self.studies[name]
        raise InputError(f"{name}: expected one of {', '.join(AGGREGATE)} or a study's label")

    # -- what people ask -------------------------------------------------------------------------

    def pdf(self, name: str, x: ArrayLike) -> Array:
        """Posterior density of `name` (mu, tau, theta_new or a study's label) at `x`."""
        return self.marginal(name).pdf(x)

    def cdf(self, name: str, x: ArrayLike) -> Array:
        """Posterior probability that `name` is at most `x`."""
        return self.marginal(name).cdf(x)

    def quantile(self, name: str, q: ArrayLike) -> Array:
        """Posterior quantile of `name`."""
        return self.marginal(name).quantile(q)

    def hdi(self, name: str, prob: float = PROB) -> tuple[float, float]:
        """Shortest interval of `name` that holds `prob`."""
        return self.marginal(name).hdi(prob)

    def summary(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        """Posterior mean, sd, median and interval of mu, tau and theta_new.

        Parameters
        ----------
        prob : float
            Probability of the interval.
        kind : {"eti", "hdi"}
            Central or shortest.

        Notes
        -----
        Few studies under a heavy-tailed or flat prior can leave a mean or an sd infinite. It is shown
        as such where the studies are normal and mu has a normal or flat prior; else what is shown is
        that of the part that was integrated. The quantiles are right in either case.
        """
        return summarised({name: self.marginal(name) for name in AGGREGATE}, prob, kind)

    def shrinkage(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        """Posterior mean, sd, median and interval of each study's own effect: one row per study."""
        return summarised(self.studies, prob, kind).rename_axis(STUDY)

    def table_probabilities(self) -> Array:
        """Posterior probability of each count table: shape (t,); it sums to one."""
        return table_probabilities(self.surface, self.mu_panels, self.tau_panels, self.joint)

    def draw_mu(self, tau: Array, rng: np.random.Generator) -> Array:
        """Draw mu given each tau."""
        from kyphobayes.exact.draws import draw_mu

        return draw_mu(self.mu_panels, self.tau_panels, self.joint, tau, rng)

    def draw(self, size: int, rng: np.random.Generator) -> dict[str, Array]:
        """Independent draws of mu, tau, theta_new, theta (and table): see `kyphobayes.exact.draws`."""
        from kyphobayes.exact.draws import draw

        return draw(self, size, rng)

    def to_datatree(self, draws: int = 1000, chains: int = 4, seed: int = 0) -> xr.DataTree:
        """Independent draws in ArviZ's layout, so that all its functions work on an exact posterior.

        Parameters
        ----------
        draws, chains : int
        seed : int
            The same seed gives the same draws.
        """
        from kyphobayes.exact.draws import to_datatree

        return to_datatree(self, draws, chains, seed)

    # -- checks ----------------------------------------------------------------------------------

    def without(self, *labels: str) -> Posterior:
        """Posterior under the same priors without some studies, named by their labels."""
        surface = self.surface.without(*labels)
        return surface.posterior(self.priors[MU], self.priors[TAU], rtol=self._rtol)

    def loo(self) -> pd.DataFrame:
        """Exact leave-one-study-out log predictive densities: see `kyphobayes.exact.loo`."""
        from kyphobayes.exact.loo import loo

        return loo(self)

    def predictive_p(self, kind: Kind = "mixed") -> pd.Series:
        """Predictive p-value of each study: see `kyphobayes.exact.predictive_checks`."""
        from kyphobayes.exact.predictive_checks import predictive_p

        return predictive_p(self, kind)

    def contraction(self) -> pd.DataFrame:
        """How much the data narrow the priors of mu and tau: see `kyphobayes.exact.conflict`."""
        from kyphobayes.exact.conflict import contraction

        return contraction(self)

    def conflict(self, *, draws: int = 100_000, seed: int = 0) -> pd.DataFrame:
        """Prior-data conflict for mu and tau, Box's p: see `kyphobayes.exact.conflict`."""
        from kyphobayes.exact.conflict import conflict

        return conflict(self, draws=draws, seed=seed)


def summarised(densities: Mapping[str, Density], prob: float, kind: str) -> pd.DataFrame:
    """Mean, sd, median and interval of each density, by name."""
    if kind not in ("eti", "hdi"):
        raise InputError(f"kind: expected 'eti' or 'hdi', found {kind!r}")
    q = quantiles_of(prob)
    rows = []
    for density in densities.values():
        ends = density.quantile(q[1:]) if kind == "eti" else density.hdi(prob)
        rows.append((density.mean, density.sd, float(density.quantile(0.5)), *ends))
    return table(list(densities), np.array(rows))


def quantiles_of(prob: float) -> Array:
    """Probabilities of the median and of the ends of a central interval.

    Raises
    ------
    InputError
        If `prob` is not a probability between 0 and 1.
    """
    if not 0 < prob < 1:
        raise InputError(f"prob: expected a number between 0 and 1, found {prob:g}")
    return np.array([0.5, (1 - prob) / 2, (1 + prob) / 2])


def table(names: Sequence[str], rows: Array) -> pd.DataFrame:
    """Label a summary: mean, sd, median, low and high of each name."""
    import pandas as pd

    return pd.DataFrame(rows, index=list(names), columns=["mean", "sd", "median", "low", "high"])


def _refuse_unsquarable(name: str, prior: Prior) -> None:
    """Refuse a prior so narrow or so wide that the square of its width is no number."""
    if not prior.proper:
        return
    low, high = prior.quantile([0.25, 0.75])
    if not high - low >= _NARROWEST:
        raise InputError(
            f"{name} ~ {prior}: expected a prior at least {_NARROWEST:g} wide; "
            f"take a wider one, or for tau the common effect"
        )
    if np.isfinite(high - low) and high - low > 1 / _NARROWEST:
        raise InputError(
            f"{name} ~ {prior}: expected a prior at most {1 / _NARROWEST:g} wide; "
            f"take a narrower or a flat one"
        )


def _start(surface: Panels, prior: Prior, current: Panels | None = None) -> Panels:
    """Panels to begin with: a few over the surface's reach, or the current ones and what it has grown by.

    The prior's quantiles are edges, so that a prior much narrower than the data is not overlooked.
    """
    low, high = (
        np.maximum(prior.support[0], surface.edges[0]),
        np.minimum(prior.support[1], surface.edges[-1]),
    )
    if current is None:
        edges = np.concatenate([surface.edges, _landmarks(prior), [low, high]])
    else:
        edges = np.concatenate([surface.edges, current.edges, [low, high]])
    return Panels(edges[(edges >= low) & (edges <= high)])


def _landmarks(prior: Prior) -> Array:
    """Quantiles of a prior, far into its tails, without those that lie close together."""
    if not prior.proper:
        return np.empty(0)
    quantiles = prior.quantile(_PRIOR_EDGES)
    apart = 0.1 * float(np.diff(prior.quantile([0.05, 0.95]))[0])
    kept = [quantiles[0]]
    for quantile in quantiles[1:]:
        if quantile - kept[-1] > apart:
            kept.append(quantile)
    return np.array(kept)


def _refine(
    panels: Panels, rough: NDArray[np.bool_], mass: Array, negligible: float, spare: int
) -> tuple[Panels, float]:
    """Halve the rough panels, leave out empty ones at the ends, and tell how much mass that leaves out.

    `spare` empty ones are kept, and halved, at either end.
    """
    full = np.flatnonzero((np.cumsum(mass) > negligible) & (np.cumsum(mass[::-1])[::-1] > negligible))
    first, last = max(full[0] - spare, 0), min(full[-1] + 1 + spare, len(panels))
    if spare:
        rough = rough.copy()
        rough[[first, last - 1]] = True
    kept = Panels(panels.edges[first : last + 1]).split(rough[first:last])
    return kept, float(mass[:first].sum() + mass[last:].sum())
