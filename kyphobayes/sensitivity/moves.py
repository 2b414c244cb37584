"""Named one-parameter families that a prior can be moved along: its location and its scale."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from kyphobayes.errors import PriorError
from kyphobayes.priors import Prior

# Parameters that a shift adds to, that a factor multiplies, and that it divides.
_LOCATIONS: Mapping[str, tuple[str, ...]] = {
    "Normal": ("mu",),
    "StudentT": ("mu",),
    "Cauchy": ("alpha",),
    "Logistic": ("mu",),
    "Laplace": ("mu",),
    "Uniform": ("lower", "upper"),
}
_SCALES: Mapping[str, tuple[str, ...]] = {
    "Normal": ("sigma",),
    "StudentT": ("sigma",),
    "Cauchy": ("beta",),
    "Logistic": ("s",),
    "Laplace": ("b",),
    "HalfNormal": ("sigma",),
    "HalfStudentT": ("sigma",),
    "HalfCauchy": ("beta",),
    "HalfLogistic": ("s",),
    "InverseGamma": ("beta",),
    "Lomax": ("beta",),
    "PC": ("U",),
    "Rayleigh": ("sigma",),
    "Weibull": ("beta",),
}
_LOGARITHMIC = ("LogNormal", "LogStudentT")  # to multiply is to add to the logarithm's mu
_RATES: Mapping[str, tuple[str, ...]] = {"Exponential": ("lam",), "Gamma": ("beta",)}


def shifted(prior: Prior, by: float) -> Prior:
    """Copy of a prior whose location is `by` higher.

    Raises
    ------
    PriorError
        If its family has no location.
    """
    names = _LOCATIONS.get(prior.family)
    if names is None:
        raise PriorError(f"{prior} has no location to move; expected one of {', '.join(_LOCATIONS)}")
    return _changed(prior, {name: dict(prior.parameters)[name] + by for name in names})


def scaled(prior: Prior, factor: float) -> Prior:
    """Copy of a prior that is `factor` times as wide, about its location, or about 0 if it begins there.

    Raises
    ------
    PriorError
        If its family has no scale, or the factor is not positive.
    """
    if not (np.isfinite(factor) and factor > 0):
        raise PriorError(f"expected a factor greater than 0, found {factor:g}")
    values, family = dict(prior.parameters), prior.family
    if family in _LOGARITHMIC:
        return _changed(prior, {"mu": values["mu"] + float(np.log(factor))})
    if family == "Uniform":
        lower, upper = values["lower"], values["upper"]
        centre = 0.0 if lower >= 0 else (lower + upper) / 2
        ends = {"lower": centre + factor * (lower - centre), "upper": centre + factor * (upper - centre)}
        return _changed(prior, ends)
    if family in _SCALES:
        return _changed(prior, {name: values[name] * factor for name in _SCALES[family]})
    if family in _RATES:
        return _changed(prior, {name: values[name] / factor for name in _RATES[family]})
    if family == "Tau2":  # a prior for the square
        return replace(prior, parameters=(("dist", scaled(_inner(prior, "dist"), factor**2)),))
    known = sorted({*_SCALES, *_RATES, *_LOGARITHMIC, "Tau2", "Uniform"})
    raise PriorError(f"{prior} has no scale to move; expected one of {', '.join(known)}")


def _inner(prior: Prior, name: str) -> Prior:
    found = dict(prior.parameters)[name]
    assert isinstance(found, Prior)  # as its text was read
    return found


def _changed(prior: Prior, values: Mapping[str, float]) -> Prior:
    return Prior(
        prior.family, tuple((name, float(values.get(name, old))) for name, old in prior.parameters), prior.why
    )
