"""Which rows of an outcome answer a question, and why the others do not: nothing is dropped in silence.

An outcome's table says by its columns what it holds: events and n are counts, events and time (or exposure)
are rates, y and se are contrasts. Treatment, unit, population, time point and overlaps select where a table
has them; a review of one treatment in one unit needs none of these columns.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.latent_tables import latent_tables
from kyphobayes.evidence.plan import Analysis, check_decision
from kyphobayes.evidence.rates import Rates
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.views import Contrasts, Counts
from kyphobayes.names import GEN, IRLN, PLO
from kyphobayes.project import Project
from kyphobayes.toml_files import nearest

COUNTS, RATES, CONTRASTS = "counts", "rates", "contrasts"
VALUES: Final = {COUNTS: ("events", "n"), RATES: ("events", "exposure"), CONTRASTS: ("y", "se")}
_OTHER_NAMES = {"time": "exposure"}
_KEY = "study_id"
_OF_STUDY = ("population", "design", "detection", "overlaps_with")
_OF_ROW = ("arm", "unit", "timepoint", "definition", "status", "rule", "source", "locator", "note")


def evidence_for(analysis: Analysis, project: Project) -> Counts | Rates | Contrasts:
    """View of the rows that answer an analysis, latent counts reconstructed.

    Parameters
    ----------
    analysis : Analysis
    project : Project

    Returns
    -------
    Counts, Rates or Contrasts
        By the columns of the outcome's table; where they allow more than one, by the analysis' measure,
        else the first that they do allow, in this order.

    Raises
    ------
    EvidenceError
        If a table or the constraints do not say what they must, no row is left, or the decision's limit is
        no value that the measure can have.
    """
    kind, rows = _candidates(analysis, project)
    included = rows[rows["reason"] == ""].reset_index(drop=True)
    excluded = rows[rows["reason"] != ""].reset_index(drop=True)
    if included.empty:
        first = excluded["reason"].iloc[0] if len(excluded) else "the table is empty"
        raise EvidenceError(
            f"analyses.toml [{analysis.name}]: no row of data/outcomes/{analysis.outcome}.csv is left; "
            f"{len(excluded)} rows are out, the first because: {first}"
        )
    _check_values(included, kind, analysis)
    shown = _shown(kind, rows)
    given = {
        "labels": tuple(included["label"]),
        "rows": included[shown],
        "excluded": excluded[[*shown, "reason"]],
        **{name: included[name].to_numpy(dtype=float) for name in VALUES[kind]},
    }
    if kind == CONTRASTS:
        view = Contrasts(**given, unit=analysis.unit, code=analysis.measure or GEN)
    elif kind == RATES:
        tables = given["events"][None, :]
        view = Rates(**given, tables=tables, weights=np.ones(1), unit=analysis.unit, per=analysis.per)
    else:
        tables, weights, source = latent_tables(analysis, included, project)
        view = Counts(
            **given, tables=tables, weights=weights, unit=analysis.unit, latent_source=source
        )  # fmt: skip
    check_decision(analysis, view.scale)
    return view


def counts_for(analysis: Analysis, project: Project) -> Counts:
    """View of the rows that answer an analysis of counts; see `evidence_for`.

    Raises
    ------
    EvidenceError
        As `evidence_for` does, and if the outcome is not one of counts.
    """
    view = evidence_for(analysis, project)
    if not isinstance(view, Counts):
        raise EvidenceError(
            f"analyses.toml [{analysis.name}]: data/outcomes/{analysis.outcome}.csv is not a table of "
            f"counts; expected the columns events and n"
        )
    return view


def kind_of(analysis: Analysis, columns: list[str]) -> str:
    """What an outcome's table holds for an analysis: "counts", "rates" or "contrasts".

    Raises
    ------
    EvidenceError
        If it has not the columns of any that the measure allows.
    """
    allowed = {PLO: (COUNTS, CONTRASTS), IRLN: (RATES, CONTRASTS), "": (COUNTS, RATES, CONTRASTS)}
    wanted = allowed.get(analysis.measure, (CONTRASTS,))
    has = {_OTHER_NAMES.get(column, column) for column in columns}
    for kind in wanted:
        if has.issuperset(VALUES[kind]):
            return kind
    words = {COUNTS: "events and n", RATES: "events and time", CONTRASTS: "y and se"}
    asked = f" of {analysis.measure}" if analysis.measure else ""
    raise EvidenceError(
        f"analyses.toml [{analysis.name}]: data/outcomes/{analysis.outcome}.csv has no values{asked}; "
        f"expected the columns {', or '.join(words[kind] for kind in wanted)}, found {', '.join(columns)}"
    )


def _candidates(analysis: Analysis, project: Project) -> tuple[str, pd.DataFrame]:
    """All rows of the outcome with their study, and the reason why a row is out (empty if it is in)."""
    table = f"outcomes/{analysis.outcome}.csv"
    rows, studies = read_table(project, table), read_table(project, "studies.csv")
    if _KEY not in rows:
        raise EvidenceError(
            f"analyses.toml [{analysis.name}]: data/{table} has no column {_KEY}, the study of a row"
        )
    kind = kind_of(analysis, [str(column) for column in rows if column != "line"])
    rows = _with_numbers(rows, kind, table)
    _check_plan(analysis, rows, studies)
    _check_keys(rows, f"data/{table}", _KEY, studies[_KEY], "data/studies.csv")
    merged = _with_sources(_with_studies(rows, studies), table, project)
    merged["overlaps_with"] = merged[_KEY].map(shared_patients(studies))
    merged["reason"] = [_reason(row, analysis, rows.columns, kind) for _, row in merged.iterrows()]
    for place, reason in _overlaps(merged[merged["reason"] == ""], analysis, kind).items():
        merged.loc[place, "reason"] = reason
    _check_once(merged[merged["reason"] == ""], analysis)
    return kind, merged


def _with_numbers(rows: pd.DataFrame, kind: str, table: str) -> pd.DataFrame:
    """Rows with the kind's values under their own names, as numbers."""
    for other, name in _OTHER_NAMES.items():
        if name in VALUES[kind] and name not in rows:
            rows = rows.assign(**{name: rows[other]})
    for name in VALUES[kind]:
        if not pd.api.types.is_float_dtype(rows[name]):
            raise EvidenceError(
                f"data/datapackage.json: column {_in_file(name, rows)} of {table} must be described as a "
                "number"
            )
    return rows


