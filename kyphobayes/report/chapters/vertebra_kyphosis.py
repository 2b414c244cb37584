"""Chapter on the angles of vertebrae, and on relief of pain against correction."""

from typing import Any

import pandas as pd

from kyphobayes.questions import Answered
from kyphobayes.report.chapters.chapter import Chapter, Part
from kyphobayes.report.shows import chance, number
from kyphobayes.report.tables import Column, Show, Table, exactly, text
from kyphobayes.report.vertebra_figures import angles, correlations, relief_and_correction
from kyphobayes.report.words import NONE, decimal, decimals, listed, percents, probability
from kyphobayes.vertebrae.quantities import NEW

_BACK = 0.7  # width of a posterior over that of its prior, from which on the prior is said to come back
_SHOWN = ("mean change", "P(falls by", "points of relief", NEW)  # of other cases


def chapter(answered: Answered) -> Chapter:
    """Tell how angles change, what relief has to do with it, and what cannot be learned."""
    return Chapter(
        answered,
        (
            Part("", _opening(answered), (angles(answered),), (_quantities(answered), _printed(answered))),
            Part("Does relief go with correction?", _relation_told(answered),
                 (relief_and_correction(answered), correlations(answered)),
                 (_correlation(answered), _frequentist(answered))),
            Part("Error of reading, or real differences?", _error_told(answered), (), (_learned(answered),)),
            Part("One vertebra unlike the others", _outlier_told(answered), (), (_vertebrae(answered),)),
            Part("Other priors and other data", _others_told(answered), (), (_others(answered),)),
            Part("Could the model have produced these patients?", _fit_told(answered), (),
                 (_features(answered), _before(answered))),
        ),
    )  # fmt: skip


# --- sentences --------------------------------------------------------------------------------------------


def _opening(answered: Answered) -> tuple[str, ...]:
    table: Any = answered.tables["quantities"]
    evidence = answered.more["evidence"]
    mean, each = table.loc["mean change"], answered.tables["vertebrae"]
    moved = list(each.index[(each["low"] > 0) | (each["high"] < 0)]) or ["none"]
    regions = [
        f"{_signed(table.loc[f'mean change, {name}', 'median'])} in {name}" for name in evidence.regions
    ]
    return (
        f"{len(evidence.pairs)} of {evidence.k + len(evidence.excluded)} vertebrae have an angle before and "
        f"after treatment. Their printed changes have a mean of {_signed(mean['observed'])} degrees; the "
        f"model, for which one outlying vertebra counts less, has {_signed(mean['median'])} ({_ends(mean)}) "
        f"for the mean vertebra of a typical patient, {listed(regions)} vertebrae.",
        "The paper finds no difference between the angles before and after, and these numbers agree: mean "
        f"corrections of more than {decimal(-mean['low'], 1)} degrees are improbable. "
        f"Vertebrae with a true change whose 95 % interval leaves out 0: {listed(moved)}.",
    )


def _relation_told(answered: Answered) -> tuple[str, ...]:
    table: Any = answered.tables["quantities"]
    found: Any = answered.tables["correlation"].loc[NEW]
    weak, conclude = decimal(answered.more["weak"], 1), answered.more["conclude"]
    names = [name for name in table.index if str(name).startswith("points")]
    alike, equal = (table.loc[name] for name in names)
    shown = "is shown" if found["p_weak"] >= conclude else "is not shown, but merely not excluded"
    cases: Any = answered.tables["other cases"]["p_weak"].xs(NEW, level="quantity")
    sure = [label.replace("_", " ") for label in cases.index[cases >= conclude]]
    sure_of_it = f"{probability(conclude)} or more " + (f"only for {listed(sure)}" if sure else "nowhere")
    return (
        f"“No correlation” {shown}. In the printed readings the correlation is {decimal(found['observed'])} "
        f"(Fisher’s interval {decimal(found['observed_low'])} to {decimal(found['observed_high'])}), in new "
        f"patients {decimal(found['median'])} ({_ends(found, 2)}). It is weaker than {weak} either way with "
        f"a probability of {probability(found['p_weak'])}; before the data that was "
        f"{probability(found['prior_p_weak'])}. Over all priors and data below it is "
        f"{probability(cases.min())} to {probability(cases.max())}, and {sure_of_it}.",
        "What relation there may be runs through the pain before treatment: as patients come, "
        f"{names[0].removeprefix('points of relief per ')} go with {_signed(alike['median'])} points of "
        f"relief ({_ends(alike)}), but at equal pain before with {_signed(equal['median'])} "
        f"({_ends(equal)}).",
    )


