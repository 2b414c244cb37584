"""A series of patients that came after an analysis, and the evidence with and without it."""

from dataclasses import dataclass, field, replace

import numpy as np

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import Analysis, Counts, counts_for, find_analysis, read_table
from kyphobayes.exact import Surface
from kyphobayes.model import load_model
from kyphobayes.project import Project
from kyphobayes.toml_files import nearest


@dataclass(frozen=True, eq=False)
class Series:
    """What one series found, and the studies before it.

    Attributes
    ----------
    analysis : Analysis
        Of the studies before it.
    label : str
    events, n : int
    evidence : Counts
        With the series.
    after, before : Surface
        Likelihood of mu and tau with the series, and without it.
    years : dict of str to float
        Year of publication by label; NaN where it is not known.
    """

    analysis: Analysis
    label: str
    events: int
    n: int
    evidence: Counts = field(repr=False)
    after: Surface = field(repr=False)
    before: Surface = field(repr=False)
    years: dict[str, float] = field(repr=False)


def series_of(project: Project, analysis: str, study: str) -> Series:
    """Read a series that is not in an analysis of the plan, and add it to that analysis.

    Parameters
    ----------
    project : Project
    analysis : str
        Name of an analysis of counts in the plan that lists its studies.
    study : str
        Identifier of the series in ``data/studies.csv``.

    Raises
    ------
    EvidenceError
        If there is no such analysis or series, the analysis has it already or names no studies, the
        model has no exact surface, or the series has no printed count in the analysis's own unit.
    """
    plan = find_analysis(project, analysis)
    where = f"analyses.toml [{analysis}]"
    known = list(read_table(project, "studies.csv")["study_id"])
    if study not in known:
        raise EvidenceError(f"data/studies.csv: no study {study!r}; {nearest(study, known)}")
    if not plan.studies:
        raise EvidenceError(f"{where}: expected studies to be listed, so that {study} can come after them")
    if study in plan.studies:
        raise EvidenceError(f"{where}: {study} is one of its studies already and cannot come after them")
    evidence = counts_for(replace(plan, studies=(*plan.studies, study)), project)
    entered = list(evidence.rows["study_id"])
    if study not in entered:
        out = evidence.excluded[evidence.excluded["study_id"] == study]
        why = f": {out['reason'].iloc[0]}" if len(out) else ""
        raise EvidenceError(
            f"data/outcomes/{plan.outcome}.csv: {study} has no {plan.arm} row in {plan.unit} that enters{why}"
        )
    place = entered.index(study)
    if np.isnan(evidence.events[place]):
        raise EvidenceError(
            f"data/outcomes/{plan.outcome}.csv: expected a printed count of {study}, found a latent one"
        )
    studies = read_table(project, "studies.csv").set_index("study_id")
    years = {
        label: float(studies["year"][name]) for name, label in zip(entered, evidence.labels, strict=True)
    }
    after = load_model(plan.model, project).surface(evidence)
    label = evidence.labels[place]
    return Series(
        analysis=plan,
        label=label,
        events=int(evidence.events[place]),
        n=int(evidence.n[place]),
        evidence=evidence,
        after=after,
        before=after.without(label),
        years=years,
    )
