"""The section of a pooled analysis: the answer, then evidence, priors, witnesses, diagnostics and code."""

from kyphobayes.evidence import Contrasts, Counts
from kyphobayes.report import sentences, tables
from kyphobayes.report.answer_part import differences_part, posterior_part, priors_part
from kyphobayes.report.beside import write_text
from kyphobayes.report.document import (
    Block,
    Box,
    Code,
    Columns,
    Fold,
    Ref,
    Section,
    Terms,
    paragraphs,
    text,
)
from kyphobayes.report.evidence_part import evidence_part, latent_part
from kyphobayes.report.given import Pooled
from kyphobayes.report.groups_part import groups_part
from kyphobayes.report.methods import stamps
from kyphobayes.report.r_code import r_code
from kyphobayes.report.words import limit
from kyphobayes.run import Result


def pooled_section(given: Pooled) -> Section:
    """Make the section of a pooled analysis; its figures and its R code are written beside the page."""
    result = given.result
    analysis = result.analysis
    blocks: list[Block] = []
    if analysis.question:
        blocks.append(text(analysis.question, kind="question"))
    if analysis.note:
        blocks.append(text(analysis.note))
    failed = [check.name for check in result.checks if not check.passed]
    if failed:
        blocks.append(text(f"Do not use this result yet: {', '.join(failed)} failed.", kind="alarm"))
    blocks += [_answer(result), evidence_part(given)]
    blocks += latent_part(given)
    blocks += [posterior_part(given), *groups_part(given), *differences_part(given)]
    blocks += [priors_part(given), _agreement(given)]
    blocks += [*_diagnostics(given), _made(given)]
    return Section(given.slug, analysis.title, tuple(blocks))


def _answer(result: Result) -> Columns:
    decision, scale = result.analysis.decision, result.scale
    article = "an" if scale.name[:1] in "aeio" else "a"
    claim = f"The claim is about {article} {scale.name} {result.main.side} {limit(result.main.below, scale)}."
    source = f" {decision.source}" if decision.source else ""
    answer = Box("Answer", (text(sentences.answer(result)), text(claim + source, kind="small")), "answer")
    counts = isinstance(result.evidence, Counts) and result.evidence.latent_source is not None
    heading_ = "What the paper’s method gives" if counts else "What simple pooling gives"
    return Columns((answer, Box(heading_, paragraphs(sentences.paper(result)), "beside")))


# -- witnesses and diagnostics -------------------------------------------------------------------------------


def _agreement(given: Pooled) -> Section:
    result = given.result
    checks = {check.name: check for check in result.checks}
    failed = "agreement" in checks and not checks["agreement"].passed
    blocks: list[Block] = [
        text(sentences.agreement(result), kind="verdict fail" if failed else "verdict"),
        *paragraphs(sentences.expected_differences(result)),
        given.shown(tables.witness(result)),
    ]
    if {"exact", "nuts"} <= set(result.fits):
        blocks += given.pictured(
            "engines", "Two engines, one posterior.", "Histogram: draws of NUTS. Line: exact density."
        )  # fmt: skip
    if "agreement" in checks:
        table = tables.check_table(checks["agreement"])
        blocks.append(
            Fold(f"Full agreement certificate ({len(table.frame)} comparisons)", (given.shown(table),))
        )
    return Section(f"{given.slug}-agreement", "Do the witnesses agree?", tuple(blocks))


def _diagnostics(given: Pooled) -> list[Block]:
    result = given.result
    checks = {check.name: check for check in result.checks}
    blocks: list[Block] = []
    if check := checks.get("convergence"):
        blocks.append(text(f"Sampling: {check.text}.", kind="" if check.passed else "fail"))
        blocks += given.pictured(
            "ranks", "Did the chains mix?",
            "Share of each chain’s draws in twenty equal parts of all draws. Chains that explored the same "
            "posterior stay near 1.",
        )  # fmt: skip
        inside = [given.shown(tables.check_table(check))]
        summary = tables.diagnostics(result)
        inside += [given.shown(summary)] if summary else []
        blocks.append(Fold("Convergence diagnostics of NUTS", tuple(inside)))
    else:
        blocks.append(text("NUTS was not run for this result: it is integrated, and there are no chains."))
    if check := checks.get("posterior predictive"):
        blocks.append(text(f"Fit: {check.text}.", kind="" if check.passed else "fail"))
        blocks.append(Fold("Posterior predictive check", (given.shown(tables.check_table(check)),)))
    return [Section(f"{given.slug}-diagnostics", "Diagnostics", tuple(blocks))]


def _made(given: Pooled) -> Section:
    result = given.result
    code, file = r_code(result), f"r/{given.slug}.R"
    write_text(given.folder / file, code)
    known = isinstance(result.evidence, Contrasts)
    same = " With known standard errors, bayesmeta computes the same posterior." if known else ""
    blocks: list[Block] = [
        text(
            "How it was computed is told in ", Ref("methods"), ", in words that can be pasted into a paper."
        ),
    ]
    stamp = stamps(result)
    if stamp:
        blocks.append(Fold("Seed, versions and digests", (Terms(tuple(stamp), "stamp"),)))
    intro = (
        "metafor (Viechtbauer 2010) for the frequentist estimates, bayesmeta (Röver 2020) and brms (Bürkner "
        f"2017) for the posterior, with the data in the script. What is not the same is said in it.{same}"
    )
    blocks.append(Fold("The same in R", (text(intro), Code(f"{given.slug}-r", code, "r", file))))
    return Section(f"{given.slug}-code", "How it was made, and the same in R", tuple(blocks))
