"""The log likelihood of (mu, tau) by the witness's own hand, for whoever wants to compare."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError
from kyphobayes.frequentist.glmm import proportions, rates
from kyphobayes.frequentist.mixed import Mixture
from kyphobayes.frequentist.validate import numbers, refuse_unusable

Array = NDArray[np.float64]


def proportion_log_likelihood(
    events: ArrayLike,
    n: ArrayLike,
    mu: ArrayLike,
    tau: ArrayLike,
    *,
    link: str = "logit",
    weights: ArrayLike | None = None,
) -> Array:
    """Log likelihood of the binomial-normal model.

    Parameters
    ----------
    events, n, link, weights
        As in `glmm_proportion`.
    mu, tau : array_like
        Where; shapes that broadcast, tau at least 0.

    Returns
    -------
    ndarray
        Of that shape, binomial coefficients included.

    Raises
    ------
    InputError
        If counts are impossible or a tau is negative.
    """
    return _values(proportions(events, n, link, weights)[0], mu, tau)


def rate_log_likelihood(
    events: ArrayLike,
    time: ArrayLike,
    mu: ArrayLike,
    tau: ArrayLike,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """Log likelihood of the Poisson-normal model.

    Parameters
    ----------
    events, time, weights
        As in `glmm_rate`.
    mu, tau : array_like
        Where; shapes that broadcast, tau at least 0.

    Returns
    -------
    ndarray
        Of that shape, factorials included.

    Raises
    ------
    InputError
        If a count or a time is impossible or a tau is negative.
    """
    return _values(rates(events, time, weights)[0], mu, tau)


def normal_log_likelihood(y: ArrayLike, v: ArrayLike, mu: ArrayLike, tau: ArrayLike) -> Array:
    """Log likelihood of the normal-normal model: y ~ N(mu, v + tau^2).

    Parameters
    ----------
    y, v : array_like, shape (k,)
        Effects and sampling variances.
    mu, tau : array_like
        Where; shapes that broadcast, tau at least 0.

    Returns
    -------
    ndarray
        Of that shape.

    Raises
    ------
    InputError
        As `pool` does, or if a tau is negative.
    """
    y, v = numbers("y", y), numbers("v", v)
    refuse_unusable(y, v, "z")
    m, t = (values[..., None] for values in _places(mu, tau))
    variance = v + t**2
    return -((y - m) ** 2 / variance + np.log(2 * np.pi * variance)).sum(axis=-1) / 2


def _values(likelihood: Mixture, mu: ArrayLike, tau: ArrayLike) -> Array:
    places = _places(mu, tau)
    values = [likelihood(float(m), float(t)).value for m, t in zip(*map(np.ravel, places), strict=True)]
    return np.reshape(values, places[0].shape)


def _places(mu: ArrayLike, tau: ArrayLike) -> tuple[Array, Array]:
    mu, tau = np.broadcast_arrays(numbers("mu", mu), numbers("tau", tau))
    if not (np.isfinite(mu).all() and np.isfinite(tau).all() and (tau >= 0).all()):
        raise InputError("mu and tau must be finite numbers, tau at least 0")
    return mu, tau
