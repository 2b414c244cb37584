"""Chapter on new fractures and deaths per time at risk."""

from typing import Any

import pandas as pd

from kyphobayes.names import TAU
from kyphobayes.questions import Answered
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.rate_figures import incidence, rate_forest, survival
from kyphobayes.report.shows import between
from kyphobayes.report.tables import Column, Show, Table, exactly
from kyphobayes.report.words import (
    NONE,
    counted,
    decimal,
    listed,
    percent,
    percents,
    probabilities,
    probability,
    span,
    spelled,
    whole,
)
from kyphobayes.time_at_risk.centres import PER

_FRACTURES = f"new fractures per {PER} patient-years"
_MEDIAN, _INTERVAL = "Median", "95 % interval"


def chapter(answered: Answered) -> Chapter:
    """Tell the rates, how they compare with no treatment, what time changes, and who lives to see it."""
    return Chapter(
        answered,
        (
            Part("", _opening(answered), (_forest(answered),), (_rates(answered), _series(answered))),
            Part("Against untreated patients", _untreated_told(answered), (_incidence(answered),),
                 (_untreated(answered), _cases(answered))),
            Part("What is lost by ignoring time", _ignoring_told(answered), (),
                 (_ignoring(answered), _latent(answered))),
            Part("Deaths and fractures in Ribeirão Preto", _patients_told(answered), (_survival(answered),),
                 (_patients(answered),)),
            Part("Which vertebra breaks?", _vertebra_told(answered), (), (_vertebra(answered),)),
            Part("Other methods, and before the data", _learned_told(answered), (),
                 (_frequentist(answered), _learned(answered), _before(answered))),
        ),
    )  # fmt: skip


def _opening(answered: Answered) -> tuple[str, ...]:
    series = answered.tables["series"]
    latent = series[series["latent"]]
    highest, lowest = (series.loc[getattr(series["rate"], f"idx{end}")()] for end in ("max", "min"))
    return (
        f"{spelled(len(series))} series were followed for {series['patient_years'].sum():.0f} patient-years "
        f"together. {spelled(len(latent))} of them do not print their counts: the model averages over the "
        f"{len(answered.more['evidence'].tables)} tables that agree with what Bouza 2009 prints of them.",
        f"{highest.name} was followed for {highest['follow_up']:g} months and had "
        f"{span((highest['events_low'], highest['events_high']), ' to ')} new fractures; {lowest.name} was "
        f"followed for {lowest['follow_up']:g} months and had "
        f"{span((lowest['events_low'], lowest['events_high']), ' to ')}. Per {PER} patient-years the model "
        f"gives them {decimal(highest['rate'], 0)} and {decimal(lowest['rate'], 0)}. Either centres differ "
        "that much, or most fractures come early, so that a rate per year is too high for a short series "
        "and too low for a long one. Nothing that is printed can tell these apart.",
    )


def _forest(answered: Answered) -> Plate:
    rates: Any = answered.tables["rates"]
    last = rates.loc[[f"{_FRACTURES}, typical centre", f"{_FRACTURES}, next centre"]]
    figure = rate_forest(answered.tables["series"], last.set_axis(["Typical centre", "Next centre"]))
    alt = (
        f"Forest plot of {_FRACTURES} in {len(answered.tables['series'])} series: typical centre "
        f"{_between(last.iloc[0], 1)}, next centre {_between(last.iloc[1], 1)}."
    )
    caption = (
        "New fractures per 100 patient-years. Orange: all rates that a series may have had, where its count "
        "is not printed. Blue: what the model makes of it together with the others."
    )
    return Plate("forest", figure, alt, caption)


def _rates(answered: Answered) -> Table:
    columns = (
        Column("Quantity", exactly("quantity")),
        Column("Mean", lambda row: _value(row, "mean"), True),
        Column(_MEDIAN, lambda row: _value(row, "median"), True),
        Column(_INTERVAL, _interval, True),
    )
    note = "A rate has no mean here: that of the next centre is infinite, because tau may be large."
    return Table("rates", "Rates and shares", answered.tables["rates"].reset_index(), columns, note)


