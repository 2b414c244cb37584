"""Studies at two levels of a covariate: exact posteriors, what people ask of them, and witnesses."""

from kyphobayes.moderators.levels import BETA, TwoLevels, without_coefficient

__all__ = ["BETA", "TwoLevels", "without_coefficient"]
