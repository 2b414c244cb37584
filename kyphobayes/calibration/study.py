"""A calibration study: which worlds are drawn and fitted, by which jobs, and the table that comes of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import kyphobayes
from kyphobayes.calibration.designs import designs
from kyphobayes.calibration.prior_sets import prior_sets
from kyphobayes.calibration.ranks import Array, uniformity
from kyphobayes.calibration.worlds import EXACT, FITTED, NUTS, REFUSED, UNSEEN, fit_worlds
from kyphobayes.errors import InputError
from kyphobayes.evidence import View
from kyphobayes.jobs import Job, Say
from kyphobayes.kept_tables import digest_of, kept_tables
from kyphobayes.model import Model
from kyphobayes.priors import Priors
from kyphobayes.project import Project, default_project
from kyphobayes.toml_files import nearest

ENGINES = (EXACT, NUTS)
KS = (3, 7, 20)
CHUNK = {EXACT: 50, NUTS: 25}  # worlds of one job: some ten seconds to a minute, so that little is lost
ALPHA = 0.01  # probability that a whole study of calibrated engines is found wanting
FILE = f"{kyphobayes.__version__}.csv"
_FORMAT = {EXACT: 2, NUTS: 2}  # of what a job returns: to be raised where `worlds` gives another


@dataclass(frozen=True, eq=False)
class Cell:
    """One model, engine, number of studies and prior set.

    Attributes
    ----------
    model : Model
    engine : {"exact", "nuts"}
    evidence : View
        The design.
    priors : Priors
    n : int
        Worlds to draw.
    """

    model: Model
    engine: str
    evidence: View
    priors: Priors
    n: int

    @property
    def k(self) -> int:
        """Number of studies, or of what else has an effect of its own."""
        return self.evidence.k

    @property
    def name(self) -> str:
        """Its name, in words that make a file's name."""
        return f"{self.model.name}-{self.engine}-k{self.k}-{self.priors.label}"

    def jobs(self, seed: int) -> list[tuple[Job, str]]:
        """Jobs of `CHUNK` worlds each, with the digest of all that each depends on."""
        size, found = CHUNK[self.engine], []
        for first in range(0, self.n, size):
            count = min(size, self.n - first)
            digest = digest_of({
                "model": self.model.digest, "evidence": self.evidence.digest, "priors": self.priors.texts(),
                "engine": self.engine, "seed": seed, "worlds": [first, count], "format": _FORMAT[self.engine],
            })  # fmt: skip
            given = {
                "model": self.model, "evidence": self.evidence, "priors": self.priors,
                "engine": self.engine, "seed": seed, "first": first, "count": count,
            }  # fmt: skip
            found.append((Job(f"{self.name}-{first}", fit_worlds, given), digest))
        return found


def cells(
    model: Model,
    project: Project,
    *,
    engines: Sequence[str],
    ks: Sequence[int] = KS,
    sets: Sequence[str] = (),
    n: int,
    n_nuts: int,
) -> list[Cell]:
    """Cells of one model.

    Parameters
    ----------
    model : Model
    project : Project
    engines : sequence of {"exact", "nuts"}
        A model without an integrated likelihood has no exact cells.
    ks : sequence of int
    sets : sequence of str
        Names of prior sets; all that the model has, if empty.
    n, n_nuts : int
        Worlds in a cell of either engine.

    Raises
    ------
    InputError
        If the model has no such prior set or engine at all.
    """
    able = [e for e in engines if e == NUTS or model.declared_surface is not None]
    if not able:
        raise InputError(f"models/{model.name}.py declares no surface: expected --engine nuts, found exact")
    found = []
    for evidence in designs(model, project, ks).values():
        known = prior_sets(model, evidence, project)
        if sets and not set(sets) & set(known):
            raise InputError(f"--priors: model {model.name} has {', '.join(known)}, found {', '.join(sets)}")
        for label, priors in known.items():
            if not sets or label in sets:
                model.check(evidence, priors)
                sizes = {EXACT: n, NUTS: n_nuts}
                found += [Cell(model, engine, evidence, priors, sizes[engine]) for engine in able]
    return found


