"""One surface under many priors: every answer for every pair of priors for mu and tau."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from kyphobayes.errors import InputError
from kyphobayes.exact.batch import below as chance
from kyphobayes.exact.batch import moments, place, quantiles, solve
from kyphobayes.exact.batch_predictive import Predictive
from kyphobayes.exact.panels import Array
from kyphobayes.exact.posterior import quantiles_of
from kyphobayes.names import AGGREGATE, MU, PROB, TAU
from kyphobayes.priors import Prior

if TYPE_CHECKING:
    from kyphobayes.exact.surface import Surface

Pair = tuple[str | Prior, str | Prior]
STATISTICS = ("mean", "sd", "median", "low", "high")
FEW = 8  # pairs up to which each is solved by itself
CHUNK = 10_000  # pairs at a time
TOLERANCE = 1e-7  # error of probabilities above which a pair is solved by itself


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
    names, pairs = _pairs(surface, priors)
    if of not in AGGREGATE:
        raise InputError(f"of: expected one of {', '.join(AGGREGATE)}, found {of!r}")
    q = quantiles_of(prob)
    tables, log_marginal, chances = _together(surface, pairs, q, below, of)
    for i in np.flatnonzero(~np.isfinite(log_marginal)):  # what the common grid does not resolve
        post = surface.posterior(*pairs[i])
        tables[i] = post.summary(prob).loc[list(AGGREGATE)]
        log_marginal[i] = post.log_marginal_likelihood
        chances[i] = np.nan if below is None else float(post.cdf(of, below))
    found = xr.Dataset(
        {name: (("prior", "quantity"), tables[..., i]) for i, name in enumerate(STATISTICS)},
        {"prior": names, "quantity": list(AGGREGATE)},
    )
    found["log_marginal_likelihood"] = ("prior", log_marginal)
    if below is not None:
        found["probability"] = ("prior", chances)
    return found


def _together(
    surface: Surface, pairs: list[tuple[Prior, Prior]], q: Array, below: float | None, of: str
) -> tuple[Array, Array, Array]:
    """Tables (priors, quantities, statistics), log marginal likelihoods and probabilities.

    Where the common grid and bases do not resolve a posterior, its log marginal likelihood is NaN.
    """
    tables = np.full((len(pairs), len(AGGREGATE), len(STATISTICS)), np.nan)
    log_marginal, chances = np.full((2, len(pairs)), np.nan)
    if len(pairs) < FEW or not surface.studies.kernel.normal:
        return tables, log_marginal, chances
    grid = place(surface, pairs)
    for start in range(0, len(pairs), CHUNK):
        batch = solve(grid, pairs[start : start + CHUNK])
        good = np.flatnonzero(batch.error + sum(batch.outside().values()) < TOLERANCE)
        if not good.size:
            continue
        new = Predictive(batch.take(good))
        kept = new.error <= min(TOLERANCE, q.min() / 10)
        if not kept.any():
            continue
        new.keep(kept)
        good = good[kept]
        batch, rows = batch.take(good), start + good
        marginals = {MU: (grid.mu, batch.mu), TAU: (grid.tau, batch.tau)}
        for i, name in enumerate(AGGREGATE):
            if name in marginals:
                mean, variance = moments(*marginals[name])
                columns = [mean, np.sqrt(np.maximum(variance, 0.0)), *quantiles(*marginals[name], q)]
            else:
                columns = [new.mean, new.sd, *new.quantiles(q)]
            tables[rows, i] = np.transpose(columns)
        if below is not None:
            everyone = np.arange(good.size)
            known = of in marginals
            chances[rows] = (
                chance(*marginals[of], below) if known else new.cdf(np.array([below]), everyone)[0]
            )
        log_marginal[rows] = batch.log_marginal_likelihood
    return tables, log_marginal, chances


def _pairs(
    surface: Surface, priors: Sequence[Pair] | Mapping[str, Pair]
) -> tuple[list, list[tuple[Prior, Prior]]]:
    if isinstance(priors, Mapping):
        names, given = list(priors), list(priors.values())
    else:
        names, given = list(range(len(priors))), list(priors)
    if not given:
        raise InputError("priors: expected at least one pair of priors for mu and tau, found none")
    read = [surface.priors(mu, tau) for mu, tau in given]
    return names, [(each[MU], each[TAU]) for each in read]
