"""What the screen shows of an audit and of a linted table: findings first."""

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from kyphobayes.audit import VERDICTS, Claim, Linted, counts
from kyphobayes.audit.claims import NOT_CHECKABLE, NOT_REPRODUCED, READING, REPRODUCED
from kyphobayes.audit.tested import CONSISTENT, INCONSISTENT, SUSPECT
from kyphobayes.console import screen

_HEADS = {
    NOT_REPRODUCED: "Not reproduced",
    READING: "Reproduced under a stated reading",
    REPRODUCED: "Reproduced to the printed digits",
    NOT_CHECKABLE: "Not checkable",
}
_MARKS = {INCONSISTENT: "bold red", SUSPECT: "yellow", CONSISTENT: "green"}


def show_audit(claims: Sequence[Claim], titles: Mapping[str, str]) -> None:
    """Print every claim, grouped by verdict."""
    for verdict in VERDICTS:
        own = [claim for claim in claims if claim.verdict == verdict]
        if not own:
            continue
        screen.print(f"\n{_HEADS[verdict]} ({len(own)})", style="bold", markup=False, highlight=False)
        table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
        table.add_column("figure", overflow="fold", ratio=3)
        table.add_column("printed", overflow="fold", ratio=2)
        table.add_column("missing" if verdict == NOT_CHECKABLE else "recomputed", overflow="fold", ratio=6)
        for claim in own:
            table.add_row(
                escape(f"{titles.get(claim.paper, claim.paper)}: {claim.name}"),
                escape(claim.printed),
                escape(_told(claim)),
            )
        screen.print(table)
    numbers = ", ".join(f"{n} {verdict}" for verdict, n in counts(claims).items())
    screen.print(f"\n{len(claims)} printed figures: {numbers}", markup=False, highlight=False)


def _told(claim: Claim) -> str:
    if claim.verdict == NOT_CHECKABLE:
        return "; ".join(part for part in (claim.missing, claim.arithmetic) if part)
    return f"Reading: {claim.reading}. {claim.arithmetic}" if claim.reading else claim.arithmetic


def show_lint(found: Linted) -> None:
    """Print every answer, inconsistent ones first."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("line", "study", "test", "verdict", "arithmetic"):
        table.add_column(head, overflow="fold", no_wrap=head in ("line", "verdict"))
    for row in found.to_frame().astype(str).itertuples(index=False):
        line, study, test, verdict, arithmetic = row
        mark = f"[{_MARKS[verdict]}]{verdict}[/]"
        table.add_row(line, escape(study), escape(test), mark, escape(arithmetic))
    screen.print(table)
    inconsistent, suspect = (len(found.of(verdict)) for verdict in (INCONSISTENT, SUSPECT))
    number = f"{len(found.rows)} test{'s' * (len(found.rows) != 1)}"
    words = f"\n{number}: {inconsistent} inconsistent, {suspect} suspect"
    if found.untested:
        words += f"; no test fits line {', '.join(map(str, found.untested))}"
    screen.print(words, markup=False, highlight=False, soft_wrap=True)
