"""A fit: an xarray DataTree with one layout, a stamp that says where it came from, and a file on disk.

Every engine returns the same groups, so that every check, table and figure works on every fit:

========================  ==============================================================
posterior                 mu, tau, theta (study), theta_new
sample_stats              of NUTS, under PyMC's names, whichever sampler ran
prior, prior_predictive   draws before the data
posterior_predictive      replicates of what was observed, of the same shape and type
log_likelihood            one variable; studies with latent counts are one observation
log_prior                 of mu and tau only: power-scaling a hierarchy scales these
observed_data             what was observed: only studies whose counts are printed
constant_data             n or exposure, and the count tables with their weights
unprinted                 where counts are latent: the table of each draw, and their replicates
unprinted_prior           their replicates before the data
quadrature                of the exact engine: densities on panels, moments, marginal likelihood
========================  ==============================================================

ArviZ compares groups by the names and shapes of their variables. What was not observed therefore has groups
of its own: its functions would hold the printed counts of some studies against the replicates of all.
`arranged` gives a fit this layout, also one that was written when it had another.
"""

import hashlib
import json
from collections.abc import Hashable, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.evidence import View
from kyphobayes.files import write
from kyphobayes.model import Model
from kyphobayes.names import AGGREGATE, EVENTS, PROB, STUDY, TABLE, THETA
from kyphobayes.priors import Priors
from kyphobayes.versions import versions

UNPRINTED, UNPRINTED_PRIOR = "unprinted", "unprinted_prior"
OBSERVATION = "observation"
_SEALED = 72  # bytes of the checksum behind a fit


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

    Behind the NetCDF stands a checksum of it, which other readers do not see: HDF5 has none, gives other
    numbers for bytes that have changed, and may crash on others.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    content = bytes(tree.to_netcdf(engine="h5netcdf"))  # in memory: HDF5 does not survive a full disk
    write(path, content + _seal(content))


def _seal(content: bytes) -> bytes:
    return b"\nsha256 " + hashlib.sha256(content).hexdigest().encode()


def arranged(tree: xr.DataTree) -> xr.DataTree:
    """Fit with the groups that ArviZ's functions read without preparation; one that has them stays as it is.

    Parameters
    ----------
    tree : DataTree
        Whose `observed_data` may be NaN where counts are latent, or hold their tables; whose posterior may
        have the table of each draw; whose log likelihood may have several variables.

    Returns
    -------
    DataTree
        With the same root attributes.
    """
    groups = {name: tree[name].dataset.copy() for name in tree.children}
    for drawn, apart in (("posterior_predictive", UNPRINTED), ("prior_predictive", UNPRINTED_PRIOR)):
        if drawn in groups and "observed_data" in groups:
            groups[drawn], latent = _divided(groups[drawn], groups["observed_data"])
            groups |= {apart: latent} if latent else {}
    if TABLE in groups["posterior"].data_vars:
        table = groups["posterior"][[TABLE]].drop_vars(STUDY, errors="ignore")
        groups[UNPRINTED] = groups.get(UNPRINTED, xr.Dataset()).assign(table.data_vars)
        groups["posterior"] = groups["posterior"].drop_vars(TABLE)
    if "observed_data" in groups:
        groups["observed_data"] = _observed(groups["observed_data"], groups.get("posterior_predictive"))
    if "log_likelihood" in groups:
        groups["log_likelihood"] = _one_likelihood(groups["log_likelihood"], groups.get("observed_data"))
    done = xr.DataTree.from_dict({f"/{name}": dataset for name, dataset in groups.items()})
    done.attrs.update(tree.attrs)
    return done


