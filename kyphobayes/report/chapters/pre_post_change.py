"""Chapter on means before and after treatment across studies."""

from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.change.plug_in import CORRELATIONS, COUPLING, MODEL
from kyphobayes.evidence.pre_post_rows import EARLY
from kyphobayes.questions import Answered
from kyphobayes.report.change_figures import against_level, forest, said, with_printed_line
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.shows import between, number
from kyphobayes.report.tables import Column, Show, Table, exactly, text
from kyphobayes.report.words import NONE, decimal, listed, percent, probability, span

_NAMES = (
    "mu and mu_before: mean change and level before in a typical centre; tau and tau_before: how much "
    "centres differ in them; fisher_z: correlation of a patient’s two values, on Fisher’s scale; log_sd: log "
    "of the SD of patients; tau_sd: how much centres differ in it."
)


def chapter(answered: Answered) -> Chapter:
    """All parts of the chapter."""
    parts = [_main(answered), _level(answered)]
    if answered.more["line"] is not None:
        parts.append(_line(answered))
    return Chapter(answered, (*parts, _depends(answered), _checked(answered)))


def _digits(answered: Answered) -> int:
    return 1 if answered.more["evidence"].top <= 10 else 0


def _main(answered: Answered) -> Part:
    tables, evidence, asked = answered.tables, answered.more["evidence"], answered.more["asked"]
    typical: Any = tables["answer"].loc["mean change, typical centre"]
    digits = _digits(answered)
    imputed = [label for label, sd in zip(evidence.labels, evidence.sd.T, strict=True) if np.isnan(sd).any()]
    unknown = [evidence.labels[i] for i in evidence.open]
    sentences = []
    if imputed:
        sentences.append(
            f"{listed(imputed)} {'prints' if len(imputed) == 1 else 'print'} no SDs: these are drawn from "
            f"the other series, with all the doubt that this leaves (dotted in the figure)."
        )
    if unknown:
        sentences.append(
            f"The number of patients of {listed(unknown)} is not printed; it is carried as any number that "
            f"what is printed allows."
        )
    times = zip(evidence.labels, evidence.when, strict=True)
    late = [f"{label} ({said(time)})" for label, time in times if time not in EARLY]
    if late:
        sentences.append(f"Without a value within three months: {listed(late)}.")
    alt = (
        f"Forest plot of {evidence.k} series: mean change in a typical centre "
        f"{decimal(typical['median'], digits)} points, 95 % interval {decimal(typical['low'], digits)} to "
        f"{decimal(typical['high'], digits)}."
    )
    plate = Plate(
        "changes",
        forest(evidence, tables["studies"], tables["answer"], answered.more["falls"], asked.noun),
        alt,
        f"Mean change in {asked.noun} from before treatment to the first value after it.",
    )
    frame = tables["answer"].reset_index()
    columns = (
        Column("Quantity", exactly("quantity")),
        Column("Mean", _value("mean"), True),
        Column("Median", _value("median"), True),
        Column("95 % interval", _interval("low", "high"), True),
        Column("Plain mean of what is printed", _value("observed"), True),
    )
    note = (
        "A new patient’s scores have beta distributions on the scale; the interval of a probability is what "
        "is not known of the next centre."
    )
    shown = Table("answer", "The answer, in points", frame, columns, note)
    return Part("", tuple(sentences), (plate,), (shown, _spread(answered)))


def _spread(answered: Answered) -> Table:
    digits = _digits(answered) + 1

    def sd(time: str) -> Show:
        def show(row: Any) -> str:
            if np.isfinite(row[f"printed_{time}"]):
                return decimal(row[f"printed_{time}"], digits)
            low, high = (decimal(row[f"sd_{time}_{end}"], digits) for end in ("low", "high"))
            return f"drawn: {low} to {high}"

        return show

    columns = (
        Column("Study", exactly("study")),
        Column("Patients", lambda row: span([row["n_least"], row["n_most"]]), True),
        Column("SD before", sd("before"), True),
        Column("SD after", sd("after"), True),
    )
    frame = answered.tables["spread"].reset_index()
    return Table("spread", "Patients and their spread: printed, or the 95 % interval drawn", frame, columns)


