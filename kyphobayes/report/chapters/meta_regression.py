"""Chapter on what explains why series differ: design, detection, tumour."""

from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.evidence.moderations import FEWEST, Moderation
from kyphobayes.moderators import BETA
from kyphobayes.questions import Answered
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.group_forest import before_and_after, group_forest
from kyphobayes.report.shows import number
from kyphobayes.report.tables import Column, Show, Table, exactly, text
from kyphobayes.report.words import (
    NONE,
    PERCENT,
    decimal,
    listed,
    percent,
    percents,
    probability,
    spelled,
    whole,
)


def chapter(answered: Answered) -> Chapter:
    """A part for each comparison, then what was learned, who decides it, and other methods."""
    main = [one for one in answered.more["compared"] if not one.beside]
    return Chapter(
        answered,
        (
            Part(sentences=_opening(answered)),
            *(_comparison(answered, one) for one in main),
            _learned(answered),
            _left_out(answered),
            _methods(answered),
            _before(answered),
        ),
    )


def _opening(answered: Answered) -> tuple[str, ...]:
    return (
        "What is compared here are series, not patients. What separates two kinds of series may be the "
        "centre, the cement, the years or the eagerness to look, and in a handful of series all of these go "
        "together. A difference between series need not be one between patients (aggregation bias).",
        "Of so few series some look different by chance. The prior therefore draws an odds ratio towards 1; "
        "the sets of priors below show how much.",
    )


def _comparison(answered: Answered, one: Moderation) -> Part:
    tables = answered.tables
    rates: Any = tables["rates"].loc[one.name]
    studies: Any = tables["studies"].loc[one.name]
    row: Any = tables["answer"].loc[one.name]
    alt = (
        f"Rates of {len(studies)} series at {listed(list(one.levels))}; typical "
        f"{' and '.join(percent(rate) for rate in rates['typical'])}, odds ratio "
        f"{decimal(row['odds_ratio'])}."
    )
    caption = (
        f"{one.title}. Grey: each series by itself, with Jeffreys’ interval. A count that is not printed "
        f"is a range, over all tables that agree with the paper, and its interval their average."
    )
    plate = Plate(
        one.name,
        group_forest(studies, rates, one.analysis.event, one.analysis.unit),
        alt,
        caption,
    )
    return Part(one.title, _told(answered, one), (plate,), (_rates(one, rates),))


def _told(answered: Answered, one: Moderation) -> tuple[str, ...]:
    tables, prior = answered.tables, answered.question.priors[0][BETA]
    row: Any = tables["answer"].loc[one.name]
    spread: Any = tables["heterogeneity"].loc[one.name]
    ratio = f"{decimal(row['odds_ratio'])} (95 % interval {decimal(row['low'])} to {decimal(row['high'])})"
    low, high = (float(np.exp(prior.quantile(end))) for end in (0.025, 0.975))
    if row["k"] < FEWEST:
        return (
            one.why,
            f"{spelled(int(row['k']))} series cannot tell the covariate from the centres. The odds ratio of "
            f"{ratio} is little more than its prior, in which it lies between "
            f"{decimal(low)} and {decimal(high)}; what "
            f"narrows it is what the prior says of how much centres differ.",
        )
    odds = "higher" if row["p_more"] >= 0.5 else "lower"
    chance = row["p_more"] if row["p_more"] >= 0.5 else 1 - row["p_more"]
    told = [
        one.why,
        f"{spelled(int(row['k']))} series make it {probability(chance)} probable that the odds are {odds} in "
        f"{one.levels[0]} than in {one.levels[1]} series: odds ratio {ratio}. The Bayes factor for a "
        f"difference is {decimal(row['bayes_factor'], 1)}: {_worth(row['bayes_factor'])}.",
        f"Centres of one kind still differ: tau is {decimal(spread['tau_with'])} with the covariate and "
        f"{decimal(spread['tau_without'])} without. The covariate explains between "
        f"{_share(spread['explained_low'])} and {_share(spread['explained_high'])} of the variance between "
        f"series (before the data, {_share(spread['prior_explained_low'])} and "
        f"{_share(spread['prior_explained_high'])}).",
    ]
    for other in (other for other in answered.more["compared"] if other.beside == one.name):
        again: Any = tables["answer"].loc[other.name]
        told.append(
            f"{other.title}: odds ratio {decimal(again['odds_ratio'])} ({decimal(again['low'])} to "
            f"{decimal(again['high'])}). {other.why}"
        )
    return tuple(told)


