"""From what a study prints to an effect and its sampling variance: one table of measures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects import proportions, rates
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


@dataclass(frozen=True)
class Measure:
    """How one measure is computed: the columns it reads, its formula, what it asks of the data.

    `correct` is None for measures that are defined at zero cells: nothing is ever added to those.
    """

    columns: tuple[str, ...]
    formula: Callable[..., tuple[Array, Array]]
    check: Callable[..., None] | None = None
    correct: Callable[..., tuple[tuple[Array, ...], NDArray[np.bool_]]] | None = None


def given(y: Array, v: Array) -> tuple[Array, Array]:
    """GEN: y and v as they are given."""
    return y, v


def _of_counts(formula: Callable[..., tuple[Array, Array]], *, corrected: bool = True) -> Measure:
    return Measure(
        proportions.COLUMNS, formula, proportions.check, proportions.correct if corrected else None
    )


def _of_rates(formula: Callable[..., tuple[Array, Array]], *, corrected: bool = True) -> Measure:
    return Measure(rates.COLUMNS, formula, rates.check, rates.correct if corrected else None)


MEASURES: Final[Mapping[str, Measure]] = {
    "PR": _of_counts(proportions.proportion),
    "PLO": _of_counts(proportions.log_odds),
    "PLN": _of_counts(proportions.log_proportion),
    "PAS": _of_counts(proportions.arcsine, corrected=False),
    "PFT": _of_counts(proportions.freeman_tukey, corrected=False),
    "IR": _of_rates(rates.rate),
    "IRLN": _of_rates(rates.log_rate),
    "IRS": _of_rates(rates.root_rate, corrected=False),
    "GEN": Measure(("y", "v"), given),
}


def effect_size(measure: str, data: Mapping[str, Any], *, add: float = 0.5, to: To = "only0") -> EffectSizes:
    """Effects and sampling variances of studies, with the defaults of metafor's `escalc`.

    Parameters
    ----------
    measure : str
        PR, PLO, PLN, PAS, PFT (columns `events`, `n`), IR, IRLN, IRS (`events`, `time`) or GEN
        (`y`, `v`).
    data : mapping of str to array_like, or DataFrame
        One array per column, of shapes that broadcast to (..., k): the last axis counts studies,
        axes before it count tables, so that a thousand tables are one call.
    add : float
        Added to every cell of a corrected study. PAS, PFT, IRS and GEN are never corrected: they
        are defined at zero.
    to : {"only0", "all", "if0all", "none"}
        Which studies are corrected: those with a zero cell; all; all of a table in which any study
        has a zero cell; none.

    Returns
    -------
    EffectSizes
        With `notes` that name the corrected studies.

    Raises
    ------
    InputError
        If the measure is unknown, a column is missing or is not numbers, a value is impossible,
        or a variance is not positive.

    References
    ----------
    Viechtbauer, W. (2010). Conducting meta-analyses in R with the metafor package. J. Stat. Softw.
    36(3). The formula of each measure is in `effects.proportions` and `effects.rates`.
    """
    if measure not in MEASURES:
        raise InputError(f"measure must be one of {', '.join(MEASURES)}, not {measure!r}")
    recipe = MEASURES[measure]
    values = _columns(measure, recipe.columns, data)
    if recipe.check:
        recipe.check(*values)
    zero_cells = ZeroCells(add, to)
    notes: tuple[str, ...] = ()
    if recipe.correct:
        values, corrected = recipe.correct(zero_cells, *values)
        if corrected.any():
            notes = (_note(zero_cells, recipe.columns, corrected),)
    with np.errstate(divide="ignore"):  # log 0 and 1/0 are refused below, with the study's index
        y, v = recipe.formula(*values)
    _refuse_useless(measure, y, v)
    return EffectSizes(y, v, measure, notes)


def _columns(measure: str, names: tuple[str, ...], data: Mapping[str, Any]) -> tuple[Array, ...]:
    """The columns a measure reads, as float arrays of one shape."""
    missing = [name for name in names if name not in data]
    if missing:
        raise InputError(
            f"measure {measure} needs the columns {', '.join(names)}; "
            f"{', '.join(missing)} not found among {', '.join(map(str, data)) or 'none'}"
        )
    columns = []
    for name in names:
        try:
            column = np.atleast_1d(np.asarray(data[name], dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise InputError(f"column {name} must hold numbers only: {error}") from error
        if not np.isfinite(column).all():
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(column))[0])
            raise InputError(
                f"column {name}, study {at[-1] if len(at) == 1 else at}: expected a finite number, "
                f"found {column[at]}; leave the study out or complete it"
            )
        columns.append(column)
    try:
        return cast(tuple[Array, ...], np.broadcast_arrays(*columns))
    except ValueError as error:
        shapes = ", ".join(f"{name} {column.shape}" for name, column in zip(names, columns, strict=True))
        raise InputError(f"the columns must have shapes that fit together, found {shapes}") from error


def _note(zero_cells: ZeroCells, columns: tuple[str, ...], corrected: NDArray[np.bool_]) -> str:
    """One sentence on what was added where; tables of many rows are counted, not listed."""
    cells = "events and to non-events" if columns == proportions.COLUMNS else "events"
    if corrected.ndim == 1:
        where = ", ".join(str(i) for i in np.flatnonzero(corrected))
        where = f"{'study' if corrected.sum() == 1 else 'studies'} {where}"
    else:
        where = f"{corrected.sum()} of the {corrected.size} studies in all tables"
    return f"{zero_cells.add:g} added to {cells} of {where} (to = {zero_cells.to})"


def _refuse_useless(measure: str, y: Array, v: Array) -> None:
    """A variance that is not positive would give a study infinite weight."""
    wrong = ~(np.isfinite(y) & np.isfinite(v) & (v > 0))
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"{measure} of study {at[-1] if len(at) == 1 else at}: expected a finite y and v > 0, "
            f"found y = {y[at]:g}, v = {v[at]:g}; let zero cells be corrected or leave the study out"
        )
