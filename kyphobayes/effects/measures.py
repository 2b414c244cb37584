"""The table of measures: what each reads, its formula, and what it asks of the data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects import means, pre_post, proportions, rates, two_arms, two_rates

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ZeroCorrection:
    """What is done about zero cells in one family of measures.

    Attributes
    ----------
    correct : callable
        Of a `ZeroCells` and the columns: the corrected columns, and which studies were corrected.
    cells : str
        Where the constant is added, for the notes.
    says_nothing : callable, optional
        Of the columns: the studies with zeros in both groups, about which only the constant speaks.
    silence : str
        What is zero in those, for the notes.
    """

    correct: Callable[..., tuple[tuple[Array, ...], NDArray[np.bool_]]]
    cells: str
    says_nothing: Callable[..., NDArray[np.bool_]] | None = None
    silence: str = "no events in either group"


@dataclass(frozen=True)
class Measure:
    """How one measure is computed.

    Attributes
    ----------
    columns : tuple of str
        What it reads, in the order of the formula's arguments.
    formula : callable
        From the columns to y and v. It takes `vtype` if there is more than one, and `correct` if
        there is a bias correction.
    check : callable, optional
        Raises InputError for columns that are impossible.
    zeros : ZeroCorrection, optional
        None for measures that are defined at zero cells: nothing is ever added to those.
    vtypes : tuple of str
        metafor's codes of the ways to estimate v, its default first.
    correct : bool, optional
        Whether the bias of y is corrected by default; None where there is no correction.
    """

    columns: tuple[str, ...]
    formula: Callable[..., tuple[Array, Array]]
    check: Callable[..., None] | None = None
    zeros: ZeroCorrection | None = None
    vtypes: tuple[str, ...] = ("LS",)
    correct: bool | None = None


def given(y: Array, v: Array) -> tuple[Array, Array]:
    """GEN: y and v as they are given."""
    return y, v


_ONE_COUNT = ZeroCorrection(proportions.correct, "events and to non-events")
_ONE_RATE = ZeroCorrection(rates.correct, "events")
_TWO_COUNTS = ZeroCorrection(
    two_arms.correct,
    "all four cells",
    two_arms.says_nothing,
    "no events in either group, or nothing but events in both",
)
_TWO_RATES = ZeroCorrection(two_rates.correct, "the events of both groups", two_rates.says_nothing)


def _of_counts(
    formula: Callable[..., tuple[Array, Array]],
    zeros: ZeroCorrection | None = _ONE_COUNT,
    vtypes: tuple[str, ...] = ("LS",),
) -> Measure:
    return Measure(proportions.COLUMNS, formula, proportions.check, zeros, vtypes)


def _of_rates(
    formula: Callable[..., tuple[Array, Array]], zeros: ZeroCorrection | None = _ONE_RATE
) -> Measure:
    return Measure(rates.COLUMNS, formula, rates.check, zeros)


def _of_two_counts(
    formula: Callable[..., tuple[Array, Array]],
    zeros: ZeroCorrection | None = _TWO_COUNTS,
    vtypes: tuple[str, ...] = ("LS",),
) -> Measure:
    return Measure(two_arms.COLUMNS, formula, two_arms.check, zeros, vtypes)


def _of_two_rates(
    formula: Callable[..., tuple[Array, Array]], zeros: ZeroCorrection | None = _TWO_RATES
) -> Measure:
    return Measure(two_rates.COLUMNS, formula, two_rates.check, zeros)


def _of_means(
    formula: Callable[..., tuple[Array, Array]],
    vtypes: tuple[str, ...],
    correct: bool | None = None,
    check: Callable[..., None] = means.check,
) -> Measure:
    return Measure(means.COLUMNS, formula, check, None, vtypes, correct)


def _of_change(
    formula: Callable[..., tuple[Array, Array]],
    check: Callable[..., None],
    vtypes: tuple[str, ...] = ("LS",),
    correct: bool | None = None,
    columns: tuple[str, ...] = pre_post.COLUMNS,
) -> Measure:
    return Measure(columns, formula, check, None, vtypes, correct)


MEASURES: Final[Mapping[str, Measure]] = {
    "PR": _of_counts(proportions.proportion, vtypes=("LS", "UB")),
    "PLO": _of_counts(proportions.log_odds),
    "PLN": _of_counts(proportions.log_proportion),
    "PAS": _of_counts(proportions.arcsine, None),
    "PFT": _of_counts(proportions.freeman_tukey, None),
    "IR": _of_rates(rates.rate),
    "IRLN": _of_rates(rates.log_rate),
    "IRS": _of_rates(rates.root_rate, None),
    "OR": _of_two_counts(two_arms.odds_ratio),
    "RR": _of_two_counts(two_arms.risk_ratio),
    "RD": _of_two_counts(two_arms.risk_difference, vtypes=("LS", "UB")),
    "AS": _of_two_counts(two_arms.arcsine_difference, None),
    "PETO": _of_two_counts(two_arms.peto),
    "IRR": _of_two_rates(two_rates.rate_ratio),
    "IRD": _of_two_rates(two_rates.rate_difference),
    "IRSD": _of_two_rates(two_rates.root_rate_difference, None),
    "MD": _of_means(means.mean_difference, ("LS", "HO")),
    "SMD": _of_means(means.standardised, ("LS", "UB", "LS2", "AV"), True),
    "SMDH": _of_means(means.standardised_unequal, ("LS", "BONETT"), True),
    "ROM": _of_means(means.ratio, ("LS", "HO"), False, means.check_ratio),
    "MC": _of_change(pre_post.mean_change, pre_post.check),
    "SMCC": _of_change(pre_post.standardised_by_change, pre_post.check_standardised, ("LS", "LS2"), True),
    "SMCR": _of_change(
        pre_post.standardised_by_pre,
        pre_post.check_by_pre,
        ("LS", "LS2"),
        True,
        pre_post.COLUMNS_BY_PRE,
    ),
    "SMCRH": _of_change(
        pre_post.standardised_by_pre_unequal, pre_post.check_standardised, ("LS", "BONETT"), True
    ),
    "ROMC": _of_change(pre_post.ratio, pre_post.check_ratio, correct=False),
    "GEN": Measure(("y", "v"), given),
}
