"""Confidence intervals for the variance between studies, and for I2 and H2 with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.frequentist import search
from kyphobayes.frequentist.interval import Interval
from kyphobayes.frequentist.studies import Studies, trace_p, trace_psps
from kyphobayes.frequentist.validate import one_meta_analysis, one_of, refuse_level

Array = NDArray[np.float64]

STEPS: Final = 512  # of the grid on which the ends are bracketed
LIKELIHOODS: Final = {
    "ML": (search.ml_score, search.ml_deviance),
    "REML": (search.reml_score, search.reml_deviance),
}


@dataclass(frozen=True)
class Tau2Interval(Sequence[float]):
    """A confidence interval for tau2; unpacks as `low, high`.

    Attributes
    ----------
    low, high : float
        For tau2, in units of v.
    i2, h2 : Interval
        For I2 in percent and for H2, by the typical sampling variance.
    """

    low: float
    high: float
    i2: Interval
    h2: Interval

    def __getitem__(self, index):
        """The low end at 0, the high end at 1."""
        return (self.low, self.high)[index]

    def __len__(self) -> int:
        """Two."""
        return 2


@dataclass(frozen=True, eq=False)
class Ends:
    """What a method says of the two ends of its interval, in standard units.

    Attributes
    ----------
    below, above : callable
        Of studies and tau2: positive where tau2 lies below the interval, and where above it.
    farthest : float
        No tau2 beyond it lies in the interval.
    inside : float
        A value that lies in the interval if one is known, else 0: a set narrower than a step of
        the grid must not be missed.
    """

    below: search.Equation
    above: search.Equation
    farthest: float
    inside: float = 0.0


def q_profile(studies: Studies, level: float, likelihood: str) -> Ends:
    """All tau2 at which Q(tau2) lies between the quantiles of chi-squared; Viechtbauer (2007).

    Q(tau2) falls, so the set is an interval. It is at most sum((y - mean(y))^2) / (1 + tau2).
    """
    smallest, largest = special.chdtri(studies.k - 1, [(1 + level) / 2, (1 - level) / 2])

    def q(these: Studies, tau2: Array) -> Array:
        return these.q(these.weights(tau2))

    return Ends(
        lambda these, tau2: q(these, tau2) - largest,
        lambda these, tau2: smallest - q(these, tau2),
        farthest=studies.q(studies.present)[0] / smallest,
    )


def profile_likelihood(studies: Studies, level: float, likelihood: str) -> Ends:
    """All tau2 whose deviance exceeds the least by no more than a quantile of chi-squared(1).

    Hardy and Thompson (1996). No standardised variance is below 1, so that both deviances are at
    least (k - 1) log(1 + tau2).
    """
    score, deviance = LIKELIHOODS[likelihood]
    estimate = search.highest_maximum(studies, score, deviance)
    limit = deviance(studies, estimate) + special.chdtri(1, 1 - level)

    def excess(these: Studies, tau2: Array) -> Array:
        return deviance(these, tau2) - limit

    farthest = np.expm1(limit / (studies.k - 1))[0]
    return Ends(excess, excess, farthest, inside=float(estimate[0]))


def biggerstaff_tweedie(studies: Studies, level: float, likelihood: str) -> Ends:
    """All tau2 at which the observed Q is no extreme value of a gamma distribution.

    The gamma has Q's mean and variance under tau2, with the weights 1 / v: mean k - 1 + tr(P) tau2
    and variance 2 tr(P S P S), S = diag(v + tau2); Biggerstaff and Tweedie (1997). Its shape can
    fall with tau2, to no less than 1/2, and so its distribution function at q need not fall. But it
    is at most that of shape 1/2 at q (k - 1) / (2 mean), by Cauchy's inequality for the variance.
    """
    w = studies.weights(0.0)
    q, trace, df = studies.q(w), trace_p(w), studies.k - 1

    def probability(these: Studies, tau2: Array) -> Array:
        mean = df + trace * tau2
        variance = 2 * trace_psps(these.weights(0.0), these.v + tau2)
        return special.gammainc(mean**2 / variance, q * mean / variance)

    largest_mean = q * df / (2 * special.gammaincinv(0.5, (1 - level) / 2))
    return Ends(
        lambda these, tau2: probability(these, tau2) - (1 + level) / 2,
        lambda these, tau2: (1 - level) / 2 - probability(these, tau2),
        farthest=np.maximum(0.0, (largest_mean - df) / trace)[0],
    )


INTERVALS: Final[Mapping[str, Callable[[Studies, float, str], Ends]]] = {
    "qprofile": q_profile,
    "profile_likelihood": profile_likelihood,
    "biggerstaff_tweedie": biggerstaff_tweedie,
}


def tau2_interval(
    y: ArrayLike, v: ArrayLike, *, method: str = "qprofile", likelihood: str = "REML", level: float = 0.95
) -> Tau2Interval:
    """A confidence interval for the variance between studies.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects of at least two studies.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.
    method : {"qprofile", "profile_likelihood", "biggerstaff_tweedie"}
        Q-profile, exact under the model; profile likelihood; Q with a gamma distribution of the
        same two moments.
    likelihood : {"REML", "ML"}
        Which one `profile_likelihood` profiles; the others do not use it.
    level : float
        Of the interval.

    Returns
    -------
    Tau2Interval
        `low, high`, with `.i2` and `.h2`.

    Raises
    ------
    InputError
        If there is one study, a number is not finite, a variance is not positive, the lengths
        differ or an argument is unknown.

    Notes
    -----
    Both ends are at least 0. Where the effects differ by less than their variances let expect, Q is
    below its lower quantile even at tau2 = 0 and no tau2 is in the set of `qprofile` or
    `biggerstaff_tweedie`. The interval is then (0, 0), as metafor's: it says that the variances are
    too large for these effects, not that tau2 is known.

    Where a set has gaps, as a likelihood with several maxima can leave, the interval reaches from
    its smallest to its largest tau2. The upper end always exists: the deviance grows as
    (k - 1) log(tau2).

    I2 = 100 tau2 / (tau2 + s2) and H2 = 1 + tau2 / s2 rise with tau2, so their ends are those of
    tau2; s2 is the typical sampling variance (Higgins and Thompson 2002, eq. 9).

    References
    ----------
    Viechtbauer, W. (2007). Stat. Med. 26, 37-52. Hardy, R. J. and Thompson, S. G. (1996). Stat. Med.
    15, 619-629. Biggerstaff, B. J. and Tweedie, R. L. (1997). Stat. Med. 16, 753-768.
    """
    one_of("method", method, INTERVALS)
    one_of("likelihood", likelihood, LIKELIHOODS)
    refuse_level(level)
    y, v = one_meta_analysis(y, v, least=2, purpose="an interval for tau2")
    studies = Studies.standardised(y[None], v[None])
    standard = _outermost(studies, INTERVALS[method](studies, level, likelihood))
    tau2 = studies.scale[0] ** 2 * np.array(standard)
    over_typical = np.array(standard) * trace_p(studies.weights(0.0))[0] / (y.size - 1)
    return Tau2Interval(
        *tau2.tolist(),
        i2=Interval(*(100 * over_typical / (1 + over_typical)).tolist()),
        h2=Interval(*(1 + over_typical).tolist()),
    )


def _outermost(studies: Studies, ends: Ends) -> Interval:
    """The smallest and the largest tau2 of the set, to machine precision; (0, 0) if it is empty."""
    # One step more than the farthest, as a bound that is reached may be missed by rounding.
    grid = np.expm1(np.linspace(0.0, 1.0, STEPS + 1) * np.log1p(1 + 2 * ends.farthest))
    grid = np.unique(np.append(grid, ends.inside))
    on_grid = studies.on_grid()
    not_below = np.flatnonzero(ends.below(on_grid, grid[:, None])[:, 0] <= 0)
    not_above = np.flatnonzero(ends.above(on_grid, grid[:, None])[:, 0] <= 0)
    if not_above.size == 0:
        return Interval(0.0, 0.0)
    first, last = not_below[0], not_above[-1]
    low = _between(ends.below, studies, grid[first - 1 : first + 1]) if first > 0 else 0.0
    return Interval(low, _between(ends.above, studies, grid[last : last + 2]))


def _between(equation: search.Equation, studies: Studies, neighbours: Array) -> float:
    """The root of the equation between two neighbours of the grid."""
    found = search.root(equation, studies, np.array([0]), neighbours[:1], neighbours[1:])
    return float(found[0])
