"""Denominators and known counts of a constraints file, from the project's tables."""

import numpy as np

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.tables import read_table
from kyphobayes.project import Project
from kyphobayes.reconstruct import Constraints


def denominators(constraints: Constraints, project: Project) -> tuple[dict[str, float], dict[str, float]]:
    """Denominators of the studies of a constraints file, and the counts that are printed.

    Returns
    -------
    n, known : dict of str to float
        By study; `known` without those that are latent.

    Raises
    ------
    EvidenceError
        If the outcome has no table of counts, or a study no row, or several, in the file's arm and unit.
    """
    path = f"outcomes/{constraints.outcome}.csv"
    if not (project.data / path).is_file():
        raise EvidenceError(
            f"{constraints.title}: there is no data/{path} to take n from; name an outcome of the project, "
            "or give every study and its n as a [[study]] entry"
        )
    rows = read_table(project, path)
    if missing := [column for column in ("study_id", "events", "n") if column not in rows]:
        raise EvidenceError(f"data/{path}: not a table of counts: it has no column {missing[0]}")
    for column, asked in (("arm", constraints.arm), ("unit", constraints.unit)):
        if column in rows:  # a review of one treatment in one unit needs neither
            rows = rows[rows[column] == asked]
    n: dict[str, float] = {}
    known: dict[str, float] = {}
    for study in constraints.studies:
        mine = rows[rows["study_id"] == study]
        if len(mine) != 1:
            raise EvidenceError(
                f"data/{path}: expected one row of {study} for {constraints.arm} in {constraints.unit}, "
                f"found {len(mine)}"
            )
        n[study], events = float(mine["n"].iloc[0]), float(mine["events"].iloc[0])
        if not np.isnan(events):
            known[study] = events
    if missing := [study for study, size in n.items() if np.isnan(size)]:
        raise EvidenceError(f"data/{path}: no n for {missing[0]}")
    return n, known
