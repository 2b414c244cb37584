"""Chapter on the pain of patients over time."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kyphobayes.pain.tipping import Missing, late_by_delta
from kyphobayes.questions import Answered
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
    style,
)
from kyphobayes.report.chapters.chapter import Chapter, Part, Plate
from kyphobayes.report.shows import between
from kyphobayes.report.tables import Column, Table, exactly, text
from kyphobayes.report.words import decimal, decimals, percent, percents, probability, spelled

_TIMES = ("before", "after", "late")
_MEANS = ("mean before", "mean after", "mean late")
_SHOWN = ("change after", "change late", "P(improves by 2 or more) late", "P(score 3 or less) late")


def chapter(answered: Answered) -> Chapter:
    """Tell what pain does, what is missing, and what the answer depends on."""
    table = answered.tables["quantities"]
    return Chapter(
        answered,
        (
            Part("", _opening(answered), (_course(answered),), (_quantities(table),)),
            Part("Late scores that are missing", _missing_told(answered), (_tipped(answered),),
                 (_missing(answered), _tipping(answered))),
            Part("Other priors, and patients without follow-up", (_others_told(answered),), (),
                 (_others(answered),)),
            Part("Who has more pain?", (_slopes_told(answered),), (), (_slopes(answered),)),
            Part("Could the model have produced these scores?", (_fit_told(answered),), (_fitted(answered),),
                 (_before(answered), _left_out(answered))),
        ),
    )  # fmt: skip


def _opening(answered: Answered) -> tuple[str, ...]:
    table: Any = answered.tables["quantities"]
    printed = " → ".join(
        decimal(table.loc[name, "printed"]) for name in (*_MEANS[:2], "mean late, as if seen")
    )
    ours = " → ".join(decimal(table.loc[name, "median"]) for name in _MEANS)
    r = table.loc["correlation before and after"]
    return (
        f"The paper prints means of {printed}. The model has {ours} for new patients; its late mean includes "
        "those whose late score is missing, who may have had more pain. The 16 late scores that are printed "
        f"have a mean of {decimal(table.loc['mean late, as if seen', 'observed'])}.",
        f"The correlation of a patient’s scores before and after is {decimal(r['median'])} (95 % interval "
        f"{decimal(r['low'])} to {decimal(r['high'])}); in these patients it is {decimal(r['observed'])}. "
        "Nothing supports the positive correlations that reviewers assume.",
    )


def _course(answered: Answered) -> Plate:
    evidence = answered.more["evidence"]
    table: Any = answered.tables["quantities"]
    rng = np.random.default_rng(0)
    places = np.arange(3.0)
    with style():
        figure = blank(WIDTH, 3.6)
        axes = figure.subplots()
        for scores, reason in zip(evidence.scores, evidence.reason, strict=True):
            shift = rng.uniform(-0.09, 0.09)
            there = np.isfinite(scores)
            colour = GREY if reason == 0 else VERMILION
            axes.plot(places[there] + shift, scores[there], "o-", color=colour, ms=3.5, lw=0.8, alpha=0.55)
        rows = table.loc[list(_MEANS)]
        spread = (rows["median"] - rows["low"], rows["high"] - rows["median"])
        axes.errorbar(places + 0.19, rows["median"], yerr=np.array(spread), fmt="D", color=BLUE, ms=7, lw=2.2)
        printed = [table.loc[name, "printed"] for name in (*_MEANS[:2], "mean late, as if seen")]
        axes.plot(places + 0.28, printed, "_", color=ORANGE, ms=14, mew=3)
        axes.set_xticks(places, [f"{time}" for time in _TIMES])
        axes.set_xlim(-0.25, 2.5)
        axes.set_ylim(-0.4, 10.4)
        axes.set_ylabel("pain, points of 10")
        handles = [
            axes.plot([], [], "o-", color=GREY, ms=3.5, lw=0.8)[0],
            axes.plot([], [], "o-", color=VERMILION, ms=3.5, lw=0.8)[0],
            axes.plot([], [], "D", color=BLUE, ms=7)[0],
            axes.plot([], [], "_", color=ORANGE, ms=14, mew=3)[0],
        ]
        labels = ["patient", "late score missing", "model’s mean, 95 % interval", "printed mean"]
        figure.legend(handles, labels, loc="upper center", ncols=4, borderaxespad=0.2)
        figure.subplots_adjust(left=0.07, right=0.985, top=0.89, bottom=0.09)
    alt = "Pain scores of every patient before, after and late; means " + ", ".join(
        f"{time} {decimal(table.loc[name, 'median'])}" for time, name in zip(_TIMES, _MEANS, strict=True)
    )
    caption = (
        "Pain of every patient at the three times, the model’s mean of new patients, and the means that the "
        "paper prints. The late mean of the model includes patients whose late score is missing."
    )
    return Plate("course", figure, alt, caption)


def _quantities(table: pd.DataFrame) -> Table:
    frame = table.reset_index()
    columns = (
        Column("New patients", exactly("quantity")),
        Column("Median", lambda row: _value(row, "median"), True),
        Column("95 % interval", _interval, True),
        Column("In these patients", lambda row: _value(row, "observed"), True),
        Column("Printed", lambda row: _value(row, "printed"), True),
    )
    note = (
        "Late quantities average over patients whose late score is seen, missing by death and missing "
        "without a reason; “as if seen” takes the missing to be like the others."
    )
    return Table("quantities", "Pain over time, in points", frame, columns, note)


def _missing_told(answered: Answered) -> tuple[str, ...]:
    evidence, missing = answered.more["evidence"], answered.more["missing"]
    lasting = answered.more["conclusions"][-1]
    lost = evidence.patterns
    told = (
        f"{spelled(int(lost[1]))} late scores are missing because the patient died; {lost[2]} are printed as "
        "P*, which the paper does not explain. The paper counts four deaths: for one of the four, "
        "patient 5, the table prints a late score as well. What the missing scores would have been the "
        "data cannot say. Delta is how far their log odds lie above what the printed scores let expect.",
    )
    if np.isnan(lasting.delta):
        return told
    worst = all(c.worst for c in answered.more["conclusions"][:-1])
    firm = " The other conclusions hold even if every missing score were 10." if worst else ""
    return (
        *told,
        f"As if seen, the missing would have had a mean of {decimal(missing.mean_missing(0.0), 1)} points. "
        f"That relief lasts stops being clear from a delta of {decimal(lasting.delta)} on, which means "
        f"{decimal(lasting.mean_late, 1)} points.{firm}",
    )


def _tipped(answered: Answered) -> Plate:
    missing: Missing = answered.more["missing"]
    lasting, reliefs = answered.more["conclusions"][-1], answered.more["reliefs"]
    rows = late_by_delta(missing, answered.more["deltas"])
    before, after = missing.scores[:, 0].mean(), missing.scores[:, 1].mean()
    with style():
        figure = blank(WIDTH, 3.4)
        axes = figure.subplots()
        axes.fill_between(rows["delta"], rows["low"], rows["high"], color=BLUE, alpha=0.2, lw=0)
        axes.plot(rows["delta"], rows["mean"], color=BLUE, lw=2)
        axes.plot(rows["delta"], rows["missing"], color=VERMILION, lw=1.6, ls=(0, (5, 2)))
        end = float(rows["delta"].iloc[-1])
        for height, lift, label in (
            (before - reliefs[0], 0.12, f"{reliefs[0]:g} points below the mean before"),
            (after + reliefs[0], 0.5, f"{reliefs[0]:g} points above the mean after"),
        ):
            axes.axhline(height, color=INK, lw=0.9, ls=(0, (1, 2)))
            axes.text(end, height + lift, label, fontsize=SMALL, ha="right", va="bottom")
        if np.isfinite(lasting.delta):
            axes.axvline(lasting.delta, color=PALE, lw=5, zorder=0)
            axes.text(lasting.delta + 0.1, 0.15, f"tips at {lasting.delta:g}", fontsize=SMALL, color=INK)
        _name_lines(axes, rows)
        axes.set_xlim(0, end)
        axes.set_ylim(0, 10)
        axes.set_xlabel("delta: log odds by which missing late scores lie above expectation")
        axes.set_ylabel("late pain, points")
        figure.subplots_adjust(left=0.07, right=0.985, top=0.97, bottom=0.15)
    first, last = (decimal(rows["mean"].iloc[i]) for i in (0, -1))
    alt = f"Mean late score of all patients by delta: {first} at 0, {last} at {end:g}"
    caption = (
        "How much worse the missing would have to be. Blue: mean late score of all patients at hand, with "
        "its 95 % interval. Dashed: mean of those whose score is missing."
    )
    return Plate("tipping", figure, alt, caption)


def _name_lines(axes: Axes, rows: pd.DataFrame) -> None:
    at = rows.iloc[-8]
    axes.text(
        at["delta"], at["missing"] + 0.3, "missing patients", color=VERMILION, fontsize=SMALL, ha="right"
    )
    axes.text(0.1, 0.35, "all patients", color=BLUE, fontsize=SMALL)


def _missing(answered: Answered) -> Table:
    frame = answered.tables["missing"].reset_index()
    columns = (
        Column("Patient", exactly("patient")),
        Column("Reason", exactly("reason")),
        Column("As if seen", lambda row: decimal(row["as_seen_mean"], 1), True),
        Column("95 % interval", lambda row: f"{row['as_seen_low']:.0f} to {row['as_seen_high']:.0f}", True),
        Column("With delta", lambda row: decimal(row["shifted_mean"], 1), True),
        Column("95 % interval", lambda row: f"{row['shifted_low']:.0f} to {row['shifted_high']:.0f}", True),
    )
    return Table("missing", "Late scores that are missing: what they may have been", frame, columns)


def _tipping(answered: Answered) -> Table:
    frame = answered.tables["tipping"].reset_index()

    def never(key: str, digits: int) -> Any:
        return lambda row: "never" if np.isnan(row[key]) else decimal(row[key], digits)

    columns = (
        Column("Conclusion on these patients", text("conclusion")),
        Column("Probability as if seen", lambda row: probability(row["as if seen"]), True),
        Column("Tips at delta", never("tipping delta", 2), True),
        Column("Missing mean there", never("mean late there", 1), True),
        Column(
            "If all missing were 10", lambda row: "holds" if row["holds if all missing were 10"] else "fails"
        ),
    )
    note = (
        f"A conclusion holds with a probability of {probability(answered.more['options'].conclude)} or more."
    )
    return Table("tipping", "What it takes to change a conclusion", frame, columns, note)


def _others_told(answered: Answered) -> str:
    cases: Any = answered.tables["other priors"]["median"].unstack("case").loc["change late"]
    return (
        f"The late change lies between {decimal(cases.max(), 1)} and {decimal(cases.min(), 1)} points over "
        "these cases, the last of which takes out the late score of a patient followed for 0 months."
    )


def _others(answered: Answered) -> Table:
    frame = answered.tables["other priors"].reset_index()
    frame = frame[frame["quantity"].isin(_SHOWN)].reset_index(drop=True)
    columns = (
        Column("Case", text("case")),
        Column("Quantity", exactly("quantity")),
        Column("Median", lambda row: _value(row, "median"), True),
        Column("95 % interval", _interval, True),
        Column("By", exactly("by")),
    )
    return Table("other-priors", "The answer in other cases", frame, columns)


def _slopes_told(answered: Answered) -> str:
    frame = answered.tables["covariates"]
    crossing = int(((frame["low"] < 0) & (frame["high"] > 0)).sum())
    return (
        f"Of {len(frame)} coefficients {crossing} have an interval that includes 0: 22 patients cannot tell "
        "age, sex, tumour and number of levels apart, and the coefficients are drawn to 0 together."
    )


def _slopes(answered: Answered) -> Table:
    frame = answered.tables["covariates"].reset_index()
    columns = (
        Column("Covariate", exactly("covariate")),
        Column("Time", exactly("time")),
        Column("Log odds", lambda row: decimal(row["median"]), True),
        Column("95 % interval", between("low", "high"), True),
        Column("P(more pain)", lambda row: probability(row["p_more_pain"]), True),
    )
    note = (
        "Age and levels: one standard deviation more. Sex: men against women. Myeloma: myeloma or "
        "plasmacytoma against any other tumour."
    )
    return Table("covariates", "Covariates, shrunken", frame, columns, note)


def _fit_told(answered: Answered) -> str:
    check = next(c for c in answered.checks if c.name == "leave-one-patient-out")
    return f"{check.text[0].upper()}{check.text[1:]}."


def _fitted(answered: Answered) -> Plate:
    evidence, replicated = answered.more["evidence"], answered.more["replicated"]
    with style():
        figure: Figure = blank(WIDTH, 2.8)
        panels = figure.subplots(1, 3, sharey=True)
        for time, (axes, name) in enumerate(zip(panels, _TIMES, strict=True)):
            there = np.isfinite(evidence.scores[:, time])
            own = np.bincount(evidence.scores[there, time].astype(int), minlength=11)
            counts = (replicated[:, there, time, None] == np.arange(11)).sum(axis=1)
            low, high = np.quantile(counts, [0.025, 0.975], axis=0)
            axes.bar(np.arange(11), own, color=PALE, width=0.8)
            axes.vlines(np.arange(11), low, high, color=BLUE, lw=1.6)
            axes.plot(np.arange(11), counts.mean(axis=0), "o", color=BLUE, ms=4)
            axes.set_title(f"{name}, {there.sum()} patients")
            axes.set_xticks(range(0, 11, 2))
            axes.set_xlabel("score")
        panels[0].set_ylabel("patients")
        figure.subplots_adjust(left=0.07, right=0.985, top=0.88, bottom=0.18, wspace=0.08)
    alt = "Number of patients with each score before, after and late, printed and replicated by the model"
    caption = "Printed scores (bars) and what the model would produce (mean and 95 % interval)."
    return Plate("replicated", figure, alt, caption)


def _before(answered: Answered) -> Table:
    frame = answered.tables["before the data"].reset_index()
    columns = (
        Column("New patients", exactly("quantity")),
        Column("Prior median", lambda row: _value(row, "median"), True),
        Column("95 % interval", _interval, True),
        Column("In these patients", lambda row: _value(row, "observed"), True),
    )
    return Table("before", "Before the data: what the priors say", frame, columns)


def _left_out(answered: Answered) -> Table:
    frame = answered.tables["leave-one-patient-out"].reset_index()
    columns = (
        Column("Patient", exactly("patient")),
        Column("elpd", lambda row: decimal(row["elpd"], 1), True),
        Column("Pareto k", lambda row: decimal(row["pareto_k"]), True),
    )
    frame = frame.sort_values("elpd").head(5).reset_index(drop=True)
    return Table("left-out", "The five patients least expected from the others", frame, columns)


def _value(row: Any, key: str) -> str:
    value = float(row[key])
    return percent(value) if str(row["quantity"]).startswith("P(") else decimal(value)


def _interval(row: Any) -> str:
    if str(row["quantity"]).startswith("P("):
        return percents(row["low"], row["high"])
    return decimals(row["low"], row["high"])
