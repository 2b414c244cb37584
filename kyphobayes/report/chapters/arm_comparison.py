"""Chapter on two treatments in the same studies."""

from typing import Any

from kyphobayes.comparison.numbers import PER
from kyphobayes.questions import Answered
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.odds_forest import odds_forest
from kyphobayes.report.shows import between, chance, number
from kyphobayes.report.tables import Column, Show, Table, exactly, text
from kyphobayes.report.words import decimal, decimals, listed, percent, probability, spelled


def chapter(answered: Answered) -> Chapter:
    """All parts of the chapter."""
    return Chapter(answered, (_main(answered), *_single(answered), _priors(answered), _other(answered)))


def _main(answered: Answered) -> Part:
    tables, asked = answered.tables, answered.more["comparison"]
    one, two = asked.arms
    methods = tables["frequentist"]
    ratios = methods[methods["scale"] == "odds ratio"]
    odds = tables["answer"].loc["odds ratio, typical centre"]
    alt = (
        f"Forest plot of {len(tables['studies'])} comparisons of {one} and {two}: odds ratio in a typical "
        f"centre {odds['median']:.2f}, 95 % interval {odds['low']:.2f} to {odds['high']:.2f}."
    )
    plate = Plate(
        "forest",
        odds_forest(tables["studies"], tables["answer"], ratios, asked.arms, asked.event),
        alt,
        f"Odds ratio of {asked.event}, {one} against {two}; counts are {asked.event} / {asked.unit}. Left of "
        f"1, {one} has fewer. A study without {asked.event} in either arm has no odds ratio of its own: its "
        f"grey line is its prior, a little narrowed.",
    )
    return Part(
        sentences=_read(answered),
        plates=(plate,),
        tables=(
            Table(
                "answer", "Odds ratio, rates and differences under the main priors.",
                tables["answer"].reset_index(),
                (
                    Column("quantity", text("quantity")),
                    Column("mean", number("mean", 1), number=True),
                    Column("median", _sized("median"), number=True),
                    Column("95 % interval", _interval("low", "high"), number=True),
                    Column(f"P({one} fewer)", chance("p_fewer"), number=True),
                ),
            ),
            Table(
                "frequentist", "What frequentist methods make of the same counts.", methods.reset_index(),
                (
                    Column("method", text("method")),
                    Column("scale", text("scale")),
                    Column("estimate", _sized("estimate"), number=True),
                    Column("95 % interval", _interval("low", "high"), number=True),
                    Column("p", number("p_value", 2), number=True),
                    Column("studies used", number("k", 0), number=True),
                    Column("remark", exactly("remark")),
                ),
                note="A ratio method leaves out a study without events in either arm; the model keeps it.",
            ),
        ),
    )  # fmt: skip


def _read(answered: Answered) -> tuple[str, ...]:
    """Sentences on what the studies can and cannot tell."""
    tables, asked, evidence = answered.tables, answered.more["comparison"], answered.more["evidence"]
    one, two = asked.arms
    k = evidence.k
    learned = tables["learned"]["width_ratio"].to_dict()
    silent = [
        label for label, a, b in zip(evidence.labels, evidence.events_1, evidence.events_2, strict=True)
        if a + b == 0
    ]  # fmt: skip
    sentences = [
        f"{spelled(k)} studies narrow the 95 % interval of the log odds ratio to "
        f"{percent(learned['mu'])} of its prior's width, and that of tau, the spread between centres, to "
        f"{percent(learned['tau'])}: how much centres differ cannot be learned from k = {k}, and what is "
        f"said of the next centre rests on the prior for it.",
    ]
    if silent:
        sentences.append(
            f"{listed(silent)} had no {asked.event} in either arm. Methods that pool ratios drop such a "
            f"study; here it stays, and says that rates were low in both arms, not which is lower."
        )
        chances = tables["prior_sets"]["p_fewer_typical"].to_dict()
        sentences.append(
            f"Which arm carries the baseline matters. If it is {two} alone, the same counts and priors "
            f"make it {probability(chances['baseline_of_arm_2'])} and not "
            f"{probability(chances[answered.more['free']])} probable that {one} has fewer: {one} may then "
            f"vary more before the data, and a study without {asked.event} counts for it. That comes from "
            f"the parametrisation and from no patient, so here both arms carry it."
        )
    return tuple(sentences)


