"""Chapter on two outcomes of the same studies."""

import re
from typing import Any

import numpy as np

from kyphobayes.questions import Answered
from kyphobayes.report.chapters.chapter import Chapter, Part
from kyphobayes.report.joint_figures import correlation_plate, needed_plate, next_centre_plate
from kyphobayes.report.shows import between
from kyphobayes.report.tables import Column, Show, Table, exactly, text
from kyphobayes.report.words import NONE, decimal, percent, percents, probability, span, spelled


def chapter(answered: Answered) -> Chapter:
    """Tell whether the two go together, what the next centre has of both, and what it would take to know."""
    return Chapter(
        answered,
        (
            Part("", _opening(answered), (correlation_plate(answered),), (_correlations(answered),)),
            Part("The next centre", _next_told(answered), (next_centre_plate(answered),),
                 (_next_table(answered), _cases(answered), _compared(answered))),
            Part("What it would take", (_needed_told(answered),), (needed_plate(answered),),
                 (_needed_table(answered),)),
            Part("Other priors, other witnesses, and each study left out", _witnesses_told(answered), (),
                 (_other_priors(answered), _left_out(answered), _crude(answered))),
            Part("The studies, and what was expected of them", (_studies_told(answered),), (),
                 (_studies(answered), _before(answered))),
        ),
    )  # fmt: skip


def _opening(answered: Answered) -> tuple[str, ...]:
    evidence = answered.more["evidence"]
    found = answered.tables["correlation"].iloc[0]
    likelihood = answered.more["solved"].likelihood.values
    printed = [evidence.labels[i] for i in evidence.printed]
    who = f"{spelled(len(printed))} of these ({', '.join(printed)})" if printed else "None of these"
    ratio = likelihood.max() / likelihood.min()
    return (
        f"A correlation between centres is learned from studies that counted both. There are "
        f"{len(evidence.both)}. {who} print{'s' if len(printed) == 1 else ''} both counts; of the others at "
        f"least one is only known to be one of several.",
        f"The most probable correlation makes the data {decimal(ratio, 1)} times as probable as the least "
        f"probable one. They move the prior by {decimal(found['kl'], 3)} nats, and its 95 % interval keeps "
        f"{percent(found['width_ratio'])} of its width. The Bayes factor against a correlation of 0 is "
        f"{decimal(1 / found['bayes_factor_0'])}: the data are about as probable without any.",
        "It is a correlation of centres. Whether the patient with a leak is the one with a new fracture "
        "none of these counts can say.",
    )


def _correlations(answered: Answered) -> Table:
    columns = (
        Column("Priors", text("priors")),
        Column("By", exactly("by")),
        Column("Before", lambda row: decimal(row["prior_median"]), True),
        Column("95 % interval", between("prior_low", "prior_high"), True),
        Column("After", lambda row: decimal(row["median"]), True),
        Column("95 % interval", between("low", "high"), True),
        Column("P(> 0) before", lambda row: probability(row["prior_p_positive"]), True),
        Column("after", lambda row: probability(row["p_positive"]), True),
        Column("Width kept", lambda row: percent(row["width_ratio"]), True),
        Column("Nats", lambda row: decimal(row["kl"], 3), True),
    )
    whys = [f"{priors.label.replace('_', ' ')}: {priors['rho']}. {priors['rho'].why}"
            for priors in answered.question.priors if not priors["rho"].why.startswith("As ")]  # fmt: skip
    return Table(
        "correlation", "Correlation between centres, before and after the data",
        answered.tables["correlation"].reset_index(), columns, " ".join(whys),
    )  # fmt: skip


def _next_told(answered: Answered) -> tuple[str, ...]:
    coming, limits = answered.tables["next centre"], answered.more["limits"]
    low, high = (coming["together"].iloc[i] for i in (-2, -1))
    both: Any = coming.loc["P(both)"]
    shift = answered.tables["with and without the other outcome"]["shift"].abs().max()
    return (
        f"To know how often a centre leaks says little of its fractures: {percent(low)} of its patients are "
        f"expected to have a new fracture if cement leaks in fewer than {percent(limits[0])} of levels, and "
        f"{percent(high)} if it leaks in more.",
        f"Both limits are kept with probability {probability(both['together'])}, and "
        f"{probability(both['apart'])} if the two had nothing to do with each other. Neither outcome is "
        f"known better for the other: means move by at most {decimal(shift)} posterior standard deviations.",
    )


