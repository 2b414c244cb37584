"""The section of a question that is not about one pooled rate, from its chapter."""

from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from kyphobayes.evidence.two_arms import TwoArms
from kyphobayes.questions import Answered
from kyphobayes.report.beside import picture, write_text
from kyphobayes.report.chapters import Part, chapter_of
from kyphobayes.report.document import (
    Block,
    Code,
    Fold,
    Items,
    Section,
    Shown,
    Terms,
    begun,
    paragraphs,
    text,
)
from kyphobayes.report.r_comparison import r_comparison
from kyphobayes.report.tables import Column, Table, exactly


def asked_section(answered: Answered, anchor: str, folder: Path) -> Section:
    """Make the section; its figures are written beside the page.

    Parameters
    ----------
    answered : Answered
    anchor : str
        Its name in addresses and file names.
    folder : Path
        Of the report.
    """
    question = answered.question
    blocks: list[Block] = [text(question.question, kind="question"), text(answered.sentence, kind="answer")]
    blocks += [
        text(f"{begun(check.name)} FAILED: {check.text}.", kind="alarm")
        for check in answered.checks
        if not check.passed
    ]
    for place, part in enumerate(chapter_of(answered).parts, start=1):
        inside = _part(part, anchor, folder)
        blocks += [Section(f"{anchor}-{place}", part.heading, inside)] if part.heading else inside
    made = (*_made(answered, anchor), *_in_r(answered, anchor, folder))
    blocks.append(Section(f"{anchor}-made", "Checks, priors, and who is in", made))
    return Section(anchor, question.title, tuple(blocks))


def _part(part: Part, anchor: str, folder: Path) -> tuple[Block, ...]:
    pictures = [
        picture(plate.figure, f"{anchor}-{plate.name}", plate.alt, folder, "", (plate.caption,))
        for plate in part.plates
    ]
    tables = []
    for table in part.tables:
        name = f"{anchor}-{table.name}"
        tables.append(Shown(name, replace(table, name=name)))
    return (*paragraphs(part.sentences), *pictures, *tables)


def _made(answered: Answered, anchor: str) -> tuple[Block, ...]:
    question = answered.question
    blocks: list[Block] = []
    if answered.checks:
        passed = sum(check.passed for check in answered.checks)
        told = [
            (f"{begun(check.name)}{'' if check.passed else ' FAILED'}: {check.text}.",)
            for check in answered.checks
        ]
        blocks.append(Fold(f"Checks: {passed} of {len(answered.checks)} passed", (Items(tuple(told)),)))
    whys = [
        (
            Markup("{}: {} ~ <code>{}</code>").format(priors.label.replace("_", " "), name, prior),
            prior.why or "No reason given.",
        )
        for priors in question.priors
        for name, prior in priors.entries
    ]
    if whys:
        blocks.append(Fold("The priors, and the reason for each", (Terms(tuple(whys), "whys"),)))
    blocks.append(Fold("Who is in, who is out, and why", (Shown(f"{anchor}-who", _who(answered, anchor)),)))
    if question.note:
        blocks.append(text(question.note, kind="small"))
    return tuple(blocks)


def _who(answered: Answered, anchor: str) -> Table:
    columns = tuple(
        Column(begun(str(name).replace("_", " ")), exactly(str(name))) for name in answered.who.columns
    )
    return Table(f"{anchor}-who", "Who is in, who is out, and why", answered.who, columns)


def _in_r(answered: Answered, anchor: str, folder: Path) -> tuple[Block, ...]:
    """The same in R, where two treatments are compared under exchangeable baselines."""
    evidence = answered.more.get("evidence")
    fits = [priors for priors in answered.question.priors if {"mu", "tau", "tau_baseline"} <= set(priors)]
    if not isinstance(evidence, TwoArms) or not fits:
        return ()
    code, file = r_comparison(answered.question.title, evidence, fits[0]), f"r/{anchor}.R"
    write_text(folder / file, code)
    intro = text("metafor (Viechtbauer 2010) for ratios, and brms (Bürkner 2017) for the same model.")
    return (Fold("The same in R", (intro, Code(f"{anchor}-r", code, "r", file))),)
