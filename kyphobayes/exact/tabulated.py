r"""Studies whose log likelihood of their own effect is any smooth concave function.

The function is computed once, on panels that follow it outward as far as they are asked for. Its
convolution with Normal(mu, tau) has the two regimes of `kyphobayes.exact.counts`: adaptive Gauss-Hermite
quadrature where tau is small beside the sharpest study, else one matrix product on a shared grid.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Self, override

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.hermite import RULE, log_integral, standardised
from kyphobayes.exact.likelihoods import Likelihood
from kyphobayes.exact.panels import ORDER, Array, Panels, lagrange, resolve

_DEPTH = 100.0  # log likelihood below its maximum where the grid ends
_LEVEL = 1e-12  # log likelihood below its maximum, over a whole panel, that counts as flat
_REACH = 12.0  # kernel standard deviations kept on either side
_UNDERFLOW = -60.0  # log of the matrix product below which it is computed again
_PRECISION = 1e-11  # error of the table, or ...
_DIGITS = 1e-13  # ... of this share of a value
_SMALL = 0.5  # of the sharpest study's scale: up to here tau is small
_NARROW = 1e-3  # of the sharpest study's scale: what a panel of this width does not resolve is rounding
_ROUNDS = 40
_CHUNK = 20_000  # interpolated places at a time
_ROWS = 16  # values of mu at a time: near each other, they share one stretch of the grid
_NODES = 301  # of the distribution function that draws invert


class TabulatedStudies(Likelihood):
    """k studies with concave log likelihoods.

    Parameters
    ----------
    function : callable
        Takes effects, shape (m,), to log likelihoods, shape (k, m): smooth, concave, and on either side
        falling without end or tending to a constant.
    centres, scales : ndarray, shape (k,)
        Where each study places its effect, and how well.
    """

    def __init__(self, function: Callable[[Array], Array], centres: Array, scales: Array):
        self._function = function
        self._centres, self._scales = centres, scales
        low, high = (centres - 6 * scales).min(), (centres + 6 * scales).max()
        width = max(float(scales.min()), (high - low) / 64)
        self._set(self._settled(Panels(np.linspace(low, high, int(np.ceil((high - low) / width)) + 1))))
        # The grid must hold every study down to its depth, or to where it is flat and stays so.
        self._flat = np.zeros((2, self.size), dtype=bool)
        for side in (0, -1):
            while self._reaches_on(side).any():
                self._extend(side)
        self._window = self._panels.edges[0], self._panels.edges[-1]
        self._levels: dict[int, tuple[Panels, Array]] = {}

    def _reaches_on(self, side: int) -> NDArray[np.bool_]:
        """Which studies are neither down to their depth nor flat at one end of the table."""
        last, peak = self._values[side], self._values.max(axis=(0, 1))
        self._flat[side] = (peak - last < _LEVEL).all(axis=0)
        return (last[side] > peak - _DEPTH) & ~self._flat[side]

    @property
    @override
    def size(self) -> int:
        return len(self._centres)

    @property
    @override
    def centres(self) -> Array:
        return self._centres

    @property
    @override
    def scales(self) -> Array:
        return self._scales

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        return type(self)(
            lambda theta: self._function(theta)[index], self._centres[index], self._scales[index]
        )

    @override
    def exceedance(self, study: int, theta: Array) -> Array:
        raise InputError("predictive p-values: expected studies with one outcome each, found a table")

    @override
    def replicate(self, theta: Array, rng: np.random.Generator) -> Array:
        raise InputError("replicates: expected studies with one outcome each, found a table")

    # -- the table -------------------------------------------------------------------------------

    def _compute(self, panels: Panels) -> tuple[Panels, Array]:
        return panels, panels.by_panel(self._function(panels.nodes).T)

    def _settled(self, panels: Panels) -> tuple[Panels, Array]:
        """Halve panels until they interpolate every log likelihood; values have shape (p, ORDER, k)."""
        for _ in range(_ROUNDS):
            panels, values = self._compute(panels)
            flat = values.reshape(-1, values.shape[-1])
            allowed = np.maximum(_PRECISION, _DIGITS * np.abs(values).max(axis=1))
            rough = (panels.last_coefficients(flat) > allowed).any(axis=1)
            rough &= panels.widths > _NARROW * self._scales.min()
            if not rough.any():
                break
            panels = panels.split(rough)
        return panels, values

    def _set(self, table: tuple[Panels, Array]) -> None:
        self._panels, self._values = table
        nodes = self._panels.by_panel(self._panels.nodes)[0]
        half = self._panels.widths[0] / 2
        place = (nodes - nodes.mean()) / half
        # Derivatives by the interpolating polynomial's own, on [-1, 1]: only modes are sought with them.
        vander = np.polynomial.legendre.legvander(place, ORDER - 1)
        slope = np.stack([
            np.polynomial.legendre.legval(place, np.polynomial.legendre.legder(row)) for row in np.eye(ORDER)
        ], axis=1)  # fmt: skip
        matrix = slope @ np.linalg.inv(vander)
        per_unit = 2 / self._panels.widths[:, None, None]
        first = np.einsum("ij,pjk->pik", matrix, self._values) * per_unit
        self._slopes, self._bends = first, -np.einsum("ij,pjk->pik", matrix, first) * per_unit

    def _extend(self, side: int) -> None:
        """Double the reach of the table on one side (0: low, -1: high)."""
        edges = self._panels.edges
        reach = edges[-1] - edges[0]
        edge = edges[side]
        new = (
            np.array([edge - reach, edge - reach / 2, edge])
            if side == 0
            else edge + reach * np.array([0, 0.5, 1])
        )
        panels, values = self._settled(Panels(new))
        parts = [(panels, values), (self._panels, self._values)][:: 1 if side == 0 else -1]
        joined = Panels(np.concatenate([part.edges for part, _ in parts]))
        self._set((joined, np.concatenate([part for _, part in parts])))

    def _cover(self, low: float, high: float) -> None:
        while low < self._panels.edges[0]:
            self._extend(0)
        while high > self._panels.edges[-1]:
            self._extend(-1)

    def _interpolated(self, study: NDArray[np.intp], theta: Array, *tables: Array) -> list[Array]:
        """Values of some tables for each study at each theta, of equal shape (m,)."""
        out = [np.empty(theta.shape) for _ in tables]
        for start in range(0, len(theta), _CHUNK):
            part = slice(start, start + _CHUNK)
            panel, place = self._panels.locate(theta[part])
            weights = lagrange(place)
            for into, table in zip(out, tables, strict=True):
                into[part] = np.einsum("mo,mo->m", weights, table[panel, :, study[part]])
        return out

    @override
    def log_lik(self, theta: ArrayLike) -> Array:
        theta = np.asarray(theta, dtype=float)
        self._cover(float(theta.min()), float(theta.max()))
        panel, place = self._panels.locate(theta)
        return np.einsum("mo,mok->km", lagrange(place), self._values[panel])

    # -- integrated ------------------------------------------------------------------------------

    @cached_property
    def _peak(self) -> Array:
        return self._values.max(axis=(0, 1))

    @cached_property
    def _smallest_kernel(self) -> float:
        return _SMALL / float(np.sqrt(max(self._bends[self._values > self._peak - 20].max(), 1e-12)))

    @override
    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        mu, tau = np.asarray(mu, dtype=float), np.asarray(tau, dtype=float)
        out = np.empty((self.size, len(mu), len(tau)))
        small = tau <= self._smallest_kernel
        if small.any():
            shape = (self.size, len(mu), int(small.sum()))
            study = np.broadcast_to(np.arange(self.size)[:, None, None], shape).ravel()
            centres = np.broadcast_to(mu[:, None], shape).ravel()
            values = self._around_mode(study, centres, np.broadcast_to(tau[small], shape).ravel())
            out[:, :, small] = values.reshape(shape)
        if not small.all():
            levels = np.floor(np.log2(np.where(small, 1.0, tau / self._smallest_kernel))).astype(int)
            for level in np.unique(levels[~small]):
                columns = np.flatnonzero(~small & (levels == level))
                out[:, :, columns] = self._on_grid(mu, tau[columns], int(level))
        return out

    def _level(self, level: int) -> tuple[Panels, Array]:
        """Grid for tau in [2^level, 2^(level+1)) smallest kernels, with weighted likelihoods."""
        if level not in self._levels:
            panels = self._base.no_wider_than(4 * self._smallest_kernel * 2.0**level)
            likelihoods = np.exp(self.log_lik(panels.nodes) - self._peak[:, None])
            self._levels[level] = panels, (likelihoods * panels.weights).T
        return self._levels[level]

    @cached_property
    def _base(self) -> Panels:
        start = Panels(self._panels.edges).no_wider_than(np.ptp(self._window) / 8)
        inside = (start.edges >= self._window[0]) & (start.edges <= self._window[1])
        return resolve(
            lambda x: np.exp(self.log_lik(x) - self._peak[:, None]).T, Panels(start.edges[inside]), 1e-13
        )[0]

    def _on_grid(self, mu: Array, tau: Array, level: int) -> Array:
        panels, weighted = self._level(level)
        out = np.empty((self.size, len(mu), len(tau)))
        reach = _REACH * tau.max()
        for start in range(0, len(mu), _ROWS):
            part = slice(start, start + _ROWS)
            centres = mu[part]
            first, last = np.searchsorted(panels.nodes, [centres.min() - reach, centres.max() + reach])
            z = (panels.nodes[first:last] - centres[:, None, None]) / tau[:, None]
            kernel = np.exp(-0.5 * z**2) / (tau[:, None] * np.sqrt(2 * np.pi))
            product = kernel @ weighted[first:last]
            left = special.ndtr((self._window[0] - centres[:, None]) / tau)[..., None]
            right = special.ndtr((centres[:, None] - self._window[1]) / tau)[..., None]
            product += left * self._flat[0] + right * self._flat[-1]
            with np.errstate(divide="ignore"):  # a product that underflows is computed again below
                out[:, part] = np.moveaxis(np.log(product), -1, 0)
        study, row, column = np.nonzero(out < _UNDERFLOW)
        out += self._peak[:, None, None]
        out[study, row, column] = self._around_mode(study, mu[row], tau[column])
        return out

    def _around_mode(self, study: NDArray[np.intp], mu: Array, tau: Array) -> Array:
        """Adaptive Gauss-Hermite rule at each study, mu and tau; Liu and Pierce (1994), eq. 4."""
        if not len(study):
            return np.empty(0)
        mode, _ = self._mode(study, mu, tau)
        slope, own = self._interpolated(study, mode, self._slopes, self._bends)
        centre, width = standardised(mode, slope, np.maximum(own, 0.0), mu, tau)
        low, high = (mu + tau * (centre + width * step) for step in RULE[0][[0, -1]])
        self._cover(float(low.min()), float(high.max()))

        def log_density(z: Array) -> Array:
            return self._interpolated(study, mu + tau * z, self._values)[0] - 0.5 * z**2

        return log_integral(log_density, centre, width)

    def _mode(self, study: NDArray[np.intp], mu: Array, tau: Array) -> tuple[Array, Array]:
        """Mode of each effect given (mu, tau), and its width: Newton's rule inside a bracket."""
        self._cover(float(mu.min()), float(mu.max()))
        # The log likelihood peaks on the table: the mode lies between that peak and mu.
        low = np.minimum(mu, self._panels.edges[0])
        high = np.maximum(mu, self._panels.edges[-1])
        theta = mu.copy()
        left = np.arange(len(mu))
        bend = np.empty(len(mu))
        halve = np.zeros(len(mu), dtype=bool)
        for _ in range(200):
            slope, own = self._interpolated(study[left], theta[left], self._slopes, self._bends)
            at, scale = theta[left], tau[left]
            curvature = np.maximum(own, 0.0) + scale**-2.0
            gradient = slope - (at - mu[left]) / scale**2
            reach = high[left] - low[left]
            low[left] = np.where(gradient >= 0, at, low[left])
            high[left] = np.where(gradient <= 0, at, high[left])
            step = at + gradient / curvature
            good = (step > low[left]) & (step < high[left]) & ~halve[left]
            following = np.where(good, step, (low[left] + high[left]) / 2)
            halve[left] = high[left] - low[left] > reach / 2
            rough = (following - at) ** 2 * curvature > 1e-6
            theta[left], bend[left] = following, curvature
            left = left[rough]
            if not len(left):
                break
        return theta, 1 / np.sqrt(bend)

    # -- draws -----------------------------------------------------------------------------------

    @override
    def draw(self, index: NDArray[np.intp], mu: Array, tau: Array, rng: np.random.Generator) -> Array:
        out = np.empty(index.shape)
        x = np.linspace(-1.0, 1.0, _NODES)
        for column in range(index.shape[1]):
            study = index[:, column]
            mode, width = self._mode(study, mu, tau)
            theta = mode[:, None] + width[:, None] * np.sinh(x * np.arcsinh(9 * tau / width)[:, None])
            self._cover(float(theta.min()), float(theta.max()))
            log_f = self._interpolated(np.repeat(study, _NODES), theta.ravel(), self._values)[0].reshape(
                theta.shape
            )
            log_f -= 0.5 * ((theta - mu[:, None]) / tau[:, None]) ** 2
            density = np.exp(log_f - log_f.max(axis=1, keepdims=True))
            masses = (density[:, 1:] + density[:, :-1]) / 2 * np.diff(theta)
            cumulative = np.cumsum(masses, axis=1)
            target = rng.uniform(size=len(mu)) * cumulative[:, -1]
            cell = np.minimum((cumulative < target[:, None]).sum(axis=1), _NODES - 2)
            rows = np.arange(len(mu))
            within = (cumulative[rows, cell] - target) / masses[rows, cell]
            out[:, column] = theta[rows, cell + 1] - within * (theta[rows, cell + 1] - theta[rows, cell])
        return out
