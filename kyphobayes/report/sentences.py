"""Plain sentences made from the numbers, for a reader who is not a statistician."""

import math
from typing import Any

from kyphobayes.findings import Findings
from kyphobayes.reconstruct import CountTables, Printed
from kyphobayes.report.words import (
    PERCENT,
    about,
    counted,
    listed,
    percent,
    percents,
    probabilities,
    probability,
    spelled,
    threshold,
    whole,
)
from kyphobayes.run import Result

STEADY, SOME = 0.10, 0.25  # spread of a probability over prior sets that still counts as little, as some
PAPER, EXACT = 0, -1  # rows of the witness: the paper's method, and the exact likelihood of the counts
SMALL_I2, LARGE_I2 = 25.0, 50.0


def answer(result: Result) -> str:
    """Answer a question in three sentences: a typical centre, the next one, and the decision."""
    analysis, main = result.analysis, result.main
    return " ".join(
        [
            typical(main, analysis.event, analysis.unit),
            next_centre(main, analysis.event, analysis.unit),
            decision(main, analysis.decision.words),
        ]
    )


def typical(findings: Findings, event: str, unit: str) -> str:
    """Say what happens in a typical centre."""
    rate: Any = findings.rates.loc["typical"]
    return (
        f"In a typical centre the rate is {percent(rate['median'])} (95 % interval "
        f"{percents(rate['low'], rate['high'])}): {_per_hundred(rate['median'], event, unit)}."
    )


def next_centre(findings: Findings, event: str, unit: str) -> str:
    """Say what a new centre may see, and how many cases among its next ones."""
    rate: Any = findings.rates.loc["new centre"]
    low, high = percents(rate["low"], rate["high"], unit=False), percents(rate["low"], rate["high"])
    if " to " in low:
        text = f"Centres differ: in the next centre the rate may lie anywhere from {high}"
    else:
        text = f"In the next centre the rate is {high}"
    for place, prediction in enumerate(findings.next):
        few, many = prediction.interval()
        number = about(prediction.mean)
        verb = "is" if number == "1" else "are"
        cases = f"{counted(number, event)} {verb} expected" if place == 0 else number
        text += f"{'; of its next' if place == 0 else ', of its next'} {_some(prediction.n, unit)} {cases} "
        text += f"(95 %: {few} to {many})" if few < many else f"(95 %: {few})"
    return f"{text}."


def decision(findings: Findings, words: str) -> str:
    """Say how probable the claim is that the decision is about."""
    return (
        f"The probability that {words} is {probability(findings.p_typical)} for the typical centre and "
        f"{probability(findings.p_new)} for the next one."
    )


def robustness(answers: dict[str, Findings]) -> tuple[str, str]:
    """Say whether the decision depends on the priors.

    Returns
    -------
    word, line : str
        A word or two, and the range of both probabilities over the prior sets.
    """
    if len(answers) < 2:
        return "not compared", "one prior set"
    ranges = [[getattr(a, name) for a in answers.values()] for name in ("p_typical", "p_new")]
    spread = max(max(values) - min(values) for values in ranges)
    word = "robust" if spread <= STEADY else "some dependence" if spread <= SOME else "depends on the prior"
    first, second = (probabilities(min(values), max(values)) for values in ranges)
    return word, f"{first} typical, {second} next, over {len(answers)} sets"


def prior_sentence(result: Result) -> str:
    """Say in a sentence how far the answer moves with the priors."""
    word, _ = robustness(result.answers)
    if len(result.answers) < 2:
        return (
            "Only one set of priors was used, so nothing can be said about how far the answer depends on it."
        )
    ranked = sorted(result.answers.items(), key=lambda item: item[1].p_typical)
    (low, least), (high, most) = ranked[0], ranked[-1]
    below = threshold(result.main.below)
    text = (
        f"The probability that the typical rate is below {below} runs from {probability(least.p_typical)} "
        f"({_set(low)} priors) to {probability(most.p_typical)} ({_set(high)} priors)"
    )
    verdict = {
        "robust": "the conclusion hardly depends on the prior.",
        "some dependence": "the conclusion depends somewhat on the prior.",
        "depends on the prior": "the evidence alone does not settle the question, and who decides should say "
        "which prior they hold.",
    }[word]
    return f"{text}: {verdict}"


def paper(result: Result) -> list[str]:
    """Say what the paper's method gives on the same tables, and why it reads so differently."""
    row, cross = result.witness.iloc[PAPER], result.witness.iloc[EXACT]
    k = int(row["k"])
    texts = []
    if printed := _printed(result.evidence.latent_source):
        texts.append(printed)
    text = (
        "Pooled as raw proportions (DerSimonian–Laird, Wald interval), the tables of this analysis give "
        f"{percent(row['estimate'])} (95 % confidence interval {percents(row['ci_low'], row['ci_high'])})"
    )
    text += f" with I² {_i2(row['i2'])}." if k > 1 else "; with one study there is no I²."
    texts.append(text)
    if k > 1:
        texts.append(_spread(row, cross, result.main))
    return texts


