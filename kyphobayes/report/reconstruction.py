"""The figure of counts that a paper does not print: which counts the tables leave to each study."""

import math

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kyphobayes.reconstruct import CountTables
from kyphobayes.report.canvas import BLUE, WIDTH, blank, style, wrapped

_STEPS = (1, 2, 5, 10)
_ROOM = 0.75  # inches that a panel loses to its axis


def marginals(found: CountTables) -> Figure:
    """Draw the weight of each possible count, a panel for each study whose count was not known."""
    studies = found.latent or found.studies
    with style():
        columns = min(3, len(studies))
        rows = math.ceil(len(studies) / columns)
        height = 0.35 + 1.9 * rows
        figure = blank(WIDTH, height)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, study in zip(panels, studies, strict=False):
            marginal = found.marginal(study)
            x, shares = np.array(list(marginal)), 100 * np.array(list(marginal.values()))
            axes.bar(x, shares, 0.8, color=BLUE, lw=0)
            room = max(0.8, 2.5 - np.ptp(x) / 2)
            axes.set_xlim(max(x.min() - room, -0.8), x.max() + room)
            axes.set_ylim(0, min(105.0, 1.18 * shares.max()))
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=_STEPS, integer=True))
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=_STEPS))
            size = int(found.n[found.studies.index(study)])
            axes.set_title(
                wrapped(figure, f"{study}, of {size}", WIDTH / columns - _ROOM, lines=2), loc="left"
            )
        for axes in panels[len(studies) :]:
            axes.set_visible(False)
        for place in range(0, len(panels), columns):
            panels[place].set_ylabel("share of tables (%)")
        for axes in panels[max(len(studies) - columns, 0) : len(studies)]:
            axes.set_xlabel("events")
        figure.subplots_adjust(
            left=0.085, right=0.985, top=1 - 0.4 / height, bottom=0.55 / height, wspace=0.24, hspace=0.62
        )
        return figure


def alternative(found: CountTables) -> str:
    """Words for those who cannot see the figure."""
    parts = []
    for study in found.latent or found.studies:
        marginal = found.marginal(study)
        low, high = min(marginal), max(marginal)
        likely = max(marginal, key=lambda count: marginal[count])
        span = f"{low}" if low == high else f"{low} to {high}, most often {likely}"
        parts.append(f"{study} {span}")
    return f"Bar charts of the share of tables with each count, by study: {'; '.join(parts)}."