def _share(share: float) -> str:
    """Whole percent, without a sign that it is rounded, also above 100."""
    return f"{100 * share:.0f}{PERCENT}"


def _worth(factor: float) -> str:
    """Words for a Bayes factor, by the steps of Jeffreys (1961), appendix B."""
    if factor < 1:
        return "the data rather favour none, but weakly" if factor > 1 / 3 else "the data favour none"
    return "hardly worth a mention" if factor < 10**0.5 else "substantial" if factor < 10 else "strong"


def _rates(one: Moderation, rates: pd.DataFrame) -> Table:
    def counted(row: Any) -> str:
        events = sorted({row["events_low"], row["events_high"]})
        return f"{'–'.join(whole(x) for x in events)} / {whole(row['n'])}"

    columns = (
        Column(one.covariate.capitalize(), exactly("level")),
        Column("Series", lambda row: whole(row["k"]), True),
        Column(f"{one.analysis.event} / {one.analysis.unit}", counted, True),
        Column("Typical centre", lambda row: percent(row["typical"]), True),
        Column("95 % interval", lambda row: percents(row["typical_low"], row["typical_high"]), True),
        Column("Next centre, 95 %", lambda row: percents(row["next_low"], row["next_high"]), True),
        *([Column("Printed pool", lambda row: percent(row["printed"]), True)] if one.printed else []),
    )
    return Table(f"rates_{one.name}", f"Rates: {one.title}", rates.reset_index(), columns)


def _learned(answered: Answered) -> Part:
    compared: tuple[Moderation, ...] = answered.more["compared"]
    found = answered.more["found"]
    titles = {one.name: f"{one.title} (k={found[one.name].used.sum()})" for one in compared}
    answer = answered.tables["answer"]
    alt = (
        "Density of the odds ratio before and after the data; interval as a share of its prior's width: "
        + (", ".join(f"{titles[str(name)]} {_share(row['width_ratio'])}" for name, row in answer.iterrows()))
    )
    plate = Plate(
        "odds_ratios", before_and_after(found, titles), alt,
        "What the data teach about each odds ratio: before them dashed, after them blue, with median and "
        "95 % interval.",
    )  # fmt: skip
    sets = answered.tables["prior_sets"].reset_index()
    columns = (
        Column("Comparison", _titled(compared)),
        Column("Priors", text("priors")),
        Column("Odds ratio", number("odds_ratio"), True),
        Column("95 % interval", _interval, True),
        Column("P(more)", lambda row: probability(row["p_more"]), True),
        Column("Bayes factor", number("bayes_factor", 1), True),
        Column("Width left", lambda row: _share(row["width_ratio"]), True),
        Column("tau", number("tau"), True),
    )
    whys = [
        f"{p.label.replace('_', ' ')}: beta ~ {p['beta']}. {p['beta'].why}" for p in answered.question.priors
    ]
    note = "Width left: of the 95 % interval of the log odds ratio, as a share of its prior’s. " + " ".join(
        whys
    )
    widths = answer["width_ratio"]
    sentence = (
        f"The 95 % intervals keep {_share(widths.min())} to {_share(widths.max())} of their width before the "
        f"data. What a series of one kind would have seen had it been of the other kind cannot be learned, "
        f"nor can two covariates be told apart that go together."
    )
    return Part(
        "What can be learned", (sentence,), (plate,),
        (Table("prior_sets", "The odds ratio under each set of priors", sets, columns, note),),
    )  # fmt: skip


