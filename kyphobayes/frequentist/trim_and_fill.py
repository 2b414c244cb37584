"""Trim and fill: how many studies a funnel plot seems to miss, and the pooled effect with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError
from kyphobayes.frequentist.pool import TESTS, Pooled, pool
from kyphobayes.frequentist.regression import regress
from kyphobayes.frequentist.small_study import SmallStudyResult
from kyphobayes.frequentist.tau2 import METHODS
from kyphobayes.frequentist.validate import one_meta_analysis, one_of, refuse_level

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrimAndFill(SmallStudyResult):
    """Studies that seem to be missing, and the pooled effect with them filled in.

    Attributes
    ----------
    k0 : int
        Estimated number of missing studies.
    se_k0 : float
        Its standard error, by the variance formula at the estimate before it is rounded.
    side : {"left", "right"}
        Where they are missing.
    y, v : ndarray, shape (k + k0,)
        Effects and variances, the filled ones last.
    filled : ndarray of bool, shape (k + k0,)
        Which ones were filled in.
    pooled : Pooled
        Of all k + k0.
    k : int
        Number of observed studies.
    estimator : str
        Of k0.
    claim : str
        "k < 10: no claim", or empty.
    """

    k0: int
    se_k0: float
    side: str
    y: Array
    v: Array
    filled: NDArray[np.bool_]
    pooled: Pooled[float]
    k: int
    estimator: str

    def sentence(self) -> str:
        """The result in one line."""
        fit = self.pooled
        return (
            f"Trim and fill ({self.estimator}): k0 = {self.k0} on the {self.side} of k = {self.k}, "
            f"mu = {fit.mu:.4g} [{fit.ci_low:.4g}, {fit.ci_high:.4g}]"
        )


def trim_and_fill(
    y: ArrayLike,
    v: ArrayLike,
    *,
    side: str | None = None,
    estimator: str = "L0",
    method: str = "REML",
    test: str = "hksj",
    level: float = 0.95,
) -> TrimAndFill:
    """Trim the studies without a mirror image, pool the others, and fill in the missing images.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects of at least two studies; of three if the side is to be found.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.
    side : {"left", "right"}, optional
        Where studies are missing. If not given: left if effects grow with the standard error in a
        meta-regression by the same method, else right.
    estimator : {"L0", "R0", "Q0"}
        Of the number of missing studies: from the sum of the ranks on the full side (L0 and Q0) or
        the length of the run at its end (R0).
    method, test, level
        As in `pool`; the effects are pooled so while trimming and at the end.

    Returns
    -------
    TrimAndFill

    Raises
    ------
    InputError
        If k0 goes round in a circle, if Q0 does not exist, if all variances are equal and no side
        is given, or if `pool` would raise.

    Notes
    -----
    Of equal effects the one listed later counts as the more extreme, as in metafor: the method is made
    for effects without ties, and where the last study to trim is one of several equal ones, the order
    in which studies are listed matters.

    References
    ----------
    Duval, S. and Tweedie, R. (2000a). Biometrics 56, 455-463; (2000b). J. Am. Stat. Assoc. 95, 89-98.
    """
    one_of("estimator", estimator, ESTIMATORS)
    one_of("method", method, METHODS)
    one_of("test", test, TESTS)
    refuse_level(level)
    if side is not None:
        one_of("side", side, ("left", "right"))
    y, v = one_meta_analysis(y, v, least=2 if side else 3, purpose="trim and fill")
    if side is None:
        side = _side(y, v, method)

    sign = 1.0 if side == "left" else -1.0  # then the studies to trim are the largest
    order = np.argsort(sign * y, kind="stable")
    effects, variances = sign * y[order], v[order]
    estimate, center = _settled(effects, variances, estimator, method)
    k0 = _whole(estimate)
    trimmed = order[y.size - k0 :]
    all_y = np.concatenate([y, 2 * sign * center - y[trimmed]])
    all_v = np.concatenate([v, v[trimmed]])
    return TrimAndFill(
        k0=k0,
        se_k0=ESTIMATORS[estimator][1](y.size, max(0.0, estimate)),
        side=side,
        y=all_y,
        v=all_v,
        filled=np.arange(all_y.size) >= y.size,
        pooled=pool(all_y, all_v, method=method, test=test, level=level),
        k=y.size,
        estimator=estimator,
    )


def _side(y: Array, v: Array, method: str) -> str:
    """Where small studies are missing: opposite to where the effects of small studies lie."""
    if np.ptp(v) == 0:
        raise InputError("all variances are equal, so the side cannot be found: give side='left' or 'right'")
    slope = regress(y, v, np.sqrt(v), method=method, test="z").beta[1]
    return "right" if slope < 0 else "left"


def _settled(y: Array, v: Array, estimator: str, method: str) -> tuple[float, float]:
    """The estimate of k0 that gives itself, and the center of the studies without the k0 largest.

    Effects ascend. There are finitely many k0, so the iteration settles or goes round.
    """
    k, visited = y.size, [0]
    while True:
        center = pool(y[: k - visited[-1]], v[: k - visited[-1]], method=method, test="z").mu
        estimate = _missing(y - center, estimator)
        k0 = _whole(estimate)
        if k0 == visited[-1]:
            return estimate, center
        if k0 in visited:
            circle = " -> ".join(str(i) for i in [*visited[visited.index(k0) :], k0])
            raise InputError(
                f"trim and fill does not settle: the number of missing studies goes {circle}; "
                f"choose another estimator than {estimator!r}"
            )
        visited.append(k0)


def _whole(estimate: float) -> int:
    """The number of studies that an estimate of k0 means."""
    return round(max(0.0, estimate))


def _missing(distance: Array, estimator: str) -> float:
    """The estimate of k0 from distances from the center; it can be a fraction, or negative."""
    ranks = np.empty(distance.size)
    ranks[np.argsort(np.abs(distance), kind="stable")] = np.arange(1, distance.size + 1)
    return float(ESTIMATORS[estimator][0](distance.size, ranks, distance))


def _r0(k: int, ranks: Array, distance: Array) -> float:
    """Length of the run of largest distances on the full side, less 1."""
    return k - ranks[distance <= 0].max(initial=0.0) - 1


def _l0(k: int, ranks: Array, distance: Array) -> float:
    """Linear in Wilcoxon's sum of the ranks on the full side."""
    return (4 * ranks[distance > 0].sum() - k * (k + 1)) / (2 * k - 1)


