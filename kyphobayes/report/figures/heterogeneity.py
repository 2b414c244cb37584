"""What tau does: effects given tau, and what the data alone and with the priors say of tau."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.population import table_shares
from kyphobayes.names import MU, PROB, TAU
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words
from kyphobayes.report.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    SKY,
    SMALL,
    VERMILION,
    WIDTH,
    blank,
    quiet_axis,
    style,
    wrapped,
)
from kyphobayes.report.figures.axis import Array, limits, plain_ticks, ticks
from kyphobayes.report.figures.labels import beside_lines
from kyphobayes.report.figures.observed import effects, over_tables
from kyphobayes.report.figures.recovered import Recovered, need, recover
from kyphobayes.report.values import prior_curve

_COLOURS = (BLUE, ORANGE, GREEN, SKY, "#CC79A7", GREY)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)))
_TAU, _PROFILE = 41, 81  # places of tau
_FEW, _MANY = 201, 1501  # places of mu: four in a standard error of the pooled effect, within these numbers
_NEAR_0 = 1e-3  # share of tau's reach where the grid begins: at 0 the likelihood is a limit
_TOP = 0.995  # probability of tau up to which is drawn
_CUT = special.chdtri(1, 1 - PROB) / 2  # fall of the log likelihood at the ends of its interval


@dataclass(frozen=True, eq=False)
class GivenTau:
    """Effects on the model's scale, given tau.

    Attributes
    ----------
    tau : ndarray, shape (t,)
    mu : ndarray, shape (3, t)
        Mean of mu given tau, and the ends of its central 95 % interval.
    theta : ndarray, shape (k, t)
        Mean of each study's effect given tau.
    profile : ndarray, shape (t,)
        Log likelihood of tau, at its highest over mu.
    """

    tau: Array
    mu: Array
    theta: Array
    profile: Array


def conditional(found: Recovered, top: float) -> GivenTau:
    """Solve for mu and the studies' effects at fixed values of tau, up to `top`.

    Notes
    -----
    With normal effects the mean of theta given mu and tau is ``mu + tau^2 d log L_i / d mu``, where L_i is
    the study's likelihood with theta integrated out: the score of a normal location mixture, as in Robbins
    (1956) and Efron (2011), J. Am. Stat. Assoc. 106, 1602, eq. 1.4. It holds for counts as for estimates.
    Over mu it is averaged with the posterior given tau, over count tables with their probabilities.

    Raises
    ------
    InputError
        If the effects of the model's studies are not normal.
    """
    surface = found.surface
    if not surface.studies.kernel.normal:
        raise InputError(
            f"given tau: expected a model with normal effects, found {found.fit.attrs['model']}, whose tails "
            f"are heavier"
        )
    tau = top * np.linspace(_NEAR_0, 1.0, _TAU)
    y, v = effects(found.view)
    precision = (1 / v).sum(axis=1)
    centre, error = over_tables(found.view, (y / v).sum(axis=1) / precision), np.sqrt(1 / precision.min())
    ends = found.posterior.quantile(MU, [1e-6, 1 - 1e-6])
    mu = _places(min(ends[0], centre - 8 * error), max(ends[1], centre + 8 * error), error)
    pieces = surface.studies.log_integrated(mu, tau)
    shares = table_shares(surface, pieces)
    likelihood = surface.log_likelihood(mu, tau)
    density = special.softmax(likelihood + found.priors[MU].log_density(mu)[:, None], axis=0)
    effect = mu[:, None] + tau**2 * np.gradient(pieces, mu, axis=1, edge_order=2)
    theta = np.stack(
        [
            sum(
                ((share * effect[piece]) * density).sum(axis=0)
                for share, piece in zip(shares, column, strict=True)
            )
            for column in surface.tables.T
        ]
    )
    below = np.cumsum(density, axis=0) - density / 2
    tail = (1 - PROB) / 2
    limits_ = [[np.interp(q, column, mu) for column in below.T] for q in (tail, 1 - tail)]
    return GivenTau(tau, np.stack([mu @ density, *limits_]), theta, likelihood.max(axis=0))


def _places(low: float, high: float, error: float) -> Array:
    return np.linspace(low, high, int(np.clip(4 * (high - low) / error, _FEW, _MANY)))


def given_tau(fit: xr.DataTree, *, scale: NaturalScale | None = None) -> Figure:
    """Draw the typical effect and each study's own as functions of tau, with tau's posterior beneath.

    At tau = 0 all studies have one effect; as tau grows each is left to what it saw itself. The posterior
    below says which of this counts, and how little the answer need depend on tau.

    Parameters
    ----------
    fit : DataTree
        Of a model with normal effects.
    scale : NaturalScale, optional
        See `forest`. Lines are natural values of means on the model's scale.

    Raises
    ------
    InputError
        If the fit has no exact posterior, or its effects are not normal.

    Notes
    -----
    The trace plot of bayesmeta: Rubin (1981), J. Educ. Stat. 6, 377, fig. 2; DuMouchel (1994); Röver,
    Rindskopf and Friede (2023), arXiv:2306.17043. Not to be taken for the trace of a sampler.
    """
    found = recover(fit, scale)
    shown, view = found.scale, found.view
    top = float(found.posterior.quantile(TAU, _TOP))
    given = conditional(found, top)
    with style():
        tall = max(2.9, 0.155 * (view.k + 1) + 0.2)
        below, bottom, gap = 1.1, 0.55, 0.12
        height = tall + below + bottom + gap + 0.15
        figure = blank(WIDTH, height)
        left, width, names = 0.95, 5.0, WIDTH - 0.95 - 5.0 - 0.45
        axes = figure.add_axes((left / WIDTH, (bottom + below + gap) / height, width / WIDTH, tall / height))
        under = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, below / height))
        lines, mu = shown.natural(given.theta), shown.natural(given.mu)
        low, high = limits(shown, np.concatenate([lines.ravel(), mu[0]]), mu[1:].ravel())
        if shown.logarithmic:
            axes.set_yscale("log")
        elif shown.bounds[0] == 0 and low == 0:
            low = -0.02 * high
        axes.set_ylim(low, high)
        axes.set_xlim(0, top)
        ticks(axes.yaxis, shown, low, high, 7)
        axes.set_ylabel(wrapped(figure, words.heading(shown), tall, lines=2))
        axes.fill_between(given.tau, mu[1], mu[2], color=VERMILION, alpha=0.13, lw=0)
        colours = [_COLOURS[i % len(_COLOURS)] for i in range(view.k)]
        for i, line in enumerate(lines):
            axes.plot(
                given.tau, line, color=colours[i], lw=1.2, ls=_DASHES[i // len(_COLOURS) % len(_DASHES)]
            )
        axes.plot(given.tau, mu[0], color=VERMILION, lw=2.6)
        axes.tick_params(labelbottom=False)
        beside_lines(
            axes, [*lines[:, -1], mu[0, -1]], [*view.labels, f"typical {shown.one}"], [*colours, VERMILION],
            width=names, bold=[False] * view.k + [True],
        )  # fmt: skip
        _tau_density(under, found, top)
        under.set_xlabel(f"tau ({words.model_unit(shown)})")
        under.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
        return figure


def tau_profile(fit: xr.DataTree, *, scale: NaturalScale | None = None) -> Figure:
    """Draw the profile likelihood of tau beside its posterior.

    The profile likelihood is what the data alone say: at each tau the likelihood at its highest over mu,
    relative to its highest of all, and the interval in which twice its logarithm falls by less than 3.84. The
    posterior adds the prior and averages over mu where the profile goes to its peak; with few studies that
    alone moves tau upwards.

    Parameters
    ----------
    fit : DataTree
        Of two studies or more.
    scale : NaturalScale, optional
        See `forest`; it names the unit of tau.

    Raises
    ------
    InputError
        If the fit has one study, or no exact posterior.

    Notes
    -----
    Profile likelihood intervals of tau: Hardy and Thompson (1996), Stat. Med. 15, 619.
    """
    found = recover(fit, scale)
    need(found, "a profile likelihood of tau", 2)
    density = found.posterior.tau
    top = float(density.quantile(_TOP))
    tau, profile = _profile(found, 1.1 * top)
    if profile[-1] > profile.max() - _CUT:  # the likelihood goes on where the prior has long ended
        top = 2 * top
        tau, profile = _profile(found, 1.1 * top)
    relative = np.exp(profile - profile.max())
    inside = tau[profile >= profile.max() - _CUT]
    peak = 0.0 if profile.argmax() == 0 else float(tau[profile.argmax()])
    low, high = 0.0 if inside[0] == tau[0] else float(inside[0]), float(inside[-1])
    with style():
        figure = blank(WIDTH, 3.35)
        left, right = figure.subplots(1, 2)
        left.fill_between(
            tau, relative, where=profile >= profile.max() - _CUT, color=ORANGE, alpha=0.25, lw=0
        )
        left.plot(tau, relative, color=ORANGE, lw=2.0)
        left.axhline(np.exp(-_CUT), color=GREY, lw=0.9, ls=(0, (4, 3)))
        left.axvline(peak, color=INK, lw=1.1)
        left.set_ylim(0, 1.06)
        left.set_ylabel("relative profile likelihood")
        open_end = " or more" if inside[-1] == tau[-1] else ""
        left.set_title(
            f"data alone: {_two(peak)} ({_two(low)} to {_two(high)}{open_end})", loc="left", fontsize=SMALL
        )
        median, first, last = density.quantile([0.5, (1 - PROB) / 2, (1 + PROB) / 2])
        _tau_density(right, found, float(tau[-1]), interval=(float(first), float(last)))
        right.axvline(float(median), color=INK, lw=1.1)
        right.set_title(
            f"with the prior: {_two(float(median))} ({_two(float(first))} to {_two(float(last))})",
            loc="left",
            fontsize=SMALL,
        )
        right.legend(loc="upper right", borderaxespad=0.1)
        for axes in (left, right):
            axes.set_xlim(0, float(tau[-1]))
            plain_ticks(axes.xaxis, 6)
            axes.set_xlabel(wrapped(figure, f"tau ({words.model_unit(found.scale)})", 3.8, lines=1))
        figure.subplots_adjust(left=0.08, right=0.985, top=0.9, bottom=0.155, wspace=0.1)
        return figure


def _profile(found: Recovered, top: float) -> tuple[Array, Array]:
    """Log likelihood of tau at its highest over mu, by a parabola through the three highest places."""
    tau = top * np.linspace(_NEAR_0, 1.0, _PROFILE)
    y, v = effects(found.view)
    mu = _places(y.min(), y.max(), float((1 / v).sum(axis=1).max() ** -0.5))  # the peak is among the studies
    values = found.surface.log_likelihood(mu, tau)
    at = np.clip(values.argmax(axis=0), 1, len(mu) - 2)
    before, here, after = (values[at + step, np.arange(len(tau))] for step in (-1, 0, 1))
    bend = before - 2 * here + after
    rise = np.where(bend < 0, (before - after) ** 2 / (8 * np.where(bend < 0, -bend, 1.0)), 0.0)
    return tau, here + rise


def _tau_density(
    axes: Axes, found: Recovered, top: float, interval: tuple[float, float] | None = None
) -> None:
    """Posterior and prior of tau from 0 to `top`; the interval, or all, shaded."""
    x = top * np.linspace(1e-6, 1.0, 401)
    density, prior = found.posterior.pdf(TAU, x), prior_curve(found.priors, TAU, x)
    low, high = interval or (0.0, top)
    axes.fill_between(x, density, where=(x >= low) & (x <= high), color=BLUE, alpha=0.18, lw=0)
    axes.plot(x, density, color=BLUE, lw=2.0, label="posterior of tau")
    ceiling = 1.15 * float(density.max())
    if prior is not None:
        axes.plot(x, prior, color=GREY, lw=1.5, ls=(0, (4, 2)), label="prior of tau")
        ceiling = max(ceiling, min(1.1 * float(np.nanmax(prior)), 1.5 * ceiling))
    axes.set_ylim(0, ceiling)
    axes.set_xlim(0, top)
    plain_ticks(axes.xaxis, 6)
    quiet_axis(axes)


def _two(value: float) -> str:
    return words.decimal(value, 2) if value == 0 or 0.01 <= value < 1e4 else f"{value:.2g}"
