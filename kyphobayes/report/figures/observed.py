"""What studies saw, by themselves: estimates with intervals, effect sizes, and weights."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from kyphobayes.effects import effect_size
from kyphobayes.errors import InputError
from kyphobayes.evidence import Contrasts, Counts, Rates, TwoArms, View
from kyphobayes.frequentist import pool_many
from kyphobayes.names import IRLN, MEASURE_LABELS, OR, PLO, PROB, STUDY
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report.values import clopper_pearson
from kyphobayes.report.words import decimal, span, whole

Array = NDArray[np.float64]
_METHODS = {
    Counts: "Clopper–Pearson 95 %",
    Rates: "exact Poisson 95 %",
    Contrasts: "normal 95 %",
    TwoArms: "Woolf 95 %",
}


@dataclass(frozen=True, eq=False)
class Observed:
    """What each study saw.

    Attributes
    ----------
    estimates : DataFrame
        One row per label, natural values: `least` and `most`, the same where the count is printed, else the
        range over the count tables; `low` and `high`, a 95 % interval (over all tables); `latent`.
    heads : tuple of str
        Of the columns of numbers.
    cells : tuple of list of str
        The columns: events out of n, events in a time, or estimates with standard errors.
    method : str
        How the intervals were made.
    """

    estimates: pd.DataFrame
    heads: tuple[str, ...]
    cells: tuple[list[str], ...]
    method: str


def observed(view: View, scale: NaturalScale, *, unit: str = "", event: str = "events") -> Observed:
    """Read estimates, intervals and the numbers behind them off a view.

    Parameters
    ----------
    view : Counts, Rates, Contrasts or TwoArms
    scale : NaturalScale
    unit, event : str
        What n and the counts count, for the heads of the columns.

    Notes
    -----
    Proportions have Clopper and Pearson's (1934) limits, rates Garwood's (1936), estimates a normal interval,
    odds ratios Woolf's (1955) with 0.5 added to the cells of a study that has an empty one.
    """
    events = f"{event[:1].upper()}{event[1:]}"
    if isinstance(view, Counts | Rates):
        least, most = view.tables.min(axis=0), view.tables.max(axis=0)
        size = view.n if isinstance(view, Counts) else view.exposure
        if isinstance(view, Counts):
            ends = clopper_pearson(least, size)[0], clopper_pearson(most, size)[1]
            factor = 1.0
        else:
            factor = float(scale.natural(0.0))  # of a rate of one per unit of time
            low, high = garwood(least, most, size)
            ends = factor * low, factor * high
        cells = [f"{span((a, b))} / {_size(n)}" for a, b, n in zip(least, most, size, strict=True)]
        frame = _frame(view, factor * least / size, factor * most / size, *ends, np.isnan(view.events))
        return Observed(
            frame,
            (f"{events} / {unit or ('n' if isinstance(view, Counts) else 'time')}",),
            (cells,),
            _METHODS[type(view)],
        )
    y, v = (part[0] for part in effects(view))
    ends = scale.natural(y - _Z * np.sqrt(v)), scale.natural(y + _Z * np.sqrt(v))
    frame = _frame(view, scale.natural(y), scale.natural(y), *ends, np.zeros(view.k, dtype=bool))
    if isinstance(view, TwoArms):
        arms = [
            [f"{span((e, e))} / {span((n, n))}" for e, n in zip(*pair, strict=True)]
            for pair in ((view.events_1, view.n_1), (view.events_2, view.n_2))
        ]
        heads = tuple(
            f"{events} / n\narm {name}" if name in "12" else f"{events} / n\n{name}" for name in view.arms
        )
        note = ", 0.5 added to cells of studies with an empty one" if corrected(view) else ""
        return Observed(frame, heads, tuple(arms), _METHODS[TwoArms] + note)
    digits = _digits(np.sqrt(v))
    cells = [f"{_short(a, digits)} ({_short(b, digits)})" for a, b in zip(y, np.sqrt(v), strict=True)]
    name = "Estimate" if not scale.logarithmic else f"log {scale.name}"
    return Observed(frame, (f"{name} (SE)",), (cells,), _METHODS[Contrasts])


_Z = float(stats.norm.ppf((1 + PROB) / 2))


def garwood(least: Array, most: Array, time: Array, prob: float = PROB) -> tuple[Array, Array]:
    """Exact limits of Poisson rates (Garwood 1936): the lower one of one count, the upper of another."""
    tail = (1 - prob) / 2
    low = np.where(least > 0, special.gammaincinv(np.maximum(least, 0.5), tail), 0.0)
    return low / time, special.gammaincinv(most + 1, 1 - tail) / time


def effects(view: View) -> tuple[Array, Array]:
    """Effect sizes and sampling variances on the scale of the model, each of shape (tables, k).

    A study with an empty cell has 0.5 added to its cells, as in metafor.
    """
    if isinstance(view, Contrasts):
        return view.y[None, :], view.se[None, :] ** 2
    if isinstance(view, Counts):
        sizes = effect_size(PLO, {"events": view.tables, "n": np.broadcast_to(view.n, view.tables.shape)})
    elif isinstance(view, Rates):
        time = np.broadcast_to(view.exposure, view.tables.shape)
        sizes = effect_size(IRLN, {"events": view.tables, "time": time})
    elif isinstance(view, TwoArms):
        names = ("events_1", "n_1", "events_2", "n_2")
        sizes = effect_size(
            OR, {name: values[None, :] for name, values in zip(names, view.counts, strict=True)}
        )
    else:
        raise InputError(f"expected counts, rates, estimates or two arms, found {type(view).__name__}")
    return sizes.y, sizes.v


def over_tables(view: View, values: Array) -> Array:
    """Mean over the count tables, by their weights; `values` has the tables first."""
    return np.average(values, axis=0, weights=getattr(view, "weights", np.ones(1)))


def weights(view: View) -> Array:
    """Share of each study in the random-effects mean (REML), averaged over the count tables: shape (k,)."""
    y, v = effects(view)
    return over_tables(view, pool_many(y, v, method="REML", test="z").weights)


def corrected(view: View) -> bool:
    """Whether some study has an empty cell, so that its effect size is one with 0.5 added."""
    if isinstance(view, TwoArms):
        cells = (view.events_1, view.events_2, view.n_1 - view.events_1, view.n_2 - view.events_2)
        return bool(np.any([cell == 0 for cell in cells]))
    if isinstance(view, Counts):
        return bool(((view.tables == 0) | (view.tables == view.n)).any())
    return isinstance(view, Rates) and bool((view.tables == 0).any())


def what_effects_are(view: View) -> str:
    """Name of the model's effects: "log odds of a proportion"."""
    return MEASURE_LABELS.get(view.measure, "effect")


def _frame(
    view: View, least: Array, most: Array, low: Array, high: Array, latent: NDArray[np.bool_]
) -> pd.DataFrame:
    columns = {"least": least, "most": most, "low": low, "high": high, "latent": latent}
    return pd.DataFrame(columns, index=pd.Index(view.labels, name=STUDY))


def _size(n: float) -> str:
    """A number of units, or a time."""
    return whole(n) if n == round(n) or n >= 1000 else f"{n:.4g}"


def _digits(errors: Array) -> int:
    """Decimals that show two digits of a middling standard error."""
    return int(np.clip(1 - np.floor(np.log10(np.median(errors))), 0, 4))


def _short(value: float, digits: int) -> str:
    """A number in few letters, whatever its size."""
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2g}".replace("-", "−")
    return decimal(value, digits)