def _q0(k: int, ranks: Array, distance: Array) -> float:
    """Quadratic in the same sum; does not exist if nearly all studies lie on the full side."""
    inside = 2 * k**2 - 4 * ranks[distance > 0].sum() + 0.25
    if inside < 0:
        raise InputError("Q0 does not exist for these effects, nearly all lie on one side: choose 'L0'")
    return k - 0.5 - np.sqrt(inside)


def _se_r0(k: int, k0: float) -> float:
    return float(np.sqrt(2 * k0 + 2))


def _se_l0(k: int, k0: float) -> float:
    return 4 * _sd_of_sum(k, k0) / (2 * k - 1)


def _se_q0(k: int, k0: float) -> float:
    return 2 * _sd_of_sum(k, k0) / (k - 0.5 - k0)


def _sd_of_sum(k: int, k0: float) -> float:
    """Standard deviation of the rank sum; Duval and Tweedie (2000b), appendix."""
    square = k * (k + 1) * (2 * k + 1) + 10 * k0**3 + 27 * k0**2 + 17 * k0
    square += -18 * k * k0**2 - 18 * k * k0 + 6 * k**2 * k0
    return float(np.sqrt(square / 24))


ESTIMATORS: Final[
    Mapping[str, tuple[Callable[[int, Array, Array], float], Callable[[int, float], float]]]
] = {"L0": (_l0, _se_l0), "R0": (_r0, _se_r0), "Q0": (_q0, _se_q0)}
