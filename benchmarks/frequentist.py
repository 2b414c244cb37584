"""The frequentist witness beside PyMARE, statsmodels and R's metafor.

The Python peers return estimates; `pool_many` also returns standard errors of tau2, I2, tests, intervals and
weights. PyMARE's REML is a local search from one start, ours a global one. statsmodels pools one
meta-analysis at a time, and knows no REML.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import r_worker
from benchmarks.exact_engine import EVENTS, SE, N, Y
from benchmarks.leakage import leakage
from benchmarks.rows import Measure, Pair, Row, installed
from benchmarks.timing import timed
from kyphobayes.frequentist import glmm_or, glmm_proportion, pool, pool_many

MANY, SOME, FEW, K = 100_000, 2_000, 200, 7  # meta-analyses: ours, PyMARE's, statsmodels', and their studies
TARGET = 5.0  # seconds for a hundred thousand, REML and HKSJ
ARMS = {  # five trials with two arms
    "events_1": [4, 6, 3, 62, 33],
    "n_1": [123, 306, 231, 1359, 506],
    "events_2": [11, 29, 11, 248, 47],
    "n_2": [139, 303, 220, 1286, 580],
}


def rows() -> list[Row]:
    """Many meta-analyses at once, one by REML, and maximum likelihood of counts."""
    sets = f"pool_many: {MANY:,} of k = {K}"
    return [
        Row(f"{sets}, REML and HKSJ", f"PyMARE ({SOME:,}, scaled)", _reml, target=TARGET),
        Row(f"{sets}, DerSimonian-Laird", f"PyMARE ({SOME:,}, scaled)", _moments),
        Row(f"{sets}, DerSimonian-Laird", f"statsmodels ({FEW}, scaled)", _loop),
        Row(f"pool: k = {K}, REML and HKSJ", "metafor rma", _one),
        Row(f"GLMM: binomial, k = {K}", "metafor rma.glmm", _glmm),
        Row("GLMM: five trials, conditional likelihood", "metafor rma.glmm CM.EL", _conditional),
        Row("GLMM: leakage, all its tables", "one table each, scaled", _tables),
    ]


@cache
def studies() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Effects and variances of many meta-analyses."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(MANY, K)), rng.uniform(0.05, 1.0, size=(MANY, K))


def _pooled(method: str, test: str) -> Measure:
    y, v = studies()
    return timed(lambda: pool_many(y, v, method=method, test=test))


def _in_pymare(estimator: Any) -> Measure:
    y, v = studies()
    given = dict(y=y[:SOME].T, v=v[:SOME].T, X=np.ones((K, 1)))
    return timed(lambda: estimator.fit(**given), per=SOME / MANY)


def _reml() -> Pair:
    found = installed("pymare")
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    theirs = _in_pymare(VarianceBasedLikelihoodEstimator(method="REML"))
    return Pair(_pooled("REML", "hksj"), theirs, found)


def _moments() -> Pair:
    found = installed("pymare")
    from pymare.estimators import DerSimonianLaird

    return Pair(_pooled("DL", "z"), _in_pymare(DerSimonianLaird()), found)


def _loop() -> Pair:
    found = installed("statsmodels")
    from statsmodels.stats.meta_analysis import combine_effects

    y, v = studies()

    def loop() -> None:
        with np.errstate(invalid="ignore"):  # it takes roots of variances that it has not cut off at 0
            for one, its in zip(y[:FEW], v[:FEW], strict=True):
                combine_effects(one, its, method_re="dl")

    return Pair(_pooled("DL", "z"), timed(loop, per=FEW / MANY), found)


def _one() -> Pair:
    found = r_worker.version("metafor")
    v = np.square(SE)
    ours = timed(lambda: pool(Y, v, method="REML", test="hksj"))
    return Pair(ours, r_worker.timed("rma", {"y": Y, "se": SE}), found)


def _glmm() -> Pair:
    found = r_worker.version("metafor")
    theirs = r_worker.timed("rma_glmm", {"events": EVENTS, "n": N})
    return Pair(timed(lambda: glmm_proportion(EVENTS, N)), theirs, found)


def _conditional() -> Pair:
    found = r_worker.version("metafor")
    r_worker.version("BiasedUrn")  # which metafor computes this likelihood with
    ours = timed(lambda: glmm_or(*ARMS.values(), model="CM.EL"))
    return Pair(ours, r_worker.timed("rma_glmm_or", ARMS), found)


def _tables() -> Pair:
    given = leakage().evidence
    return Pair(
        timed(lambda: glmm_proportion(given.tables, given.n, weights=given.weights)),
        timed(lambda: glmm_proportion(given.tables[0], given.n), per=1 / len(given.tables)),
    )
