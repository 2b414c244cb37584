"""What a declared model's graph says of draws: likelihoods and replicates, without compiling it.

A model of studies is small: compiling its functions takes seconds, and running them as plain Python, all
draws in one evaluation where the graph can be vectorised, takes a tenth of one.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor import function, tensor  # pyright: ignore[reportPrivateImportUsage]  # PyTensor exports both
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph

PYTHON = Mode(linker="py", optimizer="fast_compile")


def log_likelihood(declared: pm.Model, posterior: xr.Dataset) -> xr.Dataset:
    """Log likelihood of every observed value at every draw, all draws in one evaluation of the graph.

    Parameters
    ----------
    declared : Model
        In the form whose free variables the draws have.
    posterior : Dataset
        Dims chain and draw.
    """
    plain = remove_value_transforms(declared)
    stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
    # not summed, it returns a list: the stub says one variable
    terms: list[Any] = plain.logp(vars=plain.observed_RVs, sum=False, jacobian=False)  # pyright: ignore
    values: dict[str, Any] = {str(v.name): v for v in plain.value_vars}
    many = {n: tensor.tensor(n, dtype=v.dtype, shape=(None, *v.type.shape)) for n, v in values.items()}
    batched = vectorize_graph(terms, {values[n]: many[n] for n in values})
    run = function(list(many.values()), batched, mode=PYTHON, on_unused_input="ignore")
    found: Any = run(*(stacked[n].values.astype(v.dtype) for n, v in many.items()))
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    data = {}
    for variable, term in zip(plain.observed_RVs, found, strict=True):
        dims = list(plain.named_vars_to_dims.get(variable.name, ()))
        inner = term.shape[1:]  # a joint observation has one value, whatever its dims
        kept = dims[: len(inner)]
        data[str(variable.name)] = (("chain", "draw", *kept), np.reshape(term, (*shape, *inner)))
    known: Any = plain.coords
    coords = {dim: list(known[dim]) for dims, _ in data.values() for dim in dims[2:]}
    return xr.Dataset(data, {**coords, "chain": posterior["chain"], "draw": posterior["draw"]})


def replicates(declared: pm.Model, posterior: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Replicated data, one set for each draw; dims chain, draw and those of the observed variables."""
    draws = xr.DataTree.from_dict({"/posterior": posterior})
    with quiet(), declared:
        drawn = pm.sample_posterior_predictive(
            draws,
            random_seed=int(rng.integers(2**31)),
            progressbar=False,
            extend_inferencedata=False,
            compile_kwargs={"mode": PYTHON},
        )
    return drawn["posterior_predictive"].dataset


def before_data(declared: pm.Model, draws: int, rng: np.random.Generator) -> xr.DataTree:
    """Draws before the data: groups prior and prior_predictive."""
    with quiet(), declared:
        return pm.sample_prior_predictive(
            draws, random_seed=int(rng.integers(2**31)), compile_kwargs={"mode": PYTHON}
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep PyMC's notes about what it samples off the screen."""
    logger = logging.getLogger("pymc")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
