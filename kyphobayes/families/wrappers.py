r"""Priors made of other priors: truncated, for the square, mixed.

Here `dist` and `components` are laws. In a sweep their parameters are arrays, and nothing changes.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from kyphobayes.families.family import Array, Family, Law, Support
from kyphobayes.families.invert import invert

_SMALL = 1e-150  # its square is still a number greater than zero

# -- Truncated(dist, lower, upper): the density inside, divided by the probability inside -------------------


def mass_between(dist: Law, lower: Any, upper: Any) -> Array:
    """Probability between the bounds, from whichever tail keeps its digits."""
    below, above = dist.cdf(lower), dist.survival(upper)
    low_side, high_side = dist.cdf(upper) - below, dist.survival(lower) - above
    return np.where(dist.cdf(upper) <= 0.5, low_side, np.where(below >= 0.5, high_side, 1 - below - above))


def _truncated_support(dist: Law, lower: Any, upper: Any) -> Support:
    low, high = dist.support
    return np.maximum(low, lower), np.minimum(high, upper)


def _truncated_below(x: Array, dist: Law, lower: Any, upper: Any) -> Array:
    mass, below = mass_between(dist, lower, upper), dist.cdf(x)
    near = below - dist.cdf(lower)
    far = mass - (dist.survival(x) - dist.survival(upper))
    return np.where(below <= 0.5, near, far) / mass


def _truncated_above(x: Array, dist: Law, lower: Any, upper: Any) -> Array:
    mass, below = mass_between(dist, lower, upper), dist.cdf(x)
    near = mass - (below - dist.cdf(lower))
    far = dist.survival(x) - dist.survival(upper)
    return np.where(below <= 0.5, near, far) / mass


def _truncated_place(q: Array, rest: Array, dist: Law, lower: Any, upper: Any) -> Array:
    """Value with share `q` of the mass below and `rest` above, counted from the nearer tail."""
    mass = mass_between(dist, lower, upper)
    below, above = dist.cdf(lower) + q * mass, dist.survival(upper) + rest * mass
    low, high = _truncated_support(dist, lower, upper)
    near = dist.quantile(np.minimum(below, 0.5))
    far = dist.upper_quantile(np.minimum(above, 0.5))
    found = np.clip(np.where(below <= 0.5, near, far), low, high)
    return np.where(q <= 0, low, np.where(rest <= 0, high, found))


# -- Tau2(dist): `dist` is the prior of the square, so p(tau) = 2 tau dist(tau^2) ---------------------------


def _square_log_density(x: Array, dist: Law) -> Array:
    safe = np.maximum(x, _SMALL)  # at 0 the limit may be 0 times infinity
    return np.log(2 * safe) + dist.log_density(safe**2)


def _square_support(dist: Law) -> Support:
    low, high = dist.support
    return np.sqrt(np.maximum(low, 0.0)), np.sqrt(high)


# -- Mixture(0.8*A + 0.2*B) -------------------------------------------------------------------------------


def _shares(weights: Sequence[Any]) -> list[Any]:
    total = reduce(np.add, weights)
    return [weight / total for weight in weights]


def _mixed(weights: Sequence[Any], values: Sequence[Array]) -> Array:
    return reduce(np.add, [w * v for w, v in zip(_shares(weights), values, strict=True)])


def _mixture_log_density(x: Array, weights: Sequence[Any], components: Sequence[Law]) -> Array:
    terms = [np.log(w) + c.log_density(x) for w, c in zip(_shares(weights), components, strict=True)]
    return reduce(np.logaddexp, terms)


def _mixture_support(weights: Sequence[Any], components: Sequence[Law]) -> Support:
    lows, highs = zip(*(component.support for component in components), strict=True)
    return reduce(np.minimum, lows), reduce(np.maximum, highs)


def _mixture_below(x: Array, weights: Sequence[Any], components: Sequence[Law]) -> Array:
    return _mixed(weights, [component.cdf(x) for component in components])


def _mixture_above(x: Array, weights: Sequence[Any], components: Sequence[Law]) -> Array:
    return _mixed(weights, [component.survival(x) for component in components])


def _mixture_density(x: Array, weights: Sequence[Any], components: Sequence[Law]) -> Array:
    return _mixed(weights, [np.exp(component.log_density(x)) for component in components])


def _mixture_place(q: Array, rest: Array, weights: Sequence[Any], components: Sequence[Law]) -> Array:
    """Value with probability `q` below and `rest` above: it lies between the components' own."""
    mixed = {"weights": weights, "components": components}
    lower_half = q <= 0.5
    near = [component.quantile(np.minimum(q, 0.5)) for component in components]
    far = [component.upper_quantile(np.minimum(rest, 0.5)) for component in components]
    places = [np.where(lower_half, *pair) for pair in zip(near, far, strict=True)]
    low, high = reduce(np.minimum, places), reduce(np.maximum, places)
    ends = np.where(q <= 0, low, high)
    found = invert(
        lambda x: np.where(lower_half, _mixture_below(x, **mixed), -_mixture_above(x, **mixed)),
        lambda x: _mixture_density(x, **mixed),
        np.where(lower_half, q, -rest),
        low,
        high,
    )
    return np.where((q <= 0) | (rest <= 0), ends, found)


WRAPPERS: Mapping[str, Family] = {
    "Truncated": Family(
        {"dist": None, "lower": -np.inf, "upper": np.inf},
        lambda x, dist, lower, upper: dist.log_density(x) - np.log(mass_between(dist, lower, upper)),
        cdf=_truncated_below,
        survival=_truncated_above,
        quantile=lambda q, **given: _truncated_place(q, 1 - q, **given),
        upper_quantile=lambda q, **given: _truncated_place(1 - q, q, **given),
        ordered=("lower", "upper"),
        support=_truncated_support,
        proper=lambda dist, **_: dist.proper,
    ),
    "Tau2": Family(
        {"dist": None},
        _square_log_density,
        cdf=lambda x, dist: dist.cdf(x**2),
        survival=lambda x, dist: dist.survival(x**2),
        quantile=lambda q, dist: np.sqrt(dist.quantile(q)),
        upper_quantile=lambda q, dist: np.sqrt(dist.upper_quantile(q)),
        support=_square_support,
        proper=lambda dist: dist.proper,
    ),
    "Mixture": Family(
        {"weights": None, "components": None},
        _mixture_log_density,
        cdf=_mixture_below,
        survival=_mixture_above,
        quantile=lambda q, **given: _mixture_place(q, 1 - q, **given),
        upper_quantile=lambda q, **given: _mixture_place(1 - q, q, **given),
        support=_mixture_support,
        proper=lambda components, **_: all(component.proper for component in components),
    ),
}
