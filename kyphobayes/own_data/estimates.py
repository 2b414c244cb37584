"""Estimates with their uncertainty: ratios to logarithms, intervals to standard errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.errors import EvidenceError
from kyphobayes.names import GEN, RATIOS
from kyphobayes.own_data.columns import Column
from kyphobayes.own_data.kinds import CONTRAST_MEASURES
from kyphobayes.own_data.sheet import Sheet, listed, shown
from kyphobayes.own_data.vocabulary import estimate_named
from kyphobayes.toml_files import nearest

Array = NDArray[np.float64]
SCALES = ("log", "natural")
_CENTRED = 0.1  # of half an interval by which rounding moves an estimate from its middle
_OFF = 0.25  # beyond which an interval is not the estimate's


@dataclass(frozen=True)
class Estimates:
    """Estimates on the model's scale.

    Attributes
    ----------
    y, se : ndarray, shape (k,)
    measure : str
    notes : tuple of str
    """

    y: Array
    se: Array
    measure: str
    notes: tuple[str, ...]


def estimates(
    sheet: Sheet,
    columns: dict[str, Column],
    rows: list[int],
    *,
    measure: str = "",
    scale: str = "",
    ci_level: float = 0.95,
) -> Estimates:
    """Bring estimates onto the scale of their measure, with standard errors.

    Parameters
    ----------
    sheet : Sheet
    columns : dict of str to Column
        "y" with "se", "v", or "ci_low" and "ci_high", of the studies in `rows`.
    rows : list of int
    measure : str
        metafor's code; where empty, that which the column is named after.
    scale : {"", "log", "natural"}
        Of the numbers of a ratio, where the user said it.
    ci_level : float
        Of the intervals.

    Raises
    ------
    EvidenceError
        If an interval does not hold its estimate, or it cannot be told whether ratios are logarithms.
    """
    y, head = columns["y"].values, sheet.columns[columns["y"].place]
    named, log = estimate_named(head)
    if measure and measure not in CONTRAST_MEASURES:
        raise EvidenceError(
            f"{sheet.name}: measure of estimates: {measure!r}; {nearest(measure, CONTRAST_MEASURES)}"
        )
    if measure and named and measure != named and (measure in RATIOS) != (named in RATIOS):
        raise EvidenceError(
            f"{sheet.name}: {shown(head)} is named after {named}, but the measure is said to be {measure}"
        )
    if not 0.5 <= ci_level < 1:
        raise EvidenceError(f"ci level: expected a share from 0.5 to 1, such as 0.95, found {ci_level:g}")
    if scale and scale not in SCALES:
        raise EvidenceError(f"scale: expected log or natural, found {scale!r}")
    chosen = measure or named or GEN
    notes = [] if measure or not named else [f"{shown(head)} read as {named}"]
    low, high = (columns[role].values if role in columns else None for role in ("ci_low", "ci_high"))
    if low is not None and high is not None:
        _check_inside(sheet, columns, rows, y, low, high)
    if chosen not in RATIOS:
        if low is not None and high is not None and not measure and scale != "log" and not named:
            _refuse_ratio(sheet, head, y, low, high)
        se, more = _errors(sheet, columns, y, low, high, ci_level)
        return Estimates(y, se, chosen, (*notes, *more))
    natural = scale == "natural" if scale else _is_natural(sheet, head, log, chosen, y, low, high)
    if not natural:
        se, more = _errors(sheet, columns, y, low, high, ci_level)
        return Estimates(y, se, chosen, (*notes, f"{shown(head)} read as log {RATIOS[chosen]}s", *more))
    if low is None or high is None or not _gives_interval(columns):
        raise EvidenceError(
            f"{sheet.name}: {shown(head)} holds {RATIOS[chosen]}s, whose standard errors say little "
            "about their "
            f"logarithms; give intervals with --ci-low and --ci-high, or logarithms with --scale log"
        )
    for role, values in (("y", y), ("ci_low", low), ("ci_high", high)):
        if (values <= 0).any():
            row = int(np.argmax(values <= 0))
            place = columns[role].place
            raise sheet.refuse(rows[row], place, f"a {RATIOS[chosen]} greater than 0", "or say --scale log")
    notes.append(f"{RATIOS[chosen]}s read from {shown(head)}: their logarithms are analysed")
    se, more = _from_interval(sheet, np.log(y), np.log(low), np.log(high), ci_level, rows)
    return Estimates(np.log(y), se, chosen, (*notes, *more))


def _gives_interval(columns: dict[str, Column]) -> bool:
    return "se" not in columns and "v" not in columns


def _errors(
    sheet: Sheet, columns: dict[str, Column], y: Array, low: Array | None, high: Array | None, ci_level: float
) -> tuple[Array, tuple[str, ...]]:
    if "se" in columns:
        return columns["se"].values, ()
    if "v" in columns:
        return np.sqrt(columns["v"].values), ()
    assert low is not None and high is not None
    return _from_interval(sheet, y, low, high, ci_level, [])


def _from_interval(
    sheet: Sheet, y: Array, low: Array, high: Array, ci_level: float, rows: list[int]
) -> tuple[Array, tuple[str, ...]]:
    half = (high - low) / 2
    notes = [f"standard errors from the {100 * ci_level:g} % intervals"]
    off = np.abs(y - (low + high) / 2) > _OFF * half
    if off.any():
        where = listed([str(i + 1) for i in np.flatnonzero(off)])
        notes.append(
            f"the interval of study {where} does not lie evenly about its estimate, as a normal one "
            "would: its "
            f"standard error is from the width"
        )
    return half / special.ndtri((1 + ci_level) / 2), tuple(notes)


def _check_inside(
    sheet: Sheet, columns: dict[str, Column], rows: list[int], y: Array, low: Array, high: Array
) -> None:
    wrong = ~((low <= y) & (y <= high) & (low < high))
    if wrong.any():
        i = int(np.argmax(wrong))
        raise EvidenceError(
            f"{sheet.name}, {sheet.places[rows[i]]}: expected a lower limit, an estimate and an "
            "upper limit in "
            f"this order, found {low[i]:g}, {y[i]:g} and {high[i]:g}; mend the row"
        )


def _unevenness(y: Array, low: Array, high: Array) -> float:
    """How far estimates lie from the middle of their intervals, as a share of half of it."""
    return float(np.median(np.abs(y - (low + high) / 2) / ((high - low) / 2)))


def _is_natural(
    sheet: Sheet, head: str, log: bool | None, measure: str, y: Array, low: Array | None, high: Array | None
) -> bool:
    """Whether ratios are ratios and not their logarithms, by the name, the signs or the intervals."""
    if (y < 0).any() or (y == 0).any():
        return False
    if low is not None and high is not None and (low > 0).all():
        even, even_log = _unevenness(y, low, high), _unevenness(np.log(y), np.log(low), np.log(high))
        if even_log < _CENTRED < even:
            return True
        if even < _CENTRED < even_log:
            return False
    elif low is not None and (low <= 0).any():
        return False
    if log is not None:
        return not log
    raise EvidenceError(
        f"{sheet.name}: {shown(head)}: it cannot be told whether these are {RATIOS[measure]}s or "
        "their logarithms; "
        f"say which with --scale natural or --scale log"
    )


def _refuse_ratio(sheet: Sheet, head: str, y: Array, low: Array, high: Array) -> None:
    """Refuse estimates whose intervals are even only about their logarithms: they are ratios."""
    if not ((y > 0).all() and (low > 0).all()):
        return
    if _unevenness(np.log(y), np.log(low), np.log(high)) < _CENTRED < _unevenness(y, low, high):
        raise EvidenceError(
            f"{sheet.name}: {shown(head)} looks like ratios, whose intervals are even on the log "
            "scale; say which "
            f"they are, such as --measure OR, RR or HR (or --measure MD if they are not)"
        )
