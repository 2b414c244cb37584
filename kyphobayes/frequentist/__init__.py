"""The frequentist witness: arrays in, arrays out; independent of PyMC and of `kyphobayes.exact`."""

from kyphobayes.frequentist.fixed_counts import (
    PooledCounts,
    mantel_haenszel,
    mantel_haenszel_rates,
    peto,
)
from kyphobayes.frequentist.glmm import MixedModel, glmm_or, glmm_proportion, glmm_rate
from kyphobayes.frequentist.henmi_copas import HenmiCopas, henmi_copas
from kyphobayes.frequentist.heterogeneity import Tau2Interval, tau2_interval
from kyphobayes.frequentist.influence import (
    Baujat,
    Influence,
    baujat,
    cumulative,
    influence,
    leave_one_out,
)
from kyphobayes.frequentist.interval import Interval
from kyphobayes.frequentist.likelihood import (
    normal_log_likelihood,
    proportion_log_likelihood,
    rate_log_likelihood,
)
from kyphobayes.frequentist.pool import TESTS, Pooled, pool, pool_many
from kyphobayes.frequentist.prediction import prediction_interval
from kyphobayes.frequentist.regression import Prediction, Regression, regress
from kyphobayes.frequentist.selection import SelectionModel, selection_model
from kyphobayes.frequentist.shrunken import Shrunken, blup
from kyphobayes.frequentist.small_study import Begg, Egger, begg, egger
from kyphobayes.frequentist.subgroups import Subgroups, subgroup
from kyphobayes.frequentist.tau2 import METHODS
from kyphobayes.frequentist.trim_and_fill import TrimAndFill, trim_and_fill

__all__ = [
    "METHODS",
    "TESTS",
    "Baujat",
    "Begg",
    "Egger",
    "HenmiCopas",
    "Influence",
    "Interval",
    "MixedModel",
    "Pooled",
    "PooledCounts",
    "Prediction",
    "Regression",
    "SelectionModel",
    "Shrunken",
    "Subgroups",
    "Tau2Interval",
    "TrimAndFill",
    "baujat",
    "begg",
    "blup",
    "cumulative",
    "egger",
    "glmm_or",
    "glmm_proportion",
    "glmm_rate",
    "henmi_copas",
    "influence",
    "leave_one_out",
    "mantel_haenszel",
    "mantel_haenszel_rates",
    "normal_log_likelihood",
    "peto",
    "pool",
    "pool_many",
    "prediction_interval",
    "proportion_log_likelihood",
    "rate_log_likelihood",
    "regress",
    "selection_model",
    "subgroup",
    "tau2_interval",
    "trim_and_fill",
]
