"""Two outcomes of the same studies, cement leaks and new fractures, side by side as a view for models."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.plan import find_analysis
from kyphobayes.evidence.select import counts_for
from kyphobayes.evidence.views import Counts, View
from kyphobayes.names import LATENT, PLO, REPORTED, STUDY, TABLE
from kyphobayes.project import Project
from kyphobayes.toml_files import nearest

Places = NDArray[np.intp]

OUTCOMES = ("leaks", "fractures")
_ID = "study_id"
_FEWEST = 2  # studies with both outcomes: one alone has no other to vary with


@dataclass(frozen=True, eq=False)
class JointCounts(View):
    """Leaks and new fractures of k studies, of which some counted both and some only one.

    Attributes
    ----------
    leaks, fractures : Counts
        Each with its own studies, printed counts and count tables. The two lists of tables are independent
        of each other: no printed figure is about both.
    leaks_at, fractures_at : ndarray of int
        Position in `labels` of every study of `leaks` and of `fractures`.
    """

    leaks: Counts
    fractures: Counts
    leaks_at: Places
    fractures_at: Places

    @property
    def measure(self) -> str:
        """Log odds of a proportion, both."""
        return PLO

    @property
    def sides(self) -> tuple[tuple[str, Counts, Places], ...]:
        """Name, counts and positions of both outcomes."""
        return (OUTCOMES[0], self.leaks, self.leaks_at), (OUTCOMES[1], self.fractures, self.fractures_at)

    @cached_property
    def both(self) -> Places:
        """Positions in `labels` of the studies that counted both."""
        return np.intersect1d(self.leaks_at, self.fractures_at)

    @cached_property
    def printed(self) -> Places:
        """Positions in `labels` of the studies of which both counts are printed."""
        one, two = (places[counts.reported] for _, counts, places in self.sides)
        return np.intersect1d(one, two)

    @cached_property
    def both_within(self) -> tuple[Places, Places]:
        """The same studies as `both`, by their positions in `leaks` and in `fractures`."""
        one, two = (
            np.array([int(np.flatnonzero(places == place)[0]) for place in self.both], dtype=np.intp)
            for _, _, places in self.sides
        )
        return one, two

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model; those of an outcome end with its name."""
        own = {
            f"{dim}_{name}": values
            for name, counts, _ in self.sides
            for dim, values in counts.coords.items()
            if dim in (REPORTED, LATENT, TABLE)
        }
        return {STUDY: list(self.labels), **own}

    def without(self, label: str) -> "JointCounts":
        """Copy without one study, in both outcomes; of the tables its columns go.

        Raises
        ------
        EvidenceError
            If there is no such study, or fewer than two with both outcomes are left.
        """
        if label not in self.labels:
            raise EvidenceError(f"no study {label!r}; {nearest(label, self.labels)}")
        gone = self.labels.index(label)
        return joint_counts(*(_kept(counts, places != gone) for _, counts, places in self.sides))

    def _values(self) -> dict[str, object]:
        values: dict[str, object] = {}
        for name, counts, places in self.sides:
            values[f"{name}_at"] = places.astype(float)
            values |= {f"{name}_{key}": value for key, value in counts._values().items()}
        return values


def read_joint_counts(project: Project, leaks: str, fractures: str) -> JointCounts:
    """Read both outcomes as two analyses of the plan select them.

    Parameters
    ----------
    project : Project
    leaks, fractures : str
        Names of analyses in ``data/analyses.toml``.

    Raises
    ------
    EvidenceError
        If there is no such analysis, or fewer than two studies have both outcomes.
    """
    one, two = (counts_for(find_analysis(project, name), project) for name in (leaks, fractures))
    return joint_counts(one, two)


def joint_counts(leaks: Counts, fractures: Counts) -> JointCounts:
    """Put two views of counts side by side; studies are matched by id, or by label where they have none.

    Raises
    ------
    EvidenceError
        If fewer than two studies have both outcomes, or two different studies have one label.
    """
    keys, labels = [], []
    for counts in (leaks, fractures):
        for key, label in zip(_keys(counts), counts.labels, strict=True):
            if key not in keys:
                keys.append(key)
                labels.append(label)
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise EvidenceError(f"expected a label of its own for every study, found {twice!r} for two of them")
    one, two = (np.array([keys.index(key) for key in _keys(c)], dtype=np.intp) for c in (leaks, fractures))
    both = np.intersect1d(one, two)
    if len(both) < _FEWEST:
        raise EvidenceError(
            f"expected {_FEWEST} studies or more that counted both leaks and new fractures, found {len(both)}"
            f"{''.join(f' ({labels[i]})' for i in both)}: nothing is to be learned of their correlation"
        )
    excluded = pd.concat(
        [c.excluded.assign(outcome=name) for name, c in zip(OUTCOMES, (leaks, fractures), strict=True)],
        ignore_index=True,
    )
    return JointCounts(tuple(labels), pd.DataFrame({_ID: keys}), excluded, leaks, fractures, one, two)


def _keys(counts: Counts) -> list[str]:
    return [str(key) for key in counts.rows.get(_ID, counts.labels)]


def _kept(counts: Counts, keep: NDArray[np.bool_]) -> Counts:
    return replace(
        counts,
        labels=tuple(label for label, stays in zip(counts.labels, keep, strict=True) if stays),
        rows=counts.rows[keep],
        events=counts.events[keep],
        n=counts.n[keep],
        tables=counts.tables[:, keep],
    )
