"""A fit: an xarray DataTree with one layout, a stamp that says where it came from, and a file on disk.

Every engine returns the same groups, so that every check, table and figure works on every fit:

========================  ==============================================================
posterior                 mu, tau, theta (study), theta_new; table where counts are latent
sample_stats              of NUTS, under PyMC's names, whichever sampler ran
prior, prior_predictive   draws before the data
posterior_predictive      replicated data, by study
log_likelihood            by observation; studies with latent counts are one observation
log_prior                 of mu and tau only: power-scaling a hierarchy scales these
observed_data             NaN where a count is latent
constant_data             n or exposure, and the count tables with their weights
quadrature                of the exact engine: densities on panels, moments, marginal likelihood
========================  ==============================================================
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import kyphobayes
from kyphobayes.evidence import View
from kyphobayes.files import write
from kyphobayes.model import Model
from kyphobayes.names import AGGREGATE, PROB, STUDY, TABLE, THETA
from kyphobayes.priors import Priors

_PACKAGES = ("pymc", "arviz", "nutpie", "pytensor", "numpy", "scipy", "xarray", "pandas")


def versions() -> dict[str, str]:
    """Versions of what a fit depends on."""
    found = {"kyphobayes": kyphobayes.__version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def stamp(
    model: Model, evidence: View, priors: Priors, engine: str, seed: int, settings: Mapping
) -> dict[str, str]:
    """Attributes of a fit's root: everything that decides its content, and a digest of it."""
    content = {
        "model": model.name,
        "formula": model.formula,
        "model_digest": model.digest,
        "evidence_digest": evidence.digest,
        "measure": evidence.measure,
        "priors": json.dumps(priors.texts()),
        "engine": engine,
        "seed": str(seed),
        "settings": json.dumps(dict(settings), sort_keys=True),
        "versions": json.dumps(versions()),
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return {**content, "prior_set": priors.label, "digest": digest}


def save(tree: xr.DataTree, path: Path) -> None:
    """Write a fit as NetCDF: complete under its name, or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    write(path, bytes(tree.to_netcdf(engine="h5netcdf")))  # in memory: HDF5 does not survive a full disk


def load(path: Path, digest: str | None = None) -> xr.DataTree | None:
    """Read a fit into memory; None if there is none, it cannot be read, or it is not the one asked for."""
    if not path.is_file():
        return None
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            loaded = tree.load()
    except Exception:  # HDF5 answers a damaged file with errors of any kind; all mean: fit again
        return None
    return loaded if digest is None or loaded.attrs.get("digest") == digest else None


def summary(tree: xr.DataTree, prob: float = PROB) -> pd.DataFrame:
    """Posterior mean, sd, median and central interval, with Monte Carlo error and convergence.

    Returns
    -------
    DataFrame
        One row per quantity (mu, tau, theta_new, then each study's theta) with columns
        mean, sd, median, low, high, mcse_mean, ess_bulk, ess_tail, r_hat. The last four are about the
        draws; for the exact engine the first five come from quadrature, not from draws.
    """
    import arviz as az

    posterior = tree["posterior"].dataset[[*AGGREGATE, THETA]]
    tail = (1 - prob) / 2
    table = pd.DataFrame(
        {
            "mean": by_quantity(posterior.mean(["chain", "draw"])),
            "sd": by_quantity(posterior.std(["chain", "draw"], ddof=1)),
            "median": by_quantity(posterior.median(["chain", "draw"])),
            "low": by_quantity(posterior.quantile(tail, ["chain", "draw"])),
            "high": by_quantity(posterior.quantile(1 - tail, ["chain", "draw"])),
            "mcse_mean": by_quantity(az.mcse(posterior, method="mean")),
            "ess_bulk": by_quantity(az.ess(posterior, method="bulk")),
            "ess_tail": by_quantity(az.ess(posterior, method="tail")),
            "r_hat": by_quantity(az.rhat(posterior)),
        }
    )
    if "quadrature" in tree.children and np.isclose(prob, PROB):
        exact = tree["quadrature"].dataset["summary"].to_series().unstack("statistic")
        table.update(exact)
    return table


def row_names(labels: list[str]) -> list[str]:
    """Names of the rows of a summary: mu, tau, theta_new and theta of each study."""
    return [*AGGREGATE, *(f"{THETA}[{label}]" for label in labels)]


def by_quantity(dataset: xr.Dataset) -> pd.Series:
    """One value for mu, tau, theta_new and each study's theta, under the names of a summary's rows."""
    labels = [str(label) for label in dataset[STUDY].values]
    values = [*(float(dataset[name]) for name in AGGREGATE), *dataset[THETA].values.tolist()]
    return pd.Series(values, index=row_names(labels))


def latent_table_probabilities(tree: xr.DataTree) -> pd.Series | None:
    """Posterior probability of each count table, from the draws; None where nothing is latent."""
    posterior = tree["posterior"].dataset
    if TABLE not in posterior:
        return None
    tables = tree["constant_data"].dataset[TABLE].values
    counts = np.bincount(posterior[TABLE].values.ravel().astype(int), minlength=len(tables))
    return pd.Series(counts / counts.sum(), index=pd.Index(tables, name=TABLE))
