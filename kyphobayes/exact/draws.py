"""Independent draws from an exact posterior, in ArviZ's layout where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import InputError
from kyphobayes.exact.panels import ORDER, Array, Panels, antiderivative, lagrange
from kyphobayes.names import MU, STUDY, TABLE, TAU, THETA, THETA_NEW

if TYPE_CHECKING:
    import xarray as xr

    from kyphobayes.exact.posterior import Posterior
    from kyphobayes.exact.surface import Surface

_BISECTIONS = 45
_CHUNK = 500  # draws at a time where every draw needs a block of the surface


def draw(post: Posterior, size: int, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw mu, tau, theta_new (size,), theta (size, k) and, with latent counts, table (size,).

    Each is drawn from its exact conditional distribution, given the ones before: tau, mu, the table,
    then the studies' effects.
    """
    tau = post.tau.quantile(rng.uniform(size=size))
    mu = post.draw_mu(tau, rng)
    surface = post.surface
    steps = surface.studies.kernel.steps(size, rng)
    drawn: dict[str, NDArray] = {MU: mu, TAU: tau, THETA_NEW: mu + tau * steps}
    table = np.zeros(size, dtype=np.intp)
    if len(surface.tables) > 1:
        table = surface.draw_table(mu, tau, rng)
        drawn[TABLE] = table
    drawn[THETA] = surface.studies.draw(surface.tables[table], mu, tau, rng)
    return drawn


def draw_mu(mu: Panels, tau: Panels, joint: Array, at: Array, rng: np.random.Generator) -> Array:
    """Draw mu given each tau in `at` by inverting its conditional distribution function."""
    density = np.maximum(joint @ tau.interpolation(at).T, 0.0)  # (mu nodes, draws)
    mass = np.cumsum(mu.integrals(density), axis=0)
    target = rng.uniform(size=len(at)) * mass[-1]
    panel = np.asarray((mass < target).sum(axis=0), dtype=np.intp)
    draws = np.arange(len(at))
    below = np.where(panel > 0, mass[panel - 1, draws], 0.0)
    values = mu.by_panel(density)[panel, :, draws]  # (draws, ORDER)
    half = mu.widths[panel] / 2
    low, high = np.full(len(at), -1.0), np.full(len(at), 1.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        under = below + half * (antiderivative(middle) * values).sum(axis=1) < target
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return mu.edges[panel] + half * (low + high + 2) / 2


def draw_table(surface: Surface, mu: Array, tau: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw the index of a count table given each (mu, tau)."""
    blocks = surface.pieces().reshape(surface.studies.size, len(surface.mu), ORDER, len(surface.tau), ORDER)
    (row, row_place), (column, column_place) = surface.mu.locate(mu), surface.tau.locate(tau)
    row_weights, column_weights = lagrange(row_place), lagrange(column_place)
    out = np.empty(len(mu), dtype=np.intp)
    for start in range(0, len(mu), _CHUNK):
        part = slice(start, start + _CHUNK)
        local = blocks[:, row[part], :, column[part], :]  # (draws, pieces, ORDER, ORDER)
        pieces = np.einsum("dpij,di,dj->dp", local, row_weights[part], column_weights[part])
        log_weights = pieces[:, surface.tables].sum(axis=2) + surface.log_weights
        gumbel = rng.gumbel(size=log_weights.shape)
        out[part] = np.argmax(log_weights + gumbel, axis=1)
    return out


def to_datatree(post: Posterior, draws: int, chains: int, seed: int) -> xr.DataTree:
    """Arrange independent draws as a posterior group with dims chain, draw and study."""
    import xarray as xr

    if draws < 1 or chains < 1:
        raise InputError(f"draws and chains: expected at least 1 of each, found {draws} and {chains}")
    drawn = draw(post, draws * chains, np.random.default_rng(seed))
    variables = {
        name: (
            ("chain", "draw", *([STUDY] if name == THETA else [])),
            values.reshape(chains, draws, *values.shape[1:]),
        )
        for name, values in drawn.items()
    }
    coords = {"chain": np.arange(chains), "draw": np.arange(draws), STUDY: post.surface.labels}
    return xr.DataTree.from_dict({"/posterior": xr.Dataset(variables, coords)})
