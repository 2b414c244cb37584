r"""Two shares that know nothing of each other: what one comparison of one study says by itself.

With priors Beta(a, a) for both,

.. math:: p_j \mid y_j \sim \mathrm{Beta}(y_j + a, n_j - y_j + a), \qquad
          P(p_1 - p_2 \le d) = \int_0^1 F_1\{Q_2(u) + d\}\, du

with F the distribution function and Q the quantile function: the substitution u = F_2(p_2) leaves a bounded
integrand.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, optimize, special

from kyphobayes.errors import InputError
from kyphobayes.names import PROB

Array = NDArray[np.float64]

_PIECES = 200  # at most, into which the adaptive rule divides the range


@dataclass(frozen=True)
class TwoShares:
    """Posterior of two shares under independent Beta(a, a) priors.

    Attributes
    ----------
    events_1, n_1, events_2, n_2 : int
    a : float
        Both parameters of the prior: 1/2 is Jeffreys' prior, 1 is uniform.

    Raises
    ------
    InputError
        If counts are impossible or `a` is not positive.
    """

    events_1: int
    n_1: int
    events_2: int
    n_2: int
    a: float = 0.5

    def __post_init__(self) -> None:
        for events, n in ((self.events_1, self.n_1), (self.events_2, self.n_2)):
            if not (n >= 1 and 0 <= events <= n):
                raise InputError(f"expected 0 <= events <= n and n >= 1, found {events} of {n}")
        if not (np.isfinite(self.a) and self.a > 0):
            raise InputError(f"a: expected a number greater than 0, found {self.a:g}")

    def _shape(self, arm: int) -> tuple[float, float]:
        events, n = ((self.events_1, self.n_1), (self.events_2, self.n_2))[arm - 1]
        return events + self.a, n - events + self.a

    def share(self, arm: int, q: float) -> float:
        """Quantile of the share in arm 1 or 2."""
        return float(special.betaincinv(*self._shape(arm), q))

    def cdf(self, d: float) -> float:
        """Probability that p_1 - p_2 is at most `d`."""
        one, two = self._shape(1), self._shape(2)
        # Where Q_2(u) + d leaves [0, 1] the integrand has a kink, so the range ends there.
        low, high = special.betainc(*two, np.clip([-d, 1 - d], 0.0, 1.0))

        def inside(u: float) -> float:
            return float(special.betainc(*one, np.clip(special.betaincinv(*two, u) + d, 0.0, 1.0)))

        mass, _ = integrate.quad(inside, low, high, epsabs=1e-11, epsrel=1e-11, limit=_PIECES)
        return float(np.clip(mass + (1 - high), 0.0, 1.0))

    @property
    def mean(self) -> float:
        """Mean of p_1 - p_2."""
        (a, b), (c, d) = self._shape(1), self._shape(2)
        return a / (a + b) - c / (c + d)

    def quantile(self, q: float) -> float:
        """Value of p_1 - p_2 below which a share `q` of the posterior lies."""
        return float(optimize.brentq(lambda d: self.cdf(d) - q, -1.0, 1.0, xtol=1e-10))

    def interval(self, prob: float = PROB) -> tuple[float, float]:
        """Central interval of p_1 - p_2."""
        return self.quantile((1 - prob) / 2), self.quantile((1 + prob) / 2)
