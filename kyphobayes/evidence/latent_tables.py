"""Counts that are not printed: the tables of an analysis' studies that agree with what is."""

import numpy as np
import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.plan import Analysis
from kyphobayes.evidence.views import Array
from kyphobayes.project import Project
from kyphobayes.reconstruct import Constraints, CountTables, reconstruct


def latent_tables(
    analysis: Analysis, included: pd.DataFrame, project: Project
) -> tuple[Array, Array, CountTables | None]:
    """Count tables over the included studies: one, or all that agree with what is printed.

    Returns
    -------
    tables : ndarray, shape (t, k)
    weights : ndarray, shape (t,)
    source : CountTables or None
        How latent counts were reconstructed; None where every count is printed.

    Raises
    ------
    EvidenceError
        If a count is latent and no constraints file is about it, or the file is about something else.
    """
    events = included["events"].to_numpy(dtype=float)
    hidden = included[included["events"].isna()]
    if hidden.empty:
        return events[None, :], np.ones(1), None
    if not analysis.constraints:
        row = hidden.iloc[0]
        raise EvidenceError(
            f"data/outcomes/{analysis.outcome}.csv, line {row['line']}: the count of {row['study_id']} is "
            f"latent, but analyses.toml [{analysis.name}] names no constraints file"
        )
    constraints = Constraints.read(project.data / "constraints" / f"{analysis.constraints}.toml")
    for key in ("outcome", "arm", "unit"):
        asked = getattr(analysis, key)
        if asked and getattr(constraints, key) != asked:
            raise EvidenceError(
                f"constraints/{analysis.constraints}.toml: {key} is {getattr(constraints, key)!r}, but "
                f"analyses.toml [{analysis.name}] asks for {asked!r}"
            )
    indexed = included.set_index("study_id")
    absent = [study for study in constraints.studies if study not in indexed.index]
    if absent:
        raise EvidenceError(
            f"constraints/{analysis.constraints}.toml: {absent[0]} is not in analysis {analysis.name}; the "
            f"printed totals are about all of {', '.join(constraints.studies)}"
        )
    n, events_of = ({str(s): float(x) for s, x in indexed[column].items()} for column in ("n", "events"))
    known = {s: events_of[s] for s in constraints.studies if not np.isnan(events_of[s])}
    found = reconstruct(constraints, n, known)
    tables = np.tile(events, (len(found), 1))
    for column, study in enumerate(found.studies):
        tables[:, list(included["study_id"]).index(study)] = found.events[:, column]
    if np.isnan(tables).any():
        row = included.iloc[int(np.flatnonzero(np.isnan(tables[0]))[0])]
        raise EvidenceError(
            f"data/outcomes/{analysis.outcome}.csv, line {row['line']}: the count of {row['study_id']} is "
            f"latent, but constraints/{analysis.constraints}.toml is not about it"
        )
    return tables, found.weights, found
