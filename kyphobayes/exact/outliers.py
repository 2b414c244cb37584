r"""Outlying studies: most effects lie within tau of mu, a share of them more widely.

.. math:: \theta_i \sim (1 - w)\, N(\mu, \tau) + w\, N(\mu, r\tau), \qquad
          L_i(\mu, \tau) = (1 - w)\, L_i^{N}(\mu, \tau) + w\, L_i^{N}(\mu, r\tau)

This is Tukey's contaminated normal (1960, in Contributions to Probability and Statistics, 448). With w and
r fixed the integrated likelihood of a study is a mean of two that are known, and

.. math:: P(i\ \text{outlying} \mid y) = \int\!\!\int
          \frac{w\, L_i^{N}(\mu, r\tau)}{L_i(\mu, \tau)}\, p(\mu, \tau \mid y)\, d\mu\, d\tau .

Both are averaged over a grid of (w, r), as over degrees of freedom in `kyphobayes.exact.student`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, override

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.averaged import Averaged
from kyphobayes.exact.kernels import ContaminatedKernel
from kyphobayes.exact.likelihoods import Likelihood, OtherEffects
from kyphobayes.exact.panels import Array
from kyphobayes.exact.population import interpolated, table_shares
from kyphobayes.exact.posterior import Posterior
from kyphobayes.exact.surface import Surface
from kyphobayes.names import STUDY
from kyphobayes.priors import Prior

if TYPE_CHECKING:
    import pandas as pd


class OutlyingEffects(OtherEffects):
    """The studies of `base`, with effects of which a share is spread more widely about mu.

    Attributes
    ----------
    share, ratio : float
        See `ContaminatedKernel`.
    """

    def __init__(self, base: Likelihood, share: float, ratio: float):
        self._kernel = ContaminatedKernel(float(share), float(ratio))
        super().__init__(base)
        self.share, self.ratio = self._kernel.share, self._kernel.ratio

    @property
    @override
    def kernel(self) -> ContaminatedKernel:
        return self._kernel

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        return type(self)(self.base.take(index), self.share, self.ratio)

    def parts(self, mu: ArrayLike, tau: ArrayLike) -> tuple[Array, Array]:
        """Log of (1 - w) L(mu, tau) and of w L(mu, r tau): both of shape (k, len(mu), len(tau))."""
        tau = np.asarray(tau, dtype=float)
        usual = self.base.log_integrated(mu, tau) + np.log1p(-self.share)
        return usual, self.base.log_integrated(mu, self.ratio * tau) + np.log(self.share)

    @override
    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        return np.logaddexp(*self.parts(mu, tau))

    @override
    def draw(self, index: NDArray[np.intp], mu: Array, tau: Array, rng: np.random.Generator) -> Array:
        chance = np.empty(index.shape)
        for row, (centre, scale) in enumerate(zip(mu, tau, strict=True)):
            usual, wide = self.parts(np.array([centre]), np.array([scale]))
            chance[row] = special.expit(wide - usual)[index[row], 0, 0]
        outlying = rng.uniform(size=index.shape) < chance
        drawn = [self.base.draw(index, mu, spread, rng) for spread in (tau, self.ratio * tau)]
        return np.where(outlying, drawn[1], drawn[0])


def outlying_effects(surface: Surface, share: float, ratio: float) -> Surface:
    """Surface of the same studies, with effects of which a share is spread more widely about mu.

    Parameters
    ----------
    surface : Surface
        Of normal effects, as made by `exact.normal`, `exact.binomial`, ...
    share : float
        Of outlying effects, above 0 and up to 0.5.
    ratio : float
        Of their standard deviation to that of the others, above 1 and up to 100.

    Raises
    ------
    InputError
    """
    studies = OutlyingEffects(surface.studies, share, ratio)
    return Surface(studies, surface.tables, np.exp(surface.log_weights), surface.labels)


def outlying(found: Posterior | Averaged) -> pd.Series:
    """Posterior probability that each study's effect is one of the outlying ones, by label.

    Of an average it is the mean over its surfaces; with normal effects nothing is outlying.

    Raises
    ------
    InputError
        If no surface is one of `outlying_effects`.
    """
    import pandas as pd

    posteriors, shares = (
        ([found], [1.0]) if isinstance(found, Posterior) else (found.posteriors, found.probabilities)
    )
    parts = zip(posteriors, shares, strict=True)
    wide = [(post, share) for post, share in parts if isinstance(post.surface.studies, OutlyingEffects)]
    if not wide:
        raise InputError("expected a posterior of outlying_effects, found one of other effects")
    chances = sum(share * _outlying(post) for post, share in wide)
    return pd.Series(chances, index=pd.Index(found.surface.labels, name=STUDY), name="outlying")


def _outlying(post: Posterior) -> Array:
    surface, mu, tau = post.surface, post.mu_panels, post.tau_panels
    studies = surface.studies
    assert isinstance(studies, OutlyingEffects)
    pieces = surface.pieces()
    wide = studies.base.log_integrated(surface.mu.nodes, studies.ratio * surface.tau.nodes)
    log_chance = interpolated(surface, np.log(studies.share) + wide - pieces, mu, tau)
    shares = table_shares(surface, interpolated(surface, pieces, mu, tau))
    chances = np.einsum(
        "pij,ij,i,j->p", _by_piece(surface, shares) * np.exp(log_chance), post.joint, mu.weights, tau.weights
    )
    return np.array([chances[np.unique(column)].sum() for column in surface.tables.T])


def _by_piece(surface: Surface, shares: Array) -> Array:
    """Probability given (mu, tau) of every likelihood that a study may have: (pieces, mu, tau)."""
    found = np.zeros((surface.studies.size, *shares.shape[1:]))
    for table, share in zip(surface.tables, shares, strict=True):
        found[table] += share
    return found


class OutlyingPosterior(Averaged):
    """Posterior with the share of outlying effects and the ratio of spreads averaged over a grid.

    Parameters
    ----------
    surface : Surface
        Of normal effects.
    grid : sequence of (float, float)
        Share and ratio; a share of 0 stands for normal effects, whatever the ratio.
    weights : sequence of float, optional
        Prior weights of the points. Default: equal.
    mu, tau : str or Prior

    Attributes
    ----------
    grid : list of (float, float)

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """

    def __init__(
        self,
        surface: Surface,
        grid: Sequence[tuple[float, float]],
        mu: str | Prior,
        tau: str | Prior,
        weights: Sequence[float] | None = None,
    ):
        self.grid = [(float(share), float(ratio)) for share, ratio in grid]
        surfaces = [
            surface if share == 0 else outlying_effects(surface, share, ratio) for share, ratio in self.grid
        ]
        super().__init__(surfaces, np.ones(len(surfaces)) if weights is None else weights, mu, tau)
