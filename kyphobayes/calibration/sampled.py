"""NUTS on many sets of data of one model: compiled once, then given one set after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import xarray as xr
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import shared as shared_variable

from kyphobayes.engines.nuts import SETTINGS, through_the_gate, tidied
from kyphobayes.evidence import View
from kyphobayes.model import Model
from kyphobayes.priors import Priors

_DATA = "data of {}"


class Sampler:
    """The NUTS engine for data that change while the model stays.

    It is the engine of `kyphobayes.engines.fit_nuts`: same forms of the model, same settings, same ladder
    and the same gate. Only the data are shared variables here, so that one compilation serves all.

    Parameters
    ----------
    model : Model
    evidence : View
        Whose data are replaced; what the model takes as given stays.
    priors : Priors
    """

    def __init__(self, model: Model, evidence: View, priors: Priors):
        self._model, self._evidence, self._priors = model, evidence, priors
        self._compiled: dict[bool, Any] = {}

    def draws(self, data: Mapping[str, NDArray[Any]], seed: int, keep: Sequence[str]) -> xr.Dataset:
        """Posterior draws that passed the gate, dims chain and draw.

        Parameters
        ----------
        data : mapping of str to ndarray
            By name of the observed variable.
        seed : int
        keep : sequence of str

        Raises
        ------
        NotConverged
        """
        given = {_DATA.format(name): values for name, values in data.items()}

        def draw(rung: dict[str, Any]) -> xr.DataTree:
            compiled = self._in_form(rung["centred"]).with_data(**given)
            tree = nutpie.sample(
                compiled, draws=SETTINGS["draws"], tune=rung["tune"], chains=SETTINGS["chains"], cores=1,
                target_accept=rung["target_accept"], seed=seed, progress_bar=False, save_warmup=False,
            )  # fmt: skip
            return tidied(tree, keep)

        tree, _ = through_the_gate(self._model, draw, "")
        return tree["posterior"].dataset

    def _in_form(self, centred: bool) -> Any:
        if centred not in self._compiled:
            declared = self._model.build(self._evidence, self._priors, centred=centred)
            open_to_data(declared)
            self._compiled[centred] = nutpie.compile_pymc_model(declared, backend=SETTINGS["backend"])
        return self._compiled[centred]


def open_to_data(declared: pm.Model) -> None:
    """Make shared variables of a model's data, named after what they are the data of."""
    variable: Any
    for variable in declared.observed_RVs:
        fixed: Any = declared.rvs_to_values[variable]
        name = _DATA.format(variable.name)
        value = np.asarray(fixed.data)
        shared: Any = shared_variable(value, name=name, shape=fixed.type.shape)
        declared.rvs_to_values[variable] = shared
        del declared.values_to_rvs[fixed]
        declared.values_to_rvs[shared] = variable
