"""What a question of kind `meta_regression` compares, read from the plan and the tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.covariates import CovariateCounts, by_level
from kyphobayes.evidence.plan import Analysis, find_analysis
from kyphobayes.evidence.questions import Question
from kyphobayes.evidence.select import counts_for
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.thresholds import Threshold, find_threshold
from kyphobayes.evidence.views import Counts
from kyphobayes.project import Project
from kyphobayes.reconstruct import Constraints, reconstruct
from kyphobayes.toml_files import check_keys, nearest, texts, typed

_KEYS = ("name", "title", "analysis", "covariate", "levels", "why")
_MORE = ("shares", "figures", "beside", "thresholds", "printed")
FEWEST = 3  # studies below which a covariate cannot be told from a centre
_REVIEW = "bouza2009"  # whose figures `printed` names


@dataclass(frozen=True)
class Share:
    """A study with patients of both levels: `first` of `of` are at the first."""

    study: str
    first: int
    of: int
    why: str


@dataclass(frozen=True, eq=False)
class Moderation:
    """One comparison of studies at two levels of a covariate.

    Attributes
    ----------
    name, title, why : str
    analysis : Analysis
        Entry of the plan whose evidence it takes.
    covariate : str
    levels : (str, str)
    shares : tuple of Share
    figures : tuple of str
        Printed figures, by their value, from which latent counts are reconstructed in place of those of
        the constraints file; empty for the file's own.
    beside : str
        Name of the comparison of which this is another reading; empty for none.
    thresholds : tuple of Threshold
    printed : tuple of float
        What the review prints for the two levels, as shares; empty for nothing.
    evidence : CovariateCounts
    """

    name: str
    title: str
    why: str
    analysis: Analysis
    covariate: str
    levels: tuple[str, str]
    shares: tuple[Share, ...]
    figures: tuple[str, ...]
    beside: str
    thresholds: tuple[Threshold, ...]
    printed: tuple[float, ...]
    evidence: CovariateCounts


def moderations(question: Question, project: Project) -> tuple[Moderation, ...]:
    """Read the options of a question with the evidence of every comparison.

    Raises
    ------
    EvidenceError
        Naming the option, or the table, that does not say what it must.
    """
    where = f"analyses.toml [{question.name}.options]"
    check_keys(where, question.options, ["comparisons"], [])
    rows = typed(where, question.options, "comparisons", list)
    if not rows:
        raise EvidenceError(f"{where}: expected a comparison at least, found none")
    found = tuple(_read(f"{where}.comparisons[{place}]", row, project) for place, row in enumerate(rows))
    names = [one.name for one in found]
    if len(set(names)) != len(names):
        raise EvidenceError(f"{where}: expected different names of the comparisons, found {names}")
    main = [one.name for one in found if not one.beside]
    for one in found:
        if one.beside and one.beside not in main:
            raise EvidenceError(f"{where}, {one.name}: no comparison {one.beside!r} (beside); "
                                f"{nearest(one.beside, main)}")  # fmt: skip
    return found


def believing(evidence: Counts, analysis: Analysis, figures: tuple[str, ...], project: Project) -> Counts:
    """Evidence whose latent counts agree with some of the printed figures and with no others.

    Parameters
    ----------
    evidence : Counts
    analysis : Analysis
        With a constraints file.
    figures : tuple of str
        Values as they are printed, of those that the file uses or leaves out.
    project : Project

    Raises
    ------
    EvidenceError
        If the file has no such figure, or no table agrees with all of them.
    """
    if not analysis.constraints:
        raise EvidenceError(f"figures: analysis {analysis.name} has no constraints file, so no figures")
    constraints = Constraints.read(project.data / "constraints" / f"{analysis.constraints}.toml")
    known = {figure.value: figure for figure in (*constraints.printed, *constraints.left_out)}
    for value in figures:
        if value not in known:
            raise EvidenceError(
                f"constraints/{analysis.constraints}.toml: no printed figure {value!r}; "
                f"{nearest(value, known)}"
            )
    chosen = tuple(known[value] for value in figures)
    studies = list(evidence.rows["study_id"])
    places = [studies.index(study) for study in constraints.studies]
    printed = {
        study: float(evidence.events[place])
        for study, place in zip(constraints.studies, places, strict=True)
        if np.isfinite(evidence.events[place])
    }
    n = {study: float(evidence.n[place]) for study, place in zip(constraints.studies, places, strict=True)}
    found = reconstruct(replace(constraints, printed=chosen, left_out=()), n, printed)
    tables = np.tile(evidence.events, (len(found), 1))
    for column, study in enumerate(found.studies):
        tables[:, studies.index(study)] = found.events[:, column]
    return replace(evidence, tables=tables, weights=found.weights, latent_source=found)


def who_of(compared: Sequence[Moderation]) -> pd.DataFrame:
    """Every row of the outcomes' tables, in or out, with the reason and the comparisons it is about.

    Returns
    -------
    DataFrame
        Columns unit, status ("in" or "out") and reason.
    """
    rows = pd.concat([_who(one) for one in compared], ignore_index=True)
    grouped = rows.groupby(["unit", "status", "reason"], sort=False)["comparison"]
    return pd.DataFrame([
        (unit, status, f"{reason} ({', '.join(names)})") for (unit, status, reason), names in grouped
    ], columns=["unit", "status", "reason"])  # fmt: skip


def _who(one: Moderation) -> pd.DataFrame:
    shares = {share.study: share for share in one.shares}
    rows = []
    for row, x in zip(one.evidence.rows.to_dict("records"), one.evidence.x, strict=True):
        if (share := shares.get(str(row["study_id"]))) is not None:
            reason = f"{share.first} of {share.of} {one.levels[0]}: {share.why.rstrip('.')}"
        else:
            reason = f"{one.covariate}: {one.levels[0 if x > 0 else 1]}"
        rows.append((f"{row['label']}, {one.analysis.event}", "in", reason))
    for row in one.evidence.excluded.to_dict("records"):
        arm = f", {row['arm']}" if row["arm"] != one.analysis.arm else ""
        rows.append((f"{row['label']}{arm}, {one.analysis.event}", "out", row["reason"]))
    frame = pd.DataFrame(rows, columns=["unit", "status", "reason"])
    return frame.assign(comparison=one.name.replace("_", " "))


def _read(where: str, row: object, project: Project) -> Moderation:
    if not isinstance(row, dict):
        raise EvidenceError(f"{where}: expected a table, found {row!r}")
    check_keys(where, row, _KEYS, _MORE)
    text = {key: typed(where, row, key, str, "") for key in ("name", "title", "covariate", "why", "beside")}
    levels = texts(where, row, "levels")
    if len(levels) != 2 or levels[0] == levels[1]:
        raise EvidenceError(f"{where}: expected levels to name two, found {list(levels)}")
    analysis = find_analysis(project, typed(where, row, "analysis", str))
    shares = tuple(
        _share(f"{where}.shares[{place}]", share)
        for place, share in enumerate(typed(where, row, "shares", list, []))
    )
    figures = texts(where, row, "figures")
    evidence = counts_for(analysis, project)
    try:
        if figures:
            evidence = believing(evidence, analysis, figures, project)
        view = by_level(
            evidence, text["covariate"], (levels[0], levels[1]), {s.study: s.first / s.of for s in shares}
        )
    except EvidenceError as problem:
        raise EvidenceError(f"{where}: {problem}") from None
    return Moderation(
        **text,
        analysis=analysis,
        levels=(levels[0], levels[1]),
        shares=shares,
        figures=figures,
        thresholds=tuple(find_threshold(project, name) for name in texts(where, row, "thresholds")),
        printed=_printed(where, texts(where, row, "printed"), project),
        evidence=view,
    )


def _share(where: str, row: object) -> Share:
    if not isinstance(row, dict):
        raise EvidenceError(f"{where}: expected a table, found {row!r}")
    check_keys(where, row, ["study", "first", "of", "why"], [])
    numbers = {key: typed(where, row, key, int) for key in ("first", "of")}
    if not 0 < numbers["first"] < numbers["of"]:
        raise EvidenceError(f"{where}: expected 0 < first < of, found {numbers['first']} of {numbers['of']}")
    return Share(**{key: typed(where, row, key, str) for key in ("study", "why")}, **numbers)


def _printed(where: str, names: tuple[str, ...], project: Project) -> tuple[float, ...]:
    if not names:
        return ()
    figures = read_table(project, f"published/{_REVIEW}.csv").set_index("figure_id")["estimate"]
    if len(names) != 2 or not set(names) <= set(figures.index):
        raise EvidenceError(
            f"{where}: expected printed to name a figure of data/published/{_REVIEW}.csv for each of the two "
            f"levels, found {list(names)}"
        )
    return tuple(float(figures[name]) / 100 for name in names)
