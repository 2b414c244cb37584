r"""How many observations a prior is worth.

All three measures set the information in the prior against that of one observation,
:math:`i_F(\theta) = u(\theta)^{-2}`, where u is the unit-information standard deviation.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from kyphobayes.borrowing.grid import Array, Density, Grid, log_density
from kyphobayes.errors import InputError

UnitSd = float | Callable[[Array], Array]

_SIZE, _TAIL = 40_001, 1e-6
_STEP = 0.02  # of a standard deviation: for differences of log densities


def unit_sd(n: ArrayLike, se: ArrayLike) -> float:
    r"""Unit-information standard deviation of studies, :math:`\sqrt{\sum n_i / \sum \sigma_i^{-2}}`.

    Parameters
    ----------
    n, se : array_like, shape (k,)
        Sizes and standard errors.

    Notes
    -----
    Röver et al. (2021), Research Synthesis Methods 12:448-474, equation 7.
    """
    n, se = np.asarray(n, dtype=float), np.asarray(se, dtype=float)
    if n.shape != se.shape or not ((n > 0) & (se > 0)).all():
        raise InputError("expected n and se of one length, all greater than 0")
    return float(np.sqrt(n.sum() / (se**-2.0).sum()))


def log_odds_unit_sd(theta: Array) -> Array:
    """Unit-information standard deviation of a log odds: 1 / sqrt(p (1 - p)) = 2 cosh(theta / 2)."""
    return 2 * np.cosh(theta / 2)


def elir(density: Density, unit_sd: UnitSd) -> float:
    r"""Effective sample size by the expected local-information ratio.

    .. math:: E\left[ \frac{-(\log p)''(\theta)}{i_F(\theta)} \right]
              = \int u^2 \frac{p'^2}{p} \, d\theta - \int u^2 p'' \, d\theta .

    The second integral is done by parts, so that no second derivative of p is needed.

    Parameters
    ----------
    density : Prior, object with pdf and quantile, or tuple (x, pdf)
        What is known of the next study's effect before it is done.
    unit_sd : float or callable
        Unit-information standard deviation, which may depend on the effect: `log_odds_unit_sd`.

    Notes
    -----
    Neuenschwander et al. (2020), Biometrics 76:578-587, equation 7. The measure that is
    predictively consistent: n observations add n to it, on average. What lies beyond the outermost
    millionths is left out: under a prior with power-law tails and `log_odds_unit_sd` the whole
    integral does not exist.
    """
    grid = Grid.of(density, _SIZE, _TAIL)
    x, p = grid.x, grid.pdf
    variance = _variance(unit_sd, x)
    slope, bend = np.gradient(p, x, edge_order=2), np.gradient(variance, x, edge_order=2)
    inside = p > 0
    first = np.trapezoid(variance * slope**2 / np.where(inside, p, 1.0) * inside, x)
    ends = variance * slope - bend * p
    return float(first - (ends[-1] - ends[0]) - grid.mean(np.gradient(bend, x, edge_order=2)))


def moment(density: Density, unit_sd: UnitSd) -> float:
    """Effective sample size of the normal distribution with the same mean and variance.

    Parameters
    ----------
    density, unit_sd
        As for `elir`; a unit that depends on the effect is taken at the mean.
    """
    mean, variance = _moments(density)
    return float(_variance(unit_sd, np.array([mean]))[0] / variance)


def moment_rate(density: Density) -> float:
    """Effective sample size of the beta distribution with the same mean and variance of the rate.

    Parameters
    ----------
    density
        As for `elir`, of a log odds.
    """
    grid = Grid.of(density, _SIZE, _TAIL)
    rate = special.expit(grid.x)
    mean = grid.mean(rate)
    return float(mean * (1 - mean) / grid.mean((rate - mean) ** 2) - 1)


def morita(density: Density, unit_sd: UnitSd) -> float:
    r"""Effective sample size by the prior's information at its mean, :math:`-(\log p)'' / i_F`.

    Notes
    -----
    Morita, Thall and Müller (2008), Biometrics 64:595-602, with a vague prior of no information. It
    looks at one place: a robust mixture keeps nearly all of it, however likely its vague part is.
    """
    mean, variance = _moments(density)
    step = _STEP * np.sqrt(variance)
    places = mean + step * np.arange(-2.0, 3.0)
    log_p = log_density(density, places)
    curvature = float(log_p @ np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / (12 * step**2))
    return float(-curvature * _variance(unit_sd, np.array([mean]))[0])


def _moments(density: Density) -> tuple[float, float]:
    grid = Grid.of(density, _SIZE, _TAIL)
    mean = grid.mean(grid.x)
    return mean, grid.mean((grid.x - mean) ** 2)


def _variance(unit_sd: UnitSd, x: Array) -> Array:
    found = np.broadcast_to(unit_sd(x) if callable(unit_sd) else unit_sd, x.shape).astype(float)
    if not (np.isfinite(found) & (found > 0)).all():
        raise InputError("unit_sd: expected a number greater than 0, at every effect")
    return found**2
