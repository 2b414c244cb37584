"""What a table can hold: kinds of data, the columns and measures of each, and what columns must hold."""

from dataclasses import dataclass
from typing import Final, TypedDict

from kyphobayes.names import GEN, IRLN, OR, PLO


class Columns(TypedDict, total=False):
    """Names of a table's columns, by what they hold; "author+year" joins two."""

    study: str
    year: str
    by: str
    events: str
    n: str
    percent: str
    time: str
    y: str
    se: str
    v: str
    ci_low: str
    ci_high: str
    events1: str
    n1: str
    events2: str
    n2: str
    time1: str
    time2: str
    mean: str
    sd: str
    mean1: str
    sd1: str
    mean2: str
    sd2: str
    mean_pre: str
    sd_pre: str
    mean_post: str
    sd_post: str
    r: str


WHOLE, POSITIVE, REAL, CORRELATION, SHARE = "whole", "positive", "real", "correlation", "share"

ROLES: Final[dict[str, str]] = {
    "events": WHOLE,
    "n": WHOLE,
    "percent": SHARE,
    "time": POSITIVE,
    "y": REAL,
    "se": POSITIVE,
    "v": POSITIVE,
    "ci_low": REAL,
    "ci_high": REAL,
    "events1": WHOLE,
    "n1": WHOLE,
    "events2": WHOLE,
    "n2": WHOLE,
    "rest1": WHOLE,
    "rest2": WHOLE,
    "time1": POSITIVE,
    "time2": POSITIVE,
    "mean": REAL,
    "sd": POSITIVE,
    "mean1": REAL,
    "sd1": POSITIVE,
    "mean2": REAL,
    "sd2": POSITIVE,
    "mean_pre": REAL,
    "sd_pre": POSITIVE,
    "mean_post": REAL,
    "sd_post": POSITIVE,
    "r": CORRELATION,
}


@dataclass(frozen=True)
class Kind:
    """One kind of data.

    Attributes
    ----------
    name : str
        In sentences: "read as counts".
    columns : tuple of tuple of str
        Alternatives: any one of these sets of roles is enough, the first that is complete is taken.
    more : tuple of str
        Roles that are read too where there are columns for them.
    measures : tuple of str
        By metafor's codes, the default first.
    """

    name: str
    columns: tuple[tuple[str, ...], ...]
    measures: tuple[str, ...]
    more: tuple[str, ...] = ()

    @property
    def roles(self) -> frozenset[str]:
        """Every role that this kind reads."""
        return frozenset(role for roles in self.columns for role in roles) | set(self.more)


_CHANGES: Final = ("MC", "SMCC", "SMCR", "SMCRH", "ROMC")
CONTRAST_MEASURES: Final = (
    *(GEN, "MD", "SMD", "SMDH", OR, "RR", "HR", "IRR", "ROM", "RD", "IRD"),
    *_CHANGES,
)
_TWO_COUNTS: Final = (("events1", "n1", "events2", "n2"), ("events1", "rest1", "events2", "rest2"))
_TWO_RATES: Final = (("events1", "time1", "events2", "time2"),)
_TWO_MEANS: Final = (("mean1", "sd1", "n1", "mean2", "sd2", "n2"),)
_TWO_TIMES: Final = (("mean_pre", "sd_pre", "mean_post", "sd_post", "n"),)
_ESTIMATES: Final = (("y", "se"), ("y", "v"), ("y", "ci_low", "ci_high"))

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("counts", (("events", "n"), ("percent", "n")), (PLO,)),
        Kind("rates", (("events", "time"),), (IRLN,)),
        Kind("counts of two arms", _TWO_COUNTS, (OR, "RR", "RD")),
        Kind("rates of two arms", _TWO_RATES, ("IRR", "IRD")),
        Kind("means of two arms", _TWO_MEANS, ("MD", "SMD", "SMDH", "ROM")),
        Kind("means before and after", _TWO_TIMES, _CHANGES, ("r",)),
        Kind("estimates", _ESTIMATES, CONTRAST_MEASURES, ("n",)),
        Kind("means", (("mean", "sd", "n"),), (GEN,)),
    )
}

# The columns that a cell such as 5/35, 3.4 (1.2) or 1.20 [0.8; 1.7] fills beside its own.
SECOND: Final[dict[str, tuple[str, ...]]] = {
    "events": ("n",),
    "events1": ("n1",),
    "events2": ("n2",),
    "mean": ("sd",),
    "mean1": ("sd1",),
    "mean2": ("sd2",),
    "mean_pre": ("sd_pre",),
    "mean_post": ("sd_post",),
    "y": ("ci_low", "ci_high"),
}


def option(role: str) -> str:
    """What a role is called on the command line: ci_low is --ci-low."""
    return f"--{role.replace('_', '-')}"
