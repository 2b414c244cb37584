"""Parts of a pooled analysis on its evidence: which studies, how good, and counts that are not printed."""

from kyphobayes.evidence import Counts, Tabulated
from kyphobayes.report import evidence_tables, sentences
from kyphobayes.report.beside import picture
from kyphobayes.report.document import (
    Block,
    Fold,
    Inline,
    Items,
    Ref,
    Section,
    Text,
    figure_anchor,
    paragraphs,
    table_anchor,
    text,
)
from kyphobayes.report.given import Pooled
from kyphobayes.report.quality import judgements_table, studies_table
from kyphobayes.report.study_flow import flow_figure, flow_words
from kyphobayes.run import Result


def evidence_part(given: Pooled) -> Section:
    """Rows in and out, the forest, what entered with its sources, and what the studies are like."""
    result = given.result
    own = evidence_tables.evidence(result, given.sources)
    studies = studies_table(result, given.known)
    judged = judgements_table(result, given.known, given.sources)
    excluded: list[Block] = []
    where: tuple[Inline, ...] = ()
    if len(result.evidence.excluded):
        table = evidence_tables.excluded(result, given.sources)
        rows = len(table.frame)
        summary = f"Not in this analysis, and why ({rows} {'row' if rows == 1 else 'rows'})"
        excluded = [Fold(summary, (given.shown(table),))]
        where = (" Each is in ", Ref(table_anchor(f"{given.slug}-{table.name}")), ".")
    flow, seen = _flow(given)
    start = Text((given.flow.sentence, *seen, *where))
    blocks = (
        start,
        *given.pictured("forest", "Studies, typical and next one.", _forest_words(result)),
        given.shown(own),
        *([given.shown(studies)] if studies else []),
        *(
            [Fold("Each judgement of the risk of bias, with its reason", (given.shown(judged),))]
            if judged
            else []
        ),
        *flow,
        *excluded,
    )
    return Section(f"{given.slug}-evidence", "Evidence", blocks)


def _flow(given: Pooled) -> tuple[tuple[Block, ...], tuple[Inline, ...]]:
    """The figure of the flow, and words that lead to it; neither where nothing was left out."""
    if not given.flow.excluded:
        return (), ()
    name = f"{given.slug}-flow"
    words = "What came before the tables, such as searches, is not in them."
    figure, alt = flow_figure(given.flow), flow_words(given.flow)
    drawn = picture(figure, name, alt, given.folder, "From rows to studies.", (words,))
    return (Fold("The flow of studies, as a figure", (drawn,)),), (
        " ",
        Ref(figure_anchor(name)),
        " shows it.",
    )


def _forest_words(result: Result) -> str:
    scale, evidence = result.scale, result.evidence
    exact = "exact (Clopper–Pearson) " if isinstance(evidence, Counts) else ""
    text = f"Squares: observed {scale.name} with its {exact}95 % interval. "
    if isinstance(evidence, Tabulated) and len(evidence.latent):
        text += (
            "Orange: the count is not printed; the bar spans what all tables allow that agree with the "
            "paper, the dotted line their 95 % limits. "
        )
    return text + (
        f"Blue: the study’s own {scale.name} by the model, drawn towards the others the more the less it "
        f"says by itself. Diamond: typical {scale.name}. Wide bar: where the next {scale.one}’s {scale.name} "
        "lies with 95 % probability."
    )


def latent_part(given: Pooled) -> list[Block]:
    """What is printed about counts that are not, and how probable each is; nothing where all are printed."""
    result = given.result
    told = sentences.latent(result)
    if not told:
        return []
    source = result.evidence.latent_source if isinstance(result.evidence, Counts) else None
    blocks: list[Block] = [*paragraphs(told)]
    if source is not None and source.left_out:
        out = [sentences.left_out(printed, agreeing, len(source)) for printed, agreeing in source.left_out]
        blocks += [
            text("Printed figures that were left out:", kind="strong"),
            Items(tuple((t,) for t in out)),
        ]
    trail = evidence_tables.trail(result)
    blocks += [given.shown(trail)] if trail else []
    blocks += given.pictured(
        "latent_counts", "Probability of each count.",
        "Dotted outline: weight of the tables with that count before the model. Filled: after the model has "
        "seen how alike the centres are.",
    )  # fmt: skip
    return [Section(f"{given.slug}-latent", "Counts that are not printed", tuple(blocks))]
