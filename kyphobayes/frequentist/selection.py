"""A selection model: the pooled effect if studies were published by their p-values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.optimize import brentq

from kyphobayes.errors import InputError
from kyphobayes.frequentist.interval import Interval
from kyphobayes.frequentist.pool import Pooled, pool
from kyphobayes.frequentist.selection_likelihood import Likelihood, Summit, climb
from kyphobayes.frequentist.small_study import SmallStudyResult
from kyphobayes.frequentist.validate import numbers, one_meta_analysis, one_of, refuse_level, refuse_unusable

Array = NDArray[np.float64]

ALTERNATIVES: Final = ("greater", "less", "two.sided")


@dataclass(frozen=True, eq=False)
class SelectionModel(SmallStudyResult):
    """A step-function selection model, fitted by maximum likelihood.

    Effects are in units of y, variances in units of v.

    Attributes
    ----------
    mu, se, ci_low, ci_high, statistic, p_value : float
        Pooled effect before selection, with standard error, confidence interval, mu / se, and the
        two-sided p-value of mu = 0, by the normal distribution.
    tau2, se_tau2 : float
        Variance between studies before selection; the standard error is NaN where tau2 is 0.
    delta, se_delta : ndarray, shape (intervals,)
        Chance of a study to be seen, by the interval of its p-value, relative to the first; the
        first is 1 and has a standard error of NaN.
    steps : ndarray, shape (intervals,)
        Upper ends of the intervals of p-values; the last is 1.
    counts : ndarray of int, shape (intervals,)
        Studies per interval.
    loglik : float
        Log likelihood.
    lrt, lrt_df, lrt_p : float
        Likelihood ratio test that all delta are 1.
    unadjusted, unadjusted_loglik : Pooled, float
        The fit by ML without selection, and its log likelihood.
    alternative, level
        As given to `selection_model`.
    k : int
        Number of studies.
    claim : str
        "k < 10: no claim", or empty.
    likelihood, theta, scale
        What `tau2_interval` works from: the likelihood, its maximum, and the unit of both.
    """

    mu: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    p_value: float
    tau2: float
    se_tau2: float
    delta: Array
    se_delta: Array
    steps: Array
    counts: NDArray[np.intp]
    loglik: float
    lrt: float
    lrt_df: int
    lrt_p: float
    unadjusted: Pooled[float]
    unadjusted_loglik: float
    alternative: str
    level: float
    k: int
    likelihood: Likelihood = field(repr=False)
    theta: Array = field(repr=False)
    scale: float = field(repr=False)

    def sentence(self) -> str:
        """The result in one line."""
        delta = ", ".join(f"{d:.3g}" for d in self.delta)
        return (
            f"Selection model: mu = {self.mu:.4g} [{self.ci_low:.4g}, {self.ci_high:.4g}], "
            f"delta = {delta}, LRT = {self.lrt:.4g}, p = {self.lrt_p:.3g}, k = {self.k}"
        )

    def tau2_interval(self, level: float | None = None) -> Interval:
        """A confidence interval for tau2: where its profile likelihood is high enough.

        Parameters
        ----------
        level : float, optional
            Of the interval; that of the model if not given.

        Returns
        -------
        Interval
            `low, high`, in units of v; `high` is infinite if the likelihood never falls enough.
        """
        level = self.level if level is None else level
        refuse_level(level)
        top = self.likelihood.value(self.theta)
        allowed = float(special.chdtri(1, 1 - level)) / 2

        def excess(tau2: float) -> float:
            start = np.array([self.theta[0], tau2, *self.theta[2:]])
            return top - climb(self.likelihood, start, fixed_tau2=True).value - allowed

        at = float(self.theta[1])
        low = float(brentq(excess, 0.0, at, xtol=1e-12)) if at > 0 and excess(0.0) > 0 else 0.0
        high = 2 * at + 1.0
        farthest = 1e6 * (1 + float(np.abs(self.likelihood.y).max()) ** 2)
        while excess(high) < 0:
            high *= 4
            if high > farthest:
                return Interval(self.scale**2 * low, np.inf)
        high = float(brentq(excess, at, high, xtol=1e-12))
        return Interval(self.scale**2 * low, self.scale**2 * high)


def selection_model(
    y: ArrayLike,
    v: ArrayLike,
    *,
    steps: Sequence[float] | ArrayLike = (0.025, 1.0),
    alternative: str = "greater",
    level: float = 0.95,
) -> SelectionModel:
    """Fit a random-effects model to studies that were selected by their p-values.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.
    steps : sequence of float
        Upper ends of the intervals of p-values, rising; a last 1 may be left out. A p-value equal to
        a step lies below it.
    alternative : {"greater", "less", "two.sided"}
        Of the p-values: small for large effects, for small ones, or for both.
    level : float
        Of the confidence interval.

    Returns
    -------
    SelectionModel

    Raises
    ------
    InputError
        If the steps do not rise between 0 and 1, an interval holds no study, the likelihood has no
        maximum, a number is not finite, a variance is not positive, or the lengths differ.

    Notes
    -----
    The likelihood can have several maxima, with or without tau2 = 0: it is climbed from many starts
    by Newton's method with analytic derivatives, and the highest is kept. Standard errors are from
    the observed information; where tau2 is 0, from that of the other parameters.

    With one step at 0.025 and the alternative in the direction of the effect this is the
    three-parameter selection model.

    References
    ----------
    Iyengar, S. and Greenhouse, J. B. (1988). Stat. Sci. 3, 109-117. Hedges, L. V. (1992). Stat. Sci. 7,
    246-255. Vevea, J. L. and Hedges, L. V. (1995). Psychometrika 60, 419-435. McShane, B. B., Bockenholt,
    U. and Hansen, K. T. (2016). Perspect. Psychol. Sci. 11, 730-749.
    """
    one_of("alternative", alternative, ALTERNATIVES)
    refuse_level(level)
    ends = _ends(steps)
    y, v = one_meta_analysis(y, v, least=2, purpose="a selection model")
    refuse_unusable(np.append(y, 0.0), np.append(v, v.min()), "z")  # distances from 0 count, too
    sign = -1.0 if alternative == "less" else 1.0
    scale = float(np.sqrt(v.min()))
    order = np.lexsort((y, v))  # so that the order of the studies does not matter
    likelihood = Likelihood.of(
        sign * y[order] / scale, v[order] / scale**2, ends, two_sided=alternative == "two.sided"
    )
    _refuse_empty(likelihood.counts, ends)

    unadjusted = pool(y, v, method="ML", test="z", level=level)
    without = np.array([sign * unadjusted.mu / scale, unadjusted.tau2 / scale**2, *np.zeros(ends.size - 1)])
    summit = _highest(likelihood, without)
    if summit.covariance is None:
        delta = ", ".join(f"{d:.3g}" for d in np.exp(summit.theta[2:]))
        raise InputError(
            "the likelihood of the selection model has no maximum that can be found: it still rises at "
            f"mu = {sign * scale * summit.theta[0]:.3g}, delta = 1, {delta}; use fewer steps or more studies"
        )
    theta, se = summit.theta, np.sqrt(np.diag(summit.covariance))
    mu, se_mu = sign * scale * float(theta[0]), scale * float(se[0])
    delta = np.exp(np.append(0.0, theta[2:]))
    statistic, c = mu / se_mu, float(special.ndtri((1 + level) / 2))
    lrt = max(0.0, 2 * (summit.value - likelihood.value(without)))
    units = y.size * np.log(scale)  # a density per unit of y
    return SelectionModel(
        mu=mu,
        se=se_mu,
        ci_low=mu - c * se_mu,
        ci_high=mu + c * se_mu,
        statistic=statistic,
        p_value=2 * float(special.ndtr(-abs(statistic))),
        tau2=scale**2 * float(theta[1]),
        se_tau2=scale**2 * float(se[1]),
        delta=delta,
        se_delta=np.append(np.nan, delta[1:] * se[2:]),
        steps=ends,
        counts=likelihood.counts,
        loglik=summit.value - units,
        lrt=lrt,
        lrt_df=ends.size - 1,
        lrt_p=float(special.chdtrc(ends.size - 1, lrt)),
        unadjusted=unadjusted,
        unadjusted_loglik=likelihood.value(without) - units,
        alternative=alternative,
        level=level,
        k=y.size,
        likelihood=likelihood,
        theta=theta,
        scale=scale,
    )


def _highest(likelihood: Likelihood, without: Array) -> Summit:
    """The highest end of climbs from many starts, the fit without selection among them.

    A climb that went on rising ends without a covariance; it counts if it ended above all maxima.
    """
    y = likelihood.y
    spread = float(np.ptp(y))
    starts = [without]
    for mu in (without[0], 0.0, float(y.mean()), float(y.min()) - spread):
        for tau2 in (0.0, float(without[1]), float(y.var()) + 1.0, 4 * spread**2 + 1.0):
            starts += [
                np.array([mu, tau2, *np.full(without.size - 2, log_delta)]) for log_delta in (0.0, -3.0)
            ]
    ends = [climb(likelihood, start) for start in starts]
    highest = max(ends, key=lambda end: end.value)
    maxima = [end for end in ends if end.covariance is not None and end.value > highest.value - 1e-9]
    return max(maxima, key=lambda end: end.value, default=highest)


def _ends(steps: ArrayLike) -> Array:
    """Upper ends of the intervals, with the last 1."""
    ends = np.atleast_1d(numbers("steps", steps))
    if ends.ndim == 1 and ends.size and ends[-1] < 1:
        ends = np.append(ends, 1.0)
    if ends.ndim != 1 or ends.size < 2 or not (ends[0] > 0 and ends[-1] == 1 and (np.diff(ends) > 0).all()):
        raise InputError(
            f"steps must rise from above 0 to 1 with one below 1 at least, as (0.025, 1), found {steps!r}"
        )
    return ends


def _refuse_empty(counts: NDArray[np.intp], ends: Array) -> None:
    """The chance of a p-value that no study has cannot be estimated."""
    for j in np.flatnonzero(counts == 0):
        low = 0.0 if j == 0 else ends[j - 1]
        raise InputError(
            f"no study has a p-value between {low:g} and {ends[j]:g} (studies per interval: "
            f"{', '.join(str(n) for n in counts)}); leave a step out so that every interval has one"
        )
