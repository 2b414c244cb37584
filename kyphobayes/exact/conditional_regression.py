r"""The likelihood of one linear combination of regression coefficients and tau, the others integrated out.

With :math:`t = x_0^T \beta` given, one coefficient follows from t and the rest b, and every study's mean is
:math:`m_i = g_i t + z_i^T b`. Over b, with one or two dimensions, the integrand is log-concave but for the
priors: Gauss-Hermite nodes lie about its mode at every (t, tau), and their number grows until it suffices.
"""

from typing import Self, override

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact.likelihoods import Likelihood
from kyphobayes.exact.panels import Array
from kyphobayes.exact.splines import Splines, StudySplines
from kyphobayes.priors import Prior

_RULES = (12, 18, 28, 44)  # Gauss-Hermite nodes in each dimension
_ENOUGH = 1e-8  # change of the log integral, from one rule to the next, that needs no more nodes
_UNSETTLED = 1e-2  # change by the last rule that no more nodes would mend
_LOOKED_AT = 12  # values of t
_ROUNDS = 60  # of Newton's method
_STILL = 1e-4  # step of Newton's method, in standard deviations, that is the last
_DEPENDENT = 1e-9  # smallest eigenvalue of the scaled design that counts as 0
_DIFFERENCE = 1e-3  # step of the numerical derivatives of a log prior, in its quartile range
_CELLS = 2_000_000  # nodes times members at a time


