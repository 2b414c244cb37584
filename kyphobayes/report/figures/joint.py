"""The joint posterior of mu and tau: regions of highest density, with both margins."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kyphobayes.names import MU, TAU
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words
from kyphobayes.report.canvas import BLUE, GREY, INK, SMALL, VERMILION, WIDTH, blank, style, wrapped
from kyphobayes.report.figures.axis import Array, logit_ticks, plain_ticks
from kyphobayes.report.figures.recovered import Recovered, recover
from kyphobayes.report.values import prior_curve

LEVELS = (0.5, 0.8, 0.95)
_SHADES = ("#deebf7", "#9ecae1", "#4292c6")  # of the 95, 80 and 50 % region: darker inwards
_PLACES = 241


def joint(fit: xr.DataTree, *, scale: NaturalScale | None = None) -> Figure:
    """Draw the regions of highest posterior density of mu and tau: 50, 80 and 95 %; and both margins.

    Regions are those on the model's scale, on which the two are modelled; natural values stand below. The
    cross marks the mode, the dashed line in the margins the prior.

    Parameters
    ----------
    fit : DataTree
    scale : NaturalScale, optional
        See `forest`.

    Raises
    ------
    InputError
        If the fit has no exact posterior.

    Notes
    -----
    As the joint density of bayesmeta (Röver 2020, J. Stat. Softw. 93(6), fig. 3), with regions of highest
    density (Box and Tiao 1965, Ann. Math. Stat. 36, 1468).
    """
    found = recover(fit, scale)
    posterior, shown = found.posterior, found.scale
    first, last = (float(x) for x in posterior.quantile(MU, [5e-4, 1 - 5e-4]))
    mu = np.linspace(first, last, _PLACES)
    tau = float(posterior.quantile(TAU, 0.999)) * np.linspace(1e-4, 1, _PLACES)
    density = joint_density(found, mu, tau)
    thresholds = [threshold(density, level) for level in LEVELS]
    with style():
        height, side, edge = 5.2, 1.15, 0.95
        figure = blank(WIDTH, height)
        left, bottom = edge, 0.62
        width, tall = WIDTH - left - side - 0.25, height - bottom - side - 0.2
        axes = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, tall / height))
        above = figure.add_axes((left / WIDTH, (bottom + tall + 0.06) / height, width / WIDTH, side / height))
        beside = figure.add_axes(
            ((left + width + 0.06) / WIDTH, bottom / height, side / WIDTH, tall / height)
        )
        axes.contourf(mu, tau, density.T, levels=[*thresholds[::-1], density.max() * 1.001], colors=_SHADES)
        axes.contour(mu, tau, density.T, levels=thresholds[::-1], colors=[BLUE], linewidths=1.1)
        peak = np.unravel_index(np.argmax(density), density.shape)
        axes.plot(mu[peak[0]], tau[peak[1]], "+", color=INK, ms=11, mew=1.8)
        axes.set_xlim(mu[0], mu[-1])
        axes.set_ylim(0, tau[-1])
        logit_ticks(axes, shown, float(mu[0]), float(mu[-1]), 9)
        plain_ticks(axes.yaxis, 6)
        label = f"typical {shown.one}'s {words.heading(shown)}"
        label += f", on the scale of the {words.model_unit(shown)}" if shown.bounds[0] == 0 else ""
        axes.set_xlabel(wrapped(figure, label, width + 1.2, lines=2))
        axes.set_ylabel(f"tau ({words.model_unit(shown)})")
        for panel, name, at in ((above, MU, mu), (beside, TAU, tau)):
            values, prior = posterior.pdf(name, at), prior_curve(found.priors, name, at)
            lines = [(values, BLUE, 2.0, "-")]
            lines += [] if prior is None else [(prior, GREY, 1.4, (0, (4, 2)))]
            ceiling = 1.1 * float(values.max())
            for line, colour, thick, dash in lines:
                panel.plot(*((at, line) if name == MU else (line, at)), color=colour, lw=thick, ls=dash)
            if name == MU:
                panel.fill_between(at, values, color=BLUE, alpha=0.18, lw=0)
                panel.set_ylim(0, ceiling)
                panel.set_xlim(axes.get_xlim())
            else:
                panel.fill_betweenx(at, values, color=BLUE, alpha=0.18, lw=0)
                panel.set_xlim(0, ceiling)
                panel.set_ylim(axes.get_ylim())
            panel.set_xticks([])
            panel.set_yticks([])
            panel.set_axis_off()
        if shown.null is not None and mu[0] < (null := float(shown.model(shown.null))) < mu[-1]:
            for panel in (axes, above):
                panel.axvline(null, color=VERMILION, lw=1.0, ls=(0, (4, 3)))
        handles: list[Patch | Line2D] = [Patch(facecolor=shade, edgecolor=BLUE, label=f"{100 * level:.0f} %")
                   for shade, level in zip(_SHADES, LEVELS[::-1], strict=True)]  # fmt: skip
        handles.append(Line2D([], [], color=GREY, lw=1.4, ls=(0, (4, 2)), label="prior"))
        figure.legend(
            handles=handles, loc="upper right", bbox_to_anchor=(1 - 0.05 / WIDTH, 1 - 0.05 / height),
            fontsize=SMALL, borderaxespad=0.0,
        )  # fmt: skip
        return figure


def joint_density(found: Recovered, mu: Array, tau: Array) -> Array:
    """Joint posterior density at places of mu and tau, up to a constant: shape (len(mu), len(tau))."""
    log_prior = found.priors[MU].log_density(mu)[:, None] + found.priors[TAU].log_density(tau)
    values = found.surface.log_likelihood(mu, tau) + log_prior
    return np.exp(values - values[np.isfinite(values)].max())


def threshold(density: Array, level: float) -> float:
    """Density above which a region of equal cells holds a share `level` of the mass."""
    ordered = np.sort(density.ravel())[::-1]
    mass = np.cumsum(ordered) / ordered.sum()
    return float(ordered[np.searchsorted(mass, level)])
