"""The section on efficacy: printed summary lines analysed again, with what was assumed of each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import read_table
from kyphobayes.names import MU, TAU, THETA_NEW
from kyphobayes.project import Project
from kyphobayes.reanalysis import Told, read_lines, retell
from kyphobayes.report.reanalysis import Panel, digits_of, intervals
from kyphobayes.report.tables import Column, Table, exactly
from kyphobayes.report.words import NONE, decimal, listed, probability, whole

_SIDES = ("median", "low", "high")


@dataclass(frozen=True)
class Efficacy:
    """What the page shows of it.

    Attributes
    ----------
    opening : list of str
    outcomes : list of (str, list of str)
        Each outcome with a sentence for each of its lines.
    table, assumed : Table
    figure : Figure
    alt : str
    """

    opening: list[str]
    outcomes: list[tuple[str, list[str]]]
    table: Table
    assumed: Table
    figure: Figure
    alt: str


def efficacy(project: Project) -> Efficacy | None:
    """Analyse every printed line of a project again; None where it has none.

    Raises
    ------
    EvidenceError, InputError, PriorError
    """
    told = [retell(line) for line in read_lines(project)]
    if not told:
        return None
    names = _study_names(project)
    outcomes = list(dict.fromkeys(one.line.outcome for one in told))
    by_outcome = [(outcome, [one for one in told if one.line.outcome == outcome]) for outcome in outcomes]
    alt = "Printed interval, typical effect and next study for each line: " + "; ".join(
        f"{one.line.title}, {_shown(one, MU)}, next study {_shown(one, THETA_NEW)}" for one in told
    )
    return Efficacy(
        opening=_opening(told),
        outcomes=[(outcome, [_sentence(one) for one in lines]) for outcome, lines in by_outcome],
        table=_table(told),
        assumed=_assumed(told, names),
        figure=intervals([_panel(outcome, lines) for outcome, lines in by_outcome]),
        alt=alt + ".",
    )


def _study_names(project: Project) -> dict[str, str]:
    try:
        studies = read_table(project, "studies.csv")
    except EvidenceError:  # a folder of the user's own may have none
        return {}
    return dict(zip(studies["study_id"], studies["label"], strict=True)) if "label" in studies else {}


def _opening(told: Sequence[Told]) -> list[str]:
    citations = listed(list(dict.fromkeys(one.line.citation for one in told)))
    texts = [
        f"For these outcomes {citations} prints pooled estimates and not the studies behind them. Each line "
        f"is taken "
        "as what is left of a table of studies: all tables that would print the same number of studies, "
        "estimate, "
        "interval and I² are averaged, and tau is integrated over instead of fixed at its estimate. The "
        "interval of "
        "the typical effect is therefore wider than the printed one, and the next study’s is wider again.",
    ]
    if any(not one.line.unit for one in told):
        texts.append(
            "Standardised differences cannot be read in points, degrees or millimetres: the standard "
            "deviations they "
            "were divided by are not printed. Where another source has one, the effect is also given in "
            "units: an "
            "extra, which holds only if the patients of the studies were as different from each other as in "
            "that "
            "source."
        )
    return texts


def _shown(one: Told, name: str) -> str:
    digits = digits_of(one.answer)
    middle, low, high = (decimal(float(one.answer.effects[side][name]), digits) for side in _SIDES)
    unit = f" {one.line.unit}" if one.line.unit else ""
    return f"{middle}{unit} ({low} to {high})"


def _sentence(one: Told) -> str:
    line, answer = one.line, one.answer
    text = (
        f"{line.title}: {line.reads} in the typical centre with a probability of "
        f"{probability(answer.p_benefit)}, in "
        f"the next with {probability(answer.p_benefit_new)}; the typical effect is {_shown(one, MU)}"
        f"{'' if line.unit else ' standard deviations'}, that of the next study {_shown(one, THETA_NEW)}."
    )
    if one.units is not None and line.sd is not None:
        low, high = (decimal(float(one.units[side][MU]), 1) for side in ("low", "high"))
        middle = decimal(float(one.units["median"][MU]), 1)
        text += (
            f" With a standard deviation of {line.sd.value:g} {line.sd.unit} ({line.sd.why.rstrip('.')}) "
            f"this would be "
            f"{middle} {line.sd.unit} ({low} to {high})"
        )
        if line.mcid is not None:
            text += (
                f", and at least the {line.mcid.value:g} {line.sd.unit} that matter to patients with a "
                f"probability of "
                f"{probability(answer.p_mcid)} in the typical centre and {probability(answer.p_mcid_new)} in "
                f"the next"
            )
        text += "."
    elif line.mcid is not None:
        text += (
            f" An effect of {line.mcid.value:g} {line.unit} or more has a probability of "
            f"{probability(answer.p_mcid)} "
            f"in the typical centre and {probability(answer.p_mcid_new)} in the next."
        )
    if line.k == 2:
        text += (
            " Two studies cannot tell how much centres differ: the next one’s interval rests on the prior."
        )
    return text


def _table(told: Sequence[Told]) -> Table:
    rows = []
    for one in told:
        line, answer = one.line, one.answer
        row: dict[str, Any] = {
            "line": line.name, "outcome": line.outcome, "title": line.title, "printed": line.words,
            "k": line.k, "n": sum(line.n.values()) if line.n else math.nan,
            "measure": line.measure, "unit": line.unit,
        }  # fmt: skip
        for name, prefix in ((MU, "mu"), (THETA_NEW, "next")):
            row |= {f"{prefix}_{side}": float(answer.effects[side][name]) for side in _SIDES}
        row |= {f"tau_{side}": float(answer.tau[side]) for side in _SIDES}
        row |= {
            "p_benefit": answer.p_benefit, "p_benefit_next": answer.p_benefit_new,
            "mcid": one.mcid, "p_mcid": answer.p_mcid, "p_mcid_next": answer.p_mcid_new,
            "sd": math.nan if line.sd is None else line.sd.value,
            "sd_unit": "" if line.sd is None else line.sd.unit, "tau_prior": str(answer.priors[TAU]),
            "integration_error": answer.error, "digits": digits_of(answer),
        }  # fmt: skip
        rows.append(row)
    frame = pd.DataFrame(rows)
    title = Markup('{}<br><span class="q">{}</span>')

    def interval(prefix: str) -> Any:
        def show(row: Any) -> str:
            middle, low, high = (decimal(row[f"{prefix}_{side}"], row["digits"]) for side in _SIDES)
            return Markup("{}<br>({} to {})").format(middle, low, high)

        return show

    def pair(first: str, second: str) -> Any:
        def show(row: Any) -> str:
            return NONE if not math.isfinite(row[first]) else Markup("{}<br>{}").format(
                probability(row[first]), probability(row[second])
            )  # fmt: skip

        return show

    columns = (
        Column("Line, as printed", lambda r: title.format(r["title"], r["printed"])),
        Column(
            "Studies (n)",
            lambda r: f"{r['k']}" + (f" ({whole(r['n'])})" if math.isfinite(r["n"]) else ""),
            True,
        ),
        Column("Typical effect (95 %)", interval("mu"), True),
        Column("tau (95 %)", interval("tau"), True),
        Column("Next study (95 %)", interval("next"), True),
        Column("P(benefit): typical, next", pair("p_benefit", "p_benefit_next"), True),
        Column("P(beyond MCID): typical, next", pair("p_mcid", "p_mcid_next"), True),
    )
    note = (
        "Posterior medians, on the printed scale. MCID: the least change that matters to patients; a dash "
        "where no source states one for the line. "
    )
    for mcid in dict.fromkeys(one.line.mcid for one in told if one.line.mcid is not None):
        note += f"{mcid.why} "
    return Table("efficacy", "Efficacy: printed lines analysed again", frame, columns, note.strip())


def _assumed(told: Sequence[Told], names: dict[str, str]) -> Table:
    rows = []
    for one in told:
        line, answer = one.line, one.answer
        fed = ", ".join(f"{names.get(study, study)} ({whole(n)})" for study, n in line.n.items())
        prior = f"tau ~ {answer.priors[TAU]}: {line.tau_why} mu has a flat prior."
        for times, word in ((0.5, "half"), (2.0, "twice")):
            low, high = one.rescaled[times]
            if math.isfinite(low):
                digits = digits_of(answer)
                ends = f"{decimal(low, digits)} to {decimal(high, digits)}"
                prior += f" With {word} the scale the typical effect lies from {ends}."
        rows.append(
            {
                "title": line.title,
                "studies": fed or "not known",
                "sizes": line.n_why,
                "assumed": " ".join(
                    [*([line.note] if line.note else []), *answer.assumptions, *answer.warnings]
                ),
                "prior": prior,
                "place": line.locator,
            }
        )
    columns = (
        Column("Line", exactly("title")),
        Column("Studies that feed it", exactly("studies")),
        Column("How that is known", exactly("sizes")),
        Column("What was assumed", exactly("assumed")),
        Column("Prior", exactly("prior")),
    )
    return Table("efficacy-assumptions", "What was assumed of each line", pd.DataFrame(rows), columns)


def _panel(outcome: str, lines: Sequence[Told]) -> Panel:
    units = {one.line.unit or "standard deviations" for one in lines}
    thresholds = {one.answer.likelihood.line.scale: one for one in lines}
    mcids = {
        one.mcid / (one.line.sd.value if one.line.sd else 1.0) for one in lines if one.line.mcid is not None
    }
    mcid = mcids.pop() if len(mcids) == 1 else math.nan
    sign = -1.0 if lines[0].line.better == "lower" and "identity" in thresholds else 1.0
    side = "good" if lines[0].line.better == "higher" else "bad"
    axis = f"effect, {listed(sorted(units))} (to the right: {side})"
    rows = tuple((one.line.title, one.answer) for one in lines)
    none = {"identity": 0.0, "log": 1.0}.get(next(iter(thresholds)))
    return Panel(outcome, axis, rows, none, sign * mcid, "log" in thresholds)
