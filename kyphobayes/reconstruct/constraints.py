"""What a paper prints about counts that it does not print: the constraints file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, get_args

from kyphobayes.effects.zero_cells import To
from kyphobayes.errors import EvidenceError
from kyphobayes.frequentist import METHODS, TESTS
from kyphobayes.reconstruct.printed import Printed, read_printed
from kyphobayes.toml_files import check_keys, read_toml, texts, typed

COUNT_MEASURES: Final = ("PR", "PLO", "PLN", "PAS", "PFT")
CORRECTED: Final = get_args(To)
I2_FROM: Final = ("tau2", "Q")
LARGEST_N: Final = 100_000

_DESCRIBED = ("source", "outcome", "arm", "unit")


@dataclass(frozen=True)
class Constraints:
    """A constraints file: the studies, the paper's assumed method, and the printed figures.

    Attributes
    ----------
    title, source, outcome, arm, unit : str
        What the counts are. A file that gives its own n may leave all but the title empty.
    studies : tuple of str
    measure, pooling : str
        How the paper pooled, by metafor's codes.
    zero_cells : float
        Added to the events and to the rest of a study that is corrected.
    why : str
        Why this method is assumed.
    printed, left_out : tuple of Printed
        The figures that are used, and those that cannot be.
    weights : tuple of (table, weight)
        Tables that are more or less plausible than others, which have weight 1.
    corrected : {"only0", "all", "if0all", "none"}
        Which studies are corrected; those left without a variance are left out of the pool.
    test : {"z", "t", "hksj", "mhksj"}
        Of the pooled estimate's confidence interval.
    i2_from : {"tau2", "Q"}
        Whether I2 was made of tau2 and the typical variance, or is (Q - df) / Q.
    n : tuple of int
        Denominators by study; empty where the project's tables have them.
    known : tuple of int or None
        Counts that are known, by study; empty likewise.
    """

    title: str
    source: str
    outcome: str
    arm: str
    unit: str
    studies: tuple[str, ...]
    measure: str
    pooling: str
    zero_cells: float
    why: str
    printed: tuple[Printed, ...]
    left_out: tuple[Printed, ...]
    weights: tuple[tuple[tuple[int, ...], float], ...] = ()
    corrected: str = "only0"
    test: str = "z"
    i2_from: str = "tau2"
    n: tuple[int, ...] = ()
    known: tuple[int | None, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a constraints file.

        Raises
        ------
        EvidenceError
            Naming the file and the entry that does not say what it must.
        """
        entry, name = read_toml(path), path.name
        own = "study" in entry
        required = ["title", "method", "printed", *(["study"] if own else [*_DESCRIBED, "studies"])]
        check_keys(name, entry, required, ["weights", "left_out", "weight", "study", "studies", *_DESCRIBED])
        if own and "studies" in entry:
            raise EvidenceError(f"{name}: expected either studies or [[study]] entries, found both")
        if (rule := entry.get("weights", "uniform")) != "uniform":
            raise EvidenceError(
                f'{name}: expected weights = "uniform" (others as [[weight]]), found {rule!r}'
            )
        studies, n, known = _own_studies(name, entry) if own else (texts(name, entry, "studies"), (), ())
        if len(set(studies)) < max(len(studies), 1):
            raise EvidenceError(f"{name}: expected studies to name each study once, found {list(studies)}")
        rows = {key: typed(name, entry, key, list, []) for key in ("printed", "left_out", "weight")}
        figures = {
            key: tuple(
                read_printed(f"{name} [[{key}]] {i}", row, studies) for i, row in enumerate(rows[key], 1)
            )
            for key in ("printed", "left_out")
        }
        return cls(
            *(typed(name, entry, key, str, "") for key in ("title", *_DESCRIBED)),
            studies=studies,
            **_method(f"{name} [method]", typed(name, entry, "method", dict)),
            printed=figures["printed"],
            left_out=figures["left_out"],
            weights=tuple(
                _weight(f"{name} [[weight]] {i}", row, len(studies))
                for i, row in enumerate(rows["weight"], 1)
            ),
            n=n,
            known=known,
        )  # fmt: skip


def _method(where: str, method: dict[str, Any]) -> dict[str, Any]:
    """The assumed method, by the field's names."""
    check_keys(where, method, ["measure", "pooling", "zero_cells", "why"], ["corrected", "test", "i2_from"])
    known = {
        "measure": COUNT_MEASURES,
        "pooling": METHODS,
        "corrected": CORRECTED,
        "test": TESTS,
        "i2_from": I2_FROM,
    }
    given = {key: typed(where, method, key, str) for key in known if key in method}
    for key, word in given.items():
        if word not in known[key]:
            raise EvidenceError(
                f"{where}: expected {key} to be one of {', '.join(known[key])}, found {word!r}"
            )
    zero_cells = typed(where, method, "zero_cells", float)
    if not 0 <= zero_cells <= 1:
        raise EvidenceError(f"{where}: expected zero_cells from 0 to 1, found {zero_cells:g}")
    return given | {"zero_cells": zero_cells, "why": typed(where, method, "why", str)}


def _own_studies(
    name: str, entry: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[int, ...], tuple[int | None, ...]]:
    """The studies of a file that stands alone: names, denominators, and counts where they are known."""
    studies, n, known = [], [], []
    for i, row in enumerate(typed(name, entry, "study", list), 1):
        where = f"{name} [[study]] {i}"
        check_keys(where, row, ["name", "n"], ["events", "locator"])
        studies.append(typed(where, row, "name", str))
        typed(where, row, "locator", str, "")
        n.append(typed(where, row, "n", int))
        known.append(typed(where, row, "events", int))
        if not 1 <= n[-1] <= LARGEST_N:
            raise EvidenceError(f"{where}: expected n from 1 to {LARGEST_N:,}, found {n[-1]}")
        if known[-1] is not None and not 0 <= known[-1] <= n[-1]:
            raise EvidenceError(f"{where}: expected events from 0 to n = {n[-1]}, found {known[-1]}")
    return tuple(studies), tuple(n), tuple(known)


def _weight(where: str, row: Any, k: int) -> tuple[tuple[int, ...], float]:
    check_keys(where, row, ["events", "weight"], [])
    events, weight = row["events"], typed(where, row, "weight", float)
    if not isinstance(events, list) or len(events) != k or any(type(e) is not int for e in events):
        raise EvidenceError(f"{where}: expected events to be {k} whole numbers, found {events!r}")
    if not 0 < weight < float("inf"):
        raise EvidenceError(f"{where}: expected a weight greater than 0, found {weight:g}")
    return tuple(events), weight
