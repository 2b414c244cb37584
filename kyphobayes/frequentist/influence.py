"""What single studies do to a meta-analysis: leave one out, add one at a time, measure the change."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError
from kyphobayes.frequentist.pool import TESTS, Pooled, pool, pool_many
from kyphobayes.frequentist.validate import one_meta_analysis, one_of

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Influence:
    """How the pooled effect depends on each study; every field has shape (k,).

    Attributes
    ----------
    rstudent : ndarray
        Studentised deleted residual: y - mu of the other studies, over its standard error.
    dffits : ndarray
        Change of mu when the study is left out, over the standard error of the study's fitted value.
    cook_d : ndarray
        Cook's distance: squared change of mu over se^2.
    cov_r : ndarray
        se^2 without the study over se^2 with it; below 1 where leaving it out gains precision.
    tau2_deleted, q_deleted : ndarray
        tau2 and Cochran's Q of the other studies.
    hat, weight : ndarray
        Share of the study in mu, and the same in percent.
    dfbetas : ndarray
        Change of mu, over its standard error with the tau2 of the other studies.
    """

    rstudent: Array
    dffits: Array
    cook_d: Array
    cov_r: Array
    tau2_deleted: Array
    q_deleted: Array
    hat: Array
    weight: Array
    dfbetas: Array


@dataclass(frozen=True, eq=False)
class Baujat:
    """The two axes of a Baujat plot; both have shape (k,).

    Attributes
    ----------
    contribution : ndarray
        Of each study to Q: w (y - mu)^2.
    influence : ndarray
        On mu: its squared change when the study is left out, over se^2 without the study.
    """

    contribution: Array
    influence: Array


def leave_one_out(
    y: ArrayLike, v: ArrayLike, *, method: str = "REML", test: str = "hksj", level: float = 0.95
) -> Pooled[Array]:
    """Pool all studies but one, for each in turn.

    Parameters
    ----------
    y, v, method, test, level
        As in `pool`, of at least two studies.

    Returns
    -------
    Pooled
        Of arrays of shape (k,): entry i is without study i. `weights` has shape (k, k).

    Raises
    ------
    InputError
        As `pool` does, and if there is one study.

    Notes
    -----
    Of two studies one is left each time. It has no spread to estimate an error from: whatever the
    test, its row is its own normal interval, with `df` infinite and tau2 = 0.
    """
    y, v = one_meta_analysis(y, v, least=2, purpose="leaving one out")
    return _pool_subsets(y, v, ~np.eye(y.size, dtype=bool), method, test, level)


def cumulative(
    y: ArrayLike,
    v: ArrayLike,
    *,
    order: ArrayLike | None = None,
    method: str = "REML",
    test: str = "hksj",
    level: float = 0.95,
) -> Pooled[Array]:
    """Pool the first study, the first two, the first three, and so on.

    Parameters
    ----------
    y, v, method, test, level
        As in `pool`.
    order : array_like of int, shape (k,), optional
        The studies' indices in the order in which they are added, for example `np.argsort(year)`;
        as they are listed if not given.

    Returns
    -------
    Pooled
        Of arrays of shape (k,): entry i is of the first i + 1 studies. `weights` has shape (k, k),
        its columns in the order of y.

    Raises
    ------
    InputError
        As `pool` does, and if `order` does not name every study once.

    Notes
    -----
    The first row has one study: whatever the test, it is that study's own normal interval, with
    `df` infinite and tau2 = 0.
    """
    y, v = one_meta_analysis(y, v, least=1, purpose="pooling")
    order = np.arange(y.size) if order is None else np.asarray(order)
    if not np.array_equal(np.sort(order), np.arange(y.size)):
        raise InputError(
            f"order must hold each of the indices 0 to {y.size - 1} once, found {order.tolist()}"
        )
    place = np.argsort(order)
    return _pool_subsets(y, v, place <= np.arange(y.size)[:, None], method, test, level)


def influence(y: ArrayLike, v: ArrayLike, *, method: str = "REML", test: str = "hksj") -> Influence:
    """What changes when a study is left out, in the units in which outliers are judged.

    Parameters
    ----------
    y, v, method, test
        As in `pool`, of at least two studies.

    Returns
    -------
    Influence

    Raises
    ------
    InputError
        As `pool` does, if there is one study, and if se is 0 (equal effects and an HKSJ test).

    Notes
    -----
    Without study i: mu_i, se_i, tau2_i, weights w_j = 1 / (v_j + tau2_i) of all studies j, and f_i,
    the factor on the variance of mu_i (1, or that of the HKSJ tests). Then

    - rstudent = (y - mu_i) / sqrt(f_i (v + tau2_i) + se_i^2),
    - dffits = (mu - mu_i) / sqrt(f_i hat (v + tau2_i)),
    - dfbetas = (mu - mu_i) / sqrt(f_i / sum(w)).

    Where all other studies are equal an HKSJ test has f_i = 0, and these are infinite (0 where
    their numerator is 0). Of two studies, the one left has tau2_i = 0 and f_i = 1.

    References
    ----------
    Viechtbauer, W. and Cheung, M. W.-L. (2010). Outlier and influence diagnostics for
    meta-analysis. Res. Synth. Methods 1, 112-125.
    """
    whole = pool(y, v, method=method, test=test)
    without = leave_one_out(y, v, method=method, test=test)
    y, v = one_meta_analysis(y, v, least=2, purpose="influence")
    if whole.se == 0:
        raise InputError(
            f"all effects are equal, so the standard error of test {test!r} is 0 and nothing can be "
            "measured in it; choose test='mhksj'"
        )
    hat = whole.weights
    change = whole.mu - without.mu
    total = v[:, None] + without.tau2  # study j, without study i
    left_out = np.diagonal(total)
    precision = np.where(np.eye(y.size, dtype=bool), 0.0, 1 / total)
    factor = without.se**2 * precision.sum(axis=0)
    return Influence(
        rstudent=_over(y - without.mu, np.sqrt(factor * left_out + without.se**2)),
        dffits=_over(change, np.sqrt(factor * hat * left_out)),
        cook_d=(change / whole.se) ** 2,
        cov_r=(without.se / whole.se) ** 2,
        tau2_deleted=without.tau2,
        q_deleted=without.q,
        hat=hat,
        weight=100 * hat,
        dfbetas=_over(change, np.sqrt(factor / (1 / total).sum(axis=0))),
    )


def baujat(y: ArrayLike, v: ArrayLike, *, method: str = "CE") -> Baujat:
    """How much each study adds to Q, and how much it moves mu.

    Parameters
    ----------
    y, v : array_like, shape (k,)
        Effects and sampling variances of at least two studies.
    method : str
        As in `pool`; with CE, as in the paper, the contributions sum to Cochran's Q.

    Returns
    -------
    Baujat

    Raises
    ------
    InputError
        As `pool` does, and if there is one study.

    References
    ----------
    Baujat, B., Mahe, C., Pignon, J.-P. and Hill, C. (2002). A graphical method for exploring
    heterogeneity in meta-analyses. Stat. Med. 21, 2641-2652.
    """
    whole = pool(y, v, method=method, test="z")
    without = leave_one_out(y, v, method=method, test="z")
    y, v = one_meta_analysis(y, v, least=2, purpose="a Baujat plot")
    return Baujat(
        contribution=(y - whole.mu) ** 2 / (v + whole.tau2),
        influence=((whole.mu - without.mu) / without.se) ** 2,
    )


def _pool_subsets(
    y: Array, v: Array, chosen: NDArray[np.bool_], method: str, test: str, level: float
) -> Pooled[Array]:
    """Pool the chosen studies of each row; a row of one study by a normal interval, whatever the test."""
    one_of("test", test, TESTS)
    rows = np.where(chosen, y, np.nan)
    alone = chosen.sum(axis=1) == 1
    pooled = pool_many(rows, v, method=method, test="z", level=level)
    if test != "z" and not alone.all():
        tested = pool_many(rows[~alone], v, method=method, test=test, level=level)
        for name in NUMBERS:
            getattr(pooled, name)[~alone] = getattr(tested, name)
    return replace(pooled, test=test)


NUMBERS = [field.name for field in fields(Pooled) if field.name not in ("method", "test")]


def _over(numerator: Array, denominator: Array) -> Array:
    """The quotient; where the denominator is 0 its limit: 0 or infinite."""
    limit = np.where(numerator == 0, 0.0, np.copysign(np.inf, numerator))
    return np.divide(numerator, denominator, out=limit, where=denominator > 0)
