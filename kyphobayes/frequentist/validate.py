"""What effects and variances must be before they are pooled; every message counts from 0."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError

Array = NDArray[np.float64]

FARTHEST = 1e60  # standardised numbers beyond this have fourth powers outside floating point


def numbers(name: str, values: ArrayLike) -> Array:
    """The values as floats, or an InputError that names them."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must hold numbers only: {error}") from error


def refuse(wrong: NDArray[np.bool_], name: str, values: Array, expected: str, advice: str) -> None:
    """Name the first wrong number and where it stands, counting from 0."""
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f"study {at[-1]}" if len(at) == 1 else f"meta-analysis {at[0]}, study {at[-1]}"
        raise InputError(f"{place}: {name} must be {expected}, found {values[at]}; {advice}")


def one_meta_analysis(y: ArrayLike, v: ArrayLike, *, least: int, purpose: str) -> tuple[Array, Array]:
    """The effects and variances of one meta-analysis, or an InputError.

    `least` is how many studies are needed, and `purpose` for what, as the message says it.
    """
    y, v = numbers("y", y), numbers("v", v)
    if y.ndim != 1 or y.shape != v.shape or y.size == 0:
        raise InputError(f"y and v must hold one number per study, found shapes {y.shape} and {v.shape}")
    for name, values in (("y", y), ("v", v)):
        refuse(np.isnan(values), name, values, "a finite number", "leave the study out")
    refuse_unusable(y, v, "z")
    if y.size < least:
        found = "there is 1 study" if y.size == 1 else f"there are {y.size} studies"
        raise InputError(f"{found}; {purpose} needs at least {least}: add studies or do without it")
    return y, v


def refuse_level(level: float) -> None:
    """Raise unless the level of an interval lies between 0 and 1."""
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, not {level!r}")


def one_of(name: str, value: object, allowed: Iterable[str]) -> None:
    """Raise unless the value is one of those allowed."""
    allowed = tuple(allowed)
    if value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def refuse_unusable(y: Array, v: Array, test: str) -> None:
    """Raise unless every meta-analysis (last axis: studies, NaN: absent) can be pooled."""
    refuse(np.isinf(y), "y", y, "a finite number", "leave the study out")
    refuse(
        np.isinf(v) | (v <= 0),
        "v",
        v,
        "a finite positive variance",
        "mend the variance or leave the study out",
    )
    k = np.isfinite(v).sum(axis=-1)
    needed = 1 if test == "z" else 2
    if (k < needed).any():
        at = tuple(int(i) for i in np.argwhere(k < needed)[0])
        place = f"meta-analysis {at[0]} has" if at else "there is"
        advice = "add studies or leave it out" if k[at] == 0 else "choose test='z'"
        many = "1 study" if k[at] == 1 else f"{k[at]} studies"
        raise InputError(f"{place} {many}; test {test!r} needs at least {needed}: {advice}")
    least = np.nanmin(v, axis=-1)
    with np.errstate(over="ignore"):  # a ratio that overflows is infinite, and refused below
        apart = np.maximum(
            (np.nanmax(y, axis=-1) - np.nanmin(y, axis=-1)) / np.sqrt(least), np.nanmax(v, axis=-1) / least
        )
    if not (apart < FARTHEST).all():
        at = tuple(int(i) for i in np.argwhere(~(apart < FARTHEST))[0])
        place = f"meta-analysis {at[0]}: " if at else ""
        raise InputError(
            f"{place}effects or variances are more than {FARTHEST:g} times the smallest standard error "
            "or variance apart; check their units"
        )
