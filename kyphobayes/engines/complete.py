"""From posterior draws to a whole fit: what the model's own graph says about them.

Whatever engine made the draws, the likelihood, the priors and the predictive distributions are
computed from the one declared PyMC model, in its centred form, which has theta itself as a variable.
"""

import numpy as np
import xarray as xr
from scipy import special

from kyphobayes.engines.graph import before_data, log_likelihood, replicates
from kyphobayes.evidence import Contrasts, Counts, Rates, Tabulated, TwoArms, View
from kyphobayes.fits import OBSERVATION, arranged
from kyphobayes.model import Model
from kyphobayes.names import (
    EVENTS,
    EVENTS_1,
    EVENTS_2,
    EVENTS_LATENT,
    GLOBALS,
    LATENT,
    REPORTED,
    STUDY,
    TABLE,
    THETA,
    THETA_NEW,
    Y,
)
from kyphobayes.priors import Priors

_PRIOR_DRAWS = 2000


def complete(posterior: xr.Dataset, model: Model, evidence: View, priors: Priors, seed: int) -> xr.DataTree:
    """Add predictive, prior, likelihood and data groups to posterior draws.

    Parameters
    ----------
    posterior : Dataset
        mu, tau, theta and theta_new with dims chain, draw (and study).
    """
    rng = np.random.default_rng([seed, 1])
    declared = model.build(evidence, priors, centred=True)
    likelihood = log_likelihood(declared, posterior)
    replicated = replicates(declared, posterior, rng)
    before = None  # an improper prior has no draws
    if all(prior.proper for prior in priors.values()):
        before = before_data(declared, _PRIOR_DRAWS, rng)
    groups = {
        "posterior": posterior,
        "log_likelihood": _by_observation(likelihood, evidence),
        "log_prior": _log_prior(posterior, priors),
    }
    if isinstance(evidence, Tabulated) and len(evidence.latent):
        groups["posterior"] = posterior.assign({TABLE: _latent_tables(posterior, evidence, rng)})
    groups["posterior_predictive"] = _replicates(replicated, evidence)
    if before is not None:
        others = [name for name in posterior if name not in (*GLOBALS, THETA, THETA_NEW)]
        groups["prior"] = before["prior"].dataset[[*GLOBALS, THETA, THETA_NEW, *others]]
        groups["prior_predictive"] = _replicates(before["prior_predictive"].dataset, evidence)
    groups |= _data(evidence)
    for dataset in groups.values():  # creation times would make equal fits differ
        dataset.attrs.clear()
    return arranged(xr.DataTree.from_dict({f"/{name}": dataset for name, dataset in groups.items()}))


def _log_prior(posterior: xr.Dataset, priors: Priors) -> xr.Dataset:
    """Log prior density of mu and tau at the draws."""
    return xr.Dataset(
        {name: (posterior[name].dims, priors[name].log_density(posterior[name].values)) for name in GLOBALS},
        {dim: posterior[dim] for dim in ("chain", "draw")},
    )


def _by_observation(likelihood: xr.Dataset, evidence: View) -> xr.Dataset:
    """Log likelihood under one name and one dimension: the studies with latent counts are one block."""
    if not isinstance(evidence, Tabulated):
        return likelihood.rename({STUDY: OBSERVATION})
    parts, names = [], []
    if EVENTS in likelihood:
        parts.append(likelihood[EVENTS].rename({REPORTED: OBSERVATION}).drop_vars(OBSERVATION))
        names += evidence.coords[REPORTED]
    if EVENTS_LATENT in likelihood:
        parts.append(likelihood[EVENTS_LATENT].expand_dims(OBSERVATION, axis=-1))
        names.append(" + ".join(evidence.coords[LATENT]))
    joined = xr.concat(parts, OBSERVATION, coords="minimal").assign_coords({OBSERVATION: names})
    return xr.Dataset({EVENTS: joined.transpose("chain", "draw", OBSERVATION)})


def _replicates(predictive: xr.Dataset, evidence: View) -> xr.Dataset:
    """Replicated data of all studies, in their order."""
    if not isinstance(evidence, Tabulated):
        return predictive
    parts = []
    if EVENTS in predictive:
        parts.append(predictive[EVENTS].rename({REPORTED: STUDY}))
    if EVENTS_LATENT in predictive:
        parts.append(predictive[EVENTS_LATENT].isel({TABLE: 0}, drop=True).rename({LATENT: STUDY}))
    joined = xr.concat(parts, STUDY, coords="minimal").sel({STUDY: list(evidence.labels)})
    return xr.Dataset({EVENTS: joined})


def _latent_tables(posterior: xr.Dataset, evidence: Tabulated, rng: np.random.Generator) -> xr.DataArray:
    """Which table the counts came from, drawn given theta: the variable that the likelihood sums over."""
    theta = posterior[THETA].transpose("chain", "draw", STUDY).values[..., None, :]
    log_weights = _log_probabilities(evidence, theta).sum(axis=-1) + np.log(evidence.weights)
    return xr.DataArray(
        (log_weights + rng.gumbel(size=log_weights.shape)).argmax(axis=-1), dims=("chain", "draw")
    )


def _log_probabilities(evidence: Tabulated, theta: np.ndarray) -> np.ndarray:
    """Log probability of every count of every table: theta has one dimension more, for the tables."""
    events = evidence.tables
    if isinstance(evidence, Rates):
        log_mean = np.log(evidence.exposure) + theta
        return events * log_mean - np.exp(log_mean) - special.gammaln(events + 1)
    assert isinstance(evidence, Counts)
    n = evidence.n
    log_choose = -special.betaln(n - events + 1, events + 1) - np.log(n + 1)
    return log_choose + events * theta - n * np.logaddexp(0.0, theta)


def _data(evidence: View) -> dict[str, xr.Dataset]:
    coords = {STUDY: list(evidence.labels)}
    if isinstance(evidence, Tabulated):
        size = "exposure" if isinstance(evidence, Rates) else "n"
        constant = {size: (STUDY, getattr(evidence, size))}
        if len(evidence.latent):
            constant |= {"tables": ((TABLE, STUDY), evidence.tables), "weights": (TABLE, evidence.weights)}
            coords_constant = {**coords, TABLE: evidence.coords[TABLE]}
        else:
            coords_constant = coords
        observed = {EVENTS: (STUDY, evidence.events)}
        return {
            "observed_data": xr.Dataset(observed, coords),
            "constant_data": xr.Dataset(constant, coords_constant),
        }
    if isinstance(evidence, TwoArms):
        events = {EVENTS_1: (STUDY, evidence.events_1), EVENTS_2: (STUDY, evidence.events_2)}
        sizes = {"n_1": (STUDY, evidence.n_1), "n_2": (STUDY, evidence.n_2)}
        return {"observed_data": xr.Dataset(events, coords), "constant_data": xr.Dataset(sizes, coords)}
    assert isinstance(evidence, Contrasts)
    return {
        "observed_data": xr.Dataset({Y: (STUDY, evidence.y)}, coords),
        "constant_data": xr.Dataset({"se": (STUDY, evidence.se)}, coords),
    }