def _error_told(answered: Answered) -> tuple[str, ...]:
    learned: Any = answered.tables["learned"]
    cases: Any = answered.tables["other cases"]["median"].unstack("case")
    falls = next(name for name in cases.index if name.startswith("P(falls by") and "may" not in name)
    back = [name.replace("_", " ") for name in learned.index if learned.loc[name, "width"] >= _BACK]
    wide = 100 * learned.loc["tau_reading", "width"]
    about = {p.label: float(p["tau_reading"].quantile(0.5)) for p in reversed(answered.question.priors)}
    told = [  # one set for each size of error: the first that has it
        f"{probability(cases.loc[falls, label])} where errors are about {decimal(error, 1)} degrees"
        for error, label in sorted({error: label for label, error in about.items()}.items())
    ]
    return (
        "The paper does not say how precisely an angle was read, and two readings of each vertebra cannot "
        f"tell error from real differences: the 95 % interval of the error is {wide:.0f}\u00a0% as wide as "
        "its prior’s, and the data only speak against large errors. So the prior decides how often a true "
        f"change is large: the probability that an angle {falls[2:-1]} degrees is {listed(told)}. The mean "
        "change hardly depends on it.",
        f"The prior comes back (width {_BACK} or more) for {listed(back)}.",
    )


def _outlier_told(answered: Answered) -> tuple[str, ...]:
    table: Any = answered.tables["vertebrae"]
    nu: Any = answered.tables["learned"].loc["nu"]
    name = table["weight"].idxmin()
    row = table.loc[name]
    return (
        f"The vertebra {name} goes from {row['before']:g} to {row['after']:g} degrees. Its weight is "
        f"{decimal(row['weight'])}, that of the others {decimal(table['weight'].drop(name).min())} or more; "
        f"its true change is taken to be {_signed(row['median'])} degrees ({_ends(row)}). The degrees of "
        f"freedom of Student’s t (nu) have a median of {decimal(nu['median'], 0)} and an interval of "
        f"{decimal(nu['low'], 0)} to {decimal(nu['high'], 0)}: one such vertebra does not tell whether heavy "
        "tails are the rule, or whether this one was misread.",
    )


def _others_told(answered: Answered) -> tuple[str, ...]:
    evidence = answered.more["evidence"]
    cases: Any = answered.tables["other cases"]["median"].unstack("case").loc["mean change"]
    shared = [evidence.labels[place] for place in evidence.shared.nonzero()[0]]
    told = f"The mean change is {_signed(cases.min())} to {_signed(cases.max())} degrees in all cases."
    if not shared:
        return (told,)
    return (
        told,
        f"One pair of angles is printed for the vertebrae {listed(shared)}. The model takes it as that of "
        "one: which one makes no difference, because it knows only patient and region. That both have it "
        "is a case below.",
    )


def _fit_told(answered: Answered) -> tuple[str, ...]:
    return tuple(
        f"{check.text[0].upper()}{check.text[1:]}."
        for check in answered.checks
        if check.name in ("posterior predictive", "leave-one-patient-out")
    )


# --- tables -----------------------------------------------------------------------------------------------


def _quantities(answered: Answered) -> Table:
    frame = answered.tables["quantities"].reset_index()
    columns = (
        Column("Quantity", exactly("quantity")),
        Column("Median", _value("median"), True),
        Column("95 % interval", _interval("low", "high"), True),
        Column("In the printed readings", _value("observed"), True),
    )
    note = (
        "Degrees; negative is a fall, which is a correction. Probabilities are those of a vertebra of a new "
        "patient. Two readings may differ by 1.96 √2 times the error of one. Relief is that at once after "
        "treatment. Correlations are those of relief with correction."
    )
    return Table("quantities", "Change of the angle, and relief of pain", frame, columns, note)


def _printed(answered: Answered) -> Table:
    frame = answered.tables["printed"].reset_index()
    columns = (
        Column("The paper says, without a p value", exactly("printed")),
        Column("Where", exactly("where")),
        Column("Plain estimate from its tables", number("plain_estimate", 2), True),
        Column("95 % interval", _interval("plain_low", "plain_high", 2), True),
        Column("p", number("plain_p", 2), True),
        Column("Model", number("median", 2), True),
        Column("95 % interval", _interval("low", "high", 2), True),
    )
    note = "Mean change in degrees with a cluster-robust interval; Pearson’s correlation with Fisher’s."
    return Table("printed", "What the paper says of the angle", frame, columns, note)


