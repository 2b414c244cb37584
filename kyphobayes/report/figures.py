"""The figures of a result: each a public function that returns a matplotlib `Figure`.

They use matplotlib's objects and no global state: nothing is shown, nothing needs closing.
"""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy import special, stats

from kyphobayes.findings import CountPrediction
from kyphobayes.names import AGGREGATE, MU, TAU, THETA_NEW
from kyphobayes.report.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    SMALL,
    VERMILION,
    WIDTH,
    blank,
    percent_ticks,
    quiet_axis,
    style,
    text_size,
    wrapped,
)
from kyphobayes.report.forest import forest, forest_of
from kyphobayes.report.values import as_rate, draws_of, latent_marginals, posterior_curve, prior_curve
from kyphobayes.report.words import probability, threshold
from kyphobayes.run import Result

__all__ = [
    "engines",
    "forest",
    "forest_of",
    "latent_counts",
    "next_cases",
    "prior_comparison",
    "prior_posterior",
    "ranks",
]

_CHAINS = (BLUE, ORANGE, GREEN, VERMILION, SKY, "#CC79A7")
_LABELS = {
    MU: "typical rate (%)",
    TAU: "tau, spread between centres (log odds)",
    THETA_NEW: "rate of the next centre (%)",
}
_FLOOR = 1e-5  # rates below this are not drawn: a density may pile up at 0
_STEPS = (1, 2, 5, 10)  # ticks at round numbers


def prior_posterior(result: Result) -> Figure:
    """Draw prior and posterior of the typical rate, of tau and of the next centre's rate."""
    with style():
        figure = blank(WIDTH, 3.0)
        panels = figure.subplots(1, 3)
        for axes, name in zip(panels, AGGREGATE, strict=True):
            _prior_posterior(axes, result, name)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=3, borderaxespad=0.2)
        figure.subplots_adjust(left=0.03, right=0.97, top=0.86, bottom=0.19, wspace=0.12)
        return figure


def _prior_posterior(axes: Axes, result: Result, name: str) -> None:
    x, density = posterior_curve(result, name)
    prior = prior_curve(result.priors, name, x)
    if name == TAU:
        top = float(x[np.cumsum(density) <= 0.998 * density.sum()][-1])
        grid = np.linspace(1e-6, 1.25 * top, 401)
        density = np.interp(grid, x, density, left=density[0] if x[0] < 0.02 * top else 0.0, right=0.0)
        prior, x = prior_curve(result.priors, name, grid), grid
    else:
        row = result.main.rates.loc["typical" if name == MU else "new centre"]
        top = min(1.0, max((1.8 if name == MU else 1.25) * row["high"], 1.5 * result.main.below))
        theta = np.linspace(special.logit(_FLOOR), special.logit(min(top, 1 - _FLOOR)), 601)
        prior = prior_curve(result.priors, name, theta)
        prior = None if prior is None else as_rate((theta, prior))[1]
        x, density = as_rate((theta, np.interp(theta, x, density, left=0.0, right=0.0)))
    axes.fill_between(x, density, color=BLUE, alpha=0.18, lw=0)
    axes.plot(x, density, color=BLUE, lw=2.0, label="posterior")
    ceiling = 1.12 * float(density.max())
    if prior is not None:
        axes.plot(x, prior, color=GREY, lw=1.6, ls=(0, (4, 2)), label="prior")
        ceiling = max(ceiling, min(1.12 * float(np.nanmax(prior)), 1.6 * ceiling))
    if name != TAU:
        axes.axvline(
            result.main.below,
            color=INK,
            lw=1.0,
            ls=(0, (1, 2)),
            label=f"decision at {threshold(result.main.below)}",
        )
        percent_ticks(axes)
    axes.set_xlim(0, top if name != TAU else float(x[-1]))
    axes.set_ylim(0, ceiling)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))
    axes.set_xlabel(_LABELS[name])
    quiet_axis(axes)


def next_cases(result: Result) -> Figure | None:
    """Draw the predictive number of events in the next centre's cases; None where the plan asks for none."""
    predictions = result.main.next
    if not predictions:
        return None
    with style():
        unit, event = result.analysis.unit, result.analysis.event
        probe, room = blank(), 0.82 * WIDTH / len(predictions)
        labels = {p.n: wrapped(probe, f"{event} among the next {p.n} {unit}", room) for p in predictions}
        lines = max(label.count("\n") + 1 for label in labels.values())
        height = 2.7 + 0.2 * lines
        figure = blank(WIDTH, height)
        panels = figure.subplots(1, len(predictions), squeeze=False)[0]
        for axes, prediction in zip(panels, predictions, strict=True):
            _next_cases(axes, prediction, labels[prediction.n])
        figure.subplots_adjust(
            left=0.08, right=0.985, top=1 - 0.35 / height, bottom=(0.36 + 0.2 * lines) / height, wspace=0.2
        )
        return figure


def _next_cases(axes: Axes, prediction: CountPrediction, label: str) -> None:
    low, high = prediction.interval()
    counts = np.arange(prediction.n + 1)
    inside = (counts >= low) & (counts <= high)
    shown = counts <= max(high + 3, 6)
    axes.bar(counts[inside & shown], 100 * prediction.probabilities[inside & shown], 0.8, color=BLUE, lw=0)
    axes.bar(counts[~inside & shown], 100 * prediction.probabilities[~inside & shown], 0.8, color=PALE, lw=0)
    axes.axvline(prediction.mean, color=VERMILION, lw=1.4, ls=(0, (4, 2)))
    axes.set_xlim(-0.7, counts[shown][-1] + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=_STEPS, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))
    axes.set_xlabel(label)
    axes.set_ylabel("probability (%)")
    axes.set_title(
        f"95 % interval {low} to {high}, mean {prediction.mean:.1f}", fontsize=SMALL, color=INK, loc="right"
    )


