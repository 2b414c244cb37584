"""What is done about cells that are zero: how much is added, and to which studies."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import InputError

To = Literal["only0", "all", "if0all", "none"]


@dataclass(frozen=True)
class ZeroCells:
    """A continuity correction.

    Attributes
    ----------
    add : float
        The constant added to every cell of a study that is corrected.
    to : {"only0", "all", "if0all", "none"}
        The studies corrected: those with a zero cell; all of them; all of them as soon as one has
        a zero cell; none.
    """

    add: float = 0.5
    to: To = "only0"

    def __post_init__(self) -> None:
        if not 0 <= self.add < np.inf:
            raise InputError(f"add must be a finite number of at least 0, not {self.add!r}")
        if self.to not in get_args(To):
            raise InputError(f"to must be one of {', '.join(get_args(To))}, not {self.to!r}")

    def corrected(self, *cells: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which studies are corrected; `cells` and the answer have shape (..., k)."""
        empty = np.any([cell == 0 for cell in cells], axis=0)
        if self.add == 0 or self.to == "none":
            return np.zeros_like(empty)
        if self.to == "all":
            return np.ones_like(empty)
        if self.to == "if0all":
            return np.broadcast_to(empty.any(axis=-1, keepdims=True), empty.shape)
        return empty
