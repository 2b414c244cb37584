"""The correlation of a patient's two values, from the spread of their differences."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.effects.validate import refuse, together

ROUNDING = 1e-9  # beyond 1 by no more than this is rounding in the last digits of a float


def correlation_from_change(
    sd_pre: ArrayLike, sd_post: ArrayLike, sd_change: ArrayLike
) -> NDArray[np.float64]:
    """Correlation between two times, from the SDs at both and the SD of the change.

    Parameters
    ----------
    sd_pre, sd_post, sd_change : array_like
        Standard deviations, all in the unit of the outcome and of the same patients.

    Returns
    -------
    ndarray
        (sd_pre^2 + sd_post^2 - sd_change^2) / (2 sd_pre sd_post).

    Raises
    ------
    InputError
        If an SD is not positive, or they give a correlation outside -1 to 1: the three are then not
        of the same patients, one is a standard error, or they are rounded too coarsely.

    References
    ----------
    Cochrane Handbook for Systematic Reviews of Interventions, version 6, section 6.5.2.8.
    """
    sd_pre, sd_post, sd_change = together(sd_pre=sd_pre, sd_post=sd_post, sd_change=sd_change)
    spread = {"sd_pre": sd_pre, "sd_post": sd_post, "sd_change": sd_change}
    refuse(
        ~((sd_pre > 0) & (sd_post > 0) & (sd_change > 0)),
        "three SDs above 0",
        "mend the row",
        **spread,
    )
    # With a / b = sd_pre / sd_post the unit cancels, and nothing overflows.
    ratio = sd_pre / sd_post
    r = (ratio + 1 / ratio - (sd_change / sd_pre) * (sd_change / sd_post)) / 2
    refuse(
        ~(np.abs(r) <= 1 + ROUNDING),
        "SDs that give a correlation between -1 and 1",
        "check that none is a standard error, that all are of the same patients, and their rounding",
        **spread,
        correlation=r,
    )
    return np.clip(r, -1, 1)
