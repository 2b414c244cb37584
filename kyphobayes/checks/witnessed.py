"""One posterior quantity against a plain frequentist estimate of the same quantity."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.checks.agreement import SD_BOUND, SD_LIMIT
from kyphobayes.checks.check import Check


def witnessed(
    quantity: str,
    draws: NDArray[np.float64],
    estimate: float,
    interval: tuple[float, float],
    method: str,
    *,
    prior_range: float = 0.0,
    expected: str = "",
) -> Check:
    """Hold a posterior against a frequentist estimate with its 95 % interval.

    Parameters
    ----------
    quantity : str
        What both are about, in words.
    draws : ndarray, shape (s,)
    estimate : float
    interval : (float, float)
    method : str
        Of the estimate.
    prior_range : float
        How far the posterior median moves over the prior sets, in posterior standard deviations.
    expected : str
        A reason, known before, why the two differ; empty for none.

    Returns
    -------
    Check
        A difference beyond half a posterior standard deviation passes only where a reason is known, or
        the prior is known to matter as much, and then the text says so; one beyond two never does.
    """
    mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    apart = abs(mean - estimate) / sd
    low, high = np.quantile(draws, [0.025, 0.975])
    table = pd.DataFrame(
        {"mean": [mean, estimate], "low": [low, interval[0]], "high": [high, interval[1]]},
        index=pd.Index(["model", method], name="by"),
    )
    text = (
        f"{quantity} {mean:.2f} by the model and {estimate:.2f} by the {method} ({interval[0]:.2f} to "
        f"{interval[1]:.2f}), {apart:.2f} posterior standard deviations apart"
    )
    close = apart <= SD_BOUND
    excused = apart <= SD_LIMIT and (bool(expected) or prior_range > SD_BOUND)
    if not close and excused:
        text += (
            f"; {expected}"
            if expected
            else (f"; the prior matters: it moves by {prior_range:.1f} over the prior sets")
        )
    return Check("agreement", close or excused, text, table)
