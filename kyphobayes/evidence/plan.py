"""The analysis plan: one entry of ``data/analyses.toml`` per question."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.names import GLOBALS, MEASURE_LABELS
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import Project
from kyphobayes.toml_files import check_keys, nearest, read_toml, texts, typed

_REQUIRED = ["title", "question", "outcome", "arm", "unit", "populations", "model", "priors", "decision"]
_OPTIONAL = ["studies", "constraints", "compare", "next", "event", "note"]


@dataclass(frozen=True)
class Decision:
    """The claim that is judged: that the rate lies below `below`, a share between 0 and 1.

    It is taken to be the conclusion where its probability is at least `probability`.
    """

    below: float
    words: str
    source: str
    probability: float = 0.5


@dataclass(frozen=True)
class Analysis:
    """One question of the plan.

    Attributes
    ----------
    name, title, question, note : str
    outcome : str
        Name of the table in ``data/outcomes/``.
    arm, unit : str
        Only rows with exactly these are candidates.
    populations : tuple of str
        Of the studies that may enter.
    studies : tuple of str
        If not empty, the only studies that may enter.
    constraints : str
        Name of the constraints file for latent counts, or empty.
    model, priors : str
        Names of a model file and of the prior set that the result is reported under.
    compare : tuple of str
        All prior sets to compare.
    decision : Decision
    next : tuple of int
        Sizes of a new centre's series to predict for.
    event : str
        What is counted, in the plural.
    """

    name: str
    title: str
    question: str
    outcome: str
    arm: str
    unit: str
    populations: tuple[str, ...]
    studies: tuple[str, ...]
    constraints: str
    model: str
    priors: str
    compare: tuple[str, ...]
    decision: Decision
    next: tuple[int, ...]
    event: str
    note: str


def read_plan(project: Project) -> dict[str, Analysis]:
    """Read every entry of ``data/analyses.toml`` about a pooled rate, in its order.

    Entries with a `kind` are other questions: see `read_questions`.

    Raises
    ------
    EvidenceError
        Naming the entry and the key that is missing, unknown or of the wrong kind.
    """
    entries = read_toml(project.data / "analyses.toml")
    return {
        name: _analysis(name, e) for name, e in entries.items() if not (isinstance(e, dict) and "kind" in e)
    }


def find_analysis(project: Project, name: str) -> Analysis:
    """Entry of the plan by its name.

    Raises
    ------
    EvidenceError
        If there is none; the message names the nearest.
    """
    plan = read_plan(project)
    if name not in plan:
        raise EvidenceError(f"no analysis {name!r} in data/analyses.toml; {nearest(name, plan)}")
    return plan[name]


def _analysis(name: str, entry: Any) -> Analysis:
    where = f"analyses.toml [{name}]"
    check_keys(where, entry, _REQUIRED, _OPTIONAL)
    decision = typed(where, entry, "decision", dict)
    check_keys(f"{where}.decision", decision, ["below", "words", "source"], ["probability"])
    below = typed(f"{where}.decision", decision, "below", float)
    if not 0 < below < 1:
        raise EvidenceError(
            f"{where}.decision: expected below to be a share between 0 and 1, found {below:g}"
        )
    probability = typed(f"{where}.decision", decision, "probability", float, 0.5)
    if not 0 < probability < 1:
        raise EvidenceError(
            f"{where}.decision: expected probability to lie between 0 and 1, found {probability:g}"
        )
    sizes = typed(where, entry, "next", list, [])
    if any(type(size) is not int or not 0 < size <= 10_000 for size in sizes):
        raise EvidenceError(f"{where}: expected next to hold whole numbers from 1 to 10000, found {sizes!r}")
    priors = typed(where, entry, "priors", str)
    text = {key: typed(where, entry, key, str, "") for key in ("constraints", "note")}
    return Analysis(
        name=name,
        **{
            key: typed(where, entry, key, str)
            for key in ("title", "question", "outcome", "arm", "unit", "model")
        },
        populations=texts(where, entry, "populations"),
        studies=texts(where, entry, "studies"),
        priors=priors,
        compare=texts(where, entry, "compare") or (priors,),
        decision=Decision(
            below=below,
            words=typed(f"{where}.decision", decision, "words", str),
            source=typed(f"{where}.decision", decision, "source", str),
            probability=probability,
        ),
        next=tuple(sizes),
        event=typed(where, entry, "event", str, "events"),
        **text,
    )


def read_priors(project: Project, label: str, analysis: Analysis, measure: str) -> Priors:
    """Read a named prior set for one analysis.

    ``data/priors/<label>.toml`` has a table per outcome, such as ``[cement_leakage.mu]``, or per measure,
    such as ``[PLO.tau]``; the outcome's own entry wins.

    Raises
    ------
    EvidenceError, PriorError
    """
    folder: Path = project.data / "priors"
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if label not in known:
        raise PriorError(f"no prior set {label!r} in data/priors/; {nearest(label, known)}")
    file, entry = f"priors/{label}.toml", read_toml(folder / f"{label}.toml")
    scopes = [*MEASURE_LABELS, *(path.stem for path in sorted((project.data / "outcomes").glob("*.csv")))]
    for scope in entry:
        if scope not in scopes:
            hint = nearest(scope, scopes)
            raise EvidenceError(f"{file}: {scope!r} is neither a measure nor an outcome; {hint}")
        check_keys(f"{file} [{scope}]", typed(file, entry, scope, dict), [], GLOBALS)
    found: dict[str, Prior] = {}
    for scope in (measure, analysis.outcome):
        for parameter, row in entry.get(scope, {}).items():
            where = f"{file} [{scope}.{parameter}]"
            check_keys(where, row, ["prior", "why", "source"], [])
            why, source = typed(where, row, "why", str), typed(where, row, "source", str)
            try:
                prior = Prior.parse(typed(where, row, "prior", str), why=f"{why} Source: {source}")
                found[parameter] = Priors.of(label, **{parameter: prior})[parameter]
            except PriorError as problem:
                raise PriorError(f"{where}: {problem}") from None
    if not found:
        raise PriorError(f"{file}: nothing for {analysis.outcome} or for {measure}")
    return Priors.of(label, **{name: found[name] for name in sorted(found)})  # mu before tau
