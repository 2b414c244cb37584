"""Parts of a pooled analysis on its answer: the posterior, how studies differ, what priors do to it."""

import re

from markupsafe import Markup

from kyphobayes.report import figures as pictures
from kyphobayes.report import sentences, tables
from kyphobayes.report.beside import picture
from kyphobayes.report.document import Block, Fold, Section, Terms, text
from kyphobayes.report.given import Pooled
from kyphobayes.report.heat_map import heat_map
from kyphobayes.report.robustness import DECIDED, DEPENDS, ROBUST, Robustness, robustness_of
from kyphobayes.report.sensitivity import conclusion, credibility_sentence, decision_head, words_of
from kyphobayes.report.sensitivity import tables as sensitivity_tables
from kyphobayes.report.words import heading, limit

_FEW = 3  # studies, below which none is left out in turn
_VERDICTS = {
    ROBUST: "The conclusion is robust to the prior",
    DEPENDS: "The conclusion depends on the prior",
    DECIDED: "The prior decides the conclusion; who decides should say which prior they hold",
}


def posterior_part(given: Pooled) -> Section:
    """Prior and posterior, and what the next cases would show."""
    result, scale = given.result, given.result.scale
    label = result.priors.label.replace("_", " ")
    blocks = given.pictured(
        "prior_posterior", f"Before and after the evidence ({label} priors).",
        f"Typical {scale.name}, spread between {sentences.STUDIES[scale.one].lower()}, and the next "
        f"{scale.one}’s {scale.name}. Where posterior and prior look alike, the evidence says little.",
    )  # fmt: skip
    if result.main.next:
        blocks += given.pictured(
            "next_cases", f"Number of {result.analysis.event} to expect in the next centre.",
            "Blue: inside the 95 % interval. Dashed: mean.",
        )  # fmt: skip
    return Section(f"{given.slug}-posterior", "From prior to posterior", blocks)


def differences_part(given: Pooled) -> list[Section]:
    """How the answer hangs on tau and on each study, by exact refits; nothing where there are too few."""
    result, scale = given.result, given.result.scale
    if "exact" not in result.fits or result.evidence.k < _FEW:
        return []
    ones = sentences.STUDIES[scale.one].lower()
    drawn = [
        *given.of_fit(
            pictures.given_tau, "given-tau", f"The answer for each spread between {ones}.",
            f"At tau = 0 all {ones} are alike and the data are pooled; to the right each is left to what it "
            "saw itself. Beneath: how plausible each spread is.",
        ),
        *given.of_fit(
            pictures.leave_one_out, "leave-one-out", "The typical effect without each study.",
            "Exact refits. Grey: the interval of all studies. A study without which the diamond would move "
            "far drives the answer.",
            limit=result.main.below,
        ),
        *given.of_fit(
            pictures.funnel, "funnel", "Small and large studies.",
            f"Inner region: where 95 % of studies would lie if all were alike; outer: where 95 % of the next "
            f"{ones} of that size would. With so few studies a lopsided picture proves nothing.",
        ),
    ]  # fmt: skip
    title = f"How much do {ones} differ, and which of them matter?"
    return [Section(f"{given.slug}-differences", title, tuple(drawn))] if drawn else []


def priors_part(given: Pooled) -> Section:
    """Whether the conclusion survives other priors, and what it would take to change it."""
    result = given.result
    blocks: list[Block] = [text(verdict(robustness_of(result))), *_explorer(given)]
    blocks += given.pictured(
        "prior_comparison", "The answer under each set of priors.",
        f"Posterior medians and 95 % intervals; dashed line: the limit of the claim, "
        f"{limit(result.main.below, result.scale)}.",
    )  # fmt: skip
    blocks.append(given.shown(tables.priors(result)))
    whys = [
        (Markup("{}: {} ~ <code>{}</code>").format(label.replace("_", " "), name, prior),
         prior.why or "No reason given.")
        for label, priors in result.compared.items()
        for name, prior in priors.entries
    ]  # fmt: skip
    blocks.append(Fold("The priors, and the reason for each", (Terms(tuple(whys), "whys"),)))
    blocks += _depends(given)
    return Section(f"{given.slug}-priors", "Do the priors matter?", tuple(blocks))


def verdict(found: Robustness) -> str:
    """Say in a sentence whether a conclusion survives other priors."""
    if found.word not in _VERDICTS:
        return (
            "Only one set of priors was used, so nothing can be said about how far the answer depends on it."
        )
    return f"{_VERDICTS[found.word]}. Probability of the claim: {found.line}."


def _explorer(given: Pooled) -> tuple[Block, ...]:
    """A link to the page on which a reader moves the priors, where it lies beside the report."""
    for name in dict.fromkeys((given.result.analysis.name, given.slug)):
        if re.fullmatch(r"[\w-]+", name) and (given.folder / "explorer" / f"{name}.html").is_file():
            link = Markup('<a href="explorer/{}.html">Move the priors and see the answer change</a>').format(
                name
            )
            return (text(link, " (a page of its own, which works offline).", kind="explorer"),)
    return ()


def _depends(given: Pooled) -> list[Block]:
    """What it would take to change the conclusion; nothing where no pairs of priors were tried."""
    result, found = given.result, given.result.sensitivity
    if found is None:
        return []
    shown = sensitivity_tables(found)
    sentence = conclusion(found, words_of(result.analysis, found))
    figure = heat_map(
        found.atlas, scale=found.scale, threshold=found.threshold, decision=decision_head(found)
    )
    scale = result.scale
    caption = (
        f"Posterior medians of the typical and the next {scale.one}’s {heading(scale)}, and the probability "
        "of the decision. Black frame: the main result. Red frames: pairs under which the conclusion is "
        "another."
    )
    alt = f"Heat map of the answer under every pair of priors. {sentence}"
    head, name = "The answer under every pair of priors.", f"{given.slug}-sensitivity-atlas"
    drawn = picture(figure, name, alt, given.folder, head, (caption,))
    more = [given.shown(shown[name]) for name in ("atlas", "power", "averaged", "before") if name in shown]
    pairs = len(shown["atlas"].frame)
    return [
        text(sentence),
        drawn,
        given.shown(shown["tipping"]),
        text(credibility_sentence(found)),
        Fold(f"All pairs of priors ({pairs}), power-scaling, and averages over models", tuple(more)),
    ]
