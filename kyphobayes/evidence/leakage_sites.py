"""Cement leaks of treated vertebrae and where the cement went: the table of vertebrae as a view."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.views import Array, Tabulated
from kyphobayes.names import LATENT, PLO, REPORTED, TABLE
from kyphobayes.project import Project

REGIONS = ("thoracic", "lumbar", "sacral")
SITES = ("anterior", "disc", "canal")
VERTEBRAE = "patients/ribeirao_preto_vertebrae.csv"
UNPLACED = "unknown which vertebra"  # of the vertebrae of a patient, one of which leaked


@dataclass(frozen=True, eq=False)
class LeakSites(Tabulated):
    """Leaks of v vertebrae in p patients.

    Attributes
    ----------
    events : ndarray, shape (v,)
        1 where cement leaked, 0 where not, NaN where the patient's leak cannot be placed.
    tables : ndarray, shape (t, v)
        All that may have leaked; one row if every leak is placed.
    weights : ndarray, shape (t,)
    patients : tuple of str, length p
    patient : ndarray of int, shape (v,)
        Position in `patients`.
    region : ndarray of int, shape (v,)
        Position in `REGIONS`.
    sites : ndarray of int, shape (3,)
        Number of leaks by `SITES`; a leak that cannot be placed has a site all the same.
    """

    events: Array
    tables: Array
    weights: Array
    patients: tuple[str, ...]
    patient: NDArray[np.intp]
    region: NDArray[np.intp]
    sites: NDArray[np.intp]

    @property
    def measure(self) -> str:
        """Log odds of a proportion."""
        return PLO

    @property
    def coords(self) -> dict[str, list]:
        """Coordinates for a PyMC model."""
        shared = super().coords
        own = {name: shared[name] for name in (REPORTED, LATENT, TABLE)}
        return own | {"patient": list(self.patients), "region": list(REGIONS), "site": list(SITES)}

    @property
    def levels(self) -> Array:
        """Number of treated levels by patient and region, shape (p, 3)."""
        found = np.zeros((len(self.patients), len(REGIONS)))
        np.add.at(found, (self.patient, self.region), 1.0)
        return found

    def placements(self) -> tuple[Array, NDArray[np.intp], Array, tuple[str, ...]]:
        """Ways in which each patient's leaks may lie.

        Returns
        -------
        leaks : ndarray, shape (a, 3)
            By region, one row per way.
        owner : ndarray of int, shape (a,)
            Patient of each row.
        weights : ndarray, shape (a,)
            They sum to one within each patient.
        places : tuple of str, length a
            The vertebra that a leak which cannot be placed lies in; empty where all are placed.
        """
        leaks, owner, weights, places = [], [], [], []
        for patient in range(len(self.patients)):
            own = np.flatnonzero(self.patient == patient)
            unplaced = own[np.isnan(self.events[own])]
            sure = self._by_region(own, np.nan_to_num(self.events[own]))
            ways = [sure + self._by_region(unplaced, unplaced == place) for place in unplaced] or [sure]
            leaks += ways
            owner += [patient] * len(ways)
            weights += [1 / len(ways)] * len(ways)
            places += [self.labels[place] for place in unplaced] or [""]
        return np.array(leaks), np.array(owner, dtype=np.intp), np.array(weights), tuple(places)

    def _by_region(self, vertebrae: NDArray[np.intp], leaked: NDArray) -> Array:
        return np.bincount(self.region[vertebrae], weights=leaked.astype(float), minlength=len(REGIONS))

    def _values(self) -> dict[str, object]:
        return {
            "events": self.events,
            "tables": self.tables,
            "weights": self.weights,
            "patients": self.patients,
            "patient": self.patient.astype(float),
            "region": self.region.astype(float),
            "sites": self.sites.astype(float),
        }


def read_leak_sites(project: Project) -> LeakSites:
    """Read the table of vertebrae.

    Raises
    ------
    EvidenceError
        If the table breaks its schema, or what it says of leaks contradicts itself.
    """
    return leak_sites(read_table(project, VERTEBRAE))


def leak_sites(table: pd.DataFrame) -> LeakSites:
    """Make the view from a table with the columns of ``data/patients/ribeirao_preto_vertebrae.csv``.

    Vertebrae of a patient that are marked as `UNPLACED` share one leak: which of them it was, is averaged
    over, each being as probable as the others before the data.

    Raises
    ------
    EvidenceError
        If there are fewer than two patients, a leak has no site or a site no leak, an unplaced leak has
        one vertebra to lie in, or its vertebrae do not agree on its site.
    """
    patients = list(dict.fromkeys(table["patient"]))
    if len(patients) < 2:
        raise EvidenceError(f"data/{VERTEBRAE}: expected two patients or more, found {len(patients)}")
    unplaced = table["leak"] == UNPLACED
    for _, row in table.iterrows():
        if (row["leak"] == "no") != (row["leak_site"] == ""):
            raise EvidenceError(
                f"data/{VERTEBRAE}, line {row['line']}: expected a leak_site where there is a leak and none "
                f"where there is not, found leak {row['leak']!r} and leak_site {row['leak_site']!r}"
            )
    sites = list(table.loc[table["leak"] == "yes", "leak_site"])
    groups = []
    for patient, rows in table[unplaced].groupby("patient", sort=False):
        if len(rows) < 2 or len(set(rows["leak_site"])) > 1:
            raise EvidenceError(
                f"data/{VERTEBRAE}, line {rows['line'].iloc[0]}: expected two vertebrae or more of patient "
                f"{patient:g} to share one leak with one site, found {len(rows)} with "
                f"{', '.join(sorted(set(rows['leak_site'])))}"
            )
        sites.append(rows["leak_site"].iloc[0])
        groups.append(rows.index)
    events = np.where(unplaced, np.nan, (table["leak"] == "yes").astype(float))
    tables = np.tile(np.nan_to_num(events), (int(np.prod([len(g) for g in groups], dtype=int)), 1))
    for row, places in enumerate(product(*groups)):
        tables[row, list(places)] = 1.0
    return LeakSites(
        labels=tuple(f"{p:.0f} {v}" for p, v in zip(table["patient"], table["vertebra"], strict=True)),
        rows=table,
        excluded=table.iloc[:0],
        events=events,
        tables=tables,
        weights=np.full(len(tables), 1 / len(tables)),
        patients=tuple(f"{patient:.0f}" for patient in patients),
        patient=np.array([patients.index(patient) for patient in table["patient"]], dtype=np.intp),
        region=np.array([REGIONS.index(region) for region in table["region"]], dtype=np.intp),
        sites=np.array([sites.count(site) for site in SITES], dtype=np.intp),
    )