def _in_file(name: str, rows: pd.DataFrame) -> str:
    """Name that a column of values has in its file."""
    return next((other for other, known in _OTHER_NAMES.items() if known == name and other in rows), name)


def _with_studies(rows: pd.DataFrame, studies: pd.DataFrame) -> pd.DataFrame:
    """Rows with what is told of their studies; a column that neither table has is empty."""
    told = [name for name in _OF_STUDY if name in studies and name not in rows]
    merged = rows.drop(columns="label", errors="ignore").merge(
        studies[[_KEY, "label", *told]], on=_KEY, how="left", validate="many_to_one"
    )
    absent = [name for name in (*_OF_STUDY, *_OF_ROW) if name not in merged]
    return merged.assign(**dict.fromkeys(absent, ""))


def _with_sources(rows: pd.DataFrame, table: str, project: Project) -> pd.DataFrame:
    """Rows with the citations of their sources."""
    if not (rows["source"] != "").any():
        return rows.assign(citation="")
    sources = read_table(project, "sources.csv").rename(columns={"source_id": "source"})
    named = rows[rows["source"] != ""]
    _check_keys(named, f"data/{table}", "source", sources["source"], "data/sources.csv")
    merged = rows.drop(columns="citation", errors="ignore").merge(
        sources[["source", "citation"]], on="source", how="left", validate="many_to_one"
    )
    return merged.fillna({"citation": ""})


def _shown(kind: str, rows: pd.DataFrame) -> list[str]:
    """Columns that a view keeps of its rows."""
    size = ["n"] if "n" in rows and "n" not in VALUES[kind] else []
    return [
        _KEY, "label", "arm", "unit", *VALUES[kind], *size, "population", "design", "detection", "timepoint",
        "definition", "status", "rule", "source", "citation", "locator", "note", "line",
    ]  # fmt: skip


def _check_plan(analysis: Analysis, rows: pd.DataFrame, studies: pd.DataFrame) -> None:
    """Refuse what the plan asks for in vain, and what it leaves open where a table has several."""
    where = f"analyses.toml [{analysis.name}]"
    if analysis.populations and "population" not in studies:
        raise EvidenceError(
            f"{where}: populations select by a column population, which data/studies.csv has not"
        )
    for key, column in (("populations", "population"), ("studies", _KEY)):
        for word in getattr(analysis, key):
            known = sorted(set(studies[column]))
            if word not in known:
                raise EvidenceError(f"{where}: no study has {word!r} ({key}); {nearest(word, known)}")
    path, left = f"data/outcomes/{analysis.outcome}.csv", rows
    for key, words in (("arm", "treatments"), ("unit", "units"), ("timepoint", "time points")):
        asked = getattr(analysis, key)
        if asked and key != "unit" and key not in rows:
            raise EvidenceError(f"{where}: {key} is {asked!r}, but {path} has no column {key}")
        if asked and key in rows:
            left = left[left[key] == asked]
        elif key in rows and key != "timepoint" and len(set(left[key])) > 1:
            found = ", ".join(repr(word) for word in sorted(set(left[key])))
            raise EvidenceError(
                f"{where}: {path} has several {words} ({found}); say which by the key {key!r}"
            )


def _check_keys(rows: pd.DataFrame, path: str, column: str, known: pd.Series, where: str) -> None:
    """Refuse keys that another table does not have."""
    unknown = rows[~rows[column].isin(known)]
    if len(unknown):
        row = unknown.iloc[0]
        raise EvidenceError(f"{path}, line {row['line']}, column {column}: {row[column]!r} is not in {where}")


