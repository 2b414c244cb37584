r"""Two counts per study: the log odds ratio, with the study's own baseline integrated out.

.. math:: L_i(\theta) = \int \mathrm{Bin}\{y_{1i}; n_{1i}, \mathrm{expit}(\gamma + a\theta)\}\,
          \mathrm{Bin}\{y_{2i}; n_{2i}, \mathrm{expit}(\gamma - (1 - a)\theta)\}\, N(\gamma; m, s)\, d\gamma

with a = 1/2 where the baseline gamma is the mean of the two log odds, and a = 1 where it is the log odds of
group 2. The integrand is log-concave in both, so L is log-concave in theta; a study without events says
nothing of theta but what the baseline's prior allows. With a = 1, L is flat on the far side of no (or
nothing but) events in group 1.
"""

from typing import Self, override

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.likelihoods import BinomialStudies, binomial_fall
from kyphobayes.exact.panels import Array
from kyphobayes.exact.tabulated import TabulatedStudies
from kyphobayes.exact.trapezoid import log_integral_to_its_ends
from kyphobayes.priors import Prior

# By what the baseline is: shares of theta by which the log odds of group 1 and of group 2 differ from it.
BASELINES = {"midpoint": (0.5, -0.5), "group 2": (1.0, 0.0)}
_NEWTON = 200


class TwoArmStudies(TabulatedStudies):
    """Counts of two groups in each study, theta the log odds ratio of group 1 to group 2."""

    def __init__(
        self,
        events_1: ArrayLike,
        n_1: ArrayLike,
        events_2: ArrayLike,
        n_2: ArrayLike,
        baseline: str | Prior,
        baseline_of: str = "midpoint",
    ):
        if baseline_of not in BASELINES:
            raise InputError(
                f"baseline_of: expected {' or '.join(map(repr, BASELINES))}, found {baseline_of!r}"
            )
        self._baseline_of, self._signs = baseline_of, BASELINES[baseline_of]
        prior = Prior.parse(baseline)
        if prior.family != "Normal":
            raise InputError(f"baseline: expected a normal prior, found {prior}")
        arms = [
            _arm(events, n, group) for group, (events, n) in enumerate([(events_1, n_1), (events_2, n_2)], 1)
        ]
        if arms[0].size != arms[1].size:
            raise InputError(f"group 1 has {arms[0].size} studies but group 2 has {arms[1].size}")
        self._arms, self._prior, self._count = arms, prior, arms[0].size
        centres = arms[0].centres - arms[1].centres
        super().__init__(self._integrate, centres, np.hypot(arms[0].scales, arms[1].scales))

    @override
    def take(self, index: NDArray[np.intp]) -> Self:
        one, two = self._arms
        return type(self)(
            one.events[index], one.n[index], two.events[index], two.n[index], self._prior, self._baseline_of
        )

    def _integrate(self, theta: Array) -> Array:
        """Log likelihood of each study at each theta, shape (k, m)."""
        sigma = dict(self._prior.parameters)["sigma"]
        mode, width = self._baseline(theta)
        total = log_integral_to_its_ends(lambda gamma: self._log_joint(gamma, theta), mode, width)
        constant = self._arms[0].best + self._arms[1].best
        return total - np.log(sigma) - 0.5 * np.log(2 * np.pi) + constant[:, None]

    def _log_joint(self, gamma: Array, theta: Array) -> Array:
        """Log of the integrand at gamma, shape (k, m), without constants."""
        (_, m), (_, sigma) = self._prior.parameters
        one, two = (
            binomial_fall(arm.events[:, None], arm.n[:, None])(gamma + sign * theta)
            for arm, sign in zip(self._arms, self._signs, strict=True)
        )
        return one + two - 0.5 * ((gamma - m) / sigma) ** 2

    def _baseline(self, theta: Array) -> tuple[Array, Array]:
        """Mode of gamma given theta and the width there, shape (k, m): Newton's rule inside a bracket."""
        (_, m), (_, sigma) = self._prior.parameters
        one, two = self._arms
        events, n = one.events + two.events, one.n + two.n
        shape = (self._count, len(theta))
        # The slope of the log likelihood is at most the events, at least minus the others.
        low = np.broadcast_to((m - sigma**2 * (n - events))[:, None], shape)
        high = np.broadcast_to((m + sigma**2 * events)[:, None], shape)
        start = (one.centres + two.centres)[:, None] / 2
        gamma = np.clip(np.broadcast_to(start, shape), low, high)
        halve = np.zeros(shape, dtype=bool)
        for _ in range(_NEWTON):
            p, q = (special.expit(gamma + sign * theta) for sign in self._signs)
            slope = events[:, None] - one.n[:, None] * p - two.n[:, None] * q - (gamma - m) / sigma**2
            bend = one.n[:, None] * p * (1 - p) + two.n[:, None] * q * (1 - q) + sigma**-2
            reach = high - low
            low, high = np.where(slope >= 0, gamma, low), np.where(slope <= 0, gamma, high)
            step = gamma + slope / bend
            good = (step > low) & (step < high) & ~halve
            following = np.where(good, step, (low + high) / 2)
            halve = high - low > reach / 2  # Newton's rule may run in circles, halving may not
            moved = np.abs(following - gamma) * np.sqrt(bend)
            gamma = following
            if (moved < 1e-3).all():
                break
        return gamma, 1 / np.sqrt(bend)


def _arm(events: ArrayLike, n: ArrayLike, group: int) -> BinomialStudies:
    try:
        return BinomialStudies(events, n)
    except InputError as error:
        raise InputError(f"group {group}: {error}") from None
