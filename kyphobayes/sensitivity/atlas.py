"""The answer under every pair of priors, and how far each is from the reference."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact import Surface
from kyphobayes.names import AGGREGATE, MU, PROB, TAU
from kyphobayes.priors import Prior
from kyphobayes.sensitivity.distance import distances
from kyphobayes.sensitivity.pairs import parts

_RTOL = 1e-6


def atlas(
    surface: Surface,
    pairs: Mapping[str, tuple[str | Prior, str | Prior]],
    *,
    reference: str,
    below: float,
    of: str = MU,
    prob: float = PROB,
) -> xr.Dataset:
    """Posteriors under many pairs of priors, with their distance from a reference.

    Parameters
    ----------
    surface : Surface
    pairs : mapping of name to (mu, tau)
        Names such as ``sceptical × vague`` say which prior for mu and which for tau it is.
    reference : str
        Name of the pair that the others are held against.
    below : float
        The decision: that `of` lies below this.
    of : {"mu", "tau", "theta_new"}
    prob : float
        Of the central intervals.

    Returns
    -------
    Dataset
        What `surface.sweep` returns, over `prior`, with `mu_prior`, `tau_prior` (names) and `mu_text`,
        `tau_text` (densities) as coordinates; `hellinger` over `prior` and `quantity`; and over `prior`
        `log_bayes_factor` to the reference, NaN where either has an improper prior. The attribute
        `refused` names pairs under which the posterior is not proper; they are left out.

    Raises
    ------
    InputError, PriorError
    ImproperPosterior
        If the posterior under the reference is not proper.
    """
    if reference not in pairs:
        raise InputError(
            f"reference: expected the name of a pair, such as {next(iter(pairs), '…')!r}, found {reference!r}"
        )
    read = {name: surface.priors(mu, tau) for name, (mu, tau) in pairs.items()}
    base = surface.posterior(read[reference][MU], read[reference][TAU], rtol=_RTOL)
    solved, refused = {}, []
    for name, priors in read.items():
        try:
            solved[name] = surface.posterior(priors[MU], priors[TAU], rtol=_RTOL)
        except ImproperPosterior:
            refused.append(name)
    kept = {name: (read[name][MU], read[name][TAU]) for name in solved}
    found = surface.sweep(kept, below=below, of=of, prob=prob)
    names = [parts(name, pair) for name, pair in kept.items()]
    found = found.assign_coords(
        mu_prior=("prior", [mu for mu, _ in names]),
        tau_prior=("prior", [tau for _, tau in names]),
        mu_text=("prior", [str(mu) for mu, _ in kept.values()]),
        tau_text=("prior", [str(tau) for _, tau in kept.values()]),
    )
    found["hellinger"] = (("prior", "quantity"), distances(list(solved.values()), base))
    log_marginal = found["log_marginal_likelihood"]
    proper = [all(prior.proper for prior in pair) for pair in kept.values()]
    comparable = np.array(proper) & all(prior.proper for prior in read[reference].values())
    factors = log_marginal - float(log_marginal.sel(prior=reference))
    found["log_bayes_factor"] = ("prior", np.where(comparable, factors.values, np.nan))
    return found.assign_attrs(reference=reference, below=below, of=of, prob=prob, refused=refused)


def grid(atlas: xr.Dataset, values: xr.DataArray) -> pd.DataFrame:
    """One number per pair as a table: priors for mu down, priors for tau across, NaN where there is none."""
    frame = pd.DataFrame(
        {"mu": atlas["mu_prior"].values, "tau": atlas["tau_prior"].values, "value": values.values}
    )
    rows, columns = (list(dict.fromkeys(frame[name])) for name in ("mu", "tau"))
    table = frame.drop_duplicates(["mu", "tau"]).pivot(index="mu", columns="tau", values="value")
    return table.reindex(index=rows, columns=columns)


def to_frame(atlas: xr.Dataset) -> pd.DataFrame:
    """The atlas as a table: one row per pair of priors, one column per number."""
    frame = pd.DataFrame(
        {name: atlas[name].values for name in ("mu_prior", "tau_prior", "mu_text", "tau_text")},
        index=pd.Index(atlas["prior"].values, name="prior"),
    )
    frame["probability"] = atlas["probability"].values
    for name in AGGREGATE:
        for statistic in ("median", "low", "high", "mean", "sd"):
            frame[f"{name}_{statistic}"] = atlas[statistic].sel(quantity=name).values
    for name in AGGREGATE:
        frame[f"hellinger_{name}"] = atlas["hellinger"].sel(quantity=name).values
    for name in ("log_marginal_likelihood", "log_bayes_factor"):
        frame[name] = atlas[name].values
    return frame
