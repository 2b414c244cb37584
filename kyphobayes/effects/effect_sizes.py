"""From what a study prints to an effect and its sampling variance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphobayes import html
from kyphobayes.effects.measures import MEASURES, Measure
from kyphobayes.effects.validate import first, numbers, place, together
from kyphobayes.effects.zero_cells import To, ZeroCells
from kyphobayes.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EffectSizes:
    """Effects with their sampling variances.

    Attributes
    ----------
    y : ndarray, shape (..., k)
        Effects, on the scale of the measure.
    v : ndarray, shape (..., k)
        Sampling variances, in squared units of y.
    measure : str
        metafor's code of the measure.
    notes : tuple of str
        What was done to the data before, and to which studies (counted from 0). Empty if nothing.
    """

    y: Array
    v: Array
    measure: str
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        y, v = np.atleast_1d(self.y), np.atleast_1d(self.v)
        if y.ndim > 1:
            shape = " × ".join(map(str, y.shape))
            return html.line(f"{self.measure} of {shape} studies")
        rows = [[i + 1, a, b, b**0.5] for i, (a, b) in enumerate(zip(y.tolist(), v.tolist(), strict=True))]
        notes = [html.line(note) for note in self.notes]
        return html.block(html.table(["study", "y", "v", "se"], rows, caption=self.measure), *notes)


def effect_size(
    measure: str,
    data: Mapping[str, Any],
    *,
    add: float = 0.5,
    to: To = "only0",
    vtype: str = "LS",
    correct: bool | None = None,
) -> EffectSizes:
    """Effects and sampling variances of studies, with the defaults of metafor's `escalc` 3.8-1.

    Parameters
    ----------
    measure : str
        One group: PR, PLO, PLN, PAS, PFT (columns `events`, `n`), IR, IRLN, IRS (`events`, `time`).
        Two groups, 1 against 2: OR, RR, RD, AS, PETO (`events_1`, `n_1`, `events_2`, `n_2`), IRR,
        IRD, IRSD (`events_1`, `time_1`, `events_2`, `time_2`), MD, SMD, SMDH, ROM (`mean_1`, `sd_1`,
        `n_1`, `mean_2`, `sd_2`, `n_2`). Pre minus post: MC, SMCC, SMCR, SMCRH, ROMC (`mean_pre`,
        `mean_post`, `sd_pre`, `sd_post`, `n`, `r`; SMCR does not read `sd_post`). GEN (`y`, `v`).
    data : mapping of str to array_like, or DataFrame
        One array per column, of shapes that broadcast to (..., k): the last axis counts studies,
        axes before it count tables, so that a thousand tables are one call.
    add : float
        Added to every cell of a corrected study (to the events of both groups, for rates). PAS, PFT,
        IRS, AS, IRSD and GEN are never corrected: they are defined at zero.
    to : {"only0", "all", "if0all", "none"}
        Which studies are corrected: those with a zero cell, also if both groups have it; all; all
        of a table in which any study has a zero cell; none.
    vtype : str
        How v is estimated: "LS", the large-sample variance; for some measures also "UB", "LS2",
        "AV", "HO" or "BONETT", which their formulas explain.
    correct : bool, optional
        Whether the bias of y in small samples is corrected. By default it is for SMD, SMDH, SMCC,
        SMCR and SMCRH (Hedges' exact J) and is not for ROM and ROMC.

    Returns
    -------
    EffectSizes
        With `notes` that name the corrected studies, and those with zeros in both groups.

    Raises
    ------
    InputError
        If the measure is unknown or does not know the vtype or correction, a column is missing or
        is not numbers, a value is impossible, or a variance is not positive.

    References
    ----------
    Viechtbauer, W. (2010). Conducting meta-analyses in R with the metafor package. J. Stat. Softw.
    36(3). The formula of each measure and its source are in `effects.proportions`, `rates`,
    `two_arms`, `two_rates`, `means` and `pre_post`.
    """
    if measure not in MEASURES:
        raise InputError(f"measure must be one of {', '.join(MEASURES)}, not {measure!r}")
    recipe = MEASURES[measure]
    options = _options(measure, recipe, vtype, correct)
    values = _columns(measure, recipe.columns, data)
    if recipe.check:
        recipe.check(*values)
    zero_cells = ZeroCells(add, to)
    notes: tuple[str, ...] = ()
    if recipe.zeros:
        before = values
        values, corrected = recipe.zeros.correct(zero_cells, *values)
        if corrected.any():
            notes = (f"{add:g} added to {recipe.zeros.cells} of {_which(corrected)} (to = {to})",)
            silent = recipe.zeros.says_nothing
            if silent and (nothing := silent(*before) & corrected).any():
                notes += (
                    f"{_which(nothing)}: {recipe.zeros.silence}; "
                    f"what is computed for {measure} comes from the added {add:g}",
                )
    # What overflows, log 0 and 1/0 are refused below, with the study's index.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        y, v = recipe.formula(*values, **options)
    _refuse_useless(measure, recipe, y, v)
    return EffectSizes(y, v, measure, notes)


def _options(measure: str, recipe: Measure, vtype: str, correct: bool | None) -> dict[str, Any]:
    """The keyword arguments of the measure's formula."""
    if vtype not in recipe.vtypes:
        raise InputError(f"vtype must be one of {', '.join(recipe.vtypes)} for {measure}, not {vtype!r}")
    if correct is not None and recipe.correct is None:
        raise InputError(f"{measure} has no bias correction; leave out correct={correct!r}")
    options: dict[str, Any] = {"vtype": vtype} if len(recipe.vtypes) > 1 else {}
    if recipe.correct is not None:
        options["correct"] = recipe.correct if correct is None else correct
    return options


def _columns(measure: str, names: tuple[str, ...], data: Mapping[str, Any]) -> tuple[Array, ...]:
    """The columns a measure reads, as float arrays of one shape."""
    missing = [name for name in names if name not in data]
    if missing:
        raise InputError(
            f"measure {measure} needs the columns {', '.join(names)}; "
            f"{', '.join(missing)} not found among {', '.join(map(str, data)) or 'none'}"
        )
    return together(**{name: np.atleast_1d(numbers(f"column {name}", data[name])) for name in names})


def _which(marked: NDArray[np.bool_]) -> str:
    """The marked studies in words; tables of many rows are counted, not listed."""
    if marked.ndim > 1:
        return f"{marked.sum()} of the {marked.size} studies in all tables"
    where = ", ".join(str(i) for i in np.flatnonzero(marked))
    return f"{'study' if marked.sum() == 1 else 'studies'} {where}"


def _refuse_useless(measure: str, recipe: Measure, y: Array, v: Array) -> None:
    """A variance that is not positive would give a study infinite weight."""
    wrong = ~(np.isfinite(y) & np.isfinite(v) & (v > 0))
    if wrong.any():
        at = first(wrong)
        advice = "let zero cells be corrected" if recipe.zeros else "mend the row"
        raise InputError(
            f"{measure} of {place(at)}expected a finite y and v > 0, "
            f"found y = {y[at]:g}, v = {v[at]:g}; {advice} or leave the study out"
        )