def _next_table(answered: Answered) -> Table:
    columns = (
        Column("Next centre", exactly("next centre")),
        Column("Both in one model", lambda row: percent(row["together"]), True),
        Column("Each by itself", lambda row: percent(row["apart"]), True),
        Column("Difference, points", lambda row: decimal(100 * row["difference"], 1), True),
    )
    note = "By themselves the two are independent: the probability of both is the product."
    frame = answered.tables["next centre"].reset_index()
    return Table("next-centre", "The next centre, in one model and apart", frame, columns, note)


def _cases(answered: Answered) -> Table:
    columns = (
        Column("Number", exactly("number")),
        Column("Both in one model", lambda row: decimal(row["mean"], 1), True),
        Column("95 % interval", lambda row: span((row["low"], row["high"]), " to "), True),
        Column("Each by itself", lambda row: decimal(row["apart_mean"], 1), True),
        Column("95 % interval", lambda row: span((row["apart_low"], row["apart_high"]), " to "), True),
    )
    frame = answered.tables["next cases"].reset_index()
    return Table("next-cases", "Expected numbers in a centre not yet seen", frame, columns)


def _compared(answered: Answered) -> Table:
    columns = (
        Column("Quantity", exactly("quantity")),
        Column("By itself", _scaled("apart_median"), True),
        Column("95 % interval", _ends("apart_"), True),
        Column("In one model", _scaled("median"), True),
        Column("95 % interval", _ends(""), True),
        Column("Shift, sd", lambda row: decimal(row["shift"]), True),
    )
    frame = answered.tables["with and without the other outcome"].reset_index()
    note = "Shift of the mean in posterior standard deviations, on the log odds scale."
    return Table("compared", "What modelling both at once changes for each", frame, columns, note)


def _needed_told(answered: Answered) -> str:
    needed = answered.tables["studies needed"].reset_index()
    wide = needed[needed["studies"] == needed["studies"].min()]["width_ratio"].mean()
    far = needed[needed["studies"] == needed["studies"].max()]
    shares = "; ".join(
        f"{decimal(row['width'], 1)} wide if the true correlation is {decimal(row['true_rho'], 1)}, and "
        f"leave out 0 in {percent(row['leaves_out_0'])} of data sets"
        for _, row in far.iterrows()
    )
    return (
        f"Had {needed['studies'].min()} studies of these sizes printed both counts, the interval would still "
        f"keep {percent(wide)} of its prior’s width: studies are missing, not only printed counts. With "
        f"{far['studies'].iloc[0]} studies the interval would be {shares}."
    )


def _needed_table(answered: Answered) -> Table:
    columns = (
        Column("Studies", lambda row: f"{row['studies']:.0f}", True),
        Column("True correlation", lambda row: decimal(row["true_rho"], 1), True),
        Column("Width of the interval", lambda row: decimal(row["width"], 1), True),
        Column("of the prior’s", lambda row: percent(row["width_ratio"]), True),
        Column("P(> 0), median", lambda row: probability(row["p_positive"]), True),
        Column("Leaves out 0", lambda row: percent(row["leaves_out_0"]), True),
    )
    frame = answered.tables["studies needed"].reset_index()
    return Table("studies-needed", "Simulated studies that print both counts", frame, columns)


def _witnesses_told(answered: Answered) -> tuple[str, ...]:
    named = {check.name: check.text for check in answered.checks}
    crude: Any = answered.tables["crude correlations"].iloc[0]
    return (
        f"{_begun(named['agreement'])}.",
        f"{_begun(named['profile likelihood'])}.",
        f"A plain correlation coefficient has no meaning here: with {crude['printed']:.0f} printed pair it "
        f"is whatever the tables make it, from {decimal(crude['lowest'])} to {decimal(crude['highest'])}.",
        f"{_begun(named['leave-one-study-out'])}. Importance sampling cannot leave out a study whose count "
        f"is not printed, because such studies have one likelihood together.",
    )


