"""The tables of the report: full numbers for CSV files, rounded ones for the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from kyphobayes.checks import Check
from kyphobayes.fits import summary
from kyphobayes.report.sentences import robustness
from kyphobayes.report.values import label_of, study_rates
from kyphobayes.report.words import (
    NONE,
    PERCENT,
    decimal,
    percent,
    percents,
    probability,
    significant,
    span,
    threshold,
    whole,
)
from kyphobayes.run import Result

_METHODS = {"DL": "DerSimonian–Laird", "REML": "REML", "PR": "raw proportions", "PLO": "log odds"}

Show = Callable[[Any], str]  # of a row of the frame


@dataclass(frozen=True)
class Column:
    """One column of a table on the page.

    Attributes
    ----------
    head : str
    show : callable
        From a row of the table's frame to what the page shows.
    number : bool
        Whether to align it as a number.
    """

    head: str
    show: Show
    number: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption.

    Attributes
    ----------
    name : str
        Of its CSV file.
    caption, note : str
    frame : DataFrame
        What the CSV file holds.
    columns : tuple of Column
        What the page shows.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    note: str = ""

    @property
    def cells(self) -> list[list[str]]:
        """Text of each cell on the page."""
        return [[column.show(row) for column in self.columns] for _, row in self.frame.iterrows()]


def text(key: str) -> Show:
    """Show a column as text, underscores as spaces, a dash where there is nothing."""
    return lambda row: str(row[key]).replace("_", " ") if _there(row, key) else NONE


def exactly(key: str) -> Show:
    """Show a column as it is, a dash where there is nothing."""
    return lambda row: str(row[key]) if _there(row, key) else NONE


def _there(row: Any, key: str) -> bool:
    return key in row and not pd.isna(row[key]) and str(row[key]) != ""


def overview(results: Sequence[Result], slugs: Sequence[str]) -> Table:
    """All analyses on one page: the answer, the decision, and whether to trust it."""
    rows, lines = [], {}
    for result, slug in zip(results, slugs, strict=True):
        main, rates = result.main, result.main.rates
        word, lines[slug] = robustness(result.answers)
        check = next((c for c in result.checks if c.name == "agreement"), None)
        rows.append(
            {
                "analysis": slug,
                "title": result.analysis.title,
                "question": result.analysis.question,
                "studies": result.evidence.k,
                "typical_rate": rates.loc["typical", "median"],
                "typical_low": rates.loc["typical", "low"],
                "typical_high": rates.loc["typical", "high"],
                "next_rate": rates.loc["new centre", "median"],
                "next_low": rates.loc["new centre", "low"],
                "next_high": rates.loc["new centre", "high"],
                "below": main.below,
                "p_typical_below": main.p_typical,
                "p_next_below": main.p_new,
                "prior_sets": len(result.answers),
                "p_typical_least": min(a.p_typical for a in result.answers.values()),
                "p_typical_most": max(a.p_typical for a in result.answers.values()),
                "p_next_least": min(a.p_new for a in result.answers.values()),
                "p_next_most": max(a.p_new for a in result.answers.values()),
                "prior_dependence": word,
                "agreement": "not checked" if check is None else "pass" if check.passed else "FAIL",
                "all_checks": "pass" if result.passed else "FAIL",
            }
        )
    limits = {result.main.below for result in results}
    one = f" < {threshold(limits.pop())}" if len(limits) == 1 else " below its limit"

    def chance(key: str) -> Show:
        return lambda r: probability(r[key]) + ("" if "<" in one else f" (< {threshold(r['below'])})")

    title = Markup('<a href="#{}">{}</a><br><span class="q">{}</span>')
    columns = (
        Column("Question", lambda r: title.format(r["analysis"], r["title"], r["question"])),
        Column("Studies", exactly("studies"), True),
        Column("Typical rate (95 % interval)", _stacked("typical"), True),
        Column("Next centre’s rate (95 % predictive)", _stacked("next"), True),
        Column(f"P(typical rate{one})", chance("p_typical_below"), True),
        Column(f"P(next centre{one})", chance("p_next_below"), True),
        Column(
            "Over the priors",
            lambda r: Markup("<b>{}</b><br>{}").format(r["prior_dependence"], lines[r["analysis"]]),
        ),
        Column("Agreement", exactly("agreement")),
    )
    return Table("summary", "All analyses", pd.DataFrame(rows), columns)


def _stacked(name: str) -> Show:
    return lambda r: Markup("{}<br>({})").format(
        percent(r[f"{name}_rate"]), percents(r[f"{name}_low"], r[f"{name}_high"])
    )


def rate(middle: str, low: str, high: str) -> Show:
    """Show a rate with its interval."""
    return lambda r: f"{percent(r[middle])} ({percents(r[low], r[high])})" if np.isfinite(r[middle]) else NONE


def evidence(result: Result, sources: Mapping[str, int]) -> Table:
    """Studies that entered, with sources."""
    rows = _described(result.evidence.rows, result.evidence.labels)
    rates = study_rates(result).reset_index(drop=True)
    keys = ["least", "most", "n", "latent", "raw_from", "raw_to", "raw_low", "raw_high"]
    frame = pd.concat([rows.drop(columns=[k for k in keys if k in rows]), rates[keys]], axis=1)

    def events(row: Any) -> str:
        return span((row["least"], row["most"])) + ("*" if row["latent"] else "")

    columns = (
        Column("Study", exactly("label")),
        Column("Events", events, True),
        Column(result.analysis.unit.capitalize(), lambda r: whole(r["n"]), True),
        Column("Observed rate", lambda r: percents(r["raw_from"], r["raw_to"]), True),
        Column("Population, design, detection", _kind),
        Column("Count is", _status),
        Column("Source, place", lambda r: located(r, sources)),
        Column("Note", exactly("note")),
    )
    note = (
        "* Not printed: range over all tables that agree with what is printed."
        if rates["latent"].any()
        else ""
    )
    return Table("evidence", "Evidence that entered", frame, columns, note)


def excluded(result: Result, sources: Mapping[str, int]) -> Table:
    """Rows of the outcome's table that did not enter, and why."""
    frame = result.evidence.excluded
    columns = (
        Column("Study", exactly("label")),
        Column("Why not", exactly("reason")),
        Column("Treatment", text("arm")),
        Column("Events", lambda r: whole(r["events"]), True),
        Column("n", lambda r: whole(r["n"]), True),
        Column("Counted in", text("unit")),
        Column("Source, place", lambda r: located(r, sources)),
        Column("Note", exactly("note")),
    )
    return Table("not-in-this-analysis", "Not in this analysis, and why", frame, columns)