def _left_out(answered: Answered) -> Part:
    frame = answered.tables["left_out"].reset_index()
    answer: Any = answered.tables["answer"]
    compared: tuple[Moderation, ...] = answered.more["compared"]
    told = []
    for one in (one for one in compared if not one.beside):
        rows = frame[frame["comparison"] == one.name]
        if rows.empty:
            continue
        whole_ratio = float(answer.loc[one.name, "odds_ratio"])
        apart = np.abs(np.log(rows["odds_ratio"].to_numpy(dtype=float) / whole_ratio))
        furthest: Any = rows.iloc[int(np.argmax(apart))]
        told.append(
            f"{one.title}: without {furthest['without']} the odds ratio is {decimal(furthest['odds_ratio'])} "
            f"({decimal(furthest['low'])} to {decimal(furthest['high'])}) and not {decimal(whole_ratio)}."
        )
    columns = (
        Column("Comparison", _titled(compared)),
        Column("Without", exactly("without")),
        Column("Odds ratio", number("odds_ratio"), True),
        Column("95 % interval", _interval, True),
        Column("P(more)", lambda row: probability(row["p_more"]), True),
        Column("tau", number("tau"), True),
        Column("elpd", number("elpd", 1), True),
    )
    note = (
        "elpd: log predictive density of what was left out, exact. Series with latent counts are one "
        "observation together."
    )
    return Part(
        "Does one series decide it?", tuple(told),
        tables=(Table("left_out", "The odds ratio without each series", frame, columns, note),),
    )  # fmt: skip


def _methods(answered: Answered) -> Part:
    frame = answered.tables["frequentist"].reset_index()
    compared: tuple[Moderation, ...] = answered.more["compared"]
    columns = (
        Column("Comparison", _titled(compared)),
        Column("Method", exactly("method")),
        Column("Odds ratio", number("estimate"), True),
        Column("95 % interval", _interval, True),
        Column("p", number("p_value"), True),
        Column("tau", number("tau"), True),
        Column("Remark", exactly("remark")),
    )
    told = (
        "Bouza 2009 names design as the reason why leak rates differ. Its pooled rates for the two kinds of "
        "series are among the figures from which the count tables were found, so that methods and model "
        "alike get out of these tables what the review put in. It pools raw proportions, by which a series "
        "without an event counts as very precise.",
    )
    return Part(
        "Other methods, and what the review prints", told,
        tables=(Table("frequentist", "Without priors", frame, columns),),
    )  # fmt: skip


def _before(answered: Answered) -> Part:
    compared: tuple[Moderation, ...] = answered.more["compared"]
    frame = answered.tables["before"].reset_index()
    frame = frame[frame["comparison"].isin([one.name for one in compared if not one.beside])]

    def shown(key: str) -> Show:
        def show(row: Any) -> str:
            if pd.isna(row[key]):
                return NONE
            return decimal(row[key]) if row["quantity"] == "odds ratio" else percent(row[key])

        return show

    columns = (
        Column("Comparison", _titled(compared)),
        Column("Quantity", exactly("quantity")),
        Column("Prior median", shown("median"), True),
        Column("95 % interval", lambda row: f"{shown('low')(row)} to {shown('high')(row)}", True),
        Column("Observed", shown("observed"), True),
        Column("Prior probability of less", lambda row: probability(row["share_below"]), True),
    )
    table = Table("before", "What the priors say, and what was seen", frame.reset_index(drop=True), columns)
    return Part("Before the data", (), tables=(table,))


def _titled(compared: tuple[Moderation, ...]) -> Show:
    titles = {one.name: one.title for one in compared}
    return lambda row: titles[row["comparison"]]


def _interval(row: Any) -> str:
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return NONE
    return f"{_ratio(row['low'])} to {_ratio(row['high'])}"


def _ratio(value: float) -> str:
    return decimal(value) if value < 100 else whole(value)
