"""What a prior says before any data, in the units people count in."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import xarray as xr
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.panels import Array
from kyphobayes.names import MU, PLO, PROB, TAU
from kyphobayes.natural_scale import NaturalScale, natural_scale
from kyphobayes.priors import Prior, Priors

PROPORTIONS = natural_scale(PLO)
CENTRES = ("typical", "next")
_LEVELS = 64  # twice the number of quantiles that stand for the prior of tau
_FINE = 512  # quantiles of mu, between which its distribution function is interpolated


def prior_predictive(
    pairs: Mapping[str, tuple[str | Prior, str | Prior]],
    *,
    scale: NaturalScale = PROPORTIONS,
    size: int = 100,
    prob: float = PROB,
) -> xr.Dataset:
    """Events per `size` in a typical and in the next centre, under each pair of priors.

    Parameters
    ----------
    pairs : mapping of name to (mu, tau)
    scale : NaturalScale
        Log odds of proportions are shown as events per `size`, everything else as people read it.
    size : int
    prob : float
        Of the central intervals.

    Returns
    -------
    Dataset
        Over `prior`, `centre` (typical, next) and `statistic` (median, low, high): `expected`. For
        proportions also over `prior`, `centre` and `events` (0 to `size`): `probability` of
        so many events in the next `size`. Improper priors have NaN.

    Raises
    ------
    InputError, PriorError
    """
    if not pairs:
        raise InputError("pairs: expected at least one pair of priors for mu and tau, found none")
    if size < 1 or not 0 < prob < 1:
        raise InputError(f"expected a size of at least 1 and a prob between 0 and 1, found {size}, {prob:g}")
    q = np.array([0.5, (1 - prob) / 2, (1 + prob) / 2])
    proportions = scale.measure == PLO
    times = size if proportions else 1
    expected = np.full((len(pairs), 2, 3), np.nan)
    counts = np.full((len(pairs), 2, size + 1), np.nan)
    for row, (mu, tau) in enumerate(pairs.values()):
        priors = Priors.of("custom", mu=mu, tau=tau)
        if not (priors[MU].proper and priors[TAU].proper):
            continue
        for column, (places, cumulative) in enumerate(_effects(priors)):
            expected[row, column] = times * scale.natural(np.interp(q, cumulative, places))
            if proportions:
                counts[row, column] = _counts(places, cumulative, size)
    dims = ("prior", "centre")
    found = xr.Dataset(
        {"expected": ((*dims, "statistic"), expected)},
        {"prior": list(pairs), "centre": list(CENTRES), "statistic": ["median", "low", "high"]},
        {"size": size, "measure": scale.measure},
    )
    return found.assign(probability=((*dims, "events"), counts)) if proportions else found


def _effects(priors: Priors) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Places and distribution function of mu, and of theta_new."""
    level, _ = _levels(_FINE)
    fine = priors[MU].quantile(level)
    t_level, t_weight = _levels(_LEVELS // 2)
    z, z_weight = (np.asarray(x, dtype=float) for x in np.polynomial.hermite_e.hermegauss(_LEVELS // 2 + 1))
    shifts = (priors[TAU].quantile(t_level)[:, None] * z).ravel()
    weights = (t_weight[:, None] * z_weight).ravel() / z_weight.sum()
    # Places are those of a coarse sample, so that they are dense where theta_new is.
    coarse = np.sort((fine[:: _FINE // _LEVELS, None] + shifts).ravel())
    places = np.unique(coarse[:: max(1, coarse.size // _FINE)])
    cumulative = np.zeros(len(places))
    for shift, weight in zip(shifts, weights, strict=True):
        cumulative += weight * np.interp(places - shift, fine, level, left=0.0, right=1.0)
    return (fine, level), (places, np.maximum.accumulate(cumulative))


@cache
def _levels(number: int) -> tuple[Array, Array]:
    """Probabilities with weights: Gauss and Legendre's rule on [0, 1]."""
    nodes, weights = (np.asarray(x, dtype=float) for x in np.polynomial.legendre.leggauss(number))
    return (nodes + 1) / 2, weights / 2


def _counts(theta: Array, cumulative: Array, size: int) -> Array:
    """Distribution of a binomial count whose log odds have a distribution function."""
    events = np.arange(size + 1)[:, None]
    shares = np.diff(cumulative, prepend=0.0, append=1.0)
    middle = np.concatenate([theta[:1], (theta[1:] + theta[:-1]) / 2, theta[-1:]])
    log_choose = -special.betaln(size - events + 1, events + 1) - np.log(size + 1)
    return np.exp(log_choose + events * middle - size * np.logaddexp(0.0, middle)) @ shares
