"""Pain of single patients over time, with what is missing and why."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from kyphobayes.errors import InputError
from kyphobayes.evidence import PatientPain
from kyphobayes.evidence.patients import REASONS, TIMES, TOP
from kyphobayes.report.canvas import BLUE, INK, ORANGE, PALE, SMALL, VERMILION, WIDTH, blank, style
from kyphobayes.report.figures.axis import Array

_NAMES = {"pre": "before", "post": "after", "late": "last visit"}
_SPREAD = 0.7  # of a point, over which patients with one score are spread
_MISSING = "unexplained"
_PRINTED, _UNKNOWN = ",\nno reason printed", "\n(a fit does not say why)"
_COLOURS = {"seen": BLUE, "death": VERMILION, "unexplained": ORANGE}
_MARKS = {"seen": "o", "death": "X", "unexplained": "s"}
_WORDS = {
    "seen": "all three scores",
    "death": "died before the last visit",
    "unexplained": "last score missing",
}


def trajectories(patients: PatientPain | xr.DataTree) -> Figure:
    """Draw every patient's pain before, after and at the last visit.

    Patients with the same score stand beside each other and not on top of each other, so that each line can
    be followed. Who has no last score ends in a lane below the axis: a cross for death, a square where no
    reason is printed. The means are those of the patients who have the score, which after deaths are others
    than before.

    Parameters
    ----------
    patients : PatientPain or DataTree
        The view, or a fit of ``models/patient_pain.py``. A fit knows who has no last score but not why, so
        that all of these are drawn alike.

    Raises
    ------
    InputError
        If it is neither.

    Notes
    -----
    Individual lines with marked drop-out, as Diggle, Heagerty, Liang and Zeger (2002), Analysis of
    Longitudinal Data, ch. 3 and 13, ask for before any mean is shown.
    """
    scores, reasons, known = _read(patients)
    with style():
        lost = [name for name in ("death", "unexplained") if name in reasons]
        height = 4.4 + 0.25 * len(lost)
        figure = blank(WIDTH, height)
        left, right, bottom = 0.8, 2.75, 0.55
        axes = figure.add_axes(
            (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - bottom - 0.15) / height)
        )
        lanes = {name: -1.6 - 1.0 * at for at, name in enumerate(lost)}
        _lines(axes, scores, reasons, lanes)
        seen = np.isfinite(scores)
        means = np.array([scores[seen[:, time], time].mean() for time in range(len(TIMES))])
        axes.plot(
            range(len(TIMES)), means, color=INK, lw=2.6, marker="D", ms=6, mfc="white", mew=1.8, zorder=4
        )
        for time, mean in enumerate(means):
            axes.text(
                time + 0.07, mean + 0.55, f"{mean:.1f}", ha="left", va="center", fontsize=SMALL, color=INK,
                fontweight="bold", zorder=5, path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )  # fmt: skip
        axes.set_xlim(-0.2, 2.28)
        axes.set_ylim(min([-0.6, *(y - 0.6 for y in lanes.values())]), TOP + 0.6)
        axes.set_yticks(range(0, TOP + 1, 2))
        axes.spines["left"].set_bounds(0, TOP)
        counts = seen.sum(axis=0)
        axes.set_xticks(range(3), [f"{_NAMES[name]}\nn = {n}" for name, n in zip(TIMES, counts, strict=True)])
        axes.set_ylabel(f"pain (0 to {TOP})", y=(TOP / 2 - axes.get_ylim()[0]) / np.ptp(axes.get_ylim()))
        for score in range(0, TOP + 1, 2):
            axes.axhline(score, color=PALE, lw=0.6, zorder=0.5)
        _legend(figure, reasons, known, left + (WIDTH - left - right), height)
        return figure


def _read(patients: PatientPain | xr.DataTree) -> tuple[Array, list[str], bool]:
    """Scores (patients, times), why the last is missing, and whether that is known."""
    if isinstance(patients, PatientPain):
        return patients.scores, [REASONS[reason] for reason in patients.reason], True
    if isinstance(patients, xr.DataTree) and "observed_data" in patients.children:
        observed = patients["observed_data"].dataset
        if "score" in observed and "reading" in observed.coords:
            names = [str(name).rpartition(" ")[::2] for name in observed["reading"].values]
            table = pd.Series(observed["score"].values.astype(float), index=pd.MultiIndex.from_tuples(names))
            order = list(dict.fromkeys(name for name, _ in names))
            scores = table.unstack()[list(TIMES)].loc[order].to_numpy(dtype=float)
            return scores, ["seen" if known else _MISSING for known in np.isfinite(scores[:, -1])], False
    raise InputError(
        "trajectories: expected patients' pain (read_patient_pain) or a fit of models/patient_pain.py, found "
        f"{getattr(patients, 'attrs', {}).get('model', type(patients).__name__)}"
    )


def _lines(axes: Axes, scores: Array, reasons: list[str], lanes: dict[str, float]) -> None:
    ends = np.where(np.isfinite(scores), scores, [[lanes.get(reason, 0.0)] for reason in reasons])
    order = np.lexsort((*ends.T[::-1],))  # so that lines side by side go the same way
    places = np.column_stack(
        [_beside(column, ends[:, min(time + 1, 2)]) for time, column in enumerate(ends.T)]
    )
    for patient in order:
        reason, own = reasons[patient], places[patient]
        colour, known = _COLOURS[reason], int(np.isfinite(scores[patient]).sum())
        axes.plot(range(known), own[:known], color=colour, lw=1.0, alpha=0.75, zorder=2)
        axes.plot(range(known), own[:known], "o", color=colour, ms=3.5, zorder=3)
        if known < len(TIMES):
            axes.plot(
                [known - 1, len(TIMES) - 1], own[[known - 1, -1]], color=colour, lw=1.0, ls=(0, (2, 2)),
                alpha=0.75, zorder=2,
            )  # fmt: skip
            axes.plot(
                len(TIMES) - 1, own[-1], _MARKS[reason], color=colour, ms=6, zorder=3, mfc="white", mew=1.3
            )


def _beside(column: Array, after: Array) -> Array:
    """Spread equal values over a little height, in the order of what comes after."""
    moved = column.astype(float).copy()
    for value in np.unique(column):
        same = np.flatnonzero(column == value)
        same = same[np.argsort(after[same], kind="stable")]
        if len(same) > 1:
            moved[same] += _SPREAD * np.linspace(-0.5, 0.5, len(same))
    return moved


def _legend(figure: Figure, reasons: list[str], known: bool, x: float, height: float) -> None:
    handles = []
    for name, words in _WORDS.items():
        if name in reasons:
            text = words + ("" if name != _MISSING else _PRINTED if known else _UNKNOWN)
            full = name == "seen"
            handles.append(
                Line2D(
                    [], [], color=_COLOURS[name], marker=_MARKS[name], ms=5, mew=1.3, lw=1.2,
                    mfc=_COLOURS[name] if full else "white", ls="-" if full else (0, (2, 2)),
                    label=f"{text}: {reasons.count(name)}",
                )
            )  # fmt: skip
    handles.append(
        Line2D(
            [],
            [],
            color=INK,
            lw=2.6,
            marker="D",
            ms=6,
            mfc="white",
            mew=1.8,
            label="mean of those with the score",
        )
    )
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=((x + 0.1) / WIDTH, 1 - 0.15 / height),
        borderaxespad=0.0, labelspacing=0.8, title="Patients", alignment="left", title_fontsize=SMALL,
    )  # fmt: skip
