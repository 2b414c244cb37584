"""From what a paper does print to what an effect size needs, and from an effect size back to words.

Every function takes numbers or arrays that broadcast, and assumes what its docstring says: nothing
is recovered without an assumption. Errors name the study, counted from 0.
"""

from kyphobayes.effects.recover.back_transform import back_transform, back_transform_mean
from kyphobayes.effects.recover.correlation import correlation_from_change
from kyphobayes.effects.recover.quantiles import (
    MeanSD,
    mean_sd_from_five_number,
    mean_sd_from_median_iqr,
    mean_sd_from_range,
)
from kyphobayes.effects.recover.standard_deviation import (
    sd_from_ci,
    sd_from_F,
    sd_from_p,
    sd_from_se,
    sd_from_t,
)
from kyphobayes.effects.recover.standard_error import se_from_ci, se_from_p

__all__ = [
    "MeanSD",
    "back_transform",
    "back_transform_mean",
    "correlation_from_change",
    "mean_sd_from_five_number",
    "mean_sd_from_median_iqr",
    "mean_sd_from_range",
    "sd_from_F",
    "sd_from_ci",
    "sd_from_p",
    "sd_from_se",
    "sd_from_t",
    "se_from_ci",
    "se_from_p",
]
