r"""What the studies say about their own effects, and what is left of it given (mu, tau).

A likelihood holds k studies. `log_lik(theta)` is what each says of its own effect;
`log_integrated(mu, tau)` is the same with the effect integrated out,

.. math:: \log L_i(\mu, \tau) = \log \int p(y_i \mid \theta) \, N(\theta; \mu, \tau) \, d\theta .
"""

from collections.abc import Callable
from typing import Protocol, Self, override

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.counts import CountKernel
from kyphobayes.exact.kernels import NORMAL, Kernel
from kyphobayes.exact.panels import Array

_LOG_2PI = float(np.log(2 * np.pi))
_LARGEST = 1e100  # number whose square, and that of 1 over it, are numbers with room to spare
_FAR = 700.0  # from the best log odds: beyond, the log likelihood is a straight line


class Likelihood(Protocol):
    """k independent studies of one family."""

    @property
    def size(self) -> int:
        """Number of studies."""
        ...

    @property
    def centres(self) -> Array:
        """Where each study alone would place its effect, shape (k,); finite also for zero cells."""
        ...

    @property
    def scales(self) -> Array:
        """How far from there it would still look, shape (k,)."""
        ...

    @property
    def kernel(self) -> Kernel:
        """How the effects lie about mu: they are normal unless said otherwise."""
        return NORMAL

    def log_lik(self, theta: ArrayLike) -> Array:
        """Log likelihood of each study at each theta: shape (k, len(theta))."""
        ...

    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        """Log of the likelihood integrated over theta ~ Normal(mu, tau): shape (k, len(mu), len(tau))."""
        ...

    def draw(self, index: NDArray[np.intp], mu: Array, tau: Array, rng: np.random.Generator) -> Array:
        """Draw the effects of studies `index`, shape (draws, m), given mu and tau, shape (draws,)."""
        ...

    def take(self, index: NDArray[np.intp]) -> Self:
        """Some of the studies."""
        ...

    def distinct(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Studies that differ from each other, as indices, and how many are like each of them."""
        return np.arange(self.size), np.ones(self.size, dtype=np.intp)

    def exceedance(self, study: int, theta: Array) -> Array:
        """Probability at each theta of more than the study found, ties counted half: shape of theta."""
        ...

    def replicate(self, theta: Array, rng: np.random.Generator) -> Array:
        """Draw a new outcome of each study at effects `theta`, shape (draws, k)."""
        ...


class NormalStudies(Likelihood):
    """Estimates `y` with standard errors `se`, taken as known."""

    def __init__(self, y: ArrayLike, se: ArrayLike):
        self.y = _vector("y", y)
        self.se = _vector("se", se)
        _same_length("y", self.y, "se", self.se)
        _all("se", self.se, self.se > 0, "a standard error greater than 0")
        usable = f"in a unit in which it lies between {1 / _LARGEST:g} and {_LARGEST:g}"
        _all("se", self.se, (self.se > 1 / _LARGEST) & (self.se < _LARGEST), f"a standard error {usable}")
        _all("y", self.y, np.abs(self.y) < _LARGEST, f"an estimate of less than {_LARGEST:g}")

    @property
    @override
    def size(self) -> int:
        return len(self.y)

    @property
    @override
    def centres(self) -> Array:
        return self.y

    @property
    @override
    def scales(self) -> Array:
        return self.se

    @override
    def log_lik(self, theta: ArrayLike) -> Array:
        z = (np.asarray(theta, dtype=float) - self.y[:, None]) / self.se[:, None]
        return -0.5 * z**2 - np.log(self.se[:, None]) - 0.5 * _LOG_2PI

    @override
    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        # y_i ~ Normal(mu, se_i^2 + tau^2): the one case with a closed form.
        variance = self.se[:, None, None] ** 2 + np.square(tau)
        residual = self.y[:, None, None] - np.asarray(mu, dtype=float)[:, None]
        return -0.5 * (residual**2 / variance + np.log(variance) + _LOG_2PI)

    @override
    def draw(self, index: NDArray[np.intp], mu: Array, tau: Array, rng: np.random.Generator) -> Array:
        own, common = self.se[index] ** -2, tau[:, None] ** -2
        mean = (own * self.y[index] + common * mu[:, None]) / (own + common)
        return rng.normal(mean, 1 / np.sqrt(own + common))

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        return type(self)(self.y[index], self.se[index])

    @override
    def exceedance(self, study: int, theta: Array) -> Array:
        return special.ndtr((theta - self.y[study]) / self.se[study])

    @override
    def replicate(self, theta: Array, rng: np.random.Generator) -> Array:
        return rng.normal(theta, self.se)


class OtherEffects(Likelihood):
    """Studies that say what those of `base` say of their own effects, which lie otherwise about mu.

    Attributes
    ----------
    base : Likelihood
    """

    def __init__(self, base: Likelihood):
        self.base = base

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
    def exceedance(self, study: int, theta: Array) -> Array:
        return self.base.exceedance(study, theta)

    @override
    def replicate(self, theta: Array, rng: np.random.Generator) -> Array:
        return self.base.replicate(theta, rng)


class CountStudies(Likelihood):
    """Counts whose log likelihood is known as how far it falls below its best.

    Attributes
    ----------
    best : ndarray, shape (k,)
        The largest log likelihood of each study, combinatorial constants included.
    """

    def __init__(self, events: Array, kernel: CountKernel, best: Array):
        self.events = events
        self._kernel, self.best = kernel, best

    @property
    @override
    def size(self) -> int:
        return len(self.events)

    @override
    def log_lik(self, theta: ArrayLike) -> Array:
        return self._kernel.log_lik(np.asarray(theta, dtype=float)) + self.best[:, None]

    @override
    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        return self._kernel.log_integrated(mu, tau) + self.best[:, None, None]

    @override
    def draw(self, index: NDArray[np.intp], mu: Array, tau: Array, rng: np.random.Generator) -> Array:
        return self._kernel.draw(index, mu, tau, rng)

    @override
    def distinct(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        both = np.stack([self._kernel.slope, self._kernel.size])
        _, first, times = np.unique(both, axis=1, return_index=True, return_counts=True)
        return first, times

    @override
    def exceedance(self, study: int, theta: Array) -> Array:
        tie = self._kernel.fall(self._kernel.slope[study], self._kernel.size[study])(theta)
        return self._more(study, theta) + np.exp(tie + self.best[study]) / 2

    def _more(self, study: int, theta: Array) -> Array:
        """Probability of more events than there were."""
        raise NotImplementedError


def binomial_fall(events: Array, n: Array) -> Callable[[Array], Array]:
    """Log likelihood of counts relative to its best, as a function of the log odds.

    With x how far theta lies from the log odds of the share p of events, it is
    events x - n log(1 + p (e^x - 1)): no terms of the size of n cancel. Where events are more than half,
    it is that of the others, which are fewer.
    """
    side = np.where(2 * events > n, -1.0, 1.0)
    fewer = np.where(side < 0, n - events, events)
    none = fewer == 0
    share = fewer / n
    best = np.where(none, 0.0, np.log(np.where(none, 1.0, fewer) / (n - fewer)))

    def fall(theta: Array) -> Array:
        x = side * theta - best
        inner = np.minimum(x, _FAR)
        growth = share * np.expm1(inner)
        if none.any():
            growth = np.where(none, np.exp(inner), growth)
        return fewer * x - n * (np.log1p(growth) + (x - inner))

    return fall


def poisson_fall(events: Array, exposure: Array) -> Callable[[Array], Array]:
    """Log likelihood of counts relative to its best, as a function of the log rate.

    With x how far theta lies from the log of events / exposure, it is events (x - (e^x - 1)). Rates
    beyond e^500 times that are all equally impossible.
    """
    none = events == 0
    best = np.where(none, 0.0, np.log(np.where(none, 1.0, events) / exposure))

    def fall(theta: Array) -> Array:
        x = np.minimum(theta - best, 500.0)
        some = events * (x - np.expm1(x))
        return np.where(none, -exposure * np.exp(x), some) if none.any() else some

    return fall


def _stirling_error(n: Array) -> Array:
    """What Stirling's formula lacks of log n!, n >= 1: a series where log gamma functions would cancel."""
    large = np.maximum(n, 20.0)
    square = large**-2
    series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - square / 1188) * square) * square) * square) / large
    small = special.gammaln(n + 1) - (n + 0.5) * np.log(n) + n - 0.5 * _LOG_2PI
    return np.where(n < 20, small, series)


