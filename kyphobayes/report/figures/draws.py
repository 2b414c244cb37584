"""Draws as people read them, and ArviZ's own plots of them.

>>> import arviz as az
>>> az.plot_forest(natural_draws(fit))  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from kyphobayes.errors import InputError
from kyphobayes.names import MU, PROB, STUDY, TAU, THETA, THETA_NEW
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words
from kyphobayes.report.canvas import GREY, SIZE, SMALL, style, text_size, wrapped
from kyphobayes.report.figures.axis import limits, logit_ticks, natural_axis
from kyphobayes.report.figures.labels import cut
from kyphobayes.report.figures.recovered import Recovered, recover

if TYPE_CHECKING:
    from arviz_plots.plot_collection import PlotCollection

_WIDTH = 8.6  # inches
_NAMES = 2.6  # most inches of a name
_BELOW = 0.6  # inches below the rows


def natural_draws(fit: xr.DataTree, *, scale: NaturalScale | None = None) -> xr.DataTree:
    """Draws on the natural scale under names for people: "typical rate (%)", "rate (%)" by study, and so on.

    Every ArviZ function takes it. Shares are in percent; tau stays on the scale of the model, and says so.

    Parameters
    ----------
    fit : DataTree
    scale : NaturalScale, optional
        See `forest`.

    Returns
    -------
    DataTree
        Groups posterior and, where the fit has it, prior, with dims chain, draw and study.

    Raises
    ------
    InputError
        If the fit is not one of studies.
    """
    found = recover(fit, scale)
    groups = {
        f"/{group}": _renamed(fit[group].dataset, found)
        for group in ("posterior", "prior")
        if group in fit.children
    }
    return xr.DataTree.from_dict(groups)


def _renamed(draws: xr.Dataset, found: Recovered) -> xr.Dataset:
    shown, names = found.scale, draw_names(found)
    parts = {
        name: draws[name].copy(data=shown.factor * shown.natural(draws[name].values))
        if name != TAU
        else draws[TAU]
        for name in (MU, THETA_NEW, TAU, THETA)
    }
    return xr.Dataset({names[name]: part for name, part in parts.items()})


def draw_names(found: Recovered) -> dict[str, str]:
    """Names for people of mu, tau, theta and theta_new."""
    head = words.heading(found.scale)
    return {
        MU: f"typical {head}",
        THETA_NEW: f"next {found.scale.one}'s {head}",
        TAU: f"tau ({words.model_unit(found.scale)})",
        THETA: head,
    }


def ridge(
    fit: xr.DataTree,
    *,
    scale: NaturalScale | None = None,
    plot_collection: "PlotCollection | None" = None,
    **options: Any,
) -> "PlotCollection":
    """Draw the posterior of every study's effect, of the typical and of the next one as a ridge, by ArviZ.

    Parameters
    ----------
    fit : DataTree
    scale : NaturalScale, optional
        See `forest`. Ratios are drawn by their logarithms, with ratios at the ticks.
    plot_collection : PlotCollection, optional
        Drawn on; by default a new one.
    **options
        Of `arviz.plot_ridge`.

    Returns
    -------
    PlotCollection
        Its figure is ``.viz["figure"].item()``.

    Raises
    ------
    InputError
        If the fit is not one of studies.
    """
    return _rows("plot_ridge", fit, scale, plot_collection, 0.34, {"ridge_height": 1.9} | options)


def interval_rows(
    fit: xr.DataTree,
    *,
    scale: NaturalScale | None = None,
    plot_collection: "PlotCollection | None" = None,
    **options: Any,
) -> "PlotCollection":
    """Draw 50 and 95 % intervals of every study's effect, of the typical and of the next one, by ArviZ.

    It is `arviz.plot_forest`; `forest` has what was observed, weights and numbers, too.

    Parameters
    ----------
    fit, scale, plot_collection
        See `ridge`.
    **options
        Of `arviz.plot_forest`.

    Returns
    -------
    PlotCollection

    Raises
    ------
    InputError
        If the fit is not one of studies.
    """
    more = {"ci_probs": (0.5, PROB), "ci_kind": "eti", "point_estimate": "median", "combined": True}
    return _rows("plot_forest", fit, scale, plot_collection, 0.28, more | options)


def _rows(
    name: str,
    fit: xr.DataTree,
    scale: NaturalScale | None,
    collection: "PlotCollection | None",
    height: float,
    options: dict[str, Any],
) -> "PlotCollection":
    """Draw one of ArviZ's plots that have a row for each quantity; a figure of our own is laid out."""
    import arviz_plots

    found = recover(fit, scale)
    drawn = _rows_of(found)
    plot = getattr(arviz_plots, name)
    tree = xr.DataTree.from_dict({"/posterior": drawn})
    with style():
        if collection is not None:
            return plot(tree, backend="matplotlib", plot_collection=collection, **options)
        tall = height * (drawn.sizes["row"] + 1)
        more = {"labels": [], "figure_kwargs": {"figsize": (_WIDTH, tall + _BELOW + 0.1)}} | options
        made = plot(tree, backend="matplotlib", **more)
        _tidy(made, name.removeprefix("plot_"), found, [str(row) for row in drawn["row"].values], tall)
        return made