class Regression(Likelihood):
    """One study, so to speak: what all studies and the priors say of x0' beta and tau.

    Parameters
    ----------
    studies : StudySplines
        The studies and their tables.
    x : ndarray, shape (k, p)
    priors : sequence of Prior, length p
        Of the coefficients, with their constants.
    row : ndarray, shape (p,)
        x0, not all 0.

    """

    def __init__(self, studies: StudySplines, x: Array, priors: list[Prior], row: Array):
        self._studies, self._priors = studies, priors
        self._changes: list[tuple[float, float]] = []  # at each tau: the top, and what the last rule changed
        # The coefficient that follows from t is the one that does so most firmly.
        self._solved = int(np.argmax(np.abs(row) * np.abs(x).max(axis=0)))
        self._rest = [j for j in range(len(row)) if j != self._solved]
        self._row = row
        self._g = x[:, self._solved] / row[self._solved]
        self._z = x[:, self._rest] - np.outer(self._g, row[self._rest])
        self._centre, self._scale = self._approximate(x)

    @property
    def error(self) -> float:
        """Change of the log integral by the last rule that was added, weighed by the likelihood."""
        top = max((top for top, _ in self._changes), default=0.0)
        return max((float(change * np.exp(here - top)) for here, change in self._changes), default=0.0)

    def _approximate(self, x: Array) -> tuple[float, float]:
        """Normal approximation of x0' beta at tau = 0: where the panels begin."""
        centres, scales = self._studies.centres, self._studies.scales
        spread = np.array([_quartiles(prior)[1] for prior in self._priors])
        middle = np.array([_quartiles(prior)[0] for prior in self._priors])
        precision = np.where(np.isfinite(spread), spread, np.inf) ** -2.0
        a = (x.T / scales**2) @ x + np.diag(precision)
        unit = np.sqrt(np.diag(a))
        if not (unit > 0).all() or np.linalg.eigvalsh(a / np.outer(unit, unit))[0] < _DEPENDENT:
            raise InputError(
                "X: expected columns that are not combinations of each other (the intercept is one, too); "
                "leave one out or give its coefficient a proper prior"
            )
        beta = np.linalg.solve(a, (x.T / scales**2) @ centres + precision * middle)
        self._start, self._fallback = beta, np.linalg.inv(a)
        return float(self._row @ beta), float(np.sqrt(self._row @ self._fallback @ self._row))

    @property
    @override
    def size(self) -> int:
        return 1

    @property
    @override
    def centres(self) -> Array:
        return np.array([self._centre])

    @property
    @override
    def scales(self) -> Array:
        return np.array([self._scale])

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        return self  # there is only one

    @override
    def log_integrated(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        mu, tau = np.asarray(mu, dtype=float), np.asarray(tau, dtype=float)
        out = np.empty((1, len(mu), len(tau)))
        for column, splines in enumerate(self._studies.at(tau)):
            out[0, :, column] = self._integrate(mu, splines)
        if self.error > _UNSETTLED:
            raise ImproperPosterior(
                "the integral over the other coefficients does not settle: the studies do not rule out "
                "ever more extreme ones (no events, or nothing but events, on one side); give beta "
                "proper priors"
            )
        return out

    # What only a single study has: this one stands for all, and has no effect of its own.

    @override
    def log_lik(self, theta: ArrayLike) -> Array:
        raise NotImplementedError

    @override
    def draw(self, index: NDArray[np.intp], mu: Array, tau: Array, rng: np.random.Generator) -> Array:
        raise NotImplementedError

    @override
    def exceedance(self, study: int, theta: Array) -> Array:
        raise NotImplementedError

    @override
    def replicate(self, theta: Array, rng: np.random.Generator) -> Array:
        raise NotImplementedError

    # -- the coefficients that are integrated out -----------------------------------------------------

    def _integrate(self, t: Array, splines: Splines) -> Array:
        """Log integral over the other coefficients at each t: shape (len(t),)."""
        if not len(t):
            return np.empty(0)
        if not self._rest:
            return self._log_joint(t, np.empty((len(t), 0)), splines)
        mode, root = self._about(t, splines)
        sizes = iter(_RULES)
        found = self._rule(next(sizes), t, mode, root, splines)
        top = np.argsort(found)[-_LOOKED_AT:]  # whether a rule suffices is seen where it matters
        for size in sizes:
            finer = self._rule(size, t[top], mode[top], root[top], splines)
            change = float((np.abs(finer - found[top]) * np.exp((finer - finer.max()) / 3)).max())
            if change < _ENOUGH:
                break
            found = self._rule(size, t, mode, root, splines)
        self._changes.append((float(finer.max()), change))
        return found

    def _rule(self, size: int, t: Array, mode: Array, root: Array, splines: Splines) -> Array:
        """Product of Gauss-Hermite rules of `size` nodes about the modes."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(size)
        r = len(self._rest)
        places = np.stack(np.meshgrid(*[nodes] * r, indexing="ij"), axis=-1).reshape(-1, r)
        # `sum` of arrays is an array, not the 0 it starts from
        log_weights = sum(np.meshgrid(*[np.log(weights)] * r, indexing="ij")).ravel()  # pyright: ignore[reportAttributeAccessIssue]
        keep = log_weights > log_weights.max() - 60
        places, log_weights = places[keep], log_weights[keep] + 0.5 * (places[keep] ** 2).sum(axis=1)
        out = np.empty(len(t))
        rows = max(1, _CELLS // (len(places) * self._studies.tables))
        for start in range(0, len(t), rows):
            part = slice(start, start + rows)
            b = mode[part, None] + np.einsum("nrs,qs->nqr", root[part], places)
            joint = self._log_joint(np.broadcast_to(t[part, None], b.shape[:-1]), b, splines)
            out[part] = special.logsumexp(joint + log_weights, axis=1)
        return out + np.log(np.abs(np.linalg.det(root)))

    def _log_joint(self, t: Array, b: Array, splines: Splines) -> Array:
        """Log of likelihood times priors, in t and the other coefficients."""
        means = t[..., None] * self._g + b @ self._z.T
        total = self._studies.log_likelihood(splines, means) - np.log(np.abs(self._row[self._solved]))
        for prior, values in self._coefficients(t, b):
            total = total + prior.log_density(values)
        return total

    def _coefficients(self, t: Array, b: Array) -> list[tuple[Prior, Array]]:
        solved = (t - b @ self._row[self._rest]) / self._row[self._solved]
        rest = [(self._priors[j], b[..., i]) for i, j in enumerate(self._rest)]
        return [(self._priors[self._solved], solved), *rest]

    def _about(self, t: Array, splines: Splines) -> tuple[Array, Array]:
        """Mode of the other coefficients at each t, and a root of their covariance there.

        Newton's method on the mean over the tables, which is concave; a step that does not climb is halved.
        """
        solved = -self._row[self._rest] / self._row[self._solved]
        own = np.stack([solved, *np.eye(len(self._rest))])  # (p, r): solved first
        # From the normal approximation, conditional on t.
        gain = (self._fallback @ self._row)[self._rest] / self._scale**2
        b = self._start[self._rest] + (t - self._centre)[:, None] * gain

        def climb(b: Array) -> tuple[Array, Array, Array]:
            means = t[:, None] * self._g + b @ self._z.T
            value, slope, bend = self._studies.average(splines, means)
            gradient, hessian = slope @ self._z, np.einsum("nk,kr,ks->nrs", bend, self._z, self._z)
            for direction, (prior, values) in zip(own, self._coefficients(t, b), strict=True):
                density, first, second = _derivatives(prior, values)
                value += density
                gradient += first[:, None] * direction
                hessian += np.minimum(second, 0.0)[:, None, None] * np.outer(direction, direction)
            return value, gradient, hessian

        floor = np.diag(1e-6 / np.diag(self._fallback[np.ix_(self._rest, self._rest)]))
        value, gradient, hessian = climb(b)
        step = np.linalg.solve(floor - hessian, gradient[..., None])[..., 0]
        for _ in range(_ROUNDS):
            further = b + step
            there = climb(further)
            better = there[0] >= value - 1e-9
            b = np.where(better[:, None], further, b)
            value = np.where(better, there[0], value)
            gradient = np.where(better[:, None], there[1], gradient)
            hessian = np.where(better[:, None, None], there[2], hessian)
            newton = np.linalg.solve(floor - hessian, gradient[..., None])[..., 0]
            step = np.where(better[:, None], newton, step / 2)
            if (np.einsum("nr,nrs,ns->n", step, floor - hessian, step) < _STILL**2).all():
                break
        return b, np.linalg.cholesky(np.linalg.inv(floor - hessian))


def _quartiles(prior: Prior) -> tuple[float, float]:
    """Median and a standard deviation by the quartiles; infinite if the prior is flat."""
    if not prior.proper:
        return 0.0, np.inf
    low, middle, high = prior.quantile([0.25, 0.5, 0.75])
    return float(middle), float(high - low) / 1.349


def _derivatives(prior: Prior, x: Array) -> tuple[Array, Array, Array]:
    """Log density with its first two derivatives, by differences."""
    if not prior.proper:
        return prior.log_density(x), np.zeros(x.shape), np.zeros(x.shape)
    h = _DIFFERENCE * _quartiles(prior)[1]
    low, here, high = (prior.log_density(x + shift) for shift in (-h, 0.0, h))
    return here, (high - low) / (2 * h), (high - 2 * here + low) / h**2