def _series(answered: Answered) -> Table:
    columns = (
        Column("Series", exactly("series")),
        Column("Patients", lambda row: whole(row["patients"]), True),
        Column("Mean follow-up, months", lambda row: f"{row['follow_up']:g}", True),
        Column("Patient-years", lambda row: decimal(row["patient_years"], 1), True),
        Column("New fractures", lambda row: span((row["events_low"], row["events_high"])), True),
        Column("Its own rate", lambda row: _between(row, 1, "own"), True),
        Column("By the model", lambda row: _between(row, 1, "rate"), True),
    )
    note = (
        f"Rates per {PER} patient-years. Own rates of series with unprinted counts are ranges over the "
        "possible tables; the others have an exact Poisson interval (Garwood)."
    )
    frame = answered.tables["series"].reset_index()
    return Table("series", "Series, their time at risk, and their rates", frame, columns, note)


def _untreated_told(answered: Answered) -> tuple[str, ...]:
    table, one = answered.tables["untreated"], answered.more["untreated"][0]
    chances = [
        f"{probability(group['p_typical'].iloc[0])} for a typical centre and "
        f"{probability(group['p_next'].iloc[0])} for the next one if that took {months} months"
        for months, group in table.groupby("months", sort=False)
    ]
    cases: Any = answered.tables["cases"]
    late = answered.more["options"].horizons[-1]
    values = cases[f"typical_p_lower_{late}"]
    return (
        f"Bouza 2009 sets new fractures after kyphoplasty against {one.words} of untreated "
        "patients, quoted from another paper without the time that it took. How much of that range is "
        "chance, and over what time, are assumptions here; the comparison is external and not controlled.",
        f"The probability that there are fewer after kyphoplasty is {'; '.join(chances)}.",
        f"At {late} months that of a typical centre is {probabilities(values.min(), values.max())} over the "
        "cases below: "
        "patients of the long series who died or stayed away were at risk for less time than is printed, "
        "and the rate of the others is then higher. If all fractures happen early, long follow-up adds none.",
    )


def _incidence(answered: Answered) -> Plate:
    posterior, one = answered.more["posterior"], answered.more["untreated"][0]
    horizons = answered.more["options"].horizons
    rates: Any = answered.tables["rates"]
    shares = ", ".join(
        f"{percent(rates.loc[f'share with one within {months} months, typical centre', 'median'])} at "
        f"{months} months"
        for months in horizons
    )
    alt = (
        f"Share of patients with a new fracture over time: in a typical centre {shares}; beside it the band "
        f"of {one.words} of untreated patients."
    )
    caption = (
        "Share of patients with a new fracture at a constant rate. The orange band is the share of untreated "
        "patients; at which time it was reached is not printed, and red marks the two times assumed here."
    )
    return Plate("incidence", incidence(posterior, one, horizons), alt, caption)


def _untreated(answered: Answered) -> Table:
    columns = (
        Column("The range is the central", lambda row: percent(row["holds"]), True),
        Column("so that 95 % of it is", lambda row: percents(row["untreated_low"], row["untreated_high"]),
               True),
        Column("Time it took, months", lambda row: f"{row['months']:g}", True),
        Column("P(fewer), typical centre", lambda row: probability(row["p_typical"]), True),
        Column("P(fewer), next centre", lambda row: probability(row["p_next"]), True),
    )  # fmt: skip
    caption = "Probability of fewer new fractures than in untreated patients"
    return Table("untreated", caption, answered.tables["untreated"], columns)


def _cases(answered: Answered) -> Table:
    def chance(key: str) -> Show:
        return lambda row: probability(row[key])

    horizons = answered.more["options"].horizons
    columns = (
        Column("Case", exactly("case")),
        Column("Typical centre", lambda row: _between(row, 1, "typical", "typical_"), True),
        Column("Next centre", lambda row: _between(row, 1, "next", "next_"), True),
        *(Column(f"Within {m} months", lambda row, m=m: percent(row[f"typical_share_{m}"]), True)
          for m in horizons),
        *(Column(f"P(fewer) at {m}", chance(f"typical_p_lower_{m}"), True) for m in horizons),
        Column("tau", lambda row: decimal(row[TAU]), True),
    )  # fmt: skip
    note = (
        f"Rates per {PER} patient-years at risk; shares and P(fewer than untreated) of a typical centre, the "
        "range taken as the central 95 %."
    )
    return Table("cases", "The answer in other cases", answered.tables["cases"].reset_index(), columns, note)


