"""Exact fits of made-up studies, without PyMC, which would have to compile."""

from functools import cache

import numpy as np
import xarray as xr

from kyphobayes.engines.complete import _data
from kyphobayes.engines.exact import _quadrature
from kyphobayes.evidence import contrasts, counts, rates, two_arms
from kyphobayes.fits import arranged, stamp
from kyphobayes.model import load_model
from kyphobayes.priors import Priors

_MODELS = {
    "Counts": "binomial_normal",
    "Contrasts": "normal_normal",
    "Rates": "poisson_normal",
    "TwoArms": "arm_comparison",
}
KINDS = ("counts", "latent", "rates", "effects", "ratios", "arms", "huge", "tiny")


def fit_of(view, priors=None):
    """What pictures read of an exact fit."""
    model = load_model(_MODELS[type(view).__name__])
    priors = priors or model.priors
    posterior = model.surface(view, priors).posterior(mu=priors["mu"], tau=priors["tau"])
    drawn = posterior.to_datatree(draws=250, chains=4, seed=0)["posterior"].dataset
    groups = {"/posterior": drawn, "/quadrature": _quadrature(posterior)}
    prior = {
        name: (("chain", "draw"), priors[name].quantile((np.arange(500) + 0.5)[None] / 500))
        for name in ("mu", "tau")
    }
    prior |= {
        "theta_new": prior["mu"],
        "theta": (("chain", "draw", "study"), np.repeat(prior["mu"][1][..., None], view.k, 2)),
    }
    groups["/prior"] = xr.Dataset(prior, {"study": list(view.labels)})
    groups |= {f"/{name}": dataset for name, dataset in _data(view).items()}
    tree = arranged(xr.DataTree.from_dict(groups))
    tree.attrs = stamp(model, view, priors, "exact", 0, {})
    return tree


def long_names(k):
    """Some of sixty letters, one of a single word, one that is hostile."""
    names = [f"Study {i + 1}" for i in range(k)]
    for i in range(0, k, 3):
        names[i] = f"Multicentre cooperative group of surname-hyphenated authors {i:02d}"[-60:]
    if k > 1:
        names[1] = "<b>Donaudampfschifffahrtselektrizitätenhauptbetriebswerk</b> $x_1$"[:60]
    return names


@cache
def view_of(kind, k):
    """Evidence of k studies, with an empty cell where there are cells."""
    rng = np.random.default_rng([KINDS.index(kind), k])
    names = long_names(k)
    if kind in ("counts", "latent"):
        n = rng.integers(8, 300, k)
        events = rng.binomial(n, 1 / (1 + np.exp(rng.normal(2.5, 0.7, k)))).astype(float)
        events[0] = 0
        if kind == "counts":
            return counts(events, n, names)
        tables = np.stack([events, events, events])
        tables[1, 0], tables[2, :2] = 1, np.minimum(events[:2] + 2, n[:2])
        events[:2] = np.nan
        return counts(events, n, names, tables=tables)
    if kind == "rates":
        time = rng.uniform(8, 300, k)
        events = rng.poisson(time * np.exp(rng.normal(-2.5, 0.5, k)))
        events[0] = 0
        return rates(events, time, names)
    if kind == "arms":
        n, m = rng.integers(10, 300, k), rng.integers(10, 300, k)
        events = rng.binomial(n, 0.1)
        events[0] = 0
        return two_arms(events, n, rng.binomial(m, 0.15), m, names)
    factor = {"huge": 1e5, "tiny": 1e-5}.get(kind, 1.0)
    se = factor * rng.uniform(0.1, 0.9, k)
    y = rng.normal(0.4 * factor, np.hypot(0.3 * factor, se))
    return contrasts(y, se, names, measure="OR" if kind == "ratios" else "GEN")


@cache
def made_fit(kind, k):
    """Fit of such evidence under priors that suit its size."""
    factor = {"huge": 1e5, "tiny": 1e-5}.get(kind)
    priors = (
        None
        if factor is None
        else Priors.of(mu=f"Normal(mu=0, sigma={10 * factor:g})", tau=f"HalfNormal(sigma={factor:g})")
    )
    return fit_of(view_of(kind, k), priors)
