"""Estimators of the variance between studies, tau2.

Each takes standardised studies (at least two in every meta-analysis) and returns tau2 and its
standard error, both of shape (B,), in standard units. `ESTIMATORS` lists them by metafor's codes.
Standard errors are metafor's: of a moment estimator from Var(y' P y) = 2 tr(P S P S) with
S = diag(v + tau2) (Viechtbauer 2005, appendix; DerSimonian and Kacker 2007), of a likelihood estimator
from the expected information.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.frequentist import search
from kyphobayes.frequentist.studies import Studies, trace_p, trace_ps, trace_psps

Array = NDArray[np.float64]
Estimate = tuple[Array, Array]


def common_effect(studies: Studies) -> Estimate:
    """CE: tau2 is 0 by assumption and has no standard error (NaN)."""
    return np.zeros(studies.k.shape), np.full(studies.k.shape, np.nan)


def dersimonian_laird(studies: Studies) -> Estimate:
    """DL: DerSimonian and Laird (1986); the moment estimator with weights 1 / v."""
    return _moment(studies, studies.weights(0.0))


def hedges(studies: Studies) -> Estimate:
    """HE: Hedges (1983); the moment estimator with equal weights (also Cochran's ANOVA estimator)."""
    return _moment(studies, studies.present)


def hunter_schmidt(studies: Studies) -> Estimate:
    """HS: Hunter and Schmidt (1990): (Q - k) / sum(1 / v)."""
    return _hunter_schmidt(studies, 1.0)


def hunter_schmidt_corrected(studies: Studies) -> Estimate:
    """HSk: HS with Q scaled by k / (k - 1), for small k; Brannick, Potter, Benitez and Morris (2019)."""
    return _hunter_schmidt(studies, studies.k / (studies.k - 1))


def sidik_jonkman(studies: Studies) -> Estimate:
    """SJ: Sidik and Jonkman (2005), from the crude start sum((y - mean(y))^2) / k.

    It is positive unless all effects are equal.
    """
    df = studies.k - 1
    crude = studies.q(studies.present) / studies.k
    w = studies.weights(crude)
    tau2 = crude * studies.q(w) / df
    return tau2, crude / df * np.sqrt(2 * trace_psps(w, studies.v + tau2))


def maximum_likelihood(studies: Studies) -> Estimate:
    """ML: the highest maximum of the profile likelihood; se^2 = 2 / sum(w^2) (Viechtbauer 2005)."""
    tau2 = search.highest_maximum(studies, search.ml_score, search.ml_deviance)
    return tau2, np.sqrt(2 / (studies.weights(tau2) ** 2).sum(axis=0))


def restricted_maximum_likelihood(studies: Studies) -> Estimate:
    """REML: the highest maximum of the restricted likelihood; se^2 = 2 / tr(P P) (Viechtbauer 2005)."""
    tau2 = search.highest_maximum(studies, search.reml_score, search.reml_deviance)
    w = studies.weights(tau2)
    return tau2, np.sqrt(2 / trace_psps(w, np.ones_like(w)))


def paule_mandel(studies: Studies) -> Estimate:
    """PM: where Q(tau2) equals its mean k - 1; Paule and Mandel (1982).

    The empirical Bayes estimator EB of Morris (1983) solves the same equation.
    """
    return _generalised_q(studies, studies.k - 1)


def paule_mandel_median(studies: Studies) -> Estimate:
    """PMM: where Q(tau2) equals the median of chi-squared with k - 1 df; Viechtbauer (2021)."""
    return _generalised_q(studies, special.chdtri(studies.k - 1, 0.5))


def _moment(studies: Studies, w: Array) -> Estimate:
    """Equate Q to its mean tr(P V) + tau2 tr(P), with fixed weights; DerSimonian and Kacker (2007)."""
    trace = trace_p(w)
    tau2 = np.maximum(0.0, (studies.q(w) - trace_ps(w, studies.v)) / trace)
    return tau2, np.sqrt(2 * trace_psps(w, studies.v + tau2)) / trace


def _hunter_schmidt(studies: Studies, factor: Array | float) -> Estimate:
    w = studies.weights(0.0)
    total = w.sum(axis=0)
    tau2 = np.maximum(0.0, (factor * studies.q(w) - studies.k) / total)
    return tau2, factor * np.sqrt(2 * trace_psps(w, studies.v + tau2)) / total


def _generalised_q(studies: Studies, target: Array) -> Estimate:
    """The root of Q(tau2) = target, which falls in tau2, or 0 if Q(0) is below it.

    Q(tau2) is at most sum((y - mean(y))^2) / (1 + tau2), as no standardised variance is below 1:
    that bounds the root, once it is moved out by more than rounding.
    """

    def excess(these: Studies, tau2: Array, target: Array) -> Array:
        return these.q(these.weights(tau2)) - target

    zero = np.zeros_like(target)
    rows = np.flatnonzero(excess(studies, zero, target) > 0)
    bound = (1 + 1e-9) * studies.q(studies.present) / target
    tau2 = zero
    tau2[rows] = search.root(excess, studies, rows, zero[rows], bound[rows], target[rows])
    return tau2, np.sqrt(2 / (studies.k - 1)) * studies.k / studies.weights(tau2).sum(axis=0)


ESTIMATORS: Final[Mapping[str, Callable[[Studies], Estimate]]] = {
    "CE": common_effect,
    "DL": dersimonian_laird,
    "HE": hedges,
    "HS": hunter_schmidt,
    "HSk": hunter_schmidt_corrected,
    "SJ": sidik_jonkman,
    "ML": maximum_likelihood,
    "REML": restricted_maximum_likelihood,
    "EB": paule_mandel,
    "PM": paule_mandel,
    "PMM": paule_mandel_median,
}
METHODS: Final = tuple(ESTIMATORS)


def estimate(method: str, studies: Studies) -> Estimate:
    """tau2 and its standard error by the method of that name, in standard units, shape (B,).

    One study says nothing about tau2: there it is 0, with a standard error of NaN.
    """
    tau2, se = np.zeros(studies.k.shape), np.full(studies.k.shape, np.nan)
    rows = np.flatnonzero(studies.k > 1)
    if rows.size:
        tau2[rows], se[rows] = ESTIMATORS[method](studies.take(rows))
    return tau2, se
