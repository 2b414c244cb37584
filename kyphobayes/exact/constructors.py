"""Surfaces from arrays: one constructor for each kind of study."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError
from kyphobayes.exact.likelihoods import BinomialStudies, NormalStudies, PoissonStudies
from kyphobayes.exact.panels import Array
from kyphobayes.exact.surface import Surface
from kyphobayes.exact.two_arms import TwoArmStudies
from kyphobayes.priors import Prior


def normal(y: ArrayLike, se: ArrayLike, *, labels: Sequence[str] | None = None) -> Surface:
    """Surface of k estimates with known standard errors.

    Parameters
    ----------
    y, se : array_like, shape (k,)
        Estimates and their standard errors, in the same unit.

    Raises
    ------
    InputError
        If lengths differ or a value is not finite, or a standard error is not positive.
    """
    return Surface(NormalStudies(y, se), labels=labels)


def binomial(events: ArrayLike, n: ArrayLike, *, labels: Sequence[str] | None = None) -> Surface:
    """Surface of k counts of `events` out of `n`; mu and tau are on the log odds scale.

    Parameters
    ----------
    events, n : array_like of int, shape (k,)

    Raises
    ------
    InputError
        If a count is negative or not whole, or exceeds its n.
    """
    return Surface(BinomialStudies(events, n), labels=labels)


def poisson(events: ArrayLike, exposure: ArrayLike, *, labels: Sequence[str] | None = None) -> Surface:
    """Surface of k counts of `events` in an `exposure`; mu and tau are on the log rate scale.

    Parameters
    ----------
    events : array_like of int, shape (k,)
    exposure : array_like, shape (k,)
        Time at risk, in any one unit.

    Raises
    ------
    InputError
        If a count is negative or not whole, or an exposure is not positive.
    """
    return Surface(PoissonStudies(events, exposure), labels=labels)


def mixture(
    tables: ArrayLike,
    n: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    labels: Sequence[str] | None = None,
) -> Surface:
    """Surface of counts that were not printed: an average over the count tables that remain.

    Parameters
    ----------
    tables : array_like of int, shape (t, k)
        Events of each study under each table.
    n : array_like of int, shape (k,)
    weights : array_like, shape (t,), optional
        Default: uniform.

    Notes
    -----
    The likelihood is the weighted sum over tables of the product over studies, not a product of
    sums: a leak counted in one study is missing in another.
    """
    events, sizes, index = _distinct("n", tables, n)
    return Surface(BinomialStudies(events, sizes), index, weights, labels)


def poisson_mixture(
    tables: ArrayLike,
    exposure: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    labels: Sequence[str] | None = None,
) -> Surface:
    """Surface of rates whose counts were not printed: `mixture` for events in a time at risk.

    Parameters
    ----------
    tables : array_like of int, shape (t, k)
    exposure : array_like, shape (k,)
        Time at risk, in any one unit.
    weights : array_like, shape (t,), optional
        Default: uniform.
    """
    events, sizes, index = _distinct("exposure", tables, exposure)
    return Surface(PoissonStudies(events, sizes), index, weights, labels)


def _distinct(name: str, tables: ArrayLike, size: ArrayLike) -> tuple[Array, Array, NDArray[np.intp]]:
    """Every count that a study may have, with the study's size, and which one stands where in the tables."""
    tables = np.atleast_2d(np.asarray(tables, dtype=float))
    size = np.asarray(size, dtype=float)
    if size.shape != (tables.shape[1],):
        raise InputError(
            f"{name}: expected one number for each of {tables.shape[1]} studies, found {size.size}"
        )
    events: list[float] = []
    sizes: list[float] = []
    index = np.empty(tables.shape, dtype=np.intp)
    for study in range(tables.shape[1]):
        values, inverse = np.unique(tables[:, study], return_inverse=True)
        index[:, study] = len(events) + inverse
        events.extend(values)
        sizes.extend([size[study]] * len(values))
    return np.array(events), np.array(sizes), index


def two_arms(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    baseline: str | Prior = "Normal(mu=0, sigma=10)",
    baseline_of: str = "midpoint",
    labels: Sequence[str] | None = None,
) -> Surface:
    """Surface of k comparisons of two groups; mu and tau are on the scale of the log odds ratio.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array_like of int, shape (k,)
        Counts of both groups. A positive log odds ratio means more events in group 1.
    baseline : str or Prior
        Normal prior of each study's own baseline.
    baseline_of : {"midpoint", "group 2"}
        What the baseline is: the mean of the two log odds, or the log odds of group 2. A prior for one is
        not quite the same prior for the other.

    Raises
    ------
    InputError
        If a count is negative or not whole, or exceeds its n; if the baseline's prior is not normal
        or `baseline_of` is unknown.

    Notes
    -----
    The unconditional model with fixed study effects of Jackson et al. (2018), Stat. Med. 37:1059, sec.
    2.3 ("model 4", the log odds ratio split evenly between the groups), with a prior for the baselines
    where they have none; these are integrated out study by study.
    """
    return Surface(TwoArmStudies(events_1, n_1, events_2, n_2, baseline, baseline_of), labels=labels)
