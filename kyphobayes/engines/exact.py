"""The exact engine: quadrature over the model's surface, and independent draws from it."""

import numpy as np
import xarray as xr

from kyphobayes.engines.complete import complete
from kyphobayes.evidence import View
from kyphobayes.exact import Density, Posterior
from kyphobayes.fits import row_names, stamp
from kyphobayes.model import Model
from kyphobayes.names import AGGREGATE, PROB
from kyphobayes.priors import Priors

SETTINGS = {"draws": 1000, "chains": 4}
_STATISTICS = ("mean", "sd", "median", "low", "high")
_PLOTTED = 401  # points of a density that figures draw


def solve(model: Model, evidence: View, priors: Priors) -> Posterior:
    """Exact posterior of a model's surface.

    Raises
    ------
    EvidenceError
        If the model declares no surface.
    ImproperPosterior
    """
    model.check(evidence, priors)
    return model.surface(evidence, priors).posterior(mu=priors["mu"], tau=priors["tau"])


def fit_exact(model: Model, evidence: View, priors: Priors, *, seed: int = 0) -> xr.DataTree:
    """Fit a model exactly.

    Parameters
    ----------
    model : Model
        With a surface.
    evidence : View
    priors : Priors
    seed : int
        Of the draws; the quadrature needs none.

    Returns
    -------
    DataTree
        The layout of `kyphobayes.fits`, with a group ``quadrature``.
    """
    posterior = solve(model, evidence, priors)
    drawn = posterior.to_datatree(seed=seed, **SETTINGS)["posterior"].dataset.drop_vars(
        "table", errors="ignore"
    )
    tree = complete(drawn, model, evidence, priors, seed)
    tree["quadrature"] = xr.DataTree(_quadrature(posterior))
    tree.attrs.update(stamp(model, evidence, priors, "exact", seed, SETTINGS))
    return tree


def _quadrature(posterior: Posterior) -> xr.Dataset:
    """Densities on a common number of points, the exact summary, the marginal likelihood and the error."""
    names = row_names(posterior.surface.labels)
    densities = [getattr(posterior, name) for name in AGGREGATE] + list(posterior.studies.values())
    places = np.stack([_places(density) for density in densities])
    heights = np.stack([density.pdf(x) for density, x in zip(densities, places, strict=True)])
    tail = (1 - PROB) / 2
    rows = [
        (d.mean, d.sd, *(float(q) for q in d.quantile([0.5, tail, 1 - tail]))) for d in densities
    ]  # fmt: skip
    return xr.Dataset(
        {
            "x": (("quantity", "point"), places),
            "density": (("quantity", "point"), heights),
            "summary": (("quantity", "statistic"), np.array(rows)),
            "log_marginal_likelihood": posterior.log_marginal_likelihood,
            "error": posterior.error,
        },
        {"quantity": names, "statistic": list(_STATISTICS)},
    )


def _places(density: Density) -> np.ndarray:
    low, high = density.quantile([1e-5, 1 - 1e-5])
    return np.linspace(low, high, _PLOTTED)