def _single(answered: Answered) -> tuple[Part, ...]:
    """The part on one comparison of one study, where the plan names one."""
    label = answered.more["single"]
    if not label:
        return ()
    asked, evidence, table = (
        answered.more["comparison"],
        answered.more["evidence"],
        answered.tables["one_study"],
    )
    y1, n1, y2, n2 = (float(values[evidence.labels.index(label)]) for values in evidence.counts)
    one, two = asked.arms
    first = table.iloc[0]
    low, high = table["p_fewer"].min(), table["p_fewer"].max()
    top = first["share_1_high"]
    sentence = (
        f"“{100 * y2 / n2:.0f} % against {100 * y1 / n1:.0f} %” is one comparison of one study, {label}: "
        f"{y2:.0f} of {n2:.0f} {asked.unit} after {two} and {y1:.0f} of {n1:.0f} after {one}. By itself it "
        f"makes it {100 * low:.0f} to {100 * high:.0f} % probable, by the prior, that {one} has fewer "
        f"{asked.event}; under Jeffreys' prior by {decimal(-first['difference'], 1)} per {PER} (95 % "
        f"interval of the difference {decimal(first['difference_low'], 1)} to "
        f"{decimal(first['difference_high'], 1)}). Fisher's exact test has p = {first['fisher']:.2f}. An "
        f"observed {100 * y1 / n1:.0f} % is compatible with up to {100 * top:.0f} % (Jeffreys, 97.5 %)."
    )
    columns = (
        Column("prior", text("prior")),
        Column(f"P({one} fewer)", chance("p_fewer"), number=True),
        Column(f"difference per {PER}", number("difference", 1), number=True),
        Column("95 % interval", between("difference_low", "difference_high", 1), number=True),
        Column("odds ratio", number("odds_ratio", 2), number=True),
        Column("95 % interval", _interval("low", "high"), number=True),
    )
    shown = Table("one_study", f"{label} by itself.", table.reset_index(), columns)
    return (Part(f"One comparison of one study: {label}", (sentence,), tables=(shown,)),)


def _priors(answered: Answered) -> Part:
    rate, (one, two) = answered.more["rate"], answered.more["comparison"].arms
    sentence = (
        f"Under every other prior the baselines are free and the posterior is exact. The difference is "
        f"stated for a centre with {percent(rate)} after {two}, the rate in all studies together."
    )
    table = Table(
        "prior_sets", "The answer under each set of priors.",
        answered.tables["prior_sets"].reset_index(), _sets("priors", one),
    )  # fmt: skip
    return Part("Do the priors matter?", (sentence,), tables=(table, _before(answered)))


def _before(answered: Answered) -> Table:
    """Prior predictive check: counts that the main priors let expect."""
    columns = (
        Column("count", exactly("quantity")),
        Column("before the data, mean", number("replicated", 1), number=True),
        Column("95 % interval", between("low", "high", 0), number=True),
        Column("observed", number("observed", 0), number=True),
    )
    frame = answered.tables["before the data"].reset_index()
    return Table("before", "Before the data: the counts that the main priors let expect.", frame, columns)


def _other(answered: Answered) -> Part:
    asked = answered.more["comparison"]
    whys = tuple(f"{i.study}, {i.arm}: {i.events}. {i.why}" for i in asked.instead)
    table = Table(
        "other_evidence", "The exact answer with free baselines, without each study and with other counts.",
        answered.tables["other_evidence"].reset_index(), _sets("evidence", asked.arms[0]),
    )  # fmt: skip
    return Part("Does one study decide it?", whys, tables=(table,))


def _sets(key: str, one: str) -> tuple[Column, ...]:
    return (
        Column(key, exactly(key) if key == "evidence" else text(key)),
        Column("odds ratio", number("odds_ratio", 2), number=True),
        Column("95 % interval", _interval("low", "high"), number=True),
        Column("next centre", _interval("next_low", "next_high"), number=True),
        Column(f"P({one} fewer), typical", chance("p_fewer_typical"), number=True),
        Column("next", chance("p_fewer_next"), number=True),
        Column("tau", number("tau", 2), number=True),
        Column(f"difference per {PER}", number("difference", 1), number=True),
        Column("95 % interval", between("difference_low", "difference_high", 1), number=True),
    )


def _digits(row: Any) -> int:
    """Two decimals for an odds ratio, one for what is counted per 100."""
    return 1 if f"per {PER}" in f"{row.get('quantity', '')}{row.get('scale', '')}" else 2


def _sized(key: str) -> Show:
    return lambda row: decimal(row[key], _digits(row))


def _interval(low: str, high: str) -> Show:
    return lambda row: decimals(row[low], row[high], _digits(row))
