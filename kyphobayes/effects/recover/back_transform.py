"""From the scale of a measure back to shares, rates and ratios.

The Freeman-Tukey trap: the inverse of PFT depends on n, and a pooled effect has none. Putting in the
harmonic mean of the studies' n, as is often done, can give a pooled share far from those of all
studies where their n differ much (Schwarzer, Chemaitelly, Abu-Raddad and Rücker 2019, Res. Synth.
Methods 10, 476-483). So n is asked for here and never assumed; PLO or a binomial model has no trap.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.effects.proportions import freeman_tukey
from kyphobayes.effects.validate import numbers, refuse, together
from kyphobayes.errors import InputError

Array = NDArray[np.float64]


def _exp(y: Array) -> Array:
    refuse(y > np.log(np.finfo(np.float64).max), "a log that can be undone", "check its unit", y=y)
    return np.exp(y)


def _arcsine(y: Array) -> Array:
    """sin(y)^2; limits beyond those of the scale, 0 and pi / 2, are shares of 0 and 1."""
    return np.sin(np.clip(y, 0, np.pi / 2)) ** 2


def _square(y: Array) -> Array:
    """y^2; a limit below 0 is a rate of 0."""
    return np.maximum(y, 0.0) ** 2


def _same(y: Array) -> Array:
    return y


INVERSE: Final[Mapping[str, Callable[[Array], Array]]] = {
    "PR": _same,
    "PLO": special.expit,
    "PLN": _exp,
    "PAS": _arcsine,
    "IR": _same,
    "IRLN": _exp,
    "IRS": _square,
    **dict.fromkeys(("OR", "PETO", "RR", "IRR", "ROM", "ROMC"), _exp),
}
LOGS = tuple(measure for measure, inverse in INVERSE.items() if inverse is _exp)


def back_transform(measure: str, y: ArrayLike, *, n: ArrayLike | None = None) -> Array:
    """Shares, rates and ratios from effects, estimates or limits of intervals.

    Parameters
    ----------
    measure : str
        PR, PLO, PLN, PAS or PFT, to shares; IR, IRLN or IRS, to rates; OR, PETO, RR, IRR, ROM or
        ROMC, to ratios.
    y : array_like
        On the scale of the measure. Of a random-effects mean this gives the median over studies;
        for their mean see `back_transform_mean`.
    n : array_like, optional
        The sample size, for PFT only, which needs it: of the study that y belongs to. A pooled y has
        no n; the module says what happens with the harmonic mean in its place.

    Returns
    -------
    ndarray
        Shares (of PLN, and limits of PR, perhaps beyond 0 and 1), rates or ratios.

    Raises
    ------
    InputError
        If the measure has no other scale, n is missing for PFT or given to another measure, or a
        number is not finite.

    References
    ----------
    PFT: Miller, J. J. (1978). The inverse of the Freeman-Tukey double arcsine transformation.
    Am. Stat. 32, 138.
    """
    if measure == "PFT":
        if n is None:
            raise InputError(
                "back_transform of PFT needs n: the inverse depends on the sample size, and a pooled "
                "effect has none (the harmonic mean can mislead); give n, or pool PLO instead"
            )
        return _miller(*together(y=y, n=n))
    if measure not in INVERSE:
        known = ", ".join([*INVERSE, "PFT"])
        raise InputError(f"{measure!r} has no other scale to go back to; expected one of {known}")
    if n is not None:
        raise InputError(f"n is for PFT only; leave it out for {measure}")
    return INVERSE[measure](numbers("y", y))


def back_transform_mean(measure: str, mu: ArrayLike, tau2: ArrayLike) -> Array:
    """Mean over studies on the natural scale, where effects are normal(mu, tau2) on the measure's.

    The inverse of mu is the median over studies; a curved scale has another mean.

    Parameters
    ----------
    measure : str
        PLO, or a measure of logs: PLN, IRLN, OR, PETO, RR, IRR, ROM, ROMC.
    mu, tau2 : array_like
        Mean and variance of the effects over studies, on the scale of the measure.

    Returns
    -------
    ndarray
        exp(mu + tau2 / 2) for logs; for PLO the integral of the inverse logit over the normal, to
        about 12 digits for tau up to 20.

    Raises
    ------
    InputError
        If the measure is none of these or tau2 is negative.
    """
    mu, tau2 = together(mu=mu, tau2=tau2)
    refuse(~(tau2 >= 0), "tau2 of at least 0", "mend it", tau2=tau2)
    if measure in LOGS:
        return _exp(mu + tau2 / 2)
    if measure != "PLO":
        raise InputError(f"measure must be one of PLO, {', '.join(LOGS)}, not {measure!r}")
    # The trapezoid rule: its error falls as exp(-2 pi^2 / (tau step)), the poles of the inverse
    # logit being pi / tau from the line.
    z = np.linspace(-9, 9, 1801)
    weights = np.exp(-(z**2) / 2)
    weights /= weights.sum()
    return special.expit(mu[..., None] + np.sqrt(tau2)[..., None] * z) @ weights


def _miller(y: Array, n: Array) -> Array:
    """Miller (1978), for y halved: the share whose PFT at n is y; 0 and 1 beyond those of 0 and 1."""
    refuse(~(n > 0), "n > 0", "give the sample size of the study", n=n)
    none, all_of_them = freeman_tukey(np.zeros_like(n), n)[0], freeman_tukey(n, n)[0]
    inside = np.clip(y, none, all_of_them)
    sine = np.sin(2 * inside)
    leaning = sine - np.cos(2 * inside) ** 2 / (sine * n)  # sin - (1 / sin - sin) / n
    share = (1 - np.sign(np.cos(2 * inside)) * np.sqrt(np.maximum(1 - leaning**2, 0.0))) / 2
    return np.where(y <= none, 0.0, np.where(y >= all_of_them, 1.0, share))