def calibrate(
    study: Sequence[Cell],
    *,
    seed: int = 0,
    folder: Path | None = None,
    executor: Executor | None = None,
    say: Say = lambda _: None,
    finished: Callable[[int, int], None] = lambda _, __: None,
) -> list[pd.DataFrame]:
    """Fit the worlds of all cells, or find them.

    Parameters
    ----------
    study : sequence of Cell
    seed : int
    folder : Path, optional
        Where finished jobs are kept.
    executor : Executor, optional
    say, finished : callable
        See `kyphobayes.kept_tables`.

    Returns
    -------
    list of DataFrame
        One per cell, a row per world: see `kyphobayes.calibration.worlds.fit_worlds`.
    """
    each = [cell.jobs(seed) for cell in study]
    jobs = [job for pairs in each for job, _ in pairs]
    digests = [digest for pairs in each for _, digest in pairs]
    tables = iter(kept_tables(jobs, digests, folder, executor, say, finished))
    return [pd.concat([next(tables) for _ in pairs], ignore_index=True) for pairs in each]


def shipped() -> pd.DataFrame:
    """Read the study that comes with this version: what `summarised` returned, to six digits.

    Raises
    ------
    InputError
        If it is not there.
    """
    path = default_project().root / "calibration" / FILE
    if not path.is_file():
        raise InputError(f"{path}: expected the study that comes with this version; it has to be made anew")
    return read_summary(path)


def read_summary(path: Path) -> pd.DataFrame:
    """Read a summary that was written as CSV."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    return table.fillna({"quantity": ""})


def about(
    table: pd.DataFrame,
    models: Sequence[str] = (),
    engines: Sequence[str] = (),
    ks: Sequence[int] = (),
    sets: Sequence[str] = (),
) -> pd.DataFrame:
    """Rows of a summary about some models, engines, numbers of studies and prior sets.

    Where none is named, those of all.

    Raises
    ------
    InputError
        If the summary has none of one that is named, or no row of all together.
    """
    chosen = table
    for column, wanted in {"model": models, "engine": engines, "k": ks, "priors": sets}.items():
        there = list(map(str, sorted(table[column].unique())))
        for value in map(str, wanted):
            if value not in there:
                hint = f"expected one of {', '.join(there)}" if column == "k" else nearest(value, there)
                raise InputError(f"{column}: found {value!r}, of which the study has no row; {hint}")
        if wanted:
            chosen = chosen[chosen[column].isin(list(wanted))]
    if chosen.empty:
        raise InputError("the study has rows of each that is named, and none of all together; name fewer")
    return chosen


def positions_of(worlds: pd.DataFrame) -> dict[str, Array]:
    """Positions of each quantity in the worlds that were fitted, by its name; empty if none was."""
    fitted = worlds[worlds["outcome"] == FITTED].drop(columns=["world", "outcome"])
    return {} if fitted.empty else {str(name): column.to_numpy(float) for name, column in fitted.items()}


def summarised(study: Sequence[Cell], worlds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per cell and quantity.

    Returns
    -------
    DataFrame
        Columns model, engine, k, priors, quantity, n (worlds fitted), refused, unseen, and those of
        `kyphobayes.calibration.ranks.uniformity`. A cell of which no world was fitted has one row without a
        quantity.
    """
    rows = []
    for cell, table in zip(study, worlds, strict=True):
        counts = table["outcome"].value_counts()
        known = {
            "model": cell.model.name, "engine": cell.engine, "k": cell.k, "priors": cell.priors.label,
        }  # fmt: skip
        told = {
            "n": int(counts.get(FITTED, 0)), "refused": int(counts.get(REFUSED, 0)),
            "unseen": int(counts.get(UNSEEN, 0)),
        }  # fmt: skip
        fitted = positions_of(table)
        if not fitted:
            rows.append({**known, "quantity": "", **told})
        for name, positions in fitted.items():
            rows.append({**known, "quantity": name, **told, **uniformity(positions)})
    return pd.DataFrame(rows)


def merged(table: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Rows of an earlier summary with those of another in place of what they are about the same cells.

    So that a study grows model by model, and a cell that is run again with more data sets replaces itself.
    """
    cell = ["model", "engine", "k", "priors"]
    renewed = pd.MultiIndex.from_frame(earlier[cell]).isin(pd.MultiIndex.from_frame(table[cell]))
    both = pd.concat([earlier[~renewed], table], ignore_index=True) if not renewed.all() else table
    return both.sort_values(cell, kind="stable", ignore_index=True)


def wanting(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary whose positions are not uniform, at `ALPHA` for the table as a whole (Bonferroni)."""
    tests = table[["chi2_p", "ks_p"]]
    return table[tests.min(axis=1) < ALPHA / int(tests.notna().to_numpy().sum())]
