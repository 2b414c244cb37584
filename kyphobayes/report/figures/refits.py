"""The answer with fewer studies: added one at a time, or each left out in turn; every row is exact."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kyphobayes.errors import InputError
from kyphobayes.exact import Posterior
from kyphobayes.names import MU, PROB, TAU
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report.canvas import BLUE, PALE, VERMILION, style
from kyphobayes.report.figures.axis import decision_line, limits, natural_axis
from kyphobayes.report.figures.numbers import STATISTICS, column
from kyphobayes.report.figures.recovered import Recovered, need, recover
from kyphobayes.report.figures.rows import Row, diamond, draw_rows, interval
from kyphobayes.report.words import decimal, heading
from kyphobayes.report.words import limit as written_limit

_Q = [0.5, (1 - PROB) / 2, (1 + PROB) / 2]


def cumulative(
    fit: xr.DataTree,
    *,
    order: Sequence[str] | None = None,
    scale: NaturalScale | None = None,
    limit: float | None = None,
    label: str = "",
) -> Figure:
    """Draw the typical effect after the first study, the first two, and so on.

    Under the fit's priors each row is the exact posterior of the studies up to and with its own. With one
    study the priors say most of what there is to say, which is why their choice is seen best in the first
    rows.

    Parameters
    ----------
    fit : DataTree
    order : sequence of str, optional
        Labels of all studies in the order in which they are added, by year of publication, say; as the fit
        has them by default.
    scale : NaturalScale, optional
        See `forest`.
    limit : float, optional
        Natural value that a decision is about.
    label : str
        Of the axis.

    Raises
    ------
    InputError
        If `order` is not an order of the fit's studies, or the fit has no exact posterior.

    Notes
    -----
    Cumulative meta-analysis: Lau et al. (1992), N. Engl. J. Med. 327, 248.
    """
    found = recover(fit, scale)
    labels = list(found.view.labels)
    named = labels if order is None else [str(name) for name in order]
    if sorted(named) != sorted(labels):
        wrong = next((name for name in named if named.count(name) > 1 or name not in labels), None)
        raise InputError(
            f"order: expected each of the {len(labels)} studies once, found "
            + (f"{wrong!r}" if wrong else f"{len(named)} names")
        )
    rows = {}
    for step in range(len(named)):
        later = named[step + 1 :]
        rows[("+ " if step else "") + named[step]] = (
            found.posterior.without(*later) if later else found.posterior
        )
    with style():
        return _draw(found, rows, {}, limit, label, "Studies so far")


def leave_one_out(
    fit: xr.DataTree,
    *,
    scale: NaturalScale | None = None,
    limit: float | None = None,
    label: str = "",
) -> Figure:
    """Draw the typical effect without each study in turn, over that of all studies.

    Every row is an exact refit under the fit's priors and not an approximation by importance weights.

    Parameters
    ----------
    fit : DataTree
        Of two studies or more.
    scale, limit, label
        See `forest`.

    Raises
    ------
    InputError
        If the fit has one study, or no exact posterior.

    Notes
    -----
    As metafor's ``leave1out`` (Viechtbauer and Cheung 2010, Res. Synth. Methods 1, 112), with posteriors.
    """
    found = recover(fit, scale)
    need(found, "leaving one out", 2)
    without = {f"without {name}": found.posterior.without(name) for name in found.view.labels}
    with style():
        return _draw(found, without, {"All studies": found.posterior}, limit, label, "Studies")


def _draw(
    found: Recovered,
    posteriors: dict[str, Posterior],
    whole: dict[str, Posterior],
    limit: float | None,
    label: str,
    first: str,
) -> Figure:
    shown = found.scale
    table, tau = _table(found, posteriors)
    all_, all_tau = _table(found, whole)
    write = column(shown, table, *([all_] if whole else []))
    rows = [
        Row(
            str(name),
            (),
            (decimal(tau[name], 2), write(row)),
            _marks(row),
            bold=bool(not whole and name == table.index[-1]),
        )
        for name, row in _rows(table)
    ]
    rows += [
        Row(str(name), (), (decimal(all_tau[name], 2), write(row)), _diamond(row), bold=True, rule=True)
        for name, row in _rows(all_)
    ]
    both = pd.concat([table, all_])
    core = both["median"].tolist() + both.iloc[-1].tolist() + ([] if limit is None else [limit])
    low, high = limits(shown, core, both.to_numpy())

    def prepare(axes: Axes, width: float) -> None:
        for _, row in all_.iterrows():
            axes.axvspan(row["low"], row["high"], color=PALE, alpha=0.45, lw=0, zorder=0.4)
            axes.axvline(row["median"], color=VERMILION, lw=1.0, zorder=1.3)
        natural_axis(axes, shown, low, high, width, label=label or None)
        decision_line(axes, limit)

    handles: list[Any] = [
        Line2D([], [], color=BLUE, marker="o", lw=2.0, ms=5, label=f"typical {shown.one}, 95 %")
    ]
    if whole:
        handles = [
            *handles,
            Line2D([], [], color=VERMILION, marker="D", ls="none", ms=7, label="all studies, 95 %"),
            Patch(facecolor=PALE, alpha=0.45, label="interval of all studies"),
        ]
    if limit is not None:
        text = f"decision at {written_limit(limit, shown)}"
        handles.append(Line2D([], [], color="black", lw=1.0, ls=(0, (4, 3)), label=text))
    return draw_rows(
        rows,
        ((), ("tau", f"Typical {shown.one}: {heading(shown)}\n(95 % interval)")),
        prepare,
        handles,
        first=first,
    )


def _rows(table: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    # labels are unique, so that each is one row
    return ((str(name), table.loc[str(name)]) for name in table.index)  # pyright: ignore[reportReturnType]


def _table(found: Recovered, posteriors: dict[str, Posterior]) -> tuple[pd.DataFrame, pd.Series]:
    """Natural typical effect and median tau of each posterior."""
    rows = [found.scale.natural(posterior.quantile(MU, _Q)) for posterior in posteriors.values()]
    table = pd.DataFrame(np.reshape(rows, (-1, 3)), index=list(posteriors), columns=STATISTICS)
    tau = [float(posterior.quantile(TAU, 0.5)) for posterior in posteriors.values()]
    return table, pd.Series(tau, index=list(posteriors), dtype=float)


def _marks(row: pd.Series):
    return lambda axes, y: interval(
        axes, y, float(row["low"]), float(row["high"]), float(row["median"]), colour=BLUE
    )


def _diamond(row: pd.Series):
    return lambda axes, y: diamond(axes, y, float(row["low"]), float(row["median"]), float(row["high"]))
