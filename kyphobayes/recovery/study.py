"""A study of recovery: which papers are simulated, by which jobs, and the table that comes of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from kyphobayes.calibration.ranks import BINS, uniformity
from kyphobayes.calibration.study import ALPHA
from kyphobayes.errors import InputError
from kyphobayes.evidence import Counts, evidence_for, read_plan, read_priors
from kyphobayes.jobs import Job, Say
from kyphobayes.kept_tables import digest_of, kept_tables
from kyphobayes.model import Model, load_model
from kyphobayes.priors import Priors
from kyphobayes.project import Project
from kyphobayes.recovery.design import Design, design_of
from kyphobayes.recovery.simulate import LISTED, LOST, REFUSED, TOO_MANY, quantities, recover_worlds
from kyphobayes.toml_files import nearest

ENGINE = "exact"
CHUNK = 50  # worlds of one job: half a minute or less, so that little is lost
_EXPECTED = 5  # positions in each bin, or there are too few for a chi-square test
_TESTED: tuple[str, ...] = ("chi2_p", "ks_p", "coverage_95")
_FORMAT = 1  # of what a job returns


@dataclass(frozen=True, eq=False)
class Case:
    """One paper under one prior set.

    Attributes
    ----------
    name : str
        Of the analysis, with what was changed of its design.
    design : Design
    model : Model
        Of counts, with a surface.
    priors : Priors
    n : int
        Worlds to draw.
    """

    name: str
    design: Design
    model: Model
    priors: Priors
    n: int

    def jobs(self, seed: int) -> list[tuple[Job, str]]:
        """Jobs of `CHUNK` worlds each, with the digest of all that each depends on."""
        found = []
        for first in range(0, self.n, CHUNK):
            count = min(CHUNK, self.n - first)
            digest = digest_of({
                "model": self.model.digest, "design": self.design.content, "priors": self.priors.texts(),
                "seed": seed, "worlds": [first, count], "format": _FORMAT,
            })  # fmt: skip
            given = {
                "design": self.design, "model": self.model, "priors": self.priors, "seed": seed,
                "first": first, "count": count,
            }  # fmt: skip
            found.append((Job(f"{self.name}-{self.priors.label}-{first}", recover_worlds, given), digest))
        return found


def cases(project: Project, names: Sequence[str] = (), *, sets: Sequence[str] = (), n: int) -> list[Case]:
    """Cases of the plan's analyses that have latent counts, under each prior set that they compare.

    Parameters
    ----------
    project : Project
    names : sequence of str
        Of analyses; all that have latent counts, if empty.
    sets : sequence of str
        Names of prior sets; the analysis' own and the ones it compares, if empty.
    n : int
        Worlds in each.

    Raises
    ------
    InputError
        If an analysis that is named has no latent counts, or there is none that has.
    """
    plan, found = read_plan(project), []
    if unknown := [name for name in names if name not in plan]:
        hint = nearest(unknown[0], plan)
        raise InputError(f"no analysis {unknown[0]!r} of one rate in data/analyses.toml; {hint}")
    for name in names or plan:
        analysis = plan[name]
        evidence = evidence_for(analysis, project)
        if not isinstance(evidence, Counts) or evidence.latent_source is None:
            if names:
                raise InputError(f"analysis {name}: every count is printed, so there is nothing to recover")
            continue
        model, design = load_model(analysis.model, project), design_of(evidence)
        for label in sets or analysis.compare:
            priors = read_priors(project, label, analysis, evidence.measure)
            model.check(evidence, priors)
            found.append(Case(name, design, model, priors, n))
    if not found:
        raise InputError("data/analyses.toml: no analysis has counts that are not printed")
    return found


def varied(case: Case) -> list[Case]:
    """The same case with studies of half and of twice the size, and in a paper that prints no I-squared."""
    half, twice = case.design.larger(0.5), case.design.larger(2)
    changed = {"half": half, "twice": twice}
    kept = [figure.quantity for figure in case.design.constraints.printed if figure.quantity != "I2"]
    if 0 < len(kept) < len(case.design.constraints.printed):
        changed["without_I2"] = case.design.printing(*kept)
    return [Case(f"{case.name}-{word}", d, case.model, case.priors, case.n) for word, d in changed.items()]


def recover(
    study: Sequence[Case],
    *,
    seed: int = 0,
    folder: Path | None = None,
    executor: Executor | None = None,
    say: Say = lambda _: None,
    finished: Callable[[int, int], None] = lambda _, __: None,
) -> list[pd.DataFrame]:
    """Simulate the worlds of all cases, or find them.

    Parameters
    ----------
    study : sequence of Case
    seed : int
    folder : Path, optional
        Where finished jobs are kept.
    executor : Executor, optional
    say, finished : callable
        See `kyphobayes.kept_tables`.

    Returns
    -------
    list of DataFrame
        One per case, a row per world: see `kyphobayes.recovery.simulate.recover_worlds`.
    """
    each = [case.jobs(seed) for case in study]
    jobs = [job for pairs in each for job, _ in pairs]
    digests = [digest for pairs in each for _, digest in pairs]
    tables = iter(kept_tables(jobs, digests, folder, executor, say, finished))
    return [pd.concat([next(tables) for _ in pairs], ignore_index=True) for pairs in each]


def summarised(study: Sequence[Case], worlds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per case and quantity, as a table of calibration has it.

    Parameters
    ----------
    study : sequence of Case
    worlds : sequence of DataFrame
        By `recover`.

    Returns
    -------
    DataFrame
        Columns case, model, engine, k, priors, quantity; n, worlds whose print leaves the quantity open;
        worlds; lost, worlds whose true table is not among those reconstructed; too_many, worlds with too many
        tables to list; refused by the engine; one_table, the share of prints that leave one table, and
        median_tables; then those of `kyphobayes.calibration.ranks.uniformity`. A quantity that no print
        leaves open has no tests, and one that few do no chi-square test.
    """
    rows = []
    for case, table in zip(study, worlds, strict=True):
        outcomes, tables = table["outcome"].value_counts(), table["tables"].dropna()
        known = {
            "case": case.name, "model": case.model.name, "engine": ENGINE, "k": case.design.k,
            "priors": case.priors.label,
        }  # fmt: skip
        told = {
            "worlds": len(table), "lost": int(outcomes.get(LOST, 0)),
            "too_many": int(outcomes.get(TOO_MANY, 0)), "refused": int(outcomes.get(REFUSED, 0)),
            "one_table": float(np.mean(tables == 1)), "median_tables": float(tables.median()),
        }  # fmt: skip
        for quantity in quantities(case.design):
            positions = table[quantity].dropna().to_numpy(float)
            n = len(positions)
            found: dict[str, float] = dict(uniformity(positions)) if n else dict.fromkeys(_TESTED, np.nan)
            if n < _EXPECTED * BINS:
                found["chi2_p"] = np.nan
            rows.append({**known, "quantity": quantity, "n": n, **told, **found})
    return pd.DataFrame(rows)


