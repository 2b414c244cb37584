"""Whether draws are to be trusted: against the exact densities, and chain against chain."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.names import AGGREGATE, MU, TAU, THETA_NEW
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words
from kyphobayes.report.canvas import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    SKY,
    VERMILION,
    WIDTH,
    blank,
    quiet_axis,
    style,
    wrapped,
)
from kyphobayes.report.figures.axis import Array, plain_ticks
from kyphobayes.report.figures.densities import posterior_curve
from kyphobayes.report.figures.recovered import Recovered, recover

_CHAINS = (BLUE, ORANGE, GREEN, VERMILION, SKY, "#CC79A7")
_CURVE = 401


def engines(
    fit: xr.DataTree, exact: xr.DataTree | None = None, *, scale: NaturalScale | None = None
) -> Figure:
    """Draw the draws of a fit under the exact densities of mu, tau and theta_new.

    Parameters
    ----------
    fit : DataTree
        Whose draws are judged, by NUTS as a rule.
    exact : DataTree, optional
        A fit of the same evidence by the exact engine, whose densities are taken; else they are solved again.
    scale : NaturalScale, optional
        Names the units; the axes are those of the model.

    Raises
    ------
    InputError
        If the fit has no exact posterior, or the two are not of the same evidence and priors.
    """
    found = recover(fit, scale)
    for key in ("evidence_digest", "priors"):
        if exact is not None and exact.attrs.get(key) != fit.attrs.get(key):
            raise InputError(f"exact: expected a fit of the same evidence and priors, found another {key}")
    with style():
        figure = blank(WIDTH, 2.7)
        panels = figure.subplots(1, 3)
        unit = words.model_unit(found.scale)
        labels = {
            MU: f"mu ({unit})",
            TAU: f"tau ({unit})",
            THETA_NEW: f"theta of the next {found.scale.one} ({unit})",
        }
        for axes, name in zip(panels, AGGREGATE, strict=True):
            x, density = _exact(found, exact, name)
            cumulative = np.cumsum(density) / density.sum()
            low, high = x[np.searchsorted(cumulative, 0.001)], x[np.searchsorted(cumulative, 0.999)]
            bins = np.linspace(low, high, 41)
            draws = _draws(fit, name).ravel()
            heights = np.histogram(draws, bins)[0] / len(draws) / np.diff(bins)
            axes.stairs(heights, bins, fill=True, color=ORANGE, alpha=0.55, label="NUTS, draws")
            axes.plot(x, density, color=BLUE, lw=2.0, label="exact quadrature")
            axes.set_xlim(low, high)
            axes.set_ylim(0, 1.1 * max(heights.max(), density.max()))
            plain_ticks(axes.xaxis, 5)
            axes.set_xlabel(wrapped(figure, labels[name], 2.6, lines=2))
            quiet_axis(axes)
        handles, texts = panels[0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="upper center", ncols=2, borderaxespad=0.2)
        lines = max(axes.get_xlabel().count("\n") for axes in panels)
        figure.subplots_adjust(left=0.03, right=0.97, top=0.86, bottom=0.2 + 0.06 * lines, wspace=0.12)
        return figure


def _exact(found: Recovered, exact: xr.DataTree | None, name: str) -> tuple[Array, Array]:
    if exact is not None and "quadrature" in exact.children:
        return posterior_curve(exact, name)
    density = found.posterior.marginal(name)
    low, high = (float(end) for end in density.quantile([1e-5, 1 - 1e-5]))
    x = np.linspace(low, high, _CURVE)
    return x, density.pdf(x)


def rank_histograms(fit: xr.DataTree) -> Figure:
    """Draw rank histograms of mu and tau by chain: level where chains are alike.

    Parameters
    ----------
    fit : DataTree

    Notes
    -----
    Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Bayesian Anal. 16, 667. `ranks` draws ArviZ's
    newer picture, with an envelope.
    """
    recover(fit)
    with style():
        figure = blank(WIDTH, 2.6)
        panels = figure.subplots(1, 2, sharey=True)
        away = 0.3
        for axes, name in zip(panels, (MU, TAU), strict=True):
            draws = _draws(fit, name)
            order = stats.rankdata(draws).reshape(draws.shape) / draws.size
            edges = np.linspace(0, 1, 21)
            for chain, values in enumerate(order):
                share = np.histogram(values, edges)[0] / (draws.shape[1] / 20)
                axes.stairs(
                    share,
                    edges,
                    color=_CHAINS[chain % len(_CHAINS)],
                    lw=1.5,
                    baseline=None,
                    label=f"chain {chain + 1}",
                )
                away = max(away, 1.15 * float(np.abs(share - 1).max()))
            axes.axhline(1, color=INK, lw=0.9, ls=(0, (4, 3)))
            axes.set_xlim(0, 1)
            axes.set_xlabel(f"rank of {name} among all draws (0 lowest, 1 highest)")
        panels[0].set_ylim(1 - away, 1 + away)
        panels[0].set_ylabel("draws (1: as expected)")
        handles, texts = panels[0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="upper center", ncols=min(6, len(handles)), borderaxespad=0.2)
        figure.subplots_adjust(left=0.08, right=0.97, top=0.86, bottom=0.2, wspace=0.1)
        return figure


def _draws(fit: xr.DataTree, name: str) -> Array:
    """Draws of one quantity, shape (chain, draw)."""
    return fit["posterior"].dataset[name].transpose("chain", "draw").values
