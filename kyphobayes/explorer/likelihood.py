"""The likelihood as a page carries it: numbers in base64, laid out so that a browser can interpolate them."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact import Surface
from kyphobayes.exact.likelihoods import BinomialStudies, NormalStudies, PoissonStudies
from kyphobayes.exact.panels import ORDER, Array, Panels
from kyphobayes.exact.precision import cell_errors
from kyphobayes.priors import Prior

_RTOL = 1e-5  # of the posteriors for which the surface must reach far enough
_PRECISION = 1e-5  # error of the interpolated log likelihood, of which probabilities have as much
_DEEP = 60.0  # log likelihood below its maximum down to which it has that precision
_SOFTER = 25.0  # ... and how much deeper the allowed error is e times as large
_DIGITS = 1e-12  # share of its size that rounding costs anyway
_ROUNDS = 3
_MOST = 480_000  # nodes of a page: more would make it larger than anyone wants to send


def reach(surface: Surface, location: tuple[float, float], widest: float, tau: float) -> None:
    """Let the surface grow until it holds the posteriors at the far ends of the sliders."""
    low, high = location
    middle = (low + high) / 2
    corners = [
        (f"Normal(mu={middle!r}, sigma={widest!r})", "HalfFlat()"),
        (f"Cauchy(alpha={middle!r}, beta={widest!r})", f"HalfCauchy(beta={tau!r})"),
        ("Flat()", f"HalfNormal(sigma={tau!r})"),
    ]
    for mu_text, tau_text in corners:
        try:
            # The grid, also where a closed form would do: it is the grid that the page has.
            found = surface.posterior(Prior.parse(mu_text), Prior.parse(tau_text), rtol=_RTOL)
            _ = found.joint
        except (ImproperPosterior, InputError):
            continue  # too little data for that prior: the page says so too
    for value in location:
        surface.cover("mu", value)


def carried(surface: Surface) -> dict[str, Any]:
    """The log likelihood on panels fine enough for any prior of the page.

    Returns
    -------
    dict
        Edges of the panels in mu and tau; `top`, the largest log likelihood; for each cell of panels its own
        largest value below the top (`peaks`, float64) and the estimated interpolation error (`errors`,
        float32); at each node the value below the cell's peak (`values`, float32, which so keeps six
        digits where they matter).
    """
    mu, tau = surface.mu, surface.tau
    values = surface.log_likelihood(mu.nodes, tau.nodes)
    for _ in range(_ROUNDS):
        rough_mu, rough_tau = _rough(mu, values), _rough(tau, values.T)
        if not (rough_mu.any() or rough_tau.any()):
            break
        finer_mu, finer_tau = mu.split(rough_mu), tau.split(rough_tau)
        if len(finer_mu.nodes) * len(finer_tau.nodes) > _MOST:
            break
        mu, tau = finer_mu, finer_tau
        values = surface.log_likelihood(mu.nodes, tau.nodes)
    top = float(values.max())
    cells = (values - top).reshape(len(mu), ORDER, len(tau), ORDER)
    peaks = cells.max(axis=(1, 3))
    below = (cells - peaks[:, None, :, None]).reshape(values.shape)
    return {
        "mu": mu.edges.tolist(),
        "tau": tau.edges.tolist(),
        "order": ORDER,
        "top": top,
        "peaks": _packed(peaks, "<f8"),
        "values": _packed(below, "<f4"),
        "errors": _packed(cell_errors(mu, tau, values), "<f4"),
    }


def _rough(panels: Panels, values: Array) -> NDArray[np.bool_]:
    """Panels that do not interpolate the log likelihood, `values` with them on the first axis."""
    depth = values.max() - panels.by_panel(values).max(axis=1)
    allowed = _PRECISION * np.exp(np.clip(depth - _DEEP, 0.0, 400.0) / _SOFTER) + _DIGITS * depth
    return (panels.last_coefficients(values) > allowed).any(axis=1)


def _packed(values: Array, kind: str) -> str:
    limit = np.finfo(kind).max
    return base64.b64encode(np.clip(values, -limit, limit).astype(kind).tobytes()).decode("ascii")


def studies(surface: Surface) -> dict[str, Any]:
    """What each study says of its own effect, and which count tables there are.

    Raises
    ------
    InputError
        If effects are not normal, or studies are neither counts nor estimates with standard errors.
    """
    found = surface.studies
    if not found.kernel.normal:
        raise InputError("the explorer takes normal effects; this model's effects have heavier tails")
    if isinstance(found, BinomialStudies):
        kind, columns = "binomial", {"events": found.events, "n": found.n}
    elif isinstance(found, PoissonStudies):
        kind, columns = "poisson", {"events": found.events, "exposure": found.exposure}
    elif isinstance(found, NormalStudies):
        kind, columns = "normal", {"y": found.y, "se": found.se}
    else:
        raise InputError(
            f"the explorer takes counts or estimates with standard errors, found {type(found).__name__}"
        )
    at_centre = found.log_lik(found.centres).diagonal()
    bare = _bare(kind, columns, found.centres)
    columns |= {"constant": at_centre - bare, "centre": found.centres, "scale": found.scales}
    names = list(columns)
    return {
        "kind": kind,
        "labels": surface.labels,
        "pieces": [
            dict(zip(names, row, strict=True)) for row in np.column_stack(list(columns.values())).tolist()
        ],
        "tables": surface.tables.tolist(),
        "logWeights": surface.log_weights.tolist(),
        "errors": surface.standard_errors.tolist(),
    }


def _bare(kind: str, columns: dict[str, Array], theta: Array) -> Array:
    """The part of the log likelihood that depends on theta, as the page has it."""
    if kind == "binomial":
        return columns["events"] * theta - columns["n"] * np.logaddexp(0.0, theta)
    if kind == "poisson":
        return columns["events"] * theta - columns["exposure"] * np.exp(theta)
    return -0.5 * ((theta - columns["y"]) / columns["se"]) ** 2
