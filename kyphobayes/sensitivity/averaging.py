r"""Averaging over what may be there: an effect or none, differences between studies or none, and priors.

The four models {mu = null, mu free} × {tau = 0, tau free} are weighed by their exact marginal likelihoods
(Gronau et al. 2017, Compr. Results Soc. Psychol. 2; Bartoš et al. 2021, Res. Synth. Methods). The
inclusion Bayes factor of an effect, or of heterogeneity, is the ratio of posterior to prior odds of the
models that have it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import optimize, special

from kyphobayes.errors import InputError
from kyphobayes.exact import Surface
from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import Array, Panels, resolve
from kyphobayes.exact.posterior import Posterior
from kyphobayes.exact.surface import RTOL
from kyphobayes.names import MU, PROB, TAU
from kyphobayes.priors import Prior, Priors

_RTOL = 1e-9
_SPREAD = np.array([1e-12, 1e-8, 1e-4, 0.05, 0.25, 0.5, 0.75, 0.95, 1 - 1e-4, 1 - 1e-8, 1 - 1e-12])
_DEPTH = 60.0  # log likelihood below its maximum from where on nothing is left
_STATISTICS = ("mean", "median", "low", "high")

Pair = tuple[str | Prior, str | Prior]


def common_effect(surface: Surface, mu: Array) -> Array:
    """Log likelihood of one effect common to all studies, tau = 0: shape (len(mu),)."""
    pieces = surface.studies.log_lik(mu)
    rows = np.stack([pieces[row].sum(axis=0) for row in surface.tables])
    return special.logsumexp(rows + surface.log_weights[:, None], axis=0)


@dataclass(frozen=True, eq=False)
class _Solved:
    """One model: its log marginal likelihood, and the posteriors of what is free in it."""

    log_marginal_likelihood: float
    mu: Density | None
    tau: Density | None


def average(
    surface: Surface,
    pairs: Mapping[str, Pair],
    *,
    null: float = 0.0,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    weights: Mapping[str, float] | None = None,
    prob: float = PROB,
    rtol: float = RTOL,
) -> xr.Dataset:
    """Average over an effect or none, heterogeneity or none, and sets of priors.

    Parameters
    ----------
    surface : Surface
    pairs : mapping of name to (mu, tau)
        Proper priors of what is free.
    null : float
        Value of mu where it is not free.
    bounds : (float, float)
        What a free mu is confined to, such as (0, inf) for a one-sided hypothesis. Its prior is cut off
        there and normalised.
    weights : mapping of name to float, optional
        Prior weights of the sets. Default: equal. The four models of a set have equal weights.
    prob : float
        Of the central intervals.
    rtol : float
        Of the posteriors where both are free.

    Returns
    -------
    Dataset
        Over `model` (such as ``name: mu free, tau = 0``), with coordinates `set`, `effect`,
        `heterogeneity`: `log_marginal_likelihood`, `prior`, `posterior`, the probabilities of the
        model. Over `included` (effect, heterogeneity): `log_bayes_factor` and `probability`. Over
        `set` and `tau` (zero, free): `log_bayes_factor_effect`, of mu free against mu = null. Over
        `quantity` and `statistic`: `averaged`, over all models, with a point mass at what is fixed, and
        `conditional`, over those where the quantity is free.

    Raises
    ------
    InputError
        If there are no pairs, `null` is not finite, the bounds are in the wrong order, or a weight is
        not positive.
    PriorError
        If a prior is improper: the constant of its density would decide.
    """
    share = _checked(pairs, null, bounds, weights, prob)
    solved: dict[tuple[str, bool, bool], _Solved] = {}
    one_effect, no_effect = {}, {}  # they depend on one prior only
    without = float(common_effect(surface, np.array([null]))[0])
    for name, (mu, tau) in pairs.items():
        priors = surface.priors(mu, tau)
        for prior in priors.values():
            prior.quantile(0.5)  # refuses an improper one
        solved[name, False, False] = _Solved(without, None, None)
        if priors[MU] not in one_effect:
            one_effect[priors[MU]] = _one_effect(surface, priors[MU], bounds)
        if priors[TAU] not in no_effect:
            no_effect[priors[TAU]] = _no_effect(surface, priors[TAU], null)
        solved[name, True, False], solved[name, False, True] = one_effect[priors[MU]], no_effect[priors[TAU]]
        solved[name, True, True] = _both(surface, priors, bounds, rtol)
    models = list(solved)
    log_marginal = np.array([model.log_marginal_likelihood for model in solved.values()])
    prior = np.array([share[name] / 4 for name, _, _ in models])
    posterior = special.softmax(log_marginal + np.log(prior))
    effect, heterogeneity = (np.array([model[i] for model in models]) for i in (1, 2))
    found = xr.Dataset(
        {
            "log_marginal_likelihood": ("model", log_marginal),
            "prior": ("model", prior),
            "posterior": ("model", posterior),
        },
        {
            "model": [_label(*model) for model in models],
            "prior_set": ("model", [model[0] for model in models]),
            "effect": ("model", effect),
            "heterogeneity": ("model", heterogeneity),
        },
        {"null": null, "bounds": list(bounds)},
    )
    log_weight = log_marginal + np.log(prior)
    inclusion = [
        _log_odds(log_weight, has) - _log_odds(np.log(prior), has) for has in (effect, heterogeneity)
    ]
    found = found.assign_coords(included=["effect", "heterogeneity"], set=list(pairs), tau=["zero", "free"])
    found["log_bayes_factor"] = ("included", inclusion)
    found["probability"] = ("included", [float(posterior[has].sum()) for has in (effect, heterogeneity)])
    found["log_bayes_factor_effect"] = (
        ("set", "tau"),
        [
            [solved[n, True, t].log_marginal_likelihood - solved[n, False, t].log_marginal_likelihood
             for t in (False, True)] for n in pairs
        ],
    )  # fmt: skip
    parts = {
        MU: ([model.mu for model in solved.values()], null),
        TAU: ([model.tau for model in solved.values()], 0.0),
    }
    dims = ("quantity", "statistic")
    found = found.assign_coords(quantity=[MU, TAU], statistic=list(_STATISTICS))
    found["averaged"] = (dims, [_mixed(d, posterior, at, prob) for d, at in parts.values()])
    free = [np.array([d is not None for d in densities]) for densities, _ in parts.values()]
    shares = [np.where(f, posterior, 0.0) / posterior[f].sum() for f in free]
    found["conditional"] = (
        dims,
        [_mixed(d, w, at, prob) for (d, at), w in zip(parts.values(), shares, strict=True)],
    )
    return found


def _checked(
    pairs: Mapping[str, Pair],
    null: float,
    bounds: tuple[float, float],
    weights: Mapping[str, float] | None,
    prob: float,
) -> dict[str, float]:
    """Normalised weights of the sets."""
    if not pairs:
        raise InputError("pairs: expected at least one pair of priors for mu and tau, found none")
    if not np.isfinite(null):
        raise InputError(f"null: expected a finite number, found {null:g}")
    if not bounds[0] < bounds[1]:
        raise InputError(
            f"bounds: expected a lower one below an upper one, found {bounds[0]:g}, {bounds[1]:g}"
        )
    if not 0 < prob < 1:
        raise InputError(f"prob: expected a number between 0 and 1, found {prob:g}")
    given = dict.fromkeys(pairs, 1.0) if weights is None else dict(weights)
    if set(given) != set(pairs) or not all(np.isfinite(w) and w > 0 for w in given.values()):
        raise InputError(f"weights: expected a number greater than 0 for each of {', '.join(pairs)}")
    total = sum(given.values())
    return {name: weight / total for name, weight in given.items()}


def _label(name: str, effect: bool, heterogeneity: bool) -> str:
    return f"{name}: {'mu free' if effect else 'mu = null'}, {'tau free' if heterogeneity else 'tau = 0'}"


def _log_odds(log_weight: Array, has: NDArray[np.bool_]) -> float:
    return float(special.logsumexp(log_weight[has]) - special.logsumexp(log_weight[~has]))


# -- the models ------------------------------------------------------------------------------------------


def _one_effect(surface: Surface, prior: Prior, bounds: tuple[float, float]) -> _Solved:
    """Mu is free, tau = 0: one integral."""
    low, high = max(prior.support[0], bounds[0]), min(prior.support[1], bounds[1])
    centres, scales = surface.studies.centres, surface.studies.scales
    error = float(np.sum(scales[np.unique(surface.tables)] ** -2.0) ** -0.5)
    near = np.concatenate([c + error * np.array([-30, -8, -3, 0, 3, 8, 30]) for c in centres])
    edges = _within(
        np.concatenate([prior.quantile(_SPREAD), near, centres - scales, centres + scales]), low, high
    )

    def log_joint(mu: Array) -> Array:
        return common_effect(surface, mu) + prior.log_density(mu)

    log_marginal, density = _integrated(log_joint, edges)
    return _Solved(log_marginal - _log_mass(prior, bounds), density, None)


def _no_effect(surface: Surface, prior: Prior, null: float) -> _Solved:
    """Mu = null, tau is free: one integral."""
    scales, centres = surface.studies.scales, surface.studies.centres
    reach = max(float(np.abs(centres - null).max()), float(scales.max()))
    data = scales.min() * 2.0 ** np.arange(-2, np.ceil(np.log2(8 * reach / scales.min())) + 1)
    edges = _within(np.concatenate([prior.quantile(_SPREAD), data]), *prior.support)
    # The prior's mass next to 0 lies in one panel; tau itself must stay above 0.
    edges = np.unique(np.append(edges, max(prior.support[0], 0.0)))

    def log_joint(tau: Array) -> Array:
        return surface.log_likelihood([null], tau)[0] + prior.log_density(tau)

    log_marginal, density = _integrated(log_joint, edges)
    return _Solved(log_marginal, None, density)


def _both(surface: Surface, priors: Priors, bounds: tuple[float, float], rtol: float) -> _Solved:
    """Both are free: the posterior, cut off at the bounds."""
    post = surface.posterior(priors[MU], priors[TAU], rtol=rtol)
    if np.isinf(bounds).all():
        return _Solved(post.log_marginal_likelihood, post.mu, post.tau)
    inside = float(post.cdf(MU, bounds[1]) - post.cdf(MU, bounds[0]))
    if not inside > 0:
        raise InputError(f"bounds: the posterior of mu has no mass between {bounds[0]:g} and {bounds[1]:g}")
    log_marginal = post.log_marginal_likelihood + np.log(inside) - _log_mass(priors[MU], bounds)
    return _Solved(log_marginal, *_cut(post, bounds))


def _cut(post: Posterior, bounds: tuple[float, float]) -> tuple[Density, Density]:
    """Marginals of mu and tau where mu is confined to the bounds."""
    panels = post.mu_panels
    edges = _within(panels.edges, max(bounds[0], panels.edges[0]), min(bounds[1], panels.edges[-1]))
    part = Panels(edges)
    joint = panels.interpolation(part.nodes) @ post.joint
    return Density(part, joint @ post.tau_panels.weights), Density(post.tau_panels, part.weights @ joint)


def _within(edges: Array, low: float, high: float) -> Array:
    """Edges inside an interval, and its ends where they are finite."""
    ends = [end for end in (low, high) if np.isfinite(end)]
    inside = edges[(edges > low) & (edges < high)]
    return np.unique(np.concatenate([inside, ends]))


def _integrated(log_function: Callable[[Array], Array], edges: Array) -> tuple[float, Density]:
    """Log of an integral, and its integrand as a density."""
    start = Panels(edges)
    top = float(log_function(start.nodes).max())
    area = max(float(start.weights @ np.exp(log_function(start.nodes) - top)), 1e-300)
    panels, values = resolve(
        lambda x: np.exp(np.maximum(log_function(x) - top, -_DEPTH * 10)) / area, start, _RTOL / len(start)
    )
    total = float(panels.weights @ values)
    return top + float(np.log(area * total)), Density(panels, values)


def _log_mass(prior: Prior, bounds: tuple[float, float]) -> float:
    """Log of the prior's probability between the bounds: its distribution function by root search."""
    if np.isinf(bounds).all():
        return 0.0
    shares = [_share_below(prior, end) for end in bounds]
    if not shares[1] > shares[0]:
        raise InputError(f"bounds: {prior} has no mass between {bounds[0]:g} and {bounds[1]:g}")
    return float(np.log(shares[1] - shares[0]))


