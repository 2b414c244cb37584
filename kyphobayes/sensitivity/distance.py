r"""How far apart two densities are.

The Hellinger distance :math:`\sqrt{1 - \int \sqrt{p q}}` is 0 for equal densities and 1 for those that
share no value (Roos, Martins, Held and Rue 2015, Bayesian Analysis 10(2), eq. 2, use it for priors). The
cumulative Jensen-Shannon distance works on distribution functions (Nguyen and Vreeken 2015).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from kyphobayes.exact.conjugate import ConjugatePosterior
from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.population import smooth
from kyphobayes.exact.posterior import Posterior
from kyphobayes.names import AGGREGATE, THETA_NEW
from kyphobayes.priors import Prior

_EDGES = np.array([1e-10, 1e-6, 1e-3, 0.02, 0.15, 0.5, 0.85, 0.98, 1 - 1e-3, 1 - 1e-6, 1 - 1e-10])
# A heavy tail needs an edge in every decade of its probability.
_DECADES = 10.0 ** -np.arange(1, 11)
_FINE = np.concatenate([_DECADES[::-1], [0.3, 0.5, 0.7], 1 - _DECADES])
_CLOSED = 1e-5  # by how much a density may miss its integral of one


class _HasQuantiles(Protocol):
    def quantile(self, q: ArrayLike, /) -> Array: ...


def hellinger(first: Density | Prior, second: Density | Prior) -> float:
    """Hellinger distance of two densities or proper priors, between 0 and 1."""
    panels = _panels(first, second)
    return _distance(panels, _heights(first, panels.nodes), _heights(second, panels.nodes))


def _panels(*sides: _HasQuantiles) -> Panels:
    """Panels between quantiles of all."""
    return Panels(np.concatenate([np.asarray(side.quantile(_FINE)) for side in sides]))


def _heights(side: Density | Prior, x: Array) -> Array:
    return np.exp(side.log_density(x)) if isinstance(side, Prior) else side.pdf(x)


def _distance(panels: Panels, p: Array, q: Array) -> float:
    """One minus the affinity; what the panels leave out of either is left out of both."""
    affinity = panels.weights @ np.sqrt(p * q)
    norm = np.sqrt((panels.weights @ p) * (panels.weights @ q))
    return float(np.sqrt(max(0.0, 1.0 - affinity / norm))) if norm > 0 else 1.0


def distances(posteriors: Sequence[Posterior], reference: Posterior) -> Array:
    """Hellinger distance of posteriors from a reference, of mu, tau and theta_new: shape (posteriors, 3)."""
    base = reference.theta_new
    ends = base.quantile(_EDGES)
    panels = Panels([2 * ends[0] - ends[-1], *ends, 2 * ends[-1] - ends[0]])
    heights = None if isinstance(reference, ConjugatePosterior) else base.pdf(panels.nodes)
    out = np.empty((len(posteriors), len(AGGREGATE)))
    for row, post in enumerate(posteriors):
        for column, name in enumerate(AGGREGATE):
            if name != THETA_NEW:
                out[row, column] = hellinger(getattr(post, name), getattr(reference, name))
                continue
            q = None if heights is None else _predictive(post, panels)
            # A density that these panels do not resolve is made on panels of its own.
            out[row, column] = (
                hellinger(post.theta_new, base) if q is None or heights is None
                else _distance(panels, heights, q)
            )  # fmt: skip
    return out


def _predictive(post: Posterior, panels: Panels) -> Array | None:
    """Predictive density at the nodes of given panels; None where they do not hold it."""
    if not post.surface.studies.kernel.normal:
        return None
    joint = post.joint
    values = smooth(post.mu_panels, post.tau_panels, joint, joint[..., None], panels.nodes)[:, 0]
    short = abs(panels.weights @ values - 1) > _CLOSED
    return None if short or panels.tails(values).max() > _CLOSED else np.maximum(values, 0.0)


def cjs(p: Array, q: Array, weights: Array) -> float:
    r"""Cumulative Jensen-Shannon distance of two distribution functions, normalised to [0, 1].

    Parameters
    ----------
    p, q : ndarray, shape (n,)
        Distribution functions at the nodes of a quadrature rule over a common range.
    weights : ndarray, shape (n,)
        Of the rule.

    Notes
    -----
    :math:`CJS(P \Vert Q) = \int P \log_2 \frac{2P}{P + Q} + \frac{1}{2 \ln 2} \int (Q - P)`; the distance
    is the root of its symmetrised form over :math:`\int (P + Q)` (Kallioinen, Paananen, Bürkner and
    Vehtari 2024, Stat. Comput. 34, sec. 2.4). It depends on the range.
    """
    total = weights @ (p + q)
    if not total > 0:
        return 0.0
    middle = (p + q) / 2
    both = special.rel_entr(p, middle) + special.rel_entr(q, middle)  # the other terms cancel in the sum
    return float(np.sqrt(max(0.0, weights @ both / np.log(2)) / total))


def cjs_both_ways(
    p: Callable[[Array], Array], q: Callable[[Array], Array], low: float, high: float, pieces: int = 24
) -> float:
    """Larger of the distances of two variables and of their negatives, between `low` and `high`."""
    panels = Panels(np.linspace(low, high, pieces + 1))
    first, second = p(panels.nodes), q(panels.nodes)
    return max(cjs(first, second, panels.weights), cjs(1 - first, 1 - second, panels.weights))
