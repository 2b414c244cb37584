"""What `fit` adds for a table of the user's own: its options, and how its answer is shown."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from kyphobayes.commands.options import STEPS
from kyphobayes.console import aside, print_json, progress, screen, show_result
from kyphobayes.errors import InputError

if TYPE_CHECKING:
    from kyphobayes.pooling import Pooled


def _column(text: str) -> Any:
    return typer.Option(help=f"Own data: column of {text}.", metavar="COLUMN")


StudyOption = Annotated[str | None, _column("the study's name; author+year joins two")]
ByOption = Annotated[str | None, _column("groups that are answered apart and compared")]
EventsOption = Annotated[str | None, _column("events, or of cells such as 5/35")]
NOption = Annotated[str | None, _column("what events are out of; of a study's patients")]
PercentOption = Annotated[str | None, _column("percentages, where there are no events")]
TimeOption = Annotated[str | None, _column("time at risk, for rates")]
YOption = Annotated[str | None, _column("estimates, or of cells such as 1.20 [0.8; 1.7]")]
SeOption = Annotated[str | None, _column("their standard errors")]
VOption = Annotated[str | None, _column("their variances")]
CiLowOption = Annotated[str | None, _column("lower confidence limits")]
CiHighOption = Annotated[str | None, _column("upper confidence limits")]
Events1Option = Annotated[str | None, _column("events of arm 1")]
N1Option = Annotated[str | None, _column("n of arm 1")]
Events2Option = Annotated[str | None, _column("events of arm 2, with which arm 1 is compared")]
N2Option = Annotated[str | None, _column("n of arm 2")]
Time1Option = Annotated[str | None, _column("time at risk of arm 1")]
Time2Option = Annotated[str | None, _column("time at risk of arm 2")]
MeanOption = Annotated[str | None, _column("means of one group, or of cells such as 3.4 (1.2)")]
SdOption = Annotated[str | None, _column("their standard deviations")]
Mean1Option = Annotated[str | None, _column("means of arm 1")]
Sd1Option = Annotated[str | None, _column("standard deviations of arm 1")]
Mean2Option = Annotated[str | None, _column("means of arm 2")]
Sd2Option = Annotated[str | None, _column("standard deviations of arm 2")]
MeanPreOption = Annotated[str | None, _column("means before")]
SdPreOption = Annotated[str | None, _column("standard deviations before")]
MeanPostOption = Annotated[str | None, _column("means after")]
SdPostOption = Annotated[str | None, _column("standard deviations after")]
ROption = Annotated[str | None, _column("correlations between before and after")]
MeasureOption = Annotated[
    str | None,
    typer.Option(help="Own data: the effect by metafor's code: OR, RR, RD, HR, MD, SMD, MC, SMCC, ..."),
]
BelowOption = Annotated[
    str | None, typer.Option(help="Own data: limit of the claim on the scale that people read: 0.1 or 10%.")
]
AboveOption = Annotated[str | None, typer.Option(help="Own data: the same for a claim that it is above.")]
UnitOption = Annotated[str | None, typer.Option(help="Own data: what n counts, or the unit of a difference.")]
TimeUnitOption = Annotated[str | None, typer.Option(help="Own data: of the time at risk: patient-years.")]
PerOption = Annotated[
    float | None, typer.Option(help="Own data: time that rates are shown per; 100 by default.")
]
ScaleOption = Annotated[str | None, typer.Option(help="Own data: log or natural, of ratios.")]
CorrelationOption = Annotated[
    float | None, typer.Option(help="Own data: between before and after, where a study prints none.")
]
CiLevelOption = Annotated[
    float | None, typer.Option(help="Own data: of its confidence intervals; 0.95 by default.")
]
DecimalOption = Annotated[str | None, typer.Option(help="Own data: point or comma, where cells do not tell.")]
SheetOption = Annotated[str | None, typer.Option(help="Own data: sheet of a workbook, by name or number.")]
DropMissingOption = Annotated[
    bool,
    typer.Option("--drop-missing", help="Own data: leave out studies that lack a number; they are listed."),
]
ReportOption = Annotated[
    bool, typer.Option("--report", "--html", help="Own data: write a report page into the folder of --out.")
]


OPTIONS = (
    *("study", "by", "events", "n", "percent", "time", "y", "se", "v", "ci_low", "ci_high"),
    *("events1", "n1", "events2", "n2", "time1", "time2", "mean", "sd", "mean1", "sd1", "mean2", "sd2"),
    *("mean_pre", "sd_pre", "mean_post", "sd_post", "r"),
    *("measure", "below", "above", "unit", "time_unit", "per", "scale", "correlation", "ci_level"),
    *("decimal", "sheet", "drop_missing"),
)


def fit_table(
    path: Path,
    given: Mapping[str, Any],
    *,
    priors: "Mapping[str, str] | str | None",
    engine: str,
    out: Path,
    seed: int,
    report: bool,
    as_json: bool,
) -> None:
    """Fit a table of the user's own and show the answer.

    Parameters
    ----------
    path : Path
    given : mapping of str to object
        Options of `kyphobayes.pooling.fit`, by their names there.
    priors : mapping of str to str, str, or None
    engine : {"exact", "nuts", "both"}
    out : Path
        Folder of fits and report.
    seed : int
    report : bool
        Whether to write the page.
    as_json : bool

    Raises
    ------
    KyphobayesError
    """
    with progress(as_json, STEPS) as say:
        from kyphobayes.pooling import fit

        say(f"{path.name}: reading the table")
        found = fit(path, priors=priors, engine=engine, out=out, seed=seed, say=say, **given)
        page = _page(found, out, say) if report else None
    if as_json:
        print_json(found.to_dict() | ({} if page is None else {"report": str(page)}))
    else:
        _show(found, out, page)
    if not found.passed:
        raise typer.Exit(1)


def refuse_own(given: Mapping[str, Any], analysis: str) -> None:
    """Refuse options of own data where an analysis of the plan is named."""
    if given:
        name = next(iter(given)).replace("_", "-")
        raise InputError(
            f"--{name} is for a table of your own, and {analysis} is no file; give the path of a "
            ".csv or .xlsx file"
        )


def _page(found: "Pooled", out: Path, say: Callable[[str], None]) -> Path:
    from kyphobayes.report import write_report
    from kyphobayes.report.explored import explored

    say(f"{found.analysis.name}: writing the report")
    explored(found, out)
    return write_report([found], out)


def _show(found: "Pooled", out: Path, page: Path | None) -> None:
    """Print how the table was read, the answer, and the groups."""
    for note in found.notes:
        aside.print(note, markup=False, highlight=False, soft_wrap=True)
    show_result(found, out)
    if found.subgroups is not None:
        _show_groups(found)
    if page is not None:
        screen.print(f"report: {page}", markup=False, highlight=False, soft_wrap=True)


def _show_groups(found: "Pooled") -> None:
    from kyphobayes.report.words import estimated, probability, values

    groups, scale, decision = found.subgroups, found.scale, found.analysis.decision
    assert groups is not None
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in (
        groups.by,
        "studies",
        f"typical {scale.name}",
        f"next {scale.one}",
        f"P({decision.side} limit)",
    ):
        table.add_column(escape(head), overflow="fold")
    rows: Any = groups.groups(decision.below, decision.side)
    for name, row in rows.iterrows():
        new = values(row["new_low"], row["new_high"], scale)
        table.add_row(
            escape(str(name)), f"{row['k']:.0f}", estimated(row, scale), new, probability(row["p_claim"])
        )
    screen.print()
    screen.print(table)
    differences: Any = groups.differences()
    for pair, row in differences.iterrows():
        median, low, high = (f"{row[name]:.3g}" for name in ("median", "low", "high"))
        first = str(pair).partition(" against ")[0]
        screen.print(
            f"{pair}: {groups.contrast} {median} ({low} to {high}); the probability that {first} "
            "has the larger "
            f"{scale.name} is {probability(row['p_larger'])}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    screen.print("Groups share tau; their typical effects have independent priors.", highlight=False)
