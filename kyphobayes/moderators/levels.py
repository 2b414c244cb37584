r"""Exact posterior of a meta-regression on one covariate, in the typical effects at its two levels.

With :math:`\theta_i \sim N(\mu + x_i \beta, \tau)` and x from -1/2 to 1/2, write
:math:`a = \mu + \beta / 2` and :math:`b = \mu - \beta / 2`. Given tau, studies at the first level know of a
and no more, those at the second of b, so that

.. math:: L(a, b, \tau) = \sum_t w_t A_t(a, \tau) B_t(b, \tau) C_t(a, b, \tau)

over the tables t of counts is a matrix product; C holds the studies in between, if there are any. All of
(a, b, tau) is laid on panels at once, from which every marginal follows: either level, their difference
beta, a next study at either, and tau. `exact.meta_regression` takes more covariates, but solves anew for
each thing asked.
"""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special
from scipy.interpolate import make_interp_spline

from kyphobayes.errors import InputError, PriorError
from kyphobayes.evidence.covariates import FIRST, SECOND
from kyphobayes.exact import Density, Surface
from kyphobayes.exact.conditional_regression import Regression
from kyphobayes.exact.panels import Array, Panels, antiderivative, resolve
from kyphobayes.exact.population import predictive
from kyphobayes.exact.splines import StudySplines
from kyphobayes.names import MU, TAU
from kyphobayes.priors import Prior, Priors

BETA = "beta"
PARAMETERS = (MU, BETA, TAU)
RTOL = 1e-5
_TAIL = 1e-7  # of the priors that is left out at either end, where the likelihood is small too
_STAIRS = np.array([_TAIL, 1e-3, 0.1, 0.9, 1 - 1e-3, 1 - _TAIL])  # quantiles of priors that begin as edges
_NEAR = np.array([-6.0, 6.0])  # standard errors about a level's pooled effect that do, too
_GROWTH = 4.0  # from one panel in tau to the next
_PIECES = 10  # panels of a weighted sum to begin with
_EMPTY = 1e-10  # share of the mass of panels at the ends that are dropped
_ROUNDS = 12
_LEAST = -300.0  # log of a value beside the largest: numbers smaller than these are slow to multiply
_MOST = 30_000_000  # nodes
_STEP = 0.05  # of the splines of studies in between, at most
_TOLERANCE = 1e-9


