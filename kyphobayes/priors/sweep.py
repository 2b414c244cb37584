"""The densities of many priors at the same places: each family is evaluated once."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kyphobayes.errors import PriorError
from kyphobayes.families import FAMILIES, NUMBER_FAMILIES, WRAPPERS, Array, Law
from kyphobayes.priors.prior import Prior

_BLOCK = 16_384  # values at a time: what a processor keeps close


def log_densities(priors: Sequence[Prior], x: ArrayLike) -> Array:
    """Log density of each prior at each place.

    Parameters
    ----------
    priors : sequence of Prior, length n
    x : array_like, shape (m,)

    Returns
    -------
    ndarray, shape (n, m)
        Minus infinity outside a prior's support.

    Raises
    ------
    PriorError
        If a prior still waits for the standard errors of the studies.
    """
    x = np.asarray(x, dtype=float)
    if x.ndim != 1:
        raise PriorError(f"log_densities: expected places of shape (m,), found shape {x.shape}")
    groups: dict[Hashable, list[int]] = {}
    for place, prior in enumerate(priors):
        key = prior.family if prior.family in NUMBER_FAMILIES else _shape(prior)
        groups.setdefault(key, []).append(place)
    found = np.empty((len(priors), len(x)))
    rows = max(_BLOCK // max(len(x), 1), 1)
    for members in groups.values():
        first = priors[members[0]]
        if first.unbound or FAMILIES[first.family].from_studies:
            found[members] = first.log_density(x)
            continue
        for start in range(0, len(members), rows):
            block = members[start : start + rows]
            found[block] = _stack([priors[place] for place in block]).log_density(x)
    return found


def _shape(prior: Prior) -> Hashable:
    """What two priors must share to be evaluated together: all but their numbers."""
    if prior.family in NUMBER_FAMILIES:
        return prior.family
    if prior.family not in WRAPPERS:
        return prior
    return (prior.family, *(_shape_of(value) for _, value in prior.parameters))


def _shape_of(value: Any) -> Hashable:
    if isinstance(value, Prior):
        return _shape(value)
    return tuple(_shape_of(inner) for inner in value) if isinstance(value, tuple) else None


def _stack(priors: Sequence[Prior]) -> Law:
    """Make one law of priors of one shape: its parameters are columns."""
    first = priors[0]
    if first.family in NUMBER_FAMILIES:
        table = np.array([[value for _, value in prior.parameters] for prior in priors])
        columns = {name: table[:, [place]] for place, (name, _) in enumerate(first.parameters)}
        return Law(FAMILIES[first.family], columns)
    if first.family not in WRAPPERS:
        return first.law
    values = zip(*([value for _, value in prior.parameters] for prior in priors), strict=True)
    names = (name for name, _ in first.parameters)
    return Law(FAMILIES[first.family], {n: _stacked(v) for n, v in zip(names, values, strict=True)})


def _stacked(values: Sequence[Any]) -> Any:
    if isinstance(values[0], Prior):
        return _stack(values)
    if isinstance(values[0], tuple):
        return tuple(_stacked(inner) for inner in zip(*values, strict=True))
    return np.array(values, dtype=float)[:, None]
