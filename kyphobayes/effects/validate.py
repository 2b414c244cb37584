"""What numbers must be before they are used; every message counts studies from 0."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError

Array = NDArray[np.float64]


def place(at: tuple[int, ...]) -> str:
    """Where a number stands: nothing for a single one, a study, or a position in a table of tables."""
    if not at:
        return ""
    return f"study {at[0] if len(at) == 1 else at}: "


def first(wrong: NDArray[np.bool_]) -> tuple[int, ...]:
    """Position of the first true element."""
    return tuple(int(i) for i in np.argwhere(wrong)[0])


def refuse(wrong: NDArray[np.bool_], expected: str, advice: str, **values: Array) -> None:
    """Raise InputError for the first study that is wrong, with the values that made it so."""
    wrong = np.asarray(wrong)
    if wrong.any():
        at = first(wrong)
        found = ", ".join(
            f"{name} = {np.broadcast_to(value, wrong.shape)[at]:g}" for name, value in values.items()
        )
        raise InputError(f"{place(at)}expected {expected}, found {found}; {advice}")


def numbers(name: str, values: ArrayLike) -> Array:
    """The values as finite floats, or an InputError that names the first that is not."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must hold numbers only: {error}") from error
    if not np.isfinite(array).all():
        at = first(~np.isfinite(array))
        where = f", {place(at)}" if at else ": "
        raise InputError(
            f"{name}{where}expected a finite number, found {array[at]}; leave the study out or complete it"
        )
    return array


def together(**columns: ArrayLike) -> tuple[Array, ...]:
    """Finite float arrays of one shape, in the order given."""
    arrays = {name: numbers(name, values) for name, values in columns.items()}
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InputError(f"the columns must have shapes that fit together, found {shapes}") from error


def level_of(level: float) -> float:
    """The level of an interval, or an InputError."""
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, not {level!r}")
    return level
