r"""The marginal likelihood of (mu, tau): computed once, whatever priors follow.

A `Surface` holds :math:`\log L(\mu, \tau) = \log \sum_t w_t \prod_i L_{i}(\mu, \tau)` on a product of
panels, where t runs over the count tables that agree with what was printed (one table if all counts
are known). The logarithm is smooth (quadratic in mu for normal studies), so few nodes interpolate it
to high accuracy, and every prior is then a matter of algebra. The panels grow where a prior needs it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes import html
from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact.conjugate import CONJUGATE, ConjugatePosterior
from kyphobayes.exact.likelihoods import Likelihood, NormalStudies
from kyphobayes.exact.panels import ORDER, Array, Panels
from kyphobayes.exact.posterior import Posterior
from kyphobayes.exact.precision import DEAD, DEEP, DIGITS, GOOD, cell_errors, rough
from kyphobayes.names import MU, PROB, TAU
from kyphobayes.priors import Prior, Priors

if TYPE_CHECKING:
    import xarray as xr

    from kyphobayes.exact.limits import CommonEffect, NoPooling
    from kyphobayes.exact.sweep import Pair

RTOL = 1e-8
_PIECES_KEPT = 500  # studies up to which each one's values are kept beside their sum
_CELLS = 5_000_000  # values of single studies held at a time where they are very many
_NEAR = 40.0  # standard errors of their mean to which the panels of so many studies reach at first
_ROUNDS = 30
_MOST_NODES = 3_000_000  # of a grid; ordinary posteriors need a five-hundredth of it
_STEPS = np.array([0.25, 0.75])  # how far the panels grow in mu, in units of their reach
_FURTHEST = 1e12  # reach at which a posterior that still grows is called improper


class Surface:
    """Marginal likelihood of (mu, tau) on panels that grow on demand.

    Parameters
    ----------
    studies : Likelihood
        The distinct study likelihoods. With latent counts a study has one for each count it may have.
    tables : array_like of int, shape (t, k), optional
        For each table, which member of `studies` stands for each of the k studies. Default: one
        table that uses every member once.
    weights : array_like, shape (t,), optional
        Weights of the tables, normalised to one. Default: uniform.
    labels : sequence of str, optional
        Names of the k studies.
    """

    def __init__(
        self,
        studies: Likelihood,
        tables: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        labels: Sequence[str] | None = None,
    ):
        self.studies = studies
        self.tables: NDArray[np.intp] = np.atleast_2d(
            np.arange(studies.size) if tables is None else np.asarray(tables, dtype=np.intp)
        )
        count = len(self.tables)
        given = np.full(count, 1.0) if weights is None else np.asarray(weights, dtype=float)
        if given.shape != (count,) or not (np.isfinite(given).all() and (given > 0).all()):
            raise InputError(f"weights: expected {count} positive numbers, one for each table")
        self.log_weights = np.log(given / given.sum())
        self.labels = [str(i + 1) for i in range(self.k)] if labels is None else [str(x) for x in labels]
        if len(self.labels) != self.k:
            raise InputError(f"labels: expected {self.k} names, one for each study, found {len(self.labels)}")
        if len(set(self.labels)) != self.k:
            raise InputError("labels: every study needs its own name")

    @property
    def k(self) -> int:
        """Number of studies."""
        return self.tables.shape[1]

    def __repr__(self) -> str:
        return f"Surface(k={self.k}, tables={len(self.tables)})"

    # -- values ----------------------------------------------------------------------------------

    def _repr_html_(self) -> str:
        hint = "posterior(mu=…, tau=…) gives the posterior under any priors."
        return html.block(html.line(repr(self)), html.line(", ".join(self.labels)), html.line(hint))

    def log_likelihood(self, mu: ArrayLike, tau: ArrayLike) -> Array:
        """Log marginal likelihood, computed afresh: shape (len(mu), len(tau))."""
        mu, tau = np.atleast_1d(np.asarray(mu, dtype=float)), np.atleast_1d(np.asarray(tau, dtype=float))
        if not (tau > 0).all():
            raise InputError("tau: expected values greater than 0")
        return self._combine(self.studies.log_integrated(mu, tau))

    def interpolate(self, mu: Array, tau: Array) -> Array:
        """Log marginal likelihood from the panels, minus infinity in dead cells: (len(mu), len(tau))."""
        total = self._values[0]
        values = self.mu.interpolation(mu) @ total @ self.tau.interpolation(tau).T
        cells = total.reshape(len(self.mu), ORDER, len(self.tau), ORDER).max(axis=(1, 3))
        dead = cells < total.max() - DEAD
        return np.where(dead[np.ix_(self.mu.locate(mu)[0], self.tau.locate(tau)[0])], -np.inf, values)

    @property
    def top(self) -> float:
        """The largest log likelihood at a node."""
        return float(self._values[0].max())

    def around(self, mu: Array, tau: Array, log_prior: Array, rtol: float) -> tuple[Array, float]:
        """Log likelihood at (mu, tau), and its error weighed by the posterior.

        It is interpolated, or computed afresh if a prior puts the posterior where the panels are too
        coarse for `rtol`. `log_prior` has the shape of the answer, (len(mu), len(tau)).
        """
        values = self.interpolate(mu, tau)
        density = values + log_prior
        highest = np.unravel_index(np.argmax(density), density.shape)
        if values[highest] > self.top - DEEP:
            error = float((self.errors_at(mu, tau) * np.exp(density - density[highest])).max())
            if error <= max(GOOD, rtol, 10 * DIGITS * abs(self.top)):
                return values, error
        values = self.log_likelihood(mu, tau)
        return values, DIGITS * abs(float(values.flat[np.argmax(values + log_prior)]))  # of rounding

    def errors_at(self, mu: Array, tau: Array) -> Array:
        """Estimated error of the interpolated log likelihood at (mu, tau): shape (len(mu), len(tau))."""
        return self._errors[np.ix_(self.mu.locate(mu)[0], self.tau.locate(tau)[0])]

    @cached_property
    def _errors(self) -> Array:
        return cell_errors(self.mu, self.tau, self._values[0])

    def pieces(self) -> Array:
        """Log integrated likelihood of each of `studies` at the nodes: (pieces, mu nodes, tau nodes)."""
        if len(self._values) > 1:
            return self._values[1:]
        return self.studies.log_integrated(self.mu.nodes, self.tau.nodes)

    def draw_table(self, mu: Array, tau: Array, rng: np.random.Generator) -> NDArray[np.intp]:
        """Draw the index of a count table given each (mu, tau)."""
        from kyphobayes.exact.draws import draw_table

        return draw_table(self, mu, tau, rng)

    @cached_property
    def _laid(self) -> tuple[Panels, Panels, Array]:
        """Panels in mu and tau, and the values at their nodes: computed when they are first needed."""
        mu, tau = self._first_panels()
        self._laid = mu, tau, self._compute(mu.nodes, tau.nodes)
        self._settle()
        return self._laid

    def _first_panels(self) -> tuple[Panels, Panels]:
        """Panels to begin with: over the studies in mu, dyadic in tau."""
        used = np.unique(self.tables)
        centres, scales = self.studies.centres[used], self.studies.scales[used]
        width = 4 * self._unit
        low, high = (centres - 4 * scales).min(), (centres + 4 * scales).max()
        if self.k > _PIECES_KEPT:  # many studies know their mean far better than each its own effect
            weights = 1 / (scales**2 + centres.var())
            middle, reach = weights @ centres / weights.sum(), _NEAR / np.sqrt(weights.sum())
            low, high = max(low, middle - reach), min(high, middle + reach)
        regular = np.linspace(low, high, int(np.ceil((high - low) / width)) + 1)
        # Where tau is small, log L has the width of the pooled estimate: a peak to be seen by some node.
        precision = scales**-2.0
        pooled, error = precision @ centres / precision.sum(), precision.sum() ** -0.5
        peak = pooled + error * np.array([-100.0, -30.0, -8.0, 8.0, 30.0, 100.0])
        sharp = peak[(peak > low) & (peak < high)] if 8 * error < width else []
        mu = Panels(np.concatenate([regular, sharp]))
        # log L bends on the scale of the smallest standard error: dyadic panels from there upwards.
        first, last = 0.5 * scales.min(), 4 * max(np.ptp(centres), scales.max())
        return mu, Panels(np.append(0.0, first * 2.0 ** np.arange(np.ceil(np.log2(last / first)) + 1)))

    @property
    def mu(self) -> Panels:
        """Panels in mu."""
        return self._laid[0]

    @property
    def tau(self) -> Panels:
        """Panels in tau."""
        return self._laid[1]

    @property
    def _values(self) -> Array:
        return self._laid[2]

    @cached_property
    def _unit(self) -> float:
        """The scale on which the data place mu."""
        used = np.unique(self.tables)
        spread = float(np.ptp(self.studies.centres[used]))
        return max(float(np.median(self.studies.scales[used])), 1e-3 * spread)

    def _compute(self, mu: Array, tau: Array) -> Array:
        """Total log likelihood in the first layer, single studies (unless they are very many) below."""
        if self.studies.size <= _PIECES_KEPT:
            pieces = self.studies.log_integrated(mu, tau)
            return np.concatenate([self._combine(pieces)[None], pieces])
        rows = max(1, _CELLS // (self.studies.size * len(tau)))  # a few values of mu at a time
        parts = [mu[start : start + rows] for start in range(0, len(mu), rows)]
        return np.concatenate([self._sum(part, tau) for part in parts])[None]

    def _sum(self, mu: Array, tau: Array) -> Array:
        """Total log likelihood; studies that are alike are computed once."""
        if len(self.tables) > 1:
            return self._combine(self.studies.log_integrated(mu, tau))
        studies, times = self._alike
        return np.tensordot(times, studies.log_integrated(mu, tau), axes=1)

    @cached_property
    def _alike(self) -> tuple[Likelihood, NDArray[np.intp]]:
        """The studies that differ, and how many there are of each."""
        studies = self.studies.take(self.tables[0])
        distinct, times = studies.distinct()
        return studies.take(distinct), times

    def _combine(self, pieces: Array) -> Array:
        if len(self.tables) == 1:
            return pieces[self.tables[0]].sum(axis=0)
        # Studies that are the same in every table are added once, not once per table.
        common = (self.tables == self.tables[0]).all(axis=0)
        varying = np.stack([pieces[row].sum(axis=0) for row in self.tables[:, ~common]])
        weighted = varying + self.log_weights[:, None, None]
        return pieces[self.tables[0, common]].sum(axis=0) + special.logsumexp(weighted, axis=0)

    # -- growth ----------------------------------------------------------------------------------

    def grow(self, sides: Collection[str]) -> None:
        """Extend the panels: "low" or "high" adds three quarters in mu, "tau" doubles its reach.

        Raises
        ------
        ImproperPosterior
            If they already reach 1e12 times the data's own scale.
        """
        mu, tau = self.mu.edges, self.tau.edges
        reach = mu[-1] - mu[0]
        if max(reach, tau[-1]) > _FURTHEST * max(self._unit, 1.0):
            raise self._too_heavy()
        outward = reach * _STEPS  # panels widen as they leave the data
        edges = [mu, mu[0] - outward if "low" in sides else [], mu[-1] + outward if "high" in sides else []]
        self._move(Panels(np.concatenate(edges)), Panels([*tau, 2 * tau[-1]] if "tau" in sides else tau))
        self._settle()

    def _too_heavy(self) -> ImproperPosterior:
        return ImproperPosterior(
            f"with {self.k} {'study' if self.k == 1 else 'studies'} and these priors the posterior is not "
            f"proper, or its tail is too heavy to integrate; give mu and tau proper priors (a flat mu needs "
            f"at least 2 studies, a flat tau at least 3)"
        )

    def _settle(self) -> None:
        """Halve panels until they interpolate log L wherever it matters."""
        for _ in range(_ROUNDS):
            rough_mu = rough(self.mu, self.tau, self._values[0])
            rough_tau = rough(self.tau, self.mu, self._values[0].T)
            if not (rough_mu.any() or rough_tau.any()):
                break
            self._move(self.mu.split(rough_mu), self.tau.split(rough_tau))

    @property
    def error(self) -> float:
        """Estimated error of the interpolated log likelihood, weighed by the likelihood."""
        weight = np.exp(self._values[0] - self.top)
        return float((self.errors_at(self.mu.nodes, self.tau.nodes) * weight).max())

    def _move(self, mu: Panels, tau: Panels) -> None:
        """Change the panels; what is known at nodes that stay is kept."""
        if len(mu.nodes) * len(tau.nodes) > _MOST_NODES:
            raise self._too_heavy()
        old_mu, old_tau = np.isin(self.mu.nodes, mu.nodes), np.isin(self.tau.nodes, tau.nodes)
        known_mu, known_tau = np.isin(mu.nodes, self.mu.nodes), np.isin(tau.nodes, self.tau.nodes)
        values = np.empty((len(self._values), len(mu.nodes), len(tau.nodes)))
        (rows, columns), (old_rows, old_columns) = np.ix_(known_mu, known_tau), np.ix_(old_mu, old_tau)
        values[:, rows, columns] = self._values[:, old_rows, old_columns]
        if not known_mu.all():
            values[:, ~known_mu] = self._compute(mu.nodes[~known_mu], tau.nodes)
        if not known_tau.all():
            rows, columns = np.ix_(known_mu, ~known_tau)
            values[:, rows, columns] = self._compute(mu.nodes[known_mu], tau.nodes[~known_tau])
        self._laid = mu, tau, values
        self.__dict__.pop("_errors", None)  # those of the panels before

    def cover(self, name: str, value: float) -> None:
        """Grow until `value` of mu or tau lies on the panels."""
        while name == MU and value < self.mu.edges[0]:
            self.grow({"low"})
        while name == MU and value > self.mu.edges[-1]:
            self.grow({"high"})
        while name == TAU and value > self.tau.edges[-1]:
            self.grow({"tau"})

    def require_bounds(self) -> None:
        """Refuse a likelihood that does not fall off in mu: a flat prior then has no proper posterior.

        Raises
        ------
        ImproperPosterior
        """
        reach = 1e3 * (np.ptp(self.mu.edges) + self._unit)
        far = [self.mu.edges[0] - reach, self.mu.edges[-1] + reach]
        if (self.log_likelihood(far, [self._unit]) > self._values[0].max() - DEEP).any():
            raise ImproperPosterior(
                f"with a flat prior for mu the posterior is not proper: the {self.k} "
                f"{'study does' if self.k == 1 else 'studies do'} not rule out ever more extreme rates "
                f"(no events, or nothing but events); give mu a proper prior"
            )

    @cached_property
    def standard_errors(self) -> Array:
        """How far each study alone would look for its effect, shape (k,): the mean over the tables."""
        return np.exp(self.log_weights) @ self.studies.scales[self.tables]

    def priors(self, mu: str | Prior, tau: str | Prior) -> Priors:
        """Read priors; those that the studies define, such as ``Jeffreys()``, are bound to these.

        Their standard errors are known for normal studies; for counts they are those of the log odds or
        log rates with 0.5 added.
        """
        priors = Priors.of("custom", mu=mu, tau=tau)
        return priors.bind(self.standard_errors) if any(p.unbound for p in priors.values()) else priors

    # -- inference -------------------------------------------------------------------------------

    def posterior(self, mu: str | Prior, tau: str | Prior, *, rtol: float = RTOL) -> Posterior:
        """Posterior under independent priors for mu and tau.

        Parameters
        ----------
        mu, tau : str or Prior
            For example ``"Normal(mu=-2.5, sigma=1.5)"`` and ``"HalfNormal(sigma=1)"``.
        rtol : float
            Bound on the relative error of posterior probabilities by quadrature and truncation.
            `Posterior.error` is what was reached, with the surface's own interpolation error.

        Raises
        ------
        PriorError, ImproperPosterior
        """
        priors = self.priors(mu, tau)
        alone = isinstance(self.studies, NormalStudies) and len(self.tables) == 1
        kind = ConjugatePosterior if alone and priors[MU].family in CONJUGATE else Posterior
        return kind(self, priors, rtol=rtol)

    def sweep(
        self,
        priors: Sequence[Pair] | Mapping[str, Pair],
        *,
        below: float | None = None,
        of: str = MU,
        prob: float = PROB,
    ) -> xr.Dataset:
        """Posterior summaries under many priors: see `kyphobayes.exact.sweep`."""
        from kyphobayes.exact.sweep import sweep

        return sweep(self, priors, below=below, of=of, prob=prob)

    def without(self, *labels: str) -> Surface:
        """Surface of the other studies: of the same tables, without the columns of these.

        Raises
        ------
        InputError
            If a label is unknown, or no study is left.
        """
        from kyphobayes.exact.loo import kept

        keep = kept(self.labels, labels)
        used, index = np.unique(self.tables[:, keep], return_inverse=True)
        tables = index.reshape(len(self.tables), len(keep))
        weights = np.exp(self.log_weights)
        if (tables == tables[0]).all():
            tables, weights = tables[:1], weights[:1]
        fewer = Surface(self.studies.take(used), tables, weights, [self.labels[i] for i in keep])
        if "_laid" in self.__dict__ and len(self._values) > 1:  # what is known of the others stays known
            pieces = self._values[1:][used]
            fewer._laid = self.mu, self.tau, np.concatenate([fewer._combine(pieces)[None], pieces])
            fewer._settle()
        return fewer

    def common_effect(self, mu: str | Prior, *, rtol: float = RTOL) -> CommonEffect:
        """Posterior if all studies had one effect, tau = 0: see `kyphobayes.exact.limits`."""
        from kyphobayes.exact.limits import CommonEffect

        return CommonEffect(self, mu, rtol=rtol)

    def no_pooling(self, theta: str | Prior, *, rtol: float = RTOL) -> NoPooling:
        """Posterior if every study had an effect of its own: see `kyphobayes.exact.limits`."""
        from kyphobayes.exact.limits import NoPooling

        return NoPooling(self, theta, rtol=rtol)
