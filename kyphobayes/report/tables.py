"""The tables of the report: full numbers for CSV files, rounded ones for the page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from kyphobayes.checks import Check
from kyphobayes.evidence import Tabulated
from kyphobayes.fits import summary
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.report.words import (
    NONE,
    PERCENT,
    decimal,
    decimals,
    estimated,
    limit,
    model_unit,
    probability,
    significant,
    value,
    values,
    whole,
)
from kyphobayes.run import Result

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
    return lambda row: str(row[key]).replace("_", " ") if there(row, key) else NONE


def exactly(key: str) -> Show:
    """Show a column as it is, a dash where there is nothing."""
    return lambda row: str(row[key]) if there(row, key) else NONE


def there(row: Any, key: str) -> bool:
    """Whether a row has something under a key."""
    return key in row and not pd.isna(row[key]) and str(row[key]) != ""


def estimate(name: str, scale: NaturalScale) -> Show:
    """Show the median of a quantity with its interval."""
    keys = [f"{name}_{statistic}" for statistic in ("median", "low", "high")]
    return lambda r: estimated(dict(zip(("median", "low", "high"), r[keys], strict=True)), scale)


def _statistics(row: Any, name: str) -> dict[str, float]:
    return {f"{name}_{statistic}": float(row[statistic]) for statistic in ("median", "low", "high")}


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
                **_statistics(answer.estimates.loc["typical"], "typical"),
                **_statistics(answer.tau, "tau"),
                **_statistics(answer.estimates.loc["new centre"], "next"),
                "p_typical": answer.p_typical,
                "p_next": answer.p_new,
                "log_marginal_likelihood": answer.log_marginal_likelihood if proper else np.nan,
            }
        )
    scale, claim = result.scale, f"{result.main.sign} {limit(result.main.below, result.scale)}"
    prior_set = Markup('{}<br><span class="q">mu ~ {}<br>tau ~ {}</span>')
    columns = (
        Column("Set", lambda r: prior_set.format(r["set"].replace("_", " "), r["mu_prior"], r["tau_prior"])),
        Column(f"Typical {scale.name}", estimate("typical", scale), True),
        Column(
            f"tau ({model_unit(scale)})",
            lambda r: f"{decimal(r['tau_median'])} ({decimals(r['tau_low'], r['tau_high'])})",
            True,
        ),
        Column(f"Next {scale.one}’s {scale.name}", estimate("next", scale), True),
        Column(f"P(typical {claim})", lambda r: probability(r["p_typical"]), True),
        Column(f"P(next {claim})", lambda r: probability(r["p_next"]), True),
        Column("Log marginal likelihood", lambda r: decimal(r["log_marginal_likelihood"]), True),
    )
    note = (
        "Estimates and tau: posterior median and 95 % interval. Differences of log marginal likelihoods are "
        "log Bayes factors between the sets."
    )
    return Table("priors", "The answer under each set of priors", pd.DataFrame(rows), columns, note)


def witness(result: Result) -> Table:
    """What frequentist methods say on the same tables."""
    frame, scale = result.witness.reset_index(), result.scale
    tables = result.evidence.tables if isinstance(result.evidence, Tabulated) else None
    several = tables is not None and len(tables) > 1
    columns = [
        Column("Method", exactly("method")),
        Column("Estimate", lambda r: value(r["estimate"], scale), True),
        Column("95 % confidence interval", lambda r: values(r["ci_low"], r["ci_high"], scale), True),
        Column("95 % prediction interval", lambda r: values(r["pi_low"], r["pi_high"], scale), True),
        Column("I²", lambda r: f"{r['i2']:.0f}{PERCENT}" if np.isfinite(r["i2"]) else NONE, True),
        Column("tau² (own scale)", lambda r: significant(r["tau2"]), True),
    ]
    if several:
        columns.append(
            Column("Estimate over tables", lambda r: values(r["lowest"], r["highest"], scale), True)
        )
    note = ""
    if tables is not None:
        columns.append(Column("Studies with 0.5 added", lambda r: whole(r["corrected"]), True))
        note = (
            "Methods without a likelihood for counts add 0.5 where a study had no events (or only events); "
            "the exact likelihood needs no such addition."
        )
    if several:
        note += (
            " Figures of the former are means over all count tables that agree with the paper; the exact "
            "likelihood is itself averaged over them."
        )
    for _, row in frame[frame["remark"] != ""].iterrows():
        note += f" {row['method']}: {row['remark']}."
    note = note.strip()
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
        "agreement": "On the model’s own scale. Exact and NUTS are compared in Monte Carlo standard errors "
        "(MCSE) of the draws.",
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
    return Table("nuts-summary", f"Draws of NUTS ({model_unit(result.scale)})", frame, tuple(columns))