def _tidy(made: "PlotCollection", column: str, found: Recovered, names: list[str], tall: float) -> None:
    """Write the rows' names, cut to their room, and make the axis one of natural values."""
    shown, figure = found.scale, made.viz["figure"].item()
    axes, empty = (cast(Axes, made.get_target(None, {"column": part})) for part in (column, "labels"))
    empty.set_visible(False)
    texts = [cut(figure, name, _NAMES) for name in names]
    left = max(text_size(figure, text, SMALL, "bold")[0] for text in texts) + 0.25
    width, height = _WIDTH - left - 0.2, tall + _BELOW + 0.1
    axes.set_position((left / _WIDTH, _BELOW / height, width / _WIDTH, tall / height))
    axes.set_ylim(-0.6, len(names) + 0.4)
    for place, text in enumerate(texts[::-1]):
        axes.text(
            -0.1 / width, place, text, transform=axes.get_yaxis_transform(), ha="right", va="center",
            fontsize=SMALL, fontweight="bold" if place < 2 else "normal",
        )  # fmt: skip
    typical = found.aggregate.loc[[MU, THETA_NEW]].to_numpy(dtype=float).ravel()
    low, high = limits(
        shown, shown.natural([*found.studies["median"], *typical[:3]]),
        shown.natural([*found.studies[["low", "high"]].to_numpy().ravel(), *typical[3:]]),
    )  # fmt: skip
    if shown.logarithmic:
        first, last = (float(x) for x in shown.model([low, high]))
        axes.set_xlim(first, last)
        logit_ticks(axes, shown, first, last, int(width / 0.6))
        axes.set_xlabel(words.heading(shown))
        axes.axvline(0.0, color=GREY, lw=1.0, zorder=0.5)
    else:
        natural_axis(axes, shown, low, high, width)


def _rows_of(found: Recovered) -> xr.Dataset:
    """All effects as one variable over rows, ratios by their logs: studies, the typical and the next one."""
    draws = found.fit["posterior"].dataset
    one = found.scale.one
    theta = draws[THETA].transpose("chain", "draw", STUDY).values
    values = np.concatenate([theta, draws[MU].values[..., None], draws[THETA_NEW].values[..., None]], axis=-1)
    if not found.scale.logarithmic:
        values = found.scale.natural(values)
    rows = [*found.view.labels, f"typical {one}", f"next {one}"]
    return xr.Dataset({found.scale.name: (("chain", "draw", "row"), values)}, {"row": rows})


def prior_posterior_draws(
    fit: xr.DataTree,
    *,
    scale: NaturalScale | None = None,
    plot_collection: "PlotCollection | None" = None,
    **options: Any,
) -> "PlotCollection":
    """Draw densities of prior and posterior draws of the typical effect, the next one and tau, by ArviZ.

    `prior_posterior` draws their exact densities.

    Parameters
    ----------
    fit : DataTree
        With proper priors.
    scale, plot_collection
        See `ridge`. Ratios are drawn by their logarithms.
    **options
        Of `arviz.plot_prior_posterior`.

    Returns
    -------
    PlotCollection

    Raises
    ------
    InputError
        If the fit is not one of studies, or has no draws of its priors.
    """
    import arviz_plots

    found = recover(fit, scale)
    if "prior" not in fit.children:
        raise InputError(
            "prior and posterior: expected a fit with draws of its priors, found none; are they proper?"
        )
    drawn = natural_draws(fit, scale=scale)
    names = draw_names(found)
    if found.scale.logarithmic:
        logs = {name: f"log of the {name}" for name in (names[MU], names[THETA_NEW])}
        drawn = drawn.map_over_datasets(
            lambda part: (
                part.assign({name: np.log(part[name]) for name in logs}).rename(logs)
                if part.data_vars
                else part
            )
        )
        names |= {MU: logs[names[MU]], THETA_NEW: logs[names[THETA_NEW]]}
    more: dict[str, Any] = {"var_names": [names[MU], names[TAU], names[THETA_NEW]], **options}
    with style():
        if plot_collection is not None:
            return arviz_plots.plot_prior_posterior(
                drawn, backend="matplotlib", plot_collection=plot_collection, **more
            )
        more.setdefault("figure_kwargs", {"figsize": (_WIDTH, 3.0)})
        made = arviz_plots.plot_prior_posterior(drawn, backend="matplotlib", **more)
        figure = made.viz["figure"].item()
        for axes in figure.axes:
            axes.set_title(wrapped(figure, axes.get_title(), 2.2, lines=2), fontsize=SIZE)
        figure.subplots_adjust(left=0.03, right=0.84, top=0.83, bottom=0.13, wspace=0.12)
        return made


def ranks(
    fit: xr.DataTree, *, plot_collection: "PlotCollection | None" = None, **options: Any
) -> "PlotCollection":
    """Draw the ranks of mu, tau and theta_new by chain, against an envelope, by ArviZ.

    Parameters
    ----------
    fit : DataTree
        Of two chains or more.
    plot_collection : PlotCollection, optional
    **options
        Of `arviz.plot_rank`.

    Raises
    ------
    InputError
        If the fit is not one of studies, or has one chain.

    Notes
    -----
    Säilynoja, Bürkner and Vehtari (2022), Stat. Comput. 32:32.
    """
    import arviz_plots

    recover(fit)
    if fit["posterior"].dataset.sizes["chain"] < 2:
        raise InputError("ranks need at least 2 chains, found 1")
    more = dict(options) if plot_collection is None else {"plot_collection": plot_collection, **options}
    if plot_collection is None:
        more.setdefault("figure_kwargs", {"figsize": (_WIDTH, 3.0)})
    with style():
        made = arviz_plots.plot_rank(fit, var_names=[MU, TAU, THETA_NEW], backend="matplotlib", **more)
        if plot_collection is None:
            made.viz["figure"].item().subplots_adjust(left=0.06, right=0.98, top=0.8, bottom=0.2, wspace=0.12)
        return made