def wanting(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary that lost a true table, or whose positions are not where they should be.

    Positions are tested for uniformity, as those of a calibration, and the coverage of the 95 % intervals by
    its binomial distribution, which sees intervals that are too narrow where there are few worlds; at `ALPHA`
    for the table as a whole (Bonferroni).
    """
    tests = table[["chi2_p", "ks_p"]].copy()
    inside = table["coverage_95"].to_numpy(float) * table["n"].to_numpy(float)
    tests["coverage_p"] = [
        stats.binomtest(round(x), int(n), 0.95).pvalue if n else np.nan
        for x, n in zip(inside, table["n"], strict=True)
    ]
    uneven = tests.min(axis=1) < ALPHA / max(1, int(tests.notna().to_numpy().sum()))
    return table[uneven | (table["lost"] > 0)]


def sentence(worlds: pd.DataFrame) -> str:
    """What became of a case's worlds, in words."""
    outcomes, tables = worlds["outcome"].value_counts(), worlds["tables"].dropna()
    listed, lost = (int(outcomes.get(outcome, 0)) for outcome in (LISTED, LOST))
    said = [f"the true table is among those reconstructed in {listed:,} of {listed + lost:,} worlds"]
    for outcome, why in ((TOO_MANY, "left too many tables to list"), (REFUSED, "were refused by the engine")):
        said += [f"{outcomes[outcome]:,} more {why}"] if outcome in outcomes else []
    said += [f"{np.mean(tables == 1):.0%} of prints leave one table, and half at most {tables.median():.0f}"]
    return "; ".join(said)