def _other_priors(answered: Answered) -> Table:
    columns = (
        Column("Priors", text("priors")),
        Column("By", exactly("by")),
        Column("Leaks below limit", lambda row: probability(row["leak"]), True),
        Column("Fractures below limit", lambda row: probability(row["fracture"]), True),
        Column("Both", lambda row: probability(row["both"]), True),
        Column("Product", lambda row: probability(row["product"]), True),
        Column("Difference, points", lambda row: decimal(100 * row["difference"], 1), True),
    )
    frame = answered.tables["other priors"].reset_index()
    return Table("other-priors", "The next centre under each set of priors", frame, columns)


def _left_out(answered: Answered) -> Table:
    columns = (
        Column("Without", exactly("without")),
        Column("Correlation", lambda row: decimal(row["median"]), True),
        Column("95 % interval", between("low", "high"), True),
        Column("P(> 0)", lambda row: probability(row["p_positive"]), True),
        Column("Width kept", lambda row: percent(row["width_ratio"]), True),
        Column("Nats", lambda row: decimal(row["kl"], 3), True),
    )
    frame = answered.tables["leave-one-study-out"].reset_index()
    return Table("left-out", "The correlation without each study", frame, columns)


def _crude(answered: Answered) -> Table:
    columns = (
        Column("Plain correlation", exactly("correlation")),
        Column("Lowest", lambda row: decimal(row["lowest"]), True),
        Column("Median", lambda row: decimal(row["median"]), True),
        Column("Highest", lambda row: decimal(row["highest"]), True),
        Column("Studies", lambda row: f"{row['studies']:.0f}", True),
        Column("Both printed", lambda row: f"{row['printed']:.0f}", True),
    )
    frame = answered.tables["crude correlations"].reset_index()
    return Table("crude", "Plain correlations, over every pair of tables that may be true", frame, columns)


def _studies_told(answered: Answered) -> str:
    check = next(c for c in answered.checks if c.name == "posterior predictive")
    return (
        f"{_begun(check.text)}. A rate of an outcome that a centre did not count is foretold from the others."
    )


def _studies(answered: Answered) -> Table:
    columns = (
        Column("Study", exactly("study")),
        Column("Leaks", _count("leaks"), True),
        Column("Leak rate", _rate("leaks"), True),
        Column("New fractures", _count("fractures"), True),
        Column("Fracture share", _rate("fractures"), True),
    )
    frame = answered.tables["studies"].reset_index()
    return Table("studies", "Counts as far as they are known, and both rates of each centre", frame, columns)


def _before(answered: Answered) -> Table:
    frame = answered.tables["before the data"].reset_index()

    def shown(row: Any, key: str) -> str:
        counted, plain = "in all studies" in row["quantity"], "correlation" in row["quantity"]
        if np.isnan(row[key]):
            return NONE
        return decimal(row[key], 0) if counted else decimal(row[key]) if plain else percent(row[key])

    columns = (
        Column("Quantity", exactly("quantity")),
        Column("Prior median", lambda row: shown(row, "median"), True),
        Column("95 % interval", lambda row: f"{shown(row, 'low')} to {shown(row, 'high')}", True),
        Column("Observed", lambda row: shown(row, "observed"), True),
        Column("Prior below it", lambda row: probability(row["share_below"]), True),
    )
    return Table("before", "Before the data: what the priors say", frame, columns)


def _begun(sentence: str) -> str:
    return re.sub(r"-(?=\d)", "−", f"{sentence[0].upper()}{sentence[1:]}")


def _scaled(key: str) -> Show:
    return lambda row: decimal(row[key]) if row["quantity"].startswith("tau") else percent(row[key])


def _ends(prefix: str) -> Show:
    low, high = f"{prefix}low", f"{prefix}high"
    spread = between(low, high)
    return lambda row: spread(row) if row["quantity"].startswith("tau") else percents(row[low], row[high])


def _count(side: str) -> Show:
    def show(row: Any) -> str:
        if np.isnan(row[f"{side}_n"]):
            return NONE
        return f"{span((row[f'{side}_events_low'], row[f'{side}_events_high']))} of {row[f'{side}_n']:.0f}"

    return show


def _rate(side: str) -> Show:
    return lambda row: (
        f"{percent(row[f'{side}_rate_median'])} "
        f"({percents(row[f'{side}_rate_low'], row[f'{side}_rate_high'])})"
    )
