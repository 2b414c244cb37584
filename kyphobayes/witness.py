"""The frequentist witness on the same evidence: what the paper's method gives, and a better one.

Where counts are latent, two-stage methods are run on every count table, and their figures are averaged
with the tables' weights; the range over tables is shown beside them. The exact likelihood needs no such
detour: it is averaged over the tables itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.effects import effect_size
from kyphobayes.errors import InputError
from kyphobayes.evidence import Contrasts, Counts, Rates, View
from kyphobayes.frequentist import (
    Pooled,
    glmm_proportion,
    glmm_rate,
    normal_log_likelihood,
    pool_many,
    proportion_log_likelihood,
    rate_log_likelihood,
)
from kyphobayes.names import GEN, IRLN, MU, PLO, TAU


@dataclass(frozen=True)
class Method:
    """One frequentist analysis: on which scale, with which tau-squared and which interval."""

    label: str
    measure: str
    pooling: str
    test: str


COUNT_METHODS = (
    Method("raw proportions, DerSimonian–Laird, Wald", "PR", "DL", "z"),
    Method("log odds, DerSimonian–Laird, Wald", PLO, "DL", "z"),
    Method("log odds, REML, Hartung–Knapp–Sidik–Jonkman", PLO, "REML", "hksj"),
)
RATE_METHODS = (
    Method("log rates, DerSimonian–Laird, Wald", IRLN, "DL", "z"),
    Method("log rates, REML, Hartung–Knapp–Sidik–Jonkman", IRLN, "REML", "hksj"),
)
CONTRAST_METHODS = (
    Method("DerSimonian–Laird, Wald", GEN, "DL", "z"),
    Method("REML, Hartung–Knapp–Sidik–Jonkman", GEN, "REML", "hksj"),
)
GLMM = "exact likelihood of the counts: binomial–normal model (GLMM), Wald"
RATE_GLMM = "exact likelihood of the counts: Poisson–normal model (GLMM), Wald"


class Surface(Protocol):
    """What is needed of the exact engine to hold its likelihood against ours."""

    def log_likelihood(self, mu: Any, tau: Any) -> NDArray[np.float64]:
        """Shape (len(mu), len(tau))."""
        ...


def witness(evidence: View) -> pd.DataFrame:
    """Pool the evidence by each method.

    Returns
    -------
    DataFrame
        One row per method: measure, estimate, ci_low, ci_high, pi_low, pi_high (as people read them: shares,
        rates, ratios), lowest and highest estimate over tables, i2 (percent), q, tau2, mu and se (on the
        method's own scale), k, corrected (studies that had 0.5 added), remark (why there is no estimate, or
        empty). The last row with an estimate is the one that the Bayesian answer is held against.
    """
    if isinstance(evidence, Counts):
        rows = [_counts(evidence, method) for method in COUNT_METHODS] + [_glmm(evidence)]
        labels = [*(method.label for method in COUNT_METHODS), GLMM]
    elif isinstance(evidence, Rates):
        rows = [_rates(evidence, method) for method in RATE_METHODS] + [_glmm(evidence)]
        labels = [*(method.label for method in RATE_METHODS), RATE_GLMM]
    else:
        assert isinstance(evidence, Contrasts)
        y, v = evidence.y[None, :], evidence.se[None, :] ** 2
        rows = [
            _row(
                pool_many(y, v, method=method.pooling, test=_test(method, evidence.k)),
                np.ones(1), evidence.measure, evidence.scale.natural, 0,
            )
            for method in CONTRAST_METHODS
        ]  # fmt: skip
        labels = [method.label for method in CONTRAST_METHODS]
    return pd.DataFrame(rows, index=pd.Index(labels, name="method"))


def likelihoods(evidence: View, surface: Surface, posterior: pd.DataFrame) -> pd.DataFrame:
    """The log likelihood by both hands, exact and frequentist, where the posterior lies.

    Parameters
    ----------
    evidence : View
    surface : Surface
        Of the model.
    posterior : DataFrame
        Summary with rows mu and tau, columns median, low and high.

    Returns
    -------
    DataFrame
        Columns mu, tau, exact, frequentist; nine rows.
    """
    mu, tau = (posterior.loc[name, ["low", "median", "high"]].to_numpy(dtype=float) for name in (MU, TAU))
    places = {"mu": np.repeat(mu, 3), "tau": np.tile(tau, 3)}
    if isinstance(evidence, Counts):
        own = proportion_log_likelihood(evidence.tables, evidence.n, **places, weights=evidence.weights)
    elif isinstance(evidence, Rates):
        own = rate_log_likelihood(evidence.tables, evidence.exposure, **places, weights=evidence.weights)
    else:
        assert isinstance(evidence, Contrasts)
        own = normal_log_likelihood(evidence.y, evidence.se**2, **places)
    return pd.DataFrame(places | {"exact": surface.log_likelihood(mu, tau).ravel(), "frequentist": own})


def _counts(evidence: Counts, method: Method) -> dict[str, object]:
    n = np.broadcast_to(evidence.n, evidence.tables.shape)
    sizes = effect_size(method.measure, {"events": evidence.tables, "n": n})
    pooled = pool_many(sizes.y, sizes.v, method=method.pooling, test=_test(method, evidence.k))
    empty = (evidence.tables == 0) | (evidence.tables == evidence.n)
    # A raw proportion's limits may leave [0, 1].
    back = evidence.scale.natural if method.measure == PLO else lambda shares: np.clip(shares, 0.0, 1.0)
    return _row(pooled, evidence.weights, method.measure, back, int(empty.any(axis=0).sum()))


def _rates(evidence: Rates, method: Method) -> dict[str, object]:
    time = np.broadcast_to(evidence.exposure, evidence.tables.shape)
    sizes = effect_size(method.measure, {"events": evidence.tables, "time": time})
    pooled = pool_many(sizes.y, sizes.v, method=method.pooling, test=_test(method, evidence.k))
    corrected = int((evidence.tables == 0).any(axis=0).sum())
    return _row(pooled, evidence.weights, method.measure, evidence.scale.natural, corrected)


def _glmm(evidence: Counts | Rates) -> dict[str, object]:
    """One likelihood over all tables; a row without figures where it has no maximum."""
    fields = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high", "lowest", "highest", "i2", "q")
    row: dict[str, object] = dict.fromkeys((*fields, "tau2", "tau2_lowest", MU, "se"), np.nan)
    row |= {"measure": evidence.measure, "corrected": 0, "k": evidence.k, "remark": ""}
    try:
        if isinstance(evidence, Counts):
            found = glmm_proportion(evidence.tables, evidence.n, weights=evidence.weights)
        else:
            found = glmm_rate(evidence.tables, evidence.exposure, weights=evidence.weights)
    except InputError as reason:
        row["remark"] = str(reason)
        return row
    ends = [found.mu, found.ci_low, found.ci_high, found.pi_low, found.pi_high]
    row |= {"q": found.q, "tau2": found.tau2, "tau2_lowest": found.tau2, MU: found.mu, "se": found.se}
    shown = fields[:5] if evidence.k > 1 else fields[:3]  # one study cannot predict another
    row |= {name: float(value) for name, value in zip(shown, evidence.scale.natural(ends), strict=False)}
    return row


def _test(method: Method, k: int) -> str:
    return method.test if k > 1 else "z"  # a single study has no spread to estimate an error from


def _row(
    pooled: Pooled,
    weights: NDArray[np.float64],
    measure: str,
    back: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    corrected: int,
) -> dict[str, object]:
    """Figures of one method, averaged over the tables after going `back` to the scale that people read."""

    def mean(values: NDArray[np.float64]) -> float:
        return float(np.sum(np.asarray(values) * weights))

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
        "remark": "",
    }
