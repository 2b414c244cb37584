"""The frequentist witness on the same evidence: what the paper's method gives, and a better one.

Where counts are latent, each method is run on every count table, and its figures are averaged with the
tables' weights; the range over tables is shown beside them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from kyphobayes.effects import effect_size
from kyphobayes.evidence import Contrasts, Counts, View
from kyphobayes.frequentist import Pooled, pool_many
from kyphobayes.names import GEN, PLO


@dataclass(frozen=True)
class Method:
    """One frequentist analysis: on which scale, with which tau-squared and which interval."""

    label: str
    measure: str
    pooling: str
    test: str


COUNT_METHODS = (
    Method("as in the paper: raw proportions, DerSimonian–Laird, Wald", "PR", "DL", "z"),
    Method("log odds, DerSimonian–Laird, Wald", PLO, "DL", "z"),
    Method("log odds, REML, Hartung–Knapp–Sidik–Jonkman", PLO, "REML", "hksj"),
)
CONTRAST_METHODS = (
    Method("DerSimonian–Laird, Wald", GEN, "DL", "z"),
    Method("REML, Hartung–Knapp–Sidik–Jonkman", GEN, "REML", "hksj"),
)
CROSSCHECK = -1  # the method in each list that the Bayesian mu is held against


def witness(evidence: View) -> pd.DataFrame:
    """Pool the evidence by each method.

    Returns
    -------
    DataFrame
        One row per method: measure, estimate, ci_low, ci_high, pi_low, pi_high (shares for counts),
        lowest and highest estimate over tables, i2 (percent), q, tau2, mu and se (on the method's own
        scale), k, corrected (studies that had 0.5 added).
    """
    if isinstance(evidence, Counts):
        rows = [_counts(evidence, method) for method in COUNT_METHODS]
        labels = [method.label for method in COUNT_METHODS]
    else:
        assert isinstance(evidence, Contrasts)
        y, v = evidence.y[None, :], evidence.se[None, :] ** 2
        tests = [_test(method, evidence.k) for method in CONTRAST_METHODS]
        rows = [
            _row(pool_many(y, v, method=method.pooling, test=test), np.ones(1), method.measure, 0)
            for method, test in zip(CONTRAST_METHODS, tests, strict=True)
        ]
        labels = [method.label for method in CONTRAST_METHODS]
    return pd.DataFrame(rows, index=pd.Index(labels, name="method"))


def _counts(evidence: Counts, method: Method) -> dict[str, object]:
    n = np.broadcast_to(evidence.n, evidence.tables.shape)
    sizes = effect_size(method.measure, {"events": evidence.tables, "n": n})
    pooled = pool_many(sizes.y, sizes.v, method=method.pooling, test=_test(method, evidence.k))
    empty = (evidence.tables == 0) | (evidence.tables == evidence.n)
    return _row(pooled, evidence.weights, method.measure, int(empty.any(axis=0).sum()))


def _test(method: Method, k: int) -> str:
    return method.test if k > 1 else "z"  # a single study has no spread to estimate an error from


def _row(pooled: Pooled, weights: NDArray[np.float64], measure: str, corrected: int) -> dict[str, object]:
    def mean(values: NDArray[np.float64]) -> float:
        return float(np.sum(np.asarray(values) * weights))

    def back(values: NDArray[np.float64]) -> NDArray[np.float64]:
        if measure == PLO:
            return special.expit(values)
        return (
            np.clip(values, 0.0, 1.0) if measure == "PR" else values
        )  # a raw proportion's limits may leave [0, 1]

    estimates = back(pooled.mu)
    return {
        "measure": measure,
        "estimate": mean(estimates),
        "ci_low": mean(back(pooled.ci_low)),
        "ci_high": mean(back(pooled.ci_high)),
        "pi_low": mean(back(pooled.pi_low)),
        "pi_high": mean(back(pooled.pi_high)),
        "lowest": float(estimates.min()),
        "highest": float(estimates.max()),
        "i2": mean(pooled.i2),
        "q": mean(pooled.q),
        "tau2": mean(pooled.tau2),
        "tau2_lowest": float(np.min(pooled.tau2)),
        "mu": mean(pooled.mu),
        "se": mean(pooled.se),
        "k": int(np.max(pooled.k)),
        "corrected": corrected,
    }
