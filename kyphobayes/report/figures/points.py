"""Studies as points: who makes the heterogeneity and who moves the mean; the rates of two arms."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.evidence import TwoArms
from kyphobayes.frequentist import baujat as baujat_of
from kyphobayes.names import MU, THETA_NEW
from kyphobayes.natural_scale import natural_scale
from kyphobayes.report.canvas import BLUE, GREY, INK, PALE, SKY, VERMILION, WIDTH, blank, style
from kyphobayes.report.figures.axis import STEPS, limits, plain_ticks
from kyphobayes.report.figures.labels import beside_points
from kyphobayes.report.figures.observed import effects, over_tables, what_effects_are
from kyphobayes.report.figures.recovered import need, recover

_NAMED = 15  # at most
_AREAS = (0.035, 0.17)  # inches of radius, of the smallest and of the largest study
_CROWDED = 6.0  # times the median rate, from which on an axis has square roots


def baujat(fit: xr.DataTree, *, method: str = "CE") -> Figure:
    """Draw each study's contribution to Cochran's Q against its influence on the pooled effect.

    To the right stand studies that make the heterogeneity, above those that move the pooled effect; where
    counts are latent the mean over the count tables. Studies are named in the order of both together, as long
    as there is room.

    Parameters
    ----------
    fit : DataTree
        Of three studies or more.
    method : str
        Model of the pooled effect: "CE", as in the paper, for which the contributions sum to Q; or an
        estimator of tau2 such as "REML", for which they are squared Pearson residuals, as in metafor.

    Raises
    ------
    InputError
        If the fit has fewer, the method is unknown, or it is not one of studies.

    Notes
    -----
    Baujat, Mahé, Pignon and Hill (2002), Stat. Med. 21, 2641.
    """
    found = recover(fit)
    need(found, "a Baujat plot", 3)
    y, v = effects(found.view)
    each = [
        baujat_of(row, errors, method=method)
        for row, errors in zip(y, np.broadcast_to(v, y.shape), strict=True)
    ]
    x = over_tables(found.view, np.array([one.contribution for one in each]))
    height = over_tables(found.view, np.array([one.influence for one in each]))
    with style():
        figure = blank(WIDTH, 5.0)
        axes = figure.add_axes((0.1, 0.125, 0.88, 0.84))
        axes.set_xlim(-0.03 * max(x.max(), 1e-9), 1.16 * max(x.max(), 1e-9))
        axes.set_ylim(-0.05 * max(height.max(), 1e-9), 1.12 * max(height.max(), 1e-9))
        axes.grid(color=PALE, lw=0.6)
        axes.set_axisbelow(True)
        axes.plot(x, height, "o", ms=6, mfc=SKY, mec=BLUE, mew=1.2)
        whole = f"contribution to Cochran's Q (all: {x.sum():.3g} on {found.view.k - 1} degrees of freedom)"
        axes.set_xlabel(whole if method == "CE" else f"squared Pearson residual ({method})")
        axes.set_ylabel("influence on the pooled effect (squared, in standard errors)")
        plain_ticks(axes.xaxis, 8)
        plain_ticks(axes.yaxis, 7)
        rank = np.hypot(x / max(x.max(), 1e-300), height / max(height.max(), 1e-300))
        beside_points(axes, x, height, found.view.labels, np.argsort(-rank)[:_NAMED], radii=0.05)
        return figure


def labbe(fit: xr.DataTree, *, arms: tuple[str, str] = ("arm 1", "arm 2"), event: str = "events") -> Figure:
    """Draw the rates of two arms against each other.

    The area of a circle follows the patients of its study. On the dashed line both arms are alike; the solid
    one is the posterior median of the typical odds ratio, in the bands lie its 95 % interval and that of the
    next study's.

    Parameters
    ----------
    fit : DataTree
        Of two arms (`kyphobayes.evidence.TwoArms`).
    arms : (str, str)
        Names of arm 1 and arm 2.
    event : str
        What is counted.

    Raises
    ------
    InputError
        If the fit is not one of two arms.

    Notes
    -----
    L'Abbé, Detsky and O'Rourke (1987), Ann. Intern. Med. 107, 224.
    """
    found = recover(fit)
    view = found.view
    if not isinstance(view, TwoArms):
        raise InputError(
            "a L'Abbé plot needs events of two arms in every study, found a fit of the "
            f"{what_effects_are(view)}"
        )
    first, second = view.events_1 / view.n_1, view.events_2 / view.n_2
    size = np.sqrt(view.n_1 + view.n_2)
    radii = _AREAS[0] + (_AREAS[1] - _AREAS[0]) * (size - size.min()) / max(np.ptp(size), 1e-9)
    _, top = limits(natural_scale("PLO"), np.concatenate([first, second]), [])
    top = max(top, 0.02)
    with style():
        side, left, bottom = 5.3, 0.95, 0.75
        height = bottom + side + 0.15
        figure = blank(WIDTH, height)
        axes = figure.add_axes((left / WIDTH, bottom / height, side / WIDTH, side / height))
        crowded = top > _CROWDED * float(np.median(np.concatenate([first, second])))
        if crowded:  # low rates have room, and 0 is there
            root = (lambda x: np.sign(x) * np.sqrt(np.abs(x)), lambda x: np.sign(x) * np.square(x))
            axes.set_xscale("function", functions=root)
            axes.set_yscale("function", functions=root)
        low = -0.002 * top if crowded else -0.04 * top
        axes.set_xlim(low, top)
        axes.set_ylim(low, top)
        p = np.linspace(1e-6, min(top, 1 - 1e-6), 400)
        typical, new = (
            found.aggregate.loc[name, ["low", "median", "high"]].to_numpy(dtype=float)
            for name in (MU, THETA_NEW)
        )
        curves = {
            name: special.expit(special.logit(p) + np.asarray(ends)[:, None])
            for name, ends in (("mu", typical), ("new", new))
        }
        axes.fill_between(p, curves["new"][0], curves["new"][2], color=SKY, alpha=0.22, lw=0)
        axes.fill_between(p, curves["mu"][0], curves["mu"][2], color=VERMILION, alpha=0.2, lw=0)
        axes.plot(p, curves["mu"][1], color=VERMILION, lw=1.8)
        axes.plot([0, top], [0, top], color=GREY, lw=1.0, ls=(0, (4, 3)))
        axes.scatter(
            second,
            first,
            s=(2 * 72 * radii) ** 2,
            facecolor="white",
            edgecolor=INK,
            linewidth=1.2,
            zorder=3,
            alpha=0.8,
        )
        for axis, name in ((axes.xaxis, arms[1]), (axes.yaxis, arms[0])):
            axis.set_major_locator(FixedLocator(_root_ticks(top)) if crowded else MaxNLocator(6, steps=STEPS))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(lambda value, _: f"{100 * value:.4g}")
            axis.set_label_text(f"{event}, {name} ({'%, square-root scale' if crowded else '%'})")
        beside_points(axes, second, first, view.labels, np.argsort(-size)[:_NAMED], radii=radii)
        handles = [
            Line2D(
                [], [], color=INK, marker="o", mfc="white", ls="none", ms=9, label="study; area: patients"
            ),
            Line2D([], [], color=GREY, lw=1.0, ls=(0, (4, 3)), label="no difference"),
            Line2D([], [], color=VERMILION, lw=1.8, label="typical odds ratio"),
            Patch(facecolor=VERMILION, alpha=0.2, label="its 95 % interval"),
            Patch(facecolor=SKY, alpha=0.22, label="next study, 95 %"),
        ]
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=((left + side + 0.1) / WIDTH, 1 - 0.1 / height),
            borderaxespad=0.0,
        )
        return figure


def _root_ticks(top: float) -> list[float]:
    every = [0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0]
    kept: list[float] = []
    for value in every:
        if value <= top and (not kept or np.sqrt(value / top) - np.sqrt(kept[-1] / top) > 0.09):
            kept.append(value)
    return kept
