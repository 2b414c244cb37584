"""Counts behind printed percentages: all those that n and the printed decimals leave."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.cells import decimals_of
from kyphobayes.own_data.columns import Column
from kyphobayes.own_data.sheet import Sheet, listed

Array = NDArray[np.float64]
MOST_TABLES = 1_000  # combinations of counts that are averaged over


def counts_agreeing(percentage: float, n: float, decimals: int) -> Array:
    """Counts of n whose percentage is printed so, however ties are rounded.

    Parameters
    ----------
    percentage : float
        From 0 to 100.
    n : float
    decimals : int
        That are printed.

    Returns
    -------
    ndarray of whole numbers
        Where they are more than `MOST_TABLES`, only one more than that.
    """
    half = 0.5 * 10.0**-decimals * (1 + 1e-9)
    low = np.ceil((percentage - half) / 100 * n - 1e-9)
    high = np.floor((percentage + half) / 100 * n + 1e-9)
    low = max(low, 0)
    return np.arange(low, min(high, n, low + MOST_TABLES) + 1)


@dataclass(frozen=True)
class FromShares:
    """Counts behind percentages.

    Attributes
    ----------
    events : ndarray, shape (k,)
        NaN where several counts are printed alike.
    tables : ndarray, shape (t, k), or None
        Every combination of the counts that agree with what is printed; None where there is one.
    notes : tuple of str
    """

    events: Array
    tables: Array | None
    notes: tuple[str, ...]


def events_from_shares(sheet: Sheet, shares: Column, n: Column, rows: list[int]) -> FromShares:
    """Counts of the studies, from percentages; where several agree, the model averages over them.

    Proportions such as 0.12 are taken as percentages where no cell says otherwise.

    Raises
    ------
    EvidenceError
        Naming the cell whose percentage no count has, or if too many combinations of counts agree.
    """
    factor = 1 if shares.percent or (shares.values > 1).any() or "%" in sheet.columns[shares.place] else 100
    found = []
    for i, row in enumerate(rows):
        decimals = decimals_of(shares.texts[i], shares.mark) - (2 if factor == 100 else 0)
        counts = counts_agreeing(factor * shares.values[i], n.values[i], decimals)
        if len(counts) == 0:
            said = f"{factor * shares.values[i]:g} % of {n.values[i]:g}"
            raise sheet.refuse(row, shares.place, "a percentage that some count has", f"no count is {said}")
        found.append(counts)
    many = math.prod(float(len(counts)) for counts in found)  # infinite, where it is beyond all numbers
    name = sheet.column(shares.place)
    if many > MOST_TABLES:
        raise EvidenceError(
            f"{sheet.name}, {name}: expected percentages that leave few counts open, found {many:.3g} "
            f"or more combinations of counts that are printed so; give counts with --events, or more decimals"
        )
    events = np.array([counts[0] if len(counts) == 1 else np.nan for counts in found])
    kind = "percentages" if factor == 1 else "proportions"
    notes = (f"counts found from {kind} in {name} and n",)
    open_ = [
        f"{sheet.places[row]} ({listed([f'{c:g}' for c in counts], 'or')})"
        for row, counts in zip(rows, found, strict=True)
        if len(counts) > 1
    ]
    if not open_:
        return FromShares(events, None, notes)
    notes += (f"several counts are printed alike, and the model averages over them: {listed(open_)}",)
    return FromShares(events, np.array(list(product(*found))), notes)