def _correlation(answered: Answered) -> Table:
    frame = answered.tables["correlation"].reset_index()
    weak = decimal(answered.more["weak"], 1)
    columns = (
        Column("Relief with correction", exactly("relief with correction")),
        Column("Median", number("median", 2), True),
        Column("95 % interval", _interval("low", "high", 2), True),
        Column(f"P(weaker than {weak})", chance("p_weak"), True),
        Column("Before the data", chance("prior_p_weak"), True),
        Column("P(positive)", chance("p_positive"), True),
    )
    note = (
        "New patients have as many vertebrae, in the same regions, as these. “These patients”: their printed "
        "relief with what their true changes may be."
    )
    return Table("correlation", "Correlation of relief with correction", frame, columns, note)


def _frequentist(answered: Answered) -> Table:
    frame = answered.tables["frequentist"].reset_index()
    columns = (
        Column("Method", exactly("method")),
        Column("Estimate", number("estimate", 2), True),
        Column("95 % interval", _interval("low", "high", 2), True),
        Column("p", number("p", 2), True),
        Column("n", number("n", 0), True),
    )
    return Table("frequentist", "What plain methods say of the printed readings", frame, columns)


def _learned(answered: Answered) -> Table:
    frame = answered.tables["learned"].reset_index()
    columns = (
        Column("Parameter", text("parameter")),
        Column("Prior median", number("prior_median", 2), True),
        Column("95 % interval", _interval("prior_low", "prior_high", 2), True),
        Column("Posterior median", number("median", 2), True),
        Column("95 % interval", _interval("low", "high", 2), True),
        Column("Width", number("width", 2), True),
    )
    note = "Width: of the posterior’s interval over the prior’s. Near 1 the prior comes back."
    return Table("learned", "What the data say of each parameter", frame, columns, note)


def _vertebrae(answered: Answered) -> Table:
    frame = answered.tables["vertebrae"].reset_index()
    columns = (
        Column("Vertebra", exactly("vertebra")),
        Column("Region", exactly("region")),
        Column("Before", number("before", 1), True),
        Column("After", number("after", 1), True),
        Column("Printed change", number("printed change", 1), True),
        Column("True change", number("median", 1), True),
        Column("95 % interval", _interval("low", "high"), True),
        Column("Weight", number("weight", 2), True),
    )
    return Table("vertebrae", "Every vertebra, degrees", frame, columns)


def _others(answered: Answered) -> Table:
    frame = answered.tables["other cases"].reset_index()
    stays = frame["quantity"].map(lambda name: name in _SHOWN or str(name).startswith(_SHOWN[1:3]))
    stays &= ~frame["quantity"].str.contains("may differ")
    columns = (
        Column("Case", text("case")),
        Column("Quantity", exactly("quantity")),
        Column("Median", _value("median"), True),
        Column("95 % interval", _interval("low", "high"), True),
        Column("By", exactly("by")),
    )
    return Table("other-cases", "The answer in other cases", frame[stays].reset_index(drop=True), columns)


def _features(answered: Answered) -> Table:
    frame = answered.tables["posterior predictive"].reset_index()
    columns = (
        Column("Feature", exactly("feature")),
        Column("These patients", number("observed", 2), True),
        Column("Replicated", number("replicated", 2), True),
        Column("95 % interval", _interval("low", "high", 2), True),
        Column("p", number("p", 2), True),
    )
    return Table("replicated", "These patients against new ones of the model", frame, columns)


def _before(answered: Answered) -> Table:
    frame = answered.tables["before the data"].reset_index()
    columns = (
        Column("Quantity", exactly("quantity")),
        Column("Prior median", _value("median"), True),
        Column("95 % interval", _interval("low", "high"), True),
        Column("In the printed readings", _value("observed"), True),
    )
    return Table("before", "Before the data: what the priors say", frame, columns)


# --- words ------------------------------------------------------------------------------------------------


def _digits(row: Any) -> int:
    return 2 if "correlation" in str(row["quantity"]) else 1


def _value(key: str) -> Show:
    def show(row: Any) -> str:
        if pd.isna(row[key]):
            return NONE
        chance = str(row["quantity"]).startswith("P(")
        return probability(row[key]) if chance else decimal(row[key], _digits(row))

    return show


def _interval(low: str, high: str, digits: int | None = None) -> Show:
    def show(row: Any) -> str:
        if pd.isna(row[low]):
            return NONE
        if digits is None and str(row.get("quantity", "")).startswith("P("):
            return percents(row[low], row[high])
        shown = digits if digits is not None else _digits(row) if "quantity" in row else 1
        return decimals(row[low], row[high], shown)

    return show


def _signed(value: Any, digits: int = 1) -> str:
    shown = decimal(float(value), digits)
    return shown if shown.startswith("−") else f"+{shown}"


def _ends(row: Any, digits: int = 1) -> str:
    return f"95 % interval {decimal(row['low'], digits)} to {decimal(row['high'], digits)}"
