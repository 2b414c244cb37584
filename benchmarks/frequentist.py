"""The frequentist witness beside PyMARE and statsmodels, on the same meta-analyses in the same run.

The peers return estimates; `pool_many` also returns standard errors of tau2, I2, tests, intervals and
weights. PyMARE's REML is a local search from one start, ours a global one. statsmodels pools one
meta-analysis at a time, and knows no REML.
"""

import numpy as np
from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator
from statsmodels.stats.meta_analysis import combine_effects

from benchmarks.timing import best_of
from kyphobayes.evidence import Counts
from kyphobayes.frequentist import glmm_or, glmm_proportion, pool_many

MANY, SOME, FEW, K = 100_000, 2_000, 200, 7
TARGET = 5.0  # seconds for a hundred thousand meta-analyses, REML and HKSJ
Row = tuple[str, float, str]


def rows(evidence: Counts) -> list[Row]:
    """Work, seconds, and how long the peer takes."""
    rng = np.random.default_rng(0)
    y, v = rng.normal(size=(MANY, K)), rng.uniform(0.05, 1.0, size=(MANY, K))
    reml = best_of(lambda: pool_many(y, v, method="REML", test="hksj"), runs=2)
    dl = best_of(lambda: pool_many(y, v, method="DL", test="z"), runs=2)

    design, y_few, v_few = np.ones((K, 1)), y[:SOME].T, v[:SOME].T
    pymare_reml = best_of(
        lambda: VarianceBasedLikelihoodEstimator(method="REML").fit(y=y_few, v=v_few, X=design), runs=2
    )
    pymare_dl = best_of(lambda: DerSimonianLaird().fit(y=y_few, v=v_few, X=design), runs=2)
    with np.errstate(invalid="ignore"):  # statsmodels takes roots of variances that it has not cut off at 0
        statsmodels_dl = best_of(
            lambda: [combine_effects(a, b, method_re="dl") for a, b in zip(y[:FEW], v[:FEW], strict=True)],
            runs=2,
        )

    one = best_of(lambda: glmm_proportion(evidence.tables[0], evidence.n), runs=3)
    tables = best_of(lambda: glmm_proportion(evidence.tables, evidence.n, weights=evidence.weights), runs=3)
    arms = ([4, 6, 3, 62, 33], [123, 306, 231, 1359, 506], [11, 29, 11, 248, 47], [139, 303, 220, 1286, 580])
    conditional = best_of(lambda: glmm_or(*arms, model="CM.EL"), runs=3)

    met = "met" if reml < TARGET else "missed"
    local, moments = ratio(pymare_reml / SOME, reml), ratio(pymare_dl / SOME, dl)
    loop = ratio(statsmodels_dl / FEW, dl)
    sets = f"{MANY:,} meta-analyses, k = {K}"
    return [
        (f"{sets}, REML and HKSJ", reml, f"target {TARGET:g} s: {met}; PyMARE's local REML takes {local}"),
        (f"{sets}, DerSimonian-Laird", dl, f"PyMARE takes {moments}, statsmodels {loop}"),
        ("leakage: binomial-normal maximum likelihood, one table", one, "no peer in Python"),
        (f"leakage: the same, {len(evidence.tables)} tables", tables, f"{tables / one:.1f} times one table"),
        ("log odds ratios of five trials, exact conditional likelihood", conditional, "no peer in Python"),
    ]


def ratio(each: float, ours: float) -> str:
    """How many times as long a peer takes for one meta-analysis as we do."""
    return f"{each / (ours / MANY):.2g} times as long each"
