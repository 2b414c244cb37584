r"""The two ends of pooling: one effect for all studies (tau = 0), and an effect of its own for each.

Both are integrals over one dimension,

.. math:: p(y \mid \tau = 0) = \int \sum_t w_t \prod_i p(y_{ti} \mid \mu)\, p(\mu)\, d\mu , \qquad
          p(y \mid \text{no pooling}) = \sum_t w_t \prod_i \int p(y_{ti} \mid \theta)\, p(\theta)\, d\theta ,

with t over the count tables. Their marginal likelihoods compare with those of `Surface.posterior`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from kyphobayes import html
from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import Array, Panels, resolve
from kyphobayes.exact.posterior import summarised
from kyphobayes.names import MU, PROB, STUDY, THETA_NEW
from kyphobayes.priors import Prior, Priors

if TYPE_CHECKING:
    import pandas as pd

    from kyphobayes.exact.surface import Surface

_STEPS = np.append(0.0, 2.0 ** np.arange(-1.0, 8.0))  # of edges around a place, in units of its scale
_PRIOR_EDGES = np.array([1e-13, 1e-8, 1e-4, 0.05, 0.5, 0.95, 1 - 1e-4, 1 - 1e-8, 1 - 1e-13])
_FURTHEST = 1e15  # reach, in units of where the search began, at which what still grows is improper
_TAIL = 1e-2  # share of rtol that may lie beyond the last panel


class CommonEffect:
    """Posterior of mu if tau is zero: every study, old or new, has the effect mu.

    Attributes
    ----------
    surface : Surface
    priors : Priors
        Of mu.
    log_marginal_likelihood : float
        With an improper prior up to the prior's constant, taken as 1.
    error : float
        Estimated relative error of posterior probabilities.
    mu : Density

    Raises
    ------
    PriorError, ImproperPosterior
    """

    def __init__(self, surface: Surface, mu: str | Prior, *, rtol: float):
        self.surface, self.priors, self._rtol = surface, Priors.of("custom", mu=mu), rtol
        used = np.unique(surface.tables)
        centres, scales = surface.studies.centres[used], surface.studies.scales[used]
        precision = scales**-2.0
        pooled = (float(precision @ centres / precision.sum()), float(precision.sum() ** -0.5))

        def log_likelihood(theta: Array) -> Array:
            pieces = surface.studies.log_lik(theta)
            totals = np.stack([pieces[row].sum(axis=0) for row in surface.tables])
            return special.logsumexp(totals + surface.log_weights[:, None], axis=0)

        places = [pooled, *zip(centres, scales, strict=True)] if len(used) <= 50 else [pooled]
        self.mu, self.log_marginal_likelihood, self.error = _solve(log_likelihood, self.prior, places, rtol)

    def __repr__(self) -> str:
        return f"CommonEffect({self.surface.k} studies, mu ~ {self.prior})"

    def _repr_html_(self) -> str:
        return html.block(html.line(repr(self)), html.frame(self.summary()))

    @property
    def prior(self) -> Prior:
        """Of mu."""
        return self.priors[MU]

    @property
    def theta_new(self) -> Density:
        """Effect in a new study: mu again."""
        return self.mu

    def summary(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        """Posterior mean, sd, median and interval of mu and theta_new, which are one."""
        return summarised({MU: self.mu, THETA_NEW: self.mu}, prob, kind)

    def without(self, *labels: str) -> CommonEffect:
        """Posterior under the same prior without some studies, named by their labels."""
        return CommonEffect(self.surface.without(*labels), self.prior, rtol=self._rtol)

    def loo(self) -> pd.DataFrame:
        """Exact leave-one-study-out log predictive densities: see `kyphobayes.exact.loo`."""
        from kyphobayes.exact.loo import loo

        return loo(self)


class NoPooling:
    """Posterior of each study's effect if nothing is learned from the others.

    Attributes
    ----------
    surface : Surface
    prior : Prior
        Of each effect.
    log_marginal_likelihood : float
        With an improper prior up to its constant to the power of k, taken as 1.
    error : float
        Sum of the estimated relative errors of the studies' probabilities.
    studies : dict of str to Density
        By label. With latent counts a mean over tables, which know of each other's sums.

    Raises
    ------
    PriorError, ImproperPosterior
    """

    def __init__(self, surface: Surface, theta: str | Prior, *, rtol: float):
        self.surface, self.prior = surface, Priors.of("custom", theta=theta)["theta"]
        likelihood = surface.studies
        used = np.unique(surface.tables)
        pieces: dict[int, tuple[Density, float, float]] = {}
        for piece in used:
            one = likelihood.take(np.array([piece]))
            place = [(float(one.centres[0]), float(one.scales[0]))]
            pieces[int(piece)] = _solve(lambda x, one=one: one.log_lik(x)[0], self.prior, place, rtol)
        evidence = np.full(likelihood.size, -np.inf)
        evidence[used] = [pieces[int(piece)][1] for piece in used]
        by_table = evidence[surface.tables].sum(axis=1) + surface.log_weights
        self.log_marginal_likelihood = float(special.logsumexp(by_table))
        self.error = sum(error for _, _, error in pieces.values())
        shares = special.softmax(by_table)
        self.studies = {
            label: _mean({
                int(piece): (pieces[int(piece)][0], float(shares[surface.tables[:, study] == piece].sum()))
                for piece in np.unique(surface.tables[:, study])
            })
            for study, label in enumerate(surface.labels)
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"NoPooling({self.surface.k} studies, theta ~ {self.prior})"

    def _repr_html_(self) -> str:
        return html.block(html.line(repr(self)), html.frame(self.summary()))

    def summary(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        """Posterior mean, sd, median and interval of each study's own effect: one row per study."""
        return summarised(self.studies, prob, kind).rename_axis(STUDY)


