r"""Integrating a study's effect out of a count likelihood.

Binomial and Poisson log likelihoods share one form, :math:`\ell_i(\theta) = a_i \theta - n_i g(\theta)`,
with convex `g`. They are taken relative to their best, because with a billion trials those two terms
are a billion too and cancel. Convolving :math:`e^{\ell_i}` with Normal(mu, tau) has two regimes:

* tau small beside the study's own scale: the integrand is close to a Gaussian around its mode, and
  adaptive Gauss-Hermite quadrature converges fast (Liu and Pierce 1994);
* otherwise: the kernel N(theta; mu, tau) does not depend on the study, so on a theta grid that
  resolves both the likelihoods and the kernel all studies are one matrix product. A zero cell has a
  flat likelihood on one side; beyond the grid its integral is a normal tail probability.

Where the matrix product underflows (a study many tau away from mu) each integral is followed to its ends.
Studies too different to share a grid have grids of their own.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.exact.hermite import log_integral, standardised
from kyphobayes.exact.panels import Array, Panels, resolve
from kyphobayes.exact.trapezoid import log_integral_to_its_ends

_DEPTH = 100.0  # log likelihood below its maximum where a study's window ends
_FLAT = 1e-17  # distance from 1 at which a zero cell's likelihood counts as flat
_REACH = 12.0  # kernel standard deviations kept on either side
_UNDERFLOW = -60.0  # log of the matrix product below which it is computed again
_NODES = 301  # of the distribution function that draws invert
_CHUNK = 500  # draws at a time
_LONGEST = 3e4  # smallest kernels, up to which a theta grid may be long
_LANDMARKS = np.array([-6.0, -3.0, 0.0, 3.0, 6.0])  # of a likelihood, in its own scales
_SEEN = 8.0  # scales: a panel no wider than this has nodes on the likelihood
_LOG_2PI = float(np.log(2 * np.pi))
_ROWS = 16  # values of mu at a time: near each other, they share one stretch of the grid


class CountKernel:
    """Integrated likelihoods of k studies with log likelihood slope * theta - size * g(theta).

    All of them are relative to the largest likelihood of each study.

    Parameters
    ----------
    slope, size : ndarray, shape (k,)
        Events, and trials or exposure.
    fall : callable
        From slope and size to the log likelihood relative to its best, a function of theta. It has a
        name, so that studies can travel between processes.
    rate, curvature : callable
        First two derivatives of g.
    limit : float
        The limit of `rate` at plus infinity: 1 for a binomial, infinity for a Poisson.
    """

    def __init__(
        self,
        *,
        slope: Array,
        size: Array,
        fall: Callable[[Array, Array], Callable[[Array], Array]],
        rate: Callable[[Array], Array],
        curvature: Callable[[Array], Array],
        limit: float,
    ):
        self.slope, self.size = slope, size
        self.fall, self.rate, self.curvature = fall, rate, curvature
        self.limit = limit
        self._flat_left = slope == 0
        self._flat_right = slope == size * limit
        self._levels: dict[int, tuple[Panels, Array]] = {}

    def log_lik(self, theta: Array) -> Array:
        """Log likelihood relative to its best: shape (k, len(theta))."""
        return self.fall(self.slope[:, None], self.size[:, None])(theta)

    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        """Log integrated likelihood: shape (k, len(mu), len(tau))."""
        mu, tau = np.asarray(mu, dtype=float), np.asarray(tau, dtype=float)
        out = np.empty((len(self.slope), len(mu), len(tau)))
        if len(self._groups) > 1:
            for index, kernel in self._groups:
                out[index] = kernel.log_integrated(mu, tau)
            return out
        small = tau <= self._smallest_kernel
        if small.any():
            slope, size = self.slope[:, None, None], self.size[:, None, None]
            out[:, :, small] = self._around_mode(slope, size, mu[:, None], tau[small])
        if not small.all():
            levels = np.floor(np.log2(np.where(small, 1.0, tau / self._smallest_kernel))).astype(int)
            for level in np.unique(levels[~small]):
                columns = np.flatnonzero(~small & (levels == level))
                out[:, :, columns] = self._on_grid(mu, tau[columns], int(level))
        return out

    @cached_property
    def _groups(self) -> list[tuple[NDArray[np.intp], "CountKernel"]]:
        """Studies that share a theta grid: one that resolves the sharpest must not be endless for another."""
        left, right = self._windows
        members: list[list[int]] = []
        for study in np.argsort(self._kernels, kind="stable"):
            for group in members:
                reach = max(right[[*group, study]]) - min(left[[*group, study]])
                if reach <= _LONGEST * self._kernels[group[0]]:
                    group.append(int(study))
                    break
            else:
                members.append([int(study)])
        return [(index, self._take(index)) for index in map(np.sort, map(np.array, members))]

    def _take(self, index: NDArray[np.intp]) -> "CountKernel":
        return CountKernel(
            slope=self.slope[index],
            size=self.size[index],
            fall=self.fall,
            rate=self.rate,
            curvature=self.curvature,
            limit=self.limit,
        )

    # -- the theta grid --------------------------------------------------------------------------

    @cached_property
    def _mode(self) -> Array:
        """Where each log likelihood peaks."""
        return self._likelihood_mode(self.slope, self.size)

    def _likelihood_mode(self, slope: Array, size: Array) -> Array:
        """Peak of a log likelihood; far out on the flat side for a zero cell."""
        far = 45.0 + np.log(size)
        others = size if np.isinf(self.limit) else np.where(slope == size, 1.0, size - slope)
        inner = np.log(np.where(slope == 0, 1.0, slope) / others)
        return np.where(slope == 0, -far, np.where(slope == size * self.limit, far, inner))

    def log_lik_at(self, theta: Array) -> Array:
        """Log likelihood of study i at theta[i]: shape (k,)."""
        return self.fall(self.slope, self.size)(theta)

    def _reaches(self, depth: float, direction: int) -> Array:
        """Where each study's log likelihood has fallen by `depth` on one side of its mode."""
        near, far = self._mode.copy(), self._mode + direction
        for _ in range(60):
            above = self.log_lik_at(far) > -depth
            if not above.any():
                break
            near, far = np.where(above, far, near), np.where(above, far + 2 * (far - self._mode), far)
        for _ in range(60):
            middle = (near + far) / 2
            above = self.log_lik_at(middle) > -depth
            near, far = np.where(above, middle, near), np.where(above, far, middle)
        return far

    @cached_property
    def _windows(self) -> tuple[Array, Array]:
        """Intervals outside which each likelihood is negligible or flat: two arrays of shape (k,)."""
        flat = -np.log(_FLAT) + np.log(self.size)
        left = np.where(self._flat_left, -flat, self._reaches(_DEPTH, -1))
        right = np.where(self._flat_right, flat, self._reaches(_DEPTH, +1))
        return left, right

    @property
    def _window(self) -> tuple[float, float]:
        """The same for all likelihoods together."""
        left, right = self._windows
        return float(left.min()), float(right.max())

    @cached_property
    def _kernels(self) -> Array:
        """Half the smallest scale on which each likelihood bends where it matters, shape (k,)."""
        low = np.where(self._flat_left, self._mode, self._reaches(20.0, -1))
        high = np.where(self._flat_right, self._mode, self._reaches(20.0, +1))
        # g'' peaks at 0 for a binomial and rises for a Poisson: look at both ends and next to 0.
        places = (low, high, np.clip(0.0, low, high))
        sharpest = np.max([self.size * self.curvature(place) for place in places], axis=0)
        return 0.5 / np.sqrt(np.maximum(sharpest, 0.25))

    @property
    def _smallest_kernel(self) -> float:
        return float(self._kernels.min())

    @cached_property
    def _base(self) -> Panels:
        """Panels that resolve every likelihood to 1e-13 of its peak.

        They begin narrow where a likelihood is: a peak between the nodes of a wide panel would leave
        no trace, and be taken for nothing.
        """
        low, high = self._window
        start = Panels(np.linspace(low, high, int(np.ceil((high - low) / 8)) + 1))
        inside = ~(self._flat_left | self._flat_right)
        scale = 1 / np.sqrt(self.size * self.curvature(self._mode))[inside, None]
        places = (self._mode[inside, None] + scale * _LANDMARKS).ravel()
        widest = np.broadcast_to(_SEEN * scale, (len(scale), len(_LANDMARKS))).ravel()
        while True:
            holder, _ = start.locate(places)
            blind = np.zeros(len(start), dtype=bool)
            blind[holder[start.widths[holder] > widest]] = True
            if not blind.any():
                return resolve(lambda x: np.exp(self.log_lik(x)).T, start, 1e-13)[0]
            start = start.split(blind)

    def _level(self, level: int) -> tuple[Panels, Array]:
        """Theta panels for tau in [2^level, 2^(level+1)) smallest kernels, with weighted likelihoods."""
        if level not in self._levels:
            panels = self._base.no_wider_than(4 * self._smallest_kernel * 2.0**level)
            likelihoods = np.exp(self.log_lik(panels.nodes))
            self._levels[level] = panels, (likelihoods * panels.weights).T
        return self._levels[level]

    def _on_grid(self, mu: Array, tau: Array, level: int) -> Array:
        panels, weighted = self._level(level)
        low, high = self._window
        out = np.empty((len(self.slope), len(mu), len(tau)))
        reach = _REACH * tau.max()
        for start in range(0, len(mu), _ROWS):
            part = slice(start, start + _ROWS)
            centres = mu[part]
            first, last = np.searchsorted(panels.nodes, [centres.min() - reach, centres.max() + reach])
            theta = panels.nodes[first:last]
            z = (theta - centres[:, None, None]) / tau[:, None]
            kernel = np.exp(-0.5 * z**2) / (tau[:, None] * np.sqrt(2 * np.pi))
            product = kernel @ weighted[first:last]  # (mu, tau, k)
            left = special.ndtr((low - centres[:, None]) / tau)[..., None]
            right = special.ndtr((centres[:, None] - high) / tau)[..., None]
            product += left * self._flat_left + right * self._flat_right
            with np.errstate(divide="ignore"):  # a product that underflows is computed again below
                out[:, part] = np.moveaxis(np.log(product), -1, 0)
        study, row, column = np.nonzero(out < _UNDERFLOW)
        out[study, row, column] = self._to_its_ends(self.slope[study], self.size[study], mu[row], tau[column])
        return out

    def _to_its_ends(self, slope: Array, size: Array, mu: Array, tau: Array) -> Array:
        """The same far from the data, where a wide kernel leaves an integrand with two unlike sides."""
        mode = self._conditional_mode(slope, size, mu, tau, tolerance=1e-3)
        width = 1 / np.sqrt(tau**-2.0 + size * self.curvature(mode))
        fall = self.fall(slope, size)
        found = log_integral_to_its_ends(
            lambda theta: fall(theta) - 0.5 * ((theta - mu) / tau) ** 2, mode, width
        )
        return np.minimum(found - np.log(tau) - 0.5 * _LOG_2PI, 0.0)

    # -- adaptive Gauss-Hermite ------------------------------------------------------------------

    def _around_mode(self, slope: Array, size: Array, mu: Array, tau: Array) -> Array:
        """Adaptive Gauss-Hermite rule at broadcast slope, size, mu and tau; Liu and Pierce (1994), eq. 4."""
        mode = self._conditional_mode(slope, size, mu, tau, tolerance=1e-3)
        pull = slope - size * self.rate(mode)
        centre, width = standardised(mode, pull, size * self.curvature(mode), mu, tau)
        fall = self.fall(slope, size)
        found = log_integral(lambda z: fall(mu + tau * z) - 0.5 * z**2, centre, width)
        # Where mu is beyond all data, the mode may be off; all that is needed is no more than the best.
        return np.minimum(found, 0.0)

    def _conditional_mode(self, slope: Array, size: Array, mu: Array, tau: Array, tolerance: float) -> Array:
        """Mode of theta given (mu, tau) and the counts.

        Newton's rule kept inside a bracket: the log density is concave, and its mode lies between mu
        and the peak of the likelihood, and not beyond mu + tau^2 times the slope of the log likelihood
        at mu. `tolerance` is in widths of the density.
        """
        shape = np.broadcast_shapes(slope.shape, mu.shape, tau.shape)
        slope, size, mu, tau = (np.broadcast_to(x, shape).ravel() for x in (slope, size, mu, tau))
        out, left = mu.copy(), np.arange(mu.size)
        peak = self._likelihood_mode(slope, size)
        # beside a tau next to 0 its inverse overflows, and the bracket holds
        with np.errstate(over="ignore", invalid="ignore"):
            pull = tau**2 * (slope - size * self.rate(mu))
            low = np.fmax(np.minimum(mu, peak), np.minimum(mu, mu + pull))
            high = np.fmin(np.maximum(mu, peak), np.maximum(mu, mu + pull))
            theta = np.clip(mu + pull / (1 + tau**2 * size * self.curvature(mu)), low, high)
            halve = np.zeros(theta.shape, dtype=bool)
            for _ in range(200):
                bend = tau**-2.0 + size * self.curvature(theta)
                gradient = slope - size * self.rate(theta) - (theta - mu) / tau**2
                reach = high - low
                low, high = np.where(gradient >= 0, theta, low), np.where(gradient <= 0, theta, high)
                step = theta + gradient / bend
                good = (step > low) & (step < high) & ~halve
                following = np.where(good, step, (low + high) / 2)
                halve = high - low > reach / 2  # Newton's rule may run in circles, halving may not
                rough = (following - theta) ** 2 * bend > tolerance**2
                out[left] = following
                if not rough.any():
                    break
                left, theta, halve = left[rough], following[rough], halve[rough]
                slope, size, mu, tau, low, high = (x[rough] for x in (slope, size, mu, tau, low, high))
        return out.reshape(shape)

    # -- draws -----------------------------------------------------------------------------------

    def draw(self, index: NDArray[np.intp], mu: Array, tau: Array, rng: np.random.Generator) -> Array:
        """Draw the effects of studies `index`, shape (draws, m), given (mu, tau): inverse of the cdf.

        The nodes are dense around the mode and reach nine tau to either side.
        """
        out = np.empty(index.shape)
        x = np.linspace(-1.0, 1.0, _NODES)
        for start in range(0, len(mu), _CHUNK):
            part = slice(start, start + _CHUNK)
            slope, size = self.slope[index[part]], self.size[index[part]]
            centre, scale = mu[part, None], tau[part, None]
            mode = self._conditional_mode(slope, size, centre, scale, tolerance=1e-3)
            width = 1 / np.sqrt(scale**-2.0 + size * self.curvature(mode))
            steps = np.sinh(x * np.arcsinh(9 * scale / width)[..., None])
            theta = mode[..., None] + width[..., None] * steps
            log_f = self.fall(slope[..., None], size[..., None])(theta)
            log_f -= 0.5 * ((theta - centre[..., None]) / scale[..., None]) ** 2
            density = np.exp(log_f - log_f.max(axis=-1, keepdims=True))
            masses = (density[..., 1:] + density[..., :-1]) / 2 * np.diff(theta)
            cumulative = np.cumsum(masses, axis=-1)
            target = rng.uniform(size=mode.shape) * cumulative[..., -1]
            cell = (cumulative < target[..., None]).sum(axis=-1)[..., None]
            within = (np.take_along_axis(cumulative, cell, -1)[..., 0] - target) / np.take_along_axis(
                masses, cell, -1
            )[..., 0]
            left, right = np.take_along_axis(theta, cell, -1), np.take_along_axis(theta, cell + 1, -1)
            out[part] = right[..., 0] - within * (right - left)[..., 0]
        return out
