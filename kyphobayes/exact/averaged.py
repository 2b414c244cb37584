"""Posteriors of the same studies under several kernels, averaged by their posterior probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.density import Density
from kyphobayes.exact.loo import loo
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.posterior import Posterior, summarised
from kyphobayes.exact.surface import RTOL, Surface
from kyphobayes.names import AGGREGATE, MU, PROB, TAU
from kyphobayes.priors import Prior

if TYPE_CHECKING:
    import pandas as pd


class Averaged:
    """Posteriors of several surfaces under the same priors, averaged.

    Parameters
    ----------
    surfaces : sequence of Surface
        Of the same studies, each with effects of another kernel.
    weights : sequence of float
        Their prior weights.
    mu, tau : str or Prior

    Attributes
    ----------
    surface : Surface
        The first one, for what they have in common: labels and tables.
    priors : Priors
    posteriors : list of Posterior
        One for each surface.
    weights, probabilities : ndarray
        Prior and posterior probability of each; they sum to one.
    log_marginal_likelihood : float

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """

    def __init__(
        self, surfaces: Sequence[Surface], weights: Sequence[float] | Array, mu: str | Prior, tau: str | Prior
    ):
        share = np.asarray(weights, dtype=float)
        if not len(surfaces) or share.shape != (len(surfaces),) or not (share > 0).all():
            raise InputError(f"weights: expected a positive number for each of {len(surfaces)} surfaces")
        if not np.isfinite(share).all():
            raise InputError("weights: expected finite numbers")
        self.surfaces, self.surface, self.weights = list(surfaces), surfaces[0], share / share.sum()
        self.priors = self.surface.priors(mu, tau)
        self.posteriors = [Posterior(each, self.priors, rtol=RTOL) for each in surfaces]  # all on a grid
        evidence = np.array([post.log_marginal_likelihood for post in self.posteriors])
        evidence += np.log(self.weights)
        self.log_marginal_likelihood = float(special.logsumexp(evidence))
        self.probabilities: Array = special.softmax(evidence)
        self._densities: dict[str, Density] = {}

    def density(self, name: str) -> Density:
        """Posterior density of mu, tau, theta_new or a study's effect: the mean over the surfaces."""
        if name not in self._densities:
            parts = [post.marginal(name) for post in self.posteriors]
            self._densities[name] = mixed(parts, self.probabilities)
        return self._densities[name]

    def quantile(self, name: str, q: ArrayLike) -> Array:
        """Posterior quantile of `name`."""
        return self.density(name).quantile(q)

    def cdf(self, name: str, x: ArrayLike) -> Array:
        """Posterior probability that `name` is at most `x`."""
        return self.density(name).cdf(x)

    def summary(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        """Posterior mean, sd, median and interval of mu, tau and theta_new: see `Posterior.summary`."""
        return summarised({name: self.density(name) for name in AGGREGATE}, prob, kind)

    def under(self, mu: str | Prior, tau: str | Prior) -> Averaged:
        """The same under other priors for mu and tau; the surfaces are there already."""
        return Averaged(self.surfaces, self.weights, mu, tau)

    def without(self, *labels: str) -> Averaged:
        """The same without some studies; the kernels' prior weights are those of all."""
        fewer = [surface.without(*labels) for surface in self.surfaces]
        return Averaged(fewer, self.weights, self.priors[MU], self.priors[TAU])

    def loo(self) -> pd.DataFrame:
        """Exact leave-one-study-out log predictive densities: see `kyphobayes.exact.loo`."""
        return loo(self)


def mixed(parts: Sequence[Density], weights: ArrayLike) -> Density:
    """Weighted mean of densities, on panels that hold the edges of all."""
    panels = Panels(np.concatenate([part.panels.edges for part in parts]))
    values = np.stack([part.pdf(panels.nodes) for part in parts])
    return Density(panels, np.asarray(weights, dtype=float) @ values)
