"""A column of estimates with intervals, all with the same decimals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report import words

STATISTICS = ["median", "low", "high"]


def natural(table: pd.DataFrame, scale: NaturalScale) -> pd.DataFrame:
    """Median, low and high on the natural scale, of a table of effects of the model."""
    return pd.DataFrame(scale.natural(table[STATISTICS]), index=table.index, columns=STATISTICS)


def several(scale: NaturalScale) -> str:
    """The plural of what a member of the population is: "centres" or "studies"."""
    return "studies" if scale.one == "study" else f"{scale.one}s"


def column(scale: NaturalScale, *tables: pd.DataFrame) -> Callable[[Any], str]:
    """How rows of these tables are written: ``0.42 (−0.15 to 1.04)``.

    Differences have the decimals that show two digits of a middling interval's half width; shares, rates
    and ratios are written as everywhere in the report.
    """
    if scale.bounds[0] == 0:
        return lambda row: words.estimated(row, scale, unit=False)
    widths = np.concatenate([(table["high"] - table["low"]).to_numpy(dtype=float) for table in tables]) / 2
    largest = max(float(np.nanmax(np.abs(table[STATISTICS].to_numpy(dtype=float)))) for table in tables)
    widths = widths[np.isfinite(widths) & (widths > 0)]
    digits = int(1 - np.floor(np.log10(np.median(widths)))) if widths.size else 2

    def write(value: float) -> str:
        if np.isfinite(value) and (digits > 4 or largest >= 1e6):
            return f"{value:.2g}".replace("-", "−")
        return words.decimal(value, digits) if digits > 0 else words.whole(value)

    return lambda row: f"{write(row['median'])} ({write(row['low'])} to {write(row['high'])})"