def _level(answered: Answered) -> Part:
    tables, evidence, control = answered.tables, answered.more["evidence"], answered.more["control"]
    falls = answered.more["falls"]
    slopes: Any = tables["slope"]
    model, coupling = slopes.loc[MODEL], slopes.loc[COUPLING]
    remains: Any = tables["what remains"]
    wide = float(tables["learned"]["width_ratio"].to_dict()["slope"])
    sentences = [
        f"Mathematical coupling: the error of a mean before treatment is in the change too, with the "
        f"opposite sign, so that printed changes lean on printed levels even if true ones do not. Here that "
        f"alone would make a slope of {decimal(coupling['estimate'])} ({decimal(coupling['low'])} to "
        f"{decimal(coupling['high'])}) out of nothing. The model regresses the true change on the true "
        f"level: {decimal(model['estimate'])} ({decimal(model['low'])} to {decimal(model['high'])}).",
        f"That interval is {percent(wide)} as wide as its prior’s: "
        + ("the prior comes back." if wide > 0.8 else "the levels say a little."),
        f"Regression to the mean: patients are treated when they are at their worst, and would on average "
        f"have been better later without treatment. Without a comparison group nothing here tells that from "
        f"the treatment. It would put a fall of {falls[0]:g} points in a typical centre in doubt if patients "
        f"had been {decimal(remains.iloc[-len(falls), 0], 1)} points above their usual level when they were "
        f"measured before treatment.",
    ]
    if control:
        share = 1 - control["control"] / control["treated"]
        scale = "" if np.isfinite(control["factor"]) else ", on another scale,"
        sentences.append(
            f"The one trial with a control arm, at one time and printed without standard errors,{scale} had "
            f"{decimal(control['treated'], 1)} with treatment and {decimal(control['control'], 1)} without: "
            f"{percent(min(share, 1.0))} of the change remained."
        )
    plate = Plate(
        "level",
        against_level(evidence, answered.more["draws"], tables["studies"], slopes),
        f"Mean change against mean level before treatment in {len(evidence.both)} series, with two lines.",
        "Change against level before treatment. The naive line takes printed levels to be true; the model’s "
        "line and band know their errors, and that these are in the changes too.",
    )
    columns = (
        Column("Slope of", exactly("slope of")),
        Column("Estimate", number("estimate", 2), True),
        Column("95 % interval", between("low", "high", 2), True),
    )
    left = (
        Column("What", exactly("what")),
        Column("Points", number("points", 1), True),
        Column("95 % interval", between("low", "high", 1), True),
    )
    return Part(
        "More where it was worse before?",
        tuple(sentences),
        (plate,),
        (
            Table("slopes", "Slope of change on level before, per point", slopes.reset_index(), columns),
            Table(
                "remains", "What a control arm and regression to the mean leave", remains.reset_index(), left,
                "“Leaves in doubt”: how far above their usual level patients would have to have been for the "
                "fall beyond it to be no longer 95 % certain to reach so many points.",
            ),
        ),
    )  # fmt: skip


def _line(answered: Answered) -> Part:
    found, table = answered.more["line"], answered.tables["with the printed line"]
    rows: Any = table.loc
    alone, both = rows["series"], rows["both"]
    standardised = found.line.measure == "SMD"
    unit = "standard deviations of patients" if standardised else "points"
    sentences = [
        f"{found.line.citation} prints “{found.line.words}” for {found.line.k} series that share no patients "
        f"with {listed(list(found.labels))}. On the line’s scale the typical change is "
        f"{decimal(alone['median'], 1)} {unit} ({decimal(alone['low'], 1)} to {decimal(alone['high'], 1)}) "
        f"without the line and {decimal(both['median'], 1)} ({decimal(both['low'], 1)} to "
        f"{decimal(both['high'], 1)}) with it."
    ]
    if standardised:
        sentences.append(
            "The scale is the review’s: Hedges’ g as if before and after were two groups of patients. It "
            "grows where patients are alike, so that series with small SDs look better than in points."
        )
    out = [f"{label} {reason}" for label, reason in found.out.items()]
    if out:
        sentences.append(f"Not pooled with it: {'; '.join(out)}.")
    plate = Plate(
        "line",
        with_printed_line(found),
        f"Typical and next centre’s change from the printed line, from {len(found.labels)} series, and both.",
        "What the printed line adds: diamonds are typical centres, bars the next one.",
    )
    columns = (
        Column("From", exactly("from")),
        Column("Studies", lambda row: f"{row['studies']:.0f}", True),
        Column("Typical centre", number("median", 2), True),
        Column("95 % interval", between("low", "high", 2), True),
        Column("Next centre, 95 %", between("next_low", "next_high", 2), True),
        Column("tau", number("tau", 2), True),
    )
    note = f"Flat prior for the typical change, tau ~ {found.line.tau}, as where the line is analysed alone."
    shown = Table("line", f"With and without the printed line, in {unit}", table.reset_index(), columns, note)
    return Part("With the printed line of the review", tuple(sentences), (plate,), (shown,))


