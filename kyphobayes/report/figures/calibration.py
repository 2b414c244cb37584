"""Whether truths lie where their posteriors say: ECDF differences by ArviZ, and a study at a glance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from kyphobayes.calibration.ranks import LEVELS
from kyphobayes.errors import InputError
from kyphobayes.report.canvas import BLUE, GREY, INK, ORANGE, PALE, SIZE, SMALL, WIDTH, blank, style, wrapped

_BAND = 0.99  # probability that a calibrated curve stays within the band everywhere
_COLUMNS = 4
_MARKERS = {"exact": ("o", BLUE), "nuts": ("s", ORANGE)}


def ecdf_differences(positions: Mapping[str, ArrayLike]) -> Figure:
    """Draw how much more often than they should truths lie below each level of their posterior, by ArviZ.

    Parameters
    ----------
    positions : mapping of str to array_like, shape (n,)
        Of each quantity, from 0 to 1: see `kyphobayes.calibration`.

    Raises
    ------
    InputError
        If there is none.

    Notes
    -----
    The band is simultaneous: a calibrated curve leaves it anywhere in at most one of a hundred panels, by the
    inequality of Dvoretzky, Kiefer and Wolfowitz with the constant of Massart (1990). ArviZ's p-value of
    uniformity stands in the panel; where it is below one in a hundred, the places that make it so are marked.
    """
    import arviz_plots
    from matplotlib import pyplot

    if not positions:
        raise InputError("positions: expected one quantity or more, found none")
    arrays = {name: ("sample", np.asarray(values, dtype=float)) for name, values in positions.items()}
    rows = -(-len(positions) // _COLUMNS)
    columns = min(len(positions), _COLUMNS)
    with style():
        made: Any = arviz_plots.plot_ecdf_pit(
            xr.DataTree.from_dict({"/prior_sbc": xr.Dataset(arrays)}),
            sample_dims=["sample"], envelope_prob=_BAND, backend="matplotlib",
            col_wrap=_COLUMNS, figure_kwargs={"figsize": (WIDTH, 2.1 * rows + 0.3)},
        )  # fmt: skip
        figure: Figure = made.viz["figure"].item()
        for at, (name, axes) in enumerate(zip(positions, figure.axes, strict=False)):
            reach = np.sqrt(np.log(2 / (1 - _BAND)) / (2 * len(arrays[name][1])))
            axes.axhspan(-reach, reach, color=PALE, alpha=0.5, zorder=0, linewidth=0)
            axes.set_title(wrapped(figure, name, WIDTH / columns - 0.4, lines=2), fontsize=SIZE)
            below, left = at >= len(positions) - columns, at % columns == 0
            axes.set_xlabel("level of the posterior" if below else "", fontsize=SMALL)
            axes.set_ylabel("truths below, minus level" if left else "", fontsize=SMALL)
            axes.tick_params(labelsize=SMALL, labelbottom=below)
        figure.tight_layout()
        pyplot.close(figure)  # ArviZ has made it pyplot's, which would keep it
        return figure


def calibration(table: pd.DataFrame) -> Figure:
    """Draw the coverage of every row of a calibration study, less the nominal one, by model and engine.

    Parameters
    ----------
    table : DataFrame
        By `kyphobayes.calibration.study.summarised`.

    Notes
    -----
    One mark is one quantity under one prior set and number of studies. The bar behind each is where the
    coverage of a calibrated engine lies in 95 of 100 runs of that many data sets: one mark in twenty is
    expected beside it.
    """
    fitted = table[table["n"] > 0]
    if fitted.empty:
        raise InputError("table: expected rows of fitted data sets, found none")
    models = list(dict.fromkeys(fitted["model"]))
    with style():
        figure = blank(WIDTH, 0.42 * len(models) + 1.3)
        for panel, level in zip(figure.subplots(1, len(LEVELS), sharey=True), LEVELS, strict=True):
            name = f"{100 * level:.0f}"
            for engine, (marker, colour) in _MARKERS.items():
                rows = fitted[fitted["engine"] == engine]
                y = _places(rows, models, engine)
                for end in ("low", "high"):
                    edge = 100 * (rows[f"expected_{name}_{end}"] - level)
                    panel.hlines(
                        y, np.minimum(edge, 0), np.maximum(edge, 0), color=GREY, alpha=0.35, linewidth=0.9
                    )
                panel.plot(
                    100 * (rows[f"coverage_{name}"] - level), y, marker, color=colour, markersize=2.4,
                    linestyle="none", label={"exact": "exact engine", "nuts": "NUTS"}[engine],
                )  # fmt: skip
            panel.axvline(0, color=INK, linewidth=0.8)
            panel.set_title(f"{name} % intervals", fontsize=SIZE)
            panel.set_xlabel("coverage too high by, points")
            panel.set_yticks(range(len(models)), [model.replace("_", " ") for model in models])
            panel.set_ylim(len(models) - 0.4, -0.6)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=2, markerscale=2)
        figure.tight_layout(rect=(0, 0.07, 1, 1))
        return figure


def _places(rows: pd.DataFrame, models: list[str], engine: str) -> np.ndarray:
    """Height of each row: its model's line, spread within it, exact above NUTS."""
    line = rows["model"].map(models.index).to_numpy(dtype=float)
    within = rows.groupby("model").cumcount() / rows.groupby("model")["model"].transform("size")
    return line + (-0.38 if engine == "exact" else 0.04) + 0.34 * within.to_numpy(dtype=float)
