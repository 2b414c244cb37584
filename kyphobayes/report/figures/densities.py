"""What is known before and after the data: densities, and the numbers of events that they foretell."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.evidence import Counts, Rates
from kyphobayes.findings import CountPrediction, predict_counts
from kyphobayes.fits import latent_table_probabilities
from kyphobayes.names import AGGREGATE, MU, PLO, TAU
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words
from kyphobayes.report.canvas import (
    BLUE,
    GREY,
    INK,
    PALE,
    SMALL,
    VERMILION,
    WIDTH,
    blank,
    quiet_axis,
    style,
    wrapped,
)
from kyphobayes.report.figures.axis import (
    STEPS,
    Array,
    decision_line,
    effects_between,
    fitting,
    limits,
    on_axis,
    plain_ticks,
    ticks,
)
from kyphobayes.report.figures.numbers import several
from kyphobayes.report.figures.recovered import Recovered, recover
from kyphobayes.report.values import prior_curve

_POINTS = 601
_FLOOR = 1e-5  # natural values below this share of the axis are not drawn: a density may pile up at 0
_PANEL = 2.4  # inches across
_TALLEST = 5.0  # times the height at the median, above which a density is cut off


def posterior_curve(fit: xr.DataTree, name: str) -> tuple[Array, Array]:
    """Posterior density of mu, tau or theta_new on the model's scale: exact, or smoothed draws without it."""
    if "quadrature" in fit.children:
        exact = fit["quadrature"].dataset.sel(quantity=name)
        return exact["x"].values, exact["density"].values
    draws = fit["posterior"].dataset[name].values.ravel()
    low, high = np.quantile(draws, [1e-3, 1 - 1e-3])
    x = np.linspace(low, high, _POINTS)
    return x, stats.gaussian_kde(draws)(x)


def prior_posterior(
    fit: xr.DataTree, *, scale: NaturalScale | None = None, limit: float | None = None
) -> Figure:
    """Draw prior and posterior of the typical effect, of tau and of the effect in the next study.

    Densities are exact where the fit has them, else smoothed draws. Those of shares and rates are per percent
    or unit, those of ratios per unit of the logarithm, which their axis has, too. An improper prior
    is not drawn.

    Parameters
    ----------
    fit : DataTree
    scale : NaturalScale, optional
        See `forest`.
    limit : float, optional
        Natural value that a decision is about.

    Raises
    ------
    InputError
        If the fit is not one of studies.
    """
    found = recover(fit, scale)
    with style():
        figure = blank(WIDTH, 3.0)
        panels = figure.subplots(1, 3)
        for axes, name in zip(panels, AGGREGATE, strict=True):
            (_tau if name == TAU else _effect)(axes, found, name, limit)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=3, borderaxespad=0.2)
        lines = max(axes.get_xlabel().count("\n") for axes in panels)
        figure.subplots_adjust(left=0.03, right=0.97, top=0.86, bottom=0.19 + 0.055 * lines, wspace=0.12)
        return figure


def _tau(axes: Axes, found: Recovered, name: str, limit: float | None) -> None:
    x, density = posterior_curve(found.fit, name)
    top = float(x[np.cumsum(density) <= 0.998 * density.sum()][-1])
    grid = np.linspace(1e-6 * top, 1.25 * top, 401)
    density = np.interp(grid, x, density, left=density[0] if x[0] < 0.02 * top else 0.0, right=0.0)
    _draw(axes, grid, density, prior_curve(found.priors, name, grid))
    axes.set_xlim(0, grid[-1])
    plain_ticks(axes.xaxis, 5)
    unit = words.model_unit(found.scale)
    axes.set_xlabel(_fitted(axes, f"tau, spread between {several(found.scale)} ({unit})"))


