"""The design of a meta-regression: covariates measured from one study, in units of their spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import InputError
from kyphobayes.frequentist.validate import numbers, refuse

Array = NDArray[np.float64]

DEPENDENT = 1e-10  # a column closer than this to the span of others, relative to its length, is in it


@dataclass(frozen=True, eq=False)
class Design:
    """How covariates become rows of a design matrix, and coefficients their user's units.

    With an intercept, covariates are measured from those of one study. A year of 1948 then costs no
    digits, and a study with nearly all the weight has a row of zeros after its 1.

    Attributes
    ----------
    names : tuple of str
        Of the p coefficients, the intercept first.
    intercept : bool
        Whether the first column is 1.
    origin, size : ndarray, shape (covariates,)
        Where each covariate is 0 and what is 1, in its own units.
    """

    names: tuple[str, ...]
    intercept: bool
    origin: Array
    size: Array

    @classmethod
    def of(cls, x: Array, names: Sequence[str] | None, *, first: int, intercept: bool) -> Self:
        """Of covariates of shape (k, covariates), `first` being the study to measure from."""
        m = x.shape[1]
        covariates = tuple(f"x{j}" for j in range(m)) if names is None else tuple(names)
        if len(covariates) != m:
            raise InputError(f"names must hold one name per column of X, {m}, found {len(covariates)}")
        for name, column in zip(covariates, x.T, strict=True):
            refuse(~np.isfinite(column), name, column, "a finite number", "leave the study out")
        origin = x[first] if intercept else np.zeros(m)
        p = m + intercept
        if len(x) <= p:
            studies = "1 study" if len(x) == 1 else f"{len(x)} studies"
            coefficients = "1 coefficient" if p == 1 else f"{p} coefficients"
            raise InputError(
                f"{studies} cannot carry {coefficients}; at least {p + 1} studies are needed: "
                "leave columns out or add studies"
            )
        size = np.abs(x - origin).max(axis=0)
        if intercept:  # what remains of a constant column is rounding
            size = np.where(size <= 8 * np.finfo(float).eps * np.abs(x).max(axis=0), 0.0, size)
        for j in np.flatnonzero(size == 0):
            what = "is constant, as the intercept is" if intercept else "is 0 in every study"
            raise InputError(f"column {covariates[j]!r} of X {what}; leave it out")
        design = cls(("intercept", *covariates) if intercept else covariates, intercept, origin, size)
        design._refuse_dependent(design.rows(x))
        return design

    def rows(self, x: Array) -> Array:
        """Rows of the standardised design matrix, shape (k, p)."""
        standard = (x - self.origin) / self.size
        return np.column_stack([np.ones(len(x)), standard]) if self.intercept else standard

    def in_users_units(self, matrix: Array) -> Array:
        """Of a matrix whose rows are coefficients of the standardised design: of the covariates' own."""
        if not self.intercept:
            return matrix / self.size[:, None]
        slopes = matrix[1:] / self.size[:, None]
        return np.vstack([matrix[:1] - self.origin @ slopes, slopes])

    def _refuse_dependent(self, rows: Array) -> None:
        """Name the first column that is a linear combination of those before it."""
        unit = rows / np.linalg.norm(rows, axis=0)
        distance = np.abs(np.diag(np.linalg.qr(unit, mode="r")))
        for j in np.flatnonzero(distance < DEPENDENT):
            before = ", ".join(self.names[:j])
            raise InputError(
                f"column {self.names[j]!r} of X is a linear combination of those before it ({before}); "
                "leave it out"
            )


def covariates(x: ArrayLike, k: int) -> Array:
    """X as numbers of shape (k, covariates); a single covariate may have shape (k,)."""
    x = numbers("X", x)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[0] != k or x.shape[1] == 0:
        raise InputError(
            f"X must hold one row per study and a column or more, {k} rows, found shape {x.shape}"
        )
    return x
