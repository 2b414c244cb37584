"""What a declared model says before the data: parameters, and data that come from them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
from numpy.typing import NDArray
from pymc.pytensorf import find_rng_nodes, reseed_rngs

from kyphobayes.engines.graph import PYTHON

World = Mapping[str, NDArray[Any]]

LOG_LIKELIHOOD = "log_likelihood"


def with_log_likelihood(declared: pm.Model) -> pm.Model:
    """Add the log likelihood of all data as a quantity that has a prior and a posterior like any other.

    It depends on the data and on all that the data depend on, so that its ranks show faults that leave
    those of every single parameter uniform (Modrák et al. 2023, section 3).
    """
    with declared:
        terms: list[Any] = [pm.math.sum(pm.logp(seen, seen)) for seen in declared.observed_RVs]
        pm.Deterministic(LOG_LIKELIHOOD, pm.math.sum(pm.math.stack(terms)))
    return declared


class Forward:
    """Draws worlds of a model: values of all it declares, the data among them.

    Parameters
    ----------
    declared : Model
        By `with_log_likelihood`.

    Attributes
    ----------
    parameters, data : tuple of str
        Names of what is not observed, and of what is.
    """

    def __init__(self, declared: pm.Model):
        hidden: list[Any] = [*declared.free_RVs, *declared.deterministics]
        seen: list[Any] = list(declared.observed_RVs)
        self.parameters = tuple(str(each.name) for each in hidden)
        self.data = tuple(str(each.name) for each in seen)
        self._sources = find_rng_nodes([*hidden, *seen])
        self._draw: Any = pm.compile([], [*hidden, *seen], mode=PYTHON)

    def world(self, *seed: int) -> World | None:
        """Draw one world; the same seed gives the same one, whatever was drawn before.

        Returns
        -------
        dict of str to ndarray, or None
            None if a count is too large to be drawn, or to be held exactly in a float: nobody observes that.
        """
        reseed_rngs(self._sources, seed)
        try:
            with np.errstate(over="ignore"):  # of exp(theta) under a vague prior: the count is refused below
                values = [np.asarray(value) for value in self._draw()]
        except ValueError:  # numpy's Poisson refuses means beyond 9e18
            return None
        world = dict(zip((*self.parameters, *self.data), values, strict=True))
        counts = [world[name] for name in self.data if world[name].dtype.kind in "iu"]
        return None if any(np.abs(count).max(initial=0) > _MOST for count in counts) else world


_MOST = 2**53
