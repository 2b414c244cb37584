"""What a declared model says before the data: parameters, and data that come from them."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
from numpy.typing import NDArray
from pymc.pytensorf import find_rng_nodes, reseed_rngs
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import graph_inputs
from pytensor.tensor.variable import TensorConstant

from kyphobayes.engines.graph import PYTHON

World = Mapping[str, NDArray[Any]]

LOG_LIKELIHOOD = "log_likelihood"


class Forward:
    """Draws worlds of a model: values of all it declares, the data among them.

    Parameters
    ----------
    declared : Model

    Attributes
    ----------
    parameters, data : tuple of str
        Names of what is not observed, and of what is.
    """

    def __init__(self, declared: pm.Model):
        self._free: list[Any] = list(declared.free_RVs)
        self._seen: list[Any] = list(declared.observed_RVs)
        hidden = [*self._free, *declared.deterministics]
        self.parameters = tuple(str(each.name) for each in hidden)
        self.data = tuple(str(each.name) for each in self._seen)
        self._sources = find_rng_nodes([*hidden, *self._seen])
        self._draw: Any = pm.compile([], [*hidden, *self._seen], mode=PYTHON)

    def log_likelihood(self, values: Mapping[str, NDArray[Any]]) -> float:
        """Log likelihood of all data in this form of the model, a quantity that is ranked like a parameter.

        It depends on the data and on all that the data depend on, so that its ranks show faults that leave
        those of every single parameter uniform (Modrák et al. 2023, section 3). Another form may divide the
        same joint density otherwise between data and parameters: truth and draws are both to be given to one.

        Parameters
        ----------
        values : mapping of str to ndarray
            Of the free and the observed variables.
        """
        names = (*self.parameters[: len(self._free)], *self.data)
        return float(self._log_likelihood(*(values[name] for name in names)))

    @cached_property
    def _log_likelihood(self) -> Any:
        total: Any = pm.math.sum(pm.math.stack([pm.math.sum(pm.logp(seen, seen)) for seen in self._seen]))
        inputs: Any = {each: each.type() for each in [*self._free, *self._seen]}
        # Compiling locks the values of constants, and scipy's beta-binomial draws from open ones only.
        own: Any = {
            each: deepcopy(each) for each in graph_inputs([total]) if isinstance(each, TensorConstant)
        }
        graph: Any = clone_replace(total, replace=inputs | own)
        return pm.compile(list(inputs.values()), graph, mode=PYTHON, on_unused_input="ignore")

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
        except ValueError as problem:
            if "lam value too large" in str(problem):  # numpy's Poisson refuses means beyond 9e18
                return None
            raise
        world = dict(zip((*self.parameters, *self.data), values, strict=True))
        counts = [world[name] for name in self.data if world[name].dtype.kind in "iu"]
        return None if any(np.abs(count).max(initial=0) > _MOST for count in counts) else world


_MOST = 2**53
