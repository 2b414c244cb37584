"""The forest plot: what each study saw, what the model makes of it, the typical effect, and what is next."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from kyphobayes.errors import InputError
from kyphobayes.exact import Density
from kyphobayes.names import MU, TAU, THETA_NEW
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words
from kyphobayes.report.canvas import BLUE, GREY, INK, ORANGE, SKY, VERMILION, style
from kyphobayes.report.figures import observed as seen
from kyphobayes.report.figures.axis import decision_line, limits, natural_axis
from kyphobayes.report.figures.numbers import STATISTICS, column, natural
from kyphobayes.report.figures.recovered import Recovered, recover
from kyphobayes.report.figures.rows import MANY, Row, bar, diamond, draw_rows, interval

_SQUARES = (3.0, 7.5)  # points across, of the lightest and of the heaviest study


def forest(
    fit: xr.DataTree,
    *,
    scale: NaturalScale | None = None,
    groups: Mapping[str, str] | None = None,
    typical: Mapping[str, Density] | None = None,
    limit: float | None = None,
    weights: bool = True,
    event: str = "events",
    unit: str = "",
    label: str = "",
) -> Figure:
    """Draw the forest plot of a fit.

    Each study has two marks: what it saw by itself (squares whose area follows its weight; where a count is
    not printed, the range over all count tables that agree with the paper), and what the model makes of it
    with the help of the others. A diamond is the typical effect, a bar the predictive interval for a study
    not yet done; tau stands below. Ratios stand on a logarithmic axis, shares in percent from 0; an interval
    that is much longer than the others ends in an arrow.

    Parameters
    ----------
    fit : DataTree
        Of a model of studies, by either engine.
    scale : NaturalScale, optional
        On which effects are shown; by default that of the fit's measure.
    groups : mapping of str to str, optional
        Subgroup of every study by its label. Each then has studies and a typical effect of its own: the
        exact posterior of these studies under the same priors.
    typical : mapping of str to Density, optional
        Posterior densities of the subgroups' typical effects, where another model gave them, such as
        `kyphobayes.subgroups`, whose groups share tau.
    limit : float, optional
        Natural value that a decision is about.
    weights : bool
        Whether the column of weights is shown: the share of each study in the random-effects mean (REML),
        averaged over the count tables. A full Bayesian answer has no such weights; these say how much
        each study knows.
    event, unit : str
        What is counted, out of what.
    label : str
        Of the axis; by default the name and unit of the scale.

    Raises
    ------
    InputError
        If the fit is not one of studies, or `groups` leaves a study out.

    Notes
    -----
    Forest plots are as old as Lewis and Ellis (1982); shrunken estimates beside raw ones as in DuMouchel
    (1994) and Röver (2020), J. Stat. Softw. 93(6), and predictive intervals as in Higgins, Thompson and
    Spiegelhalter (2009), J. R. Stat. Soc. A 172, 137.
    """
    found = recover(fit, scale)
    with style():
        return _draw(found, groups, typical or {}, limit, weights, event, unit, label)


def _draw(
    found: Recovered,
    groups: Mapping[str, str] | None,
    known: Mapping[str, Density],
    limit: float | None,
    weights: bool,
    event: str,
    unit: str,
    label: str,
) -> Figure:
    shown, view = found.scale, found.view
    raw = seen.observed(view, shown, unit=unit, event=event)
    share = seen.weights(view)
    studies, last = natural(found.studies, shown), natural(found.aggregate.loc[[MU, THETA_NEW]], shown)
    write, dense = column(shown, studies, last), view.k > MANY
    numbers = dict(zip(view.labels, range(view.k), strict=True))

    def study(name: str) -> Row:
        at = numbers[name]
        of_weight = (f"{100 * share[at]:.1f}",) if weights else ()
        size = _SQUARES[0] + (_SQUARES[1] - _SQUARES[0]) * float(share[at] / share.max()) ** 0.5

        def marks(axes: Axes, y: float) -> None:
            shift = 0.05 if dense else 0.075
            _raw(axes, _row(raw.estimates, name), y - shift, size, dense)
            middle, low, high = (float(_row(studies, name)[key]) for key in STATISTICS)
            interval(axes, y + shift, low, high, middle, colour=BLUE)

        cells = tuple(column[at] for column in raw.cells)
        return Row(name, cells, (*of_weight, write(studies.loc[name])), marks, indent=0.14 if groups else 0.0)

    blank = ("",) if weights else ()
    rows: list[Row] = []
    subgroups: list[pd.Series] = []
    if groups:
        for group, members in _members(view.labels, groups).items():
            rows.append(Row(group, bold=True))
            rows += [study(name) for name in members]
            typical = _of_density(known[group], shown) if group in known else _of_group(found, members)
            subgroups.append(typical)
            text = (*blank, write(typical))
            rows.append(Row(f"Typical, {group}", (), text, _diamond(typical), indent=0.14))
    else:
        rows += [study(name) for name in view.labels]
    typical, new = _row(last, MU), _row(last, THETA_NEW)
    rows += [
        Row(f"Typical {shown.one}", (), (*blank, write(typical)), _diamond(typical), bold=True, rule=True),
        Row(f"Next {shown.one}", (), (*blank, write(new)), _bar(new), bold=True),
        Row(f"tau ({words.model_unit(shown)})", (), (*blank, _spread(found.aggregate.loc[TAU]))),
    ]
    core = [
        raw.estimates[["least", "most"]],
        studies["median"],
        last.loc[MU],
        last.loc[THETA_NEW, "median"],
        limit,
    ]
    ends = [raw.estimates[["low", "high"]], studies, last, *subgroups]
    low, high = limits(shown, _values(core), _values(ends))

    def prepare(axes: Axes, width: float) -> None:
        natural_axis(axes, shown, low, high, width, label=label or None)
        decision_line(axes, limit)

    percent = f"{shown.name}, {shown.unit}" if shown.unit else shown.name
    heads = (raw.heads, (*(("Weight\n(%)",) if weights else ()), f"By the model: {percent}\n(95 % interval)"))
    return draw_rows(rows, heads, prepare, _legend(found, raw, limit), dense=dense)


def _row(table: pd.DataFrame, name: str) -> pd.Series:
    return table.loc[name]  # pyright: ignore[reportReturnType]  # labels are unique


def _spread(tau: Any) -> str:
    """Median and interval of tau, with two decimals unless its size asks for others."""
    largest = float(tau["high"])
    if 0.05 <= largest < 1e3:
        return f"{words.decimal(tau['median'])} ({words.decimals(tau['low'], tau['high'])})"
    return f"{tau['median']:.2g} ({tau['low']:.2g} to {tau['high']:.2g})".replace("-", "−")


def _values(parts: list[Any]) -> list[float]:
    """All numbers of tables, columns and single values."""
    flat: list[float] = []
    for part in parts:
        if part is not None:
            flat += (
                [float(part)]
                if isinstance(part, int | float)
                else part.to_numpy(dtype=float).ravel().tolist()
            )
    return flat


def _members(labels: tuple[str, ...], groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Studies by subgroup, in the order in which these are met."""
    missing = [name for name in labels if name not in groups]
    if missing:
        raise InputError(f"groups: expected a group for every study, found none for {missing[0]!r}")
    members: dict[str, list[str]] = {}
    for name in labels:
        members.setdefault(str(groups[name]), []).append(name)
    return members


