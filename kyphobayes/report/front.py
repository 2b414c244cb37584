"""Sections that are about the whole report: summary, how to read it, evidence base, methods, files."""

from collections.abc import Collection, Sequence
from pathlib import Path

from kyphobayes.questions import Answered
from kyphobayes.report.beside import files_table, picture
from kyphobayes.report.document import (
    Block,
    Copied,
    Fold,
    Items,
    Ref,
    Section,
    Shown,
    Terms,
    Text,
    figure_anchor,
    table_anchor,
    text,
)
from kyphobayes.report.methods import answered_methods, methods
from kyphobayes.report.references import cited_in
from kyphobayes.report.study_flow import Base, Flow, base_figure, base_table, base_words, flow_table
from kyphobayes.report.summary_table import Line, summary_table
from kyphobayes.report.tables import Table
from kyphobayes.run import Result

_GUIDELINES = "Kruschke 2021; Sung et al. 2005; Page et al. 2021; Stroup et al. 2000"
_PACKAGES = "Viechtbauer 2010; Röver 2020; Bürkner 2017; Clopper and Pearson 1934"


def summary_section(lines: Sequence[Line], decided: Table | None) -> Section:
    """All answers on one page, then all claims."""
    blocks: list[Block] = [Shown("summary", lambda numbers: summary_table(lines, numbers))]
    if decided is not None:
        blocks.append(Section("decisions", "What follows for decisions", (Shown("decisions", decided),)))
    return Section("summary", "Summary of all analyses", tuple(blocks), "stay")


def reading(ones: Collection[str]) -> Section:
    """What the words mean; `ones` are what the populations consist of, such as centres."""
    one = "centre" if ones == {"centre"} else "study" if ones == {"study"} else "centre or study"
    terms = (
        (
            f"Typical {one}",
            "The one in the middle of all: half of them have a higher value, half a lower one.",
        ),
        (
            f"Next {one}",
            "One that has not reported yet, as different from the others as they are from each other"
            + (": what a hospital should expect of itself." if "centre" in ones else "."),
        ),
        (
            "95 % interval",
            "Given the evidence, the model and the prior, the value lies in it with a probability of 95 %.",
        ),
        (
            "tau",
            "How much they differ, as a standard deviation on the scale of the model. For shares this is the "
            "scale of log odds: at 0 all are alike; at 1 the middle 95 % differ about 50-fold in odds.",
        ),
        (
            "Prior, posterior",
            "What was held plausible before, and what is after these studies. Since people differ in the "
            "former, each answer is given under several priors.",
        ),
    )
    return Section("reading", "How to read this report", (Terms(terms),), "stay")


def base_section(base: Base | None, flows: Sequence[Flow], titles: Sequence[str], folder: Path) -> Section:
    """From sources to studies to outcomes, and from rows to the studies of each analysis."""
    blocks: list[Block] = []
    if base is not None:
        name = "evidence-base"
        drawn = picture(
            base_figure(base), name, base_words(base), folder, "The evidence base.",
            ("A study may be in several tables, and a row is one study, arm and time.",),
        )  # fmt: skip
        shown = Ref(figure_anchor(name))
        blocks += [Text((base.sentence, " ", shown, " shows them.")), drawn, Shown(name, base_table(base))]
    table = flow_table(flows, titles)
    shown = Ref(table_anchor(table.name))
    blocks.append(
        Text((shown, " follows the rows of each pooled analysis into it; its section says which they are."))
    )
    blocks.append(Shown(table.name, table))
    return Section("evidence-base", "The evidence base", tuple(blocks))


def methods_section(results: Sequence[Result], answers: Sequence[Answered]) -> Section:
    """A paragraph for each analysis and question, from its stamp, to be pasted into a paper."""
    own = [(result.analysis.title, methods(result)) for result in results]
    own += [(answered.question.title, answered_methods(answered)) for answered in answers]
    told = [
        Section(f"methods-{place}", title, (Copied(f"methods-text-{place}", (paragraph,)),))
        for place, (title, paragraph) in enumerate(own, start=1)
    ]
    cited = cited_in([*(paragraph for _, paragraph in own), _GUIDELINES, _PACKAGES])
    listed = Section("references", "References", (Items(tuple((each,) for each in cited), ordered=True),))
    start = text(
        "Written from the stamps of the fits: models, priors, engines, settings, seeds and versions."
    )
    return Section("methods", "Methods", (start, *told, listed))


def files_section(sections: tuple[Section, ...], fits: Sequence[Path], *, audit: bool) -> list[Section]:
    """What lies beside the page, and how to have it all again."""
    more = [("tables/audit.csv", "Every printed figure with its verdict")] if audit else []
    index = Shown("files", lambda numbers: files_table(sections, numbers, fits, more))
    kinds = "figures (SVG and PNG), tables in full precision (CSV), R code, and fits (NetCDF, for ArviZ)"
    again = (
        "In a copy of the project, make report installs the pinned software, runs every analysis of "
        "data/analyses.toml and writes this report again; in a folder of your own, kyphobayes report does. "
        "make test checks the software, the tables and the models. Anew it takes minutes, nearly all of them "
        "sampling; finished fits are found again by the digest of all that decides them."
    )
    return [
        Section(
            "files", "Files beside this report", (text(f"There are {kinds}."), Fold("All files", (index,)))
        ),
        Section("reproduce", "How to reproduce this report", (text(again),), "stay"),
    ]
