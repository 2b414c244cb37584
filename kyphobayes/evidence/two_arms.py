"""What a model of two treatments sees: counts of both arms in each study."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.views import View
from kyphobayes.names import OR

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TwoArms(View):
    """Events out of n in both arms of k studies; arm 2 is what arm 1 is compared with.

    Attributes
    ----------
    events_1, n_1, events_2, n_2 : ndarray, shape (k,)
    arms : (str, str)
        Names of arm 1 and arm 2.
    unit : str
        What n counts, such as levels or patients.
    """

    events_1: Array
    n_1: Array
    events_2: Array
    n_2: Array
    arms: tuple[str, str] = ("1", "2")
    unit: str = ""

    @property
    def measure(self) -> str:
        """Log odds ratio of arm 1 to arm 2."""
        return OR

    @property
    def counts(self) -> tuple[Array, Array, Array, Array]:
        """Events and n of arm 1, then of arm 2."""
        return self.events_1, self.n_1, self.events_2, self.n_2

    def _values(self) -> dict[str, object]:
        return dict(zip(("events_1", "n_1", "events_2", "n_2"), self.counts, strict=True))


def two_arms(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    labels: object = None,
    *,
    arms: tuple[str, str] = ("1", "2"),
    unit: str = "",
    rows: pd.DataFrame | None = None,
    excluded: pd.DataFrame | None = None,
) -> TwoArms:
    """Make a view of counts of two arms that are at hand.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array_like, shape (k,)
        Whole numbers.
    labels : sequence of str, optional
    arms : (str, str)
    unit : str
    rows, excluded : DataFrame, optional
        The rows they came from, and those that are not in.

    Raises
    ------
    EvidenceError
        If shapes do not fit, there is no study, or numbers are not counts.
    """
    given = {"events_1": events_1, "n_1": n_1, "events_2": events_2, "n_2": n_2}
    values = {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in given.items()}
    k = len(values["n_1"])
    if any(value.shape != (k,) for value in values.values()) or k == 0:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in values.items())
        raise EvidenceError(f"expected four lists of one length, with a study at least; found {shapes}")
    for arm in ("1", "2"):
        events, n = values[f"events_{arm}"], values[f"n_{arm}"]
        _refuse(f"n_{arm}", n, (n >= 1) & (n == np.floor(n)), "a whole number of 1 or more")
        good = (events >= 0) & (events <= n) & (events == np.floor(events))
        _refuse(f"events_{arm}", events, good, "a whole number from 0 to n")
    # `object` in the signature: names of any kind in a row
    names = [f"study {i + 1}" for i in range(k)] if labels is None else [str(x) for x in labels]  # pyright: ignore
    if len(names) != k or len(set(names)) != k:
        raise EvidenceError(f"expected {k} different study names, found {names}")
    blank = pd.DataFrame(index=range(k))
    return TwoArms(
        tuple(names),
        blank if rows is None else rows,
        blank.iloc[:0] if excluded is None else excluded,
        **values,
        arms=arms,
        unit=unit,
    )


def _refuse(name: str, values: Array, good: NDArray[np.bool_], expected: str) -> None:
    if not good.all():
        place = int(np.argmin(good))
        raise EvidenceError(f"{name}[{place}]: expected {expected}, found {values[place]:g}")
