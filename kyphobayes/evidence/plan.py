"""The analysis plan: one entry of ``data/analyses.toml`` per question."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.names import GLOBALS, MEASURE_LABELS, PLO, RATIOS
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import Project
from kyphobayes.toml_files import check_keys, nearest, read_toml, texts, typed

_REQUIRED = ["title", "question", "outcome", "model", "priors", "decision"]
_TEXTS = ["arm", "unit", "timepoint", "measure", "constraints", "note"]
_LISTS = ["populations", "studies", "compare"]
_OPTIONAL = [*_TEXTS, *_LISTS, "next", "event", "per"]
_FILE_NAME = r"\w[\w-]{0,59}"
_SIDES = ("below", "above")
LOG_RATIOS, STANDARDISED = "log_ratio", "standardised"  # scopes of prior sets for several measures
_SHARED = {
    **dict.fromkeys(RATIOS, LOG_RATIOS),
    **dict.fromkeys(("SMD", "SMDH", "SMCC", "SMCR", "SMCRH"), STANDARDISED),
}


@dataclass(frozen=True)
class Decision:
    """The claim that is judged: that the effect lies below the limit `below`, on the scale that people read.

    `side` is "above" where the claim is that it lies above the limit. The claim is taken to be the conclusion
    where its probability is at least `probability`.
    """

    below: float
    words: str
    source: str
    probability: float = 0.5
    side: str = "below"


@dataclass(frozen=True)
class Analysis:
    """One question of the plan.

    Attributes
    ----------
    name, title, question, note : str
    outcome : str
        Name of the table in ``data/outcomes/``.
    arm, unit, timepoint : str
        Only rows with exactly these are candidates, where the table has such columns; empty: any. The unit
        also stands behind numbers: of counts what n counts, of rates that of time, of contrasts theirs.
    populations : tuple of str
        Of the studies that may enter; empty: any.
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
    measure : str
        By metafor's code, such as SMD or HR; where it is empty, the table's columns say whether it holds
        counts (PLO), rates (IRLN) or estimates on their own scale (GEN).
    per : float
        Time that rates are shown per, in `unit`.
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
    measure: str = ""
    per: float = 1.0
    timepoint: str = ""


def read_plan(project: Project) -> dict[str, Analysis]:
    """Read every entry of ``data/analyses.toml`` about one pooled effect, in its order.

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


def check_file_name(where: str, name: str) -> None:
    """Refuse a name that could not begin the names of files, or would put them into another folder.

    Raises
    ------
    EvidenceError
    """
    if not re.fullmatch(_FILE_NAME, name):
        raise EvidenceError(
            f"{where}: expected a name of at most 60 letters, digits, - and _, by which files can be called, "
            f"found {name!r}"
        )


def _analysis(name: str, entry: Any) -> Analysis:
    where = f"analyses.toml [{name}]"
    check_file_name(where, name)
    check_keys(where, entry, _REQUIRED, _OPTIONAL)
    sizes = typed(where, entry, "next", list, [])
    if any(type(size) is not int or not 0 < size <= 10_000 for size in sizes):
        raise EvidenceError(f"{where}: expected next to hold whole numbers from 1 to 10000, found {sizes!r}")
    priors = typed(where, entry, "priors", str)
    told = {key: typed(where, entry, key, str, "") for key in _TEXTS}
    if told["measure"] and told["measure"] not in MEASURE_LABELS:
        hint = nearest(told["measure"], MEASURE_LABELS)
        raise EvidenceError(f"{where}: measure {told['measure']!r} is not known; {hint}")
    per = typed(where, entry, "per", float, 1.0)
    if not 0 < per < float("inf"):
        raise EvidenceError(f"{where}: expected per to be a time greater than 0, found {per:g}")
    return Analysis(
        name=name,
        **{key: typed(where, entry, key, str) for key in ("title", "question", "outcome", "model")},
        populations=texts(where, entry, "populations"),
        studies=texts(where, entry, "studies"),
        priors=priors,
        compare=texts(where, entry, "compare") or (priors,),
        decision=_decision(f"{where}.decision", typed(where, entry, "decision", dict)),
        next=tuple(sizes),
        event=typed(where, entry, "event", str, "events"),
        per=per,
        **told,
    )


def _decision(where: str, entry: dict[str, Any]) -> Decision:
    check_keys(where, entry, ["words", "source"], [*_SIDES, "probability"])
    sides = [side for side in _SIDES if side in entry]
    if len(sides) != 1:
        found = "both" if sides else "neither"
        raise EvidenceError(f"{where}: expected a key 'below' or a key 'above', found {found}")
    probability = typed(where, entry, "probability", float, 0.5)
    if not 0 < probability < 1:
        raise EvidenceError(f"{where}: expected probability to lie between 0 and 1, found {probability:g}")
    return Decision(
        below=typed(where, entry, sides[0], float),
        words=typed(where, entry, "words", str),
        source=typed(where, entry, "source", str),
        probability=probability,
        side=sides[0],
    )


def check_decision(analysis: Analysis, scale: NaturalScale) -> None:
    """Refuse a limit that no effect of this measure can have.

    Raises
    ------
    EvidenceError
    """
    low, high = scale.bounds
    decision = analysis.decision
    if low < decision.below < high:
        return
    if scale.measure == PLO:
        expected = "a share between 0 and 1"
    else:
        expected = f"a finite {scale.name}" + (" greater than 0" if low == 0 else "")
    raise EvidenceError(
        f"analyses.toml [{analysis.name}].decision: expected {decision.side} to be {expected}, "
        f"found {decision.below:g}"
    )


def prior_scopes(measure: str, outcome: str) -> tuple[str, ...]:
    """Names of the tables of a prior set that hold for a measure and an outcome; a later one wins.

    Log ratios share one table, ``log_ratio``, and standardised differences another, ``standardised``; a
    measure's own table and an outcome's own win over these.
    """
    shared = (_SHARED[measure],) if measure in _SHARED else ()
    return (*shared, measure, outcome)


def read_priors(project: Project, label: str, analysis: Analysis, measure: str) -> Priors:
    """Read a named prior set for one analysis.

    ``data/priors/<label>.toml`` has a table per outcome, such as ``[cement_leakage.mu]``, or per measure,
    such as ``[PLO.tau]`` or ``[log_ratio.tau]``; see `prior_scopes` for which one holds.

    Raises
    ------
    EvidenceError, PriorError
    """
    folder: Path = project.data / "priors"
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if label not in known:
        raise PriorError(f"no prior set {label!r} in data/priors/; {nearest(label, known)}")
    file, entry = f"priors/{label}.toml", read_toml(folder / f"{label}.toml")
    outcomes = [path.stem for path in sorted((project.data / "outcomes").glob("*.csv"))]
    scopes = [*MEASURE_LABELS, LOG_RATIOS, STANDARDISED, *outcomes]
    for scope in entry:
        if scope not in scopes:
            hint = nearest(scope, scopes)
            raise EvidenceError(f"{file}: {scope!r} is neither a measure nor an outcome; {hint}")
        check_keys(f"{file} [{scope}]", typed(file, entry, scope, dict), [], GLOBALS)
    found: dict[str, Prior] = {}
    for scope in prior_scopes(measure, analysis.outcome):
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
        raise PriorError(
            f"{file}: nothing for {analysis.outcome} or for {measure}; expected tables "
            f"[{analysis.outcome}.mu] and [{analysis.outcome}.tau]"
        )
    return Priors.of(label, **{name: found[name] for name in sorted(found)})  # mu before tau