def _ignoring_told(answered: Answered) -> tuple[str, ...]:
    with_time, without = answered.more["posterior"], answered.more["without time"]
    table: Any = answered.tables["ignoring time"].xs("typical centre", level="centre")
    months = answered.tables["series"]["follow_up"]
    plain, at_mean, late = (table.iloc[place] for place in (0, 1, -1))
    return (
        f"Without time, {percent(plain['median'])} of patients in a typical centre "
        f"({percents(plain['low'], plain['high'])}) have a new fracture “by the end of follow-up”, of "
        f"{span((months.min(), months.max()), ' to ')} months. With it, within the mean "
        f"follow-up of {decimal(at_mean['months'], 1)} months they are "
        f"{percent(at_mean['median'])} ({percents(at_mean['low'], at_mean['high'])}): much the same "
        "in the middle, with a wider interval. Bouza 2009 says that about 10 % have one within two years. "
        "That is the share by the end of follow-up, which was shorter for many; at a constant rate "
        f"{percent(late['median'])} ({percents(late['low'], late['high'])}) have one within "
        f"{late['months']:.0f} months.",
        f"The spread between centres is {decimal(without.quantile(TAU, 0.5))} on the scale of log odds and "
        f"{decimal(with_time.quantile(TAU, 0.5))} on that of log rates (medians): series of different length "
        "look alike in their shares just because they are of different length. Counts that are not "
        "printed shift towards the series that were followed for longer.",
    )


def _ignoring(answered: Answered) -> Table:
    columns = (
        Column("Share with a new fracture", exactly("share")),
        Column("Centre", exactly("centre")),
        Column(_MEDIAN, lambda row: percent(row["median"]), True),
        Column(_INTERVAL, lambda row: percents(row["low"], row["high"]), True),
    )
    frame = answered.tables["ignoring time"].reset_index()
    return Table("ignoring", "The share, without and with time", frame, columns)


def _latent(answered: Answered) -> Table:
    columns = (
        Column("Series", exactly("series")),
        Column("Patient-years", lambda row: decimal(row["patient_years"], 1), True),
        Column("All tables alike", lambda row: decimal(row["before"], 1), True),
        Column("Model without time", lambda row: decimal(row["without_time"], 1), True),
        Column("Model with time", lambda row: decimal(row["with_time"], 1), True),
    )
    frame = answered.tables["latent counts"].reset_index()
    return Table("latent", "Expected number of new fractures where it is not printed", frame, columns)


def _patients_told(answered: Answered) -> tuple[str, ...]:
    followed = answered.more["followed"]
    rates: Any = answered.tables["rates"]
    late = answered.more["options"].alive[-1]
    alive = rates.loc[f"alive after {late} months"]
    patients = answered.tables["patients"]
    other: Any = patients.xs(f"alive after {late} months", level="quantity")
    worst = other["median"].idxmin()
    zero = int((followed.died & (followed.months == 0)).sum())
    return (
        f"{spelled(int(followed.died.sum()))} of {len(followed.labels)} patients died in "
        f"{decimal(float(followed.years.sum()), 1)} patient-years. Of {PER} new patients about "
        f"{whole(PER * alive['median'])} ({whole(PER * alive['low'])} to {whole(PER * alive['high'])}) are "
        f"alive after {late} months: whoever asks for fractures within two years asks about patients of whom "
        "many do not live as long.",
        f"Months are printed as whole numbers, and {counted(str(zero), 'patients')} died after 0 months: a "
        "death is known to lie in an interval. A constant hazard of death is an assumption; if it may fall "
        f"or rise, survival hardly changes. The case that changes most, “{worst}”, leaves "
        f"{percent(other.loc[worst, 'median'])} alive after {late} months; the paper says that two patients "
        "were lost, and not which.",
    )


def _survival(answered: Answered) -> Plate:
    followed = answered.more["followed"]
    figure = survival(followed, answered.more["rates"]["log_death_rate"])
    died = [
        f"{months:.0f}" for months, dead in zip(followed.months, followed.died, strict=True) if dead
    ]  # fmt: skip
    alt = (
        f"Survival of {len(followed.labels)} patients over time, with deaths at the printed months "
        f"{listed(sorted(died, key=float))}, and the follow-up of every patient as a line."
    )
    caption = (
        "Survival in Ribeirão Preto (above) and the follow-up of every patient (below). A death lies "
        "anywhere in its red interval; a new fracture, at any time before the diamond."
    )
    return Plate("survival", figure, alt, caption)


def _patients(answered: Answered) -> Table:
    columns = (
        Column("Case", exactly("case")),
        Column("Quantity", exactly("quantity")),
        Column(_MEDIAN, lambda row: _value(row, "median"), True),
        Column(_INTERVAL, _interval, True),
    )
    frame = answered.tables["patients"].reset_index()
    note = "P* stands where a late pain score is missing; the paper does not explain it."
    return Table("patients", "Ribeirão Preto in other cases", frame, columns, note)


