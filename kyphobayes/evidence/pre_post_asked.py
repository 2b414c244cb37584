"""What is asked of series before and after: the options of a question of kind `pre_post_change`."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.questions import Question
from kyphobayes.toml_files import check_keys, texts, typed

_REQUIRED = ("outcome", "noun", "arm", "populations", "top", "scales", "thresholds")
_OPTIONAL = ("n_between", "patients", "cases", "control", "line")
TAKEN = ("means", "change")


@dataclass(frozen=True)
class Bounds:
    """Least and largest number of patients where it is not printed, and why."""

    least: int
    most: int
    why: str


@dataclass(frozen=True)
class Case:
    """Other evidence, for a sensitivity analysis: one more study, or another number of one that is in.

    Attributes
    ----------
    name, study, arm : str
    take : str
        "means" of before and after, or the printed "change".
    why : str
    """

    name: str
    study: str
    arm: str
    take: str
    why: str


@dataclass(frozen=True)
class PrePost:
    """Options of a question of kind `pre_post_change`.

    Attributes
    ----------
    outcome : str
        Name of a table in ``data/outcomes/``.
    noun : str
        What is measured, for people.
    arm : str
    populations : tuple of str
    top : float
        Highest score.
    scales : dict of str to float
        What scores of each scale that may enter are multiplied by.
    thresholds : tuple of str
        Names in ``data/thresholds.toml``.
    n_between : dict of str to Bounds
        By study.
    patients : str
        The study whose patients are in the project's table of patients, on this scale; empty for none.
    cases : tuple of Case
    control : str
        A study that prints the mean change of an untreated arm, "medical", too; empty for none.
    line : str
        Name of a printed summary line in ``data/lines.toml``; empty for none.
    """

    outcome: str
    noun: str
    arm: str
    populations: tuple[str, ...]
    top: float
    scales: dict[str, float]
    thresholds: tuple[str, ...]
    n_between: dict[str, Bounds]
    patients: str
    cases: tuple[Case, ...]
    control: str
    line: str


def read_pre_post(question: Question) -> PrePost:
    """Read and check the options of a question.

    Raises
    ------
    EvidenceError
    """
    where, options = f"analyses.toml [{question.name}.options]", question.options
    check_keys(where, options, _REQUIRED, _OPTIONAL)
    scales, top = typed(where, options, "scales", dict), typed(where, options, "top", float)
    factors = {scale: typed(f"{where}.scales", scales, scale, float) for scale in scales}
    if not factors or not all(isfinite(f) and f > 0 for f in factors.values()):
        raise EvidenceError(f"{where}: expected scales to hold a factor above 0 for one scale at least")
    if not (isfinite(top) and top > 0):
        raise EvidenceError(f"{where}: expected top to be the highest score, found {top:g}")
    keys = ("outcome", "noun", "arm", "patients", "control", "line")
    thresholds = texts(where, options, "thresholds")
    if not thresholds:
        raise EvidenceError(f"{where}: expected thresholds to name one at least, found none")
    rows = typed(where, options, "cases", list, [])
    return PrePost(
        **{key: typed(where, options, key, str, "") for key in keys},
        populations=texts(where, options, "populations"),
        top=top,
        scales=factors,
        thresholds=thresholds,
        n_between={
            study: _bounds(f"{where}.n_between.{study}", row)
            for study, row in typed(where, options, "n_between", dict, {}).items()
        },
        cases=tuple(_case(f"{where}.cases[{place}]", row) for place, row in enumerate(rows)),
    )


def _bounds(where: str, row: Any) -> Bounds:
    check_keys(where, row, ["least", "most", "why"], [])
    least, most = (typed(where, row, key, int) for key in ("least", "most"))
    if not 4 <= least < most:
        raise EvidenceError(
            f"{where}: expected least to be four patients or more and most to be above it, found {least} "
            f"and {most}"
        )
    return Bounds(least, most, typed(where, row, "why", str))


def _case(where: str, row: Any) -> Case:
    keys = ("name", "study", "arm", "take", "why")
    check_keys(where, row, keys, [])
    case = Case(**{key: typed(where, row, key, str) for key in keys})
    if case.take not in TAKEN:
        raise EvidenceError(f"{where}: expected take to be 'means' or 'change', found {case.take!r}")
    return case
