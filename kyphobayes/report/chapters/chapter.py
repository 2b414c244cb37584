"""What a chapter is: parts with sentences, tables and figures, ready for the template."""

from dataclasses import dataclass
from importlib import import_module

from matplotlib.figure import Figure

from kyphobayes.questions import Answered
from kyphobayes.report.tables import Table


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