def _depends(answered: Answered) -> Part:
    tables, digits = answered.tables, _digits(answered)
    fixed: Any = tables["fixed correlation"]["median"]
    moved = float(fixed.max() - fixed.min())
    sets, cases = tables["prior sets"], tables["other evidence"]
    sentence = (
        f"Whatever the correlation of a patient’s two values is, from {decimal(CORRELATIONS[0], 1)} to "
        f"{decimal(CORRELATIONS[-1], 1)}, the typical change moves by "
        f"{'less than 0.1' if moved < 0.1 else decimal(moved, 1)} points: centres differ by far more than "
        f"the error of their means. Over the prior sets it lies between {_ends(sets, digits)}, and over "
        f"other evidence between {_ends(cases, digits)}."
    )
    whys = " ".join(
        f"{case.name[0].upper()}{case.name[1:]}: {case.why}" for case in answered.more["asked"].cases
    )
    slope = Column("Slope", between("slope_low", "slope_high", 1), True)
    return Part(
        "Does it depend on the priors, on a study or on the correlation?",
        (sentence,),
        (),
        (
            Table("priors", "Under other priors", sets.reset_index(),
                  (*_answers("Priors", "priors", answered), slope, Column("By", exactly("by")))),
            Table("evidence", "From other evidence", cases.reset_index(),
                  (*_answers("Evidence", "evidence", answered), Column("By", exactly("by"))), whys),
            Table("correlation", "With a fixed correlation", tables["fixed correlation"].reset_index(),
                  _answers("Correlation", "correlation", answered)),
        ),
    )  # fmt: skip


def _ends(frame: pd.DataFrame, digits: int) -> str:
    return (
        f"{decimal(float(frame['median'].min()), digits)} and {decimal(float(frame['median'].max()), digits)}"
    )


def _answers(head: str, key: str, answered: Answered) -> tuple[Column, ...]:
    digits = _digits(answered)
    name = number(key, 1) if key == "correlation" else text(key) if key == "priors" else exactly(key)
    chances = [
        Column(f"P(next falls by {fall:g})", lambda row, k=f"p_next_{fall:g}": probability(row[k]), True)
        for fall in answered.more["falls"]
    ]
    return (
        Column(head, name, key == "correlation"),
        Column("Typical centre", number("median", digits), True),
        Column("95 % interval", between("low", "high", digits), True),
        Column("Next centre, 95 %", between("next_low", "next_high", digits), True),
        Column("tau", number("tau", digits), True),
        *chances,
    )


def _checked(answered: Answered) -> Part:
    tables = answered.tables
    check = next(c for c in answered.checks if c.name == "leave-one-study-out")
    back = [str(name) for name, ratio in tables["learned"]["width_ratio"].items() if ratio > 0.8]
    told = [f"{check.text[0].upper()}{check.text[1:]}."]
    if back:
        them = "it" if len(back) == 1 else "them"
        told.append(f"The prior comes back for {listed(back)}: the data say next to nothing of {them}.")
    told.append(
        f"In {percent(answered.more['beyond'])} of the draws the next centre’s mean after treatment lies "
        f"beyond the scale, whose ends a normal distribution of centres does not know; for the new patient "
        f"it is brought back."
    )
    learned = (
        Column("Parameter", exactly("parameter")),
        Column("Prior", _of("prior_median", "prior_low", "prior_high"), True),
        Column("Posterior", _of("median", "low", "high"), True),
        Column("Width, of the prior’s", lambda row: percent(row["width_ratio"]), True),
    )
    before = (
        Column("Quantity", exactly("quantity")),
        Column("Prior median", _value("median"), True),
        Column("95 % interval", _interval("low", "high"), True),
        Column("Printed, plain mean", _value("observed"), True),
    )
    out = (
        Column("Study", exactly("study")),
        Column("elpd", number("elpd", 1), True),
        Column("Pareto k", number("pareto_k", 2), True),
        Column("By", exactly("by")),
    )
    left = tables["leave-one-study-out"].reset_index()
    return Part(
        "What is learned, and could the model have produced this?",
        tuple(told),
        (),
        (
            Table("learned", "Before and after the data", tables["learned"].reset_index(), learned, _NAMES),
            Table(
                "before",
                "Before the data: what the priors say",
                tables["before the data"].reset_index(),
                before,
            ),
            Table("left-out", "Without each study in turn", left, out),
        ),
    )


# --- cells --------------------------------------------------------------------------------------------------


def _of(middle: str, low: str, high: str) -> Show:
    return lambda row: f"{decimal(row[middle])} ({decimal(row[low])} to {decimal(row[high])})"


def _value(key: str) -> Show:
    def show(row: Any) -> str:
        if pd.isna(row[key]):
            return NONE
        return probability(row[key]) if str(row["quantity"]).startswith("P(") else decimal(row[key])

    return show


def _interval(low: str, high: str) -> Show:
    first, last = _value(low), _value(high)
    return lambda row: NONE if pd.isna(row[low]) else f"{first(row)} to {last(row)}"