def _mean(parts: dict[int, tuple[Density, float]]) -> Density:
    """Weighted mean of densities, on panels that hold the edges of all."""
    if len(parts) == 1:
        return next(iter(parts.values()))[0]
    panels = Panels(np.concatenate([density.panels.edges for density, _ in parts.values()]))
    # `sum` of arrays is an array, not the 0 it starts from
    return Density(panels, sum(share * density.pdf(panels.nodes) for density, share in parts.values()))  # pyright: ignore[reportArgumentType]


def _solve(
    log_likelihood: Callable[[Array], Array], prior: Prior, places: list[tuple[float, float]], rtol: float
) -> tuple[Density, float, float]:
    """Posterior density of one parameter, its log marginal likelihood and relative error."""
    if not 1e-13 <= rtol <= 0.1:
        raise InputError(f"rtol: expected a number from 1e-13 to 0.1, found {rtol:g}")

    def log_density(theta: Array) -> Array:
        return log_likelihood(theta) + prior.log_density(theta)

    edges = [centre + scale * sign * _STEPS for centre, scale in places for sign in (-1.0, 1.0)]
    if prior.proper:
        edges.append(prior.quantile(_PRIOR_EDGES))
    start = np.unique(np.clip(np.concatenate(edges), *prior.support))
    mode, top, width = _peak(log_density, Panels(start))
    steps = width * _STEPS[1:]
    start = np.unique(np.clip(np.concatenate([start, mode - steps, mode + steps]), *prior.support))
    start = start[np.append(True, np.diff(start) > 1e-14 * np.abs(start[1:]))]

    def density(theta: Array) -> Array:
        return np.exp(log_density(theta) - top)

    panels = Panels(start)
    total = float(panels.weights @ density(panels.nodes))
    low, high = (_reach(density, prior, start, side, total, rtol * _TAIL) for side in (0, -1))
    panels = Panels(np.concatenate([low, start, high]))
    tolerance = rtol / 4 / len(panels)
    for _ in range(2):  # the second time with a total that is known
        panels, values = resolve(density, panels, tolerance * total)
        total = float(panels.weights @ values)
    error = float(panels.tails(values).sum() / total) + 2 * rtol * _TAIL
    return Density(panels, values), float(top + np.log(total)), error


def _peak(log_density: Callable[[Array], Array], panels: Panels) -> tuple[float, float, float]:
    """Highest point of a log density, its value there, and a width over which it falls by a few units."""
    values = log_density(panels.nodes)
    best = int(np.argmax(values))
    near = panels.nodes[[max(best - 1, 0), min(best + 1, len(values) - 1)]]
    found = optimize.minimize_scalar(
        lambda x: -float(log_density(np.array([x]))[0]), bounds=tuple(near), method="bounded",
        options={"xatol": 1e-12 * float(np.abs(near).max() + np.ptp(near))},
    )  # fmt: skip
    mode, top = (float(found.x), -float(found.fun))
    if values[best] >= top:
        mode, top = float(panels.nodes[best]), float(values[best])
    width = float(np.ptp(near))
    while width > 1e-14 * (1 + abs(mode)):
        if (log_density(np.array([mode - width, mode + width])) > top - 8).any():
            break
        width /= 2
    return mode, top, width


def _reach(
    density: Callable[[Array], Array], prior: Prior, start: Array, side: int, total: float, negligible: float
) -> Array:
    """Edges outward from `start` until next to nothing lies beyond, each step twice the last."""
    edge, step = start[side], float(np.ptp(start))
    bound = prior.support[side]
    edges: list[float] = []
    unit = step
    while edge != bound and density(np.array([edge]))[0] * abs(edge - start.mean()) > negligible * total:
        edge = float(np.clip(edge + (step if side else -step), *prior.support))
        edges.append(edge)
        step *= 2
        if step > _FURTHEST * unit:
            raise ImproperPosterior(
                f"with prior {prior} the posterior is not proper: the data do not rule out ever more extreme "
                f"effects (no events, or nothing but events); give it a proper prior"
            )
    return np.array(edges)
