"""Rates of patients with their own follow-up, by quadrature: each likelihood has one unknown, or two."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from kyphobayes.evidence import FollowUp
from kyphobayes.exact import Density
from kyphobayes.exact.panels import Panels
from kyphobayes.names import PROB
from kyphobayes.priors import Prior

Array = NDArray[np.float64]

_PANELS = 150
_TAIL = 1e-10  # of the prior, left out at either end
_TAILS = ((1 - PROB) / 2, (1 + PROB) / 2)
_GRID = 400  # nodes in each direction where there are two unknowns
SHAPE = Prior.parse(
    "LogNormal(mu=0, sigma=0.5)",
    why="A hazard that may fall or rise: 95 % of shapes between 0.38 and 2.7, 1 being a constant hazard.",
)


def death_log_likelihood(evidence: FollowUp, log_rate: Array, shape: Array | float = 1.0) -> Array:
    """Log likelihood of each patient's survival, at many rates.

    Parameters
    ----------
    evidence : FollowUp
    log_rate : ndarray, shape (s,)
        Log of deaths per patient-year.
    shape : ndarray, shape (s,), or float
        Of the Weibull distribution: S(t) = exp(-(rate t)^shape); 1 is a constant hazard.

    Returns
    -------
    ndarray, shape (s, n)
        log S(t), t the middle of the interval, or log(S(low) - S(high)) of a patient who died in it.
    """
    rate, power = np.exp(log_rate)[:, None], np.broadcast_to(shape, np.shape(log_rate))[:, None]
    low, high = evidence.interval
    first = (rate * low) ** power
    died = -first + np.log(-np.expm1(first - (rate * high) ** power))
    return np.where(evidence.died, died, -((rate * evidence.years) ** power))


def fracture_log_likelihood(evidence: FollowUp, log_rate: Array) -> Array:
    """Log likelihood of each patient's new fracture, or none, by the end of follow-up: shape (s, n)."""
    hazard = np.exp(log_rate)[:, None] * evidence.years
    return np.where(evidence.fractured, np.log(-np.expm1(-hazard)), -hazard)


def rate_posterior(log_likelihood: Callable[[Array], Array], prior: Prior) -> Density:
    """Posterior density of a log rate.

    Parameters
    ----------
    log_likelihood : callable
        From log rates, shape (s,), to one value for each patient, shape (s, n).
    prior : Prior
        Proper.
    """
    low, high = prior.quantile(np.array([_TAIL, 1 - _TAIL]))
    panels = Panels(np.linspace(low, high, _PANELS + 1))
    logs = log_likelihood(panels.nodes).sum(axis=1) + prior.log_density(panels.nodes)
    return Density(panels, np.exp(logs - logs.max()))


def deaths_and_fractures(evidence: FollowUp, death: Prior, fracture: Prior) -> dict[str, Density]:
    """Posterior densities of both log rates, under the names that they have in the model."""
    return {
        "log_fracture_rate": rate_posterior(lambda x: fracture_log_likelihood(evidence, x), fracture),
        "log_death_rate": rate_posterior(lambda x: death_log_likelihood(evidence, x), death),
    }


@dataclass(frozen=True, eq=False)
class Weibull:
    """Posterior of survival whose hazard may fall or rise: a weighted grid of log rate and shape.

    Attributes
    ----------
    log_rate, shape, weight : ndarray, shape (g,)
        The weights sum to one.
    """

    log_rate: Array
    shape: Array
    weight: Array

    def survival(self, years: float) -> dict[str, float]:
        """Median and 95 % interval of the share alive after so many years."""
        return self._summary(np.exp(-((np.exp(self.log_rate) * years) ** self.shape)))

    def shapes(self) -> dict[str, float]:
        """Median and 95 % interval of the shape, and the probability that the hazard falls (p_falls)."""
        return self._summary(self.shape) | {"p_falls": float(self.weight @ (self.shape < 1))}

    def _summary(self, values: Array) -> dict[str, float]:
        order = np.argsort(values)
        cumulative = np.cumsum(self.weight[order]) - self.weight[order] / 2
        low, median, high = np.interp([_TAILS[0], 0.5, _TAILS[1]], cumulative, values[order])
        mean = float(self.weight @ values)
        return {"mean": mean, "median": float(median), "low": float(low), "high": float(high)}


def weibull(evidence: FollowUp, death: Prior, shape: Prior = SHAPE) -> Weibull:
    """Posterior under a prior for the log rate and one for the shape: midpoints in their probabilities."""
    places = (np.arange(_GRID) + 0.5) / _GRID
    log_rate, power = (a.ravel() for a in np.meshgrid(death.quantile(places), shape.quantile(places)))
    logs = death_log_likelihood(evidence, log_rate, power).sum(axis=1)
    weight = np.exp(logs - logs.max())
    return Weibull(log_rate, power, weight / weight.sum())


def garwood(events: float, exposure: float) -> tuple[float, float, float]:
    """Rate of a Poisson count with its exact 95 % interval (Garwood 1936), per unit of exposure."""
    low = stats.chi2.ppf(_TAILS[0], 2 * events) / 2 if events > 0 else 0.0
    high = stats.chi2.ppf(_TAILS[1], 2 * events + 2) / 2
    return events / exposure, float(low / exposure), float(high / exposure)


def kaplan_meier(evidence: FollowUp) -> pd.DataFrame:
    """Share alive after every interval of the life table, without any model.

    Returns
    -------
    DataFrame
        Columns years (end of an interval in which somebody died) and alive, beginning at 0 and 1. Those
        seen for the last time in an interval were at risk in half of it and count for one half there.
    """
    rows, alive = [(0.0, 1.0)], 1.0
    for start, group in evidence.life_table.groupby("start"):
        full = group["width"].max()
        risk = float((group["at_risk"] * group["width"] / full).sum())
        if group["deaths"].sum():
            alive *= 1 - float(group["deaths"].sum()) / risk
            # the keys of these groups are times, which are numbers
            rows.append((float(start) + float(full), alive))  # pyright: ignore[reportArgumentType]
    return pd.DataFrame(rows, columns=["years", "alive"])