def _of_group(found: Recovered, members: list[str]) -> pd.Series:
    """Typical effect of some studies alone, under the fit's priors."""
    others = [name for name in found.view.labels if name not in members]
    posterior = found.posterior.without(*others) if others else found.posterior
    return _of_density(posterior.mu, found.scale)


def _of_density(density: Density, scale: NaturalScale) -> pd.Series:
    return pd.Series(scale.natural(density.quantile([0.5, 0.025, 0.975])), index=STATISTICS)


def _diamond(row: pd.Series):
    return lambda axes, y: diamond(axes, y, float(row["low"]), float(row["median"]), float(row["high"]))


def _bar(row: pd.Series):
    return lambda axes, y: bar(axes, y, float(row["low"]), float(row["median"]), float(row["high"]))


def _raw(axes: Axes, row: pd.Series, y: float, size: float, dense: bool) -> None:
    """What a study saw: a square, or the range of what it may have seen."""
    low, high, least, most = (float(row[name]) for name in ("low", "high", "least", "most"))
    if not row["latent"]:
        interval(axes, y, low, high, least, colour=GREY, marker="s", size=size, width=1.2, hollow=True)
        return
    if most > least:
        interval(axes, y, low, high, colour=ORANGE, width=1.2, dashed=True)
        thick = 0.075 if dense else 0.1
        axes.add_patch(
            Rectangle(
                (least, y - thick / 2), most - least, thick, facecolor=ORANGE, edgecolor=ORANGE, zorder=3
            )
        )
    else:
        interval(axes, y, low, high, least, colour=ORANGE, marker="D", width=1.2, hollow=True, dashed=True)


def _legend(found: Recovered, raw: seen.Observed, limit: float | None) -> list[Any]:
    one = found.scale.one
    handles: list[Any] = [
        Line2D(
            [],
            [],
            color=GREY,
            marker="s",
            mfc="white",
            mec=GREY,
            lw=1.2,
            ms=5,
            label=f"observed, {raw.method}",
        )
    ]
    if raw.estimates["latent"].any():
        handles.append(
            Line2D(
                [], [], color=ORANGE, marker="s", ms=6, lw=1.2, ls=(0, (2, 1.5)),
                label="count not printed: range over tables",
            )
        )  # fmt: skip
    handles += [
        Line2D([], [], color=BLUE, marker="o", lw=2.0, ms=5, label=f"this {one} by the model, 95 %"),
        Line2D([], [], color=VERMILION, marker="D", ls="none", ms=7, label=f"typical {one}, 95 %"),
        Patch(facecolor=SKY, edgecolor=BLUE, label=f"next {one}, 95 % predictive"),
    ]
    if limit is not None:
        text = f"decision at {words.limit(limit, found.scale)}"
        handles.append(Line2D([], [], color=INK, lw=1.0, ls=(0, (4, 3)), label=text))
    return handles
