"""From log rates to what people ask: per 100 patient-years, within a time, against untreated patients."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import expit, logit

from kyphobayes.errors import InputError
from kyphobayes.evidence import Rates
from kyphobayes.exact import Density, Posterior
from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.time_at_risk.patients import garwood

Array = NDArray[np.float64]

PER = 100  # patient-years that rates are about
MONTHS = 12.0  # of a year
WHO = {"typical centre": MU, "next centre": THETA_NEW}
_TAILS = ((1 - PROB) / 2, (1 + PROB) / 2)
_DRAWS = 4000  # quantiles that stand for a distribution
_NODES = 2000
_CERTAIN = 50.0  # log of a rate at which an event is certain, and exp does not overflow


def share_within(log_rate: ArrayLike, months: ArrayLike) -> Array:
    """Share of patients with an event within a time: 1 - exp(-rate t)."""
    rate = np.exp(np.minimum(np.asarray(log_rate, dtype=float), _CERTAIN))
    return -np.expm1(-rate * np.asarray(months) / MONTHS)


def log_rate_of(share: ArrayLike, months: float) -> Array:
    """Log rate per year at which such a share has an event within a time."""
    return np.log(-np.log1p(-np.asarray(share, dtype=float)) * MONTHS / months)


def rate_row(density: Density) -> dict[str, float]:
    """Median and 95 % interval of the rate per 100 patient-years.

    There is no mean: that of the next centre's rate is infinite where tau may be large.
    """
    low, median, high = PER * np.exp(density.quantile([_TAILS[0], 0.5, _TAILS[1]]))
    return {"mean": np.nan, "median": float(median), "low": float(low), "high": float(high)}


def share_row(density: Density, months: float) -> dict[str, float]:
    """Mean, median and 95 % interval of the share with an event within a time."""
    low, median, high = share_within(density.quantile([_TAILS[0], 0.5, _TAILS[1]]), months)
    mean = density.expectation(lambda x: share_within(x, months))
    return {"mean": mean, "median": float(median), "low": float(low), "high": float(high)}


def alive_row(density: Density, months: float) -> dict[str, float]:
    """Mean, median and 95 % interval of the share without an event within a time."""
    row = share_row(density, months)
    return {name: 1 - row[other] for name, other in
            (("mean", "mean"), ("median", "median"), ("low", "high"), ("high", "low"))}  # fmt: skip


def shares_of(density: Density, months: float) -> Array:
    """The share within a time at equally probable places: they stand for draws, without their noise."""
    return share_within(density.quantile((np.arange(_DRAWS) + 0.5) / _DRAWS), months)


def fracture_rows(posterior: Posterior, horizons: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """Rates, shares within each time, and tau."""
    rows = {}
    for who, name in WHO.items():
        rows[f"new fractures per {PER} patient-years, {who}"] = rate_row(posterior.marginal(name))
    for months in horizons:
        for who, name in WHO.items():
            rows[f"share with one within {months} months, {who}"] = share_row(
                posterior.marginal(name), months
            )
    low, median, high = (float(q) for q in posterior.quantile(TAU, [_TAILS[0], 0.5, _TAILS[1]]))
    rows["tau, log rate"] = {"mean": posterior.tau.mean, "median": median, "low": low, "high": high}
    return rows


def series_table(evidence: Rates, posterior: Posterior) -> pd.DataFrame:
    """Every series: patients, follow-up, exposure, counts, its own rate, and the one the model gives it.

    Counts and own rates of a series with a latent count are ranges over all possible tables; `own_low` and
    `own_high` are then their ends, and else the ends of the exact Poisson interval.
    """
    likely = posterior.table_probabilities()
    rows = []
    for place, label in enumerate(evidence.labels):
        possible, time = evidence.tables[:, place], evidence.exposure[place]
        low, high = float(possible.min()), float(possible.max())
        latent = bool(np.isnan(evidence.events[place]))
        own, own_low, own_high = garwood(float(likely @ possible), time)
        if latent:
            own_low, own_high = low / time, high / time
        found = rate_row(posterior.studies[label])
        rows.append(
            {
                "series": label,
                "patients": np.nan if evidence.patients is None else evidence.patients[place],
                "follow_up": np.nan if evidence.follow_up is None else evidence.follow_up[place],
                "patient_years": time,
                "latent": latent,
                "events_low": low,
                "events_high": high,
                "events": float(likely @ possible),
                "own": PER * own,
                "own_low": PER * own_low,
                "own_high": PER * own_high,
                "rate": found["median"],
                "low": found["low"],
                "high": found["high"],
            }
        )
    return pd.DataFrame(rows).set_index("series")


@dataclass(frozen=True)
class Untreated:
    """Share of untreated patients with a new fracture: its log odds are normal.

    Attributes
    ----------
    low, high : float
        Ends of the range that is printed.
    holds : float
        Probability that the range is taken to hold, centrally.
    """

    low: float
    high: float
    holds: float

    def __post_init__(self) -> None:
        if not (0 < self.low < self.high < 1 and 0 < self.holds < 1):
            raise InputError(
                f"untreated: expected 0 < low < high < 1 and holds between 0 and 1, found {self.low:g}, "
                f"{self.high:g} and {self.holds:g}"
            )

    @property
    def words(self) -> str:
        """The range as it is printed."""
        return f"{100 * self.low:g} to {100 * self.high:g}\u00a0%"

    def quantile(self, q: ArrayLike) -> Array:
        """Share below which a probability `q` lies."""
        ends = logit([self.low, self.high])
        sd = (ends[1] - ends[0]) / 2 / stats.norm.ppf((1 + self.holds) / 2)
        return expit(ends.mean() + sd * stats.norm.ppf(np.asarray(q, dtype=float)))


def p_lower(density: Density, untreated: Untreated, months: float) -> float:
    """Probability that the rate is lower than that of untreated patients, whose share took `months`."""
    shares = untreated.quantile((np.arange(_NODES) + 0.5) / _NODES)
    return float(np.mean(density.cdf(log_rate_of(shares, months))))


def compared(
    posterior: Posterior, untreated: tuple[Untreated, ...], horizons: tuple[int, ...]
) -> pd.DataFrame:
    """Probability of a lower rate than without treatment, by what the range means and how long it took.

    Returns
    -------
    DataFrame
        Columns months, holds, untreated_low, untreated_high (95 % of the distribution), p_typical, p_next.
    """
    rows = []
    for months in horizons:
        for one in untreated:
            low, high = one.quantile(list(_TAILS))
            rows.append(
                {
                    "months": months,
                    "holds": one.holds,
                    "untreated_low": float(low),
                    "untreated_high": float(high),
                    "p_typical": p_lower(posterior.mu, one, months),
                    "p_next": p_lower(posterior.theta_new, one, months),
                }
            )
    return pd.DataFrame(rows)


def one_line(
    posterior: Posterior, horizons: tuple[int, ...], untreated: Untreated, at_risk: float = np.inf
) -> dict[str, float]:
    """One row of a table of cases.

    Parameters
    ----------
    posterior : Posterior
    horizons : tuple of int
        Months.
    untreated : Untreated
    at_risk : float
        Months after which nothing happens any more.

    Returns
    -------
    dict
        typical and next: rate per 100 patient-years at risk, its low and high; the share within each
        horizon; p_lower, the probability that this is lower than without treatment; and tau.
    """
    row: dict[str, float] = {}
    for who, name in WHO.items():
        key, density = who.partition(" ")[0], posterior.marginal(name)
        found = rate_row(density)
        row |= {f"{key}": found["median"], f"{key}_low": found["low"], f"{key}_high": found["high"]}
        for months in horizons:
            exposed = min(months, at_risk)
            row[f"{key}_share_{months}"] = share_row(density, exposed)["median"]
            row[f"{key}_p_lower_{months}"] = p_lower(density, untreated, exposed)
    return row | {TAU: float(posterior.quantile(TAU, 0.5))}
