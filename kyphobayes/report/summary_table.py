"""The first table: every analysis and question of the plan in a line or two, with whether to trust it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from kyphobayes.names import PLO
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.questions import Answered
from kyphobayes.report.document import Numbers
from kyphobayes.report.headlines import Headline, Interval, headlines
from kyphobayes.report.robustness import RULE, robustness_of
from kyphobayes.report.tables import Column, Show, Table
from kyphobayes.report.words import NONE, limit, probability, value, values
from kyphobayes.run import Result

_NEXT = ("next_median", "next_low", "next_high")
_SURE = 1e-4  # of draws, all may agree; no number of them makes it certain

PASS, FAIL, UNCHECKED = "pass", "FAIL", "not checked"


@dataclass(frozen=True)
class Line:
    """A line of the table, and the section it is about."""

    anchor: str
    title: str
    evidence: str
    agreement: str
    checks: str
    headline: Headline


def summary_table(lines: Sequence[Line], numbers: Numbers) -> Table:
    """Make the table of all lines.

    Parameters
    ----------
    lines : sequence of Line
    numbers : mapping of str to Number
        Of the sections that the lines link to.
    """
    scales = [line.headline.scale for line in lines]
    frame = pd.DataFrame([_row(line) for line in lines])
    title, again = (
        Markup('<a href="#{}">{} {}</a><br><span class="q">{}</span>'),
        Markup('<span class="q">{}</span>'),
    )

    def first(row: Any) -> str:
        """Title and quantity; of further lines on the same question only the quantity."""
        place = int(row.name)
        if place and frame.loc[place - 1, "section"] == row["section"]:
            return again.format(row["quantity"])
        number = numbers[row["section"]].label.removeprefix("Section ")
        return title.format(row["section"], number, row["title"], row["quantity"])

    def chance(row: Any) -> str:
        own = [("typical", row["p_typical"]), ("next", row["p_next"])]
        told = [(who, probability(min(max(p, _SURE), 1 - _SURE))) for who, p in own if pd.notna(p)]
        if not told:
            return NONE
        cell = Markup('<b>{}</b>{}<br><span class="q">{}</span>')
        following = Markup(" · next {}").format(told[1][1]) if len(told) > 1 else ""
        return cell.format(told[0][1], following, row["claim"])

    def robustness(row: Any) -> str:
        return Markup('<b>{}</b><br><span class="q">{}</span>').format(row["robustness"], row["over_priors"])

    ones = {scale.one for scale in scales}
    one = ones.pop() if len(ones) == 1 else "centre or study"
    columns = (
        Column("Question", first),
        Column("Evidence", lambda row: row["evidence"]),
        Column("Estimate (95 % interval)", _stacked("median", "low", "high", scales), True),
        Column(
            f"Next {one} (95 % predictive)", _stacked("next_median", "next_low", "next_high", scales), True
        ),
        Column("P(claim)", chance),
        Column("Prior robustness", robustness),
        Column("Agreement", lambda row: row["agreement"]),
    )
    return Table("summary", "All analyses and questions", frame, columns, _NOTE.format(rule=RULE))


_NOTE = (
    "Estimates are posterior medians for a typical centre or study; the next column is for one that has not "
    "reported yet, or for a new patient where it says so. P(claim): probability of the claim in small print, "
    "for the typical and for the next one. {rule} Agreement: whether exact, sampled and frequentist answers "
    "agree, or differ for a reason that is stated in the section."
)


def of_results(results: Sequence[Result], slugs: Sequence[str]) -> list[Line]:
    """Lines of the pooled analyses."""
    return [_of_result(result, slug) for result, slug in zip(results, slugs, strict=True)]


def _of_result(result: Result, slug: str) -> Line:
    main, scale = result.main, result.scale
    rows: Any = main.estimates
    typical, following = (_triple(rows.loc[name]) for name in ("typical", "new centre"))
    claim = f"{scale.name} {main.sign} {limit(main.below, scale)}"
    headline = Headline(
        f"typical {scale.name}",
        scale,
        typical,
        following,
        claim,
        main.p_typical,
        main.p_new,
        robustness_of(result),
    )
    checks = PASS if result.passed else FAIL
    evidence = f"{result.evidence.k} {'study' if result.evidence.k == 1 else 'studies'}"
    return Line(slug, result.analysis.title, evidence, _agreement(result.checks), checks, headline)


def of_answers(answers: Sequence[Answered], anchors: Sequence[str]) -> list[Line]:
    """Lines of the other questions."""
    lines = []
    for answered, anchor in zip(answers, anchors, strict=True):
        included = int((answered.who["status"] == "in").sum())
        checks = PASS if answered.passed else FAIL
        lines += [
            Line(
                anchor,
                answered.question.title,
                f"{included} in, {len(answered.who) - included} out",
                _agreement(answered.checks),
                checks,
                one,
            )
            for one in headlines(answered)
        ]
    return lines


def _agreement(checks: Sequence[Any]) -> str:
    own = [check for check in checks if "agreement" in check.name] or list(checks)
    if not own:
        return UNCHECKED
    return PASS if all(check.passed for check in own) else FAIL


def _triple(row: Any) -> Interval:
    return float(row["median"]), float(row["low"]), float(row["high"])


def _row(line: Line) -> dict[str, Any]:
    one = line.headline
    names = ("median", "low", "high")
    return {
        "section": line.anchor,
        "title": line.title,
        "quantity": f"{one.what} ({one.scale.unit})" if one.scale.unit not in ("", "%") else one.what,
        "evidence": line.evidence,
        "scale": one.scale.name,
        "unit": "share" if one.scale.measure == PLO else one.scale.unit,
        **dict(zip(names, one.typical, strict=True)),
        **{f"next_{name}": x for name, x in zip(names, one.following, strict=True)},
        "claim": one.claim,
        "p_typical": one.p_typical,
        "p_next": one.p_next,
        "robustness": one.robustness.word,
        "over_priors": one.robustness.line,
        "priors_same_conclusion": one.robustness.same,
        "priors_compared": one.robustness.of,
        "agreement": line.agreement,
        "all_checks": line.checks,
    }


def _stacked(middle: str, low: str, high: str, scales: Sequence[NaturalScale]) -> Show:
    def show(row: Any) -> str:
        if pd.isna(row[middle]):
            return NONE
        scale = scales[int(row.name)]
        unit = scale.measure == PLO  # any other stands with the quantity
        interval = values(row[low], row[high], scale, unit)
        return Markup("{}<br>({})").format(value(row[middle], scale, unit), interval)

    return show
