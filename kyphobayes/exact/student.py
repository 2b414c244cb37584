r"""Study effects with heavy tails: theta_i = mu + tau t_i, with t_i Student-t of nu degrees of freedom.

A Student-t is a normal whose scale varies, :math:`\theta_i \sim N(\mu, \tau e^{v})` with
:math:`e^{-2v} \sim \mathrm{Gamma}(\nu/2, \nu/2)`. With :math:`w` the density of v,

.. math:: L_i^{t}(\mu, \tau) = \int L_i^{N}(\mu, \tau e^{v})\, w(v)\, dv
          = \int L_i^{N}(\mu, e^{u})\, w(u - \log \tau)\, du .

Both integrands are smooth and vanish at their ends, so the trapezoid rule on one lattice of u serves every
tau: normal likelihoods at the lattice, times a matrix of weights.
"""

from collections.abc import Sequence
from typing import Self, override

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.density import Density
from kyphobayes.exact.likelihoods import Likelihood
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.posterior import Posterior
from kyphobayes.exact.scales import log_scale_density, scale_range
from kyphobayes.exact.surface import RTOL, Surface
from kyphobayes.priors import Prior

_FALL = 36.0  # of the log integrand, times nu per unit of v, beyond the scales that reach every study
_LOST = 1e-150  # a weighted sum below this share of its largest term is computed again in logarithms
_LEAST, _MOST = 1.0, 1000.0  # degrees of freedom


class StudentEffects(Likelihood):
    """The studies of `base`, with effects that are Student-t about mu instead of normal.

    Attributes
    ----------
    base : Likelihood
        What the studies say of their own effects.
    nu : float
        Degrees of freedom.
    """

    def __init__(self, base: Likelihood, nu: float):
        if not _LEAST <= nu <= _MOST:
            raise InputError(
                f"nu: expected a number from {_LEAST:g} to {_MOST:g}, found {nu:g}; above, they are normal"
            )
        self.base, self._nu = base, float(nu)

    @property
    @override
    def nu(self) -> float:
        return self._nu

    @property
    @override
    def size(self) -> int:
        return self.base.size

    @property
    @override
    def centres(self) -> Array:
        return self.base.centres

    @property
    @override
    def scales(self) -> Array:
        return self.base.scales

    @override
    def log_lik(self, theta: ArrayLike) -> Array:
        return self.base.log_lik(theta)

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        return type(self)(self.base.take(index), self._nu)

    @override
    def exceedance(self, study: int, theta: Array) -> Array:
        return self.base.exceedance(study, theta)

    @override
    def replicate(self, theta: Array, rng: np.random.Generator) -> Array:
        return self.base.replicate(theta, rng)

    @override
    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        mu, tau = np.asarray(mu, dtype=float), np.asarray(tau, dtype=float)
        if not (mu.size and tau.size):
            return np.empty((self.size, mu.size, tau.size))
        low, high, step = scale_range(self._nu)
        # A study far from mu calls for scales that reach it, however improbable.
        far = np.abs(mu - self.centres[:, None]).max() + self.scales.max()
        first = np.log(tau.min()) + low
        last = max(np.log(tau.max()) + high, np.log(far) + _FALL / self._nu)
        u = first + step * np.arange(int(np.ceil((last - first) / step)) + 1)
        log_weights = log_scale_density(u[:, None] - np.log(tau), self._nu) + np.log(step)  # (u, tau)
        values = self.base.log_integrated(mu, np.exp(u))  # (k, mu, u)
        top = values.max(axis=-1, keepdims=True)
        total = np.exp(values - top) @ np.exp(np.maximum(log_weights, -745.0))
        lost = total < _LOST
        with np.errstate(divide="ignore"):
            out = np.log(total) + top
        for study, row in np.argwhere(lost.any(axis=-1)):
            out[study, row] = special.logsumexp(values[study, row][:, None] + log_weights, axis=0)
        return out

    @override
    def draw(self, index: NDArray[np.intp], mu: Array, tau: Array, rng: np.random.Generator) -> Array:
        low, high, step = scale_range(self._nu)
        out = np.empty(index.shape)
        for row, (centre, scale) in enumerate(zip(mu, tau, strict=True)):
            far = np.abs(centre - self.centres).max() + self.scales.max()
            v = np.arange(low, max(high, np.log(far / scale) + _FALL / self._nu) + step, step)
            log_w = log_scale_density(v, self._nu)
            values = self.base.log_integrated(np.array([centre]), scale * np.exp(v))[index[row], 0] + log_w
            chosen = np.argmax(values + rng.gumbel(size=values.shape), axis=1)
            scales = scale * np.exp(v[chosen] + step * (rng.uniform(size=len(chosen)) - 0.5))
            for column, s in enumerate(scales):
                one = index[row : row + 1, column : column + 1]
                out[row, column] = self.base.draw(one, mu[row : row + 1], np.array([s]), rng)[0, 0]
        return out


def student_effects(surface: Surface, nu: float) -> Surface:
    """Surface of the same studies, with effects that are Student-t about mu.

    Parameters
    ----------
    surface : Surface
        As made by `exact.normal`, `exact.binomial`, ...
    nu : float
        Degrees of freedom, from 1 to 1000. With nu up to 2 the effects have no variance, with nu = 1 no
        mean; what a summary then shows of theta_new is that of the part that was integrated.

    Raises
    ------
    InputError
    """
    studies = StudentEffects(surface.studies, nu)
    return Surface(studies, surface.tables, np.exp(surface.log_weights), surface.labels)


class StudentPosterior:
    """Posterior with the degrees of freedom averaged over a grid.

    Parameters
    ----------
    surface : Surface
        Of normal effects.
    nu : sequence of float
        Degrees of freedom; infinity stands for normal effects.
    weights : sequence of float, optional
        Prior weights. Default: equal.
    mu, tau : str or Prior

    Attributes
    ----------
    posteriors : list of Posterior
        One for each nu.
    probabilities : ndarray
        Posterior probability of each nu.
    log_marginal_likelihood : float

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """

    def __init__(
        self,
        surface: Surface,
        nu: Sequence[float],
        mu: str | Prior,
        tau: str | Prior,
        weights: Sequence[float] | None = None,
    ):
        share = np.full(len(nu), 1.0) if weights is None else np.asarray(weights, dtype=float)
        if not len(nu) or share.shape != (len(nu),) or not ((share > 0) & np.isfinite(share)).all():
            raise InputError(f"weights: expected a positive number for each of {len(nu)} values of nu")
        self.nu = [float(value) for value in nu]
        surfaces = [surface if np.isinf(value) else student_effects(surface, value) for value in self.nu]
        priors = surface.priors(mu, tau)
        self.posteriors = [Posterior(each, priors, rtol=RTOL) for each in surfaces]  # all on a grid
        evidence = np.array([post.log_marginal_likelihood for post in self.posteriors])
        evidence += np.log(share / share.sum())
        self.log_marginal_likelihood = float(special.logsumexp(evidence))
        self.probabilities: Array = special.softmax(evidence)

    def density(self, name: str) -> Density:
        """Posterior density of mu, tau, theta_new or a study's effect: the mean over nu."""
        parts = [post.marginal(name) for post in self.posteriors]
        panels = Panels(np.concatenate([part.panels.edges for part in parts]))
        values = np.stack([part.pdf(panels.nodes) for part in parts])
        return Density(panels, self.probabilities @ values)