def _effect(axes: Axes, found: Recovered, name: str, limit: float | None) -> None:
    shown, x, density = found.scale, *posterior_curve(found.fit, name)
    low, middle, high = (float(x) for x in found.aggregate.loc[name, ["low", "median", "high"]].to_numpy())
    if shown.bounds[0] == 0 and not shown.logarithmic:
        half, upper, typical = shown.natural([middle, high, float(found.aggregate["high"][MU])])
        whole = (1.8 if name == MU else 1.25) * upper
        seen = min(whole, max(12 * half, 1.2 * typical))  # a rate's tail may have no end
        first, last = 0.0, float(min(shown.bounds[1], max(seen, 1.5 * (limit or 0.0))))
        grid = effects_between(shown, _FLOOR * last, last, _POINTS)
    else:
        beyond = 0.6 * (high - low)
        first, last = (float(end) for end in shown.natural([low - beyond, high + beyond]))
        if limit is not None and name == MU:
            first, last = limits(shown, [first, last], [limit])
        grid = effects_between(shown, first, last, _POINTS)
    value, height = on_axis(shown, grid, np.interp(grid, x, density, left=0.0, right=0.0))
    prior = prior_curve(found.priors, name, grid)
    prior = None if prior is None else on_axis(shown, grid, prior)[1]
    if shown.logarithmic:
        axes.set_xscale("log")
    _draw(axes, value, height, prior, tallest=_TALLEST * float(np.interp(middle, grid, height)))
    decision_line(axes, limit, None if limit is None else f"decision at {words.limit(limit, shown)}")
    axes.set_xlim(first, last)
    ticks(axes.xaxis, shown, first, last, min(5, fitting(shown, first, last, _PANEL)))
    which = "typical" if name == MU else "next"
    axes.set_xlabel(_fitted(axes, f"{which} {shown.one}'s {words.heading(shown)}"))


def _fitted(axes: Axes, label: str) -> str:
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    return wrapped(figure, label, 2.6, lines=2)


def _draw(axes: Axes, x: Array, density: Array, prior: Array | None, tallest: float = np.inf) -> None:
    axes.fill_between(x, density, color=BLUE, alpha=0.18, lw=0)
    axes.plot(x, density, color=BLUE, lw=2.0, label="posterior")
    ceiling = 1.12 * min(float(density.max()), tallest)
    if prior is not None:
        axes.plot(x, prior, color=GREY, lw=1.6, ls=(0, (4, 2)), label="prior")
        ceiling = max(ceiling, min(1.12 * float(np.nanmax(prior)), 1.6 * ceiling))
    axes.set_ylim(0, ceiling)
    quiet_axis(axes)


def next_cases(
    fit: xr.DataTree, sizes: Sequence[int] = (20, 50), *, event: str = "events", unit: str = "cases"
) -> Figure:
    """Draw the predictive number of events in the next centre's cases, whose rate is uncertain, too.

    Parameters
    ----------
    fit : DataTree
        Of proportions.
    sizes : sequence of int
        Of the series to come, at most four.
    event, unit : str
        What is counted, out of what.

    Raises
    ------
    InputError
        If the fit is not one of proportions, or the sizes are not one to four whole numbers of 1 or more.
    """
    found = recover(fit)
    if found.scale.measure != PLO:
        raise InputError(f"next cases: expected a fit of proportions (PLO), found {found.scale.measure}")
    if not 1 <= len(sizes) <= 4 or any(size != int(size) or size < 1 for size in sizes):
        raise InputError(f"sizes: expected one to four whole numbers of 1 or more, found {list(sizes)}")
    predictions = [predict_counts(found.posterior.theta_new, int(size)) for size in sizes]
    return cases_figure(predictions, event, unit)


def cases_figure(predictions: Sequence[CountPrediction], event: str, unit: str) -> Figure:
    """Draw numbers of events that were predicted before."""
    with style():
        probe, room = blank(), 0.82 * WIDTH / len(predictions)
        labels = {p.n: wrapped(probe, f"{event} among the next {p.n} {unit}", room) for p in predictions}
        lines = max(label.count("\n") + 1 for label in labels.values())
        height = 2.7 + 0.2 * lines
        figure = blank(WIDTH, height)
        panels = figure.subplots(1, len(predictions), squeeze=False)[0]
        for axes, prediction in zip(panels, predictions, strict=True):
            _cases(axes, prediction, labels[prediction.n], wide=len(predictions) < 3)
        figure.subplots_adjust(
            left=0.08, right=0.985, top=1 - 0.35 / height, bottom=(0.36 + 0.2 * lines) / height, wspace=0.2
        )
        return figure


