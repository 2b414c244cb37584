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

from kyphobayes.exact.averaged import Averaged
from kyphobayes.exact.kernels import StudentKernel
from kyphobayes.exact.likelihoods import Likelihood, OtherEffects
from kyphobayes.exact.panels import Array
from kyphobayes.exact.scales import log_scale_density, scale_range
from kyphobayes.exact.surface import Surface
from kyphobayes.priors import Prior

_FALL = 36.0  # of the log integrand, times nu per unit of v, beyond the scales that reach every study
_KEPT = 3  # sets of mu whose values are kept
_LOST = 1e-150  # a weighted sum below this share of its largest term is computed again in logarithms


class StudentEffects(OtherEffects):
    """The studies of `base`, with effects that are Student-t about mu instead of normal.

    Attributes
    ----------
    nu : float
        Degrees of freedom.
    """

    def __init__(self, base: Likelihood, nu: float):
        self._kernel = StudentKernel(float(nu))
        super().__init__(base)
        self._nu = self._kernel.nu
        self._known: dict[bytes, tuple[int, Array]] = {}

    @property
    @override
    def kernel(self) -> StudentKernel:
        return self._kernel

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        fewer = type(self)(self.base.take(index), self._nu)
        fewer._known = {mu: (first, values[index]) for mu, (first, values) in self._known.items()}
        return fewer

    @override
    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        mu, tau = np.asarray(mu, dtype=float), np.asarray(tau, dtype=float)
        if not (mu.size and tau.size):
            return np.empty((self.size, mu.size, tau.size))
        low, high, step = scale_range(self._nu)
        # A study far from mu calls for scales that reach it, however improbable.
        far = np.abs(mu - self.centres[:, None]).max() + self.scales.max()
        last = max(np.log(tau.max()) + high, np.log(far) + _FALL / self._nu)
        first = int(np.floor((np.log(tau.min()) + low) / step))
        u = step * np.arange(first, int(np.ceil(last / step)) + 1, dtype=float)
        log_weights = log_scale_density(u[:, None] - np.log(tau), self._nu) + np.log(step)  # (u, tau)
        values = self._on_lattice(mu, first, len(u), step)
        top = values.max(axis=-1, keepdims=True)
        total = np.exp(values - top) @ np.exp(np.maximum(log_weights, -745.0))
        lost = total < _LOST
        with np.errstate(divide="ignore"):  # a total that underflows is computed again below
            out = np.log(total) + top
        for study, row in np.argwhere(lost.any(axis=-1)):
            out[study, row] = special.logsumexp(values[study, row][:, None] + log_weights, axis=0)
        return out

    def _on_lattice(self, mu: Array, first: int, count: int, step: float) -> Array:
        """Normal likelihoods at mu and at scales exp(step * j), j from `first`: shape (k, len(mu), count).

        The lattice is the same for every tau, so that its values for the same mu are kept.
        """
        key = mu.tobytes()
        start, values = self._known.pop(key, (first, np.empty((self.size, len(mu), 0))))
        below = np.arange(first, start)
        above = np.arange(start + values.shape[-1], first + count)
        missing = np.concatenate([below, above])
        if len(missing):
            new = self.base.log_integrated(mu, np.exp(step * missing))
            values = np.concatenate([new[..., : len(below)], values, new[..., len(below) :]], axis=-1)
            start = min(start, first)
        while len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        self._known[key] = start, values
        return values[..., first - start : first - start + count]

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


class StudentPosterior(Averaged):
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
    nu : list of float

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
        self.nu = [float(value) for value in nu]
        surfaces = [surface if np.isinf(value) else student_effects(surface, value) for value in self.nu]
        super().__init__(surfaces, np.ones(len(surfaces)) if weights is None else weights, mu, tau)
