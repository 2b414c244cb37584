"""What a model of series measured before and after sees: means, SDs, numbers of patients."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.views import Array, View
from kyphobayes.names import STUDY

TIMES = ("before", "after")


@dataclass(frozen=True, eq=False)
class PrePostMeans(View):
    """Means of k series before and after treatment, on one scale from 0 to `top`.

    Attributes
    ----------
    before : ndarray, shape (k,)
        Mean before treatment; NaN where only the change is printed.
    change : ndarray, shape (k,)
        Mean after minus mean before, or the printed mean change: below 0 is a fall.
    slack : ndarray, shape (k,)
        Half the width of the range in which a change is printed; 0 where it is a number.
    sd : ndarray, shape (2, k)
        By `TIMES`; NaN where none is printed.
    n_least, n_most : ndarray, shape (k,)
        Patients; the two differ where the number is not printed.
    correlation : ndarray, shape (k,)
        Of a patient's two values; NaN where it cannot be had.
    when : tuple of str, length k
        Timepoint after treatment.
    top : float
    """

    before: Array
    change: Array
    slack: Array
    sd: Array
    n_least: Array
    n_most: Array
    correlation: Array
    when: tuple[str, ...]
    top: float

    @property
    def measure(self) -> str:
        """Mean change, by metafor's code; here after minus before."""
        return "MC"

    @cached_property
    def both(self) -> NDArray[np.intp]:
        """Positions of the studies that print both means."""
        return np.flatnonzero(np.isfinite(self.before))

    @cached_property
    def bare(self) -> NDArray[np.intp]:
        """Positions of the studies that print the change only."""
        return np.flatnonzero(np.isnan(self.before))

    @cached_property
    def open(self) -> NDArray[np.intp]:
        """Positions of the studies whose number of patients is not printed."""
        return np.flatnonzero(self.n_most > self.n_least)

    @cached_property
    def opening(self) -> Array:
        """What a place between 0 and 1 of each open number adds to n, shape (k, open)."""
        return np.eye(self.k)[:, self.open] * (self.n_most - self.n_least)[:, None]

    @cached_property
    def spread(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Time and study of every printed SD."""
        time, study = np.nonzero(np.isfinite(self.sd))
        return time, study

    @cached_property
    def paired(self) -> NDArray[np.intp]:
        """Positions of the studies whose correlation can be had."""
        return np.flatnonzero(np.isfinite(self.correlation))

    @property
    def fisher_z(self) -> Array:
        """Fisher's z of the correlations that can be had."""
        return np.arctanh(self.correlation[self.paired])

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model."""
        named = np.array(self.labels, dtype=object)
        time, study = self.spread
        return {
            STUDY: list(self.labels),
            "time": list(TIMES),
            "both": list(named[self.both]),
            "bare": list(named[self.bare]),
            "open": list(named[self.open]),
            "paired": list(named[self.paired]),
            "spread": [f"{named[i]} {TIMES[t]}" for t, i in zip(time, study, strict=True)],
        }

    def without(self, place: int) -> "PrePostMeans":
        """Copy without the study at a position."""
        kept = [i for i in range(self.k) if i != place]
        arrays = ("before", "change", "slack", "n_least", "n_most", "correlation")
        return dataclasses.replace(
            self,
            **{name: getattr(self, name)[kept] for name in arrays},
            sd=self.sd[:, kept],
            labels=tuple(self.labels[i] for i in kept),
            when=tuple(self.when[i] for i in kept),
            rows=self.rows.iloc[kept],
        )

    def _values(self) -> dict[str, object]:
        names = ("before", "change", "slack", "sd", "n_least", "n_most", "correlation")
        return {name: getattr(self, name) for name in names} | {"when": list(self.when), "top": self.top}


def pre_post_means(
    before: ArrayLike,
    change: ArrayLike,
    n: ArrayLike,
    labels: object = None,
    *,
    sd_before: ArrayLike | None = None,
    sd_after: ArrayLike | None = None,
    n_most: ArrayLike | None = None,
    slack: ArrayLike | None = None,
    correlation: ArrayLike | None = None,
    when: object = None,
    top: float = 10.0,
    rows: pd.DataFrame | None = None,
    excluded: pd.DataFrame | None = None,
) -> PrePostMeans:
    """Make the view from arrays at hand.

    Parameters
    ----------
    before, change, n : array_like, shape (k,)
        NaN in `before` where only the change is known.
    labels : sequence of str, optional
    sd_before, sd_after : array_like, shape (k,), optional
        NaN where none is printed; by default nowhere.
    n_most : array_like, shape (k,), optional
        The largest possible number of patients; by default n.
    slack : array_like, shape (k,), optional
        Half the width of a change's range; by default 0. Only for a change without a mean before.
    correlation : array_like, shape (k,), optional
    when : sequence of str, optional
    top : float
        Highest score of the scale.
    rows, excluded : DataFrame, optional

    Raises
    ------
    EvidenceError
        If shapes do not fit, there are fewer than two studies, no SD is printed at all, or a value is
        impossible: a mean outside the scale, an SD of 0 or less, fewer than four patients, a correlation
        outside -1 to 1.
    """
    k = len(np.atleast_1d(np.asarray(n, dtype=float)))
    none = np.full(k, np.nan)
    given = {
        "before": before, "change": change, "n": n, "n_most": n if n_most is None else n_most,
        "slack": np.zeros(k) if slack is None else slack,
        "sd_before": none if sd_before is None else sd_before,
        "sd_after": none if sd_after is None else sd_after,
        "correlation": none if correlation is None else correlation,
    }  # fmt: skip
    values = {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in given.items()}
    if any(value.shape != (k,) for value in values.values()) or k < 2:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in values.items())
        raise EvidenceError(f"expected lists of one length, of two studies or more; found {shapes}")
    # `object` in the signature: names of any kind in a row
    names = tuple(f"study {i + 1}" for i in range(k)) if labels is None else tuple(str(x) for x in labels)  # pyright: ignore
    if len(names) != k or len(set(names)) != k:
        raise EvidenceError(f"expected {k} different study names, found {list(names)}")
    _check(values, names, top)
    blank = pd.DataFrame(index=range(k))
    return PrePostMeans(
        labels=names,
        rows=blank if rows is None else rows,
        excluded=blank.iloc[:0] if excluded is None else excluded,
        before=values["before"],
        change=values["change"],
        slack=values["slack"],
        sd=np.stack([values["sd_before"], values["sd_after"]]),
        n_least=values["n"],
        n_most=values["n_most"],
        correlation=values["correlation"],
        # `object` in the signature: words of any kind in a row
        when=("",) * k if when is None else tuple(str(x) for x in when),  # pyright: ignore
        top=float(top),
    )


def _check(values: dict[str, Array], names: tuple[str, ...], top: float) -> None:
    before, change, known = values["before"], values["change"], np.isfinite(values["before"])
    after = np.where(known, before + change, 0.0)
    _refuse(
        "change", change, np.isfinite(change) & (np.abs(change) <= top), f"a change within {top:g}", names
    )
    _refuse("before", before, ~known | ((before >= 0) & (before <= top)), f"a mean from 0 to {top:g}", names)
    _refuse(
        "before + change", after, (after > -1e-9) & (after <= top + 1e-9), f"a mean from 0 to {top:g}", names
    )
    for name in ("sd_before", "sd_after"):
        _refuse(name, values[name], ~(values[name] <= 0), "an SD above 0", names)
    _refuse("n", values["n"], values["n"] >= 4, "four patients or more", names)
    _refuse("n_most", values["n_most"], values["n_most"] >= values["n"], "no less than n", names)
    _refuse(
        "correlation", values["correlation"], ~(np.abs(values["correlation"]) >= 1), "within -1 and 1", names
    )
    slack = values["slack"]
    _refuse("slack", slack, (slack == 0) | ((slack > 0) & ~known), "0 where a mean before is printed", names)
    known_r = np.isfinite(values["correlation"])
    fixed = ~known_r | (values["n"] == values["n_most"])
    _refuse("correlation", values["correlation"], fixed, "none where n is not printed", names)
    if not (np.isfinite(values["sd_before"]) & known).any() and not np.isfinite(values["sd_after"]).any():
        raise EvidenceError("sd: expected one printed at least, found none")
    if not known.any():
        raise EvidenceError("before: expected one study with a mean before treatment, found none")


def _refuse(name: str, values: Array, good: NDArray[np.bool_], expected: str, names: tuple[str, ...]) -> None:
    if not good.all():
        place = int(np.argmin(good))
        raise EvidenceError(f"{name} of {names[place]}: expected {expected}, found {values[place]:g}")
