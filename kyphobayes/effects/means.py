"""Two groups with means: `mean_1`, `sd_1`, `n_1` against `mean_2`, `sd_2`, `n_2`, on four scales.

Every function takes arrays of one shape and returns the effect y of group 1 against group 2 and
its sampling variance v, which may be estimated in several ways (`vtype`, by metafor's codes).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.effects.validate import refuse

Array = NDArray[np.float64]
COLUMNS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")


def hedges_j(df: Array) -> Array:
    """The factor that makes a standardised mean difference unbiased, exactly; Hedges (1981).

    J = Gamma(df / 2) / (sqrt(df / 2) Gamma((df - 1) / 2)), for df > 1 degrees of freedom of the
    standard deviation.
    """
    # The ratio of two large Gammas loses digits in their logs; from df = 41 Stirling's series for
    # log Gamma(a + 1/2) - log Gamma(a) - log(a) / 2 is exact to rounding with four terms.
    a = (df - 1) / 2
    series = -1 / (8 * a) + 1 / (192 * a**3) - 1 / (640 * a**5) + 17 / (14336 * a**7)
    large = np.sqrt((df - 1) / df) * np.exp(np.where(df > 41, series, 0.0))
    return np.where(df > 41, large, special.poch(a, 0.5) / np.sqrt(df / 2))


def mean_difference(
    mean_1: Array, sd_1: Array, n_1: Array, mean_2: Array, sd_2: Array, n_2: Array, *, vtype: str
) -> tuple[Array, Array]:
    """MD: y = mean_1 - mean_2, in the unit of the outcome.

    LS: v = sd_1^2 / n_1 + sd_2^2 / n_2. HO, for equal variances: v = sd^2 (1 / n_1 + 1 / n_2) with
    the pooled sd. Borenstein (2009), eq. 12.5 and 12.3.
    """
    if vtype == "HO":
        return mean_1 - mean_2, _pooled_sd(sd_1, n_1, sd_2, n_2) ** 2 * (1 / n_1 + 1 / n_2)
    return mean_1 - mean_2, sd_1**2 / n_1 + sd_2**2 / n_2


def standardised(
    mean_1: Array,
    sd_1: Array,
    n_1: Array,
    mean_2: Array,
    sd_2: Array,
    n_2: Array,
    *,
    vtype: str,
    correct: bool,
) -> tuple[Array, Array]:
    """SMD: y = g = J d with d = (mean_1 - mean_2) / pooled sd; Hedges (1981).

    With m = n_1 + n_2 - 2 and N = n_1 + n_2:
    LS: v = 1 / n_1 + 1 / n_2 + g^2 / (2 N); Hedges (1982), eq. 8.
    UB: v = 1 / n_1 + 1 / n_2 + (1 - (m - 2) / (m J^2)) g^2, unbiased; Hedges (1983), eq. 9.
    LS2: v = J^2 (1 / n_1 + 1 / n_2 + d^2 / (2 N)); Borenstein (2009), eq. 12.17.
    AV: LS with the mean of g over studies, weighted by N, in place of g.
    Without the correction, y = d: LS and AV have d for g, UB and LS2 are divided by J^2.
    """
    df, total = n_1 + n_2 - 2, n_1 + n_2
    j = hedges_j(df)
    d = (mean_1 - mean_2) / _pooled_sd(sd_1, n_1, sd_2, n_2)
    factor = j if correct else np.ones_like(j)
    y = factor * d
    of_means = 1 / n_1 + 1 / n_2
    if vtype == "UB":
        return y, (factor / j) ** 2 * (of_means + (1 - (df - 2) / (df * j**2)) * (j * d) ** 2)
    if vtype == "LS2":
        return y, factor**2 * (of_means + d**2 / (2 * total))
    plugged_in = y
    if vtype == "AV":
        plugged_in = (total * y).sum(axis=-1, keepdims=True) / total.sum(axis=-1, keepdims=True)
    return y, of_means + plugged_in**2 / (2 * total)


def standardised_unequal(
    mean_1: Array,
    sd_1: Array,
    n_1: Array,
    mean_2: Array,
    sd_2: Array,
    n_2: Array,
    *,
    vtype: str,
    correct: bool,
) -> tuple[Array, Array]:
    """SMDH: y = J (mean_1 - mean_2) / s, s^2 = (sd_1^2 + sd_2^2) / 2; Bonett (2008, 2009).

    BONETT: v = y^2 (sd_1^4 / (n_1 - 1) + sd_2^4 / (n_2 - 1)) / (8 s^4)
    + (sd_1^2 / (n_1 - 1) + sd_2^2 / (n_2 - 1)) / s^2, the default of metafor since 4.6.
    LS: the same times J^2, the default of metafor before. Without the correction J is 1.
    """
    s = np.sqrt((sd_1**2 + sd_2**2) / 2)
    factor = hedges_j(n_1 + n_2 - 2) if correct else np.ones_like(s)
    y = factor * (mean_1 - mean_2) / s
    share_1, share_2 = (sd_1 / s) ** 2, (sd_2 / s) ** 2
    v = (
        y**2 * (share_1**2 / (n_1 - 1) + share_2**2 / (n_2 - 1)) / 8
        + share_1 / (n_1 - 1)
        + share_2 / (n_2 - 1)
    )
    return y, v if vtype == "BONETT" else factor**2 * v


def ratio(
    mean_1: Array,
    sd_1: Array,
    n_1: Array,
    mean_2: Array,
    sd_2: Array,
    n_2: Array,
    *,
    vtype: str,
    correct: bool,
) -> tuple[Array, Array]:
    """ROM: y = log(mean_1 / mean_2); Hedges, Gurevitch and Curtis (1999).

    LS: v = sd_1^2 / (n_1 mean_1^2) + sd_2^2 / (n_2 mean_2^2), their eq. 1. HO: the pooled sd in
    place of both. With the correction, (sd_1^2 / (n_1 mean_1^2) - sd_2^2 / (n_2 mean_2^2)) / 2 is
    added to y, which removes the bias of the logs to first order; Lajeunesse (2015), eq. 8.
    """
    if vtype == "HO":
        sd_1 = sd_2 = _pooled_sd(sd_1, n_1, sd_2, n_2)
    v_1, v_2 = (sd_1 / mean_1) ** 2 / n_1, (sd_2 / mean_2) ** 2 / n_2
    bias = (v_2 - v_1) / 2 if correct else 0.0
    return np.log(mean_1 / mean_2) - bias, v_1 + v_2


def check(mean_1: Array, sd_1: Array, n_1: Array, mean_2: Array, sd_2: Array, n_2: Array) -> None:
    """Raise InputError unless sd > 0 and n > 1 in both groups of every study."""
    for group, sd, n in ((1, sd_1, n_1), (2, sd_2, n_2)):
        refuse(
            ~((sd > 0) & (n > 1)),
            f"sd_{group} > 0 and n_{group} > 1",
            "mend the row or leave the study out",
            **{f"sd_{group}": sd, f"n_{group}": n},
        )


def check_ratio(mean_1: Array, sd_1: Array, n_1: Array, mean_2: Array, sd_2: Array, n_2: Array) -> None:
    """Raise InputError unless, besides, both means are positive."""
    check(mean_1, sd_1, n_1, mean_2, sd_2, n_2)
    refuse(
        ~((mean_1 > 0) & (mean_2 > 0)),
        "positive means, for a ratio of means",
        "choose a difference (MD, SMD)",
        mean_1=mean_1,
        mean_2=mean_2,
    )


def _pooled_sd(sd_1: Array, n_1: Array, sd_2: Array, n_2: Array) -> Array:
    return np.sqrt(((n_1 - 1) * sd_1**2 + (n_2 - 1) * sd_2**2) / (n_1 + n_2 - 2))
