"""The command that analyses a printed line again."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kyphobayes.commands.options import JsonOption
from kyphobayes.console import as_text, aside, print_json, progress, screen
from kyphobayes.errors import InputError

if TYPE_CHECKING:
    from kyphobayes.reanalysis import Reanalysis


def reanalyse(
    k: Annotated[int, typer.Option("--k", help="Number of studies.")],
    estimate: Annotated[str, typer.Option(help="Pooled estimate, as printed.")],
    ci: Annotated[tuple[str, str], typer.Option(help="Both ends of its interval, as printed.")],
    i2: Annotated[str | None, typer.Option("--i2", help="I-squared in percent, as printed.")] = None,
    measure: Annotated[
        str | None, typer.Option(help="Such as SMD, MD, OR (ratios are logged), PLO; metafor's codes.")
    ] = None,
    n: Annotated[
        list[str] | None,
        typer.Option("--n", help="Sizes of the studies: --n 63 18 26 65, or pairs of groups: --n 30/31 9/9."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="[N]...", help="Further sizes of --n.")] = None,
    tau: Annotated[str | None, typer.Option(help='Prior of tau, such as "HalfNormal(sigma=1)".')] = None,
    mu: Annotated[str, typer.Option(help='Prior of mu, such as "Normal(mu=0, sigma=2)".')] = "Flat()",
    mcid: Annotated[
        float | None, typer.Option(help="Least effect that matters, on the printed scale.")
    ] = None,
    better: Annotated[str, typer.Option(help="Which effects are good: lower or higher.")] = "lower",
    method: Annotated[str, typer.Option(help="How it was pooled: DL, CE, REML, ML or PM.")] = "DL",
    test: Annotated[str, typer.Option(help="How its interval was made: z, t or hksj.")] = "z",
    level: Annotated[float, typer.Option(help="Level of the printed interval.")] = 0.95,
    spread: Annotated[
        float | None, typer.Option(help="SD of log variances within studies beyond --n; 0: equal.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the figure and the numbers.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Analyse a printed line again: mu, tau and the next study from k, estimate, interval and I-squared."""
    sizes = _sizes(n, more)
    with progress(as_json, 2) as say:
        say("reading the line")
        from kyphobayes.reanalysis import reanalyse as analyse

        found = analyse(
            k, estimate, ci, i2, measure=measure, n=sizes, mu=mu, tau=tau, mcid=mcid, better=better,
            method=method, test=test, level=level, spread=spread,
        )  # fmt: skip
        written = [] if out is None else _write(found, out)
    if as_json:
        print_json(found.to_dict())
        return
    _show(found)
    for path in written:
        screen.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)


def _sizes(first: list[str] | None, more: list[str] | None) -> list[float] | list[tuple[float, float]] | None:
    """Read what follows --n: single sizes, or pairs of groups, apart or in one text."""
    if not first:
        if more:
            raise InputError(f"expected options only, found {more[0]!r}; sizes of studies follow --n")
        return None
    words = [word for text in [*first, *(more or [])] for word in re.split(r"[\s,;]+", text) if word]
    try:
        if any("/" in word for word in words):
            pairs = [word.split("/") for word in words]
            return [(float(a), float(b)) for a, b in pairs]
        return [float(word) for word in words]
    except ValueError:
        raise InputError(
            f"--n: expected sizes such as 63 18, or pairs such as 30/31, found {' '.join(words)}"
        ) from None


def _write(found: "Reanalysis", folder: Path) -> list[Path]:
    from kyphobayes.files import make_folder, write
    from kyphobayes.report.canvas import to_png, to_svg
    from kyphobayes.report.reanalysis import single

    make_folder(folder)
    figure = single(found, f"{found.likelihood.k} studies")
    files = {
        "reanalysis.svg": '<?xml version="1.0" encoding="utf-8"?>\n' + to_svg(figure, "reanalysis"),
        "reanalysis.png": to_png(figure),
        "reanalysis.json": as_text(found.to_dict()) + "\n",
    }
    for name, content in files.items():
        write(folder / name, content)
    return [folder / name for name in files]


def _show(found: "Reanalysis") -> None:
    """Print a line's answer for people."""
    from kyphobayes.names import MU, TAU, THETA_NEW
    from kyphobayes.report.reanalysis import digits_of
    from kyphobayes.report.words import NONE, decimal, probability

    digits = digits_of(found)
    i2 = f"; I² {found.i2.removesuffix('%').strip()} %" if found.i2 else ""
    screen.print(
        f"\nprinted: {found.measure or 'effect'} {found.estimate} ({found.ci[0]}, {found.ci[1]}){i2}; "
        f"{found.likelihood.k} studies\n", markup=False, highlight=False,
    )  # fmt: skip
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for head in ("median", "95 % interval", "P(benefit)", "P(beyond MCID)"):
        table.add_column(head, justify="right", no_wrap=True)
    chances = {MU: (found.p_benefit, found.p_mcid), THETA_NEW: (found.p_benefit_new, found.p_mcid_new)}
    for name, label in ((MU, "mu, the typical effect"), (THETA_NEW, "effect in the next study")):
        middle, low, high = (
            decimal(float(found.effects[side][name]), digits) for side in ("median", "low", "high")
        )
        table.add_row(label, middle, f"{low} to {high}", *(probability(p) for p in chances[name]))
    middle, low, high = (decimal(float(found.tau[side]), digits) for side in ("median", "low", "high"))
    scale = {"identity": "", "log": " (log)", "logit": " (log odds)"}[found.likelihood.line.scale]
    table.add_row(f"tau, spread between studies{scale}", middle, f"{low} to {high}", NONE, NONE)
    screen.print(table)
    priors = f"mu ~ {found.priors[MU]}, tau ~ {found.priors[TAU]}"
    screen.print(
        f"\nPriors: {priors}. Benefit: an effect that is {found.better} than none. The integration moves "
        f"ends of "
        f"intervals by about {max(found.error, 0.001):.1g} posterior SD.", markup=False, highlight=False,
    )  # fmt: skip
    for sentence in found.assumptions:
        screen.print(f"assumed: {sentence}", markup=False, highlight=False)
    for sentence in found.warnings:
        aside.print(f"[bold]warning:[/] {escape(sentence)}", highlight=False)
