"""What a paper would print of another table of counts: the same figures, to the same digits."""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import InputError
from kyphobayes.reconstruct.constraints import Constraints
from kyphobayes.reconstruct.printed import SHARES, Printed, read_printed
from kyphobayes.reconstruct.values import Printer

_DETERMINED: Final = ("nearest", "half up", "truncated")  # the value alone decides what is printed
_TIE: Final = 1e-9  # of a last digit: a value that floating point leaves this far below a tie is on it


def printed_of(constraints: Constraints, n: NDArray[np.int64], events: NDArray[np.int64]) -> Constraints:
    """The constraints file of a paper that had found other counts.

    Parameters
    ----------
    constraints : Constraints
        Says which figures are printed, to how many digits, and how they were pooled.
    n, events : ndarray of int, shape (k,)
        Of the file's studies.

    Returns
    -------
    Constraints
        With the figures of `events`; those that the file leaves out are not printed.

    Raises
    ------
    InputError
        If a figure is not one that a table determines: an inequality, or an approximate number.
    """
    printer = Printer(constraints, n)
    figures = []
    for figure in constraints.printed:
        part = events[None, list(printer.columns(figure.studies))]
        figures.append(printed_anew(figure, float(printer.values([figure], part)[0][0])))
    return replace(constraints, printed=tuple(figures), left_out=(), weights=())


def printed_anew(figure: Printed, value: float) -> Printed:
    """The same figure with another value, as the same paper would print it.

    Raises
    ------
    InputError
        If the figure is not printed as a rounded number, or `value` is none.
    """
    row, last, scale = _form(figure)
    if not np.isfinite(value):
        raise InputError(
            f"{figure.quoted}: a table of counts leaves it without a value, so it cannot be printed"
        )
    digits = value * scale / float(last)
    up = 0.0 if row["rounding"] == "truncated" else 0.5
    text = str(int(np.floor(digits + up + _TIE)) * last)
    return read_printed(figure.quoted, row | {"value": text}, figure.studies)


def _form(figure: Printed) -> tuple[dict[str, Any], Decimal, int]:
    """Entry of a constraints file that is read as the figure, one unit of its last digit, and its scale."""
    text = "0" if figure.value == "none" else figure.value
    units = [("percent", 100), ("proportion", 1)] if figure.quantity in SHARES else [("", 1)]
    if figure.quantity == "I2":
        units = [("percent", 1)]
    row: dict[str, Any] = {"quantity": figure.quantity, "value": text, "studies": list(figure.studies)}
    row |= {"words": figure.words, "locator": figure.locator}
    if figure.pooling:
        row["pooling"] = figure.pooling
    if figure.quantity in ("ci_low", "ci_high"):
        row["level"] = 100 * figure.level
    for rounding, (unit, scale) in product(_DETERMINED, units):
        entry = row | {"rounding": rounding, "unit": unit}
        again = read_printed(figure.quoted, entry, figure.studies)
        if (again.ends, again.low_open, again.high_open) == (figure.ends, figure.low_open, figure.high_open):
            exponent = Decimal(text).as_tuple().exponent
            return entry, Decimal(1).scaleb(min(int(exponent), 0)), scale
    raise InputError(
        f"{figure.quoted}: expected a rounded number, which a table of counts determines, found an "
        "inequality or an approximate number: what the paper would print of another table is not known"
    )
