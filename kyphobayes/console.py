"""What the command line shows: results on standard output, progress and errors on standard error."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from pandas import Series
    from rich.progress import Progress, TaskID

    from kyphobayes.crosscheck import Crosscheck
    from kyphobayes.natural_scale import NaturalScale
    from kyphobayes.questions import Answered
    from kyphobayes.run import Result, Say
    from kyphobayes.sensitivity import Sensitivity

screen = Console()
aside = Console(stderr=True)  # so that standard output stays clean


def print_json(content: object) -> None:
    """Print JSON; what is not a finite number is null, as JSON has no other word for it."""
    print(as_text(content))


def as_text(content: object) -> str:
    """Write JSON as `print_json` does."""

    def finite(value: object) -> object:
        if isinstance(value, dict):
            return {key: finite(item) for key, item in value.items()}
        if isinstance(value, list):
            return [finite(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(finite(content), ensure_ascii=False, indent=2, allow_nan=False)


@contextmanager
def progress(hidden: bool, steps: int) -> "Iterator[Say]":
    """Show on standard error what is being done, and leave cleanly when interrupted."""
    with _left_cleanly():
        if hidden:
            yield lambda text: None
        elif aside.is_terminal:
            with _bar("starting", steps) as (bar, task):
                yield lambda text: bar.update(task, description=text, advance=1)
        else:
            yield lambda text: aside.print(text, markup=False, highlight=False)


@contextmanager
def counted(hidden: bool, what: str) -> "Iterator[Callable[[int, int], None]]":
    """Show on standard error how many jobs are finished, and of how many; leave cleanly when interrupted."""

    def told(finished: int, jobs: int) -> str:
        return f"{what}: {finished} of {jobs} jobs finished"

    with _left_cleanly():
        if hidden:
            yield lambda finished, jobs: None
        elif aside.is_terminal:
            with _bar(what, 0) as (bar, task):
                yield lambda finished, jobs: bar.update(
                    task, description=told(finished, jobs), completed=finished, total=jobs
                )
        else:
            yield lambda finished, jobs: aside.print(told(finished, jobs), markup=False, highlight=False)


@contextmanager
def _left_cleanly() -> "Iterator[None]":
    try:
        yield
    except KeyboardInterrupt:
        aside.print("stopped; finished fits are kept and will be reused")
        raise typer.Exit(130) from None


@contextmanager
def _bar(first: str, steps: int) -> "Iterator[tuple[Progress, TaskID]]":
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = BarColumn(bar_width=20), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=aside, transient=True) as bar:
        yield bar, bar.add_task(first, total=steps)


def show_list(title: str, rows: dict[str, str]) -> None:
    """Print names and what they mean."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(escape(name), escape(text))
    screen.print(table)


def show_result(result: "Result", out: Path) -> None:
    """Print an answer for people."""
    from kyphobayes.report.words import limit

    analysis = result.analysis
    screen.print(f"\n{analysis.question}", markup=False, highlight=False)
    screen.print(f"{answer_of(result)}\n", markup=False, highlight=False)
    scale = result.scale
    claim = f"{result.main.sign} {limit(analysis.decision.below, scale, unit=scale.measure == 'PLO')}"
    unit = f"{scale.name}, {scale.unit}" if scale.measure == "PLO" else scale.name
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("prior set", overflow="fold", min_width=9)
    for column, width in ((f"typical\n{unit}", 14), ("\ntau", 16), (f"next {scale.one}’s\n{unit}", 14)):
        table.add_column(column, no_wrap=True, min_width=width, justify="right")
    for column in (f"typical\n{claim}", f"next\n{claim}"):
        table.add_column(column, no_wrap=True, min_width=7, justify="right")
    for name, answer in result.answers.items():
        typical, new = (_estimate(row, scale) for _, row in answer.estimates.iterrows())
        chances = (f"{100 * p:.0f} %" for p in (answer.p_typical, answer.p_new))
        table.add_row(escape(name.replace("_", " ")), typical, _interval(answer.tau, 2), new, *chances)
    screen.print(table)
    counted = "" if scale.measure == "PLO" or not scale.unit else f", {scale.unit}"
    screen.print(
        f"Medians with 95 % intervals{counted}; probabilities of {scale.name}s on the decision's side.\n",
        highlight=False,
    )
    for check in result.checks:
        mark = "[green]passed[/]" if check.passed else "[bold red]failed[/]"
        screen.print(f"{check.name}: {mark}; {escape(check.text)}", highlight=False)
    screen.print(f"fits: {out / 'fits'}", markup=False, highlight=False, soft_wrap=True)


def show_answer(answered: "Answered") -> None:
    """Print the answer to a question that is not about one pooled rate."""
    screen.print(f"\n{answered.question.question}", markup=False, highlight=False)
    screen.print(f"{answered.sentence}\n", markup=False, highlight=False)
    for name, frame in answered.tables.items():
        shown = frame.reset_index() if frame.index.name or frame.index.nlevels > 1 else frame
        table = Table(title=name.replace("_", " "), title_justify="left", box=None, padding=(0, 1, 0, 0))
        for column in shown.columns:
            table.add_column(str(column).replace("_", " "), overflow="fold")
        for row in shown.itertuples(index=False):
            table.add_row(*(f"{v:.3g}" if isinstance(v, float) else escape(str(v)) for v in row))
        screen.print(table)
    out = answered.who[answered.who["status"] != "in"]
    screen.print(f"in: {len(answered.who) - len(out)}; out: {len(out)}", highlight=False)
    for row in out.drop_duplicates().to_dict("records"):
        screen.print(f"  out: {row['unit']}: {row['reason']}", markup=False, highlight=False)
    for check in answered.checks:
        mark = "[green]passed[/]" if check.passed else "[bold red]failed[/]"
        screen.print(f"{check.name}: {mark}; {escape(check.text)}", highlight=False)


