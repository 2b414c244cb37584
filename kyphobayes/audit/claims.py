"""What the audit says of one printed figure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

import pandas as pd

REPRODUCED: Final = "reproduced"
READING: Final = "reproduced under a stated reading"
NOT_REPRODUCED: Final = "not reproduced"
NOT_CHECKABLE: Final = "not checkable"
_ACRONYMS: Final = {
    "vas": "VAS", "odi": "ODI", "sf36": "SF-36", "bkp": "BKP", "vp": "VP", "mcid": "MCID", "i2": "I²",
    "cobb": "Cobb", "pct": "percent", "refs": "references",
}  # fmt: skip
VERDICTS: Final = (NOT_REPRODUCED, READING, REPRODUCED, NOT_CHECKABLE)  # findings first


@dataclass(frozen=True)
class Claim:
    """One printed figure, or one part of it, recomputed.

    Attributes
    ----------
    paper, figure_id : str
        Name of the table in ``data/published/`` and of its row.
    part : str
        Of the row: figure, sd, n, interval, width, p, i2, references, time.
    printed, recomputed : str
        Recomputed is empty where nothing could be.
    verdict : str
        One of `VERDICTS`.
    reading : str
        In words, where the figure is reproduced only under it.
    arithmetic : str
        The sum that shows it.
    missing : str
        What it would take, where it is not checkable.
    locator : str
        Where the paper prints it.
    """

    paper: str
    figure_id: str
    part: str
    printed: str
    recomputed: str
    verdict: str
    reading: str
    arithmetic: str
    missing: str
    locator: str

    @property
    def name(self) -> str:
        """Figure and part for people."""
        words = [_ACRONYMS.get(word, word) for word in self.figure_id.split("_")]
        return " ".join(words) if self.part == "figure" else f"{' '.join(words)}, {self.part}"

    def to_dict(self) -> dict[str, str]:
        """The fields by name."""
        return asdict(self)


def to_frame(claims: Iterable[Claim]) -> pd.DataFrame:
    """One row per claim, in the order of the claims."""
    rows = [claim.to_dict() for claim in claims]
    return pd.DataFrame(rows, columns=pd.Index(list(Claim.__dataclass_fields__)))


def counts(claims: Iterable[Claim]) -> dict[str, int]:
    """Number of claims by verdict, every verdict named."""
    found: dict[str, int] = dict.fromkeys([str(verdict) for verdict in VERDICTS], 0)
    for claim in claims:
        found[claim.verdict] += 1
    return found