def _cases(axes: Axes, prediction: CountPrediction, label: str, wide: bool) -> None:
    low, high = prediction.interval()
    counts = np.arange(prediction.n + 1)
    inside = (counts >= low) & (counts <= high)
    shown = counts <= max(high + 3, 6)
    axes.bar(counts[inside & shown], 100 * prediction.probabilities[inside & shown], 0.8, color=BLUE, lw=0)
    axes.bar(counts[~inside & shown], 100 * prediction.probabilities[~inside & shown], 0.8, color=PALE, lw=0)
    axes.axvline(prediction.mean, color=VERMILION, lw=1.4, ls=(0, (4, 2)))
    axes.set_xlim(-0.7, counts[shown][-1] + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(8 if wide else 5, steps=STEPS, integer=True))
    plain_ticks(axes.yaxis, 5)
    axes.set_xlabel(label)
    # these axes are laid out in a grid
    if wide or axes.get_subplotspec().is_first_col():  # pyright: ignore[reportOptionalMemberAccess]
        axes.set_ylabel("probability (%)")
    interval = f"95 % interval {low} to {high}" if wide else f"{low} to {high}"
    axes.set_title(f"{interval}, mean {prediction.mean:.1f}", fontsize=SMALL, color=INK, loc="right")


def latent_counts(fit: xr.DataTree) -> Figure:
    """Draw the probability of each count that is not printed, before and after the model.

    Before: the weights of the count tables that agree with everything printed. After: their posterior
    probabilities, in which every table is judged by how well it goes with the other studies.

    Parameters
    ----------
    fit : DataTree

    Raises
    ------
    InputError
        If all counts of the fit are printed.
    """
    shares = latent_shares(fit)
    if not shares:
        raise InputError("latent counts: expected a fit with counts that are not printed, found all printed")
    return latent_figure(shares)


def latent_shares(fit: xr.DataTree) -> dict[str, pd.DataFrame]:
    """Probability of each count of each study whose count is not printed.

    Returns
    -------
    dict of str to DataFrame
        By study label: index count, columns before (weights of the tables) and after (posterior).
    """
    view, after = recover(fit).view, latent_table_probabilities(fit)
    if after is None or not isinstance(view, Counts | Rates):
        return {}
    shares = pd.DataFrame({"before": view.weights, "after": after.to_numpy()})
    return {
        view.labels[i]: shares.groupby(pd.Index(view.tables[:, i].astype(int), name="events")).sum()
        for i in view.latent
    }


def latent_figure(marginals: dict[str, pd.DataFrame]) -> Figure:
    """Draw probabilities of counts, a panel for each study."""
    with style():
        columns = min(3, len(marginals))
        rows = math.ceil(len(marginals) / columns)
        height = 0.45 + 2.0 * rows
        figure = blank(WIDTH, height)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (study, shares) in zip(panels, marginals.items(), strict=False):
            x = shares.index.to_numpy()
            axes.bar(x, 100 * shares["after"], 0.72, color=BLUE, lw=0, label="posterior")
            axes.bar(
                x, 100 * shares["before"], 0.88, facecolor="none", edgecolor=INK, lw=1.0, ls=(0, (2, 1)),
                label="before the model: weight of the tables",
            )  # fmt: skip
            room = max(0.8, 2.5 - np.ptp(x) / 2)
            axes.set_xlim(max(x.min() - room, -0.8), x.max() + room)
            axes.set_ylim(0, min(105.0, 118 * shares.to_numpy().max()))
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=STEPS, integer=True))
            plain_ticks(axes.yaxis, 4)
            axes.set_title(wrapped(figure, study, WIDTH / columns - 0.75, lines=2), loc="left")
        for axes in panels[len(marginals) :]:
            axes.set_visible(False)
        for place in range(0, len(panels), columns):
            panels[place].set_ylabel("probability (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="upper center", ncols=2, borderaxespad=0.2)
        figure.subplots_adjust(
            left=0.08, right=0.985, top=1 - 0.68 / height, bottom=0.3 / height, wspace=0.22, hspace=0.42
        )
        return figure
