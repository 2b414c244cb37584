"""Which studies a paper has, how large they are, and what of their counts it prints."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import InputError
from kyphobayes.evidence import Counts
from kyphobayes.reconstruct import Constraints


@dataclass(frozen=True)
class Design:
    """Studies with their sizes; the counts of some are printed, those of others only through summary figures.

    Attributes
    ----------
    constraints : Constraints
        Which figures are printed, and how they were pooled; the values of its figures are not used.
    studies : tuple of str
        Of the constraints file, and others whose counts are printed elsewhere.
    n : tuple of int
    latent : tuple of bool
        Whether a study's own count is not printed.
    """

    constraints: Constraints
    studies: tuple[str, ...]
    n: tuple[int, ...]
    latent: tuple[bool, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.studies)

    @property
    def summarised(self) -> list[int]:
        """Places of the studies that the constraints file is about, in its order."""
        return [self.studies.index(study) for study in self.constraints.studies]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Denominators as an array, shape (k,)."""
        return np.array(self.n, dtype=np.int64)

    @property
    def content(self) -> dict[str, Any]:
        """Everything that decides what is simulated, as JSON knows it."""
        return asdict(self)

    def larger(self, times: float) -> Self:
        """The same paper with studies of other sizes.

        Parameters
        ----------
        times : float
            Every n is multiplied by it and rounded; none falls below 1.
        """
        return replace(self, n=tuple(max(1, round(n * times)) for n in self.n))

    def printing(self, *quantities: str) -> Self:
        """The same studies in a paper that prints less: figures of these quantities only.

        Raises
        ------
        InputError
            If the paper prints none of them.
        """
        kept = tuple(figure for figure in self.constraints.printed if figure.quantity in quantities)
        if not kept:
            found = sorted({figure.quantity for figure in self.constraints.printed})
            raise InputError(
                f"{self.constraints.title}: expected quantities among {', '.join(found)}, found "
                f"{', '.join(quantities) or 'none'}"
            )
        return replace(self, constraints=replace(self.constraints, printed=kept))


def design_of(evidence: Counts) -> Design:
    """The design of evidence some of whose counts are latent.

    Raises
    ------
    InputError
        If every count is printed, or the constraints file weighs single tables, which says nothing of others.
    """
    found = evidence.latent_source
    if found is None:
        raise InputError("expected evidence with counts that are not printed, found every count printed")
    if found.constraints.weights:
        raise InputError(
            f"{found.constraints.title}: expected uniform weights, found [[weight]] entries, which are about "
            "tables of this print and say nothing of those of another"
        )
    return Design(
        found.constraints,
        tuple(str(study) for study in evidence.rows["study_id"]),
        tuple(int(n) for n in evidence.n),
        tuple(bool(latent) for latent in np.isnan(evidence.events)),
    )
