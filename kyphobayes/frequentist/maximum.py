"""The maximum of a likelihood in (mu, tau): global in tau, with its curvature."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import InputError

Array = NDArray[np.float64]

FACTOR: Final = 1.6  # between neighbours of the grid in tau
REACH, FARTHEST = 3.0, 1e3  # of the grid, in units of the spread of the studies; while it rises
LEAP: Final = 4.0  # the longest step in mu, in units of 1 + tau: effects are logarithms or the like
ROUNDS, HALVINGS = 100, 20
ROUGH: Final = 1e-3  # on the grid, in standard errors of mu
LAST: Final = 1e-5  # after a step of this share of its scale, Newton's method is exact to its square
NOISE: Final = 1e-9  # of a log likelihood: with a million trials, terms of a million cancel
STILL: Final = 1e-6  # in standard errors: a step of Newton's method from a maximum is shorter


@dataclass(frozen=True, eq=False)
class Point:
    """The log likelihood at (mu, tau), its gradient, shape (2,), and its Hessian, shape (2, 2)."""

    mu: float
    tau: float
    value: float
    gradient: Array
    hessian: Array


Evaluate = Callable[[float, float], Point]


def highest(
    evaluate: Evaluate, starts: Sequence[float], smallest: float, spread: float, beyond: float
) -> tuple[Point, Point]:
    """The highest maximum over all mu and tau >= 0, and the one with tau = 0.

    Parameters
    ----------
    evaluate : callable
        The log likelihood at (mu, tau) with derivatives.
    starts : sequence of float
        Where to start in mu: one place if the likelihood has one maximum for every tau.
    smallest, spread : float
        The smallest standard error of a study and the distance over which effects spread.
    beyond : float
        The highest limit of the log likelihood where mu or tau leave every bound; -inf for a likelihood of 0.

    Raises
    ------
    InputError
        If no maximum is higher than that limit.

    Notes
    -----
    tau runs over a grid, with mu at its maximum for each; where the derivative in tau changes from plus
    to minus, Newton's method in both goes to the maximum. At tau = 0 that derivative is 0 always, and
    the second derivative, twice the one in tau squared, tells whether the likelihood falls.
    """
    at_zero = max((best_mu(evaluate, mu, 0.0) for mu in starts), key=_height)
    found = [at_zero] if at_zero.hessian[1, 1] <= 0 else []
    for mu in starts:
        found += _along(evaluate, mu, smallest, spread, follow=len(starts) == 1)
    best = max(found, key=_height, default=None)
    if best is None or best.value <= beyond + NOISE:
        raise InputError(
            "the likelihood has no maximum: it rises while mu or tau grow without bound, for the counts of "
            "every study may be the fewest or the most possible; use an exact posterior with proper priors"
        )
    return best, at_zero


def _height(point: Point) -> float:
    return point.value


def _along(evaluate: Evaluate, mu: float, smallest: float, spread: float, *, follow: bool) -> list[Point]:
    """The maxima on the way from tau = 0 upwards; for each tau the search starts at the last mu, or at mu."""
    found: list[Point] = []
    below = best_mu(evaluate, mu, 0.0)
    rising, tau = below.hessian[1, 1] > 0, 0.1 * smallest
    end = max(spread, smallest)
    while tau < REACH * end or (rising and tau < FARTHEST * end):
        here = best_mu(evaluate, below.mu if follow else mu, tau, ROUGH)
        still = bool(here.gradient[1] > 0)
        if rising and not still:
            found.append(_between(evaluate, below, here))
        below, rising, tau = here, still, tau * FACTOR
    return [point for point in found if point.tau > 0 and _length(point, newton_step(point)) < STILL]


def best_mu(evaluate: Evaluate, mu: float, tau: float, last: float = LAST) -> Point:
    """The maximum over mu for this tau, by Newton's method with halved steps."""
    here = evaluate(mu, tau)
    for _ in range(ROUNDS):
        if here.hessian[0, 0] == 0:
            break  # so far out that it is flat: `highest` sees that there is no maximum
        scale = 1 / np.sqrt(abs(here.hessian[0, 0]))
        step = float(np.clip(here.gradient[0] * scale**2, -LEAP * (1 + tau), LEAP * (1 + tau)))
        before, here = here, _uphill(evaluate, here, np.array([step, 0.0]))
        if abs(step) <= last * scale or here is before:
            break
    return here


def _between(evaluate: Evaluate, low: Point, high: Point) -> Point:
    """The maximum between two values of tau: halving until Newton's method stays inside."""
    bounds = [low.tau, high.tau]
    here = high if high.value > low.value or low.tau == 0 else low
    for _ in range(ROUNDS):
        step = newton_step(here)
        length, tau = _length(here, step), here.tau + step[1]
        # The bounds were found roughly: a short step may cross them.
        if bounds[0] < tau < bounds[1] or (length < ROUGH and tau > 0):
            before, here = here, _uphill(evaluate, here, step)
            if length <= LAST or here is before:
                break
        else:
            here = best_mu(evaluate, here.mu, sum(bounds) / 2)
            bounds = [here.tau, bounds[1]] if here.gradient[1] > 0 else [bounds[0], here.tau]
    return here


def newton_step(here: Point) -> Array:
    """Newton's step in (mu, tau), or along the gradient where the surface is not concave."""
    information = -here.hessian
    if information[0, 0] > 0 and np.linalg.det(information) > 0:
        return np.linalg.solve(information, here.gradient)
    return here.gradient / np.abs(information).max()


def _length(here: Point, step: Array) -> float:
    """Of a step, in standard errors."""
    return float(np.sqrt(abs(step @ here.hessian @ step)))


def _uphill(evaluate: Evaluate, here: Point, step: Array) -> Point:
    """The point one step on, or a part of it; the same point if no part of it goes up."""
    for _ in range(HALVINGS):
        there = evaluate(here.mu + step[0], here.tau + step[1])
        if there.value >= here.value - NOISE:
            return there
        step = step / 2
    return here
