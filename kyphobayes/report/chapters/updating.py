"""Chapter on updating: foreseen and seen, year by year, and what if the series is unlike the others."""

from typing import Any

import pandas as pd

from kyphobayes.questions import Answered
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.shows import between
from kyphobayes.report.tables import Column, Show, Table, exactly, text
from kyphobayes.report.update_figures import foreseen_and_seen, relaxed, year_by_year
from kyphobayes.report.words import (
    decimal,
    percent,
    percents,
    probabilities,
    probability,
    significant,
    threshold,
    whole,
)
from kyphobayes.updating import Update

_NAMES = {"typical": "typical rate", "next": "next centre’s rate", "series": "rate of the series itself"}


def chapter(answered: Answered) -> Chapter:
    """Parts on what was foreseen, on the cumulative analysis and on relaxed exchangeability."""
    updates: list[Update] = answered.more["updates"]
    tables = answered.tables
    first = Part(
        "What was foreseen, and what was seen",
        tuple(_borrowed(found) for found in updates),
        (
            Plate(
                "foreseen",
                foreseen_and_seen(updates),
                "Predictive probabilities of each count, with the count that was seen. "
                + " ".join(_alt(found) for found in updates),
                "How many were foreseen from the earlier series, and how many were seen. The bracket holds "
                "95 %.",
            ),
        ),
        (_foreseen(tables["foreseen"]), *_pain(answered), _known(tables["known"], updates)),
    )
    second = Part(
        "Year by year",
        (),
        (
            Plate(
                "cumulative",
                year_by_year(updates),
                "Typical rate and next centre’s rate after each year of publication. "
                + " ".join(_alt_years(found) for found in updates),
                "What was known after each year: the typical rate, and the wider range for the next centre.",
            ),
        ),
        (_years(tables["cumulative"]),),
    )
    third = Part(
        "If the series is unlike the others",
        tuple(_unlike(found) for found in updates),
        (
            Plate(
                "relaxed",
                relaxed(updates),
                "Left: probability that the series is unlike the others, after it against before it. Right: "
                "rates after it, by that probability. " + " ".join(_unlike(found) for found in updates),
                "Left: how the series itself moves the probability that it is unlike the others (grey: not "
                "at all). Right: what is known after it, with 95 % intervals.",
            ),
        ),
        (_relaxed(tables["relaxed"], updates), _commensurate(tables["commensurate"])),
    )
    return Chapter(answered, (first, second, third))


def _borrowed(found: Update) -> str:
    sizes, unit = found.sizes(), found.series.analysis.unit
    return (
        f"{found.series.analysis.title}: what the {found.series.before.k} earlier series say of the next one "
        f"is worth {decimal(sizes['moment'], 1)} {unit} by the mean and variance of the rate, and "
        f"{decimal(sizes['elir'], 1)} by the expected local information of the log odds, which counts the "
        f"low rates more; the series itself has {whole(found.series.n)}."
    )


def _alt(found: Update) -> str:
    low, high = found.main.prediction.interval()
    return (
        f"{found.series.analysis.event.capitalize()}: {low} to {high} foreseen among {found.series.n}, "
        f"{found.series.events} seen."
    )


def _alt_years(found: Update) -> str:
    first, last = found.cumulative.iloc[0], found.cumulative.iloc[-1]
    start, end = (_three("typical")(row) for row in (first, last))
    return f"{found.series.analysis.event.capitalize()}: typical rate from {start} to {end}."


def _unlike(found: Update) -> str:
    """Say what a prior probability of about one fifth becomes, for each vague prior."""
    frame = found.relaxed
    inner = frame[(frame["weight"] > 0) & (frame["weight"] < 1)]
    if inner.empty:
        return ""
    weight = float(inner["weight"].iloc[(inner["weight"] - 0.2).abs().argmin()])
    after = inner[inner["weight"] == weight]["posterior_weight"]
    low, high = float(after.min()), float(after.max())
    moved = (
        "less probable than before"
        if high < weight
        else "more probable than before"
        if low > weight
        else "whether less or more probable than before depends on what is expected of such a series"
    )
    return (
        f"{found.series.analysis.event.capitalize()}: who held with a probability of {probability(weight)} "
        "that the series is unlike the others, holds it after the series with "
        f"{probabilities(low, high)}: {moved}."
    )


def _three(who: str) -> Show:
    return lambda r: (
        f"{percent(r[f'{who}_median'], unit=False)} ({percents(r[f'{who}_low'], r[f'{who}_high'])})"
    )


