"""Which rows became the studies of an analysis, and why the others did not: in numbers, words and a figure.

The figure follows the flow diagram of PRISMA 2020 (Page et al. 2021) from the tables on: what was searched
and screened before they were made is not in them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from kyphobayes.evidence import Counts, Rates, Tabulated, read_table
from kyphobayes.project import Project
from kyphobayes.report.canvas import GREY, INK, SMALL, WIDTH, blank, style, wrapped
from kyphobayes.report.document import begun
from kyphobayes.report.tables import Column, Table
from kyphobayes.report.words import counted, listed, whole
from kyphobayes.run import Result

# Reasons of `kyphobayes.evidence.select` by their beginning; the rest names the row's treatment or its rival.
_KINDS = (
    ("treatment is", "another treatment"),
    ("counted in", "counted in another unit"),
    ("population is", "another population"),
    ("shares patients with", "patients are part of a larger series"),
    ("not among the studies", "not among the studies this analysis is about"),
    ("no denominator", "no denominator printed"),
    ("no count", "no count printed"),
)
_READ = {"full text": "full texts", "abstract": "abstracts", "secondary": "told by other texts"}
_PAD = 0.09  # inches around the text of a box
_GAP = 0.3  # between boxes
_LEADING = 1.45  # lines


@dataclass(frozen=True)
class Flow:
    """Rows of an outcome's table on their way into an analysis.

    Attributes
    ----------
    source : str
        Where the rows are.
    rows, included : int
    excluded : tuple of (str, int)
        Reasons with their numbers of rows, the most frequent first.
    of : str
        What the studies amount to: "804 levels"; may be empty.
    latent : int
        Studies whose counts are not printed.
    """

    source: str
    rows: int
    included: int
    excluded: tuple[tuple[str, int], ...]
    of: str = ""
    latent: int = 0

    @property
    def out(self) -> int:
        """Rows that did not enter."""
        return sum(number for _, number in self.excluded)

    @property
    def entered(self) -> str:
        """What entered, in words."""
        text = counted(whole(self.included), "studies in the analysis")
        text += f" ({self.of})" if self.of else ""
        if self.latent:
            text += f", {whole(self.latent)} of them with a count that is not printed"
        return text

    @property
    def sentence(self) -> str:
        """The whole flow in a sentence."""
        source = f" {self.source}" if self.source else ""
        start = f"Of {counted(whole(self.rows), 'rows')}{source}, {whole(self.included)} entered"
        start += f" ({self.of})" if self.of else ""
        if not self.excluded:
            return f"{start}, and none was left out."
        reasons = listed([f"{reason} ({whole(number)})" for reason, number in self.excluded])
        return f"{start} and {whole(self.out)} did not: {reasons}."


def flow_of(result: Result) -> Flow:
    """Follow the rows of an analysis."""
    evidence, analysis = result.evidence, result.analysis
    kinds: Counter[str] = Counter()
    if "reason" in evidence.excluded:
        kinds.update(_kind(str(reason)) for reason in evidence.excluded["reason"])
    of = ""
    if isinstance(evidence, Counts):
        of = f"{whole(float(evidence.n.sum()))} {analysis.unit}".strip()
    elif isinstance(evidence, Rates):
        of = f"{whole(float(evidence.exposure.sum()))} {evidence.unit}".strip()
    return Flow(
        source=f"in the table of {analysis.outcome.replace('_', ' ')}" if analysis.outcome else "",
        rows=evidence.k + len(evidence.excluded),
        included=evidence.k,
        excluded=tuple(kinds.most_common()),
        of=of,
        latent=len(evidence.latent) if isinstance(evidence, Tabulated) else 0,
    )


def _kind(reason: str) -> str:
    return next((kind for start, kind in _KINDS if reason.startswith(start)), reason)


def flow_table(flows: Sequence[Flow], titles: Sequence[str]) -> Table:
    """Rows in, rows out by reason, studies: a line for each analysis."""
    reasons = list(dict.fromkeys(reason for flow in flows for reason, _ in flow.excluded))
    rows = [
        {
            "analysis": title,
            "rows": flow.rows,
            **{reason: dict(flow.excluded).get(reason, 0) for reason in reasons},
            "studies": flow.included,
        }
        for flow, title in zip(flows, titles, strict=True)
    ]

    def number(key: str) -> Any:
        return lambda row: whole(row[key])

    columns = (
        Column("Analysis", lambda row: row["analysis"]),
        Column("Rows in the outcome’s table", number("rows"), True),
        *(Column(f"Out: {reason}", number(reason), True) for reason in reasons),
        Column("Studies in the analysis", number("studies"), True),
    )
    return Table("study-flow", "From rows to studies", pd.DataFrame(rows), columns)


def flow_figure(flow: Flow) -> Figure:
    """Draw the flow of one analysis: what there was, what did not enter, what did."""
    left, right = 3.4, 4.4  # inches
    first = counted(whole(flow.rows), f"rows {flow.source}".strip())
    with style():
        probe = blank()
        top, bottom = (_lines(probe, words, left) for words in (first, flow.entered))
        side = _lines(probe, f"{whole(flow.out)} did not enter:", right) if flow.excluded else []
        for reason, number in flow.excluded:
            side += _lines(probe, f"{whole(number)}  {reason}", right)
        heights = [_height(lines) for lines in (top, side, bottom)]
        middle = heights[1] + 2 * _GAP if side else _GAP
        figure = blank(WIDTH, 0.1 + heights[0] + middle + heights[2])
        total = figure.get_figheight()
        x, y = 0.05, total - 0.05
        _box(figure, x, y, left, top)
        _box(figure, x, y - heights[0] - middle, left, bottom, strong=True)
        _arrow(figure, (x + left / 2, y - heights[0]), (x + left / 2, y - heights[0] - middle))
        if side:
            level = y - heights[0] - middle / 2
            _arrow(figure, (x + left / 2, level), (WIDTH - right - 0.05, level))
            _box(figure, WIDTH - right - 0.05, level + heights[1] / 2, right, side)
        return figure


def flow_words(flow: Flow) -> str:
    """Words for those who cannot see the figure."""
    return f"Flow diagram. {flow.sentence}"


# -- the whole evidence base --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Base:
    """The evidence of a project, from sources to outcomes.

    Attributes
    ----------
    sources, studies : int
    read_as : tuple of (str, int)
        How sources were read: full text, abstract, secondary.
    designs : tuple of (str, int)
    outcomes : tuple of (str, int, int)
        Outcome, its studies, its rows.
    judged : int
        Studies with a judgement of their risk of bias.
    """

    sources: int
    studies: int
    read_as: tuple[tuple[str, int], ...]
    designs: tuple[tuple[str, int], ...]
    outcomes: tuple[tuple[str, int, int], ...]
    judged: int

    @property
    def sentence(self) -> str:
        """The base in a sentence."""
        verb, they = ("was", "it describes") if self.sources == 1 else ("were", "they describe")
        judged = (
            f", of which {whole(self.judged)} have a judgement of their risk of bias" if self.judged else ""
        )
        tables = counted(whole(len(self.outcomes)), "tables, one for each outcome")
        return (
            f"{begun(self.read)} {verb} read; {they} {self.described}{judged}. Their results are in {tables}."
        )

    @property
    def read(self) -> str:
        """Number of sources, with how they were read."""
        return _told(counted(whole(self.sources), "sources"), self.read_as)

    @property
    def described(self) -> str:
        """Number of studies, with their designs."""
        return _told(counted(whole(self.studies), "studies"), self.designs)


def _told(number: str, parts: Sequence[tuple[str, int]]) -> str:
    return f"{number} ({_counts(parts)})" if parts else number


def base_of(project: Project, judged: int) -> Base | None:
    """Count what a project's tables hold; None where it has no table of sources or of studies.

    Parameters
    ----------
    project : Project
    judged : int
        Studies with a judgement of their risk of bias.

    Raises
    ------
    EvidenceError
        If a table is there and does not say what it must.
    """
    if not all((project.data / name).is_file() for name in ("sources.csv", "studies.csv")):
        return None
    sources, studies = read_table(project, "sources.csv"), read_table(project, "studies.csv")
    outcomes = []
    for path in sorted((project.data / "outcomes").glob("*.csv")):
        rows = read_table(project, f"outcomes/{path.name}")
        outcomes.append((path.stem.replace("_", " "), int(rows["study_id"].nunique()), len(rows)))
    return Base(
        sources=len(sources),
        studies=len(studies),
        read_as=tuple((_READ.get(how, how), number) for how, number in _frequent(sources, "read_as")),
        designs=_frequent(studies, "design"),
        outcomes=tuple(outcomes),
        judged=judged,
    )


def _frequent(table: pd.DataFrame, column: str) -> tuple[tuple[str, int], ...]:
    if column not in table:
        return ()
    told = [str(value).replace("_", " ") for value in table[column]]
    return tuple(Counter(word or "not stated" for word in told).most_common()) if any(told) else ()


def _counts(pairs: Sequence[tuple[str, int]]) -> str:
    return listed([f"{whole(number)} {word}" for word, number in pairs])


def base_table(base: Base) -> Table:
    """Studies and rows of each outcome."""
    frame = pd.DataFrame(list(base.outcomes), columns=["outcome", "studies", "rows"])
    columns = (
        Column("Outcome", lambda row: row["outcome"]),
        Column("Studies", lambda row: whole(row["studies"]), True),
        Column("Rows (study × arm × time)", lambda row: whole(row["rows"]), True),
    )
    return Table("evidence-base", "Outcomes of the evidence base", frame, columns)


def base_figure(base: Base) -> Figure:
    """Draw the evidence base: sources, studies, outcomes."""
    wide = WIDTH - 0.1
    with style():
        probe = blank()
        boxes = [
            _lines(probe, base.read, wide),
            _lines(probe, base.described, wide),
        ]
        columns = 4
        each = (wide - _GAP / 2 * (columns - 1)) / columns
        told = [
            _lines(probe, name, each) + _lines(probe, _numbers(studies, rows), each)
            for name, studies, rows in base.outcomes
        ]
        rows = [told[place : place + columns] for place in range(0, len(told), columns)]
        tall = [max(_height(lines) for lines in row) for row in rows]
        heights = [_height(lines) for lines in boxes]
        figure = blank(WIDTH, 0.1 + sum(heights) + 2 * _GAP + sum(tall) + _GAP / 2 * max(len(rows) - 1, 0))
        y = figure.get_figheight() - 0.05
        for lines, height in zip(boxes, heights, strict=True):
            _box(figure, 0.05, y, wide, lines, strong=lines is boxes[1])
            _arrow(figure, (WIDTH / 2, y - height), (WIDTH / 2, y - height - _GAP))
            y -= height + _GAP
        for row, height in zip(rows, tall, strict=True):
            for place, lines in enumerate(row):
                _box(figure, 0.05 + place * (each + _GAP / 2), y, each, lines, height=height)
            y -= height + _GAP / 2
        return figure


def _numbers(studies: int, rows: int) -> str:
    return f"{counted(whole(studies), 'studies')}, {counted(whole(rows), 'rows')}"


def base_words(base: Base) -> str:
    """Words for those who cannot see the figure."""
    told = [f"{name}: {_numbers(studies, rows)}" for name, studies, rows in base.outcomes]
    return f"Flow diagram. {base.sentence} {listed(told)}."


# -- boxes --------------------------------------------------------------------------------------------------


def _lines(probe: Figure, words: str, width: float) -> list[str]:
    return wrapped(probe, words, width - 2 * _PAD, SMALL, lines=6).split("\n")


def _height(lines: Sequence[str]) -> float:
    return 2 * _PAD + len(lines) * SMALL * _LEADING / 72 if lines else 0.0


def _box(
    figure: Figure,
    x: float,
    y: float,
    width: float,
    lines: Sequence[str],
    *,
    strong: bool = False,
    height: float = 0.0,
) -> None:
    """Draw a box whose upper left corner is at (x, y) inches."""
    height = height or _height(lines)
    inches = figure.dpi_scale_trans
    edge = INK if strong else GREY
    figure.add_artist(
        Rectangle(
            (x, y - height), width, height, transform=inches, facecolor="white", edgecolor=edge,
            lw=1.4 if strong else 0.9,
        )
    )  # fmt: skip
    step = SMALL * _LEADING / 72
    for place, line in enumerate(lines):
        figure.text(
            x + _PAD, y - _PAD - (place + 0.5) * step, line, transform=inches, va="center", fontsize=SMALL
        )  # fmt: skip


def _arrow(figure: Figure, start: tuple[float, float], end: tuple[float, float]) -> None:
    figure.add_artist(
        FancyArrowPatch(
            start, end, transform=figure.dpi_scale_trans, arrowstyle="-|>", mutation_scale=9, color=GREY,
            lw=0.9, shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip
