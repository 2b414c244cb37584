"""Plain sentences made from the numbers, for a reader who is not a statistician."""

import math
from typing import Any

from kyphobayes.evidence import Counts, Tabulated
from kyphobayes.findings import PROPORTIONS, Findings
from kyphobayes.names import PLO
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.reconstruct import CountTables, Printed
from kyphobayes.report.words import (
    PERCENT,
    about,
    counted,
    listed,
    probability,
    spelled,
    value,
    values,
    whole,
)
from kyphobayes.run import Result

PAPER, EXACT = 0, -1  # rows of the witness: the usual method, and the best that there is
STUDIES = {"centre": "Centres", "study": "Studies"}
SMALL_I2, LARGE_I2 = 25.0, 50.0


def answer(result: Result) -> str:
    """Answer a question in three sentences: a typical centre or study, the next one, and the decision."""
    analysis, main, scale = result.analysis, result.main, result.scale
    return " ".join(
        [
            typical(main, analysis.event, analysis.unit, scale),
            next_centre(main, analysis.event, analysis.unit, scale),
            decision(main, analysis.decision.words, scale),
        ]
    )


def typical(findings: Findings, event: str, unit: str, scale: NaturalScale = PROPORTIONS) -> str:
    """Say what happens in a typical centre or study."""
    row: Any = findings.estimates.loc["typical"]
    interval = values(row["low"], row["high"], scale, unit=scale.measure == PLO)
    middle = value(row["median"], scale)
    text = f"In a typical {scale.one} the {scale.name} is {middle} (95 % interval {interval})"
    return f"{text}: {_per_hundred(row['median'], event, unit)}." if scale.measure == PLO else f"{text}."


def next_centre(findings: Findings, event: str, unit: str, scale: NaturalScale = PROPORTIONS) -> str:
    """Say what a new centre or study may see, and how many cases among its next ones."""
    row: Any = findings.estimates.loc["new centre"]
    low, high = row["low"], row["high"]
    if " to " in values(low, high, scale, unit=False):
        text = (
            f"{STUDIES[scale.one]} differ: in the next {scale.one} the {scale.name} may lie anywhere from "
            f"{values(low, high, scale)}"
        )
    else:
        text = f"In the next {scale.one} the {scale.name} is {values(low, high, scale)}"
    for place, prediction in enumerate(findings.next):
        few, many = prediction.interval()
        number = about(prediction.mean)
        verb = "is" if number == "1" else "are"
        cases = f"{counted(number, event)} {verb} expected" if place == 0 else number
        text += f"{'; of its next' if place == 0 else ', of its next'} {_some(prediction.n, unit)} {cases} "
        text += f"(95 %: {few} to {many})" if few < many else f"(95 %: {few})"
    return f"{text}."


def decision(findings: Findings, words: str, scale: NaturalScale = PROPORTIONS) -> str:
    """Say how probable the claim is that the decision is about."""
    return (
        f"The probability that {words} is {probability(findings.p_typical)} for the typical {scale.one} and "
        f"{probability(findings.p_new)} for the next one."
    )


def paper(result: Result) -> list[str]:
    """Say what the usual method gives on the same evidence, and why it reads so differently."""
    row, cross, scale = result.witness.iloc[PAPER], result.witness.iloc[EXACT], result.scale
    k = int(row["k"])
    texts = []
    if isinstance(result.evidence, Counts):
        if printed := _printed(result.evidence.latent_source):
            texts.append(printed)
        text = (
            "Pooled as raw proportions (DerSimonian–Laird, Wald interval), the tables of this analysis give "
        )
    else:
        text = "Pooled by DerSimonian–Laird with a Wald interval, the studies of this analysis give "
    interval = values(row["ci_low"], row["ci_high"], scale)
    text += f"{value(row['estimate'], scale)} (95 % confidence interval {interval})"
    text += f" with I² {_i2(row['i2'])}." if k > 1 else "; with one study there is no I²."
    texts.append(text)
    if k > 1:
        texts.append(_spread(row, cross, result.main, scale))
    return texts


def _spread(row: Any, cross: Any, findings: Findings, scale: NaturalScale) -> str:
    """Explain why an average with a narrow interval can hide a wide range of centres."""
    new: Any = findings.estimates.loc["new centre"]
    ones, seen = STUDIES[scale.one].lower(), f"observed {scale.name}s"
    text = (
        f"That interval is about the average over all {ones} and says nothing about any single one. "
        f"I² of {_i2(row['i2'])} means that "
    )
    if row["i2"] >= LARGE_I2:
        text += (
            f"most of the differences between the {seen} are real and not chance, so the average "
            f"describes hardly any {scale.one}."
        )
    elif row["i2"] >= SMALL_I2:
        text += f"a part of the differences between the {seen} is real and not chance."
    else:
        text += f"chance alone could make the {seen} differ as they do, but few studies rule little out."
    if math.isfinite(row["pi_high"]):
        cut = ", cut off at 0 because raw proportions know no lower limit" if _cut(row) else ""
        own, other = (values(r["pi_low"], r["pi_high"], scale) for r in (row, cross))
        text += f" Asked for the range of {ones}, the same method says {own}{cut}"
        if math.isfinite(cross["pi_high"]):
            name = "by maximum likelihood of the counts" if scale.null is None else "with REML"
            text += f"; {name} it is {other}"
        which = "which uses the counts themselves" if scale.null is None else "which keeps what tau may be"
        text += f"; by the model of this report, {which}, {values(new['low'], new['high'], scale)}."
    if corrected := int(row["corrected"]):
        studies = "one study" if corrected == 1 else f"{corrected} studies"
        text += (
            f" Where there are no events (here {studies}) these methods add 0.5; the model has no need to."
        )
    return text


def _cut(row: Any) -> bool:
    """Whether an interval of raw proportions was cut off at 0."""
    return row["measure"] == "PR" and row["pi_low"] <= 0


def _printed(source: CountTables | None) -> str:
    """Quote what the paper prints about all of its studies."""
    if source is None:
        return ""
    about_all = {p.quantity: p for p, _ in source.trail if len(p.studies) == len(source.studies)}
    quotes = [f"“{about_all[q].words}”" for q in ("pooled", "I2") if q in about_all]
    return f"The paper prints {listed(quotes)} for its {len(source.studies)} series." if quotes else ""


def latent(result: Result) -> list[str]:
    """Say which counts are not printed, and how many tables agree with what is."""
    evidence = result.evidence
    if not isinstance(evidence, Tabulated):
        return []
    source = evidence.latent_source if isinstance(evidence, Counts) else None
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
        f"{evidence.labels[i]} at {whole(evidence.tables[0, i])}{_of(evidence, i)}"
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


def _of(evidence: Tabulated, study: int) -> str:
    return f" of {whole(float(evidence.n[study]))}" if isinstance(evidence, Counts) else ""


def _some(n: int, unit: str) -> str:
    return counted(str(n), unit)


def _i2(value: float) -> str:
    return f"{value:.0f}{PERCENT}" if math.isfinite(value) else "unknown"