def _logistic_slope(theta: Array) -> Array:
    return special.expit(theta) * special.expit(-theta)


class BinomialStudies(CountStudies):
    """Counts `events` out of `n`, with theta the log odds of an event."""

    def __init__(self, events: ArrayLike, n: ArrayLike):
        counts, self.n = _counts("events", events), _counts("n", n)
        _same_length("events", counts, "n", self.n)
        _all("n", self.n, self.n > 0, "at least 1")
        _all("events", counts, counts <= self.n, "no more events than n")
        kernel = CountKernel(
            slope=counts,
            size=self.n,
            fall=binomial_fall,
            rate=special.expit,
            curvature=_logistic_slope,
            limit=1.0,
        )
        inner = (counts > 0) & (counts < self.n)  # else the best probability of the count is 1
        yes, no = np.where(inner, counts, 1.0), np.where(inner, self.n - counts, 1.0)
        lacking = _stirling_error(self.n) - _stirling_error(yes) - _stirling_error(no)
        best = np.where(inner, lacking + 0.5 * (np.log(self.n / yes / no) - _LOG_2PI), 0.0)
        super().__init__(counts, kernel, best)

    @property
    @override
    def centres(self) -> Array:
        return np.log((self.events + 0.5) / (self.n - self.events + 0.5))

    @property
    @override
    def scales(self) -> Array:
        return np.sqrt(1 / (self.events + 0.5) + 1 / (self.n - self.events + 0.5))

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        return type(self)(self.events[index], self.n[index])

    @override
    def _more(self, study: int, theta: Array) -> Array:
        events, n = self.events[study], self.n[study]
        if events == n:
            return np.zeros(theta.shape)
        return special.betainc(events + 1, n - events, special.expit(theta))

    @override
    def replicate(self, theta: Array, rng: np.random.Generator) -> Array:
        return rng.binomial(self.n.astype(np.int64), special.expit(theta)).astype(float)


