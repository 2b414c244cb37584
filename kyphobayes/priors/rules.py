"""What no prior may be: parameters outside their range, nothing left between bounds, a mixture of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kyphobayes.errors import PriorError
from kyphobayes.families import FAMILIES, WRAPPERS
from kyphobayes.families.wrappers import mass_between

if TYPE_CHECKING:
    from kyphobayes.priors.prior import Prior

_WEIGHTS_OFF = 1e-6  # by which the weights of a mixture may miss one
_DEEPEST = 3  # priors inside one another: each level asks the next several times


def check(prior: Prior) -> None:
    """Refuse parameters outside their range.

    Raises
    ------
    PriorError
    """
    family = FAMILIES[prior.family]
    values = dict(prior.parameters)
    for name in family.positive:
        if not values[name] > 0:
            raise PriorError(f"{prior}: {name} must be greater than 0, found {values[name]:g}")
    for name in family.unit:
        if not 0 < values[name] < 1:
            raise PriorError(f"{prior}: {name} must lie between 0 and 1, found {values[name]:g}")
    if family.ordered:
        lower, upper = (values[name] for name in family.ordered)
        if not lower < upper:
            raise PriorError(f"{prior}: {family.ordered[0]} must lie below {family.ordered[1]}")
    if prior.family in WRAPPERS:
        if _depth(prior) > _DEEPEST:
            raise PriorError(f"{prior}: expected at most {_DEEPEST} priors inside one another, found more")
        _check_inside(prior, values)


def _depth(prior: Prior) -> int:
    """How many wrappers lie inside one another."""
    return 0 if prior.family not in WRAPPERS else 1 + max(map(_depth, prior.inside), default=0)


def _check_inside(prior: Prior, values: dict[str, Any]) -> None:
    if prior.family == "Tau2":
        dist: Prior = values["dist"]
        if FAMILIES[dist.family].from_studies:
            raise PriorError(f"{prior}: {dist} is a prior of tau itself, not of its square")
        if dist.support[0] < 0:
            raise PriorError(
                f"{prior}: {dist} allows negative values, but a square has none; "
                f"use a Half… family or Truncated({dist}, lower=0)"
            )
    elif prior.family == "Truncated":
        dist = values["dist"]
        if values["lower"] == -np.inf and values["upper"] == np.inf:
            raise PriorError(f"{prior}: Truncated also needs lower or upper")
        if not dist.proper:
            raise PriorError(
                f"{prior}: {dist} is improper; a flat prior between bounds is Uniform(lower, upper)"
            )
        low, high = prior.support
        if not low < high or not (
            prior.unbound or mass_between(dist.law, values["lower"], values["upper"]) > 0
        ):
            raise PriorError(f"{prior}: {dist} has no mass between these bounds")
    elif prior.family == "Mixture":
        weights, components = values["weights"], values["components"]
        if min(weights) <= 0 or abs(sum(weights) - 1) > _WEIGHTS_OFF:
            raise PriorError(
                f"{prior}: weights must be greater than 0 and add to 1, found {sum(weights):g} in all"
            )
        improper = [component for component in components if not component.proper]
        if improper:
            raise PriorError(f"{prior}: {improper[0]} is improper and cannot be mixed")
