"""A common effect from stratified counts: the estimates of Mantel and Haenszel, and their tests.

Every function takes arrays of one shape (k,): events and sizes, or events and times, of two groups.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.effects import two_arms
from kyphobayes.errors import InputError

Array = NDArray[np.float64]
Moments = tuple[float, float]  # mu and its variance
Test = tuple[float, float]  # a statistic and its p-value
ROUNDING: Final = 1e-12  # a difference of equal sums is no larger than this share of them


def odds_ratio(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> Moments:
    """log(sum(R) / sum(S)); Robins, Breslow and Greenland (1986)."""
    total = n_1 + n_2
    r, s = events_1 * (n_2 - events_2) / total, (n_1 - events_1) * events_2 / total
    _refuse_empty("odds ratio", r.sum(), s.sum())
    agree = (events_1 + n_2 - events_2) / total
    differ = 1 - agree
    variance = (
        (agree * r).sum() / (2 * r.sum() ** 2)
        + (agree * s + differ * r).sum() / (2 * r.sum() * s.sum())
        + (differ * s).sum() / (2 * s.sum() ** 2)
    )
    return float(np.log(r.sum() / s.sum())), float(variance)


def risk_ratio(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> Moments:
    """log(sum(R) / sum(S)); Greenland and Robins (1985), eq. 13."""
    total = n_1 + n_2
    r, s = events_1 * n_2 / total, events_2 * n_1 / total
    _refuse_empty("risk ratio", r.sum(), s.sum())
    # n_1 n_2 (events_1 + events_2) - events_1 events_2 N, without its cancellation.
    spread = events_1 * n_1 * (n_2 - events_2) + events_2 * n_2 * (n_1 - events_1)
    if spread.sum() == 0:
        raise InputError(
            "every arm has nothing but events, so the risk ratio has no standard error; add studies"
        )
    variance = (spread / total**2).sum() / (r.sum() * s.sum())
    return float(np.log(r.sum() / s.sum())), float(variance)


def risk_difference(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> Moments:
    """Weights n_1 n_2 / N; the variance of Sato, Greenland and Robins (1989)."""
    total = n_1 + n_2
    weight = (n_1 * n_2 / total).sum()
    mu = ((events_1 * n_2 - events_2 * n_1) / total).sum() / weight
    p = (n_1**2 * events_2 - n_2**2 * events_1 + n_1 * n_2 * (n_2 - n_1) / 2) / total**2
    q = (events_1 * (n_2 - events_2) + events_2 * (n_1 - events_1)) / (2 * total)
    spread = mu * p.sum() + q.sum()
    if spread <= ROUNDING * (abs(mu * p.sum()) + q.sum()):
        raise InputError(
            "the variance of the pooled risk difference is not positive: too many arms have no events or "
            "nothing but events; add studies or model the proportions"
        )
    return float(mu), float(spread / weight**2)


def rate_ratio(events_1: Array, time_1: Array, events_2: Array, time_2: Array) -> Moments:
    """log(sum(R) / sum(S)); Greenland and Robins (1985)."""
    share_1, share_2 = time_1 / (time_1 + time_2), time_2 / (time_1 + time_2)
    r, s = (events_1 * share_2).sum(), (events_2 * share_1).sum()
    _refuse_empty("rate ratio", r, s)
    return float(np.log(r / s)), float(((events_1 + events_2) * share_1 * share_2).sum() / (r * s))


def rate_difference(events_1: Array, time_1: Array, events_2: Array, time_2: Array) -> Moments:
    """Weights time_1 time_2 / T; Greenland and Robins (1985)."""
    share_1, share_2 = time_1 / (time_1 + time_2), time_2 / (time_1 + time_2)
    weight = (time_1 * share_2).sum()
    if (events_1 + events_2).sum() == 0:
        raise InputError("no study has an event, so the rate difference has no standard error; add studies")
    mu = (events_1 * share_2 - events_2 * share_1).sum() / weight
    return float(mu), float((events_1 * share_2**2 + events_2 * share_1**2).sum() / weight**2)


def _refuse_empty(name: str, favours_1: float, favours_2: float) -> None:
    """A ratio of 0 or infinity has no logarithm and no standard error."""
    if favours_1 == 0 or favours_2 == 0:
        which = "0 / 0" if favours_1 == favours_2 else "0" if favours_1 == 0 else "infinite"
        raise InputError(
            f"the pooled {name} is {which}, because a cell is zero wherever it counts; choose a "
            "difference (measure RD or IRD) or add studies"
        )


def hypergeometric(events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> tuple[Array, Array]:
    """Events in group 1 less their mean, and their variance, given all margins."""
    total, events = n_1 + n_2, events_1 + events_2
    variance = (n_1 / total) * (n_2 / total) * events * (total - events) / (total - 1)
    return (events_1 * n_2 - events_2 * n_1) / total, variance


def binomial(events_1: Array, time_1: Array, events_2: Array, time_2: Array) -> tuple[Array, Array]:
    """Events in group 1 less their mean, and their variance, given the events of both groups."""
    share_1, share_2 = time_1 / (time_1 + time_2), time_2 / (time_1 + time_2)
    return events_1 * share_2 - events_2 * share_1, (events_1 + events_2) * share_1 * share_2


def cmh(excess: Array, variance: Array) -> Test:
    """The test of Mantel and Haenszel (1959), with a continuity correction of at most the excess."""
    statistic = max(0.0, abs(float(excess.sum())) - 0.5) ** 2 / float(variance.sum())
    return statistic, float(special.chdtrc(1, statistic))


def tarone(ratio: float, events_1: Array, n_1: Array, events_2: Array, n_2: Array) -> Test:
    """Breslow and Day's (1980) test of equal odds ratios, as corrected by Tarone (1985)."""
    useful = ~two_arms.says_nothing(events_1, n_1, events_2, n_2)
    events_1, n_1, events_2, n_2 = (column[useful] for column in (events_1, n_1, events_2, n_2))
    events = events_1 + events_2
    # Events in group 1 that give every table this odds ratio: the root of a quadratic equation.
    linear = n_2 - events + ratio * (n_1 + events)
    constant = ratio * n_1 * events
    expected = 2 * constant / (linear + np.sqrt(linear**2 + 4 * (ratio - 1) * -constant))
    cells = (expected, n_1 - expected, events - expected, n_2 - events + expected)
    variance = 1 / np.sum([1 / cell for cell in cells], axis=0)
    excess = events_1 - expected
    statistic = max(0.0, float((excess**2 / variance).sum() - excess.sum() ** 2 / variance.sum()))
    df = int(useful.sum()) - 1
    return statistic, float(special.chdtrc(df, statistic)) if df else 1.0


COUNTS: Final[Mapping[str, Callable[..., Moments]]] = {
    "OR": odds_ratio,
    "RR": risk_ratio,
    "RD": risk_difference,
}
RATES: Final[Mapping[str, Callable[..., Moments]]] = {"IRR": rate_ratio, "IRD": rate_difference}
