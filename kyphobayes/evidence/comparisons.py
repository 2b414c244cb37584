"""Studies that report one outcome under two treatments, and why the other rows are out."""

import dataclasses
from dataclasses import dataclass

import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.questions import Question
from kyphobayes.evidence.select import shared_patients
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.two_arms import TwoArms, two_arms
from kyphobayes.project import Project
from kyphobayes.toml_files import check_keys, nearest, texts, typed

_KEYS = ("outcome", "arms", "unit", "event", "populations")
_MORE = ("single", "instead")
_COUNTED = ("study_id", "arm", "unit", "events", "n", "status", "source")


@dataclass(frozen=True)
class Instead:
    """Another count that a source gives for an arm: used in a sensitivity analysis only.

    Attributes
    ----------
    study, arm : str
    events : int
    why : str
    """

    study: str
    arm: str
    events: int
    why: str


@dataclass(frozen=True)
class Comparison:
    """What is compared: options of a question of kind `arm_comparison`.

    Attributes
    ----------
    outcome : str
        Name of a table in ``data/outcomes/``.
    arms : (str, str)
        Treatments; the second is what the first is compared with.
    unit, event : str
        What is counted out of what.
    populations : tuple of str
    single : str
        study_id of a study that is also analysed alone; empty for none.
    instead : tuple of Instead
    """

    outcome: str
    arms: tuple[str, str]
    unit: str
    event: str
    populations: tuple[str, ...]
    single: str
    instead: tuple[Instead, ...]


def read_comparison(question: Question) -> Comparison:
    """Read and check the options of a question.

    Raises
    ------
    EvidenceError
    """
    where, options = f"analyses.toml [{question.name}.options]", question.options
    check_keys(where, options, _KEYS, _MORE)
    arms = texts(where, options, "arms")
    if len(arms) != 2 or arms[0] == arms[1]:
        raise EvidenceError(f"{where}: expected arms to name two treatments, found {list(arms)}")
    instead = []
    for place, row in enumerate(typed(where, options, "instead", list, [])):
        spot = f"{where}.instead[{place}]"
        check_keys(spot, row, ["study", "arm", "events", "why"], [])
        text = {key: typed(spot, row, key, str) for key in ("study", "arm", "why")}
        instead.append(Instead(**text, events=typed(spot, row, "events", int)))
        if text["arm"] not in arms:
            raise EvidenceError(f"{spot}: no arm {text['arm']!r}; {nearest(text['arm'], arms)}")
    return Comparison(
        **{key: typed(where, options, key, str, "") for key in ("outcome", "unit", "event", "single")},
        arms=(arms[0], arms[1]),
        populations=texts(where, options, "populations"),
        instead=tuple(instead),
    )


def comparisons(question: Question, asked: Comparison, project: Project) -> tuple[TwoArms, pd.DataFrame]:
    """View of the studies that count the outcome in both arms, and every row with its reason.

    Returns
    -------
    TwoArms
    DataFrame
        Columns unit (study and arm), status ("in" or "out") and reason, a row for each of the table.

    Raises
    ------
    EvidenceError
        If a table does not say what it must, or no study has both arms.
    """
    where, path = f"analyses.toml [{question.name}.options]", f"outcomes/{asked.outcome}.csv"
    rows, studies = read_table(project, path), read_table(project, "studies.csv")
    if missing := [column for column in _COUNTED if column not in rows]:
        raise EvidenceError(f"{where}: data/{path} is no table of counts: it has no column {missing[0]}")
    for word in asked.populations:
        if word not in set(studies["population"]):
            hint = nearest(word, sorted(set(studies["population"])))
            raise EvidenceError(f"{where}: no study has {word!r} (populations); {hint}")
    unknown = rows[~rows["study_id"].isin(studies["study_id"])]
    if len(unknown):
        row = unknown.iloc[0]
        raise EvidenceError(
            f"data/{path}, line {row['line']}, column study_id: {row['study_id']!r} is not in "
            f"data/studies.csv"
        )
    merged = rows.merge(studies[["study_id", "label", "population"]], on="study_id", validate="many_to_one")
    merged["reason"] = [_reason(row, asked) for _, row in merged.iterrows()]
    _pair(merged, asked, path)
    _overlaps(merged, shared_patients(studies), path)
    left = merged[merged["reason"] == ""]
    if left.empty:
        raise EvidenceError(
            f"{where}: no study in data/{path} counts {asked.event} per {asked.unit} under both "
            f"{asked.arms[0]} and {asked.arms[1]}"
        )
    one, two = (left[left["arm"] == arm].set_index("study_id") for arm in asked.arms)
    two = two.loc[one.index]
    who = pd.DataFrame(
        {
            "unit": merged["label"] + ", " + merged["arm"],
            "status": ["out" if reason else "in" for reason in merged["reason"]],
            "reason": merged["reason"],
        }
    )
    view = two_arms(
        one["events"], one["n"], two["events"], two["n"], list(one["label"]),
        arms=asked.arms, unit=asked.unit,
        rows=one.reset_index(), excluded=merged[merged["reason"] != ""],
    )  # fmt: skip
    return view, who


