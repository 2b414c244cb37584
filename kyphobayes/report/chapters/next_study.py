"""Chapter on the next study: expected widths and assurance as a function of its size."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphobayes.questions import Answered
from kyphobayes.questions.next_study import Planned, widths_now
from kyphobayes.report.canvas import BLUE, ORANGE, PALE, SKY, VERMILION, WIDTH, blank, style
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.shows import chance
from kyphobayes.report.tables import Column, Show, Table, text
from kyphobayes.report.words import decimal, probabilities, threshold, whole


def chapter(answered: Answered) -> Chapter:
    """One part: the figure, and the table of what is expected."""
    planned: list[Planned] = answered.more["planned"]
    certainty: float = answered.more["certainty"]
    plate = Plate(
        "expected",
        expected(planned, certainty),
        "Expected widths of the intervals, and probability of a decision, by the size of another study. "
        + answered.sentence,
        "Above: expected width of the 95 % intervals after another study; at 0, what it is now. Below: "
        "probability that the study would decide whether the typical rate lies below the analysis’s limit.",
    )
    sentences = (
        "A new study informs the next centre’s rate only as one more centre: however large it is, it does "
        "not make centres more alike.",
    )
    return Chapter(answered, (Part("", sentences, (plate,), (_table(answered, planned, certainty),)),))


def expected(planned: Sequence[Planned], certainty: float) -> Figure:
    """Draw expected widths and assurance against the size of the study, one column for each outcome."""
    with style():
        figure = blank(WIDTH, 5.6)
        panels = figure.subplots(2, len(planned), squeeze=False)
        for column, one in enumerate(planned):
            _widths(panels[0, column], one)
            _assurance(panels[1, column], one, certainty)
        for row, anchor in ((0, 0.99), (1, 0.5)):
            handles, labels = panels[row, 0].get_legend_handles_labels()
            figure.legend(
                handles, labels, loc="upper center", bbox_to_anchor=(0.5, anchor), ncols=3, borderaxespad=0
            )
        figure.subplots_adjust(left=0.09, right=0.98, top=0.89, bottom=0.1, wspace=0.24, hspace=0.62)
        return figure


def _widths(axes: Axes, one: Planned) -> None:
    typical, coming = widths_now(one.now)
    x = [0, *(study.n for study in one.studies)]
    next_widths = [100 * w for w in (coming, *(study.next_width for study in one.studies))]
    typical_widths = [100 * w for w in (typical, *(study.typical_width for study in one.studies))]
    axes.plot(x, next_widths, "s-", color=SKY, lw=2.0, ms=5, label="next centre’s rate")
    axes.plot(x, typical_widths, "o-", color=BLUE, lw=2.0, ms=5, label="typical rate")
    axes.set_ylim(0, 1.1 * max(next_widths))
    axes.set_ylabel("expected width, points")
    axes.set_xlabel(f"{one.analysis.unit} in the study")
    axes.set_title(_capital(one.analysis.event), loc="left", fontweight="bold")
    axes.grid(axis="y", color=PALE, lw=0.6)


def _assurance(axes: Axes, one: Planned, certainty: float) -> None:
    x = [study.n for study in one.studies]
    below = [100 * study.concludes_below for study in one.studies]
    above = [100 * study.concludes_above for study in one.studies]
    open_ = [100 - b - a for b, a in zip(below, above, strict=True)]
    sure = f"{threshold(certainty)} sure"
    axes.plot(x, below, "o-", color=BLUE, lw=2.0, ms=5, label=f"{sure}: below the limit")
    axes.plot(x, above, "D-", color=VERMILION, lw=2.0, ms=5, label=f"{sure}: not below it")
    axes.plot(x, open_, "s--", color=ORANGE, lw=1.6, ms=5, label="undecided")
    axes.set_ylim(-4, 104)
    axes.set_xlim(left=0)
    axes.set_ylabel("probability, %")
    axes.set_xlabel(f"{one.analysis.unit} in the study")


def _table(answered: Answered, planned: Sequence[Planned], certainty: float) -> Table:
    units = {one.analysis.outcome: one.analysis.unit for one in planned}

    def size(r: Any) -> str:
        return "none (now)" if r["n"] == 0 else f"{whole(r['n'])} {units[r['outcome']]}"

    columns = (
        Column("Outcome", text("outcome")),
        Column("Study of", size),
        Column("Next centre, points", _points("next_width"), True),
        Column("Typical, points", _points("typical_width"), True),
        Column("P(sure: below)", chance("concludes_below"), True),
        Column("P(sure: not below)", chance("concludes_above"), True),
        Column("P(below) after it", lambda r: probabilities(r["least_below"], r["most_below"]), True),
    )
    note = (
        "Points: expected width of the 95 % interval, in percentage points. Sure: the typical rate lies "
        f"below the limit, or not, with a probability of {threshold(certainty)}. P(below) after it: the "
        "least and the largest probability that the typical rate lies below the limit, over all counts that "
        "the study may find."
    )
    frame = answered.tables["expected"]
    return Table("expected", "What another study is expected to teach", frame, columns, note)


def _points(key: str) -> Show:
    return lambda r: decimal(100 * r[key], 1)


def _capital(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:]