def _foreseen(frame: pd.DataFrame) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Priors", text("priors")),
        Column("Seen", lambda r: f"{r['seen']} of {r['n']}", True),
        Column("Expected", lambda r: decimal(r["expected"], 1), True),
        Column("95 % predictive", lambda r: f"{r['low']} to {r['high']}", True),
        Column("P(as many or more)", lambda r: probability(r["p_at_least"]), True),
        Column("P(as many or fewer)", lambda r: probability(r["p_at_most"]), True),
        Column("P(as improbable)", lambda r: probability(r["p_as_improbable"]), True),
    )
    note = (
        "P(as improbable): of an outcome with the same or a lower predictive probability than that seen "
        "(Box 1980)."
    )
    return Table("foreseen", "Predictive p-values of what the series saw", frame, columns, note)


def _pain(answered: Answered) -> tuple[Table, ...]:
    """The standardised fall of pain, where the plan names a printed line."""
    if answered.more["pain"] is None:
        return ()
    columns = (
        Column("Printed line", text("line")),
        Column("Studies", exactly("k"), True),
        Column("Seen (standard error)", lambda r: f"{decimal(r['seen'])} ({decimal(r['error'])})", True),
        Column("Expected", lambda r: decimal(r["expected"]), True),
        Column("95 % predictive", between("low", "high"), True),
        Column("P(as much or more)", lambda r: probability(r["at_least"]), True),
        Column("P(as far out)", lambda r: probability(r["two_sided"]), True),
    )
    note = (
        "Hedges’ g, before minus after as if two groups, which is how the review pooled. What both together "
        "say is in the section on pain across studies."
    )
    frame = answered.tables["pain"]
    return (Table("pain", "Pain: the standardised fall that was foreseen, and seen", frame, columns, note),)


def _known(frame: pd.DataFrame, updates: list[Update]) -> Table:
    limits = {found.series.analysis.outcome: found.series.analysis.decision.below for found in updates}

    def rate(r: Any) -> str:
        return f"{percent(r['median'], unit=False)} ({percents(r['low'], r['high'])})"

    def below(r: Any) -> str:
        return f"{probability(r['below'])} (< {threshold(limits[r['outcome']])})"

    columns = (
        Column("Outcome", text("outcome")),
        Column("Rate", lambda r: _NAMES[r["who"]]),
        Column("When", exactly("when")),
        Column("Median (95 % interval)", rate, True),
        Column("P(below the limit)", below, True),
    )
    return Table("known", "What is known before the series and after it", frame, columns)


def _years(frame: pd.DataFrame) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Year", lambda r: "not printed" if pd.isna(r["year"]) else whole(r["year"])),
        Column("Added", exactly("added")),
        Column("Studies", exactly("k"), True),
        Column("Typical rate", _three("typical"), True),
        Column("Next centre’s rate", _three("next"), True),
    )
    return Table("cumulative", "Cumulative analysis in the order of publication", frame, columns)


def _relaxed(frame: pd.DataFrame, updates: list[Update]) -> Table:
    units = {found.series.analysis.outcome: found.series.analysis.unit for found in updates}

    def worth(r: Any) -> str:
        return f"{decimal(r['ess_moment'], 1)} / {decimal(r['ess_elir'], 1)} {units[r['outcome']]}"

    columns = (
        Column("Outcome", text("outcome")),
        Column("Vague prior", text("vague")),
        Column("P(unlike) before", lambda r: probability(r["weight"]), True),
        Column("after", lambda r: probability(r["posterior_weight"]), True),
        Column("Rate of the series", _three("series"), True),
        Column("Typical rate", _three("typical"), True),
        Column("Next centre’s rate", _three("next"), True),
        Column("Prior worth", worth, True),
    )
    note = (
        "Prior worth: effective sample size of the robust predictive prior, by the mean and variance of the "
        "rate / by the expected local information of the log odds."
    )
    return Table("relaxed", "Rates if the series may be unlike the others", frame, columns, note)


def _commensurate(frame: pd.DataFrame) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("kappa (log odds)", lambda r: significant(r["kappa"]), True),
        Column("Typical rate", _three("typical"), True),
        Column("Next centre’s rate", _three("next"), True),
        Column("Log predictive probability", lambda r: decimal(r["log_marginal"]), True),
    )
    note = (
        "kappa: standard deviation by which the series may be off the population of the others, beyond tau."
    )
    return Table("commensurate", "Rates if the series counts less", frame, columns, note)
