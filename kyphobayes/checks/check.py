"""What every check returns."""

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Check:
    """Outcome of a check.

    Attributes
    ----------
    name : str
    passed : bool
    text : str
        One sentence for people.
    table : DataFrame
        The figures behind it.
    """

    name: str
    passed: bool
    text: str
    table: pd.DataFrame = field(repr=False)
