"""Posteriors from the printed line beside those from the full table."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.summary_lines.published import Published, printed
from kyphobayes import exact
from kyphobayes.exact import Posterior
from kyphobayes.names import MU, THETA_NEW
from kyphobayes.reconstruct import summary_likelihood
from kyphobayes.reconstruct.summary import POINTS, STABILISED, STANDARDISED, Spread

SIZES = range(2, 9)  # of the subsets
KINDS = ("equal", "spread", "sizes")  # what is made of the line, in words below
WORDS = {
    "equal": "equal variances",
    "spread": "variances unknown",
    "sizes": "sizes known",
}


def subsets(tables: list[Published], each: int, seed: int = 0) -> Iterator[Published]:
    """The tables and, of each, some subsets with two to eight studies drawn without replacement."""
    rng = np.random.default_rng(seed)
    for table in tables:
        yield table
        for _ in range(each):
            k = int(rng.choice([size for size in SIZES if size < len(table.y)]))
            yield table.take(np.sort(rng.choice(len(table.y), k, replace=False)))


def tau_prior(table: Published) -> str:
    """Half-normal with the scale of two typical standard errors of the whole table."""
    return f"HalfNormal(sigma={2 * float(np.sqrt(np.median(table.v))):.4g})"


def compared(
    table: Published, prior: str, spreads: dict[str, Spread], points: int = POINTS
) -> list[dict[str, object]]:
    """One row for each reading of the line; mu has a flat prior."""
    full = exact.normal(table.y, np.sqrt(table.v)).posterior("Flat()", prior)
    line = printed(table)
    told = {
        "source": table.source,
        "measure": table.measure,
        "whole": table.whole,
        "k": len(table.y),
        "i2": float(line.i2),
        "ratio_v": float(table.v.max() / table.v.min()),
        "sizes_known": table.n is not None,
    }
    rows = []
    for kind in KINDS:
        if kind == "sizes" and table.n is None:
            continue
        n = table.n.tolist() if kind == "sizes" and table.n is not None else None
        found = summary_likelihood(
            len(table.y), line.estimate, line.ci, line.i2,
            measure="SMD" if table.measure == "SMD" else None,  # the others are printed as they are pooled
            points=points, n=n, spread=0 if kind == "equal" else spreads[kind],
        )  # fmt: skip
        rows.append(told | {"kind": kind} | _differences(found.surface.posterior("Flat()", prior), full))
    return rows


def _differences(line: Posterior, full: Posterior) -> dict[str, float]:
    """In standard deviations of the full posterior, and as ratios of the widths of 95 % intervals."""
    out: dict[str, float] = {}
    ours, theirs = line.summary(), full.summary()
    for name in (MU, THETA_NEW):
        mine: NDArray[np.float64] = ours.loc[name, ["median", "low", "high"]].to_numpy(dtype=float)
        other: NDArray[np.float64] = theirs.loc[name, ["median", "low", "high"]].to_numpy(dtype=float)
        sd = float(theirs["sd"][name])
        out[f"{name}_mean"] = float(ours["mean"][name] - theirs["mean"][name]) / sd
        out[f"{name}_low"], out[f"{name}_high"] = (mine[1:] - other[1:]) / sd
        out[f"{name}_width"] = float((mine[2] - mine[1]) / (other[2] - other[1]))
    return out


def classed(measure: str) -> str:
    """How far sizes tell variances: of all, of standardised differences, of others."""
    return "stabilised" if measure in STABILISED else "standardised" if measure in STANDARDISED else "other"


def learned(tables: Sequence[Published], known: bool, kind: str = "") -> tuple[float, float]:
    """Median and log-sd of the spread of log variances: of each data set, the mean over its measures."""
    rows = [
        (table.source, table.log_variances[known])
        for table in tables
        if known in table.log_variances and (not known or classed(table.measure) == kind)
    ]
    frame = pd.DataFrame(rows, columns=["source", "spread"])
    per_set = np.log(frame.groupby("source")["spread"].mean().to_numpy(dtype=float))
    return float(np.exp(np.median(per_set))), float(per_set.std(ddof=1)) if len(per_set) > 1 else 0.0


def spreads_for(table: Published, tables: Sequence[Published]) -> dict[str, Spread]:
    """What the other data sets say of the spread: the table's own is left out."""
    others = [other for other in tables if other.source != table.source]
    kind = classed(table.measure)
    sizes = (0.0, 0.0) if kind == "stabilised" else learned(others, True, kind)
    return {"spread": learned(others, False), "sizes": sizes}
