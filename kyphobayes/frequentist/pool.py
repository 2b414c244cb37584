"""Random- and common-effects meta-analysis: of one set of studies, or of a hundred thousand at once."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes import html
from kyphobayes.errors import InputError
from kyphobayes.frequentist.inference import factor, i2_h2, ratio, two_sided_p, two_sided_quantile
from kyphobayes.frequentist.search import GRID
from kyphobayes.frequentist.studies import Studies, trace_p
from kyphobayes.frequentist.tau2 import METHODS, estimate
from kyphobayes.frequentist.validate import (
    numbers,
    one_meta_analysis,
    one_of,
    refuse_level,
    refuse_unusable,
)

Array = NDArray[np.float64]

TESTS: Final = ("z", "t", "hksj", "mhksj")
CELLS = 2**19  # numbers in the largest work array, 4 MB


@dataclass(frozen=True, eq=False)
class Pooled[Number]:
    """A pooled effect with its intervals and the heterogeneity of the studies.

    Fields hold numbers after `pool` and arrays of shape (B,) after `pool_many`. Effects are in
    units of y, variances in units of v.

    Attributes
    ----------
    mu, se : float
        Pooled effect and its standard error.
    ci_low, ci_high : float
        Confidence interval of mu.
    statistic, df, p_value : float
        mu / se, its degrees of freedom (inf for a normal), and the two-sided p-value of mu = 0.
    tau2, se_tau2 : float
        Variance between studies; its standard error is NaN where tau2 is not estimated (CE, k = 1).
    i2, h2 : float
        I2 in percent, H2 as a ratio.
    q, q_df, q_p : float
        Cochran's Q, its degrees of freedom k - 1 and p-value.
    pi_low, pi_high : float
        Prediction interval for the effect in a new study; NaN where tau2 is not estimated.
    k : int
        Number of studies.
    method, test : str
        How tau2 was estimated and how mu was tested.
    weights : ndarray, shape (k,) or (B, k)
        Share of each study in mu; they sum to 1, and are 0 for absent studies.
    """

    mu: Number
    se: Number
    ci_low: Number
    ci_high: Number
    statistic: Number
    df: Number
    p_value: Number
    tau2: Number
    se_tau2: Number
    i2: Number
    h2: Number
    q: Number
    q_df: Number
    q_p: Number
    pi_low: Number
    pi_high: Number
    k: Number
    method: str
    test: str
    weights: Array

    def _repr_html_(self) -> str:
        names = ("mu", "se", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "i2", "q", "q_p")
        values = np.stack([np.atleast_1d(getattr(self, name)) for name in names], axis=-1).tolist()
        rows = [[i + 1 if len(values) > 1 else "", *row] for i, row in enumerate(values)]
        k = np.atleast_1d(np.asarray(self.k))
        told = f"{k[0]}" if (k == k[0]).all() else f"{k.min()} to {k.max()}"
        return html.table(["", *names], rows, caption=f"{self.method}, {self.test}, {told} studies")


def pool(
    y: ArrayLike, v: ArrayLike, *, method: str = "REML", test: str = "hksj", level: float = 0.95
) -> Pooled[float]:
    """Pool the effects of k studies.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.
    method : {"CE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM"}
        Common effect, or the estimator of tau2; `kyphobayes.frequentist.tau2` has their sources.
    test : {"z", "t", "hksj", "mhksj"}
        Normal; t with k - 1 df; Hartung-Knapp-Sidik-Jonkman: t with k - 1 df and se multiplied by
        sqrt(sum(w (y - mu)^2) / (k - 1)); the same with a factor of at least 1.
    level : float
        Of the confidence and the prediction interval.

    Returns
    -------
    Pooled

    Raises
    ------
    InputError
        If a number is not finite, a variance is not positive, the lengths differ, an argument is
        unknown, or there is one study and the test is not z.

    Notes
    -----
    I2 = 100 tau2 / (tau2 + s2) and H2 = 1 + tau2 / s2, with s2 = (k - 1) / tr(P) the typical
    sampling variance (Higgins and Thompson 2002, eq. 9); for DL they equal (Q - df) / Q and Q / df
    unless tau2 is 0. For CE they are the latter two, I2 not below 0. One study has tau2 = 0, I2 = 0
    and H2 = 1.

    The prediction interval is mu -/+ c sqrt(tau2 + se^2) with the quantile c of the confidence
    interval, metafor's default.

    If all effects are equal, the HKSJ standard error is 0: the interval is the point mu, and the
    p-value is 1 if that point is 0, else 0; mhksj is then the test to choose.

    References
    ----------
    Hartung, J. and Knapp, G. (2001). Stat. Med. 20, 1771-1782. Sidik, K. and Jonkman, J. N. (2002).
    Stat. Med. 21, 3153-3159. Rover, C., Knapp, G. and Friede, T. (2015), for mhksj. BMC Med. Res.
    Methodol. 15, 99. Viechtbauer, W. (2010). J. Stat. Softw. 36(3).
    """
    _refuse_unknown(method, test, level)
    y, v = one_meta_analysis(y, v, least=1, purpose="pooling")
    refuse_unusable(y, v, test)
    row = {name: values[0] for name, values in _pooled(y[None], v[None], method, test, level).items()}
    weights = row.pop("weights")
    scalars = {name: value.item() for name, value in row.items()}
    return Pooled(**scalars, weights=weights, method=method, test=test)


def pool_many(
    y: ArrayLike, v: ArrayLike, *, method: str = "REML", test: str = "hksj", level: float = 0.95
) -> Pooled[Array]:
    """Pool B meta-analyses at once; every number is that of `pool` on the studies of its row.

    Parameters
    ----------
    y, v : array_like, shape (B, k)
        Effects and sampling variances; shapes may broadcast. A study is absent where either is NaN.
    method, test, level
        As in `pool`.

    Returns
    -------
    Pooled
        Of arrays of shape (B,), `weights` of shape (B, k).

    Raises
    ------
    InputError
        As `pool` does, and if a row has no study.
    """
    _refuse_unknown(method, test, level)
    y, v = numbers("y", y), numbers("v", v)
    try:
        y, v = np.broadcast_arrays(y, v)
    except ValueError as error:
        raise InputError(
            f"y and v must have shapes that fit together, found {y.shape} and {v.shape}"
        ) from error
    if y.ndim != 2 or y.size == 0:
        raise InputError(f"y and v must have shape (meta-analyses, studies), found {y.shape}")
    absent = np.isnan(y) | np.isnan(v)
    y, v = np.where(absent, np.nan, y), np.where(absent, np.nan, v)
    refuse_unusable(y, v, test)
    length = max(1, CELLS // ((GRID + 1) * y.shape[1]))
    chunks = [
        _pooled(y[start : start + length], v[start : start + length], method, test, level)
        for start in range(0, len(y), length)
    ]
    together = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    return Pooled(**together, method=method, test=test)


def _pooled(y: Array, v: Array, method: str, test: str, level: float) -> dict[str, NDArray[Any]]:
    """The numeric fields of `Pooled`, for y and v of shape (B, k) that have passed every check."""
    studies = Studies.standardised(y, v)
    k, scale = studies.k, studies.scale
    q_df = k - 1

    w = studies.weights(0.0)
    q = studies.q(w)
    tau2, se_tau2 = estimate(method, studies)
    some = np.maximum(q_df, 1)  # of one study Q and tau2 are 0
    i2, h2 = i2_h2(np.where(q_df > 0, q / some, 1.0), tau2 * trace_p(w) / some, common_effect=method == "CE")

    w = studies.weights(tau2)
    mu = studies.origin + scale * studies.mean(w)
    mean_square = np.divide(studies.q(w), q_df, out=np.ones_like(q), where=q_df > 0)
    se = scale * np.sqrt(factor(test, mean_square) / w.sum(axis=0))
    tau2, se_tau2 = scale**2 * tau2, scale**2 * se_tau2
    weights = np.nan_to_num(scale[:, None] ** 2 / (v + tau2[:, None]))  # in the order of y; absent: 0

    df = np.full(k.shape, np.inf) if test == "z" else q_df
    quantile = two_sided_quantile(df, level)
    statistic = ratio(mu, se)
    estimated = (k > 1) & (method != "CE")
    reach = np.where(estimated, quantile * np.hypot(np.sqrt(tau2), se), np.nan)
    return {
        "mu": mu,
        "se": se,
        "ci_low": mu - quantile * se,
        "ci_high": mu + quantile * se,
        "statistic": statistic,
        "df": df,
        "p_value": two_sided_p(df, statistic),
        "tau2": tau2,
        "se_tau2": se_tau2,
        "i2": i2,
        "h2": h2,
        "q": q,
        "q_df": q_df,
        "q_p": np.where(q_df > 0, special.chdtrc(np.maximum(q_df, 1), q), 1.0),
        "pi_low": mu - reach,
        "pi_high": mu + reach,
        "k": k.astype(np.intp),
        "weights": weights / weights.sum(axis=1, keepdims=True),
    }


def _refuse_unknown(method: str, test: str, level: float) -> None:
    one_of("method", method, METHODS)
    one_of("test", test, TESTS)
    refuse_level(level)
