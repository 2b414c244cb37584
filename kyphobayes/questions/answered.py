"""What an answer is, and which module gives it."""

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from kyphobayes import html
from kyphobayes.checks import Check
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import Analysis, View
from kyphobayes.evidence.questions import Question
from kyphobayes.project import Project
from kyphobayes.toml_files import nearest

_OURS = "answered"  # this module, which is no kind


@dataclass(frozen=True)
class Answered:
    """The answer to one question.

    Attributes
    ----------
    question : Question
    sentence : str
        One plain sentence or two, for a clinician.
    tables : dict of str to DataFrame
        Numbers in full; the first is the main result.
    who : DataFrame
        Who is in, who is out, and why: columns unit, status ("in" or "out"), reason.
    checks : tuple of Check
    fits : dict of str to DataTree
        By the name of the model or of the prior set.
    more : dict
        What the chapter of this kind draws from.
    decisions : DataFrame, optional
        By `kyphobayes.decisions`: how probable the claims are that decisions hang on.
    """

    question: Question
    sentence: str
    tables: dict[str, pd.DataFrame]
    who: pd.DataFrame
    checks: tuple[Check, ...] = ()
    fits: dict[str, xr.DataTree] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    decisions: pd.DataFrame | None = None

    def _repr_html_(self) -> str:
        checks = [[check.name, "passed" if check.passed else "FAILED", check.text] for check in self.checks]
        return html.block(
            html.line(self.question.question, strong=True),
            html.line(self.sentence),
            *(html.frame(table, caption=name.replace("_", " ")) for name, table in self.tables.items()),
            html.table(["check", "", ""], checks) if checks else "",
        )

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return sentence, tables and checks as plain numbers and texts, for JSON."""
        return {
            "question": self.question.question,
            "answer": self.sentence,
            "tables": {name: table.reset_index().to_dict("records") for name, table in self.tables.items()},
            "who": self.who.to_dict("records"),
            "decisions": [] if self.decisions is None else self.decisions.to_dict("records"),
            "checks": {check.name: {"passed": check.passed, "text": check.text} for check in self.checks},
        }


def studies_in_and_out(
    parts: Iterable[tuple[Analysis, View, Mapping[str, str]]],
) -> pd.DataFrame:
    """Who is in and who is out, of questions that rest on pooled rates.

    Parameters
    ----------
    parts : iterable of (Analysis, View, mapping of str to str)
        Each with what is to be said of the studies that are in, by label.

    Returns
    -------
    DataFrame
        Columns unit, status and reason.
    """
    rows = []
    for analysis, evidence, told in parts:
        rows += [(f"{label}, {analysis.event}", "in", told[label]) for label in evidence.labels]
        for row in evidence.excluded.to_dict("records"):
            arm = f" ({row['arm']})" if row["arm"] != analysis.arm else ""
            rows.append((f"{row['label']}{arm}, {analysis.event}", "out", row["reason"]))
    return pd.DataFrame(rows, columns=["unit", "status", "reason"])


def kinds() -> list[str]:
    """Names of all kinds of questions: the folder is the registry."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if module.name != _OURS)


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Answered:
    """Answer a question of the plan.

    Parameters
    ----------
    question : Question
    project : Project
    seed : int
    out : Path, optional
        Where fits are kept and found again; without it nothing is written.
    say : callable
        Is told what happens.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior, NotConverged
    """
    if question.kind not in kinds():
        raise EvidenceError(
            f"analyses.toml [{question.name}]: no kind {question.kind!r}; {nearest(question.kind, kinds())}"
        )
    module = import_module(f"kyphobayes.questions.{question.kind}")
    return module.answer(question, project, seed=seed, out=out, say=say)
