"""A printed summary line and the series that share no patients with it, pooled on the line's own scale."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.change.draws import Draws
from kyphobayes.effects import effect_size
from kyphobayes.effects.means import hedges_j
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import PrePostMeans, read_table
from kyphobayes.evidence.select import shared_patients
from kyphobayes.evidence.views import Array
from kyphobayes.exact import Posterior
from kyphobayes.exact.normal_tables import NormalTables
from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.project import Project
from kyphobayes.reanalysis import Line, read_again, read_lines
from kyphobayes.toml_files import nearest

STANDARDISED, POINTS = "SMD", "MD"
_QUANTILES = [0.5, (1 - PROB) / 2, (1 + PROB) / 2]


@dataclass(frozen=True, eq=False)
class WithLine:
    """Posteriors from a printed line, from the series that do not overlap with it, and from both.

    Attributes
    ----------
    line : Line
    posteriors : dict of str to Posterior
        Keys "printed line", "series", "both"; effects signed as in the line.
    labels : tuple of str
        The series.
    y, half : ndarray
        Their effects on the line's scale, and half the widths of their 95 % intervals.
    out : dict of str to str
        Series that stay out, and why.
    """

    line: Line
    posteriors: dict[str, Posterior] = field(repr=False)
    labels: tuple[str, ...]
    y: Array
    half: Array
    out: dict[str, str]

    @property
    def table(self) -> pd.DataFrame:
        """Median and interval of mu and theta_new, and tau, from each."""
        rows = {}
        for name, found in self.posteriors.items():
            typical, following = (found.quantile(key, _QUANTILES) for key in (MU, THETA_NEW))
            rows[name] = [*typical, *following, float(found.quantile(TAU, 0.5)), len(found.surface.labels)]
        columns = ["median", "low", "high", "next_median", "next_low", "next_high", "tau", "studies"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("from")


def with_line(name: str, project: Project, evidence: PrePostMeans, draws: Draws, seed: int) -> WithLine:
    """Pool a printed line with the series that do not overlap with it.

    On a standardised scale the line's own is taken, Hedges' g as if the two times were independent groups,
    and only series with both SDs printed have it. In points all series enter, and every table of the
    line has its own draw of what is not known of them: SDs, correlation, numbers of patients.

    Parameters
    ----------
    name : str
        Of the line in ``data/lines.toml``.
    project : Project
    evidence : PrePostMeans
        Its rows have the column study_id.
    draws : Draws
    seed : int

    Raises
    ------
    EvidenceError
        If there is no such line, its measure is neither SMD nor MD, its studies are not named, or no
        series is left.
    """
    line = _find(project, name)
    if line.measure not in (STANDARDISED, POINTS) or not line.n:
        raise EvidenceError(
            f"data/lines.toml [{name}]: expected a line in {STANDARDISED} or {POINTS} with the sizes of its "
            f"studies, found {line.measure or 'no measure'}"
        )
    shared = shared_patients(read_table(project, "studies.csv"))
    out = {}
    for label, study in zip(evidence.labels, evidence.rows["study_id"], strict=True):
        if study in line.n or shared[study] & set(line.n):
            out[label] = "shares patients with the printed line"
    surface = read_again(line).likelihood.surface
    assert isinstance(surface, NormalTables)
    rng = np.random.default_rng([seed, 7])
    chosen = rng.integers(len(draws.mu), size=len(surface.log_weights))
    some = draws.take(chosen)
    if line.measure == STANDARDISED:
        lacking = ~np.isfinite(evidence.sd).all(axis=0)
        out |= {
            evidence.labels[i]: "prints no SDs, so has no standardised change"
            for i in np.flatnonzero(lacking)
        }
        kept = _kept(evidence, out, name)
        y, v, log_weight = _standardised(evidence, some, kept)
    else:
        kept = _kept(evidence, out, name)
        v = some.variance(evidence)[:, kept]
        y = np.broadcast_to(evidence.change[kept], v.shape)
        log_weight = np.zeros(len(v))
    sign = 1.0 if line.measure == POINTS or line.better == "higher" else -1.0
    labels = [evidence.labels[i] for i in kept]
    return WithLine(
        line,
        _posteriors(surface, sign * y, v, log_weight, labels, line),
        tuple(labels),
        sign * np.median(y, axis=0),
        np.quantile(np.abs(np.sqrt(v) * rng.standard_normal(v.shape)), PROB, axis=0),
        out,
    )


def _posteriors(
    surface: NormalTables, y: Array, v: Array, log_weight: Array, labels: Sequence[str], line: Line
) -> dict[str, Posterior]:
    printed_y, printed_v = (
        surface.studies.centres[surface.tables],
        surface.studies.scales[surface.tables] ** 2,
    )
    both = NormalTables(
        np.hstack([printed_y, y]),
        np.hstack([printed_v, v]),
        surface.log_weights + log_weight,
        [*surface.labels, *labels],
    )
    alone = NormalTables(y, v, log_weight, labels)
    found = {"printed line": surface, "series": alone, "both": both}
    return {name: part.posterior("Flat()", line.tau) for name, part in found.items()}


def _standardised(evidence: PrePostMeans, draws: Draws, kept: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """Hedges' g, level before minus after, and its variance; log of what n changes of the printed d."""
    n = draws.n[:, kept]
    before, after = evidence.before[kept], evidence.before[kept] + evidence.change[kept]
    columns = {"mean_1": before, "sd_1": evidence.sd[0, kept], "n_1": n,
               "mean_2": after, "sd_2": evidence.sd[1, kept], "n_2": n}  # fmt: skip
    sizes = effect_size("SMD", {key: np.broadcast_to(value, n.shape) for key, value in columns.items()})
    return sizes.y, sizes.v, np.log(hedges_j(2 * n - 2)).sum(axis=1)


def _kept(evidence: PrePostMeans, out: dict[str, str], name: str) -> NDArray[np.intp]:
    kept = np.array([i for i, label in enumerate(evidence.labels) if label not in out], dtype=np.intp)
    if not len(kept):
        raise EvidenceError(
            f"data/lines.toml [{name}]: no series is left to pool with it: {'; '.join(out.values())}"
        )
    return kept


def _find(project: Project, name: str) -> Line:
    lines = {line.name: line for line in read_lines(project)}
    if name not in lines:
        raise EvidenceError(f"data/lines.toml: no line {name!r}; {nearest(name, lines)}")
    return lines[name]
