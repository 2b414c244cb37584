"""Borrowing from studies that are done for the next one: predictive priors and what they are worth."""

from kyphobayes.borrowing.effective_size import elir, log_odds_unit_sd, moment, moment_rate, morita, unit_sd
from kyphobayes.borrowing.predictive_prior import PredictivePrior, map_prior, robust

__all__ = [
    "PredictivePrior",
    "elir",
    "log_odds_unit_sd",
    "map_prior",
    "moment",
    "moment_rate",
    "morita",
    "robust",
    "unit_sd",
]
