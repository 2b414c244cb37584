"""One surface under many priors: every answer for every pair of priors for mu and tau."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from kyphobayes.errors import InputError
from kyphobayes.names import AGGREGATE, MU, PROB, TAU
from kyphobayes.priors import Prior, Priors

if TYPE_CHECKING:
    from kyphobayes.exact.surface import Surface

Pair = tuple[str | Prior, str | Prior]
STATISTICS = ("mean", "sd", "median", "low", "high")


def sweep(
    surface: Surface,
    priors: Sequence[Pair] | Mapping[str, Pair],
    *,
    below: float | None = None,
    of: str = MU,
    prob: float = PROB,
) -> xr.Dataset:
    """Posterior summaries under many priors.

    Parameters
    ----------
    surface : Surface
    priors : sequence of (mu, tau), or mapping of name to (mu, tau)
        Each prior as text or as a `Prior`.
    below : float, optional
        The decision: that `of` lies below this.
    of : {"mu", "tau", "theta_new"}
    prob : float
        Of the central intervals.

    Returns
    -------
    Dataset
        Over `prior` (names, or numbers from 0) and `quantity` (mu, tau, theta_new): mean, sd, median,
        low, high; over `prior`: log_marginal_likelihood and, if a decision is given, probability.

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """
    names, pairs = _pairs(priors)
    if of not in AGGREGATE:
        raise InputError(f"of: expected one of {', '.join(AGGREGATE)}, found {of!r}")
    posteriors = [surface.posterior(mu, tau) for mu, tau in pairs]
    tables = np.stack([post.summary(prob).loc[list(AGGREGATE)].to_numpy(dtype=float) for post in posteriors])
    found = xr.Dataset(
        {name: (("prior", "quantity"), tables[..., i]) for i, name in enumerate(STATISTICS)},
        {"prior": names, "quantity": list(AGGREGATE)},
    )
    found["log_marginal_likelihood"] = ("prior", [post.log_marginal_likelihood for post in posteriors])
    if below is not None:
        found["probability"] = ("prior", [float(post.cdf(of, below)) for post in posteriors])
    return found


def _pairs(priors: Sequence[Pair] | Mapping[str, Pair]) -> tuple[list, list[tuple[Prior, Prior]]]:
    if isinstance(priors, Mapping):
        names, given = list(priors), list(priors.values())
    else:
        names, given = list(range(len(priors))), list(priors)
    if not given:
        raise InputError("priors: expected at least one pair of priors for mu and tau, found none")
    read = [Priors.of("custom", mu=mu, tau=tau) for mu, tau in given]
    return names, [(each[MU], each[TAU]) for each in read]