class TwoLevels:
    """Posterior of the typical effects at two levels and of tau.

    Parameters
    ----------
    surface : Surface
        The studies, with normal effects.
    x : array_like, shape (k,)
        From -1/2, the second level, to 1/2, the first.
    priors : Priors
        Of mu, beta and tau: proper; the first two over the whole line.
    used : array_like of bool, shape (k,), optional
        Studies that count; none leaves the prior.
    rtol : float
        Bound on the relative error of probabilities.

    Attributes
    ----------
    first, second, tau : Density
        Typical effect at either level, and the standard deviation between studies of one level.
    log_marginal_likelihood, error : float

    Raises
    ------
    InputError, PriorError
    """

    def __init__(
        self,
        surface: Surface,
        x: ArrayLike,
        priors: Priors,
        *,
        used: ArrayLike | None = None,
        rtol: float = RTOL,
    ):
        self.surface, self.priors, self._rtol = surface, _checked(priors), rtol
        self.x = np.asarray(x, dtype=float)
        self.used = np.ones(surface.k, dtype=bool) if used is None else np.asarray(used, dtype=bool)
        if self.x.shape != (surface.k,) or self.used.shape != (surface.k,):
            raise InputError(f"x and used: expected {surface.k} values each, one for each study")
        if not ((self.x >= SECOND) & (self.x <= FIRST)).all():
            raise InputError(f"x: expected numbers from -1/2 to 1/2, found {self.x.tolist()}")
        if not surface.studies.kernel.normal:
            raise InputError(
                "surface: expected normal effects; effects with heavier tails have no regression"
            )
        self._solve()

    def __repr__(self) -> str:
        return f"TwoLevels({int(self.used.sum())} of {self.surface.k} studies)"

    # -- marginals -------------------------------------------------------------------------------

    @cached_property
    def beta(self) -> Density:
        """Posterior density of the first level's effect less the second's."""
        return self._combined(1.0, -1.0)

    @cached_property
    def mu(self) -> Density:
        """Posterior density of the effect midway between the levels."""
        return self._combined(0.5, 0.5)

    @cached_property
    def new(self) -> tuple[Density, Density]:
        """Posterior predictive density of the effect in a new study at the first and the second level."""
        a, b, tau = self._panels
        return (
            predictive(a, tau, np.einsum("abt,b->at", self._joint, b.weights)),
            predictive(b, tau, np.einsum("abt,a->bt", self._joint, a.weights)),
        )

    @property
    def log_bayes_factor(self) -> float:
        """Log of the Bayes factor for a difference against beta = 0, by Savage and Dickey's density ratio."""
        return float(self.priors[BETA].log_density(0.0) - np.log(self.beta.pdf(0.0)))

    @property
    def variance(self) -> float:
        """Variance of x over the studies that may count."""
        return float(np.var(self.x))

    def explained(self, q: ArrayLike) -> Array:
        """Quantiles of the share of the variance between studies that the covariate explains.

        The share is beta² v / (beta² v + tau²), with the variance v of x among the studies (after Gelman et
        al. 2019, Am. Stat. 73:307, on the scale of the studies' effects).
        """
        edges = self.beta.panels
        given = self._along(self._joint, 1.0, -1.0, edges.nodes)  # density of beta and tau
        sums = np.concatenate([np.zeros((1, given.shape[1])), np.cumsum(edges.integrals(given), axis=0)])
        columns, tau = np.arange(given.shape[1]), self._panels[2]

        def below(beta: Array) -> Array:
            """Mass of values up to `beta`, one for each tau."""
            panel, place = edges.locate(beta)
            inner = edges.by_panel(given)[panel, :, columns]
            return (
                sums[panel, columns] + (antiderivative(place) * inner).sum(axis=1) * edges.widths[panel] / 2
            )

        def cdf(share: float) -> float:
            reach = tau.nodes * np.sqrt(share / ((1 - share) * self.variance))
            return float(tau.weights @ (below(reach) - below(-reach)))

        total = float(tau.weights @ sums[-1])
        wanted = np.atleast_1d(np.asarray(q, dtype=float)) * total
        ends = 1e-9, 1 - 1e-9
        found = [
            end if (cdf(end) - p) * sign >= 0 else None
            for p in wanted
            for end, sign in zip(ends, (1, -1), strict=True)
        ]
        pairs = np.array(found, dtype=object).reshape(-1, 2)
        return np.array([
            low if low is not None else high if high is not None
            else optimize.brentq(lambda s, p=p: cdf(s) - p, *ends, xtol=1e-10)
            for p, (low, high) in zip(wanted, pairs, strict=True)
        ], dtype=float)  # fmt: skip

    def without(self, *labels: str) -> "TwoLevels":
        """Posterior under the same priors without some studies, named by their labels.

        Raises
        ------
        InputError
            If a label is unknown.
        """
        for label in labels:
            if label not in self.surface.labels:
                raise InputError(
                    f"without: expected one of {', '.join(self.surface.labels)}, found {label!r}"
                )
        kept = np.array([label not in labels for label in self.surface.labels])
        return TwoLevels(self.surface, self.x, self.priors, used=self.used & kept, rtol=self._rtol)

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Draw the effects at the first and the second level and tau, from the nodes of the panels."""
        a, b, tau = self._panels
        mass = self._joint * a.weights[:, None, None] * b.weights[:, None] * tau.weights
        cumulative = np.cumsum(mass.ravel())
        cells = np.searchsorted(cumulative, rng.random(size) * cumulative[-1])
        places = np.unravel_index(np.minimum(cells, mass.size - 1), mass.shape)
        # as many nodes as there are panels, which is two
        return tuple(axis.nodes[place] for axis, place in zip(self._panels, places, strict=True))  # pyright: ignore[reportReturnType]

    # -- the joint density -----------------------------------------------------------------------

    def _solve(self) -> None:
        """Halve panels until the joint density is resolved, and drop those with nothing in them."""
        panels, left_out, rounds = list(self._start()), 0.0, 0
        while True:
            if np.prod([len(axis.nodes) for axis in panels]) > _MOST:
                raise InputError(
                    f"beta ~ {self.priors[BETA]}: too narrow beside mu ~ {self.priors[MU]} to be laid on "
                    f"panels; ask for a larger rtol, or use exact.meta_regression"
                )
            log_density = self._log_density(*panels)
            top = float(log_density.max())
            density: Array = np.exp(log_density - top)
            total = float(np.einsum("abt,a,b,t->", density, *(axis.weights for axis in panels)))
            finer, errors = list(panels), []
            for place, axis in enumerate(panels):
                others = [other.weights for j, other in enumerate(panels) if j != place]
                rest = np.multiply.outer(*others).ravel()
                flat = np.moveaxis(density, place, 0).reshape(len(axis.nodes), -1)
                error = axis.tails(flat) @ rest / total
                mass = axis.integrals(flat @ rest) / total
                full = np.flatnonzero((np.cumsum(mass) > _EMPTY) & (np.cumsum(mass[::-1])[::-1] > _EMPTY))
                first, last = full[0], full[-1] + 1
                rough = error[first:last] > self._rtol / 3 / len(axis)
                errors.append(float(error.sum()))
                if rough.any():
                    left_out += float(mass[:first].sum() + mass[last:].sum())
                    finer[place] = Panels(axis.edges[first : last + 1]).split(rough)
            if rounds == _ROUNDS or all(new is old for new, old in zip(finer, panels, strict=True)):
                break
            panels, rounds = finer, rounds + 1
        self.error = sum(errors) + left_out + 4 * _TAIL
        self.log_marginal_likelihood = top + float(np.log(total))
        joint: Array = density / total
        self._panels, self._joint = (panels[0], panels[1], panels[2]), joint
        a, b, tau = self._panels
        self.first = Density(a, np.einsum("abt,b,t->a", self._joint, b.weights, tau.weights))
        self.second = Density(b, np.einsum("abt,a,t->b", self._joint, a.weights, tau.weights))
        self.tau = Density(tau, np.einsum("abt,a,b->t", self._joint, a.weights, b.weights))

    def _start(self) -> tuple[Panels, Panels, Panels]:
        mu, beta, tau = (self.priors[name] for name in PARAMETERS)
        stairs = mu.quantile(_STAIRS) + beta.quantile(_STAIRS) / 2
        low, high = stairs[0], stairs[-1]
        studies = self.surface.studies
        centres, scales = studies.centres[self.surface.tables[0]], studies.scales[self.surface.tables[0]]
        both = []
        for level in (FIRST, SECOND):
            here = self.used & (self.x == level)
            edges = stairs
            if here.any():
                precision = scales[here] ** -2.0
                near = centres[here] @ precision / precision.sum() + _NEAR * precision.sum() ** -0.5
                edges = np.append(edges, near[(near > low) & (near < high)])
            both.append(Panels(edges))
        smallest, furthest = 0.5 * float(scales.min()), float(tau.quantile(1 - _TAIL))
        middle = float(tau.quantile(0.5))
        steps = np.arange(np.ceil(np.log(max(furthest / smallest, 1.0)) / np.log(_GROWTH)) + 1)
        spread = np.concatenate([[max(0.0, tau.support[0])], smallest * _GROWTH**steps, [middle, furthest]])
        return both[0], both[1], Panels(spread[(spread >= tau.support[0]) & (spread <= furthest)])

    def _log_density(self, a: Panels, b: Panels, tau: Panels) -> Array:
        """Log of likelihood and priors at the nodes: shape (a, b, tau)."""
        mu, beta, spread = (self.priors[name] for name in PARAMETERS)
        where = mu.log_density((a.nodes[:, None] + b.nodes) / 2) + beta.log_density(
            a.nodes[:, None] - b.nodes
        )
        return (
            where[..., None]
            + spread.log_density(tau.nodes)
            + self._log_likelihood(a.nodes, b.nodes, tau.nodes)
        )

    def _log_likelihood(self, a: Array, b: Array, tau: Array) -> Array:
        tables, log_weights = self.surface.tables, self.surface.log_weights
        first, log_first = _scaled(self._by_table(FIRST, a, tau))
        second, log_second = _scaled(self._by_table(SECOND, b, tau))
        between = np.flatnonzero(self.used & (self.x > SECOND) & (self.x < FIRST))
        parts = []
        combinations, member = np.unique(tables[:, between], axis=0, return_inverse=True)
        for place, pieces in enumerate(combinations):
            of = np.flatnonzero(member.ravel() == place)
            weighted = second[of] * np.exp(log_weights[of])[:, None, None]
            by_tau = (np.ascontiguousarray(first[of].T), np.ascontiguousarray(weighted.transpose(2, 0, 1)))
            log_product = np.ascontiguousarray(np.log(np.matmul(*by_tau)).transpose(1, 2, 0))
            for column, piece in zip(between, pieces, strict=True):
                log_product += self._in_between(float(self.x[column]), int(piece), a, b, tau)
            parts.append(log_product)
        total = parts[0] if len(parts) == 1 else special.logsumexp(parts, axis=0)
        return total + log_first[:, None] + log_second

    def _by_table(self, level: float, nodes: Array, tau: Array) -> Array:
        """Log likelihood of all studies at one level, for each table: shape (tables, nodes, tau)."""
        columns = np.flatnonzero(self.used & (self.x == level))
        tables = self.surface.tables[:, columns]
        if not len(columns):
            return np.zeros((len(tables), len(nodes), len(tau)))
        pieces, index = np.unique(tables, return_inverse=True)
        values = self.surface.studies.take(pieces).log_integrated(nodes, tau)
        return np.stack([values[row].sum(axis=0) for row in index.reshape(tables.shape)])

    def _in_between(self, x: float, piece: int, a: Array, b: Array, tau: Array) -> Array:
        """Log likelihood of one study with patients of both levels, at its mean by a and b."""
        study = self.surface.studies.take(np.array([piece]))
        means = (FIRST + x) * a[:, None] + (FIRST - x) * b
        step = min(_STEP, 0.1 * float(study.scales[0]))
        grid = np.arange(means.min() - 5 * step, means.max() + 6 * step, step)
        return make_interp_spline(grid, study.log_integrated(grid, tau)[0], k=5)(means)

    def _combined(self, of_first: float, of_second: float) -> Density:
        """Density of a weighted sum of both levels."""
        a, b, tau = self._panels
        plane = self._joint @ tau.weights
        corners = np.add.outer(of_first * a.edges[[0, -1]], of_second * b.edges[[0, -1]])
        panels, values = resolve(
            lambda t: self._along(plane, of_first, of_second, t),
            Panels(np.linspace(corners.min(), corners.max(), _PIECES + 1)),
            _TOLERANCE,
        )
        return Density(panels, values)

    def _along(self, joint: Array, of_first: float, of_second: float, t: Array) -> Array:
        """Integrate a function of a, b and more over all a, b whose weighted sum is t: (len(t), ...)."""
        a, b, _ = self._panels
        out = np.zeros((len(t), *joint.shape[2:]))
        for column, (node, weight) in enumerate(zip(b.nodes, b.weights, strict=True)):
            place = (t - of_second * node) / of_first
            inside = (place >= a.edges[0]) & (place <= a.edges[-1])
            if inside.any():
                out[inside] += weight / abs(of_first) * (a.interpolation(place[inside]) @ joint[:, column])
        return np.maximum(out, 0.0)


def without_coefficient(surface: Surface, x: ArrayLike, beta: Prior) -> Surface:
    """Integrate the coefficient of a covariate out: what is left is a likelihood of (mu, tau).

    Parameters
    ----------
    surface : Surface
        The studies, with normal effects.
    x : array_like, shape (k,)
    beta : Prior
    """
    design = np.column_stack([np.ones(surface.k), np.asarray(x, dtype=float)])
    flat = Prior.parse("Flat()")  # mu gets its prior later, like that of any surface
    return Surface(Regression(StudySplines(surface), design, [flat, beta], np.array([1.0, 0.0])))


def _scaled(log_values: Array) -> tuple[Array, Array]:
    """Values by table relative to their largest, and the log of that: shapes (t, m, n) and (m, n)."""
    top = log_values.max(axis=0)
    return np.exp(np.maximum(log_values - top, _LEAST)), top


def _checked(priors: Priors) -> Priors:
    for name in PARAMETERS:
        prior = priors[name]
        if not prior.proper:
            raise PriorError(f"{name}: expected a proper prior, found {prior}: with few studies it decides")
        if name != TAU and np.isfinite(prior.support).any():
            raise PriorError(f"{name}: expected a prior over the whole line, found {prior}")
        if name == TAU and prior.support[0] < 0:
            raise PriorError(f"{name}: expected a prior of values from 0, found {prior}")
    return priors
