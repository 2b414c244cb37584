"""A common effect pooled straight from counts: Mantel-Haenszel and Peto.

No study is made into an effect of its own first, so zero cells need no correction.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.effects import effect_size, two_arms, two_rates
from kyphobayes.effects.validate import together
from kyphobayes.errors import InputError
from kyphobayes.frequentist import stratified
from kyphobayes.frequentist.stratified import COUNTS, RATES
from kyphobayes.frequentist.validate import one_of, refuse_level

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PooledCounts:
    """A common effect of group 1 against group 2.

    Attributes
    ----------
    mu, se : float
        Pooled effect, on the log scale for ratios, and its standard error.
    ci_low, ci_high : float
        Confidence interval of mu, normal.
    statistic, p_value : float
        mu / se, and the two-sided p-value of mu = 0.
    q, q_df, q_p : float
        Heterogeneity: sum((y - mu)^2 / v) over the studies that have an effect y of their own
        (0.5 added where a cell is zero, except for PETO), its degrees of freedom and p-value.
    i2, h2 : float
        I2 in percent and H2, from Q; 0 and 1 if only one study has an effect.
    cmh, cmh_p : float
        Cochran-Mantel-Haenszel test of no association, continuity-corrected.
    tarone, tarone_p : float
        Breslow-Day test of equal odds ratios with Tarone's correction; NaN unless measure is OR.
    k : int
        Number of studies.
    measure : str
        OR, RR, RD, IRR, IRD or PETO.
    """

    mu: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    p_value: float
    q: float
    q_df: float
    q_p: float
    i2: float
    h2: float
    cmh: float
    cmh_p: float
    tarone: float
    tarone_p: float
    k: int
    measure: str


def mantel_haenszel(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    measure: str = "OR",
    level: float = 0.95,
) -> PooledCounts:
    """Pool 2 x 2 tables by Mantel and Haenszel.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array_like, shape (k,)
        Events and group sizes.
    measure : {"OR", "RR", "RD"}
        Log odds ratio, log risk ratio or risk difference.
    level : float
        Of the confidence interval.

    Returns
    -------
    PooledCounts

    Raises
    ------
    InputError
        If counts are impossible, lengths differ, an argument is unknown, or the pooled effect is
        infinite or has no standard error because a cell is empty in all studies.

    Notes
    -----
    Nothing is added to any cell for mu. Studies with zeros in both groups do not count for a ratio,
    and count as a difference of 0 for RD. The variance is that of Robins, Breslow and Greenland for
    OR, of Greenland and Robins for RR, and of Sato, Greenland and Robins for RD: right for few large
    and for many sparse studies.

    References
    ----------
    Mantel, N. and Haenszel, W. (1959). J. Natl. Cancer Inst. 22, 719-748. Robins, J., Breslow, N. and
    Greenland, S. (1986). Biometrics 42, 311-323. Greenland, S. and Robins, J. M. (1985). Biometrics
    41, 55-68. Sato, T., Greenland, S. and Robins, J. M. (1989). Biometrics 45, 1323-1324. Tarone, R. E.
    (1985). Biometrika 72, 91-95.
    """
    tables = _tables(measure, COUNTS, two_arms.COLUMNS, (events_1, n_1, events_2, n_2))
    two_arms.check(*tables)
    mu, variance = COUNTS[measure](*tables)
    tarone = stratified.tarone(float(np.exp(mu)), *tables) if measure == "OR" else (np.nan, np.nan)
    silent = two_arms.says_nothing(*tables)
    return _pooled(
        measure,
        mu,
        variance,
        tables,
        silent,
        stratified.cmh(*stratified.hypergeometric(*tables)),
        tarone,
        level,
    )


def mantel_haenszel_rates(
    events_1: ArrayLike,
    time_1: ArrayLike,
    events_2: ArrayLike,
    time_2: ArrayLike,
    *,
    measure: str = "IRR",
    level: float = 0.95,
) -> PooledCounts:
    """Pool events in time at risk by Mantel and Haenszel.

    Parameters
    ----------
    events_1, time_1, events_2, time_2 : array_like, shape (k,)
        Events and time at risk.
    measure : {"IRR", "IRD"}
        Log rate ratio or rate difference, the latter in units of 1 / time.
    level : float
        Of the confidence interval.

    Returns
    -------
    PooledCounts

    Raises
    ------
    InputError
        As `mantel_haenszel` does.

    References
    ----------
    Greenland, S. and Robins, J. M. (1985). Estimation of a common effect parameter from sparse
    follow-up data. Biometrics 41, 55-68.
    """
    tables = _tables(measure, RATES, two_rates.COLUMNS, (events_1, time_1, events_2, time_2))
    two_rates.check(*tables)
    mu, variance = RATES[measure](*tables)
    silent = two_rates.says_nothing(*tables)
    cmh = stratified.cmh(*stratified.binomial(*tables))
    return _pooled(measure, mu, variance, tables, silent, cmh, (np.nan, np.nan), level)


def peto(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike, *, level: float = 0.95
) -> PooledCounts:
    """Pool 2 x 2 tables by Peto's one-step log odds ratio.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array_like, shape (k,)
        Events and group sizes.
    level : float
        Of the confidence interval.

    Returns
    -------
    PooledCounts
        With measure PETO; its `statistic` is the Mantel-Haenszel test without correction.

    Raises
    ------
    InputError
        If counts are impossible, lengths differ, or no study has both events and non-events.

    Notes
    -----
    mu = sum(O - E) / sum(V) with the hypergeometric mean E and variance V of the events in group 1,
    and se^2 = 1 / sum(V). It is biased for large effects and for groups of unequal size (Greenland
    and Salvan 1990).

    References
    ----------
    Yusuf, S., Peto, R., Lewis, J., Collins, R. and Sleight, P. (1985). Prog. Cardiovasc. Dis. 27,
    335-371. Greenland, S. and Salvan, A. (1990). Stat. Med. 9, 247-252.
    """
    tables = _tables("PETO", ("PETO",), two_arms.COLUMNS, (events_1, n_1, events_2, n_2))
    two_arms.check(*tables)
    excess, variance = stratified.hypergeometric(*tables)
    information = float(variance.sum())
    if information == 0:
        raise InputError(
            "no study has both events and non-events: Peto's odds ratio does not exist; "
            "choose mantel_haenszel with measure='RD' or add studies"
        )
    mu = float(excess.sum()) / information
    silent = two_arms.says_nothing(*tables)
    cmh = stratified.cmh(excess, variance)
    return _pooled("PETO", mu, 1 / information, tables, silent, cmh, (np.nan, np.nan), level)


def _tables(
    measure: str, known: Iterable[str], columns: tuple[str, ...], values: tuple[ArrayLike, ...]
) -> tuple[Array, ...]:
    """The columns as arrays of one shape (k,)."""
    one_of("measure", measure, known)
    tables = together(**dict(zip(columns, values, strict=True)))
    if tables[0].ndim != 1 or tables[0].size == 0:
        raise InputError(
            f"{', '.join(columns)} must hold one number per study, found shape {tables[0].shape}"
        )
    return tables


def _pooled(
    measure: str,
    mu: float,
    variance: float,
    tables: tuple[Array, ...],
    silent: NDArray[np.bool_],
    cmh: tuple[float, float],
    tarone: tuple[float, float],
    level: float,
) -> PooledCounts:
    """The fields that follow from mu, its variance and the studies' own effects."""
    refuse_level(level)
    columns = two_rates.COLUMNS if measure in RATES else two_arms.COLUMNS
    useful = [column[~silent] for column in tables]
    # Peto's effects are defined at zero cells, so only the others need the correction.
    to = "none" if measure == "PETO" else "only0"
    effects = effect_size(measure, dict(zip(columns, useful, strict=True)), to=to)
    q, df = float(((effects.y - mu) ** 2 / effects.v).sum()), effects.y.size - 1
    h2 = q / df if df else 1.0
    se = float(np.sqrt(variance))
    reach = float(special.ndtri((1 + level) / 2)) * se
    return PooledCounts(
        mu=mu,
        se=se,
        ci_low=mu - reach,
        ci_high=mu + reach,
        statistic=mu / se,
        p_value=float(2 * special.ndtr(-abs(mu / se))),
        q=q,
        q_df=df,
        q_p=float(special.chdtrc(df, q)) if df else 1.0,
        i2=100 * max(0.0, 1 - 1 / max(h2, 1.0)),
        h2=h2,
        cmh=cmh[0],
        cmh_p=cmh[1],
        tarone=tarone[0],
        tarone_p=tarone[1],
        k=silent.size,
        measure=measure,
    )
