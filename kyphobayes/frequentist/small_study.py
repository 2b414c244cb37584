"""Do small studies show other effects than large ones? Tests of a funnel plot's asymmetry.

Asymmetry has many causes, of which unpublished studies are one. The tests have so little power with
few studies that no result here is printed without saying so (Sterne et al. 2011, BMJ 343, d4002: at
least ten studies).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kyphobayes.errors import InputError
from kyphobayes.frequentist.regression import Regression, regress
from kyphobayes.frequentist.studies import Studies, sum_of_others
from kyphobayes.frequentist.validate import numbers, one_meta_analysis, one_of, refuse

Array = NDArray[np.float64]

ENOUGH: Final = 10  # studies, for a claim

# What the effects are regressed on, from v and n, and whether 0 means a study without sampling error.
PREDICTORS: Final[Mapping[str, tuple[Callable[[Array, Array], Array], bool]]] = {
    "se": (lambda v, n: np.sqrt(v), True),
    "variance": (lambda v, n: v, True),
    "n": (lambda v, n: n, False),
    "sqrt_n": (lambda v, n: np.sqrt(n), False),
    "inverse_n": (lambda v, n: 1 / n, True),
    "sqrt_inverse_n": (lambda v, n: 1 / np.sqrt(n), True),
}
OF_SIZES: Final = ("n", "sqrt_n", "inverse_n", "sqrt_inverse_n")


class SmallStudyResult:
    """What every result about small-study effects says of itself when printed."""

    k: int

    @property
    def claim(self) -> str:
        """What the number of studies forbids to claim; empty if there are enough."""
        return f"k < {ENOUGH}: no claim" if self.k < ENOUGH else ""

    def sentence(self) -> str:
        """The result in one line."""
        raise NotImplementedError

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.sentence(), self.claim)))


@dataclass(frozen=True, eq=False)
class Egger(SmallStudyResult):
    """A regression test for small-study effects; its numbers are in units of y.

    Attributes
    ----------
    slope, se, ci_low, ci_high : float
        Of the effect per unit of the predictor.
    statistic, df, p_value : float
        slope / se, its degrees of freedom (inf for a normal), and the two-sided p-value of slope = 0.
    limit_b, limit_se, limit_low, limit_high : float
        The effect that a study without sampling error would have, with its standard error and
        confidence interval; NaN where the predictor grows with the sample size.
    k : int
        Number of studies.
    model, predictor : str
        As given to `egger`.
    regression : Regression
        All of it.
    claim : str
        "k < 10: no claim", or empty.
    """

    slope: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    df: float
    p_value: float
    limit_b: float
    limit_se: float
    limit_low: float
    limit_high: float
    k: int
    model: str
    predictor: str
    regression: Regression = field(repr=False)

    def sentence(self) -> str:
        """The result in one line."""
        letter = "z" if np.isinf(self.df) else "t"
        return (
            f"Egger ({self.model}, {self.predictor}): {letter} = {self.statistic:.4g}, "
            f"p = {self.p_value:.3g}, k = {self.k}"
        )


@dataclass(frozen=True)
class Begg(SmallStudyResult):
    """A rank correlation test for small-study effects.

    Attributes
    ----------
    tau : float
        Kendall's tau-b between standardised effects and variances.
    p_value : float
        Two-sided, of tau = 0.
    exact : bool
        Whether from the exact distribution, or else, with ties, a normal one.
    k : int
        Number of studies.
    claim : str
        "k < 10: no claim", or empty.
    """

    tau: float
    p_value: float
    exact: bool
    k: int

    def sentence(self) -> str:
        """The result in one line."""
        return f"Begg: tau = {self.tau:.4g}, p = {self.p_value:.3g}, k = {self.k}"


def egger(
    y: ArrayLike,
    v: ArrayLike,
    *,
    model: str = "rma",
    predictor: str = "se",
    n: ArrayLike | None = None,
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
) -> Egger:
    """Test by regression whether effects depend on the precision of their studies.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects of at least three studies.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.
    model : {"rma", "lm"}
        Meta-regression with a variance between studies; or, as Egger et al. did, weighted least
        squares, where the residuals scale the standard error and t has k - 2 df.
    predictor : {"se", "variance", "n", "sqrt_n", "inverse_n", "sqrt_inverse_n"}
        What the effects are regressed on.
    n : array_like, shape (k,), optional
        Sample sizes, for the predictors made of them.
    method, test : str
        Of the meta-regression, as in `regress`; "lm" has its own.
    level : float
        Of the confidence intervals.

    Returns
    -------
    Egger

    Raises
    ------
    InputError
        If there are fewer than three studies, all have the same precision, sample sizes are missing
        or not positive, or `regress` would raise.

    Notes
    -----
    "lm" is the meta-regression with tau2 = 0 and the covariance multiplied by the residual mean
    square: `regress` with CE and hksj.

    References
    ----------
    Egger, M., Davey Smith, G., Schneider, M. and Minder, C. (1997). BMJ 315, 629-634. Sterne, J. A. C.
    and Egger, M. (2005), in Publication Bias in Meta-Analysis, 99-110. Moreno, S. G. et al. (2009), for
    the limit. BMC Med. Res. Methodol. 9, 2.
    """
    one_of("model", model, ("rma", "lm"))
    one_of("predictor", predictor, PREDICTORS)
    y, v = one_meta_analysis(y, v, least=3, purpose="a regression test")
    x, has_limit = PREDICTORS[predictor]
    fit = regress(
        y,
        v,
        x(v, _sizes(n, y.size, predictor)),
        method="CE" if model == "lm" else method,
        test="hksj" if model == "lm" else test,
        level=level,
        names=[predictor],
    )
    limit, slope = (
        {"b": fit.beta[i], "se": fit.se[i], "low": fit.ci_low[i], "high": fit.ci_high[i]} for i in (0, 1)
    )
    return Egger(
        slope=float(slope["b"]),
        se=float(slope["se"]),
        ci_low=float(slope["low"]),
        ci_high=float(slope["high"]),
        statistic=float(fit.statistic[1]),
        df=fit.df,
        p_value=float(fit.p_value[1]),
        **{f"limit_{name}": float(value) if has_limit else np.nan for name, value in limit.items()},
        k=y.size,
        model=model,
        predictor=predictor,
        regression=fit,
    )


def begg(y: ArrayLike, v: ArrayLike) -> Begg:
    """Test by rank correlation whether effects depend on the precision of their studies.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects of at least three studies.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.

    Returns
    -------
    Begg

    Raises
    ------
    InputError
        If there are fewer than three studies, all effects or all variances are equal, a number is not
        finite, a variance is not positive, or the lengths differ.

    Notes
    -----
    The effects are measured from their common-effect mean in units of the standard deviation of that
    distance, sqrt(v - 1 / sum(1 / v)). Without ties the p-value is exact for every k; with ties it is
    that of the normal distribution with the variance for ties (Kendall 1970) and no correction for
    continuity, as in R's `cor.test`.

    References
    ----------
    Begg, C. B. and Mazumdar, M. (1994). Biometrics 50, 1088-1101.
    """
    y, v = one_meta_analysis(y, v, least=3, purpose="a rank test")
    for name, values in (("effects", y), ("variances", v)):
        if np.ptp(values) == 0:
            raise InputError(f"all {name} are {values[0]:g}: ranks need two different ones")
    studies = Studies.standardised(y[None], v[None])
    w = studies.weights(0.0)
    variance = studies.v * sum_of_others(w) / w.sum(axis=0)  # v - 1 / W, exact beside a huge study
    distance = ((studies.y - studies.mean(w)) / np.sqrt(variance))[:, 0]
    exact = min(np.unique(distance).size, np.unique(v).size) == y.size
    result = stats.kendalltau(distance, studies.v[:, 0], method="exact" if exact else "asymptotic")
    return Begg(float(result.statistic), float(result.pvalue), exact, y.size)


def _sizes(n: ArrayLike | None, k: int, predictor: str) -> Array:
    """Sample sizes if the predictor is made of them."""
    if predictor not in OF_SIZES:
        return np.ones(k)
    if n is None:
        raise InputError(f"predictor {predictor!r} needs the sample sizes n; give them or choose 'se'")
    sizes = numbers("n", n)
    if sizes.shape != (k,):
        raise InputError(f"n must hold one number per study, {k}, found shape {sizes.shape}")
    wrong = ~np.isfinite(sizes) | (sizes <= 0)
    refuse(wrong, "n", sizes, "a finite positive number", "mend the sample size or leave the study out")
    return sizes
