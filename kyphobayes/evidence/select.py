"""Which rows of an outcome answer a question, and why the others do not: nothing is dropped in silence."""

from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.plan import Analysis
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.views import Counts
from kyphobayes.project import Project
from kyphobayes.reconstruct import Constraints, CountTables, reconstruct
from kyphobayes.toml_files import nearest

_COUNTED = ("study_id", "arm", "unit", "events", "n", "status", "source")
_SHOWN = [
    "study_id", "label", "arm", "unit", "events", "n", "population", "design", "detection", "timepoint",
    "definition", "status", "rule", "source", "citation", "locator", "note", "line",
]  # fmt: skip


def evidence_for(analysis: Analysis, project: Project) -> Counts:
    """View of the rows that answer an analysis, latent counts reconstructed.

    Raises
    ------
    EvidenceError
        If a table or the constraints do not say what they must, or no row is left.
    """
    rows = _candidates(analysis, project)
    included = rows[rows["reason"] == ""].reset_index(drop=True)
    excluded = rows[rows["reason"] != ""].reset_index(drop=True)
    if included.empty:
        first = excluded["reason"].iloc[0] if len(excluded) else "the table is empty"
        raise EvidenceError(
            f"analyses.toml [{analysis.name}]: no row of data/outcomes/{analysis.outcome}.csv is left; "
            f"{len(excluded)} rows are out, the first because: {first}"
        )
    events, n = included["events"].to_numpy(dtype=float), included["n"].to_numpy(dtype=float)
    wrong = np.flatnonzero(events > n)
    if len(wrong):
        row = included.iloc[wrong[0]]
        raise EvidenceError(
            f"data/outcomes/{analysis.outcome}.csv, line {row['line']}, column events: expected at most "
            f"n = {row['n']:g}, found {row['events']:g}"
        )
    tables, weights, source = _tables(analysis, included, project)
    shown = [*_SHOWN, "reason"]
    return Counts(
        labels=tuple(included["label"]),
        rows=included[_SHOWN],
        excluded=excluded[shown],
        events=events,
        n=n,
        tables=tables,
        weights=weights,
        unit=analysis.unit,
        latent_source=source,
    )


def _candidates(analysis: Analysis, project: Project) -> pd.DataFrame:
    """All rows of the outcome with their study, and the reason why a row is out (empty if it is in)."""
    table = f"outcomes/{analysis.outcome}.csv"
    rows, studies = read_table(project, table), read_table(project, "studies.csv")
    sources = read_table(project, "sources.csv").rename(columns={"source_id": "source"})
    if missing := [column for column in _COUNTED if column not in rows]:
        raise EvidenceError(
            f"analyses.toml [{analysis.name}]: outcome {analysis.outcome} is not a table of counts: "
            f"data/{table} has no column {missing[0]}; expected {', '.join(_COUNTED)}"
        )
    _check_plan(analysis, studies)
    _check_keys(rows, f"data/{table}", "study_id", studies["study_id"], "data/studies.csv")
    _check_keys(rows, f"data/{table}", "source", sources["source"], "data/sources.csv")
    described = studies[["study_id", "label", "population", "design", "detection"]]
    merged = rows.merge(described, on="study_id", how="left", validate="many_to_one")
    merged = merged.merge(sources[["source", "citation"]], on="source", how="left", validate="many_to_one")
    merged["overlaps_with"] = merged["study_id"].map(shared_patients(studies))
    merged["reason"] = [_reason(row, analysis) for _, row in merged.iterrows()]
    for place, reason in _overlaps(merged[merged["reason"] == ""], analysis).items():
        merged.loc[place, "reason"] = reason
    left = merged.loc[merged["reason"] == "", "study_id"]
    if left.duplicated().any():
        study = left[left.duplicated()].iloc[0]
        raise EvidenceError(
            f"data/outcomes/{analysis.outcome}.csv: {study} has more than one {analysis.arm} row "
            f"in {analysis.unit}; keep one timepoint"
        )
    return merged


def _check_plan(analysis: Analysis, studies: pd.DataFrame) -> None:
    """Refuse populations and studies in the plan that no study has."""
    for key, known in (("populations", studies["population"]), ("studies", studies["study_id"])):
        for word in getattr(analysis, key):
            if word not in set(known):
                hint = nearest(word, sorted(set(known)))
                raise EvidenceError(f"analyses.toml [{analysis.name}]: no study has {word!r} ({key}); {hint}")


def _check_keys(rows: pd.DataFrame, path: str, column: str, known: pd.Series, where: str) -> None:
    """Refuse keys that another table does not have."""
    unknown = rows[~rows[column].isin(known)]
    if len(unknown):
        row = unknown.iloc[0]
        raise EvidenceError(f"{path}, line {row['line']}, column {column}: {row[column]!r} is not in {where}")


def shared_patients(studies: pd.DataFrame) -> dict[str, set[str]]:
    """Studies that share patients with each study, whichever of the two says so."""
    shared: dict[str, set[str]] = {study: set() for study in studies["study_id"]}
    for _, row in studies.iterrows():
        for other in (name.strip() for name in row["overlaps_with"].split(";") if name.strip()):
            if other not in shared:
                raise EvidenceError(
                    f"data/studies.csv, line {row['line']}, column overlaps_with: {other!r} is not a study_id"
                )
            shared[row["study_id"]].add(other)
            shared[other].add(row["study_id"])
    return shared


def _reason(row: pd.Series, analysis: Analysis) -> str:
    """Why a row cannot answer the question, or nothing."""
    if row["arm"] != analysis.arm:
        return f"treatment is {row['arm']}, not {analysis.arm}"
    if row["unit"] != analysis.unit:
        return f"counted in {row['unit']}, not in {analysis.unit}"
    if row["population"] not in analysis.populations:
        return f"population is {row['population'].replace('_', ' ')}"
    if analysis.studies and row["study_id"] not in analysis.studies:
        return "not among the studies this analysis is about"
    if np.isnan(row["n"]):
        return "no denominator printed"
    if np.isnan(row["events"]) and row["status"] != "latent":
        return "no count printed"
    return ""


def _overlaps(rows: pd.DataFrame, analysis: Analysis) -> dict[Any, str]:
    """Rows that share patients with a larger one, and the reason: of such reports the largest enters."""
    entered: list[pd.Series] = []
    out: dict[Any, str] = {}
    for place, row in rows.sort_values("n", ascending=False, kind="stable").iterrows():
        rival = next((other for other in entered if other["study_id"] in row["overlaps_with"]), None)
        if rival is None:
            entered.append(row)
        elif rival["n"] == row["n"]:
            raise EvidenceError(
                f"data/outcomes/{analysis.outcome}.csv, lines {rival['line']} and {row['line']}: "
                f"{rival['study_id']} and {row['study_id']} share patients and are equally large; "
                f"say in analyses.toml (studies) which one enters"
            )
        else:
            out[place] = (
                f"shares patients with {rival['label']}, which is larger "
                f"({rival['n']:g} against {row['n']:g} {analysis.unit})"
            )
    return out


def _tables(
    analysis: Analysis, included: pd.DataFrame, project: Project
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]], CountTables | None]:
    """Count tables over the included studies: one, or all that agree with what is printed."""
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
        if getattr(constraints, key) != getattr(analysis, key):
            raise EvidenceError(
                f"constraints/{analysis.constraints}.toml: {key} is {getattr(constraints, key)!r}, but "
                f"analyses.toml [{analysis.name}] asks for {getattr(analysis, key)!r}"
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