def _spread(row: Any, cross: Any, findings: Findings) -> str:
    """Explain why an average with a narrow interval can hide a wide range of centres."""
    new: Any = findings.rates.loc["new centre"]
    text = (
        "That interval is about the average over all centres and says nothing about any single one. "
        f"I² of {_i2(row['i2'])} means that "
    )
    if row["i2"] >= LARGE_I2:
        text += (
            "most of the differences between the observed rates are real and not chance, so the average "
            "describes hardly any centre."
        )
    elif row["i2"] >= SMALL_I2:
        text += "a part of the differences between the observed rates is real and not chance."
    else:
        text += (
            "chance alone could make the observed rates differ as they do, but few studies rule little out."
        )
    if math.isfinite(row["pi_high"]):
        cut = ", cut off at 0 because raw proportions know no lower limit" if row["pi_low"] <= 0 else ""
        own, other = (percents(r["pi_low"], r["pi_high"]) for r in (row, cross))
        text += f" Asked for the range of centres, the same method says {own}{cut}"
        if math.isfinite(cross["pi_high"]):
            text += f"; by maximum likelihood of the counts it is {other}"
        model = percents(new["low"], new["high"])
        text += f"; by the model of this report, which uses the counts themselves, {model}."
    if corrected := int(row["corrected"]):
        studies = "one study" if corrected == 1 else f"{corrected} studies"
        text += (
            f" Where there are no events (here {studies}) these methods add 0.5; the model has no need to."
        )
    return text


def _printed(source: CountTables | None) -> str:
    """Quote what the paper prints about all of its studies."""
    if source is None:
        return ""
    about_all = {p.quantity: p for p, _ in source.trail if len(p.studies) == len(source.studies)}
    quotes = [f"“{about_all[q].words}”" for q in ("pooled", "I2") if q in about_all]
    return f"The paper prints {listed(quotes)} for its {len(source.studies)} series." if quotes else ""


def latent(result: Result) -> list[str]:
    """Say which counts are not printed, and how many tables agree with what is."""
    source, evidence = result.evidence.latent_source, result.evidence
    missing = [evidence.labels[i] for i in evidence.latent]
    if not missing:
        return []
    tables = len(evidence.tables)
    them = "the count" if len(missing) == 1 else "the counts"
    text = f"The paper does not print {them} of {listed(missing)}. "
    if tables == 1:
        text += "One table of whole numbers agrees with every figure it does print and that is used here."
    else:
        text += (
            f"{spelled(tables)} tables of whole numbers agree with every figure it does print and that is "
            f"used here. "
            "None was picked: the model averages over all of them, and the data decide how much each counts."
        )
    texts = [text]
    fixed = [
        f"{evidence.labels[i]} at {whole(evidence.tables[0, i])} of {whole(float(evidence.n[i]))}"
        for i in evidence.latent
        if len(set(evidence.tables[:, i])) == 1
    ]
    if fixed and tables > 1:
        texts.append(f"The printed figures force {listed(fixed)}.")
    if source is not None and source.left_out:
        number = len(source.left_out)
        figures = "One printed figure was" if number == 1 else f"{spelled(number)} printed figures were"
        texts.append(
            f"{figures} left out, because no table of counts, or none that fits the rest, reproduces "
            f"{'it' if number == 1 else 'them'}. The paper contradicts itself here, or used a method that it "
            "does not describe; the reasons are below."
        )
    return texts


def left_out(printed: Printed, agreeing: int, tables: int) -> str:
    """Say why a printed figure was left out and how many tables agree with it."""
    number = f"{agreeing} reproduce" if agreeing > 1 else "one reproduces" if agreeing else "none reproduces"
    return f"“{printed.words}” ({printed.locator}): {printed.why} Of the {tables} tables, {number} it."


def agreement(result: Result) -> str:
    """Say first whether the witnesses agree."""
    check = next((c for c in result.checks if c.name == "agreement"), None)
    if check is None:
        return "Not checked."
    return f"{'Passed' if check.passed else 'FAILED'}: {check.text}."


def expected_differences(result: Result) -> list[str]:
    """Say where the witnesses differ for a reason that is known, and the reason."""
    check = next((c for c in result.checks if c.name == "agreement"), None)
    if check is None:
        return []
    texts = []
    for (between, reason), rows in check.table[check.table["reason"] != ""].groupby(["between", "reason"]):
        rows: Any
        differences = [
            f"{row['quantity']} by {abs(row['difference']):.1f} {row['unit']}" for _, row in rows.iterrows()
        ]
        texts.append(f"A known difference, {between}: {listed(differences)}. The reason: {reason}.")
    return texts


def _per_hundred(share: float, event: str, unit: str) -> str:
    """Natural frequency with a denominator at which it is a whole number."""
    for size in (100, 1000, 10_000):
        if round(share * size) >= 1:
            return f"about {counted(whole(round(share * size)), event)} per {whole(size)} {unit}"
    return f"fewer than 1 per {whole(10_000)} {unit}"


def _some(n: int, unit: str) -> str:
    return counted(str(n), unit)


def _i2(value: float) -> str:
    return f"{value:.0f}{PERCENT}" if math.isfinite(value) else "unknown"


def _set(label: str) -> str:
    return label.replace("_", " ")
