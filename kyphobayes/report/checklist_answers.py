"""Answers to items of checklists that depend on what was run, by their names in ``checklists.toml``."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kyphobayes.evidence import Tabulated
from kyphobayes.names import MEASURE_LABELS
from kyphobayes.questions import Answered
from kyphobayes.report.document import begun
from kyphobayes.report.robustness import robustness_of
from kyphobayes.report.study_flow import Flow
from kyphobayes.report.words import counted, listed, significant, whole
from kyphobayes.run import Result

REPORTED, NOT_DONE, AUTHORS = "reported", "not done", "for the authors"
_ENOUGH = 10  # studies, below which tests of small-study effects say nothing


@dataclass(frozen=True)
class Facts:
    """What the answers are made from.

    Attributes
    ----------
    results, slugs : of the pooled analyses
    answers, anchors : of the other questions
    flows : tuple of Flow
    judged : int
        Studies with a judgement of their risk of bias.
    based : bool
        Whether the report has a section on the whole evidence base.
    """

    results: Sequence[Result]
    slugs: Sequence[str]
    answers: Sequence[Answered]
    anchors: Sequence[str]
    flows: Sequence[Flow]
    judged: int = 0
    based: bool = False

    def parts(self, part: str) -> tuple[str, ...]:
        """Anchors of this part of every pooled analysis."""
        return tuple(f"{slug}-{part}" for slug in self.slugs)

    def of_kind(self, *kinds: str) -> tuple[str, ...]:
        """Anchors of the questions of these kinds."""
        pairs = zip(self.answers, self.anchors, strict=True)
        return tuple(anchor for answered, anchor in pairs if answered.question.kind in kinds)

    def worst(self, diagnostic: str, best: Callable[[Iterable[float]], float]) -> float:
        """Worst value of a diagnostic over all sampled fits; NaN where nothing was sampled."""
        checks = [check for one in (*self.results, *self.answers) for check in one.checks]
        found = [
            # one cell of a table of numbers is a number
            float(check.table.loc[diagnostic, "worst"])  # pyright: ignore[reportArgumentType]
            for check in checks
            if check.name.startswith("convergence") and diagnostic in check.table.index
        ]
        return best(found) if found else float("nan")


@dataclass(frozen=True)
class Answer:
    """How an item stands.

    Attributes
    ----------
    status : str
        `REPORTED`, `NOT_DONE` or `AUTHORS`.
    text : str
    where : tuple of str
        Anchors.
    """

    status: str
    text: str
    where: tuple[str, ...] = ()


# -- the model -----------------------------------------------------------------------------------------------


def _questions(facts: Facts) -> Answer:
    number = len(facts.results) + len(facts.answers)
    text = f"{counted(whole(number), 'questions')} of the plan, each at the head of its section."
    return Answer(REPORTED, text,
                  ("summary",))  # fmt: skip


def _likelihood(facts: Facts) -> Answer:
    formulas = list(dict.fromkeys(result.model.formula for result in facts.results))
    return Answer(REPORTED, " ".join(formulas), ("methods",))


def _priors(facts: Facts) -> Answer:
    priors = [p for result in facts.results for each in result.compared.values() for p in each.values()]
    reasons = sum(bool(prior.why) for prior in priors)
    text = (
        f"{whole(reasons)} of {whole(len(priors))} priors of the pooled analyses have their reason in words."
    )
    return Answer(REPORTED if reasons == len(priors) else NOT_DONE, text, facts.parts("priors"))


def _prior_predictive(facts: Facts) -> Answer:
    has = [slug for slug, r in zip(facts.slugs, facts.results, strict=True) if r.sensitivity is not None]
    if not has:
        return Answer(NOT_DONE, "not done, because no priors were compared")
    return Answer(REPORTED, "What each pair of priors expects before any data.",
                  tuple(f"table-{slug}-sensitivity-before" for slug in has))  # fmt: skip


# -- computation ---------------------------------------------------------------------------------------------


def _engines(facts: Facts) -> set[str]:
    fits = [fit for one in (*facts.results, *facts.answers) for fit in one.fits.values()]
    return {str(fit.attrs.get("engine", "")) for fit in fits}


def _software(facts: Facts) -> Answer:
    found: dict[str, str] = {}
    for one in (*facts.results, *facts.answers):
        for fit in one.fits.values():
            found |= json.loads(fit.attrs.get("versions", "{}"))
    text = listed([f"{name} {version}" for name, version in found.items()])
    return (
        Answer(REPORTED, text, ("methods",))
        if text
        else Answer(NOT_DONE, "not done, because nothing was fitted")
    )


def _sampled(facts: Facts, text: str) -> Answer:
    if "nuts" not in _engines(facts):
        return Answer(NOT_DONE, "not done, because nothing was sampled: posteriors are integrated")
    return Answer(REPORTED, text, (*facts.parts("diagnostics"), *facts.anchors))


def _convergence(facts: Facts) -> Answer:
    worst = facts.worst("R-hat", max)
    split = facts.worst("divergences", max)
    return _sampled(
        facts, f"R-hat at most {significant(worst)}, divergences at most {whole(split)} in any fit."
    )


def _resolution(facts: Facts) -> Answer:
    least = min(facts.worst("bulk ESS", min), facts.worst("tail ESS", min))
    return _sampled(facts, f"Bulk and tail effective sample sizes of at least {whole(least)} in every fit.")


def _quadrature(facts: Facts) -> Answer:
    errors = [result.main.error for result in facts.results if "exact" in result.fits]
    if not errors:
        return Answer(NOT_DONE, "does not apply, because only chains were run")
    text = f"Adaptive quadrature; relative error of probabilities at most {np.max(errors):.0e}."
    return Answer(REPORTED, text, facts.parts("agreement"))


def _technique(facts: Facts) -> Answer:
    names = {"exact": "exact integration", "nuts": "the No-U-Turn sampler"}
    told = [words for engine, words in names.items() if engine in _engines(facts)]
    text = f"{begun(listed(told))}, held against frequentist estimates." if told else "Posteriors only."
    return Answer(REPORTED, text, ("methods", *facts.parts("agreement")))


def _posterior_predictive(facts: Facts) -> Answer:
    checks = [
        c for one in (*facts.results, *facts.answers) for c in one.checks if "posterior predictive" in c.name
    ]
    if not checks:
        return Answer(NOT_DONE, "not done, because no fit was made")
    passed = sum(check.passed for check in checks)
    return Answer(
        REPORTED, f"{passed} of {len(checks)} checks passed.", (*facts.parts("diagnostics"), *facts.anchors)
    )


# -- results -------------------------------------------------------------------------------------------------


def _bayes_factors(facts: Facts) -> Answer:
    if any(result.sensitivity is not None for result in facts.results):
        text = "Between prior sets and pairs, and for an effect and for heterogeneity, averaged over models."
        return Answer(REPORTED, text, facts.parts("priors"))
    return Answer(NOT_DONE, "not done, because no priors were compared")


def _sensitivity(facts: Facts) -> Answer:
    pairs = sum(result.sensitivity.holds.size for result in facts.results if result.sensitivity is not None)
    sets = sum(len(result.compared) for result in facts.results)
    if not pairs and sets == len(facts.results):
        return Answer(NOT_DONE, "not done, because only one set of priors was given")
    text = (
        f"{whole(sets)} prior sets and {whole(pairs)} pairs over the pooled analyses; named in the methods."
    )
    return Answer(REPORTED, text, facts.parts("priors"))


def _defaults(facts: Facts) -> Answer:
    if any(r.sensitivity is not None and r.sensitivity.published is not None for r in facts.results):
        return Answer(REPORTED, "Published priors for tau beside our own.", facts.parts("priors"))
    return Answer(
        NOT_DONE, "not done, because no published defaults suit the measure, or none were asked for"
    )


def _decision_sensitivity(facts: Facts) -> Answer:
    words = [f"{r.analysis.title}: {robustness_of(r).word}" for r in facts.results]
    return Answer(REPORTED, f"{'; '.join(words)}.", ("table-summary", *facts.parts("priors")))


# -- evidence ------------------------------------------------------------------------------------------------


def _eligibility(facts: Facts) -> Answer:
    told = []
    for result in facts.results:
        asked = result.analysis
        parts = [asked.arm, asked.unit, listed(list(asked.populations)).replace("_", " ")]
        told.append(f"{asked.title}: {', '.join(part for part in parts if part) or 'all that was given'}")
    return Answer(REPORTED, f"{'; '.join(told)}.", facts.parts("evidence"))


def _outcomes(facts: Facts) -> Answer:
    names = list(
        dict.fromkeys(r.analysis.outcome.replace("_", " ") for r in facts.results if r.analysis.outcome)
    )
    text = f"{begun(listed(names))}, pooled." if names else "As named by each analysis."
    return Answer(REPORTED, text, ("evidence-base", *facts.anchors))


def _variables(facts: Facts) -> Answer:
    if not facts.based:
        return Answer(AUTHORS, "No table of studies was given.")
    return Answer(
        REPORTED, "Design, population, detection, follow-up and overlap of patients.", facts.parts("evidence")
    )


def _bias_methods(facts: Facts) -> Answer:
    if not facts.judged:
        return Answer(AUTHORS, "No judgements of the risk of bias were given.")
    text = f"Judgements of {whole(facts.judged)} studies are taken over as printed; none were made anew."
    return Answer(REPORTED, text, ("evidence-base", *facts.parts("evidence")))


def _bias(facts: Facts) -> Answer:
    if not facts.judged:
        return Answer(AUTHORS, "No judgements of the risk of bias were given.")
    text = "As printed, study by study; studies without a judgement are named."
    return Answer(REPORTED, text, tuple(f"table-{slug}-studies" for slug in facts.slugs))


def _measures(facts: Facts) -> Answer:
    codes = dict.fromkeys(result.evidence.measure for result in facts.results)
    return Answer(
        REPORTED, f"{begun(listed([MEASURE_LABELS.get(code, code) for code in codes]))}.", ("methods",)
    )


def _latent(facts: Facts) -> Answer:
    hidden = [
        (slug, len(result.evidence.latent))
        for slug, result in zip(facts.slugs, facts.results, strict=True)
        if isinstance(result.evidence, Tabulated) and len(result.evidence.latent)
    ]
    if not hidden:
        return Answer(REPORTED, "No count is missing.", facts.parts("evidence"))
    number = sum(count for _, count in hidden)
    text = (
        f"{whole(number)} counts that are not printed are averaged over all tables that agree with what is."
    )
    return Answer(REPORTED, text, tuple(f"{slug}-latent" for slug, _ in hidden))


def _moderators(facts: Facts) -> Answer:
    where = facts.of_kind("meta_regression", "heavy_tails")
    if not where:
        return Answer(NOT_DONE, "not done, because the plan does not ask for it")
    return Answer(REPORTED, "Regression on study features, and which study drives the spread.", where)


def _reporting_bias(facts: Facts) -> Answer:
    most = max((result.evidence.k for result in facts.results), default=0)
    if most >= _ENOUGH:
        return Answer(NOT_DONE, "not done, because the plan does not ask for it")
    text = (
        f"not done, because tests of small-study effects need {_ENOUGH} studies or more; here at most {most}"
    )
    return Answer(NOT_DONE, text)


def _flow(facts: Facts) -> Answer:
    told = [f"{whole(flow.rows)} rows to {counted(whole(flow.included), 'studies')}" for flow in facts.flows]
    text = f"From the tables on: {'; '.join(told)}. What came before them is for the authors."
    return Answer(REPORTED, text, ("figure-evidence-base", *(f"figure-{slug}-flow" for slug in facts.slugs)))


def _excluded(facts: Facts) -> Answer:
    rows = sum(flow.out for flow in facts.flows)
    text = f"{counted(whole(rows), 'rows')} of the tables, each with its reason."
    return Answer(REPORTED, text, tuple(f"table-{slug}-not-in-this-analysis" for slug in facts.slugs))


def _characteristics(facts: Facts) -> Answer:
    if not facts.based:
        return Answer(AUTHORS, "No table of studies was given.")
    return Answer(REPORTED, "Design, population, detection and follow-up of each study.",
                  tuple(f"table-{slug}-studies" for slug in facts.slugs))  # fmt: skip


def _abstracts(facts: Facts) -> Answer:
    if not facts.based:
        return Answer(AUTHORS, "No table of sources was given.")
    return Answer(
        REPORTED, "How each source was read (full text, abstract, other text) is told.", ("sources",)
    )


def _confounding(facts: Facts) -> Answer:
    where = facts.of_kind("arm_comparison")
    if where:
        return Answer(
            REPORTED,
            "Treatments were chosen, not assigned: said with the comparison, not adjusted for.",
            where,
        )
    return Answer(NOT_DONE, "does not apply, because no groups are compared")


COMPUTED: dict[str, Callable[[Facts], Answer]] = {
    "questions": _questions,
    "likelihood": _likelihood,
    "priors": _priors,
    "prior_predictive": _prior_predictive,
    "software": _software,
    "convergence": _convergence,
    "resolution": _resolution,
    "quadrature": _quadrature,
    "technique": _technique,
    "posterior_predictive": _posterior_predictive,
    "bayes_factors": _bayes_factors,
    "sensitivity": _sensitivity,
    "defaults": _defaults,
    "decision_sensitivity": _decision_sensitivity,
    "eligibility": _eligibility,
    "outcomes": _outcomes,
    "variables": _variables,
    "bias_methods": _bias_methods,
    "bias": _bias,
    "measures": _measures,
    "latent": _latent,
    "moderators": _moderators,
    "reporting_bias": _reporting_bias,
    "flow": _flow,
    "excluded": _excluded,
    "characteristics": _characteristics,
    "abstracts": _abstracts,
    "confounding": _confounding,
}
