"""What every check returns."""

from dataclasses import dataclass, field

import pandas as pd

from kyphobayes import html


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

    def _repr_html_(self) -> str:
        said = f"{self.name}: {'passed' if self.passed else 'FAILED'}; {self.text}"
        return html.block(html.line(said, strong=not self.passed), html.frame(self.table))
