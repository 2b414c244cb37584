r"""Power-scaling: how a posterior answers when its prior or its likelihood counts a little more or less.

Raising the prior, or the likelihood, to a power :math:`\alpha` near 1 makes it weaker or stronger
(Kallioinen, Paananen, Bürkner and Vehtari 2024, Stat. Comput. 34, 57). The likelihood here is that of
(mu, tau), with the study effects integrated out: these two have the priors that are scaled.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.errors import InputError
from kyphobayes.exact import Surface
from kyphobayes.exact.density import Density
from kyphobayes.exact.panels import Array
from kyphobayes.exact.population import predictive
from kyphobayes.exact.posterior import Posterior
from kyphobayes.names import AGGREGATE, MU, TAU
from kyphobayes.priors import Prior
from kyphobayes.sensitivity.distance import cjs_both_ways

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ALPHAS = (0.99, 1.01)
SENSITIVE = 0.05  # index from which on a posterior is called sensitive: Kallioinen et al. (2024), sec. 3.2
COMPONENTS = ("prior", "likelihood")
DRAWS = 4000  # of the range over which distances are taken: that of so many draws
_RTOL = 1e-7


class Limits(NamedTuple):
    """Range over which distribution functions are compared."""

    low: float
    high: float


def power_scaling(
    surface: Surface,
    mu: str | Prior,
    tau: str | Prior,
    *,
    alphas: tuple[float, float] = ALPHAS,
    limits: dict[str, Limits] | None = None,
) -> xr.Dataset:
    """Sensitivity of mu, tau and theta_new to the prior and to the likelihood, by quadrature.

    Parameters
    ----------
    surface : Surface
    mu, tau : str or Prior
    alphas : (float, float)
        A power below 1 and one above.
    limits : dict of str to Limits, optional
        Range of each quantity over which distances are taken. Default: between the quantiles that 4000
        draws are expected to reach.

    Returns
    -------
    Dataset
        Over `component` (prior, likelihood) and `quantity` (mu, tau, theta_new): `psense`, the mean over
        both powers of the cumulative Jensen-Shannon distance per doubling of the power; and `mean_shift`,
        how fast the mean moves, in posterior sds per doubling. `diagnosis` over `quantity`.

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """
    lower, upper = alphas
    if not (0 < lower < 1 < upper):
        raise InputError(
            f"alphas: expected a power between 0 and 1 and one above 1, found {lower:g}, {upper:g}"
        )
    priors = surface.priors(mu, tau)
    post = Posterior(surface, priors, rtol=_RTOL)
    x, t = post.mu_panels.nodes, post.tau_panels.nodes
    logs = {
        "prior": priors[MU].log_density(x)[:, None] + priors[TAU].log_density(t),
        "likelihood": surface.interpolate(x, t),
    }
    base = {name: getattr(post, name) for name in AGGREGATE}
    ranges = limits or {name: _range(density) for name, density in base.items()}
    index, shift = np.empty((2, len(AGGREGATE))), np.empty((2, len(AGGREGATE)))
    for row, component in enumerate(COMPONENTS):
        scaled = [_scaled(post, logs[component], alpha) for alpha in alphas]
        for column, name in enumerate(AGGREGATE):
            apart = [cjs_both_ways(base[name].cdf, s[name].cdf, *ranges[name]) for s in scaled]
            index[row, column] = (apart[1] / np.log2(upper) - apart[0] / np.log2(lower)) / 2
            moved = (scaled[1][name].mean - scaled[0][name].mean) / base[name].sd
            shift[row, column] = moved / (np.log2(upper) - np.log2(lower))
    dims = ("component", "quantity")
    found = xr.Dataset(
        {"psense": (dims, index), "mean_shift": (dims, shift)},
        {"component": list(COMPONENTS), "quantity": list(AGGREGATE)},
        {"alphas": list(alphas)},
    )
    found["diagnosis"] = ("quantity", [diagnosis(*column) for column in index.T])
    return found


def _scaled(post: Posterior, log_values: Array, alpha: float) -> dict[str, Density]:
    """Marginals of the posterior times a function of (mu, tau) to the power of alpha - 1."""
    # Where a surface is dead its logarithm is minus infinity, and the posterior has next to nothing there.
    alive = (post.joint > 0) & np.isfinite(log_values)
    exponent = (alpha - 1) * np.where(alive, log_values, 0.0)
    joint = np.where(alive, post.joint * np.exp(exponent - exponent[alive].max()), 0.0)
    mu, tau = post.mu_panels, post.tau_panels
    joint = joint / (mu.weights @ joint @ tau.weights)
    coming = predictive(mu, tau, joint, post.surface.studies.kernel)
    marginals = Density(mu, joint @ tau.weights), Density(tau, mu.weights @ joint), coming
    return dict(zip(AGGREGATE, marginals, strict=True))


def _range(density: Density) -> Limits:
    low, high = density.quantile([1 / (DRAWS + 1), DRAWS / (DRAWS + 1)])
    return Limits(float(low), float(high))


def diagnosis(prior: float, likelihood: float) -> str:
    """Say what two indices mean (Kallioinen et al. 2024, Table 1)."""
    if prior >= SENSITIVE and likelihood >= SENSITIVE:
        return "prior and data may conflict"
    if prior >= SENSITIVE:
        return "strong prior or weak likelihood"
    return "steady"


def integrated_log_likelihood(surface: Surface, mu: "ArrayLike", tau: "ArrayLike") -> Array:
    """Log marginal likelihood at pairs (mu, tau) of one shape, from the surface's panels."""
    mu, tau = np.asarray(mu, dtype=float), np.asarray(tau, dtype=float)
    for name, values in ((MU, mu), (TAU, tau)):
        for end in (values.min(), values.max()):
            surface.cover(name, float(end))
    total = surface.interpolate(surface.mu.nodes, surface.tau.nodes)
    floor = total[np.isfinite(total)].min()
    rows = surface.mu.interpolation(mu.ravel()) @ np.where(np.isfinite(total), total, floor)
    return (rows * surface.tau.interpolation(tau.ravel())).sum(axis=1).reshape(mu.shape)


