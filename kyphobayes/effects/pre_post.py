"""One group before and after: `mean_pre`, `mean_post`, their SDs, `n` patients, correlation `r`.

Every function takes arrays of one shape and returns the effect y, pre minus post, and its sampling
variance v. A fall in pain is a positive y. `r` is the correlation of a patient's two values; give
it a leading axis to sweep over values of it.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.effects.means import hedges_j
from kyphobayes.effects.validate import refuse, together

Array = NDArray[np.float64]
COLUMNS = ("mean_pre", "mean_post", "sd_pre", "sd_post", "n", "r")
COLUMNS_BY_PRE = ("mean_pre", "mean_post", "sd_pre", "n", "r")


def mean_change(
    mean_pre: Array, mean_post: Array, sd_pre: Array, sd_post: Array, n: Array, r: Array
) -> tuple[Array, Array]:
    """MC: y = mean_pre - mean_post, in the unit of the outcome, v = sd^2 of the change / n."""
    return mean_pre - mean_post, variance_of_change(sd_pre, sd_post, r) / n


def standardised_by_change(
    mean_pre: Array,
    mean_post: Array,
    sd_pre: Array,
    sd_post: Array,
    n: Array,
    r: Array,
    *,
    vtype: str,
    correct: bool,
) -> tuple[Array, Array]:
    """SMCC: y = g = J(n - 1) d, d = (mean_pre - mean_post) / sd of the change.

    LS: v = 1 / n + g^2 / (2 n). LS2: v = J^2 (1 / n + d^2 / (2 n)). Gibbons, Hedeker and Davis
    (1993). Without the correction J is 1.
    """
    d = (mean_pre - mean_post) / np.sqrt(variance_of_change(sd_pre, sd_post, r))
    return _standardised(d, 1 / n, n, vtype, correct)


def standardised_by_pre(
    mean_pre: Array, mean_post: Array, sd_pre: Array, n: Array, r: Array, *, vtype: str, correct: bool
) -> tuple[Array, Array]:
    """SMCR: y = g = J(n - 1) d, d = (mean_pre - mean_post) / sd_pre; Becker (1988).

    LS: v = 2 (1 - r) / n + g^2 / (2 n), which takes sd_pre = sd_post in the population.
    LS2: v = J^2 (2 (1 - r) / n + d^2 / (2 n)). Without the correction J is 1.
    """
    return _standardised((mean_pre - mean_post) / sd_pre, 2 * (1 - r) / n, n, vtype, correct)


def standardised_by_pre_unequal(
    mean_pre: Array,
    mean_post: Array,
    sd_pre: Array,
    sd_post: Array,
    n: Array,
    r: Array,
    *,
    vtype: str,
    correct: bool,
) -> tuple[Array, Array]:
    """SMCRH: y as SMCR, v without taking sd_pre = sd_post in the population; Bonett (2008).

    BONETT: v = sd^2 of the change / (sd_pre^2 (n - 1)) + y^2 / (2 (n - 1)), the default of metafor
    since 4.6. LS: the same times J^2, the default of metafor before. Without the correction J is 1.
    """
    factor = hedges_j(n - 1) if correct else np.ones_like(n)
    y = factor * (mean_pre - mean_post) / sd_pre
    v = (variance_of_change(np.ones_like(sd_pre), sd_post / sd_pre, r) + y**2 / 2) / (n - 1)
    return y, v if vtype == "BONETT" else factor**2 * v


def ratio(
    mean_pre: Array,
    mean_post: Array,
    sd_pre: Array,
    sd_post: Array,
    n: Array,
    r: Array,
    *,
    correct: bool,
) -> tuple[Array, Array]:
    """ROMC: y = log(mean_pre / mean_post); Lajeunesse (2011).

    v = (c_pre^2 + c_post^2 - 2 r c_pre c_post) / n with c = sd / mean. With the correction,
    (c_pre^2 - c_post^2) / (2 n) is added to y; Lajeunesse (2015), eq. 8.
    """
    c_pre, c_post = sd_pre / mean_pre, sd_post / mean_post
    bias = (c_post**2 - c_pre**2) / (2 * n) if correct else 0.0
    return np.log(mean_pre / mean_post) - bias, variance_of_change(c_pre, c_post, r) / n


def variance_of_change(sd_pre: Array, sd_post: Array, r: Array) -> Array:
    """sd_pre^2 + sd_post^2 - 2 r sd_pre sd_post, as a sum that cannot turn negative."""
    return (sd_pre - sd_post) ** 2 + 2 * (1 - r) * sd_pre * sd_post


def share_of_g(g: ArrayLike, n: ArrayLike, v: ArrayLike) -> Array:
    """The share of a standardised effect's sampling variance that is g^2 / (2 n) and nothing else.

    Near 1 for effects of 4 to 6 standard deviations: studies with larger g then have larger
    variances because of g, and much of an I2 between them is arithmetic.

    Parameters
    ----------
    g : array_like
        Standardised effects (SMD, SMCC, SMCR), without unit.
    n : array_like
        Patients: of the group (SMCC, SMCR), or of both groups together (SMD).
    v : array_like
        Sampling variances of g, by `vtype="LS"`; shapes broadcast.

    Returns
    -------
    ndarray
        Between 0 and 1.

    Raises
    ------
    InputError
        If n or v is not positive, or the share is over 1: then v is not the variance of this g.
    """
    g, n, v = together(g=g, n=n, v=v)
    refuse(~((n > 0) & (v > 0)), "n > 0 and v > 0", "mend the row", n=n, v=v)
    share = g**2 / (2 * n * v)
    refuse(share > 1 + 1e-12, "v of at least g^2 / (2 n)", "give the LS variance of this g", g=g, n=n, v=v)
    return np.minimum(share, 1.0)


def check(mean_pre: Array, mean_post: Array, sd_pre: Array, sd_post: Array, n: Array, r: Array) -> None:
    """Raise InputError unless both SDs are positive, n > 1 and r lies in [-1, 1], in every study."""
    refuse(
        ~((sd_pre > 0) & (sd_post > 0) & (n > 1)),
        "sd_pre > 0, sd_post > 0 and n > 1",
        "mend the row or leave the study out",
        sd_pre=sd_pre,
        sd_post=sd_post,
        n=n,
    )
    refuse(~(np.abs(r) <= 1), "a correlation r between -1 and 1", "mend it", r=r)


def check_standardised(
    mean_pre: Array, mean_post: Array, sd_pre: Array, sd_post: Array, n: Array, r: Array
) -> None:
    """Raise InputError unless, besides, n > 2: Hedges' J(n - 1) needs more than one degree of freedom."""
    check(mean_pre, mean_post, sd_pre, sd_post, n, r)
    refuse(~(n > 2), "n > 2, for a standardised change", "choose MC or leave the study out", n=n)


def check_by_pre(mean_pre: Array, mean_post: Array, sd_pre: Array, n: Array, r: Array) -> None:
    """Do the same where sd_post is not needed."""
    check_standardised(mean_pre, mean_post, sd_pre, sd_pre, n, r)


def check_ratio(mean_pre: Array, mean_post: Array, sd_pre: Array, sd_post: Array, n: Array, r: Array) -> None:
    """Raise InputError unless, besides, both means are positive."""
    check(mean_pre, mean_post, sd_pre, sd_post, n, r)
    refuse(
        ~((mean_pre > 0) & (mean_post > 0)),
        "positive means, for a ratio of means",
        "choose a change (MC, SMCC, SMCR)",
        mean_pre=mean_pre,
        mean_post=mean_post,
    )


def _standardised(d: Array, of_means: Array, n: Array, vtype: str, correct: bool) -> tuple[Array, Array]:
    factor = hedges_j(n - 1) if correct else np.ones_like(n)
    y = factor * d
    if vtype == "LS2":
        return y, factor**2 * (of_means + d**2 / (2 * n))
    return y, of_means + y**2 / (2 * n)