def with_instead(evidence: TwoArms, instead: Instead) -> TwoArms:
    """Evidence with another count in one arm of one study.

    Raises
    ------
    EvidenceError
        If the study is not in, or the count exceeds its n.
    """
    ids = list(evidence.rows["study_id"])
    if instead.study not in ids:
        raise EvidenceError(f"instead: {instead.study!r} is not compared; {nearest(instead.study, ids)}")
    one, two = evidence.events_1.copy(), evidence.events_2.copy()
    (one if instead.arm == evidence.arms[0] else two)[ids.index(instead.study)] = instead.events
    checked = two_arms(one, evidence.n_1, two, evidence.n_2, evidence.labels)
    return dataclasses.replace(evidence, events_1=checked.events_1, events_2=checked.events_2)


def _reason(row: pd.Series, asked: Comparison) -> str:
    """Why a row cannot be one arm of the comparison, or nothing."""
    if row["arm"] not in asked.arms:
        return f"treatment is {row['arm']}, neither {asked.arms[0]} nor {asked.arms[1]}"
    if row["unit"] != asked.unit:
        return f"counted in {row['unit']}, not in {asked.unit}"
    if row["population"] not in asked.populations:
        return f"population is {row['population'].replace('_', ' ')}"
    if pd.isna(row["n"]):
        return "no denominator printed"
    return ""


def _pair(merged: pd.DataFrame, asked: Comparison, path: str) -> None:
    """Put out what has no counterpart in its own study, or a counterpart without a printed count."""
    for study, group in merged[merged["reason"] == ""].groupby("study_id", sort=False):
        for arm in asked.arms:
            if (group["arm"] == arm).sum() > 1:
                raise EvidenceError(
                    f"data/{path}: {study} has more than one {arm} row in {asked.unit}; keep one timepoint"
                )
        for _, row in group.iterrows():
            here = merged["line"] == row["line"]
            other = next(arm for arm in asked.arms if arm != row["arm"])
            partner = group[group["arm"] == other]
            if partner.empty:
                merged.loc[here, "reason"] = (
                    f"no {other} arm counted in {asked.unit} in the same study: nothing to compare with"
                )
            elif group["events"].isna().any():
                merged.loc[here, "reason"] = "the count of one arm is not printed"


def _overlaps(merged: pd.DataFrame, shared: dict[str, set[str]], path: str) -> None:
    """Put out comparisons that share patients with a larger one."""
    size = merged[merged["reason"] == ""].groupby("study_id", sort=False)["n"].sum()
    entered: list[str] = []
    for study in size.sort_values(ascending=False, kind="stable").index:
        rival = next((other for other in entered if other in shared[study]), None)
        if rival is None:
            entered.append(study)
        elif size[rival] == size[study]:
            raise EvidenceError(
                f"data/{path}: {rival} and {study} share patients and are equally large: correct one of them"
            )
        else:
            here = (merged["study_id"] == study) & (merged["reason"] == "")
            merged.loc[here, "reason"] = f"shares patients with {rival}, which is larger"
