"""Chapter on the shape of the differences between centres, and on the study that drives them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import special

from kyphobayes.names import THETA_NEW
from kyphobayes.outlying import COMMON, NORMAL, OUTLYING, STACKED, STUDENT, density
from kyphobayes.questions import Answered
from kyphobayes.questions.heavy_tails import Asked
from kyphobayes.report.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    SMALL,
    VERMILION,
    WIDTH,
    blank,
    percent_ticks,
    style,
)
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.shows import between, number
from kyphobayes.report.tables import Column, Table, exactly, text
from kyphobayes.report.words import NONE, decimal, listed, percent, percents, probability, threshold, whole

_LOOK = {
    NORMAL: (BLUE, "-", 2.2),
    STUDENT: (VERMILION, "--", 2.0),
    OUTLYING: (ORANGE, "-.", 2.0),
    COMMON: (GREY, ":", 1.6),
}
_POINTS = 400
_FLOOR = 1e-3  # of the highest density, below which nothing is drawn
_LEFT, _ROW = 1.75, 0.235  # inches: names of the studies, and a line of a forest


def chapter(answered: Answered) -> Chapter:
    """Shapes, then each study, then priors."""
    asked: list[Asked] = answered.more["asked"]
    return Chapter(answered, (_shapes(answered, asked), _studies(answered, asked), _priors(answered)))


# -- shapes --------------------------------------------------------------------------------------------------


def _shapes(answered: Answered, asked: list[Asked]) -> Part:
    plate = Plate(
        "next-centre",
        next_centre(asked),
        "Predictive density of the next centre’s rate under each shape. " + answered.sentence,
        "Density of the next centre’s rate, both axes logarithmic: the shapes agree on where most centres "
        "lie, and differ in the tails, where one may lie that is unlike the others. Line: the limit that "
        "decisions are about.",
    )
    tables = (_rates(answered), _comparison(answered), _pairs(answered))
    return Part(sentences=(_weights_told(asked), _observations_told(asked)), plates=(plate,), tables=tables)


def _weights_told(asked: list[Asked]) -> str:
    told = []
    for one in asked:
        weights = one.found.weights["stacking"]
        most = str(weights.idxmax())
        told.append(f"{percent(float(weights[most]))} to {most} for {one.analysis.event}")
    return (
        f"Stacking looks for the mixture of shapes that predicts left-out observations best, and gives "
        f"{listed(told)}. Such extremes come from few observations: where {COMMON} has the weight, the "
        f"studies left out happened to lie near the pooled rate; that is no proof that centres do not differ."
    )


def _observations_told(asked: list[Asked]) -> str:
    counts = [f"{len(one.found.elpd)} for {one.analysis.event}" for one in asked]
    return (
        f"There are few observations to leave out ({listed(counts)}), because the studies whose counts are "
        f"not printed are one: only their sums are known. The standard error of a shape’s own score reflects "
        f"how unequal these observations are; to compare shapes, only that of the difference counts."
    )


def next_centre(asked: list[Asked]) -> Figure:
    """Draw the predictive densities of the next centre’s log odds, one panel for each outcome."""
    with style():
        figure = blank(WIDTH, 3.3)
        panels = figure.subplots(1, len(asked), squeeze=False)[0]
        for axes, one in zip(panels, asked, strict=True):
            _densities(axes, one)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=4, bbox_to_anchor=(0.5, 1.0))
        panels[0].set_ylabel("density, logarithmic")
        figure.subplots_adjust(left=0.06, right=0.985, top=0.8, bottom=0.16, wspace=0.1)
        return figure


def _densities(axes: Axes, one: Asked) -> None:
    heights = {}
    x = np.linspace(special.logit(0.0005), special.logit(0.98), _POINTS)
    for name, shape in one.found:
        heights[name] = density(shape, THETA_NEW).pdf(x)
    top = 3 * max(h.max() for name, h in heights.items() if name != COMMON)
    for name, (colour, line, width) in _LOOK.items():
        axes.plot(x, heights[name], color=colour, ls=line, lw=width, label=name)
    axes.axvline(one.limit, color=INK, lw=0.8)
    axes.text(one.limit + 0.1, top / 1.3, threshold(one.threshold.value), va="top", fontsize=SMALL, color=INK)
    ticks = [0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95]
    axes.set_xticks(special.logit(ticks), [f"{100 * tick:g}" for tick in ticks])
    axes.set_xlim(x[0], x[-1])
    axes.set_yscale("log")
    axes.set_ylim(_FLOOR * top, top)
    axes.set_yticks([])
    axes.minorticks_off()
    axes.set_xlabel(f"next centre’s rate of {one.analysis.event}, %")
    axes.set_title(one.analysis.title, loc="left", fontweight="bold")


def _rates(answered: Answered) -> Table:
    taus: Any = answered.tables["tau"].set_index(["outcome", "shape"])
    frame = answered.tables["rates"].join(taus, on=["outcome", "shape"])
    columns = (
        Column("Outcome", text("outcome")),
        Column("Differences between centres", exactly("shape")),
        Column("Typical rate", lambda row: percent(row["typical"]), True),
        Column("95 % interval", lambda row: percents(row["typical_low"], row["typical_high"]), True),
        Column("Next centre", lambda row: percent(row["next"]), True),
        Column("95 % interval", lambda row: percents(row["next_low"], row["next_high"]), True),
        Column("tau", number("tau", 2), True),
        Column("95 % interval", between("tau_low", "tau_high"), True),
    )
    note = (
        f"tau of Student-t differences is the scale of their middle, that of outlying centres the spread of "
        f"the others. {STACKED.capitalize()}: the shapes weighed as they predict best."
    )
    return Table("shapes", "Rates under each shape of the differences", frame, columns, note)


def _comparison(answered: Answered) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Differences between centres", exactly("shape")),
        Column("Log marginal likelihood", number("log_marginal_likelihood", 1), True),
        Column("elpd", number("elpd", 1), True),
        Column("SE", number("se", 1), True),
        Column("Probability", lambda row: probability(row["probability"]), True),
        Column("Stacking", lambda row: percent(row["stacking"]), True),
        Column("Pseudo-BMA", lambda row: percent(row["pseudo_bma"]), True),
        Column("Pseudo-BMA+", lambda row: percent(row["pseudo_bma_plus"]), True),
    )
    note = "elpd: sum of exact leave-one-out log predictive densities. Probability: all shapes equal before."
    return Table("comparison", "How well each shape predicts", answered.tables["comparison"], columns, note)


def _pairs(answered: Answered) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Shape", exactly("model")),
        Column("against", exactly("against")),
        Column("Difference in elpd", number("difference", 2), True),
        Column("SE", number("se", 2), True),
        Column("Observations", lambda row: whole(row["observations"]), True),
    )
    return Table("pairs", "Differences between shapes, two by two", answered.tables["pairs"], columns)


# -- studies -------------------------------------------------------------------------------------------------


def _studies(answered: Answered, asked: list[Asked]) -> Part:
    plates = [
        Plate(
            f"without-{one.analysis.name.replace('_', '-')}",
            without(one),
            f"Tau and the next centre’s rate of {one.analysis.event} without each study, and the probability "
            f"that each is an outlying centre.",
            f"{one.analysis.title}: tau and the next centre’s rate with all studies and without each, and "
            f"the probability that each is an outlying centre (line: before the data). A star marks a study "
            f"whose count is not known.",
        )
        for one in asked
    ]
    return Part(
        "Which study drives tau?",
        (*(_odd_told(one) for one in asked), _latent_told()),
        tuple(plates),
        (_odd(answered), _moved(answered)),
    )


def _odd_told(one: Asked) -> str:
    study = str(one.found.suspects.idxmax())
    row: Any = one.studies.loc[study]
    side = "fewer" if row["z"] < 0 else "more"
    return (
        f"{one.analysis.title}: the most probable outlying centre is {study}, with {side} "
        f"{one.analysis.event} than the others let expect (normal deviate {decimal(row['z'], 1)}); the "
        f"probability is {probability(row['outlying'])}, the odds {decimal(row['bayes_factor'], 1)} times "
        f"those before the data."
    )


def _latent_told() -> str:
    return (
        "A study whose count is not printed is left out by leaving its column out of the possible tables; "
        "what the printed totals say of the other studies stays known. An outlying study widens the interval "
        "of the next centre’s rate on both sides, whichever side it lies on."
    )


def without(one: Asked) -> Figure:
    """Draw tau and the next centre’s rate without each study, and each study’s probability to be outlying."""
    labels = ["none", *one.evidence.labels]
    with style():
        height = 0.95 + _ROW * len(labels)
        figure = blank(WIDTH, height)
        grid = {"width_ratios": [1, 1.25, 0.8]}
        panels = figure.subplots(1, 3, sharey=True, gridspec_kw=grid)
        y = np.arange(len(labels))[::-1]
        for shift, name, marker in ((0.14, NORMAL, "o"), (-0.14, OUTLYING, "s")):
            table: Any = one.influence[name].loc[labels]
            colour = _LOOK[name][0]
            rates = {end: special.expit(table[f"{THETA_NEW}{end}"]) for end in ("", "_low", "_high")}
            taus = {end: table[f"tau{end}"] for end in ("", "_low", "_high")}
            for axes, values in ((panels[0], taus), (panels[1], rates)):
                axes.hlines(y + shift, values["_low"], values["_high"], color=colour, lw=1.8)
                axes.plot(values[""], y + shift, marker, color=colour, ms=4.5, label=name)
        chances = one.studies.loc[list(one.evidence.labels)]
        panels[2].barh(y[1:], chances["outlying"], height=0.6, color=ORANGE)
        panels[2].axvline(float(chances["prior"].iloc[0]), color=INK, lw=1.0)
        names = [f"{label}{'' if known else ' *'}" for label, known in chances["known"].items()]
        panels[0].set_yticks(y, ["all studies", *(f"without {name}" for name in names)])
        for axes, words in zip(panels, ("tau", "next centre’s rate, %", "P(outlying), %"), strict=True):
            axes.set_xlabel(words)
            axes.set_xlim(left=0)
            axes.axhline(len(labels) - 1.5, color=PALE, lw=0.8)
            axes.tick_params(axis="y", length=0)
        panels[2].set_xlim(right=max(0.5, 1.1 * float(chances["outlying"].max())))
        percent_ticks(panels[1])
        percent_ticks(panels[2])
        for axes in panels[1:]:
            axes.spines["left"].set_visible(False)
        handles, words = panels[0].get_legend_handles_labels()
        figure.legend(handles, words, loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.0))
        left = (_LEFT + 0.35) / WIDTH
        figure.subplots_adjust(
            left=left, right=0.98, top=1 - 0.32 / height, bottom=0.55 / height, wspace=0.08
        )
        return figure


def _odd(answered: Answered) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Study", exactly("study")),
        Column(
            "Events", lambda row: whole(row["events"]) if row["known"] else decimal(row["events"], 1), True
        ),
        Column("of", lambda row: whole(row["n"]), True),
        Column("Mid-p", number("p", 2), True),
        Column("Normal deviate", number("z", 1), True),
        Column("P(outlying)", lambda row: probability(row["outlying"]), True),
        Column("Bayes factor", number("bayes_factor", 1), True),
    )
    note = (
        "Mid-p: probability, given the other studies and normal differences, of more events than the study "
        "had. Events with a decimal are means over the counts that are possible, and so is their mid-p."
    )
    return Table(
        "studies", "How odd each study is, given the others", answered.tables["studies"], columns, note
    )


def _moved(answered: Answered) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Shape", exactly("shape")),
        Column("Without", exactly("without")),
        Column("Typical rate", lambda row: percent(row["typical"]), True),
        Column("Next centre, 95 % interval", lambda row: percents(row["next_low"], row["next_high"]), True),
        Column("tau", number("tau", 2), True),
        Column("95 % interval", between("tau_low", "tau_high"), True),
        Column("Shift of tau", number("tau_shift", 2), True),
        Column("Shift of mu", number("mu_shift", 2), True),
        Column("KL", number("kl", 3), True),
    )
    note = (
        "Shifts: how far the study moves the posterior mean, in standard deviations of the posterior without "
        "it. KL: divergence of the posterior of tau with the study from that without, in nats."
    )
    return Table("without", "Answers without each study", answered.tables["without"], columns, note)


# -- priors --------------------------------------------------------------------------------------------------


def _priors(answered: Answered) -> Part:
    before: Any = answered.tables["before the data"].set_index(["outcome", "shape"])["width_kept"]
    kept = [
        f"{percent(float(before[(outcome, OUTLYING)]))} for {outcome.replace('_', ' ')}"
        for outcome in before.index.get_level_values("outcome").unique()
    ]
    grid: Any = answered.tables["grid"]
    moved = float((grid["after"] / grid["before"]).max())
    sentence = (
        f"With outlying centres the interval of the next centre’s log odds keeps {listed(kept)} of the width "
        f"it had before the data. Of the shapes’ own parameters the priors come back: no number of degrees "
        f"of freedom, share or ratio is more than {decimal(moved, 1)} times as probable as before."
    )
    tables = (_other(answered), _grid(answered), _before(answered))
    return Part("Do the priors matter?", (sentence,), tables=tables)


def _other(answered: Answered) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Priors", text("priors")),
        Column("Shape", exactly("shape")),
        Column("Typical rate", lambda row: percent(row["typical"]), True),
        Column("95 % interval", lambda row: percents(row["typical_low"], row["typical_high"]), True),
        Column("Next centre, 95 % interval", lambda row: percents(row["next_low"], row["next_high"]), True),
        Column("Probability", lambda row: probability(row["probability"]), True),
        Column("Most probably outlying", _suspect, False),
    )
    return Table(
        "other-priors", "Under other priors for mu and tau", answered.tables["other priors"], columns
    )


def _grid(answered: Answered) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Shape", exactly("shape")),
        Column("Point", exactly("point")),
        Column("Before", lambda row: probability(row["before"]), True),
        Column("After", lambda row: probability(row["after"]), True),
    )
    return Table("grid", "What is averaged over", answered.tables["grid"], columns)


def _before(answered: Answered) -> Table:
    columns = (
        Column("Outcome", text("outcome")),
        Column("Shape", exactly("shape")),
        Column("Typical rate", lambda row: percents(row["typical_low"], row["typical_high"]), True),
        Column("Next centre", lambda row: percents(row["next_low"], row["next_high"]), True),
        Column("Within what was seen", lambda row: probability(row["within"]), True),
        Column("Width kept", lambda row: percent(row["width_kept"]), True),
    )
    note = (
        "95 % intervals before the data, the probability that the next centre’s rate lies between the lowest "
        "and the highest seen, and the width of its interval of log odds after the data over that before."
    )
    frame = answered.tables["before the data"]
    return Table("before", "Before the data: what the priors say", frame, columns, note)


def _suspect(row: Any) -> str:
    return f"{row['most_outlying']}: {probability(row['p_outlying'])}" if row["most_outlying"] else NONE
