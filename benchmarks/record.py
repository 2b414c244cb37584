"""Ratios of earlier runs, and how those of this run are held to them."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmarks.paired import Measured
from benchmarks.rows import Row
from kyphobayes.files import write

RATIOS = Path(__file__).with_name("ratios.csv")
LOST = 0.25  # a ratio that fell by more than this share fails the run


@dataclass(frozen=True)
class Kept:
    """One line of ratios.csv: the version of this package, the row, the peer's version, the ratio."""

    version: str
    work: str
    peer: str
    peer_version: str
    ratio: float


@dataclass(frozen=True)
class Outcome:
    """What became of a row in this run.

    Attributes
    ----------
    row : Row
    measured : Measured, optional
        None where the row was skipped or failed.
    before : Kept, optional
        The last record of this row, whatever the peer's version was.
    peer_version : str
    why : str
        Why it was skipped, or how it failed.
    failed : bool
    """

    row: Row
    measured: Measured | None = None
    before: Kept | None = None
    peer_version: str = ""
    why: str = ""
    failed: bool = False

    @property
    def comparable(self) -> bool:
        """Whether the last record was made beside the same peer."""
        return self.before is not None and self.before.peer_version == self.peer_version

    @property
    def change(self) -> float | None:
        """By what share the ratio is above (positive) or below the last record; None without one."""
        if self.measured is None or self.before is None or not self.comparable:
            return None
        return self.measured.ratio / self.before.ratio - 1

    @property
    def slower(self) -> bool:
        """Whether the ratio has fallen by more than `LOST`, and not by the noise of its repeats alone."""
        if self.measured is None or self.before is None or self.change is None:
            return False
        return self.change < -LOST and self.measured.interval[1] < self.before.ratio

    @property
    def verdict(self) -> str:
        """The row's last word."""
        if self.measured is None:
            return f"failed: {self.why}" if self.failed else f"skipped: {self.why}"
        said = []
        if self.row.target is not None:
            met = min(self.measured.ours) < self.row.target
            said.append(f"target {self.row.target:g} s {'met' if met else 'missed'}")
        if self.before is None:
            said.append("new")
        elif self.change is None:
            said.append(f"another peer: was {self.before.peer_version or 'of no version'}")
        elif self.slower:
            said.append(f"SLOWER by {-self.change:.0%}")
        elif self.change < -LOST:
            said.append("too noisy to tell")
        elif self.change > LOST:
            said.append(f"faster by {self.change:.0%}")
        else:
            said.append("as before")
        return "; ".join(said)


def undecided(measured: Measured, before: Kept | None, peer_version: str) -> bool:
    """Whether more repeats could change the verdict: the limit lies within the interval of the ratio."""
    if before is None or before.peer_version != peer_version:
        return False
    low, high = measured.interval
    return low < (1 - LOST) * before.ratio <= high


def last(records: Iterable[Kept], row: Row) -> Kept | None:
    """The latest record of a row: the file has the latest version last."""
    found = None
    for kept in records:
        if (kept.work, kept.peer) == (row.work, row.peer):
            found = kept
    return found


def renewed(records: Iterable[Kept], outcomes: Sequence[Outcome], version: str) -> list[Kept]:
    """Records with this run's ratios: those of the same version are replaced, the others stay as history."""
    new = {
        (o.row.work, o.row.peer): Kept(version, o.row.work, o.row.peer, o.peer_version, o.measured.ratio)
        for o in outcomes
        if o.measured is not None
    }
    old = list(records)
    earlier = [kept for kept in old if kept.version != version]
    same = {(kept.work, kept.peer): kept for kept in old if kept.version == version}
    return earlier + list((same | new).values())


def read(path: Path = RATIOS) -> list[Kept]:
    """Read ratios.csv; no file, no records."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [Kept(**{**row, "ratio": float(row["ratio"])}) for row in csv.DictReader(file)]


def save(records: Iterable[Kept], path: Path = RATIOS) -> None:
    """Write ratios.csv, with three digits of each ratio."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Kept)], lineterminator="\n")
    writer.writeheader()
    for kept in records:
        writer.writerow({**asdict(kept), "ratio": f"{kept.ratio:.3g}"})
    write(path, text.getvalue())


def failure(outcomes: Sequence[Outcome]) -> str:
    """One sentence on the rows that fail the run; empty where none does."""
    slower = [
        f"{o.row.name} (ratio {o.measured.ratio:.3g}, was {o.before.ratio:.3g})"
        for o in outcomes
        if o.slower and o.measured is not None and o.before is not None
    ]
    failed = [o.row.name for o in outcomes if o.failed]
    said = []
    if slower:
        said.append(
            f"slower by more than {LOST:.0%} beside the peer than in the last record: {'; '.join(slower)}"
        )
    if failed:
        said.append(f"could not be measured: {'; '.join(failed)}")
    return "; ".join(said)
