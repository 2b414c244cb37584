"""How often 95 % intervals from a line hold the truth: simulated reviews with the variances of published
ones."""

import numpy as np
import pandas as pd

from benchmarks.summary_lines.compare import KINDS
from benchmarks.summary_lines.published import Published, printed
from kyphobayes import exact
from kyphobayes.exact import Posterior
from kyphobayes.reconstruct import summary_likelihood
from kyphobayes.reconstruct.summary import Spread, usual_spread

SIZES = (3, 4, 6, 8, 10)
RATIOS = (0.0, 0.5, 1.0, 2.0, 3.0)  # tau in typical standard errors
SCALE = 3.0  # of tau's half-normal prior, in typical standard errors
TYPICAL = 0.3  # standard error: so that a line has the usual two decimals
POINTS = 32
RTOL = 1e-5


def coverage(tables: list[Published], each: int, seed: int = 1) -> pd.DataFrame:
    """One row per simulated review and reading: k, ratio, kind, and whether mu and theta_new are inside.

    Parameters
    ----------
    tables : list of Published
        Those whose sizes are known lend sizes and variances.
    each : int
        Reviews of each cell.
    seed : int

    Notes
    -----
    A review takes the sizes and the variances of k studies of a published table, scaled to a typical standard
    error of 0.3; mu is 0, and tau a multiple of that standard error or, where `ratio` is NaN, a draw from its
    prior. mu has a flat prior.
    """
    rng = np.random.default_rng(seed)
    lending = [table for table in tables if table.n is not None and len(table.y) >= SIZES[-1]]
    rows = []
    for k in SIZES:
        for ratio in (*RATIOS, np.nan):
            for _ in range(each):
                table = lending[rng.integers(len(lending))]
                table = table.take(rng.choice(len(table.y), k, replace=False))
                rows += [
                    {"k": k, "ratio": ratio, "kind": kind, "mu": inside[0], "theta_new": inside[1]}
                    for kind, inside in _review(table, ratio, rng).items()
                ]
    return pd.DataFrame(rows)


def _review(table: Published, ratio: float, rng: np.random.Generator) -> dict[str, tuple[bool, bool]]:
    v = table.v * (TYPICAL**2 / np.exp(np.log(table.v).mean()))
    tau = TYPICAL * (abs(rng.normal(scale=SCALE)) if np.isnan(ratio) else ratio)
    y = rng.normal(0.0, np.sqrt(v + tau**2))
    theta_new = rng.normal(0.0, tau)
    review = Published(table.source, "", y, v, table.n)
    line, prior = printed(review), f"HalfNormal(sigma={SCALE * TYPICAL:g})"

    def inside(posterior: Posterior) -> tuple[bool, bool]:
        below = float(posterior.mu.cdf(0.0)), float(posterior.theta_new.cdf(theta_new))
        return abs(below[0] - 0.5) < 0.475, abs(below[1] - 0.5) < 0.475

    found = {"full": inside(exact.normal(y, np.sqrt(v)).posterior("Flat()", prior, rtol=RTOL))}
    for kind in KINDS:
        n = review.n.tolist() if kind == "sizes" and review.n is not None else None
        told = summary_likelihood(
            len(y), line.estimate, line.ci, line.i2, points=2 if kind == "equal" else POINTS,
            n=n, spread=_spread(kind, table.measure),
        )  # fmt: skip
        found[kind] = inside(told.surface.posterior("Flat()", prior, rtol=RTOL))
    return found


def _spread(kind: str, measure: str) -> Spread:
    """What `summary_likelihood` takes by itself; effects here are on the scale of the analysis, unlogged."""
    return 0.0 if kind == "equal" else usual_spread(measure, kind == "sizes")


def cells(found: pd.DataFrame) -> pd.DataFrame:
    """Share of intervals that hold the truth, by k, ratio and reading."""
    return found.groupby(["k", "ratio", "kind"], dropna=False)[["mu", "theta_new"]].mean().reset_index()
