"""The table on the screen."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.record import Outcome

WIDTH = 150


def table(outcomes: Sequence[Outcome], title: str) -> Table:
    """One line for each row."""
    found = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for column in ("work", "beside"):
        found.add_column(column, overflow="fold")
    for column in ("ours, s", "theirs, s", "ratio", "±", "before"):
        found.add_column(column, justify="right", no_wrap=True)
    found.add_column("verdict", overflow="fold")
    for outcome in outcomes:
        found.add_row(*_cells(outcome))
    return found


def show(outcomes: Sequence[Outcome], title: str) -> None:
    """Print it."""
    Console(width=WIDTH, highlight=False, markup=False).print(table(outcomes, title))


def _cells(outcome: Outcome) -> list[str]:
    row, measured = outcome.row, outcome.measured
    peer = f"{row.peer} {outcome.peer_version}".strip()
    before = f"{outcome.before.ratio:.3g}" if outcome.before is not None else ""
    if measured is None:
        return [row.work, peer, "", "", "", "", before, outcome.verdict]
    spread = f"{measured.spread:.0%}" if len(measured.ours) > 1 else ""
    ours, theirs = (f"{seconds:.3g}" for seconds in (measured.ours_seconds, measured.theirs_seconds))
    return [row.work, peer, ours, theirs, f"{measured.ratio:.3g}", spread, before, outcome.verdict]