def _divided(drawn: xr.Dataset, observed: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Replicates of what was observed, and of counts that are latent."""
    kept, apart = {}, {}
    for name, values in drawn.data_vars.items():
        if table := _tables(values):  # of possible tables; every row is the same replicate
            apart[name] = values.isel(dict.fromkeys(table, 0), drop=True)
        elif name in observed and (latent := _latent(observed[name])).any():
            apart[name] = values.isel({STUDY: np.flatnonzero(latent)})
            if not latent.all():
                kept[name] = values.isel({STUDY: np.flatnonzero(~latent)})
        else:
            kept[name] = values
    return xr.Dataset(kept), xr.Dataset(apart)


def _tables(values: xr.DataArray) -> list[Hashable]:
    """Dimensions over possible tables of latent counts."""
    return [dim for dim in values.dims if str(dim).startswith(TABLE)]


def _latent(observed: xr.DataArray) -> np.ndarray:
    """Which values of a variable over studies are not known."""
    over_studies = observed.dims == (STUDY,) and observed.dtype.kind == "f"
    return np.isnan(observed.values) if over_studies else np.zeros(1, dtype=bool)


def _observed(observed: xr.Dataset, replicated: xr.Dataset | None) -> xr.Dataset:
    """What was observed, of the type that its replicates have."""
    kept = {}
    for name, values in observed.data_vars.items():
        if _tables(values):
            continue
        if (latent := _latent(values)).any():
            values = values.isel({STUDY: np.flatnonzero(~latent)})
        if not values.size:
            continue
        if replicated is not None and name in replicated and replicated[name].dtype.kind in "iu":
            values = values.astype(replicated[name].dtype)
        kept[name] = values
    return xr.Dataset(kept)


def _one_likelihood(likelihood: xr.Dataset, observed: xr.Dataset | None) -> xr.Dataset:
    """Log likelihood in one variable, by study where every observation is one."""
    if len(likelihood.data_vars) != 1:
        return _joined(likelihood)
    if OBSERVATION in likelihood.dims and observed is not None and STUDY in observed.dims:
        same = [str(label) for label in likelihood[OBSERVATION].values] == list(
            map(str, observed[STUDY].values)
        )
        return likelihood.rename({OBSERVATION: STUDY}) if same else likelihood
    return likelihood


def _joined(likelihood: xr.Dataset) -> xr.Dataset:
    """Log likelihoods of several observed variables, one observation after the other."""
    parts, names = [], []
    for name, values in likelihood.data_vars.items():
        inner = [dim for dim in values.dims if dim not in ("chain", "draw")]
        flat = values.transpose("chain", "draw", *inner).values
        parts.append(flat.reshape(*flat.shape[:2], -1))
        places = np.ndindex(flat.shape[2:])
        at = [[str(values[dim].values[i]) for dim, i in zip(inner, place, strict=True)] for place in places]
        names += [f"{name}[{', '.join(place)}]" if place else str(name) for place in at]
    coords = {"chain": likelihood["chain"], "draw": likelihood["draw"], OBSERVATION: names}
    return xr.Dataset({"observed": (("chain", "draw", OBSERVATION), np.concatenate(parts, axis=-1))}, coords)


def replicates(tree: xr.DataTree, name: str, group: str = "posterior_predictive") -> xr.DataArray:
    """Replicated data of all studies, in the posterior's order; those of latent counts among them.

    Parameters
    ----------
    tree : DataTree
    name : str
        Of the observed variable.
    group : {"posterior_predictive", "prior_predictive"}

    Returns
    -------
    DataArray
        Dims chain, draw, study.
    """
    apart = UNPRINTED if group == "posterior_predictive" else UNPRINTED_PRIOR
    parts = [
        tree[each].dataset[name] for each in (group, apart) if each in tree.children if name in tree[each]
    ]
    joined = parts[0] if len(parts) == 1 else xr.concat(parts, STUDY, coords="minimal", join="exact")
    return joined.sel({STUDY: tree["posterior"].dataset[STUDY].values})


def observed(tree: xr.DataTree) -> xr.Dataset:
    """What was observed of all studies, in the posterior's order; NaN where a count is latent."""
    found, studies = tree["observed_data"].dataset, tree["posterior"].dataset[STUDY].values
    if UNPRINTED in tree.children and EVENTS not in found:  # no count is printed
        return xr.Dataset({EVENTS: (STUDY, np.full(len(studies), np.nan))}, {STUDY: studies})
    return found.reindex({STUDY: studies})


def load(path: Path, digest: str | None = None) -> xr.DataTree | None:
    """Read a fit into memory; None if `save` did not write it so, or it is not the one asked for."""
    try:
        written = path.read_bytes()
    except OSError:
        return None
    content = written[:-_SEALED]
    if written[-_SEALED:] != _seal(content):
        return None
    try:
        with xr.open_datatree(BytesIO(content), engine="h5netcdf") as tree:
            loaded = tree.load()
        return arranged(loaded) if digest is None or loaded.attrs.get("digest") == digest else None
    except Exception:  # whole, and yet no fit: xarray and HDF5 say so by errors of any kind
        return None


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
    if UNPRINTED not in tree.children:
        return None
    tables = tree["constant_data"].dataset[TABLE].values
    counts = np.bincount(tree[UNPRINTED].dataset[TABLE].values.ravel().astype(int), minlength=len(tables))
    return pd.Series(counts / counts.sum(), index=pd.Index(tables, name=TABLE))