def show_crosscheck(found: "Crosscheck") -> None:
    """Print frequentist answers for people, the exact one below them."""
    from kyphobayes.report.words import NONE, model_unit, significant, value, values

    scale = found.scale

    def row(name: str, r: Any) -> list[str]:
        i2 = f"{r['i2']:.0f} %" if math.isfinite(r.get("i2", math.nan)) else NONE
        limits = (
            values(r["ci_low"], r["ci_high"], scale, unit=False),
            values(r["pi_low"], r["pi_high"], scale, unit=False),
        )
        return [escape(name), value(r["estimate"], scale, unit=False), *limits, i2, significant(r["tau2"])]

    screen.print(f"\n{found.analysis.question}\n", markup=False, highlight=False)
    shown = f"estimate, {scale.unit}" if scale.unit else "estimate"
    table = _table("method", shown, "95 % interval", f"next {scale.one}", "I²", "tau²")
    for name, method in found.methods.iterrows():
        table.add_row(*row(str(name), method))
    exact: Any = found.exact
    typical, new = exact.loc["typical"], exact.loc["new centre"]
    bayes = (values(r["low"], r["high"], scale, unit=False) for r in (typical, new))
    label = f"for comparison: exact posterior, {found.analysis.priors.replace('_', ' ')} priors"
    table.add_row(label, value(typical["median"], scale, unit=False), *bayes, NONE, NONE)
    screen.print(table)
    for _, method in found.methods[found.methods["remark"] != ""].iterrows():
        screen.print(f"{method.name}: {method['remark']}", markup=False, highlight=False)
    if not found.heterogeneity.empty:
        ends: Any = found.heterogeneity
        tau2 = " to ".join(significant(end) for end in ends.loc["tau2", ["low", "high"]])
        i2 = " to ".join(f"{end:.0f}" for end in ends.loc["i2", ["low", "high"]])
        over = f"Q-profile 95 % intervals, {model_unit(scale)}, over all tables of the studies"
        screen.print(f"\n{over}: tau² {tau2}, I² {i2} %", highlight=False)
    if not found.left_out.empty:
        screen.print("\nThe last method without each study in turn:", highlight=False)
        table = _table("without", shown, "95 % interval", "tau²")
        r: Any
        for name, r in found.left_out.iterrows():
            ends = values(r["ci_low"], r["ci_high"], scale, unit=False)
            middle = value(r["estimate"], scale, unit=False)
            table.add_row(escape(str(name)), middle, ends, significant(r["tau2"]))
        screen.print(table)
    screen.print(
        f"\nlog likelihoods by the exact engine and by the witness: at most {found.apart:.0e} apart at "
        f"{len(found.likelihood)} places where the posterior lies",
        highlight=False,
    )


def show_sensitivity(found: "Sensitivity", sentence: str) -> None:
    """Print how far an answer depends on its priors: the sentence first, then the tables."""
    from markupsafe import Markup

    from kyphobayes.report.sensitivity import credibility_sentence, tables

    screen.print(f"\n{sentence}\n", markup=False, highlight=False)
    for name, shown in tables(found).items():
        screen.print(f"{shown.caption}", style="bold", markup=False, highlight=False)
        table = Table(box=None, padding=(0, 1, 0, 0))
        rows = [[Markup(cell).striptags() for cell in row] for row in shown.cells]
        for column, *cells in zip(shown.columns, *rows, strict=True):
            longest = max(len(word) for cell in cells for word in [*cell.split(" "), ""])
            side = "right" if column.number else "left"
            table.add_column(column.head, overflow="fold", justify=side, min_width=longest)
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        screen.print(table)
        if shown.note:
            screen.print(shown.note, style="dim", markup=False, highlight=False)
        screen.print()
        if name == "tipping":
            screen.print(f"{credibility_sentence(found)}\n", markup=False, highlight=False)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for column in others:
        table.add_column(column, no_wrap=True, justify="right")
    return table


def _estimate(row: "Series", scale: "NaturalScale") -> str:
    """Median and interval, shares in percent with one decimal."""
    from kyphobayes.report.words import value, values

    if scale.measure == "PLO":
        return _interval(100 * row, 1)
    ends = values(row["low"], row["high"], scale, unit=False)
    if row["low"] >= 0:  # a dash is narrower, but none beside a minus sign
        ends = ends.replace(" to ", "–")
    return f"{value(row['median'], scale, unit=False)} ({ends})"


def _interval(row: "Series", digits: int) -> str:
    median, low, high = (f"{row[name]:.{digits}f}" for name in ("median", "low", "high"))
    return f"{median} ({low}–{high})"


def answer_of(result: "Result") -> str:
    """The answer in one sentence."""
    from kyphobayes.report.sentences import answer

    return answer(result)
