"""From an outcome's table to series before and after: which rows enter, and why the others do not."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.effects.recover import correlation_from_change
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.patients import PATIENTS, read_patient_pain
from kyphobayes.evidence.pre_post_asked import Case, PrePost
from kyphobayes.evidence.pre_post_means import PrePostMeans, pre_post_means
from kyphobayes.evidence.select import shared_patients
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.views import Array
from kyphobayes.project import Project
from kyphobayes.toml_files import nearest

TIMEPOINTS = ("baseline", "post", "3d", "1w", "2w", "1m", "6w", "3m", "6m", "9m", "12m", "24m", "last")
EARLY = TIMEPOINTS[1:8]  # up to three months
_CHANGE = " change"  # what the name of a scale ends in where a change is printed
_ROUNDING = 0.015  # share of the scale by which two rounded means may miss a printed change
_NUMBERS = ("mean", "sd", "median", "range_low", "range_high")

Marks = dict[int, tuple[str, str]]  # line of the table: status, reason


def read_pre_post_means(
    asked: PrePost, project: Project, case: Case | None = None
) -> tuple[PrePostMeans, pd.DataFrame]:
    """View of the series that enter, and every row of the outcome's table with its reason.

    Of each series the value before treatment and the first after it enter, or the mean change where it
    prints no more.

    Parameters
    ----------
    asked : PrePost
    project : Project
    case : Case, optional
        Evidence that differs for a sensitivity analysis.

    Returns
    -------
    PrePostMeans
    DataFrame
        Columns unit (study, treatment, timepoint, scale), status ("in" or "out") and reason.

    Raises
    ------
    EvidenceError
        If a table does not say what it must, or fewer than two series are left.
    """
    table = _rows(asked, project)
    patients = read_table(project, "arms.csv").set_index(["study_id", "arm"])["patients"].to_dict()
    marks: Marks = {row["line"]: ("out", _reason(row, asked, case)) for row in table.to_dict("records")}
    left = table[[marks[line][1] == "" for line in table["line"]]]
    found: dict[str, dict[str, Any]] = {}
    for study, rows in left.groupby("study_id", sort=False):
        by_change = case is not None and case.study == study and case.take == "change"
        series, own = _series(rows, asked, patients, by_change)
        marks |= own
        if series is not None:
            found[str(study)] = series
    for study, reason in _overlaps(found, shared_patients(read_table(project, "studies.csv"))).items():
        del found[study]
        marks |= dict.fromkeys(left.loc[left["study_id"] == study, "line"], ("out", reason))
    if len(found) < 2:
        raise EvidenceError(
            f"data/outcomes/{asked.outcome}.csv: expected two series at least with a mean change after "
            f"{asked.arm}, found {len(found)}"
        )
    kept = pd.DataFrame(list(found.values()))
    view = pre_post_means(
        kept["before"], kept["change"], kept["n"], list(kept["label"]),
        sd_before=kept["sd_before"], sd_after=kept["sd_after"], n_most=kept["n_most"], slack=kept["slack"],
        correlation=_correlations(kept, asked, project), when=list(kept["when"]), top=asked.top,
        rows=kept, excluded=table[[marks[line][0] == "out" for line in table["line"]]],
    )  # fmt: skip
    return view, _who(table, marks)


def control_changes(asked: PrePost, project: Project) -> dict[str, float]:
    """Mean changes that the study with a control arm prints, in the scores they are printed in.

    Returns
    -------
    dict
        Keys treated, control, factor (to the scale asked for; NaN where it is another one); empty
        where no control is asked for.

    Raises
    ------
    EvidenceError
        If the study does not print both.
    """
    if not asked.control:
        return {}
    table = _rows(asked, project)
    rows = table[(table["study_id"] == asked.control) & table["is_change"]]
    found = {arm: rows[rows["arm"] == arm] for arm in (asked.arm, "medical")}
    for arm, some in found.items():
        if some.empty or not np.isfinite(some["printed_mean"].iloc[0]):
            raise EvidenceError(
                f"data/outcomes/{asked.outcome}.csv: expected a mean change of {asked.control}, {arm}, "
                f"as its control is asked for"
            )
    one, two = (some.iloc[0] for some in found.values())
    return {"treated": one["printed_mean"], "control": two["printed_mean"], "factor": one["factor"]}


def _rows(asked: PrePost, project: Project) -> pd.DataFrame:
    """Every row with its study, numbers on the scale that was asked for (NaN if on none of them)."""
    path = f"outcomes/{asked.outcome}.csv"
    rows, studies = read_table(project, path), read_table(project, "studies.csv")
    if missing := [name for name in ("scale", "timepoint", *_NUMBERS) if name not in rows]:
        raise EvidenceError(f"data/{path} is no table of means: it has no column {missing[0]}")
    for word in asked.populations:
        _known(word, set(studies["population"]), "no study has population")
    asked_for = [*asked.n_between, *(case.study for case in asked.cases), asked.patients, asked.control]
    for name in filter(None, asked_for):
        _known(name, set(rows["study_id"]), f"data/{path} has no study")
    for _, row in rows[~rows["timepoint"].isin(TIMEPOINTS)].iterrows():
        raise EvidenceError(
            f"data/{path}, line {row['line']}, column timepoint: expected one of {', '.join(TIMEPOINTS)}, "
            f"found {row['timepoint']!r}"
        )
    named = studies[["study_id", "label", "population"]]
    table = rows.merge(named, on="study_id", how="left", validate="many_to_one")
    table["is_change"] = table["scale"].str.endswith(_CHANGE)
    table["factor"] = [asked.scales.get(scale.removesuffix(_CHANGE), np.nan) for scale in table["scale"]]
    table["any"] = table[["mean", "median", "range_low"]].notna().any(axis=1)
    table["printed_mean"] = table["mean"]
    for name in _NUMBERS:
        table[name] = table[name] * table["factor"]
    return table


def _known(word: str, words: set[str], problem: str) -> None:
    if word not in words:
        raise EvidenceError(f"{problem} {word!r}; {nearest(word, sorted(words))}")


def _reason(row: Mapping[Any, Any], asked: PrePost, case: Case | None) -> str:
    """Why a row cannot enter by itself, or nothing."""
    if case is None or (row["study_id"], row["arm"]) != (case.study, case.arm):
        if row["arm"].startswith(f"{asked.arm} ("):
            return f"a part of the patients, {row['arm']}, without a value before treatment"
        if row["arm"] != asked.arm:
            return f"treatment is {row['arm']}, not {asked.arm} alone"
        if row["population"] not in asked.populations:
            return f"population is {row['population'].replace('_', ' ')}"
    if not row["any"]:
        return "no value printed"
    if np.isnan(row["factor"]):
        return f"on another scale ({row['scale']})"
    if np.isnan(row["mean"]) and not np.isnan(row["median"]):
        return "a median, not a mean"
    if np.isnan(row["mean"]) and not row["is_change"]:
        return "no mean printed"
    return ""


def _series(
    rows: pd.DataFrame, asked: PrePost, patients: Mapping[Any, float], by_change: bool
) -> tuple[dict[str, Any] | None, Marks]:
    """What enters of a study, or None, and what is said of its rows."""
    places = pd.Series([TIMEPOINTS.index(time) for time in rows["timepoint"]], rows.index)
    order = rows.loc[places.sort_values(kind="stable").index]
    changes, means = order[order["is_change"]], order[~order["is_change"]]
    start, later = means[means["timepoint"] == "baseline"], means[means["timepoint"] != "baseline"]
    by_change = by_change or start.empty or later.empty
    if by_change and changes.empty:
        reason = "no value before treatment" if start.empty else "no value after treatment"
        return None, dict.fromkeys(rows["line"], ("out", reason))
    first = (changes if by_change else later).iloc[0]
    study = str(first["study_id"])
    printed = first["n"] if np.isfinite(first["n"]) else patients.get((study, first["arm"]), np.nan)
    bounds = asked.n_between.get(study)
    if bounds is None and not np.isfinite(printed):
        return None, dict.fromkeys(rows["line"], ("out", "number of patients not printed"))
    least, most = (bounds.least, bounds.most) if bounds else (printed, printed)
    late = "" if first["timepoint"] in EARLY else ", none within three months being printed"
    size = f"n {least:g}" if bounds is None else f"n not printed, from {least} to {most}: {bounds.why}"
    if first["factor"] != 1:
        size += f"; scores times {first['factor']:g}"
    shared = {
        **{key: first[key] for key in ("study_id", "label", "arm", "source", "locator", "note", "line")},
        "when": first["timepoint"], "n": float(least), "n_most": float(most),
    }  # fmt: skip
    if by_change:
        own, marks = _change(rows, changes, f"{size}{late}")
    else:
        own, marks = _means(start, later, changes, size, late, asked.top)
    return shared | own, marks


def _change(rows: pd.DataFrame, changes: pd.DataFrame, told: str) -> tuple[dict[str, float], Marks]:
    """A mean change without levels; where a range is printed it is as likely anywhere in it."""
    first: Any = changes.iloc[0]
    one = np.isfinite(first["mean"])
    low, high = (first["mean"],) * 2 if one else (first["range_low"], first["range_high"])
    within = "" if one else f", printed as {low:g} to {high:g}, as likely anywhere in between"
    marks: Marks = dict.fromkeys(rows["line"], ("out", "its change is taken instead"))
    marks |= dict.fromkeys(changes["line"], ("out", "a later change"))
    marks[first["line"]] = ("in", f"mean change{within}; no level before treatment is used; {told}")
    none = dict.fromkeys(("before", "sd_before", "sd_after", "sd_change"), np.nan)
    return none | {"change": (low + high) / 2, "slack": (high - low) / 2}, marks


def _means(
    start: pd.DataFrame, later: pd.DataFrame, changes: pd.DataFrame, size: str, late: str, top: float
) -> tuple[dict[str, float], Marks]:
    """Levels before and after; a printed change is held against them and gives the correlation."""
    before, after = start.iloc[0], later.iloc[0]
    change = round(after["mean"] - before["mean"], 9)
    marks: Marks = dict.fromkeys(later["line"], ("out", "a later time: the first after treatment is in"))
    marks[before["line"]] = ("in", f"level before treatment; {_sd(before)}; {size}")
    marks[after["line"]] = ("in", f"first level after treatment{late}; {_sd(after)}")
    sd_change = np.nan
    for row in changes.to_dict("records"):
        same = row["timepoint"] == after["timepoint"]
        if same and abs(row["mean"] - change) <= _ROUNDING * top:
            sd_change = row["sd"]
            marks[row["line"]] = ("in", f"SD of the change, {sd_change:.3g}; its mean is that of the levels")
        else:
            said = "contradicts" if same else "is of another time than"
            marks[row["line"]] = (
                "out",
                f"{row['mean']:+.3g} {said} {change:+.3g}, the difference of the levels",
            )
    return {
        "before": before["mean"], "change": change, "slack": 0.0, "sd_before": before["sd"],
        "sd_after": after["sd"], "sd_change": sd_change,
    }, marks  # fmt: skip


def _sd(row: pd.Series) -> str:
    return f"SD {row['sd']:.3g}" if np.isfinite(row["sd"]) else "no SD printed, so drawn from the others"


def _overlaps(found: Mapping[str, Mapping[str, Any]], shared: Mapping[str, set[str]]) -> dict[str, str]:
    """Series that share patients with a larger one, and the reason."""
    kept: list[str] = []
    out: dict[str, str] = {}
    for study in sorted(found, key=lambda name: -found[name]["n_most"]):
        rival = next((other for other in kept if other in shared[study]), None)
        if rival is None:
            kept.append(study)
        else:
            out[study] = f"shares patients with {found[rival]['label']}, which is larger"
    return out


def _correlations(kept: pd.DataFrame, asked: PrePost, project: Project) -> Array:
    """By the table of patients for its own study, else from three printed SDs."""
    found = np.full(len(kept), np.nan)
    for place, row in enumerate(kept.to_dict("records")):
        spread = [row[name] for name in ("sd_before", "sd_after", "sd_change")]
        if row["study_id"] == asked.patients:
            scores = read_patient_pain(project).scores
            if len(scores) != row["n"]:
                raise EvidenceError(
                    f"data/{PATIENTS}: expected the {row['n']:g} patients of {asked.patients}, "
                    f"found {len(scores)}"
                )
            found[place] = np.corrcoef(scores[:, 0], scores[:, 1])[0, 1]
        elif np.isfinite(spread).all() and row["n"] == row["n_most"]:
            found[place] = float(correlation_from_change(*spread))
    return found


def _who(table: pd.DataFrame, marks: Marks) -> pd.DataFrame:
    rows = []
    for row in table.to_dict("records"):
        status, reason = marks[row["line"]]
        note = f" (the table notes: {row['note']})" if row["note"] else ""
        unit = f"{row['label']}, {row['arm']}, {row['timepoint']}, {row['scale']}"
        rows.append({"unit": unit, "status": status, "reason": f"{reason}{note}"})
    return pd.DataFrame(rows)
