"""The Henmi-Copas interval: fixed weights, against small-study effects, and a random-effects error."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, optimize, special

from kyphobayes.frequentist.studies import Studies, trace_p, trace_psps
from kyphobayes.frequentist.tau2 import dersimonian_laird
from kyphobayes.frequentist.validate import one_meta_analysis, refuse_level

FARTHEST: Final = 40.0  # standard deviations: the normal density beyond underflows


@dataclass(frozen=True)
class HenmiCopas:
    """A pooled effect that small studies cannot pull away.

    Attributes
    ----------
    mu, se : float
        The common-effect mean and its standard error under the random-effects model.
    ci_low, ci_high : float
        Confidence interval of mu.
    tau2 : float
        Variance between studies, by DerSimonian and Laird.
    k : int
        Number of studies.
    """

    mu: float
    se: float
    ci_low: float
    ci_high: float
    tau2: float
    k: int


@dataclass(frozen=True)
class Pivot:
    """U = (mu - true mu) / se, in which se depends on tau2 and so on Q: how it is distributed.

    With R = sqrt(W) (mu - true mu) and x = R / sd(R), Q given x has the mean and variance below and
    is taken for a gamma. `excess`, `cross` are the two moments by which Q depends on x.

    Attributes
    ----------
    df : int
        k - 1.
    sd : float
        Of R: sqrt(1 + tau2 w_mean), with w_mean = sum(w^2) / W.
    mean, variance : float
        Of Q, over all x.
    excess, cross : float
        g = c' W c and h = c' W S W c, with c the regression of the residuals on x.
    slope : float
        Of Q in the squared ratio R / U: tr(P) / w_mean.
    """

    df: int
    sd: float
    mean: float
    variance: float
    excess: float
    cross: float
    slope: float

    def tail(self, u: float) -> float:
        """P(U > u) for u > 0.

        U exceeds u where R does and tau2 is so small that se does not keep pace: where Q is at most
        k - 1 + slope ((R / u)^2 - 1).
        """

        def density(x: float) -> float:
            mean = self.mean + (x**2 - 1) * self.excess
            variance = self.variance + 4 * (x**2 - 1) * self.cross + (2 - 4 * x**2) * self.excess**2
            most = self.df + self.slope * ((self.sd * x / u) ** 2 - 1)
            return special.gammainc(mean**2 / variance, most * mean / variance) * np.exp(-(x**2) / 2)

        start = u / self.sd
        area, _ = integrate.quad(density, start, FARTHEST, epsabs=0.0, epsrel=1e-11, limit=500)
        return area / np.sqrt(2 * np.pi)


def henmi_copas(y: ArrayLike, v: ArrayLike, *, level: float = 0.95) -> HenmiCopas:
    """Pool with the weights 1 / v and an interval that holds under heterogeneity.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects of at least two studies.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.
    level : float
        Of the confidence interval.

    Returns
    -------
    HenmiCopas

    Raises
    ------
    InputError
        If there is one study, a number is not finite, a variance is not positive or the lengths
        differ.

    Notes
    -----
    se^2 = (1 + tau2 sum(w^2) / W) / W, and the quantile of mu's distribution counts that tau2 is
    estimated. Residuals and mean are jointly normal; given x, the standardised mean, Q has mean
    E(Q) + (x^2 - 1) g and variance Var(Q) + 4 (x^2 - 1) h + (2 - 4 x^2) g^2 (written out from the
    model; the paper's eqs. 5 and 6 in other letters).

    References
    ----------
    Henmi, M. and Copas, J. B. (2010). Confidence intervals for random effects meta-analysis and
    robustness to publication bias. Stat. Med. 29, 2969-2983.
    """
    refuse_level(level)
    y, v = one_meta_analysis(y, v, least=2, purpose="the Henmi-Copas interval")
    studies = Studies.standardised(y[None], v[None])
    tau2 = float(dersimonian_laird(studies)[0][0])
    pivot = _pivot(studies, tau2)
    least, most = 0.0, pivot.sd * float(special.ndtri((1 + level) / 2))
    quantile = optimize.brentq(
        lambda u: (pivot.tail(u) if u > least else 0.5) - (1 - level) / 2, least, most, xtol=1e-13, rtol=1e-13
    )
    w = studies.weights(0.0)
    scale = float(studies.scale[0])
    mu = float(studies.origin[0] + scale * studies.mean(w)[0])
    se = scale * pivot.sd / float(np.sqrt(w.sum()))
    return HenmiCopas(mu, se, mu - quantile * se, mu + quantile * se, scale**2 * tau2, y.size)


def _pivot(studies: Studies, tau2: float) -> Pivot:
    """The moments of Q and R under tau2, in standard units."""
    w = studies.weights(0.0)
    share = w / w.sum()
    w_mean = float((share * w).sum())
    variance_of_r = 1 + tau2 * w_mean
    squared = share * (w - w_mean) ** 2
    excess = tau2**2 * float(squared.sum()) / variance_of_r
    trace = float(trace_p(w)[0])
    df = int(studies.k[0]) - 1
    return Pivot(
        df=df,
        sd=float(np.sqrt(variance_of_r)),
        mean=df + tau2 * trace,
        variance=2 * float(trace_psps(w, studies.v + tau2)[0]),
        excess=excess,
        cross=excess + tau2**3 * float((squared * w).sum()) / variance_of_r,
        slope=trace / w_mean,
    )