def prior_comparison(result: Result) -> Figure:
    """Draw the intervals of the typical and the next centre's rate under each set of priors."""
    with style():
        rows = list(result.answers.items())
        probe = blank()
        names = [wrapped(probe, _set_name(label), 2.0) for label, _ in rows]
        left = max(text_size(probe, name)[0] for name in names) + 0.3
        head = f"P(rate < {threshold(result.main.below)})"
        right = max(1.5, text_size(probe, head, SMALL)[0]) + 0.25
        top, bottom = 0.5, 0.98
        height = top + bottom + 0.5 * len(rows)
        figure = blank(WIDTH, height)
        box = (left / WIDTH, bottom / height, (WIDTH - left - right - 0.1) / WIDTH, 0.5 * len(rows) / height)
        axes = figure.add_axes(box)

        def put(inches: float, y: float, text: str, **kwargs: str) -> None:
            x = 1 + inches / box[2] / WIDTH
            axes.text(x, y, text, transform=axes.get_yaxis_transform(), ha="right", fontsize=SMALL, **kwargs)  # pyright: ignore[reportArgumentType]

        for place, (name, (_, answer)) in enumerate(zip(names, rows, strict=True)):
            for shift, row, colour in ((-0.15, "typical", VERMILION), (0.15, "new centre", BLUE)):
                rates = answer.rates.loc[row, ["low", "median", "high"]]
                low, middle, high = rates.to_numpy(dtype=float)
                axes.plot([low, high], [place + shift] * 2, color=colour, lw=3.0, solid_capstyle="butt")
                axes.plot(
                    middle,
                    place + shift,
                    "o",
                    ms=5.5,
                    mfc="white",
                    mec=colour,
                    mew=1.6,
                    clip_on=False,
                    zorder=3,
                )
            axes.text(
                -0.15 / box[2] / WIDTH,
                place,
                name,
                transform=axes.get_yaxis_transform(),
                ha="right",
                va="center",
            )
            for inches, share in ((0.8, answer.p_typical), (1.5, answer.p_new)):
                put(inches, place, probability(share), va="center")
        axes.axvline(result.main.below, color=INK, lw=1.0, ls=(0, (4, 3)), zorder=0.5)
        put(1.5, -0.92, head, color=GREY)
        put(0.8, -0.56, "typical", color=GREY)
        put(1.5, -0.56, "next", color=GREY)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        high = max(answer.rates["high"].max() for _, answer in rows)
        axes.set_xlim(0, 1.0 if high > 0.95 else 1.05 * high)
        percent_ticks(axes)
        quiet_axis(axes)
        axes.grid(axis="x", color=PALE, lw=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("rate (%)")
        handles = [
            axes.plot([], [], color=c, lw=3.0, marker="o", mfc="white", mec=c, mew=1.6, label=text)[0]
            for c, text in (
                (VERMILION, "typical rate, 95 % interval"),
                (BLUE, "next centre, 95 % predictive"),
            )
        ]
        figure.legend(handles=handles, loc="lower center", ncols=2, borderaxespad=0.2)
        return figure


def _set_name(label: str) -> str:
    return label.replace("_", " ")


def latent_counts(result: Result) -> Figure | None:
    """Draw the probability of each count that is not printed, before and after the model; None if all are."""
    marginals = latent_marginals(result)
    if not marginals:
        return None
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
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=_STEPS, integer=True))
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=_STEPS))
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


def engines(result: Result) -> Figure | None:
    """Draw draws of NUTS under the exact densities; None unless both engines ran."""
    if not {"exact", "nuts"} <= set(result.fits):
        return None
    with style():
        figure = blank(WIDTH, 2.7)
        panels = figure.subplots(1, 3)
        labels = {
            MU: "mu (log odds)",
            TAU: "tau (log odds)",
            THETA_NEW: "theta of the next centre (log odds)",
        }
        for axes, name in zip(panels, AGGREGATE, strict=True):
            x, density = posterior_curve(result, name)
            cumulative = np.cumsum(density) / density.sum()
            low, high = x[np.searchsorted(cumulative, 0.001)], x[np.searchsorted(cumulative, 0.999)]
            bins = np.linspace(low, high, 41)
            draws = draws_of(result, "nuts", name).ravel()
            heights = np.histogram(draws, bins)[0] / len(draws) / np.diff(bins)
            axes.stairs(heights, bins, fill=True, color=ORANGE, alpha=0.55, label="NUTS, draws")
            axes.plot(x, density, color=BLUE, lw=2.0, label="exact quadrature")
            axes.set_xlim(low, high)
            axes.set_ylim(0, 1.1 * max(heights.max(), density.max()))
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))
            axes.set_xlabel(labels[name])
            quiet_axis(axes)
        handles, texts = panels[0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="upper center", ncols=2, borderaxespad=0.2)
        figure.subplots_adjust(left=0.03, right=0.97, top=0.86, bottom=0.2, wspace=0.12)
        return figure


def ranks(result: Result) -> Figure | None:
    """Draw rank histograms of mu and tau by chain (Vehtari et al. 2021); None unless NUTS ran."""
    if "nuts" not in result.fits:
        return None
    with style():
        figure = blank(WIDTH, 2.6)
        panels = figure.subplots(1, 2, sharey=True)
        away = 0.3
        for axes, name in zip(panels, (MU, TAU), strict=True):
            draws = draws_of(result, "nuts", name)
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