def _check_once(rows: pd.DataFrame, analysis: Analysis) -> None:
    """Refuse a study that has more than one row left."""
    if not (twice := rows[_KEY].duplicated()).any():
        return
    study = rows.loc[twice, _KEY].iloc[0]
    arm = f"{analysis.arm} " if analysis.arm else ""
    unit = f" in {analysis.unit}" if analysis.unit else ""
    raise EvidenceError(
        f"data/outcomes/{analysis.outcome}.csv: {study} has more than one {arm}row{unit}; keep one "
        f"timepoint, or name it in analyses.toml [{analysis.name}] (timepoint)"
    )


def _check_values(rows: pd.DataFrame, kind: str, analysis: Analysis) -> None:
    """Refuse numbers that counts, times and standard errors cannot be."""
    path = f"data/outcomes/{analysis.outcome}.csv"

    def refuse(column: str, wrong: "pd.Series[bool]", expected: str) -> None:
        if wrong.any():
            row = rows[wrong].iloc[0]
            asked = expected.format(**{name: f"{row[name]:g}" for name in VALUES[kind]})
            raise EvidenceError(
                f"{path}, line {row['line']}, column {_in_file(column, rows)}: expected {asked}, "
                f"found {row[column]:g}"
            )

    if kind == CONTRASTS:
        refuse("se", rows["se"] <= 0, "a standard error greater than 0")
        return
    events = rows["events"]
    refuse("events", (events < 0) | (events % 1 > 0), "a whole number of 0 or more")
    if kind == RATES:
        refuse("exposure", rows["exposure"] <= 0, "a time greater than 0")
        if not analysis.unit:
            raise EvidenceError(
                f"analyses.toml [{analysis.name}]: rates need the unit of time, such as "
                'unit = "patient-years"'
            )
        return
    refuse("n", (rows["n"] < 1) | (rows["n"] % 1 > 0), "a whole number of 1 or more")
    refuse("events", events > rows["n"], "at most n = {n}")


def shared_patients(studies: pd.DataFrame) -> dict[str, set[str]]:
    """Studies that share patients with each study, whichever of the two says so."""
    shared: dict[str, set[str]] = {study: set() for study in studies[_KEY]}
    if "overlaps_with" not in studies:
        return shared
    for _, row in studies.iterrows():
        for other in (name.strip() for name in row["overlaps_with"].split(";") if name.strip()):
            if other not in shared:
                raise EvidenceError(
                    f"data/studies.csv, line {row['line']}, column overlaps_with: {other!r} is not a study_id"
                )
            shared[row[_KEY]].add(other)
            shared[other].add(row[_KEY])
    return shared


def _reason(row: pd.Series, analysis: Analysis, columns: pd.Index, kind: str) -> str:
    """Why a row cannot answer the question, or nothing."""
    if analysis.arm and row["arm"] != analysis.arm:
        return f"treatment is {row['arm']}, not {analysis.arm}"
    if analysis.unit and "unit" in columns and row["unit"] != analysis.unit:
        counted = "given" if kind == CONTRASTS else "counted"
        return f"{counted} in {row['unit']}, not in {analysis.unit}"
    if analysis.timepoint and row["timepoint"] != analysis.timepoint:
        return f"time point is {row['timepoint'] or 'not told'}, not {analysis.timepoint}"
    if analysis.populations and row["population"] not in analysis.populations:
        return f"population is {row['population'].replace('_', ' ')}"
    if analysis.studies and row[_KEY] not in analysis.studies:
        return "not among the studies this analysis is about"
    if kind == COUNTS and np.isnan(row["n"]):
        return "no denominator printed"
    if kind == RATES and np.isnan(row["exposure"]):
        return "no time at risk printed"
    if kind == CONTRASTS:
        absent = {"y": "no estimate printed", "se": "no standard error printed"}
        return next((words for name, words in absent.items() if np.isnan(row[name])), "")
    if np.isnan(row["events"]) and (kind == RATES or row["status"] != "latent"):
        return "no count printed"
    return ""


def _overlaps(rows: pd.DataFrame, analysis: Analysis, kind: str) -> dict[Any, str]:
    """Rows that share patients with a larger one, and the reason: of such reports the largest enters.

    Larger is a study of more patients or time; of two estimates, the more precise one.
    """
    size, word, equal = VALUES[kind][1], "larger", "large"
    unit = f" {analysis.unit}" if analysis.unit else ""
    if kind == CONTRASTS:
        word, equal, unit = "more precise", "precise", " as standard error"
    entered: list[pd.Series] = []
    out: dict[Any, str] = {}
    for place, row in rows.sort_values(size, ascending=kind == CONTRASTS, kind="stable").iterrows():
        rival = next((other for other in entered if other[_KEY] in row["overlaps_with"]), None)
        if rival is None:
            entered.append(row)
        elif rival[size] == row[size]:
            raise EvidenceError(
                f"data/outcomes/{analysis.outcome}.csv, lines {rival['line']} and {row['line']}: "
                f"{rival[_KEY]} and {row[_KEY]} share patients and are equally {equal}; "
                f"say in analyses.toml (studies) which one enters"
            )
        else:
            out[place] = (
                f"shares patients with {rival['label']}, which is {word} "
                f"({rival[size]:g} against {row[size]:g}{unit})"
            )
    return out
