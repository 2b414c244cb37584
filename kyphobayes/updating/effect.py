r"""What a printed line foresees of the effect in one more series, whose own estimate is at hand.

The estimate y of a new series is its effect, drawn from the population of the line's studies, with a
sampling error of known variance v:

.. math:: p(y \mid past) = \int N(y;\, \theta_{new}, v)\, p(\theta_{new} \mid past)\, d\theta_{new} .
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from kyphobayes.errors import InputError
from kyphobayes.exact import Density
from kyphobayes.names import PROB

_ENDS = ((1 - PROB) / 2, (1 + PROB) / 2)
_FAR = 40.0  # standard deviations beyond the effect's quantiles


@dataclass(frozen=True)
class ForeseenEffect:
    """An estimate that was foreseen, and that was seen.

    Attributes
    ----------
    expected, low, high : float
        Median and 95 % interval of the estimate of a new series with this variance.
    seen, error : float
        Its estimate and standard error.
    at_least, at_most : float
        Probability of an estimate as high or higher, and as low or lower.
    """

    expected: float
    low: float
    high: float
    seen: float
    error: float
    at_least: float
    at_most: float

    @property
    def two_sided(self) -> float:
        """Probability of an estimate as far out, on either side."""
        return min(1.0, 2 * min(self.at_least, self.at_most))


def foreseen_effect(theta_new: Density, y: float, v: float) -> ForeseenEffect:
    """Hold an estimate against the predictive distribution of the effect in a new study.

    Parameters
    ----------
    theta_new : Density
        From the studies before it.
    y, v : float
        The estimate of the new series and its variance, on the same scale.

    Raises
    ------
    InputError
        If the variance is not positive or the estimate is not finite.
    """
    if not (np.isfinite(y) and np.isfinite(v) and v > 0):
        raise InputError(f"y and v: expected a finite estimate and a variance above 0, found {y:g} and {v:g}")
    error = float(np.sqrt(v))

    def below(x: float) -> float:
        return float(theta_new.expectation(lambda theta: special.ndtr((x - theta) / error)))

    first, last = (float(q) for q in theta_new.quantile([1e-6, 1 - 1e-6]))
    reach = _FAR * error
    low, middle, high = (
        float(optimize.brentq(lambda x, q=q: below(x) - q, first - reach, last + reach))
        for q in (_ENDS[0], 0.5, _ENDS[1])
    )
    at_most = below(y)
    return ForeseenEffect(middle, low, high, y, error, 1 - at_most, at_most)
