"""Chapter on leaks by vertebra, region and site."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from kyphobayes.decisions import NEXT
from kyphobayes.leaks.tables import ALL, ANY, PATIENTS
from kyphobayes.questions import Answered
from kyphobayes.report.canvas import BLUE, GREY, ORANGE, PALE, SMALL, WIDTH, blank, percent_ticks, style
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.shows import between, shares
from kyphobayes.report.tables import Column, Table, exactly, text
from kyphobayes.report.words import (
    PERCENT,
    counted,
    decimal,
    listed,
    percent,
    percents,
    probability,
    span,
    spelled,
    threshold,
    whole,
)

_MEAN, _, _NEW = PATIENTS
_NEXT_LEVELS = f"next {NEXT} levels"


def chapter(answered: Answered) -> Chapter:
    """Tell how often cement leaks, where to, how alike levels are, and what cannot be learned."""
    parts = (
        Part("", _opening(answered), (_rates_drawn(answered),), (_rates(answered),)),
        Part("Where the cement goes", _sites_told(answered), (_sites_drawn(answered),),
             (_sites(answered), _next(answered), _symptoms(answered))),
        Part("Several levels in one patient", _levels_told(answered), (_levels_drawn(answered),),
             (_levels(answered),)),
        Part("Do the priors, the regions and the unplaced leak matter?", _cases_told(answered), (),
             (_cases(answered), _learned(answered))),
        Part("Checks", _checks_told(answered), (), (_before(answered), _left_out(answered))),
    )  # fmt: skip
    return Chapter(answered, parts)


def _opening(answered: Answered) -> tuple[str, ...]:
    rates: Any = answered.tables["rates"]
    limit = threshold(answered.more["threshold"].value)
    mean, new = (rates.loc[(ALL, patient)] for patient in (_MEAN, _NEW))
    return (
        f"Of {mean['n']:.0f} levels {mean['leaks_most']:.0f} leaked. In another patient of this centre a "
        f"level leaks with a probability of {percent(mean['median'])} (95 % interval "
        f"{percents(mean['low'], mean['high'])}); that this is below {limit} is "
        f"{probability(mean['p_below'])} probable. Patients may differ: the rate of one new patient lies "
        f"anywhere from {percents(new['low'], new['high'])}.",
        "The regions are hardly told apart. The one sacral vertebra leaked, but a rate of 100 % is not what "
        "follows: the model takes regions to be alike as far as the data say, and one vertebra says little.",
    )


def _rates_drawn(answered: Answered) -> Plate:
    rates: Any = answered.tables["rates"]
    names = list(rates.index.get_level_values("levels").unique())
    with style():
        figure = blank(WIDTH, 3.5)
        axes = figure.subplots()
        for place, name in enumerate(names):
            mean, new = rates.loc[(name, _MEAN)], rates.loc[(name, _NEW)]
            axes.hlines(place, mean["prior_low"], mean["prior_high"], color=PALE, lw=13)
            axes.hlines(place - 0.18, new["low"], new["high"], color=GREY, lw=1.4)
            axes.hlines(place, mean["low"], mean["high"], color=BLUE, lw=2.6)
            axes.plot(mean["median"], place, "o", color=BLUE, ms=6)
            seen = np.array([mean["leaks_least"], mean["leaks_most"]]) / mean["n"]
            axes.plot(seen, [place + 0.26] * 2, "D-", color=ORANGE, ms=5, lw=1.2)
        axes.set_yticks(range(len(names)), [_counted(rates.loc[(name, _MEAN)], name) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.55)
        axes.set_xlim(-0.01, 1.02)
        axes.set_xlabel("levels that leak, %")
        percent_ticks(axes)
        handles = [
            axes.plot([], [], "o-", color=BLUE, ms=6, lw=2.6)[0],
            axes.plot([], [], "-", color=GREY, lw=1.4)[0],
            axes.plot([], [], "-", color=PALE, lw=9)[0],
            axes.plot([], [], "D", color=ORANGE, ms=5)[0],
        ]
        labels = ["average of patients", "one new patient", "before the data", "counted"]
        figure.legend(handles, labels, loc="upper center", ncols=4, borderaxespad=0.2)
        figure.subplots_adjust(left=0.16, right=0.985, top=0.89, bottom=0.15)
    told = ", ".join(f"{name} {percent(rates.loc[(name, _MEAN), 'median'])}" for name in names)
    caption = (
        "Share of levels that leak, by region: median and 95 % interval of the average over patients, 95 % "
        "interval of one new patient, and what was known before the data. Diamonds are plain counts; two "
        "are joined where one leak may belong to either region."
    )
    return Plate("rates", figure, f"Share of levels that leak: {told}", caption)


def _counted(row: Any, name: str) -> str:
    return f"{name}\n{span((row['leaks_least'], row['leaks_most']))} of {row['n']:.0f}"


def _rates(answered: Answered) -> Table:
    limit = threshold(answered.more["threshold"].value)
    columns = (
        Column("Levels", text("levels")),
        Column("Patient", text("patient")),
        Column("Leaks", lambda r: f"{span((r['leaks_least'], r['leaks_most']))} of {r['n']:.0f}", True),
        Column("Median rate", lambda r: percent(r["median"]), True),
        Column("95 % interval", shares("low", "high"), True),
        Column("Before the data", shares("prior_low", "prior_high"), True),
        Column(f"P(below {limit})", lambda r: probability(r["p_below"]), True),
    )
    note = (
        "A typical patient has as many above as below; the average is higher, because patients who leak "
        "often weigh more. Thoracic and lumbar: one leak lies in either."
    )
    frame = answered.tables["rates"].reset_index()
    return Table("rates", "Levels that leak, by region and patient", frame, columns, note)


def _sites_told(answered: Answered) -> tuple[str, ...]:
    tables: dict[str, Any] = answered.tables
    sites, symptoms = tables["sites"], tables["symptoms"]
    canal, coming = sites.loc["canal"], tables[_NEXT_LEVELS]
    first, second, third = (symptoms.iloc[i] for i in range(3))
    return (
        f"Cement in the canal lies where the nerves are. It was seen in "
        f"{canal['leaks']:.0f} of {_n(answered)} levels, so that its share of the leaks may be anything "
        f"from {percents(canal['share_low'], canal['share_high'])}, and its rate anything from "
        f"{decimal(canal['per_100_low'], 1)} to {decimal(canal['per_100_high'], 1)} of 100 levels. In "
        f"the next {NEXT} levels {decimal(coming.loc['canal', 'expected'], 1)} are expected, and none with a "
        f"probability of {probability(coming.loc['canal', 'p_none'])}; of leaks of any kind "
        f"{decimal(coming.loc[ANY, 'expected'], 1)} are expected.",
        f"No leak caused symptoms. Zero of {first['n']:.0f} is not a rate of zero: up to "
        f"{percent(first['below_uniform'])} of leaks may do so, and up to {percent(second['below_uniform'])} "
        f"of levels. If the {third['n'] - first['n']:.0f} leaks of the series in Bouza 2009, none of "
        f"which had symptoms, are taken to be of one kind with these, it is up to "
        f"{percent(third['below_uniform'])} of leaks.",
    )


def _sites_drawn(answered: Answered) -> Plate:
    sites: Any = answered.tables["sites"].drop(index=ANY)
    with style():
        figure = blank(WIDTH, 2.7)
        left, right = figure.subplots(1, 2, sharey=True)
        for place, (_, row) in enumerate(sites.iterrows()):
            left.hlines(place, row["prior_low"], row["prior_high"], color=PALE, lw=13)
            _interval_drawn(left, place, row, "share_")
            left.plot(row["leaks"] / sites["leaks"].sum(), place + 0.27, "D", color=ORANGE, ms=5)
            _interval_drawn(right, place, row, "per_100_")
            right.plot(100 * row["leaks"] / _n(answered), place + 0.27, "D", color=ORANGE, ms=5)
        counts = [counted(f"{row['leaks']:.0f}", "leaks") for _, row in sites.iterrows()]
        names = [f"{name}\n{count}" for name, count in zip(sites.index, counts, strict=True)]
        left.set_yticks(range(len(sites)), names)
        left.set_ylim(len(sites) - 0.4, -0.6)
        left.set_xlim(0, 1)
        right.set_xlim(0, None)
        right.tick_params(left=False)
        percent_ticks(left)
        left.set_xlabel("share of the leaks, %")
        right.set_xlabel("leaks in 100 levels")
        figure.subplots_adjust(left=0.11, right=0.985, top=0.97, bottom=0.19, wspace=0.08)
    told = ", ".join(f"{name} {percent(row['share_median'])}" for name, row in sites.iterrows())
    caption = (
        "Where cement goes: share of the leaks (left; grey is what was known before the data) and leaks in "
        "100 levels (right), with 95 % intervals. Diamonds are plain counts."
    )
    return Plate("sites", figure, f"Share of leaks by site: {told}", caption)


def _interval_drawn(axes: Axes, place: float, row: Any, prefix: str) -> None:
    axes.hlines(place, row[f"{prefix}low"], row[f"{prefix}high"], color=BLUE, lw=2.6)
    axes.plot(row[f"{prefix}median"], place, "o", color=BLUE, ms=6)


def _n(answered: Answered) -> int:
    return len(answered.more["evidence"].labels)


def _sites(answered: Answered) -> Table:
    columns = (
        Column("Site", text("site")),
        Column("Leaks", exactly("leaks"), True),
        Column("Share of the leaks", lambda r: percent(r["share_median"]), True),
        Column("95 % interval", shares("share_low", "share_high"), True),
        Column("In 100 levels", lambda r: decimal(r["per_100_median"], 1), True),
        Column("95 % interval", between("per_100_low", "per_100_high", 1), True),
    )
    frame = answered.tables["sites"].reset_index()
    return Table("sites", "Leaks by site: medians and 95 % intervals", frame, columns)


def _next(answered: Answered) -> Table:
    columns = (
        Column("Site", text("site")),
        Column("Expected", lambda r: decimal(r["expected"], 1), True),
        Column("95 % interval", between("low", "high", 0), True),
        Column("P(none)", lambda r: probability(r["p_none"]), True),
        Column("P(none), in pairs", lambda r: probability(r["p_none_in_pairs"]), True),
    )
    note = f"Each level is one of another patient; in pairs, they are two each of {NEXT // 2} patients."
    frame = answered.tables[_NEXT_LEVELS].reset_index()
    return Table("next", f"Leaks in the next {NEXT} levels", frame, columns, note)


def _symptoms(answered: Answered) -> Table:
    columns = (
        Column("Of", text("of")),
        Column("With symptoms", lambda r: f"{r['symptomatic']} of {r['n']}", True),
        Column("Median", lambda r: percent(r["median"]), True),
        Column("Below, uniform prior", lambda r: percent(r["below_uniform"]), True),
        Column("Jeffreys’ prior", lambda r: percent(r["below_jeffreys"]), True),
        Column("exact confidence limit", lambda r: percent(r["below_exact"]), True),
    )
    frame = answered.tables["symptoms"].reset_index()
    note = "Below: the share lies below this with 95 % probability, or 95 % confidence."
    return Table("symptoms", "Leaks with symptoms: what none leaves possible", frame, columns, note)


def _levels_told(answered: Answered) -> tuple[str, ...]:
    tables: dict[str, Any] = answered.tables
    levels, learned = tables["levels"], tables["learned"]
    last, most = levels.iloc[-1], int(levels.index[-1])
    icc = learned.loc["correlation of two levels of a patient"]
    return (
        f"If {most} levels of one patient are treated, at least one leaks with a probability of "
        f"{percent(last['mean'])}; it would be {percent(last['independent'])} if levels of one patient "
        f"leaked independently. The correlation of two levels is {decimal(icc['median'])} (95 % interval "
        f"{decimal(icc['low'])} to {decimal(icc['high'])}), and was {decimal(icc['prior_median'])} "
        f"({decimal(icc['prior_low'])} to {decimal(icc['prior_high'])}) before the data: {_twice(answered)}, "
        f"so the prior comes back.",
    )


def _twice(answered: Answered) -> str:
    row: Any = answered.tables["posterior predictive"].loc["patients with two leaks or more"]
    return (
        f"{spelled(int(row['observed'])).lower()} patient had two leaks or more, where the model expects "
        f"{decimal(row['replicated'], 1)}"
    )


def _levels_drawn(answered: Answered) -> Plate:
    levels: Any = answered.tables["levels"]
    places = np.arange(len(levels), dtype=float)
    with style():
        figure = blank(WIDTH, 3.0)
        axes = figure.subplots()
        axes.vlines(places, levels["prior_low"], levels["prior_high"], color=PALE, lw=13)
        axes.vlines(places, levels["low"], levels["high"], color=BLUE, lw=2.6)
        axes.plot(places, levels["mean"], "o", color=BLUE, ms=6.5)
        axes.plot(places + 0.09, levels["independent"], "_", color=ORANGE, ms=13, mew=2.6)
        for place, (_, row) in zip(places, levels.iterrows(), strict=True):
            axes.text(
                place - 0.07, row["mean"], percent(row["mean"]), ha="right", va="center", fontsize=SMALL
            )
        axes.set_xticks(places, [f"{n} level{'s' * (n > 1)}" for n in levels.index])
        axes.set_xlim(-0.5, len(levels) - 0.5)
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
        axes.set_ylabel("patients with a leak, %")
        handles = [
            axes.plot([], [], "o-", color=BLUE, ms=6.5, lw=2.6)[0],
            axes.plot([], [], "-", color=PALE, lw=9)[0],
            axes.plot([], [], "_", color=ORANGE, ms=13, mew=2.6)[0],
        ]
        labels = ["mean and 95 % interval", "before the data", "if levels were independent"]
        figure.legend(handles, labels, loc="upper center", ncols=3, borderaxespad=0.2)
        figure.subplots_adjust(left=0.08, right=0.985, top=0.87, bottom=0.1)
    told = ", ".join(f"{n}: {percent(row['mean'])}" for n, row in levels.iterrows())
    caption = "Probability that at least one level of a new patient leaks, by the number of levels treated."
    return Plate("levels", figure, f"Probability of a leak by number of levels: {told}", caption)


def _levels(answered: Answered) -> Table:
    columns = (
        Column("Levels of one patient", lambda r: f"{r['levels of one patient']:.0f}", True),
        Column("P(a leak)", lambda r: percent(r["mean"]), True),
        Column("95 % interval", shares("low", "high"), True),
        Column("If independent", lambda r: percent(r["independent"]), True),
        Column("Before the data", shares("prior_low", "prior_high"), True),
    )
    frame = answered.tables["levels"].reset_index()
    return Table("levels", "At least one leak in a new patient", frame, columns)


def _cases_told(answered: Answered) -> tuple[str, ...]:
    tables: dict[str, Any] = answered.tables
    cases, unplaced = tables["cases"], tables["unplaced"]
    low, high = cases["median"].min(), cases["median"].max()
    factor = np.exp(cases["log_evidence"].iloc[0] - cases.loc["all regions alike", "log_evidence"])
    told = [
        f"Over these cases the rate goes from {percents(low, high)}, and that of leaks into the canal "
        f"from {decimal(cases['canal_median'].min(), 1)} to {decimal(cases['canal_median'].max(), 1)} of "
        f"100 levels. The data are {decimal(factor)} times as probable with regions that may differ as with "
        f"regions all alike: they do not say which.",
    ]
    if len(unplaced):
        ways = [f"{place.split()[1]} ({percent(p)})" for place, p in unplaced["after"].items()]
        patients = listed(list(dict.fromkeys(place.split()[0] for place in unplaced.index)))
        told.append(
            f"The paper does not say which vertebra of patient {patients} leaked: {listed(ways)} are hardly "
            f"told apart. Whichever it was, the answer stays."
        )
    past = answered.more["sets"]["past_series"]["mu"].why
    return (*told, f"Case “past series”: {past[0].lower()}{past[1:]}")


def _cases(answered: Answered) -> Table:
    limit = threshold(answered.more["threshold"].value)
    columns = (
        Column("Case", text("case")),
        Column("Rate", lambda r: percent(r["median"]), True),
        Column("95 % interval", shares("low", "high"), True),
        Column("One new patient", shares("new_low", "new_high"), True),
        Column(f"P(below {limit})", lambda r: probability(r["p_below"]), True),
        *(Column(name.capitalize(), lambda r, n=name: percent(r[n]), True)
          for name in ("thoracic", "lumbar", "sacral")),
        Column("Into the canal, of 100", lambda r: decimal(r["canal_median"], 1), True),
        Column("95 % interval", between("canal_low", "canal_high", 1), True),
    )  # fmt: skip
    whys = [f"{p.label.replace('_', ' ')}: {name} ~ {p[name]}. {p[name].why}"
            for p in answered.question.priors for name in p]  # fmt: skip
    frame = answered.tables["cases"].reset_index()
    return Table("cases", "The answer in other cases (means by region)", frame, columns, " ".join(whys))


def _learned(answered: Answered) -> Table:
    columns = (
        Column("Parameter", text("parameter")),
        Column("Median", lambda r: decimal(r["median"]), True),
        Column("95 % interval", between("low", "high", 2), True),
        Column("Before the data", between("prior_low", "prior_high", 2), True),
        Column("Width left", lambda r: f"{whole(100 * r['width_ratio'])}{PERCENT}", True),
    )
    note = "Width left: of the 95 % interval before the data. Near 100 % the prior comes back."
    frame = answered.tables["learned"].reset_index()
    return Table("learned", "What the data teach", frame, columns, note)


def _checks_told(answered: Answered) -> tuple[str, ...]:
    wanted = ("agreement", "integration", "frequentist agreement", "leave-one-patient-out")
    found = {check.name: check.text for check in answered.checks}
    return tuple(f"{found[name][0].upper()}{found[name][1:]}." for name in wanted)


def _before(answered: Answered) -> Table:
    key = "in a series of these patients"
    columns = (
        Column("In a series of these patients", text(key)),
        Column("Median", lambda r: decimal(r["median"], 0), True),
        Column("95 % interval", between("low", "high", 0), True),
        Column("Seen", lambda r: decimal(r["observed"], 0), True),
    )
    frame = answered.tables["before the data"].reset_index()
    return Table("before", "Before the data: what the priors let expect", frame, columns)


def _left_out(answered: Answered) -> Table:
    frame = answered.tables["leave-one-patient-out"].reset_index().sort_values("elpd", kind="stable")
    frame = frame.head(5).reset_index(drop=True)
    columns = (
        Column("Patient", exactly("patient")),
        Column("Levels", exactly("levels"), True),
        Column("Leaks", exactly("leaks"), True),
        Column("Probability, from the others", lambda r: probability(float(np.exp(r["elpd"]))), True),
        Column("Pareto k", lambda r: decimal(r["pareto_k"]), True),
    )
    return Table("left-out", f"{spelled(len(frame))} patients least expected from the others", frame, columns)