def _share_below(prior: Prior, end: float) -> float:
    if end <= prior.support[0] or end >= prior.support[1]:
        return float(end >= prior.support[1])

    def excess(q: float) -> float:
        return float(prior.quantile(q)) - end

    lowest, highest = 1e-15, 1 - 1e-15
    if excess(lowest) >= 0 or excess(highest) <= 0:
        return float(excess(highest) <= 0)
    return float(optimize.brentq(excess, lowest, highest, xtol=1e-16))


# -- mixtures --------------------------------------------------------------------------------------------


def _mixed(densities: list[Density | None], shares: Array, fixed: float, prob: float) -> list[float]:
    """Mean, median and central interval of a mixture of densities and a point mass where there is none."""
    given = [(d, w) for d, w in zip(densities, shares, strict=True) if w > 0]
    point = sum(w for d, w in given if d is None)
    spread = [(d, w) for d, w in given if d is not None]
    mean = point * fixed + sum(w * d.mean for d, w in spread)

    def cdf(x: float) -> float:
        return point * (x >= fixed) + sum(w * float(d.cdf(x)) for d, w in spread)

    return [float(mean), *(_quantile(cdf, spread, fixed, q) for q in (0.5, (1 - prob) / 2, (1 + prob) / 2))]


def _quantile(
    cdf: Callable[[float], float], spread: list[tuple[Density, float]], fixed: float, q: float
) -> float:
    if not spread:
        return fixed
    ends = np.array([d.quantile([1e-9, q, 1 - 1e-9]) for d, _ in spread])
    low, high = min(float(ends.min()), fixed) - 1e-9, max(float(ends.max()), fixed) + 1e-9
    before, after = cdf(np.nextafter(fixed, -np.inf)), cdf(fixed)
    if before < q <= after:
        return fixed  # the point mass holds it
    if q <= cdf(low):
        return low
    return float(optimize.brentq(lambda x: cdf(x) - q, low, high, xtol=1e-12))
