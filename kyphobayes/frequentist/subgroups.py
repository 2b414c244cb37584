"""Subgroups of studies: one pooled effect each, and whether they differ."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes import html
from kyphobayes.errors import InputError
from kyphobayes.frequentist.pool import TESTS, pool
from kyphobayes.frequentist.regression import Regression, regress
from kyphobayes.frequentist.tau2 import METHODS
from kyphobayes.frequentist.validate import one_meta_analysis, one_of, refuse_level

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Subgroups:
    """The pooled effects of groups of studies, and the test that they are equal.

    Attributes
    ----------
    names : tuple, length g
        Of the groups, sorted.
    k : ndarray of int, shape (g,)
        Studies per group.
    mu, se, ci_low, ci_high : ndarray, shape (g,)
        Pooled effects with standard error and confidence interval.
    tau2 : ndarray, shape (g,)
        Variance between studies of a group; all the same if it is common.
    pi_low, pi_high : ndarray, shape (g,)
        Prediction intervals; NaN where tau2 is not estimated.
    q, q_df, q_p : float
        Test that the effects are equal: chi-squared with g - 1 degrees of freedom; with a common tau2
        and a test other than z, F with g - 1 and k - g.
    common_tau2, method, test
        As given to `subgroup`.
    regression : Regression or None
        On an intercept, the first group, and dummies for the others; None if every group has a tau2.
    """

    names: tuple[Hashable, ...]
    k: NDArray[np.intp]
    mu: Array
    se: Array
    ci_low: Array
    ci_high: Array
    tau2: Array
    pi_low: Array
    pi_high: Array
    q: float
    q_df: int
    q_p: float
    common_tau2: bool
    method: str
    test: str
    regression: Regression | None = field(repr=False)

    def _repr_html_(self) -> str:
        columns = ("k", "mu", "se", "ci_low", "ci_high", "tau2", "pi_low", "pi_high")
        values = zip(*(getattr(self, name).tolist() for name in columns), strict=True)
        rows = [[str(name), *row] for name, row in zip(self.names, values, strict=True)]
        told = f"{self.method}, {self.test}; test that the effects are equal: p = {self.q_p:.3g}"
        return html.table(["group", *columns], rows, caption=told)


def subgroup(
    y: ArrayLike,
    v: ArrayLike,
    groups: Sequence[Hashable] | NDArray[np.generic],
    *,
    method: str = "REML",
    test: str = "hksj",
    level: float = 0.95,
    common_tau2: bool = True,
) -> Subgroups:
    """Pool the studies of each group and test whether the groups differ.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.
    groups : sequence, length k
        The group of each study.
    method, test, level
        As in `regress`.
    common_tau2 : bool
        One tau2 for all groups, by a regression on dummies; or one for each, each group pooled alone.

    Returns
    -------
    Subgroups

    Raises
    ------
    InputError
        If there are fewer than two groups, or, with a common tau2, not more studies than groups; if
        `regress` or, for a group, `pool` would raise.

    Notes
    -----
    Where each group has its tau2, q = sum(w (mu - mean)^2) with w = 1 / se^2, chi-squared whatever the
    test (Borenstein, Hedges, Higgins and Rothstein 2009, Introduction to Meta-Analysis, ch. 19).
    """
    one_of("method", method, METHODS)
    one_of("test", test, TESTS)
    refuse_level(level)
    y, v = one_meta_analysis(y, v, least=2, purpose="a comparison of groups")
    names, member = _members(groups, y.size)
    counts = member.sum(axis=0)
    settings = {"method": method, "test": test, "level": level}
    if common_tau2:
        between = regress(y, v, member[:, 1:], names=[str(name) for name in names[1:]], **settings)
        at = between.predict(np.eye(len(names))[:, 1:])
        return Subgroups(
            names,
            counts,
            mu=at.mu,
            se=at.se,
            ci_low=at.ci_low,
            ci_high=at.ci_high,
            pi_low=at.pi_low,
            pi_high=at.pi_high,
            tau2=np.full(len(names), between.tau2),
            q=between.qm,
            q_df=between.qm_df,
            q_p=between.qm_p,
            common_tau2=True,
            method=method,
            test=test,
            regression=between,
        )
    pooled = []
    for name, inside in zip(names, member.T, strict=True):
        try:
            pooled.append(pool(y[inside], v[inside], **settings))
        except InputError as error:
            raise InputError(f"group {name!r}: {error}") from error
    columns = ("mu", "se", "ci_low", "ci_high", "tau2", "pi_low", "pi_high")
    table = {name: np.array([getattr(one, name) for one in pooled]) for name in columns}
    q = _between(table["mu"], table["se"])
    return Subgroups(
        names,
        counts,
        **table,
        q=q,
        q_df=len(names) - 1,
        q_p=float(special.chdtrc(len(names) - 1, q)),
        common_tau2=False,
        method=method,
        test=test,
        regression=None,
    )


def _members(
    groups: Sequence[Hashable] | NDArray[np.generic], k: int
) -> tuple[tuple[Hashable, ...], NDArray[np.bool_]]:
    """The groups, sorted, and who is in them, shape (k, g)."""
    of_study = list(groups)
    if len(of_study) != k:
        raise InputError(f"groups must hold one group per study, {k}, found {len(of_study)}")
    names = tuple(sorted(set(of_study), key=str))
    if len(names) < 2:
        raise InputError(f"all studies are in group {of_study[0]!r}; a comparison needs two groups at least")
    return names, np.array([[one == name for name in names] for one in of_study])


def _between(mu: Array, se: Array) -> float:
    """Cochran's Q of the pooled effects."""
    if (se == 0).any():
        raise InputError("a group's standard error is 0, as its effects are all equal: choose test='mhksj'")
    return pool(mu, se**2, method="CE", test="z").q
