"""From what a clinician can say to a prior: an interval for a rate, a factor between two centres."""

from typing import Any

import numpy as np
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.names import PROB
from kyphobayes.priors import Prior

# Families that are a centre and a scale, and families of tau that are a scale.
_PLACED = {"Normal": "sigma", "StudentT": "sigma", "Cauchy": "beta", "Logistic": "s", "Laplace": "b"}
_SCALED = {
    "HalfNormal": "sigma",
    "HalfStudentT": "sigma",
    "HalfCauchy": "beta",
    "HalfLogistic": "s",
    "Lomax": "beta",
    "Rayleigh": "sigma",
    "Weibull": "beta",
}
_CENTRES = {"Cauchy": "alpha"}


def elicit_rate(
    low: float, high: float, mass: float = PROB, *, family: str = "Normal", **shape: float
) -> Prior:
    """Prior of mu, the log odds of a rate, from "I am 95 % sure the rate is between 1 and 20 %".

    Parameters
    ----------
    low, high : float
        Rates strictly between 0 and 1.
    mass : float
        Probability that the rate lies between them; half of the rest is below, half above.
    family : {"Normal", "StudentT", "Cauchy", "Logistic", "Laplace"}
    **shape
        Shape parameters of the family, such as ``nu=4``.

    Raises
    ------
    InputError, PriorError
    """
    for name, value in (("low", low), ("high", high)):
        if not 0 < value < 1:
            raise InputError(
                f"{name}: expected a rate strictly between 0 and 1 (5 % is 0.05), found {value:g}"
            )
    return _said(
        elicit_effect(float(special.logit(low)), float(special.logit(high)), mass, family=family, **shape),
        f"{100 * mass:g} % sure that the rate is between {100 * low:g} and {100 * high:g} %.",
    )


def elicit_effect(
    low: float, high: float, mass: float = PROB, *, family: str = "Normal", **shape: float
) -> Prior:
    """Prior of mu on its own scale that has `mass` between `low` and `high`; see `elicit_rate`."""
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(f"expected low below high, found {low:g} and {high:g}")
    _between_0_and_1("mass", mass)
    scale = _known(family, _PLACED)
    standard = Prior.parse(_text(family, {**shape, scale: 1.0}))
    half = float(standard.law.upper_quantile((1 - mass) / 2))
    centre = _CENTRES.get(family, "mu")
    prior = Prior.parse(_text(family, {**shape, centre: (low + high) / 2, scale: (high - low) / 2 / half}))
    return _said(prior, f"{100 * mass:g} % sure that it is between {low:g} and {high:g}.")


def elicit_tau(
    factor: float, mass: float = PROB, sure: float = PROB, *, family: str = "HalfNormal", **shape: float
) -> Prior:
    r"""Prior of tau from "two centres' odds differ by at most a factor of 3".

    The log odds of two centres of the same population differ by a normal variable with standard
    deviation :math:`\sqrt 2 \tau`. That a share `mass` of all pairs differs by at most `factor` bounds
    tau from above, and the prior puts `sure` below that bound.

    Parameters
    ----------
    factor : float
        Ratio of the odds (or rates, or whatever the log effect is the logarithm of), above 1.
    mass : float
        Share of pairs of centres of which it is said.
    sure : float
        How sure one is of that.
    family : {"HalfNormal", "HalfStudentT", "HalfCauchy", "HalfLogistic", "Lomax", "Rayleigh", \
"Weibull", "Exponential"}
    **shape
        Shape parameters of the family, such as ``nu=4``.

    Raises
    ------
    InputError, PriorError

    Notes
    -----
    Spiegelhalter, Abrams and Myles (2004), section 5.7.3, where the median ratio is exp(1.09 tau).
    """
    if not (factor > 1 and np.isfinite(factor)):
        raise InputError(f"factor: expected a ratio above 1, found {factor:g}")
    _between_0_and_1("mass", mass)
    _between_0_and_1("sure", sure)
    bound = np.log(factor) / (np.sqrt(2) * float(special.ndtri((1 + mass) / 2)))
    said = f"{100 * sure:g} % sure that {100 * mass:g} % of centres' pairs differ {factor:g}-fold at most."
    if family == "Exponential":
        return _said(Prior.parse(_text(family, {"lam": float(-np.log1p(-sure) / bound)})), said)
    scale = _known(family, {**_SCALED, "Exponential": "lam"})
    standard = Prior.parse(_text(family, {**shape, scale: 1.0}))
    return _said(Prior.parse(_text(family, {**shape, scale: float(bound / standard.quantile(sure))})), said)


def maximum_entropy(family: str, low: float, high: float, mass: float = PROB, **fixed: float) -> Prior:
    """Least informative prior of a family with `mass` between two values, by PreliZ.

    Parameters
    ----------
    family : str
        One of PyMC's that PreliZ has as well, such as ``Gamma``.
    low, high, mass : float
    **fixed
        Parameters that are given.

    Raises
    ------
    InputError
        If PreliZ is not installed, or does not have the family.
    """
    try:
        # an extra, which need not be installed
        import preliz  # pyright: ignore[reportMissingImports]  # an extra
    except ModuleNotFoundError:
        raise InputError("maximum_entropy needs PreliZ: install kyphobayes[elicit]") from None
    if not hasattr(preliz, family):
        raise InputError(f"{family} is not a family of PreliZ")
    found: Any = getattr(preliz, family)(**fixed)
    preliz.maxent(found, low, high, mass, plot=False)
    prior = Prior.parse(_text(family, dict(zip(found.param_names, map(float, found.params), strict=True))))
    return _said(prior, f"Least informative with {100 * mass:g} % between {low:g} and {high:g}.")


def _text(family: str, values: dict[str, float]) -> str:
    return f"{family}({', '.join(f'{name}={float(value)!r}' for name, value in values.items())})"


def _said(prior: Prior, why: str) -> Prior:
    return Prior.parse(str(prior), why=why)


def _known(family: str, families: dict[str, str]) -> str:
    if family not in families:
        raise InputError(f"family: expected one of {', '.join(families)}, found {family}")
    return families[family]


def _between_0_and_1(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise InputError(f"{name}: expected a probability between 0 and 1, found {value:g}")