def psense_of_fit(fit: xr.DataTree, surface: Surface | None = None) -> pd.DataFrame:
    """ArviZ's power-scaling index from the draws of a fit, for mu, tau and theta_new.

    Parameters
    ----------
    fit : DataTree
        With groups `posterior` and `log_prior`, the latter of mu and tau only.
    surface : Surface, optional
        Whose likelihood of (mu, tau) is scaled, as in `power_scaling`. Without it, the fit's
        `log_likelihood` is: that of the study effects, given which mu and tau are one step further away.

    Returns
    -------
    DataFrame
        One row per quantity with columns prior, likelihood and diagnosis.
    """
    import arviz as az

    posterior = fit["posterior"].dataset[list(AGGREGATE)]
    groups = {"/posterior": posterior, "/log_prior": fit["log_prior"].dataset}
    if surface is None:
        groups["/log_likelihood"] = fit["log_likelihood"].dataset
    else:
        values = integrated_log_likelihood(surface, posterior[MU].values, posterior[TAU].values)
        groups["/log_likelihood"] = xr.Dataset({"y": (posterior[MU].dims, values)}, posterior.coords)
    tree = xr.DataTree.from_dict(groups)
    found = {component: _psense(az.psense, tree, component) for component in COMPONENTS}
    table = pd.DataFrame(found, index=list(AGGREGATE))
    table["diagnosis"] = [diagnosis(p, q) for p, q in zip(table["prior"], table["likelihood"], strict=True)]
    return table.rename_axis("quantity")


def _psense(psense: Callable[..., xr.Dataset], tree: xr.DataTree, component: str) -> list[float]:
    # `psense_summary` is this for both components, rounded to three digits and with a warning in a log.
    index = psense(tree, var_names=list(AGGREGATE), group=component)
    return [float(index[name]) for name in AGGREGATE]