def _vertebra_told(answered: Answered) -> tuple[str, ...]:
    table: Any = answered.tables["which vertebra"]
    own = table.iloc[0]
    told = (
        f"{spelled(int(own['events']))} of {own['n']:.0f} new fractures in Ribeirão Preto was in an adjacent "
        f"vertebra. The 95 % interval of that share, {percents(own['low'], own['high'])}, is "
        f"{percent(own['width_ratio'])} as wide as before the data: nothing can be said of it."
    )
    context = [
        f"{label.partition(',')[0]} counts {row['events']:.0f} adjacent fractures in {row['n']:.0f} "
        f"{row['of']}; it does not count distant ones, and enters no model."
        for label, row in table.iloc[1:].iterrows()
    ]
    return (told, *context)


def _vertebra(answered: Answered) -> Table:
    columns = (
        Column("Share", exactly("quantity")),
        Column("Count", lambda row: f"{row['events']:.0f} of {row['n']:.0f} {row['of']}", True),
        Column(_MEDIAN, lambda row: percent(row["median"]), True),
        Column(_INTERVAL, lambda row: percents(row["low"], row["high"]), True),
    )
    frame = answered.tables["which vertebra"].reset_index()
    return Table("vertebra", "Adjacent fractures, from a uniform prior", frame, columns)


def _learned_told(answered: Answered) -> tuple[str, ...]:
    learned: Any = answered.tables["learned"]
    return (
        f"The series narrow the interval of mu, the log rate of a typical centre, to "
        f"{percent(learned.loc['mu', 'width_ratio'])} of its prior's width, and that of tau only to "
        f"{percent(learned.loc['tau', 'width_ratio'])}: how much centres differ is mostly the prior's word, "
        "and so is the width of the next centre’s interval.",
    )


def _frequentist(answered: Answered) -> Table:
    columns = (
        Column("Method", exactly("method")),
        Column("Rate", lambda row: decimal(row["estimate"], 1), True),
        Column(_INTERVAL, between("ci_low", "ci_high", 1), True),
        Column("Next centre", between("pi_low", "pi_high", 1), True),
        Column("tau²", lambda row: decimal(row["tau2"]), True),
    )
    frame = answered.tables["frequentist"].reset_index()
    return Table("frequentist", f"Rates per {PER} patient-years by frequentist methods", frame, columns)


def _learned(answered: Answered) -> Table:
    columns = (
        Column("Parameter", exactly("parameter")),
        Column("Prior median", lambda row: decimal(row["prior"]), True),
        Column(_INTERVAL, between("prior_low", "prior_high"), True),
        Column("Posterior median", lambda row: decimal(row["median"]), True),
        Column(_INTERVAL, between("low", "high"), True),
        Column("Width, of the prior’s", lambda row: percent(row["width_ratio"]), True),
    )
    frame = answered.tables["learned"].reset_index()
    return Table("learned", "What the data add to the priors", frame, columns)


def _before(answered: Answered) -> Table:
    columns = (
        Column("Quantity", exactly("quantity")),
        Column("Prior median", lambda row: _value(row, "median"), True),
        Column(_INTERVAL, _interval, True),
        Column("Observed", lambda row: _value(row, "observed"), True),
        Column("P(less before the data)", lambda row: probability(row["share_below"]), True),
    )
    frame = answered.tables["before the data"].reset_index()
    note = "Observed: all events over all time at risk, as if there were one rate."
    return Table("before", "Before the data: what the priors say", frame, columns, note)


def _rate_like(row: Any) -> bool:
    name = str(row["quantity"])
    return "per 100" in name or name.startswith(("tau", "shape"))


def _value(row: Any, key: str) -> str:
    """A rate with one decimal, tau and shape with two, and all else as a share."""
    if pd.isna(row[key]):
        return NONE
    if not _rate_like(row):
        return percent(row[key])
    return decimal(row[key], 1 if "per 100" in row["quantity"] else 2)


def _interval(row: Any) -> str:
    if not _rate_like(row):
        return percents(row["low"], row["high"])
    return f"{_value(row, 'low')} to {_value(row, 'high')}"


def _between(row: Any, digits: int, key: str = "median", ends: str = "") -> str:
    """A value with its interval; that of a series' own rate, or of what the model gives it."""
    prefix = "own_" if key == "own" else ends
    low, high = (decimal(row[f"{prefix}{end}"], digits) for end in ("low", "high"))
    return f"{decimal(row[key], digits)} ({low} to {high})"
