r"""What past studies foresaw of a series of n, and how surprising is what it found.

.. math:: m(y) = \int\!\!\int p(\mu, \tau \mid y_{past})\,
          L_y(\mu, \sqrt{\tau^2 + \kappa^2})\, d\mu\, d\tau

with L_y the binomial likelihood of y events of n, its log odds integrated over the population. At
kappa = 0 the series is one more of the same population. A greater kappa, the commensurability standard
deviation (Hobbs et al. 2011, Biometrics 67:1047), lets it differ from the past by more than past
studies do among themselves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact import Posterior
from kyphobayes.exact.likelihoods import BinomialStudies
from kyphobayes.exact.panels import Array
from kyphobayes.findings import CountPrediction

_EQUAL = 1e-9  # share within which two outcomes are equally probable


@dataclass(frozen=True)
class Foreseen:
    """Predictive probabilities of what a series found.

    Attributes
    ----------
    prediction : CountPrediction
    events : int
        What it found.
    at_least, at_most : float
        Probability of as many or more, and of as many or fewer.
    mid : float
        Of more, ties counted half: near 0 where more was found than foreseen, near 1 where less.
    as_improbable : float
        Of an outcome as improbable as this one, or more so (Box 1980, J. R. Stat. Soc. A 143:383).
    """

    prediction: CountPrediction
    events: int
    at_least: float
    at_most: float
    mid: float
    as_improbable: float


def outcome_probabilities(past: Posterior, n: int, kappa: float = 0.0) -> Array:
    """Predictive probability of each number of events in a new series.

    Parameters
    ----------
    past : Posterior
        Of normal effects on the log odds scale.
    n : int
        Size of the series.
    kappa : float
        Standard deviation, in log odds, of what may set the series apart from the past; 0 or more.

    Returns
    -------
    ndarray, shape (n + 1,)
        Of 0, 1, ..., n events.

    Raises
    ------
    InputError
    """
    if n < 1:
        raise InputError(f"n: expected a whole number of 1 or more, found {n}")
    joint = past.joint * np.outer(past.mu_panels.weights, past.tau_panels.weights)
    log_l = log_likelihoods(past, np.arange(n + 1), n, kappa)
    found = np.einsum("ymt,mt->y", np.exp(log_l), joint)
    return found / found.sum()


def log_likelihoods(past: Posterior, events: ArrayLike, n: int, kappa: float) -> Array:
    """Log likelihood of counts of n at the posterior's nodes: shape (counts, mu nodes, tau nodes).

    Raises
    ------
    InputError
    """
    if not (np.isfinite(kappa) and kappa >= 0):
        raise InputError(f"kappa: expected a number of 0 or more, found {kappa:g}")
    if not past.surface.studies.kernel.normal:
        raise InputError("expected a posterior with normal effects, found Student-t or outlying effects")
    count = np.atleast_1d(events)
    counts = BinomialStudies(count, np.full(count.shape, n))
    return counts.log_integrated(past.mu_panels.nodes, np.hypot(past.tau_panels.nodes, kappa))


def foreseen(probabilities: Array, events: int) -> Foreseen:
    """Predictive p-values of what a series found.

    Parameters
    ----------
    probabilities : ndarray, shape (n + 1,)
        Of 0, 1, ..., n events.
    events : int
        What it found.

    Raises
    ------
    InputError
        If the series cannot have found that many, or the probabilities do not sum to one.
    """
    n = len(probabilities) - 1
    if not 0 <= events <= n:
        raise InputError(f"events: expected a whole number from 0 to {n}, found {events}")
    if not abs(float(probabilities.sum()) - 1) < 1e-6:
        raise InputError(f"probabilities: expected a sum of 1, found {probabilities.sum():g}")
    at_least, at_most = float(probabilities[events:].sum()), float(probabilities[: events + 1].sum())
    rare = probabilities <= probabilities[events] * (1 + _EQUAL)
    return Foreseen(
        prediction=CountPrediction(n, probabilities),
        events=events,
        at_least=min(at_least, 1.0),
        at_most=min(at_most, 1.0),
        mid=min(at_least - float(probabilities[events]) / 2, 1.0),
        as_improbable=min(float(probabilities[rare].sum()), 1.0),
    )


def log_binomial(events: int, n: int, theta: Array) -> Array:
    """Log probability of `events` of `n` at a log odds."""
    log_choose = -special.betaln(n - events + 1, events + 1) - np.log(n + 1)
    return log_choose + events * theta - n * np.logaddexp(0.0, theta)
