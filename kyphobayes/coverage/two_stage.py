"""Intervals of two-stage methods: an effect and its variance for every study, pooled; many tables at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from kyphobayes.coverage.intervals import Array, Intervals
from kyphobayes.coverage.simulated import Counts
from kyphobayes.effects import effect_size
from kyphobayes.effects.recover import back_transform
from kyphobayes.frequentist import pool_many
from kyphobayes.frequentist.inference import two_sided_quantile
from kyphobayes.names import PLO, PROB


@dataclass(frozen=True)
class TwoStage:
    """One frequentist analysis.

    Attributes
    ----------
    measure : str
        Scale of the studies' effects, by metafor's code.
    tau2 : str
        Estimator of the variance between studies.
    test : str
        How mu is tested, as in `frequentist.pool`.
    df_lost : int
        The prediction interval takes t with k less so many degrees of freedom.
    """

    measure: str
    tau2: str
    test: str
    df_lost: int

    @property
    def name(self) -> str:
        """What it is called as a method for the typical centre."""
        return f"{_SCALES[self.measure]}, {self.tau2}, {_TESTS[self.test]}"

    @property
    def prediction(self) -> str:
        """What its prediction interval is called."""
        error = ", HKSJ" if self.test == "hksj" else ", mKH" if self.test == "mhksj" else ""
        return f"{_SCALES[self.measure]}, {self.tau2}{error}, t(k − {self.df_lost})"


_SCALES: Final = {PLO: "log odds", "PAS": "arcsine", "PFT": "Freeman–Tukey", "PR": "raw proportions"}
_TESTS: Final = {"z": "Wald", "t": "t(k − 1)", "hksj": "HKSJ", "mhksj": "mKH"}
# By `frequentist.prediction_interval` the first predicts as "hts", the second as "riley", the fourth as
# "hksj"; the third as metafor does with test="t".
METHODS: Final = (
    TwoStage(PLO, "DL", "z", 2),
    TwoStage(PLO, "REML", "z", 2),
    TwoStage(PLO, "REML", "t", 1),
    TwoStage(PLO, "REML", "hksj", 2),
    TwoStage(PLO, "REML", "mhksj", 2),
    TwoStage("PAS", "DL", "z", 2),
    TwoStage("PFT", "DL", "z", 2),
    TwoStage("PR", "DL", "z", 2),
)


def two_stage(method: TwoStage, events: Counts, sizes: Counts) -> Intervals:
    """Intervals of one method, as log odds; an end beyond what a share can be is infinite.

    Parameters
    ----------
    method : TwoStage
    events, sizes : ndarray of int, shape (tables, k)
    """
    effects = effect_size(method.measure, {"events": events, "n": sizes})
    pooled = pool_many(effects.y, effects.v, method=method.tau2, test=method.test, level=PROB)
    k, harmonic = sizes.shape[1], float(1 / (1 / sizes[0]).mean())  # all tables have the same studies

    def log_odds(end: Array) -> Array:
        return _log_odds(method.measure, end, harmonic)

    typical = log_odds(pooled.ci_low), log_odds(pooled.ci_high)
    if k <= method.df_lost:
        nothing = np.full(len(events), np.nan)
        return Intervals(*typical, nothing, nothing)
    quantile = float(two_sided_quantile(k - method.df_lost, PROB))
    reach = quantile * np.hypot(np.sqrt(pooled.tau2), pooled.se)
    return Intervals(*typical, log_odds(pooled.mu - reach), log_odds(pooled.mu + reach))


def _log_odds(measure: str, effect: Array, harmonic: float) -> Array:
    """Pooled effects as log odds; Freeman and Tukey's by the harmonic mean of the sizes, as papers do."""
    if measure == PLO:
        return effect
    share = back_transform(measure, effect, **({"n": harmonic} if measure == "PFT" else {}))
    return special.logit(np.clip(share, 0.0, 1.0))