class PoissonStudies(CountStudies):
    """Counts `events` in an `exposure`, with theta the log rate per unit of exposure."""

    def __init__(self, events: ArrayLike, exposure: ArrayLike):
        counts, self.exposure = _counts("events", events), _vector("exposure", exposure)
        _same_length("events", counts, "exposure", self.exposure)
        _all("exposure", self.exposure, self.exposure > 0, "an exposure greater than 0")
        kernel = CountKernel(
            slope=counts, size=self.exposure, fall=poisson_fall, rate=_exp, curvature=_exp, limit=np.inf
        )
        some = np.maximum(counts, 1.0)
        best = np.where(counts > 0, -_stirling_error(some) - 0.5 * (np.log(some) + _LOG_2PI), 0.0)
        super().__init__(counts, kernel, best)

    @property
    @override
    def centres(self) -> Array:
        return np.log((self.events + 0.5) / self.exposure)

    @property
    @override
    def scales(self) -> Array:
        return np.sqrt(1 / (self.events + 0.5))

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        return type(self)(self.events[index], self.exposure[index])

    @override
    def _more(self, study: int, theta: Array) -> Array:
        return special.gammainc(self.events[study] + 1, self.exposure[study] * _exp(theta))

    @override
    def replicate(self, theta: Array, rng: np.random.Generator) -> Array:
        # Beyond 1e18 numpy cannot draw; that many events are more than were ever found, as is 1e18.
        return rng.poisson(np.minimum(self.exposure * _exp(theta), 1e18)).astype(float)


def _exp(theta: Array) -> Array:
    """Exponential that stays finite: rates beyond e^500 are all equally impossible."""
    return np.exp(np.minimum(theta, 500.0))


def _vector(name: str, values: ArrayLike) -> Array:
    try:
        array = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        raise InputError(f"{name}: expected numbers, found {values!r}") from None
    if array.ndim != 1 or len(array) == 0:
        raise InputError(f"{name}: expected one number per study, found shape {array.shape}")
    _all(name, array, np.isfinite(array), "a finite number")
    return array


def _counts(name: str, values: ArrayLike) -> Array:
    array = _vector(name, values)
    _all(name, array, (array >= 0) & (array == np.floor(array)), "a whole number of 0 or more")
    return array


def _all(name: str, values: Array, good: NDArray[np.bool_], expected: str) -> None:
    if not good.all():
        study = int(np.argmin(good))
        raise InputError(f"{name}[{study}]: expected {expected}, found {values[study]:g}")


def _same_length(name: str, values: Array, other: str, others: Array) -> None:
    if len(values) != len(others):
        raise InputError(f"{name} has {len(values)} studies but {other} has {len(others)}")
