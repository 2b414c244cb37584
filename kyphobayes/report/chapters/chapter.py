"""What a chapter is: parts with sentences, tables and figures, ready for the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from kyphobayes.questions import Answered
from kyphobayes.report.tables import Column, Table, exactly


@dataclass(frozen=True)
class Plate:
    """A figure of a chapter.

    Attributes
    ----------
    name : str
        Of its files.
    figure : Figure
    alt, caption : str
    """

    name: str
    figure: Figure
    alt: str
    caption: str


@dataclass(frozen=True)
class Part:
    """Sentences, then figures, then tables, under a heading of their own if there is one."""

    heading: str = ""
    sentences: tuple[str, ...] = ()
    plates: tuple[Plate, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """All that the page shows of one question, below its answer in a sentence."""

    answered: Answered
    parts: tuple[Part, ...]


def chapter_of(answered: Answered) -> Chapter:
    """Chapter on an answer, by the module of its kind."""
    module = import_module(f"kyphobayes.report.chapters.{answered.question.kind}")
    return module.chapter(answered)


def answers_table(answers: Sequence[Answered]) -> Table | None:
    """Every answer in its sentence, with whether its checks passed; None where there is none."""
    if not answers:
        return None
    rows = [
        {
            "question": one.question.name,
            "title": one.question.title,
            "answer": one.sentence,
            "checks": "pass" if one.passed else "FAIL",
        }
        for one in answers
    ]
    link = Markup('<a href="#{}">{}</a>')
    columns = (
        Column("Question", lambda r: link.format(r["question"], r["title"])),
        Column("Answer", exactly("answer")),
        Column("Checks", exactly("checks")),
    )
    return Table("answers", "Questions that are not about one pooled rate", pd.DataFrame(rows), columns)