def _status(row: Any) -> str:
    status = str(row["status"]) if _there(row, "status") else "latent" if row["latent"] else "as given"
    return f"{status}: {row['rule']}" if status == "derived" and _there(row, "rule") else status


def _kind(row: Any) -> str:
    parts = [
        str(row[key]).replace("_", " ") for key in ("population", "design", "detection") if _there(row, key)
    ]
    return "; ".join(parts) or NONE


def _described(rows: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    rows = rows.reset_index(drop=True)
    return rows if "label" in rows else rows.assign(label=list(labels))


def located(row: Any, sources: Mapping[str, int]) -> str:
    """Number of a source in the list at the end, and the place in it."""
    number = sources.get(str(row.get("citation", "")))
    place = str(row["locator"]) if _there(row, "locator") else ""
    if not number:
        return place or NONE
    return Markup('<a href="#source-{0}">[{0}]</a> {1}').format(number, place)


def trail(result: Result) -> Table | None:
    """What the paper prints, in the order in which it narrowed the tables."""
    source = result.evidence.latent_source
    if source is None:
        return None

    def concerned(studies: Sequence[str]) -> str:
        if len(studies) == len(source.studies):
            return f"all {len(studies)}"
        return ", ".join(label_of(result.evidence, study) for study in studies)

    rows = [
        {
            "words": printed.words, "locator": printed.locator, "quantity": printed.quantity,
            "low": printed.low, "high": printed.high, "studies": concerned(printed.studies),
            "tables_left": left, "estimated": place in source.estimated,
        }
        for place, (printed, left) in enumerate(source.trail)
    ]  # fmt: skip
    columns = (
        Column("The paper prints", lambda r: f"“{r['words']}”"),
        Column("Where", exactly("locator")),
        Column("About", exactly("studies")),
        Column("Tables left", lambda r: f"{'about ' * r['estimated']}{whole(r['tables_left'])}", True),
    )
    note = (
        f"Method that was assumed: {_METHODS.get(source.constraints.pooling, source.constraints.pooling)} on "
        f"{_METHODS.get(source.constraints.measure, source.constraints.measure)}, "
        f"{source.constraints.zero_cells:g} added where a study has no events. {source.constraints.why}"
    )
    frame = pd.DataFrame(rows)
    return Table("latent-trail", "What is printed, in the order in which it was used", frame, columns, note)


def priors(result: Result) -> Table:
    """The answer under each set of priors."""
    rows = []
    for label, answer in result.answers.items():
        given = result.compared[label]
        proper = given["mu"].proper and given["tau"].proper  # else it is known up to a constant only
        rows.append(
            {
                "set": label + (" (main result)" if label == result.priors.label else ""),
                "mu_prior": str(given["mu"]),
                "mu_why": given["mu"].why,
                "tau_prior": str(given["tau"]),
                "tau_why": given["tau"].why,
                **{f"typical_{s}": answer.rates.loc["typical", s] for s in ("median", "low", "high")},
                **{f"tau_{s}": answer.tau[s] for s in ("median", "low", "high")},
                **{f"next_{s}": answer.rates.loc["new centre", s] for s in ("median", "low", "high")},
                "p_typical_below": answer.p_typical,
                "p_next_below": answer.p_new,
                "log_marginal_likelihood": answer.log_marginal_likelihood if proper else np.nan,
            }
        )
    below = threshold(result.main.below)
    prior_set = Markup('{}<br><span class="q">mu ~ {}<br>tau ~ {}</span>')
    columns = (
        Column("Set", lambda r: prior_set.format(r["set"].replace("_", " "), r["mu_prior"], r["tau_prior"])),
        Column("Typical rate", rate("typical_median", "typical_low", "typical_high"), True),
        Column(
            "tau (log odds)",
            lambda r: f"{decimal(r['tau_median'])} ({decimal(r['tau_low'])} to {decimal(r['tau_high'])})",
            True,
        ),
        Column("Next centre's rate", rate("next_median", "next_low", "next_high"), True),
        Column(f"P(typical < {below})", lambda r: probability(r["p_typical_below"]), True),
        Column(f"P(next < {below})", lambda r: probability(r["p_next_below"]), True),
        Column("Log marginal likelihood", lambda r: decimal(r["log_marginal_likelihood"]), True),
    )
    note = (
        "Rates and tau: posterior median and 95 % interval. Differences of log marginal likelihoods are "
        "log Bayes "
        "factors between the sets."
    )
    return Table("priors", "The answer under each set of priors", pd.DataFrame(rows), columns, note)


def witness(result: Result) -> Table:
    """What frequentist methods say on the same tables."""
    frame = result.witness.reset_index()
    several = len(result.evidence.tables) > 1
    columns = [
        Column("Method", exactly("method")),
        Column("Estimate", lambda r: percent(r["estimate"]), True),
        Column("95 % confidence interval", lambda r: percents(r["ci_low"], r["ci_high"]), True),
        Column("95 % prediction interval", lambda r: percents(r["pi_low"], r["pi_high"]), True),
        Column("I²", lambda r: f"{r['i2']:.0f}{PERCENT}" if np.isfinite(r["i2"]) else NONE, True),
        Column("tau² (own scale)", lambda r: significant(r["tau2"]), True),
    ]
    if several:
        columns.append(Column("Estimate over tables", lambda r: percents(r["lowest"], r["highest"]), True))
    columns.append(Column("Studies with 0.5 added", lambda r: whole(r["corrected"]), True))
    note = (
        "Methods without a likelihood for counts add 0.5 to both counts of a study in which none or all had "
        "the event; the exact likelihood needs no such addition."
    )
    if several:
        note += (
            " Figures of the former are means over all count tables that agree with the paper; the exact "
            "likelihood is itself averaged over them."
        )
    for _, row in frame[frame["remark"] != ""].iterrows():
        note += f" {row['method']}: {row['remark']}."
    return Table("witness", "Frequentist estimates from the same evidence", frame, tuple(columns), note)


def check_table(check: Check) -> Table:
    """The figures behind a check."""
    named = check.table.index.name is not None
    frame = check.table.reset_index() if named else check.table.reset_index(drop=True)
    columns = []
    for name in frame.columns:
        if pd.api.types.is_bool_dtype(frame[name]):
            columns.append(Column(str(name), lambda r, n=name: "yes" if r[n] else "NO"))
        elif pd.api.types.is_numeric_dtype(frame[name]):
            columns.append(Column(str(name), lambda r, n=name: significant(float(r[n])), True))
        else:
            columns.append(Column(str(name), exactly(str(name))))
    captions = {
        "agreement": "Agreement certificate",
        "convergence": "Convergence of NUTS",
        "posterior predictive": "Posterior predictive check",
    }
    notes = {
        "agreement": "Log odds. Exact and NUTS are compared in Monte Carlo standard errors (MCSE) of "
        "the draws.",
        "posterior predictive": "p: probability that replicated data lie above the observed, ties "
        "counted half.",
    }
    name = check.name.replace(" ", "-")
    return Table(name, captions.get(check.name, check.name), frame, tuple(columns), notes.get(check.name, ""))


def diagnostics(result: Result) -> Table | None:
    """Summary of the NUTS draws with R-hat and effective sample sizes; None unless it ran."""
    if "nuts" not in result.fits:
        return None
    frame = summary(result.fits["nuts"]).rename_axis("quantity").reset_index()
    shown = {
        "mean": ("mean", 2), "sd": ("sd", 2), "median": ("median", 2), "low": ("2.5 %", 2),
        "high": ("97.5 %", 2),
        "mcse_mean": ("MCSE of the mean", 4), "ess_bulk": ("bulk ESS", 0), "ess_tail": ("tail ESS", 0),
        "r_hat": ("R-hat", 3),
    }  # fmt: skip
    columns = [Column("Quantity", exactly("quantity"))]
    columns += [
        Column(head, lambda r, k=key, d=digits: decimal(r[k], d), True)
        for key, (head, digits) in shown.items()
    ]
    return Table("nuts-summary", "Draws of NUTS, log odds scale", frame, tuple(columns))
